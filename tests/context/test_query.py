"""What a person types to search: operators are read, everything else stays words."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pai_daemon.context.filters import EVERYTHING, Filter, moment_ns
from pai_daemon.context.query import read_query
from pai_daemon.errors import UsageError
from tests.context.conftest import Live

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)


def at(written: str) -> int:
    """Return a moment as a filter has it."""
    return moment_ns(written, NOW)


@pytest.mark.parametrize(
    ("typed", "words", "chosen"),
    [
        ("boat path:Journal", "boat ", Filter(within=("Journal",))),
        ('path:"My notes" boat', "boat", Filter(within=("My notes",))),
        ('boat path:"My no', "boat ", Filter(within=("My no",))),
        ("path:“My notes” boat", "boat", Filter(within=("My notes",))),
        ("Tag:#a/b tag:c boat", "boat", Filter(tags=("a/b", "c"))),
        ("#work boat", "boat", Filter(tags=("work",))),
        ("[status:open] [due] x", "x", Filter(properties=("status=open", "due"))),
        ("title:engine section:oil x", "x", Filter(titles=("engine",), headings=("oil",))),
        ("x -tag:a", "x ", Filter(unwanted=(Filter(tags=("a",)),))),
        ("x -#a -[b]", "x ", Filter(unwanted=(Filter(tags=("a",)), Filter(properties=("b",))))),
        ("since:7d x", "x", Filter(since_ns=at("7d"))),
        ("on:2026-11-01", "", Filter(since_ns=at("2026-11-01"), before_ns=at("2026-11-02"))),
        ("since:2026-10-01 since:2026-11-01 x", "x", Filter(since_ns=at("2026-11-01"))),
        ('"exact tag:a" -no tag:b x', '"exact tag:a" -no x', Filter(tags=("b",))),
        ("boat tag: ", "boat ", EVERYTHING),
    ],
)
def test_operators_choose_notes_and_are_no_words(typed: str, words: str, chosen: Filter) -> None:
    """Each operator becomes a filter, and what is left is what is looked for."""
    query = read_query(typed, NOW)
    assert (query.words, query.chosen) == (words, chosen)


@pytest.mark.parametrize(
    "typed",
    [
        "http://x.y a:b 12:30 C# #1 [[Link]] [text](url) [1] [ ] a[0] file:///etc/x",
        "title: a book",
        '"path:Journal"',
        "note:it speed:a",
        "'; DROP TABLE chunks; --",
        "🌻 sun",
    ],
)
def test_what_is_no_operator_stays_as_it_was_typed(typed: str) -> None:
    """Addresses, times, links and quotes are words."""
    assert read_query(typed, NOW) == replace(read_query("", NOW), words=typed)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("tags:a", "did you mean tag:?"),
        ("task:call", "task: is searched as words."),
        ("folder:Boat", "write path:"),
        ("since:ever", "Write 2026-11-01"),
        ("boat OR ship", "OR is not needed"),
        ("🌻", "no word in this"),
        ("???!…", "no word in this"),
    ],
)
def test_what_looks_like_an_operator_is_words_and_a_hint(typed: str, said: str) -> None:
    """A person is told what was not read as one; nothing fails."""
    query = read_query(typed, NOW)
    assert (query.words, query.chosen) == (typed, EVERYTHING)
    assert said in " ".join(query.notices)


@given(st.text(st.sampled_from('ab:#-[]"() /\ttagpthson2026é🌻\x00') | st.characters(), max_size=80))
def test_nothing_that_is_typed_raises(typed: str) -> None:
    """Any text is read, and its words are words the next time too."""
    read_query(typed, NOW)


def test_operators_alone_list_the_newest_notes(sample: Live) -> None:
    """A query of a path alone gives one passage of each of its notes, newest first."""
    result = sample.searcher.search("path:garden/")
    assert result.understood == ("path:garden/",)
    paths = [passage.path for passage in result.results]
    assert paths
    assert all(path.startswith("Garden/") for path in paths)
    assert len(set(paths)) == len(paths)


def test_operators_hold_in_both_legs(sample: Live) -> None:
    """Words and meaning find only what the operators choose, and nothing of what they leave out."""
    every = {passage.path for passage in sample.searcher.search("engine tomatoes", limit=50).results}
    inside = {p.path for p in sample.searcher.search("engine tomatoes path:garden/", limit=50).results}
    outside = {p.path for p in sample.searcher.search("engine tomatoes -path:garden/", limit=50).results}
    assert inside
    assert outside
    assert all(path.startswith("Garden/") for path in inside)
    assert not any(path.startswith("Garden/") for path in outside)
    assert inside | outside >= every
    titled = sample.searcher.search("engine title:narrow heading:engine", limit=50, typing=True).results
    assert {passage.path for passage in titled} == {"Projects/Narrowboat.md"}
    assert all("engine" in " ".join(passage.heading_path).lower() for passage in titled)


def test_word_left_out_holds_beside_operators_alone(sample: Live) -> None:
    """`-word` leaves out what holds it, also from the newest notes."""
    result = sample.searcher.search("path:narrowboat heading:engine -engine")
    assert not any("engine" in passage.text.lower() for passage in result.results)


@pytest.mark.parametrize("typed", ["", "  ", "tag:", 'path:""', "x" * 10_000])
def test_query_that_says_nothing_is_refused_in_words(sample: Live, typed: str) -> None:
    """An empty or overlong query is a usage error."""
    with pytest.raises(UsageError, match="question"):
        sample.searcher.search(typed)
