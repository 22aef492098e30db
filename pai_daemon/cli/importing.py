"""`pai import`: takes over what ChatGPT, Claude, mem0 and others kept, as notes; with a daemon or without."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from pai_daemon.cli.doctor_index import only_vault
from pai_daemon.cli.output import client_options, console, counted, printable, show_json
from pai_daemon.config import load
from pai_daemon.errors import UsageError
from pai_daemon.memory.importing.importer import Importer, Report
from pai_daemon.memory.importing.pages import FOLDER
from pai_daemon.memory.importing.reading import Reading
from pai_daemon.vault.folder import check_vault
from pai_daemon.vault.shelf import Shelf, parts_of

MAX_SHOWN = 20


@click.command("import")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE…")
@click.option("--dry-run", is_flag=True, help="Say what would be taken over; write nothing.")
@click.option("--folder", default=FOLDER, show_default=True, help="Where in the memory folder chats go.")
@client_options
def command(
    files: tuple[Path, ...], dry_run: bool, folder: str, vault: Path | None, as_json: bool, **_: Any
) -> None:
    """Take over what ChatGPT, Claude or mem0 kept, or a list of facts.

    FILE is an archive as it was exported, its folder, JSON, JSON lines, or Markdown. Each conversation
    becomes a note, each fact a line. What is there already is not taken twice, and a note
    that you have changed stays as it is.
    """
    settings = load()
    root = check_vault(vault if vault is not None else only_vault(settings))
    inner = "/".join(parts_of(folder))
    if not inner:
        raise UsageError("The folder has no name.", hint=f"Leave --folder out for {FOLDER}.")
    shelf = Shelf.of(root, settings)
    with _progress(as_json) as bar:
        task = bar.add_task("Reading", total=None)
        reading = Reading(files, lambda count: bar.advance(task, count))
        bar.update(task, total=reading.total_bytes)
        report = Importer(shelf, folder=inner, dry_run=dry_run).take(reading.records())
    if as_json:
        show_json({"vault": str(root), "folder": shelf.folder} | report.document())
    else:
        _show(report, f"{shelf.folder}/{inner}")
    if not (report.conversations or report.notes or report.facts):
        sys.exit(65)


@contextmanager
def _progress(as_json: bool) -> Iterator[Progress]:
    """Show how far it is, on a terminal alone; where people look, not where programs read."""
    to_people = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(
        *columns, console=to_people, transient=True, disable=as_json or not to_people.is_terminal
    ) as bar:
        yield bar


def _show(report: Report, folder: str) -> None:
    would = "would be " if report.dry_run else ""
    for noun, outcomes in (
        ("conversation", report.conversations),
        ("note", report.notes),
        ("fact", report.facts),
    ):
        if outcomes:
            said = ", ".join(f"{count:,} {_WORDS[name].format(would)}" for name, count in outcomes.items())
            console.print(f"{counted(sum(outcomes.values()), noun)}: {said}.")
    if report.conversations and not report.dry_run:
        console.print(f"The conversations are in [bold]{escape(folder)}[/].")
    for path in report.yours[:MAX_SHOWN]:
        console.print(f"[yellow]You changed {escape(printable(path))}: it stays as it is.[/]", soft_wrap=True)
    losses = [each for each in report.skipped if each.is_loss]
    for each in losses[:MAX_SHOWN]:
        said = escape(printable(f"{each.where}: {each.count:,} × {each.why}"))
        console.print(f"[yellow]Not taken: {said}[/]", soft_wrap=True)
    if len(losses) > MAX_SHOWN:
        console.print(f"[yellow]… and {len(losses) - MAX_SHOWN:,} more; --json lists them.[/]")
    for each in [each for each in report.skipped if not each.is_loss][:MAX_SHOWN]:
        said = escape(printable(f"{each.where}: {each.count:,} × {each.why}"))
        console.print(f"[dim]Left out: {said}[/]", soft_wrap=True)


_WORDS = {
    "new": "{}new",
    "updated": "{}written again",
    "unchanged": "here already",
    "yours": "left as you changed them",
}
