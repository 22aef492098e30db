"""Which questions ask for tasks: a set, in two languages, of those that do and that only sound so."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pai_daemon.context.filters import Filter, moment_ns
from pai_daemon.context.questions.tasks import MAX_CHARACTERS, TaskQuestion, task_question
from pai_daemon.context.tasks import TaskQuery

# A Thursday.
NOW = datetime(2026, 11, 26, 14, 30, tzinfo=UTC)
QUESTIONS = json.loads(Path(__file__).with_name("task_questions.json").read_text("utf-8"))
# Such a share may be read otherwise than a person would; none of the ordinary ones may be taken for another.
MISSED = 0.05


def expected(told: dict[str, Any]) -> TaskQuery:
    """Return the query that the set tells of."""
    fields = dict(told)
    since, before = fields.pop("since", ""), fields.pop("before", "")
    chosen = Filter(
        tags=tuple(fields.pop("tags", ())),
        since_ns=moment_ns(since, NOW) if since else None,
        before_ns=moment_ns(before, NOW) if before else None,
    )
    return TaskQuery(**fields, chosen=chosen)


def missed(cases: list[tuple[str, dict[str, Any] | None]], *, is_sure: bool) -> list[str]:
    """Return the questions that are read otherwise than told; None: as any question for tasks, or as none."""
    found = []
    for question, told in cases:
        read = task_question(question, NOW)
        if told is not None and read != (read and TaskQuestion(expected(told), read.said, is_sure)):
            found.append(f"{question}: {read}")
        elif told is not None and read is None:
            found.append(f"{question}: not read as one")
    return found


def test_set_of_questions_is_large_and_in_two_languages() -> None:
    """There are at least sixty, a third of them ordinary."""
    assert sum(map(len, QUESTIONS.values())) >= 90
    assert len(QUESTIONS["ordinary"]) >= 40


def test_questions_for_tasks_are_understood() -> None:
    """Of the questions that ask for tasks, at most one in twenty is read otherwise than a person would."""
    found = missed(QUESTIONS["asks"], is_sure=True)
    assert len(found) <= MISSED * len(QUESTIONS["asks"]), "\n".join(found)


def test_questions_that_may_ask_for_tasks_are_not_sure() -> None:
    """What may ask of the world as well is answered by tasks only where some fit."""
    assert missed(QUESTIONS["asks_if_any_fits"], is_sure=False) == []


@pytest.mark.parametrize("question", QUESTIONS["ordinary"])
def test_question_that_only_sounds_so_is_an_ordinary_one(question: str) -> None:
    """A word that has no place in a question for tasks makes it none."""
    assert task_question(question, NOW) is None


def test_what_was_understood_is_said() -> None:
    """Each part of the filter can be read."""
    read = task_question("overdue tasks #boat about the hull", NOW)
    assert read is not None
    assert read.said == ("overdue tasks", "about hull", "tag boat")
    read = task_question("Which tasks are due next week?", NOW)
    assert read is not None
    assert read.said == ("open tasks", "due since 2026-11-30", "due before 2026-12-07")


@pytest.mark.parametrize(
    "text",
    [
        "open " * 5000 + "tasks",
        "what is " + "still " * 20000 + "to do",
        "tasks " + "in " * 30000,
        "#" * 50000,
        "due " * 30000,
        "tasks " + "last " * 20000 + "month",
        "tasks " + " " * 100000 + "due",
        "1." * 40000,
        "in the " * 20000,
        '"' * 50000,
    ],
)
def test_hostile_question_takes_no_time(text: str) -> None:
    """What is longer than a person asks is not looked at, and at that length a question takes no time."""
    started_s = time.process_time()
    task_question(text, NOW)
    for _ in range(20):
        task_question(text[:MAX_CHARACTERS], NOW)
    assert time.process_time() - started_s < 0.5


@given(text=st.text(max_size=120), now=st.datetimes(datetime(1970, 2, 1), datetime(2200, 1, 1)))
def test_any_question_can_be_read_at_any_time(text: str, now: datetime) -> None:
    """Nothing raises."""
    task_question(f"open tasks {text}", now.replace(tzinfo=UTC))
    task_question(text, now.replace(tzinfo=UTC))
