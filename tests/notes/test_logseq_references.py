"""The marks inside a Logseq block, and the links they are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pai_daemon.notes.note import Link, Mark
from pai_daemon.notes.references import mark_links, scan_references

UUID = "65a1b2c3-0000-4000-8000-000000000001"
ALPHABET = "[]()#{}`$\\!<>-: \nab,.;*\"'ü😀|/"


def _links(text: str) -> list[Link]:
    return [link for mark in scan_references(text) for link in mark_links(text, mark, 1)]


def _targets(text: str) -> list[tuple[str, str]]:
    return [(link.kind, link.target) for link in _links(text)]


@pytest.mark.parametrize(
    ("text", "targets"),
    [
        ("[[a]] and [[ b c ]]", ["a", "b c"]),
        ("[[a|b]] [[a#b]] [[a/b]]", ["a|b", "a#b", "a/b"]),
        ("[[a]b]] [[a [b] c]]", ["a]b", "a [b] c"]),
        ("[[a [[b]] c [[d]] e]]", ["a [[b]] c [[d]] e", "b", "d"]),
        ("[[[a]]]", ["[a"]),
        ("[[a [[b]] c", ["b"]),
        ("[[]] [[a\nb]] [a]] [[a", []),
        ("\\[[a]] `[[a]]` ``[[a]]`` $[[a]]$ $$[[a]]$$ <!-- [[a]] -->", []),
        ("$5 [[a]] $6 `b [[c]]", ["a", "c"]),
        ("{{embed [[a, b]]}}", ["a, b"]),
        ("{{query [[a]]}} {{cloze [[b]]}} {{renderer :x, [[c]]}}", []),
        ("[l]([[a b]])", ["a b"]),
        ("https://a.b/[[c]]", ["c"]),
    ],
)
def test_page_names_are_those_of_logseq(text: str, targets: list[str]) -> None:
    """What stands in double brackets on one line is a page, also within the name of another."""
    assert _targets(text) == [("wikilink", target) for target in targets]


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        ("#a #b-c #d_e #f/g #ü #中文 #😀", ["a", "b-c", "d_e", "f/g", "ü", "中文", "😀"]),
        ("#1 #12a", ["1", "12a"]),
        ("#[[multi word]] #[[a [[b]]]]", ["multi word", "a [[b]]"]),
        ('a#b (#c) "#d" #e. #f, #g; #h: #i! #j\'s', list("bcdefghij")),
        ("#a(b) #c{d} #e)", ["a(b)", "c{d}", "e"]),
        ("**#a** ==#b== ~~#c~~ <b>#d</b>", list("abcd")),
        ("\\#a `#b` https://c.d/#e #+BEGIN_X # ## #, #)", []),
        ("##a", ["a"]),
    ],
)
def test_tags_are_those_of_logseq(text: str, tags: list[str]) -> None:
    """A tag begins anywhere outside code and addresses, and ends before what punctuates it."""
    found = [link for link in _links(text) if link.kind == "tag"]
    assert [link.target for link in found] == tags


@pytest.mark.parametrize(
    ("text", "embed", "alias"),
    [
        (f"(({UUID}))", False, ""),
        (f"{{{{embed (({UUID}))}}}}", True, ""),
        (f"[as here]((({UUID})))", False, "as here"),
        (f"[x](logseq://graph/g?block-id={UUID})", False, "x"),
    ],
)
def test_block_reference_leads_to_its_uuid(text: str, embed: bool, alias: str) -> None:
    """A reference, an embed, a labelled reference and an address all lead to the block."""
    assert [(link.kind, link.target, link.embed, link.alias) for link in _links(text)] == [
        ("block", UUID, embed, alias)
    ]


@pytest.mark.parametrize("text", ["((x))", f"(({UUID[:-1]}))", f"\\(({UUID}))", f"`(({UUID}))`", "(())"])
def test_what_is_no_uuid_is_no_reference(text: str) -> None:
    """Logseq follows only a whole uuid."""
    assert _links(text) == []


@pytest.mark.parametrize(
    ("text", "link"),
    [
        ("[x](../assets/a%20b.png)", Link("../assets/a b.png", "", "x", False, 0, 24, 1, "markdown")),
        ("![x](../assets/a b.png)", Link("../assets/a b.png", "", "x", True, 0, 23, 1, "markdown")),
        ('[x](<a b.md> "title")', Link("a b.md", "", "x", False, 0, 21, 1, "markdown")),
        ("[x [y] z](a(b).md#c%20d)", Link("a(b).md", "c d", "x [y] z", False, 0, 24, 1, "markdown")),
        ("![](a.png){:height 3, :width 4}", Link("a.png", "", "", True, 0, 31, 1, "markdown")),
        ("[x](logseq://graph/g?page=a%20b)", Link("a b", "", "x", False, 0, 32, 1, "uri", "g")),
        ("logseq://graph/My%20g?page=a", Link("a", "", "", False, 0, 28, 1, "uri", "My g")),
        ("[x](https://a.b)", None),
        ("[x](mailto:a@b.c)", None),
        ("[x](#a)", None),
        ("[x]()", None),
        ("[x](logseq://graph/g)", None),
    ],
)
def test_markdown_link_leads_to_a_file_or_a_page(text: str, link: Link | None) -> None:
    """A link to a file keeps its label and its fragment; an address of the web leads nowhere here."""
    assert _links(text) == ([link] if link else [])


@pytest.mark.parametrize(
    ("text", "mark"),
    [
        ("a {{query (todo now)}}", Mark("macro", 2, 22, "query (todo now)")),
        ("`` a ` ``", Mark("code", 0, 9, " a ` ")),
        ("<!-- a -->", Mark("comment", 0, 10, " a ")),
        ("$$x$$", Mark("math", 0, 5, "x")),
        ("\\*", Mark("escape", 0, 2, "*")),
    ],
)
def test_mark_holds_what_stands_between(text: str, mark: Mark) -> None:
    """Every mark has its span and its inner text."""
    assert list(scan_references(text)) == [mark]


@given(st.text(ALPHABET) | st.text())
def test_marks_are_in_order_and_do_not_overlap(text: str) -> None:
    """Any text gives marks that follow each other within it, and hold what they say."""
    position = 0
    for mark in scan_references(text):
        assert position <= mark.start < mark.end <= len(text)
        assert mark.inner in text[mark.start : mark.end]
        position = mark.end


@given(st.text(ALPHABET), st.text(ALPHABET), st.text(ALPHABET))
def test_marks_of_a_part_are_those_of_its_text(before: str, text: str, after: str) -> None:
    """Scanning a span is scanning its text alone."""
    whole = before + text + after
    shifted = [
        mark._replace(start=mark.start - len(before), end=mark.end - len(before))
        for mark in scan_references(whole, len(before), len(before) + len(text))
    ]
    assert shifted == list(scan_references(text))


@given(st.text(ALPHABET) | st.text())
def test_links_begin_and_end_with_their_marks(text: str) -> None:
    """A link's span is what is written: brackets, a hash, parentheses or an address."""
    for link in _links(text):
        written = text[link.start : link.end]
        assert written.startswith(("[[", "#", "((", "{{", "[", "![", "logseq://"))
        assert link.target


def test_names_within_names_do_not_multiply_the_text() -> None:
    """Ten thousand names within each other give only those that a file could have."""
    text = "[[" * 10_000 + "a" + "]]" * 10_000
    assert sum(len(link.target) for link in _links(text)) < 200_000
