"""The index follows the vault: a real disk, a real watcher, a real model."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from pai_daemon.context import indexer as indexing
from pai_daemon.context.intake import WINDOW_NOTES
from pai_daemon.context.removals import Removals
from pai_daemon.context.vectors import Floats
from pai_daemon.models.embedder import Embedder
from tests.context.conftest import Behind, GoLive, Leaving, Live
from tests.daemon_process import eventually


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    """Return a vault of thirty short notes."""
    folder = tmp_path / "notes"
    folder.mkdir()
    for number in range(30):
        (folder / f"Note {number}.md").write_text(
            f"# Topic {number}\n\nThe number is {number} times seven.\n"
        )
    return folder


def _has(live: Live, word: str) -> bool:
    return bool(live.searcher.search(word, mode="text").results)


def test_first_index_holds_every_note_with_its_vector(go_live: GoLive, notes: Path) -> None:
    """When it is ready, every note is indexed and nothing waits for its embedding."""
    live = go_live(notes)
    live.settled()
    assert len(live.paths()) == 30
    assert live.index.missing() == []


def test_words_are_found_before_there_is_a_model(go_live: GoLive, notes: Path) -> None:
    """Text search answers while the model is still loading, and the result says so."""
    live = go_live(notes, model=False)
    eventually(lambda: len(live.paths()) == 30, "all notes")
    result = live.searcher.search("topic 7")
    assert result.stages == ("text",)
    assert result.pending_chunks == 30
    assert result.results[0].path == "Note 7.md"


def test_restart_reads_and_embeds_nothing(go_live: GoLive, notes: Path) -> None:
    """A second start on an unchanged vault reads no byte of a note and commits nothing."""
    live = go_live(notes)
    live.settled()
    live.indexer.stop()
    again = go_live(notes)
    again.settled()
    assert (again.indexer.notes_read, again.index.chunks_embedded, again.index.commits) == (0, 0, 0)


def test_save_arrives_with_one_embedding_and_whole(go_live: GoLive, notes: Path) -> None:
    """An edit embeds only the chunk that changed and takes one commit for it and one for the note."""
    live = go_live(notes)
    live.settled()
    embedded, commits = live.index.chunks_embedded, live.index.commits
    path = notes / "Note 3.md"
    path.write_text(path.read_text() + "\n# Another\n\nA walrus appeared.\n")
    eventually(lambda: _has(live, "walrus"), "the edit to be found")
    assert live.index.chunks_embedded == embedded + 1
    assert live.index.commits == commits + 2
    assert live.index.missing() == []


def test_rename_embeds_nothing(go_live: GoLive, notes: Path) -> None:
    """A note under another name keeps its vectors although its title is part of its header."""
    live = go_live(notes)
    live.settled()
    embedded = live.index.chunks_embedded
    (notes / "Note 3.md").rename(notes / "Renamed.md")
    eventually(lambda: "Renamed.md" in live.paths() and "Note 3.md" not in live.paths(), "the rename")
    assert live.index.chunks_embedded == embedded
    assert live.index.missing() == []


def test_touch_embeds_and_rewrites_nothing(go_live: GoLive, notes: Path) -> None:
    """A new modification time alone is remembered, so that the next start does not read the note."""
    live = go_live(notes)
    live.settled()
    embedded = live.index.chunks_embedded
    os.utime(notes / "Note 3.md", ns=(1, 1))
    live.indexer.hint(None)
    eventually(
        lambda: (note := live.index.catalog.get("Note 3.md")) and note.stat.mtime_ns == 1, "the new time"
    )
    assert live.index.chunks_embedded == embedded


def test_deleted_note_is_gone(go_live: GoLive, notes: Path) -> None:
    """A removed file leaves no passage."""
    live = go_live(notes)
    live.settled()
    (notes / "Note 3.md").unlink()
    eventually(lambda: "Note 3.md" not in live.paths(), "the removal")
    assert all(found.path != "Note 3.md" for found in live.searcher.search("topic 3").results)


def test_moved_folder_keeps_every_vector(go_live: GoLive, notes: Path) -> None:
    """Renaming a folder renames its notes."""
    (notes / "old").mkdir()
    for number in range(5):
        (notes / "old" / f"In {number}.md").write_text(f"inside {number}")
    live = go_live(notes)
    live.settled()
    embedded = live.index.chunks_embedded
    (notes / "old").rename(notes / "new")
    eventually(lambda: {f"new/In {n}.md" for n in range(5)} <= live.paths(), "the new folder")
    eventually(lambda: not any(path.startswith("old/") for path in live.paths()), "the old folder to be gone")
    assert live.index.chunks_embedded == embedded


def test_missing_vault_keeps_the_index(go_live: GoLive, notes: Path) -> None:
    """A vault that is unmounted is an error with a reason, never a deletion (D3); then it goes on."""
    live = go_live(notes)
    live.settled()
    notes.rename(notes.with_name("away"))
    live.indexer.hint(None)
    live.settled("error")
    assert "index is kept" in (live.indexer.status().message or "")
    assert len(live.paths()) == 30
    notes.with_name("away").rename(notes)
    live.settled()
    (notes / "Back.md").write_text("a narwhal is back")
    eventually(lambda: _has(live, "narwhal"), "a save after the vault came back")


def _lose_twenty(live: Live) -> None:
    """Remove two thirds of the notes between two scans."""
    live.watcher.stop()
    for number in range(20):
        (live.vault / f"Note {number}.md").unlink()
    live.indexer.hint(None)


def test_sudden_loss_is_held_until_confirmed(go_live: GoLive, notes: Path) -> None:
    """When more than half of the notes vanish they stay, the status says why, and a word removes them."""
    live = go_live(notes)
    live.settled()
    _lose_twenty(live)
    live.settled("held")
    assert len(live.paths()) == 30
    assert "20 of 30" in (live.indexer.status().message or "")
    live.indexer.request(confirm_removals=True)
    eventually(lambda: len(live.paths()) == 10, "the removal")
    live.settled()


def test_sudden_loss_is_believed_after_a_while(
    go_live: GoLive, notes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a word, a loss that lasts is believed at a later scan."""
    monkeypatch.setattr(indexing, "Removals", lambda: Removals(doubt_s=1.0))
    live = go_live(notes)
    live.settled()
    _lose_twenty(live)
    live.settled("held")
    eventually(lambda: len(live.paths()) == 10, "the removal")


def test_new_exclusion_purges_at_once(go_live: GoLive, notes: Path) -> None:
    """A folder that Obsidian excludes leaves the index although it is most of the vault (D14)."""
    (notes / "Private").mkdir()
    for number in range(40):
        (notes / "Private" / f"{number}.md").write_text(f"secret {number}")
    live = go_live(notes)
    live.settled()
    assert len(live.paths()) == 70
    (notes / ".obsidian").mkdir()
    (notes / ".obsidian" / "app.json").write_text('{"userIgnoreFilters": ["Private/"]}')
    live.indexer.hint(None)
    eventually(lambda: len(live.paths()) == 30, "the purge")
    assert not _has(live, "secret")
    assert live.indexer.covered.status("Private/1.md").reason


def test_forced_run_reads_all_and_embeds_nothing(go_live: GoLive, notes: Path) -> None:
    """A forced run reads every note again; unchanged text keeps its vectors."""
    live = go_live(notes)
    live.settled()
    read, embedded = live.indexer.notes_read, live.index.chunks_embedded
    live.indexer.request(force=True)
    eventually(lambda: live.indexer.notes_read == read + 30, "all notes to be read")
    live.settled()
    assert live.index.chunks_embedded == embedded


def test_problem_of_a_note_is_listed_and_the_others_are_indexed(go_live: GoLive, notes: Path) -> None:
    """Broken notes are in the list with line and column, and nothing else suffers (D4)."""
    (notes / "Broken.md").write_text("---\ntags: [a\n---\nbody with an axolotl\n")
    (notes / "Binary.md").write_bytes(bytes(range(256)) * 40)
    live = go_live(notes)
    live.settled()
    problems = dict(live.indexer.covered.problems())
    assert set(problems) == {"Broken.md", "Binary.md"}
    assert problems["Broken.md"].line is not None
    assert len(live.paths()) == 32
    assert _has(live, "axolotl")


def test_failing_embedder_keeps_the_loop_alive(go_live: GoLive, notes: Path, embedder: Embedder) -> None:
    """An exception of the model is shown in the status; text is searchable and a later model goes on."""
    live = go_live(notes, model=False)

    class Failing(Behind):
        def embed_texts(self, texts: object, *, urgent: bool) -> Floats:
            raise ValueError("the session broke")

    live.indexer.use(Failing(embedder))
    live.settled("error")
    assert "the session broke" in (live.indexer.status().message or "")
    assert _has(live, "topic")


def test_model_that_goes_away_leaves_saves_to_their_words(
    tmp_path: Path, notes: Path, leaving: Leaving, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While a server is away saves are found by their words, nothing is scanned anew, and it is said why."""
    with Live(notes, tmp_path / "index", leaving) as live:
        live.settled()
        leaving.is_away = True
        scans: list[bool] = []
        monkeypatch.setattr(live.indexer, "_scan_all", scans.append)
        monkeypatch.setattr(indexing, "RETRY_S", 60.0)
        (notes / "New.md").write_text("a walrus came by")
        eventually(lambda: _has(live, "walrus"), "the words of the save")
        live.settled("error")
        assert "does not answer. Start it." in (live.indexer.status().message or "")
        (notes / "Newer.md").write_text("a narwhal as well")
        eventually(lambda: _has(live, "narwhal"), "the words of the next save")
        assert live.indexer.pending_count() == 2
        leaving.is_away = False
        (notes / "Newest.md").write_text("and a seal")
        live.settled()
        assert live.index.missing() == []
        assert scans == []


def test_copy_of_the_index_folder_is_not_needed(go_live: GoLive, notes: Path, tmp_path: Path) -> None:
    """The index is a cache: without it, the same index is made from the notes (D6)."""
    live = go_live(notes)
    live.settled()
    keys = set(live.index.catalog.vector_keys())
    live.indexer.stop()
    shutil.rmtree(tmp_path / "index")
    again = go_live(notes)
    again.settled()
    assert set(again.index.catalog.vector_keys()) == keys


def test_save_does_not_wait_for_the_end_of_a_long_run(
    go_live: GoLive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While a whole vault is read again, a note that is saved is committed between two windows."""
    vault = tmp_path / "many"
    vault.mkdir()
    for number in range(3 * WINDOW_NOTES):
        (vault / f"{number}.md").write_text(f"The number is {number}.")
    live = go_live(vault, model=False)
    eventually(lambda: len(live.index.catalog) == 3 * WINDOW_NOTES, "all notes")
    order: list[set[str]] = []
    commit = live.index.commit

    def slow_commit(notes: Any, *arguments: Any, **options: Any) -> None:
        commit(notes, *arguments, **options)
        order.append({note.path for note, _ in notes})
        if len(order) == 1:
            (vault / "Saved.md").write_text("The plover was saved.")
            eventually(lambda: "Saved.md" in live.indexer._agenda._paths, "the save is noticed")

    monkeypatch.setattr(live.index, "commit", slow_commit)
    live.indexer.request(force=True)
    eventually(lambda: len(order) == 4, "all commits")
    assert order[1] == {"Saved.md"}


def test_pause_holds_what_waits_and_takes_a_save(go_live: GoLive, notes: Path, embedder: Embedder) -> None:
    """While it is paused nothing that waits is embedded, a save is found, and all goes on when told to."""
    live = go_live(notes, model=False)
    eventually(lambda: len(live.paths()) == 30, "all notes")
    live.indexer.pause(True)
    live.settled("paused")
    live.indexer.use(embedder)
    (notes / "Late.md").write_text("# Late\n\nA walrus appeared.\n")
    eventually(lambda: _has(live, "walrus"), "the save")
    live.settled("paused")
    assert live.indexer.pending_count() == 30
    live.indexer.pause(False)
    live.settled()
    assert live.index.missing() == []


def test_missing_vault_is_told_by_its_code(go_live: GoLive, notes: Path) -> None:
    """A program learns from a code that the folder is gone, and not from a sentence."""
    live = go_live(notes)
    live.settled()
    notes.rename(notes.with_name("away"))
    live.indexer.request()
    live.settled("error")
    assert live.indexer.status().code == "vault_unavailable"
