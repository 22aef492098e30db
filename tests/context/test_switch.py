"""Another model embeds everything beside the one that answers; then it answers, in one step (D39)."""

from __future__ import annotations

import itertools
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pai_daemon.context import backlog
from pai_daemon.context.index import Index
from pai_daemon.context.space import CurrentSpace, ModelName, Space
from pai_daemon.context.store.record import read_record, write_record
from pai_daemon.context.vectors import VectorMatrix
from tests.context.conftest import Hashed, Live
from tests.daemon_process import eventually

NOTES = 40
Open = Callable[..., Live]


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    """Return a vault of forty notes, each of one chunk; the last one is the newest."""
    folder = tmp_path / "notes"
    folder.mkdir()
    for number in range(NOTES):
        note = folder / f"Note {number}.md"
        note.write_text(f"The heron has number {number}.\n")
        os.utime(note, (1_000_000 + number, 1_000_000 + number))
    return folder


@pytest.fixture
def opened(notes: Path, tmp_path: Path) -> Iterator[Open]:
    """Yield a function that opens the index of the vault with a model, and another that is chosen."""
    with ExitStack() as stack:

        def start(embedder: Hashed | None, chosen: Hashed | None = None) -> Live:
            return stack.enter_context(Live(notes, tmp_path / "index", embedder, chosen=chosen))

        yield start


@pytest.fixture(autouse=True)
def in_small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a window hold eight texts, and a slice four."""
    monkeypatch.setattr(backlog, "WINDOW_CHUNKS", 8)
    monkeypatch.setattr(backlog, "SLICE_CHUNKS", 4)


def content(number: int | str) -> str:
    """Return the text that is embedded for a note."""
    return f"Note {number}\n\nThe heron has number {number}."


def nearest(live: Live, text: str) -> tuple[str, float]:
    """Return path and cosine of what is nearest in meaning."""
    best = live.searcher.search(text, mode="semantic", limit=1).results[0]
    assert best.scores.semantic is not None
    return best.path, round(best.scores.semantic, 4)


def answers(live: Live, model: Hashed) -> bool:
    """Return whether this model is the one that answers."""
    return live.index.space.model == ModelName.of(model.profile)


def stop_half_way(live: Live, model: Hashed) -> None:
    """Stop the indexer while a model that waits is embedding."""
    stopping = threading.Thread(target=live.indexer.stop)
    stopping.start()
    eventually(lambda: live.indexer._agenda.stopping, "the stop")
    model.let_go()
    stopping.join()


def each_once() -> dict[str, int]:
    """Return every text of the vault, counted once."""
    return {content(number): 1 for number in range(NOTES)}


def test_old_model_answers_until_the_new_one_has_everything(opened: Open) -> None:
    """All results stay those of the old model until the new one lacks nothing."""
    old, new = Hashed("old"), Hashed("new", 48)
    live = opened(old)
    live.settled()
    before = [nearest(live, content(number)) for number in range(NOTES)]
    assert before == [(f"Note {number}.md", 1.0) for number in range(NOTES)]
    new.waits_after = 20
    live.indexer.choose(new)
    eventually(lambda: new.texts.total() == 20, "half of it")
    assert answers(live, old)
    assert [nearest(live, content(number)) for number in range(NOTES)] == before
    assert live.searcher.search(content(1)).pending_chunks == 0
    new.let_go()
    eventually(lambda: answers(live, new), "the switch")
    assert [nearest(live, content(number)) for number in range(NOTES)] == before
    assert new.texts == each_once()
    assert old.texts == each_once()


def test_after_the_switch_the_old_model_and_its_embeddings_are_gone(opened: Open, tmp_path: Path) -> None:
    """The old model is closed, its table leaves the disk, and a start with the new model embeds nothing."""
    old, new = Hashed("old"), Hashed("new")
    live = opened(old)
    live.settled()
    live.indexer.choose(new)
    eventually(lambda: answers(live, new), "the switch")
    live.settled()
    assert (old.is_closed, new.is_closed) == (True, False)
    tables = {path.name for path in (tmp_path / "index" / "tables").iterdir()}
    assert tables == {"chunks.lance", f"vectors-{new.profile.fingerprint}.lance"}
    revision = live.index.revision
    live.indexer.stop()
    again = opened(new)
    again.settled()
    assert (again.index.chunks_embedded, again.index.missing()) == (0, [])
    assert again.index.revision >= revision


def test_newest_note_is_embedded_first_by_the_new_model(opened: Open) -> None:
    """What a person wrote last is what it has first."""
    old, new = Hashed("old"), Hashed("new")
    live = opened(old)
    live.settled()
    new.waits_after = 8
    live.indexer.choose(new)
    eventually(lambda: new.texts.total() == 8, "a window")
    assert set(new.texts) == {content(number) for number in range(NOTES - 8, NOTES)}
    new.let_go()


def test_save_during_the_switch_is_found_by_meaning_at_once(
    opened: Open, notes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The model that answers embeds it before it is committed, the new one after."""
    old, new = Hashed("old"), Hashed("new")
    live = opened(old)
    live.settled()
    new.waits_after = 8
    live.indexer.choose(new)
    eventually(lambda: new.texts.total() == 8, "a window")
    waiting: list[int] = []
    commit = live.index.commit

    def watched(*arguments: Any, **options: Any) -> None:
        commit(*arguments, **options)
        waiting.append(live.index.missing_count())

    monkeypatch.setattr(live.index, "commit", watched)
    (notes / "Note new.md").write_text("The heron has number new.\n")
    eventually(live.indexer._agenda.is_due, "the save is noticed")
    new.let_go()
    eventually(lambda: "Note new.md" in live.paths(), "the save")
    assert nearest(live, content("new")) == ("Note new.md", 1.0)
    assert old.texts[content("new")] == 1
    assert set(waiting) == {0}
    eventually(lambda: answers(live, new), "the switch")
    live.settled()
    assert nearest(live, content("new")) == ("Note new.md", 1.0)
    assert new.texts[content("new")] == 1
    assert live.index.missing() == []


def test_many_notes_that_come_during_the_switch_are_embedded_first_for_the_model_that_answers(
    opened: Open, notes: Path
) -> None:
    """A folder that a sync tool brings is complete for meaning before the new model goes on."""
    old, new = Hashed("old"), Hashed("new")
    live = opened(old)
    live.settled()
    new.waits_after = 8
    live.indexer.choose(new)
    eventually(lambda: new.texts.total() == 8, "a window")
    for number in range(100, 140):
        (notes / f"Note {number}.md").write_text(f"The heron has number {number}.\n")
    live.indexer.hint(None)
    new.let_go()
    eventually(lambda: len(live.paths()) == NOTES + 40, "the folder")
    eventually(lambda: answers(live, new), "the switch")
    assert old.texts == new.texts


def test_restart_goes_on_where_it_was(opened: Open) -> None:
    """What is embedded is not embedded again, and the model that answered answers."""
    old, new = Hashed("old"), Hashed("new")
    live = opened(old)
    live.settled()
    new.waits_after = 20
    live.indexer.choose(new)
    eventually(lambda: live.index.next and len(live.index.next.matrix) == 16, "two windows")
    stop_half_way(live, new)
    stored = len(live.index.next.matrix) if live.index.next else 0
    old, new = Hashed("old"), Hashed("new")
    again = opened(old, new)
    eventually(lambda: answers(again, new), "the switch")
    again.settled()
    assert new.texts.total() == NOTES - stored
    assert old.texts.total() == 0
    assert again.index.missing() == []


def test_model_that_was_half_way_is_left_for_the_one_that_answers(opened: Open) -> None:
    """Chosen back, the old model goes on; the other is closed, and what it has embedded is kept."""
    old, new = Hashed("old"), Hashed("new")
    live = opened(old)
    live.settled()
    new.waits_after = 20
    live.indexer.choose(new)
    eventually(lambda: new.texts.total() == 20, "half of it")
    live.indexer.choose(old)
    new.let_go()
    eventually(lambda: new.is_closed, "the other model to be closed")
    live.settled()
    assert answers(live, old)
    assert (old.is_closed, live.index.next) == (False, None)
    again = Hashed("new")
    live.indexer.choose(again)
    eventually(lambda: answers(live, again), "the switch")
    assert 0 < again.texts.total() <= NOTES - 16


def test_third_model_takes_the_place_of_the_second(opened: Open) -> None:
    """Of two that were chosen in a row, the later one is switched to, and the other one is closed."""
    old, second, third = Hashed("old"), Hashed("second"), Hashed("third", 16)
    live = opened(old)
    live.settled()
    second.waits_after = 8
    live.indexer.choose(second)
    eventually(lambda: second.texts.total() == 8, "a window")
    live.indexer.choose(third)
    second.let_go()
    eventually(lambda: answers(live, third), "the switch")
    assert second.is_closed
    assert nearest(live, content(3)) == ("Note 3.md", 1.0)


def test_old_model_that_cannot_be_loaded_leaves_words_while_the_new_one_embeds(opened: Open) -> None:
    """Meaning then finds more and more, newest note first, and words find all."""
    live = opened(Hashed("old"))
    live.settled()
    live.indexer.stop()
    new = Hashed("new")
    new.waits_after = 8
    again = opened(None, new)
    eventually(lambda: answers(again, new), "the new model to answer")
    eventually(lambda: len(again.index.space.matrix) == 8, "a window")
    assert nearest(again, content(NOTES - 1)) == (f"Note {NOTES - 1}.md", 1.0)
    assert again.searcher.search("heron", mode="text", limit=100).pending_chunks == NOTES - 8
    new.let_go()
    again.settled()
    assert again.index.missing() == []


def test_model_that_never_had_everything_answers_until_the_next_has_as_much(opened: Open) -> None:
    """A first index that was broken off is not completed any more."""
    old, new = Hashed("old"), Hashed("new")
    old.waits_after = 8
    live = opened(old)
    eventually(lambda: len(live.index.space.matrix) == 8, "a window")
    new.waits_after = 4
    live.indexer.choose(new)
    old.let_go()
    eventually(lambda: new.texts.total() == 4, "less than the old model has")
    assert answers(live, old)
    has = len(live.index.space.matrix)
    new.let_go()
    eventually(lambda: answers(live, new), "the switch")
    live.settled()
    assert old.texts.total() <= has + 4 < NOTES
    assert new.texts == each_once()


@pytest.mark.parametrize("instant", ["before", "after"])
def test_kill_around_the_step_leaves_one_space_whole(
    opened: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, instant: str
) -> None:
    """Before the record is replaced the old space answers, afterwards the new one; neither embeds again."""
    old, new = Hashed("old"), Hashed("new")
    live = opened(old)
    live.settled()
    killed = tmp_path / "killed"

    def write(folder: Path, record: object) -> None:
        if instant == "after":
            write_record(folder, record)  # type: ignore[arg-type]
        if not killed.exists():
            shutil.copytree(folder, killed)
        if instant == "before":
            write_record(folder, record)  # type: ignore[arg-type]

    monkeypatch.setattr("pai_daemon.context.store.store.write_record", write)
    live.indexer.choose(new)
    eventually(lambda: answers(live, new), "the switch")
    left = Index(killed, ModelName.of(new.profile))
    assert left.space.model.name == {"before": "old", "after": "new"}[instant]
    assert left.missing() == []
    assert left.next is None or not left.next.missing


def test_record_that_cannot_be_written_leaves_the_old_space(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a full disk the old model answers, the status says why, and with room the switch comes."""
    old, new = Hashed("old"), Hashed("new")
    live = opened(old)
    live.settled()
    monkeypatch.setattr("pai_daemon.context.indexer.RETRY_S", 0.1)
    with monkeypatch.context() as patch:

        def write(_folder: Path, _record: object) -> None:
            raise OSError(28, "No space left on device")

        patch.setattr("pai_daemon.context.store.store.write_record", write)
        live.indexer.choose(new)
        live.settled("error")
        assert "is full" in (live.indexer.status().message or "")
        assert nearest(live, content(5)) == ("Note 5.md", 1.0)
        assert answers(live, old)
    eventually(lambda: answers(live, new), "the switch")
    live.settled()


def test_damaged_record_costs_no_more_than_a_new_index(opened: Open, tmp_path: Path) -> None:
    """With a record that cannot be read the chosen model answers, and embeds what it lacks."""
    live = opened(Hashed("old"))
    live.settled()
    live.indexer.stop()
    (tmp_path / "index" / "model.json").write_bytes(b"\x00{")
    new = Hashed("new")
    again = opened(None, new)
    again.settled()
    assert answers(again, new)
    assert again.index.missing() == []
    assert read_record(tmp_path / "index").live == ModelName.of(new.profile)


def test_index_of_an_earlier_version_remembers_its_model_when_it_is_opened(
    opened: Open, tmp_path: Path
) -> None:
    """An index without a record, opened with the model that made it, is switched from like any other."""
    live = opened(Hashed("old"))
    live.settled()
    live.indexer.stop()
    (tmp_path / "index" / "model.json").unlink()
    old, new = Hashed("old"), Hashed("new")
    again = opened(old)
    again.settled()
    assert read_record(tmp_path / "index").live == ModelName.of(old.profile)
    new.waits_after = 20
    again.indexer.choose(new)
    eventually(lambda: new.texts.total() == 20, "half of it")
    assert nearest(again, content(1)) == ("Note 1.md", 1.0)
    new.let_go()
    eventually(lambda: answers(again, new), "the switch")
    assert old.texts.total() == 0


def test_queries_during_switches_compare_with_their_own_model_only(opened: Open) -> None:
    """Each query finds its text with cosine 1, however often a model of the same width takes over."""
    model = Hashed("model 0")
    live = opened(model)
    live.settled()
    wrong: list[object] = []
    asked = itertools.count()
    stop = threading.Event()

    def ask() -> None:
        while not stop.is_set():
            number = next(asked) % NOTES
            try:
                found = nearest(live, content(number))
            except Exception as error:  # whatever it is, a person would have seen it
                found = error  # type: ignore[assignment]
            if found != (f"Note {number}.md", 1.0):
                wrong.append(found)

    askers = [threading.Thread(target=ask) for _ in range(3)]
    for asker in askers:
        asker.start()
    for number in range(1, 7):
        before, model = model, Hashed(f"model {number}")
        live.indexer.choose(model)
        eventually(lambda: answers(live, model), "the switch")  # noqa: B023
        eventually(lambda: before.is_closed, "the former model to be closed")  # noqa: B023
    stop.set()
    for asker in askers:
        asker.join()
    assert next(asked) > 100
    assert wrong == []


def test_borrowed_space_keeps_its_model_open(opened: Open) -> None:
    """A query that began before the switch is answered to its end by the model it began with."""
    old, new = Hashed("old"), Hashed("new")
    live = opened(old)
    live.settled()
    with live.searcher.borrow() as space:
        live.indexer.choose(new)
        eventually(lambda: answers(live, new), "the switch")
        assert not old.is_closed
        found = live.searcher.search_in(space, content(7), mode="semantic", limit=1).results[0]
        assert found.path == "Note 7.md"
        assert found.scores.semantic == pytest.approx(1.0, abs=1e-5)
    assert old.is_closed


def test_space_takes_no_other_models_embedder() -> None:
    """What does not compare cannot be put together."""
    old, new = Hashed("old"), Hashed("new")
    matrix = VectorMatrix(32)
    with pytest.raises(ValueError, match="made none of the embeddings"):
        Space(ModelName.of(old.profile), matrix, new)
    current = CurrentSpace(Space(ModelName.of(old.profile), matrix))
    assert not current.attach(new)
    assert current.attach(old)
    assert current.space.embedder is old


def stored(live: Live, model: Hashed) -> dict[str, np.ndarray]:
    """Return the embeddings of a model on the disk."""
    table = live.index.store.vectors(model.profile.fingerprint)
    return {
        key: vector for keys, vectors in table.batches() for key, vector in zip(keys, vectors, strict=True)
    }


def test_note_left_out_during_the_switch_leaves_both_spaces(
    opened: Open, notes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No embedding of it is kept by the model that answers or by the next one (D14)."""
    # The files are read below, and must not be swept meanwhile.
    monkeypatch.setattr("pai_daemon.context.indexer.PURGE_S", 30.0)
    old, new = Hashed("old"), Hashed("new")
    live = opened(old)
    live.settled()
    note = live.index.catalog.get(f"Note {NOTES - 1}.md")
    assert note is not None
    (key,) = note.vector_keys
    new.waits_after = 20
    live.indexer.choose(new)
    eventually(lambda: live.index.next and key in live.index.next.matrix, "the next space to hold it")
    assert key in stored(live, old)
    assert key in stored(live, new)
    (notes / ".paiignore").write_text(f"Note {NOTES - 1}.md\n")
    live.indexer.hint(None)
    new.let_go()
    eventually(lambda: answers(live, new), "the switch")
    eventually(lambda: live.index.store.purge_step != "rewrite", "the rewriting")
    assert key not in stored(live, old)
    assert key not in stored(live, new)
    assert len(stored(live, new)) == NOTES - 1


def test_upkeep_spares_what_answers_and_what_is_being_built(opened: Open, tmp_path: Path) -> None:
    """A sweep drops the embeddings of a model that is no longer chosen, and no others."""
    old, tried, new = Hashed("old"), Hashed("tried"), Hashed("new")
    live = opened(old)
    live.settled()
    for model in (tried, new):
        model.waits_after = 20
        live.indexer.choose(model)
        eventually(lambda: model.texts.total() == 20, "half of it")  # noqa: B023
        if model is tried:
            live.indexer.choose(old)
            tried.let_go()
    stop_half_way(live, new)
    tables = tmp_path / "index" / "tables"
    assert len(list(tables.glob("vectors-*"))) == 3
    index = Index(tmp_path / "index", ModelName.of(new.profile))
    unused = [f"unused {number}" for number in range(300)]
    index.add_vectors(index.live, unused, np.eye(300, 32, dtype=np.float32))
    index.tidy()
    kept = {f"vectors-{model.profile.fingerprint}.lance" for model in (old, new)}
    assert {path.name for path in tables.glob("vectors-*")} == kept
    assert index.missing() == []
    assert index.next is not None
    assert len(index.next.matrix) >= 16
