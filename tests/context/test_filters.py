"""Which notes a question looks at: what tags, properties and times are compared as."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from pai_daemon.context.filters import fold_property, moment_ns, property_entries, tag_closure
from pai_daemon.errors import UsageError

NOW = datetime(2026, 11, 25, 12, tzinfo=timezone(timedelta(hours=1)))


def test_tag_closure_holds_every_level() -> None:
    """A nested tag counts for each tag it is nested in."""
    assert tag_closure(["A/b/c"]) == {"a", "a/b", "a/b/c"}


def test_property_is_found_by_name_by_value_and_by_each_item_of_a_list() -> None:
    """Case does not count, a link is found by its target, and truth values as they are written in YAML."""
    given = {
        "Status": "Done",
        "people": ["[[Ada]]", "Bob"],
        "draft": True,
        "rating": 4,
        "empty": None,
        "a=b": 1,
    }
    assert property_entries(given) == [
        *("status", "status=done", "people", "people=ada", "people=bob", "draft", "draft=true"),
        *("rating", "rating=4", "empty", "a b", "a b=1"),
    ]


def test_question_for_a_property_is_folded_as_its_value_was() -> None:
    """What a person types meets what the note says."""
    assert fold_property(" STATUS = Done ") in property_entries({"Status": "done"})


def test_properties_of_one_note_are_bounded() -> None:
    """A table pasted into the properties weighs no more than some lines of text."""
    entries = property_entries({f"name{number}": "x" * 10_000 for number in range(1000)})
    assert len(entries) == 64
    assert max(map(len, entries)) < 300


@pytest.mark.parametrize(
    ("written", "hours"),
    [
        ("2026-11-25", 11),
        ("2026-11-25T11:30", 0.5),
        ("2026-11-25T10:00+00:00", 1),
        ("12h", 12),
        ("7d", 7 * 24),
        ("2W", 14 * 24),
    ],
)
def test_moment_is_a_day_a_time_or_how_long_ago(written: str, hours: float) -> None:
    """Days and times without a zone are local; the moment is exact."""
    moment = NOW - timedelta(hours=hours) if hours != 11 else datetime(2026, 11, 25, tzinfo=NOW.tzinfo)
    assert moment_ns(written, NOW) == int(moment.timestamp()) * 10**9


@pytest.mark.parametrize("written", ["yesterday", "7", "-3d", "2026-13-01", ""])
def test_moment_that_is_none_is_refused_with_examples(written: str) -> None:
    """The error says how to write one."""
    with pytest.raises(UsageError) as caught:
        moment_ns(written, NOW)
    assert "2026-11-01" in caught.value.hint
