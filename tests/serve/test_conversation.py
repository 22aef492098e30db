"""`pai ask` without a question: a conversation on a terminal, a question a line in a pipe."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from pai_daemon.cli.output import printable
from pai_daemon.config import write_private
from tests.daemon_process import PAI, DaemonProcess, Folders
from tests.serve.test_command_line import read_request

QUESTIONS = "How long does the sourdough prove?\n\nWhen are the tomatoes watered?\n"
PROMPT = "> "
# A session of its own whose terminal it is, so that Ctrl-C reaches it: also where tests ignore Ctrl-C.
LAUNCH = """
import fcntl, os, signal, sys, termios
signal.signal(signal.SIGINT, signal.default_int_handler)
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.argv[1], sys.argv[1:])
"""


class Terminal:
    """A `pai ask` on a terminal of its own, typed at and read."""

    def __init__(self, process: subprocess.Popen[bytes], file: int) -> None:
        self.process, self._file, self.seen = process, file, ""

    def type(self, text: str) -> None:
        """Type, without waiting."""
        os.write(self._file, text.encode())

    def until(self, words: str, within_s: float = 30) -> str:
        """Return what comes up to and with some words; control codes are left out."""
        end_s = time.monotonic() + within_s
        while words not in self.seen:
            ready, _, _ = select.select([self._file], [], [], max(0.0, end_s - time.monotonic()))
            assert ready, f"{words!r} never came:\n{self.seen}"
            try:
                came = os.read(self._file, 65_536).decode("utf-8", "replace")
            except OSError as error:  # the other side has closed
                raise AssertionError(f"it ended before {words!r}:\n{self.seen}") from error
            self.seen += re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", came)
        before, _, self.seen = self.seen.partition(words)
        return before + words

    def interrupt_until(self, words: str) -> None:
        """Press Ctrl-C until some words come: as with any `input`, one may be seen at the next key alone."""
        for _ in range(5):
            self.type("\x03")
            with suppress(AssertionError):
                self.until(words, 6)
                return
        pytest.fail(f"{words!r} never came after Ctrl-C")


@contextmanager
def conversation(folders: Folders, *arguments: str) -> Iterator[Terminal]:
    """Start one on a terminal, and end it."""
    ours, theirs = pty.openpty()
    environ = folders.environ() | {"TERM": "xterm", "COLUMNS": "200"}
    process = subprocess.Popen(
        [sys.executable, "-c", LAUNCH, *PAI, "ask", *arguments],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=environ,
        close_fds=True,
        start_new_session=True,
    )
    os.close(theirs)
    try:
        yield Terminal(process, ours)
    finally:
        process.kill()
        process.wait()
        os.close(ours)


def test_conversation_answers_follows_up_and_shows_its_sources(served: DaemonProcess) -> None:
    """A follow-up is understood by what was said, until a new conversation begins; Ctrl-D leaves."""
    with conversation(served.folders) as terminal:
        terminal.until(PROMPT)
        terminal.type("When are the tomatoes watered?\n")
        assert "before eight" in terminal.until("Garden.md")
        terminal.until(PROMPT)
        terminal.type("And what do they need?\n")
        assert "full sun" in terminal.until("Garden.md")
        terminal.until(PROMPT)
        terminal.type("/sources\n")
        assert "Garden.md" in terminal.until(PROMPT)
        terminal.type("/new\n")
        terminal.until("A new conversation.")
        terminal.type("/sources\n")
        terminal.until("No answer has any yet.")
        terminal.type("/open 9\n")
        terminal.until("has no passage")
        terminal.type("/nonsense\n")
        terminal.until("There is no command /nonsense")
        terminal.until(PROMPT)
        terminal.type("\x04")
        assert terminal.process.wait(10) == 0


def test_ctrl_c_at_the_prompt_stays_and_quit_leaves(served: DaemonProcess) -> None:
    """Ctrl-C gives a new line, `/quit` ends with 0, and no file of the person tells what was said."""
    with conversation(served.folders) as terminal:
        terminal.until(PROMPT)
        terminal.type("half a quest")
        terminal.until("half a quest")
        terminal.interrupt_until(PROMPT)
        terminal.type("Does the zebrafinch sing?\n")
        terminal.until("notes do not say")
        terminal.until(PROMPT)
        terminal.type("/quit\n")
        assert terminal.process.wait(10) == 0
    home = served.folders.home
    files = [path for path in home.rglob("*") if path.is_file()]
    assert files
    assert not [path for path in files if b"zebrafinch" in path.read_bytes()]


HALF = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
    b'event: delta\ndata: {"text": "Half an answer\\u0007"}\n\n'
)


def test_ctrl_c_stops_an_answer_and_leaves_the_conversation_open(tmp_path: Path) -> None:
    """The connection is closed, and so the generator ends; what was said so far goes along later."""
    folders = Folders(tmp_path, tmp_path)
    asked: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        record = {"url": f"http://127.0.0.1:{server.getsockname()[1]}", "vault": "/notes"}
        write_private(folders.settings.config_dir / "daemons" / "x.json", json.dumps(record))
        write_private(folders.settings.config_dir / "token", "token")

        def answer() -> None:
            for _ in range(2):
                connection, _ = server.accept()
                with connection:
                    asked.append(read_request(connection))
                    connection.sendall(HALF)
                    assert connection.recv(1) == b""  # until the client leaves

        thread = threading.Thread(target=answer)
        thread.start()
        with conversation(folders) as terminal:
            terminal.until(PROMPT)
            for question in ("Why?", "And how?"):
                terminal.type(f"{question}\n")
                terminal.until("Half an answer")
                terminal.type("\x03")
                terminal.until("Stopped.")
                terminal.until(PROMPT)
            thread.join(10)
            assert not thread.is_alive()
    assert b'"history"' not in asked[0]
    history = json.loads(asked[1].partition(b"\r\n\r\n")[2])["history"]
    assert [turn["content"] for turn in history] == ["Why?", "Half an answer\x07"]


def ask_lines(served: DaemonProcess, text: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `pai ask` with an input."""
    return subprocess.run(
        [*PAI, "ask", *arguments],
        input=text,
        env=served.folders.environ(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_lines_of_a_pipe_are_answered_one_after_another(served: DaemonProcess) -> None:
    """Each line has its answer below it, without a control code."""
    ended = ask_lines(served, QUESTIONS)
    assert (ended.returncode, ended.stderr) == (0, "")
    first, _, second = ended.stdout.partition("> When are")
    assert "eighteen hours" in first
    assert "before eight" in second
    assert "\x1b" not in ended.stdout


def test_json_lines_of_a_pipe_are_an_answer_each(served: DaemonProcess) -> None:
    """With --json each line of the output is the document of one answer."""
    ended = ask_lines(served, QUESTIONS, "--json")
    answers = [json.loads(line) for line in ended.stdout.splitlines()]
    assert [answer["question"] for answer in answers] == [line for line in QUESTIONS.splitlines() if line]


@pytest.mark.parametrize("follow", [False, True])
def test_line_of_a_pipe_follows_up_only_where_asked_to(served: DaemonProcess, *, follow: bool) -> None:
    """Without --follow each question stands alone."""
    text = "When are the tomatoes watered?\nAnd what do they need?\n"
    ended = ask_lines(served, text, "--json", *(["--follow"] if follow else []))
    asked = json.loads(ended.stdout.splitlines()[1])["asked"]
    assert ("tomatoes" in asked) is follow


def test_question_that_fails_does_not_stop_the_rest(served: DaemonProcess) -> None:
    """Its line says why, the others are answered, and the exit code tells of it."""
    ended = ask_lines(served, "x" * 5_000 + "\nWhen are the tomatoes watered?\n", "--json")
    wrong, right = map(json.loads, ended.stdout.splitlines())
    assert wrong["error"]["code"] == "bad_request"
    assert right["found"]
    assert ended.returncode == 64


def test_input_without_any_question_says_how_to_ask(served: DaemonProcess) -> None:
    """Nothing in the pipe is a wrong use, not silence."""
    ended = ask_lines(served, "\n")
    assert ended.returncode == 64
    assert "No question" in ended.stderr


def test_text_that_a_terminal_would_obey_is_taken_out() -> None:
    """Escape sequences of a note are shown as their harmless rest; lines and tabs stay."""
    assert printable("a\x1b]0;owned\x07b\n\tc\x9b2Jd\re") == "a]0;ownedb\n\tc2Jde"
