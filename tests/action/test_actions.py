"""Actions are proposed, approved, applied and undone, and lose nothing that a person wrote."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pai_daemon.action import actions as actions_module
from pai_daemon.action import audit
from pai_daemon.action.action import Action
from pai_daemon.action.actions import Actions, Texts, hash_of
from pai_daemon.action.audit import AuditLog
from pai_daemon.action.grant import Grant, read_grant
from pai_daemon.action.planning import diff
from pai_daemon.errors import DiskFull, Forbidden, NoteChanged, NotFound, UsageError
from pai_daemon.vault.shelf import Shelf

APPEND = [Grant("append", "Journal/**")]
DAY = "Journal/2026-03-09.md"


class Desk:
    """A vault with its actions, which can be made anew as after a restart."""

    def __init__(self, folder: Path) -> None:
        self.vault, self.data = folder / "vault", folder / "data"
        self.vault.mkdir()
        self.actions = self.open()

    def open(self, moved: Callable[[str, str], Texts] | None = None) -> Actions:
        """Return the actions as a new process finds them."""
        shelf = Shelf(self.vault, "", self.data / "undo")
        log = AuditLog(self.data / "audit.jsonl")
        beginning = lambda path: "# Day\n" if path == DAY else ""  # noqa: E731 - as short as it is
        self.actions = Actions(shelf, log, sealed=("Routines",), beginning=beginning, moved=moved)
        return self.actions

    def write(self, path: str, text: str) -> None:
        """Write a note as a person does."""
        (self.vault / path).parent.mkdir(parents=True, exist_ok=True)
        (self.vault / path).write_text(text, "utf-8")

    def read(self, path: str) -> str:
        """Return a note as it is on disk."""
        return (self.vault / path).read_text("utf-8")


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """Return an empty vault with its actions."""
    return Desk(tmp_path)


@pytest.mark.parametrize(
    ("action", "after"),
    [
        (Action("append", "A.md", "- more"), "---\nx: 1\n---\n# A\n\n- one\n- more\n\n## Log\n\nold\n"),
        (
            Action("insert", "A.md", "new", heading="Log"),
            "---\nx: 1\n---\n# A\n\n- one\n\n## Log\n\nold\n\nnew\n",
        ),
        (
            Action("insert", "A.md", "new", heading="To do"),
            "---\nx: 1\n---\n# A\n\n- one\n\n## Log\n\nold\n\n## To do\n\nnew\n",
        ),
        (
            Action("set_property", "A.md", name="x", value="[1, 2]"),
            "---\nx:\n  - 1\n  - 2\n---\n# A\n\n- one\n\n## Log\n\nold\n",
        ),
        (
            Action("set_property", "A.md", name="status", value="done"),
            "---\nx: 1\nstatus: done\n---\n# A\n\n- one\n\n## Log\n\nold\n",
        ),
        (
            Action("add_link", "A.md", to="B.md", heading="Log"),
            "---\nx: 1\n---\n# A\n\n- one\n\n## Log\n\nold\n\n- [[B]]\n",
        ),
        (Action("create", "New/B.md", "# B"), "# B\n"),
    ],
    ids=lambda value: value.kind if isinstance(value, Action) else "",
)
def test_action_changes_what_it_says_and_is_undone(desk: Desk, action: Action, after: str) -> None:
    """Proposed, nothing is written; approved, it is; undone, the bytes are as before."""
    before = "---\nx: 1\n---\n# A\n\n- one\n\n## Log\n\nold\n"
    if action == Action("append", "A.md", "- more"):
        before = after.replace("- more\n", "").replace("\n\n## Log\n\nold\n", "\n")
        after = before + "- more\n"
    desk.write("A.md", before)
    record = desk.actions.propose(action, by="n8n")
    assert desk.read("A.md") == before
    assert desk.actions.records("proposed") == [record]
    done = desk.actions.approve(record.id, by="me")
    assert desk.read(action.path) == after
    assert done.by == "n8n, approved by me"
    desk.open().undo(record.id, by="me")
    assert desk.read("A.md") == before
    assert (desk.vault / "New/B.md").exists() is False
    assert desk.open().record(record.id).state == "undone"


def test_what_waits_and_what_was_done_is_known_after_a_restart(desk: Desk) -> None:
    """The log is all there is; a damaged line costs only itself."""
    waiting = desk.actions.propose(Action("create", "A.md", "text"), by="n8n", why="since")
    desk.actions.apply(Action("append", DAY, "done"), by="routine", grants=APPEND)
    with (desk.data / "audit.jsonl").open("ab") as log:
        log.write(b'{"id": "x", "state\n')
        log.write(b'{"half')
    again = desk.open()
    assert again.records("proposed") == [waiting]
    assert [each.action.path for each in again.records("applied")] == [DAY]
    again.approve(waiting.id, by="me")
    assert [each.state for each in desk.open().records()] == ["applied", "applied"]


def test_grant_opens_one_kind_of_action_in_one_place(desk: Desk) -> None:
    """Anything else is refused, and nothing is written."""
    desk.actions.apply(Action("section", DAY, "x", section="news"), by="r", grants=APPEND)
    for action in (
        Action("append", "Private/A.md", "x"),
        Action("append", "Journal/../Private/A.md", "x"),
        Action("create", "Journal/New.md", "x"),
        Action("set_property", DAY, name="a", value="1"),
    ):
        with pytest.raises((Forbidden, UsageError)):
            desk.actions.apply(action, by="r", grants=APPEND)
    assert sorted(path.name for path in desk.vault.rglob("*.md")) == ["2026-03-09.md"]


def test_no_grant_opens_the_folder_of_routines(desk: Desk) -> None:
    """A text that was made from feeds must not become a routine with grants of its own."""
    everywhere = [Grant("create", "**"), Grant("append", "**")]
    for path in ("Routines/Evil.md", "routines/Evil.md"):
        with pytest.raises(Forbidden, match="may not"):
            desk.actions.apply(Action("create", path, "x"), by="r", grants=everywhere)
    desk.actions.apply(Action("create", "Routines of mine.md", "x"), by="r", grants=everywhere)


def test_grant_ends_after_its_last_day() -> None:
    """`until` is included."""
    granted = read_grant("append", "Journal/** until 2026-03-09")
    assert granted.covers("append", DAY, date(2026, 3, 9))
    assert not granted.covers("append", DAY, date(2026, 3, 10))
    assert read_grant("append", granted.written.partition(": ")[2]) == granted
    for wrong in (("delete", "x"), ("append", ""), ("append", "!x"), ("append", "x until tomorrow")):
        with pytest.raises(UsageError):
            read_grant(*wrong)


def test_daily_note_that_is_not_there_begins_as_the_person_has_it(desk: Desk) -> None:
    """Its template comes first; undone, there is no note."""
    record = desk.actions.apply(Action("append", DAY, "- x"), by="r", grants=APPEND)
    assert desk.read(DAY) == "# Day\n\n- x\n"
    desk.actions.undo(record.id, by="me")
    assert not (desk.vault / DAY).exists()


def test_note_that_changed_since_is_not_undone(desk: Desk) -> None:
    """What a person wrote after the action is not taken away with it."""
    record = desk.actions.apply(Action("append", DAY, "- x"), by="r", grants=APPEND)
    desk.write(DAY, desk.read(DAY) + "mine\n")
    with pytest.raises(NoteChanged):
        desk.actions.undo(record.id, by="me")
    assert "mine" in desk.read(DAY)


def test_what_a_person_wrote_since_the_proposal_stays(desk: Desk) -> None:
    """It is done on the note as it is, not as it was."""
    desk.write("A.md", "one\n")
    record = desk.actions.propose(Action("append", "A.md", "two"), by="n8n")
    desk.write("A.md", "one\n\nmine\n")
    desk.actions.approve(record.id, by="me")
    assert desk.read("A.md") == "one\n\nmine\n\ntwo\n"


def test_save_in_the_midst_of_a_write_is_kept(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A note that changes between reading and writing is read again."""
    desk.write("A.md", "one\n")
    saved: list[str] = []
    write = Shelf.write

    def racing(shelf: Shelf, path: str, text: str, *, before: str | None) -> None:
        if not saved:
            saved.append(path)
            desk.write("A.md", "one\n\nmine\n")
        write(shelf, path, text, before=before)

    monkeypatch.setattr(Shelf, "write", racing)
    desk.actions.apply(Action("append", "A.md", "two"), by="r", grants=[Grant("append", "*.md")])
    assert desk.read("A.md") == "one\n\nmine\n\ntwo\n"


def test_note_that_a_routine_created_is_replaced_until_a_person_touches_it(desk: Desk) -> None:
    """A second run takes the place of the first; a person's note is never written over."""
    grants = [Grant("create", "Reviews/**")]
    desk.actions.apply(Action("create", "Reviews/9.md", "first"), by="r", grants=grants)
    desk.open().apply(Action("create", "Reviews/9.md", "second"), by="r", grants=grants)
    assert desk.read("Reviews/9.md") == "second\n"
    desk.write("Reviews/9.md", "second, and mine\n")
    with pytest.raises(NoteChanged):
        desk.actions.apply(Action("create", "Reviews/9.md", "third"), by="r", grants=grants)
    assert desk.read("Reviews/9.md") == "second, and mine\n"


def test_proposal_that_waits_is_not_proposed_twice(desk: Desk) -> None:
    """A program that asks again gets the one that waits; what is decided waits no more."""
    action = Action("create", "A.md", "x")
    record = desk.actions.propose(action, by="n8n")
    assert desk.actions.propose(action, by="n8n") == record
    desk.actions.reject(record.id, by="me")
    for decide in (desk.actions.approve, desk.actions.reject):
        with pytest.raises(UsageError, match="waits no more"):
            decide(record.id, by="me")
    with pytest.raises(NotFound):
        desk.actions.approve("ffff", by="me")


@pytest.mark.parametrize(
    "action",
    [
        Action("append", "A.md"),
        Action("insert", "A.md", "x"),
        Action("append", "", "x"),
        Action("append", "A.canvas", "x"),
        Action("append", ".obsidian/x.md", "x"),
        Action("append", "../A.md", "x"),
        Action("add_link", "A.md", to="a|b]]"),
        Action("set_property", "Nowhere.md", name="a", value="1"),
        Action("move", "A.md", to="B.md"),
        Action("append", "Code.md", "x"),
        Action("append", "A.md", "x" * 600_000),
    ],
    ids=lambda action: f"{action.kind}-{action.path or 'nowhere'}",
)
def test_action_that_cannot_be_done_is_refused_when_it_is_proposed(desk: Desk, action: Action) -> None:
    """The program learns it at once, and no person is asked."""
    desk.write("Code.md", "```\nopen\n")
    with pytest.raises((UsageError, NotFound)):
        desk.actions.propose(action, by="n8n")
    assert desk.actions.records() == []


def test_full_disk_in_the_midst_of_several_notes_leaves_them_all_as_they_were(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An action on several notes is done whole, or not at all."""
    desk.write("Old.md", "# Old\n")
    desk.write("Links.md", "[[Old]]\n")
    texts = {"Links.md": ("[[Old]]\n", "[[New]]\n"), "New.md": (None, "# Old\n"), "Old.md": ("# Old\n", None)}
    actions = desk.open(lambda *_: texts)
    write = Shelf.write

    def full(shelf: Shelf, path: str, text: str, *, before: str | None) -> None:
        if path == "New.md":
            raise DiskFull("There is no room.")
        write(shelf, path, text, before=before)

    monkeypatch.setattr(Shelf, "write", full)
    with pytest.raises(DiskFull):
        actions.apply(Action("move", "Old.md", to="New.md"), by="r", grants=[Grant("move", "*.md")])
    assert (desk.read("Old.md"), desk.read("Links.md")) == ("# Old\n", "[[Old]]\n")
    assert [each.state for each in actions.records()] == ["failed"]
    monkeypatch.undo()
    record = actions.apply(Action("move", "Old.md", to="New.md"), by="r", grants=[Grant("move", "*.md")])
    assert (desk.read("New.md"), desk.read("Links.md")) == ("# Old\n", "[[New]]\n")
    actions.undo(record.id, by="me")
    assert (desk.read("Old.md"), desk.read("Links.md")) == ("# Old\n", "[[Old]]\n")
    assert not (desk.vault / "New.md").exists()


@pytest.mark.parametrize("step", range(1, 9))
def test_kill_at_each_step_of_a_move_leaves_it_done_or_not_done(tmp_path: Path, step: int) -> None:
    """A child process dies at its nth step on the disk; the next start finishes it, or takes it back."""
    desk = Desk(tmp_path)
    desk.write("Old.md", "# Old\n")
    desk.write("Links.md", "[[Old]]\n")
    texts = {"Links.md": ("[[Old]]\n", "[[New]]\n"), "New.md": (None, "# Old\n"), "Old.md": ("# Old\n", None)}
    if (child := os.fork()) == 0:
        left = [step]

        def dying(real: Callable[..., object]) -> Callable[..., object]:
            def counted(*arguments: object, **options: object) -> object:
                left[0] -= 1
                if left[0] == 0:
                    os._exit(9)
                return real(*arguments, **options)

            return counted

        os.link, os.fsync = dying(os.link), dying(os.fsync)  # type: ignore[assignment]
        Path.replace, Path.unlink = dying(Path.replace), dying(Path.unlink)  # type: ignore[assignment, method-assign]
        grants = [Grant("move", "*.md")]
        desk.open(lambda *_: texts).apply(Action("move", "Old.md", to="New.md"), by="r", grants=grants)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) in (0, 9)
    actions = desk.open()
    found = {path.name: path.read_text("utf-8") for path in desk.vault.rglob("*.md")}
    whole = {"New.md": "# Old\n", "Links.md": "[[New]]\n"}
    none = {"Old.md": "# Old\n", "Links.md": "[[Old]]\n"}
    states = [each.state for each in actions.records()]
    assert (found, states) in ((whole, ["applied"]), (none, ["failed"]), (none, []))
    assert [path.name for path in desk.vault.rglob("*") if path.suffix != ".md"] == []


def test_log_is_only_added_to_and_for_the_person_alone(desk: Desk) -> None:
    """Each decision is a line; nobody else on the machine can read it."""
    before = b""
    record = desk.actions.propose(Action("create", "A.md", "x"), by="n8n")
    for step in (desk.actions.approve, desk.actions.undo):
        step(record.id, by="me")
        now = (desk.data / "audit.jsonl").read_bytes()
        assert now.startswith(before)
        before = now
    states = [json.loads(line)["state"] for line in before.splitlines()]
    assert states == ["proposed", "applying", "applied", "undone"]
    assert (desk.data / "audit.jsonl").stat().st_mode & 0o077 == 0


def append_often(desk: Desk, count: int) -> None:
    """Append so many lines to the note of the day."""
    for number in range(count):
        desk.actions.apply(Action("append", DAY, f"line {number}"), by="r", grants=APPEND)


def insist_on_what_must_be_known(desk: Desk, waiting: str) -> None:
    """Assert that the last actions are undone, what waits is known, and a routine's own note is replaced."""
    lines = desk.read(DAY)
    for _ in range(2):
        desk.actions.undo(desk.actions.records("applied")[0].id, by="me")
        desk.open()
    assert desk.read(DAY) == lines.rsplit("\n\n", 2)[0] + "\n"
    assert [each.id for each in desk.actions.records("proposed")] == [waiting]
    desk.actions.apply(
        Action("create", "Reviews/Own.md", "new"), by="r", grants=[Grant("create", "Reviews/**")]
    )
    assert desk.read("Reviews/Own.md") == "new\n"


def begin_with_an_own_note_and_a_proposal(desk: Desk) -> str:
    """Create a note as a routine does, and propose another; return the proposal's id."""
    own = Action("create", "Reviews/Own.md", "old")
    desk.actions.apply(own, by="r", grants=[Grant("create", "Reviews/**")])
    return desk.actions.propose(Action("create", "A.md", "x" * 3000), by="n8n").id


def test_of_many_actions_those_that_must_be_known_are_kept(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Memory and the texts beside the log are bounded; the latest are undone, and what waits still waits."""
    monkeypatch.setattr(actions_module, "KEPT", 5)
    monkeypatch.setattr(actions_module, "SLACK", 2)
    waiting = begin_with_an_own_note_and_a_proposal(desk)
    desk.open()
    append_often(desk, 30)
    for actions in (desk.actions, desk.open()):
        assert len(actions.records()) <= 5 + 2 + 2
        assert len([*(desk.data / "before").iterdir()]) <= 5 + 2
    insist_on_what_must_be_known(desk, waiting)


def test_log_that_has_become_long_begins_anew(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is settled is in the older log, once; a full disk in its midst loses nothing."""
    monkeypatch.setattr(audit, "MAX_BYTES", 8000)
    monkeypatch.setattr(actions_module, "KEPT", 5)
    waiting = begin_with_an_own_note_and_a_proposal(desk)
    with monkeypatch.context() as full:
        full.setattr(shutil, "copy", lambda *_: (_ for _ in ()).throw(OSError(28, "full")))
        append_often(desk, 30)
    assert (desk.data / "audit.jsonl").stat().st_size > 8000
    append_often(desk, 30)
    log, older = desk.data / "audit.jsonl", desk.data / "audit-older.jsonl"
    assert log.stat().st_size < 8000 + 4000
    assert json.loads(older.read_text("utf-8").splitlines()[-1])["state"] == "applied"
    assert all(file.stat().st_mode & 0o077 == 0 for file in (log, older))
    insist_on_what_must_be_known(desk, waiting)


def test_text_of_what_was_undone_is_kept_no_longer(desk: Desk) -> None:
    """What a note held before is for undo alone."""
    append_often(desk, 1)
    desk.actions.undo(desk.actions.records()[0].id, by="me")
    assert [*(desk.data / "before").iterdir()] == []


def test_diff_names_the_note_and_shows_both_sides(desk: Desk) -> None:
    """It is a unified diff, as a person knows it."""
    desk.write("A.md", "one\n")
    texts = desk.actions.preview(Action("append", "A.md", "two"))
    assert diff(texts).splitlines() == ["--- A.md", "+++ A.md", "@@ -1 +1,3 @@", " one", "+", "+two"]
    assert diff(desk.actions.preview(Action("create", "B.md", "x"))).startswith("--- /dev/null\n+++ B.md\n")


TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), max_size=30)


@given(st.lists(TEXT, max_size=5), st.lists(TEXT, min_size=1, max_size=4))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_undo_gives_the_bytes_back(
    tmp_path_factory: pytest.TempPathFactory, before: list[str], added: list[str]
) -> None:
    """Whatever a note held, and whatever was appended."""
    desk = Desk(tmp_path_factory.mktemp("desk"))
    text = "\n".join(before)
    desk.write("A.md", text)
    done = []
    for each in added:
        try:
            done.append(
                desk.actions.apply(Action("append", "A.md", each), by="r", grants=[Grant("append", "*")])
            )
        except UsageError:  # it would change what other blocks are, or is empty
            continue
    assert desk.read("A.md").startswith(text.rstrip())
    for record in reversed(done):
        if record.hashes:
            desk.actions.undo(record.id, by="me")
    assert desk.read("A.md") == text
    assert hash_of(text) == hash_of(desk.read("A.md"))


def test_moment_of_a_record_is_when_it_changed(desk: Desk) -> None:
    """The newest comes first."""
    moments = iter(datetime(2026, 1, day, tzinfo=UTC) for day in range(1, 9))
    desk.actions._now = lambda: next(moments)
    first = desk.actions.propose(Action("create", "A.md", "x"), by="n8n")
    second = desk.actions.propose(Action("create", "B.md", "x"), by="n8n")
    assert desk.actions.records() == [second, first]
    desk.actions.reject(first.id, by="me")
    assert [each.id for each in desk.actions.records()] == [first.id, second.id]
