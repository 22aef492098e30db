"""Searches take turns: few at once, the same one once, and none that waits for too long (D71)."""

from __future__ import annotations

import asyncio
import threading
import time
from functools import partial

import pytest

from pai_daemon.errors import Overloaded
from pai_daemon.serve import turns as module
from pai_daemon.serve.turns import Turns


async def test_same_search_is_worked_out_once_and_given_to_all() -> None:
    """Another is worked out by itself, and so is the same one asked later."""
    turns, done, gate = Turns(), [], threading.Event()

    def work(name: str) -> str:
        gate.wait(5)
        done.append(name)
        return name

    asked = [asyncio.ensure_future(turns.take(name, partial(work, name))) for name in "aaba"]
    await asyncio.sleep(0.05)
    gate.set()
    assert await asyncio.gather(*asked) == ["a", "a", "b", "a"]
    assert sorted(done) == ["a", "b"]
    assert await turns.take("a", lambda: work("a")) == "a"
    assert sorted(done) == ["a", "a", "b"]


async def test_failure_reaches_everyone_who_waits_for_it() -> None:
    """And it is not kept for who asks later."""
    turns = Turns()

    def fail() -> str:
        time.sleep(0.05)
        raise ValueError("no")

    found = await asyncio.gather(*(turns.take("a", fail) for _ in range(3)), return_exceptions=True)
    assert [type(each) for each in found] == [ValueError] * 3
    assert await turns.take("a", lambda: "well") == "well"


async def test_who_leaves_gives_its_turn_back() -> None:
    """Work that nobody waits for is not begun; one of two that leaves takes nothing from the other."""
    turns, gate, begun = Turns(at_once=1), threading.Event(), []
    first = asyncio.ensure_future(turns.take("first", lambda: gate.wait(5)))
    gone = asyncio.ensure_future(turns.take("gone", lambda: begun.append("gone")))
    left, stays = (
        asyncio.ensure_future(turns.take("shared", lambda: begun.append("shared"))) for _ in range(2)
    )
    await asyncio.sleep(0.05)
    gone.cancel()
    left.cancel()
    await asyncio.sleep(0.05)
    gate.set()
    await asyncio.gather(first, stays)
    assert begun == ["shared"]


async def test_search_that_would_wait_for_too_long_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """So many as always wait are taken whatever it costs; those who are refused are told when to come."""
    monkeypatch.setattr(module, "ALWAYS", 4)
    turns, gate = Turns(at_once=2), threading.Event()
    await turns.take("measured", lambda: time.sleep(0.5))
    asked = [asyncio.ensure_future(turns.take(number, lambda: gate.wait(5))) for number in range(6)]
    await asyncio.sleep(0.05)
    assert turns.wait_s > module.WORTH_S
    with pytest.raises(Overloaded) as refused:
        await turns.take("one more", lambda: True)
    assert refused.value.wait_s >= 1
    assert not any(each.done() for each in asked)
    same = asyncio.ensure_future(turns.take(0, lambda: False))
    gate.set()
    assert all(await asyncio.gather(*asked, same))
    assert await turns.take("one more", lambda: True)


async def test_quick_searches_are_taken_however_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """What counts is how long one would wait, not how many do."""
    monkeypatch.setattr(module, "ALWAYS", 1)
    turns = Turns(at_once=2)
    await turns.take("measured", lambda: None)
    assert await asyncio.gather(*(turns.take(number, lambda: 1) for number in range(50))) == [1] * 50
