"""Reading notes: against the bare Markdown parser, against embedding, and as nasty files grow.

Every reference is run on the same texts in the same run. What embedding the vault would take is the time of
a sample, by tokens; what twice the size costs is the quotient of two times.
"""

from __future__ import annotations

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
from tests.notes.chunk_edits import EDITS, new_contents
from tests.notes.nasty_families import FAMILIES
from tests.notes.nasty_reader import doubling
from tests.notes.opinions import counter, notes_of, obsidiantools, ours

VAULTS = ("vault-zettelkasten-en", "vault-tasks-docs-en", "vault-universus-de", "graph-logseq-docs-en")
QUICK_VAULTS = VAULTS[1:3]
SAMPLE_TEXTS = 64
# obsidiantools takes 23 ms a note.
AGREEMENT_NOTES, QUICK_AGREEMENT_NOTES = 600, 50
DOUBLING = 2.6


def run(scratch: Path, *, quick: bool, model: str) -> list[Row]:
    """Return speed, the share of embedding, growth with size, and agreement with other programs."""
    vaults = [vault(name, scratch) for name in (QUICK_VAULTS if quick else VAULTS)]
    by_name = {name: folder for folder, name in vaults}
    rows: list[Row] = []
    for name, folder in by_name.items():
        rows += _speed(name, _texts(folder))
    name, folder = next(iter(by_name.items()))
    rows += _share(name, _texts(folder), load_model(model))
    rows += _moved(quick)
    rows += _growth(24 if quick else 1)
    for name, folder in by_name.items():
        rows += _agreement(name, folder, QUICK_AGREEMENT_NOTES if quick else AGREEMENT_NOTES)
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
    """Yield the time of reading, links and chunks beside that of the bare parser on the same texts."""
    size = sum(map(len, texts.values())) / 1e6
    decoded = [data.decode("utf-8", "replace") for data in texts.values()]
    whole = MarkdownIt("commonmark").enable("table")
    blocks = MarkdownIt("commonmark").enable("table").disable("inline")
    what = f"{name}, {len(texts):,} notes, {size:.1f} MB: read, links and chunks"
    ours_s = _least_s(lambda: _read(name, texts))
    bare_s = _least_s(lambda: [whole.parse(text) for text in decoded])
    yield Row(what, ours_s, "s", "markdown-it-py, bare", bare_s, "<= 2 x it", ours_s <= 2 * bare_s)
    bare_s = _least_s(lambda: [blocks.parse(text) for text in decoded])
    yield Row(what, ours_s, "s", "markdown-it-py, blocks only", bare_s)


def _moved(quick: bool) -> Iterator[Row]:
    """Yield how many contents are new after one edit among 200 paragraphs, by kind of edit."""
    times = 60 if quick else 400
    for kind in EDITS:
        found = sorted(new_contents(kind, seed) for seed in range(times))
        what = f"{kind} among 200 paragraphs, {times} edits: new contents"
        median = found[times // 2]
        target = "" if kind == "one more" else "1"
        yield Row(f"{what}, median", median, "contents", target=target, holds=median <= 1 if target else None)
        over = sum(count > 3 for count in found) / times
        yield Row(f"{what}, more than three", over, "of the edits", target="0", holds=not over)


def _share(name: str, texts: dict[str, bytes], embedder: Embedder) -> Iterator[Row]:
    """Yield the time of reading beside that of embedding, and how many contents do not fit a window."""
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
    longer = sum(len(windows) > 1 for windows in tokenizer.windows(contents, prefix)) / len(contents)
    yield Row(f"{name}: contents over one window of {embedder.profile.max_tokens} tokens", longer, "of all")
    yield Row(
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
    """Return how many families cost more than linear, and the worst of them."""
    found = {
        name: doubling(family, max(family.large // divisor, 2), DOUBLING)[0]
        for name, family in FAMILIES.items()
    }
    ratios = {name: ratio for name, ratio in found.items() if ratio is not None}
    over = sum(ratio > DOUBLING for ratio in ratios.values())
    what = f"nasty files: of {len(ratios)} families long enough to tell, twice the size costs over {DOUBLING}"
    rows = [Row(what, over, "families", target="0", holds=not over)]
    for name in sorted(ratios, key=lambda name: -ratios[name])[:5]:
        what, ratio = f"nasty files: {name}, twice the size", ratios[name]
        rows.append(Row(what, ratio, "times", target=f"<= {DOUBLING}", holds=ratio <= DOUBLING))
    return rows


def _agreement(name: str, folder: Path, most: int) -> list[Row]:
    """Return how many of the links and tags that others find are ours too, in most or fewer of the notes.

    `test_differential` holds the reasons of the differences.
    """
    theirs = obsidiantools()
    second = counter(BENCH_DATA)
    both: Counter[str] = Counter()
    others: Counter[str] = Counter()
    paths = notes_of(folder)
    for path in paths[:: max(1, -(-len(paths) // most))]:
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
