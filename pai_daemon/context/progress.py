"""How far long work is, and when it will be done. Pure: the time is passed in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

# An estimate from less than this is noise.
SETTLE_S = 2.0


@dataclass(frozen=True, slots=True)
class Progress:
    """Work under way. started_s: monotonic seconds; tokens: embedded since then."""

    phase: Literal["reading", "embedding"]
    done: int
    total: int
    started_s: float
    now_s: float
    tokens: int = 0

    @property
    def unit(self) -> str:
        """Return what is counted: notes while reading, chunks while embedding."""
        return "notes" if self.phase == "reading" else "chunks"

    @property
    def eta_s(self) -> float | None:
        """Return the seconds that are left at the average rate so far, None while it is unknown."""
        elapsed = self.now_s - self.started_s
        if self.done == 0 or elapsed < SETTLE_S:
            return None
        return elapsed / self.done * (self.total - self.done)

    @property
    def tokens_per_s(self) -> float | None:
        """Return the embedding rate, None while nothing is embedded."""
        elapsed = self.now_s - self.started_s
        return self.tokens / elapsed if self.tokens and elapsed > 0 else None
