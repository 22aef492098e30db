"""What an export holds, once it is read: conversations, documents, statements, and what was passed over.

Pure. The readers of each program make these; `importer` keeps them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

Author = Literal["person", "assistant"]
# What no text of a note may hold: controls but tab and line feed, and halves of a character.
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufeff]")
_LINE_ENDS = re.compile(r"\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_MILLISECONDS_FROM = 1e11


@dataclass(frozen=True, slots=True)
class Message:
    """What one side said at a time. files: the names of what was attached."""

    author: Author
    text: str
    said: datetime | None = None
    files: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation, as its current branch has it.

    source: the program, `chatgpt` or `claude`. left_out: what of it was not taken, by reason.
    """

    source: str
    id: str
    title: str
    created: datetime | None
    updated: datetime | None
    messages: tuple[Message, ...]
    url: str = ""
    left_out: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Document:
    """A text that belongs to a project of the other program. project: that project's name."""

    source: str
    id: str
    title: str
    created: datetime | None
    text: str
    project: str = ""


@dataclass(frozen=True, slots=True)
class Statement:
    """A fact that another program had remembered, as it had it. said: when; id: ours, of our own export.

    details: what of our own export a fact has besides.
    """

    text: str
    source: str
    subject: str = ""
    said: datetime | None = None
    id: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class KeptNote:
    """A note of our own export, word by word. path: within the memory folder, posix."""

    path: str
    text: str


@dataclass(frozen=True, slots=True)
class Skipped:
    """Something that was not taken. where: file, member and place; is_loss: the person may miss it."""

    where: str
    why: str
    count: int = 1
    is_loss: bool = True


Record = Conversation | Document | Statement | KeptNote | Skipped


def clean(value: object) -> str:
    """Return a text as a note can hold it: lines end with a line feed, no controls; empty for no text."""
    if not isinstance(value, str):
        return ""
    # Two escaped halves of one character are that character; a half alone is none.
    whole = value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return _CONTROLS.sub("", _LINE_ENDS.sub("\n", whole))


def one_line(value: object) -> str:
    """Return a text with every run of white space as one blank."""
    return " ".join(clean(value).split())


def moment(value: object) -> datetime | None:
    """Return a time given in seconds or milliseconds since 1970, or in ISO 8601; None if it is none."""
    try:
        if isinstance(value, str) and value.strip():
            found = datetime.fromisoformat(value.strip())
            return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
        if isinstance(value, int | float) and not isinstance(value, bool) and value > 0:
            seconds = value / 1000 if value > _MILLISECONDS_FROM else value
            return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        pass
    return None


def listed(value: object) -> list[Any]:
    """Return a list as it is, and nothing for anything else."""
    return value if isinstance(value, list) else []


def mapped(value: object) -> dict[str, Any]:
    """Return an object as it is, and an empty one for anything else."""
    return value if isinstance(value, dict) else {}
