"""The watcher: hints settle without a clock of their own, and a system that cannot watch is no error."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from watchdog.events import (
    DirDeletedEvent,
    DirModifiedEvent,
    FileClosedNoWriteEvent,
    FileCreatedEvent,
    FileDeletedEvent,
    FileModifiedEvent,
    FileMovedEvent,
    FileOpenedEvent,
)

from pai_daemon.vault.ignore import IgnoreRules
from pai_daemon.vault.watch import MAX_EVENTS, MAX_PENDING, Hint, Settling, Watcher


def test_settling_hands_on_a_quiet_path() -> None:
    """A path is handed on once, when it was quiet for a moment."""
    settling = Settling(0.3, 2.0)
    settling.add("a.md", 10.0)
    settling.add("a.md", 10.2)
    assert settling.take(10.4) == []
    assert settling.wait_s(10.4) == pytest.approx(0.1)
    assert settling.take(10.5) == [frozenset({"a.md"})]
    assert settling.take(11.0) == []
    assert settling.wait_s(11.0) is None


def test_settling_busy_path_waits_no_longer_than_the_longest() -> None:
    """A path that never is quiet is handed on after the longest wait; a quiet one does not wait for it."""
    settling = Settling(0.3, 2.0)
    handed: list[tuple[float, Hint]] = []
    settling.add("quiet.md", 0.0)
    for step in range(30):
        now = step / 10
        settling.add("busy.md", now)
        handed += [(now, hint) for hint in settling.take(now)]
    assert handed == [(0.3, frozenset({"quiet.md"})), (2.0, frozenset({"busy.md"}))]


def test_settling_too_many_paths_mean_everything() -> None:
    """More paths than can be waited for become one hint to scan everything."""
    settling = Settling(0.3, 2.0)
    for number in range(MAX_PENDING):
        settling.add(f"{number}.md", 0.0)
    settling.add("0.md", 0.1)
    assert len(settling.take(0.3)) == 1
    for number in range(MAX_PENDING + 1):
        settling.add(f"{number}.md", 1.0)
    settling.add("more.md", 1.1)
    assert settling.take(1.3) == []
    assert settling.take(1.5) == [None]
    assert settling.take(9.0) == []


def test_settling_flood_of_other_events_means_everything() -> None:
    """Very many events elsewhere may have pushed out ours, so everything is scanned."""
    settling = Settling(0.3, 2.0)
    for _ in range(MAX_EVENTS + 1):
        settling.count(0.0)
    assert settling.take(0.4) == [None]


@pytest.fixture
def watcher(tmp_path: Path) -> Watcher:
    """Return a watcher that is not started; its hints go nowhere."""
    return Watcher(tmp_path, IgnoreRules(("Private/",)), lambda hint: None, quiet_s=0.0)


def waiting(watcher: Watcher) -> list[Hint]:
    """Return what the watcher would hand on."""
    return watcher._settling.take(float("inf"))


def test_take_event_that_changes_nothing_is_ignored(watcher: Watcher, tmp_path: Path) -> None:
    """Opening, closing after reading, and what the rules leave out give no hint."""
    note = str(tmp_path / "a.md")
    for event in (
        FileOpenedEvent(note),
        FileClosedNoWriteEvent(note),
        DirModifiedEvent(str(tmp_path)),
        FileModifiedEvent(str(tmp_path / "Private" / "a.md")),
        FileModifiedEvent(str(tmp_path / "a.png")),
        FileModifiedEvent(str(tmp_path.parent / "other.md")),
        FileModifiedEvent(str(tmp_path / "caf\udce9.md")),
    ):
        watcher.take_event(event)
    assert waiting(watcher) == []


def test_take_event_move_names_both_ends(watcher: Watcher, tmp_path: Path) -> None:
    """A move hints at where the note was and where it is; a folder is hinted at as itself."""
    watcher.take_event(FileMovedEvent(str(tmp_path / "a.md"), str(tmp_path / "F" / "b.md")))
    watcher.take_event(FileMovedEvent(str(tmp_path / "x.tmp"), str(tmp_path / "c.md")))
    watcher.take_event(DirDeletedEvent(str(tmp_path / "G")))
    assert waiting(watcher) == [frozenset({"a.md", "F/b.md", "c.md", "G"})]


def test_take_event_attachment_that_appears_or_goes_is_hinted_at(watcher: Watcher, tmp_path: Path) -> None:
    """Links may lead to a new picture, and no longer to one that is gone."""
    watcher.take_event(FileCreatedEvent(str(tmp_path / "F" / "a.png")))
    watcher.take_event(FileDeletedEvent(str(tmp_path / "b.pdf")))
    watcher.take_event(FileCreatedEvent(str(tmp_path / "Private" / "c.png")))
    assert waiting(watcher) == [frozenset({"F/a.png", "b.pdf"})]


def test_take_event_changed_rules_mean_everything(watcher: Watcher, tmp_path: Path) -> None:
    """Changed settings of Obsidian may change what belongs, so everything is scanned."""
    watcher.take_event(FileModifiedEvent(str(tmp_path / ".obsidian" / "app.json")))
    assert waiting(watcher) == [None]


def test_watcher_saved_note_is_hinted_at(tmp_path: Path) -> None:
    """A note written while the watcher runs is handed on by its path, whatever on_change does."""
    seen = threading.Event()
    hints: list[Hint] = []

    def on_change(hint: Hint) -> None:
        hints.append(hint)
        seen.set()
        raise RuntimeError("must not end the watch")

    watcher = Watcher(tmp_path, IgnoreRules(), on_change, quiet_s=0.02)
    watcher.start()
    try:
        assert (watcher.mode, watcher.reason) == ("native", "")
        for name in ("a.md", "b.md"):
            seen.clear()
            (tmp_path / name).write_text("x", encoding="utf-8")
            assert seen.wait(10)
            assert name in set().union(*(hint or () for hint in hints))
    finally:
        watcher.stop()
    assert watcher.mode == "off"


def refuse(*_: object, **__: object) -> None:
    """Refuse a watch, as a system does whose limit is reached."""
    raise OSError(28, "inotify watch limit reached")


def test_watcher_without_native_watch_polls_and_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the system's limit is reached everything is looked at from time to time; nothing is raised."""
    monkeypatch.setattr("pai_daemon.vault.watch.BaseObserver.schedule", refuse)
    seen = threading.Semaphore(0)

    def on_change(hint: Hint) -> None:
        if hint is None:
            seen.release()

    watcher = Watcher(tmp_path, IgnoreRules(), on_change, poll_s=0.02)
    watcher.start()
    assert (watcher.mode, "inotify" in watcher.reason) == ("polling", True)
    assert all(seen.acquire(timeout=10) for _ in range(3))
    watcher.stop()
    assert watcher.mode == "off"


def test_watcher_on_a_shared_file_system_polls_and_listens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What another machine writes is found by looking; what this one writes is still told at once."""
    monkeypatch.setattr("pai_daemon.vault.watch.shared_file_system", lambda _: "nfs4")
    hints: list[Hint] = []
    seen = threading.Semaphore(0)

    def on_change(hint: Hint) -> None:
        hints.append(hint)
        seen.release()

    watcher = Watcher(tmp_path, IgnoreRules(), on_change, quiet_s=0.02, poll_s=3600)
    watcher.start()
    try:
        assert (watcher.mode, "nfs4" in watcher.reason) == ("polling", True)
        (tmp_path / "a.md").write_text("x")
        assert seen.acquire(timeout=10)
        assert hints == [frozenset({"a.md"})]
    finally:
        watcher.stop()


def test_watcher_failed_start_names_the_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The reason names the setting that a person can raise."""
    monkeypatch.setattr("pai_daemon.vault.watch.BaseObserver.schedule", refuse)
    watcher = Watcher(tmp_path, IgnoreRules(), lambda hint: None)
    assert not watcher._watch()
    assert "max_user_watches" in watcher.reason


def test_watcher_returning_vault_is_scanned(tmp_path: Path) -> None:
    """When the watch ended, and when it is taken up again, everything is to be scanned."""
    root = tmp_path / "vault"
    root.mkdir()
    hints: list[Hint] = []
    watcher = Watcher(root, IgnoreRules(), hints.append)
    assert watcher._watch()
    root.rmdir()
    watcher._check()
    assert (watcher.mode, hints) == ("polling", [None])
    root.mkdir()
    watcher._check()
    assert (watcher.mode, hints) == ("native", [None, None])
    watcher.stop()
