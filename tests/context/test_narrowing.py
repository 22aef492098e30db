"""What a question says of when its notes were written and of their tags."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pai_daemon.context.filters import EVERYTHING, Filter, moment_ns
from pai_daemon.context.questions.narrowing import narrowed

# A Thursday.
NOW = datetime(2026, 11, 26, 14, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("question", "text", "said"),
    [
        (
            "What did I write about the boat last month?",
            "What did I write about the boat?",
            ("since 2026-10-01", "before 2026-11-01"),
        ),
        ("What did I note today?", "What did I note?", ("since 2026-11-26",)),
        (
            "Which notes from yesterday speak of Ada?",
            "Which notes speak of Ada?",
            ("since 2026-11-25", "before 2026-11-26"),
        ),
        ("What have I planned this week?", "What have I planned?", ("since 2026-11-23",)),
        (
            "What did I write in March 2025?",
            "What did I write?",
            ("since 2025-03-01", "before 2025-04-01"),
        ),
        ("What did I write in December?", "What did I write?", ("since 2025-12-01", "before 2026-01-01")),
        ("My notes of the last 10 days", "My notes", ("since 2026-11-16",)),
        (
            "Was habe ich letzte Woche über das Boot geschrieben?",
            "Was habe ich über das Boot geschrieben?",
            ("since 2026-11-16", "before 2026-11-23"),
        ),
        ("Was habe ich heute notiert?", "Was habe ich notiert?", ("since 2026-11-26",)),
        (
            "Was habe ich im März über Öl notiert?",
            "Was habe ich über Öl notiert?",
            ("since 2026-03-01", "before 2026-04-01"),
        ),
        (
            "Welche Notizen aus dem letzten Jahr nennen Ada?",
            "Welche Notizen nennen Ada?",
            ("since 2025-01-01", "before 2026-01-01"),
        ),
        ("What is open in #projects/boat?", "What is open in projects/boat?", ("tag projects/boat",)),
    ],
)
def test_time_and_tags_of_notes_become_a_filter(question: str, text: str, said: tuple[str, ...]) -> None:
    """In English and German; what is left is the question without them."""
    found = narrowed(question, NOW)
    assert (found.text, found.said) == (text, said)
    days = dict(each.split(" ", 1) for each in said)
    expected = Filter(
        tags=tuple(filter(None, [days.get("tag")])),
        since_ns=moment_ns(days["since"], NOW) if "since" in days else None,
        before_ns=moment_ns(days["before"], NOW) if "before" in days else None,
    )
    assert found.chosen == expected


@pytest.mark.parametrize(
    "question",
    [
        "Who was chancellor last year?",
        "Wer war letztes Jahr Kanzler?",
        "When is the engine serviced?",
        "What did I write about the march of time?",
        "What did I write about the 2000 euros?",
        "What did I write about issue #12?",
    ],
)
def test_question_of_the_world_is_left_alone(question: str) -> None:
    """A time that is no note's, a month that is a word and a number that is no tag narrow nothing."""
    found = narrowed(question, NOW)
    assert (found.text, found.chosen, found.said) == (question, EVERYTHING, ())


@given(text=st.text(max_size=100), now=st.datetimes(datetime(1970, 2, 1), datetime(2200, 1, 1)))
def test_any_question_can_be_read_at_any_time(text: str, now: datetime) -> None:
    """Nothing raises."""
    narrowed(f"What did I write {text} last month?", now.replace(tzinfo=UTC))
