"""Where an offset lies: its line and column, and its place in UTF-8 bytes and UTF-16 units.

Python counts code points, files count bytes, and editors (CodeMirror, LSP) count UTF-16 units.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable
from functools import cached_property
from itertools import accumulate

_LINE_END = re.compile(r"\r\n?|\n")


def line_starts(text: str, start: int = 0) -> list[int]:
    """Return where the lines of text from start on begin; a line ends as in CommonMark."""
    if "\r" not in text:
        starts = [start]
        position = text.find("\n", start)
        while position >= 0:
            starts.append(position + 1)
            position = text.find("\n", position + 1)
        return starts
    return [start, *(match.end() for match in _LINE_END.finditer(text, start))]


class Positions:
    """The places of one text, each found in logarithmic time plus the length of its line.

    starts: the offset at which each line begins. An offset may be any from 0 to the length of the text.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.starts = line_starts(text)

    def line(self, offset: int) -> int:
        """Return the line that holds the offset, from 1."""
        return bisect_right(self.starts, offset)

    def column(self, offset: int) -> int:
        """Return the column within the line in code points, from 1."""
        return offset - self.line_start(offset) + 1

    def line_start(self, offset: int) -> int:
        """Return where the line that holds the offset begins."""
        return self.starts[bisect_right(self.starts, offset) - 1]

    def utf8(self, offset: int) -> int:
        """Return the number of bytes before the offset in UTF-8."""
        if self._ascii:
            return offset
        index = bisect_right(self.starts, offset) - 1
        return self._bytes[index] + _utf8(self.text[self.starts[index] : offset])

    def utf16(self, offset: int) -> int:
        """Return the number of units before the offset in UTF-16."""
        if self._ascii:
            return offset
        index = bisect_right(self.starts, offset) - 1
        return self._units[index] + _utf16(self.text[self.starts[index] : offset])

    def column_utf16(self, offset: int) -> int:
        """Return the number of UTF-16 units between the begin of the line and the offset."""
        return _utf16(self.text[self.line_start(offset) : offset])

    def offset_utf8(self, count: int) -> int:
        """Return the offset with this number of bytes before it; inside a character, that character's."""
        if self._ascii:
            return count
        index = bisect_right(self._bytes, count) - 1
        data = self._line(index).encode("utf-8", "surrogatepass")[: count - self._bytes[index]]
        # What is cut in a character has fewer bytes than the character, and is left out.
        return self.starts[index] + len(data.decode("utf-8", "ignore"))

    def offset_utf16(self, count: int) -> int:
        """Return the offset with this number of UTF-16 units before it; within a pair, the pair's."""
        if self._ascii:
            return count
        index = bisect_right(self._units, count) - 1
        data = self._line(index).encode("utf-16-le", "surrogatepass")[: 2 * (count - self._units[index])]
        return self.starts[index] + len(data.decode("utf-16-le", "ignore"))

    def _line(self, index: int) -> str:
        """Return a line with its end."""
        end = self.starts[index + 1] if index + 1 < len(self.starts) else len(self.text)
        return self.text[self.starts[index] : end]

    @cached_property
    def _ascii(self) -> bool:
        return self.text.isascii()

    @cached_property
    def _bytes(self) -> list[int]:
        """The bytes before each line."""
        return self._before(_utf8)

    @cached_property
    def _units(self) -> list[int]:
        """The UTF-16 units before each line."""
        return self._before(_utf16)

    def _before(self, size: Callable[[str], int]) -> list[int]:
        """Return the sum of the sizes of all lines before each line."""
        return [0, *accumulate(size(self._line(index)) for index in range(len(self.starts) - 1))]


def _utf8(text: str) -> int:
    """Return the number of bytes in UTF-8."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def _utf16(text: str) -> int:
    """Return the number of units in UTF-16."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2
