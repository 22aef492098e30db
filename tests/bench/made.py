"""Indexes of any size: real text, repeated with the words of other notes mixed in, and random vectors."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np

from pai_daemon.context.catalog import IndexedNote
from pai_daemon.context.reading import Reader
from pai_daemon.context.space import ModelName
from pai_daemon.context.store.rows import StoredChunk
from pai_daemon.context.store.store import Store
from pai_daemon.context.vectors import Floats
from pai_daemon.vault.ignore import IgnoreRules
from pai_daemon.vault.scan import read_bytes, scan

Written = tuple[IndexedNote, list[StoredChunk]]
READ_BYTES = 2**21
WINDOW_NOTES = 2000


def read_notes(vault: Path) -> list[Written]:
    """Return every note of a vault that has text, as the indexer writes it."""
    reader = Reader(READ_BYTES, lambda _block: None)
    found = []
    for path, stat in scan(vault, IgnoreRules.of(vault)).files.items():
        data, content_hash = read_bytes(vault, path, READ_BYTES)
        read = reader.index(path, data, stat, content_hash, ())
        if read is not None and read[1]:
            found.append((read[0], list(read[1])))
    return found


def copies(notes: list[Written], folder: str) -> Iterator[Written]:
    """Yield the notes without end, each time in a folder of their own and with words of other notes."""
    choose = random.Random(folder)
    texts = [chunk.text for _, chunks in notes for chunk in chunks]
    time = 0
    while True:
        for note, chunks in notes:
            yield _copy(note, chunks, f"{folder} {time}/{note.path}", choose, texts)
        time += 1


def _copy(
    note: IndexedNote, chunks: list[StoredChunk], path: str, choose: random.Random, texts: list[str]
) -> Written:
    made = []
    for chunk in chunks:
        own, other = chunk.text.split(" "), choose.choice(texts).split(" ")
        text = " ".join([*own[: len(own) // 2 + 1], *other[len(other) // 2 :]])
        key = hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
        made.append(replace(chunk, path=path, text=text, content=text, vector_key=key))
    return replace(note, path=path, vector_keys=tuple(chunk.vector_key for chunk in made)), made


def at_least(chunks: int, notes: Iterator[Written]) -> Iterator[Written]:
    """Yield notes until they have so many chunks."""
    while chunks > 0:
        note = next(notes)
        chunks -= len(note[1])
        yield note


def random_vectors(count: int, dimensions: int) -> Floats:
    """Return vectors of length 1: (count, dimensions) float32, the same ones every time."""
    vectors: Floats = np.random.default_rng(1).standard_normal((count, dimensions), np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors


def mixed_vectors(real: Floats, count: int, seed: int) -> Floats:
    """Return vectors of length 1 that lie as real ones do: each between two of them, and a little beside."""
    chance = np.random.default_rng(seed)
    one, other = chance.integers(len(real), size=(2, count))
    share = chance.uniform(0.5, 1, (count, 1)).astype(np.float32)
    vectors: Floats = share * real[one] + (1 - share) * real[other]
    vectors += 0.35 * float(vectors.std()) * chance.standard_normal(vectors.shape, np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors


def make_index(folder: Path, notes: list[Written], chunks: int, model: ModelName) -> None:
    """Write an index of so many chunks, tidied up, whose vectors are random."""
    store = Store(folder)
    wanted = at_least(chunks, copies(notes, "Copy"))
    keys: dict[str, None] = {}
    while window := list(islice(wanted, WINDOW_NOTES)):
        store.commit(window, {})
        keys.update((key, None) for note, _ in window for key in note.vector_keys)
    store.vectors(model.fingerprint).add(list(keys), random_vectors(len(keys), model.dimensions))
    store.tidy()
