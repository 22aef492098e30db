"""Which notes a summary is of: their passages by number and size, without their text."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from pai_daemon.context.filters import Filter, fold
from pai_daemon.context.passage import Passage
from pai_daemon.context.search import Searcher
from pai_daemon.context.store.rows import chunk_id
from pai_daemon.errors import NotFound

SHOWN_NEIGHBOURS = 3


@dataclass(frozen=True, slots=True)
class ScopedNote:
    """A note as it was when the work was planned. sizes: the bytes of each chunk's text."""

    path: str
    title: str
    content_hash: str
    keys: tuple[str, ...]
    sizes: tuple[int, ...]

    @property
    def ids(self) -> list[str]:
        """Return the ids of the chunks that have text, in order."""
        return [chunk_id(self.path, ordinal) for ordinal, size in enumerate(self.sizes) if size]

    @property
    def size(self) -> int:
        """Return the bytes of all its text."""
        return sum(self.sizes)


class Scope:
    """Reads notes of one vault's index; each look is at what it holds then."""

    def __init__(self, searcher: Searcher) -> None:
        self._index = searcher.index
        self._searcher = searcher

    @property
    def revision(self) -> int:
        """Return the revision of the index."""
        return self._index.revision

    @property
    def pending(self) -> int:
        """Return how many texts are not embedded yet."""
        return self._index.missing_count()

    def notes(self, chosen: Filter) -> tuple[ScopedNote, ...]:
        """Return the notes that pass a filter and have text, in the order of their paths.

        Raises NotFound that names what is near, where there are none.
        """
        sizes = self._index.store.chunks.sizes(chosen)
        found = []
        for path, by_ordinal in sizes.items():
            note = self._index.catalog.get(path)
            if note is None or not any(by_ordinal.values()):
                continue
            counted = tuple(by_ordinal.get(ordinal, 0) for ordinal in range(len(note.vector_keys)))
            found.append(ScopedNote(path, note.title, note.content_hash, note.vector_keys, counted))
        if not found:
            raise self._nothing(chosen, are_empty=bool(sizes))
        return tuple(sorted(found, key=lambda note: fold(note.path)))

    def passages(self, ids: Sequence[str]) -> dict[str, Passage]:
        """Return the passages of chunks by their ids, in this order; those that are gone are left out."""
        return self._searcher.of_chunks(ids)

    def now(self, passage: Passage) -> Passage:
        """Return a passage with what is known now of whether its note has changed since it was read."""
        return replace(passage, stale=self._searcher.has_changed(passage.path, passage.content_hash))

    def link(self, note: ScopedNote) -> str:
        """Return a link that opens a note and shows its title."""
        return self._index.catalog.links.link_markup(note.path, note.title)

    def _nothing(self, chosen: Filter, *, are_empty: bool) -> NotFound:
        where = in_words(chosen)
        if are_empty:
            return NotFound(f"There is no text to summarise: {where}.", hint="The notes there are empty.")
        near = self._near(chosen)
        hint = f"There is {', '.join(near)}." if near else "pai status says which notes are indexed."
        return NotFound(f"There is no note to summarise: {where}.", hint=hint)

    def _near(self, chosen: Filter) -> list[str]:
        """Return the folders, tags or properties whose names are near to what was asked for."""
        notes = self._index.catalog.notes()
        known: set[str]
        if folder := chosen.folder.strip("/"):
            known = {note.path for note in notes} | {each for note in notes for each in _above(note.path)}
            return _nearest(folder, known)
        if chosen.tags:
            return [
                f"#{tag}" for tag in _nearest(chosen.tags[0], {tag for each in notes for tag in each.tags})
            ]
        if chosen.properties:
            return _nearest(chosen.properties[0], {item for each in notes for item in each.properties})
        return []


def in_words(chosen: Filter) -> str:
    """Return which notes pass a filter, as a person would say it."""
    said = [chosen.folder.strip("/")] if chosen.folder.strip("/") else []
    said += [f"#{tag.lstrip('#')}" for tag in chosen.tags] + list(chosen.properties)
    for word, moment in (("since", chosen.since_ns), ("before", chosen.before_ns)):
        if moment is not None:
            said.append(f"{word} {_day(moment)}")
    return ", ".join(said) or "all notes"


def _day(moment_ns: int) -> str:
    try:
        return (
            datetime.fromtimestamp(moment_ns / 1e9)
            .astimezone()
            .strftime("%Y-%m-%d %H:%M")
            .removesuffix(" 00:00")
        )
    except (OverflowError, OSError, ValueError):  # a year that the system's calendar lacks
        return "a time far away"


def _above(path: str) -> Iterable[str]:
    while path := path.rpartition("/")[0]:
        yield path


def _nearest(wanted: str, known: Iterable[str]) -> list[str]:
    """Return the nearest of some names, by the whole or by the last part, whatever their case."""
    names: dict[str, str] = {}
    for name in sorted(known):
        names.setdefault(fold(name), name)
        names.setdefault(fold(name.rpartition("/")[2]), name)
    # Who breaks off a name means it, however much longer it is.
    found = [item for item in names if item.startswith(fold(wanted))]
    found += difflib.get_close_matches(fold(wanted), names, SHOWN_NEIGHBOURS * 2, cutoff=0.6)
    return list(dict.fromkeys(names[item] for item in found))[:SHOWN_NEIGHBOURS]
