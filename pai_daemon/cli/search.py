"""`pai search`: passages for a query."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from pai_daemon.cli.output import (
    client_options,
    connect,
    console,
    counted,
    narrowing_options,
    show_json,
    show_passage,
)
from pai_daemon.errors import UsageError

# What moves a passage by less is not printed; --json has all.
LEAST_WORTH = 0.05


@click.command("search")
@click.argument("query", nargs=-1, required=True)
@click.option("-n", "--limit", default=10, show_default=True, help="How many passages.")
@click.option(
    "--mode", type=click.Choice(["hybrid", "semantic", "text"]), default="hybrid", show_default=True
)
@click.option("--explain", is_flag=True, help="Say why each passage stands where it does.")
@narrowing_options
@client_options
def command(
    query: tuple[str, ...],
    limit: int,
    mode: str,
    explain: bool,
    vault: Path | None,
    as_json: bool,
    **narrowed: Any,
) -> None:
    """Find the passages that fit QUERY, by meaning and by words.

    \b
    Within QUERY:
      "exact words"                must occur
      path:Journal file:Engine     part of a note's path, or of its name
      heading:Costs tag:boat #boat part of a heading; a tag, or one nested in it
      [status:open] [started]      a property with this value, or with any
      since:7d before:2026-11-01   when it was last written; on:2026-11-01

    A - before any of these leaves out what it finds, and quotes hold a value with spaces: path:"My notes".
    Operators alone list the newest notes. A query that begins with - stands after --.
    """  # noqa: D301 - click keeps the lines of a paragraph that begins so
    typed = " ".join(query)
    if not typed.strip():
        raise UsageError("The question is empty.", hint="Say what you look for.")
    if explain:
        narrowed["explain"] = True
    found = connect(vault).search(typed, limit=limit, mode=mode, **narrowed)
    if as_json:
        show_json(found)
        return
    explained = found.get("explained")
    for number, passage in enumerate(found["results"], start=1):
        show_passage(number, passage)
        if explained:
            _show_reasons(explained["reasons"][number - 1], explained["weights"])
    if not found["results"]:
        console.print("Nothing found.")
    if understood := found.get("understood"):
        console.print(f"Read as: {' '.join(understood)}", style="dim", markup=False)
    for notice in found.get("notices", ()):
        console.print(notice, style="dim", markup=False)
    if pending := found["pending_chunks"]:
        console.print(f"[dim]Not embedded yet: {counted(pending, 'passage')}.[/]")
    if explained:
        for word, nearest in explained["corrected"].items():
            said = f"No note has “{word}”; searched too: {', '.join(nearest)}."
            console.print(said, style="dim", markup=False)
        took = ", ".join(f"{name} {value:.1f}" for name, value in explained["took_ms"].items())
        console.print(f"[dim]{found['took_ms']:.1f} ms: {took}.[/]")


def _show_reasons(reasons: Mapping[str, Any], weights: Mapping[str, float]) -> None:
    """Print what each leg says for a passage, and what the second look weighed, most first."""
    legs = [
        f"{name} {part['score']:.3f}: {part['share']:.3f} × {part['weight']:.2f}"
        for name in ("semantic", "text")
        if (part := reasons[name]) is not None
    ]
    if legs:
        console.print(f"    [dim]{' + '.join(legs)} = {reasons['fused']:.3f}[/]")
    if reasons["odds"] is not None:
        worth = {name: value * weights[name] for name, value in reasons["signs"].items()}
        most = sorted(worth.items(), key=lambda pair: -abs(pair[1]))
        shown = "; ".join(f"{name} {value:+.2f}" for name, value in most if abs(value) >= LEAST_WORTH)
        console.print(f"    [dim]second look {reasons['odds']:+.2f}: {shown}[/]")
