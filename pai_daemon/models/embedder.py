"""Embeds texts: one thread owns the ONNX session, queries go before indexing (D7).

The only module that imports onnxruntime. Callers block on any thread; their texts are tokenised
there, cut into windows and batches, and the worker takes one batch at a time, urgent ones first, so
a query waits for at most one batch of indexing work. A caller's failure is the caller's alone.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np

from pai_daemon.config import forbid_telemetry
from pai_daemon.errors import ModelUnavailable, Overloaded
from pai_daemon.models.batches import join, pad, plan
from pai_daemon.models.encoder.weights import Floats
from pai_daemon.models.prepare import PreparedModel
from pai_daemon.models.tokens import Ids, WindowTokenizer

forbid_telemetry()
import onnxruntime  # noqa: E402

CPU = "CPUExecutionProvider"
ACCELERATORS = ("CUDAExecutionProvider", "CoreMLExecutionProvider")
# A batch of 1,024 tokens takes 0.1 s (e5, 2 threads), which is what a query may wait. Measured at
# 2,048 and 4,096: no faster, and the peak of memory rose by 90 and 370 MB.
BUDGET_TOKENS = 1_024
URGENT_LIMIT = 64
BULK_LIMIT = 8
_log = logging.getLogger(__name__)


class Embedder:
    """A loaded model. Embeddings are float32 rows of length 1, so a product is a cosine.

    `tokens_done` and `seconds_busy` count what went through the session, padding left out.
    `execution_provider` is which of ONNX Runtime's providers does the work.
    """

    def __init__(
        self,
        prepared: PreparedModel,
        *,
        threads: int = 2,
        budget_tokens: int = BUDGET_TOKENS,
        niceness: int = 0,
    ) -> None:
        """Load a prepared model.

        threads: of the session. budget_tokens: of one batch, padding included. niceness: how far
        the session's threads yield to other programs (Linux only). Raises ModelUnavailable.
        """
        self.profile = prepared.profile
        self.dimensions = prepared.profile.dimensions
        self.scoring = prepared.scoring
        self.tokens_done = 0
        self.seconds_busy = 0.0
        self.execution_provider = ""
        self._budget_tokens = budget_tokens
        self._queue = _Queue()
        self._loaded = threading.Event()
        self._failure: Exception | None = None
        self._session: Any = None
        settings = (prepared.graph, threads, niceness)
        self._worker = threading.Thread(target=self._work, args=settings, name="embedder", daemon=True)
        self._worker.start()
        try:
            self._tokenizer = WindowTokenizer(prepared.tokenizer, prepared.profile.max_tokens)
        except Exception as error:  # the library raises plain Exception
            self.close()
            raise _unloadable(prepared, error) from error
        self._loaded.wait()
        if self._failure:
            raise _unloadable(prepared, self._failure) from self._failure

    def embed_query(self, text: str) -> Floats:
        """Return the embedding of a question: (dimensions,) float32 of length 1.

        Goes before all indexing work. Raises Overloaded, ModelUnavailable.
        """
        embedding: Floats = self._embed([text], self.profile.query_prefix, urgent=True)[0]
        return embedding

    def embed_texts(self, texts: Sequence[str], *, urgent: bool = False) -> Floats:
        """Return the embeddings of passages in their order: (texts, dimensions) float32.

        A text longer than the model's window is embedded window by window and averaged by token
        count: no token is left out. urgent: go before indexing work, and raise Overloaded where
        64 such calls wait already; a call that is not urgent waits for its turn instead.
        Raises ModelUnavailable when the model gives no numbers or was closed.
        """
        return self._embed(texts, self.profile.passage_prefix, urgent=urgent)

    def close(self) -> None:
        """Stop the worker after its batch; calls that still wait raise ModelUnavailable."""
        self._queue.close()
        self._worker.join()
        self._session = None

    def __enter__(self) -> Self:
        """Return itself, to be closed at the end of a `with`."""
        return self

    def __exit__(self, *_error: object) -> None:
        """Close it."""
        self.close()

    def _embed(self, texts: Sequence[str], prefix: str, *, urgent: bool) -> Floats:
        if not texts:
            return np.empty((0, self.dimensions), np.float32)
        by_text = list(self._tokenizer.windows(texts, prefix))
        windows = [window for of_text in by_text for window in of_text]
        lengths = [len(window) for window in windows]
        job = _Job(windows, plan(lengths, self._budget_tokens), self.dimensions)
        self._queue.put(job, urgent=urgent)
        job.wait()
        embeddings = join(job.embeddings, [len(of_text) for of_text in by_text], lengths)
        _check(embeddings)
        return embeddings

    def _work(self, graph: Path, threads: int, niceness: int) -> None:
        """Load the session, then run batches until closed. The worker's whole life."""
        try:
            if niceness and sys.platform == "linux":
                # Threads inherit it, so the session's own threads yield as well.
                os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), niceness)
            self._session = open_session(graph, threads)
            self.execution_provider = str(self._session.get_providers()[0])
        except Exception as error:  # handed to the constructor, which raises it
            self._failure = error
            return
        finally:
            self._loaded.set()
        while job := self._queue.head():
            try:
                self._run_batch(job)
            except Exception as error:  # one caller's failure leaves the worker alive
                job.error = error
            if job.error or job.abandoned or not job.batches:
                self._queue.remove(job)
                job.done.set()

    def _run_batch(self, job: _Job) -> None:
        if job.abandoned:
            return
        rows = job.batches.popleft()
        ids, mask = pad([job.windows[row] for row in rows])
        started = time.perf_counter()
        job.embeddings[rows] = _run(self._session, ids, mask)
        self.seconds_busy += time.perf_counter() - started
        self.tokens_done += int(mask.sum())


class _Job:
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


class _Queue:
    """Jobs in order of arrival, urgent ones first, both bounded."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._urgent: deque[_Job] = deque()
        self._bulk: deque[_Job] = deque()
        self._closed = False

    def put(self, job: _Job, *, urgent: bool) -> None:
        """Add a job. Raises Overloaded where too many urgent ones wait; others wait for room."""
        with self._changed:
            if urgent and len(self._urgent) >= URGENT_LIMIT:
                raise Overloaded("Too many questions wait for the model.", hint="Try again in a second.")
            if not urgent:
                self._changed.wait_for(lambda: self._closed or len(self._bulk) < BULK_LIMIT)
            if self._closed:
                raise _closed()
            (self._urgent if urgent else self._bulk).append(job)
            self._changed.notify_all()

    def head(self) -> _Job | None:
        """Wait for and return the job whose turn it is, None once closed. It stays in the queue."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._urgent or self._bulk)
            if self._closed:
                return None
            return (self._urgent or self._bulk)[0]

    def remove(self, job: _Job) -> None:
        """Take a job out."""
        with self._changed:
            for jobs in (self._urgent, self._bulk):
                if job in jobs:
                    jobs.remove(job)
            self._changed.notify_all()

    def close(self) -> None:
        """Refuse new jobs and fail those that wait."""
        with self._changed:
            self._closed = True
            for job in (*self._urgent, *self._bulk):
                job.error = job.error or _closed()
                job.done.set()
            self._urgent.clear()
            self._bulk.clear()
            self._changed.notify_all()


def open_session(graph: Path, threads: int) -> Any:
    """Return a session on the fastest execution provider that computes the same as the CPU.

    An int8 graph runs only in part on some accelerators and is then slower there than on the CPU,
    so each one offered is tried on one batch. Without an accelerator nothing is tried.
    """
    cpu = _session(graph, threads, CPU)
    offered = [name for name in ACCELERATORS if name in onnxruntime.get_available_providers()]
    if not offered:
        return cpu
    best, (expected, best_s) = cpu, _trial(cpu)
    for name in offered:
        try:
            session = _session(graph, threads, name)
            embeddings, seconds = _trial(session)
        except Exception as error:  # a driver's failure is no reason to stop
            _log.info("%s is not used: %s", name, error)
            continue
        same = float((embeddings * expected).sum(axis=1).min()) > 0.99
        _log.info("%s took %.3f s, the CPU %.3f s, same embeddings: %s", name, seconds, best_s, same)
        if same and seconds < best_s and session.get_providers()[0] == name:
            best, best_s = session, seconds
    return best


def _session(graph: Path, threads: int, provider: str) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # The arena keeps its peak for good: 60 to 100 MB after a bulk, at the same speed without.
    options.enable_cpu_mem_arena = False
    # Spinning threads burn a core while idle and gain nothing here.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # Without VNNI, x86 adds int8 products in 16 bits and may overflow; this takes the exact way.
    options.add_session_config_entry("session.x64quantprecision", "1")
    return onnxruntime.InferenceSession(str(graph), options, providers=list(dict.fromkeys((provider, CPU))))


def _trial(session: Any) -> tuple[Floats, float]:
    """Return the embeddings of one made-up batch, 8 × 128 tokens, and the seconds of a second run."""
    ids = np.arange(8 * 128, dtype=np.int64).reshape(8, 128) * 7 % 20_000 + 1_000
    mask = np.ones_like(ids)
    _run(session, ids, mask)
    started = time.perf_counter()
    embeddings = _run(session, ids, mask)
    return embeddings, time.perf_counter() - started


def _run(session: Any, ids: Any, mask: Any) -> Floats:
    """Return (batch, dimensions) float32 for ids and mask, both (batch, tokens) int64."""
    embeddings: Floats = session.run(["embedding"], {"input_ids": ids, "attention_mask": mask})[0]
    return embeddings


def _check(embeddings: Floats) -> None:
    """Raise ModelUnavailable unless every row has length 1; NaN has not."""
    lengths = np.linalg.norm(embeddings, axis=1)
    if not bool((np.abs(lengths - 1) < 1e-3).all()):
        raise ModelUnavailable(
            "The model gave something that is no embedding.", hint="Run `pai doctor`; prepare it again."
        )


def _closed() -> ModelUnavailable:
    return ModelUnavailable("The model was closed.", hint="Start the daemon again.")


def _unloadable(prepared: PreparedModel, error: Exception) -> ModelUnavailable:
    return ModelUnavailable(
        f"The model {prepared.profile.name} could not be loaded: {error}",
        hint=f"Remove {prepared.folder}; it is prepared again at the next start.",
    )
