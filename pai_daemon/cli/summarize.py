"""`pai summarize`: what the notes of a folder, a tag or any filter say, after telling what that costs."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn

from pai_daemon.cli.output import (
    client_options,
    connect,
    console,
    counted,
    narrowing_options,
    printable,
    show_evidence,
    show_json,
)
from pai_daemon.serve import documents

# A person is asked before what takes longer, or before more calls than these where that is not known.
LONG_S, LONG_CALLS = 30.0, 3
to_people = Console(stderr=True, highlight=False)


@click.command("summarize")
@click.argument("where", default="")
@click.option("--note", default="", help="One note, by its path or name.")
@click.option("-n", "--limit", default=12, show_default=True, help="How many sentences at most.")
@click.option("--budget-s", type=float, help="How many seconds it may take; then the rest is quoted.")
@click.option("--estimate", "only_estimate", is_flag=True, help="Only tell what it would cost.")
@click.option("-y", "--yes", is_flag=True, help="Begin without asking, however long it takes.")
@narrowing_options
@client_options
def command(
    where: str,
    note: str,
    limit: int,
    budget_s: float | None,
    only_estimate: bool,
    yes: bool,
    vault: Path | None,
    as_json: bool,
    **narrowed: Any,
) -> None:
    """Summarise the notes in WHERE, a folder or a #tag; of the whole vault where nothing is said.

    Ctrl-C stops it at once, and shows what is there so far.
    """
    client = connect(vault)
    if where.startswith("#"):
        narrowed["tag"] = [*narrowed["tag"], where]
    elif where:
        narrowed["path"] = where
    asked = {name: value for name, value in narrowed.items() if value} | {"limit": limit}
    asked |= {"note": note} if note else {}
    asked |= {"budget_s": budget_s} if budget_s else {}
    estimate = client.estimate(**asked)
    if as_json:
        show_json(estimate if only_estimate else client.summarize(**asked))
        return
    to_people.print(f"[dim]{escape(in_words(estimate))}[/]", soft_wrap=True)
    if only_estimate:
        return
    if is_long(estimate) and not yes and sys.stdin.isatty():
        click.confirm("Begin?", default=True, abort=True, err=True)
    _show(client.summarize_stream(**asked))


def in_words(estimate: documents.Estimate) -> str:
    """Return what a summary will cost, as a line for a person."""
    notes = f"{counted(estimate['notes'], 'note')} with {counted(estimate['passages'], 'passage')}"
    said = f"{notes} ({estimate['about']})"
    if calls := estimate["calls"]:
        seconds = estimate["seconds"]
        name = estimate["generator"]["name"]
        tokens = f"{counted(calls, 'call')} of {name}, {estimate['tokens']:,} tokens to read"
        long = "how long is not known yet" if seconds is None else f"about {_duration(seconds)}"
        said += f": {tokens}, {long}"
    else:
        said += ": quoted, at once"
    if estimate["kept_back"]:
        said += f"; {counted(estimate['kept_back'], 'note')} kept on this machine"
    return f"{said}."


def is_long(estimate: documents.Estimate) -> bool:
    """Return whether a person should be asked before."""
    if (seconds := estimate["seconds"]) is None:
        return estimate["calls"] > LONG_CALLS
    return seconds > LONG_S


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{round(seconds / 60)} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _show(events: Any) -> None:
    """Print a summary as it comes; what there is of it where a person stops it."""
    steps: list[str] = []
    is_written = False
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[left]}"))
    with (
        closing(events),
        Progress(*columns, console=to_people, transient=True, disable=not to_people.is_terminal) as bar,
    ):
        task = bar.add_task("Reading", total=None, left="")
        try:
            for name, data in events:
                if name == "progress":
                    steps.append(data["text"])
                    _advance(bar, task, data)
                elif name == "notice":
                    bar.update(task, description=data["text"])
                elif name == "delta":
                    bar.stop()
                    is_written = True
                    if not console.is_terminal or not data["text"].lstrip().startswith("- "):
                        click.echo(printable(data["text"]), nl=False)
                elif name == "done":
                    bar.stop()
                    _finish(data)
        except KeyboardInterrupt:
            bar.stop()
            click.echo("\n".join(["", *([] if is_written else steps)]))
            to_people.print(
                "[yellow]Stopped; this is what there was.[/]" if steps or is_written else "Stopped."
            )
            raise click.exceptions.Abort from None


def _advance(bar: Progress, task: Any, data: Mapping[str, Any]) -> None:
    left = f"{_duration(data['left_s'])} left" if data["left_s"] is not None else ""
    total, done = data["total"], data["done"]
    shown = f"{done} of {total}: {data['note'] or 'joining'}"
    if to_people.is_terminal:
        bar.update(task, total=total, completed=done, description=escape(shown[:60]), left=left)
    else:
        click.echo(f"{shown} ({left})", err=True)


def _finish(summary: documents.Summary) -> None:
    """Print what of a summary is not printed yet: its topics on a terminal, and the evidence."""
    if summary["topics"] and console.is_terminal:
        for topic in summary["topics"]:
            said = " ".join(
                f"{sentence['text']} [{sentence['citations'][0]}]"
                for sentence in (summary["sentences"][place] for place in topic["sentences"])
            )
            others = [name["title"] for name in topic["also"]]
            more = f" +{topic['others']}" if topic["others"] else ""
            tail = f" [dim]({escape(', '.join(others) + more)})[/]" if others else ""
            console.print(f"• [bold]{escape(topic['note']['title'])}[/]: {escape(said)}{tail}")
    click.echo("" if console.is_terminal and summary["topics"] else "\n")
    show_evidence(summary)
