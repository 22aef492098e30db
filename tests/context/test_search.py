"""Hybrid search over the sample vault, with a real model."""

from __future__ import annotations

import os
import threading
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pai_daemon.context.filters import Filter
from pai_daemon.context.fusion import fuse
from pai_daemon.context.highlights import Terms, highlights, terms_of
from pai_daemon.context.search import Searcher
from pai_daemon.context.vectors import Floats
from pai_daemon.errors import ModelUnavailable, UsageError
from tests.context.conftest import Live


def test_passage_is_the_exact_slice_of_its_note(sample: Live) -> None:
    """Text, character span and line span of every passage agree with the file."""
    for passage in sample.searcher.search("engine tomatoes snails mooring", limit=50).results:
        text = (sample.vault / passage.path).read_text("utf-8")
        assert text[passage.start_char : passage.end_char] == passage.text
        assert text.count("\n", 0, passage.start_char) + 1 == passage.start_line
        assert text.count("\n", 0, passage.end_char) + 1 == passage.end_line


def test_question_in_other_words_finds_the_passage(sample: Live) -> None:
    """The semantic leg finds what shares no word with the question."""
    best = sample.searcher.search("illness of vegetables caused by humidity", mode="semantic").results[0]
    assert best.path in ("Garden/Tomatoes.md", "People/Marlene Vogt.md")


def test_result_says_which_legs_ran(sample: Live) -> None:
    """Stages and parts of the score tell where a passage comes from."""
    result = sample.searcher.search("stern gland grease")
    assert result.stages == ("semantic", "text", "look")
    assert result.results[0].scores.text is not None
    assert 0.5 < result.results[0].score <= 1.0
    assert sample.searcher.search("stern gland", mode="text").stages == ("text",)


def test_explanation_adds_up_to_the_order(sample: Live) -> None:
    """What each leg says adds up to what was fused, the signs to the odds, and the odds order the results."""
    found = sample.searcher.search("stern gland grease", explain=True, limit=5)
    told = found.explained
    assert told is not None
    assert len(told.reasons) == len(found.results) == 5
    assert {*found.stages} <= {*told.took_ms}
    assert sum(told.took_ms[stage] for stage in ("embed", "semantic", "look")) <= found.took_ms + 0.1
    odds = [each.odds for each in told.reasons if each.odds is not None]
    assert len(odds) == 5
    assert odds == sorted(odds, reverse=True)
    for passage, each in zip(found.results, told.reasons, strict=True):
        legs = [part for part in (each.semantic, each.text) if part is not None]
        assert sum(part.share * part.weight for part in legs) == pytest.approx(each.fused, abs=0.001)
        worth = sum(value * told.weights[name] for name, value in each.signs.items())
        assert worth == pytest.approx(each.odds, abs=0.01)
        text = passage.scores.text
        assert (text is None) == (each.text is None)
        assert each.text is None or each.text.score == pytest.approx(text, abs=0.001)


def test_explanation_of_one_leg_or_of_operators_names_no_second_look(sample: Live) -> None:
    """By words alone nothing was looked at again; operators alone rank nothing; unasked none is given."""
    by_words = sample.searcher.search("stern gland", mode="text", explain=True).explained
    assert by_words is not None
    assert {each.odds for each in by_words.reasons} == {None}
    assert (by_words.weights, "look" in by_words.took_ms) == ({}, False)
    newest = sample.searcher.search("path:Garden", explain=True)
    assert newest.explained is not None
    assert len(newest.explained.reasons) == len(newest.results) > 0
    assert {(each.semantic, each.text) for each in newest.explained.reasons} == {(None, None)}
    assert sample.searcher.search("stern gland").explained is None


def test_explanation_tells_which_words_were_corrected(sample: Live) -> None:
    """A word that no note has is told with those that were searched beside it; a known one is not."""
    sample.index.learn_words()
    told = sample.searcher.search("stern glnad grease", explain=True).explained
    assert told is not None
    assert told.corrected == {"glnad": ("gland",)}
    meant = sample.searcher.search("stern glnad grease", mode="semantic", explain=True).explained
    assert meant is not None
    assert meant.corrected == {}


def test_model_that_is_away_leaves_the_words(left: Live) -> None:
    """While a server is away search goes on by words and says so; by meaning alone it cannot."""
    searcher = left.searcher
    result = searcher.search("stern gland grease")
    assert result.stages == ("text",)
    assert result.results
    with pytest.raises(ModelUnavailable):
        searcher.search("stern gland grease", mode="semantic")


def test_link_of_a_passage_names_its_heading_or_block(sample: Live) -> None:
    """A link opens the note at the block where one has an id, else at the heading path."""
    glue = sample.searcher.search("polyurethane glue epoxy cabin floor", mode="text").results[0]
    assert (glue.block_id, glue.link) == ("floor-glue", "[[Narrowboat#^floor-glue]]")
    engine = sample.searcher.search("Beta Marine 38", mode="text").results[0]
    assert engine.link == "[[Narrowboat#Engine]]"


def test_folder_and_tag_narrow_both_legs(sample: Live) -> None:
    """A filter holds for what is found by meaning and for what is found by words."""
    for mode in ("semantic", "text", "hybrid"):
        found = sample.searcher.search("the boat and the garden", mode=mode, chosen=Filter(folder="Garden"))
        assert found.results
        assert all(passage.path.startswith("Garden/") for passage in found.results)
    tagged = sample.searcher.search("boat", chosen=Filter(tags=("project",)))
    assert {passage.path for passage in tagged.results} <= {"Projects/Narrowboat.md", "Projects/Mooring.md"}


def test_words_are_looked_up_while_the_query_is_embedded(
    sample: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hybrid search waits for the slower of its legs, not for one after the other."""
    chunks, looked_up = sample.index.store.chunks, threading.Event()
    search = chunks.search_corrected

    def look_up(
        query: str, limit: int, chosen: Filter, **options: bool
    ) -> tuple[list[tuple[str, float]], dict[str, list[str]]]:
        looked_up.set()
        return search(query, limit, chosen, **options)

    model = sample.index.space.embedder
    assert model is not None
    embed = model.embed_query

    def embed_slowly(text: str) -> Floats:
        assert looked_up.wait(5), "the words wait for the embedding"
        return embed(text)

    monkeypatch.setattr(chunks, "search_corrected", look_up)
    monkeypatch.setattr(model, "embed_query", embed_slowly)
    assert sample.searcher.search("stern gland").stages == ("semantic", "text", "look")


def test_filter_is_asked_once_until_something_changes(sample: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    """What passes a filter is remembered for the next query, and found anew after a commit."""
    searcher, store = Searcher(sample.vault, sample.index), sample.index.store
    asked: list[Filter] = []
    matching = store.chunks.matching

    def ask(chosen: Filter) -> dict[str, list[str]]:
        asked.append(chosen)
        return matching(chosen)

    monkeypatch.setattr(store.chunks, "matching", ask)
    garden, people = Filter(folder="Garden"), Filter(folder="People")
    first = searcher.search("the boat", mode="semantic", chosen=garden).results
    assert searcher.search("the boat", mode="semantic", chosen=garden).results == first
    searcher.search("the boat", mode="semantic", chosen=people)
    assert asked == [garden, people]
    monkeypatch.setattr(store, "revision", store.revision + 1)
    searcher.search("the boat", mode="semantic", chosen=garden)
    assert asked == [garden, people, garden]


def test_passage_of_a_changed_note_is_stale(sample: Live) -> None:
    """A note that changed since it was read says so; a mere touch does not (D13)."""
    frozen = Searcher(sample.vault, sample.index)
    path = sample.vault / "Reading.md"
    sample.watcher.stop()
    before = path.read_bytes()
    try:
        os.utime(path, ns=(1, 1))
        assert not frozen.search("Walden").results[0].stale
        path.write_bytes(before + b"\nmore\n")
        assert frozen.search("Walden").results[0].stale
    finally:
        path.write_bytes(before)
        sample.watcher.start()


@pytest.mark.parametrize(
    ("query", "options"),
    [
        ("", {}),
        ("   ", {}),
        ("x" * 5000, {}),
        ("a", {"limit": 0}),
        ("a", {"limit": 101}),
        ("a", {"mode": "magic"}),
    ],
)
def test_senseless_request_is_a_usage_error(sample: Live, query: str, options: dict[str, Any]) -> None:
    """Empty and overlong queries, limits out of range and unknown modes are named, not guessed."""
    with pytest.raises(UsageError):
        sample.searcher.search(query, **options)


@st.composite
def legs(draw: st.DrawFn) -> dict[str, list[tuple[str, float]]]:
    """Return two legs as the store and the matrix give them, best first."""
    drawn = {}
    for name, top in (("semantic", 1.0), ("text", 40.0)):
        items = draw(st.lists(st.sampled_from("abcdef"), unique=True))
        scores = sorted((draw(st.floats(0.01, top)) for _ in items), reverse=True)
        drawn[name] = list(zip(items, scores, strict=True))
    return drawn


@given(legs=legs())
def test_fusion_keeps_every_hit_once_and_in_order(legs: dict[str, list[tuple[str, float]]]) -> None:
    """Fusing loses and repeats nothing, and its scores lie between 0 and 1."""
    fused = fuse(legs, 0.6, 1000)
    assert {item for item, _ in fused} == {item for leg in legs.values() for item, _ in leg}
    assert len({item for item, _ in fused}) == len(fused)
    scores = [score for _, score in fused]
    assert scores == sorted(scores, reverse=True)
    assert all(-1e-9 <= score <= 1 + 1e-9 for score in scores)


@given(legs=legs())
def test_hit_that_leads_both_legs_leads(legs: dict[str, list[tuple[str, float]]]) -> None:
    """What is best by meaning and by words is best."""
    both = {"semantic": [("top", 1.1), *legs["semantic"]], "text": [("top", 41.0), *legs["text"]]}
    assert fuse(both, 0.5, 1000)[0][0] == "top"


def test_chance_words_do_not_outweigh_meaning() -> None:
    """Where only a common word matches, as across languages, the nearest in meaning stays first."""
    semantic = [("right", 0.90), ("near", 0.88), ("chance", 0.80)]
    assert fuse({"semantic": semantic, "text": [("chance", 2.0)]}, 0.6, 1000)[0][0] == "right"
    assert fuse({"semantic": semantic, "text": [("chance", 30.0)]}, 0.5, 1000)[0][0] != "near"


def test_one_leg_alone_keeps_its_order() -> None:
    """Without a model the words decide, with scores up to 1."""
    assert fuse({"text": [("a", 30.0), ("b", 15.0)]}, 0.6, 10) == [("a", 1.0), ("b", 0.5)]
    assert fuse({"semantic": [("a", 0.9)]}, 0.6, 10) == [("a", 1.0)]


def test_highlights_ignore_case_and_accents() -> None:
    """`cafe` marks `Café`, at its place in the original text."""
    assert highlights("Im Café, cafe!", Terms(frozenset({"cafe"}))) == ((3, 7), (9, 13))


@given(text=st.text())
def test_highlights_of_any_text_stay_inside_it(text: str) -> None:
    """Folding never shifts a span."""
    for start, end in highlights(text, Terms(frozenset({"a", "ss", "i"}), (("a", "b"), ("b", "a", "b")))):
        assert 0 <= start < end <= len(text)


@pytest.mark.parametrize(
    ("query", "text", "marked"),
    [
        ("When is the engine serviced", "The engine is serviced when due.", ["engine", "serviced"]),
        ("wann wird der Motor gewartet", "Der Motor wird hier gewartet.", ["Motor", "gewartet"]),
        ("où est le bateau", "Le bateau est là, où il pleut.", ["bateau"]),
        ("the war on drugs", "The war was long.", ["war"]),
        ("The The", "The band is The The.", ["The", "The", "The"]),
        ('"the engine"', "The engine and the other engine.", ["The engine"]),
        ('"to be or not to be" play', "To be, or not to be: a play.", ["To be, or not to be", "play"]),
        ('engine -"the boat"', "The engine of the boat.", ["engine"]),
        ('"a b a"', "A b a b a", ["A b a b a"]),
        ("数据库 the", "一个 数据库 the", ["数据库"]),
    ],
)
def test_highlights_mark_what_names_something(query: str, text: str, marked: list[str]) -> None:
    """Words that every text has are marked within a phrase alone, or where nothing else is asked for."""
    assert [text[start:end] for start, end in highlights(text, terms_of(query))] == marked
