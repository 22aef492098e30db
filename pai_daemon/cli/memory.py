"""`pai remember`, `pai recall`, `pai forget`, `pai memory`: what is known about a person, in their vault."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from rich.text import Text

from pai_daemon.cli import proposing
from pai_daemon.cli.output import client_options, connect, console, counted, printable, show_json
from pai_daemon.config import load
from pai_daemon.memory.profile import begin
from pai_daemon.serve import documents
from pai_daemon.vault.folder import check_vault
from pai_daemon.vault.shelf import memory_folder

SOURCE = "cli"
SAID = {
    "remembered": "Remembered",
    "known": "Known already",
    "changed": "Changed",
    "superseded": "Remembered instead",
    "forgotten": "Forgotten",
    "undone": "Taken back",
}


@click.command("remember")
@click.argument("text", nargs=-1, required=True)
@click.option("--subject", default="", help="Whose note it goes into; without it: About me.")
@click.option("--until", help="The last day it holds: 2027-01-31.")
@click.option("--said", help="The day it was said on; without it: today.")
@client_options
def remember(text: tuple[str, ...], vault: Path | None, as_json: bool, **given: Any) -> None:
    """Keep TEXT word by word, as a line of a note of your vault."""
    _show(connect(vault).remember(" ".join(text), source=SOURCE, **given), as_json)


@click.command("recall")
@click.argument("question", nargs=-1, required=True)
@click.option("-n", "--limit", default=5, show_default=True, help="How many facts at most.")
@click.option("--subject", help="Of one subject alone.")
@click.option("--tag", help="Only facts with this tag, or one nested in it.")
@click.option("--since", help="Only facts said on that day or later: 2026-03-01.")
@click.option("--before", help="Only facts said before that day.")
@client_options
def recall(question: tuple[str, ...], vault: Path | None, as_json: bool, **narrowed: Any) -> None:
    """Find what is remembered that answers QUESTION; those that hold come first."""
    found = connect(vault).recall(" ".join(question), **narrowed)
    if as_json:
        show_json(found)
        return
    for each in found["results"]:
        console.print(_line(each["fact"]), soft_wrap=True)
    if not found["results"]:
        console.print("No memory fits.")
    if found["understood"]:
        console.print(f"[dim]Read as: {', '.join(found['understood'])}[/]")


@click.command("forget")
@click.argument("fact_id", metavar="ID")
@click.option("--at-once", is_flag=True, help="It cannot be had back, and leaves every file now.")
@client_options
def forget(fact_id: str, at_once: bool, vault: Path | None, as_json: bool) -> None:
    """Take a fact out of its note, and after a day out of index, undo records and caches."""
    _show(connect(vault).forget(fact_id, at_once=at_once), as_json)


@click.group("memory")
def command() -> None:
    """See to what is remembered, and to your profile."""


@command.command("init")
@click.argument("vault", type=click.Path(path_type=Path))
def init(vault: Path) -> None:
    """Begin a profile in VAULT: who you are, told to whatever writes your answers.

    A profile that is there is never overwritten.
    """
    root = check_vault(vault)
    folder = memory_folder(root, load())
    path = begin(root, folder)
    if path is None:
        click.echo(f"There is a profile already, and it stays as it is: {Path(folder) / 'Profile.md'}")
    else:
        click.echo(f"Begun: {path}. Fill in what a friend would know, and delete the rest.")


command.add_command(proposing.command)


@command.command("list")
@click.option("--subject", help="Of one subject alone.")
@click.option("--past", is_flag=True, help="Also what no longer holds.")
@click.option("-n", "--limit", default=100, show_default=True, help="How many at most.")
@client_options
def listed(vault: Path | None, as_json: bool, **narrowed: Any) -> None:
    """Show what is remembered, and what of its notes could not be read."""
    known = connect(vault).facts(**narrowed)
    if as_json:
        show_json(known)
        return
    for fact in known["facts"]:
        console.print(_line(fact), soft_wrap=True)
    for broken in known["broken"]:
        console.print(
            Text(f"{broken['path']}:{broken['line']}  {broken['message']}", style="yellow"), soft_wrap=True
        )
    more = known["total"] - len(known["facts"])
    rest = f"; {more:,} not shown" if more else ""
    console.print(f"[dim]{counted(known['total'], 'fact')} in {known['folder']}/{rest}.[/]")


@command.command("conflicts")
@client_options
def conflicts(vault: Path | None, as_json: bool) -> None:
    """Show facts that may not agree; settle them with edit, forget or supersede."""
    found = connect(vault).get("/api/memory/conflicts")
    if as_json:
        show_json(found)
        return
    for pair in found["conflicts"]:
        console.print(_line(pair["newer"]), soft_wrap=True)
        console.print(Text("  or ") + _line(pair["older"]), soft_wrap=True)
    if not found["conflicts"]:
        console.print("No facts gainsay each other, as far as their words tell.")


@command.command("edit")
@click.argument("fact_id", metavar="ID")
@click.argument("text", nargs=-1, required=True)
@client_options
def edit(fact_id: str, text: tuple[str, ...], vault: Path | None, as_json: bool) -> None:
    """Give the fact ID other words: TEXT."""
    _show(connect(vault).change_fact(fact_id, text=" ".join(text)), as_json)


@command.command("supersede")
@click.argument("fact_id", metavar="ID")
@click.argument("text", nargs=-1, required=True)
@client_options
def supersede(fact_id: str, text: tuple[str, ...], vault: Path | None, as_json: bool) -> None:
    """Let TEXT take the place of the fact ID, which stays and says so."""
    _show(connect(vault).change_fact(fact_id, superseded_with=" ".join(text)), as_json)


@command.command("pin")
@click.argument("fact_id", metavar="ID")
@click.option("--off", is_flag=True, help="No longer.")
@client_options
def pin(fact_id: str, off: bool, vault: Path | None, as_json: bool) -> None:
    """Let the fact ID count more when something is recalled."""
    _show(connect(vault).change_fact(fact_id, pinned=not off), as_json)


@command.command("expire")
@click.argument("fact_id", metavar="ID")
@click.argument("until", metavar="DAY|never")
@client_options
def expire(fact_id: str, until: str, vault: Path | None, as_json: bool) -> None:
    """Let the fact ID hold until DAY, 2027-01-31, or for good."""
    _show(connect(vault).change_fact(fact_id, until="" if until == "never" else until), as_json)


@command.command("undo")
@click.argument("change", required=False, default="")
@client_options
def undo(change: str, vault: Path | None, as_json: bool) -> None:
    """Take back the change CHANGE, or the last one."""
    _show(connect(vault).undo_memory(change), as_json)


def _show(receipt: documents.FactReceipt, as_json: bool) -> None:
    """Print what became of a fact, how to take it back, and what is like it."""
    if as_json:
        show_json(receipt)
        return
    console.print(Text(f"{SAID[receipt['outcome']]}: ") + _line(receipt["fact"]), soft_wrap=True)
    if receipt["undo"]:
        console.print(f"[dim]To take it back: pai memory undo {receipt['undo']}[/]")
    if receipt["near"] and receipt["outcome"] == "remembered":
        console.print("[yellow]This may say the same, or otherwise:[/]")
        for fact in receipt["near"]:
            console.print(Text("  ") + _line(fact), soft_wrap=True)


def _line(fact: documents.KnownFact) -> Text:
    """Return a fact on a line: its words, what is said of it, and where it stands."""
    said = [fact["said"]] if fact["said"] else []
    said += ["pinned"] if fact["pinned"] else []
    said += [f"until {fact['until']}"] if fact["until"] else []
    said += ["replaced"] if fact["superseded_by"] else []
    line = Text(printable(fact["text"]), style="" if fact["holds"] else "dim strike")
    line += Text(f"  {', '.join(said)}" if said else "", style="dim")
    line += Text(f"  {fact['path']}:{fact['line']}", style=f"cyan link {fact['uri']}")
    return line + Text(f"  {fact['id']}", style="dim")
