"""The marks inside a block: code, math, comments, links and tags, in one pass.

One scanner serves the reader (`markdown`) and the plain text (`plain`), so that what is not a link for
one is not a link for the other. The time is linear in the text: a mark that is never closed is looked
for once, not again for every opening.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pai_daemon.notes.note import Mark

# Every branch begins with a literal, so that the engine skips to the next candidate by a character table.
_TOKEN = re.compile(
    r"""
      \\(?P<escape>[!-/:-@\[-`{-~])
    | `(?P<code>`*)
    | \$(?P<display>\$)
    | \$(?P<math>(?=[^\s$])(?:\\.|[^$\\\n])+?(?<!\s))\$(?![0-9])
    | %(?P<comment>%)
    | <(?P<html>!--)
    | !?\[\[(?P<wikilink>[^\[\]\n]+)\]\]
    | !?\[(?P<label>[^\[\]]*)\]\(\s*(?P<link><[^<>\n]*>|[^()<>\s]*(?:\([^()\s]*\)[^()<>\s]*)*)
        (?:\s+(?:"[^"\n]*"|'[^'\n]*'))?\s*\)
    # Obsidian: after white space, in no way only digits. A tag may also follow the end of an HTML tag.
    | \#(?<![^\s>]\#)(?P<tag>(?![0-9]+(?:[\s.,;:!?)]|$))
        [^\u2000-\u206F\u2E00-\u2E7F'!"\#$%&()*+,.:;<=>?@^`{|}~\[\]\\\s]+)
    """,
    re.VERBOSE,
)
_NAMES = {"code": "code", "display": "math"}
_BLANK_LINE = re.compile(r"\n[ \t\r]*\n")


def scan(text: str, start: int = 0, end: int | None = None) -> Iterator[Mark]:
    """Yield the marks of text[start:end] in order; they do not overlap. Offsets are those of text."""
    end = len(text) if end is None else end
    unclosed: set[str] = set()
    search = _TOKEN.search
    position = start
    while (match := search(text, position, end)) is not None:
        kind = match.lastgroup
        position = match.end()
        if kind in ("code", "display", "comment", "html"):
            opening = match[0]
            close = -1 if opening in unclosed else _closing(kind, text, opening, position, end=end)
            if close < 0:
                unclosed.add(opening)
            elif not (kind == "code" and _BLANK_LINE.search(text, position, close)):
                inner = text[position:close]
                position = close + (3 if kind == "html" else len(opening))
                yield Mark(_NAMES.get(kind, "comment"), match.start(), position, inner)
        elif kind == "link":
            yield Mark(kind, match.start(), position, match["link"], match["label"])
        elif kind is not None:
            yield Mark(kind, match.start(), position, match[kind])


def _closing(kind: str, text: str, opening: str, inside: int, *, end: int) -> int:
    """Return where the mark that closes opening begins, or -1."""
    if kind == "code":
        return _closing_ticks(text, opening, inside, end)
    return text.find("-->" if kind == "html" else opening, inside, end)


def _closing_ticks(text: str, ticks: str, inside: int, end: int) -> int:
    """Return where a run of exactly as many backticks begins, or -1."""
    close = text.find(ticks, inside, end)
    while close >= 0:
        after = close + len(ticks)
        if after >= end or text[after] != "`":
            return close
        while after < end and text[after] == "`":
            after += 1
        close = text.find(ticks, after, end)
    return -1
