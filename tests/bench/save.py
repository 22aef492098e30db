"""From a save on disk until the new words are found, through the real watcher, at three sizes of the index.

The notes are made up, so that any size can be had. The vectors of all but the saved passages are random:
embedding a hundred thousand passages takes an hour and changes nothing that is measured here.
"""

from __future__ import annotations

import hashlib
import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np

from pai_daemon.context.search import Searcher
from pai_daemon.context.vectors import Floats
from pai_daemon.models.embedder import Embedder
from pai_daemon.vault.watch import QUIET_S
from tests.bench.bench import indexed, load_model
from tests.bench.report import Row

LIMIT_S = 30.0
CHUNKS = (1_000, 10_000, 100_000)
QUICK_CHUNKS = (200, 2_000)
SECTIONS = 10
SAVES = 60
QUICK_SAVES = 12
P50_MS, P95_MS, GROWTH = 100.0, 250.0, 1.3
POLL_S = 0.005
_WORDS = ("river", "stone", "lantern", "harvest", "winter", "copper", "orchard", "bridge", "signal", "meadow")


class RandomVectors:
    """Stands for a model while many passages are indexed: a vector of length 1 by the text's hash."""

    tokens_done = 0

    def __init__(self, model: Embedder) -> None:
        self.profile = model.profile

    def embed_texts(self, texts: Sequence[str], *, urgent: bool) -> Floats:
        """Return (len(texts), dimensions) float32, each row of length 1."""
        return np.stack([self._vector(text) for text in texts])

    def _vector(self, text: str) -> Floats:
        seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little")
        vector = np.random.default_rng(seed).standard_normal(self.profile.dimensions, np.float32)
        length: np.float32 = np.linalg.norm(vector)
        return vector / length


def _place(vault: Path, number: int) -> Path:
    return vault / f"Folder {number % 50}" / f"Note {number}.md"


def write_notes(vault: Path, chunks: int) -> None:
    """Write made-up notes of ten sections, each a passage of sixty words; the same ones every time."""
    choose = random.Random(5)
    for number in range(chunks // SECTIONS):
        sections = (
            f"## Part {part}\n\n{' '.join(choose.choices(_WORDS, k=60))} {number} {part}.\n"
            for part in range(SECTIONS)
        )
        note = _place(vault, number)
        note.parent.mkdir(parents=True, exist_ok=True)
        note.write_text("\n".join(sections), "utf-8")


@contextmanager
def grown(vault: Path, folder: Path, model: Embedder) -> Iterator[Searcher]:
    """Index the vault with random vectors, then go on with the real model."""
    with indexed(vault, folder, RandomVectors(model)) as ready:
        ready.indexer.use(model)
        ready.index.tidy()
        yield Searcher(vault, ready.index, lambda: model, model.profile.semantic_weight)


def run(scratch: Path, *, quick: bool, model: str) -> list[Row]:
    """Return p50 and p95 of save → searchable beyond the settle window, by size of the index.

    The sizes take turns, so that what else the machine does falls on all of them.
    """
    sizes = QUICK_CHUNKS if quick else CHUNKS
    taken: dict[int, list[float]] = {chunks: [] for chunks in sizes}
    with load_model(model) as embedder, ExitStack() as stack:
        searchers = {}
        for chunks in sizes:
            write_notes(scratch / f"vault-{chunks}", chunks)
            opened = grown(scratch / f"vault-{chunks}", scratch / f"index-{chunks}", embedder)
            searchers[chunks] = stack.enter_context(opened)
        for number in range(QUICK_SAVES if quick else SAVES):
            for chunks, searcher in searchers.items():
                taken[chunks].append(_save(scratch / f"vault-{chunks}", number, chunks, searcher))
    rows: list[Row] = []
    beyond = {chunks: (np.array(times) - QUIET_S) * 1000 for chunks, times in taken.items()}
    for chunks, times in beyond.items():
        what = f"{chunks:,} chunks: save → searchable beyond {QUIET_S * 1000:.0f} ms of settling"
        p50, p95 = (float(np.percentile(times, percent)) for percent in (50, 95))
        least = float(np.percentile(beyond[sizes[0]], 50))
        growth = (f"{sizes[0]:,} chunks", least) if chunks != sizes[0] else ("", None)
        holds = p50 <= P50_MS and (chunks != CHUNKS[-1] or p50 <= GROWTH * least)
        target = f"<= {P50_MS:.0f}" + (f", <= {GROWTH} of it" if chunks == CHUNKS[-1] else "")
        rows += [
            Row(f"{what}, p50", p50, "ms", *growth, target, holds),
            Row(f"{what}, p95", p95, "ms", target=f"<= {P95_MS:.0f}", holds=p95 <= P95_MS),
        ]
    return rows


def _save(vault: Path, number: int, chunks: int, searcher: Searcher) -> float:
    """Append a section to a note; return the seconds until it is found by words and by meaning."""
    word = f"zq{number}xv"
    note = _place(vault, number * 7 % (chunks // SECTIONS))
    started_s = time.perf_counter()
    with note.open("a", encoding="utf-8") as file:
        file.write(f"\n## Saved {number}\n\nThe word of this save is {word}.\n")
    _wait(lambda: bool(searcher.search(word, mode="text", limit=1).results))
    path = note.relative_to(vault).as_posix()
    question = f"Saved {number}: the word of this save is {word}."

    def is_near() -> bool:
        found = searcher.search(question, mode="semantic", limit=5).results
        return any(passage.path == path and word in passage.text for passage in found)

    _wait(is_near)
    return time.perf_counter() - started_s


def _wait(look: Callable[[], bool]) -> None:
    deadline = time.perf_counter() + LIMIT_S
    while not look():
        if time.perf_counter() > deadline:
            raise TimeoutError("the save was not found within 30 s")
        time.sleep(POLL_S)
