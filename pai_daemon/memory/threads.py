"""A conversation as a note: who said what and when, readable, and read back without a doubt. Pure (D84).

Every turn is a callout whose lines all begin with `>`. So nothing that was said can pass for a turn, a
heading, a property or a fact of the note: what begins a turn is a callout after a line without a `>`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from pai_daemon.notes.frontmatter import read_frontmatter

Role = Literal["user", "assistant"]
KIND = "conversation"
_CALLOUTS: dict[Role, str] = {"user": "question", "assistant": "quote"}
_ROLES: dict[str, Role] = {callout: role for role, callout in _CALLOUTS.items()}
_NAMES: dict[Role, str] = {"user": "You", "assistant": "Answer"}
_TURN = re.compile(r"> \[!(question|quote)\] (?:You|Answer), (\d{4}-\d\d-\d\d \d\d:\d\d)")
_ID = re.compile(r"[0-9A-Za-z_-]{4,64}")
# What a file's name may hold on every system, and in a wikilink.
_NOT_IN_A_NAME = re.compile(r"[^\w\s.,()&+'-]+|[\x00-\x1f]")
_TITLE_CHARACTERS = 60
# A line end of any kind begins a line of the callout anew.
_LINE_ENDS = re.compile(r"\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")


@dataclass(frozen=True, slots=True)
class Said:
    """One turn. at: local time, to the minute."""

    role: Role
    text: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Thread:
    """A conversation that is kept. client: with which program it was held, as the settings name it."""

    id: str
    client: str
    turns: tuple[Said, ...]

    @property
    def title(self) -> str:
        """Return what it began with, in short."""
        words = " ".join(self.turns[0].text.split()) if self.turns else ""
        return words if len(words) <= _TITLE_CHARACTERS else words[:_TITLE_CHARACTERS].rsplit(" ", 1)[0] + "…"

    @property
    def last(self) -> datetime | None:
        """Return when the last turn was said."""
        return self.turns[-1].at if self.turns else None


def is_thread_id(given: str) -> bool:
    """Return whether a conversation may be called so: 4 to 64 letters, digits, `-` and `_`."""
    return _ID.fullmatch(given) is not None


def file_name(thread: Thread) -> str:
    """Return the name of a thread's note: the day, what it began with, and its id."""
    day = f"{thread.turns[0].at:%Y-%m-%d}"
    words = " ".join(_NOT_IN_A_NAME.sub(" ", thread.title).split()).strip(" .")
    return " ".join(filter(None, (day, words, f"({thread.id[:8]})"))) + ".md"


def written(thread: Thread) -> str:
    """Return the text of a thread's note."""
    head = {
        "type": KIND,
        "client": thread.client,
        "thread": thread.id,
        "started": thread.turns[0].at.isoformat(timespec="minutes"),
    }
    properties = "\n".join(f"{name}: {json.dumps(value, ensure_ascii=False)}" for name, value in head.items())
    return f"---\n{properties}\n---\n{''.join(map(written_turn, thread.turns))}"


def written_turn(turn: Said) -> str:
    """Return what a turn adds to its note."""
    lines = _LINE_ENDS.split(turn.text.strip())
    body = "\n".join(f"> {line}".rstrip() for line in lines)
    return f"\n> [!{_CALLOUTS[turn.role]}] {_NAMES[turn.role]}, {turn.at:%Y-%m-%d %H:%M}\n{body}\n"


def read_thread(text: str) -> Thread | None:
    """Return the conversation that a note keeps, None for another note. What a person added is no turn."""
    properties = read_frontmatter(text).properties
    thread, client = str(properties.get("thread", "")), str(properties.get("client", ""))
    if properties.get("type") != KIND or not is_thread_id(thread):
        return None
    return Thread(thread, client, tuple(_turns(text)))


def _turns(text: str) -> Iterator[Said]:
    lines = text.split("\n")
    begins = [
        number
        for number, line in enumerate(lines)
        if _TURN.fullmatch(line.rstrip("\r")) and (not number or not lines[number - 1].startswith(">"))
    ]
    for begin in begins:
        match = _TURN.fullmatch(lines[begin].rstrip("\r"))
        assert match is not None
        body = []
        for line in lines[begin + 1 :]:
            if not line.startswith(">"):
                break
            body.append(line.removeprefix(">").removeprefix(" ").rstrip("\r"))
        try:
            at = datetime.strptime(match[2], "%Y-%m-%d %H:%M")
        except ValueError:
            continue
        yield Said(_ROLES[match[1]], "\n".join(body), at)


def threads_in(folder: str, notes: Iterable[tuple[str, str]]) -> Iterator[tuple[str, Thread]]:
    """Yield the conversations among notes, by path; one outside of the folder was written by anybody.

    notes: path and text. folder: of kept conversations, as a path in the vault.
    """
    for path, text in notes:
        if path.startswith(f"{folder}/") and (thread := read_thread(text)) is not None:
            yield path, thread


def expired(threads: Iterable[tuple[str, Thread]], days: int, now: datetime) -> list[str]:
    """Return the paths of threads in which nothing was said for so many days; 0 keeps them for good.

    threads: by path. now: local time without a zone, as the turns have it.
    """
    if not days:
        return []
    before = now - timedelta(days=days)
    return [path for path, thread in threads if (last := thread.last) is not None and last < before]
