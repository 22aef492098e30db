"""A person whose notes the model was not trained for is told, with the command that helps."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pai_daemon.models.probes import probes
from tests.conftest import StartDaemon
from tests.daemon_process import DaemonProcess, Folders, eventually

COMMAND = "pai models use multilingual-e5-small"


def write_german(vault: Path) -> Path:
    """Write a small German vault and return it."""
    vault.mkdir(exist_ok=True)
    for each in probes():
        if each.language == "de":
            text = f"# {each.title}\n\n{each.sentence}\n\n{each.other}\n"
            (vault / f"{each.title}.md").write_text(text, "utf-8")
    return vault


@pytest.fixture(scope="module")
def german(tmp_path_factory: pytest.TempPathFactory, prepared_cache: Path) -> Iterator[DaemonProcess]:
    """Yield a daemon with the small model, which is an English one, that serves German notes."""
    home = tmp_path_factory.mktemp("german")
    with DaemonProcess(write_german(home / "vault"), Folders(home / "home", prepared_cache)) as daemon:
        daemon.ready()
        yield daemon


def test_status_of_notes_that_the_model_does_not_cover_has_a_hint(german: DaemonProcess) -> None:
    """As soon as it is ready, the status says which language the model misses, and what to type."""
    status = german.status()
    assert status["languages"] == {"de": 1.0}
    (hint,) = status["hints"]
    assert hint["code"] == "language_not_covered"
    assert hint["message"].startswith("100 % of your notes are in German, which all-MiniLM-L6-v2 was not")
    assert hint["command"] == COMMAND


def test_pai_status_shows_languages_and_hint(german: DaemonProcess) -> None:
    """`pai status` names the languages, and the command on a line of its own."""
    ended = german.folders.pai("status")
    assert "German 100%" in ended.stdout
    assert f"  {COMMAND}" in ended.stdout.splitlines()


def test_pai_start_says_the_hint(german: DaemonProcess) -> None:
    """The terminal in which the daemon runs shows the hint when it becomes known."""
    eventually(lambda: f"  {COMMAND}\n" in german.log, "the hint in the output of `pai start`")


def test_status_of_notes_that_the_model_covers_has_no_hint(start_daemon: StartDaemon, vault: Path) -> None:
    """With a model of a hundred languages the same vault has nothing to be told."""
    daemon = start_daemon(write_german(vault), PAI_MODEL="e5")
    status = daemon.until(lambda now: now["languages"], "the languages of the vault", 20)
    assert (status["languages"], status["hints"]) == ({"de": 1.0}, [])
