"""The tasks of a vault: which are found, in which order, and where they stand."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from pai_daemon.context.filters import Filter, moment_ns
from pai_daemon.context.tasks import TaskQuery, day_ahead, find_tasks, passage_of
from pai_daemon.errors import UsageError
from tests.context.conftest import Live
from tests.daemon_process import eventually

TODAY = date(2026, 11, 26)
NOTES = {
    "Projects/Boat.md": (
        "---\ntags: [project/boat]\naliases: [Kestrel, the boat]\nstatus: active\n---\n# Boat\n\n## Hull\n\n"
        "- [ ] Order fenders 📅 2026-11-20 ⏫\n- [/] Sand it ⏳ 2026-11-27\n- [x] Black it ✅ 2026-10-14\n"
        "- [-] Sell the anchor\n- [i] only a thought\n"
    ),
    "Projects/Houseboat plans.md": "# Plans\n\n- [ ] Draw the deck\n",
    "2026-10-11.md": (
        "Supper on the [[Boat]].\n\n- [ ] Return the grinder for [[Boat]] 📅 2027-01-15\n"
        "- [ ] Buy bread #shop\n"
    ),
    "Garden.md": "- [ ] Turn the compost 📅 2026-11-24 🔽\n- [ ] Frühbeet abdecken ⏫\n- [x] Dig\n",
    "Empty.md": "no task\n",
}


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """Yield the notes above, indexed without a model."""
    folder = tmp_path_factory.mktemp("tasks")
    for path, text in NOTES.items():
        (folder / "vault" / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / "vault" / path).write_text(text, "utf-8")
    with Live(folder / "vault", folder / "index", None) as live:
        eventually(lambda: live.paths() == NOTES.keys(), "the notes")
        yield live


def texts(live: Live, **asked: Any) -> list[str]:
    """Return how the tasks that are found begin."""
    found = find_tasks(live.searcher, TaskQuery(**asked), TODAY, 100)
    assert found.total == len(found.tasks)
    return [" ".join(task.text.split()[:2]) for task in found.tasks]


def test_open_tasks_come_by_their_day_and_then_by_their_importance(live: Live) -> None:
    """What is overdue is first; what has no day is last, the important before the rest."""
    assert texts(live) == [
        *("Order fenders", "Turn the", "Sand it", "Return the"),
        *("Frühbeet abdecken", "Buy bread", "Draw the"),
    ]


def test_overdue_tasks_are_counted(live: Live) -> None:
    """Also those that are not told."""
    found = find_tasks(live.searcher, TaskQuery(), TODAY, 1)
    assert (len(found.tasks), found.total, found.overdue) == (1, 7, 2)
    assert found.tasks[0].overdue


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"words": "hull"}, ["Order fenders", "Sand it"]),
        ({"words": "boats"}, ["Order fenders", "Sand it", "Return the"]),
        ({"words": "the boat"}, ["Order fenders", "Sand it", "Return the"]),
        ({"words": "Kestrel"}, ["Order fenders", "Sand it", "Return the"]),
        ({"words": "Projects"}, ["Order fenders", "Sand it", "Draw the"]),
        ({"words": "houseb"}, ["Draw the"]),
        ({"words": "sailing"}, []),
        ({"words": "compost boat"}, []),
        ({"overdue": True}, ["Order fenders", "Turn the"]),
        ({"due_before": "2026-11-28"}, ["Order fenders", "Turn the", "Sand it"]),
        ({"due_since": "2026-11-26"}, ["Sand it", "Return the"]),
        ({"status": "done"}, ["Black it", "Dig"]),
        ({"status": "done", "finished_since": "2026-10-01", "finished_before": "2026-11-01"}, ["Black it"]),
        ({"status": "cancelled"}, ["Sell the"]),
        ({"chosen": Filter(tags=("project",))}, ["Order fenders", "Sand it"]),
        ({"chosen": Filter(tags=("Shop",))}, ["Buy bread"]),
        ({"chosen": Filter(folder="Projects")}, ["Order fenders", "Sand it", "Draw the"]),
        ({"chosen": Filter(properties=("status=active",))}, ["Order fenders", "Sand it"]),
    ],
)
def test_tasks_are_found_by_what_they_and_their_notes_are(
    live: Live, asked: dict[str, Any], expected: list[str]
) -> None:
    """By words, a note's other names, parts of longer words where nothing else fits, days, tags, filters."""
    assert texts(live, **asked) == expected


def test_task_of_a_journal_is_of_its_day(live: Live) -> None:
    """A filter of times asks for the day that the note is about."""
    now = datetime(2026, 11, 26, 12).astimezone()
    october = Filter(since_ns=moment_ns("2026-10-01", now), before_ns=moment_ns("2026-11-01", now))
    assert texts(live, chosen=october) == ["Return the", "Buy bread"]


def test_task_is_cited_to_its_line(live: Live) -> None:
    """The passage is the text of the task, at its place in the note."""
    task = find_tasks(live.searcher, TaskQuery(words="fenders"), TODAY, 1).tasks[0]
    passage = passage_of(live.searcher, task)
    note = (live.vault / passage.path).read_text("utf-8")
    assert note[passage.start_char : passage.end_char] == passage.text == task.text
    assert passage.start_line == passage.end_line == 10
    assert (passage.heading_path, passage.stale) == (("Boat", "Hull"), False)
    assert "Hull" in task.uri


def test_custom_status_is_what_the_plugin_is_set_up_for(live: Live) -> None:
    """The settings of Tasks count at once, and a damaged file says nothing."""
    settings = live.vault / ".obsidian" / "plugins" / "obsidian-tasks-plugin" / "data.json"
    settings.parent.mkdir(parents=True)
    try:
        custom = [{"symbol": "i", "type": "IN_PROGRESS"}, {"symbol": "/", "type": "NON_TASK"}, 3, {}]
        settings.write_text(json.dumps({"statusSettings": {"coreStatuses": None, "customStatuses": custom}}))
        assert texts(live, words="hull") == ["Order fenders", "only a"]
        for damaged in ("{", "[]", '{"statusSettings": []}', '{"statusSettings": {"customStatuses": 3}}'):
            settings.write_text(damaged)
            assert texts(live, words="hull") == ["Order fenders", "Sand it"]
    finally:
        settings.unlink()


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("", ""),
        ("2026-12-01", "2026-12-01"),
        ("today", "2026-11-26"),
        ("Tomorrow", "2026-11-27"),
        ("7d", "2026-12-03"),
        ("2w", "2026-12-10"),
    ],
)
def test_day_ahead_is_a_day_or_in_how_long(written: str, day: str) -> None:
    """What is due is asked for ahead, not back."""
    assert day_ahead(written, TODAY) == day


@pytest.mark.parametrize("written", ["soon", "7", "-7d", "2026-13-01", "9999y", "٣d"])
def test_day_ahead_that_is_none_is_refused(written: str) -> None:
    """The error says how to write one."""
    with pytest.raises(UsageError) as caught:
        day_ahead(written, TODAY)
    assert "2026-12-01" in caught.value.hint


def test_tasks_follow_the_notes(tmp_path: Path) -> None:
    """A box that is ticked, a note that is renamed or asks to be left out: the list says so at once."""
    vault = tmp_path / "vault"
    vault.mkdir()
    (vault / "a.md").write_text("- [ ] one\n- [ ] two\n")
    with Live(vault, tmp_path / "index", None) as live:

        def listed(*expected: str) -> bool:
            found = find_tasks(live.searcher, TaskQuery(), TODAY, 9).tasks
            return [f"{task.path} {task.text}" for task in found] == list(expected)

        eventually(lambda: listed("a.md one", "a.md two"), "the tasks")
        for text, expected in (
            ("- [x] one\n- [ ] two\n", ("a.md two",)),
            ("---\npai: false\n---\n- [ ] two\n", ()),
            ("- [ ] three\n", ("a.md three",)),
        ):
            (vault / "a.md").write_text(text)
            eventually(functools.partial(listed, *expected), "the change")
        (vault / "a.md").rename(vault / "b.md")
        eventually(lambda: listed("b.md three"), "the rename")
