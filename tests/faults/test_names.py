"""Odd names, links, and what other programs leave in a watched vault: the index says what the disk says."""

from __future__ import annotations

import os
import sys
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest

from tests.daemon_process import DaemonProcess, Folders

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse or fold such names")

SOON_S = 5.0
Form = Literal["NFC", "NFD"]
FORMS: tuple[Form, Form] = ("NFC", "NFD")
NAMES = {
    "255 bytes": "é" * 126 + ".md",
    "emoji": "👩‍👩‍👧 family 🏳️‍🌈.md",
    "quotes": "It's \"all\" `quoted` 'here'.md",
    "newline": "first line\nsecond line.md",
    "dash": "-rf --help.md",
    "backslash": "C:\\Notes\\todo.md",
    "spaces": "  two before and two behind  .md",
    "marks": "100%25 #1 & a?b=c;d*[e]|<f>.md",
    "dots": "v1.2.md.md",
}
SYNC_LEFTOVERS = (
    ".syncthing.Plan.md.tmp",
    "Plan.sync-conflict-20260101-000000-ABC.md",
    "Plan.icloud",
    ".Plan.md.icloud",
    "~$Plan.md",
    "Plan.md.tmp",
    ".trash/Plan.md",
    ".stversions/Plan~20260101-000000.md",
)
SYNC_NOTES = (
    "Plan.md",
    "Plan (conflicted copy).md",
    "Plan (Anna's conflicted copy 2026-01-01).md",
    "Plan 2.md",
)


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory, prepared_cache: Path) -> Iterator[DaemonProcess]:
    """Yield a daemon on a small vault, ready; every test works on notes of its own."""
    home = tmp_path_factory.mktemp("names")
    (home / "vault").mkdir()
    for number in range(60):
        (home / "vault" / f"Old {number}.md").write_text(f"An old note of badger{number}.", "utf-8")
    with DaemonProcess(home / "vault", Folders(home / "home", prepared_cache)) as started:
        started.ready()
        yield started


def embedded(daemon: DaemonProcess) -> int:
    """Return how many chunks were embedded once nothing is under way."""
    count: int = daemon.ready()["work"]["chunks_embedded"]
    return count


def is_listed(daemon: DaemonProcess, path: str, reason: str) -> None:
    """Wait until the status lists a path with a reason that holds these words."""
    daemon.until(
        lambda now: any(row["path"] == path and reason in row["reason"] for row in now["problems"]),
        f"{path} is listed with {reason!r}",
        SOON_S,
    )


def assert_alive(daemon: DaemonProcess, words: str) -> None:
    """Check that another note is followed, and that nothing in the daemon broke."""
    daemon.write(f"After {words}.md", f"alive after {words}")
    status = daemon.ready()
    assert (status["state"], status["message"]) == ("ready", None)
    assert "Traceback" not in daemon.log


def test_notes_with_odd_names_are_created_renamed_and_deleted(daemon: DaemonProcess) -> None:
    """Notes come with odd names, take plain ones, move into folders with odd names, and go."""
    vault = daemon.vault
    notes = [
        (name, f"Plain {number}.md", Path(name).stem, f"odd tern{number}")
        for number, name in enumerate(NAMES.values())
    ]
    for name, _, _, words in notes:
        (vault / name).write_text(words, "utf-8")
    for name, _, _, words in notes:
        daemon.holds_only(words, name)
    before = embedded(daemon)
    for name, plain, _, _ in notes:
        (vault / name).rename(vault / plain)
    for _, plain, _, words in notes:
        daemon.holds_only(words, plain)
    for name, plain, folder, _ in notes:
        (vault / folder).mkdir()
        (vault / plain).rename(vault / folder / name)
    for name, _, folder, words in notes:
        daemon.holds_only(words, f"{folder}/{name}")
    assert embedded(daemon) == before
    for name, _, folder, _ in notes:
        (vault / folder / name).unlink()
    for _, _, _, words in notes:
        daemon.loses(words, within_s=SOON_S)


@pytest.mark.parametrize("kind", NAMES)
def test_note_with_an_odd_name_is_shown_by_its_path(daemon: DaemonProcess, kind: str) -> None:
    """The parsed form of a note is reached by its name, whatever characters that has."""
    name = f"Shown by name/{NAMES[kind]}"
    daemon.write(name, f"a note named with {kind} for the linnet")
    note = daemon.note(name)
    assert (note["path"], note["indexed"]) == (name, True)


def test_folder_renamed_by_case_only_is_followed(daemon: DaemonProcess) -> None:
    """A folder whose name changes in case alone takes its notes along, and later saves arrive."""
    daemon.write("inbox/Deep/Letter.md", "the letter of a whimbrel")
    before = embedded(daemon)
    (daemon.vault / "inbox").rename(daemon.vault / "Inbox")
    daemon.holds_only("the letter of a whimbrel", "Inbox/Deep/Letter.md")
    assert embedded(daemon) == before
    daemon.write("Inbox/Deep/Letter.md", "the answer of a whimbrel")
    daemon.loses("the letter of a whimbrel")


def test_names_that_differ_in_unicode_form_alone_are_two_notes(daemon: DaemonProcess) -> None:
    """Two notes whose names look the same are both found, each with its own text."""
    one, two = (unicodedata.normalize(form, "Café/Über.md") for form in FORMS)
    daemon.write(one, "the composed godwit")
    daemon.write(two, "the decomposed godwit")
    daemon.holds_only("the composed godwit", one)
    assert daemon.note(one)["chunks"][0]["text"] == "the composed godwit"
    assert daemon.note(two)["chunks"][0]["text"] == "the decomposed godwit"
    (daemon.vault / two).unlink()
    daemon.loses("the decomposed godwit")
    daemon.holds_only("the composed godwit", one)


@pytest.mark.parametrize("forms", [FORMS, FORMS[::-1]], ids="-".join)
def test_name_that_changes_its_unicode_form_is_a_rename(
    daemon: DaemonProcess, forms: tuple[Form, Form]
) -> None:
    """A sync tool that writes a name in another form renames the note, and nothing is embedded."""
    words = f"the {forms[0]} knot"
    old, new = (unicodedata.normalize(form, f"Ñandú {words}.md") for form in forms)
    daemon.write(old, words)
    before = embedded(daemon)
    (daemon.vault / old).rename(daemon.vault / new)
    daemon.holds_only(words, new)
    assert embedded(daemon) == before


def test_note_that_becomes_a_folder_and_a_note_again_is_followed(daemon: DaemonProcess) -> None:
    """A folder named like a note holds notes; a note in its place holds its own text alone."""
    path = daemon.write("Switch.md", "switch as a note")
    path.unlink()
    daemon.write("Switch.md/Deep.md/Inside.md", "switch as a folder")
    daemon.loses("switch as a note", within_s=SOON_S)
    (path / "Deep.md" / "Inside.md").unlink()
    (path / "Deep.md").rmdir()
    path.rmdir()
    daemon.write("Switch.md", "switch as a note again")
    daemon.loses("switch as a folder", within_s=SOON_S)
    assert daemon.note("Switch.md")["indexed"]


def test_note_swapped_for_a_folder_by_renames_is_followed(daemon: DaemonProcess) -> None:
    """A note and a folder that exchange their names exchange what is found under them."""
    note = daemon.write("Left.md", "the left ruff")
    daemon.write("Right.md/In.md", "the right ruff")
    before = embedded(daemon)
    note.rename(daemon.vault / "Third.md")
    (daemon.vault / "Right.md").rename(note)
    (daemon.vault / "Third.md").rename(daemon.vault / "Right.md")
    daemon.holds_only("the left ruff", "Right.md")
    daemon.holds_only("the right ruff", "Left.md/In.md")
    assert embedded(daemon) == before


def test_note_that_becomes_a_link_shows_what_it_leads_to(daemon: DaemonProcess) -> None:
    """A link in place of a note has the text of the note it leads to, and a note again its own."""
    daemon.write("Led.md", "the text that is led to")
    path = daemon.write("Becomes.md", "the text of its own")
    path.unlink()
    path.symlink_to("Led.md")
    daemon.holds_only("the text that is led to", "Led.md", "Becomes.md")
    daemon.loses("the text of its own", within_s=SOON_S)
    path.unlink()
    daemon.write("Becomes.md", "its own text again")
    daemon.holds_only("the text that is led to", "Led.md")


def test_link_follows_the_note_that_it_leads_to(daemon: DaemonProcess) -> None:
    """An edit of a note is found under the link to it too; no old text is left there."""
    note = daemon.write("Source.md", "the source before")
    (daemon.vault / "Mirror.md").symlink_to("Source.md")
    daemon.finds("the source before", "Mirror.md", within_s=SOON_S)
    note.write_text("the source after", "utf-8")
    daemon.holds_only("the source after", "Source.md", "Mirror.md")
    daemon.loses("the source before", within_s=SOON_S)


def test_link_to_a_deleted_note_keeps_no_text(daemon: DaemonProcess) -> None:
    """The text of a deleted note is found nowhere, although a link still leads to where it was."""
    note = daemon.write("Doomed.md", "the doomed bittern")
    (daemon.vault / "Pointer.md").symlink_to("Doomed.md")
    daemon.finds("the doomed bittern", "Pointer.md", within_s=SOON_S)
    note.unlink()
    daemon.loses("the doomed bittern", within_s=SOON_S)
    is_listed(daemon, "Pointer.md", "nothing")


def test_hard_linked_notes_have_the_same_text(daemon: DaemonProcess) -> None:
    """A save of a file with two names is found under both."""
    note = daemon.write("One name.md", "both names before")
    (daemon.vault / "Other name.md").hardlink_to(note)
    daemon.finds("both names before", "Other name.md", within_s=SOON_S)
    note.write_text("both names after", "utf-8")
    daemon.holds_only("both names after", "One name.md", "Other name.md")


def test_note_that_becomes_a_link_out_of_the_vault_leaves_no_text(daemon: DaemonProcess) -> None:
    """What the note held and what the link leads to are both found nowhere, and the reason is told."""
    (daemon.vault.parent / "outside.md").write_text("the outer dotterel", "utf-8")
    path = daemon.write("Outward.md", "the inner dotterel")
    path.unlink()
    path.symlink_to(daemon.vault.parent / "outside.md")
    daemon.loses("the inner dotterel", within_s=SOON_S)
    is_listed(daemon, "Outward.md", "out of the vault")
    assert daemon.places("the outer dotterel") == set()
    path.unlink()
    daemon.until(lambda now: not now["problems"] or "Outward.md" not in str(now["problems"]), "gone", SOON_S)


def test_links_in_a_circle_break_nothing(daemon: DaemonProcess) -> None:
    """Links that lead to each other are told; they and folders linked to their parents are not followed."""
    note = daemon.write("Circle/Note.md", "the circling merlin")
    folder = note.parent
    (folder / "a.md").symlink_to("b.md")
    (folder / "b.md").symlink_to("a.md")
    (folder / "up").symlink_to("..", target_is_directory=True)
    (folder / "self").symlink_to(".", target_is_directory=True)
    (folder / "self.md").symlink_to("self.md")
    for name in ("a.md", "b.md", "self.md"):
        is_listed(daemon, f"Circle/{name}", "loop")
    assert daemon.places("the circling merlin") == {"Circle/Note.md"}
    before = embedded(daemon)
    folder.rename(daemon.vault / "Ring")
    daemon.holds_only("the circling merlin", "Ring/Note.md")
    daemon.write("Ring/Note.md", "the ringing merlin")
    assert embedded(daemon) == before + 1
    for name in ("a.md", "b.md", "self.md", "up", "self"):
        (daemon.vault / "Ring" / name).unlink()
    daemon.until(
        lambda now: not any("Ring" in row["path"] or "Circle" in row["path"] for row in now["problems"]),
        "the list is empty again",
        SOON_S,
    )
    assert_alive(daemon, "circles")


def test_link_to_a_folder_is_listed_when_it_appears(daemon: DaemonProcess) -> None:
    """What a scan of the whole vault lists is listed at once, and not an hour later."""
    link = daemon.vault / "To a folder"
    link.symlink_to("..", target_is_directory=True)
    try:
        is_listed(daemon, "To a folder", "link to a folder")
    finally:
        link.unlink()


def test_files_of_sync_tools_are_no_notes_but_copies_for_a_person_are(daemon: DaemonProcess) -> None:
    """What a sync tool works with is left out with a reason; a conflicted copy to look at is found."""
    for number, path in enumerate((*SYNC_LEFTOVERS, *SYNC_NOTES)):
        full = daemon.vault / "Synced" / path
        full.parent.mkdir(parents=True, exist_ok=True)
        full.write_text(f"the synced plover plan{number}", "utf-8")
    daemon.holds_only("the synced plover", *(f"Synced/{path}" for path in SYNC_NOTES))
    for path in SYNC_LEFTOVERS:
        told = daemon.client.get("/api/index", {"explain": f"Synced/{path}"})
        assert (told["indexed"], bool(told["reason"])) == (False, True), told
    assert_alive(daemon, "leftovers")
    daemon.holds_only("the synced plover", *(f"Synced/{path}" for path in SYNC_NOTES))


def test_note_that_a_sync_tool_moves_aside_and_replaces_is_found_throughout(daemon: DaemonProcess) -> None:
    """A conflict as Syncthing settles it leaves the note found, with the text that won."""
    path = daemon.write("Settled.md", "the text that lost")
    arriving = path.with_name(".syncthing.Settled.md.tmp")
    arriving.write_text("the text that won", "utf-8")
    path.rename(path.with_name("Settled.sync-conflict-20260101-000000-ABC.md"))
    arriving.rename(path)
    daemon.holds_only("the text that won", "Settled.md")
    daemon.loses("the text that lost")


def test_note_moved_to_the_trash_and_back_is_embedded_once(daemon: DaemonProcess) -> None:
    """A note in Obsidian's trash is found no more; taken back, it is found and embeds nothing."""
    path = daemon.write("Trashed.md", "the trashed siskin")
    before = embedded(daemon)
    (daemon.vault / ".trash").mkdir(exist_ok=True)
    path.rename(daemon.vault / ".trash" / "Trashed.md")
    daemon.loses("the trashed siskin", within_s=SOON_S)
    (daemon.vault / ".trash" / "Trashed.md").rename(path)
    daemon.finds("the trashed siskin", "Trashed.md", within_s=SOON_S)
    assert embedded(daemon) == before


def test_folder_that_becomes_hidden_takes_its_notes_out(daemon: DaemonProcess) -> None:
    """A dot before a folder's name hides its notes, also those saved later; without it they are back."""
    daemon.write("Shown/Deep/Note.md", "the hidden crake")
    (daemon.vault / "Shown").rename(daemon.vault / ".Shown")
    daemon.loses("the hidden crake", within_s=SOON_S)
    os.utime(daemon.vault / ".Shown" / "Deep" / "Note.md")
    assert_alive(daemon, "hiding")
    assert daemon.places("the hidden crake") == set()
    (daemon.vault / ".Shown").rename(daemon.vault / "Shown")
    daemon.finds("the hidden crake", "Shown/Deep/Note.md", within_s=SOON_S)
    daemon.write("Shown/Deep/Note.md", "the crake seen again")
