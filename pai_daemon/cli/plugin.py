"""`pai plugin install`: put the Obsidian plugin into a vault."""

from __future__ import annotations

from pathlib import Path

import click

from pai_daemon.cli.output import console
from pai_daemon.plugin.install import install
from pai_daemon.vault.folder import check_vault


@click.group("plugin")
def command() -> None:
    """Manage the Obsidian plugin."""


@command.command("install")
@click.argument("vault", type=click.Path(path_type=Path))
def install_command(vault: Path) -> None:
    """Put the plugin into VAULT, or bring it up to date; its settings are kept."""
    console.print(f"The plugin is {install(check_vault(vault))} in {vault}.")
