"""Whatever is damaged in an index, it opens, ends sound, and keeps the embeddings that are (D6, D58)."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from pai_daemon.context.filters import EVERYTHING, Filter
from pai_daemon.context.index import Index
from pai_daemon.context.space import ModelName
from pai_daemon.context.store.check import check
from pai_daemon.context.store.rebuild import ANEW, FORMER
from pai_daemon.context.store.record import Record
from pai_daemon.context.store.store import TABLES, Store
from pai_daemon.errors import IndexUnavailable
from tests.context.test_store import Written, written

MODEL = ModelName("model", "f1", 4, "model")
OTHER = ModelName("other", "other", 8, "other")
NOTES = [written(f"n{number}.md", f"heron alpha{number}", f"stork beta{number}") for number in range(5)]
KEYS = [key for note, _ in NOTES for key in note.vector_keys]
Harm = Callable[[Path], object]


def emptied(path: Path) -> None:
    """Leave nothing in a file."""
    path.write_bytes(b"")


def halved(path: Path) -> None:
    """Cut a file short."""
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def zeroed(path: Path) -> None:
    """Let a file be as long as it was, and nothing but zeros: what a power loss may leave."""
    path.write_bytes(bytes(path.stat().st_size))


def scrambled(path: Path) -> None:
    """Write other bytes into a file, the same each time."""
    path.write_bytes(random.Random(path.name).randbytes(path.stat().st_size))


HARMS: tuple[Harm, ...] = (Path.unlink, emptied, halved, zeroed, scrambled)


def embedded(count: int, width: int) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    """Return sound embeddings."""
    return np.tile(np.eye(width, dtype=np.float32)[0], (count, 1))


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an index that has each kind of file: indexes, deletions, several versions and two models."""
    folder = tmp_path_factory.mktemp("sound") / "index"
    store = Store(folder)
    store.remember(Record(MODEL))
    for note in NOTES:
        store.commit([note], {})
    store.vectors("f1").add(KEYS[:-1], embedded(len(KEYS) - 1, 4))
    store.vectors("other").add(KEYS, embedded(len(KEYS), 8))
    store.commit([written("gone.md", "crane", "ibis")], {})
    store.commit([], {"gone.md": 2})
    store.tidy()
    store.commit([NOTES[0]], {"n0.md": 2})
    store.vectors("f1").add(KEYS[-1:], embedded(1, 4))
    return folder


@pytest.fixture
def folder(sound: Path, tmp_path: Path) -> Path:
    """Return a copy of that index, to be damaged."""
    return Path(shutil.copytree(sound, tmp_path / "index"))


def found(index: Index, word: str, chosen: Filter = EVERYTHING) -> int:
    """Return how many chunks a search for a word finds."""
    return len(index.store.chunks.search(word, 50, chosen))


def uses(index: Index) -> Iterator[Callable[[], object]]:
    """Yield all that is done with an index, a step at a time."""
    chunks = index.store.chunks
    yield lambda: found(index, "heron")
    yield lambda: found(index, "heron", Filter(folder="n1.md"))
    yield lambda: found(index, "heron", Filter(tags=("bird",)))
    yield lambda: chunks.get(["n1.md#0"])
    yield lambda: index.store.commit([NOTES[1]], {"n1.md": 2})
    yield lambda: index.store.touch([NOTES[1][0]])
    yield lambda: index.live.table.remove(["key-nobody's"])
    yield index.tidy


def use_and_mend(index: Index) -> None:
    """Use an index as its daemon does: what fails is doubted, and mended before anything else is written."""
    for use in uses(index):
        try:
            use()
        except IndexUnavailable as error:
            index.store.doubt(error)
        if index.store.needs_mending:
            index.store.mend()


def fill(index: Index) -> None:
    """Do what the indexer's first scan does: write the notes that the index lacks, and their embeddings."""
    lacking: list[Written] = [each for each in NOTES if index.catalog.get(each[0].path) != each[0]]
    index.commit(lacking)
    if missing := index.missing():
        index.add_vectors(index.live, missing, embedded(len(missing), 4))


def is_sound_and_works(folder: Path) -> None:
    """Open an index as the next start does, use it, and look at all that is in it."""
    index = Index(folder, MODEL)
    fill(index)
    for use in uses(index):
        use()
    assert not index.store.needs_mending
    assert sorted(note.path for note in index.catalog.notes()) == [note.path for note, _ in NOTES]
    assert (found(index, "heron"), found(index, "stork"), index.missing()) == (5, 5, [])
    index.choose(OTHER)  # what is damaged of a model that does not answer is noticed when it is wanted
    assert [each.found for each in check(Store.read_only(folder)) if each.is_damage] == []


def kind(path: Path) -> str:
    """Return what kind of file of a table it is."""
    return path.name if path.parent.parent.name == "_indices" else path.parent.name


PLACES = [
    ("chunks", "data"),
    ("chunks", "_versions"),
    ("chunks", "_deletions"),
    ("chunks", "_transactions"),
    *[
        ("chunks", f"{name}.lance")
        for name in (
            "metadata",
            "page_data",
            "page_lookup",
            "bitmap_page_lookup",
            "part_0_docs",
            "part_0_invert",
            "part_0_tokens",
        )
    ],
    ("vectors-f1", "data"),
    ("vectors-f1", "_versions"),
    ("vectors-f1", "page_data.lance"),
    ("vectors-f1", "page_lookup.lance"),
    ("vectors-other", "data"),
    ("vectors-other", "_versions"),
]


def files(folder: Path, table: str, place: str) -> list[Path]:
    """Return the files of a kind, oldest first."""
    all_files = (path for path in (folder / "tables" / f"{table}.lance").rglob("*") if path.is_file())
    return sorted((p for p in all_files if kind(p) == place), key=lambda path: path.stat().st_mtime_ns)


def test_every_kind_of_file_is_damaged(sound: Path) -> None:
    """The places are all there are, so that a new kind of file does not go untested."""
    there = {
        (path.relative_to(sound).parts[1].removesuffix(".lance"), kind(path))
        for path in (sound / "tables").rglob("*")
        if path.is_file()
    }
    untested = {("vectors-f1", "_transactions")} | {each for each in there if each[0] == "vectors-other"}
    assert there - untested <= set(PLACES) <= there


@pytest.mark.parametrize(
    ("harm", "which"),
    [
        *((harm, "all") for harm in HARMS),
        *product((Path.unlink, zeroed), ("newest", "oldest")),
    ],
)
@pytest.mark.parametrize(("table", "place"), PLACES)
def test_damaged_file_is_mended_or_made_anew(
    folder: Path, table: str, place: str, harm: Harm, which: str
) -> None:
    """It opens; what fails in use is mended at once or by the next start; embeddings of other files stay."""
    harmed = {"all": slice(None), "newest": slice(-1, None), "oldest": slice(1)}[which]
    for path in files(folder, table, place)[harmed]:
        harm(path)
    index = Index(folder, MODEL)
    if table == "chunks":
        assert len(index.live.matrix) == len(KEYS), "the embeddings were sound"
        assert index.store.has_vectors("other")
    with suppress(IndexUnavailable):
        fill(index)
        use_and_mend(index)
    if place.endswith(".lance"):
        # Of an index it is mended in use, with nothing read again.
        is_indexed = [note.path for note, _ in NOTES]
        assert sorted(note.path for note in Store.read_only(folder).chunks.notes()) == is_indexed
        for use in uses(index):
            use()
    is_sound_and_works(folder)


@pytest.mark.parametrize("name", ["schema.json", "model.json"])
@pytest.mark.parametrize(
    "content",
    [
        None,
        b"",
        b"\x00" * 40,
        b"\xff\xfe{",
        b"[]",
        b"null",
        b"3",
        b'"4"',
        b'{"schema": [4]}',
        b'{"schema": 99, "live": 4, "was_complete": 1, "revision_base": 1}',
        (
            b'{"live": {"name": "model", "fingerprint": 1, "dimensions": 4, "spec": ""}, '
            b'"was_complete": true, "revision_base": 0}'
        ),
        (
            b'{"live": {"name": "model", "fingerprint": "f1", "dimensions": "4", "spec": ""}, '
            b'"was_complete": true, "revision_base": 0}'
        ),
        b'{"live": null, "was_complete": false, "revision_base": 1e999}',
        b'{"live": null, "was_complete": "yes", "revision_base": -5}',
        b"[" * 100_000,
    ],
    ids=lambda content: "missing" if content is None else content[:24].decode("utf-8", "replace"),
)
def test_damaged_note_of_the_index_to_itself_costs_no_embedding(
    folder: Path, name: str, content: bytes | None
) -> None:
    """Without its schema the text is read again; without its model the chosen one answers."""
    if content is None:
        (folder / name).unlink()
    else:
        (folder / name).write_bytes(content)
    assert len(Index(folder, MODEL).live.matrix) == len(KEYS)
    is_sound_and_works(folder)


def test_kill_between_the_old_tables_and_the_new_keeps_the_embeddings(folder: Path) -> None:
    """The old ones are moved away, the new ones not yet in place: the next start puts them there."""
    (folder / ANEW).mkdir()
    (folder / TABLES).rename(folder / ANEW / TABLES)
    shutil.copytree(folder / ANEW / TABLES, folder / ANEW / FORMER)
    assert len(Index(folder, MODEL).live.matrix) == len(KEYS)
    is_sound_and_works(folder)


def test_index_of_a_later_version_keeps_its_embeddings(folder: Path) -> None:
    """The text of a newer program's schema is read again, and only that."""
    (folder / "schema.json").write_text(json.dumps({"schema": 99}))
    index = Index(folder, MODEL)
    assert (len(index.catalog), len(index.live.matrix)) == (0, len(KEYS))
    is_sound_and_works(folder)


@pytest.mark.parametrize("place", ["tables", "tables/chunks.lance", "tables/vectors-f1.lance", "anew"])
def test_file_in_place_of_a_folder_is_taken_away(folder: Path, place: str) -> None:
    """What is no folder holds nothing that could be kept."""
    shutil.rmtree(folder / place, ignore_errors=True)
    (folder / place).write_bytes(b"a file")
    assert len(Index(folder, MODEL).live.matrix) == {"tables": 0, "tables/vectors-f1.lance": 0}.get(place, 10)
    is_sound_and_works(folder)


@pytest.mark.parametrize("name", ["schema.json", "model.json"])
def test_folder_in_place_of_a_file_is_one_of_our_errors(folder: Path, name: str) -> None:
    """What nobody but a person can have put there is told, and left."""
    (folder / name).unlink()
    (folder / name).mkdir()
    with pytest.raises(IndexUnavailable):
        fill(Index(folder, MODEL))
    assert (folder / name).is_dir()


def test_revision_is_not_less_after_damage(folder: Path) -> None:
    """A client that remembers a revision does not take the index made anew for an older one."""
    before = Store.read_only(folder).revision
    for path in files(folder, "chunks", "data"):
        zeroed(path)
    assert Index(folder, MODEL).revision >= before


def test_mending_that_does_not_help_is_not_repeated_at_once(folder: Path) -> None:
    """An error that is no damage of an index costs no second mending within a minute; a start looks again."""
    store = Store(folder)
    store.doubt(IndexUnavailable("strange"))
    assert store.needs_mending
    store.mend()
    store.doubt(IndexUnavailable("strange"))
    assert not store.needs_mending
