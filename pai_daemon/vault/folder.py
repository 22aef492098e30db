"""Whether a folder can be a vault, and of which program."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pai_daemon.errors import VaultUnavailable
from pai_daemon.notes.logseq import Graph
from pai_daemon.notes.reader import NOTE_SUFFIXES

GRAPH_SETTINGS = "logseq/config.edn"
GRAPH_DATABASE = "db.sqlite"
PROPERTY_TYPES = ".obsidian/types.json"
TASK_SETTINGS = ".obsidian/plugins/obsidian-tasks-plugin/data.json"
_MAX_SETTINGS_CHARS = 1024 * 1024


def check_vault(vault: Path) -> Path:
    """Return the absolute path of a vault; raises VaultUnavailable when it cannot be one.

    A symbolic link is kept as it is, so that it may be pointed elsewhere later.
    """
    hint = "Give the folder that Obsidian opens, for example: pai start ~/Notes"
    try:
        given = Path(os.path.abspath(vault.expanduser()))  # noqa: PTH100 - Path has no such function
        real = given.resolve(strict=True)
    except (OSError, RuntimeError) as error:
        raise VaultUnavailable(f"There is no folder {vault}.", hint=hint) from error
    if not real.is_dir():
        raise VaultUnavailable(f"{vault} is a file, not a folder.", hint=hint)
    if not os.access(real, os.R_OK | os.X_OK):
        raise VaultUnavailable(f"The folder {vault} may not be read.", hint="Check its permissions.")
    if (real / GRAPH_DATABASE).is_file() and not _holds_notes(real):
        raise VaultUnavailable(
            f"{vault} is a Logseq graph that keeps its notes in a database, which is not read.",
            hint="In Logseq choose Export graph, Export as Markdown, and give the folder of the export.",
        )
    return given


def _holds_notes(root: Path) -> bool:
    """Return whether a note lies anywhere under root; the first one found is enough.

    A PDF is none here: it may be an asset of a graph in a database.
    """
    suffixes = tuple(suffix for suffix in NOTE_SUFFIXES if suffix != ".pdf")
    return any(
        name.lower().endswith(suffixes) and not name.startswith(".")
        for _, _, files in os.walk(root)
        for name in files
    )


@dataclass(frozen=True, slots=True)
class Layout:
    """How the notes of a vault are kept. graph: the Logseq graph, None for Obsidian and plain folders."""

    graph: Graph | None


def layout_of(root: Path) -> Layout:
    """Return the layout of the vault at root: a graph by its `logseq/config.edn`, or by its folders."""
    try:
        with (root / GRAPH_SETTINGS).open(encoding="utf-8", errors="replace") as file:
            return Layout(Graph.parse(file.read(_MAX_SETTINGS_CHARS)))
    except OSError:
        pass
    folders = (root / "pages", root / "journals")
    is_graph = (root / "logseq").is_dir() and any(folder.is_dir() for folder in folders)
    return Layout(Graph() if is_graph else None)


def read_property_types(root: Path) -> Mapping[str, str]:
    """Return the types that the Obsidian vault at root gives to properties; none if it says nothing."""
    settings = _settings(root / PROPERTY_TYPES)
    types = settings.get("types") if isinstance(settings, dict) else None
    found = types.items() if isinstance(types, dict) else ()
    return {name: kind for name, kind in found if isinstance(kind, str)}


def read_task_statuses(root: Path) -> Mapping[str, str]:
    """Return the marks of boxes to their types, such as `IN_PROGRESS`, as the plugin Tasks is set up.

    None where it is not there or says nothing.
    """
    settings = _settings(root / TASK_SETTINGS)
    statuses = settings.get("statusSettings") if isinstance(settings, dict) else None
    found: dict[str, str] = {}
    for name in ("coreStatuses", "customStatuses"):
        listed = statuses.get(name) if isinstance(statuses, dict) else None
        for each in listed if isinstance(listed, list) else ():
            symbol, kind = (each.get("symbol"), each.get("type")) if isinstance(each, dict) else (None, None)
            if isinstance(symbol, str) and isinstance(kind, str) and kind != "EMPTY":
                found.setdefault(symbol, kind)
    return found


def _settings(path: Path) -> Any:
    """Return what a file of settings says, None where it cannot be read."""
    try:
        with path.open("rb") as file:
            return json.loads(file.read(_MAX_SETTINGS_CHARS))
    except (OSError, ValueError, RecursionError):
        return None
