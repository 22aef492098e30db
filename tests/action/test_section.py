"""A routine's section is replaced while it is as it was written, and every other byte of the note stays."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pai_daemon.action.section import (
    markdown_sections,
    outline_sections,
    section_name,
    with_outline_section,
    with_section,
)
from pai_daemon.errors import UsageError
from pai_daemon.notes.markdown import read_markdown

DAY = "# Friday\n\nWoke up early.\n\n## News\n\nMine.\n\n## Evening\n\nTired.\n"
WORDS = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), max_size=40)


def test_section_is_one_block_below_its_heading() -> None:
    """It is a callout with a block id, and what the person wrote stands as before."""
    text = with_section(DAY, "morning-news", "Morning news", "- one\n- two", heading="News")
    assert text.startswith(
        "# Friday\n\nWoke up early.\n\n## News\n\nMine.\n\n> [!summary] Morning news\n> - one\n"
    )
    assert text.endswith("\n\n## Evening\n\nTired.\n")
    blocks = [block for block in read_markdown("a.md", text).blocks if block.kind == "callout"]
    assert [block.block_id for block in blocks] == [f"pai-morning-news-{text.split('news-')[1][:8]}"]


def test_second_run_takes_the_place_of_the_first() -> None:
    """There is one section, with the new text, and running again with the same changes nothing."""
    first = with_section(DAY, "news", "News", "old\n\n- and older", heading="News")
    second = with_section(first, "news", "News", "new", heading="News")
    assert "old" not in second
    assert second == with_section(DAY, "news", "News", "new", heading="News")
    assert second == with_section(second, "news", "News", "new", heading="News")


def test_section_that_a_person_changed_is_theirs() -> None:
    """It stays as they left it, and the new text is put beside it; later runs replace that one."""
    first = with_section(DAY, "news", "News", "- one", heading="News")
    touched = first.replace("> - one", "> - one, which I read")
    second = with_section(touched, "news", "News", "- two", heading="News")
    third = with_section(second, "news", "News", "- three", heading="News")
    assert "> - one, which I read" in third
    assert "- two" not in third
    assert [found.is_ours for found in markdown_sections(third, "news")] == [False, True]


def test_heading_that_is_missing_is_added_once() -> None:
    """A note without the heading gets it at its end."""
    text = with_section("Hello.\n", "news", "News", "x", heading="Morning")
    assert text == with_section(text, "news", "News", "x", heading="Morning")
    assert text.startswith("Hello.\n\n## Morning\n\n> [!summary] News\n> x\n")
    assert text.count("## Morning") == 1


def test_sections_of_two_routines_do_not_meet() -> None:
    """A name that begins like another is another one."""
    text = with_section(with_section("", "news", "A", "x"), "news-world", "B", "y")
    text = with_section(text, "news", "A", "z")
    assert "> z" in text
    assert "> y" in text
    assert "> x" not in text


def test_note_with_an_open_code_block_is_not_written_into() -> None:
    """What would be read as code is refused, and nothing is lost."""
    with pytest.raises(UsageError):
        with_section("```\ncode\n", "news", "News", "x")


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_line_ends_of_the_note_are_kept(newline: str) -> None:
    """A note of Windows stays one, and its section is known again."""
    day = DAY.replace("\n", newline)
    text = with_section(day, "news", "News", "- one\n- two", heading="News")
    assert ("\r\n" in text) == (newline == "\r\n")
    assert text.count("\n") == text.count(newline)
    assert with_section(text, "news", "News", "- one\n- two", heading="News") == text


def test_section_survives_a_sync_that_changes_line_ends() -> None:
    """Its hash does not depend on them."""
    text = with_section(DAY, "news", "News", "- one", heading="News").replace("\n", "\r\n")
    assert [found.is_ours for found in markdown_sections(text, "news")] == [True]


@given(
    st.lists(WORDS, max_size=6),
    st.lists(WORDS, min_size=1, max_size=6),
    st.lists(WORDS, min_size=1, max_size=6),
)
@settings(max_examples=150, deadline=None)
def test_whatever_stands_in_it_every_other_byte_stays(
    before: list[str], one: list[str], two: list[str]
) -> None:
    """Writing another text and then the first one again is as if the other had never been."""
    day = "\n".join(before)
    try:
        first = with_section(day, "x", "T", "\n".join(one))
    except UsageError:  # a note that ends in code, or the like
        return
    second = with_section(first, "x", "T", "\n".join(two))
    assert with_section(second, "x", "T", "\n".join(one)) == first
    assert len(markdown_sections(second, "x")) == len(markdown_sections(day, "x")) + 1
    assert second.startswith(day.rstrip())


def test_section_of_a_logseq_page_is_one_bullet() -> None:
    """Its text is below it, and what else the page has stays."""
    page = "- Woke up early.\n\t- Tea\n"
    first = with_outline_section(page, "news", "Morning news", "## World\n\n- one\n  - deeper\n- two")
    assert first.startswith(page + "- Morning news\n  pai:: news-")
    assert first.endswith("\n\t- ## World\n\t- one\n\t\t- deeper\n\t- two\n")
    later = first + "- Evening\n"
    second = with_outline_section(later, "news", "Morning news", "- three")
    assert "one" not in second
    assert second.endswith("\n\t- three\n- Evening\n")
    assert [found.is_ours for found in outline_sections(second, "news")] == [True]
    touched = second.replace("- three", "- three!")
    third = with_outline_section(touched, "news", "Morning news", "- four")
    assert "- three!" in third
    assert third.endswith("\t- four\n")


def test_name_of_a_section_has_letters_of_a_block_id() -> None:
    """A routine may be called as a person likes."""
    assert section_name("Morgen/Nachrichten & Übersicht") == "morgen-nachrichten-bersicht"
    assert section_name("今日") != section_name("明日")
    assert section_name("今日").startswith("routine-")
