"""The edits of a note: what they change is read again as meant, and every other byte stays."""

from __future__ import annotations

import codecs
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pai_daemon.errors import NoteChanged, UsageError
from pai_daemon.notes.edits import (
    Edit,
    append_block,
    apply,
    edited,
    insert_link,
    remove_property,
    retarget,
    set_property,
)
from pai_daemon.notes.note import Note
from pai_daemon.notes.reader import read_note

PARTS = (
    "# Head\n",
    "## Second\n\n",
    "a sentence with Word in it\n\n",
    "- item Word\n  - inner\n",
    "1. one\n",
    "> [!note] Title\n> quoted Word\n\n",
    "| a | b |\n| - | - |\n| Word | [[Old\\|x]] |\n\n",
    "```\ncode Word\n",
    "```\n",
    "%% hidden Word %%\n",
    "$$\nx\n$$\n",
    "[[Old]] ![[old#Head|alias]] [t](Old.md#h) #Word [r][d]\n\n",
    "[d]: <Old.md> 'title'\n\n",
    "Title Word\n===\n",
    "    indented Word\n",
    "key:: Word\n",
    "😀 Word `Word`\r\n\r\n",
    "---\n",
    "\n",
    "text ^id\n",
)
HEADS = (
    "",
    "---\n---\n",
    '---\ntags: [a, b]\nlink: "[[Old]]"\n---\n',
    "---\r\na: 1  # why\r\nlist:\r\n  - x\r\n\r\ntext: |\r\n  one\r\n\r\n---\r\n",
    "---\nbroken: [1\nb: x: y\n---\n",
    '---\n{"a": 1}\n---\n',
    "---\n  in: deep\n---\n",
)
TEXTS = st.builds("{}{}".format, st.sampled_from(HEADS), st.lists(st.sampled_from(PARTS)).map("".join))
NOISE = st.text(alphabet="ab #-*>|`$%[]()!:\\^~=\n\r\"'\t😀", max_size=60)
ANY_TEXT = TEXTS | st.builds("{}{}".format, TEXTS, NOISE)
SINGLE = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
)
VALUES = SINGLE | st.lists(SINGLE)


def note_of(text: str) -> Note:
    """Return the note of a text."""
    return read_note("Note.md", text.encode())


def after(note: Note, *edits: Edit) -> Note:
    """Return the note after the edits."""
    return note_of(apply(note.text.encode(), edits, note.text).decode())


def block_texts(note: Note) -> list[str]:
    """Return the sources of the blocks outside of others, without the frontmatter."""
    return [note.text[block.start : block.end] for block in note.top_blocks() if block.kind != "frontmatter"]


@given(
    st.text(), st.data(), st.sampled_from((b"", codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
)
def test_apply_keeps_every_byte_outside_of_the_edit(text: str, data: st.DataObject, mark: bytes) -> None:
    """With any mark and encoding, what stands before and after an edit is as it was, byte for byte."""
    encoding = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}.get(mark, "utf-8")
    assume(mark or not text.startswith("\ufeff"))
    source = mark + text.encode(encoding)
    note = read_note("Note.md", source)
    assume(len(note.text) == len(text))
    start, end = sorted((data.draw(st.integers(0, len(text))), data.draw(st.integers(0, len(text)))))
    new = data.draw(st.text())
    before, behind = mark + text[:start].encode(encoding), text[end:].encode(encoding)
    assert apply(source, [Edit(start, end, new)], note.text) == before + new.encode(encoding) + behind


def test_apply_takes_several_edits_in_any_order() -> None:
    """Edits that touch are no overlap, and two at one place stay in their order."""
    edits = [Edit(3, 4, "D"), Edit(1, 1, "x"), Edit(1, 1, "y"), Edit(1, 3, "BC")]
    assert apply(b"abcd", edits, "abcd") == b"axyBCD"


@pytest.mark.parametrize("edits", [[Edit(0, 2, ""), Edit(1, 3, "")], [Edit(2, 1, "")], [Edit(0, 9, "")]])
def test_apply_overlap_or_span_outside_is_an_error(edits: list[Edit]) -> None:
    """Edits that overlap, run backwards or leave the text are refused."""
    with pytest.raises(UsageError):
        apply(b"abcd", edits, "abcd")


def test_apply_refuses_a_note_that_changed() -> None:
    """Bytes that say anything else than what the edits were made for are left alone."""
    with pytest.raises(NoteChanged):
        apply(b"abcd!", [Edit(0, 1, "x")], "abcd")


def test_apply_refuses_a_note_that_was_not_read_whole() -> None:
    """The end of what was read is not the end of the note."""
    data = b"one\ntwo\n"
    note = read_note("Note.md", data, limit_bytes=5)
    with pytest.raises(NoteChanged):
        apply(data, [append_block(note, "three")], note.text)


def test_apply_refuses_bytes_that_are_no_text() -> None:
    """A damaged file and a text that no encoding holds are refused rather than mended."""
    with pytest.raises(UsageError):
        apply(b"a\xff", [], "a\ufffd")
    with pytest.raises(UsageError):
        apply(b"a", [Edit(0, 0, "\ud800")], "a")


@given(ANY_TEXT, st.data())
@settings(deadline=None)
def test_insert_link_is_read_as_a_link_or_refused(text: str, data: st.DataObject) -> None:
    """A mention becomes the one new link; the others, the tags and the properties stay."""
    note = note_of(text)
    start = data.draw(
        st.sampled_from([i for i in range(len(note.text)) if note.text.startswith("Word", i)] or [0])
    )
    try:
        edit = insert_link(note, start, start + 4, "[[Target|Word]]")
    except UsageError:
        return
    found = after(note, edit)
    assert "Target" in [link.target for link in found.links if link.start == start]
    assert [link.target for link in found.links if link.start != start] == [
        link.target for link in note.links
    ]
    assert (found.tags, found.properties) == (note.tags, note.properties)


@pytest.mark.parametrize(
    "text",
    [
        "a `Word` b",
        "```\nWord\n```",
        "%% Word %%",
        "[[Word]]",
        "[Word](x.md)",
        "$Word$",
        "#Word",
        "!Word",
        "---\na: Word\n---\n",
        "\\Word",
        "Word:: x",
    ],
)
def test_insert_link_where_none_can_stand_is_refused(text: str) -> None:
    """In code, math, comments, links, tags and properties no link is written."""
    start = text.index("Word")
    with pytest.raises(UsageError):
        insert_link(note_of(text), start, start + 4, "[[Word]]")


def test_insert_link_in_a_table_hides_its_bar() -> None:
    """The bar before an alias would end the cell."""
    note = note_of("| a |\n| - |\n| Word |\n")
    found = after(note, insert_link(note, 14, 18, "[[Target|Word]]"))
    assert found.text == "| a |\n| - |\n| [[Target\\|Word]] |\n"


@given(ANY_TEXT, st.sampled_from(("a", "list", "new", "tags")) | st.text(max_size=8), VALUES)
@settings(deadline=None)
def test_set_property_is_read_as_given_or_refused(text: str, name: str, value: Any) -> None:
    """The property has its value, the others theirs, and the body is as it was."""
    note = note_of(text)
    try:
        edit = set_property(note, name, value)
    except UsageError:
        return
    found = after(note, edit)
    assert found.properties == {**note.properties, name: value}
    assert found.text[found.body_start :] == note.text[note.body_start :]


@given(st.sampled_from([head for head in HEADS if "broken" not in head and "{" not in head]), VALUES)
def test_set_property_in_a_sound_head_takes_any_value(head: str, value: Any) -> None:
    """Whatever a text holds, it is quoted as YAML needs it."""
    assume("deep" not in head)
    note = note_of(f"{head}body")
    assert after(note, set_property(note, "new", value)).properties["new"] == value


@pytest.mark.parametrize(
    ("text", "value", "written"),
    [
        ("body", "x", "---\nname: x\n---\nbody"),
        ("b\r\n", ["x", 1], "---\r\nname:\r\n  - x\r\n  - 1\r\n---\r\nb\r\n"),
        ("---\nname: old # why\nb: 2\n---\n", True, "---\nname: true # why\nb: 2\n---\n"),
        ("---\nname:\n  - a\n  - b\nb: 2\n---\n", "2020-08-21", "---\nname: 2020-08-21\nb: 2\n---\n"),
        ("---\nb:  'x'\n---\n", "[[L]]", "---\nb:  'x'\nname: \"[[L]]\"\n---\n"),
        ("---\n---\n", "no", '---\nname: "no"\n---\n'),
        ("---\nname: x\n---\n", None, "---\nname:\n---\n"),
        ("---\nname: x\n---\n", [], "---\nname: []\n---\n"),
        ('---\n{"name": 1}\n---\n', 2, '---\n{"name": 2}\n---\n'),
    ],
)
def test_set_property_writes_yaml_as_obsidian_does(text: str, value: Any, written: str) -> None:
    """A list has a line for each item, a link stands in quotes, a comment and the other lines stay."""
    note = note_of(text)
    assert after(note, set_property(note, "name", value)).text == written


@given(ANY_TEXT, st.sampled_from(("a", "list", "text", "tags", "link", "b", "in", "broken")))
@settings(deadline=None)
def test_remove_property_leaves_the_others_or_is_refused(text: str, name: str) -> None:
    """The property is gone, the others have their values, and the body is as it was."""
    note = note_of(text)
    try:
        edit = remove_property(note, name)
    except UsageError:
        return
    found = after(note, edit)
    assert found.properties == {key: value for key, value in note.properties.items() if key != name}
    assert found.text[found.body_start :] == note.text[note.body_start :]


def test_remove_property_takes_its_lines() -> None:
    """The lines of a list go with its name and the comment behind it; nothing else does."""
    note = note_of("---\na: 1\nlist:\n  - x\n  - y # why\n# kept\nb: 2\n---\nbody")
    assert after(note, remove_property(note, "list")).text == "---\na: 1\n# kept\nb: 2\n---\nbody"


@given(ANY_TEXT, st.sampled_from(("new words", "- new item", "> quote", "```\nopen", "## Third")), st.data())
@settings(deadline=None)
def test_append_block_leaves_the_other_blocks_or_is_refused(
    text: str, block: str, data: st.DataObject
) -> None:
    """The new block is there, and no other one loses a character: only a list may grow by an item."""
    note = note_of(text)
    heading = data.draw(st.sampled_from(["", *(found.text for found in note.headings)]))
    try:
        edit = append_block(note, block, heading)
    except UsageError:
        return
    found = after(note, edit)
    texts = block_texts(found)
    assert any(block in source for source in texts)
    for source in block_texts(note):
        assert any(other == source or other.startswith((f"{source}\n", f"{source}\r\n")) for other in texts)


@pytest.mark.parametrize(
    ("text", "block", "heading", "written"),
    [
        ("", "new", "", "new"),
        ("---\na: 1\n---\n", "new", "", "---\na: 1\n---\nnew"),
        ("text\n", "new", "", "text\n\nnew\n"),
        ("# A\n# B\n", "new", "A", "# A\n\nnew\n\n# B\n"),
        ("# A\r\n\r\n- x\r\n\r\n## C\r\n", "- y", "A", "# A\r\n\r\n- x\r\n- y\r\n\r\n## C\r\n"),
        ("# A\n\ntext\nTitle\n===\n", "new", "A", "# A\n\nnew\n\ntext\nTitle\n===\n"),
    ],
)
def test_append_block_stands_apart(text: str, block: str, heading: str, written: str) -> None:
    """An empty line is before and after a block; an item goes on with its list."""
    note = note_of(text)
    assert after(note, append_block(note, block, heading)).text == written


@pytest.mark.parametrize(
    ("text", "block", "heading"), [("a", "b", "Nowhere"), ("```\nopen", "b", ""), ("# A\n# B\n", "```", "A")]
)
def test_append_block_that_cannot_stand_apart_is_refused(text: str, block: str, heading: str) -> None:
    """Without its heading, within code that is not closed, or where it would swallow others."""
    with pytest.raises(UsageError):
        append_block(note_of(text), block, heading)


@given(ANY_TEXT, st.sampled_from(("New", "a b/Ünï (1)", "it's", 'say "x"', "C++ & co")))
@settings(deadline=None)
def test_retarget_moves_the_links_and_nothing_else(text: str, target: str) -> None:
    """Each chosen link leads to the new target with its alias and heading; the rest says what it said."""
    note = note_of(text)
    chosen = [link for link in note.links if link.target.lower().removesuffix(".md") == "old"]
    try:
        edits = retarget(note, chosen, target)
    except UsageError:
        return
    found = after(note, *edits)
    for old, new in zip(note.links, found.links, strict=True):
        assert new.target.removesuffix(".md") == (target if old in chosen else old.target.removesuffix(".md"))
        assert (new.fragment, new.alias, new.embed, new.kind) == (
            old.fragment,
            old.alias,
            old.embed,
            old.kind,
        )
    assert (found.tags, len(found.blocks)) == (note.tags, len(note.blocks))


def test_retarget_keeps_how_each_link_is_written() -> None:
    """Wikilinks, embeds, tables, Markdown links, definitions and properties keep their forms."""
    text = (
        '---\nup: "[[Old]]"\n---\n[[Old]] ![[Old#h|a]] [t](Old.md#h "T") [r][d]\n\n'
        "| x |\n| - |\n| [[Old\\|y]] |\n\n[d]: <Old.md>\n"
    )
    note = note_of(text)
    assert after(note, *retarget(note, note.links, "My New")).text == (
        '---\nup: "[[My New]]"\n---\n[[My New]] ![[My New#h|a]] [t](My%20New.md#h "T") [r][d]\n\n'
        "| x |\n| - |\n| [[My New\\|y]] |\n\n[d]: <My%20New.md>\n"
    )


@pytest.mark.parametrize(
    ("text", "target"),
    [("[[Old]]", "a|b"), ("---\nup: '[[Old]]'\n---\n", "it's"), ("[x](obsidian://open?file=Old)", "New")],
)
def test_retarget_that_cannot_be_written_is_refused(text: str, target: str) -> None:
    """A name that a wikilink cannot hold, a quote that YAML needs, and an address are refused."""
    note = note_of(text)
    with pytest.raises(UsageError):
        retarget(note, note.links, target)


def test_edits_are_for_markdown_alone() -> None:
    """The text of a canvas is not what its file holds."""
    note = read_note("a.canvas", b'{"nodes": [{"id": "1", "type": "text", "text": "Word"}]}')
    with pytest.raises(UsageError):
        append_block(note, "new")


def test_edited_without_edits_is_the_text() -> None:
    """No edit, no change."""
    assert edited("text", []) == "text"
