"""`pai routine`: what is done by itself, from notes of the vault; each run with all that it did."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import click
from rich.markup import escape
from rich.table import Table

from pai_daemon.action.outside.incoming import Incoming
from pai_daemon.action.shipping import install, names, shipped
from pai_daemon.cli.output import client_options, connect, console, printable, show_json
from pai_daemon.client import Client
from pai_daemon.config import load
from pai_daemon.errors import NotFound
from pai_daemon.vault.folder import check_vault

# A run's own id, which no routine is called.
RUN_ID = re.compile(r"\d{12}-[0-9a-f]{8}")
HISTORY = "`pai routine history` shows the runs, `pai routine list` the routines."
STYLES = {
    "done": "green",
    "failed": "red",
    "running": "cyan",
    "waiting": "yellow",
    "skipped": "dim",
    "cancelled": "dim",
}


@click.group("routine")
def command() -> None:
    """Run what your notes in the folder Routines say, by the clock or on events."""


@command.command("list")
@client_options
def list_routines(vault: Path | None, as_json: bool) -> None:
    """Show the routines, when each is due, and which are wrong."""
    found: Any = connect(vault).get("/api/routines")
    if as_json:
        show_json(found)
        return
    table = Table(box=None, pad_edge=False)
    for column in ("routine", "when", "next", "last"):
        table.add_column(column, style="bold" if column == "routine" else "")
    for each in found["routines"]:
        when = "; ".join(filter(None, [each["schedule"], *each["triggers"]])) or "by hand"
        last = each["last"]
        said = (
            f"[{STYLES[last['state']]}]{last['state']}[/] {_moment(last['ended'] or last['due'])}"
            if last
            else "never"
        )
        coming = _moment(each["next"]) if each["next"] else "" if each["enabled"] else "off"
        table.add_row(escape(each["name"]), escape(when), coming, said)
    if found["routines"]:
        console.print(table)
    else:
        console.print(
            f"There is no routine in {escape(found['folder'])}. `pai routine add` shows the shipped ones."
        )
    for wrong in found["wrong"]:
        console.print(f"[red]{escape(wrong['path'])}:{wrong['line']}[/] {escape(wrong['message'])}")
        if wrong["hint"]:
            console.print(f"  [dim]{escape(wrong['hint'])}[/]", soft_wrap=True)


@command.command("add")
@click.argument("name", default="")
@click.option("--vault", type=click.Path(path_type=Path), help="Into which vault; the one whose daemon runs.")
@click.option("--feed", "feeds", multiple=True, help="Its feeds, instead of those it comes with; repeatable.")
@click.option("--schedule", default="", help="When it runs: `every weekday at 07:30`.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def add(name: str, vault: Path | None, feeds: tuple[str, ...], schedule: str, as_json: bool) -> None:
    """Put a shipped routine into the vault as a note, to be read and changed; without NAME, list them."""
    if not name:
        if as_json:
            show_json(
                {"routines": [{"name": each, "description": shipped(each).description} for each in names()]}
            )
            return
        for each in names():
            console.print(f"[bold]{each}[/]  {escape(shipped(each).description)}")
        return
    settings = load()
    root = check_vault(vault) if vault is not None else Path(connect(None).status()["vault"]["path"])
    path = install(name, root, settings, feeds=feeds, schedule=schedule)
    if as_json:
        show_json({"path": path})
        return
    console.print(f"It is in {escape(path)}: read it and change it. To try it:")
    console.print(f'  pai routine run "{escape(Path(path).stem)}" --dry-run')


@command.command("run")
@click.argument("name")
@click.option("--dry-run", is_flag=True, help="Write nothing; show what would be.")
@client_options
def run(name: str, dry_run: bool, vault: Path | None, as_json: bool) -> None:
    """Run a routine now, whatever its schedule says."""
    found: Any = connect(vault).send(
        f"/api/routines/{quote(name)}/run", {"dry_run": dry_run}, timeout_s=3600.0
    )
    if as_json:
        show_json(found)
    else:
        _show(found, dry=dry_run)
    if found["state"] == "failed":
        raise SystemExit(1)


@command.command("history")
@click.argument("name", default="")
@click.option("-n", "--limit", default=20, show_default=True, help="How many runs.")
@client_options
def history(name: str, limit: int, vault: Path | None, as_json: bool) -> None:
    """Show the latest runs of a routine, or of all."""
    found: Any = connect(vault).get("/api/routines/runs", {"routine": name, "limit": limit})
    if as_json:
        show_json(found)
        return
    for each in found["runs"]:
        state = f"[{STYLES[each['state']]}]{each['state']}[/]"
        why = f"  {escape(each['why'])}" if each["why"] else ""
        console.print(
            f"[dim]{each['id']}[/]  {_moment(each['due'])}  {escape(each['routine'])}  {state}{why}"
        )
    if not found["runs"]:
        console.print("Nothing was run yet.")


@command.command("show")
@click.argument("run", metavar="RUN|NAME")
@client_options
def show(run: str, vault: Path | None, as_json: bool) -> None:
    """Show one run, or the latest of a routine: what it was given, told to write, and wrote."""
    client = connect(vault)
    found: Any = client.get(f"/api/routines/runs/{_run_id(client, run)}")
    if as_json:
        show_json(found)
    else:
        _show(found, dry=False)


@command.command("cancel")
@click.argument("run", metavar="RUN|NAME")
@client_options
def cancel(run: str, vault: Path | None, as_json: bool) -> None:
    """Break a run off, or the latest of a routine, for good."""
    client = connect(vault)
    found: Any = client.send(f"/api/routines/runs/{_run_id(client, run)}", {"state": "cancelled"})
    if as_json:
        show_json(found)
    else:
        console.print(f"{escape(found['routine'])}: {found['state']}.")


@command.command("secret")
@click.argument("name")
@client_options
def secret(name: str, vault: Path | None, as_json: bool) -> None:
    """Make the secret by which webhooks run a routine, shown once; the one before opens no more."""
    client = connect(vault)
    known: Any = client.get("/api/routines")
    if name not in [each["name"] for each in known["routines"]]:
        raise NotFound(f"There is no routine {name!r}.", hint="`pai routine list` shows them.")
    root = Path(client.status()["vault"]["path"])
    made = Incoming(load().actions_dir(root)).new_secret(name)
    if as_json:
        show_json({"secret": made, "url": f"{client.url}/api/routines/{quote(name)}/trigger"})
        return
    console.print(made)
    click.echo(f"Sign with it what is sent to {client.url}/api/routines/{quote(name)}/trigger", err=True)


def _run_id(client: Client, given: str) -> str:
    """Return a run's id as it was given, or that of the latest run of a routine. Raises NotFound."""
    if RUN_ID.fullmatch(given):
        return given
    found: Any = client.get("/api/routines/runs", {"routine": given, "limit": 1})
    if not found["runs"]:
        raise NotFound(f"There is no run {given!r}, nor one of a routine called so.", hint=HISTORY)
    return str(found["runs"][0]["id"])


def _show(found: Any, *, dry: bool) -> None:
    trace = found["trace"]
    state = f"[{STYLES[found['state']]}]{found['state']}[/]"
    console.print(f"[bold]{escape(found['routine'])}[/]  {state}  {escape(found['why'])}")
    if trace:
        by = trace.get("generator") or "no generator"
        console.print(f"[dim]{trace['pieces']} texts, {escape(by)}, {trace.get('took_ms', 0):.0f} ms[/]")
        for warning in trace.get("warnings", ()):
            console.print(f"[yellow]{escape(printable(warning))}[/]", soft_wrap=True)
        if diff := trace.get("diff"):
            console.print("[dim]It would write:[/]" if dry else "[dim]It wrote:[/]")
            show_diff(diff)
        elif trace.get("text"):
            click.echo(printable(trace["text"]))
        else:
            console.print("There was nothing to write.")


def show_diff(diff: str) -> None:
    """Print a unified diff in colours."""
    styles = {"+": "green", "-": "red", "@": "cyan"}
    for line in printable(diff).splitlines():
        console.print(line, style=styles.get(line[:1], ""), markup=False, soft_wrap=True)


def _moment(written: str) -> str:
    return f"{datetime.fromisoformat(written).astimezone():%a %d %b %H:%M}"
