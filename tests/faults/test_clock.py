"""A clock that is set forth and back, and notes with odd times: neither decides what is in the index."""

from __future__ import annotations

import os
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import pytest

from pai_daemon.context.store.upkeep import TIDY_COMMITS
from tests.conftest import StartDaemon
from tests.daemon_process import DaemonProcess, eventually

NOTES = 12
YEAR_S = 365 * 86_400
SLOWED_S = 60


def library() -> Path | None:
    """Return the library that gives a process another wall clock, None where it is not installed."""
    spec = find_spec("libfaketime")
    if spec is None or spec.origin is None:
        return None
    found = Path(spec.origin).parent / "vendor" / "libfaketime" / "src" / "libfaketime.so.1"
    return found if found.exists() else None


def fill(vault: Path) -> None:
    """Write notes, each with a word of its own."""
    for number in range(NOTES):
        (vault / f"Note {number}.md").write_text(f"Here stands the word dunlin{number}x.", "utf-8")


def holds_all(daemon: DaemonProcess) -> bool:
    """Return whether every one of the notes is found by its words."""
    results = daemon.client.search("here stands", mode="text", limit=100)["results"]
    return {hit["path"] for hit in results} == {f"Note {number}.md" for number in range(NOTES)}


def save_often(daemon: DaemonProcess, note: Path) -> None:
    """Touch a note until the index has had so many commits that upkeep was due."""
    path = note.relative_to(daemon.vault).as_posix()
    enough = daemon.status()["revision"] + TIDY_COMMITS + 3
    for _ in range(50 * TIDY_COMMITS):
        os.utime(note)
        daemon.client.index(paths=[path])
        if daemon.status()["revision"] >= enough:
            return
    pytest.fail("the touches were not committed")


def counts(daemon: DaemonProcess, notes: int) -> bool:
    """Return whether so many notes are indexed."""
    return bool(daemon.status()["notes"] == notes)


def year_of(daemon: DaemonProcess) -> int:
    """Return the year in which the daemon believes to live."""
    return int(daemon.request("GET", "/api/health").headers["Date"].split()[3])


def save_until(daemon: DaemonProcess, note: Path, text: str, year: int) -> bool:
    """Save a note once more, and return whether the daemon believes to live in that year."""
    note.write_text(text, "utf-8")
    return year_of(daemon) == year


# Under libfaketime two threads of Python wait for each other busily: beside other work the daemon, which is
# ready after 3 s without it, is not after 45.
@pytest.mark.slow
def test_clock_that_jumps_loses_nothing_and_costs_nothing(
    start_daemon: StartDaemon, vault: Path, tmp_path: Path
) -> None:
    """Forth by a year, back by ten and forth again: saves arrive, upkeep keeps all, a start reads nothing."""
    preload = library()
    if preload is None:
        pytest.skip("the package libfaketime is not installed")
    clock = tmp_path / "clock"
    clock.write_text("+0")
    environ = {
        "LD_PRELOAD": str(preload),
        "FAKETIME_TIMESTAMP_FILE": str(clock),
        # To read the file at each look at the clock would make a start ten times as long.
        "FAKETIME_CACHE_DURATION": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "DONT_FAKE_MONOTONIC": "1",
    }
    fill(vault)
    daemon = start_daemon(**environ)
    daemon.ready(SLOWED_S)
    year = year_of(daemon)
    for step, (offset, away) in enumerate([("+366d", 1), ("-3653d", -10), ("+366d", 1)]):
        saved = vault / f"Saved {step}.md"
        clock.write_text(offset)
        # The jump comes while the save is settling.
        eventually(
            partial(save_until, daemon, saved, f"a turnstone{step} by the sea", year + away), "the jump"
        )
        daemon.finds(f"turnstone{step}", saved.name, within_s=SLOWED_S / 4)
        embedded = daemon.ready(SLOWED_S)["work"]["chunks_embedded"]
        saved.rename(vault / f"Renamed {step}.md")
        daemon.finds(f"turnstone{step}", f"Renamed {step}.md", within_s=SLOWED_S / 4)
        if offset.startswith("-"):
            save_often(daemon, vault / "Note 0.md")
        eventually(partial(counts, daemon, NOTES + step + 1), "the old name goes")
        status = daemon.ready(SLOWED_S)
        assert status["work"]["chunks_embedded"] == embedded
        assert holds_all(daemon)
        assert daemon.client.search("a bird at the coast", mode="semantic")["results"]

        assert daemon.terminate() == 0
        daemon = start_daemon(**environ)
        status = daemon.ready(SLOWED_S)
        assert (status["work"]["notes_read"], status["work"]["chunks_embedded"]) == (0, 0)
        assert status["notes"] == NOTES + step + 1
        assert holds_all(daemon)


@pytest.mark.parametrize("years", [(0,), (-60, 0, 80, 500)], ids=["all at zero", "past and future"])
def test_notes_of_any_time_are_followed_and_not_read_again(
    start_daemon: StartDaemon, vault: Path, years: tuple[int, ...]
) -> None:
    """Notes of one and the same time, or of times before 1970 and to come, are followed like others."""

    def date(note: Path) -> None:
        time_s = years[int(note.stem[-1]) % len(years)] * YEAR_S
        os.utime(note, (time_s, time_s))

    fill(vault)
    for note in vault.iterdir():
        date(note)
    daemon = start_daemon()
    before = daemon.ready()
    assert before["problems"] == []
    (vault / "Note 1.md").write_text("Here stands the word sanderling.", "utf-8")
    date(vault / "Note 1.md")
    daemon.finds("sanderling", "Note 1.md", within_s=4)
    daemon.loses("dunlin1x")
    (vault / "Note 2.md").rename(vault / "Moved.md")
    daemon.finds("dunlin2x", "Moved.md", within_s=4)
    daemon.until(lambda now: now["notes"] == NOTES, "the old name goes")
    after = daemon.ready()
    assert after["work"]["chunks_embedded"] == before["work"]["chunks_embedded"] + 1
    assert daemon.terminate() == 0
    again = start_daemon().ready()
    assert (again["notes"], again["work"]["notes_read"], again["work"]["chunks_embedded"]) == (NOTES, 0, 0)


def test_note_changed_within_its_old_size_and_time_is_read(start_daemon: StartDaemon, vault: Path) -> None:
    """A program that puts a note's time back after a change of one letter hides nothing from the watcher."""
    note = vault / "Note.md"
    note.write_text("the word is knot", "utf-8")
    daemon = start_daemon()
    daemon.ready()
    before = note.stat()
    with note.open("r+b") as file:
        file.write(b"the word is ruff")
    os.utime(note, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert note.stat().st_ino == before.st_ino
    daemon.finds("ruff", "Note.md", within_s=4)
    daemon.loses("knot")


def test_two_notes_of_one_size_and_time_that_change_names_are_told_apart(
    start_daemon: StartDaemon, vault: Path
) -> None:
    """Notes that are alike in size and time are known by their content, also while no daemon runs."""
    one, two = vault / "One.md", vault / "Two.md"
    one.write_text("the word is knot", "utf-8")
    two.write_text("the word is ruff", "utf-8")
    for note in (one, two):
        os.utime(note, (0, 0))
    daemon = start_daemon()
    daemon.ready()
    assert daemon.terminate() == 0
    one.rename(vault / "aside")
    two.rename(one)
    (vault / "aside").rename(two)
    again = start_daemon()
    again.ready()
    again.finds("ruff", "One.md")
    again.finds("knot", "Two.md")
