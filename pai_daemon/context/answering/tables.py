"""Rows of tables as what may be quoted: whole, in their own words, with the headers of the columns. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import zip_longest

from pai_daemon.notes.plain import plain_text

_ROW = re.compile(r"[ \t>]*(?:[-*+][ \t]+)?\|")
# The line below the header, also org's `|---+---|`.
_RULE = re.compile(r"[ \t>]*\|?[ \t]*:?-+[ \t:|+-]*")
_BAR = re.compile(r"(?<!\\)\|")


def rows(markdown: str) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Yield each row of the tables in a text: its first cell, and the others that are not empty with headers.

    A table that goes on from another passage has none here, and its headers are empty.
    """
    header: list[str] | None = None
    before = ""
    lines = markdown.splitlines()
    for line, after in zip_longest(lines, lines[1:], fillvalue=""):
        if _ROW.match(line) is None:
            header = None
        elif _RULE.fullmatch(line):
            if header is None:
                header = _cells(before) if _ROW.match(before) else []
        elif header is not None or not (_RULE.fullmatch(after) and _ROW.match(after)):
            first, *others = _cells(line)
            named = zip_longest((header or [])[1:], others, fillvalue="")
            cells = [(name, cell) for name, cell in named if cell]
            if first or cells:
                yield first, cells
        before = line


def row_text(
    first: str, cells: Sequence[tuple[str, str]], limit: int, is_asked: Callable[[str], bool]
) -> str:
    """Return a row as a line: `Engine — Oil: 5 litres; Interval: 250 hours`.

    limit: in characters; of a longer row the cells that are asked for come first, and none is cut.
    """
    parts = [f"{name}: {cell}" if name else cell for name, cell in cells]
    if sum(map(len, (first, *parts))) > limit:
        asked = [part for part, (name, cell) in zip(parts, cells, strict=True) if is_asked(f"{name} {cell}")]
        parts = [*asked, *(part for part in parts if part not in asked)]
    kept: list[str] = []
    for part in parts:
        if kept and sum(map(len, (first, *kept, part))) > limit:
            break
        kept.append(part)
    ordered = [part for part in parts if part in kept]
    return " — ".join(filter(None, (first, "; ".join(ordered))))


def _cells(line: str) -> list[str]:
    """Return the cells of a row as a reader sees them."""
    inner = line.strip().lstrip("> \t").removeprefix("- ").strip()
    parts = _BAR.split(inner.removeprefix("|").removesuffix("|"))
    return [" ".join(plain_text(part.strip().replace("\\|", "|")).split()) for part in parts]
