"""Which sentences are quoted, and when none is, with a model whose cosines are given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import cast

import numpy as np
import pytest

from pai_daemon.context.answering.extract import CANDIDATES, CANDIDATES_ACROSS, bar, by_words, closest
from pai_daemon.context.answering.quotes import Quote
from pai_daemon.context.space import EmbeddingModel
from pai_daemon.context.vectors import Floats
from pai_daemon.models.registry import Scoring

SCORING = Scoring(0.82, 0.08, -0.02, 0.86)
QUOTE = Quote(
    n=1, text="", in_context="", coverage=0.5, own_coverage=0.5, fit=0, score=0.5, other_language=False
)


class Given:
    """Embeds a text so that its cosine to any question is the given one."""

    scoring = SCORING

    def __init__(self, cosines: Mapping[str, float]) -> None:
        self.cosines = cosines
        self.asked: list[str] = []

    def embed_query(self, text: str) -> Floats:
        """Return the direction that cosines are counted from."""
        return np.array([1, 0], np.float32)

    def embed_texts(self, texts: Sequence[str], *, urgent: bool) -> Floats:
        """Return vectors at the given cosines, .82 where none is given."""
        self.asked += texts
        given = [self.cosines.get(text, 0.82) for text in texts]
        return np.array([[cosine, (1 - cosine**2) ** 0.5] for cosine in given], np.float32)


def _quote(text: str, **parts: float) -> Quote:
    given = {name: int(value) if name == "n" else value for name, value in parts.items()}
    return replace(QUOTE, text=text, in_context=text, **given)  # type: ignore[arg-type]


def _chosen(quotes: Sequence[Quote], **cosines: float) -> list[str]:
    model = cast("EmbeddingModel", Given(cosines))
    return [quote.text for quote in closest("asked", quotes, model)]


def test_bar_falls_as_more_of_the_question_is_named() -> None:
    """A passage with all the words may be farther in meaning than one with none."""
    bars = [bar(replace(QUOTE, coverage=share), SCORING) for share in (0, 0.5, 1)]
    assert bars == sorted(bars, reverse=True)
    assert bars[2] < SCORING.answer_threshold < bars[1]


def test_words_do_not_count_across_languages() -> None:
    """A passage in another language has the model's own bar, whatever it names."""
    quotes = [replace(QUOTE, coverage=share, other_language=True) for share in (0, 1)]
    assert [bar(quote, SCORING) for quote in quotes] == pytest.approx([0.80, 0.80])


def test_nothing_is_quoted_below_the_bar() -> None:
    """Where the best sentence does not answer, no other one does instead."""
    assert _chosen([_quote("near"), _quote("far")], near=0.80, far=0.70) == []
    assert _chosen([]) == []


def test_second_sentence_of_the_same_passage_is_quoted_more_easily() -> None:
    """What stands beside the best sentence belongs to it; what stands elsewhere has to be as good."""
    found = [_quote("best", n=1), _quote("beside", n=1), _quote("elsewhere", n=2)]
    assert _chosen(found, best=0.9, beside=0.84, elsewhere=0.85) == ["best", "beside"]
    assert _chosen([found[0], found[2]], best=0.9, elsewhere=0.85) == ["best"]
    assert _chosen([found[0], found[2]], best=0.9, elsewhere=0.89) == ["best", "elsewhere"]


def test_only_a_handful_of_sentences_is_embedded() -> None:
    """However many sentences there are, those with the question's words are embedded and no other."""
    model = Given({"told": 0.9})
    found = [_quote(f"noise {number}", own_coverage=0.3) for number in range(50)]
    assert closest("asked", [*found, _quote("told", own_coverage=0.6)], cast("EmbeddingModel", model))
    assert len(model.asked) == CANDIDATES
    assert "told" in model.asked
    clear = Given({"told": 0.9})
    assert closest("asked", [*found, _quote("told", own_coverage=1)], cast("EmbeddingModel", clear))
    assert clear.asked == ["told"]


def test_more_sentences_are_embedded_across_languages() -> None:
    """Where words say little, more sentences are left to meaning."""
    model = Given({})
    found = [replace(_quote(f"fremd {number}"), other_language=True) for number in range(50)]
    closest("asked", found, cast("EmbeddingModel", model))
    assert len(model.asked) == CANDIDATES_ACROSS > CANDIDATES


def test_repeated_sentence_is_quoted_once() -> None:
    """A sentence within another one adds nothing."""
    assert _chosen([_quote("a b"), _quote("a b c")], **{"a b": 0.9, "a b c": 0.91}) == ["a b c"]


def test_without_meaning_a_sentence_needs_half_of_the_words() -> None:
    """Where no model can choose, the words decide alone, and few words decide nothing."""
    assert by_words([_quote("few", coverage=0.4)]) == []
    assert by_words([_quote("some"), _quote("all", own_coverage=1)])[0].text == "all"
