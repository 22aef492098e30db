"""A fact's line is read as it was written, whatever its words are, and a person's line counts as well."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pai_daemon.memory.fact import Fact, one_line, read_page, with_fact, with_line, without_line, written

FACT = Fact("m-7f3a2c", "I write in Helix.", "Tools", "Tools.md", 3, date(2026, 11, 26), "cli")
DAYS = st.dates(date(1990, 1, 1), date(2100, 1, 1))
# Words that look like what stands around them.
PIECES = st.sampled_from(
    [
        "[until:: 2027-01-01]",
        "\\[a:: b]",
        "(2026-01-01)",
        "^m-1",
        "[ ]",
        "[x]",
        "- ",
        "# ",
        "\\",
        "[[Tea]]",
        "ä",
    ]
)
WORDS = st.lists(st.one_of(PIECES, st.text(max_size=8)), min_size=1, max_size=5).map(" ".join).map(one_line)


@given(
    text=WORDS.filter(bool),
    said=DAYS,
    until=st.none() | DAYS,
    pinned=st.booleans(),
    superseded=st.none() | st.just("m-0123456789"),
)
def test_fact_is_read_as_it_was_written(
    text: str, said: date, until: date | None, pinned: bool, superseded: str | None
) -> None:
    """Words that look like a field, a date, an id or a task stay words."""
    fact = replace(FACT, text=text, said=said, until=until, pinned=pinned, superseded_by=superseded, tags=())
    page = read_page("Tools.md", f"# Tools\n\n{written(fact)}\n")
    assert [replace(each, tags=()) for each in page.facts] == [fact]
    assert page.broken == ()


@given(before=st.text(st.characters(exclude_characters="`~"), max_size=200), text=WORDS.filter(bool))
def test_note_keeps_all_that_a_person_wrote_in_it(before: str, text: str) -> None:
    """A fact is added, changed and taken out again, and the rest of the note is as it was, byte by byte."""
    known = read_page("Tools.md", before)
    fact = replace(FACT, text=text)
    added = with_fact(before, fact)
    mine = next((each for each in read_page("Tools.md", added).facts if each.id == FACT.id), None)
    if mine is None:
        return  # an open comment or property block; `Memory` refuses it
    assert len(read_page("Tools.md", added).facts) == len(known.facts) + 1
    pinned = with_line(added, replace(mine, pinned=True))
    assert pinned.replace("[pinned:: true] ", "", 1) == added or "[pinned:: true]" in text
    left = without_line(added, mine.line)
    assert left.rstrip("\r\n") == before.rstrip("\r\n")


def test_line_of_a_person_is_a_fact_without_date_and_id() -> None:
    """It is known by its words; a task, a heading, a property and what stands in code are none."""
    head = "---\ntags:\n  - me\n---\n# Tools\n\n"
    text = f"{head}* I like *tea*\n- [ ] buy tea\n```\n- code\n```\n  - nested, too\n"
    facts = read_page("Tools.md", text).facts
    assert [fact.text for fact in facts] == ["I like *tea*", "nested, too"]
    assert not any(fact.has_id or fact.said for fact in facts)
    assert len({fact.id for fact in facts}) == 2


def test_what_is_broken_is_told_and_the_rest_counts() -> None:
    """A day that is none, and an id that is there twice."""
    page = read_page("Tools.md", "- One (2026-02-31) ^m-1\n- Two [until:: soon] ^m-2\n- Three ^m-2\n")
    assert [fact.text for fact in page.facts] == ["One", "Two", "Three"]
    assert [each.line for each in page.broken] == [1, 2, 3]
    assert len({fact.id for fact in page.facts}) == 3


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_fields_and_line_ends_of_a_person_stay(end: str) -> None:
    """A field that is not ours, the mark of the item and how lines end are as before."""
    text = f"# Tools{end}{end}  + Tea [mood:: calm] ^m-1{end}After{end}"
    (fact,) = read_page("Tools.md", text).facts
    changed = with_line(text, replace(fact, text="Coffee", pinned=True))
    assert changed == f"# Tools{end}{end}  + Coffee [mood:: calm] [pinned:: true] ^m-1{end}After{end}"
    assert with_fact(text, FACT).endswith(f"{written(FACT)}{end}After{end}")
