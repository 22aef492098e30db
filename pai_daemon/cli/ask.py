"""`pai ask`: an answer from the notes, streamed, with its citations."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from rich.markup import escape
from rich.text import Text

from pai_daemon.cli.output import (
    changed,
    client_options,
    connect,
    console,
    narrowing_options,
    place,
    show_json,
)
from pai_daemon.serve import documents


@click.command("ask")
@click.argument("question", nargs=-1, required=True)
@click.option("-n", "--limit", default=8, show_default=True, help="From how many passages.")
@click.option(
    "--as-asked", is_flag=True, help="Read no time, #tag, task or name of the question as a filter."
)
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
            _show_evidence(event[1])


def _show_evidence(answer: documents.Answer) -> None:
    for citation in answer["citations"]:
        console.print(
            Text(f"[{citation['n']}] ", style="bold")
            + Text(place(citation), style=f"cyan link {citation['uri']}")
            + changed(citation),
            soft_wrap=True,
        )
    if answer["narrowed"]:
        said = escape(", ".join(answer["narrowed"]))
        console.print(f"[dim]Read as: {said}; to ask it as it stands: --as-asked[/]", soft_wrap=True)
    for sentence in answer["sentences"]:
        if not sentence["supported"]:
            console.print(f"[yellow]No passage supports:[/] {escape(sentence['text'])}", soft_wrap=True)
    for warning in answer["warnings"]:
        console.print(f"[yellow]{escape(warning)}[/]", soft_wrap=True)
