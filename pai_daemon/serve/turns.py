"""Turns: a few searches run at once, the others wait in order, and none waits longer than it is worth (D71).

What is asked while the very same is being worked out is worked out once. Who leaves gives its turn back.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import threading
import time
from collections.abc import Callable, Hashable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

from pai_daemon.errors import Overloaded

# More only share the processors, and fewer leave the model less to embed together.
AT_ONCE = 8
# So many wait always: what a person's plugin, dashboard and scripts ask together.
ALWAYS = 12
# A search that waits for longer is better asked again: whoever types has typed on by then.
WORTH_S = 0.2
# How much of the mean the last search is.
NEWS = 0.1
# Of conversations: so many are answered at once, and with those that wait there are at most so many.
CONVERSING, IN_LINE = 8, 64
Found = TypeVar("Found")


@dataclass(slots=True)
class _Shared:
    """Work that several wait for."""

    task: asyncio.Future[Any]
    waiting: int = 0


class Turns:
    """Runs work on threads of its own, in order of arrival; only the event loop's thread calls it."""

    def __init__(self, at_once: int = AT_ONCE) -> None:
        self._at_once = at_once
        self._pool = ThreadPoolExecutor(at_once, "search")
        self._open = 0
        self._running = 0
        self._each_s = 0.0
        self._counting = threading.Lock()
        self._shared: dict[Hashable, _Shared] = {}

    @property
    def wait_s(self) -> float:
        """Return how long who comes now would wait for its turn, about."""
        return max(0, self._open + 1 - self._at_once) * self._each_s

    async def take(self, key: Hashable, work: Callable[[], Found]) -> Found:
        """Return what `work` returns, or what the same of another, by `key`, does.

        Raises Overloaded where it would wait for too long, and what `work` raises.
        """
        shared = self._shared.get(key)
        if shared is None:
            if self._open >= self._at_once + ALWAYS and self.wait_s > WORTH_S:
                raise Overloaded(
                    f"{self._open} searches are asked before this one.",
                    hint="Ask again in a moment.",
                    wait_s=max(1, math.ceil(self.wait_s)),
                )
            shared = _Shared(asyncio.ensure_future(self._run(work)))
            self._shared[key] = shared
            shared.task.add_done_callback(lambda _: self._forget(key, shared))
        shared.waiting += 1
        try:
            found: Found = await asyncio.shield(shared.task)
            return found
        finally:
            shared.waiting -= 1
            if not shared.waiting and not shared.task.done():
                self._forget(key, shared)
                shared.task.cancel()

    def close(self) -> None:
        """Begin nothing more."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _forget(self, key: Hashable, shared: _Shared) -> None:
        if self._shared.get(key) is shared:
            del self._shared[key]
        # What nobody waits for any more must not be logged as never looked at.
        if shared.task.done() and not shared.task.cancelled():
            with contextlib.suppress(Exception):
                shared.task.exception()

    async def _run(self, work: Callable[[], Found]) -> Found:
        self._open += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, self._timed, work)
        finally:
            self._open -= 1

    def _timed(self, work: Callable[[], Found]) -> Found:
        """Do work and learn what each costs: those that run beside it share the time that it takes."""
        with self._counting:
            self._running += 1
        started_s = time.perf_counter()
        try:
            return work()
        finally:
            taken_s = time.perf_counter() - started_s
            with self._counting:
                cost_s = taken_s / self._running
                self._running -= 1
                self._each_s += (cost_s - self._each_s) * (NEWS if self._each_s else 1.0)


class Line:
    """Who stands in it is answered in order of arrival, a few at once. turn: hold it while being answered."""

    def __init__(self, at_once: int = CONVERSING, most: int = IN_LINE) -> None:
        self.turn = asyncio.Semaphore(at_once)
        self._most = most
        self.length = 0

    @contextlib.contextmanager
    def joined(self) -> Iterator[None]:
        """Stand in it for as long as the context lasts. Raises Overloaded where it is too long."""
        if self.length >= self._most:
            raise Overloaded(
                f"{self.length} conversations are being answered or wait.", hint="Try again in a few seconds."
            )
        self.length += 1
        try:
            yield
        finally:
            self.length -= 1
