"""The index on disk: a real LanceDB."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from pai_daemon.context.catalog import IndexedNote
from pai_daemon.context.filters import EVERYTHING, Filter
from pai_daemon.context.index import Index
from pai_daemon.context.store.rows import SCHEMA_VERSION, StoredChunk, facts_of
from pai_daemon.context.store.store import Store
from pai_daemon.context.store.upkeep import SHORT_REST_S
from pai_daemon.errors import DiskFull, IndexUnavailable
from pai_daemon.notes.note import Problem
from pai_daemon.notes.reader import read_note
from pai_daemon.notes.tasks import tasks_of
from pai_daemon.vault.scan import FileStat

NOON = int(datetime.fromisoformat("2026-05-12T12:00").astimezone().timestamp()) * 10**9
DAY = 24 * 3600 * 10**9
Written = tuple[IndexedNote, list[StoredChunk]]


def written(path: str, *texts: str, tags: Sequence[str] = ()) -> Written:
    """Return a note with one chunk a text, as the indexer hands it over."""
    chunks = [
        StoredChunk(
            path,
            n,
            "hash",
            f"key-{text}",
            path,
            ("H",),
            text,
            f"{path}\n\n{text}",
            1,
            2,
            0,
            len(text),
            ("b1",),
        )
        for n, text in enumerate(texts)
    ]
    keys = tuple(chunk.vector_key for chunk in chunks)
    problem = Problem("broken YAML", 2, 5)
    return IndexedNote(
        path, FileStat(1, 2, 3), "hash", path, ("A",), tuple(tags), ("B",), (problem,), keys
    ), chunks


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Return an empty store."""
    return Store(tmp_path / "index")


def _found(store: Store, query: str, chosen: Filter = EVERYTHING) -> list[str]:
    return [item for item, _ in store.chunks.search(query, 10, chosen)]


def test_committed_note_comes_back_whole(store: Store, tmp_path: Path) -> None:
    """Every fact of a note survives being closed and opened."""
    note, chunks = written("Größe's.md", "eins", "zwei", tags=["a/b"])
    store.commit([(note, chunks)], {})
    again = Store(tmp_path / "index")
    assert again.chunks.notes() == [note]
    assert list(again.chunks.get(["Größe's.md#1"]).values()) == [chunks[1]]


def test_notes_come_back_whatever_order_their_rows_have(store: Store, tmp_path: Path) -> None:
    """Rows that were written anew lie elsewhere; each note still has its own keys, in their order."""
    notes = {path: written(path, *(f"{path}-{n}" for n in range(12))) for path in ("b.md", "a.md", "c d.md")}
    for item in notes.values():
        store.commit([item], {})
    shorter = written("b.md", *(f"again-{n}" for n in range(11)))
    store.commit([shorter], {"b.md": 12})
    store.touch([notes["a.md"][0]])
    expected = [notes["a.md"][0], shorter[0], notes["c d.md"][0]]
    assert store.chunks.notes() == expected
    store.tidy()
    assert Store(tmp_path / "index").chunks.notes() == expected


def test_edited_note_leaves_none_of_its_old_chunks(store: Store) -> None:
    """A note that got shorter has only its new chunks, for reading and for searching."""
    store.commit([written("a.md", "alpha", "beta", "gamma")], {})
    store.commit([written("a.md", "delta")], {"a.md": 3})
    assert [note.vector_keys for note in store.chunks.notes()] == [("key-delta",)]
    assert _found(store, "alpha beta gamma") == []
    assert _found(store, "delta") == ["a.md#0"]
    assert store.chunks.get(["a.md#1", "a.md#2"]) == {}


def test_removal_and_rename_are_one_commit(store: Store) -> None:
    """A window that removes, renames and adds raises the revision once."""
    store.commit([written("a.md", "alpha"), written("b.md", "beta")], {})
    before = store.revision
    store.commit([written("c.md", "alpha")], {"a.md": 1, "b.md": 1})
    assert store.revision == before + 1
    assert [note.path for note in store.chunks.notes()] == ["c.md"]


def test_reader_never_sees_half_a_note(store: Store) -> None:
    """While a note alternates between five and three chunks, a reader sees five or three."""
    five = written("a.md", *"vwxyz")
    three = written("a.md", *"abc")
    store.commit([five], {})
    counts: set[int] = set()
    stop = threading.Event()

    def read() -> None:
        while not stop.is_set():
            counts.add(len(store.chunks.get(f"a.md#{n}" for n in range(6))))

    reader = threading.Thread(target=read)
    reader.start()
    for _ in range(15):
        store.commit([three], {"a.md": 5})
        store.commit([five], {"a.md": 3})
    store.tidy()
    stop.set()
    reader.join()
    assert counts == {3, 5}


def test_tidying_sweeps_dead_rows_and_changes_no_answer(store: Store) -> None:
    """Upkeep leaves what readers see as it was."""
    store.commit([written("a.md", "alpha", "beta"), written("b.md", "alpha")], {})
    store.commit([], {"b.md": 1})
    before = (store.chunks.notes(), _found(store, "alpha"))
    store.tidy()
    assert (store.chunks.notes(), _found(store, "alpha")) == before
    assert before[1] == ["a.md#0"]


def test_touch_changes_the_stat_alone(store: Store) -> None:
    """A touched note keeps its text in the index and gets its new stat."""
    note, chunks = written("a.md", "alpha")
    store.commit([(note, chunks)], {})
    touched = replace(note, stat=FileStat(9, 9, 9))
    store.touch([touched])
    assert store.chunks.notes() == [touched]
    assert _found(store, "alpha") == ["a.md#0"]


@pytest.mark.parametrize("word", ["haus", "cafe", "学習", "case", "strasse"])
def test_text_search_finds_words_of_every_script(store: Store, word: str) -> None:
    """Accents fold, identifiers and CJK sentences are split."""
    store.commit([written("a.md", "Ein Haus am café, Straße, 私は学習します, snake_case_name")], {})
    assert _found(store, word) == ["a.md#0"]


@pytest.mark.parametrize(
    "query", ["it's (a+b) AND foo: *", '"quoted', "'; DROP TABLE chunks; --", "+-!^~", "🙂"]
)
def test_text_search_takes_any_query(store: Store, query: str) -> None:
    """Operators that a person types by accident raise nothing."""
    store.commit([written("note.md", "alpha")], {})
    assert _found(store, query) == []


def test_folder_and_tag_filters_hold_for_odd_names(store: Store) -> None:
    """Quotes, percent signs and underscores in a folder's name are plain characters."""
    store.commit(
        [
            written("it's_50%/a.md", "alpha", tags=["work/deep"]),
            written("itXs_50%/b.md", "alpha"),
            written("it's_50%x.md", "alpha"),
        ],
        {},
    )
    assert _found(store, "alpha", Filter(folder="it's_50%")) == ["it's_50%/a.md#0"]
    assert _found(store, "alpha", Filter(tags=("Work",))) == ["it's_50%/a.md#0"]
    assert _found(store, "alpha", Filter(folder="it's_50%x.md")) == ["it's_50%x.md#0"]


def test_what_a_filter_leaves_out_is_found_in_no_way(store: Store) -> None:
    """Notes go by their whole path and folders by what lies below them; thousands of both are no trouble."""
    paths = ("it's 1.5/a.md", "it's 1.5/deep/b.md", "it's 1.md", "it's 1.5.md", "c.md")
    store.commit([written(path, "alpha") for path in paths], {})
    chosen = Filter(without=("it's 1.5/", "c.md"))
    assert sorted(_found(store, "alpha", chosen)) == ["it's 1.5.md#0", "it's 1.md#0"]
    assert sorted(store.chunks.matching(chosen)["key-alpha"]) == ["it's 1.5.md#0", "it's 1.md#0"]
    many = Filter(without=("c.md", "it's 1.5/", *(f"private/{number}.md" for number in range(5000))))
    assert len(_found(store, "alpha", many)) == 2
    assert _found(store, "alpha", replace(chosen, folder="it's 1.5")) == []


def test_property_and_time_filters_narrow_words_and_meaning_alike(store: Store) -> None:
    """What matches a filter is the same for both legs; a touch moves every chunk of the note in time."""
    done, chunks = written("done.md", "alpha", "beta")
    done = replace(done, properties=("status", "status=done"))
    store.commit([(done, chunks), written("open.md", "alpha")], {})
    chosen = Filter(properties=("Status=DONE",))
    assert _found(store, "alpha beta", chosen) == ["done.md#1", "done.md#0"]
    assert store.chunks.matching(chosen) == {"key-alpha": ["done.md#0"], "key-beta": ["done.md#1"]}
    store.touch([replace(done, stat=FileStat(1, 90, 3))])
    assert set(store.chunks.matching(Filter(since_ns=90))) == {"key-alpha", "key-beta"}
    assert _found(store, "alpha", Filter(before_ns=90)) == ["open.md#0"]


def test_time_of_a_note_is_the_day_that_it_is_about(store: Store) -> None:
    """A journal of May, written in autumn, is of May for words and meaning; by its change it is of autumn."""
    journal, chunks = written("2026-05-12.md", "alpha")
    other = written("other.md", "alpha")
    store.commit(
        [(replace(journal, day="2026-05-12", stat=FileStat(1, NOON + 200 * DAY, 3)), chunks), other], {}
    )
    may = Filter(since_ns=NOON - DAY // 2, before_ns=NOON + DAY // 2)
    assert _found(store, "alpha", may) == ["2026-05-12.md#0"]
    assert [*store.chunks.matching(may).values()] == [["2026-05-12.md#0"]]
    assert _found(store, "alpha", Filter(since_ns=NOON + DAY)) == []
    assert _found(store, "alpha", Filter(since_ns=NOON + DAY, by_change=True)) == ["2026-05-12.md#0"]


def test_note_of_the_store_has_its_tasks_and_its_day(store: Store, tmp_path: Path) -> None:
    """What is read back is what was written, to the last field."""
    note, chunks = written("a.md", "alpha")
    tasks = tasks_of(
        read_note("a.md", b"# Hull\n\n- [ ] Sand it #boat \xf0\x9f\x93\x85 2026-12-01\n\t- [x] Part ^p\n")
    )
    note = replace(note, tasks=tasks, day="2026-05-12")
    store.commit([(note, chunks)], {})
    (again,) = Store(tmp_path / "index").chunks.notes()
    assert len(again.tasks) == 2
    assert (again.tasks, again.day) == (tasks, "2026-05-12")


@pytest.mark.parametrize(
    ("schema", "lacking"), [(3, ["modified", "properties", "day"]), (4, ["day"])], ids=["third", "fourth"]
)
def test_index_of_the_schema_before_answers_and_has_its_notes_read_again(
    tmp_path: Path, schema: int, lacking: list[str]
) -> None:
    """Columns that it lacks are added empty; its words are found, and each note counts as outdated."""
    store = Store(tmp_path / "index")
    note, chunks = written("a.md", "alpha", tags=["work"])
    store.commit([(replace(note, read_as="md"), chunks)], {})
    table = store.chunks._table
    table.drop_columns(lacking)
    facts = json.loads(facts_of(note)) | {"schema": schema}
    for name in ("day", "tasks"):
        del facts[name]
    table.update(where="ordinal = 0", values={"note": json.dumps(facts)})
    (tmp_path / "index" / "schema.json").write_text(f'{{"schema": {schema}}}')
    again = Store(tmp_path / "index")
    assert _found(again, "alpha", Filter(tags=("work",))) == ["a.md#0"]
    assert [note.read_as for note in again.chunks.notes()] == [""]
    again.commit([(replace(note, properties=("status",)), chunks)], {"a.md": 1})
    assert _found(again, "alpha", Filter(properties=("status",))) == ["a.md#0"]


def test_vectors_come_back_as_they_were_written(store: Store, tmp_path: Path) -> None:
    """Embeddings survive closing, in float32, by key."""
    vectors = np.array([[1.0, 0.0], [0.6, 0.8]], np.float32)
    store.vectors("print").add(["k1", "k2"], vectors)
    again = Store(tmp_path / "index")
    (keys, found), *_ = again.vectors("print").batches()
    assert dict(zip(keys, found.tolist(), strict=True)) == dict(
        zip(["k1", "k2"], vectors.tolist(), strict=True)
    )


def test_another_model_has_vectors_of_its_own(store: Store, tmp_path: Path) -> None:
    """Vectors of one model are never read as another's; the text is shared."""
    store.commit([written("a.md", "alpha")], {})
    store.vectors("print").add(["k1"], np.array([[1.0, 0.0]], np.float32))
    store.vectors("other").add(["k2"], np.array([[1.0, 0.0, 0.0]], np.float32))
    again = Store(tmp_path / "index")
    assert [keys for keys, _ in again.vectors("print").batches()] == [["k1"]]
    assert [keys for keys, _ in again.vectors("other").batches()] == [["k2"]]
    assert len(again.chunks.notes()) == 1


def test_removed_vectors_are_gone(store: Store, tmp_path: Path) -> None:
    """What is taken out of the embeddings is not there at the next start."""
    store.vectors("print").add(["k1", "k'2"], np.eye(2, dtype=np.float32))
    store.vectors("print").remove(["k'2"])
    again = Store(tmp_path / "index")
    assert [key for keys, _ in again.vectors("print").batches() for key in keys] == ["k1"]


def test_dropped_vectors_leave_the_disk_and_the_revision_as_it_was(store: Store, tmp_path: Path) -> None:
    """The embeddings of other models go with their files, and no client sees the revision fall."""
    for number in range(5):
        store.vectors("old").add([f"k{number}"], np.eye(1, 2, dtype=np.float32))
    store.vectors("print").add(["k1"], np.eye(1, 2, dtype=np.float32))
    tables = tmp_path / "index" / "tables"
    assert (tables / "vectors-old.lance").exists()
    before = Store(tmp_path / "index").revision
    store.drop_vectors_but([store.vectors("print")])
    assert not (tables / "vectors-old.lance").exists()
    again = Store(tmp_path / "index")
    assert again.revision == before
    assert [keys for keys, _ in again.vectors("print").batches()] == [["k1"]]


def test_older_schema_is_rebuilt_and_keeps_its_embeddings(store: Store, tmp_path: Path) -> None:
    """A store of another schema version starts without chunks; embeddings are keyed by text and stay."""
    store.commit([written("a.md", "alpha")], {})
    store.vectors("print").add(["k1"], np.array([[1.0, 0.0]], np.float32))
    (tmp_path / "index" / "schema.json").write_text('{"schema": 0}')
    again = Store(tmp_path / "index")
    assert again.chunks.notes() == []
    assert [keys for keys, _ in again.vectors("print").batches()] == [["k1"]]


def test_newer_schema_is_rebuilt_and_keeps_its_embeddings(store: Store, tmp_path: Path) -> None:
    """A store of a later version, with a column that is unknown here, starts without chunks as well."""
    store.commit([written("a.md", "alpha")], {})
    store.vectors("print").add(["k1"], np.array([[1.0, 0.0]], np.float32))
    store.chunks._table.add_columns({"unheard_of": "cast('x' as string)"})
    (tmp_path / "index" / "schema.json").write_text(f'{{"schema": {SCHEMA_VERSION + 1}, "more": []}}')
    with pytest.raises(IndexUnavailable, match=f"has the schema {SCHEMA_VERSION + 1}"):
        Store.read_only(tmp_path / "index")
    again = Store(tmp_path / "index")
    assert again.chunks.notes() == []
    assert [keys for keys, _ in again.vectors("print").batches()] == [["k1"]]
    again.commit([written("a.md", "alpha")], {})
    assert _found(Store.read_only(tmp_path / "index"), "alpha") == ["a.md#0"]


def test_opening_writes_no_schema_that_is_there(store: Store, tmp_path: Path) -> None:
    """A full disk or a kill at the opening cannot empty the file without which all text is dropped."""
    stamp = tmp_path / "index" / "schema.json"
    before = stamp.stat()
    Store(tmp_path / "index")
    assert (stamp.stat().st_ino, stamp.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_table_that_a_kill_left_without_a_version_costs_no_other(store: Store, tmp_path: Path) -> None:
    """A folder in which the first embeddings were about to be written is none, and no note is read again."""
    store.commit([written("a.md", "alpha")], {})
    left = tmp_path / "index" / "tables" / "vectors-print.lance" / "data"
    left.mkdir(parents=True)
    (left / "half.lance").write_bytes(b"LANC")
    index = Index(tmp_path / "index", None)
    assert len(index.catalog) == 1
    index.store.vectors("print").add(["k1"], np.eye(1, 2, dtype=np.float32))
    assert len(Store(tmp_path / "index").vectors("print")) == 1


def test_revision_rises_across_restarts(store: Store, tmp_path: Path) -> None:
    """A client that remembers a revision never sees a smaller one."""
    seen = [store.revision]
    for number in range(3):
        store.commit([written(f"{number}.md", "alpha")], {})
        seen.append(store.revision)
    store.tidy()
    seen.append(Store(tmp_path / "index").revision)
    assert seen == sorted(seen)


def test_first_upkeep_removes_what_a_killed_writer_left(store: Store, tmp_path: Path) -> None:
    """A file that no version names goes with the first upkeep after a start, which is due though idle."""
    store.commit([written("a.md", "alpha")], {})
    left = tmp_path / "index" / "tables" / "chunks.lance" / "data" / "half-written.lance"
    left.write_bytes(b"LANC")
    minute_ago_s = time.time() - 60
    os.utime(left, (minute_ago_s, minute_ago_s))
    again = Store(tmp_path / "index")
    assert again.upkeep_rest_s() == SHORT_REST_S
    again.tidy()
    assert not left.exists()
    assert _found(again, "alpha") == ["a.md#0"]


def test_upkeep_that_fails_on_damage_makes_the_next_opening_anew(store: Store, tmp_path: Path) -> None:
    """Damage in what no opening reads is found by upkeep; the next start ends in an index that works."""
    store.commit([written("a.md", "alpha")], {})
    for number in range(2):
        store.vectors("old").add([f"k{number}"], np.eye(1, 2, dtype=np.float32))
    for path in (tmp_path / "index" / "tables" / "vectors-old.lance" / "data").iterdir():
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(IndexUnavailable):
        Store(tmp_path / "index").tidy()
    anew = Index(tmp_path / "index", None)
    assert len(anew.catalog) == 0
    anew.store.commit([written("a.md", "alpha")], {})
    anew.tidy()
    assert len(Index(tmp_path / "index", None).catalog) == 1


def test_full_disk_is_told_apart(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """LanceDB's text for ENOSPC becomes DiskFull, other failures IndexUnavailable."""

    class Broken:
        def __init__(self, text: str) -> None:
            self.text = text

        def merge_insert(self, _: str) -> None:
            raise RuntimeError(self.text)

    full = Broken("lance error: No space left on device (os error 28), x.rs:1")
    monkeypatch.setattr(store.chunks, "_table", full)
    with pytest.raises(DiskFull, match="full"):
        store.commit([written("a.md", "alpha")], {})
    monkeypatch.setattr(store.chunks, "_table", Broken("something else"))
    with pytest.raises(IndexUnavailable, match="something else"):
        store.commit([written("a.md", "alpha")], {})
