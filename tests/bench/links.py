"""Whether the link that a person set is suggested, and how sure the suggestions are.

A fifth of the links of each vault is taken out (`link_holdout.py` of the bench data, seed 1): once their
words are left as plain text, once they are taken out as well. Beside ours stand mentions by name alone, the
vectors of whole notes (the mean of their chunks), and both, one after the other. How sure to be is measured
on notes whose links were all taken out: right is what the author had linked. `--quick` is the first vault
with the small model.

Half of the notes, by the hash of their path, are for tuning: `python -m tests.bench.links fit` prints the
table of `context.linking.weights` from them. The rows named "reported half" are of the other notes alone.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import random
import shutil
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pai_daemon.context.catalog import Catalog
from pai_daemon.context.linking.evidence import FEATURES, Table, centre
from pai_daemon.context.linking.graph import LinkGraph
from pai_daemon.context.linking.kept import Kept
from pai_daemon.context.linking.linker import Linker, is_ambiguous
from pai_daemon.context.linking.names import KINDS
from pai_daemon.context.linking.weights import TELLING, are_sure, confidence
from pai_daemon.context.reading import Reader
from pai_daemon.context.search import Searcher
from pai_daemon.context.space import EmbeddingModel
from pai_daemon.models.embedder import Embedder
from pai_daemon.vault.folder import layout_of
from tests.bench.bench import indexed, load_model
from tests.bench.data import BENCH_DATA, is_reported, quiet_folder, unpack
from tests.bench.report import Row
from tests.context.conftest import Hashed

VAULTS = ("vault-tasks-docs-en", "vault-universus-de", "graph-logseq-docs-en")
LARGE = "vault-zettelkasten-en"
SHARE, SEED = 0.2, 1
ALONE_OF = 4
MOST_NOTES = 600
WORDS, LONG = 2_000, "Two thousand words.md"
TARGET_MS = 60.0
# Of the evidence that may be missing, as features; and how much a note without it counts in fitting.
MEANING = ("whole near", "part near", "parts near", "kin link")
LINKS = ("links here", "linked", "adamic", "walked", "kin link")
MISSING_COUNTS = 0.1
RIDGE = 1.0


@dataclass(slots=True)
class Asked:
    """A note with links taken out: gold are their targets; ours, mentions and near rank candidates."""

    source: str
    gold: set[str]
    paths: list[str]
    rows: Table
    mentioned: list[bool]
    ours: list[str]
    mentions: list[str]
    near: list[str]

    @property
    def is_reported(self) -> bool:
        """Return whether it is of the half that is not for tuning."""
        return is_reported(self.source)

    def both(self) -> list[str]:
        """Return mentions, then what is near."""
        return self.mentions + [path for path in self.near if path not in self.mentions]


def run(scratch: Path, *, quick: bool, model: str) -> list[Row]:
    """Return how many links are recovered, how sure suggestions are, and what one note costs."""
    if not BENCH_DATA.exists():
        return [Row("the bench data is not here", None, "")]
    embedder = load_model("small" if quick else model)
    rows: list[Row] = []
    every: list[Asked] = []
    for name in VAULTS[:1] if quick else VAULTS:
        left, bare, alone = _measured(name, scratch, embedder)
        for label, asked in (("words left", left), ("words taken out", bare)):
            rows += _recovery(f"{name}, {label}", asked, is_bare=asked is bare)
            reported = [each for each in asked if each.is_reported]
            rows += _recovery(f"{name}, {label}, reported half", reported, is_bare=asked is bare)
        rows += _precision(name, alone)
        every += alone
    if quick:
        return [replace(row, what=f"{row.what} (small model)") for row in rows]
    rows += _precision("all vaults", every)
    rows += _cost(scratch)
    return rows


def _measured(name: str, scratch: Path, embedder: Embedder) -> tuple[list[Asked], list[Asked], list[Asked]]:
    made = [prepared(name, scratch, kind) for kind in ("left", "bare", "alone")]
    left, bare, alone = (asked(vault, scratch / f"{name}-index", embedder, gold) for vault, gold in made)
    return left, bare, alone


def prepared(name: str, scratch: Path, kind: str, seed: int = SEED) -> tuple[Path, dict[str, set[str]]]:
    """Return a copy of a vault without some of its links, and the targets of those by their source.

    kind: left, with the words of the links; bare, without; alone: a quarter of the notes without all links.
    """
    original = scratch / "original" / name
    if not original.exists():
        assert unpack(name, scratch / "original") is not None
    folder = scratch / f"{name}-{kind}-{seed}"
    script = _holdout()
    if kind == "alone":
        script.random = _Alone  # type: ignore[attr-defined]
    script.hold_out(original, folder, SHARE, seed)
    vault = folder / "vault"
    if name.startswith("graph-logseq"):  # the archive has no settings, by which a graph is known
        (vault / "logseq").mkdir(exist_ok=True)
        (vault / "logseq" / "config.edn").write_text("{:file/name-format :triple-lowbar}\n", "utf-8")
    held = [json.loads(line) for line in (folder / "heldout_links.jsonl").read_text("utf-8").splitlines()]
    if kind == "bare":
        _take_words_out(vault, held)
    gold: dict[str, set[str]] = defaultdict(set)
    for link in held:
        gold[link["source"]].add(link["target"])
    return vault, gold


def _holdout() -> ModuleType:
    sys.path.insert(0, str(BENCH_DATA))
    try:
        spec = importlib.util.spec_from_file_location("link_holdout", BENCH_DATA / "link_holdout.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module
    finally:
        sys.path.remove(str(BENCH_DATA))


class _Alone:
    """Stands for `random` in the script: draws all links of some notes, and no other."""

    class Random(random.Random):
        """Draws by the note and not by chance."""

        def sample(self, population: Any, k: int, *, counts: Any = None) -> list[Any]:
            """Return the links of a quarter of the notes."""
            return [each for each in population if _hash(f"alone{each[0].as_posix()}") % ALONE_OF == 0]


def _hash(text: str) -> int:
    return hashlib.sha256(text.encode()).digest()[0]


def _take_words_out(vault: Path, held: Sequence[dict[str, Any]]) -> None:
    for link in sorted(held, key=lambda each: -len(each["display"])):
        path = vault / link["source"]
        with path.open(encoding="utf-8", newline="") as file:
            lines = file.read().split("\n")
        lines[link["line"] - 1] = lines[link["line"] - 1].replace(link["display"], "", 1)
        with path.open("w", encoding="utf-8", newline="") as file:
            file.write("\n".join(lines))


@contextmanager
def _linker(
    vault: Path, folder: Path, embedder: EmbeddingModel
) -> Iterator[tuple[Linker, Reader, Catalog, Any]]:
    with indexed(vault, folder, embedder) as ready:
        reader = Reader(2**21, ready.index.catalog.block_text, vault_name=vault.name)
        reader.graph = layout_of(vault).graph
        kept = Kept(folder.with_name(f"{folder.name}-links.json"))
        searcher = Searcher(vault, ready.index)
        yield (
            Linker(vault, ready.index, searcher, reader, kept, graph=LinkGraph(ready.index.catalog)),
            reader,
            ready.index.catalog,
            ready.index.space,
        )


def asked(vault: Path, folder: Path, embedder: Embedder, gold: dict[str, set[str]]) -> list[Asked]:
    """Return what is suggested for each note with links taken out. folder: of an index, which is reused."""
    found = []
    with _linker(vault, folder, embedder) as (linker, reader, catalog, space):
        centres = {
            note.path: centre(vectors)
            for note in catalog.notes()
            if len(vectors := space.matrix.get(note.vector_keys))
        }
        paths, matrix = list(centres), np.stack(list(centres.values()))
        for source in sorted(gold, key=_hash)[:MOST_NOTES]:
            known = catalog.get(source)
            if known is None:
                continue
            evidence, sureness = linker.weighed(reader.read(source, (vault / source).read_bytes()), known)
            listed = [each.path for each in evidence.candidates]
            order = np.argsort(-np.array(sureness), kind="stable")
            linked = {source, *catalog.linked(source)}
            near = matrix @ centres[source] if source in centres else np.zeros(len(paths))
            plain = [each for each in evidence.candidates if _is_plain(each)]
            plain.sort(key=lambda each: each.mention.start if each.mention else 0)
            found.append(
                Asked(
                    source,
                    gold[source],
                    listed,
                    evidence.rows,
                    [each.mention is not None and not is_ambiguous(each) for each in evidence.candidates],
                    [listed[row] for row in order],
                    [each.path for each in plain],
                    [paths[row] for row in np.argsort(-near, kind="stable") if paths[row] not in linked],
                )
            )
    return found


def _is_plain(each: Any) -> bool:
    """Return whether a title or an alias stands in the text as it is, as a plain search would find it."""
    names = KINDS[:2]
    if each.mention is None or each.mention.inflected or each.named.kind not in names:
        return False
    return len({owner.path for owner in each.mention.owners if owner.kind in names}) == 1


def _recovery(label: str, asked: Sequence[Asked], *, is_bare: bool) -> list[Row]:
    count = f"{sum(len(each.gold) for each in asked)} links"
    arms: dict[str, Callable[[Asked], list[str]]] = {
        "mentions": lambda each: each.mentions,
        "vectors of notes": lambda each: each.near,
        "mentions, then vectors": Asked.both,
        "ours": lambda each: each.ours,
    }
    shares = {name: {k: _recall(asked, arm, k) for k in (3, 10)} for name, arm in arms.items()}
    rows = [
        Row(f"{label}: {name} r@{k}", share, count)
        for name, by_rank in shares.items()
        if name != "ours"
        for k, share in by_rank.items()
    ]
    base = shares["vectors of notes" if is_bare else "mentions, then vectors"]
    for k, share in shares["ours"].items():
        wanted = 1.3 * base[k] if is_bare else base[3] + 0.1 if k == 3 else 1 - (1 - base[10]) * 2 / 3
        name = "vectors of notes" if is_bare else "mentions, then vectors"
        target = f">= {wanted:.3f}"
        rows.append(Row(f"{label}: ours r@{k}", share, count, name, base[k], target, share >= wanted))
    return rows


def _recall(asked: Sequence[Asked], arm: Callable[[Asked], list[str]], k: int) -> float:
    total = sum(len(each.gold) for each in asked)
    return round(sum(len(each.gold & set(arm(each)[:k])) for each in asked) / max(1, total), 3)


def _precision(label: str, asked: Sequence[Asked]) -> Iterator[Row]:
    """Yield how many of the suggestions in the text are links that the author had set."""
    for half, some in (("", asked), (", reported half", [each for each in asked if each.is_reported])):
        for name, read, target in (("sure", are_sure, 0.9), ("told", _are_told, None)):
            right = [
                path in each.gold
                for each in some
                for path, shown, mentioned in zip(each.paths, read(each.rows), each.mentioned, strict=True)
                if mentioned and shown
            ]
            share = round(sum(right) / max(1, len(right)), 3)
            yield Row(
                f"{label}{half}: precision of mentions that are {name}",
                share,
                f"{len(right)} mentions",
                target=f">= {target}" if target else "",
                holds=share >= target if target else None,
            )


def _are_told(rows: Table) -> NDArray[np.bool_]:
    return are_sure(rows) | (confidence(rows) >= TELLING)


def _cost(scratch: Path) -> Iterator[Row]:
    """Yield how long the suggestions for one note of 2,000 words take among thirteen thousand notes.

    Embeddings are drawn by chance, in the width of the default model: to compare others takes as long.
    """
    embedder = Hashed("by chance", 384)
    vault = unpack(LARGE, scratch)
    assert vault is not None
    texts = (path.read_text("utf-8").split() for path in sorted(vault.rglob("*.md"))[::40])
    words = [word for text in texts for word in text][:WORDS]
    lines = (" ".join(words[at : at + 12]) for at in range(0, len(words), 12))
    text = "\n\n".join(lines)
    (vault / LONG).write_text(text, "utf-8")
    with _linker(vault, scratch / f"{LARGE}-index", embedder) as (linker, _, catalog, _space):
        linker.links_of(LONG)
        took_ms = [_question_ms(linker) for _ in range(30)]
        edited_ms = []
        for number in range(5):
            before = catalog.get(LONG)
            (vault / LONG).write_text(f"{text}\n\n# Heading {number}\n", "utf-8")
            while catalog.get(LONG) is before:
                time.sleep(0.01)
            edited_ms.append(_question_ms(linker))
        what = f"suggestions for a note of {WORDS:,} words among {len(catalog):,} notes, median"
        for label, measured in ((what, took_ms), (f"{what}, right after an edit", edited_ms)):
            median = round(float(np.median(measured)), 1)
            yield Row(label, median, "ms", target=f"<= {TARGET_MS:.0f}", holds=median <= TARGET_MS)


def _question_ms(linker: Linker) -> float:
    started_s = time.perf_counter()
    linker.links_of(LONG)
    return (time.perf_counter() - started_s) * 1000


# Fitting.


def fit(asked: Sequence[Asked]) -> NDArray[np.float64]:
    """Return bias and weights of a logistic regression with a ridge, by Newton's method.

    Each note counts again, a little, as if it were not embedded, and as if its vault had no links.
    """
    tables, gold, counts = [], [], []
    for each in asked:
        for missing in ((), MEANING, LINKS, (*MEANING, *LINKS)):
            rows = each.rows.copy()
            rows[:, [FEATURES.index(name) for name in missing]] = 0.0
            rows[:, FEATURES.index("no meaning")] = float(MEANING[0] in missing)
            rows[:, FEATURES.index("no links")] = float(LINKS[0] in missing)
            tables.append(rows)
            gold.append([path in each.gold for path in each.paths])
            counts.append(np.full(len(rows), MISSING_COUNTS if missing else 1.0))
    table, right, count = np.concatenate(tables), np.concatenate(gold).astype(float), np.concatenate(counts)
    mean, spread = table.mean(axis=0), table.std(axis=0) + 1e-9
    scaled = np.column_stack([np.ones(len(table)), (table - mean) / spread])
    weights = np.zeros(scaled.shape[1])
    ridge = np.diag([0.0, *[RIDGE] * len(FEATURES)])
    for _ in range(100):
        probable = 1 / (1 + np.exp(-np.clip(scaled @ weights, -30, 30)))
        slope = scaled.T @ (count * (right - probable)) - ridge @ weights
        bend = (scaled * (count * probable * (1 - probable))[:, None]).T @ scaled
        step = np.linalg.solve(bend + ridge + 1e-3 * np.eye(len(weights)), slope)
        weights += step * min(1.0, 2 / np.abs(step).max())
        if np.abs(step).max() < 1e-6:
            break
    found: NDArray[np.float64] = np.concatenate(
        [[weights[0] - (weights[1:] * mean / spread).sum()], weights[1:] / spread]
    )
    return found


def main() -> None:
    """Print the table of weights, from the tuning halves of the vaults."""
    embedder = load_model("multilingual-e5-small")
    tuning = []
    with quiet_folder(Path("/tmp/pai-bench-fit")) as scratch:
        for name in VAULTS:
            for kind, seed in (("left", 1), ("bare", 1), ("left", 2)):
                vault, gold = prepared(name, scratch, kind, seed)
                found = asked(vault, scratch / f"{name}-index", embedder, gold)
                tuning += [each for each in found if not each.is_reported]
            shutil.rmtree(scratch / f"{name}-index")
    bias, *weights = fit(tuning)
    print(f"BIAS = {bias:.2f}")
    for name, weight in zip(FEATURES, weights, strict=True):
        print(f'    "{name}": {weight:.2f},')


if __name__ == "__main__":
    assert sys.argv[1:] == ["fit"], "python -m tests.bench.links fit"
    main()
