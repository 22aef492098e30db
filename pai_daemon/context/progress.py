"""How far long work is, and when it will be done. Pure: the time is passed in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

# An estimate from less than this is noise.
SETTLE_S = 2.0
Phase = Literal["reading", "embedding", "switching"]


@dataclass(frozen=True, slots=True)
class Progress:
    """Work under way. started_s: monotonic seconds; tokens: embedded since then.

    done_before: how much was done already when it started. `switching` embeds for another model.
    """

    phase: Phase
    done: int
    total: int
    started_s: float
    now_s: float
    tokens: int = 0
    done_before: int = 0

    @property
    def unit(self) -> str:
        """Return what is counted: notes while reading, chunks otherwise."""
        return "notes" if self.phase == "reading" else "chunks"

    @property
    def eta_s(self) -> float | None:
        """Return the seconds that are left at the average rate so far, None while it is unknown."""
        elapsed = self.now_s - self.started_s
        done = self.done - self.done_before
        if done <= 0 or elapsed < SETTLE_S:
            return None
        return elapsed / done * (self.total - self.done)

    @property
    def tokens_per_s(self) -> float | None:
        """Return the embedding rate, None while nothing is embedded."""
        elapsed = self.now_s - self.started_s
        return self.tokens / elapsed if self.tokens and elapsed > 0 else None
