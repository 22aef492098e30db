"""`pai memory propose`: sentences of kept conversations, each to be remembered or never proposed again."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from pai_daemon.cli.output import client_options, connect, console, counted, printable, show_json
from pai_daemon.client import Client
from pai_daemon.serve import documents

CHOICES = ("y", "n", "s", "q")


@click.command("propose")
@click.option("--accept", multiple=True, metavar="ID", help="Remember this one.")
@click.option("--refuse", multiple=True, metavar="ID", help="Never propose this one again.")
@client_options
def command(accept: tuple[str, ...], refuse: tuple[str, ...], vault: Path | None, as_json: bool) -> None:
    """Go through what might be remembered of your kept conversations; nothing is without your yes."""
    client = connect(vault)
    if accept or refuse:
        decided = [client.decide(each, accept=True) for each in accept]
        decided += [client.decide(each, accept=False) for each in refuse]
        if as_json:
            show_json({"decided": decided})
        else:
            for each in decided:
                _show(each)
        return
    found = client.get("/api/memory/proposals")
    if as_json:
        show_json(found)
        return
    if not found["clients"]:
        console.print("No conversations are kept; the setting keep_conversations says which are.")
    is_asked = sys.stdin.isatty()
    for offer in found["proposals"]:
        click.echo(f"{printable(offer['text'])}  ", nl=False)
        click.secho(f"{offer['said']}, {printable(offer['client'])}  {offer['id']}", dim=True)
        if is_asked and not _decided(client, offer):
            return
    click.secho(f"{counted(len(found['proposals']), 'proposal')}.", dim=True)


def _decided(client: Client, offer: documents.Proposed) -> bool:
    """Ask what is to become of one, and do it; return whether to go on."""
    said = click.prompt("Remember? [y]es, [n]ever, [s]kip, [q]uit", type=click.Choice(CHOICES), default="s")
    if said in ("y", "n"):
        _show(client.decide(offer["id"], accept=said == "y"))
    return bool(said != "q")


def _show(decided: documents.Decided) -> None:
    said = {"remembered": "Remembered", "known": "Known already", "refused": "Not proposed again"}
    click.echo(f"{said[decided['outcome']]}: {printable(decided['text'])}")
    if decided["undo"]:
        click.secho(f"To take it back: pai memory undo {decided['undo']}", dim=True)
