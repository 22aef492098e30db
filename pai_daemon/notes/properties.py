"""Logseq's properties: lines `key:: value`, what they are called, and which of them are no text.

Which block a property belongs to is known to `bullets`; what a page's properties mean, to `outline`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

# A colon, a quote or a bracket in a key makes the line text; Logseq would not keep such a property either.
PROPERTY = re.compile(r"[ \t]*(?:([^\s:\"^(){}\[\]#`]+)::(?=[ \t]|\Z)|#\+(\w+):(?=[ \t]))[ \t]*")
# Within a drawer, the way of org-mode.
DRAWN_PROPERTY = re.compile(r"[ \t]*:([^\s:]+):[ \t]*")

# Logseq writes these for itself and shows none of them.
_BOOKKEEPING = re.compile(
    r"(?:(?:custom-)?id|collapsed|heading|background-(?:color|image)|(?:created|updated|last-modified)-at|ls-type"
    r"|todo|doing|now|later|done|icon|template(?:-including-parent)?|public|filters|exclude-from-graph-view"
    r"|(?:query|hl)-.*|logseq\..*)\Z"
)
# The header of every chunk says these of its page.
_NAMING = frozenset(("title", "alias", "aliases", "tags"))
_LISTS = _NAMING - {"title"}


@dataclass(frozen=True, slots=True)
class Property:
    """A line `key:: value`; the key in Logseq's form, the value as written.

    start and end: the line without white space around it. value_start: where the value begins. owner: the
    index of the block that has the property, -1 for the text before all bullets.
    """

    key: str
    value: str
    start: int
    end: int
    value_start: int
    line: int
    owner: int

    @property
    def is_list(self) -> bool:
        """Whether the value is names between commas; in any other property only marks name something."""
        return self.key in _LISTS

    @property
    def is_quoted(self) -> bool:
        """Whether the value stands in quotation marks, between which nothing is a mark."""
        return len(self.value) > 1 and self.value[0] == self.value[-1] == '"'


def normal_key(key: str) -> str:
    """Return a property's name as Logseq compares it."""
    return key.lower().replace("_", "-").replace("/", "-")


def is_text(key: str, *, of_page: bool) -> bool:
    """Return whether a property is something a reader would look for in the text of its block."""
    if of_page and key in _NAMING:
        return False
    return _BOOKKEEPING.match(key) is None
