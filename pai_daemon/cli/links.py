"""`pai links`: the links that a note could have, and the state of all links of the vault."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from pai_daemon.cli.output import client_options, connect, console, counted, show_json
from pai_daemon.client import Client
from pai_daemon.errors import NotFound, UsageError

# Of each part of a report so much is printed; --json has all.
SHOWN = 30
# What is suggested with less is seldom a link that one would set; it is printed with --all.
LEAST_CONFIDENCE = 0.1
to_people = Console(stderr=True)


@click.command("links")
@click.argument("note", required=False)
@click.option("-n", "--limit", default=10, show_default=True, help="How many notes besides the mentions.")
@click.option("--all", "show_all", is_flag=True, help="Also those that are hardly likely.")
@click.option("--refuse", metavar="OTHER", help="Never suggest OTHER and NOTE to each other again.")
@click.option("--allow", metavar="OTHER", help="Take a refusal back.")
@click.option("--refused", "list_refused", is_flag=True, help="List what was refused.")
@click.option("--report", is_flag=True, help="Report broken links, notes without links, and near copies.")
@client_options
def command(
    note: str | None,
    limit: int,
    show_all: bool,
    refuse: str | None,
    allow: str | None,
    list_refused: bool,
    report: bool,
    vault: Path | None,
    as_json: bool,
) -> None:
    """Suggest links for NOTE, a path in the vault: what it mentions, and notes it could link to.

    A mention marked with * is one that nine in ten people would link.
    """
    about_vault = list_refused + report
    about_note = (refuse is not None) + (allow is not None)
    if about_vault + about_note > 1 or bool(note) == bool(about_vault):
        raise UsageError(
            "Give a note, or one of --report and --refused.",
            hint="As in: pai links NOTE, pai links NOTE --refuse OTHER, pai links --report.",
        )
    client = connect(vault)
    if report:
        _report(client, as_json=as_json)
    elif list_refused:
        _show_refused(client.refused_links(), as_json=as_json)
    elif note and (other := refuse if refuse is not None else allow) is not None:
        _change(client, note, other, undo=refuse is None, as_json=as_json)
    elif note:
        _suggest(client.links(note, limit=limit), show_all=show_all, as_json=as_json)


def _suggest(found: Mapping[str, Any], *, show_all: bool, as_json: bool) -> None:
    if as_json:
        show_json(found)
        return
    least = 0.0 if show_all else LEAST_CONFIDENCE
    mentions, notes = (
        [each for each in found[name] if each["confidence"] >= least] for name in ("mentions", "suggestions")
    )
    for mention in mentions:
        where = escape(f"{found['path']}:{mention['line']}")
        mark = "*" if mention["sure"] else " "
        said = f"{escape(mention['text'])} → {escape(mention['link'])}"
        console.print(f"{mention['confidence']:.3f}{mark} [cyan]{where}[/]  {said}  [dim]{mention['why']}[/]")
    for other in notes:
        console.print(f"{other['confidence']:.3f}  {escape(other['link'])}  [dim]{escape(other['why'])}[/]")
    left_out = len(found["mentions"]) + len(found["suggestions"]) - len(mentions) - len(notes)
    if not mentions and not notes:
        console.print("No link to suggest.")
    if left_out:
        console.print(f"[dim]{left_out:,} that {'is' if left_out == 1 else 'are'} hardly likely: --all[/]")


def _change(client: Client, note: str, other: str, *, undo: bool, as_json: bool) -> None:
    done = client.refuse_links([(note, other)], undo=undo)
    if done["unknown"]:
        raise NotFound(f"No note {done['unknown'][0]!r} is indexed.", hint="Paths are relative to the vault.")
    if as_json:
        show_json(done)
    elif undo:
        console.print("May be suggested again." if done["changed"] else "It was not refused.")
    else:
        again = "" if done["changed"] else " It was refused already."
        console.print(f"Never suggested again; --allow takes that back.{again}")


def _show_refused(found: Mapping[str, Any], *, as_json: bool) -> None:
    if as_json:
        show_json(found)
        return
    for pair in found["pairs"]:
        console.print(f"{escape(pair['path'])}  ×  {escape(pair['other'])}")
    if not found["pairs"]:
        console.print("Nothing was refused.")


def _report(client: Client, *, as_json: bool) -> None:
    columns = (TextColumn("Reading the notes"), BarColumn(), MofNCompleteColumn())
    is_quiet = as_json or not to_people.is_terminal
    with (
        closing(client.link_report()) as events,
        Progress(*columns, console=to_people, transient=True, disable=is_quiet) as bar,
    ):
        task = bar.add_task("", total=None)
        report: Mapping[str, Any] = {}
        for name, data in events:
            if name == "progress":
                bar.update(task, completed=data["done"], total=data["total"])
            elif name == "done":
                report = data
    if as_json:
        show_json(report)
    else:
        _print_report(report)


def _print_report(report: Mapping[str, Any]) -> None:
    broken = [
        f"[cyan]{escape(link['path'])}:{link['line']}[/]  {escape(link['text'])}"
        + "".join(f"\n    → {escape(each['link'])}  [dim]{each['why']}[/]" for each in link["repairs"])
        for link in report["broken"]
    ]
    _print_part(counted(len(broken), "broken link"), broken)
    _print_part(
        f"{counted(len(report['orphans']), 'note')} without any link",
        [escape(note["path"]) for note in report["orphans"]],
    )
    _print_part(
        f"{counted(len(report['duplicates']), 'pair')} of notes that say nearly the same",
        [f"{p['alike']:.0%}  {escape(p['first'])}  =  {escape(p['second'])}" for p in report["duplicates"]],
    )
    for path in report["unread"]:
        console.print(f"[yellow]{escape(path)} could not be read.[/]")
    console.print(f"[dim]{report['links']:,} links in {report['notes']:,} notes, {report['took_s']} s.[/]")


def _print_part(title: str, lines: list[str]) -> None:
    console.print(f"[bold]{title}[/]")
    for line in lines[:SHOWN]:
        console.print(f"  {line}")
    if len(lines) > SHOWN:
        console.print(f"  … and {len(lines) - SHOWN:,} more: --json")
