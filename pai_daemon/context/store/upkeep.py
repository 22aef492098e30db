"""When upkeep of the tables is due, and whether the disk has room for it.

Upkeep writes whole tables anew (1.4 s at 100,000 chunks, even for 20 new rows), and a search for words reads
each row that no index knows yet (5 µs a row). So it waits until the one is worth the other. LanceDB compacts
before it prunes: a full disk cannot be cleaned by upkeep, so it is put off while there is too little room.
"""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

# At once: with so many, or such a share of all rows, where that is more.
TIDY_ROWS, ROWS_SHARE = 500, 1 / 100
TIDY_COMMITS, COMMITS_SHARE = 50, 1 / 1000
# In the middle of a long run, when many more rows are on their way.
RUN_ROWS, RUN_SHARE = 2000, 1 / 20
# After a short rest with as many as these, else after a long one.
REST_ROWS, REST_COMMITS = 100, 20
SHORT_REST_S, LONG_REST_S = 30.0, 600.0
HEADROOM_BYTES = 64 * 1024 * 1024
MEBIBYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Pending:
    """What upkeep would find to do.

    rows: of the table of text. unindexed: those that no index of words knows. commits: since the last
    upkeep. has_old_files: the last upkeep left files that searches may still have read.
    """

    rows: int
    unindexed: int
    commits: int
    has_old_files: bool = False


def is_due(pending: Pending, *, in_run: bool = False) -> bool:
    """Return whether upkeep should come before anything else; in_run: in the middle of a long run."""
    least, share = (RUN_ROWS, RUN_SHARE) if in_run else (TIDY_ROWS, ROWS_SHARE)
    if pending.unindexed >= max(least, pending.rows * share):
        return True
    return pending.commits >= max(TIDY_COMMITS, pending.rows * COMMITS_SHARE)


def rest_s(pending: Pending) -> float | None:
    """Return after how many seconds of rest upkeep is due, None where there is nothing to do."""
    if pending.has_old_files or pending.unindexed >= REST_ROWS or pending.commits >= REST_COMMITS:
        return SHORT_REST_S
    return LONG_REST_S if pending.commits else None


@dataclass(frozen=True, slots=True)
class Shortage:
    """Too little room for upkeep, in bytes. is_purging: notes that were left out for good wait for it."""

    free_bytes: int
    needed_bytes: int
    is_purging: bool = False

    @property
    def message(self) -> str:
        """Return what a person should know and do."""
        purge = " What was left out for good is not found any more, but stays on the disk until then."
        return (
            f"The disk is nearly full: {self.free_bytes // MEBIBYTE:,} MiB free, upkeep of the index needs "
            f"{-(-self.needed_bytes // MEBIBYTE):,} MiB. Free some space; upkeep then goes on by itself, "
            f"and notes are taken in and found meanwhile.{purge if self.is_purging else ''}"
        )


def shortage(folder: Path) -> Shortage | None:
    """Return what is missing to write all files in a folder anew, None where there is room."""
    try:
        free = shutil.disk_usage(folder).free
    except OSError:
        return None  # what is wrong with the folder is said by who writes into it
    needed = folder_bytes(folder) + HEADROOM_BYTES
    return Shortage(free, needed) if free < needed else None


def folder_bytes(folder: Path) -> int:
    """Return the size of all files in a folder and below it; those that vanish meanwhile count nothing."""
    total = 0
    for inside, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                total += (Path(inside) / name).stat().st_size
    return total
