"""The first index of a vault, end to end, against the bare ONNX session on the same texts.

The reference runs the session alone on texts of this vault, already tokenised and in batches like
the embedder's: what remains is reading, cutting, tokenising, queueing and committing.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import psutil

from pai_daemon.config import load
from pai_daemon.models.batches import MOST_TOKENS, pad, plan
from pai_daemon.models.embedder import Embedder
from pai_daemon.models.prepare import prepare
from pai_daemon.models.session import Session
from pai_daemon.models.tokens import WindowTokenizer
from tests.bench.bench import indexed, load_model
from tests.bench.data import vault
from tests.bench.report import Row

SAMPLE_TEXTS = 400
QUICK_NOTES = 40
MEBIBYTE = 1024 * 1024


def run(scratch: Path, *, quick: bool, model: str) -> list[Row]:
    """Return tokens a second, time until words and until everything is searchable, and memory."""
    embedder = load_model(model)
    source, name = vault("vault-tasks-docs-en" if quick else "vault-zettelkasten-en", scratch)
    if quick:
        for note in sorted(source.rglob("*.md"))[QUICK_NOTES:]:
            note.unlink()
    tokens = embedder.tokens_done
    with indexed(source, scratch / "index", embedder) as ready:
        tokens = embedder.tokens_done - tokens
        keys = ready.index.catalog.vector_keys()
        texts = list(ready.index.contents(keys[:: max(1, len(keys) // SAMPLE_TEXTS)]).values())
        notes, chunks = len(ready.index.catalog), ready.index.catalog.chunk_count()
        size = ready.index.store.size_bytes()
    rate = tokens / (ready.whole_s - ready.read_s)
    return [
        Row(
            f"{name}: tokens/s while embedding",
            rate,
            "tokens/s",
            "bare session",
            _bare(embedder, texts),
            ">= 0.8 of it",
        ),
        Row(f"{name}: first words searchable", ready.first_text_s, "s", target="seconds"),
        Row(f"{name}: all words searchable", ready.read_s, f"s for {notes:,} notes"),
        Row(f"{name}: everything searchable", ready.whole_s, f"s for {chunks:,} chunks"),
        Row(f"{name}: index on disk", size / MEBIBYTE, "MiB", "vault", _size(source) / MEBIBYTE),
        Row(f"{name}: memory of this process", psutil.Process().memory_info().rss / MEBIBYTE, "MiB"),
    ]


def _size(source: Path) -> int:
    return sum(path.stat().st_size for path in source.rglob("*.md"))


def _bare(embedder: Embedder, texts: Sequence[str]) -> float:
    """Return the tokens a second of the session alone, on texts that are tokenised beforehand."""
    prepared = prepare(embedder.profile, load().cache_dir)
    session = Session(prepared.graph, embedder.profile, "cpu", load().threads)
    tokenizer = WindowTokenizer(prepared.tokenizer, embedder.profile.max_tokens)
    windows = [
        window for of_text in tokenizer.windows(texts, embedder.profile.passage_prefix) for window in of_text
    ]
    batches = [pad([windows[row] for row in rows]) for rows in plan([len(w) for w in windows], MOST_TOKENS)]
    started_s = time.perf_counter()
    for ids, mask in batches:
        session.embed(ids, mask)
    return sum(int(mask.sum()) for _, mask in batches) / (time.perf_counter() - started_s)
