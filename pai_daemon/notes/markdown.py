"""The reader: bytes of a note in, a `Note` out, whatever the bytes are (D4).

`note` holds the values, `blocks` the block structure, `inline` the marks inside a block, `frontmatter`
the head. This module decodes, puts them together and never raises.
"""

from __future__ import annotations

import codecs
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from typing import Any

from pai_daemon.notes.blocks import Structure, line_starts, read_blocks
from pai_daemon.notes.frontmatter import read_frontmatter
from pai_daemon.notes.inline import Inline, scan
from pai_daemon.notes.links import parse_markdown_link, parse_wikilink, slug
from pai_daemon.notes.note import Block, Heading, Link, Note, Problem
from pai_daemon.notes.plain import plain_text

__all__ = ["Block", "Heading", "Link", "Note", "Problem", "note_title", "read_note"]

LIMIT_BYTES = 2 * 1024 * 1024
_NO_MARKS = ("code", "math", "html", "rule", "comment")


def read_note(path: str, data: bytes, *, limit_bytes: int = LIMIT_BYTES) -> Note:
    """Return the note at path as its bytes say it; any bytes give a note, with its problems listed.

    data: the file's bytes, of which at most limit_bytes are read, up to the end of a line.
    """
    problems: list[Problem] = []
    text = _decode(data, limit_bytes, problems)
    head = read_frontmatter(text)
    problems.extend(head.problems)
    structure = _structure(text, head.body_start, problems)
    links, tags = _marks(text, structure)
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


def _decode(data: bytes, limit_bytes: int, problems: list[Problem]) -> str:
    """Return the text of data, without its byte order mark; empty for a file that is no text."""
    encoding, width = "utf-8", 1
    mark = 0
    if data.startswith(codecs.BOM_UTF8):
        mark = 3
    elif data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encoding = "utf-16-le" if data.startswith(codecs.BOM_UTF16_LE) else "utf-16-be"
        mark, width = 2, 2
    cut = len(data) > limit_bytes
    if cut:
        data = _cut(data, limit_bytes, encoding, width)
    text = _text(data[mark:], encoding, problems)
    if "\0" in text:
        # One note of 13,053 in a real vault quotes a few NUL bytes; a picture has many, and is no UTF-8.
        if problems or text.count("\0") * 100 > len(text):
            problems[:] = [Problem("not text: the file holds NUL bytes")]
            return ""
        problems.append(_bad_place("a NUL byte; shown as \ufffd", text[: text.index("\0")]))
        text = text.replace("\0", "\ufffd")
    if cut:
        line = len(line_starts(text.rstrip("\r\n")))
        problems.append(
            Problem(f"too large: only the first {len(data)} bytes ({line} lines) are indexed", line)
        )
    return text


def _cut(data: bytes, limit_bytes: int, encoding: str, width: int) -> bytes:
    """Return at most limit_bytes of data, up to the end of a line, or of a character where no line ends."""
    limit = limit_bytes - limit_bytes % width
    newline = "\n".encode(encoding)
    end = data.rfind(newline, 0, limit)
    while end > 0 and end % width:  # half of one UTF-16 unit and half of the next are no newline
        end = data.rfind(newline, 0, end + width - 1)
    if end >= 0:
        return data[: end + width]
    if width == 2:
        return data[:limit]
    while limit > 0 and data[limit] & 0xC0 == 0x80:
        limit -= 1
    return data[:limit]


def _text(data: bytes, encoding: str, problems: list[Problem]) -> str:
    """Return data decoded; a byte that does not fit becomes U+FFFD, and the first one a problem."""
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        reason = f"not valid {encoding.upper()}: byte 0x{data[error.start]:02X}; shown as \ufffd"
        problems.append(_bad_place(reason, data[: error.start].decode(encoding)))
        return data.decode(encoding, "replace")


def _bad_place(reason: str, before: str) -> Problem:
    """Return the problem with the place right after the text before it."""
    starts = line_starts(before)
    return Problem(reason, len(starts), len(before) - starts[-1] + 1)


def _structure(text: str, body_start: int, problems: list[Problem]) -> Structure:
    """Return the blocks of the body; if the parser fails, the body as one paragraph and a problem."""
    try:
        return read_blocks(text, body_start)
    except Exception as error:  # a fault of the parser must not lose the note
        problems.append(Problem(f"Markdown could not be read: {type(error).__name__}: {error}"))
    body = text[body_start:]
    if not body.strip():
        return Structure((), (), ())
    start = body_start + len(body) - len(body.lstrip())
    end = body_start + len(body.rstrip())
    first, last = len(line_starts(text[: start + 1])), len(line_starts(text[:end]))
    return Structure((Block("paragraph", start, end, first, last),), (), ())


def _headings(structure: Structure) -> tuple[Heading, ...]:
    """Return the headings with their plain text."""
    blocks = (block for block in structure.blocks if block.kind == "heading")
    return tuple(
        Heading(level, plain_text(source).replace("\n", " "), block.start_line, block.start, block.end)
        for block, (level, source) in zip(blocks, structure.headings, strict=False)
    )


def _marks(text: str, structure: Structure) -> tuple[tuple[Link, ...], list[str]]:
    """Return the links to notes and the tags of all blocks, in order."""
    links: list[Link] = []
    tags: list[str] = []
    for block in structure.blocks:
        if block.kind in _NO_MARKS:
            continue
        starts: list[int] = []
        for start, end in _open_spans(block, structure.verbatim):
            for mark in scan(text, start, end):
                if mark.kind == "tag":
                    tags.append(mark.inner)
                elif mark.kind in ("wikilink", "link"):
                    if not starts and block.end_line > block.start_line:
                        starts = line_starts(text[: block.end], block.start)
                    line = block.start_line + (bisect_right(starts, mark.start) - 1 if starts else 0)
                    if link := _link(text, mark, line):
                        links.append(link)
    return tuple(links), tags


def _open_spans(block: Block, verbatim: tuple[tuple[int, int], ...]) -> Iterator[tuple[int, int]]:
    """Yield the spans of the block outside code, math, comments and HTML within it."""
    start = block.start
    if verbatim and block.kind in ("list", "quote", "callout"):
        for index in range(bisect_right(verbatim, (block.start,)), len(verbatim)):
            begin, end = verbatim[index]
            if begin >= block.end:
                break
            if begin > start:
                yield start, begin
            start = max(start, end)
    if start < block.end:
        yield start, block.end


def _link(text: str, mark: Inline, line: int) -> Link | None:
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
