"""The words of a note without its markup.

`plain_text` is what is embedded, searched and shown; code and formulas keep their content. `sentences` says
where each sentence is written, so that an answer can cite it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sentencex import get_sentence_boundaries

from pai_daemon.notes.inline import HOLDERS, scan
from pai_daemon.notes.links import wikilink_text
from pai_daemon.notes.note import Mark

FENCE = re.compile(r"[ \t>]*(?:[-*+][ \t]+)*(`{3,}|~{3,})([^`\n]*)$")
QUOTE = r"(?:[ \t]*>)+[ \t]?(?:\[![^\]\n]+\][+-]?[ \t]*)?"
BULLET = r"[ \t]*(?:[-*+][ \t]+)+(?:\[[^\]\n]\](?:[ \t]+|(?=\n|\Z)))?"

_MARKUP = re.compile(r"[`$%<!\[\]#*_=~\\|>^+\-\r:({]")
_QUOTE = re.compile("^" + QUOTE, re.MULTILINE)
_BULLET = re.compile("^" + BULLET + r"(?:>[ \t]?)*", re.MULTILINE)
_TASK = re.compile(r"^([ \t]*\d{1,9}[.)][ \t]+)\[[^\]\n]\][ \t]+", re.MULTILINE)
_HEADING = re.compile(r"^[ \t]*#{1,6}(?:[ \t]+(.*))?$", re.MULTILINE)
_RULE = re.compile(
    r"^[ \t]*+(?:(?:[-*_][ \t]*){3,}|=+[ \t]*|-+[ \t]*"
    r"|\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*)$",
    re.MULTILINE,
)
_ROW = re.compile(r"^[ \t]*\|(.*)$", re.MULTILINE)
_CELL = re.compile(r"(?:(?<![ \t])[ \t]+)?\|[ \t]*")
_BLOCK_ID = re.compile(r"(?:^|(?<![ \t])[ \t]+)\^[A-Za-z0-9-]+[ \t]*$", re.MULTILINE)
_FOOTNOTE = re.compile(r"^[ \t>]*\[\^[^\]\s]+\]:[ \t]*", re.MULTILINE)
_UUID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_BREAK = re.compile(r"br\s*/?\Z", re.IGNORECASE)
# The size of an image stands where else its text does.
_SIZE = re.compile(r"(?:^|\|)\s*[0-9]+(?:x[0-9]+)?\s*\Z")
# Logseq's, of an image.
_ATTRIBUTES = re.compile(r"\{:[^{}\n]*\}")
# An empty line ends what is open.
_DELIMITER = re.compile(r"\*\*|\*|__|_|~~|\^\^|\n[ \t]*\n")
_BLANK_LINES = re.compile(r"\n[ \t]*(?:\n[ \t]*)+")
# Looking back keeps a long run of blanks from being read once for each of them.
_LINE_SPACE = re.compile(r"^[ \t]+|(?<![ \t])[ \t]+$", re.MULTILINE)
_SPACES = re.compile(r"[ \t]{2,}")
SHORT_LINE_CHARS = 60
MAX_PROSE_CHARS = 20_000

_LINES = re.compile(r"[^\r\n]+|(?<=[\r\n])(?=[\r\n])")
_ALONE = re.compile(rf"(?:{QUOTE})?[ \t]*(?:#{{1,6}}(?:[ \t]|$)|\|)|(?:[ \t]*>)+[ \t]*\[!")
_ITEM = re.compile(r"(?:[ \t]*>)*[ \t]*(?:[-*+]|\d{1,9}[.)])[ \t]")
_MARKER = re.compile(rf"(?:{QUOTE})?(?:{BULLET})?(?:[ \t]*#{{1,6}}[ \t]+)?")
_CLOSING = re.compile(r"(?<![ \t])[ \t]+#+[ \t]*$")
_NUMBER = re.compile(r"\A[0-9]{1,9}[.)](?=[ \t])")
_EMPHASIS_MARK = re.compile(r"[*_=~]")
_STOP = re.compile(r"[^\w\s]")
_QUOTED_LINE = re.compile(r"[\r\n]+(?:[ \t]*>)*[ \t]*")
# Kept content stands aside under these two private characters while the markup around it is removed.
_ASIDE = re.compile("\U000f0000([0-9]+)\U000f0001")

BlockText = Callable[[str], str | None]
"""Gives the text of a block by its uuid, None where it is not known."""


def plain_text(markdown: str, block_text: BlockText | None = None) -> str:
    """Return the text a reader sees: link texts, no markers, no comments; code and math as written.

    Dropped are comments, templates, references to footnotes, block ids, HTML tags, and macros but for what
    a cloze hides. block_text: the text of the block that `((uuid))` or a macro shows; without one it is
    dropped too.
    """
    if _MARKUP.search(markdown) is None:
        return markdown.strip()
    text = markdown.replace("\r\n", "\n").replace("\r", "\n") if "\r" in markdown else markdown
    if "```" not in text and "~~~" not in text:
        return _prose(text, block_text)
    parts = [part if code else _prose(part, block_text) for code, part in _fenced(text)]
    return "\n\n".join(part for part in parts if part.strip()).strip()


def _fenced(text: str) -> list[tuple[bool, str]]:
    """Return the text in turns of prose (False) and the content of fenced code (True)."""
    parts: list[tuple[bool, str]] = []
    lines: list[str] = []
    fence = ""
    for line in text.split("\n"):
        match = FENCE.match(line)
        opens = match is not None and not fence
        closes = match is not None and bool(fence) and match[1].startswith(fence) and not match[2].strip()
        if not (opens or closes):
            lines.append(line)
            continue
        parts.append((bool(fence), "\n".join(lines)))
        lines = []
        fence = match[1] if match is not None and opens else ""
    parts.append((bool(fence), "\n".join(lines)))
    return parts


def _prose(text: str, block_text: BlockText | None) -> str:
    """Return text outside fenced code without its markup."""
    aside: list[str] = []
    if "[^" in text:
        text = _FOOTNOTE.sub("", text)
    text = _without_inline(text, aside, block_text)
    text = _without_line_marks(text)
    text = _without_emphasis(text)
    text = _BLANK_LINES.sub("\n\n", _SPACES.sub(" ", _LINE_SPACE.sub("", text))).strip()
    return _ASIDE.sub(lambda match: _aside(match, aside), text) if aside else text


def _aside(match: re.Match[str], aside: list[str]) -> str:
    """Return the content that the placeholder stands for; a note may hold such characters of its own."""
    index = int(match[1]) if len(match[1]) < 9 else len(aside)
    return aside[index] if index < len(aside) else match[0]


def _without_inline(text: str, aside: list[str], block_text: BlockText | None) -> str:
    """Return text with links as their text, comments gone, and code and math set aside."""
    edits = [edit for mark in scan(text) for edit in _edits(text, mark, aside, block_text)]
    # Those of a mark and of the marks within it take turns.
    edits.sort(key=lambda edit: edit[:2])
    parts: list[str] = []
    position = 0
    for start, end, shown in edits:
        if start >= position:
            parts += (text[position:start], shown)
            position = end
    parts.append(text[position:])
    return "".join(parts)


def _edits(
    text: str, mark: Mark, aside: list[str], block_text: BlockText | None
) -> Iterator[tuple[int, int, str]]:
    """Yield what to write instead of a mark, or of its parts where it may hold others: start, end, text."""
    start, end = mark.start, mark.end
    if mark.kind == "link":
        opening = len(text[start:end]) - len(text[start:end].lstrip("![<"))
        inside = start + min(opening, 2 if text[start] == "!" else 1)
        after = inside + len(mark.label)
        if text[start] == "!" and (size := _SIZE.search(mark.label)):
            after = inside + size.start()
        attributes = _ATTRIBUTES.match(text, end)
        yield from ((start, inside, ""), (after, attributes.end() if attributes else end, ""))
    elif mark.kind == "highlight":
        yield from ((start, start + 2, ""), (end - 2, end, ""))
    elif mark.kind == "field":
        colons = text.index("::", start)
        if text[start] in "[(":
            yield from ((start, start + 1, ""), (end - 1, end, ""))
        yield colons, colons + 2, ":"
    elif mark.kind == "footnote" and text[start] == "^":
        yield from ((start, start + 2, ""), (end - 1, end, ""))
    else:
        yield start, end, _shown(text, mark, aside, block_text)


def _shown(text: str, mark: Mark, aside: list[str], block_text: BlockText | None) -> str:
    """Return what a reader sees of a mark that holds no other."""
    shown = ""
    if mark.kind == "wikilink":
        embed = text[mark.start] == "!"
        return wikilink_text(_SIZE.sub("", mark.inner) if embed else mark.inner)
    if mark.kind == "html":
        return "\n" if _BREAK.match(mark.inner) else ""
    if mark.kind == "macro" and mark.inner.startswith("cloze "):
        return mark.inner.removeprefix("cloze").strip()
    if mark.kind in ("macro", "reference"):
        texts = map(block_text, _UUID.findall(mark.inner)) if block_text else ()
        shown = " ".join(filter(None, texts))
    elif mark.kind == "citation":
        shown = text[mark.start : mark.end]
    elif mark.kind in ("escape", "code", "math", "tag"):
        # A tag may end in an underscore, an escaped star is no emphasis: both are kept as they are.
        shown = f"#{mark.inner}" if mark.kind == "tag" else mark.inner.strip("\n")
    if not shown:
        return ""
    aside.append(shown)
    return f"\U000f0000{len(aside) - 1}\U000f0001"


def _without_line_marks(text: str) -> str:
    """Return text without what stands at the beginning or the end of its lines."""
    if ">" in text:
        text = _QUOTE.sub("", text)
    if "-" in text or "=" in text or "*" in text or "_" in text or "+" in text:
        text = _BULLET.sub("", _RULE.sub("", text))
    if "#" in text:
        text = _HEADING.sub(lambda match: _CLOSING.sub("", match[1] or ""), text)
    if "[" in text:
        text = _TASK.sub(r"\1", text)
    if "|" in text:
        text = _ROW.sub(lambda match: _cells(match[1]), text)
    return _BLOCK_ID.sub("", text) if "^" in text else text


def _cells(row: str) -> str:
    """Return the cells of a table's row, given what follows its first bar."""
    return _CELL.sub(" | ", row.rstrip(" \t").removesuffix("|")).strip()


def _without_emphasis(text: str) -> str:
    """Return text without emphasis, strike-through and Logseq's `^^highlight^^`."""
    if not any(mark in text for mark in ("*", "_", "~~", "^^")):
        return text
    parts: list[str] = []
    position = 0
    for start, end in sorted(_pairs(text)):
        parts.append(text[position:start])
        position = end
    return "".join(parts) + text[position:]


def _pairs(text: str) -> list[tuple[int, int]]:
    """Return the spans of the delimiters that have a partner; the others are characters like any other."""
    found: list[tuple[int, int]] = []
    opened: dict[str, tuple[int, int]] = {}
    for match in _DELIMITER.finditer(text):
        mark = match[0]
        start, end = match.span()
        if mark[0] == "\n":
            opened.clear()
            continue
        before = text[start - 1] if start else " "
        after = text[end] if end < len(text) else " "
        inside_word = mark[0] == "_" and before.isalnum() and after.isalnum()
        if inside_word:
            continue
        if mark in opened and not before.isspace() and not (mark[0] == "_" and after.isalnum()):
            found += [opened.pop(mark), (start, end)]
        elif not after.isspace() and not (mark[0] == "_" and before.isalnum()):
            opened[mark] = (start, end)
    return found


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence: markdown[start:end] is how it is written, text is what a reader sees."""

    start: int
    end: int
    text: str


def sentences(markdown: str, language: str = "en") -> list[Sentence]:
    """Return the sentences of markdown in order, without markers at their beginning.

    An item of a list, a row of a table, a heading, a line of code and a short line are sentences of their
    own; the lines of a wrapped paragraph belong together. language: for abbreviations, see `language`.
    """
    found: list[Sentence] = []
    for start, end, code in _units(markdown):
        spans = [(start, end)] if code else _split(markdown, start, end, language)
        for begin, after in spans:
            written = markdown[begin:after]
            text = written if code else " ".join(plain_text(written).split())
            if text:
                found.append(Sentence(begin, after, text))
    return found


def _units(markdown: str) -> Iterator[tuple[int, int, bool]]:
    """Yield the spans that no sentence crosses, and whether each is code."""
    fence = ""
    start, end, wrapped, marks = 0, 0, False, 0
    last = ""
    for match in _LINES.finditer(markdown):
        line = match[0]
        edge = FENCE.match(line)
        bare = line.strip(" \t>")
        if edge is not None and (not fence or (edge[1].startswith(fence) and not edge[2].strip())):
            fence = "" if fence else edge[1]
        elif fence:
            yield from _trimmed(markdown, match.start(), match.end(), True)
            continue
        elif bare and wrapped and (marks % 2 or _goes_on(last, line)):
            end, last = match.end(), line
            marks += line.count("$$") + line.count("%%")
            continue
        yield from _trimmed(markdown, start, end, False)
        start, end = match.span()
        last, marks = line, line.count("$$") + line.count("%%")
        wrapped = edge is None and bool(bare) and _ALONE.match(line) is None
        if edge is not None or _RULE.fullmatch(line):
            start = end
    yield from _trimmed(markdown, start, end, False)


def _goes_on(before: str, line: str) -> bool:
    """Return whether line goes on with the line before it: it is no item, and no break was meant.

    A line is taken as wrapped by its editor if the next word would not have fitted, or begins small.
    """
    if _ALONE.match(line) or _ITEM.match(line) or before.endswith(("  ", "\\")):
        return False
    # Some characters are white space to `split` alone, as a no-break space is.
    word = next(iter(line.lstrip(" \t>").split(maxsplit=1)), "")
    return word[:1].islower() or len(before.strip()) + 1 + len(word) > SHORT_LINE_CHARS


def _trimmed(markdown: str, start: int, end: int, code: bool) -> Iterator[tuple[int, int, bool]]:
    """Yield the span without white space around it and, outside code, without the marker before it."""
    if not code and (marker := _MARKER.match(markdown, start, end)):
        start = marker.end()
        if "#" in marker[0] and (closing := _CLOSING.search(markdown, start, end)):
            end = closing.start()
    part = markdown[start:end]
    start += len(part) - len(part.lstrip())
    end = start + len(part.strip())
    if start < end:
        yield start, end, code


def _split(markdown: str, start: int, end: int, language: str) -> list[tuple[int, int]]:
    """Return the spans of the sentences in a paragraph."""
    if end - start > MAX_PROSE_CHARS:  # data, not prose
        return [(start, end)]
    # The number of an item is no sentence: "1. first" is one, and "3. Mai" too.
    masked = _NUMBER.sub(lambda match: "x" * len(match[0]), _masked(markdown[start:end]), count=1)
    spans: list[tuple[int, int]] = []
    for boundary in get_sentence_boundaries(language, masked):
        begin = start + int(boundary["start_index"])
        part = markdown[begin : start + int(boundary["end_index"])]
        begin += len(part) - len(part.lstrip())
        if part.strip():
            spans.append((begin, begin + len(part.strip())))
    return spans


def _masked(text: str) -> str:
    """Return text at equal length with markup blank and code, math and links without full stops."""
    parts: list[str] = []
    position = 0
    for mark in scan(text):
        # Sentences may end within a highlight or a field, but not within a link.
        if mark.start < position or (mark.kind in HOLDERS and mark.kind != "link"):
            continue
        parts.append(_EMPHASIS_MARK.sub(" ", text[position : mark.start]))
        shown = text[mark.start : mark.end]
        hidden = mark.kind in ("comment", "template", "html")
        parts.append(" " * len(shown) if hidden else _STOP.sub("x", shown))
        position = mark.end
    parts.append(_EMPHASIS_MARK.sub(" ", text[position:]))
    return _QUOTED_LINE.sub(lambda match: " " * len(match[0]), "".join(parts))
