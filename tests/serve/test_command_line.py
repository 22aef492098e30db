"""The `pai` commands against a running daemon: one JSON document, plain text in a pipe, exit codes."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pai_daemon.cli.links import LEAST_CONFIDENCE
from pai_daemon.cli.output import counted
from pai_daemon.config import write_private
from tests.daemon_process import PAI, DaemonProcess, Folders
from tests.serve.conftest import Run

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
    ["tasks"],
    ["tasks", "roof", "--all", "--due-before", "7d", "--path", "Projects", "--tag", "none"],
    ["ask", "overdue tasks"],
]


@pytest.mark.parametrize("arguments", COMMANDS)
def test_command_with_json_prints_one_document(served: DaemonProcess, pai: Run, arguments: list[str]) -> None:
    """With --json a command prints one JSON object and nothing else."""
    code, out, err = pai(served.folders, *arguments, "--json")
    assert (code, err) == (0, "")
    assert isinstance(json.loads(out), dict)


@pytest.mark.parametrize("arguments", [row for row in COMMANDS if row[0] in ("status", "search", "ask")])
def test_command_in_a_pipe_prints_plain_text(served: DaemonProcess, arguments: list[str]) -> None:
    """Where no terminal reads, no control code is written, and something is said."""
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


def test_ask_lists_the_nearest_notes_where_none_says(served: DaemonProcess, pai: Run) -> None:
    """A refusal is followed by where to look, and an answer is not."""
    question = "What is the boiling point of tungsten hexafluoride?"
    nearest = served.client.ask(question)["nearest"]
    code, out, _ = pai(served.folders, "ask", question)
    shown = out.partition("The nearest notes:")[2]
    assert code == 0
    assert nearest
    assert all(passage["path"] in shown for passage in nearest)
    assert "The nearest notes" not in pai(served.folders, "ask", "How long does the sourdough prove?")[1]


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


def test_command_whose_reader_leaves_ends_quietly(served: DaemonProcess) -> None:
    """`pai search … | head -1` says nothing of a broken pipe."""
    reader, writer = os.pipe()
    os.close(reader)
    ended = subprocess.run(
        [*PAI, "search", "sun"],
        env=served.folders.environ(),
        stdout=writer,
        stderr=subprocess.PIPE,
        check=False,
        timeout=20,
    )
    os.close(writer)
    assert (ended.returncode, ended.stderr) == (1, b"")


@contextmanager
def impostor(folders: Folders, reply: bytes | None) -> Iterator[threading.Event]:
    """Put something in a daemon's place that gives one reply, None for none; yield when it is asked."""
    asked = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:
        record = {"url": f"http://127.0.0.1:{server.getsockname()[1]}", "vault": "/notes"}
        write_private(folders.settings.config_dir / "daemons" / "x.json", json.dumps(record))
        write_private(folders.settings.config_dir / "token", "token")

        def answer() -> None:
            connection, _ = server.accept()
            with connection:
                read_request(connection)
                asked.set()
                if reply is None:
                    connection.recv(1)  # until the client leaves
                else:
                    connection.sendall(reply)

        thread = threading.Thread(target=answer)
        thread.start()
        yield asked
        thread.join(10)


def read_request(connection: socket.socket) -> bytes:
    """Return a request, read to its end: closing with bytes unread would reset the connection."""
    received = b""
    while b"\r\n\r\n" not in received:
        received += connection.recv(65536)
    head, _, body = received.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)content-length: (\d+)", head)
    while length and len(body) < int(length[1]):
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


def test_command_that_is_interrupted_ends_with_130(tmp_path: Path) -> None:
    """Ctrl-C while an answer is awaited ends `pai ask` at once, without a traceback."""
    folders = Folders(tmp_path, tmp_path)
    with impostor(folders, None) as asked:
        process = subprocess.Popen([*PAI, "ask", "why"], env=folders.environ(), stderr=subprocess.PIPE)
        assert asked.wait(10)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=10)
    assert (process.returncode, err.strip()) == (130, b"")


@pytest.mark.parametrize(
    ("arguments", "reply", "words"),
    [
        (["status"], b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "not a daemon of ours"),
        (["status"], b"HTTP/1.1 500 Oh\r\nContent-Length: 5\r\n\r\nhello", "status 500"),
        (["status"], b"SSH-2.0-OpenSSH_9.6\r\n", "No daemon answers"),
        (["ask", "why"], b"HTTP/1.1 200 OK\r\n\r\n", "broke off"),
    ],
)
def test_command_that_another_program_answers_says_so(
    tmp_path: Path, pai: Run, arguments: list[str], reply: bytes, words: str
) -> None:
    """Where a dead daemon's port is another program's now, or an answer stops, a message says so."""
    folders = Folders(tmp_path, tmp_path)
    with impostor(folders, reply):
        code, _, err = pai(folders, *arguments)
    assert code in (69, 70)
    assert words in err
    assert "Traceback" not in err


def test_number_of_one_thing_is_singular() -> None:
    """One note is no `1 notes`."""
    assert [counted(number, "note") for number in (0, 1, 2, 1234)] == [
        "0 notes",
        "1 note",
        "2 notes",
        "1,234 notes",
    ]


def test_watched_status_says_each_change_in_a_line(served: DaemonProcess) -> None:
    """In a pipe: a JSON document a line, written when something has changed, until it is ended."""
    watching = subprocess.Popen(
        [*PAI, "status", "--watch", "--json"],
        env=served.folders.environ(),
        stdout=subprocess.PIPE,
        text=True,
    )
    assert watching.stdout is not None
    with watching:
        first = json.loads(watching.stdout.readline())
        note = served.vault / "Watched.md"
        note.write_text("A capercaillie.", "utf-8")
        later = json.loads(watching.stdout.readline())
        watching.send_signal(signal.SIGINT)
        try:
            assert watching.wait(10) == 130
        finally:
            watching.kill()
    note.unlink()
    served.loses("capercaillie")
    assert later["revision"] > first["revision"] or later["progress"] != first["progress"]


def test_stopped_daemon_has_ended_in_order(tmp_path: Path, prepared_cache: Path) -> None:
    """`pai stop` returns when it has; there is nothing to stop then, and the next start does no work."""
    vault = tmp_path / "vault"
    vault.mkdir()
    (vault / "Note.md").write_text("A capercaillie.", "utf-8")
    with DaemonProcess(vault, Folders(tmp_path / "home", prepared_cache)) as daemon:
        daemon.ready()
        stopped = daemon.folders.pai("stop", "--json")
        assert json.loads(stopped.stdout) == {"stopped": daemon.client.url}
        assert not daemon.is_running()
        assert "Stopping" in daemon.log
        again = daemon.folders.pai("stop")
        assert (again.returncode, "No daemon is running" in again.stderr) == (69, True)
        daemon.start()
        assert daemon.ready()["work"] == {"notes_read": 0, "chunks_embedded": 0, "commits": 0}


def test_pattern_is_tried_before_it_takes_notes_out(served: DaemonProcess, pai: Run) -> None:
    """It says how many and which, and does nothing; one that cannot be read is a clear error."""
    code, said, _ = pai(served.folders, "index", "--exclude", "Projects/", "--json")
    assert (code, json.loads(said)) == (
        0,
        {"exclude": "Projects/", "notes": 2, "paths": ["Projects/Boat.md", "Projects/Shed.md"]},
    )
    assert "would take out 2 notes" in pai(served.folders, "index", "--exclude", "Projects/")[1]
    assert json.loads(pai(served.folders, "index", "--explain", "Projects/Boat.md", "--json")[1])["indexed"]
    code, _, told = pai(served.folders, "index", "--exclude", "!")
    assert (code, "cannot be read" in told) == (64, True)


def test_links_that_are_hardly_likely_are_listed_only_when_asked_for(served: DaemonProcess, pai: Run) -> None:
    """`pai links` prints what is likely and counts the rest; --all prints, and --json has, every one."""
    told = json.loads(pai(served.folders, "links", "Projects/Boat.md", "--json")[1])
    every = [each["confidence"] for each in (*told["mentions"], *told["suggestions"])]
    unlikely = [confidence for confidence in every if confidence < LEAST_CONFIDENCE]
    assert unlikely
    listed = re.compile(r"^\d\.\d{3}", re.MULTILINE)
    few, all_of_them = (
        pai(served.folders, "links", "Projects/Boat.md", *more)[1] for more in ((), ("--all",))
    )
    assert len(listed.findall(few)) == len(every) - len(unlikely)
    assert f"{len(unlikely)} that" in few
    assert len(listed.findall(all_of_them)) == len(every)
    assert "hardly" not in all_of_them


def test_search_says_how_a_query_was_read_and_why_its_passages_stand_so(
    served: DaemonProcess, pai: Run
) -> None:
    """`pai search --explain` prints the sum of each passage, what was weighed and the time of each stage."""
    code, out, _ = pai(served.folders, "search", "--explain", "hull varnish path:Projects/ tags:boat")
    assert code == 0
    assert "\nRead as: path:Projects/\n" in out
    assert "did you mean tag:?" in out
    assert re.search(
        r"semantic 0\.\d+: [01]\.\d+ × 0\.\d+ \+ text \d+\.\d+: [01]\.\d+ × 0\.\d+ = [01]\.", out
    )
    assert re.search(r"second look [+-]\d+\.\d\d: .*near [+-]", out)
    # The legs run side by side: which of them is over first is chance.
    assert re.search(r"\d ms: .*\btext \d", out)
    assert re.search(r"\d ms: .*\blook \d", out)
    assert "No note has" not in out
    mistyped = pai(served.folders, "search", "--explain", "hull varnihsed")[1]
    assert "\nNo note has “varnihsed”; searched too: varnished.\n" in mistyped
    plain = pai(served.folders, "search", "hull varnish")[1]
    assert not any(said in plain for said in ("Read as", "second look", " ms:"))
