"""The names that a text may mention, of all notes: titles, file names, aliases, labels and headings.

Aho and Corasick 1975, "Efficient String Matching", by pyahocorasick; of names that overlap the longest is
taken. A word stands in the automaton between two marks, so that a name never begins or ends within a word.
There is one automaton for words as they are and one for each language whose inflection is known.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, get_args

import ahocorasick

from pai_daemon.context.catalog import Catalog, IndexedNote
from pai_daemon.notes.forms import STEMMERS, Word, is_unspaced, words_of
from pai_daemon.notes.note import Note

# part: the last of a title that has levels, as in Logseq. label: of another note's link to it.
Kind = Literal["title", "alias", "label", "part", "heading"]
KINDS: tuple[Kind, ...] = get_args(Kind)
_TEXTS = ("markdown", "outline", "org")
_CLOSED_BLOCKS = ("frontmatter", "heading", "code", "math", "html", "comment", "definition", "drawer")
# Between the levels of a title; the second is how Logseq writes it in a file name.
_LEVEL = re.compile(r"/|___")
_OPEN_MARKS = ("highlight", "field")
_ADDRESS = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.-]+://|www\.|mailto:)\S+|[\w.+-]+@[\w-]+\.[\w.]+")
# A one- or two-letter title is a word in every text; a mention of it means nothing.
MIN_CHARACTERS = 3
MIN_UNSPACED = 2
# No more of a name is compared: who writes a whole sentence as a heading mentions it nowhere.
MAX_WORDS = 12
AS_IT_IS = ""
_BEGIN, _END, _BREAK = "\x1e", "\x1f", "\x1d"


class Named(NamedTuple):
    """Who has a name, as what, and how it is written there."""

    path: str
    kind: Kind
    name: str


@dataclass(frozen=True, slots=True)
class Found:
    """A place that mentions a name. start, end: code points. inflected: only its stem is the name's."""

    start: int
    end: int
    words: int
    owners: tuple[Named, ...]
    inflected: bool


class Names:
    """The names of one vault's notes; it follows the catalog at the cost of what changed. For one thread."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._known: dict[str, tuple[IndexedNote, tuple[Named, ...]]] = {}
        self._books = {language: _Book() for language in (AS_IT_IS, *STEMMERS)}

    def follow(self, notes: Iterable[IndexedNote]) -> None:
        """Know exactly the names of these notes."""
        current = {note.path: note for note in notes}
        for path in [path for path in self._known if path not in current]:
            self._forget(path)
        for path, note in current.items():
            known = self._known.get(path)
            if known is not None and known[0] is note:
                continue
            names = (*names_of(note), *self._labels(note))
            if known is None or known[1] != names:
                self._forget(path)
                for named in names:
                    for language, book in self._books.items():
                        book.add(named, language)
            self._known[path] = (note, names)

    def _labels(self, note: IndexedNote) -> Iterator[Named]:
        """Yield the names that a note gives to others, as labels of its links."""
        for target, label in note.labels:
            path = self._catalog.links.resolve(target, note.path)
            if path is not None and path != note.path:
                yield Named(path, "label", label)

    def _forget(self, path: str) -> None:
        _, names = self._known.pop(path, (None, ()))
        for named in names:
            for language, book in self._books.items():
                book.remove(named, language)

    def mentions(self, note: Note, words: Iterable[Word], language: str) -> list[Found]:
        """Return every place where a note mentions a name, in text order; none overlaps another.

        words: of its text behind the frontmatter.

        What is written as the name is takes precedence over what is only inflected like it. A canvas, a base
        and a PDF mention nothing: their text is not what is written in the file.
        """
        if note.kind not in _TEXTS:
            return []
        open_words = list(_open_words(note, words))
        found = list(self._books[AS_IT_IS].find(open_words, AS_IT_IS))
        if language in STEMMERS:
            exact = [(each.start, each.end) for each in found]
            for each in self._books[language].find(open_words, language):
                near = bisect_right(exact, (each.start, each.end))
                around = exact[max(0, near - 1) : near + 1]
                if not any(start < each.end and each.start < end for start, end in around):
                    found.append(each)
        return sorted(found, key=lambda each: each.start)


class _Book:
    """Names by the words they are of, as they are or as stems."""

    def __init__(self) -> None:
        self._automaton = ahocorasick.Automaton()
        self._owners: dict[str, Counter[Named]] = {}
        self._is_made = True

    def add(self, named: Named, language: str) -> None:
        """Let a note have a name."""
        if key := _key(named.name, language):
            if key not in self._owners:
                self._automaton.add_word(key, key)
                self._is_made = False
            self._owners.setdefault(key, Counter())[named] += 1

    def remove(self, named: Named, language: str) -> None:
        """Let a note not have a name any more."""
        key = _key(named.name, language)
        owners = self._owners.get(key)
        if owners is None:
            return
        owners[named] -= 1
        if owners[named] <= 0:
            del owners[named]
        if not owners:
            del self._owners[key]
            self._automaton.remove_word(key)
            self._is_made = False

    def find(self, words: Sequence[Word | None], language: str) -> Iterator[Found]:
        """Yield the longest names among words, from left to right; None parts what is no one text."""
        if not self._owners:
            return
        if not self._is_made:
            self._automaton.make_automaton()
            self._is_made = True
        stem = STEMMERS.get(language, str)
        parts = [f"{_BEGIN}{stem(word.form)}{_END}" if word else _BREAK for word in words]
        ends, at = {}, -1
        for place, part in enumerate(parts):
            at += len(part)
            ends[at] = place
        for end, key in self._automaton.iter_long("".join(parts)):
            last = ends[end]
            first = last - key.count(_END) + 1
            begin, stop = words[first], words[last]
            assert begin is not None
            assert stop is not None
            yield Found(begin.start, stop.end, last - first + 1, tuple(self._owners[key]), bool(language))


def names_of(note: IndexedNote) -> Iterator[Named]:
    """Yield what a note may be called in a text, each name once, and as what."""
    titles = (note.title,) if note.names else (note.title, note.path.rpartition("/")[2].rpartition(".")[0])
    *above, last = _LEVEL.split(note.title)
    groups: tuple[tuple[Kind, tuple[str, ...]], ...] = (
        ("title", titles),
        ("alias", (*note.aliases, *note.names)),
        ("part", (last,) if above else ()),
        ("heading", note.headings),
    )
    seen = set()
    for kind, names in groups:
        for name in names:
            if name not in seen:
                seen.add(name)
                yield Named(note.path, kind, name)


def _key(name: str, language: str) -> str:
    """Return a name as the automaton holds it; empty for one that names nothing."""
    words = [word.form for word in words_of(name)]
    while words and not any(map(str.isalnum, words[-1])) and len(words) > 1 and words[-1] in "().!?:,;":
        words.pop()
    letters = "".join(words)
    least = MIN_UNSPACED if is_unspaced(letters) else MIN_CHARACTERS
    if len(letters) < least or len(words) > MAX_WORDS or not any(map(str.isalnum, letters)):
        return ""
    stem = STEMMERS.get(language, str)
    return "".join(f"{_BEGIN}{stem(word)}{_END}" for word in words)


def _open_words(note: Note, words: Iterable[Word]) -> Iterator[Word | None]:
    """Yield the words of a note that may become a link, None where a line ends or something closed stands."""
    closed = closed_spans(note)
    stops = [stop for _, stop in closed]
    text, at = note.text, note.body_start
    for word in words:
        near = bisect_right(stops, word.start)
        if near < len(closed) and closed[near][0] < word.end:
            yield None
        else:
            if "\n" in text[at : word.start]:
                yield None
            yield word
        at = word.end


def closed_spans(note: Note) -> list[tuple[int, int]]:
    """Return the spans in which no link may be written, apart from each other and in order."""
    spans = [(block.start, block.end) for block in note.blocks if block.kind in _CLOSED_BLOCKS]
    spans += [(mark.start, mark.end) for mark in note.marks if mark.kind not in _OPEN_MARKS]
    spans += [(link.start, link.end) for link in note.links]
    spans += [match.span() for match in _ADDRESS.finditer(note.text, note.body_start)]
    apart: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if apart and start <= apart[-1][1]:
            apart[-1] = (apart[-1][0], max(end, apart[-1][1]))
        else:
            apart.append((start, end))
    return apart
