"""What a person does to notes while the daemon runs is searchable soon, and costs no more than it must."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.daemon_process import DaemonProcess, Folders, eventually


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory, prepared_cache: Path) -> Iterator[DaemonProcess]:
    """Yield a daemon on a small vault, ready; every test works on notes of its own."""
    home = tmp_path_factory.mktemp("edits")
    (home / "vault").mkdir()
    for number in range(6):
        (home / "vault" / f"Old {number}.md").write_text(f"An old note of badger{number}.", "utf-8")
    with DaemonProcess(home / "vault", Folders(home / "home", prepared_cache)) as started:
        started.ready()
        yield started


def settled(daemon: DaemonProcess) -> dict[str, Any]:
    """Return the status once nothing is under way."""
    return daemon.ready()


def test_save_of_a_new_note_is_searchable(daemon: DaemonProcess) -> None:
    """A new note is found, by its words and by its meaning, and counted."""
    before = settled(daemon)
    (daemon.vault / "New.md").write_text("A heron stands in the shallow river.", "utf-8")
    daemon.finds("heron", "New.md", within_s=5)
    after = settled(daemon)
    assert (after["notes"], after["chunks"]) == (before["notes"] + 1, before["chunks"] + 1)
    assert after["revision"] > before["revision"]
    found = daemon.client.search("a wading bird by the water", mode="semantic")["results"]
    assert found[0]["path"] == "New.md"


def test_save_of_a_change_replaces_the_old_text(daemon: DaemonProcess) -> None:
    """After a save the new words are found and the old ones are not."""
    path = daemon.vault / "Changed.md"
    path.write_text("first otter", "utf-8")
    daemon.finds("first otter")
    path.write_text("second stoat", "utf-8")
    daemon.finds("second stoat", "Changed.md", within_s=5)
    daemon.loses("first otter", within_s=5)
    assert daemon.note("Changed.md")["indexed"] is True


def test_atomic_save_is_one_change(daemon: DaemonProcess) -> None:
    """An editor that writes a temporary file and renames it changes one note and leaves no other."""
    path, temporary = daemon.vault / "Atomic.md", daemon.vault / ".Atomic.md.tmp"
    path.write_text("plain lynx", "utf-8")
    daemon.finds("plain lynx")
    before = settled(daemon)
    temporary.write_text("spotted lynx", "utf-8")
    temporary.replace(path)
    daemon.finds("spotted lynx", "Atomic.md", within_s=5)
    daemon.loses("plain lynx")
    assert settled(daemon)["notes"] == before["notes"]


def test_rename_embeds_nothing(daemon: DaemonProcess) -> None:
    """A renamed note is found under its new name alone, and nothing is embedded (D2)."""
    (daemon.vault / "Before.md").write_text("The marten climbs. \n\n# Two\n\nIt jumps.", "utf-8")
    daemon.finds("marten", "Before.md")
    before = settled(daemon)
    (daemon.vault / "Before.md").rename(daemon.vault / "After.md")
    daemon.finds("marten", "After.md", within_s=5)
    daemon.until(lambda now: now["notes"] == before["notes"], "the old name is gone")
    after = settled(daemon)
    assert after["work"]["chunks_embedded"] == before["work"]["chunks_embedded"]
    assert (after["notes"], after["chunks"]) == (before["notes"], before["chunks"])
    assert daemon.client.get("/api/index", {"explain": "Before.md"})["indexed"] is False


def test_move_into_a_folder_and_rename_of_the_folder_embed_nothing(daemon: DaemonProcess) -> None:
    """Notes keep their embeddings wherever they are moved."""
    for number in range(3):
        (daemon.vault / f"Moved {number}.md").write_text(f"The weasel{number} sleeps.", "utf-8")
    for number in range(3):
        daemon.finds(f"weasel{number}")
    before = settled(daemon)
    folder = daemon.vault / "Den"
    folder.mkdir()
    for number in range(3):
        (daemon.vault / f"Moved {number}.md").rename(folder / f"Moved {number}.md")
    for number in range(3):
        daemon.finds(f"weasel{number}", f"Den/Moved {number}.md", within_s=5)
    folder.rename(daemon.vault / "Burrow")
    for number in range(3):
        daemon.finds(f"weasel{number}", f"Burrow/Moved {number}.md", within_s=5)
    daemon.until(lambda now: now["notes"] == before["notes"], "no note is doubled")
    assert settled(daemon)["work"]["chunks_embedded"] == before["work"]["chunks_embedded"]


def test_touch_embeds_nothing(daemon: DaemonProcess) -> None:
    """A note saved with the bytes it had costs one read (D2)."""
    before = settled(daemon)
    path = daemon.vault / "Old 0.md"
    path.write_bytes(path.read_bytes())
    daemon.until(lambda now: now["work"]["notes_read"] > before["work"]["notes_read"], "it was looked at")
    after = settled(daemon)
    assert after["work"]["chunks_embedded"] == before["work"]["chunks_embedded"]
    assert daemon.finds("badger0")["stale"] is False


def test_change_of_time_alone_is_not_said_to_be_a_change(daemon: DaemonProcess) -> None:
    """A program that sets a note's time, as sync programs do, does not leave its passages stale."""
    settled(daemon)
    os.utime(daemon.vault / "Old 1.md", (1, 1))
    eventually(lambda: not daemon.finds("badger1")["stale"], "the passage is fresh again", within_s=5)


def test_delete_takes_a_note_out(daemon: DaemonProcess) -> None:
    """A deleted note, and a deleted folder of notes, are found no more."""
    folder = daemon.vault / "Doomed"
    folder.mkdir()
    (folder / "One.md").write_text("dodo one", "utf-8")
    (folder / "Two.md").write_text("dodo two", "utf-8")
    daemon.finds("dodo one")
    daemon.finds("dodo two")
    (folder / "One.md").unlink()
    daemon.loses("dodo one", within_s=5)
    shutil.rmtree(folder)
    daemon.loses("dodo two", within_s=5)


def test_burst_of_saves_ends_with_the_last(daemon: DaemonProcess) -> None:
    """Fifty saves in a row are read a few times, and the last one is what is found."""
    path = daemon.vault / "Burst.md"
    before = settled(daemon)
    for number in range(50):
        path.write_text(f"save number {number} of the vole{number}", "utf-8")
    daemon.finds("vole49", "Burst.md", within_s=5)
    daemon.loses("vole48")
    after = settled(daemon)
    assert after["work"]["notes_read"] - before["work"]["notes_read"] <= 10
    assert after["notes"] == before["notes"] + 1


def test_rename_by_case_only_is_followed(daemon: DaemonProcess) -> None:
    """A name that changes in case alone is another name."""
    (daemon.vault / "case.md").write_text("ermine", "utf-8")
    daemon.finds("ermine", "case.md")
    (daemon.vault / "case.md").rename(daemon.vault / "Case.md")
    daemon.finds("ermine", "Case.md", within_s=5)


def test_swap_of_two_notes_is_followed(daemon: DaemonProcess) -> None:
    """Two notes that exchange their names exchange their text in the index."""
    one, two = daemon.vault / "Swap one.md", daemon.vault / "Swap two.md"
    one.write_text("ferret", "utf-8")
    two.write_text("polecat", "utf-8")
    daemon.finds("ferret", one.name)
    daemon.finds("polecat", two.name)
    one.rename(daemon.vault / "Swap three.md")
    two.rename(one)
    (daemon.vault / "Swap three.md").rename(two)
    daemon.finds("ferret", two.name, within_s=5)
    daemon.finds("polecat", one.name, within_s=5)


def test_exclusion_rule_takes_notes_out_at_once(daemon: DaemonProcess) -> None:
    """A new rule purges what it excludes without a restart, and its removal brings it back (D14)."""
    (daemon.vault / "Private").mkdir()
    (daemon.vault / "Private" / "Diary.md").write_text("private wolverine", "utf-8")
    daemon.finds("private wolverine")
    rules = daemon.vault / ".obsidian" / "app.json"
    rules.parent.mkdir()
    rules.write_text('{"userIgnoreFilters": ["Private/"]}', "utf-8")
    daemon.loses("private wolverine", within_s=8)
    rules.write_text("{}", "utf-8")
    daemon.finds("private wolverine", within_s=8)
