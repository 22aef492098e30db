"""The marks inside a Logseq block, as Logseq's parser mldoc reads them.

They differ from Obsidian's (`inline`) in what a tag may hold, in page names that hold other page names, and
in what a bar or a hash inside `[[…]]` means: nothing, they belong to the name. The time is linear in the
text: brackets and backticks are paired once, ahead of the search.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import unquote

from pai_daemon.notes.note import Link, Mark

UUID = r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"

# Every branch begins with a literal, so that the engine skips to the next candidate by a character table.
_TOKEN = re.compile(
    rf"""
      \\(?P<escape>[!-/:-@\[-`{{-~])
    | `(?P<code>`*)
    | \$\$(?P<display>[^$\n]+)\$\$
    | \$(?P<math>(?=[^\s$])(?:\\.|[^$\\\n])+?(?<!\s))\$(?![0-9])
    | <!--(?P<comment>)
    | \{{\{{(?P<macro>[^\s{{}}][^{{}}\n]*)\}}\}}
    | \[\[(?P<wikilink>)
    | \#\[\[(?P<page>)
    | \(\((?P<reference>{UUID})\)\)
    | !?\[(?P<label>(?:[^\[\]\n]|\[[^\[\]\n]*\])*)\]
        \((?P<link>\(\({UUID}\)\)|\[\[[^\[\]\n]*\]\]|<[^<>\n]*>|[^()\n]*(?:\([^()\n]*\)[^()\n]*)*)\)
        (?:\{{:[^{{}}\n]*\}})?
    | :(?P<web>//)[^\s<>"'`\[\]]*
    | (?P<uri>logseq://[^\s<>"'`()\[\]]+)
    | \#(?P<tag>[^\s\#"'?!\[\]`<>+,.;:)(][^\s\#"'?!\[\]`<>]*)
    """,
    re.VERBOSE,
)
_NAMES = {"display": "math", "page": "tag", "uri": "link"}
_BRACKETS = re.compile(r"\[\[|\]\]|\n")
_TICKS = re.compile(r"`+|\n")
_EMBED = re.compile(rf"embed\s*(?:\(\((?P<block>{UUID})\)\)|\[\[(?P<page>[^\n]+)\]\])\s*")
# No file has a longer name; names within names would else add up to the square of the text.
_MAX_NAME_CHARS = 1000
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:|//")
_URI = re.compile(rf"logseq://graph/([^?#]+)\?(?:page=([^&#]+)|block-id=({UUID}))")


def scan_references(text: str, start: int = 0, end: int | None = None) -> Iterator[Mark]:
    """Yield the marks of text[start:end] in order; they do not overlap. Offsets are those of text."""
    end = len(text) if end is None else end
    partners = _partners(text, start, end)
    last_close = text.rfind("-->", start, end)
    position = start
    while (match := _TOKEN.search(text, position, end)) is not None:
        kind = str(match.lastgroup)
        begin, position = match.span()
        if kind == "tag":
            name = _trimmed(match[kind])
            position = begin + 1 + len(name)
            if name:
                yield Mark(kind, begin, position, name)
        elif kind == "link":
            yield Mark(kind, begin, position, match[kind], match["label"])
        elif kind == "comment":
            if position <= last_close:
                inside, position = position, text.index("-->", position) + 3
                yield Mark(kind, begin, position, text[inside : position - 3])
        elif kind in ("code", "wikilink", "page"):
            inside = position
            mark = inside - begin if kind == "code" else 2
            close = partners.get(inside - mark)
            # Of three brackets the last two may be those that have a partner.
            position = close + mark if close else inside if kind == "code" else begin + 1
            if close:
                yield Mark(_NAMES.get(kind, kind), begin, position, text[inside:close])
        elif kind != "web":
            yield Mark(_NAMES.get(kind, kind), begin, position, match[kind])


def mark_links(text: str, mark: Mark, line: int) -> Iterator[Link]:
    """Yield the links that a mark stands for: none for a web address, two for a page name within another."""
    start, end = mark.start, mark.end
    if mark.kind == "reference":
        yield Link(mark.inner, "", "", False, start, end, line, "block")
    elif mark.kind == "macro":
        if embed := _EMBED.fullmatch(mark.inner):
            kind = "block" if embed["block"] else "wikilink"
            yield Link((embed["block"] or embed["page"]).strip(), "", "", True, start, end, line, kind)
    elif mark.kind == "link":
        if link := _labelled(text, mark, line):
            yield link
    elif mark.kind in ("wikilink", "tag"):
        names = [(start, end, mark.inner), *_inner_names(text, mark)]
        for begin, after, written in names:
            if 0 < len(name := written.strip()) <= _MAX_NAME_CHARS:
                kind = mark.kind if begin == start else "wikilink"
                yield Link(name, "", "", False, begin, after, line, kind)


def _inner_names(text: str, mark: Mark) -> Iterator[tuple[int, int, str]]:
    """Yield start, end and name of the pages that are named within the name of a page."""
    if "[[" in mark.inner:
        start = mark.end - 2 - len(mark.inner)
        for begin, close in sorted(_bracket_pairs(text, start, mark.end - 2).items()):
            if close - begin <= _MAX_NAME_CHARS:
                yield begin, close + 2, text[begin + 2 : close]


def _labelled(text: str, mark: Mark, line: int) -> Link | None:
    """Return the link of `[label](destination)`: to a page, a block or a file, None for a web address."""
    start, end, alias = mark.start, mark.end, mark.label.strip()
    destination = mark.inner.strip()
    if destination.endswith('"'):
        destination = destination.partition(' "')[0].strip()
    if destination.startswith("((") and destination.endswith("))"):
        return Link(destination[2:-2], "", alias, False, start, end, line, "block")
    if destination.startswith("[[") and destination.endswith("]]"):
        name = destination[2:-2].strip()
        return Link(name, "", alias, False, start, end, line) if name else None
    destination = destination.removeprefix("<").removesuffix(">").strip()
    if _SCHEME.match(destination):
        return _uri_link(destination, alias, start, end, line)
    target, _, fragment = destination.partition("#")
    target = unquote(target).strip()
    embed = text[start] == "!"
    return Link(target, unquote(fragment), alias, embed, start, end, line, "markdown") if target else None


def _uri_link(address: str, alias: str, start: int, end: int, line: int) -> Link | None:
    """Return the link of an address of Logseq that names a page or a block, None for any other."""
    match = _URI.match(address)
    if match is None:
        return None
    vault = unquote(match[1])
    if match[3]:
        return Link(match[3], "", alias, False, start, end, line, "block", vault)
    return Link(unquote(match[2]), "", alias, False, start, end, line, "uri", vault)


def _trimmed(name: str) -> str:
    """Return the name of a tag without what follows it: a stop, a bracket that it did not open, emphasis."""
    depth = 0
    for index, char in enumerate(name):
        depth += (char in "({") - (char in ")}")
        if depth < 0:
            name = name[:index]
            break
    return name.rstrip(".,;:*=~^")


def _partners(text: str, start: int, end: int) -> dict[int, int]:
    """Return where each `[[` and each run of backticks is closed; both end with their line at the latest."""
    partners = _bracket_pairs(text, start, end) if text.find("[[", start, end) >= 0 else {}
    if text.find("`", start, end) >= 0:
        partners.update(_tick_pairs(text, start, end))
    return partners


def _bracket_pairs(text: str, start: int, end: int) -> dict[int, int]:
    """Return for each `[[` that is closed on its line where its `]]` begins."""
    pairs: dict[int, int] = {}
    opened: list[int] = []
    for match in _BRACKETS.finditer(text, start, end):
        if match[0] == "[[":
            opened.append(match.start())
        elif match[0] == "\n":
            opened.clear()
        elif opened:
            pairs[opened.pop()] = match.start()
    return pairs


def _tick_pairs(text: str, start: int, end: int) -> dict[int, int]:
    """Return for each run of backticks where the next one of its length on its line begins."""
    pairs: dict[int, int] = {}
    last: dict[int, int] = {}
    for match in _TICKS.finditer(text, start, end):
        if match[0] == "\n":
            last.clear()
            continue
        length = len(match[0])
        if length in last:
            pairs[last[length]] = match.start()
        last[length] = match.start()
    return pairs
