"""The names that a text mentions, against a search that tries every name at every word."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from hypothesis import given
from hypothesis import strategies as st

from pai_daemon.context.catalog import Catalog, IndexedNote
from pai_daemon.context.linking.names import Names
from pai_daemon.notes.forms import STEMMERS, words_of
from pai_daemon.notes.reader import read_note
from pai_daemon.vault.scan import FileStat

WORDS = st.sampled_from(["boat", "Boats", "old", "olde", "red", "reds"])
PHRASES = st.lists(WORDS, min_size=1, max_size=4).map(" ".join)
TEXTS = st.lists(st.one_of(WORDS, st.sampled_from(["\n", "`code`", "[[link]]", "."])), max_size=25)
# What becomes of notes one after the other: each of three paths gets names, or none and is gone.
HISTORIES = st.lists(st.tuples(st.sampled_from("abc"), st.lists(PHRASES, max_size=3)), max_size=8)


def slow(
    text: str, names: Mapping[str, list[str]], language: str
) -> Iterator[tuple[int, int, frozenset[str]]]:
    """Yield start, end and owners of the longest names from left to right, in one line each."""
    stem = STEMMERS.get(language, str)
    keys: dict[tuple[str, ...], set[str]] = {}
    for path, own in names.items():
        for name in own:
            keys.setdefault(tuple(stem(word.form) for word in words_of(name)), set()).add(path)
    at = 0
    for line in text.split("\n"):
        words, first = list(words_of(line)), 0
        while first < len(words):
            for last in range(len(words), first, -1):
                owners = keys.get(tuple(stem(word.form) for word in words[first:last]))
                if owners:
                    yield at + words[first].start, at + words[last - 1].end, frozenset(owners)
                    first = last
                    break
            else:
                first += 1
        at += len(line) + 1


def blanked(text: str) -> str:
    """Return a text in which a symbol stands for all that is closed."""
    for closed in ("`code`", "[[link]]"):
        text = text.replace(closed, "#" * len(closed))
    return text


@given(history=HISTORIES, written=TEXTS, language=st.sampled_from(["", *STEMMERS]))
def test_mentions_are_those_of_a_search_for_every_name(
    history: list[tuple[str, list[str]]], written: list[str], language: str
) -> None:
    """Whatever came and went before, the longest names are found, and those as written go first."""
    names, known = Names(Catalog()), dict[str, list[str]]()
    for path, own in history:
        if own:
            known[path] = own
            indexed = IndexedNote(
                path, FileStat(1, 1, 1), "", own[0], tuple(own[1:]), (), (), (), (), names=(path,)
            )
            names.follow([indexed])
        else:
            names.follow([], [path] if known.pop(path, None) else [])
    text = " ".join(["x", *written])
    note = read_note("x.md", text.encode())
    exact = list(slow(blanked(text), known, ""))
    stems = [
        found
        for found in (slow(blanked(text), known, language) if language else ())
        if not any(start < found[1] and found[0] < end for start, end, _ in exact)
    ]
    found = names.mentions(note, words_of(text), language)
    assert [
        (each.start, each.end, frozenset(owner.path for owner in each.owners), each.inflected)
        for each in found
    ] == sorted([(*each, False) for each in exact] + [(*each, True) for each in stems])
    assert [each.notes for each in found] == [len({owner.path for owner in each.owners}) for each in found]


def test_name_within_a_longer_one_that_breaks_off_is_found() -> None:
    """What begins like two longer names, one within the other, and goes on otherwise hides no shorter one."""
    names = Names(Catalog())
    for title in ("tasks in daily notes are many", "daily notes with tasks", "notes"):
        names.follow([IndexedNote(title, FileStat(1, 1, 1), "", title, (), (), (), (), (), names=(title,))])
    text = "No tasks in daily notes, please."
    (found,) = names.mentions(read_note("x.md", text.encode()), words_of(text), "")
    assert text[found.start : found.end] == "notes"
