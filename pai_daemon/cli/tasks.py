"""`pai tasks`: the tasks in the notes."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click
from rich.text import Text

from pai_daemon.cli.output import (
    changed,
    client_options,
    connect,
    console,
    counted,
    narrowing_options,
    show_json,
)
from pai_daemon.serve import documents


@click.command("tasks")
@click.argument("words", nargs=-1)
@click.option("-n", "--limit", default=100, show_default=True, help="How many.")
@click.option(
    "--open", "status", flag_value="open", default="open", help="Those that are to be done; the default."
)
@click.option("--done", "status", flag_value="done", help="Those that are done, the last first.")
@click.option("--cancelled", "status", flag_value="cancelled", help="Those that were given up.")
@click.option("--all", "status", flag_value="all", help="All of them.")
@click.option("--overdue", is_flag=True, help="Only those that were due before today.")
@click.option("--due-before", help="Only those due before then: 2026-12-01, tomorrow, or 7d: in seven days.")
@click.option("--due-since", help="Only those due then or later.")
@narrowing_options
@client_options
def command(words: tuple[str, ...], vault: Path | None, as_json: bool, **asked: Any) -> None:
    """List the open tasks in the notes, of all or of those that WORDS name, overdue ones first."""
    found = connect(vault).tasks(" ".join(words), **asked)
    if as_json:
        show_json(found)
        return
    for task in found["tasks"]:
        console.print(_line(task), soft_wrap=True)
    if not found["total"] and not console.is_terminal:
        # What reads this, such as mail that is sent unless it is empty, is to get nothing.
        click.echo("0 tasks.", err=True)
        return
    more = found["total"] - len(found["tasks"])
    late = f", {found['overdue']:,} overdue" if found["overdue"] else ""
    console.print(
        f"[dim]{counted(found['total'], 'task')}{late}{f'; {more:,} not shown' if more else ''}.[/]"
    )


def _line(task: documents.FoundTask) -> Text:
    """Return a task on a line: its box, its text, when it is due, and where it stands."""
    boxes = {"open": "☐", "done": "☑", "cancelled": "☒"}
    line = Text(f"{boxes[task['status']]} ") + Text(
        task["text"], style="" if task["status"] == "open" else "dim"
    )
    if said := ", ".join(_days(task)):
        line += Text(f"  {said}", style="bold red" if task["overdue"] else "yellow")
    place = f"{task['path']}:{task['line']}"
    return line + Text(f"  {place}", style=f"cyan link {task['uri']}") + changed(task)


def _days(task: documents.FoundTask) -> Iterable[str]:
    """Yield what the days of a task say, in words."""
    if task["finished"]:
        yield f"finished {task['finished']}"
    elif task["due"]:
        yield f"{'overdue since' if task['overdue'] else 'due'} {task['due']}"
    elif task["scheduled"]:
        yield f"scheduled {task['scheduled']}"
    if task["priority"]:
        yield f"{task['priority']} priority"
