"""`pai export`: all of memory as one file of JSON lines, which `pai import` takes back."""

from __future__ import annotations

import secrets
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from rich.markup import escape

from pai_daemon.cli.doctor_index import only_vault
from pai_daemon.cli.output import client_options, console, counted, show_json
from pai_daemon.config import load
from pai_daemon.errors import UsageError
from pai_daemon.memory.exporting import export
from pai_daemon.memory.rules import Rules
from pai_daemon.vault.folder import check_vault
from pai_daemon.vault.shelf import Shelf


@click.command("export")
@click.argument("file", required=False, type=click.Path(path_type=Path, allow_dash=True))
@click.option("--force", is_flag=True, help="Replace a file of that name.")
@client_options
def command(file: Path | None, force: bool, vault: Path | None, as_json: bool, **_: Any) -> None:
    """Write all of memory into FILE as JSON lines: facts, profile, conversations.

    Without FILE it is printed. Notes that are left out of everything (`pai: false`, patterns) are left out
    here, too.
    """
    settings = load()
    root = check_vault(vault if vault is not None else only_vault(settings))
    shelf = Shelf.of(root, settings)
    lines = export(shelf, Rules.of(shelf, settings).is_let_in, datetime.now(UTC))
    if file is None or str(file) == "-":
        for line in lines:
            sys.stdout.write(line)
        return
    if file.exists() and not force:
        raise UsageError(f"{file} is there already.", hint="Give another name, or --force.")
    temporary = file.with_name(f".{file.name}.{secrets.token_hex(4)}.tmp")
    notes = facts = 0
    try:
        with temporary.open("x", encoding="utf-8", newline="\n") as out:
            temporary.chmod(0o600)
            for line in lines:
                out.write(line)
                notes += line.startswith('{"type": "note"')
                facts += line.startswith('{"type": "fact"')
        temporary.replace(file)
    except OSError as error:
        raise UsageError(f"{file} cannot be written: {error.strerror}.") from error
    finally:
        temporary.unlink(missing_ok=True)
    if as_json:
        show_json({"file": str(file), "notes": notes, "facts": facts})
        return
    console.print(
        f"{counted(notes, 'note')} with {counted(facts, 'fact')} in [bold]{escape(str(file))}[/].",
        soft_wrap=True,
    )
