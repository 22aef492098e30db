"""Reads Obsidian's Markdown.

`note` holds the values, `blocks` the block structure, `inline` the marks inside a block, `frontmatter`
the head. This module puts them together.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pai_daemon.notes.blocks import Structure, read_blocks
from pai_daemon.notes.frontmatter import read_frontmatter
from pai_daemon.notes.inline import scan
from pai_daemon.notes.links import parse_markdown_link, parse_wikilink, slug
from pai_daemon.notes.note import Block, Heading, Link, Mark, Note, Problem
from pai_daemon.notes.plain import plain_text
from pai_daemon.notes.positions import Positions


def read_markdown(path: str, text: str) -> Note:
    """Return the note that this Markdown makes."""
    head = read_frontmatter(text)
    problems = list(head.problems)
    positions = Positions(text)
    structure = _structure(positions, head.body_start, problems)
    links, tags = _marks(positions, structure)
    title = note_title(path)
    return Note(
        path=path,
        text=text,
        title=title,
        aliases=_aliases(title, head.properties),
        tags=_tags(head.properties, tags),
        properties=head.properties,
        headings=_headings(structure),
        blocks=structure.blocks,
        links=links,
        problems=tuple(problems),
        body_start=head.body_start,
    )


def note_title(path: str) -> str:
    """Return the title of the note at path: its file name without `.md`."""
    name = path.rpartition("/")[2]
    return name[:-3] if name[-3:].lower() == ".md" else name


def _structure(positions: Positions, body_start: int, problems: list[Problem]) -> Structure:
    """Return the blocks of the note; if the parser fails, the body as one paragraph and a problem."""
    text = positions.text
    try:
        return read_blocks(text, positions, body_start)
    except Exception as error:  # a fault of the parser must not lose the note
        problems.append(Problem(f"Markdown could not be read: {type(error).__name__}: {error}"))
    body = text[body_start:]
    if not body.strip():
        return Structure((), (), ())
    start = body_start + len(body) - len(body.lstrip())
    end = body_start + len(body.rstrip())
    block = Block("paragraph", start, end, positions.line(start), positions.line(end - 1))
    return Structure((block,), (), ((start, end),))


def _headings(structure: Structure) -> tuple[Heading, ...]:
    """Return the headings of depth 0 with their plain text."""
    blocks = (block for block in structure.blocks if block.kind == "heading" and block.depth == 0)
    return tuple(
        Heading(
            int(block.label), plain_text(source).replace("\n", " "), block.start_line, block.start, block.end
        )
        for block, source in zip(blocks, structure.headings, strict=True)
    )


def _marks(positions: Positions, structure: Structure) -> tuple[tuple[Link, ...], list[str]]:
    """Return the links to notes and the tags of all blocks, in order."""
    text = positions.text
    links: list[Link] = []
    tags: list[str] = []
    for start, end in structure.texts:
        for mark in scan(text, start, end):
            if mark.kind == "tag":
                tags.append(mark.inner)
            elif mark.kind in ("wikilink", "link") and (
                link := _link(text, mark, positions.line(mark.start))
            ):
                links.append(link)
    return tuple(links), tags


def _link(text: str, mark: Mark, line: int) -> Link | None:
    """Return the link a mark stands for, None if it leads to no note (a web address)."""
    embed = text[mark.start] == "!"
    if mark.kind == "wikilink":
        target, fragment, alias = parse_wikilink(mark.inner)
        if not target and not fragment:
            return None
        return Link(target, fragment, alias, embed, mark.start, mark.end, line)
    parts = parse_markdown_link(mark.inner)
    if parts is None:
        return None
    return Link(parts[0], parts[1], mark.label.strip(), embed, mark.start, mark.end, line)


def _strings(value: Any) -> list[str]:
    """Return the texts in a property that is a text or a list of texts."""
    values = value if isinstance(value, list) else [value]
    return [
        str(item) for item in values if isinstance(item, (str, int, float)) and not isinstance(item, bool)
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
        value = properties.get(key)
        names += value.split(",") if isinstance(value, str) else _strings(value)
    found = _distinct(name.strip() for name in names)
    return tuple(name for name in found if slug(name) != slug(title))


def _tags(properties: dict[str, Any], inline: list[str]) -> tuple[str, ...]:
    """Return the tags of `tags` and `tag`, then those in the text."""
    names: list[str] = []
    for key in ("tags", "tag"):
        value = properties.get(key)
        names += value.replace(",", " ").split() if isinstance(value, str) else _strings(value)
    return _distinct(name.strip().strip("#/") for name in (*names, *inline))
