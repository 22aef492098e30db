"""A vault under git: a checkout of another state is followed, there and back and there again."""

from __future__ import annotations

import random
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from tests.bench.data import unpack
from tests.context.conftest import SAMPLE_VAULT, GoLive, Live
from tests.daemon_process import eventually
from tests.operations import Row, rows_of

CHANGED_SHARE = 0.3


def git(vault: Path, *arguments: str) -> None:
    """Run git in the vault, whatever this machine's own settings are."""
    identity = ["-c", "user.name=Test", "-c", "user.email=test@localhost", "-c", "commit.gpgsign=false"]
    environ = {"PATH": "/usr/bin:/bin", "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1"}
    command = ["git", "-C", str(vault), *identity, *arguments]
    subprocess.run(command, check=True, capture_output=True, env=environ)


def commit(vault: Path, name: str) -> None:
    """Commit all that is in the vault, and give the state a name."""
    git(vault, "add", "--all")
    git(vault, "commit", "--message", name)
    git(vault, "tag", name)


def change(vault: Path, choose: random.Random) -> None:
    """Edit, rename and remove many notes, move a folder and add notes."""
    notes = sorted(note for note in vault.rglob("*.md") if ".git" not in note.parts)
    for note in choose.sample(notes, max(4, int(len(notes) * CHANGED_SHARE))):
        text = note.read_bytes()
        match choose.choice(("append", "append", "cut", "rename", "remove")):
            case "append":
                note.write_bytes(text + f"\n\n# Later\n\nadded {choose.randrange(10**6)}\n".encode())
            case "cut":
                note.write_bytes(text[: len(text) // 2])
            case "rename":
                note.rename(note.with_name(f"{note.stem} {choose.randrange(10**6)}.md"))
            case "remove":
                note.unlink()
    folder = next(path for path in sorted(vault.iterdir()) if path.is_dir() and path.name != ".git")
    shutil.move(folder, vault / "Moved" / folder.name)
    for number in range(5):
        (vault / f"Arrived {number}.md").write_text(f"# Arrived\n\nA note from elsewhere, {number}.\n")


@pytest.fixture(params=["sample-vault", "vault-tasks-docs-en"])
def repository(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Return a vault that is a git repository with the states `first` and `second`, at the first."""
    if request.param == "sample-vault":
        vault = tmp_path / "vault"
        shutil.copytree(SAMPLE_VAULT, vault)
    else:
        found = unpack(request.param, tmp_path)
        if found is None:
            pytest.skip("the bench data is not here")
        vault = found
    git(vault, "init", "--quiet")
    commit(vault, "first")
    change(vault, random.Random(5))
    commit(vault, "second")
    git(vault, "checkout", "--quiet", "first")
    return vault


def _holds(live: Live, expected: set[Row]) -> bool:
    return rows_of(live.index) == expected


def test_checkout_there_and_back_equals_a_rebuild(go_live: GoLive, repository: Path) -> None:
    """After each checkout every chunk is where a new index has it, and no file of git is a note."""
    (repository / ".git" / "Description.md").write_text("no note, but git's own")
    live = go_live(repository, model=False)
    live.settled("indexing")
    for number, state in enumerate(("second", "first", "second")):
        git(repository, "checkout", "--quiet", state)
        fresh = go_live(repository, f"fresh-{number}", model=False)
        fresh.settled("indexing")
        expected = rows_of(fresh.index)
        eventually(partial(_holds, live, expected), f"the same index at {state}", 20)
        assert not [path for path in live.paths() if path.startswith(".git/")]
        fresh.indexer.stop()


@contextmanager
def busy_git(vault: Path) -> Iterator[None]:
    """Write files in `.git` all the time, as a fetch or a repacking does."""
    stop = threading.Event()
    objects = vault / ".git" / "objects" / "busy"
    objects.mkdir(parents=True)

    def write() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            path = objects / f"{number % 500}"
            path.write_bytes(b"object")
            path.replace(objects / f"{number % 500}.pack")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        yield
    finally:
        stop.set()
        writer.join()


def test_busy_repository_does_not_hold_up_a_save(go_live: GoLive, tmp_path: Path) -> None:
    """While git writes thousands of its own files, a save arrives as soon as at other times."""
    vault = tmp_path / "vault"
    shutil.copytree(SAMPLE_VAULT, vault)
    git(vault, "init", "--quiet")
    live = go_live(vault, model=False)
    live.settled("indexing")
    read = live.indexer.notes_read
    with busy_git(vault):
        for number in range(4):
            (vault / "Welcome.md").write_text(f"# Welcome\n\nThe fulmar{number} is here.\n")

            def arrived(number: int = number) -> bool:
                results = live.searcher.search(f"fulmar{number}", mode="text").results
                return any(f"fulmar{number}" in passage.text for passage in results)

            eventually(arrived, "the save", 3)
    assert live.indexer.notes_read <= read + 12
    assert not [path for path in live.paths() if path.startswith(".git/")]
