"""Clears an index so that the next start makes it anew; keeps the embeddings that are sound."""

from __future__ import annotations

import logging
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

from pai_daemon.context.store.check import unsound
from pai_daemon.context.store.lance import border
from pai_daemon.context.store.record import read_record, write_record
from pai_daemon.context.store.store import TABLES, Store
from pai_daemon.context.store.vector_table import VectorTable
from pai_daemon.errors import DiskFull, IndexUnavailable

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Cleared:
    """How many embeddings were kept, and how many were known to be there and went."""

    kept: int
    dropped: int


def clear(folder: Path) -> Cleared:
    """Remove the text of an index, and of its embeddings those that are damaged.

    The caller holds the folder's lock. Raises DiskFull or IndexUnavailable. The revision stays above what
    it was, as far as that can still be read.
    """
    try:
        revision = Store.read_only(folder).revision
    except IndexUnavailable as error:
        log.warning("the former revision is not known: %s", error.detail)
        revision = 0
    shutil.rmtree(folder / TABLES / "chunks.lance", ignore_errors=True)
    try:
        cleared = _clear_embeddings(Store(folder))
    except DiskFull:
        raise
    except IndexUnavailable as error:
        log.warning("no embedding can be kept: %s", error.detail)
        shutil.rmtree(folder / TABLES, ignore_errors=True)
        cleared = Cleared(0, 0)
    record = read_record(folder)
    with border():
        write_record(folder, replace(record, revision_base=max(revision, record.revision_base)))
    return cleared


def _clear_embeddings(store: Store) -> Cleared:
    kept = dropped = 0
    for table in store.all_vectors():
        live = store.record.live
        width = live.dimensions if live is not None and table is store.vectors(live.fingerprint) else None
        sound, faulty = _sorted_out(table, width)
        kept, dropped = kept + len(sound), dropped + len(faulty)
        if sound:
            table.remove(faulty)
        else:
            table.drop()
    return Cleared(kept, dropped)


def _sorted_out(table: VectorTable, width: int | None) -> tuple[list[str], list[str]]:
    """Return the keys of the sound embeddings, none where any cannot be read, and of the others."""
    sound: list[str] = []
    faulty: list[str] = []
    try:
        for keys, vectors in table.batches():
            off = range(len(keys)) if width not in (None, vectors.shape[1]) else unsound(vectors)
            wrong = {keys[place] for place in off}
            faulty += wrong
            sound += [key for key in keys if key not in wrong]
    except IndexUnavailable as error:
        log.warning("the embeddings in %s cannot be kept: %s", table.name, error.detail)
        return [], sound + faulty
    return sound, faulty
