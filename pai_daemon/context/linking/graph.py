"""The links between the notes of a vault, both ways, and what they say of two notes.

It follows the catalog: of a note that changed only its own links are looked up again, and of a name that came
or went those links that are written so.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Mapping, Set
from dataclasses import dataclass

from pai_daemon.context.catalog import Catalog, IndexedNote
from pai_daemon.notes.links import slug

# Of a hub's neighbours no more are looked at: what thousands of notes link to says little of two of them.
MAX_NEIGHBOURS = 400
# Personalised PageRank (Page et al. 1998, section 6), as so many steps of a walk that may return at each.
WALK_STEPS = 4
RETURN_SHARE = 0.3
MIN_SHARE = 1e-4
SPARSE_SHARE = 0.1
NOBODY: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Ties:
    """What the links say of one note and others, each by path.

    adamic: the sum over common neighbours, which link to both (co-citation) or are linked by both, of 1/ln
    of how many neighbours each has (Adamic and Adar 2003, "Friends and neighbors on the Web"). walked: the
    share of a random walk that begins at the note.
    """

    adamic: Mapping[str, float]
    walked: Mapping[str, float]


class LinkGraph:
    """The links of one vault.

    lock: to be held by whoever asks, from `renew` to the last answer.
    """

    def __init__(self, catalog: Catalog) -> None:
        self.lock = threading.RLock()
        self._catalog = catalog
        self._revision = -1
        self._known: dict[str, IndexedNote] = {}
        self._out: dict[str, frozenset[str]] = {}
        self._in: dict[str, set[str]] = {}
        # Who has a link that is written so.
        self._written: dict[str, set[str]] = {}

    def renew(self, revision: int) -> None:
        """Know the links as they are indexed now, at this revision of the index."""
        if revision == self._revision:
            return
        known, self._known = self._known, {note.path: note for note in self._catalog.notes()}
        changed = [path for path, note in self._known.items() if known.get(path) is not note]
        stale: set[str] = set()
        for path in (*changed, *(known.keys() - self._known.keys())):
            old, new = known.get(path), self._known.get(path)
            stale.add(path)
            if _names(old) != _names(new):
                for name in {*_names(old), *_names(new)}:
                    stale |= self._written.get(name, set())
            for name in _written(old):
                self._written[name].discard(path)
            for name in _written(new):
                self._written.setdefault(name, set()).add(path)
        for path in stale:
            self._relink(path)
        self._revision = revision

    def _relink(self, path: str) -> None:
        found = frozenset(self._catalog.linked(path) - {path}) if path in self._known else frozenset()
        before = self._out.pop(path, frozenset())
        for target in before - found:
            self._in[target].discard(path)
        for target in found - before:
            self._in.setdefault(target, set()).add(path)
        if found:
            self._out[path] = found

    @property
    def is_sparse(self) -> bool:
        """Return whether so few notes have links that they say nothing."""
        return len(self._out) < SPARSE_SHARE * len(self._known)

    def out(self, path: str) -> frozenset[str]:
        """Return the notes that a note links to."""
        return self._out.get(path, NOBODY)

    def into(self, path: str) -> Set[str]:
        """Return the notes that link to a note."""
        return self._in.get(path, NOBODY)

    def around(self, path: str) -> Set[str]:
        """Return the notes that a note links to or that link to it."""
        out, into = self.out(path), self.into(path)
        return out | into if out and into else out or into

    def ties(self, path: str) -> Ties:
        """Return what the links say of a note and others."""
        adamic: dict[str, float] = {}
        for between in self.around(path):
            others = self.around(between)
            if 1 < len(others) <= MAX_NEIGHBOURS:
                share = 1 / math.log(1 + len(others))
                for other in others:
                    adamic[other] = adamic.get(other, 0.0) + share
        return Ties(adamic, self.walked(path))

    def walked(self, path: str) -> dict[str, float]:
        """Return the share that other notes have of a random walk that begins at a note."""
        shares = {path: 1.0}
        for _ in range(WALK_STEPS):
            after: dict[str, float] = {path: RETURN_SHARE}
            for at, share in shares.items():
                others = self.around(at)
                if not others:
                    after[path] += share * (1 - RETURN_SHARE)
                    continue
                if (each := share * (1 - RETURN_SHARE) / len(others)) < MIN_SHARE:
                    continue
                for other in others:
                    after[other] = after.get(other, 0.0) + each
            shares = after
        shares.pop(path, None)
        return shares


def _names(note: IndexedNote | None) -> set[str]:
    """Return the last parts of what a link to a note may be written as, and its blocks."""
    if note is None:
        return set()
    return {*map(_tail, (note.path, *note.names)), *note.block_texts}


def _written(note: IndexedNote | None) -> set[str]:
    """Return the last parts of the links in a note as they are written, and the blocks that it shows."""
    return {*map(_tail, note.targets), *note.shown} if note is not None else set()


def _tail(written: str) -> str:
    return slug(written.rpartition("/")[2].removesuffix(".md"))
