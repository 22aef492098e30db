"""What a person's query says: words, phrases in quotes, and words to leave out. Pure.

`"exact words"` is a phrase, and `-word` or `-"exact words"` leaves out what holds it. Both are read only
where they stand alone, so that `5" disk`, `a - b` and `well-known` are plain words. Whatever else a person
types is words: nothing raises.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

# A phrase or an exclusion costs a query of its own; no person types more.
MAX_OPERATORS = 16
_OPERATOR = re.compile(r'(?<![^\s(])(?:(?P<minus>-?)"(?P<phrase>[^"]*)"(?!\w)|-(?P<word>[^\W\d_][^\s"]+))')
CURLED = str.maketrans("“”„‟", '""""')


@dataclass(frozen=True, slots=True)
class Asked:
    """A query, read. text: what is looked for word by word; phrases and excluded: each exact words."""

    text: str
    phrases: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()

    @property
    def meaning(self) -> str:
        """Return the query as a person would say it, without what is left out; for a model."""
        if not self.phrases and not self.excluded:
            return self.text
        return " ".join(" ".join((*self.phrases, self.text)).split())


def read(query: str) -> Asked:
    """Return what a query says."""
    query = query.translate(CURLED)
    phrases: list[str] = []
    excluded: list[str] = []

    def take(found: re.Match[str]) -> str:
        words = found["word"] or found["phrase"] or ""
        if not any(map(str.isalnum, words)):
            return " "
        (excluded if found["word"] or found["minus"] else phrases).append(words)
        return " "

    text = _OPERATOR.sub(take, query, count=MAX_OPERATORS)
    return Asked(text, tuple(phrases), tuple(excluded))


def plain(text: str) -> str:
    """Return a text, say of a note, as words alone: what looks like a phrase or an exclusion is none."""
    return re.sub(r"(?<!\S)-", " ", text.translate(CURLED).replace('"', " "))
