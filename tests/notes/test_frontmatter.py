"""The YAML head: properties, the body's beginning, and what is wrong."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pai_daemon.notes.frontmatter import LIMIT_CHARS, read_frontmatter
from pai_daemon.notes.logseq import Graph
from pai_daemon.notes.positions import Positions
from pai_daemon.notes.reader import read_note


def properties(head: str) -> dict[str, object]:
    """Return the properties of a head."""
    return read_frontmatter(f"---\n{head}\n---\nbody").properties


@given(st.text(alphabet="ab:- \n[]{}&*<>|!\"'#,?%@0123\t\\~.", max_size=120))
@settings(deadline=None)
def test_read_frontmatter_any_text_never_raises(head: str) -> None:
    """Any head gives properties that JSON can hold, and a body that begins within the text."""
    text = f"---\n{head}\n---\nbody"
    found = read_frontmatter(text)
    json.dumps(found.properties, allow_nan=False)
    assert text[found.body_start :].endswith("body")


def test_read_frontmatter_body_begins_after_the_closing_fence() -> None:
    """The body begins right after the line that closes the head, with any line ends."""
    for text in ("---\na: 1\n---\n\nbody", "---\r\na: 1\r\n---  \r\n\r\nbody"):
        found = read_frontmatter(text)
        assert found.properties == {"a": 1}
        assert text[found.body_start :].strip() == "body"
        assert text[found.body_start] in "\r\n"


@pytest.mark.parametrize(
    "text", ["text\n---\na: 1\n---\n", "\n---\na: 1\n---\n", "----\na: 1\n----\n", "---", ""]
)
def test_read_frontmatter_only_at_the_very_start(text: str) -> None:
    """Fences elsewhere, or of another length, are rules of the body."""
    found = read_frontmatter(text)
    assert (found.properties, found.body_start, found.problems) == ({}, 0, ())


def test_read_frontmatter_empty_head_is_fine() -> None:
    """A head without properties is none of a problem."""
    found = read_frontmatter("---\n---\nbody")
    assert (found.properties, found.body_start, found.problems) == ({}, 8, ())


def test_read_frontmatter_broken_yaml_names_line_and_column() -> None:
    """Broken YAML keeps what can be read, with a problem in the note's numbering, and a body."""
    found = read_frontmatter("---\na: 1\nb: [1\nc: x: y\n---\nbody")
    assert found.properties == {"a": 1, "b": "[1", "c": "x: y"}
    assert found.problems[0].line == 3
    assert found.problems[0].column
    assert found.body_start == len("---\na: 1\nb: [1\nc: x: y\n---\n")


def test_read_frontmatter_control_character_names_its_place() -> None:
    """A character that YAML forbids is named with its line and column."""
    problem = read_frontmatter("---\na: 1\nb: x\x07\n---\n").problems[0]
    assert (problem.line, problem.column) == (3, 5)
    assert "U+0007" in problem.reason


def test_read_frontmatter_prose_between_rules_stays_in_the_body() -> None:
    """A head that is no mapping is a problem, and its text stays findable."""
    found = read_frontmatter("---\nJust a sentence.\n---\nbody")
    assert found.body_start == 0
    assert found.problems[0].line == 2


def test_read_frontmatter_never_closed_is_a_problem() -> None:
    """Properties without a closing fence are named; a mere rule at the top is not."""
    assert read_frontmatter("---\ntags: [a]\n\ntext").problems
    assert not read_frontmatter("---\n\ntext").problems


def test_read_frontmatter_scalars_are_those_of_yaml_1_2() -> None:
    """Times, yes and no, and numbers with leading zeros stay text; dates are ISO text; NaN is text."""
    assert properties("t: 12:30\nn: no\nz: 0042\nd: 2024-01-05\nx: 1.5\ny: true\nf: .nan\ne:") == {
        "t": "12:30",
        "n": "no",
        "z": "0042",
        "d": "2024-01-05",
        "x": 1.5,
        "y": True,
        "f": ".nan",
        "e": None,
    }
    assert properties("d: 2024-13-45\nc: 2024-01-05 10:20:30\n2024-01-01: k") == {
        "d": "2024-13-45",
        "c": "2024-01-05 10:20:30",
        "2024-01-01": "k",
    }


def test_read_frontmatter_anchors_that_grow_are_refused() -> None:
    """Anchors that multiply, by lists or by merging, end in a problem and not in memory."""
    lists = "a0: &a0 [x]\n" + "".join(f"a{i}: &a{i} [{','.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 12))
    merges = "a0: &a0 {k: v}\n" + "".join(
        f"a{i}: &a{i} {{<<: [{','.join([f'*a{i - 1}'] * 9)}]}}\n" for i in range(1, 12)
    )
    for head in (lists, merges, "a: &a [*a]", "a: " + "[" * 50_000):
        found = read_frontmatter(f"---\n{head}\n---\nbody")
        assert found.properties == {}
        assert found.problems


def test_read_frontmatter_over_the_limit_is_skipped() -> None:
    """A head over the limit is not read; the body after it is."""
    text = "---\n" + "a: b\n" * LIMIT_CHARS + "---\nbody"
    found = read_frontmatter(text)
    assert found.properties == {}
    assert text[found.body_start :] == "body"
    assert "longer" in found.problems[0].reason


def _spans(text: str) -> dict[str, tuple[str, str, int]]:
    """Return of each property its source, its value's source and its line."""
    note = read_note("Note.md", text.encode())
    return {
        name: (note.text[span.start : span.end], note.text[span.value_start : span.end], span.line)
        for name, span in note.property_spans.items()
    }


def test_property_spans_slice_back_to_name_and_value() -> None:
    """Each property knows its line, where its name begins, and where its value begins and ends."""
    head = "a: 1  # why\r\nlist:\r\n  - x\r\n  - y\r\n\r\n\"b c\" : '[[L]]'\r\ntext: |\r\n  one\r\nnone:"
    assert _spans(f"---\r\n{head}\r\n---\r\nbody") == {
        "a": ("a: 1", "1", 2),
        "list": ("list:\r\n  - x\r\n  - y", "- x\r\n  - y", 3),
        "b c": ("\"b c\" : '[[L]]'", "'[[L]]'", 7),
        "text": ("text: |\r\n  one", "|\r\n  one", 8),
        "none": ("none:", "", 10),
    }


def test_property_spans_of_a_broken_head_are_those_of_its_entries() -> None:
    """An entry that is no YAML has a span as the others have."""
    assert _spans("---\na: 1\nb: [1\nc:x\n---\n") == {
        "a": ("a: 1", "1", 2),
        "b": ("b: [1", "[1", 3),
        "c": ("c:x", "x", 4),
    }


def test_property_spans_of_an_outline_are_its_lines() -> None:
    """The properties of a Logseq page stand where their lines do."""
    note = read_note("pages/a.md", b"tags:: x, y\nempty:: \n\n- block\n", graph=Graph.parse("{}"))
    spans = {name: note.text[span.value_start : span.end] for name, span in note.property_spans.items()}
    assert spans == {"tags": "x, y", "empty": ""}


@given(st.binary(max_size=80), st.text(alphabet="ab:- \r\n[]{}&*<>|!\"'#?\t😀", max_size=120))
@settings(deadline=None)
def test_property_spans_lie_in_their_line_for_any_bytes(noise: bytes, head: str) -> None:
    """Whatever the bytes, each property has a span in order, within the frontmatter and on its line."""
    note = read_note("Note.md", b"---\n" + head.encode() + noise + b"\n---\nbody")
    positions = Positions(note.text)
    assert set(note.property_spans) == set(note.properties)
    for span in note.property_spans.values():
        assert 0 < span.start <= span.value_start <= span.end <= note.body_start
        assert positions.line(span.start) == span.line
        assert note.text[span.start : span.end] == note.text[span.start : span.end].rstrip()
