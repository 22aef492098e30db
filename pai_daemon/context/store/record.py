"""What the index remembers of models: whose space answers. A small file beside the tables, replaced whole.

It decides after a kill: before the file is replaced the old space answers, afterwards the new one (D39).
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from pai_daemon.context.space import ModelName

NAME = "model.json"


@dataclass(frozen=True, slots=True)
class Record:
    """Which model answers; None before anything is embedded.

    was_complete: it has once embedded everything there was. revision_base: what the versions of the tables
    add up to less than before, because some were dropped.
    """

    live: ModelName | None = None
    was_complete: bool = False
    revision_base: int = 0


def read_record(folder: Path) -> Record:
    """Return what an index remembers, nothing where it has no such file or a damaged one."""
    try:
        known = json.loads((folder / NAME).read_text("utf-8"))
        said = known["live"]
        live = (
            ModelName(said["name"], said["fingerprint"], said["dimensions"], said["spec"]) if said else None
        )
        record = Record(live, known["was_complete"], known["revision_base"])
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return Record()
    return record if _is_sound(record) else Record()


def _is_sound(record: Record) -> bool:
    """Return whether all that a file says is of the kind that it must be."""
    live = record.live
    return (
        type(record.was_complete) is bool
        and type(record.revision_base) is int
        and record.revision_base >= 0
        and (
            live is None
            or (
                all(isinstance(text, str) for text in (live.name, live.fingerprint, live.spec))
                and type(live.dimensions) is int
                and live.dimensions >= 0
            )
        )
    )


def write_record(folder: Path, record: Record) -> None:
    """Replace the file in one step, on the disk when this returns. Raises OSError."""
    write_whole(folder / NAME, json.dumps(asdict(record)))


def write_whole(path: Path, text: str) -> None:
    """Write a file in one step, on the disk when this returns: a full disk or a kill leaves what was there.

    Raises OSError.
    """
    temporary = path.with_name(f".{path.name}.part")
    with temporary.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
