"""`pai links`: the links that a note could have."""

from __future__ import annotations

from pathlib import Path

import click
from rich.markup import escape

from pai_daemon.cli.output import client_options, connect, console, show_json


@click.command("links")
@click.argument("note")
@click.option("-n", "--limit", default=10, show_default=True, help="How many kindred notes.")
@client_options
def command(note: str, limit: int, vault: Path | None, as_json: bool) -> None:
    """Suggest links for NOTE, a path in the vault: its unlinked mentions, and kindred notes."""
    found = connect(vault).get("/api/links", {"path": note, "limit": limit})
    if as_json:
        show_json(found)
        return
    for mention in found["mentions"]:
        where = escape(f"{note}:{mention['line']}")
        console.print(f"[cyan]{where}[/]  {escape(mention['text'])} → {escape(mention['link'])}")
    for related in found["suggestions"]:
        console.print(f"{related['score']:.3f}  {escape(related['link'])}  [dim]{escape(related['why'])}[/]")
    if not found["mentions"] and not found["suggestions"]:
        console.print("No link to suggest.")
