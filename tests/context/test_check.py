"""What is damaged in an index is found, what is sound is not called damaged, and nothing is written."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import lancedb
import numpy as np
import pyarrow as pa
import pytest

from pai_daemon.context.space import ModelName
from pai_daemon.context.store.check import check
from pai_daemon.context.store.record import Record, write_record
from pai_daemon.context.store.rows import CHUNKS_SCHEMA, rows_of
from pai_daemon.context.store.store import Store
from pai_daemon.errors import IndexUnavailable
from tests.context.test_store import written

MODEL = ModelName("model", "f1", 4, "model")
NOTES = [written("a.md", "alpha heron", "beta stork"), written("b.md", "gamma plover")]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return the folder of a sound index: two notes, of whose three texts two are embedded."""
    store = Store(tmp_path / "index")
    store.commit(NOTES, {})
    store.remember(Record(MODEL))
    keys = ["key-alpha heron", "key-beta stork", "key-unused"]
    store.vectors("f1").add(keys, np.eye(4, dtype=np.float32)[:3])
    return tmp_path / "index"


def damage(folder: Path) -> list[str]:
    """Return what is said to be damaged."""
    return [f"{each.name}: {each.found}" for each in check(Store.read_only(folder)) if each.is_damage]


def table(folder: Path, name: str = "chunks") -> Any:
    """Return a table as LanceDB has it, behind the store's back."""
    return lancedb.connect(str(folder / "tables")).open_table(name)


def test_sound_index_has_no_damage_and_is_counted(folder: Path) -> None:
    """What waits for its embedding and what nobody uses is counted; the sampled words are found."""
    found = [each.found for each in check(Store.read_only(folder))]
    assert damage(folder) == []
    assert "3 live, 0 dead until upkeep" in found
    assert "model: 3, 1 of them unused; 1 texts wait for theirs" in found
    assert "3 of 3 sampled chunks found by a word of theirs" in found


def test_parts_of_words_are_not_looked_for(folder: Path) -> None:
    """What the tokenizer takes for one word is not asked for in part, and so not said to be lost."""
    Store(folder).commit([written("c.md", "Area2D drawing.excalidraw don't x3AKNaut")], {})
    assert damage(folder) == []


def test_dead_rows_are_no_damage(folder: Path) -> None:
    """A note that was taken out is counted as dead rows until upkeep."""
    Store(folder).commit([], {"a.md": 2})
    assert damage(folder) == []
    assert "1 live, 2 dead until upkeep" in [each.found for each in check(Store.read_only(folder))]


def add(*rows: dict[str, Any]) -> Callable[[Path], None]:
    """Return what writes rows that no commit would."""
    return lambda folder: table(folder).add(pa.Table.from_pylist(list(rows), schema=CHUNKS_SCHEMA))


def embed(*vector: float) -> Callable[[Path], None]:
    """Return what writes an embedding as it is."""
    return lambda folder: Store(folder).vectors("f1").add(["key-x"], np.array([vector], np.float32))


def cut(part: str) -> Callable[[Path], None]:
    """Return what cuts the files of a table short."""

    def halve(folder: Path) -> None:
        for path in (folder / "tables" / part).rglob("*.lance"):
            path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])

    return halve


def without_words(folder: Path) -> None:
    """Take the words out of the index of words, and leave the text."""
    table(folder).optimize()
    for path in sorted((folder / "tables" / "chunks.lance" / "_indices").rglob("*invert*")):
        path.write_bytes(path.read_bytes()[:16])


_ROWS = list(rows_of(*NOTES[0]))


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (add(_ROWS[1]), "chunks: more than one row each: a.md#1"),
        (add(_ROWS[1] | {"chunk_id": "a.md#7", "ordinal": 7}), "notes: 1 with a gap in their chunks: a.md"),
        (add(_ROWS[0] | {"chunk_id": "c", "path": "c.md"}), "chunks: named unlike their place: c"),
        (
            add(_ROWS[1] | {"chunk_id": "a.md#2", "ordinal": 2, "content_hash": "other"}),
            "notes: 1 with chunks of two versions: a.md",
        ),
        (
            add(_ROWS[0] | {"chunk_id": "c.md#0", "path": "c.md", "note": None}),
            "notes: 1 without their facts: c.md",
        ),
        (embed(2, 0, 0, 0), "embeddings: model: 1 not finite or not of length 1: key-x"),
        (embed(np.inf, 0, 0, 0), "embeddings: model: 1 not finite or not of length 1: key-x"),
        (cut("vectors-f1.lance/data"), "embeddings: model: The index failed"),
        (cut("chunks.lance/data"), "rows: The index failed"),
        (without_words, "words: The index failed"),
    ],
    ids=["twice", "gap", "name", "versions", "facts", "length", "finite", "vectors", "text", "words"],
)
def test_damage_is_found_and_named(folder: Path, harm: Callable[[Path], None], said: str) -> None:
    """Each kind of damage is told from a sound index, with what it concerns."""
    harm(folder)
    assert any(each.startswith(said) for each in damage(folder)), damage(folder)


def test_embeddings_of_another_width_are_damage(folder: Path) -> None:
    """An index whose record names another width than its embeddings have is damaged."""
    write_record(folder, Record(replace(MODEL, dimensions=8)))
    assert damage(folder) == ["embeddings: model: embeddings of 4 numbers in place of 8"]


def test_check_writes_nothing(folder: Path) -> None:
    """An index that is opened to be read, and checked, is what it was, and no file was written again."""

    def files() -> dict[str, tuple[int, bytes]]:
        found = (path for path in folder.rglob("*") if path.is_file())
        return {str(path): (path.stat().st_mtime_ns, path.read_bytes()) for path in found}

    before = files()
    check(Store.read_only(folder))
    assert files() == before


@pytest.mark.parametrize("stamp", ['{"schema": 3}', '{"schema": 99}', "{", None])
def test_index_of_another_schema_is_not_opened_to_be_read(folder: Path, stamp: str | None) -> None:
    """It is left as it is, and the error says what takes it over."""
    (folder / "schema.json").unlink()
    if stamp is not None:
        (folder / "schema.json").write_text(stamp, "utf-8")
    with pytest.raises(IndexUnavailable, match="schema"):
        Store.read_only(folder)
    assert (folder / "tables" / "chunks.lance").is_dir()


def test_folder_without_an_index_is_not_made_into_one(folder: Path, tmp_path: Path) -> None:
    """Nothing is written where there is nothing to read."""
    with pytest.raises(IndexUnavailable, match="no index"):
        Store.read_only(tmp_path / "none")
    assert not (tmp_path / "none").exists()
    shutil.rmtree(folder / "tables" / "chunks.lance")
    with pytest.raises(IndexUnavailable):
        Store.read_only(folder)
    assert not (folder / "tables" / "chunks.lance").exists()
