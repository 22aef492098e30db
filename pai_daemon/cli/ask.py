"""`pai ask`: an answer from the notes, streamed, with its citations."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from pai_daemon.cli.output import (
    client_options,
    connect,
    narrowing_options,
    show_evidence,
    show_json,
)


@click.command("ask")
@click.argument("question", nargs=-1, required=True)
@click.option("-n", "--limit", default=8, show_default=True, help="From how many passages.")
@click.option("--as-asked", is_flag=True, help="Read no time and no #tag of the question as a filter.")
@narrowing_options
@client_options
def command(
    question: tuple[str, ...], limit: int, vault: Path | None, as_json: bool, as_asked: bool, **narrowed: Any
) -> None:
    """Answer QUESTION from the notes, and say where each sentence comes from."""
    client, text = connect(vault), " ".join(question)
    narrowed |= {"as_asked": True} if as_asked else {}
    if as_json:
        show_json(client.ask(text, limit=limit, **narrowed))
        return
    for event in client.ask_stream(text, limit=limit, **narrowed):
        if event[0] == "notice":
            click.secho(event[1]["text"], dim=True, err=True)
            if event[1]["preview"]:
                click.secho(f"Meanwhile, from your notes: {event[1]['preview']}\n", dim=True, err=True)
        elif event[0] == "delta":
            click.echo(event[1]["text"], nl=False)
        elif event[0] == "done":
            click.echo("\n")
            show_evidence(event[1])
