"""What a routine or a program may do without being asked each time: one kind of action in one place. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import Literal, get_args

import pathspec

from pai_daemon.errors import UsageError

ActionKind = Literal["create", "append", "insert", "section", "set_property", "add_link", "move"]
KINDS: tuple[str, ...] = get_args(ActionKind)
# Who may append to a note may put a section of its own there, and begin the note.
_COVERED = {"append": ("append", "insert", "section"), "create": ("create",)}
_WILD = re.compile(r"[*?\[]")
HINT = (
    f"Write `append: Journal/**`, with `until 2027-01-01` behind it where it ends. Kinds: {', '.join(KINDS)}."
)


@dataclass(frozen=True, slots=True)
class Grant:
    """A kind of action, and a pattern of the paths that it may touch.

    Written `append: Journal/**`, with `until 2027-01-01` behind it where it ends.
    """

    kind: ActionKind
    pattern: str
    until: date | None = None

    def covers(self, kind: str, path: str, today: date) -> bool:
        """Return whether an action of this kind at this path is granted on a day, the last one included."""
        if kind not in _COVERED.get(self.kind, (self.kind,)) or (self.until and today > self.until):
            return False
        if not pathspec.PathSpec.from_lines("gitignore", [f"/{self.pattern.lstrip('/')}"]).match_file(path):
            return False
        pattern = self.pattern.strip("/")
        name = pattern.rpartition("/")[2]
        if name == "**" or not (name.lower().endswith(".md") or _WILD.search(name)):
            return True  # a folder
        # gitignore would go on below a folder that is named as the note is.
        is_as_deep = "**" in pattern or path.count("/") == pattern.count("/")
        own = path.rpartition("/")[2]
        return is_as_deep and pathspec.PathSpec.from_lines("gitignore", [name]).match_file(own)

    @property
    def written(self) -> str:
        """Return the grant as it is written."""
        return f"{self.kind}: {self.pattern}" + (f" until {self.until}" if self.until else "")


def read_pattern(pattern: str) -> None:
    """Raise UsageError for a pattern of paths that is none."""
    try:
        pathspec.PathSpec.from_lines("gitignore", [f"/{pattern.lstrip('/')}"])
    except ValueError:
        raise UsageError(f"{pattern!r} is no pattern of paths.", hint="Write it as Journal/**.") from None


def read_grant(kind: str, pattern: str) -> Grant:
    """Return a grant as it is written. Raises UsageError."""
    for known in KINDS:
        if known == kind.strip().replace("-", "_"):
            place, is_ending, day = pattern.strip().partition(" until ")
            if not place.strip() or place.strip().startswith(("!", "#")):
                raise UsageError(f"A grant of {kind} names no place.", hint=HINT)
            try:
                until = date.fromisoformat(day.strip()) if is_ending else None
            except ValueError:
                raise UsageError(f"{day.strip()!r} is no day.", hint=HINT) from None
            read_pattern(place.strip())
            return Grant(known, place.strip(), until)  # type: ignore[arg-type]
    raise UsageError(f"There is no action {kind!r}.", hint=HINT)
