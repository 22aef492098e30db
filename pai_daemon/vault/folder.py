"""Whether a folder can be a vault, and of which program."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from pai_daemon.errors import VaultUnavailable
from pai_daemon.notes.logseq import Graph

GRAPH_SETTINGS = "logseq/config.edn"
_MAX_SETTINGS_CHARS = 1024 * 1024


def check_vault(vault: Path) -> Path:
    """Return the real path of a vault; raises VaultUnavailable when it cannot be one."""
    hint = "Give the folder that Obsidian opens, for example: pai start ~/Notes"
    try:
        real = vault.expanduser().resolve(strict=True)
    except (OSError, RuntimeError) as error:
        raise VaultUnavailable(f"There is no folder {vault}.", hint=hint) from error
    if not real.is_dir():
        raise VaultUnavailable(f"{vault} is a file, not a folder.", hint=hint)
    if not os.access(real, os.R_OK | os.X_OK):
        raise VaultUnavailable(f"The folder {vault} may not be read.", hint="Check its permissions.")
    return real


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
