"""The reader: any bytes give a note, and what it says has exact places."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pai_daemon.notes.markdown import note_title
from pai_daemon.notes.note import Block, Note
from pai_daemon.notes.positions import line_starts
from pai_daemon.notes.reader import read_note


def note_of(text: str, path: str = "A/Note.md") -> Note:
    """Return the note that this text makes."""
    return read_note(path, text.encode())


def kinds(text: str) -> list[str]:
    """Return the kinds of the blocks of a text."""
    return [block.kind for block in note_of(text).blocks]


def assert_tree(note: Note) -> None:
    """Assert that blocks lie within their parents, in order, and name their lines."""
    starts = line_starts(note.text)
    parents: list[Block] = []
    after = 0
    for block in note.blocks:
        assert block.depth <= len(parents)
        after = parents[block.depth].end if block.depth < len(parents) else after
        del parents[block.depth :]
        assert after <= block.start < block.end <= (parents[-1].end if parents else len(note.text))
        assert not note.text[block.end - 1].isspace()
        assert starts[block.start_line - 1] <= block.start
        assert block.end_line == len(starts) or block.end <= starts[block.end_line]
        parents.append(block)
        after = block.start


MARKUP = st.text(alphabet="ab \n\r\t#*_-+>|`~$%[]!()^:=<.1\\\u00e4\u6f22\U0001f600\u00a0", max_size=120)


@given(st.binary(max_size=300) | MARKUP.map(str.encode) | MARKUP.map(lambda text: b"---\n" + text.encode()))
@settings(deadline=None)
def test_read_note_any_bytes_gives_a_note_with_exact_places(data: bytes) -> None:
    """Any bytes give a note that can be written as JSON, with ordered blocks and only space between."""
    note = read_note("x.md", data)
    json.dumps([note.properties, note.tags, note.aliases], allow_nan=False).encode()
    note.text.encode()
    starts = line_starts(note.text)
    end = 0
    for block in note.top_blocks():
        assert note.text[end : block.start].strip() == ""
        end = block.end
    assert note.text[end:].strip() == ""
    assert_tree(note)
    for link in note.links:
        assert note.text[link.start] in "!["
        assert note.text[link.end - 1] in ")]"
        assert starts[link.line - 1] <= link.start


@given(st.binary(max_size=200), st.integers(0, 60))
@settings(deadline=None)
def test_read_note_any_limit_reads_no_more(data: bytes, limit: int) -> None:
    """A note over the limit is cut at or below it, and says so."""
    note = read_note("x.md", data, limit_bytes=limit)
    assert len(note.text) <= limit
    assert bool(note.problems) or len(data) <= limit


def test_read_note_invalid_utf8_names_line_and_column() -> None:
    """A byte that is no UTF-8 becomes U+FFFD, and the problem names its place."""
    note = read_note("x.md", "\ufeffone\r\nzw\u00f6".encode() + b"\xe9 rest")
    assert note.text == "one\r\nzw\u00f6\ufffd rest"
    assert [(p.line, p.column) for p in note.problems] == [(2, 4)]
    assert "0xE9" in note.problems[0].reason


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_read_note_byte_order_mark_is_no_text(encoding: str) -> None:
    """UTF-8 and UTF-16 with a byte order mark are read, and the mark is left out."""
    note = read_note("x.md", "# T\u00f6ne\n".encode(encoding))
    assert (note.text, note.problems) == ("# T\u00f6ne\n", ())


def test_read_note_binary_has_no_text_but_a_problem() -> None:
    """A picture with the name of a note gives an empty text and a reason."""
    note = read_note("x.md", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR")
    assert note.text == ""
    assert "NUL" in note.problems[0].reason


def test_read_note_stray_nul_byte_keeps_the_text() -> None:
    """A text that quotes one NUL byte stays findable; the problem names its place."""
    note = read_note("x.md", b"word " * 40 + b"\n\0end")
    assert note.text.endswith("\ufffdend")
    assert (note.problems[0].line, note.problems[0].column) == (2, 1)


def test_read_note_over_limit_is_cut_at_a_line() -> None:
    """A file over the limit is indexed up to the last whole line within it."""
    note = read_note("x.md", b"12345\n" * 10, limit_bytes=20)
    assert note.text == "12345\n" * 3
    assert "first 18 bytes (3 lines)" in note.problems[0].reason


def test_read_note_over_limit_without_lines_splits_no_character() -> None:
    """Where no line ends within the limit, the cut falls between two characters."""
    assert read_note("x.md", "\u6f22".encode() * 10, limit_bytes=8).text == "\u6f22\u6f22"


def test_read_note_crlf_is_kept_and_places_are_exact() -> None:
    """CRLF stays in the text, so that a slice by a block's span is what the disk holds."""
    note = note_of("# One\r\n\r\nText\r\nmore\r\n")
    assert [note.text[b.start : b.end] for b in note.blocks] == ["# One", "Text\r\nmore"]
    assert [(b.start_line, b.end_line) for b in note.blocks] == [(1, 1), (3, 4)]


def test_read_note_kinds_of_blocks_are_told_apart() -> None:
    """Every kind of block that Obsidian shows is recognised."""
    assert kinds("# H\n\ntext\n\n- a\n- b\n\n|a|b|\n|-|-|\n|1|2|\n\n```py\n# no\n```") == [
        *("heading", "paragraph", "list", "item", "item", "table", "code"),
    ]
    assert kinds("> quote\n\n> [!note]- Title\n> text\n\n$$\n- x\n= y\n$$\n\n<div>\nx\n</div>\n\n***") == [
        *("quote", "callout", "math", "html", "rule"),
    ]
    assert kinds("%%\n# hidden\n\nhidden\n%%\nshown\n\n<!-- hidden -->") == [
        "comment",
        "paragraph",
        "comment",
    ]


def test_read_note_unclosed_math_or_comment_hides_nothing() -> None:
    """A mark that is never closed is text; what follows stays a heading."""
    assert kinds("$$\nx\n\n# H") == ["paragraph", "heading"]
    assert kinds("%% x\n\n# H") == ["paragraph", "heading"]


def test_read_note_nested_list_gives_a_block_for_each_item() -> None:
    """Items of a nested list are blocks within the item that they belong to, so that each can be cited."""
    note = note_of("- a\n  - b ^one\n  - c\n\n  after\n- d")
    assert [(b.depth, b.kind, note.text[b.start : b.end], b.block_id) for b in note.blocks] == [
        (0, "list", note.text, None),
        (1, "item", "- a\n  - b ^one\n  - c\n\n  after", None),
        (2, "list", "  - b ^one\n  - c", None),
        (3, "item", "  - b ^one", "one"),
        (3, "item", "  - c", None),
        (2, "paragraph", "  after", None),
        (1, "item", "- d", None),
    ]


def test_read_note_block_ids_end_a_block_or_follow_it() -> None:
    """A block id is read at the end of a block and alone on the line after it."""
    note = note_of("Text ^a1\n\n|a|\n|-|\n|b|\n\n^t-2\n\n> quote ^q\n\nx^2 is no id")
    assert [(b.kind, b.block_id) for b in note.blocks] == [
        *(("paragraph", "a1"), ("table", "t-2"), ("quote", "q"), ("paragraph", None)),
    ]


def test_read_note_headings_have_plain_text_and_lines() -> None:
    """A heading's text has no hashes, markup or block id; setext headings count."""
    note = note_of("---\na: 1\n---\n## **Bold** [[X|y]] ^id\n\nSetext\n===\n\n```\n# no\n```")
    assert [(h.level, h.text, h.line) for h in note.headings] == [(2, "Bold y", 4), (1, "Setext", 6)]


def test_read_note_links_have_parts_and_places() -> None:
    """Wikilinks, embeds and Markdown links to notes are read with all their parts."""
    note = note_of(
        "See [[A/B#H#Sub|x]] and ![[Pic.png]]\n[t](<../my note.md#H%20x>) [w](https://x.de/a.md) [[#Own]]"
    )
    assert [(k.target, k.fragment, k.alias, k.embed, k.line) for k in note.links] == [
        ("A/B", "H#Sub", "x", False, 1),
        ("Pic.png", "", "", True, 1),
        ("../my note.md", "H x", "t", False, 2),
        ("", "Own", "", False, 2),
    ]
    assert note.text[note.links[0].start : note.links[0].end] == "[[A/B#H#Sub|x]]"


def test_read_note_link_in_table_has_an_escaped_bar() -> None:
    """In a table the bar before an alias is escaped, and not part of the target."""
    assert [(k.target, k.alias) for k in note_of("|a|\n|-|\n| [[B\\|c]] |").links] == [("B", "c")]


@pytest.mark.parametrize(
    "text",
    [
        *("`[[A]] #t`", "```\n[[A]] #t\n```", "- x\n  ```\n  [[A]] #t\n  ```", "> ~~~\n> [[A]] #t\n> ~~~"),
        *("$$[[A]] #t$$", "$x [[A]]$", "%% [[A]] #t %%", "%%\n[[A]]\n\n#t\n%%", "<!-- [[A]] #t -->"),
        *("``a ` [[A]] #t``", "\\[[A]]", "    [[A]] #t"),
    ],
)
def test_read_note_links_and_tags_in_code_math_and_comments_are_none(text: str) -> None:
    """What stands in code, math or a comment is no link and no tag."""
    note = note_of(text)
    assert (note.links, note.tags) == ((), ())


def test_read_note_tags_come_from_frontmatter_and_text() -> None:
    """Tags of the head come first, then those of the text; each once, whatever its case."""
    note = note_of(
        "---\ntags: [one, '#two/x']\ntag: three four\n---\n#One #zwei/d\u00fcr (#no) a#no #123 #1a, [x](#no)"
    )
    assert note.tags == ("one", "two/x", "three", "four", "zwei/d\u00fcr", "1a")


def test_read_note_aliases_are_title_and_aliases_of_the_head() -> None:
    """The head's title and aliases are other names; the first heading is not."""
    note = note_of("---\ntitle: Long name\naliases: a, b\nalias: [B, 7]\n---\n# Heading")
    assert (note.title, note.aliases) == ("Note", ("Long name", "a", "b", "7"))


def test_note_title_is_the_file_name() -> None:
    """The title is the file name without folder and suffix, whatever the suffix's case."""
    assert [note_title(path) for path in ("A/b.c.md", "X.MD", "y")] == ["b.c", "X", "y"]


def test_read_note_faulty_parser_keeps_the_text(monkeypatch: pytest.MonkeyPatch) -> None:
    """If the Markdown parser fails, the body is one paragraph and the problem says so."""

    def fail(*_: object) -> None:
        raise RecursionError("deep")

    monkeypatch.setattr("pai_daemon.notes.markdown.read_blocks", fail)
    note = note_of("---\na: 1\n---\n\nText\nmore\n")
    assert [(b.kind, b.start_line, b.end_line) for b in note.blocks] == [("paragraph", 5, 6)]
    assert "RecursionError" in note.problems[0].reason
