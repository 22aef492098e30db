"""`pai status`: what the daemon serves, does and could not read."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import click
from rich.live import Live
from rich.markup import escape
from rich.table import Table

from pai_daemon.cli.output import client_options, connect, console, counted, show_hint, show_json
from pai_daemon.client import Client
from pai_daemon.notes.languages import language_name

MEBIBYTE = 1024 * 1024
SHOWN_PROBLEMS = 20
WATCH_S = 0.5
# What a line is written for, when it is not as it was.
CHANGING = ("state", "message", "revision", "progress", "problems", "hints")


@click.command("status")
@client_options
@click.option("--watch", is_flag=True, help="Show it anew when it changes, until Ctrl-C.")
def command(vault: Path | None, as_json: bool, watch: bool) -> None:
    """Show what the daemon serves, does and could not read."""
    client = connect(vault)
    if watch:
        _watch(client, as_json=as_json)
    elif as_json:
        show_json(client.status())
    else:
        _show(client.status())


def _watch(client: Client, *, as_json: bool) -> None:
    """Show the status in place on a terminal; elsewhere a line for each change, or a document in one."""
    view = Live(console=console, auto_refresh=False) if console.is_terminal and not as_json else None
    before = ""
    with view or nullcontext():
        while True:
            status: Mapping[str, Any] = client.status()
            line = json.dumps({name: status[name] for name in CHANGING}, ensure_ascii=False)
            if view is not None:
                view.update(_table(status), refresh=True)
            elif line != before:
                click.echo(json.dumps(status, ensure_ascii=False) if as_json else _line(status))
            before = line
            time.sleep(WATCH_S)


def _line(status: Mapping[str, Any]) -> str:
    """Return in one line what goes on."""
    doing = f"{now['phase']} {_share(now)}" if (now := status["progress"]) is not None else ""
    counts = f"{counted(status['notes'], 'note')}, {counted(status['chunks'], 'passage')}"
    return "; ".join(filter(None, (status["state"], status["message"], doing, counts)))


def _share(now: Mapping[str, Any]) -> str:
    return f"{now['done']:,} of {now['total']:,} {now['unit']}"


def _following(following: Mapping[str, Any] | None) -> str:
    """Return which model is to take the place of the one that answers, and how far it is."""
    if following is None:
        return ""
    return f", to be followed by {following['name']} ({following['done']:,} of {following['total']:,} chunks)"


def _table(status: Mapping[str, Any]) -> Table:
    """Return what the daemon serves and does, a row a thing."""
    watcher = status["watcher"]
    model, now = status["model"], status["progress"]
    counts = f"{status['notes']:,} in {counted(status['chunks'], 'passage')}"
    languages = [f"{language_name(code)} {share:.0%}" for code, share in status["languages"].items()]
    rows = {
        "vault": status["vault"]["path"],
        "state": status["state"] + (f": {status['message']}" if status["message"] else ""),
        "notes": f"{counts}, {status['pending_chunks']:,} not yet searchable by meaning",
        "progress": f"{_share(now)} ({now['phase']})" if now else None,
        "model": f"{model['name']} on {model['execution_provider'] or 'nothing yet'}"
        + _following(model["next"]),
        "languages": ", ".join(languages) or None,
        "generator": f"{status['generator']['name']} ({status['generator']['location']})"
        + (f": {why}" if (why := status["generator"].get("why")) else ""),
        "watcher": watcher["mode"] + (f": {watcher['reason']}" if watcher["reason"] else ""),
        "memory": f"{status['memory']['rss_bytes'] // MEBIBYTE} MiB",
        "index": f"{status['disk']['index_bytes'] // MEBIBYTE} MiB, revision {status['revision']}",
    }
    table = Table(show_header=False, box=None, pad_edge=False)
    for name, value in rows.items():
        if value is not None:
            table.add_row(f"[bold]{name}[/]", escape(str(value)))
    return table


def _show(status: Mapping[str, Any]) -> None:
    console.print(_table(status))
    for hint in status["hints"]:
        console.print()
        show_hint(hint)
    if problems := status["problems"]:
        console.print(f"\n[yellow]{counted(len(problems), 'note')} with problems:[/]")
        for problem in problems[:SHOWN_PROBLEMS]:
            line = f":{problem['line']}" if problem["line"] else ""
            console.print(f"  {escape(problem['path'])}{line}  {escape(problem['reason'])}", soft_wrap=True)
        if len(problems) > SHOWN_PROBLEMS:
            console.print(f"  … and {len(problems) - SHOWN_PROBLEMS} more: pai status --json")
