"""`pai status`: what the daemon serves, does and could not read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from rich.markup import escape
from rich.table import Table

from pai_daemon.cli.output import client_options, connect, console, counted, show_hint, show_json
from pai_daemon.notes.languages import language_name

MEBIBYTE = 1024 * 1024
SHOWN_PROBLEMS = 20


@click.command("status")
@client_options
def command(vault: Path | None, as_json: bool) -> None:
    """Show what the daemon serves, does and could not read."""
    status = connect(vault).status()
    if as_json:
        show_json(status)
    else:
        _show(status)


def _following(following: dict[str, Any] | None) -> str:
    """Return which model is to take the place of the one that answers, and how far it is."""
    if following is None:
        return ""
    return f", to be followed by {following['name']} ({following['done']:,} of {following['total']:,} chunks)"


def _show(status: dict[str, Any]) -> None:
    watcher = status["watcher"]
    model, now = status["model"], status["progress"]
    counts = f"{status['notes']:,} in {counted(status['chunks'], 'passage')}"
    languages = [f"{language_name(code)} {share:.0%}" for code, share in status["languages"].items()]
    rows = {
        "vault": status["vault"]["path"],
        "state": status["state"] + (f": {status['message']}" if status["message"] else ""),
        "notes": f"{counts}, {status['pending_chunks']:,} not yet searchable by meaning",
        "progress": f"{now['done']:,} of {now['total']:,} {now['unit']} ({now['phase']})" if now else None,
        "model": f"{model['name']} on {model['execution_provider'] or 'nothing yet'}"
        + _following(model["next"]),
        "languages": ", ".join(languages) or None,
        "generator": f"{status['generator']['name']} ({status['generator']['location']})",
        "watcher": watcher["mode"] + (f": {watcher['reason']}" if watcher["reason"] else ""),
        "memory": f"{status['memory']['rss_bytes'] // MEBIBYTE} MiB",
        "index": f"{status['disk']['index_bytes'] // MEBIBYTE} MiB, revision {status['revision']}",
    }
    table = Table(show_header=False, box=None, pad_edge=False)
    for name, value in rows.items():
        if value is not None:
            table.add_row(f"[bold]{name}[/]", escape(str(value)))
    console.print(table)
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
