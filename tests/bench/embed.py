"""The embedding engine: what each stage of a first index costs, against the bare session; queries; memory.

The reference embeds all texts of the vault with the bare prepared session, tokenised beforehand and in
batches of one length each: what remains is reading, cutting, tokenising, queueing, padding and committing.
Tokens are counted without padding.
"""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from pai_daemon.config import load
from pai_daemon.context import intake
from pai_daemon.context.index import Index
from pai_daemon.context.reading import Reader
from pai_daemon.models.batches import MOST_TOKENS, pad, plan
from pai_daemon.models.embedder import Embedder
from pai_daemon.models.encoder.graph import Form
from pai_daemon.models.prepare import prepare
from pai_daemon.models.registry import profile
from pai_daemon.models.runner import Runner
from pai_daemon.models.session import Session
from pai_daemon.models.tokens import Ids, WindowTokenizer
from tests.bench.bench import indexed, load_model, measured_apart
from tests.bench.data import Question, question_vault, vault
from tests.bench.peers import rows as peer_rows
from tests.bench.report import Row

QUICK_NOTES, NOTES, TURNS = 30, 400, 3
QUERIES, QUICK_QUERIES = 300, 60
TINY, QUICK_TINY, GROWTH = 5_000, 100, 1.02
MIB = 2**20
WHOLE, IDLE_MS, BULK_MS, REST_MIB, BULK_MIB = 0.9, 12, 150, 180, 350

# What the engine adds to a process that has numpy.
_MEMORY = """
import json, sys
import numpy, psutil
def rss(): return psutil.Process().memory_info().rss
at = [rss()]
from pai_daemon.config import load
from pai_daemon.models.embedder import Embedder
from pai_daemon.models.prepare import prepare
from pai_daemon.models.registry import profile
prepared = prepare(profile(sys.argv[1]), load().cache_dir)
embedder = Embedder(prepared, threads=load().threads)
embedder.embed_query("how the heron came to the river")
at.append(rss())
texts = ["The heron came down to the river before the others woke, and stood. " * n for n in range(1, 40)]
for _ in range(4):
    embedder.embed_texts(texts)
at.append(rss())
for count in (TINY, 20 * TINY):
    for start in range(0, count, 1_000):
        embedder.embed_texts([f"heron {number}" for number in range(start, min(start + 1_000, count))])
    at.append(rss())
print(json.dumps([at[1] - at[0], at[2] - at[0], at[3], at[4]]))
"""


def run(scratch: Path, *, quick: bool, model: str) -> list[Row]:
    """Return the share of each stage, latencies, memory, quality by form, and peers on the same texts."""
    load_model(model).close()
    tiny = QUICK_TINY if quick else TINY
    rest, bulk, before, after = measured_apart(_MEMORY.replace("TINY", str(tiny)), model)
    rows = [
        Row(
            "engine's memory at rest",
            rest / MIB,
            "MiB",
            target=f"<= {REST_MIB}",
            holds=rest <= REST_MIB * MIB,
        ),
        Row(
            "engine's memory in bulk",
            bulk / MIB,
            "MiB",
            target=f"<= {BULK_MIB}",
            holds=bulk <= BULK_MIB * MIB,
        ),
    ]
    rows.append(
        Row(
            f"process's memory after {21 * tiny:,} tiny texts",
            after / MIB,
            "MiB",
            f"after {tiny:,}",
            before / MIB,
            f"<= {GROWTH} of it",
            after <= GROWTH * before,
        )
    )
    rows += _index_rows(scratch, model, notes=QUICK_NOTES if quick else NOTES)
    rows += _query_rows(model, QUICK_QUERIES if quick else QUERIES)
    if not quick:
        rows += _quality_rows(scratch, model)
    return [*rows, *peer_rows(scratch, quick=quick, model=model)]


def _index_rows(scratch: Path, model: str, notes: int) -> list[Row]:
    source, name = vault("vault-tasks-docs-en" if notes == QUICK_NOTES else "vault-zettelkasten-en", scratch)
    for note in sorted(source.rglob("*.md"), key=lambda path: path.name)[notes:]:
        note.unlink()
    # Turn by turn, and the best of each: what else runs here slows down either.
    runs: list[tuple[float, dict[str, float]]] = []
    bare_s = []
    with load_model(model) as embedder:
        for turn in range(TURNS):
            tokens = embedder.tokens_done
            with _stages() as seconds, indexed(source, scratch / f"index-{turn}", embedder) as ready:
                runs.append((ready.whole_s, dict(seconds)))
                texts = list(ready.index.contents(ready.index.catalog.vector_keys()).values())
            tokens = embedder.tokens_done - tokens
            bare_s.append(_bare_s(embedder, texts))
    whole_s, stages = min(runs, key=lambda run: run[0])
    what = f"{name}, {notes} notes, {len(texts):,} chunks"
    rows = [
        Row(
            f"{what}: first index end to end",
            tokens / whole_s,
            "tokens/s",
            "bare session",
            tokens / min(bare_s),
            f">= {WHOLE} of it",
            min(bare_s) / whole_s >= WHOLE,
        )
    ]
    return rows + [
        Row(f"{what}: of that, {stage}", 100 * spent / whole_s, "%") for stage, spent in stages.items()
    ]


@contextmanager
def _stages() -> Iterator[dict[str, float]]:
    """Count the seconds within each stage, while it lasts; stages side by side add up to more than all."""
    seconds: dict[str, float] = {}
    places: list[tuple[Any, str, str]] = [
        (intake, "read_bytes", "read"),
        (Reader, "index", "parse and chunk"),
        (WindowTokenizer, "windows", "tokenise"),
        (Runner, "embed", "embed"),
        (Index, "commit", "commit"),
        (Index, "add_vectors", "commit"),
        (Index, "tidy", "upkeep"),
    ]
    originals = [(owner, name, getattr(owner, name)) for owner, name, _ in places]
    for owner, name, stage in places:
        setattr(owner, name, _timed(getattr(owner, name), stage, seconds))
    try:
        yield seconds
    finally:
        for owner, name, original in originals:
            setattr(owner, name, original)


def _timed(function: Callable[..., Any], stage: str, seconds: dict[str, float]) -> Callable[..., Any]:
    seconds.setdefault(stage, 0.0)

    def timed(*given: Any, **named: Any) -> Any:
        started_s = time.perf_counter()
        try:
            found = function(*given, **named)
            return list(found) if isinstance(found, Iterator) else found
        finally:
            seconds[stage] += time.perf_counter() - started_s

    return timed


def _bare_s(embedder: Embedder, texts: Sequence[str]) -> float:
    """Return the seconds of the session alone on all these texts."""
    prepared = prepare(embedder.profile, load().cache_dir)
    tokenizer = WindowTokenizer(prepared.tokenizer, embedder.profile.max_tokens)
    prefix = embedder.profile.passage_prefix
    windows: list[Ids] = [window for of_text in tokenizer.windows(texts, prefix) for window in of_text]
    batches = [pad([windows[row] for row in rows]) for rows in plan([len(w) for w in windows], MOST_TOKENS)]
    session = Session(prepared.graph, embedder.profile, "cpu", load().threads)
    session.embed(*batches[0])
    started_s = time.perf_counter()
    for ids, mask in batches:
        session.embed(ids, mask)
    return time.perf_counter() - started_s


def _query_rows(model: str, count: int) -> list[Row]:
    """Return how long a query takes while nothing else is asked, and during a bulk."""
    queries = [f"when did the heron number {number} come to the river" for number in range(count)]
    with load_model(model) as embedder:
        embedder.embed_query("warm")
        idle = [_ms(embedder, query) for query in queries]
        stopping = threading.Event()

        def bulk() -> None:
            while not stopping.is_set():
                embedder.embed_texts(["The heron came down to the river and stood in the reeds. " * 12] * 64)

        worker = threading.Thread(target=bulk)
        worker.start()
        busy = []
        for query in queries:
            busy.append(_ms(embedder, query))
            stopping.wait(0.02)
        stopping.set()
        worker.join()
    p50, p95 = statistics.median(idle), float(np.percentile(busy, 95))
    return [
        Row("query while idle, p50", p50, "ms", target=f"<= {IDLE_MS}", holds=p50 <= IDLE_MS),
        Row("query during a bulk, p95", p95, "ms", target=f"<= {BULK_MS}", holds=p95 <= BULK_MS),
    ]


def _ms(embedder: Embedder, query: str) -> float:
    started_s = time.perf_counter()
    embedder.embed_query(query)
    return (time.perf_counter() - started_s) * 1000


def _quality_rows(scratch: Path, model: str) -> list[Row]:
    """Return recall@5 and MRR@10 of meaning alone, paragraph by paragraph, in each form of the model."""
    sets = {
        name: question_vault(f"xquad.{name}", scratch / f"qa-{name}", scratch / f"raw-{name}")
        for name in ("en", "de")
    }
    if not all(sets.values()):
        return []
    crossed = [
        Question(german.text, english.path, english.start, english.end, english.answer)
        for english, german in zip(sets["en"], sets["de"], strict=True)
    ]
    rows: list[Row] = []
    reference: dict[str, float] = {}
    for form in (Form("fp32"), Form("int8")):
        with Embedder(prepare(profile(model), load().cache_dir, form), threads=load().threads) as embedder:
            english = _paragraphs(embedder, scratch / "qa-en")
            for label, questions, paragraphs in (
                ("XQuAD en", sets["en"], english),
                ("XQuAD de", sets["de"], _paragraphs(embedder, scratch / "qa-de")),
                ("XQuAD de on en", crossed, english),
            ):
                for figure, value in _ranked(embedder, questions, paragraphs).items():
                    what = f"{label}, meaning alone, {form.name}: {figure}"
                    base = reference.setdefault(f"{label} {figure}", value)
                    rows.append(
                        Row(what, round(value, 3), f"{len(questions)} questions", "fp32", round(base, 3))
                    )
    return rows


def _paragraphs(embedder: Embedder, folder: Path) -> tuple[list[tuple[str, int, int]], Any]:
    """Return the place of each paragraph of these notes, and the paragraphs' embeddings."""
    places, texts = [], []
    for note in sorted(folder.glob("*.md")):
        text, at = note.read_text("utf-8"), 0
        for paragraph in text.split("\n\n"):
            if paragraph:
                places.append((note.name, at, at + len(paragraph)))
                texts.append(paragraph)
            at += len(paragraph) + 2
    return places, embedder.embed_texts(texts)


def _ranked(
    embedder: Embedder, questions: Sequence[Question], paragraphs: tuple[list[tuple[str, int, int]], Any]
) -> dict[str, float]:
    places, embeddings = paragraphs
    ranks = []
    for question in questions:
        best = np.argsort(-(embeddings @ embedder.embed_query(question.text)))[:10]
        holding = [
            places[row][0] == question.path and places[row][1] <= question.start < places[row][2]
            for row in best
        ]
        ranks.append(holding.index(True) + 1 if True in holding else None)
    return {
        "recall@5": sum(rank is not None and rank <= 5 for rank in ranks) / len(ranks),
        "MRR@10": sum(1 / rank for rank in ranks if rank is not None) / len(ranks),
    }
