"""How texts are made fit for a server: what it can take, in pieces that it has room for. Pure.

A server counts tokens and says no to a text that is too long; what a token is, only it knows. So a text is
cut by its bytes where it is surely too long, and in halves where the server says so. Nothing is dropped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

# What is embedded in the place of an empty text: servers refuse empty ones.
BLANK = "-"
_SPACE = re.compile(r"\s+")


def sendable(text: str) -> str:
    """Return a text that every server takes: no lone surrogate, no NUL, which ends a text for some."""
    clean = text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")
    clean = clean.replace("\0", " ")
    return BLANK if not clean or clean.isspace() else clean


def size_of(text: str) -> int:
    """Return how many bytes of UTF-8 a text takes."""
    return len(text) if text.isascii() else len(text.encode("utf-8"))


def halves(text: str) -> tuple[str, str]:
    """Return a text of at least two characters in two, cut at the white space that is nearest its middle.

    Where its middle half has no white space, it is cut in the middle itself. Joined, the two have all of
    the text but the space between them.
    """
    middle, quarter = len(text) // 2, len(text) // 4
    spaces = [found.span() for found in _SPACE.finditer(text, middle - quarter, middle + quarter)]
    start, end = min(spaces, key=lambda span: abs(span[0] - middle), default=(middle, middle))
    return text[:start], text[end:]


def pieces(text: str, limit_bytes: int) -> list[str]:
    """Return the text in pieces of at most so many bytes, four or more; none of them is blank."""
    if size_of(text) <= limit_bytes or len(text) < 2:
        return [text]
    return [piece for half in halves(text) if half.strip() for piece in pieces(half, limit_bytes)]


def packed(sizes: Sequence[int], most: int, budget_bytes: int) -> Iterator[list[int]]:
    """Yield the numbers of texts that go in one request, in order: at most so many, and so many bytes.

    A text that is larger than the budget goes alone.
    """
    part: list[int] = []
    held = 0
    for number, size in enumerate(sizes):
        if part and (len(part) == most or held + size > budget_bytes):
            yield part
            part, held = [], 0
        part.append(number)
        held += size
    if part:
        yield part
