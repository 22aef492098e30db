"""Claude's memory tool works over the memory folder, answers as documented, and never leaves it (D85)."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pai_daemon.config import Settings
from pai_daemon.memory.commands import MemoryCommands, answered
from pai_daemon.memory.rules import Rules
from pai_daemon.vault.shelf import Shelf

Run = Callable[..., str]


@pytest.fixture
def run(shelf: Shelf) -> Run:
    """Return a function that does a command by its name."""
    memory = MemoryCommands(shelf)
    return lambda name, *given, **more: answered(memory, lambda each: getattr(each, name)(*given, **more))[0]


def test_view_of_a_folder_that_is_not_there_yet_is_an_empty_listing(run: Run) -> None:
    """The first thing that the model does is no error."""
    head = "Here're the files and directories up to 2 levels deep in /memories, excluding hidden items"
    assert run("view", "/memories") == f"{head} and node_modules:\n0B\t/memories"


def test_view_lists_two_levels_with_sizes(run: Run, shelf: Shelf) -> None:
    """Hidden files and what lies deeper are not named, but count."""
    for path, size in (("a.md", 512), ("b/c.md", 1536), ("b/d/e.md", 10), ("node_modules/x.md", 5)):
        shelf.write(path, "x" * size, before=None)
    (shelf.root / ".hidden").write_text("x")
    lines = run("view", "/memories/").splitlines()[1:]
    assert lines == [
        "2K\t/memories",
        "512B\t/memories/a.md",
        "1.5K\t/memories/b",
        "1.5K\t/memories/b/c.md",
        "10B\t/memories/b/d",
    ]


def test_view_numbers_lines_and_takes_a_range(run: Run) -> None:
    """Numbers are six wide, from 1; -1 is the end."""
    run("create", "/memories/a.md", "one\ntwo\nthree\n")
    head = "Here's the content of /memories/a.md with line numbers:\n"
    assert run("view", "/memories/a.md") == f"{head}     1\tone\n     2\ttwo\n     3\tthree"
    assert run("view", "/memories/a.md", [2, -1]) == f"{head}     2\ttwo\n     3\tthree"
    assert run("view", "/memories/a.md", [2, 2]) == f"{head}     2\ttwo"
    assert "Invalid `view_range` parameter: [4, 5]" in run("view", "/memories/a.md", [4, 5])


def test_text_is_kept_word_by_word(run: Run, shelf: Shelf) -> None:
    """No end of line is added, no blank taken away, whatever the text."""
    text = "  <prefs>\r\n\ttea & 'milk' %%\n\n`x`   \nno end"
    assert (
        run("create", "/memories/p/prefs.xml", text) == "File created successfully at: /memories/p/prefs.xml"
    )
    assert (shelf.root / "p/prefs.xml").read_bytes() == text.encode()


def test_create_never_replaces(run: Run, shelf: Shelf) -> None:
    """A file that is there stays, also under other capitals."""
    run("create", "/memories/a.md", "mine")
    for path in ("/memories/a.md", "/memories/A.md"):
        assert run("create", path, "x") == f"Error: File {path} already exists"
    assert shelf.read("a.md") == "mine"


def test_str_replace_answers_as_documented(run: Run, shelf: Shelf) -> None:
    """Once is replaced and shown; never and twice are refused with what was looked for."""
    run("create", "/memories/a.md", "one\ntwo\nthree\none\n")
    assert run("str_replace", "/memories/a.md", "two", "2\n2b") == (
        "The memory file has been edited.\n     1\tone\n     2\t2\n     3\t2b\n     4\tthree\n     5\tone"
    )
    assert run("str_replace", "/memories/a.md", "x", "y") == (
        "No replacement was performed, old_str `x` did not appear verbatim in /memories/a.md."
    )
    assert run("str_replace", "/memories/a.md", "one", "y") == (
        "No replacement was performed. Multiple occurrences of old_str `one` in lines: 1, 5. "
        "Please ensure it is unique"
    )
    gone = "Error: The path /memories/b.md does not exist. Please provide a valid path."
    assert run("str_replace", "/memories/b.md", "x", "y") == gone
    assert "did not appear" in run("str_replace", "/memories/a.md", "", "y")
    assert shelf.read("a.md") == "one\n2\n2b\nthree\none\n"


def test_insert_puts_a_line_where_it_was_said(run: Run, shelf: Shelf) -> None:
    """0 is the beginning, the number of lines the end; a file without a last line end gets one."""
    run("create", "/memories/a.md", "one\ntwo")
    assert run("insert", "/memories/a.md", 2, "three") == "The file /memories/a.md has been edited."
    run("insert", "/memories/a.md", 0, "zero\n")
    assert shelf.read("a.md") == "zero\none\ntwo\nthree\n"
    assert run("insert", "/memories/a.md", 9, "x") == (
        "Error: Invalid `insert_line` parameter: 9. "
        "It should be within the range of lines of the file: [0, 4]"
    )
    assert run("insert", "/memories/b.md", 0, "x") == "Error: The path /memories/b.md does not exist"


def test_edit_keeps_line_ends_and_bytes_that_are_no_text(run: Run, shelf: Shelf) -> None:
    """A file of Windows stays one, and what is no UTF-8 stays as it is."""
    shelf.root.mkdir()
    (shelf.root / "a.md").write_bytes(b"one\r\ntw\xff\r\n")
    run("str_replace", "/memories/a.md", "one\n", "1\n1b\n")
    run("insert", "/memories/a.md", 3, "end")
    assert (shelf.root / "a.md").read_bytes() == b"1\r\n1b\r\ntw\xff\r\nend\r\n"


def test_delete_and_rename_answer_as_documented(run: Run, shelf: Shelf) -> None:
    """Files and folders go and move; nothing is replaced; the folder itself stays."""
    run("create", "/memories/a/x.md", "x")
    run("create", "/memories/b.md", "b")
    assert (
        run("rename", "/memories/a", "/memories/c/d") == "Successfully renamed /memories/a to /memories/c/d"
    )
    assert (
        run("rename", "/memories/b.md", "/memories/c") == "Error: The destination /memories/c already exists"
    )
    assert run("rename", "/memories/n", "/memories/m") == "Error: The path /memories/n does not exist"
    assert run("rename", "/memories/c", "/memories/c/e") == "Error: /memories/c/e lies within /memories/c"
    assert (
        run("rename", "/memories/b.md", "/memories/B.md")
        == "Successfully renamed /memories/b.md to /memories/B.md"
    )
    assert list(shelf.paths()) == ["B.md", "c/d/x.md"]
    assert run("delete", "/memories/c") == "Successfully deleted /memories/c"
    assert run("delete", "/memories/c") == "Error: The path /memories/c does not exist"
    for command in (("delete", "/memories"), ("rename", "/memories/", "/memories/z")):
        assert "itself cannot be" in run(*command)
    assert list(shelf.paths()) == ["B.md"]


def test_what_was_replaced_or_deleted_is_kept_for_the_person(run: Run, shelf: Shelf) -> None:
    """Each change leaves a record of what was there before, readable by the person alone."""
    run("create", "/memories/a.md", "first")
    run("str_replace", "/memories/a.md", "first", "second")
    run("delete", "/memories/a.md")
    kept = [each.read_text() for each in sorted(shelf.undo.glob("*.json"))]
    assert ['"first"' in kept[0], '"second"' in kept[1], len(kept)] == [True, True, 2]
    assert {each.stat().st_mode & 0o777 for each in shelf.undo.glob("*.json")} == {0o600}


OUTSIDE = [
    "/etc/passwd",
    "memories/a.md",
    "/memoriesx/a.md",
    "/Memories/a.md",
    "/memories/../secret.md",
    "/memories/./../secret.md",
    "/memories/a/../../secret.md",
    "/memories//../secret.md",
    "/memories/%2e%2e/secret.md",
    "/memories/%2E%2E%2Fsecret.md",
    "/memories/..\\secret.md",
    "/memories/.obsidian/app.json",
    "/memories/a\x00.md",
    "/memories/a\ud800.md",
    "/memories/" + "x" * 300,
    "/memories/link/secret.md",
    "/memories/link",
    "/memories/file.md",
    "",
]


@pytest.mark.parametrize("path", OUTSIDE)
def test_no_path_leads_out_of_the_folder(run: Run, shelf: Shelf, path: str) -> None:
    """Traversal, encodings, links, hidden folders and other beginnings are refused by every command."""
    shelf.root.mkdir()
    outside = shelf.vault / "outside"
    outside.mkdir()
    for place in (shelf.vault / "secret.md", outside / "secret.md"):
        place.write_text("secret words")
    (shelf.root / "link").symlink_to(outside)
    (shelf.root / "file.md").symlink_to(shelf.vault / "secret.md")
    run("create", "/memories/mine.md", "x")
    before = {each: each.read_bytes() for each in shelf.vault.rglob("*") if each.is_file()}
    commands: list[tuple[Any, ...]] = [
        ("view", path),
        ("create", path, "evil"),
        ("str_replace", path, "secret", "evil"),
        ("insert", path, 0, "evil"),
        ("delete", path),
        ("rename", path, "/memories/taken.md"),
        ("rename", "/memories/mine.md", path),
    ]
    for command in commands:
        said = run(*command)
        assert "secret words" not in said
        assert not said.startswith(("File created", "Success", "The file", "The memory")), command
    assert {each: each.read_bytes() for each in shelf.vault.rglob("*") if each.is_file()} == before


def test_accents_are_found_however_they_are_composed(run: Run) -> None:
    """A name that macOS took apart is the one that the model wrote."""
    run("create", "/memories/Gru\u0308\u00dfe.md", "hi")
    assert "hi" in run("view", "/memories/Gr\u00fc\u00dfe.md")
    assert "already exists" in run("create", "/memories/Gr\u00fc\u00dfe.md", "x")


def test_local_only_and_excluded_notes_are_not_there_for_the_tool(shelf: Shelf) -> None:
    """By property, tag, folder or pattern: not viewed, listed, changed, moved or taken away (D15)."""
    private = {
        "property.md": "---\npai: local\n---\nottokar",
        "tag.md": "leopold #secret/deep",
        "Diary/path.md": "quirin",
        "out.md": "---\npai: false\n---\nmelchior",
        "Ignored/x.txt": "zebulon",
    }
    for path, text in {**private, "open.md": "bartholomew"}.items():
        shelf.write(path, text, before=None)
    (shelf.vault / ".paiignore").write_text("Ignored/\n")
    settings = Settings(local_only=("Memory/Diary/", "#secret"))
    memory = MemoryCommands(shelf, Rules.of(shelf, settings).may_leave)
    assert memory.view("/memories").splitlines()[1:] == ["11B\t/memories", "11B\t/memories/open.md"]
    for path, text in private.items():
        inner = f"/memories/{path}"
        for command in (
            lambda each, at=inner: each.view(at),
            lambda each, at=inner: each.str_replace(at, "o", "x"),
            lambda each, at=inner: each.insert(at, 0, "x"),
            lambda each, at=inner: each.delete(at),
            lambda each, at=inner: each.delete(at.rpartition("/")[0]),
            lambda each, at=inner: each.rename(at, "/memories/new.md"),
        ):
            said, is_error = answered(memory, command)
            assert is_error
            assert not set(said.split()) & {"ottokar", "leopold", "quirin", "melchior", "zebulon"}
        assert shelf.read(path) == text


def test_two_that_edit_at_once_lose_nothing(shelf: Shelf) -> None:
    """Each insertion of two writers is there in the end, once."""
    memory = MemoryCommands(shelf)
    memory.create("/memories/a.md", "head\n")

    def insert(who: str) -> None:
        for number in range(10):
            memory.insert("/memories/a.md", 1, f"{who}{number}")

    threads = [threading.Thread(target=insert, args=(who,)) for who in "xy"]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    lines = (shelf.read("a.md") or "").split()
    assert sorted(lines[1:]) == sorted(f"{who}{number}" for who in "xy" for number in range(10))


def test_edit_is_made_again_when_the_file_changed_meanwhile(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the person saved between our look and our write is kept, and our edit comes on top."""
    memory = MemoryCommands(shelf)
    memory.create("/memories/a.md", "one\n")
    sync = os.fsync
    saved: list[bool] = []

    def save(handle: int) -> None:
        sync(handle)
        if not saved:
            saved.append(True)
            (shelf.root / "a.md").write_text("person\none\n")

    monkeypatch.setattr(os, "fsync", save)
    memory.str_replace("/memories/a.md", "one", "two")
    assert shelf.read("a.md") == "person\ntwo\n"


def test_failed_write_leaves_the_file_and_no_other(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk is told, and neither loses the text nor leaves half a file."""
    memory = MemoryCommands(shelf)
    memory.create("/memories/a.md", "one\n")

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    said, is_error = answered(memory, lambda each: each.insert("/memories/a.md", 0, "x"))
    assert (said, is_error) == ("Error: There is no room to write a.md.", True)
    assert sorted(each.name for each in Path(shelf.root).iterdir()) == ["a.md"]
    assert shelf.read("a.md") == "one\n"
