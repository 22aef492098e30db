"""A real vault on a real disk, watched: every change arrives by the watch, in seconds, and none is lost.

The scan that a running daemon does by itself comes once an hour, so what these tests see was told.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import tests.daemon_process
from pai_daemon.vault.ignore import IgnoreRules
from pai_daemon.vault.watch import Hint, Watcher
from tests.conftest import StartDaemon
from tests.daemon_process import PAI, DaemonProcess, Folders, eventually

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="these are the ways of inotify")

SOON_S = 5.0
# Between the steps of a save; shorter than the time to settle.
PAUSE_S = 0.1
# Root may read what it likes unless it gives that up, as every other user has from the start.
AS_A_USER = ("setpriv", "--bounding-set", "-dac_override,-dac_read_search")
LIMITED = 'echo "$1" > "/proc/sys/user/max_inotify_$0" && shift && exec "$@"'
WATCHER = """
import json, sys, time
from pathlib import Path
from pai_daemon.vault.ignore import IgnoreRules
from pai_daemon.vault.watch import Watcher
def say(hint): print(json.dumps(hint if hint is None else sorted(hint)), flush=True)
watcher = Watcher(Path(sys.argv[1]), IgnoreRules(), say, quiet_s=0.05, poll_s=0.3)
watcher.start()
print(json.dumps([watcher.mode, watcher.reason]), flush=True)
time.sleep(60)
"""


def obeys_permissions() -> bool:
    """Return whether a daemon of this module may be refused a file."""
    return os.geteuid() != 0 or shutil.which("setpriv") is not None


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory, prepared_cache: Path) -> Iterator[DaemonProcess]:
    """Yield a daemon on a small vault, ready; every test works on notes of its own."""
    home = tmp_path_factory.mktemp("watching")
    (home / "vault").mkdir()
    for number in range(60):
        (home / "vault" / f"Old {number}.md").write_text(f"An old note of badger{number}.", "utf-8")
    with pytest.MonkeyPatch.context() as patch:
        if os.geteuid() == 0 and obeys_permissions():
            patch.setattr(tests.daemon_process, "PAI", (*AS_A_USER, *PAI))
        with DaemonProcess(home / "vault", Folders(home / "home", prepared_cache)) as started:
            started.ready()
            yield started


def work(daemon: DaemonProcess, what: str) -> int:
    """Return a count of the daemon's work once nothing is under way."""
    count: int = daemon.ready()["work"][what]
    return count


# Folders that come, go and change their names.


def test_folder_moved_in_is_watched_to_its_deepest_folder(daemon: DaemonProcess, tmp_path: Path) -> None:
    """A tree moved in from elsewhere is indexed, and a later save in its deepest folder arrives."""
    for folder in ("Arrived", "Arrived/Two", "Arrived/Two/Three"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "Note.md").write_text(f"avocet in {folder}", "utf-8")
    (tmp_path / "Arrived").rename(daemon.vault / "Arrived")
    for folder in ("Arrived", "Arrived/Two", "Arrived/Two/Three"):
        daemon.finds(f"avocet in {folder}", f"{folder}/Note.md", within_s=SOON_S)
    daemon.write("Arrived/Two/Three/Note.md", "avocet edited in the deep")
    daemon.write("Arrived/Two/Three/Four/New.md", "avocet added in the deep")


def test_folder_moved_out_and_back_is_watched_again(daemon: DaemonProcess, tmp_path: Path) -> None:
    """A tree that was away is lost and found, embeds nothing, and later saves in it arrive."""
    daemon.write("Roaming/Deep/Note.md", "the roaming twite")
    before = work(daemon, "chunks_embedded")
    (daemon.vault / "Roaming").rename(tmp_path / "Roaming")
    daemon.loses("the roaming twite", within_s=SOON_S)
    (tmp_path / "Roaming").rename(daemon.vault / "Returned")
    daemon.finds("the roaming twite", "Returned/Deep/Note.md", within_s=SOON_S)
    assert work(daemon, "chunks_embedded") == before
    daemon.write("Returned/Deep/Note.md", "the twite is at home")
    (daemon.vault / "Returned").rename(daemon.vault / "Roaming")
    daemon.write("Roaming/Deep/Note.md", "the twite is named as before")


def test_folder_renamed_while_its_notes_are_edited_loses_no_edit(daemon: DaemonProcess) -> None:
    """Saves just before, between and after the renames of a folder and of its parent are all found."""
    folder = daemon.vault / "Parent" / "Name 0"
    folder.mkdir(parents=True)
    for number in range(12):
        (folder / f"Note {number}.md").write_text(f"eider{number} first", "utf-8")
    for number in range(12):
        daemon.finds(f"eider{number} first", within_s=SOON_S)
    for step in range(1, 7):
        (folder / f"Note {2 * step - 2}.md").write_text(f"eider{2 * step - 2} before {step}", "utf-8")
        folder = folder.rename(folder.with_name(f"Name {step}"))
        (folder / f"Note {2 * step - 1}.md").write_text(f"eider{2 * step - 1} after {step}", "utf-8")
    folder.parent.rename(daemon.vault / "Grown")
    for step in range(1, 7):
        daemon.holds_only(f"eider{2 * step - 2} before {step}", f"Grown/Name 6/Note {2 * step - 2}.md")
        daemon.holds_only(f"eider{2 * step - 1} after {step}", f"Grown/Name 6/Note {2 * step - 1}.md")
    daemon.write("Grown/Name 6/Note 0.md", "eider0 last")
    for number in range(12):
        daemon.loses(f"eider{number} first", within_s=SOON_S)


def test_folder_of_a_thousand_notes_renamed_embeds_nothing(start_daemon: StartDaemon, vault: Path) -> None:
    """Every note is found under its new path alone, within seconds and without one embedding."""
    (vault / "Before").mkdir()
    for number in range(1000):
        (vault / "Before" / f"{number}.md").write_text(f"Word{number}.", "utf-8")
    daemon = start_daemon()
    before = daemon.ready(60)
    (vault / "Before").rename(vault / "After")
    daemon.finds("Word999.", "After/999.md", within_s=10)
    daemon.until(lambda now: now["notes"] == 1000 and now["state"] == "ready", "the rename is whole")
    after = daemon.ready()
    assert after["work"]["chunks_embedded"] == before["work"]["chunks_embedded"] == 1000
    for number in range(0, 1000, 50):
        daemon.holds_only(f"Word{number}.", f"After/{number}.md")
    daemon.write("After/7.md", "Word7 changed.")


def test_disk_mounted_in_the_vault_is_indexed_and_watched(daemon: DaemonProcess) -> None:
    """Notes on a disk that is mounted over a folder come with it, are followed, and go with it."""
    folder = daemon.write("Disk/Below.md", "the kite below").parent
    if subprocess.run(["mount", "-t", "tmpfs", "tmpfs", str(folder)], check=False).returncode:
        pytest.skip("this user may not mount a disk")
    try:
        (folder / "Above.md").write_text("the kite above", "utf-8")
        daemon.finds("the kite above", "Disk/Above.md", within_s=7)
        daemon.write("Disk/Above.md", "the kite higher up", within_s=7)
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)
    daemon.finds("the kite below", "Disk/Below.md", within_s=7)


# What a save looks like on disk.


def _vim(note: Path, text: str) -> None:
    backup = note.rename(note.with_name(note.name + "~"))
    time.sleep(PAUSE_S)
    note.write_text(text, "utf-8")
    time.sleep(PAUSE_S)
    backup.unlink()


def _replace(note: Path, text: str) -> None:
    beside = note.with_name(f".{note.name}.k3x9")
    with beside.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
        time.sleep(PAUSE_S)
    beside.replace(note)


def _two_steps(note: Path, text: str) -> None:
    with note.open("w", encoding="utf-8") as file:
        file.write(text[: len(text) // 2])
        file.flush()
        time.sleep(PAUSE_S)
        file.write(text[len(text) // 2 :])


def _temporary(note: Path, text: str) -> None:
    beside = note.with_name(note.name + ".tmp")
    beside.write_text(text, "utf-8")
    time.sleep(PAUSE_S)
    beside.rename(note)


def _overwrite(note: Path, text: str) -> None:
    note.write_text(text, "utf-8")


@pytest.mark.parametrize("save", [_vim, _replace, _two_steps, _temporary, _overwrite])
def test_save_by_an_editor_is_one_change_and_never_hides_the_note(
    daemon: DaemonProcess, save: Callable[[Path, str], None]
) -> None:
    """The note is found at every moment of its save, and one embedding and one note are committed."""
    name = save.__name__.strip("_")
    first, second = f"saved by {name}, the first text", f"saved by {name}, the second text"
    note = daemon.write(f"Saved {name}.md", first)
    before = daemon.ready()

    def is_found() -> bool:
        found = daemon.places(f"saved by {name}")
        assert found == {note.name}, found
        return bool(daemon.places(second))

    editor = threading.Thread(target=save, args=(note, second))
    editor.start()
    try:
        eventually(is_found, "the second text", SOON_S)
    finally:
        editor.join()
    after = daemon.ready()
    assert after["notes"] == before["notes"]
    assert after["work"]["chunks_embedded"] - before["work"]["chunks_embedded"] == 1
    assert after["work"]["commits"] - before["work"]["commits"] == 2
    daemon.holds_only(f"saved by {name}", note.name)


def test_note_being_typed_in_does_not_hold_up_another(daemon: DaemonProcess) -> None:
    """While one note is saved ten times a second, another's save is found within about a second."""
    stop = threading.Event()

    def type_on() -> None:
        count = 0
        while not stop.wait(0.1):
            count += 1
            (daemon.vault / "Typed.md").write_text("typing " * count, "utf-8")

    typist = threading.Thread(target=type_on)
    typist.start()
    try:
        for number in range(3):
            daemon.write(f"Quiet {number}.md", f"quiet wheatear{number}", within_s=1.5)
        daemon.finds("typing typing", "Typed.md", within_s=SOON_S)
    finally:
        stop.set()
        typist.join()


def test_change_that_keeps_size_and_time_is_found(daemon: DaemonProcess) -> None:
    """A note rewritten in place with as many bytes, its old time put back, is read: the watch told of it."""
    note = daemon.write("Same.md", "the same osprey one")
    status = note.stat()
    note.write_text("the same osprey two", "utf-8")
    os.utime(note, ns=(status.st_atime_ns, status.st_mtime_ns))
    daemon.finds("the same osprey two", within_s=3)


def test_replacement_that_keeps_size_and_time_is_found(daemon: DaemonProcess, tmp_path: Path) -> None:
    """A note that is replaced by another file of the same size and time is read."""
    note = daemon.write("Restored.md", "the copied osprey one")
    status = note.stat()
    (tmp_path / "copy").write_text("the copied osprey two", "utf-8")
    os.utime(tmp_path / "copy", ns=(status.st_atime_ns, status.st_mtime_ns))
    (tmp_path / "copy").replace(note)
    daemon.finds("the copied osprey two", within_s=SOON_S)


# What may not be read.

permissions = pytest.mark.skipif(not obeys_permissions(), reason="root without setpriv may read all")


@permissions
def test_note_that_may_be_read_again_is_found(daemon: DaemonProcess) -> None:
    """A note that may not be read is listed; it is read as soon as its permissions let it be."""
    note = daemon.vault / "Shut.md"
    note.touch(mode=0o200)
    note.write_text("the shut curlew", "utf-8")
    listed = "the note is listed"
    daemon.until(lambda now: any(row["path"] == note.name for row in now["problems"]), listed, SOON_S)
    note.chmod(0o600)
    try:
        daemon.finds("the shut curlew", within_s=3)
    finally:
        note.unlink()


@permissions
def test_note_that_may_not_be_read_any_more_is_kept_and_listed(daemon: DaemonProcess) -> None:
    """A note that was indexed stays as it was, with the reason in the status, while others are followed."""
    note = daemon.write("Closing.md", "the closing curlew")
    note.chmod(0o200)
    note.write_text("the closed curlew", "utf-8")
    listed = "the note is listed"
    daemon.until(lambda now: any(row["path"] == note.name for row in now["problems"]), listed, SOON_S)
    daemon.write("Beside closing.md", "a note beside the closed one")
    assert daemon.places("the closing curlew") == {note.name}
    note.unlink()
    daemon.loses("the closing curlew", within_s=SOON_S)


@permissions
def test_folder_that_may_not_be_read_stops_no_other(daemon: DaemonProcess) -> None:
    """A closed folder is listed, its notes are kept, and indexing goes on without an error."""
    folder = daemon.write("Closed/Deep/Note.md", "the dunlin in the closed folder").parents[1]
    folder.chmod(0)
    try:
        assert daemon.request("POST", "/api/index", body={}).status == 202
        listed = "the folder is listed"
        daemon.until(lambda now: any(row["path"] == "Closed" for row in now["problems"]), listed, SOON_S)
        daemon.write("Beside closed.md", "a note beside the closed folder")
        daemon.until(lambda now: (now["state"], now["message"]) == ("ready", None), "no error", 3)
        assert daemon.places("the dunlin in the closed folder") == {"Closed/Deep/Note.md"}
    finally:
        folder.chmod(0o700)
    daemon.write("Closed/Deep/Note.md", "the dunlin in the opened folder")


@permissions
def test_folder_that_may_be_read_again_is_indexed_and_watched(daemon: DaemonProcess, tmp_path: Path) -> None:
    """A folder that comes closed is indexed when it is opened, and later saves in it arrive."""
    (tmp_path / "Sealed").mkdir()
    (tmp_path / "Sealed" / "Note.md").write_text("the sealed plover", "utf-8")
    (tmp_path / "Sealed").chmod(0)
    folder = (tmp_path / "Sealed").rename(daemon.vault / "Sealed")
    listed = "the folder is listed"
    daemon.until(lambda now: any(row["path"] == "Sealed" for row in now["problems"]), listed, SOON_S)
    folder.chmod(0o700)
    try:
        daemon.finds("the sealed plover", within_s=3)
        daemon.write("Sealed/Note.md", "the plover at large")
    finally:
        shutil.rmtree(folder)


# The limits of the watch itself.


@pytest.fixture
def stopped(daemon: DaemonProcess) -> Iterator[Callable[[], None]]:
    """Stop the daemon where it is, so that the kernel's queue fills; yield what lets it go on."""
    daemon.ready()
    os.kill(daemon.pid, signal.SIGSTOP)
    yield lambda: os.kill(daemon.pid, signal.SIGCONT)
    os.kill(daemon.pid, signal.SIGCONT)


def _rewrite_one(vault: Path) -> None:
    for number in range(7_000):
        (vault / "Rewritten.md").write_text(f"{number}", "utf-8")


def _touch_and_read(vault: Path) -> None:
    for _ in range(10_000):
        os.utime(vault / "Old 0.md", ns=(1, 1))
        (vault / "Old 1.md").read_bytes()


@pytest.mark.parametrize("flood", [_rewrite_one, _touch_and_read])
def test_overflow_of_the_kernels_queue_leads_to_a_scan(
    daemon: DaemonProcess, stopped: Callable[[], None], flood: Callable[[Path], None]
) -> None:
    """Changes that the kernel had no room to tell of are found all the same, soon."""
    name = flood.__name__.strip("_")
    flood(daemon.vault)
    (daemon.vault / "Flooded" / "Deep").mkdir(parents=True, exist_ok=True)
    (daemon.vault / "Flooded" / "Deep" / f"{name}.md").write_text(f"after the flood {name}", "utf-8")
    stopped()
    daemon.finds(f"after the flood {name}", f"Flooded/Deep/{name}.md", within_s=7)
    daemon.write(f"Flooded/Deep/{name}.md", f"long after the flood {name}")


def limited(what: str, limit: int) -> tuple[str, ...]:
    """Return the beginning of a command that may have so many "watches" or "instances" of inotify."""
    command = ("unshare", "-Ur", "sh", "-c", LIMITED, what, str(limit))
    if shutil.which("unshare") is None or subprocess.run([*command, "true"], check=False).returncode:
        pytest.skip("this user may not make a namespace with a limit of its own")
    return command


@pytest.fixture
def watch_with(vault: Path) -> Iterator[Callable[[str, int], subprocess.Popen[str]]]:
    """Yield a function that watches the vault from a process with such a limit."""
    started: list[subprocess.Popen[str]] = []

    def start(what: str, limit: int) -> subprocess.Popen[str]:
        command = [*limited(what, limit), sys.executable, "-c", WATCHER, str(vault)]
        started.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()


@pytest.mark.parametrize(
    ("what", "limit"),
    [
        ("watches", 0),
        ("watches", 8),
        ("instances", 0),
    ],
)
def test_vault_that_the_system_cannot_watch_in_full_is_polled(
    watch_with: Callable[[str, int], subprocess.Popen[str]], vault: Path, what: str, limit: int
) -> None:
    """Where the system's limits leave folders unwatched, the vault is polled, and it is told why."""
    for number in range(20):
        (vault / f"Folder {number}").mkdir()
    process = watch_with(what, limit)
    assert process.stdout is not None
    mode, reason = json.loads(process.stdout.readline())
    assert (mode, f"max_user_{what}" in reason) == ("polling", True)
    for number in range(20):
        (vault / f"Folder {number}" / "Note.md").write_text("x", "utf-8")
    assert any(line == "null\n" for line in process.stdout)


def test_daemon_that_may_not_watch_at_all_indexes_the_vault(
    start_daemon: StartDaemon, vault: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where other programs hold every instance of inotify, notes are indexed and the status says why so."""
    monkeypatch.setattr(tests.daemon_process, "PAI", (*limited("instances", 0), *PAI))
    (vault / "Note.md").write_text("the unwatched chough", "utf-8")
    daemon = start_daemon()
    daemon.finds("the unwatched chough", within_s=SOON_S)
    watching = daemon.ready()["watcher"]
    assert (watching["mode"], "max_user_instances" in watching["reason"]) == ("polling", True)


def test_watches_that_run_out_later_are_told(
    watch_with: Callable[[str, int], subprocess.Popen[str]], vault: Path
) -> None:
    """When new folders use up the watches, the vault is scanned from then on."""
    process = watch_with("watches", 8)
    assert process.stdout is not None
    assert json.loads(process.stdout.readline()) == ["native", ""]
    for number in range(20):
        (vault / f"Folder {number}").mkdir()
    timer = threading.Timer(4, process.kill)
    timer.start()
    try:
        assert any(line == "null\n" for line in process.stdout)
    finally:
        timer.cancel()


class Seen:
    """Takes hints, and knows whether a path was in one of them."""

    def __init__(self) -> None:
        self.hints: list[Hint] = []

    def tells_of(self, path: str) -> bool:
        """Return whether a hint covers the path."""
        folders = {parent.as_posix() for parent in Path(path).parents}
        return any(hint is None or path in hint or folders & hint for hint in self.hints)


@pytest.fixture
def seen() -> Seen:
    """Return what takes the hints of a watcher."""
    return Seen()


@pytest.fixture
def watcher(vault: Path, seen: Seen, monkeypatch: pytest.MonkeyPatch) -> Iterator[Watcher]:
    """Yield a watcher that runs and looks after itself often; it is stopped after the test."""
    monkeypatch.setattr("pai_daemon.vault.watch.CHECK_S", 0.2)
    watching = Watcher(vault, IgnoreRules(), seen.hints.append, quiet_s=0.05)
    watching.start()
    yield watching
    watching.stop()


def _assert_told(seen: Seen, note: Path, vault: Path) -> None:
    """Write a note, and check that the watcher tells of it."""
    seen.hints.clear()
    note.write_text("x", "utf-8")
    path = note.relative_to(vault).as_posix()
    eventually(lambda: seen.tells_of(path), f"a hint at {path}", 3)


def _move_out_and_name_another(vault: Path, away: Path, seen: Seen) -> None:
    """Move the folder F out, make another one, and give that another name: watchdog's books are wrong now."""
    (vault / "F").rename(away)
    eventually(lambda: seen.tells_of("F"), "a hint at the folder that went", 3)
    (vault / "F").mkdir()
    _assert_told(seen, vault / "F" / "in the new F.md", vault)
    (vault / "F").rename(vault / "G")
    _assert_told(seen, vault / "G" / "in G.md", vault)


@pytest.fixture
def folder(vault: Path) -> Path:
    """Return a folder F in the vault, there before the watch begins."""
    (vault / "F").mkdir()
    return vault / "F"


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_watch_goes_on_when_a_folder_that_was_moved_out_is_deleted(
    folder: Path, watcher: Watcher, vault: Path, seen: Seen, tmp_path: Path
) -> None:
    """A folder is moved out, its name used anew and given up, then it is deleted: saves still arrive."""
    _move_out_and_name_another(vault, tmp_path / "away", seen)
    (tmp_path / "away").rmdir()
    time.sleep(0.5)  # the kernel's word on the deletion arrives; there is nothing of it to see
    _assert_told(seen, vault / "later.md", vault)


def test_watch_is_stopped_after_a_folder_was_moved_out(
    folder: Path, vault: Path, seen: Seen, tmp_path: Path
) -> None:
    """Stopping raises nothing and leaves no thread of the watch behind."""
    before = set(threading.enumerate())
    watcher = Watcher(vault, IgnoreRules(), seen.hints.append, quiet_s=0.05)
    watcher.start()
    _move_out_and_name_another(vault, tmp_path / "away", seen)
    watcher.stop()
    eventually(lambda: set(threading.enumerate()) <= before, "the threads of the watch end", 3)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_watch_is_taken_up_again_after_a_folder_was_moved_out(
    folder: Path, watcher: Watcher, vault: Path, seen: Seen, tmp_path: Path
) -> None:
    """A vault that comes back is watched again, whatever was moved out of it before."""
    _move_out_and_name_another(vault, tmp_path / "away", seen)
    vault.rename(tmp_path / "unmounted")
    eventually(lambda: watcher.mode == "polling", "the loss is noticed", 3)
    (tmp_path / "unmounted").rename(vault)
    eventually(lambda: watcher.mode == "native", "the watch is taken up again", 3)
    _assert_told(seen, vault / "back.md", vault)


def test_folder_made_under_a_name_that_was_moved_out_and_renamed_at_once_is_watched(
    daemon: DaemonProcess, tmp_path: Path
) -> None:
    """Saves in a folder arrive although it took, for an instant, the name of one that was moved out."""
    daemon.write("Project/Note.md", "the old project of a rail")
    (daemon.vault / "Project").rename(tmp_path / "Project")
    daemon.loses("the old project of a rail", within_s=SOON_S)
    os.kill(daemon.pid, signal.SIGSTOP)  # so that it sees the new folder only under its second name
    try:
        (daemon.vault / "Project").mkdir()
        (daemon.vault / "Project").rename(daemon.vault / "New project")
    finally:
        os.kill(daemon.pid, signal.SIGCONT)
    daemon.write("Beside the project.md", "a note beside the project")
    daemon.write("New project/Note.md", "the new project of a rail", within_s=3)


def test_vault_that_is_a_link_is_watched_where_it_leads_to_now(
    tmp_path: Path, seen: Seen, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the link is pointed elsewhere everything is scanned, and saves in the new place are told."""
    monkeypatch.setattr("pai_daemon.vault.watch.CHECK_S", 0.2)
    for name in ("one", "two"):
        (tmp_path / name / "Sub").mkdir(parents=True)
    link = tmp_path / "link"
    link.symlink_to("one")
    watcher = Watcher(link, IgnoreRules(), seen.hints.append, quiet_s=0.05)
    watcher.start()
    try:
        _assert_told(seen, tmp_path / "one" / "Sub" / "a.md", tmp_path / "one")
        (tmp_path / "next").symlink_to("two")
        (tmp_path / "next").replace(link)
        eventually(lambda: None in seen.hints, "a scan of everything", 3)
        eventually(lambda: watcher.mode == "native", "the watch is taken up again", 3)
        _assert_told(seen, tmp_path / "two" / "Sub" / "b.md", tmp_path / "two")
    finally:
        watcher.stop()
