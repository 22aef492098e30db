"""`pai memory`: what is known about a person, as notes in their vault."""

from __future__ import annotations

from pathlib import Path

import click

from pai_daemon.config import load
from pai_daemon.memory.profile import begin
from pai_daemon.vault.folder import check_vault


@click.group("memory")
def command() -> None:
    """See to what is remembered, and to your profile."""


@command.command("init")
@click.argument("vault", type=click.Path(path_type=Path))
def init(vault: Path) -> None:
    """Begin a profile in VAULT: who you are, told to whatever writes your answers.

    A profile that is there is never overwritten.
    """
    folder = load().memory_folder
    path = begin(check_vault(vault), folder)
    if path is None:
        click.echo(f"There is a profile already, and it stays as it is: {Path(folder) / 'Profile.md'}")
    else:
        click.echo(f"Begun: {path}. Fill in what a friend would know, and delete the rest.")
