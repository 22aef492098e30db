"""The `pai` command in this process, where a child process costs a second or more, and a small disk."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import pytest

from pai_daemon.cli.main import main
from tests.daemon_process import Folders

PATIENCE_S = 10
DISK_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended and what it said."""

    exit_code: object
    stdout: str
    stderr: str


Pai = Callable[..., Ended]


@pytest.fixture
def pai(folders: Folders, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Pai:
    """Return a function that runs a `pai` command; fails one that has not ended after 10 s."""
    for name, value in folders.environ().items():
        monkeypatch.setenv(name, value)
    folders.home.mkdir(parents=True, exist_ok=True)

    def give_up(_number: int, _frame: FrameType | None) -> None:
        raise TimeoutError(f"it did not end within {PATIENCE_S} s")

    def run(*arguments: str) -> Ended:
        monkeypatch.setattr(sys, "argv", ["pai", *arguments])
        capfd.readouterr()
        exit_code: object = 0
        before = signal.signal(signal.SIGALRM, give_up)
        signal.alarm(PATIENCE_S)
        try:
            main()
        except SystemExit as ended:
            exit_code = ended.code
        finally:
            signal.alarm(0)
            signal.signal(signal.SIGALRM, before)
        return Ended(exit_code, *capfd.readouterr())

    return run


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """Yield a folder on a small disk of its own."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("this user may not mount a disk")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def fill_up(disk: Path) -> None:
    """Write to the disk until nothing more fits."""
    with suppress(OSError), (disk / "ballast").open("ab", buffering=0) as file:
        while True:
            file.write(bytes(4096))
