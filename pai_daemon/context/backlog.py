"""The texts that wait for their embedding, newest note first. Only the indexer's thread uses it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np

from pai_daemon.context.index import Index
from pai_daemon.context.progress import Progress
from pai_daemon.context.vectors import Floats

# One commit of embeddings; a kill loses at most this much work, some seconds of it.
WINDOW_CHUNKS = 256
# The slice after which hints are looked at: about a second on two cores.
SLICE_CHUNKS = 64
SLICE_CHARACTERS = 20_000


class EmbedsTexts(Protocol):
    """What indexing needs of an embedder."""

    @property
    def tokens_done(self) -> int:
        """Return how many tokens were embedded so far."""
        ...

    def embed_texts(self, texts: Sequence[str], *, urgent: bool) -> Floats:
        """Return (len(texts), dimensions) float32, each row of length 1."""
        ...


class Backlog:
    """The vector keys of chunks that are indexed by their words alone so far."""

    def __init__(self, index: Index) -> None:
        self._index = index
        self._keys: dict[str, None] = dict.fromkeys(index.missing())
        self._preferred: tuple[str, ...] = ()
        self._progress: Progress | None = None
        self._tokens_before = 0

    def __len__(self) -> int:
        """Return how many texts wait."""
        return len(self._keys)

    def add(self, keys: Iterable[str]) -> None:
        """Let these wait; the last added is embedded first."""
        self._keys.update(dict.fromkeys(keys))

    def prefer(self, path: str) -> None:
        """Let what waits of the note at this path be embedded first."""
        note = self._index.catalog.get(path)
        self._preferred = note.vector_keys if note is not None else ()

    def embed_window(
        self, embedder: EmbedsTexts, is_interrupted: Callable[[], bool], report: Callable[[Progress], None]
    ) -> None:
        """Embed some of what waits and commit it; stop early, with a commit, when interrupted."""
        self._begin(embedder, report)
        preferred = [key for key in self._preferred if key in self._keys]
        window = (preferred or list(self._keys))[-WINDOW_CHUNKS:]
        # What was embedded with a save meanwhile needs it no more.
        wanted = [key for key in window if key not in self._index.matrix]
        contents = sorted(self._index.contents(wanted).items(), key=lambda item: len(item[1]))
        for key in set(window) - {key for key, _ in contents}:
            del self._keys[key]  # or the note changed again; its new text waits in its place
        keys: list[str] = []
        vectors: list[Floats] = []
        for part in _slices(contents):
            if is_interrupted():
                break
            vectors.append(embedder.embed_texts([content for _, content in part], urgent=False))
            keys += [key for key, _ in part]
            self._advance(len(part), embedder, report)
        if keys:
            self._index.add_vectors(keys, np.concatenate(vectors))
        for key in keys:
            del self._keys[key]

    def _begin(self, embedder: EmbedsTexts, report: Callable[[Progress], None]) -> None:
        was = self._progress
        if was is None or was.done >= was.total or was.done + len(self._keys) > was.total:
            now_s = time.monotonic()
            self._tokens_before = embedder.tokens_done
            self._progress = Progress("embedding", 0, len(self._keys), now_s, now_s)
        if self._progress is not None:
            report(self._progress)

    def _advance(self, count: int, embedder: EmbedsTexts, report: Callable[[Progress], None]) -> None:
        if self._progress is not None:
            self._progress = replace(
                self._progress,
                done=min(self._progress.done + count, self._progress.total),
                now_s=time.monotonic(),
                tokens=embedder.tokens_done - self._tokens_before,
            )
            report(self._progress)


def _slices(contents: Sequence[tuple[str, str]]) -> Iterator[list[tuple[str, str]]]:
    """Yield runs of (key, text) that take about a second to embed."""
    part: list[tuple[str, str]] = []
    size = 0
    for item in contents:
        if part and (len(part) == SLICE_CHUNKS or size + len(item[1]) > SLICE_CHARACTERS):
            yield part
            part, size = [], 0
        part.append(item)
        size += len(item[1])
    if part:
        yield part
