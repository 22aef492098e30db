"""`pai action`: what programs and routines propose to change, decided by the person."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import click
from rich.markup import escape

from pai_daemon.cli.output import client_options, connect, console, printable, show_json
from pai_daemon.cli.routine import show_diff

STATES = ("proposed", "applied", "rejected", "undone", "failed")


@click.group("action")
def command() -> None:
    """Approve, reject and undo changes of your notes."""


@command.command("list")
@click.option("--state", type=click.Choice(STATES), help="Those of one state; without it, all.")
@click.option("-n", "--limit", default=20, show_default=True, help="How many.")
@client_options
def list_actions(state: str | None, limit: int, vault: Path | None, as_json: bool) -> None:
    """Show what waits for you, and what was done."""
    found: Any = connect(vault).get("/api/actions", {"state": state or "", "limit": limit})
    if as_json:
        show_json(found)
        return
    for each in found["actions"]:
        _show(each)
    if not found["actions"]:
        console.print("There is no action.")
    elif found["waiting"]:
        console.print(f"[dim]{found['waiting']} wait: `pai action approve ID`, `pai action reject ID`.[/]")


@command.command("propose")
@click.argument("kind", type=click.Choice(["create", "append", "insert", "set_property", "add_link", "move"]))
@click.argument("path")
@click.option("--text", default="", help="What is written, in Markdown.")
@click.option("--heading", default="", help="Below which it is put.")
@click.option("--name", default="", help="Of a property.")
@click.option("--value", default="", help="Of a property: JSON, or text.")
@click.option("--to", default="", help="A move's new path, or a link's target.")
@click.option("--why", default="", help="What it is for.")
@client_options
def propose(kind: str, path: str, vault: Path | None, as_json: bool, **given: str) -> None:
    """Propose a change of the note at PATH; it is made once it is approved."""
    _done(
        vault,
        "",
        {"kind": kind, "path": path, **{name: value for name, value in given.items() if value}},
        as_json,
    )


@command.command("approve")
@click.argument("ids", nargs=-1, required=True)
@client_options
def approve(ids: tuple[str, ...], vault: Path | None, as_json: bool) -> None:
    """Do what was proposed."""
    for each in ids:
        _done(vault, f"/{quote(each)}", {"decision": "approve"}, as_json)


@command.command("reject")
@click.argument("ids", nargs=-1, required=True)
@client_options
def reject(ids: tuple[str, ...], vault: Path | None, as_json: bool) -> None:
    """Do not do what was proposed."""
    for each in ids:
        _done(vault, f"/{quote(each)}", {"decision": "reject"}, as_json)


@command.command("undo")
@click.argument("ids", nargs=-1, required=True)
@client_options
def undo(ids: tuple[str, ...], vault: Path | None, as_json: bool) -> None:
    """Put back what the notes held before; refused where you changed them since."""
    for each in ids:
        _done(vault, f"/{quote(each)}", {"decision": "undo"}, as_json)


def _done(vault: Path | None, route: str, body: dict[str, Any], as_json: bool) -> None:
    found: Any = connect(vault).send(f"/api/actions{route}", body)
    if as_json:
        show_json(found)
    else:
        _show(found)


def _show(each: Any) -> None:
    what = each["kind"].replace("_", " ")
    to = f" → {escape(each['to'])}" if each["to"] else ""
    moment = f"{datetime.fromisoformat(each['at']).astimezone():%d %b %H:%M}"
    console.print(
        f"[bold]{each['id']}[/]  {each['state']}  {what} {escape(each['path'])}{to}  "
        f"[dim]{escape(each['by'])}, {moment}[/]"
    )
    if each["why"]:
        console.print(f"  [dim]{escape(printable(each['why']))}[/]", soft_wrap=True)
    if each["diff"]:
        show_diff(each["diff"])
