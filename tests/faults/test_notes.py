"""One bad note never stops the others: it is listed with its reason (D4)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.daemon_process import DaemonProcess, Folders

GOOD = [
    "Empty.md",
    "Crlf.md",
    "😀 feelings.md",
    'It\'s "quoted" #1 & 50% off.md',
    "x" * 252 + ".md",
    "Ümläut/Straße.md",
]
BAD = {
    "Binary.md": "NUL",
    "Latin.md": "UTF-8",
    "Yaml.md": "frontmatter",
    "Large.md": "too large",
    "Loop.md": "loop",
    "Nothing.md": "a link to nothing",
    "Outside.md": "out of the vault",
    "Pipe.md": "not a regular file",
    "Folder link": "link to a folder",
}
DEEP = "[" * 3000 + "](x) " * 200 + "**_`" * 2000 + "> " * 500


def write_all(vault: Path) -> None:
    """Write every note above, and some that are odd but good."""
    for number, name in enumerate(GOOD[1:], start=1):
        path = vault / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(f"# Good\r\n\r\nplain words number{number}good\r\n".encode())
    (vault / "Empty.md").touch()
    (vault / "Utf16.md").write_bytes("# Wide\n\nsixteen bits wide walnut".encode("utf-16"))
    (vault / "Binary.md").write_bytes(bytes(range(256)) * 40)
    (vault / "Latin.md").write_bytes(b"caf\xe9 latin walnut")
    (vault / "Yaml.md").write_text("---\ntags: [a\nb: : c\n---\nbroken yaml walnut\n", "utf-8")
    (vault / "Deep.md").write_text(f"deep walnut\n\n{DEEP}", "utf-8")
    with (vault / "Large.md").open("w", encoding="utf-8") as file:
        file.write("large walnut at the start\n\n")
        file.writelines("The same line over and over again.\n" * 1000 for _ in range(600))
    (vault / "Loop.md").symlink_to("Loop2.md")
    (vault / "Loop2.md").symlink_to("Loop.md")
    (vault / "Nothing.md").symlink_to("Nowhere.md")
    (vault.parent / "secret.md").write_text("secret walnut", "utf-8")
    (vault / "Outside.md").symlink_to(vault.parent / "secret.md")
    (vault / "Folder link").symlink_to(vault)
    (vault / "Folder.md").mkdir()
    (vault / "Folder.md" / "Inner.md").write_text("inner walnut", "utf-8")
    os.mkfifo(vault / "Pipe.md")


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory, prepared_cache: Path) -> Iterator[DaemonProcess]:
    """Yield a daemon on a vault of bad notes, ready."""
    home = tmp_path_factory.mktemp("bad")
    vault = home / "vault"
    vault.mkdir()
    write_all(vault)
    limit = {"PAI_NOTE_LIMIT_BYTES": "65536"}
    with DaemonProcess(vault, Folders(home / "home", prepared_cache), environ=limit) as started:
        started.ready(60)
        yield started


@pytest.fixture
def problems(daemon: DaemonProcess) -> dict[str, dict[str, Any]]:
    """Return the problems that the status lists, by path."""
    return {problem["path"]: problem for problem in daemon.status()["problems"]}


@pytest.mark.parametrize("name", GOOD)
def test_note_with_an_odd_name_or_no_text_is_indexed(daemon: DaemonProcess, name: str) -> None:
    """Emoji, quotes, `#`, `%` and a name of 255 bytes are names like any other."""
    note = daemon.note(name)
    assert (note["path"], note["indexed"], note["problems"]) == (name, True, [])
    if number := GOOD.index(name):
        assert daemon.finds(f"number{number}good")["path"] == name


@pytest.mark.parametrize("name", BAD)
def test_note_that_is_bad_is_listed_with_its_reason(problems: dict[str, dict[str, Any]], name: str) -> None:
    """The status names the path and why."""
    assert name in problems, sorted(problems)
    assert BAD[name].lower() in problems[name]["reason"].lower()


def test_note_with_broken_frontmatter_is_listed_with_its_place(
    problems: dict[str, dict[str, Any]],
) -> None:
    """The line and the column of the fault stand in the status."""
    assert problems["Yaml.md"]["line"] in (2, 3)
    assert problems["Yaml.md"]["column"] >= 1


def test_note_that_is_good_is_not_listed(problems: dict[str, dict[str, Any]]) -> None:
    """Only bad notes are listed."""
    assert set(problems) == {*BAD, "Loop2.md"}


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("sixteen bits wide walnut", "Utf16.md"),
        ("latin walnut", "Latin.md"),
        ("broken yaml walnut", "Yaml.md"),
        ("large walnut", "Large.md"),
        ("deep walnut", "Deep.md"),
        ("inner walnut", "Folder.md/Inner.md"),
    ],
)
def test_note_is_indexed_as_far_as_it_can_be_read(daemon: DaemonProcess, words: str, name: str) -> None:
    """What can be read of a bad note is found."""
    assert daemon.finds(words, name)["stale"] is False


def test_note_outside_the_vault_is_not_read(daemon: DaemonProcess) -> None:
    """A link out of the vault leads nowhere."""
    daemon.loses("secret walnut", within_s=0.1)


def test_note_replaced_by_a_folder_is_no_note_any_more(daemon: DaemonProcess) -> None:
    """A folder in place of a note takes its words out, and the note in it in."""
    path = daemon.vault / "Replaced.md"
    path.write_text("replaced hazelnut", "utf-8")
    daemon.finds("replaced hazelnut")
    path.unlink()
    path.mkdir()
    (path / "Inside.md").write_text("inside almond", "utf-8")
    daemon.finds("inside almond", "Replaced.md/Inside.md")
    daemon.loses("replaced hazelnut")


@pytest.mark.parametrize("kind", ["link", "pipe"])
def test_note_that_turns_bad_later_is_listed_too(daemon: DaemonProcess, kind: str) -> None:
    """What a full scan lists is listed as soon as it appears, not an hour later."""
    path = daemon.vault / f"Late {kind}.md"
    if kind == "link":
        path.symlink_to("Nowhere.md")
    else:
        os.mkfifo(path)
    (daemon.vault / "After.md").write_text(f"pecan {kind}", "utf-8")
    daemon.finds(f"pecan {kind}")
    try:
        daemon.until(
            lambda now: any(problem["path"] == path.name for problem in now["problems"]),
            f"{path.name} is listed",
            within_s=4,
        )
    finally:
        path.unlink()


def test_note_of_each_problem_is_gone_from_the_list_when_it_is_mended(daemon: DaemonProcess) -> None:
    """A mended note leaves the list."""
    path = daemon.vault / "Mended.md"
    path.write_bytes(b"cashew \xff")
    daemon.until(lambda now: any(p["path"] == "Mended.md" for p in now["problems"]), "it is listed")
    path.write_text("cashew", "utf-8")
    daemon.until(lambda now: all(p["path"] != "Mended.md" for p in now["problems"]), "it is not listed")
