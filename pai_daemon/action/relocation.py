"""A move as an action: the note at its new path, and every note that links to it, before and after."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pai_daemon.action.moving import Vault, planned_move
from pai_daemon.action.spelling import link_form
from pai_daemon.context.catalog import Catalog
from pai_daemon.context.reading import Reader
from pai_daemon.errors import NoteChanged, UsageError
from pai_daemon.vault.shelf import Shelf

SETTINGS = ".obsidian/app.json"
_MARK = "\ufeff"


@dataclass(frozen=True, slots=True)
class Relocation:
    """Plans the moves of one vault's notes. Called from any thread."""

    shelf: Shelf
    catalog: Catalog
    reader: Reader

    def __call__(self, old: str, new: str) -> Mapping[str, tuple[str | None, str | None]]:
        """Return the texts before and after by path, the new note first and the old one last.

        Raises NotFound, UsageError for what cannot be moved, and NoteChanged for what is being changed.
        """
        if not old.lower().endswith((".md", ".markdown")):
            raise UsageError(f"{old} is no Markdown note.", hint="Move other files in your file manager.")
        vault = Vault(
            notes=self.catalog.notes(),
            attachments=self.catalog.attachments(),
            load=lambda path: (self.shelf.vault / path).read_bytes(),
            read=self.reader.read,
            form=link_form(_read(self.shelf.vault / SETTINGS)),
            graph=self.reader.graph,
        )
        moved = planned_move(vault, old, new)
        created, changed, gone = {}, {}, {}
        for path in {**moved.texts, **moved.paths}:
            before = self.shelf.read(path)
            if before is None:
                raise NoteChanged(f"{path} is gone meanwhile.")
            after = before
            if path in moved.texts:
                mark = _MARK if before.startswith(_MARK) else ""
                if before.removeprefix(_MARK).replace("\0", "\ufffd") != moved.before[path]:
                    raise NoteChanged(f"{path} has changed meanwhile.", hint="Try again.")
                after = mark + moved.texts[path]
            if (target := moved.paths.get(path)) is None:
                changed[path] = (before, after)
            else:
                created[target] = (None, after)
                gone[path] = (before, None)
        return {**created, **changed, **gone}


def _read(file: Path) -> str | None:
    try:
        return file.read_text("utf-8")
    except (OSError, ValueError):
        return None
