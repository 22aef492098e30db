"""The tasks of a note, as Obsidian and its plugins, Logseq and org write them."""

from __future__ import annotations

import time
from typing import Any

import pytest

from pai_daemon.notes.logseq import Graph
from pai_daemon.notes.reader import read_note
from pai_daemon.notes.tasks import MAX_TASKS, Task, status_of, tasks_of


def tasks(text: str, path: str = "Note.md", graph: Graph | None = None) -> tuple[Task, ...]:
    """Return the tasks of a text, after a look at their places in it."""
    note = read_note(path, text.encode(), graph=graph)
    found = tasks_of(note)
    for task in found:
        assert note.text[task.start : task.end] == task.text
        assert note.text.count("\n", 0, task.start) + 1 == task.line
    return found


def one(text: str, path: str = "Note.md", graph: Graph | None = None) -> Task:
    """Return the only task of a text."""
    (task,) = tasks(text, path, graph)
    return task


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("- [ ] Sand the hull", {"text": "Sand the hull", "mark": " "}),
        ("* [x] Done ✅ 2026-02-03", {"mark": "x", "finished": "2026-02-03"}),
        ("1. [/] Two [due:: 2026-12-01]", {"mark": "/", "due": "2026-12-01"}),
        (
            "- [ ] a 📅 2026-01-03 ⏳ 2026-01-02 🛫 2026-01-01",
            {"due": "2026-01-03", "scheduled": "2026-01-02"},
        ),
        ("- [ ] a 🛫 2026-01-01 🔁 every day", {"starts": "2026-01-01", "due": ""}),
        ("- [ ] a 📅️ 2026-01-03 ⏫", {"due": "2026-01-03", "priority": "high"}),
        (
            "- [ ] a (scheduled:: 2026-01-02) [priority:: lowest]",
            {"scheduled": "2026-01-02", "priority": "lowest"},
        ),
        ("- [-] gone ❌ 2026-01-02", {"mark": "-", "finished": "2026-01-02"}),
        ("- [ ] Card @{2026-11-30}", {"due": "2026-11-30"}),
        ("- [ ] Reminder (@2026-11-30 10:00)", {"due": "2026-11-30"}),
        ("- [ ] no such day 📅 2026-02-30", {"due": ""}),
        (
            "- [ ] named #boat/hull ^sand",
            {"text": "named #boat/hull", "tags": ("boat/hull",), "block_id": "sand"},
        ),
        ("> - [ ] quoted", {"text": "quoted"}),
        ("- [ ] [[Tom]] and `code` *as it stands*", {"text": "[[Tom]] and `code` *as it stands*"}),
    ],
)
def test_task_of_obsidian_is_read_with_its_days(line: str, told: dict[str, Any]) -> None:
    """The text is verbatim; days are those of Tasks, Dataview, Kanban and Reminder."""
    task = one(f"# Head\n\n{line}\n")
    assert {name: getattr(task, name) for name in told} == told
    assert task.heading_path == ("Head",)


@pytest.mark.parametrize(
    "text",
    [
        "```\n- [ ] code\n```",
        "- [ ]\n- [ ]   ",
        "- [link](x.md)",
        "- [[Note]]",
        "[ ] no item",
        "- [ ] <% tp.date.now() %>",
        "- [ ] {{title}}",
        "%%\n- [ ] comment\n%%",
        "- [ab] two letters",
        "---\nkey: '- [ ] no'\n---\n",
    ],
)
def test_what_only_looks_like_a_task_is_none(text: str) -> None:
    """Code, comments, empty boxes, links and what a template will fill."""
    assert tasks(text) == ()


def test_task_knows_what_it_stands_under() -> None:
    """Headings, the items around it, and the tags of all of these and of the note outside of its lists."""
    head = "---\ntags: [a, b/c]\n---\n#inline\n\n# Boat\n\n## Hull\n\n"
    text = f"{head}- Sanding #dust\n\t- [ ] Port side #left\n- other #no\n"
    task = one(text)
    assert task.heading_path == ("Boat", "Hull")
    assert task.within == ("Sanding #dust",)
    assert set(task.tags) == {"left", "dust", "a", "b/c", "inline"}


def test_task_of_logseq_is_read_with_its_planning() -> None:
    """Markers, priorities, and the lines below."""
    text = (
        "tags:: home\n\n- [[Boat]] #boat\n\t- TODO [#A] Order [[fenders]] #buy\n"
        "\t  SCHEDULED: <2026-11-20 Fri>\n\t  DEADLINE: <2026-12-01 Tue 10:00 .+1w>\n"
        "\t\t- DONE sub\n- LATER read\n- a TODO inside is none\n"
    )
    first, sub, later = tasks(text, "pages/x.md", Graph())
    assert (first.text, first.mark, first.priority) == ("Order [[fenders]] #buy", "TODO", "high")
    assert (first.scheduled, first.due) == ("2026-11-20", "2026-12-01")
    assert set(first.tags) == {"buy", "boat", "home"}
    assert first.within == ("[[Boat]] #boat",)
    assert (sub.mark, sub.due) == ("DONE", "")
    assert (later.mark, later.text) == ("LATER", "read")


def test_task_of_org_is_read_with_its_planning() -> None:
    """Headlines with a keyword and items with a box, with the tags that they inherit."""
    text = (
        "#+FILETAGS: :home:\n* Boat :boat:\n** TODO [#B] Fix the pump :pump:\n"
        "   SCHEDULED: <2026-11-20 Fri> DEADLINE: <2026-12-01 Tue>\n   text\n"
        "** DONE Paint\n   CLOSED: [2026-10-01 Thu 10:00]\n- [ ] box\n- [-] in part\n"
    )
    pump, paint, box, part = tasks(text, "x.org")
    assert (pump.text, pump.priority, pump.due) == ("Fix the pump :pump:", "medium", "2026-12-01")
    assert set(pump.tags) == {"pump", "boat", "home"}
    assert pump.heading_path == ("Boat",)
    assert (paint.mark, paint.finished) == ("DONE", "2026-10-01")
    assert [status_of(task.mark, {}) for task in (pump, paint, box, part)] == ["open", "done", "open", "open"]
    assert box.heading_path == ("Boat", "Paint")


@pytest.mark.parametrize(
    ("mark", "assigned", "status"),
    [
        (" ", {}, "open"),
        ("/", {}, "open"),
        (">", {}, "open"),
        ("x", {}, "done"),
        ("DONE", {}, "done"),
        ("CANCELED", {}, "cancelled"),
        ("-", {}, "cancelled"),
        ("WAITING", {}, "open"),
        ("i", {}, None),
        ('"', {}, None),
        ("i", {"i": "IN_PROGRESS"}, "open"),
        ("Q", {"Q": "NON_TASK"}, None),
        ("d", {"d": "DONE"}, "done"),
        ("-", {"-": "TODO"}, "open"),
    ],
)
def test_mark_says_what_a_task_is(mark: str, assigned: dict[str, str], status: str | None) -> None:
    """What the plugin Tasks is set up for goes before what the usual themes draw."""
    assert status_of(mark, assigned) == status


@pytest.mark.parametrize(
    "text",
    [
        "- [ ] a\n" * 20_000,
        "- [ ] " + "📅 " * 50_000,
        "- [ ] " + "[due::" * 30_000,
        "- [ ] " + " " * 100_000 + "x ^",
        "\n".join("\t" * depth + "- [ ] deep" for depth in range(300)),
        "- TODO " + "SCHEDULED: <" * 30_000,
    ],
)
def test_hostile_note_takes_no_time(text: str) -> None:
    """The time is linear, and the number of tasks has a bound."""
    for path, graph in (("Note.md", None), ("pages/x.md", Graph()), ("x.org", None)):
        note = read_note(path, text.encode(), graph=graph)
        started_s = time.process_time()
        assert len(tasks_of(note)) <= MAX_TASKS
        assert time.process_time() - started_s < 1
