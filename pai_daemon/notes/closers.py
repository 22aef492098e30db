"""Where the blocks of a Logseq page that run over several lines are closed.

Logseq's parser takes an opening for what it is only if it is closed somewhere below. To look below at every
opening would take the square of the text, so all closings are found once, ahead.
"""

from __future__ import annotations

import re
from bisect import bisect_right

_LINE = re.compile(
    r"(?:^|(?<=\r))[ \t]*(?:(?P<fence>```|~~~)|#\+END_(?P<begin>\S+)|(?P<drawer>:END:))",
    re.MULTILINE | re.IGNORECASE,
)
_TAG = re.compile(
    r"<(/?)(a|article|aside|audio|b|blockquote|button|center|code|details|div|dl|em|figure|font|footer|form"
    r"|h[1-6]|header|i|iframe|kbd|label|li|main|mark|nav|ol|p|pre|s|section|small|span|strong|style|sub"
    r"|summary|sup|svg|table|u|ul|video|script)\b[^<>\n]*>",
    re.IGNORECASE,
)
_MARKS = ("$$", "-->")


class Closers:
    """The closings in a text; each question is answered in O(log n)."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._lines: dict[str, list[int]] = {}
        for match in _LINE.finditer(text):
            name = match["begin"].lower() if match["begin"] else str(match.lastgroup)
            self._lines.setdefault(name, []).append(match.start())
        self._tags = _tag_pairs(text) if "</" in text else {}
        self._last = {mark: text.rfind(mark) for mark in _MARKS}

    def line_after(self, name: str, offset: int) -> int:
        """Return where the first line after the offset begins that closes a block, -1 where there is none.

        name: `fence`, `drawer`, or what stands after `#+BEGIN_`, in lower case.
        """
        lines = self._lines.get(name, [])
        index = bisect_right(lines, offset)
        return lines[index] if index < len(lines) else -1

    def mark_end(self, mark: str, offset: int) -> int:
        """Return where the next `$$` or `-->` from the offset on ends, -1 where there is none."""
        return self._text.index(mark, offset) + len(mark) if offset <= self._last[mark] else -1

    def tag_end(self, offset: int) -> int:
        """Return where the HTML element that begins at the offset ends, -1 where it is never closed."""
        return self._tags.get(offset, -1)


def _tag_pairs(text: str) -> dict[int, int]:
    """Return for each HTML tag that is closed where its element ends."""
    pairs: dict[int, int] = {}
    opened: dict[str, list[int]] = {}
    for match in _TAG.finditer(text):
        name = match[2].lower()
        if not match[1]:
            opened.setdefault(name, []).append(match.start())
        elif opened.get(name):
            pairs[opened[name].pop()] = match.end()
    return pairs
