"""Cuts a stream of JSON into the entries of its list, by brackets and strings alone.

So an entry that is no JSON costs itself and no other, one that is too long is passed over, and depth costs
nothing. Parsers that build values as they go end at the first fault, and take quadratic time for a nest of
brackets (D85). Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

# Groups are atomic, not possessive: Python before 3.11.5 goes wrong where such a one is matched in part.
_STRING_REST = re.compile(rb'[^"\\]*+(?>(?:\\.[^"\\]*+)*)', re.DOTALL)
# Whole strings and all between brackets; ends before a bracket, or a string that is not yet whole.
_WITHIN = re.compile(rb'(?>(?:[^"\[\]{}]++|"[^"\\]*+(?>(?:\\.[^"\\]*+)*)")*)', re.DOTALL)
_BETWEEN = re.compile(rb'[^"\[\]{}]*+')
_BLANKS = b", \t\r\n"


class Splitter:
    """Yields the bytes of each entry, None for one that is longer than most_bytes.

    begin: how much of the stream stands before the entries, the bracket of their list included; 0 where
    each value of the stream is an entry.
    """

    def __init__(self, most_bytes: int, begin: int = 0) -> None:
        self._most = most_bytes
        self._begin = begin
        self._is_list = begin > 0
        self._held = bytearray()
        # How far what is held was looked at, and from where it belongs to the entry that is open.
        self._position = 0
        self._depth = 0
        self._in_string = False
        self._is_over = False
        self._is_done = False

    @property
    def is_open(self) -> bool:
        """Return whether an entry, or their list, has not ended."""
        return self._depth > 0 or self._in_string or (self._is_list and not self._is_done)

    def feed(self, data: bytes) -> Iterator[bytes | None]:
        """Yield the entries that end in some more bytes."""
        if self._begin:
            skipped, data = data[: self._begin], data[self._begin :]
            self._begin -= len(skipped)
        if self._is_done:
            return  # what follows the list is none of it
        self._held += data
        while (ended := self._step()) is not False:
            if ended is not True:
                yield ended
        if self._is_over or len(self._held) > self._most:
            self._is_over = True
            del self._held[: self._position]
            self._position = 0

    def end(self) -> Iterator[bytes]:
        """Yield what stands alone at the end of all, as a number does."""
        if loose := bytes(self._held).strip(_BLANKS):
            if not self.is_open:
                yield loose
            self._held.clear()

    def _step(self) -> bytes | bool | None:
        """Go on to the next mark; return an entry that ended there, True for none, False to wait for more."""
        if self._in_string:
            self._to(_STRING_REST)
            if self._mark() != b'"':
                return False  # at the end, or before half an escape
            self._position += 1
            self._in_string = False
            return True if self._depth else self._ended()
        if not self._depth:
            return self._between()
        self._to(_WITHIN)
        mark = self._mark()
        if not mark:
            return False
        self._position += 1
        if mark == b'"':
            self._in_string = True
            return True
        self._depth += 1 if mark in b"[{" else -1
        return True if self._depth else self._ended()

    def _between(self) -> bytes | bool:
        """Go on to where an entry begins; return what stands before it without brackets, as a number does."""
        self._to(_BETWEEN)
        mark = self._mark()
        if not mark and not self._is_done:
            return False
        loose = bytes(self._held[: self._position]).strip(_BLANKS)
        del self._held[: self._position]
        self._position = 0
        if loose:
            return loose
        if mark in b"]}":
            self._is_done = True
            self._held.clear()
            return False
        self._position = 1
        if mark == b'"':
            self._in_string = True
        else:
            self._depth = 1
        return True

    def _ended(self) -> bytes | None:
        entry = None if self._is_over else bytes(self._held[: self._position])
        if entry is not None and len(entry) > self._most:
            entry = None
        del self._held[: self._position]
        self._position, self._is_over = 0, False
        return entry

    def _to(self, pattern: re.Pattern[bytes]) -> None:
        found = pattern.match(self._held, self._position)
        assert found is not None  # each of them matches nothing, too
        self._position = found.end()

    def _mark(self) -> bytes:
        return bytes(self._held[self._position : self._position + 1])
