"""Reads Obsidian's Markdown.

`note` holds the values, `blocks` the block structure, `inline` the marks inside a block, `frontmatter`
the head. This module puts them together.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from pai_daemon.notes.blocks import Structure, read_blocks
from pai_daemon.notes.comments import hide_drawing, join_comments, opened_drawing
from pai_daemon.notes.frontmatter import TEMPLATE, Frontmatter, read_frontmatter
from pai_daemon.notes.inline import scan
from pai_daemon.notes.links import parse_markdown_link, parse_uri, parse_wikilink, slug
from pai_daemon.notes.note import Block, Field, Heading, Link, Mark, Note, Problem
from pai_daemon.notes.plain import plain_text
from pai_daemon.notes.positions import Positions

_KEY_OF_DRAWINGS = "excalidraw-plugin"
_WIKILINK = re.compile(r"!?\[\[([^\[\]\n]+)\]\]")


def read_markdown(path: str, text: str) -> Note:
    """Return the note that this Markdown makes."""
    head = read_frontmatter(text)
    problems = list(head.problems)
    positions = Positions(text)
    is_drawing = _KEY_OF_DRAWINGS in head.properties or path.lower().endswith(".excalidraw.md")
    source = opened_drawing(text) if is_drawing else text
    structure = _structure(source, positions, head.body_start, problems)
    if is_drawing:
        structure = hide_drawing(structure)
    marks = [mark for start, end in structure.texts for mark in scan(text, start, end, structure.definitions)]
    title = note_title(path)
    return Note(
        path=path,
        text=text,
        title=title,
        aliases=_aliases(title, head.properties),
        tags=_distinct(
            (
                *property_tags(head.properties),
                *(mark.inner.strip("/") for mark in marks if mark.kind == "tag"),
            )
        ),
        properties=head.properties,
        headings=_headings(structure),
        blocks=structure.blocks,
        links=(*_property_links(positions, head), *_links(positions, marks)),
        problems=tuple(problems),
        body_start=head.body_start,
        fields=tuple(_fields(positions, marks)),
        marks=tuple(marks),
        property_spans=head.property_spans(positions),
    )


def note_title(path: str) -> str:
    """Return the title of the note at path: its file name without the suffix; a PDF keeps its own."""
    name = path.rpartition("/")[2]
    for suffix in (".md", ".markdown", ".org", ".canvas", ".base"):
        if name.lower().endswith(suffix):
            return name[: -len(suffix)]
    return name


def _structure(text: str, positions: Positions, body_start: int, problems: list[Problem]) -> Structure:
    """Return the blocks of the note; if the parser fails, the body as one paragraph and a problem."""
    try:
        return join_comments(positions, read_blocks(text, positions, body_start))
    except Exception as error:  # a fault of the parser must not lose the note
        problems.append(Problem(f"Markdown could not be read: {type(error).__name__}: {error}"))
    body = text[body_start:]
    if not body.strip():
        return Structure()
    start = body_start + len(body) - len(body.lstrip())
    end = body_start + len(body.rstrip())
    block = Block("paragraph", start, end, positions.line(start), positions.line(end - 1))
    return Structure((block,), texts=((start, end),))


def _headings(structure: Structure) -> tuple[Heading, ...]:
    """Return the headings of depth 0 with their plain text."""
    return tuple(
        Heading(
            int(block.label),
            plain_text(structure.headings[block.start]).replace("\n", " "),
            block.start_line,
            block.start,
            block.end,
        )
        for block in structure.blocks
        if block.kind == "heading" and block.depth == 0
    )


def _property_links(positions: Positions, head: Frontmatter) -> Iterator[Link]:
    """Yield the links in the frontmatter, at their places in the text."""
    if not head.properties:
        return
    for match in _WIKILINK.finditer(positions.text, 0, head.body_start):
        start, end = match.span()
        before = positions.text[positions.line_start(start) : start]
        target, fragment, alias = parse_wikilink(match[1])
        is_link = (target or fragment) and "<%" not in target
        if is_link and not before.lstrip().startswith("#"):
            embed = match[0].startswith("!")
            yield Link(target, fragment, alias, embed, start, end, positions.line(start), "property")


def _links(positions: Positions, marks: list[Mark]) -> Iterator[Link]:
    """Yield the links that lead into a vault; an address of the web is none."""
    for mark in marks:
        if mark.kind not in ("wikilink", "link") or mark.inner.startswith("<%"):
            continue
        kind, vault, alias = "wikilink", "", mark.label.strip()
        if mark.kind == "wikilink":
            target, fragment, alias = parse_wikilink(mark.inner)
        elif (parts := parse_markdown_link(mark.inner)) is not None:
            kind, target, fragment = "markdown", *parts
        elif (uri := parse_uri(mark.inner)) is not None:
            kind, vault, target, fragment = "uri", *uri
            alias = "" if mark.label == mark.inner else alias
        else:
            continue
        if target or fragment:
            embed = positions.text[mark.start] == "!"
            line = positions.line(mark.start)
            yield Link(target, fragment, alias, embed, mark.start, mark.end, line, kind, vault)


def _fields(positions: Positions, marks: list[Mark]) -> Iterator[Field]:
    """Yield the fields of the text."""
    for mark in marks:
        if mark.kind == "field":
            yield Field(mark.label, mark.inner, mark.start, mark.end, positions.line(mark.start))


def _strings(value: Any) -> list[str]:
    """Return the texts in a property that is a text or a list of texts, but those a template will fill."""
    values = value if isinstance(value, list) else [value]
    return [
        str(item)
        for item in values
        if isinstance(item, (str, int, float))
        and not isinstance(item, bool)
        and not TEMPLATE.search(str(item))
    ]


def _distinct(names: Iterable[str]) -> tuple[str, ...]:
    """Return the names without those that differ only in case or form from an earlier one."""
    seen: dict[str, str] = {}
    for name in names:
        if name:
            seen.setdefault(slug(name), name)
    return tuple(seen.values())


def _aliases(title: str, properties: dict[str, Any]) -> tuple[str, ...]:
    """Return the other names that the note gives itself: `title`, `aliases` and `alias`."""
    names = _strings(properties.get("title"))
    for key in ("aliases", "alias"):
        texts = _strings(properties.get(key))
        names += texts if isinstance(properties.get(key), list) else ",".join(texts).split(",")
    found = _distinct(name.strip() for name in names)
    return tuple(name for name in found if slug(name) != slug(title))


def property_tags(properties: dict[str, Any]) -> tuple[str, ...]:
    """Return the tags that `tags` and `tag` name, without `#`."""
    names: list[str] = []
    for key in ("tags", "tag"):
        texts = _strings(properties.get(key))
        names += texts if isinstance(properties.get(key), list) else ",".join(texts).replace(",", " ").split()
    return _distinct(name.strip().strip("#/") for name in names)
