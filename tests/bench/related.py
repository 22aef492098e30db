"""Whether what belongs together is related: by hidden links, in both directions, or by a rare tag.

A fifth of the links of each vault is taken out with their words left (see `links`), and whoever was linked is
related; so are notes with a tag that at most five have. Beside ours stand the mean of a note's chunks, as one
vector a note, and ours without the links that are left. What is linked still is left out everywhere. Nothing
of tags is used, so that they tell. Half of the notes, by the hash of their path, are for tuning; figures are
of the other half.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pai_daemon.context.catalog import Catalog
from pai_daemon.context.filters import fold_tag
from pai_daemon.context.index import Index
from pai_daemon.context.linking.evidence import centre
from pai_daemon.context.linking.graph import LinkGraph
from pai_daemon.context.related import Related
from pai_daemon.context.search import Searcher
from pai_daemon.models.embedder import Embedder
from tests.bench.bench import indexed, load_model
from tests.bench.data import BENCH_DATA, is_reported
from tests.bench.links import VAULTS, prepared
from tests.bench.quality import interval
from tests.bench.report import Row

DEPTH = 10
# Of linked notes, which are left out, no note has more among its nearest.
LISTED = 100
RARE = 5
MEAN, ALONE, OURS = "mean of chunks", "ours without links", "ours"
FIGURES = ("recall@5", "recall@10", "nDCG@10")
Figures = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Asked:
    """A note, what belongs to it by hidden links and by tags, and what each arm lists first."""

    source: str
    linked: frozenset[str]
    tagged: frozenset[str]
    listed: Mapping[str, list[str]]
    took_ms: float

    @property
    def is_reported(self) -> bool:
        """Return whether it is of the half that is not for tuning."""
        return is_reported(self.source)


def run(scratch: Path, *, quick: bool, model: str) -> list[Row]:
    """Return how much of what belongs together each arm lists, and what ours gains, with intervals."""
    if not BENCH_DATA.exists():
        return [Row("the bench data is not here", None, "")]
    embedder = load_model("small" if quick else model)
    rows: list[Row] = []
    every: list[Asked] = []
    for name in VAULTS[:1] if quick else VAULTS:
        asked = list(_asked(name, scratch, embedder))
        rows += _rows(f"{name}, reported half", [each for each in asked if each.is_reported])
        every += asked
    for label, reported in (("tuning half", False), ("reported half", True)):
        half = [each for each in every if each.is_reported == reported]
        rows += _rows(f"all vaults, {label}", half)
        rows += [row for against in (MEAN, ALONE) for row in _gains(f"all vaults, {label}", half, against)]
    took_ms = float(np.median([each.took_ms for each in every]))
    return [*rows, Row("related notes of one, median", round(took_ms, 1), "ms")]


def _asked(name: str, scratch: Path, embedder: Embedder) -> Iterator[Asked]:
    vault, gold = prepared(name, scratch, "left")
    with indexed(vault, scratch / f"{name}-left-index", embedder) as ready:
        index, searcher = ready.index, Searcher(vault, ready.index)
        graph = LinkGraph(index.catalog)
        graph.renew(index.revision)
        ours = Related(vault, index, searcher, graph)
        alone = Related(vault, index, searcher, LinkGraph(Catalog()))
        paths, centres = _centres(index)
        hidden, tagged = _linked(gold), _tagged(index.catalog)
        for row, source in enumerate(paths):
            left = frozenset(paths) - graph.around(source) - {source}
            linked, shared = left & hidden[source], left & tagged[source]
            if not linked | shared:
                continue
            found = [each.path for each in ours.to_note(source, LISTED)]
            started_s = time.perf_counter()
            ours.to_note(source)
            took_ms = (time.perf_counter() - started_s) * 1000
            near = np.argsort(-(centres @ centres[row]), kind="stable")
            listed = {
                MEAN: [paths[other] for other in near],
                ALONE: [each.path for each in alone.to_note(source, LISTED)],
                OURS: found,
            }
            first = {arm: [path for path in some if path in left][:DEPTH] for arm, some in listed.items()}
            yield Asked(source, linked, shared, first, took_ms)


def _centres(index: Index) -> tuple[list[str], NDArray[np.float32]]:
    """Return the notes that are embedded, and one vector for each."""
    found = {
        note.path: centre(vectors)
        for note in index.catalog.notes()
        if len(vectors := index.space.matrix.get(note.vector_keys))
    }
    return list(found), np.stack(list(found.values()))


def _linked(gold: Mapping[str, set[str]]) -> Mapping[str, set[str]]:
    """Return for each note those that a hidden link led to or came from."""
    found = defaultdict[str, set[str]](set)
    for source, targets in gold.items():
        for target in targets:
            found[source].add(target)
            found[target].add(source)
    return found


def _tagged(catalog: Catalog) -> Mapping[str, set[str]]:
    """Return for each note those that share a rare tag with it."""
    by_tag = defaultdict[str, set[str]](set)
    for note in catalog.notes():
        for tag in note.tags:
            by_tag[fold_tag(tag)].add(note.path)
    found = defaultdict[str, set[str]](set)
    for paths in by_tag.values():
        if len(paths) <= RARE:
            for path in paths:
                found[path] |= paths - {path}
    return found


def _rows(label: str, asked: Sequence[Asked]) -> Iterator[Row]:
    for what, some in _kinds(asked):
        for arm in (MEAN, ALONE, OURS):
            means = _figures(some, arm).mean(axis=0)
            for name, value in zip(FIGURES, means, strict=True):
                yield Row(f"{label}, {what}: {arm}, {name}", round(float(value), 3), f"{len(some)} notes")


def _kinds(asked: Sequence[Asked]) -> Iterator[tuple[str, list[tuple[Asked, frozenset[str]]]]]:
    """Yield what belongs to each note: all of it, by hidden links and by tags."""
    kinds = {
        "both": [(each, each.linked | each.tagged) for each in asked],
        "hidden links": [(each, each.linked) for each in asked],
        "rare tags": [(each, each.tagged) for each in asked],
    }
    for what, every in kinds.items():
        if some := [(each, wanted) for each, wanted in every if wanted]:
            yield what, some


def _gains(label: str, asked: Sequence[Asked], against: str) -> Iterator[Row]:
    """Yield what ours gains over another arm, with the interval of the paired differences."""
    some = [(each, each.linked | each.tagged) for each in asked]
    gains = _figures(some, OURS) - _figures(some, against)
    for name, column in zip(FIGURES, gains.T, strict=True):
        low, high = interval(column)
        unit = f"95 %: {low:+.3f} to {high:+.3f}"
        gain = round(float(column.mean()), 3)
        what = f"{label}: {name}, ours over {against}"
        yield Row(what, gain, unit, target="> 0, clearly", holds=low > 0)


def _figures(asked: Sequence[tuple[Asked, frozenset[str]]], arm: str) -> Figures:
    """Return of each note the FIGURES: (notes, 3) float64."""
    return np.array([_figures_of(each.listed[arm], wanted) for each, wanted in asked])


def _figures_of(listed: Sequence[str], wanted: frozenset[str]) -> tuple[float, float, float]:
    hits = np.array([path in wanted for path in listed])
    discounts = 1 / np.log2(np.arange(DEPTH) + 2)
    best = discounts[: len(wanted)].sum()
    return (
        hits[:5].sum() / len(wanted),
        hits.sum() / len(wanted),
        (hits * discounts[: len(hits)]).sum() / best,
    )
