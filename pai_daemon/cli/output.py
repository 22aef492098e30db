"""What people and programs see: rich text on a terminal, plain text in a pipe, JSON on demand."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import click
from rich.console import Console
from rich.markup import escape
from rich.text import Text

from pai_daemon.client import Client
from pai_daemon.config import load
from pai_daemon.errors import PaiError

# In a pipe nothing is wrapped: a path in two lines is no path for grep.
console = Console(highlight=False, soft_wrap=not sys.stdout.isatty())
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
Command = TypeVar("Command", bound=Callable[..., Any])


def client_options(command: Command) -> Command:
    """Add the options that every command that talks to a daemon has."""
    command = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")(command)
    return click.option(
        "--vault", type=click.Path(path_type=Path), help="Whose daemon, where several are running."
    )(command)


def narrowing_options(command: Command) -> Command:
    """Add the options that say which notes a question looks at; the command takes them as `narrowed`."""
    for flag, help_text in (
        ("--before", "Only notes last written before then."),
        ("--since", "Only notes written since then: 2026-11-01, 12h, 7d, 2w, 3m, 1y."),
        ("--property", "Only notes with this property, or this value of it: name or name=value; repeatable."),
        ("--tag", "Only notes with this tag or one nested in it; repeatable."),
        ("--path", "Only below this folder of the vault, or this note."),
    ):
        command = click.option(flag, help=help_text, multiple=flag in ("--tag", "--property"))(command)
    return command


def connect(vault: Path | None) -> Client:
    """Return a client of the running daemon. Raises DaemonUnreachable."""
    return Client.find(load(), vault)


def show_json(value: Any) -> None:
    """Print one JSON document."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))


def show_error(error: PaiError, *, as_json: bool) -> None:
    """Print an error where errors go; as a problem document for programs."""
    if as_json:
        click.echo(json.dumps(error.problem(), ensure_ascii=False), err=True)
        return
    to_people = Console(stderr=True, highlight=False, soft_wrap=True)
    to_people.print(f"[bold red]Error:[/] {escape(error.detail)}")
    if error.hint:
        to_people.print(f"[dim]{escape(error.hint)}[/]")


def show_hint(hint: Mapping[str, Any]) -> None:
    """Print a hint of the status, and below it the command to type."""
    console.print(f"[yellow]{escape(hint['message'])}[/]")
    if hint["command"]:
        console.print(f"  [bold]{escape(hint['command'])}[/]", soft_wrap=True)


def printable(text: str) -> str:
    """Return a text without what a terminal would obey: a note could retitle its window."""
    return _CONTROLS.sub("", text)


def counted(number: int, noun: str) -> str:
    """Return a number with its noun: `1 note`, `2,000 notes`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def place(passage: Mapping[str, Any]) -> str:
    """Return where a passage stands: path, first line and heading path; of a PDF the heading is the page."""
    heading = " › ".join(passage["heading_path"])
    line = "" if passage["page"] else f":{passage['start_line']}"
    return f"{passage['path']}{line}" + (f"  {heading}" if heading else "")


def show_passage(number: int, passage: Mapping[str, Any], *, lines: int = 4) -> None:
    """Print a passage with its place and the words that matched."""
    body = Text(passage["text"].rstrip())
    for start, end in passage["highlights"]:
        body.stylize("bold yellow", start, end)
    console.print(
        Text(f"{number:>2}. ", style="bold")
        + Text(place(passage), style=f"cyan link {passage['uri']}")
        + changed(passage)
    )
    shown = [line for line in body.split("\n") if line.plain.strip()][:lines]
    for line in shown:
        line.truncate(max(40, console.width - 4) if sys.stdout.isatty() else 400, overflow="ellipsis")
        console.print(Text("    ") + line, soft_wrap=True)


def changed(passage: Mapping[str, Any]) -> Text:
    """Return the words that a passage's note has changed since it was read, none where it has not."""
    return Text("  (changed since)", style="yellow") if passage["stale"] else Text()


def show_evidence(answer: Mapping[str, Any]) -> None:
    """Print what an answer or a summary rests on, and what must be said of it."""
    for citation in answer["citations"]:
        console.print(
            Text(f"[{citation['n']}] ", style="bold")
            + Text(place(citation), style=f"cyan link {citation['uri']}")
            + changed(citation),
            soft_wrap=True,
        )
    if answer.get("nearest"):
        console.print("[dim]The nearest notes:[/]")
        for passage in answer["nearest"]:
            console.print(
                Text("  ") + Text(place(passage), style=f"cyan link {passage['uri']}"), soft_wrap=True
            )
    if answer.get("narrowed"):
        said = escape(", ".join(answer["narrowed"]))
        console.print(f"[dim]Read as: {said}; to ask it as it stands: --as-asked[/]", soft_wrap=True)
    for sentence in answer["sentences"]:
        if not sentence["supported"]:
            said = escape(printable(sentence["text"]))
            console.print(f"[yellow]No passage supports:[/] {said}", soft_wrap=True)
    for warning in answer["warnings"]:
        console.print(f"[yellow]{escape(warning)}[/]", soft_wrap=True)
