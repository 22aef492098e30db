"""No routine's note, whatever stands in it, stops another, and none that could not run counts as right."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pathspec
import pytest

from pai_daemon.action.outside.guard import hosts_of_routine
from pai_daemon.action.reading import KEYS, read_routine
from pai_daemon.action.routine import Routine, Wrong
from pai_daemon.action.section import with_section
from tests.action.test_scheduler import Stage

VALUES: tuple[Any, ...] = (
    0, -1, 1.5, True, False, None, "", "x", "!x", "/", "//", "[", "**/[", "a\\", [], [None], [[1]], {},
    {"a": {"b": 1}}, {"note": "a\\"}, {"note": "x", "debounce": "999999w"}, {"feed": "http://["},
    {"feed": "http://"}, {"feed": "http://a:99999/"}, {"url": "https://u:p@x/"}, {"daily": "999999w"},
    {"changed": "999999w"}, {"notes": "a\\"}, {"append": "a\\"}, {"append": ["a"]}, {"hosts": 5},
    {"hosts": {"a": 1}}, {"hosts": ["..."]}, {"time": 0}, {"time": "999999w"}, {"to": ["a"]},
    {"to": "a", "as": ["x"]}, {"to": "a", "as": {"x": 1}}, "0 0 30 2 *", "every 0 minutes", "at at",
)  # fmt: skip


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    """Return an empty stage."""
    return Stage(tmp_path)


@pytest.mark.parametrize("key", KEYS)
def test_routine_of_any_values_is_right_or_says_what_is_wrong(key: str) -> None:
    """What is read as right can be asked for its hosts, grants, patterns and times."""
    for value in VALUES:
        found = read_routine("Routines/a.md", f"---\n{key}: {json.dumps(value)}\n---\nDo it.\n")
        if not isinstance(found, Routine):
            assert all(isinstance(each, Wrong) and each.message for each in found), value
            continue
        hosts_of_routine(found)
        assert found.limits.time_s > 0, value
        patterns = [each.what for each in found.inputs if each.kind == "notes"]
        for pattern in (*patterns, *(each.what for each in found.triggers if each.cause == "note")):
            pathspec.PathSpec.from_lines("gitignore", [f"/{pattern.lstrip('/')}"]).match_file("a/b.md")
        for grant in found.grants:
            grant.covers("append", "a/b.md", date(2026, 1, 1))
        for trigger in found.triggers:
            assert datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=trigger.debounce_s)


async def test_note_that_cannot_be_read_stops_no_other(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error that nobody thought of is told as what is wrong with that note."""
    stage.routine("Good", "on: start")
    stage.routine("Bad", "on: start")

    def reading(path: str, text: str, **more: Any) -> Any:
        if path.endswith("Bad.md"):
            raise RuntimeError("unforeseen")
        return read_routine(path, text, **more)

    monkeypatch.setattr("pai_daemon.action.folder.read_routine", reading)
    stage.scheduler.look()
    assert list(stage.scheduler.folder.routines) == ["Good"]
    assert "unforeseen" in stage.scheduler.folder.wrong[0].message
    await asyncio.sleep(0)


def test_event_that_nobody_tells_is_no_event() -> None:
    """A routine that could never run is wrong, and not silent."""
    found = read_routine("Routines/a.md", "---\non: {event: revision}\n---\nDo it.\n")
    assert isinstance(found, tuple)
    assert found[0].line == 2


def test_words_before_a_section_on_its_line_are_no_part_of_it() -> None:
    """A person who writes before the first > of a section has made it theirs."""
    text = with_section("# A\n", "news", "News", "one")
    mine = text.replace("> [!summary]", "mine> [!summary]")
    assert "mine> [!summary] News\n> one\n" in with_section(mine, "news", "News", "two")


@pytest.mark.parametrize("end", ["\u00a0", " \u3000", "\u2009\n"])
def test_section_in_a_note_that_ends_with_other_blanks_is_found_again(end: str) -> None:
    """A blank that is no space, behind the last line, makes no second section."""
    first = with_section(f"# A\n\ntext{end}", "x", "T", "one")
    assert with_section(first, "x", "T", "two").count("^pai-x-") == 1
    first = with_section(end, "x", "T", "one")
    assert with_section(first, "x", "T", "two").count("^pai-x-") == 1
