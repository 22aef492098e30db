"""Whose turn it is at the model: questions first, and indexing while nobody asks."""

from __future__ import annotations

import time

import pytest

from pai_daemon.models import jobs as module
from pai_daemon.models.jobs import Job, JobQueue


@pytest.fixture
def queue(monkeypatch: pytest.MonkeyPatch) -> JobQueue:
    """Return a queue that rests for long, so that a rest can be told from none."""
    monkeypatch.setattr(module, "REST_S", 0.3)
    monkeypatch.setattr(module, "LONGEST_REST_S", 0.5)
    return JobQueue()


def job() -> Job:
    """Return a job that embeds nothing."""
    return Job([], [], 1)


def waited_s(queue: JobQueue, expected: Job) -> float:
    """Return how long a job's turn was in coming."""
    started_s = time.monotonic()
    assert queue.head(5) is expected
    return time.monotonic() - started_s


def test_indexing_rests_after_a_question_and_not_before_one(queue: JobQueue) -> None:
    """The rest of a search has the processor to itself; who never asks, never waits."""
    bulk, urgent = job(), job()
    queue.put(bulk, urgent=False)
    assert waited_s(queue, bulk) < 0.2
    queue.put(urgent, urgent=True)
    assert waited_s(queue, urgent) < 0.2
    queue.remove(urgent)
    assert 0.2 < waited_s(queue, bulk) < 2
    assert waited_s(queue, bulk) < 0.2


def test_question_ends_the_rest(queue: JobQueue) -> None:
    """The next one is embedded at once."""
    first, second = job(), job()
    queue.put(first, urgent=True)
    queue.remove(first)
    queue.put(job(), urgent=False)
    queue.put(second, urgent=True)
    assert waited_s(queue, second) < 0.2


def test_questions_without_end_let_indexing_go_on(queue: JobQueue) -> None:
    """It rests for half a second at most, however often one asks."""
    bulk, started_s = job(), time.monotonic()
    queue.put(bulk, urgent=False)
    assert queue.head(5) is bulk
    turns = 0
    while time.monotonic() < started_s + 3:
        urgent = job()
        queue.put(urgent, urgent=True)
        queue.remove(urgent)
        turns += queue.head(5) is bulk
    assert turns >= 4
