"""Obsidian's bases: YAML of filters, formulas and views. A base is a note by its name and its source.

A base lists other notes and says nothing itself; its source is one block of code. What its filters and
formulas name by `file.hasLink("…")` and `link("…")` are links.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import yaml

from pai_daemon.notes.links import parse_wikilink
from pai_daemon.notes.markdown import note_title
from pai_daemon.notes.note import Block, Link, Note, Problem
from pai_daemon.notes.positions import Positions
from pai_daemon.notes.yaml12 import YamlError, compose

# Within YAML's own quotes those of the call are written \" or ''.
_CALL = re.compile(r"""\b(?:hasLink|link)\(\s*(\\"|''|"|')((?:(?!\1)[^\r\n]){1,500})\1""")


def read_base(path: str, text: str) -> Note:
    """Return the note that a base makes; broken YAML is a problem with line and column, and has no links.

    A link's span is what stands between the quotes.
    """
    positions = Positions(text)
    problems: list[Problem] = []
    links: list[Link] = []
    try:
        root = compose(text)
    except YamlError as error:
        line, column = positions.line(error.offset), positions.column(error.offset)
        problems.append(Problem(f"base: {error.reason}", line, column))
    else:
        if isinstance(root, yaml.MappingNode):
            links = sorted(_links(root, text, positions), key=lambda link: link.start)
        elif root is not None:
            problems.append(Problem("base: no filters, formulas or views (name: value)", 1, 1))
    return Note(
        path=path,
        text=text,
        title=note_title(path),
        blocks=tuple(_blocks(text, positions)),
        links=tuple(links),
        problems=tuple(problems),
        kind="base",
    )


def _blocks(text: str, positions: Positions) -> Iterator[Block]:
    """Yield the source as one block of code, without the white space around it."""
    start, end = len(text) - len(text.lstrip()), len(text.rstrip())
    if start < end:
        yield Block("code", start, end, positions.line(start), positions.line(end - 1), label="yaml")


def _links(root: yaml.MappingNode, text: str, positions: Positions) -> Iterator[Link]:
    """Yield the links in the expressions of a base: in any text but the names it shows for properties."""
    nodes = [value for name, value in root.value if name.value != "properties"]
    seen: set[int] = set()
    while nodes:
        node = nodes.pop()
        if id(node) in seen:  # an alias stands for a node that was read
            continue
        seen.add(id(node))
        if isinstance(node, yaml.MappingNode):
            nodes += (value for _, value in node.value)
        elif isinstance(node, yaml.SequenceNode):
            nodes += node.value
        else:
            for match in _CALL.finditer(text, node.start_mark.index, node.end_mark.index):
                inner = match[2].replace("''", "'") if node.style == "'" else match[2]
                target, fragment, alias = parse_wikilink(inner.removeprefix("[[").removesuffix("]]"))
                if target or fragment:
                    start, end = match.span(2)
                    yield Link(target, fragment, alias, False, start, end, positions.line(start))
