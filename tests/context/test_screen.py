"""What of an answer is let through, whole and in pieces."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pai_daemon.context.screen import MAX_HELD, Screen

PASSAGE = "See [the shop](https://shop.example/a_(b)) and https://boats.example/engine. ![p](https://p.example/x.png)"
_PARTS = """![ [ ]( ) ( ] < > img https:// evil.example 1 42 , : ``` ~~~ ` $= = dataview \\ href ! www.
javascript: x // &#104;"""
PARTS = st.lists(st.sampled_from([*_PARTS.split(), " ", "\n", "\t"]), max_size=40).map("".join)


def whole(text: str) -> str:
    """Return what is shown of a text whose passage is the one above."""
    return Screen([PASSAGE, "nothing"]).whole(text)


@pytest.mark.parametrize(
    "text",
    [
        "The engine is serviced every 250 hours [1][2].",
        "See https://boats.example/engine, or [the shop](https://shop.example/a_(b)).",
        "If a is less than b, then a < b (see [2]).",
        "Use `x = 5`, then `y`=5, and\n\n```python\nprint(a[1])\n```\n",
        "It takes 5 min; time: 18:30. A note: this. C++ and e.g. [[Engine]] too!",
    ],
)
def test_harmless_text_is_shown_as_it_is(text: str) -> None:
    """Prose, code, marks of passages and addresses of passages come through unchanged."""
    assert whole(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("![a](https://p.example/x.png)", "[a](https://p.example/x.png)"),
        ("![a](https://p.example/y.png)", "[a]"),
        ("[go](https://boats.example/engine?q=1)", "[go]"),
        ("Go to https://boats.example/engine/secret.", "Go to …."),
        ("It is so [7]. Or so [1, 7; 2].", "It is so. Or so [1][2]."),
        ("<b>bold</b>", "< b>bold< /b>"),
        ("```dataviewjs\nx\n```", "```\ndataviewjs\nx\n```"),
    ],
)
def test_what_a_view_would_load_or_follow_is_taken_apart(text: str, shown: str) -> None:
    """An image becomes its text, an unknown address a sign, an unknown mark nothing."""
    assert whole(text) == shown


def test_what_was_taken_out_is_counted() -> None:
    """So that the answer can say so."""
    screen = Screen([PASSAGE])
    screen.whole("![a](https://evil.example) and https://evil.example")
    assert screen.taken_out == 3
    assert Screen([PASSAGE]).whole("plain") == "plain"


@given(text=st.one_of(st.text(max_size=200), PARTS), cut=st.integers(1, 9))
@example(text="![ ", cut=1)
@example(text="[a](b\n c) [1 , 42] ~~~ js", cut=1)
def test_pieces_show_what_the_whole_shows(text: str, cut: int) -> None:
    """However a text arrives, what is shown cannot be harmful: screened once more, it stays as it is."""
    screen = Screen([PASSAGE, "nothing"])
    shown = (
        "".join(screen.feed(text[start : start + cut]) for start in range(0, len(text), cut)) + screen.end()
    )
    assert whole(shown) == shown


@given(text=PARTS)
def test_harmless_once_is_harmless_twice(text: str) -> None:
    """Taking one thing out never makes another."""
    shown = whole(text)
    assert whole(shown) == shown
    assert "![" not in shown
    assert "](" not in shown.replace("](https://boats.example/engine)", "")


def test_words_are_shown_while_they_come() -> None:
    """A word is held only until it ends, not until its sentence does."""
    screen = Screen([PASSAGE])
    shown = [screen.feed(piece) for piece in ("The en", "gine is", " fine", ".")]
    assert shown == ["The", " engine", " is", ""]
    assert screen.end() == " fine."


@pytest.mark.parametrize("piece", ["a", "[", "](", "`", " ", "![](", "https://", "~", "[1,", "<"])
def test_endless_text_is_not_held_for_ever(piece: str) -> None:
    """Ten thousand times the same piece is given out as it comes, at a cost that does not grow."""
    screen = Screen([PASSAGE])
    for _ in range(10_000):
        screen.feed(piece)
    assert len(screen.end()) <= 2 * MAX_HELD
