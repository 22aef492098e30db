"""The texts that wait for their embedding, newest note first. Only the indexer's thread uses it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from itertools import takewhile

import numpy as np

from pai_daemon.context.embeddings import Embeddings
from pai_daemon.context.index import Index
from pai_daemon.context.privacy import is_beyond
from pai_daemon.context.progress import Phase, Progress
from pai_daemon.context.space import EmbeddingModel
from pai_daemon.context.vectors import Floats

# One commit of embeddings; a kill loses at most this much work, some seconds of it.
WINDOW_CHUNKS = 256
# The slice after which hints are looked at: about a third of a second on two cores. While the model works on
# one, the next is made ready for it.
SLICE_CHUNKS = 64
SLICE_CHARACTERS = 20_000
Slice = list[tuple[str, str]]


class Backlog:
    """The texts that one model has not embedded yet; they are indexed by their words alone so far."""

    def __init__(self, index: Index, embeddings: Embeddings, phase: Phase = "embedding") -> None:
        self._index = index
        self._embeddings = embeddings
        self._phase = phase
        self._preferred: tuple[str, ...] = ()
        self._progress: Progress | None = None
        self._tokens_before = 0

    def __len__(self) -> int:
        """Return how many texts wait."""
        return len(self._embeddings.missing)

    def prefer(self, path: str) -> None:
        """Let what waits of the note at this path be embedded first."""
        note = self._index.catalog.get(path)
        self._preferred = note.vector_keys if note is not None else ()

    def embed_window(
        self, embedder: EmbeddingModel, is_interrupted: Callable[[], bool], report: Callable[[Progress], None]
    ) -> None:
        """Embed some of what waits and commit it; stop early, with a commit, when interrupted."""
        self._begin(embedder, report)
        missing = self._embeddings.missing
        preferred = [key for key in self._preferred if key in missing]
        window = (preferred or list(missing))[-WINDOW_CHUNKS:]
        texts = self._index.contents(window)
        if is_beyond(embedder):
            texts = {key: text for key, text in texts.items() if self._index.may_leave(key)}
        contents = sorted(texts.items(), key=lambda item: len(item[1]))
        for key in set(window) - {key for key, _ in contents}:
            # It stays on this machine, or the note changed again and its new text waits in its place.
            del missing[key]
        keys: list[str] = []
        vectors: list[Floats] = []
        wanted = takewhile(lambda _: not is_interrupted(), _slices(contents))
        for part, embedded in _ahead(embedder, wanted):
            vectors.append(embedded)
            keys += [key for key, _ in part]
            self._advance(len(part), embedder, report)
        if keys:
            self._index.add_vectors(self._embeddings, keys, np.concatenate(vectors))

    def _begin(self, embedder: EmbeddingModel, report: Callable[[Progress], None]) -> None:
        was = self._progress
        if was is None or was.done >= was.total or was.done + len(self) > was.total:
            now_s = time.monotonic()
            self._tokens_before = embedder.tokens_done
            # How far another model is counts from its first embedding, also after a restart.
            before = self._index.catalog.key_count() - len(self) if self._phase == "switching" else 0
            self._progress = Progress(
                self._phase, before, before + len(self), now_s, now_s, done_before=before
            )
        if self._progress is not None:
            report(self._progress)

    def _advance(self, count: int, embedder: EmbeddingModel, report: Callable[[Progress], None]) -> None:
        if self._progress is not None:
            self._progress = replace(
                self._progress,
                done=min(self._progress.done + count, self._progress.total),
                now_s=time.monotonic(),
                tokens=embedder.tokens_done - self._tokens_before,
            )
            report(self._progress)


def _ahead(embedder: EmbeddingModel, slices: Iterable[Slice]) -> Iterator[tuple[Slice, Floats]]:
    """Yield each slice with its embeddings, in order; the next one is under way meanwhile."""
    with ThreadPoolExecutor(2, thread_name_prefix="embedding") as pool:
        before: tuple[Slice, Future[Floats]] | None = None
        for part in slices:
            work = pool.submit(embedder.embed_texts, [content for _, content in part], urgent=False)
            if before is not None:
                yield before[0], before[1].result()
            before = part, work
        if before is not None:
            yield before[0], before[1].result()


def _slices(contents: Sequence[tuple[str, str]]) -> Iterator[Slice]:
    """Yield runs of (key, text) that take about a third of a second to embed."""
    part: Slice = []
    size = 0
    for item in contents:
        if part and (len(part) == SLICE_CHUNKS or size + len(item[1]) > SLICE_CHARACTERS):
            yield part
            part, size = [], 0
        part.append(item)
        size += len(item[1])
    if part:
        yield part
