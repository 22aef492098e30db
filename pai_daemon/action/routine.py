"""A routine: a note that says when something is done, from what, and what may become of it. Pure.

The frontmatter says when (`schedule`, `on`), from what (`inputs`) and where to (`writes`, `grants`,
`limits`); the body is the prompt.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pai_daemon.action.grant import Grant

InputKind = Literal["feed", "url", "daily", "query", "notes", "changed", "tasks", "links", "on_this_day"]
WriteKind = Literal["section", "create", "proposals", "none"]
Cause = Literal["note", "tag", "webhook", "start"]
OnMissed = Literal["run_once", "skip"]


@dataclass(frozen=True, slots=True)
class Input:
    """Where a routine's material comes from.

    what: a feed's or page's address; a question to the vault; patterns of paths; days back (`7d`) of daily or
    changed notes; which tasks (`open`, `overdue`).
    """

    kind: InputKind
    what: str


@dataclass(frozen=True, slots=True)
class Trigger:
    """What a routine runs on beside the clock.

    what: a pattern of paths, a tag. change: which changes of a note count.
    debounce_s: how long it must be quiet before the routine runs.
    """

    cause: Cause
    what: str = ""
    change: Literal["created", "changed", "any"] = "any"
    debounce_s: float = 30.0


@dataclass(frozen=True, slots=True)
class Writes:
    """What becomes of the text.

    to: `daily`, or the path of a note, in which {{date}} and the like stand for the run's day. heading: under
    which a section is put, without its #; "" for the end of the note. template: the path of a note whose text
    a new note is made from.
    """

    kind: WriteKind = "none"
    to: str = ""
    heading: str = ""
    template: str = ""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a run may take. hosts: the only ones that it may ask, each exact or `*.example.org`."""

    time_s: float = 120.0
    tokens: int = 2000
    hosts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Routine:
    """A routine as its note says.

    name: the note's path below the folder of routines, without `.md`. schedule: as written, "" for none;
    timezone: of IANA's names, "" for this machine's. model: a generator's name, "" for the daemon's own,
    `none` for quoting alone. shipped: the shipped routine whose way of composing is used, "" where
    the prompt says all. grace_s: how late a missed run is still made.
    """

    name: str
    path: str
    title: str
    prompt: str
    schedule: str = ""
    timezone: str = ""
    triggers: tuple[Trigger, ...] = ()
    inputs: tuple[Input, ...] = ()
    model: str = ""
    writes: Writes = Writes()
    grants: tuple[Grant, ...] = ()
    limits: Limits = Limits()
    on_missed: OnMissed = "run_once"
    grace_s: float = 4 * 3600.0
    retries: int = 2
    enabled: bool = True
    shipped: str = ""


@dataclass(frozen=True, slots=True)
class Wrong:
    """What is wrong with a routine's note, at which line from 1, and what to write instead."""

    path: str
    line: int
    message: str
    hint: str = ""
