"""Clears an index so that the next start makes it anew; keeps the embeddings that are sound.

What is kept is written into new tables, which then take the place of the old ones: what is damaged beside
the embeddings, as their index or a former version, is not taken along, and a kill costs neither of both.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from pai_daemon.context.store.check import unsound
from pai_daemon.context.store.lance import border, connect
from pai_daemon.context.store.record import read_record, write_record
from pai_daemon.context.store.store import DOUBT, TABLES, Store
from pai_daemon.context.store.vector_table import PREFIX, VectorTable
from pai_daemon.errors import DiskFull, IndexUnavailable

log = logging.getLogger(__name__)

ANEW = "anew"
FORMER = "former"


@dataclass(frozen=True, slots=True)
class Cleared:
    """How many embeddings were kept, and how many were known to be there and went."""

    kept: int
    dropped: int


def complete(folder: Path) -> None:
    """Put the new tables in place where a kill came just after the old ones were moved away."""
    anew = folder / ANEW
    if (anew / FORMER).exists() and not (folder / TABLES).exists():
        with border():
            (anew / TABLES).rename(folder / TABLES)


def clear(folder: Path) -> Cleared:
    """Remove the text of an index, and of its embeddings those that are damaged.

    The caller holds the folder's lock. Raises DiskFull or IndexUnavailable; then the index is as it was. The
    revision stays above what it was, as far as that can still be read.
    """
    try:
        revision = Store.read_only(folder).revision
    except IndexUnavailable as error:
        log.warning("the former revision is not known: %s", error.detail)
        revision = 0
    record = read_record(folder)
    anew = folder / ANEW
    complete(folder)
    _remove(anew)
    try:
        cleared = _keep_sound(folder, Store(anew))
        with border():
            # First: whatever comes between, the revision never falls.
            write_record(folder, replace(record, revision_base=max(revision, record.revision_base)))
            if (folder / TABLES).exists():
                (folder / TABLES).rename(anew / FORMER)
            (anew / TABLES).rename(folder / TABLES)
            (folder / DOUBT).unlink(missing_ok=True)
    finally:
        _remove(anew)
    return cleared


def _remove(path: Path) -> None:
    """Remove a file, or a folder with all that is in it, as far as that is possible."""
    if path.is_file():
        path.unlink()
    shutil.rmtree(path, ignore_errors=True)


def _keep_sound(folder: Path, store: Store) -> Cleared:
    live = read_record(folder).live
    kept = dropped = 0
    for table in _tables(folder / TABLES):
        is_live = live is not None and table.name == PREFIX + live.fingerprint
        width = live.dimensions if live is not None and is_live else None
        cleared = _take_over(table, store.vectors(table.name.removeprefix(PREFIX)), width)
        kept, dropped = kept + cleared.kept, dropped + cleared.dropped
    return Cleared(kept, dropped)


def _tables(folder: Path) -> Iterator[VectorTable]:
    """Yield the tables of embeddings that can be opened."""
    for path in sorted(folder.glob(f"{PREFIX}*.lance")):
        try:
            yield VectorTable(connect(folder), path.stem, lambda: None, lambda _: None)
        except IndexUnavailable as error:
            log.warning("the embeddings in %s cannot be kept: %s", path.stem, error.detail)


def _take_over(table: VectorTable, to: VectorTable, width: int | None) -> Cleared:
    """Add the sound embeddings of a table to another; width: what they must have, None: not known."""
    kept = dropped = 0
    try:
        for keys, vectors in table.batches():
            wrong = range(len(keys)) if width not in (None, vectors.shape[1]) else unsound(vectors)
            sound = np.delete(np.arange(len(keys)), list(wrong))
            to.add([keys[place] for place in sound], vectors[sound])
            kept, dropped = kept + len(sound), dropped + len(wrong)
    except DiskFull:
        raise
    except IndexUnavailable as error:
        log.warning("further embeddings in %s cannot be kept: %s", table.name, error.detail)
    return Cleared(kept, dropped)
