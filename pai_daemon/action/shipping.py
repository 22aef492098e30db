"""The routines that come along: notes that are put into a vault, to be read and changed there."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pai_daemon.action.reading import read_routine
from pai_daemon.action.routine import Wrong
from pai_daemon.config import Settings
from pai_daemon.errors import NoteChanged, NotFound, UsageError
from pai_daemon.notes.frontmatter import read_frontmatter
from pai_daemon.vault.shelf import Shelf

FOLDER = Path(__file__).with_name("shipped")
_FEEDS = re.compile(r"(?m)(?:^  - feed: .*\n)+")
_SCHEDULE = re.compile(r"(?m)^schedule: .*$")


@dataclass(frozen=True, slots=True)
class Shipped:
    """A routine that comes along. name: as it is asked for; title: of its note."""

    name: str
    title: str
    description: str
    text: str


def names() -> list[str]:
    """Return the names of the shipped routines."""
    return [_name(file) for file in sorted(FOLDER.glob("*.md"))]


def shipped(name: str) -> Shipped:
    """Return a shipped routine. Raises NotFound."""
    for file in FOLDER.glob("*.md"):
        if _name(file) == _name(Path(f"{name}.md")):
            text = file.read_text("utf-8")
            description = str(read_frontmatter(text).properties.get("description", ""))
            return Shipped(_name(file), file.stem, description, text)
    near = difflib.get_close_matches(name, names(), n=1)
    hint = f"Is it {near[0]}?" if near else f"There are {', '.join(names())}."
    raise NotFound(f"There is no shipped routine {name!r}.", hint=hint)


def install(
    name: str, vault: Path, settings: Settings, *, feeds: Sequence[str] = (), schedule: str = ""
) -> str:
    """Put a shipped routine into a vault; return its path there.

    feeds: take the place of those it comes with. Raises NotFound, UsageError for a wrong schedule or feed,
    and NoteChanged where its note is there already.
    """
    routine = shipped(name)
    text = routine.text
    if feeds:
        if not _FEEDS.search(text):
            raise UsageError(f"The routine {routine.name} reads no feeds.")
        lines = "".join(f"  - feed: {json.dumps(feed)}\n" for feed in feeds)
        text = _FEEDS.sub(lambda _: lines, text)
    if schedule:
        text = _SCHEDULE.sub(lambda _: f"schedule: {json.dumps(schedule, ensure_ascii=False)}", text)
    folder = settings.routines_folder.strip("/")
    path = f"{folder}/{routine.title}.md"
    found = read_routine(path, text, folder=folder)
    if isinstance(found, tuple):
        first: Wrong = found[0]
        raise UsageError(first.message, hint=first.hint)
    shelf = Shelf(vault, "", settings.actions_dir(vault) / "undo")
    if shelf.taken(path):
        raise NoteChanged(f"{path} is there already.", hint="Change it there, or delete it first.")
    shelf.write(path, text, before=None)
    return path


def _name(file: Path) -> str:
    return file.stem.lower().replace(" ", "-")
