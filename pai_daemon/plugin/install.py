"""Puts the built plugin into a vault, where Obsidian looks for it."""

from __future__ import annotations

import json
import os
from importlib import resources
from pathlib import Path

from pai_daemon.errors import VaultUnavailable
from pai_daemon.vault.folder import layout_of

FILES = ("manifest.json", "main.js", "styles.css")
PLUGIN_ID = "pai-daemon"


def is_enabled(vault: Path) -> bool:
    """Return whether Obsidian has the plugin switched on in a vault."""
    try:
        enabled = json.loads((vault / ".obsidian" / "community-plugins.json").read_text("utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(enabled, list) and PLUGIN_ID in enabled


def is_for_obsidian(vault: Path) -> bool:
    """Return whether Obsidian opens a vault; a graph of Logseq, where it did so before."""
    return layout_of(vault).graph is None or (vault / ".obsidian").is_dir()


def install(vault: Path) -> str:
    """Copy the plugin's files into a vault; return `installed`, `updated` or `already`.

    Only files that differ are replaced, each atomically; the plugin's settings (data.json) are
    never touched. Raises VaultUnavailable when the vault may not be written.
    """
    folder = vault / ".obsidian" / "plugins" / PLUGIN_ID
    existed = (folder / "manifest.json").exists()
    changed = False
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in FILES:
            content = resources.files("pai_daemon.plugin").joinpath(name).read_bytes()
            target = folder / name
            if target.is_file() and target.read_bytes() == content:
                continue
            changed = True
            temporary = folder / f".{name}.{os.getpid()}"
            temporary.write_bytes(content)
            temporary.replace(target)
    except OSError as error:
        raise VaultUnavailable(
            f"The plugin cannot be written into {folder}: {error.strerror}.",
            hint="Check the folder's permissions, or start without --install-plugin.",
        ) from error
    if not existed:
        return "installed"
    return "updated" if changed else "already up to date"
