"""Pages and journals of a Logseq graph: blocks, properties, names, and what is no text."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pai_daemon.notes.logseq import Graph
from pai_daemon.notes.note import Block, Heading, Note
from pai_daemon.notes.outline import BLOCK_TEXT_CHARS, block_texts, read_outline

FIXTURES = Path(__file__).parent / "fixtures" / "graph"
GRAPH = Graph.parse((FIXTURES / "logseq" / "config.edn").read_text("utf-8"))
UUID = "65a1b2c3-0000-4000-8000-000000000001"
LINES = st.sampled_from(
    [
        "- a",
        "\t- b [[c]]",
        "  - d #e",
        "   - f",
        "-",
        "text",
        "  text `code",
        "",
        "   ",
        "```",
        "  ~~~ py",
        "- ```js",
        "#+BEGIN_QUOTE",
        "- #+BEGIN_SRC x",
        "  #+END_QUOTE",
        "#+end_src",
        "key:: value",
        "  id:: " + UUID,
        "tags:: a, [[b]], #c",
        ":LOGBOOK:",
        "  :END:",
        ":PROPERTIES:",
        ":id: " + UUID,
        "# heading",
        "- ## TODO x",
        "$$",
        "- $$ a $$ b",
        "<div>",
        "</div> x",
        "<!--",
        "-->",
        "| a | b |",
        "- | c |",
        "> q",
        "- > r",
        "---",
        "* s",
        "CLOCK: x",
        "ü😀",
    ]
)
PAGES = st.lists(LINES, max_size=25).flatmap(
    lambda lines: st.sampled_from(["\n", "\r\n", "\r"]).map(lambda end: end.join(lines))
)


def _read(text: str, path: str = "pages/a.md") -> Note:
    return read_outline(path, text, GRAPH)


def _page(name: str) -> Note:
    return _read((FIXTURES / name).read_text("utf-8"), name)


def _shape(note: Note) -> list[tuple[int, str, str]]:
    """Return depth, kind and text of each block."""
    return [(block.depth, block.kind, note.text[block.start : block.end]) for block in note.blocks]


def test_bullets_nest_by_their_indentation() -> None:
    """Tabs and spaces count one each."""
    note = _read("- a\n\t- b\n\t\t- c\n  - d\n- e")
    assert [(block.depth, block.start_line, block.end_line) for block in note.blocks] == [
        (0, 1, 4),
        (1, 2, 4),
        (2, 3, 3),
        (2, 4, 4),
        (0, 5, 5),
    ]


@pytest.mark.parametrize(
    ("text", "depths"),
    [
        ("- a\n  - b\n    - c\n   - d", [0, 1, 2, 2]),
        ("- a\n   - b\n - c\n- d", [0, 1, 1, 0]),
        ("\t- a\n- b\n\t- c", [0, 0, 0]),
    ],
)
def test_indentation_between_two_levels_is_the_deeper_one(text: str, depths: list[int]) -> None:
    """An item that is indented less than its elder sibling, and more than their parent, is a sibling."""
    assert [block.depth for block in _read(text).blocks] == depths


def test_item_begins_at_its_bullet_and_ends_with_its_last_text() -> None:
    """An item holds its own lines and all that is nested in it, without white space around."""
    note = _read("- a\n  more  \n\t- b\n\n\t  of b\n \n- c")
    assert [text for _, _, text in _shape(note)] == [
        "- a\n  more  \n\t- b\n\n\t  of b",
        "- b\n\n\t  of b",
        "- c",
    ]


@pytest.mark.parametrize(
    ("text", "kind", "label", "inner"),
    [
        ("- ```py x\n  - a\n  ```", "code", "py", "```py x\n  - a\n  ```"),
        ("- t\n  ~~~\n- a\n~~~", "code", "", "~~~\n- a\n~~~"),
        ("- > q\n  r", "quote", "", "> q\n  r"),
        ("- $$\n  - x\n  $$", "math", "", "$$\n  - x\n  $$"),
        ("- <div>\n  - x\n  </div>", "html", "", "<div>\n  - x\n  </div>"),
        ("- <!--\n  - x\n  -->", "comment", "", "<!--\n  - x\n  -->"),
        ("- t\n  ---", "rule", "", "---"),
        ("- | a |\n  | - |", "table", "", "| a |\n  | - |"),
        ("- t\n  :LOGBOOK:\n  - x\n  :END:", "drawer", "", ":LOGBOOK:\n  - x\n  :END:"),
        ("- t\n  CLOCK: [2024-01-05 Fri]", "drawer", "", "CLOCK: [2024-01-05 Fri]"),
        ("- t\n  collapsed:: true\n  query-table:: x", "drawer", "", "collapsed:: true\n  query-table:: x"),
        ("- #+BEGIN_QUERY\n  - x\n  #+END_QUERY", "comment", "", "#+BEGIN_QUERY\n  - x\n  #+END_QUERY"),
        ("- ## [#A] t", "heading", "2", "## [#A] t"),
    ],
)
def test_item_holds_blocks_of_other_kinds(text: str, kind: str, label: str, inner: str) -> None:
    """What stands in an item and is more than text is one block within it; bullets in it are text."""
    note = _read(text)
    assert [(block.depth, block.kind, block.label) for block in note.blocks] == [
        (0, "item", ""),
        (1, kind, label),
    ]
    assert note.text[note.blocks[1].start : note.blocks[1].end] == inner


@pytest.mark.parametrize(
    ("name", "kind", "label"), [("QUOTE", "quote", ""), ("verse", "quote", ""), ("TIP", "callout", "tip")]
)
def test_the_lines_around_a_begin_block_are_comments(name: str, kind: str, label: str) -> None:
    """`#+BEGIN_` and `#+END_` are no text of the quote or callout they mark."""
    note = _read(f"- #+BEGIN_{name}\n  - a\n  #+END_{name}")
    assert _shape(note)[2:] == [(2, "comment", f"#+BEGIN_{name}"), (2, "comment", f"#+END_{name}")]
    assert (note.blocks[1].kind, note.blocks[1].label) == (kind, label)


@pytest.mark.parametrize(("opening", "label"), [("SRC clojure :x", "clojure"), ("EXAMPLE", "")])
def test_code_between_begin_and_end_is_without_these_lines(opening: str, label: str) -> None:
    """The code is one block, the lines around it are comments beside it."""
    name = opening.split(maxsplit=1)[0]
    note = _read(f"- #+BEGIN_{opening}\n  - a\n  #+END_{name}")
    assert _shape(note)[1:] == [
        (1, "comment", f"#+BEGIN_{opening}"),
        (1, "code", "- a"),
        (1, "comment", f"#+END_{name}"),
    ]
    assert note.blocks[2].label == label


@pytest.mark.parametrize("opening", ["```", "#+BEGIN_QUOTE", ":LOGBOOK:", "$$", "<div>", "<!--"])
def test_what_is_never_closed_hides_no_bullet(opening: str) -> None:
    """An opening without its closing is text, and the bullets below it are bullets."""
    note = _read(f"- {opening}\n- b\n- c")
    assert [block.kind for block in note.blocks] == ["item", "item", "item"]


def test_heading_without_a_bullet_stands_alone() -> None:
    """It ends the bullets before it, and is in the note's headings."""
    note = _read("- a\n# **Top** [[x]]\ntext\n- b")
    assert [(block.depth, block.kind) for block in note.blocks] == [
        (0, "item"),
        (0, "heading"),
        (0, "paragraph"),
        (0, "item"),
    ]
    assert [(heading.level, heading.text, heading.line) for heading in note.headings] == [(1, "Top x", 2)]


def test_heading_of_a_bullet_is_listed() -> None:
    """A bullet's heading is a heading of the page, with the place of its text."""
    assert _read("- # a").headings == (Heading(1, "a", 1, 2, 5),)


def test_page_without_bullets_has_the_blocks_of_markdown() -> None:
    """Its properties come first, then headings, paragraphs, lists and quotes."""
    note = _page("pages/plain.md")
    assert [(block.depth, block.kind) for block in note.blocks] == [
        (0, "drawer"),
        (0, "heading"),
        (0, "paragraph"),
        (0, "list"),
        (1, "item"),
        (1, "item"),
        (0, "heading"),
        (0, "quote"),
    ]
    assert [link.target for link in note.links] == ["Ada", "tag", "Ben"]
    assert note.title == "A page without a bullet"


@pytest.mark.parametrize("line", ["- TODO x", "- # TODO x", "- TODO [#A] x", "- TODO k:: v"])
def test_task_word_is_the_label_of_its_item(line: str) -> None:
    """A task word stands first, but for the hashes of a heading."""
    assert _read(line).blocks[0].label == "TODO"


@pytest.mark.parametrize("line", ["- TODOx", "- todo x", "- TODO: x", "- [#A] TODO x", "- a TODO", "- [ ] x"])
def test_other_words_are_no_task(line: str) -> None:
    """A task word stands alone, in capitals and before a priority."""
    assert _read(line).blocks[0].label == ""


@pytest.mark.parametrize(
    ("text", "block_id"),
    [
        (f"- a\n  id:: {UUID}", UUID),
        (f"- a\n  k:: v\n  id:: {UUID}", UUID),
        (f"- a\n  SCHEDULED: <2024-01-05 Fri>\n  id:: {UUID}", UUID),
        (f"- a\n  :PROPERTIES:\n  :id: {UUID}\n  :END:", UUID),
        ("- a\n  id:: x", None),
        (f"- a\n  k:: v\n  text\n  id:: {UUID}", None),
    ],
)
def test_id_is_the_uuid_among_the_first_properties(text: str, block_id: str | None) -> None:
    """A block's id stands in its first run of properties and is a whole uuid."""
    assert _read(text).blocks[0].block_id == block_id


def test_page_properties_name_and_tag_the_page() -> None:
    """`alias` and `tags` are lists of names, what else a reader put there is text with its links."""
    note = _page("pages/Reading list.md")
    assert note.title == "Reading list"
    assert note.aliases == ("To read", "Shelf")
    assert note.names == ("Reading list", "To read", "Shelf")
    assert note.tags == ("lists", "long term", "Books", "Ben Ali")
    assert note.properties == {
        "alias": ["To read", "Shelf"],
        "tags": ["lists", "long term", "Books"],
        "created-at": "1704445200000",
        "owner": "[[Ada]]",
    }
    assert [(link.kind, link.target) for link in note.links if link.line < 5] == [
        ("property", "lists"),
        ("property", "long term"),
        ("property", "Books"),
        ("wikilink", "Ada"),
    ]


def test_block_properties_are_fields_but_for_bookkeeping() -> None:
    """What a reader wrote is a field with its span; what only Logseq needs is none."""
    note = _page("pages/Reading list.md")
    assert [(field.key, field.value, field.line) for field in note.fields] == [
        ("rating", "5", 10),
        ("reader", "[[Ada]], #[[Ben Ali]]", 11),
    ]
    assert [note.text[field.start : field.end] for field in note.fields] == [
        "rating:: 5",
        "reader:: [[Ada]], #[[Ben Ali]]",
    ]


@pytest.mark.parametrize("text", ["title:: B/C\nalias:: d\n\n- a", "- title:: B/C\n  alias:: d\n- a"])
def test_title_property_comes_before_the_file_name(text: str) -> None:
    """With or without a bullet, the first properties are the page's, and all its names lead to it."""
    note = _read(text, "pages/b.md")
    assert (note.title, note.names, note.fields) == ("B/C", ("B/C", "b", "d"), ())


@pytest.mark.parametrize(
    "head", ["---\ntitle: B\ntags: [c, d]\n---\n", "#+TITLE: B\n#+tags: c, d\n", "title:: B\ntags:: c,#d\n"]
)
def test_page_may_say_its_properties_in_three_ways(head: str) -> None:
    """A YAML head and org-mode's keywords count as Logseq's own lines do."""
    note = _read(head + "- a")
    assert (note.title, note.tags) == ("B", ("c", "d"))


@pytest.mark.parametrize(
    ("value", "tags"),
    [
        ("a, b c", ("a", "b c")),
        ("a,b\uff0cc", ("a", "b", "c")),
        ("[[a, b]], #c d", ("a, b", "c", "d")),
        ('"a, b"', ("a, b",)),
        (", ,", ()),
        ("", ()),
    ],
)
def test_tags_are_names_between_commas(value: str, tags: tuple[str, ...]) -> None:
    """Names are parted by commas, Chinese ones too, and by the marks of pages and tags."""
    assert _read(f"tags:: {value}\n\n- a").tags == tags


def test_journal_has_its_date_and_title() -> None:
    """A journal is called by its title, by the usual forms of its day, and knows its date."""
    note = _page("journals/2024-01-06.md")
    assert (note.title, note.date) == ("Jan 6th, 2024", "2024-01-06")
    assert note.names == ("Jan 6th, 2024", "2024-01-06", "2024_01_06")


def test_page_of_a_namespace_is_called_by_its_whole_name() -> None:
    """Three underscores in a file name are the slash of the page's name."""
    assert _page("pages/Books___A%2FB%3F.md").title == "Books/A/B?"


def test_links_of_a_journal_are_all_found() -> None:
    """Pages, tags and blocks are links, and none comes from a logbook."""
    assert [(link.kind, link.target) for link in _page("journals/2024_01_05.md").links] == [
        ("wikilink", "Ada"),
        ("wikilink", "Books/Dune"),
        ("tag", "reading"),
        ("block", "65a1b2c3-2222-4000-8000-000000000001"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "- ```\n  [[a]]\n  ```",
        "- a\n  :X:\n  [[a]]\n  :END:",
        "- $$\n  [[a]]\n  $$",
        "- #+BEGIN_SRC\n  [[a]]\n  #+END_SRC",
        "- #+BEGIN_QUERY\n  [[a]]\n  #+END_QUERY",
        "- <div>[[a]]</div>",
        "- a\n  id:: [[a]]",
        '- a\n  k:: "[[a]]"',
        "alias:: [[a]]\n- b",
    ],
)
def test_what_is_no_text_holds_no_link(text: str) -> None:
    """Code, drawers, math, queries, HTML, bookkeeping and quoted values link to nothing."""
    assert _read(text).links == ()


def test_block_texts_are_the_own_words_of_blocks_with_ids() -> None:
    """A reference shows a block's text without its bullet, its properties and the items within it."""
    note = _read(f"- DOING **Write** [[it]]\n  id:: {UUID}\n  collapsed:: true\n  today\n\t- child\n- b")
    assert block_texts(note) == {UUID: "DOING Write it today"}


def test_block_text_is_short() -> None:
    """However long a block is, its text is at most as long as said."""
    note = _read(f"- {'word ' * 10_000}\n  id:: {UUID}")
    assert 0 < len(block_texts(note)[UUID]) <= BLOCK_TEXT_CHARS


def test_first_block_of_an_id_that_stands_twice_is_shown() -> None:
    """Logseq gives the second block a new id."""
    assert block_texts(_read(f"- a\n  id:: {UUID}\n- b\n  id:: {UUID}")) == {UUID: "a"}


def test_lines_end_in_any_way() -> None:
    """Windows' line ends change no block, link or property."""
    text = (FIXTURES / "pages" / "Reading list.md").read_text("utf-8")
    unix, windows = _read(text), _read(text.replace("\n", "\r\n"))
    assert [(block.kind, block.depth, block.start_line, block.end_line) for block in windows.blocks] == [
        (block.kind, block.depth, block.start_line, block.end_line) for block in unix.blocks
    ]
    assert [(link.target, link.line) for link in windows.links] == [
        (link.target, link.line) for link in unix.links
    ]
    assert windows.properties == unix.properties


@given(PAGES | st.text())
def test_any_page_gives_a_well_formed_tree(text: str) -> None:
    """Blocks come in pre-order, lie in the block around them, do not overlap, and leave out only blanks."""
    note = _read(text)
    around: list[Block] = []
    position = 0
    for block in note.blocks:
        assert 0 <= block.start < block.end <= len(text)
        around = around[: block.depth]
        assert len(around) == block.depth
        assert all(outer.start <= block.start and block.end <= outer.end for outer in around)
        assert not text[block.end - 1].isspace()
        around.append(block)
        if block.depth == 0:
            assert not text[position : block.start].strip()
            position = block.end
    assert not text[position:].strip()


@given(PAGES)
def test_blocks_of_one_depth_do_not_overlap(text: str) -> None:
    """A block begins after the one before it of its depth has ended."""
    ends: dict[int, int] = {}
    for block in _read(text).blocks:
        assert block.start >= ends.get(block.depth, 0)
        ends[block.depth] = block.end


@given(PAGES)
def test_marks_stand_in_order_outside_code(text: str) -> None:
    """Marks and links of an outline follow each other, and none lies in code, math or HTML."""
    note = _read("- a\n" + text)
    starts = [mark.start for mark in note.marks]
    assert starts == sorted(starts)
    hidden = [block for block in note.blocks if block.kind in ("code", "math", "html")]
    for start in starts + [link.start for link in note.links]:
        assert not any(block.start <= start < block.end for block in hidden)


@given(PAGES, st.text(max_size=20))
def test_any_page_has_a_title_and_lines(text: str, name: str) -> None:
    """Any text under any name gives a note with a title, and lines that its text has."""
    note = read_outline(f"pages/{name}.md", text, GRAPH)
    assert note.title
    lines = text.count("\n") + text.count("\r") + 1
    for line in [block.end_line for block in note.blocks] + [link.line for link in note.links]:
        assert 1 <= line <= lines


@pytest.mark.parametrize("count", [10_000])
def test_bullets_nest_ten_thousand_deep(count: int) -> None:
    """Depth costs no stack: each item lies in the one before it."""
    note = _read("".join(f"{' ' * depth}- x\n" for depth in range(count)))
    assert [block.depth for block in note.blocks] == list(range(count))
    assert {block.end for block in note.blocks} == {len(note.text) - 1}
