"""Anthropic's own tool class speaks to our route, and answers as its own store of files does (D85)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.daemon_process import DaemonProcess, Folders

tools = pytest.importorskip("anthropic.lib.tools", reason="needs the package anthropic")
store = pytest.importorskip("anthropic.lib.tools._beta_builtin_memory_tool")


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory, prepared_cache: Path) -> Iterator[DaemonProcess]:
    """Yield a daemon that serves one note."""
    home = tmp_path_factory.mktemp("sdk")
    (home / "vault").mkdir()
    (home / "vault" / "Secret.md").write_text("secret words\n", "utf-8")
    with DaemonProcess(home / "vault", Folders(home / "home", prepared_cache)) as running:
        running.ready()
        yield running


def ours(daemon: DaemonProcess) -> Any:
    """Return Anthropic's abstract tool, each command of which asks the daemon."""

    def ask(_self: Any, command: Any) -> str:
        body = command.model_dump(exclude_none=True)
        answer = daemon.client.memory_command(**body)
        if answer["is_error"]:
            raise tools.ToolError(answer["content"])
        return str(answer["content"])

    names = ("view", "create", "str_replace", "insert", "delete", "rename")
    kind = type("OurTool", (tools.BetaAbstractMemoryTool,), dict.fromkeys(names, ask))
    return kind()


def called(tool: Any, **given: Any) -> tuple[str, bool]:
    """Return what a tool answers to a command, and whether it refused."""
    try:
        return str(tool.call(given)), False
    except tools.ToolError as error:
        return str(error), True


COMMANDS: list[dict[str, Any]] = [
    {"command": "create", "path": "/memories/prefs.md", "file_text": "tea\nmilk\n"},
    {"command": "create", "path": "/memories/prefs.md", "file_text": "again"},
    {"command": "view", "path": "/memories/prefs.md", "view_range": [1, 2]},
    {"command": "str_replace", "path": "/memories/prefs.md", "old_str": "tea", "new_str": "coffee"},
    {"command": "str_replace", "path": "/memories/prefs.md", "old_str": "water", "new_str": "x"},
    {"command": "str_replace", "path": "/memories/prefs.md", "old_str": "f", "new_str": "x"},
    {"command": "str_replace", "path": "/memories/none.md", "old_str": "f", "new_str": "x"},
    {"command": "insert", "path": "/memories/prefs.md", "insert_line": 1, "insert_text": "sugar\n"},
    {"command": "insert", "path": "/memories/prefs.md", "insert_line": 99, "insert_text": "x"},
    {"command": "view", "path": "/memories/prefs.md", "view_range": [1, 3]},
    {"command": "rename", "old_path": "/memories/prefs.md", "new_path": "/memories/x/prefs.md"},
    {"command": "rename", "old_path": "/memories/none.md", "new_path": "/memories/y.md"},
    {"command": "create", "path": "/memories/b.md", "file_text": "b"},
    {"command": "rename", "old_path": "/memories/b.md", "new_path": "/memories/x/prefs.md"},
    {"command": "view", "path": "/memories/none.md"},
    {"command": "view", "path": "/memories/../Secret.md"},
    {"command": "delete", "path": "/memories/none.md"},
    {"command": "delete", "path": "/memories/x"},
    {"command": "delete", "path": "/memories"},
]


def test_sdk_gets_from_us_what_its_own_store_gives(daemon: DaemonProcess, tmp_path: Path) -> None:
    """Of each command the outcome is the same, and so is the file in the end; wording as documented."""
    tool, theirs = ours(daemon), store.BetaLocalFilesystemMemoryTool(str(tmp_path / "store"))
    assert tool.to_dict() == {"type": "memory_20250818", "name": "memory"}
    for command in COMMANDS:
        said, refused = called(tool, **command)
        expected, expected_refused = called(theirs, **command)
        assert refused == expected_refused, (command, said, expected)
        if not refused and command["command"] != "str_replace":
            assert said == expected, command
    memory = daemon.vault / "Memory"
    assert [each.name for each in memory.iterdir()] == ["b.md"]
    assert (daemon.vault / "Secret.md").read_text("utf-8") == "secret words\n"


def test_sdk_sees_texts_word_by_word(daemon: DaemonProcess) -> None:
    """Umlauts, emoji and marks of every kind pass the wire."""
    tool, text = ours(daemon), 'Grüße 🎉 "x" \\ `y` \u2028 %%'
    called(tool, command="create", path="/memories/Grüße.md", file_text=text)
    said, refused = called(tool, command="view", path="/memories/Grüße.md")
    assert (said, refused) == (
        f"Here's the content of /memories/Grüße.md with line numbers:\n     1\t{text}",
        False,
    )


def test_command_that_lacks_a_field_says_which(daemon: DaemonProcess) -> None:
    """A model that forgets a field reads what is needed; nothing is done."""
    answer = daemon.client.memory_command("create", path="/memories/new.md")
    assert answer == {"content": "Error: The command create needs path and file_text", "is_error": True}
