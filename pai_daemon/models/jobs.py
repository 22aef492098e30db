"""What waits to be embedded: jobs in order of arrival, urgent ones first, both bounded."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Sequence

import numpy as np

from pai_daemon.errors import ModelUnavailable, Overloaded
from pai_daemon.models.encoder.weights import Floats
from pai_daemon.models.tokens import Ids

URGENT_LIMIT = 64
BULK_LIMIT = 8
# A question goes on after its embedding: so long the processor is its own, unless indexing has waited long.
REST_S, LONGEST_REST_S = 0.04, 0.5


class Job:
    """What one caller wants embedded, and how far that is."""

    def __init__(self, windows: Sequence[Ids], batches: Sequence[list[int]], dimensions: int) -> None:
        self.windows = windows
        self.batches = deque(batches)
        self.embeddings: Floats = np.empty((len(windows), dimensions), np.float32)
        self.error: Exception | None = None
        self.abandoned = False
        self.done = threading.Event()

    def wait(self) -> None:
        """Block until all is embedded. Raises what went wrong; an interrupted caller leaves."""
        try:
            self.done.wait()
        except BaseException:
            self.abandoned = True
            raise
        if self.error:
            if isinstance(self.error, ModelUnavailable):
                raise self.error
            raise ModelUnavailable(f"The model failed: {self.error}") from self.error


class JobQueue:
    """Jobs in order of arrival, urgent ones first, both bounded."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._urgent: deque[Job] = deque()
        self._bulk: deque[Job] = deque()
        # When an urgent job was done, and when one of the others was begun or gone on with.
        self._urgent_s = self._bulk_s = time.monotonic() - LONGEST_REST_S
        self.closed = False

    def put(self, job: Job, *, urgent: bool) -> None:
        """Add a job. Raises Overloaded where too many urgent ones wait; others wait for room."""
        with self._changed:
            if urgent and len(self._urgent) >= URGENT_LIMIT:
                raise Overloaded("Too many questions wait for the model.", hint="Try again in a second.")
            if not urgent:
                self._changed.wait_for(lambda: self.closed or len(self._bulk) < BULK_LIMIT)
            if self.closed:
                raise closed()
            (self._urgent if urgent else self._bulk).append(job)
            self._changed.notify_all()

    def head(self, timeout_s: float | None = None) -> Job | None:
        """Wait for and return the job whose turn it is; it stays in the queue.

        Returns None once closed, or when nothing came within the time.
        """
        with self._changed:
            self._changed.wait_for(lambda: self.closed or self._urgent or self._bulk, timeout_s)
            now_s = time.monotonic()
            rest_s = min(self._urgent_s + REST_S, self._bulk_s + LONGEST_REST_S) - now_s
            if not self._urgent and rest_s > 0:
                self._changed.wait_for(lambda: self.closed or self._urgent, rest_s)
            if self.closed or not (self._urgent or self._bulk):
                return None
            if not self._urgent:
                self._bulk_s = time.monotonic()
            return (self._urgent or self._bulk)[0]

    def beside(self, job: Job) -> list[Job]:
        """Return the urgent jobs that can be done together, the given one first; it alone if it is none."""
        with self._changed:
            if job not in self._urgent:
                return [job]
            return [job, *(each for each in self._urgent if each is not job and not each.abandoned)]

    def asked_within(self, seconds: float) -> bool:
        """Return whether an urgent job was done so lately."""
        return time.monotonic() < self._urgent_s + seconds

    def remove(self, job: Job) -> None:
        """Take a job out."""
        with self._changed:
            if job in self._urgent:
                self._urgent_s = time.monotonic()
            for jobs in (self._urgent, self._bulk):
                if job in jobs:
                    jobs.remove(job)
            self._changed.notify_all()

    def close(self) -> None:
        """Refuse new jobs and fail those that wait."""
        with self._changed:
            self.closed = True
            for job in (*self._urgent, *self._bulk):
                job.error = job.error or closed()
                job.done.set()
            self._urgent.clear()
            self._bulk.clear()
            self._changed.notify_all()


def closed() -> ModelUnavailable:
    """Return the error of a call to an embedder that was closed."""
    return ModelUnavailable("The model was closed.", hint="Start the daemon again.")
