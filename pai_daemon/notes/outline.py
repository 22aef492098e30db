"""Reads a page or journal of a Logseq graph.

`bullets` gives the structure, `references` the marks, `properties` the lines `key:: value`, `logseq` the
names of pages. This module puts them together.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from pai_daemon.notes.blocks import read_blocks
from pai_daemon.notes.bullets import Outline, read_bullets
from pai_daemon.notes.frontmatter import Frontmatter, read_frontmatter
from pai_daemon.notes.links import slug
from pai_daemon.notes.logseq import Graph
from pai_daemon.notes.note import Block, Field, Heading, Link, Note, PropertySpan
from pai_daemon.notes.plain import plain_text
from pai_daemon.notes.positions import Positions
from pai_daemon.notes.properties import Property, is_text
from pai_daemon.notes.references import mark_links, scan_references

BLOCK_TEXT_CHARS = 500
# Markup takes room too; what is left of so much of it is a text of the length above, or nearly.
_BLOCK_SOURCE_CHARS = 4 * BLOCK_TEXT_CHARS

_BETWEEN_COMMAS = re.compile(r"[^,，]+")


def read_outline(path: str, text: str, graph: Graph) -> Note:
    """Return the page or journal at path.

    A page without a bullet has the blocks of its Markdown. The properties of a page are those before all
    bullets, or at the beginning of the first one. Its title is `title::`, the journal's, or the file's.
    """
    head = read_frontmatter(text)
    outline = read_bullets(text, head.body_start)
    positions = Positions(text)
    marks = tuple(mark for start, end in outline.prose for mark in scan_references(text, start, end))
    links = [link for mark in marks for link in mark_links(text, mark, positions.line(mark.start))]
    tagged = [found for found in outline.properties if found.key == "tags"]
    links += [_property_link(*name, line=found.line) for found in tagged for name in list_names(text, found)]
    properties = _properties(text, head, outline)
    aliases = _distinct(_texts(properties, "alias", "aliases"))
    day = graph.journal_day(path)
    days = graph.journal_names(day) if day else ()
    written = str(properties.get("title") or "").strip()
    names = _distinct((written, *days, graph.page_name(path), *aliases))
    title = names[0] if names else path
    blocks = _blocks(text, positions, head, outline)
    return Note(
        path=path,
        text=text,
        title=title,
        aliases=tuple(alias for alias in aliases if slug(alias) != slug(title)),
        tags=_distinct(
            (
                *(name.lstrip("#") for name in _texts(properties, "tags", "tag")),
                *(name for found in tagged for name, _, _ in list_names(text, found)),
                *(mark.inner.strip() for mark in marks if mark.kind == "tag"),
            )
        ),
        properties=properties,
        headings=_headings(text, blocks),
        blocks=blocks,
        links=tuple(sorted(links, key=lambda link: link.start)),
        problems=head.problems,
        body_start=head.body_start,
        kind="outline",
        names=names,
        date=day.isoformat() if day else "",
        fields=tuple(_fields(outline)),
        marks=marks,
        property_spans={**head.property_spans(positions), **_property_spans(outline)},
    )


def block_texts(note: Note) -> dict[str, str]:
    """Return the plain text of each block that has an id, without the items within it.

    At most BLOCK_TEXT_CHARS characters each: what a reference `((uuid))` shows.
    """
    texts: dict[str, str] = {}
    for index, block in enumerate(note.blocks):
        if block.block_id:
            source = "".join(_own_text(note, index))
            shown = " ".join(plain_text(source).split())[:BLOCK_TEXT_CHARS].rstrip()
            texts.setdefault(block.block_id, shown)
    return texts


def list_names(text: str, found: Property) -> list[tuple[str, int, int]]:
    """Return name, start and end of the pages that a value such as `a, [[b c]], #d` names, in order."""
    if found.is_quoted:
        return [(found.value[1:-1], found.value_start, found.end)]
    names: list[tuple[str, int, int]] = []
    position = found.value_start
    for mark in scan_references(text, found.value_start, found.end):
        if mark.kind in ("wikilink", "tag"):
            names += _between_commas(text, position, mark.start)
            names.append((mark.inner.strip(), mark.start, mark.end))
            position = mark.end
    names += _between_commas(text, position, found.end)
    return [name for name in names if name[0]]


def _between_commas(text: str, start: int, end: int) -> Iterator[tuple[str, int, int]]:
    """Yield the names between commas with their spans."""
    for match in _BETWEEN_COMMAS.finditer(text, start, end):
        name = match[0].strip()
        begin = match.start() + len(match[0]) - len(match[0].lstrip())
        yield name, begin, begin + len(name)


def _property_link(name: str, start: int, end: int, *, line: int) -> Link:
    """Return the link to a page that a property names."""
    return Link(name, "", "", False, start, end, line, "property")


def _properties(text: str, head: Frontmatter, outline: Outline) -> dict[str, Any]:
    """Return the properties of the page: those of a YAML head, then its own lines."""
    properties = dict(head.properties)
    for found in outline.properties:
        if found.owner in (-1, outline.page_block):
            names = [name for name, _, _ in list_names(text, found)]
            properties[found.key] = names if found.is_list else found.value
    return properties


def _property_spans(outline: Outline) -> dict[str, PropertySpan]:
    """Return where each property of the page stands that has a line of its own."""
    return {
        found.key: PropertySpan(found.start, min(found.value_start, found.end), found.end, found.line)
        for found in outline.properties
        if found.owner in (-1, outline.page_block)
    }


def _fields(outline: Outline) -> Iterator[Field]:
    """Yield the properties of blocks that say something to a reader."""
    for found in outline.properties:
        if found.owner not in (-1, outline.page_block) and is_text(found.key, of_page=False):
            yield Field(found.key, found.value, found.start, found.end, found.line)


def _texts(properties: dict[str, Any], *keys: str) -> list[str]:
    """Return the texts in these properties: a list, or a text with commas."""
    found: list[str] = []
    for key in keys:
        value = properties.get(key)
        names = _BETWEEN_COMMAS.findall(value) if isinstance(value, str) else value
        found += [str(name).strip() for name in names if name] if isinstance(names, list) else []
    return found


def _blocks(text: str, positions: Positions, head: Frontmatter, outline: Outline) -> tuple[Block, ...]:
    """Return the blocks of the page; where it has no bullet, those of Markdown after its properties."""
    blocks: list[Block] = []
    if head.body_start:
        source = text[: head.body_start].rstrip()
        blocks.append(Block("frontmatter", 0, len(source), 1, positions.line(len(source) - 1)))
    if outline.has_bullets:
        return (*blocks, *outline.blocks)
    after = head.body_start
    for block, found in zip(outline.blocks, outline.properties, strict=False):
        if not block.start <= found.start < block.end:
            break
        after = max(block.end, found.end)
    blocks += (block for block in outline.blocks if block.end <= after)
    blocks += (block for block in read_blocks(text, positions, after).blocks if block.kind != "frontmatter")
    return tuple(blocks)


def _headings(text: str, blocks: Iterable[Block]) -> tuple[Heading, ...]:
    """Return the headings, also those of bullets."""
    return tuple(
        Heading(
            int(block.label),
            plain_text(text[block.start : block.end]).replace("\n", " "),
            block.start_line,
            block.start,
            block.end,
        )
        for block in blocks
        if block.kind == "heading"
    )


def _own_text(note: Note, index: int) -> Iterator[str]:
    """Yield the parts of a block's text before the first item within it, without drawers and comments."""
    block = note.blocks[index]
    position, end = block.start, min(block.end, block.start + _BLOCK_SOURCE_CHARS)
    for later in range(index + 1, len(note.blocks)):
        inner = note.blocks[later]
        if inner.depth <= block.depth or inner.start >= end:
            break
        if inner.kind == "item":
            end = inner.start
            break
        if inner.kind in ("drawer", "comment"):
            yield note.text[position : inner.start]
            position = inner.end
    yield note.text[position:end]


def _distinct(names: Iterable[str]) -> tuple[str, ...]:
    """Return the names without those that differ only in case or form from an earlier one."""
    seen: dict[str, str] = {}
    for name in names:
        if name:
            seen.setdefault(slug(name), name)
    return tuple(seen.values())
