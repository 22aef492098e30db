"""The second look at the first candidates: what it sees, and how it orders them."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pai_daemon.context.ranking.evidence import FEATURES, SIGNS, Table, question_of, signs, table_of
from pai_daemon.context.ranking.look import candidates, reorder
from pai_daemon.context.ranking.weights import WEIGHTS
from pai_daemon.context.store.rows import StoredChunk
from pai_daemon.context.store.vocabulary import Vocabulary

FILLER = " ".join(["filler"] * 40)
KNOWN = Vocabulary.of([pa.array(["the walrus sleeps", "the ice melts", "the sea", "the sun"])])


def chunk(content: str, title: str = "Note", heading: str = "", alias: str = "") -> StoredChunk:
    """Return a chunk that says this, below the line that tells where it stands."""
    headings = (heading,) if heading else ()
    named = " > ".join((f"{title} ({alias})" if alias else title, *headings))
    searched = f"{named}\n\n{content}"
    return StoredChunk(f"{title}.md", 0, "", "", title, headings, content, searched, 1, 1, 0, 1, ())


def seen(query: str, *chunks: StoredChunk) -> list[dict[str, float]]:
    """Return by name what is seen of each chunk."""
    names = ("has", "near", "pairs", "title", "length")
    return [dict(zip(names, row, strict=True)) for row in signs(question_of(query, KNOWN), chunks).tolist()]


def first(query: str, *chunks: StoredChunk) -> str:
    """Return the title of the first of chunks that the legs could not tell apart."""
    ids = [each.chunk_id for each in chunks]
    legs = {"semantic": [(item, 0.9) for item in ids], "text": [(item, 9.0) for item in ids]}
    evidence = table_of(
        question_of(query, KNOWN), chunks, legs, scale=0.1, chunk_count=100, knows_language=True
    )
    return reorder([(item, 1.0) for item in ids], ids, evidence)[0][0].removesuffix(".md#0")


def test_every_sign_has_one_weight() -> None:
    """The weights are for exactly the features that are computed, in their order."""
    assert tuple(WEIGHTS) == FEATURES


def test_words_close_together_count_more_than_words_apart() -> None:
    """A passage with the question's words in one sentence is nearer than one with a page between them."""
    apart, close = chunk(f"walrus {FILLER} ice", "Apart"), chunk(f"walrus ice {FILLER}", "Close")
    one, other = seen("walrus ice", apart, close)
    assert one["has"] == pytest.approx(other["has"]) == pytest.approx(1.0)
    assert one["near"] < other["near"]
    assert (one["pairs"], other["pairs"]) == (0.0, 1.0)
    assert first("walrus ice", apart, close) == "Close"


def test_rare_word_is_worth_more_than_a_common_one() -> None:
    """Of two words, the one that few passages have says more, and a stop word hardly anything."""
    rare, common = seen("the walrus", chunk("a walrus"), chunk("the end"))
    assert rare["has"] > 0.9
    assert common["has"] < 0.1


def test_title_that_says_the_question_leads() -> None:
    """Of two passages with the same words, the one whose heading, title or alias has them comes first."""
    plain = chunk("walrus ice", "Other")
    assert first("walrus ice", plain, chunk("walrus ice", "Walrus ice")) == "Walrus ice"
    assert first("walrus ice", plain, chunk("walrus ice", "Under", "Walrus ice")) == "Under"
    assert first("walrus ice", plain, chunk("walrus ice", "Named", alias="Walrus ice")) == "Named"


def test_inflected_and_accented_forms_are_one_word() -> None:
    """`Häuser` is found by `hauser`, and `explorers` by `exploring`, as they begin alike."""
    assert seen("hauser", chunk("Die Häuser"))[0]["has"] == 1.0
    assert seen("sleepers", chunk("sleepers' sleep"))[0]["has"] == 1.0
    assert seen("exploring", chunk("explorers"))[0]["has"] == 1.0


def test_first_of_each_leg_is_looked_at() -> None:
    """What one leg puts first is looked at, however far behind both together put it."""
    ranked = [(str(place), 1 - place / 100) for place in range(100)]
    assert "90" not in candidates(ranked, {"text": [], "semantic": ranked})
    assert "90" in candidates(ranked, {"text": [("90", 9.0)], "semantic": ranked})


def test_what_is_not_embedded_stands_where_its_words_do() -> None:
    """A chunk without an embedding gets the meaning that its words speak for, not the least of all."""
    new, old = chunk("walrus ice", "New"), chunk("walrus ice", "Old")
    legs = {"semantic": [("x.md#0", 0.9), (old.chunk_id, 0.5)], "text": [(new.chunk_id, 50.0)]}
    place = SIGNS.index("meaning share")

    def share(unknown: set[str]) -> float:
        asked = question_of("walrus ice", KNOWN)
        rows = table_of(asked, [new], legs, scale=0.1, chunk_count=9, knows_language=True, unknown=unknown)
        return float(rows[0, place])

    assert share(set()) == 0.0
    assert share({new.chunk_id}) == pytest.approx(1.0)


@given(query=st.text(max_size=60), texts=st.lists(st.text(max_size=120), max_size=4))
def test_any_text_gives_finite_evidence(query: str, texts: list[str]) -> None:
    """No question and no passage breaks the look: every figure is finite, every share from 0 to 1."""
    chunks = [chunk(text, f"N{number}") for number, text in enumerate(texts)]
    rows = table_of(question_of(query, KNOWN), chunks, {}, scale=0.1, chunk_count=0, knows_language=False)
    assert rows.shape == (len(chunks), len(FEATURES))
    assert np.isfinite(rows).all()
    shares = rows[:, [SIGNS.index(name) for name in ("has", "near", "pairs", "title")]]
    assert ((shares >= 0) & (shares <= 1 + 1e-9)).all()


@given(
    scores=st.lists(st.floats(0, 1), min_size=1, max_size=12),
    depth=st.integers(0, 12),
    seed=st.integers(0, 99),
)
def test_reordering_keeps_every_hit_and_falling_scores(scores: list[float], depth: int, seed: int) -> None:
    """Nothing is lost or repeated, scores still fall, and what was not looked at stays behind."""
    ranked = [(str(place), score) for place, score in enumerate(sorted(scores, reverse=True))]
    ids = [item for item, _ in ranked][:depth]
    rows: Table = np.random.default_rng(seed).normal(size=(len(ids), len(FEATURES)))
    found = reorder(ranked, ids, rows)
    assert sorted(item for item, _ in found) == sorted(item for item, _ in ranked)
    assert {item for item, _ in found[: len(ids)]} == {*ids}
    listed = [score for _, score in found]
    assert all(one >= other - 1e-9 for one, other in pairwise(listed))
    assert all(math.isfinite(score) and -1e-9 <= score <= 1 + 1e-9 for score in listed)
