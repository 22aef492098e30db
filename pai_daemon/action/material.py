"""What a routine's text is made from: pieces of notes, feeds and pages, each with where it is from. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from pai_daemon.action.action import Action

Source = Literal["note", "feed", "page", "task", "link", "payload"]


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of material. It is data, whatever it says.

    link: Markdown or a wikilink that opens it. group: the feed's title, the note's folder. when: the entry's
    or the note's day, with its zone. is_private: it is not to leave this machine.
    """

    source: Source
    title: str
    text: str
    link: str
    group: str = ""
    when: datetime | None = None
    path: str = ""
    is_private: bool = False


@dataclass(frozen=True, slots=True)
class Material:
    """All that a run was given. warnings: what could not be had, and why. known: ids that count as read."""

    pieces: tuple[Piece, ...] = ()
    warnings: tuple[str, ...] = ()
    known: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Written:
    """The text of a run. prompt: as the generator was told it, "" where none was asked.

    stages: what ran. generator: its name as a person reads it. actions: what it proposes besides its text.
    """

    text: str
    prompt: str = ""
    generator: str = ""
    stages: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    tokens: int | None = None
    actions: tuple[Action, ...] = ()
