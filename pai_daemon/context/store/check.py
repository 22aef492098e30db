"""Whether an index is sound: what is looked at in an opened store, and what was found. Writes nothing."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pai_daemon.context.filters import Filter
from pai_daemon.context.store.rows import StoredChunk, chunk_id, note_of
from pai_daemon.context.store.store import Store
from pai_daemon.context.store.vector_table import PREFIX, VectorTable
from pai_daemon.context.vectors import Floats
from pai_daemon.errors import IndexUnavailable

LENGTH_TOLERANCE = 1e-3
SAMPLE_CHUNKS = 200
SHOWN = 3
# Letters between blanks: `Area2D` and `drawing.md` are each one word of the tokenizer.
WORD = re.compile(r"(?<!\S)[^\W\d_]{4,20}(?!\S)")


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found of one thing. is_damage: it is not as it must be, and a new index is needed."""

    name: str
    found: str
    is_damage: bool = False


def check(store: Store) -> list[Finding]:
    """Return what was found of every table of an index: counts, and all that is damaged.

    What cannot be read at all is damage as well; nothing is raised.
    """
    try:
        rows = store.chunks.places().to_pylist()
    except IndexUnavailable as error:
        return [Finding("rows", error.detail, is_damage=True)]
    live = [row for row in rows if row["live"]]
    findings = [Finding("rows", f"{len(live):,} live, {len(rows) - len(live):,} dead until upkeep")]
    findings += _ids(rows)
    findings += _notes(live)
    findings += _vectors(store, {row["vector_key"] for row in live})
    findings += _words(store, [row["chunk_id"] for row in live])
    return findings


def _ids(rows: Sequence[Mapping[str, Any]]) -> Iterator[Finding]:
    counts = Counter(row["chunk_id"] for row in rows)
    if twice := [item for item, count in counts.items() if count > 1]:
        yield Finding("chunks", f"more than one row each: {_some(twice)}", is_damage=True)
    if wrong := [row["chunk_id"] for row in rows if row["chunk_id"] != chunk_id(row["path"], row["ordinal"])]:
        yield Finding("chunks", f"named unlike their place: {_some(wrong)}", is_damage=True)


def _notes(live: Sequence[Mapping[str, Any]]) -> Iterator[Finding]:
    """Look at each note: all its chunks of one version of it, without a gap, its facts on the first."""
    notes: dict[str, list[Mapping[str, Any]]] = {}
    for row in live:
        notes.setdefault(row["path"], []).append(row)
    gaps, mixed, factless = [], [], []
    for path, chunks in notes.items():
        ordered = sorted(chunks, key=lambda row: row["ordinal"])
        if [row["ordinal"] for row in ordered] != list(range(len(ordered))):
            gaps.append(path)
        if len({row["content_hash"] for row in ordered}) > 1:
            mixed.append(path)
        try:
            keys = tuple(row["vector_key"] for row in ordered)
            head = ordered[0]
            note_of(head["path"], head["content_hash"], head["title"], keys, json.loads(head["note"]))
        except (ValueError, TypeError, KeyError):
            factless.append(path)
    for found, what in (
        (gaps, "with a gap in their chunks"),
        (mixed, "with chunks of two versions"),
        (factless, "without their facts"),
    ):
        if found:
            yield Finding("notes", f"{len(found):,} {what}: {_some(found)}", is_damage=True)
    yield Finding("notes", f"{len(notes):,}")


def _vectors(store: Store, used: Collection[str]) -> Iterator[Finding]:
    live = store.record.live
    if live is None:
        yield Finding("model", f"none has embedded anything yet; {len(used):,} texts wait")
    elif not store.has_vectors(live.fingerprint):
        # Remembered before the first of them is written: a kill may fall between.
        found = f"the embeddings of {live.name} are missing"
        yield Finding("model", found, is_damage=store.record.was_complete and bool(used))
    for table in store.all_vectors():
        answers = live is not None and table.name == PREFIX + live.fingerprint
        name = live.name if live is not None and answers else table.name.removeprefix(PREFIX)
        yield from _embeddings(table, name, live.dimensions if live is not None and answers else None, used)


def _embeddings(table: VectorTable, name: str, width: int | None, used: Collection[str]) -> Iterator[Finding]:
    """Look at the embeddings of one model; width: its dimensions, None where they are not known."""
    known: set[str] = set()
    faulty: list[str] = []
    try:
        for keys, vectors in table.batches():
            known.update(keys)
            if width is not None and vectors.shape[1] != width:
                found = f"{name}: embeddings of {vectors.shape[1]} numbers in place of {width}"
                yield Finding("embeddings", found, is_damage=True)
                return
            faulty += [keys[place] for place in unsound(vectors)]
    except IndexUnavailable as error:
        yield Finding("embeddings", f"{name}: {error.detail}", is_damage=True)
        return
    if faulty:
        found = f"{name}: {len(faulty):,} not finite or not of length 1: {_some(faulty)}"
        yield Finding("embeddings", found, is_damage=True)
    waiting, unused = len(set(used) - known), len(known - set(used))
    yield Finding(
        "embeddings", f"{name}: {len(known):,}, {unused:,} of them unused; {waiting:,} texts wait for theirs"
    )


def unsound(vectors: Floats) -> list[int]:
    """Return which embeddings are not finite or not of length 1; vectors (n, dimensions) float32."""
    with np.errstate(invalid="ignore", over="ignore"):
        off = np.abs(np.linalg.norm(vectors, axis=1) - 1)
    # Written so that what is no number is off as well.
    places: list[int] = np.flatnonzero(~(off <= LENGTH_TOLERANCE)).tolist()
    return places


def _words(store: Store, ids: Sequence[str]) -> Iterator[Finding]:
    """Look each sampled chunk up by a word of its own that is rare in the sample."""
    wanted = ids[:: max(1, len(ids) // SAMPLE_CHUNKS)][:SAMPLE_CHUNKS]
    try:
        chunks = store.chunks.get(wanted)
        own = _own_words(chunks)
        lost = [
            f"{word} in {item}"
            for item, word in own.items()
            if item not in _found(store, word, chunks[item].path)
        ]
    except IndexUnavailable as error:
        yield Finding("words", error.detail, is_damage=True)
        return
    if lost:
        yield Finding("words", f"not found by the index of words: {_some(lost)}", is_damage=True)
    yield Finding(
        "words", f"{len(own) - len(lost):,} of {len(own):,} sampled chunks found by a word of theirs"
    )


def _own_words(chunks: Mapping[str, StoredChunk]) -> dict[str, str]:
    """Return for each chunk that has any the word that is rarest among these chunks."""
    words = {item: sorted(set(WORD.findall(chunk.content))) for item, chunk in chunks.items()}
    counts = Counter(word for found in words.values() for word in found)
    return {item: min(found, key=lambda word: counts[word]) for item, found in words.items() if found}


def _found(store: Store, word: str, path: str) -> set[str]:
    return {item for item, _ in store.chunks.search(word, 10_000, Filter(folder=path))}


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - SHOWN:,} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more
