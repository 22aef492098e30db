"""How a model's cosines are read comes near what was measured by hand, from a few dozen probes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

import numpy as np
import pytest

from pai_daemon.models.embedder import Embedder
from pai_daemon.models.encoder.weights import Floats
from pai_daemon.models.prepare import PreparedModel
from pai_daemon.models.probes import Probe, probes
from pai_daemon.models.registry import Scoring
from pai_daemon.models.scoring import measured


def _measured(prepared: PreparedModel, languages: frozenset[str]) -> Scoring:
    with Embedder(prepared, threads=2) as embedder:

        def queries(texts: Sequence[str]) -> Floats:
            return np.stack([embedder.embed_query(text) for text in texts])

        return measured(queries, embedder.embed_texts, probes(languages))


@pytest.mark.parametrize(
    # The whole way from strangers to a question's own sentence: 0.07 with e5, 0.32 with MiniLM.
    ("name", "near", "languages"),
    [("e5", 0.013, frozenset()), ("small", 0.04, frozenset({"en"})), ("small", 0.04, frozenset())],
)
def test_scoring_from_probes_is_near_the_one_by_hand(
    request: pytest.FixtureRequest, name: str, near: float, languages: frozenset[str]
) -> None:
    """With two unlike models every threshold is within a fifth of the way of what question sets gave.

    Also where nobody says which languages the model knows: then it is found out.
    """
    prepared: PreparedModel = request.getfixturevalue(name)
    found = asdict(_measured(prepared, languages))
    assert prepared.profile.scoring is not None
    by_hand = asdict(prepared.profile.scoring)
    for key in set(by_hand) - {"semantic_weight"}:
        assert found[key] == pytest.approx(by_hand[key], abs=near), key


def _made(english: Sequence[bool]) -> list[Probe]:
    return [
        Probe("en" if is_english else "de", f"t{n}", f"s{n}", f"q{n}", f"p{n}", f"o{n}")
        for n, is_english in enumerate(english)
    ]


def _directions(texts: Sequence[str], share: float, lost: frozenset[str] = frozenset()) -> Floats:
    """Return a row a text: near its own direction by its number, but for those that are lost."""
    rows = np.zeros((len(texts), 64), np.float32)
    for row, text in enumerate(texts):
        number = int("".join(char for char in text.split("\n")[-1] if char.isdigit()))
        rows[row, 62 if text in lost else number] = share
        rows[row, 63] = np.sqrt(1 - share**2)
    return rows


def test_marks_of_made_up_cosines_give_the_thresholds_by_their_shares() -> None:
    """Strangers at .36 and own sentences at 1 put the bar at 95 % of the way, and support at 70 %."""
    scoring = measured(
        lambda texts: _directions(texts, 0.8), lambda texts: _directions(texts, 0.8), _made([True] * 8)
    )
    assert scoring.answer_threshold == pytest.approx(0.36 + 0.95 * 0.64, abs=2e-3)
    assert scoring.support_threshold == pytest.approx(0.36 + 0.7 * 0.64, abs=2e-3)
    assert scoring.scale == pytest.approx(0.64, abs=2e-3)
    assert scoring.other_language_margin == pytest.approx(0.16, abs=2e-3)


@pytest.mark.parametrize(("lost", "sign"), [(0, -1), (8, 1)])
def test_margin_across_languages_depends_on_whether_the_model_speaks_them(lost: int, sign: int) -> None:
    """A model that finds its way in other languages may be less near across them; another must be nearer."""
    made = _made([True] * 8 + [False] * 8)
    strays = frozenset(probe.question for probe in made[8 : 8 + lost])
    scoring = measured(
        lambda texts: _directions(texts, 0.8, strays), lambda texts: _directions(texts, 0.8), made
    )
    assert np.sign(scoring.other_language_margin) == sign
    assert scoring.answer_threshold == pytest.approx(0.968, abs=2e-3)
