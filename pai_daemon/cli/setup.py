"""`pai setup`: make everything ready for a vault in one step: a model for its languages, and the plugin."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import click
from rich.markup import escape

from pai_daemon.cli.models import adopt
from pai_daemon.cli.output import console, show_json
from pai_daemon.config import Settings, load
from pai_daemon.context.languages import SAMPLE_CHUNKS, language_hints
from pai_daemon.models.loading import load_model
from pai_daemon.models.names import named
from pai_daemon.notes.languages import language_name, language_shares
from pai_daemon.plugin.install import install, is_for_obsidian
from pai_daemon.vault.folder import check_vault
from pai_daemon.vault.ignore import IgnoreRules
from pai_daemon.vault.scan import read_bytes, scan

# The beginning of a note tells its language.
LOOKED_AT_BYTES = 4_000


@click.command("setup")
@click.argument("vault", type=click.Path(path_type=Path))
@click.option("--model", help="This embedding model, rather than one that fits the languages.")
@click.option("--accept-licence", is_flag=True, help="Accept the model's licence without being asked.")
@click.option(
    "--plugin/--no-plugin", default=True, help="Put the plugin into the vault, unless it is Logseq's."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(vault: Path, model: str | None, accept_licence: bool, plugin: bool, as_json: bool) -> None:
    """Make everything ready for the notes in VAULT, so that a start only takes seconds.

    Looks at the languages of the notes, takes a model that was trained for them (the one of the settings, if
    it was), gets it, makes it ready for this machine, and puts the plugin into the vault.
    """
    vault, settings = check_vault(vault), load()
    shares = language_shares(_beginnings(vault, settings))
    name = model or fitting_model(shares, settings)
    if not as_json:
        _say_languages(shares, name, settings)
    if name != settings.model:
        adopt(name, settings, accepts=accept_licence, is_silent=as_json)
        settings = load()
    form = _made_ready(name, settings, is_silent=as_json)
    installed = install(vault) if plugin and is_for_obsidian(vault) else None
    if as_json:
        languages = {code: round(share, 2) for code, share in shares.items()}
        show_json({"vault": str(vault), "languages": languages, "plugin": installed} | form)
        return
    console.print(f"{escape(form['model'])} is ready ({form['execution_provider']}, {form['precision']}).")
    if installed is not None:
        console.print(f"The Obsidian plugin is {installed} in {escape(str(vault))}.", soft_wrap=True)
    console.print(f"\nStart with: [bold]pai start {escape(str(vault))}[/]", soft_wrap=True)


def fitting_model(shares: dict[str, float], settings: Settings) -> str:
    """Return the model of the settings, or where it was not trained for these languages one that was."""
    chosen = named(settings.model, settings.models_file, settings.cache_dir, settings.model_key)
    for hint in language_hints(shares, chosen):
        if hint.command is not None:
            return hint.command.rpartition(" ")[2]
    return settings.model


def _beginnings(vault: Path, settings: Settings) -> Iterator[str]:
    """Yield the beginnings of at most SAMPLE_CHUNKS notes, spread over the vault."""
    paths = sorted(scan(vault, IgnoreRules.of(vault, settings.exclude, settings.include)).files)
    for path in islice(paths, 0, None, -(-len(paths) // SAMPLE_CHUNKS) or 1):
        data, _ = read_bytes(vault, path, LOOKED_AT_BYTES)
        yield data.decode("utf-8", "ignore")


def _say_languages(shares: dict[str, float], name: str, settings: Settings) -> None:
    if not shares:
        return
    said = ", ".join(f"{language_name(code)} {share:.0%}" for code, share in shares.items() if share >= 0.05)
    console.print(f"Your notes: {said}.")
    if name != settings.model:
        console.print(f"{escape(settings.model)} was not trained for all of that: {escape(name)} is taken.")


def _made_ready(name: str, settings: Settings, *, is_silent: bool) -> dict[str, Any]:
    """Load a model once, so that its files are prepared; return how it runs."""
    wanted = named(name, settings.models_file, settings.cache_dir, settings.model_key)
    status = None if is_silent else console.status(f"Making {escape(wanted.name)} ready …")
    if status is not None:
        status.start()
    try:
        embedder = load_model(wanted, settings, lambda *_: None)
        try:
            return {
                "model": embedder.profile.name,
                "execution_provider": embedder.execution_provider,
                "precision": embedder.form,
            }
        finally:
            embedder.close()
    finally:
        if status is not None:
            status.stop()
