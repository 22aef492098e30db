"""Fresh rows are ranked beside the index of words as LanceDB would rank them itself, and never missed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pai_daemon.context.catalog import IndexedNote
from pai_daemon.context.filters import EVERYTHING
from pai_daemon.context.store import chunk_table
from pai_daemon.context.store import tail as tail_module
from pai_daemon.context.store.rows import StoredChunk
from pai_daemon.context.store.store import Store
from pai_daemon.errors import DiskFull, IndexUnavailable
from pai_daemon.vault.scan import FileStat

OLD = (
    "a note about gardens",
    "how to repeat a task each week",
    "Häuser und Straßen",
    "naïve snake_case words",
)
WORDS = (
    *("task", "Task's", "repeat", "week", "Häuser", "straße", "STRASSE", "naïve", "naive", "snake_case"),
    *(
        "well-known",
        "3.14",
        "v1.2",
        "C++",
        "#tag",
        "привет",
        "हिन्दी",
        "x@example.org",
        "学習",
        "é",
        "e\u0301",
    ),
    *("[[Link|alias]]", "don't", "50%", "🙂", "a--b"),
)
TEXTS = st.lists(st.sampled_from(WORDS), min_size=1, max_size=9).map(" ".join)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Return a store whose old rows are all in the index of words, and whose vocabulary is read."""
    store = Store(tmp_path / "index")
    _commit(store, {f"old {n}": text for n, text in enumerate(OLD)})
    store.tidy()
    _read_words(store)
    return store


def _read_words(store: Store) -> None:
    store.chunks.vocabulary.outdate()
    while (thread := store.chunks.vocabulary.renew()) is not None:
        thread.join()


def _commit(store: Store, texts: dict[str, str], gone: tuple[str, ...] = ()) -> None:
    notes = []
    for name, text in texts.items():
        chunk = StoredChunk(name, 0, "hash", text, name, (), text, text, 1, 1, 0, len(text), ())
        notes.append((IndexedNote(name, FileStat(1, 2, 3), "hash", name, (), (), (), (), (text,)), [chunk]))
    store.commit(notes, dict.fromkeys(gone, 1))


def _found(store: Store, query: str) -> dict[str, float]:
    return dict(store.chunks.search(query, 100, EVERYTHING))


def _is_whole(store: Store) -> bool:
    return store.chunks._tail.rows is not None


def _found_by_lancedb(store: Store, query: str) -> dict[str, float]:
    """Return what LanceDB finds alone, reading each fresh row."""
    wanted = tail_module.Tail(None)
    kept, store.chunks._tail = store.chunks._tail, wanted
    try:
        return _found(store, query)
    finally:
        store.chunks._tail = kept


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    texts=st.lists(TEXTS, min_size=1, max_size=4),
    query=TEXTS,
)
def test_fresh_rows_are_found_as_lancedb_finds_them(store: Store, texts: list[str], query: str) -> None:
    """The same chunks are found whichever ranks the fresh rows, in any script."""
    _commit(store, {f"new {n}": text for n, text in enumerate(texts)})
    assert _found(store, query).keys() == _found_by_lancedb(store, query).keys()


def test_fresh_rows_score_as_in_lancedb(store: Store) -> None:
    """Scores are within a twentieth of LanceDB's, so that old and fresh rows rank as one list."""
    fresh = {
        f"new {n}": "repeat " * (n % 3) + "the task of week " + "other words " * (n % 7) for n in range(40)
    }
    _commit(store, fresh)
    _read_words(store)
    query = "repeat task week week"
    ours, theirs = _found(store, query), _found_by_lancedb(store, query)
    assert len(ours) == 41
    for item, score in theirs.items():
        assert ours[item] == pytest.approx(score, rel=0.05)


def test_chunk_written_anew_or_taken_out_is_found_by_its_new_words_alone(store: Store) -> None:
    """Neither the index of words nor an older fresh row answers for a chunk that changed."""
    _commit(store, {"old 0": "weather", "new": "task one"})
    _commit(store, {"new": "task two"}, gone=("old 1",))
    assert _found(store, "gardens") == {}
    assert _found(store, "weather").keys() == {"old 0#0"}
    assert _found(store, "one") == {}
    assert _found(store, "task").keys() == {"new#0"}


def _upkeep(store: Store) -> None:
    store.tidy()


def _write(store: Store) -> None:
    _commit(store, {"new": "task two", "newer": "task three"})


@pytest.mark.parametrize(("meanwhile", "expected"), [(_upkeep, {"new"}), (_write, {"new", "newer"})])
def test_what_happens_during_a_search_hides_nothing(
    store: Store, monkeypatch: pytest.MonkeyPatch, meanwhile: Callable[[Store], None], expected: set[str]
) -> None:
    """Upkeep and a commit between the two halves of a search neither lose nor double a chunk."""
    _commit(store, {"new": "task one"})
    ask = store.chunks._ask
    times: list[int] = []

    def interrupted(*args: Any, **keywords: Any) -> Any:
        found = ask(*args, **keywords)
        if not times:
            times.append(1)
            meanwhile(store)
        return found

    monkeypatch.setattr(store.chunks, "_ask", interrupted)
    found = [item for item, _ in store.chunks.search("task", 10, EVERYTHING)]
    assert sorted(found) == sorted(["old 1#0", *(f"{name}#0" for name in expected)])


def test_commit_and_upkeep_during_one_search_hide_nothing(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A chunk that left the index before LanceDB was asked, and came back after that, is found."""
    ask = store.chunks._ask
    times: list[int] = []

    def late(*args: Any, **keywords: Any) -> Any:
        if times:
            return ask(*args, **keywords)
        times.append(1)
        _commit(store, {"old 1": "another task"})
        found = ask(*args, **keywords)
        store.tidy()
        return found

    monkeypatch.setattr(store.chunks, "_ask", late)
    assert _found(store, "task").keys() == {"old 1#0"}


def test_rewriting_that_fails_hides_nothing(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows that were written anew, and not indexed before the disk was full, are still found."""

    def fail(_table: Any) -> None:
        raise DiskFull("full")

    monkeypatch.setitem(chunk_table.INDEXES, "content", fail)
    with pytest.raises(DiskFull):
        store.rewrite(lambda: None)
    assert _found(store, "task").keys() == {"old 1#0"}
    monkeypatch.undo()
    store.tidy()
    assert _is_whole(store)
    assert _found(store, "task").keys() == {"old 1#0"}


def test_commit_that_fails_leaves_the_words_as_they_were(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Words of a note that was not written find nothing, and those of its former text still do."""
    _commit(store, {"new": "task one"})

    def fail(*_args: Any, **_keywords: Any) -> None:
        raise IndexUnavailable("broken")

    monkeypatch.setattr(store.chunks, "_merge", fail)
    with pytest.raises(IndexUnavailable):
        _commit(store, {"new": "weather"})
    assert _found(store, "weather") == {}
    assert _found(store, "one").keys() == {"new#0"}


def test_fresh_rows_of_a_former_process_are_found(store: Store, tmp_path: Path) -> None:
    """Rows that nobody here has seen are read by LanceDB until upkeep."""
    _commit(store, {"new": "task one"})
    again = Store(tmp_path / "index")
    _read_words(again)
    assert not _is_whole(again)
    assert _found(again, "one").keys() == {"new#0"}
    again.tidy()
    assert _is_whole(again)
    assert _found(again, "one").keys() == {"new#0"}


def test_more_rows_than_are_kept_are_read_by_lancedb(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where upkeep has no room for long, memory stays bounded and everything is found."""
    monkeypatch.setattr(tail_module, "MAX_ROWS", 2)
    for name in ("one", "two", "three"):
        _commit(store, {name: f"task {name}"})
    assert not _is_whole(store)
    assert _found(store, "three").keys() == {"three#0"}
