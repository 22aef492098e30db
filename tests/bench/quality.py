"""Whether the right passage comes first: by arm, in one language and across two.

A passage counts when it holds the answer's place in the note. The arms are words alone, meaning alone, both
as they are fused, and both after the second look (D77). All figures are of the half of the articles that
nothing was fitted to; `python -m tests.bench.quality fit` prints the weights from the other half, with both
models, and `crossed` the figures of both halves, each by weights from the other. Old Wikipedia text, asked by
people who had it before them: the figures compare settings and are not absolute. `--quick` asks a tenth.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from pai_daemon.context.passage import Mode, Passage
from pai_daemon.context.search import Searcher
from pai_daemon.models.embedder import Embedder
from tests.bench.bench import indexed, load_model
from tests.bench.data import SAMPLE_VAULT, Question, sample_questions
from tests.bench.quality_answers import answer_rows
from tests.bench.quality_fit import print_crossed, print_weights
from tests.bench.report import Row
from tests.bench.sets import NAMED, POOLED, SETS, Asked, has_sets, questions, ready_vault

DEPTH = 20
QUICK_SHARE = 10
RESAMPLES = 2_000
ARMS: Mapping[str, tuple[Mode, bool]] = {
    "words": ("text", False),
    "meaning": ("semantic", False),
    "fused": ("hybrid", False),
    "hybrid": ("hybrid", True),
}
# recall@5 and MRR@10 that the default model is to reach.
FLOORS = {"English": (0.970, 0.92), "German": (0.988, 0.96), "across": (0.91, 0.82)}
DEFAULT_MODEL = "multilingual-e5-small"

Ranks = dict[str, list[int | None]]


def run(scratch: Path, *, quick: bool, model: str) -> list[Row]:
    """Return recall and MRR@10 by set and arm, and the gain over the better leg; answers, if not quick."""
    embedder = load_model(model)
    if not has_sets():
        return _sample_rows(scratch, embedder)
    found: dict[str, tuple[list[Asked], Ranks]] = {}
    # Titles and headings are asked of real vaults; to index them takes longer than a quick bench may.
    asked_names = {} if quick else {name: ("", name) for name in NAMED}
    for source in dict.fromkeys(of for _, of in ({**SETS, **asked_names}).values()):
        with ready_vault(source, embedder) as ready:
            for name, (_, asked_of) in ({**SETS, **asked_names}).items():
                if asked_of == source:
                    reported = [each for each in questions(name, ready) if each.is_reported]
                    asked = reported[:: QUICK_SHARE if quick else 1]
                    found[name] = asked, _ranks(ready.searcher, asked)
    rows = []
    for name, (asked, ranks) in found.items():
        what = f"titles and headings of {name}" if name in NAMED else name
        rows += _set_rows(what, len(asked), ranks)
    everything: Ranks = {arm: [] for arm in ARMS}
    for name, parts in POOLED.items():
        ranks = _pooled([found[part] for part in parts])
        floors = FLOORS[name] if model == DEFAULT_MODEL and not quick else None
        rows += _set_rows(f"{name}, pooled", len(ranks["hybrid"]), ranks, floors)
        for arm, listed in ranks.items():
            everything[arm] += listed
    rows += _set_rows("all, pooled", len(everything["hybrid"]), everything)
    return rows if quick else rows + answer_rows(scratch, embedder)


def _ranks(searcher: Searcher, asked: Sequence[Asked]) -> Ranks:
    """Return by arm at which place the right passage of each question stands."""
    ranks: Ranks = {}
    for arm, (mode, looks_again) in ARMS.items():
        searcher.looks_again = looks_again
        ranks[arm] = [each.rank(searcher.search(each.text, mode=mode, limit=DEPTH).results) for each in asked]
    return ranks


def _pooled(parts: Sequence[tuple[Sequence[Asked], Ranks]]) -> Ranks:
    """Return the ranks of sets as one; a question that is in two counts once."""
    pooled: Ranks = {arm: [] for arm in ARMS}
    known: set[str] = set()
    for asked, ranks in parts:
        for number, each in enumerate(asked):
            if each.text not in known:
                known.add(each.text)
                for arm in ARMS:
                    pooled[arm].append(ranks[arm][number])
    return pooled


def _set_rows(what: str, count: int, ranks: Ranks, floors: tuple[float, float] | None = None) -> list[Row]:
    """Return the figures of each arm, and the gain of the last over the better leg."""
    rows = []
    for arm, listed in ranks.items():
        for depth in (1, 5, 20):
            share = sum(rank is not None and rank <= depth for rank in listed) / count
            wanted = floors[0] if floors and arm == "hybrid" and depth == 5 else None
            rows.append(_row(f"{what}, {arm}: recall@{depth}", share, count, wanted))
        wanted = floors[1] if floors and arm == "hybrid" else None
        rows.append(_row(f"{what}, {arm}: MRR@10", float(np.mean(_reciprocal(listed))), count, wanted))
    legs = {arm: _reciprocal(ranks[arm]) for arm in ("words", "meaning")}
    better = max(legs, key=lambda arm: float(np.mean(legs[arm])))
    for arm, against in (("hybrid", better), ("hybrid", "fused")):
        gains = _reciprocal(ranks[arm]) - (legs[against] if against in legs else _reciprocal(ranks[against]))
        low, high = interval(gains)
        gain = float(np.mean(gains))
        holds = gain >= 0 and (low > 0 or "pooled" not in what) if against in legs else None
        unit = f"95 %: {low:+.3f} to {high:+.3f}"
        target = ("> 0, clearly" if "pooled" in what else ">= 0") if against in legs else ""
        rows.append(
            Row(f"{what}: MRR@10, {arm} over {against}", round(gain, 4), unit, "", None, target, holds)
        )
    return rows


def _row(what: str, value: float, count: int, floor: float | None) -> Row:
    target = f">= {floor}" if floor else ""
    return Row(
        what, round(value, 3), f"{count} questions", "", None, target, value >= floor if floor else None
    )


def _reciprocal(ranks: Sequence[int | None]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.array([1 / rank if rank is not None and rank <= 10 else 0.0 for rank in ranks])


def interval(gains: np.ndarray[tuple[int], np.dtype[np.float64]]) -> tuple[float, float]:
    """Return between what the mean of paired differences lies, by bootstrap, in 95 of 100 samples."""
    drawn = np.random.default_rng(1).integers(len(gains), size=(RESAMPLES, len(gains)))
    low, high = np.percentile(gains[drawn].mean(axis=1), (2.5, 97.5))
    return float(low), float(high)


def _sample_rows(scratch: Path, embedder: Embedder) -> list[Row]:
    """Return recall@5 by arm on our own sample vault."""
    vault = scratch / "sample-vault"
    shutil.copytree(SAMPLE_VAULT, vault)
    asked = sample_questions()
    rows = []
    with indexed(vault, scratch / "index", embedder) as ready:
        searcher = Searcher(vault, ready.index)
        for arm, (mode, looks_again) in ARMS.items():
            searcher.looks_again = looks_again
            found = [_holds(searcher.search(each.text, mode=mode, limit=5).results, each) for each in asked]
            rows.append(_row(f"sample-vault, {arm}: recall@5", sum(found) / len(found), len(found), None))
    return rows


def _holds(passages: Sequence[Passage], asked: Question) -> bool:
    return any(
        passage.path == asked.path and passage.start_char <= asked.start and asked.end <= passage.end_char
        for passage in passages
    )


if __name__ == "__main__":
    asked_for = {"fit": print_weights, "crossed": print_crossed}
    assert " ".join(sys.argv[1:]) in asked_for, "python -m tests.bench.quality fit, or crossed"
    asked_for[sys.argv[1]]()
