"""One change that may be made to the notes, a plain value. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from pai_daemon.action.grant import ActionKind


@dataclass(frozen=True, slots=True)
class Action:
    """What is to be done.

    path: of the note, in the vault. text: what is written. heading: under which
    it is inserted, without its #, "" for the end. section: the block id of the section that it replaces, if
    it is there as it was written. name, value: of a property. to: a move's new path; a link's target.
    """

    kind: ActionKind
    path: str
    text: str = ""
    heading: str = ""
    section: str = ""
    name: str = ""
    value: str = ""
    to: str = ""
