"""`pai search`: passages for a query."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from pai_daemon.cli.output import (
    client_options,
    connect,
    console,
    counted,
    narrowing_options,
    show_json,
    show_passage,
)


@click.command("search")
@click.argument("query", nargs=-1, required=True)
@click.option("-n", "--limit", default=10, show_default=True, help="How many passages.")
@click.option(
    "--mode", type=click.Choice(["hybrid", "semantic", "text"]), default="hybrid", show_default=True
)
@narrowing_options
@client_options
def command(
    query: tuple[str, ...], limit: int, mode: str, vault: Path | None, as_json: bool, **narrowed: Any
) -> None:
    """Find the passages that fit QUERY, by meaning and by words."""
    found = connect(vault).search(" ".join(query), limit=limit, mode=mode, **narrowed)
    if as_json:
        show_json(found)
        return
    for number, passage in enumerate(found["results"], start=1):
        show_passage(number, passage)
    if not found["results"]:
        console.print("Nothing found.")
    for notice in found.get("notices", ()):
        console.print(notice, style="dim", markup=False)
    if pending := found["pending_chunks"]:
        console.print(f"[dim]Not embedded yet: {counted(pending, 'passage')}.[/]")
