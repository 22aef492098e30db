"""Memory's notes over kills, full disks and an editor that saves at the worst instant: nothing is lost."""

from __future__ import annotations

import os
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pai_daemon.errors import DiskFull, NoteChanged
from pai_daemon.memory.journal import Journal
from pai_daemon.memory.memory import Memory
from pai_daemon.memory.thread_keeping import Exchange, ThreadKeeper, is_untouched
from pai_daemon.vault import shelf as shelf_module
from pai_daemon.vault.shelf import Shelf
from tests.faults.conftest import fill_up

THEIRS = "# About me\n\nMine, and no fact.\n- I drink tea. (2026-11-20, from: cli) ^m-000001\n"
# What a process does to files, as Python tells it before it is done.
STEPS = ("open", "os.link", "os.rename", "os.remove", "os.mkdir", "os.chmod", "os.truncate")
MOST_STEPS = 60
Change = Callable[[Memory], Any]
CHANGES: dict[str, Change] = {
    "remember": lambda memory: memory.remember("I write in Helix.", source="cli"),
    "remember in a new note": lambda memory: memory.remember("I sail.", source="cli", subject="Boat"),
    "edit": lambda memory: memory.edit("m-000001", "I drink coffee."),
    "forget": lambda memory: memory.forget("m-000001"),
    "forget at once": lambda memory: memory.forget("m-000001", at_once=True),
    "keep a conversation": lambda memory: ThreadKeeper(memory.shelf, ("cli",), 0).keep(
        Exchange("abc12345", "cli", "Which editor?", "You write in Helix.")
    ),
}


def memory_in(folder: Path) -> Memory:
    """Return the memory of a vault, as a start finds it."""
    return Memory(Shelf(folder / "vault", "Memory", folder / "data" / "undo"), Journal(folder / "data"))


def begun(folder: Path) -> Memory:
    """Return a memory with one note of the person's."""
    (folder / "vault" / "Memory").mkdir(parents=True)
    (folder / "vault" / "Memory" / "About me.md").write_text(THEIRS, "utf-8")
    return memory_in(folder)


def killed(folder: Path, change: Change, step: int) -> bool:
    """Do a change in a process that dies before so many steps of it; return whether it came to its end."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of threads, which the child does not use
        child = os.fork()
    if child == 0:
        left = [step]

        def die(event: str, arguments: tuple[Any, ...]) -> None:
            if event in STEPS and str(folder) in str(arguments):
                left[0] -= 1
                if left[0] < 0:
                    os.kill(os.getpid(), 9)

        try:
            memory = memory_in(folder)
            sys.addaudithook(die)
            change(memory)
        finally:
            os._exit(0)
    return os.WIFEXITED(os.waitpid(child, 0)[1])


def notes(folder: Path) -> dict[str, str]:
    """Return what a person sees: the notes, by name."""
    shelf = memory_in(folder).shelf
    return {path: shelf.read(path) or "" for path in shelf.paths()}


@pytest.mark.parametrize("name", CHANGES)
def test_kill_at_each_step_leaves_the_note_as_before_or_after(name: str, tmp_path: Path) -> None:
    """No line of the person's is lost, no note is cut off, and the next start tidies up."""
    whole = tmp_path / "whole"
    before = notes(whole) if begun(whole) else {}
    CHANGES[name](memory_in(whole))
    after = notes(whole)
    seen = set()
    for step in range(MOST_STEPS):
        folder = tmp_path / str(step)
        begun(folder)
        is_done = killed(folder, CHANGES[name], step)
        now = notes(folder)
        assert now in (before, after), (step, now)
        seen.add(now == after)
        if name.startswith("forget") and now == after:
            assert memory_in(folder).purge(at_once=True) or name == "forget at once"
            undo = [path for path in (folder / "data").rglob("*.json*") if path.is_file()]
            assert not any("drink tea" in path.read_text("utf-8") for path in undo), step
        memory = memory_in(folder)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(shelf_module, "STALE_S", -1.0)
            memory.shelf.tidy()
            assert memory.remember("I own a cat.", source="cli").outcome == "remembered"
        assert [path.name for path in (folder / "vault" / "Memory").iterdir() if path.name[0] == "."] == []
        if is_done:
            break
    assert is_done
    assert seen == {False, True}


def test_what_was_forgotten_before_a_kill_is_taken_back_once(tmp_path: Path) -> None:
    """Killed between journal and note, the line still stands; to take it back does not double it."""
    begun(tmp_path)
    steps = iter(range(MOST_STEPS))
    while not memory_in(tmp_path)._journal.entries():
        killed(tmp_path, CHANGES["forget"], next(steps))
    assert notes(tmp_path)["About me.md"] == THEIRS
    assert memory_in(tmp_path).undo().fact.id == "m-000001"
    assert notes(tmp_path)["About me.md"] == THEIRS


@pytest.mark.parametrize("in_place", [True, False], ids=["in place", "by a rename"])
@pytest.mark.parametrize("instant", ["os.link", "os.rename", "after"])
def test_save_between_check_and_rename_is_not_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, in_place: bool, instant: str
) -> None:
    """Whenever an editor saves, its lines are there in the end, and so is what was remembered."""
    memory = begun(tmp_path)
    note = memory.shelf.root / "About me.md"
    saves = ["A line that was saved just then.\n"]

    def save() -> None:
        if saves:
            text = note.read_text("utf-8") + saves.pop()
            if in_place:
                note.write_text(text, "utf-8")
            else:
                (tmp_path / "new").write_text(text, "utf-8")
                (tmp_path / "new").replace(note)

    real_link, real_replace, real_sync = os.link, Path.replace, shelf_module._sync

    def link(source: Path, target: Path) -> None:
        if instant == "os.link":
            save()
        real_link(source, target)

    def replace(self: Path, target: Path) -> Path:
        # By a rename nothing holds what another rename has just put there: between these two it is lost.
        if instant == "os.rename" and in_place and self.suffix == ".tmp":
            save()
        return real_replace(self, target)

    def sync(folder: Path) -> None:
        if instant == "after":
            save()
        real_sync(folder)

    monkeypatch.setattr(os, "link", link)
    monkeypatch.setattr(Path, "replace", replace)
    monkeypatch.setattr(shelf_module, "_sync", sync)
    memory.remember("I write in Helix.", source="cli")
    text = note.read_text("utf-8")
    assert (saves == []) == (in_place or instant != "os.rename")
    assert saves or "A line that was saved just then." in text
    assert {fact.text for fact in memory.facts()} == {"I drink tea.", "I write in Helix."}


def test_save_into_what_was_just_replaced_comes_back(tmp_path: Path) -> None:
    """An editor that had the note open before the rename writes into the old one: its text stands."""
    memory = begun(tmp_path)
    shelf, note = memory.shelf, memory.shelf.root / "About me.md"
    with note.open("r+", encoding="utf-8") as opened, pytest.MonkeyPatch.context() as patch:
        real = shelf_module._sync

        def sync(folder: Path) -> None:
            if not opened.closed:
                opened.write("# Mine\n")
                opened.truncate()
                opened.close()
            real(folder)

        patch.setattr(shelf_module, "_sync", sync)
        with pytest.raises(NoteChanged):
            shelf.write("About me.md", "ours", before=THEIRS)
    assert note.read_text("utf-8") == "# Mine\n"


@pytest.mark.parametrize("name", CHANGES)
def test_full_disk_loses_nothing_and_is_told(name: str, disk: Path) -> None:
    """With no room the note stays as it is; with room the same change goes on, without a restart."""
    memory = begun(disk)
    fill_up(disk)
    with pytest.raises(DiskFull):
        CHANGES[name](memory)
    assert notes(disk) == {"About me.md": THEIRS}
    (disk / "ballast").unlink()
    CHANGES[name](memory)
    assert notes(disk) != {"About me.md": THEIRS}
    assert not list((disk / "vault" / "Memory").glob(".*"))


def test_line_that_a_full_disk_cut_off_spoils_no_other(tmp_path: Path) -> None:
    """The journal goes on behind it on a line of its own."""
    memory = begun(tmp_path)
    memory.edit("m-000001", "I drink coffee.")
    journal = tmp_path / "data" / "memory-journal.jsonl"
    journal.write_text(journal.read_text("utf-8") + '{"id": "cut', "utf-8")
    memory.edit("m-000001", "I drink cocoa.")
    assert memory.undo().fact.text == "I drink coffee."
    assert memory.undo().fact.text == "I drink tea."


def test_left_over_of_a_write_that_a_person_saved_into_becomes_an_undo_record(tmp_path: Path) -> None:
    """A kill between rename and last look may leave the only copy of a save: it is kept."""
    memory = begun(tmp_path)
    left = memory.shelf.root / ".0123456789abcdef.old"
    left.write_text("Saved by an editor.", "utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(time, "time", lambda: 10.0**11)
        memory.shelf.tidy()
    assert not left.exists()
    records = (tmp_path / "data" / "undo").glob("*.json")
    assert any("Saved by an editor." in record.read_text("utf-8") for record in records)


def test_memory_works_where_there_are_no_hard_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a stick with FAT notes are made and changed all the same, and nothing there is overwritten."""

    def refused(*_: Any) -> None:
        raise PermissionError(1, "Operation not permitted")

    memory = begun(tmp_path)
    monkeypatch.setattr(os, "link", refused)
    for name, change in CHANGES.items():
        if name != "forget at once":
            change(memory)
    assert {fact.text for fact in memory.facts()} >= {"I write in Helix.", "I sail."}
    with pytest.raises(NoteChanged):
        memory.shelf.write("Boat.md", "other", before=None)
    thread = next((memory.shelf.root / "Conversations").iterdir())
    assert is_untouched(thread.read_text("utf-8"))
