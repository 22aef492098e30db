"""Embeds texts: one thread owns the session, queries go before indexing (D7).

Callers block on any thread; their texts are tokenised there, cut into windows and batches, and the
worker takes one batch at a time, urgent ones first, so a query waits for at most one batch of indexing
work. A caller's failure is the caller's alone.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Self

import numpy as np

from pai_daemon.errors import ModelUnavailable
from pai_daemon.models.batches import LEAST_TOKENS, MOST_ACCELERATED, MOST_TOKENS, fitting, join, plan
from pai_daemon.models.encoder.weights import Floats
from pai_daemon.models.jobs import Job, JobQueue
from pai_daemon.models.prepare import PreparedModel
from pai_daemon.models.registry import Scoring
from pai_daemon.models.runner import Runner
from pai_daemon.models.session import PROVIDERS, Provider
from pai_daemon.models.tokens import WindowTokenizer

# Who has asked will ask again within this time.
ASKING_S = 10.0
# Of 384 or so numbers each.
QUERIES_KEPT = 64
# Of a model that nobody has measured, until `loading` has taken it from the probes.
UNMEASURED = Scoring(0.5, 0.4, 0, 0.6)


class Embedder:
    """A loaded model. Embeddings are float32 rows of length 1, so a product is a cosine.

    `tokens_done` and `seconds_busy` count what went through the session, padding left out, and
    `texts_split` the texts that were longer than the model's window.
    """

    def __init__(
        self,
        prepared: PreparedModel,
        *,
        provider: Provider = "cpu",
        threads: int = 2,
        budget_tokens: int | None = None,
        niceness: int = 0,
        unload_after_s: float = 0.0,
        fallback: Callable[[], PreparedModel] | None = None,
    ) -> None:
        """Load a prepared model.

        threads: of the session.
        budget_tokens: of one batch, padding included; None takes what runs in a tenth of a second.
        niceness: how far the session's threads yield to other programs (Linux only). unload_after_s: of
        idleness, after which the session's memory is given back until the next text; 0 keeps it.
        fallback: see `Runner`. Raises ModelUnavailable.
        """
        self.profile = prepared.profile
        self.dimensions = prepared.profile.dimensions
        self.scoring: Scoring = prepared.profile.scoring or UNMEASURED
        self.tokens_done = 0
        self.texts_split = 0
        self.seconds_busy = 0.0
        self._is_fixed = budget_tokens is not None
        self._budget_tokens = budget_tokens or MOST_TOKENS
        self._unload_after_s = unload_after_s or None
        self._niceness = niceness
        self._open: Callable[[], Runner] = lambda: Runner(prepared, provider, threads, fallback)
        self._runner: Runner | None = None
        self._said = ("", "", "")
        self._queue = JobQueue()
        # An answer embeds the question that its search has embedded, and a person who types asks again.
        self._query = lru_cache(QUERIES_KEPT)(self._embed_query)
        self._loaded = threading.Event()
        self._failure: Exception | None = None
        self._worker = threading.Thread(target=self._work, name="embedder", daemon=True)
        self._worker.start()
        try:
            self._tokenizer = WindowTokenizer(prepared.tokenizer, prepared.profile.max_tokens)
        except Exception as error:  # the library raises plain Exception
            self.close()
            raise _unloadable(prepared, error) from error
        self._loaded.wait()
        if self._failure:
            raise _unloadable(prepared, self._failure) from self._failure

    @property
    def execution_provider(self) -> str:
        """Return which of ONNX Runtime's execution providers does the work."""
        return self._said[0]

    @property
    def form(self) -> str:
        """Return in which form the model runs: its precision."""
        return self._said[1]

    @property
    def warning(self) -> str:
        """Return why the model does not run as it was prepared to, "" when it does."""
        return self._said[2]

    def embed_query(self, text: str) -> Floats:
        """Return the embedding of a question: (dimensions,) float32 of length 1.

        It cannot be written to, and is kept for when it is asked for again. Goes before all indexing work.
        Raises Overloaded, ModelUnavailable.
        """
        return self._query(text)

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
        self._runner = None

    def __enter__(self) -> Self:
        """Return itself, to be closed at the end of a `with`."""
        return self

    def __exit__(self, *_error: object) -> None:
        """Close it."""
        self.close()

    def _embed_query(self, text: str) -> Floats:
        embedding: Floats = self._embed([text], self.profile.query_prefix, urgent=True)[0].copy()
        embedding.setflags(write=False)
        return embedding

    def _embed(self, texts: Sequence[str], prefix: str, *, urgent: bool) -> Floats:
        if not texts:
            return np.empty((0, self.dimensions), np.float32)
        by_text = list(self._tokenizer.windows(texts, prefix))
        windows = [window for of_text in by_text for window in of_text]
        lengths = [len(window) for window in windows]
        self.texts_split += sum(len(of_text) > 1 for of_text in by_text)
        job = Job(windows, plan(lengths, self._budget(urgent=urgent)), self.dimensions)
        self._queue.put(job, urgent=urgent)
        job.wait()
        return join(job.embeddings, [len(of_text) for of_text in by_text], lengths)

    def _budget(self, *, urgent: bool) -> int:
        """Return the tokens of a batch: few in indexing while questions are asked, which wait for one."""
        is_slow = self._runner is None or self._runner.session.provider == "cpu"
        if urgent or self._is_fixed or not is_slow or not self._queue.asked_within(ASKING_S):
            return self._budget_tokens
        return min(self._budget_tokens, LEAST_TOKENS)

    def _work(self) -> None:
        """Load the session, then run batches until closed. The worker's whole life."""
        try:
            if self._niceness and sys.platform == "linux":
                # Threads inherit it, so the session's own threads yield as well.
                os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), self._niceness)
            self._load()
        except Exception as error:  # handed to the constructor, which raises it
            self._failure = error
            return
        finally:
            self._loaded.set()
        while not self._queue.closed:
            job = self._queue.head(self._unload_after_s)
            if job is None:
                self._runner = None
                continue
            jobs = _together(self._queue.beside(job), self._budget_tokens)
            try:
                self._run_batches(jobs, self._runner or self._load())
            except Exception as error:  # one caller's failure leaves the worker alive
                job.error = error
            for each in jobs:
                if each.error or each.abandoned or not each.batches:
                    self._queue.remove(each)
                    each.done.set()

    def _load(self) -> Runner:
        self._runner = self._open()
        self._tell(self._runner)
        return self._runner

    def _tell(self, runner: Runner) -> None:
        """Remember how the model runs, for the status."""
        self._said = (PROVIDERS[runner.session.provider], runner.prepared.form.name, runner.warning)

    def _run_batches(self, jobs: Sequence[Job], runner: Runner) -> None:
        """Run the next batch of each job, all in one go."""
        if jobs[0].abandoned:
            return
        windows = [job.windows[row] for job in jobs for row in job.batches[0]]
        started = time.perf_counter()
        embeddings = runner.embed(windows)
        for job in jobs:
            rows = job.batches.popleft()
            job.embeddings[rows], embeddings = embeddings[: len(rows)], embeddings[len(rows) :]
        seconds = time.perf_counter() - started
        self.seconds_busy += seconds
        padded = len(windows) * max(len(window) for window in windows)
        # A small batch tells little: it costs what one of any size does.
        if not self._is_fixed and padded >= self._budget_tokens // 2:
            most = MOST_TOKENS if runner.session.provider == "cpu" else MOST_ACCELERATED
            self._budget_tokens = fitting(padded, seconds, most)
        self.tokens_done += sum(len(window) for window in windows)
        if runner.warning != self.warning:
            self._tell(runner)


def _together(jobs: Sequence[Job], budget_tokens: int) -> list[Job]:
    """Return the first job, and those whose next batches fit beside its own, padding included."""
    chosen: list[Job] = []
    longest = count = 0
    for job in jobs:
        lengths = [len(job.windows[row]) for row in job.batches[0]]
        longest, count = max(longest, *lengths), count + len(lengths)
        if chosen and longest * count > budget_tokens:
            break
        chosen.append(job)
    return chosen


def _unloadable(prepared: PreparedModel, error: Exception) -> ModelUnavailable:
    return ModelUnavailable(
        f"The model {prepared.profile.name} could not be loaded: {error}",
        hint=f"Remove {prepared.folder}; it is prepared again at the next start.",
    )
