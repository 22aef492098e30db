"""What a routine or a program may do without being asked each time: one kind of action in one place. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

ActionKind = Literal[
    "create", "append", "insert", "section", "set_property", "add_link", "move", "call_webhook"
]


@dataclass(frozen=True, slots=True)
class Grant:
    """A kind of action, and a pattern of the paths (of a webhook: the hosts) that it may touch.

    Written `append: Journal/**`, with `until 2027-01-01` behind it where it ends.
    """

    kind: ActionKind
    pattern: str
    until: date | None = None
