"""Notes that are gone from the disk, until it is decided that they go from the index (D3).

Removals come last: they wait until no more follow, so that a rename is seen whole and a loss in many
pieces is judged as one. So large a loss that the disk is doubted waits longer. Pure: the time is
passed in, in seconds.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable

from pai_daemon.context.changes import is_sudden_loss

QUIET_S = 0.7
LONGEST_S = 5.0
# A sudden loss is believed after this long; the loss of everything never.
DOUBT_S = 600.0
# Removals within this time count as one loss.
WINDOW_S = 60.0


class Removals:
    """What is gone, since when, and whether that is believed. `doubt` says why not, for a person."""

    def __init__(self, doubt_s: float = DOUBT_S) -> None:
        self.gone: set[str] = set()
        self.doubt: str | None = None
        self._doubt_s = doubt_s
        self._first_s = 0.0
        self._due_s = 0.0
        self._doubted_since_s: float | None = None
        self._recent: deque[tuple[float, int]] = deque()

    def add(self, paths: Iterable[str], now_s: float) -> None:
        """Note paths as gone; they are due once no more have followed for a moment."""
        fresh = set(paths) - self.gone
        if fresh:
            self._first_s = self._first_s if self.gone else now_s
            self.gone |= fresh
            self._due_s = min(now_s + QUIET_S, self._first_s + LONGEST_S)

    def found(self, paths: Iterable[str]) -> None:
        """Note paths as there; a doubt is looked at again."""
        back = self.gone.intersection(paths)
        self.gone -= back
        if back and self.doubt:
            self._due_s = 0.0

    def scanned(self, gone: Collection[str]) -> None:
        """Note that a scan of the whole vault missed exactly these; they are due now."""
        self.gone = set(gone)
        self._due_s = 0.0

    def wait_s(self, now_s: float) -> float | None:
        """Return how long until a decision is due, None while there is nothing to decide."""
        return max(0.0, self._due_s - now_s) if self.gone or self.doubt else None

    def decide(self, excluded: Collection[str], known: int, now_s: float, *, confirmed: bool) -> set[str]:
        """Return the paths that go from the index now, and forget them.

        excluded: those of `gone` that a rule keeps out; they go at once (D14). known: how many
        notes are indexed. confirmed: a person says that the others really are gone.
        """
        lost = self.gone - set(excluded)
        if confirmed or self._believes(len(lost), known, now_s):
            self.doubt, self._doubted_since_s = None, None
            leaving, self.gone = self.gone, set()
            self._recent.append((now_s, len(lost)))
            return leaving
        recent = sum(count for _, count in self._recent)
        patience = "until you say so" if len(lost) >= known else f"for {self._doubt_s / 60:.0f} minutes"
        self.doubt = (
            f"{len(lost) + recent} of {known + recent} notes vanished at once. "
            f"{f'The last {len(lost)}' if recent else 'They'} stay in the index {patience}, in case the "
            "folder is unmounted or still syncing. To remove them now: pai index --confirm-removals"
        )
        self.gone = lost
        return set(excluded)

    def _believes(self, lost: int, known: int, now_s: float) -> bool:
        while self._recent and now_s - self._recent[0][0] > WINDOW_S:
            self._recent.popleft()
        recent = sum(count for _, count in self._recent)
        if not lost or not is_sudden_loss(known + recent, lost + recent):
            return True
        if self._doubted_since_s is None:
            self._doubted_since_s = now_s
        self._due_s = self._doubted_since_s + self._doubt_s
        if lost >= known:  # an unmounted disk looks like this for as long as it takes
            self._due_s = now_s + self._doubt_s
            return False
        return now_s >= self._due_s
