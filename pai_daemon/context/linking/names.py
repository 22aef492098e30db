"""The names that a text may mention, of all notes: titles, file names, aliases, labels and headings.

Of names that overlap the longest is taken, from left to right. A name is looked up by its words and not by
its letters, from each word on for as long as a name begins so. So a name comes and goes at its own cost,
where an automaton over the letters is made anew: a tenth of a second for thirteen thousand notes.
There is one table for words as they are and one for each language whose inflection is known.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from typing import Literal, NamedTuple, get_args

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
Run = list[Word]


class Named(NamedTuple):
    """Who has a name, as what, and how it is written there."""

    path: str
    kind: Kind
    name: str


class Found(NamedTuple):
    """A place that mentions a name. start, end: code points. inflected: only its stem is the name's.

    notes: how many have the name.
    """

    start: int
    end: int
    words: int
    owners: tuple[Named, ...]
    notes: int
    inflected: bool


class Names:
    """The names of one vault's notes; it follows the catalog at the cost of what changed. For one thread."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._known: dict[str, tuple[Named, ...]] = {}
        self._owners: dict[str, dict[Named, int]] = {}
        self._tables = {language: _Table(language) for language in (AS_IT_IS, *STEMMERS)}

    def follow(self, changed: Iterable[IndexedNote], gone: Iterable[str] = ()) -> None:
        """Know the names of notes that are new or changed, and no more those of the ones that are gone."""
        for path in gone:
            self._forget(path)
        for note in changed:
            names = (*names_of(note), *self._labels(note))
            if self._known.get(note.path) != names:
                self._forget(note.path)
                for named in names:
                    self._add(named)
                self._known[note.path] = names

    def _labels(self, note: IndexedNote) -> Iterator[Named]:
        """Yield the names that a note gives to others, as labels of its links."""
        for target, label in note.labels:
            path = self._catalog.links.resolve(target, note.path)
            if path is not None and path != note.path:
                yield Named(path, "label", label)

    def _add(self, named: Named) -> None:
        if forms := _forms(named.name):
            name = " ".join(forms)
            owners = self._owners.get(name)
            if owners is None:
                owners = self._owners[name] = {}
                for table in self._tables.values():
                    table.add(forms, name)
            owners[named] = owners.get(named, 0) + 1

    def _forget(self, path: str) -> None:
        for named in self._known.pop(path, ()):
            forms = _forms(named.name)
            name = " ".join(forms)
            if (owners := self._owners.get(name)) is None:
                continue
            owners[named] -= 1
            if not owners[named]:
                del owners[named]
            if not owners:
                del self._owners[name]
                for table in self._tables.values():
                    table.remove(forms, name)

    def mentions(self, note: Note, words: Iterable[Word], language: str) -> list[Found]:
        """Return every place where a note mentions a name, in text order; none overlaps another.

        words: of its text behind the frontmatter.

        What is written as the name is takes precedence over what is only inflected like it. A canvas, a base
        and a PDF mention nothing: their text is not what is written in the file.
        """
        if note.kind not in _TEXTS:
            return []
        runs = list(_open_runs(note, words))
        found = self._find(runs, AS_IT_IS, [])
        if language in STEMMERS:
            found += self._find(runs, language, [(each.start, each.end) for each in found])
        return sorted(found, key=lambda each: each.start)

    def _find(self, runs: Iterable[Run], language: str, taken: Sequence[tuple[int, int]]) -> list[Found]:
        """Return the longest names in runs, but for those that overlap what is taken: spans in order."""
        found = []
        owners: dict[tuple[str, ...], tuple[tuple[Named, ...], int]] = {}
        for run in runs:
            for first, after, names in self._tables[language].find(run):
                start, end = run[first].start, run[after - 1].end
                near = bisect_left(taken, (end, 0))
                if near and taken[near - 1][1] > start:
                    continue
                if names not in owners:
                    every = tuple(owner for name in names for owner in self._owners[name])
                    owners[names] = (every, len({owner.path for owner in every}))
                found.append(Found(start, end, after - first, *owners[names], bool(language)))
        return found


class _Table:
    """Names by their words, as they are or as stems."""

    def __init__(self, language: str) -> None:
        self._stem = STEMMERS.get(language, str)
        # All names that have the same stems; nearly always it is one.
        self._names: dict[str, tuple[str, ...]] = {}
        # How many of those keys begin with these words.
        self._begun: dict[str, int] = {}

    def add(self, forms: Sequence[str], name: str) -> None:
        """Know a name by its words."""
        *_, key = begun = self._begun_by(forms)
        if key not in self._names:
            self._begun.update((each, self._begun.get(each, 0) + 1) for each in begun)
        self._names[key] = (*self._names.get(key, ()), name)

    def remove(self, forms: Sequence[str], name: str) -> None:
        """Know a name no more."""
        *_, key = begun = self._begun_by(forms)
        self._names[key] = tuple(each for each in self._names[key] if each != name)
        if not self._names[key]:
            del self._names[key]
            for each in begun:
                self._begun[each] -= 1
                if not self._begun[each]:
                    del self._begun[each]

    def _begun_by(self, forms: Iterable[str]) -> list[str]:
        return list(accumulate(map(self._stem, forms), "{} {}".format))

    def find(self, run: Run) -> Iterator[tuple[int, int, tuple[str, ...]]]:
        """Yield where the longest names among words begin and end, and the names."""
        stems = [self._stem(word.form) for word in run]
        start = 0
        while start < len(stems):
            after, found = start + 1, None
            key = stems[start]
            for end in range(start + 1, len(stems) + 1):
                if key not in self._begun:
                    break
                if (names := self._names.get(key)) is not None:
                    after, found = end, names
                if end < len(stems):
                    key = f"{key} {stems[end]}"
            if found is not None:
                yield start, after, found
            start = after


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


def _forms(name: str) -> list[str]:
    """Return the words of a name as they are compared; none of what names nothing."""
    forms = [word.form for word in words_of(name)]
    while forms and not any(map(str.isalnum, forms[-1])) and len(forms) > 1 and forms[-1] in "().!?:,;":
        forms.pop()
    letters = "".join(forms)
    least = MIN_UNSPACED if is_unspaced(letters) else MIN_CHARACTERS
    if len(letters) < least or len(forms) > MAX_WORDS or not any(map(str.isalnum, letters)):
        return []
    return forms


def _open_runs(note: Note, words: Iterable[Word]) -> Iterator[Run]:
    """Yield the words that may become a link, parted where a line ends or something closed stands."""
    text, at = note.text, note.body_start
    closed = iter([*closed_spans(note), (len(text), len(text))])
    shut, opens = next(closed)
    run: Run = []
    for word in words:
        while opens <= word.start:
            shut, opens = next(closed)
        is_closed = shut < word.end
        if run and (is_closed or text.find("\n", at, word.start) >= 0):
            yield run
            run = []
        if not is_closed:
            run.append(word)
        at = word.end
    if run:
        yield run


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
