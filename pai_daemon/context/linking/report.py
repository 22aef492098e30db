"""The state of all links of a vault: those that lead nowhere, notes that nothing leads to, and copies.

Every note is read from disk once, so the report is made step by step, and who asked for it is told how far
it is.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pai_daemon.context.catalog import Catalog, IndexedNote
from pai_daemon.context.index import Index
from pai_daemon.context.linking.duplicates import Duplicates
from pai_daemon.context.linking.graph import LinkGraph
from pai_daemon.context.linking.kept import Kept
from pai_daemon.context.linking.repairs import Repair, Repairs
from pai_daemon.context.reading import Reader
from pai_daemon.notes.note import Link, Note
from pai_daemon.vault.scan import read_bytes

TELL_S = 0.2


@dataclass(frozen=True, slots=True)
class Reading:
    """How far a report is."""

    done: int
    total: int


@dataclass(frozen=True, slots=True)
class BrokenLink:
    """A link that leads nowhere. target: as written, without fragment. line: 1-based. repairs: best first."""

    path: str
    line: int
    target: str
    text: str
    repairs: tuple[Repair, ...]


@dataclass(frozen=True, slots=True)
class Orphan:
    """A note that has no link to or from another."""

    path: str
    title: str


@dataclass(frozen=True, slots=True)
class Duplicate:
    """Two notes that say nearly the same. alike: the share of runs of words that they have in common."""

    first: str
    second: str
    alike: float


@dataclass(frozen=True, slots=True)
class LinkReport:
    """The state of all links. unread: notes that could not be read, which the report says nothing of."""

    revision: int
    notes: int
    links: int
    broken: tuple[BrokenLink, ...]
    orphans: tuple[Orphan, ...]
    duplicates: tuple[Duplicate, ...]
    unread: tuple[str, ...]
    took_s: float


class Reporter:
    """Makes reports on the links of one vault."""

    def __init__(self, vault: Path, index: Index, reader: Reader, kept: Kept) -> None:
        self._vault = vault
        self._index = index
        self._reader = reader
        self._kept = kept

    def report(self) -> Iterator[Reading | LinkReport]:
        """Yield how far it is, now and then, and at last the report."""
        started_s = told_s = time.perf_counter()
        catalog, revision = self._index.catalog, self._index.revision
        notes = sorted(catalog.notes(), key=lambda note: note.path)
        yield Reading(0, len(notes))
        graph = LinkGraph(catalog)
        graph.renew(revision)
        repairs, alike = Repairs(catalog, self._kept), Duplicates()
        broken: list[BrokenLink] = []
        unread: list[str] = []
        links = 0
        for done, known in enumerate(notes, start=1):
            if (note := self._read(known)) is None:
                unread.append(known.path)
            else:
                alike.add(note.path, note.text[note.body_start :])
                own = [link for link in note.links if link.target and self._reader.leads_here(link)]
                links += len(own)
                broken += (_broken(note, link, repairs) for link in own if _is_broken(catalog, note, link))
            if time.perf_counter() - told_s >= TELL_S:
                told_s = time.perf_counter()
                yield Reading(done, len(notes))
        pairs = sorted(alike.pairs(), key=lambda pair: (-pair[2], pair))
        yield LinkReport(
            revision=revision,
            notes=len(notes),
            links=links,
            broken=tuple(broken),
            orphans=tuple(Orphan(note.path, note.title) for note in notes if not graph.around(note.path)),
            duplicates=tuple(Duplicate(first, second, round(share, 3)) for first, second, share in pairs),
            unread=tuple(unread),
            took_s=round(time.perf_counter() - started_s, 2),
        )

    def _read(self, known: IndexedNote) -> Note | None:
        try:
            data, _ = read_bytes(self._vault, known.path, self._reader.limit_of(known.path))
        except OSError:
            return None
        return self._reader.read(known.path, data)


def _is_broken(catalog: Catalog, note: Note, link: Link) -> bool:
    """Return whether a link leads nowhere. A tag or a property of Logseq is no promise of a page."""
    if link.kind == "block":
        return catalog.block_owner(link.target) is None
    return link.kind != "tag" and catalog.links.resolve(link.target, note.path) is None


def _broken(note: Note, link: Link, repairs: Repairs) -> BrokenLink:
    found = () if link.kind == "block" else tuple(repairs.of(link.target, note.path, link.alias))
    return BrokenLink(note.path, link.line, link.target, note.text[link.start : link.end][:200], found)
