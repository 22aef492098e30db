"""The `pai` commands against a running daemon: one JSON document, plain text in a pipe, exit codes."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pai_daemon.cli.main import main
from tests.daemon_process import DaemonProcess, Folders

COMMANDS = [
    ["status"],
    ["search", "sourdough"],
    ["search", "zzzzzz", "--mode", "text"],
    ["ask", "How long does the sourdough prove?"],
    ["ask", "What is the boiling point of tungsten hexafluoride?"],
    ["index", "--explain", "Garden.md"],
    ["index", "--explain", "../outside.md"],
    ["index"],
    ["links", "Projects/Shed.md"],
    ["links", "Garden.md"],
]
Run = Callable[..., tuple[object, str, str]]


@pytest.fixture
def pai(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """Return a function that runs a `pai` command in some folders: exit code, output, errors."""

    def run(folders: Folders, *arguments: str) -> tuple[object, str, str]:
        for name, value in folders.environ().items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(sys, "argv", ["pai", *arguments])
        capfd.readouterr()
        code: object = 0
        try:
            main()
        except SystemExit as ended:
            code = ended.code
        return (code, *capfd.readouterr())

    return run


@pytest.mark.parametrize("arguments", COMMANDS)
def test_command_with_json_prints_one_document(served: DaemonProcess, pai: Run, arguments: list[str]) -> None:
    """With --json a command prints one JSON object and nothing else."""
    code, out, err = pai(served.folders, *arguments, "--json")
    assert (code, err) == (0, "")
    assert isinstance(json.loads(out), dict)


@pytest.mark.parametrize("arguments", COMMANDS)
def test_command_in_a_pipe_prints_plain_text(served: DaemonProcess, arguments: list[str]) -> None:
    """Where no terminal reads, no control code is written, and something is said."""
    if arguments[0] in ("index", "links"):
        pytest.skip("one process a kind is enough")
    ended = served.folders.pai(*arguments)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.strip()
    assert "\x1b" not in ended.stdout
    assert "\x1b" not in served.log


@pytest.mark.parametrize("arguments", COMMANDS[:1] + COMMANDS[1:2] + COMMANDS[3:4] + COMMANDS[7:9])
@pytest.mark.parametrize("as_json", [False, True])
def test_command_without_a_daemon_says_how_to_start_one(
    tmp_path: Path, pai: Run, arguments: list[str], *, as_json: bool
) -> None:
    """No daemon: exit code 69, a hint on stderr, nothing on stdout."""
    folders = Folders(tmp_path, tmp_path)
    code, out, err = pai(folders, *arguments, *(["--json"] if as_json else []))
    assert (code, out) == (69, "")
    assert "pai start" in err
    if as_json:
        assert json.loads(err)["code"] == "daemon_unreachable"


def test_command_for_another_vault_finds_no_daemon(served: DaemonProcess, pai: Run, tmp_path: Path) -> None:
    """A vault that no daemon serves ends with 69, although another daemon runs."""
    assert pai(served.folders, "status", "--vault", str(tmp_path))[0] == 69
    assert pai(served.folders, "status", "--vault", str(served.vault))[0] == 0


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["links", "Nowhere.md"], 66),
        (["links", "../outside.md"], 66),
        (["search", "sun", "--limit", "0"], 64),
        (["search", "sun", "--limit", "many"], 64),
        (["search", ""], 64),
        (["ask", "  "], 64),
        (["search", "x" * 5000], 64),
    ],
)
def test_command_that_the_daemon_refuses_ends_with_its_exit_code(
    served: DaemonProcess, pai: Run, arguments: list[str], code: int
) -> None:
    """The daemon's error comes out as a message and as the exit code of that error."""
    ended, out, err = pai(served.folders, *arguments)
    assert (ended, out) == (code, "")
    assert "Traceback" not in err
    assert err
