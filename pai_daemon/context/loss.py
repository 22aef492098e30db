"""Whether it is believed that many notes are gone (D3). Pure: the time is passed in."""

from __future__ import annotations

from collections import deque

from pai_daemon.context.changes import is_sudden_loss

# A sudden loss is believed after this long.
DOUBT_S = 600.0
# Removals that trickle in within this time count as one loss.
WINDOW_S = 60.0


class LossDoubt:
    """Remembers recent removals, and since when a sudden loss is doubted."""

    def __init__(self, doubt_s: float = DOUBT_S) -> None:
        self._doubt_s = doubt_s
        self._since_s: float | None = None
        self._recent: deque[tuple[float, int]] = deque()

    @property
    def until_s(self) -> float | None:
        """Return when a doubted loss will be believed, None when none is doubted."""
        return None if self._since_s is None else self._since_s + self._doubt_s

    def doubts(self, known: int, lost: int, now_s: float) -> bool:
        """Return whether a loss of `lost` of `known` notes looks like a fault of the disk."""
        while self._recent and now_s - self._recent[0][0] > WINDOW_S:
            self._recent.popleft()
        recent = sum(count for _, count in self._recent)
        return is_sudden_loss(known + recent, lost + recent)

    def believes(self, known: int, lost: int, now_s: float, *, confirmed: bool) -> bool:
        """Return whether a full scan's loss is carried out now: not sudden, confirmed, or long enough ago."""
        if confirmed or not self.doubts(known, lost, now_s):
            self._since_s = None
            return True
        if self._since_s is None:
            self._since_s = now_s
        if now_s - self._since_s < self._doubt_s:
            return False
        self._since_s = None
        return True

    def removed(self, count: int, now_s: float) -> None:
        """Remember notes that were taken out of the index."""
        if count:
            self._recent.append((now_s, count))

    def clear(self) -> None:
        """Forget the recent removals, once a person has confirmed them."""
        self._recent.clear()
