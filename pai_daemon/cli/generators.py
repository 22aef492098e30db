"""What could write answers on this machine: `pai models list --generators`."""

from __future__ import annotations

import asyncio
from typing import Any

import click
from rich.markup import escape
from rich.table import Column, Table

from pai_daemon.cli.output import console, show_json
from pai_daemon.config import Settings
from pai_daemon.models.generation.choosing import Candidate
from pai_daemon.models.generation.generators import Options, all_there_is

GIGABYTE, BILLION = 1_000_000_000, 1_000_000_000


def show_generators(settings: Settings, *, as_json: bool) -> None:
    """Print each model that is here, which of them `auto` would take and why, and what is set."""
    findings = asyncio.run(all_there_is(Options(settings.gguf_dir)))
    taken = next((found for found in findings if found.spec), None)
    models = [
        _facts(each, is_auto=taken is not None and each.spec == taken.spec, is_set=settings.generator)
        for found in findings
        for each in found.candidates
    ]
    auto = {
        "generator": taken.spec if taken else "extractive",
        "why": taken.why if taken else "; ".join(found.why for found in findings),
    }
    if as_json:
        show_json({"generator": settings.generator, "models": models, "auto": auto})
        return
    columns = ("Loaded", "Parameters", "GB", "Tokens")
    table = Table(Column("Generator", no_wrap=True), *columns, box=None, pad_edge=False)
    for model in models:
        cells = (
            f"{model['generator']}{' *' if model['chosen'] else ''}",
            "yes" if model["loaded"] else "no",
            f"{model['parameters'] / BILLION:.1f} B" if model["parameters"] else "?",
            f"{model['size_bytes'] / GIGABYTE:.1f}" if model["size_bytes"] else "?",
            f"{model['context_tokens']:,}" if model["context_tokens"] else "?",
        )
        if console.is_terminal:
            table.add_row(*map(escape, cells), style="bold" if model["auto"] else "")
        else:
            click.echo("\t".join(cells))
    if console.is_terminal and models:
        console.print(table)
        console.print()
    console.print(f"auto takes {escape(auto['generator'])}: {escape(auto['why'])}.", soft_wrap=True)
    console.print(f"Set is {escape(settings.generator)}.", soft_wrap=True)


def _facts(model: Candidate, *, is_auto: bool, is_set: str) -> dict[str, Any]:
    return {
        "generator": model.spec,
        "name": model.name,
        "chosen": model.spec == is_set,
        "auto": is_auto,
        "loaded": model.is_loaded,
        "parameters": model.parameters,
        "size_bytes": model.size_bytes,
        "context_tokens": model.context_tokens,
    }
