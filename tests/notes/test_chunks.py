"""Chunks: nothing of a note is lost, nothing is twice, and every place is exact."""

from __future__ import annotations

import statistics

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pai_daemon.notes.chunks import Chunk, split_chunks
from pai_daemon.notes.inline import scan
from pai_daemon.notes.logseq import Graph
from pai_daemon.notes.note import Note
from pai_daemon.notes.positions import line_starts
from pai_daemon.notes.reader import read_note
from tests.notes.chunk_edits import EDITS, new_contents

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
        *(
            "\t- in a bullet",
            "  id:: 65a1b2c3-0000-4000-8000-000000000001",
            "key:: value",
            "* star",
            "** star",
        ),
        *("\u6f22\u5b57\u3002" * 9, "word " * 30, "x" * 130, "\U0001f600" * 20, "===", "<div>", "\u00a0"),
    ]
)


def chunks_of(text: str, budget: int = 1200) -> tuple[Chunk, ...]:
    """Return the chunks of the note that this text makes."""
    return split_chunks(read_note("Folder/Title.md", text.encode()), budget)


def hidden(note: Note) -> set[int]:
    """Return the offsets within comments and rules, which a reader does not see as words."""
    found: set[int] = set()
    for block in note.blocks:
        if block.kind in ("comment", "drawer", "rule", "definition"):
            found.update(range(block.start, block.end))
        elif block.kind not in ("code", "math"):
            for mark in scan(note.text, block.start, block.end):
                if mark.kind in ("comment", "template"):
                    found.update(range(mark.start, mark.end))
    return found


@given(
    st.lists(LINES, max_size=25).map("\n".join),
    st.sampled_from([4, 30, 100, 1200]),
    st.sampled_from(["Title.md", "pages/Title.md", "Title.org"]),
)
@settings(deadline=None)
def test_split_chunks_cover_every_visible_character_once(text: str, budget: int, path: str) -> None:
    """Every character that a reader sees as words is in exactly one chunk; spans and lines are exact."""
    graph = Graph() if path.startswith("pages/") else None
    note = read_note(path, text.encode(), graph=graph)
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


def test_split_chunks_table_repeats_its_header() -> None:
    """Each part of a long table says what its columns are."""
    rows = "\n".join(f"| row {i} | {i} |" for i in range(40))
    chunks = chunks_of(f"| Name | Value |\n|---|---|\n{rows}", 200)
    assert len(chunks) > 2
    assert all(chunk.content.count("Name | Value") == 1 for chunk in chunks)
    assert sum(chunk.content.count("row ") for chunk in chunks) == 40


def test_split_chunks_wide_table_does_not_repeat_its_header() -> None:
    """A header of more than half the budget is not written before each row: it would be most of the text."""
    header = "| " + "wide column | " * 30
    chunks = chunks_of(f"{header}\n{'|---' * 30}|\n" + "| cell | x |\n" * 40, 400)
    assert sum(chunk.content.count("wide") for chunk in chunks) == 30


def test_split_chunks_item_is_headed_by_the_items_around_it() -> None:
    """A chunk that begins within a list says how the items around it begin, and holds nothing else."""
    below = "\n".join(f"    - detail {i} of this plan" for i in range(8))
    chunks = chunks_of(f"- Trip to Rome\n  - Trains\n{below}\n- Bread", 120)
    assert "detail 7" in chunks[-2].content
    assert chunks[-2].content.startswith("Title > Trip to Rome > Trains\n\ndetail")
    assert chunks[-1].content == "Title\n\nBread"


def test_split_chunks_journal_is_headed_by_its_date() -> None:
    """A chunk of a journal can be found by the day as a calendar writes it."""
    note = read_note("journals/2024_03_05.md", b"- Bought bread", graph=Graph())
    (chunk,) = split_chunks(note)
    assert chunk.content == "Mar 5th, 2024 (2024-03-05)\n\nBought bread"


def test_split_chunks_tag_in_the_text_changes_its_own_chunk_only() -> None:
    """A tag written in one paragraph is not in the header of the others."""
    text = "\n\n".join(f"Paragraph {i} " + "word " * 60 for i in range(20))
    before = {chunk.content for chunk in chunks_of(text)}
    after = {chunk.content for chunk in chunks_of(text.replace("Paragraph 9 ", "Paragraph 9 #new "))}
    assert len(after - before) <= 2


def test_split_chunks_code_in_a_callout_loses_its_quote_marks() -> None:
    """Code within a callout and an item is written as its author would run it."""
    chunks = chunks_of("> [!tip] Do\n> ```sh\n> echo 1\n>   echo 2\n> ```\n\n- item\n  ```\n  x = 1\n  ```")
    content = "\n".join(chunk.content for chunk in chunks)
    assert "echo 1\n  echo 2" in content
    assert ">" not in content
    assert "\nx = 1" in content


@pytest.mark.parametrize("edit", EDITS)
@pytest.mark.parametrize("form", ["{}\n\n", "- {}\n"], ids=["paragraphs", "items"])
def test_split_chunks_edit_of_a_paragraph_changes_few_chunks(edit: str, form: str) -> None:
    """An edit among 200 paragraphs makes one new content, or two, and in 95 of 100 three at most."""
    changed = [new_contents(edit, seed, form) for seed in range(60)]
    assert statistics.median(changed) <= (1 if edit in ("a word", "one less") else 2)
    assert sum(count > 3 for count in changed) <= 3
