"""Reading notes: against the bare Markdown parser, against embedding, and as nasty files grow.

Every reference is run on the same texts in the same run. What embedding the vault would take is the time of
a sample, by tokens; what twice the size costs is the quotient of two times, each the least of three.
"""

from __future__ import annotations

import gc
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from markdown_it import MarkdownIt

from pai_daemon.config import load
from pai_daemon.models.embedder import Embedder
from pai_daemon.models.prepare import prepare
from pai_daemon.models.tokens import WindowTokenizer
from pai_daemon.notes.chunks import split_chunks
from pai_daemon.notes.logseq import Graph
from pai_daemon.notes.reader import read_note
from tests.bench.bench import load_model
from tests.bench.data import BENCH_DATA, vault
from tests.bench.report import Row
from tests.notes.nasty import File
from tests.notes.nasty_families import FAMILIES, Family
from tests.notes.nasty_reader import LIMIT_BYTES, read
from tests.notes.opinions import counter, notes_of, obsidiantools, ours

VAULTS = ("vault-zettelkasten-en", "vault-tasks-docs-en", "vault-universus-de", "graph-logseq-docs-en")
QUICK_VAULTS = VAULTS[1:3]
SAMPLE_TEXTS = 256
# obsidiantools takes 23 ms a note.
AGREEMENT_NOTES = 1000
DOUBLING = 2.6
# Below this a quotient of times says more about the machine than about the reader.
LEAST_S = 0.01


def run(scratch: Path, *, quick: bool, model: str) -> list[Row]:
    """Return speed, the share of embedding, growth with size, and agreement with other programs."""
    vaults = [vault(name, scratch) for name in (QUICK_VAULTS if quick else VAULTS)]
    by_name = {name: folder for folder, name in vaults}
    rows: list[Row] = []
    for name, folder in by_name.items():
        rows += _speed(name, _texts(folder))
    name, folder = next(iter(by_name.items()))
    rows.append(_share(name, _texts(folder), load_model(model)))
    rows += _growth(32 if quick else 2)
    for name, folder in by_name.items():
        rows += _agreement(name, folder)
    return rows


def _texts(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in notes_of(folder)}


def _graph(name: str) -> Graph | None:
    return Graph() if name.startswith("graph-") else None


def _read(name: str, texts: dict[str, bytes]) -> list[str]:
    """Read and cut every note; return what is embedded."""
    graph = _graph(name)
    return [
        chunk.content
        for path, data in texts.items()
        for chunk in split_chunks(read_note(path, data, graph=graph))
    ]


def _least_s(work: Callable[[], object], times: int = 3) -> float:
    """Return the least of the seconds that work takes."""
    taken = []
    for _ in range(times):
        started_s = time.perf_counter()
        work()
        taken.append(time.perf_counter() - started_s)
    return min(taken)


def _speed(name: str, texts: dict[str, bytes]) -> Iterator[Row]:
    """Yield megabytes a second of read, links and chunks beside those of the bare parser."""
    size = sum(map(len, texts.values())) / 1e6
    decoded = [data.decode("utf-8", "replace") for data in texts.values()]
    speed = size / _least_s(lambda: _read(name, texts))
    whole = MarkdownIt("commonmark").enable("table")
    blocks = MarkdownIt("commonmark").enable("table").disable("inline")
    what = f"{name}, {len(texts):,} notes: read, links and chunks"
    bare = size / _least_s(lambda: [whole.parse(text) for text in decoded])
    yield Row(what, speed, "MB/s", "markdown-it-py, bare", bare, ">= 0.5 of it", speed >= bare / 2)
    bare = size / _least_s(lambda: [blocks.parse(text) for text in decoded])
    yield Row(what, speed, "MB/s", "markdown-it-py, blocks only", bare)


def _share(name: str, texts: dict[str, bytes], embedder: Embedder) -> Row:
    """Return the time of reading beside the time that embedding the vault would take."""
    started_s = time.perf_counter()
    contents = _read(name, texts)
    taken_s = time.perf_counter() - started_s
    prepared = prepare(embedder.profile, load().cache_dir)
    tokenizer = WindowTokenizer(prepared.tokenizer, embedder.profile.max_tokens)
    sample = contents[:: max(1, len(contents) // SAMPLE_TEXTS)]
    started_s = time.perf_counter()
    embedder.embed_texts(sample)
    sample_s = time.perf_counter() - started_s
    prefix = embedder.profile.passage_prefix
    scale = _tokens(tokenizer, contents, prefix) / _tokens(tokenizer, sample, prefix)
    return Row(
        f"{name}: read, links and chunks",
        taken_s,
        "s",
        f"embedding {len(contents):,} chunks, from {len(sample)}",
        sample_s * scale,
        "<= 0.05 of it",
        taken_s <= 0.05 * sample_s * scale,
    )


def _tokens(tokenizer: WindowTokenizer, texts: Sequence[str], prefix: str) -> int:
    return sum(len(window) for windows in tokenizer.windows(texts, prefix) for window in windows)


def _growth(divisor: int) -> list[Row]:
    """Return the worst families by what twice the size costs."""
    ratios = {name: ratio for name, family in FAMILIES.items() if (ratio := _doubling(family, divisor))}
    worst = sorted(ratios, key=lambda name: -ratios[name])[:5]
    rows = [
        Row(
            f"nasty files: families of {len(FAMILIES)} whose doubled size costs more than {DOUBLING}",
            sum(ratio > DOUBLING for ratio in ratios.values()),
            "families",
            target="0",
            holds=all(ratio <= DOUBLING for ratio in ratios.values()),
        )
    ]
    return rows + [
        Row(
            f"nasty files: {name}, twice the size",
            ratios[name],
            "times",
            target=f"<= {DOUBLING}",
            holds=ratios[name] <= DOUBLING,
        )
        for name in worst
    ]


def _doubling(family: Family, divisor: int) -> float | None:
    """Return the time at twice the size over the time at the size; None where both are too short to tell."""
    units = family.large // divisor
    while len(family.make(units)) > LIMIT_BYTES:
        units //= 2
    whole = File(family.path, family.make(units))
    half = File(family.path, family.make(units // 2))
    if _processor_s(whole) < 2 * LEAST_S:
        return None
    # In turns, so that what else the machine does falls on both.
    taken = [(_processor_s(whole), _processor_s(half)) for _ in range(3)]
    ratio = min(of_whole for of_whole, _ in taken) / min(of_half for _, of_half in taken)
    # The families differ in how their bytes grow with their units; a doubling is of bytes.
    return ratio * 2 * len(half.data) / len(whole.data)


def _processor_s(file: File) -> float:
    """Return the seconds of the processor that reading takes.

    The garbage collector rests meanwhile: when it runs depends on what else lives, and not on the file.
    """
    gc.collect()
    gc.disable()
    started_s = time.process_time()
    read(file)
    taken_s = time.process_time() - started_s
    gc.enable()
    return taken_s


def _agreement(name: str, folder: Path) -> list[Row]:
    """Return how many of the links and tags that others find are ours too."""
    theirs = obsidiantools()
    second = counter(BENCH_DATA)
    both: Counter[str] = Counter()
    others: Counter[str] = Counter()
    paths = notes_of(folder)
    for path in paths[:: max(1, len(paths) // AGREEMENT_NOTES)]:
        note = read_note(path.relative_to(folder).as_posix(), path.read_bytes(), graph=_graph(name))
        mine = ours(note)
        pairs = [("links of wikilinks.py", second(note.text), mine.links)] if second else []
        if theirs is not None:
            opinion = theirs(path)
            pairs += [
                ("links of obsidiantools", opinion.links, mine.links),
                ("embeds of obsidiantools", opinion.embeds, mine.embeds),
                ("tags of obsidiantools", opinion.tags, mine.tags),
            ]
        for what, found, own in pairs:
            both[what] += (found & own).total()
            others[what] += found.total()
    return [
        Row(f"{name}: {what} that are ours", both[what], "found", "theirs", count)
        for what, count in others.items()
    ]
