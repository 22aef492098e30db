"""The marks inside a block: code, math, comments, links, tags, fields and the like, in one pass.

One scanner serves the reader (`markdown`) and the plain text (`plain`), so that what is not a link for
one is not a link for the other. The time is linear in the text: a mark that is never closed is looked
for once, brackets are paired on a stack, and what may be long has a bound.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Mapping
from typing import NamedTuple

from pai_daemon.notes.note import Mark

HOLDERS = ("highlight", "field", "footnote", "link", "macro")
"""The kinds of marks that may hold others."""

MAX_LABEL_CHARS = 4_000
_MAX_PARENTHESES = 32
_UUID = r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"
_MACROS = (
    "query|embed|renderer|video|youtube-timestamp|youtube|vimeo|bilibili|twitter|tweet|cloze"
    "|zotero-imported-file|zotero-linked-file|function|namespace|cards|img|pdf"
)
# Every branch begins with a literal, so that the engine skips to the next candidate by a character table.
_TOKEN = re.compile(
    rf"""
      \\(?P<escape>[!-/:-@\[-`{{-~])
    | `(?P<code>`*)
    | \$(?P<display>\$)
    | \$(?P<math>(?=[^\s$])(?:\\.|[^$\\\n])+?(?<!\s))\$(?![0-9])
    | %(?P<comment>%)
    | <(?P<hidden>!--)
    | <(?P<template>%)
    | <(?P<address>[A-Za-z][A-Za-z0-9+.-]{{1,31}}:[^<>\s]*|[^<>\s@]{{1,200}}@[^<>\s@]{{1,200}})>
    | <(?P<html>/?[A-Za-z][A-Za-z0-9-]*(?:[\s/][^<>]{{0,1000}})?)>
    | \[\[(?P<wikilink>[^\[\]\n]+)\]\]
    | !\[\[(?P<embed>[^\[\]\n]+)\]\]
    | \[\^(?P<note>[^\[\]\s]+)\]
    | \[(?P<citation>(?:[^\[\]@\n]*[\s;(])?-?@[\w{{][^\[\]\n]*)\](?![(\[])
    | \[(?P<label>)
    | !\[(?P<image>)
    | \^\[(?P<footnote>)
    | \](?P<close>)
    # Obsidian: after white space. A tag may also follow the end of an HTML tag.
    | \#(?<![^\s>]\#)(?P<tag>[^\u2000-\u206F\u2E00-\u2E7F'!"\#$%&()*+,.:;<=>?@^`{{|}}~\[\]\\\s]+)
    | :(?P<web>//)
    | :(?P<line>:)(?!\S)
    | \(\((?P<reference>{_UUID})\)\)
    | \((?P<field>(?=[^\s()\[\]:][^()\[\]:\n]{{0,100}}::\s))
    | \{{\{{(?P<macro>(?:{_MACROS})(?:[ \t][^{{}}\n]*)?)\}}\}}
    | =(?P<highlight>=+)
    """,
    re.VERBOSE,
)
_CLOSINGS = {"display": "$$", "comment": "%%", "hidden": "-->", "template": "%>"}
_NAMES = {"display": "math", "hidden": "comment", "embed": "wikilink", "note": "footnote"}
_TICKS = re.compile(r"`+")
_BLANK_LINE = re.compile(r"\n[ \t\r]*\n")
_KEY = re.compile(r"[ \t]*([^\s()\[\]:][^()\[\]:\n]{0,100})::(?=[\s\]])")
_ROUND_FIELD = re.compile(r"([^()\[\]:\n]+)::((?:[^()\n]|\([^()\n]*\))*)\)")
# As Dataview takes it: what is no letter before the key does not belong to it, nor does emphasis around it.
_LINE_KEY = re.compile(
    r"[ \t>]*(?:(?:[-*+]|[0-9]{1,9}[.)])[ \t]+)?(?:\[[^\]\n]\][ \t]+)?\W*+([\w \t/-]*[\w/-])[ \t]*[_*~`]*"
)
_MAX_KEY_CHARS = 200
_LINE_REST = re.compile(r"[^\r\n]*")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*\Z")
_ADDRESS = re.compile(r"(?:[^\s<>\[\]\"`|\\=]|=(?!=))*")
_STOPS = "?!.,:;*_~'"
_ANGLED = re.compile(r"<(?:[^<>\\\n]|\\.)*>")
_DESTINATION = re.compile(r"(?:[^ \t-\r()\\]|\\[!-/:-@\[-`{-~]?)*")
_TITLE = re.compile(
    r"[ \t-\r]+(?:\"(?:[^\"\\]|\\[\s\S])*\"|'(?:[^'\\]|\\[\s\S])*'|\((?:[^()\\]|\\[\s\S])*\))"
)
_SPACE = re.compile(r"[ \t-\r]*")
_REFERENCE = re.compile(r"\[((?:[^\[\]\\]|\\.){0,999})\]")


def scan(
    text: str, start: int = 0, end: int | None = None, definitions: Mapping[str, str] | None = None
) -> list[Mark]:
    """Return the marks of text[start:end] in order of their beginning; offsets are those of text.

    Marks do not overlap, but those of the kinds in HOLDERS may hold others. definitions: the destination of
    each label that `[text][label]` may use, the label as `definition_key` gives it.
    """
    return _Scanner(text, start, len(text) if end is None else end, definitions or {}).scan()


def definition_key(label: str) -> str:
    """Return the form in which the labels of definitions and references are compared."""
    return " ".join(label.split()).casefold()


class _Bracket(NamedTuple):
    """An opening bracket. place: the index kept for its mark. inside: the offset right after it."""

    kind: str
    place: int
    start: int
    inside: int
    key: str


class _Scanner:
    """One pass over a text."""

    def __init__(self, text: str, start: int, end: int, definitions: Mapping[str, str]) -> None:
        self._text = text
        self._start = start
        self._end = end
        self._definitions = definitions
        self._marks: list[Mark | None] = []
        self._brackets: list[_Bracket] = []
        self._unclosed: set[str] = set()
        self._ticks: dict[int, list[int]] | None = None
        self._link_start = -1
        self._line = start
        self._highlight: tuple[int, int] | None = None

    def scan(self) -> list[Mark]:
        """Return the marks in order."""
        position = self._start
        search, text, end = _TOKEN.search, self._text, self._end
        while (match := search(text, position, end)) is not None:
            kind = str(match.lastgroup)
            if kind in _BRANCHES:
                position = _BRANCHES[kind](self, kind, match)
            else:
                position = match.end()
                self._marks.append(Mark(_NAMES.get(kind, kind), match.start(), position, match[kind]))
        return [mark for mark in self._marks if mark is not None]

    def _enclosed(self, kind: str, match: re.Match[str]) -> int:
        """Read code, math, a comment or a template, which hold no other marks; return where to go on."""
        opening, inside = match[0], match.end()
        if opening in self._unclosed:
            return inside
        closing = _CLOSINGS.get(kind, opening)
        if kind == "code":
            close = self._closing_ticks(opening, inside)
        else:
            close = self._text.find(closing, inside, self._end)
        if close < 0:
            self._unclosed.add(opening)
            return inside
        if kind == "code" and _BLANK_LINE.search(self._text, inside, close):
            return inside
        after = close + len(closing)
        self._marks.append(Mark(_NAMES.get(kind, kind), match.start(), after, self._text[inside:close]))
        return after

    def _closing_ticks(self, ticks: str, inside: int) -> int:
        """Return where the next run of exactly as many backticks begins, or -1."""
        if self._ticks is None:
            # All at once: runs of many lengths would each be looked for up to the end.
            self._ticks = {}
            for match in _TICKS.finditer(self._text, inside, self._end):
                self._ticks.setdefault(match.end() - match.start(), []).append(match.start())
        runs = self._ticks.get(len(ticks), [])
        index = bisect_left(runs, inside)
        return runs[index] if index < len(runs) else -1

    def _wikilink(self, kind: str, match: re.Match[str]) -> int:
        """Read a wikilink; brackets around it make no link any more, around an embed they do.

        One that a template will fill is a part of the template.
        """
        if "<%" in match[kind]:
            self._marks.append(Mark("template", match.start(), match.end(), match[kind]))
            return match.end()
        if kind == "wikilink":
            self._link_start = match.start()
        self._marks.append(Mark("wikilink", match.start(), match.end(), match[kind]))
        return match.end()

    def _tag(self, kind: str, match: re.Match[str]) -> int:
        """Read a tag, which has something else than digits."""
        name = match[kind]
        if not (name.isascii() and name.isdigit()):
            self._marks.append(Mark(kind, match.start(), match.end(), name))
        return match.end()

    def _address(self, kind: str, match: re.Match[str]) -> int:
        """Read `<https://…>` or `<name@host>`."""
        address = match[kind] if ":" in match[kind] else f"mailto:{match[kind]}"
        self._marks.append(Mark("link", match.start(), match.end(), address, match[kind]))
        return match.end()

    def _web(self, _kind: str, match: re.Match[str]) -> int:
        """Read an address that stands in the text as it is."""
        begin = match.start()
        scheme = _SCHEME.search(self._text, max(self._start, begin - 32), begin)
        written = _ADDRESS.match(self._text, match.end(), self._end)
        if scheme is None or written is None or not written[0]:
            return match.end()
        address = written[0].rstrip(_STOPS)
        while address.endswith(")") and address.count(")") > address.count("("):
            address = address[:-1].rstrip(_STOPS)
        end = match.end() + len(address)
        address = self._text[scheme.start() : end]
        self._marks.append(Mark("link", scheme.start(), end, address, address))
        return end

    def _line_field(self, _kind: str, match: re.Match[str]) -> int:
        """Read `key:: value` where nothing but the key stands before it on its line."""
        newline = max(self._text.rfind(end, self._line, match.start()) for end in "\n\r")
        begin = newline + 1 if newline >= 0 else self._line
        # Without a line's end since the last one, there was such a pair of colons before on this line.
        is_first = newline >= 0 or begin == self._start
        self._line = match.end()
        if is_first and match.start() - begin <= _MAX_KEY_CHARS:
            key = _LINE_KEY.fullmatch(self._text, begin, match.start())
            rest = _LINE_REST.match(self._text, match.end(), self._end)
            if key is not None and rest is not None and key.start(1) >= self._last_end():
                end = match.end() + len(rest[0].rstrip())
                self._marks.append(Mark("field", key.start(1), end, rest[0].strip(), key[1].strip()))
        return match.end()

    def _last_end(self) -> int:
        """Return where the last mark ends, 0 where the last is an opening bracket or there is none."""
        last = self._marks[-1] if self._marks else None
        return last.end if last is not None else 0

    def _round_field(self, _kind: str, match: re.Match[str]) -> int:
        """Read `(key:: value)`."""
        field = _ROUND_FIELD.match(self._text, match.end(), self._end)
        if field is None:
            return match.end()
        self._marks.append(Mark("field", match.start(), field.end(), field[2].strip(), field[1].strip()))
        return field.end(1) + 2

    def _macro(self, kind: str, match: re.Match[str]) -> int:
        """Read `{{name …}}`; what Obsidian sees in it counts too."""
        self._marks.append(Mark(kind, match.start(), match.end(), match[kind]))
        return match.start() + 2

    def _equals(self, kind: str, match: re.Match[str]) -> int:
        """Read one of the two signs around a highlight, which has no blank inside of them."""
        begin, after = match.span()
        if after - begin != 2:
            return after
        opened, self._highlight = self._highlight, None
        if opened is not None and not self._text[begin - 1].isspace():
            index, inside = opened
            if inside < begin and _BLANK_LINE.search(self._text, inside, begin) is None:
                self._marks[index] = Mark(kind, inside - 2, after, self._text[inside:begin])
                return after
        if after < self._end and not self._text[after].isspace():
            self._highlight = len(self._marks), after
            self._marks.append(None)
        return after

    def _opened(self, kind: str, match: re.Match[str]) -> int:
        """Keep an opening bracket, and a place for the mark that it may begin."""
        key = _KEY.match(self._text, match.end(), self._end) if kind == "label" else None
        self._brackets.append(
            _Bracket(kind, len(self._marks), match.start(), match.end(), key[1].strip() if key else "")
        )
        self._marks.append(None)
        return key.end() if key else match.end()

    def _closed(self, _kind: str, match: re.Match[str]) -> int:
        """Read what a closing bracket closes: a link, an image, a field, a footnote or nothing."""
        begin, after = match.span()
        if not self._brackets:
            return after
        bracket = self._brackets.pop()
        kind, place, start, inside, key = bracket
        leads_on = after < self._end and self._text[after] in "(["
        if not (leads_on or self._definitions or key or kind == "footnote"):
            return after
        if begin - inside > MAX_LABEL_CHARS or _BLANK_LINE.search(self._text, inside, begin):
            return after
        inner = self._text[inside:begin]
        if kind == "footnote":
            self._marks[place] = Mark(kind, start, after, inner)
            return after
        # No link holds another: one that began within these brackets has taken their place.
        if (kind == "image" or self._link_start < start) and (tail := self._tail(inner, after)):
            destination, after = tail
            self._marks[place] = Mark("link", start, after, destination, inner)
            self._link_start = start if kind == "label" else self._link_start
        elif key:
            value = inner.partition("::")[2].strip()
            self._marks[place] = Mark("field", start, after, value, key)
        return after

    def _tail(self, label: str, position: int) -> tuple[str, int] | None:
        """Return the destination of the link whose label ends at position, and where the link ends."""
        if self._text.startswith("(", position, self._end) and (found := self._destination(position + 1)):
            return found
        if not self._definitions:
            return None
        reference = _REFERENCE.match(self._text, position, self._end)
        if reference is not None:
            label, position = reference[1] or label, reference.end()
        destination = self._definitions.get(definition_key(label))
        return None if destination is None else (destination, position)

    def _destination(self, position: int) -> tuple[str, int] | None:
        """Return the destination that begins at position, and the offset after its closing parenthesis."""
        begin = _after(_SPACE, self._text, position, self._end)
        if self._text.startswith("<", begin, self._end):
            after = _after(_ANGLED, self._text, begin, self._end)
            if after == begin:
                return None
        else:
            after = self._bare_destination(begin)
        closing = _after(_TITLE, self._text, after, self._end)
        closing = _after(_SPACE, self._text, closing, self._end)
        if not self._text.startswith(")", closing, self._end):
            return None
        return self._text[begin:after], closing + 1

    def _bare_destination(self, position: int) -> int:
        """Return where a destination without angle brackets ends; its parentheses are in pairs."""
        depth = 0
        while depth <= _MAX_PARENTHESES:
            position = _after(_DESTINATION, self._text, position, self._end)
            char = self._text[position] if position < self._end else ""
            if char == "(":
                depth += 1
            elif char == ")" and depth:
                depth -= 1
            else:
                break
            position += 1
        return position


def _after(pattern: re.Pattern[str], text: str, position: int, end: int) -> int:
    """Return where the match at position ends; position itself where there is none."""
    match = pattern.match(text, position, end)
    return match.end() if match else position


_BRANCHES: dict[str, Callable[[_Scanner, str, re.Match[str]], int]] = {
    **dict.fromkeys(("code", "display", "comment", "hidden", "template"), _Scanner._enclosed),
    **dict.fromkeys(("wikilink", "embed"), _Scanner._wikilink),
    **dict.fromkeys(("label", "image", "footnote"), _Scanner._opened),
    "close": _Scanner._closed,
    "tag": _Scanner._tag,
    "address": _Scanner._address,
    "web": _Scanner._web,
    "line": _Scanner._line_field,
    "field": _Scanner._round_field,
    "macro": _Scanner._macro,
    "highlight": _Scanner._equals,
}
