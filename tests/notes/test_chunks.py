"""Chunks: nothing of a note is lost, nothing is twice, and every place is exact."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pai_daemon.notes.chunks import Chunk, split_chunks
from pai_daemon.notes.inline import scan
from pai_daemon.notes.note import Note
from pai_daemon.notes.positions import line_starts
from pai_daemon.notes.reader import read_note

LINES = st.sampled_from(
    [
        *(
            "",
            "# One",
            "## Two",
            "### \u6f22\u5b57",
            "Text with a full stop. And more.",
            "- item",
            "  - below ^id",
        ),
        *(
            "> quote",
            "```",
            "| a | b |",
            "|---|---|",
            "$$",
            "%%",
            "%% hidden %%",
            "a %% hidden %% b",
            "***",
            "1. one",
        ),
        *("\u6f22\u5b57\u3002" * 9, "word " * 30, "x" * 130, "\U0001f600" * 20, "===", "<div>", "\u00a0"),
    ]
)


def chunks_of(text: str, budget: int = 1200) -> tuple[Chunk, ...]:
    """Return the chunks of the note that this text makes."""
    return split_chunks(read_note("Folder/Title.md", text.encode()), budget)


def hidden(note: Note) -> set[int]:
    """Return the offsets within comments."""
    found: set[int] = set()
    for block in note.blocks:
        if block.kind == "comment":
            found.update(range(block.start, block.end))
        elif block.kind not in ("code", "math"):
            for mark in scan(note.text, block.start, block.end):
                if mark.kind == "comment":
                    found.update(range(mark.start, mark.end))
    return found


@given(st.lists(LINES, max_size=25).map("\n".join), st.sampled_from([4, 30, 100, 1200]))
@settings(deadline=None)
def test_split_chunks_cover_every_visible_character_once(text: str, budget: int) -> None:
    """Every non-blank character outside comments is in exactly one chunk; spans and lines are exact."""
    note = read_note("Title.md", text.encode())
    chunks = split_chunks(note, budget)
    starts = line_starts(note.text)
    assert [chunk.ordinal for chunk in chunks] == list(range(len(chunks)))
    covered: set[int] = set()
    end = note.body_start
    for chunk in chunks:
        assert end <= chunk.start_char <= chunk.end_char
        assert chunk.text == note.text[chunk.start_char : chunk.end_char]
        assert len(chunk.text.encode()) <= budget
        assert starts[chunk.start_line - 1] <= chunk.start_char
        assert chunk.end_line == len(starts) or chunk.end_char <= starts[chunk.end_line]
        covered.update(range(chunk.start_char, chunk.end_char))
        end = chunk.end_char
    visible = {i for i in range(note.body_start, len(note.text)) if not note.text[i].isspace()}
    assert visible - hidden(note) <= covered


def test_split_chunks_never_cross_a_heading() -> None:
    """Each heading begins a chunk with its own path, however small the section."""
    chunks = chunks_of("intro\n\n# A\n\none\n\n### B\n\ntwo\n\n## C\n\n# D\nthree")
    assert [(chunk.heading_path, chunk.text) for chunk in chunks] == [
        ((), "intro"),
        (("A",), "# A\n\none"),
        (("A", "B"), "### B\n\ntwo"),
        (("A", "C"), "## C"),
        (("D",), "# D\nthree"),
    ]


@pytest.mark.parametrize(
    "text", ["", "\n\n", "---\ntags: [x]\n---\n", "%% only a comment %%", "---\nbroken: [\n---\n"]
)
def test_split_chunks_empty_note_gives_one_chunk(text: str) -> None:
    """A note without visible text is still found by its name."""
    chunks = chunks_of(text)
    assert [chunk.ordinal for chunk in chunks] == [0]
    assert chunks[0].content.startswith("Title")


def test_split_chunks_content_is_header_and_plain_text() -> None:
    """The content names title, aliases, headings and tags once, then the words without markup."""
    text = (
        "---\naliases: [Other]\ntags: [t/x]\n---\n# The *head*\n\n"
        "Some **bold** [[Link|words]]. %% no %%\n\n%%\nno\n%%\n\n- [ ] end ^id"
    )
    (chunk,) = chunks_of(text)
    assert chunk.content == "Title (Other) > The head #t/x\n\nSome bold words.\n\nend"
    assert chunk.block_ids == ("id",)
    assert (chunk.start_line, chunk.end_line) == (5, 13)


def test_split_chunks_code_is_kept_as_written() -> None:
    """Code loses its fences and nothing else, also where it is cut in parts."""
    code = "\n".join(f"# line {i} = a_b_c * 2 ** {i}" for i in range(60))
    chunks = chunks_of(f"```py\n{code}\n```", 400)
    assert len(chunks) > 3
    assert "\n".join(chunk.content.split("\n\n", 1)[1] for chunk in chunks) == code


def test_split_chunks_long_paragraph_is_cut_after_sentences() -> None:
    """A paragraph over the budget is cut between sentences, and its last sentence is findable."""
    text = (
        " ".join(f"Sentence number {i} says a little." for i in range(100)) + " The very last word is zebra."
    )
    chunks = chunks_of(text, 300)
    assert all(chunk.text.endswith(".") for chunk in chunks)
    assert chunks[-1].content.endswith("zebra.")


def test_split_chunks_long_comment_does_not_leak() -> None:
    """A comment within a paragraph over the budget is in no chunk's content."""
    chunks = chunks_of("word " * 50 + "%% " + "secret " * 50 + "%% " + "word " * 50, 100)
    assert not any("secret" in chunk.content for chunk in chunks)


def test_split_chunks_long_header_stays_short() -> None:
    """Many aliases, tags and long headings cannot push the text out of the model's window."""
    head = (
        "---\naliases: ["
        + ", ".join(f"alias {i}" for i in range(100))
        + "]\ntags: ["
        + ", ".join(f"t{i}" for i in range(200))
    )
    (chunk,) = chunks_of(head + "]\n---\n# " + "long " * 100 + "\n\nbody")
    header, _, body = chunk.content.partition("\n\n")
    assert len(header) <= 420
    assert body.endswith("body")
    assert "alias 0" in header
