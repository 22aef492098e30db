"""`pai models`: list the embedding models, pull those of the hub, try how they run here, choose one."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import asdict
from typing import Any

import click
from rich.markup import escape
from rich.table import Column, Table

from pai_daemon.cli.generators import show_generators
from pai_daemon.cli.output import console, show_json
from pai_daemon.cli.pulling import megabytes, pulled_by_ollama, pulled_gguf, pulled_model
from pai_daemon.client import Client
from pai_daemon.config import Settings, load, remember
from pai_daemon.errors import UsageError
from pai_daemon.models.addresses import address_of
from pai_daemon.models.hub.gguf import GgufModel, gguf_model, is_gguf, unplace
from pai_daemon.models.hub.pull import remove
from pai_daemon.models.names import FOLDER, named
from pai_daemon.models.overview import KnownModel, known_models
from pai_daemon.models.pulled import read_pulled, recorded
from pai_daemon.models.registry import Profile, profile
from pai_daemon.models.sources import HubSource, PackageSource, ServerSource
from pai_daemon.models.trial import Trial, choose

as_json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
names_argument = click.argument("names", nargs=-1, required=True, metavar="NAME...")


@click.group("models")
def command() -> None:
    """List, pull, try, choose and remove the models that embed your notes."""


@command.command("list")
@click.option("--generators", is_flag=True, help="List what could write answers on this machine instead.")
@as_json_option
def list_command(generators: bool, as_json: bool) -> None:
    """List the embedding models: where each comes from, what it can, and whether it is here.

    With --generators: the models of an Ollama and an LM Studio that run here, and GGUF files, and which of
    them the setting `auto` would take, and why.
    """
    settings = load()
    if generators:
        show_generators(settings, as_json=as_json)
        return
    known = known_models(settings.models_file, settings.cache_dir, settings.model)
    models = [_facts(each) for each in known]
    if as_json:
        show_json({"models": models})
    else:
        _show_models(models)


@command.command("pull")
@names_argument
@click.option("--accept-licence", is_flag=True, help="Accept the licence of each without being asked.")
@click.option("--update", is_flag=True, help="Take what the model's branch holds now.")
@click.option("--offline", is_flag=True, help="Ask nobody; take what other programs have fetched.")
@as_json_option
def pull_command(
    names: tuple[str, ...], accept_licence: bool, update: bool, offline: bool, as_json: bool
) -> None:
    """Fetch the files of models from the Hugging Face hub, or the mirror in HF_ENDPOINT.

    Interrupted, it goes on where it was. Each file's hash is checked before it is used. A name such as
    ollama:llama3.2 has Ollama fetch that model; gguf:OWNER/REPO/FILE.gguf is a file of the hub that writes
    answers without any other program.
    """
    settings = load()
    done = [
        pulled_gguf(name, settings, is_silent=as_json, update=update, offline=offline)
        if is_gguf(name)
        else pulled_by_ollama(address, is_silent=as_json)
        if (address := address_of(name)) is not None and address.protocol == "ollama"
        else pulled_model(
            profile(name, settings.models_file),
            settings,
            accepts=accept_licence,
            is_silent=as_json,
            update=update,
            offline=offline,
        )
        for name in names
    ]
    if as_json:
        show_json({"models": done})


@command.command("bench")
@click.argument("name", required=False)
@as_json_option
def bench_command(name: str | None, as_json: bool) -> None:
    """Try every way to run a model here, show how each did, and keep the fastest that is as good.

    NAME is the model of the settings by default. Each candidate embeds probes, texts of our own in many
    languages, and is compared with the model in single precision. The settings `provider` and `precision`
    overrule the choice. Takes some seconds.
    """
    settings = load()
    chosen = named(name or settings.model, settings.models_file, settings.cache_dir)
    if isinstance(chosen.source, ServerSource):
        raise UsageError(f"{chosen.name} runs on a server, not here.")
    with nullcontext() if as_json else console.status(f"Trying {escape(chosen.name)} …"):
        choice = choose(
            chosen,
            settings.cache_dir,
            provider=settings.provider,
            precision=settings.precision,
            threads=settings.threads,
            again=True,
        )
    form = choice.prepared.form.name
    if as_json:
        trials = [asdict(trial) | {"form": trial.form.name} for trial in choice.trials]
        show_json({"model": chosen.name, "provider": choice.provider, "form": form, "trials": trials})
        return
    if choice.trials:
        _show_trials(choice.trials)
    console.print(f"\n{escape(chosen.name)} runs on [bold]{choice.provider}[/] in [bold]{form}[/].")


def _show_trials(trials: Sequence[Trial]) -> None:
    table = Table("Provider", "Precision", "Tokens/s", "Cosine", "MRR", "", box=None, pad_edge=False)
    for trial in trials:
        ran = trial.tokens_per_s > 0
        table.add_row(
            trial.provider,
            trial.form.name,
            f"{trial.tokens_per_s:,.0f}" if ran else "",
            f"{trial.cosine:.4f}" if ran else "",
            f"{trial.mrr:.3f}" if ran else "",
            escape(trial.refused),
        )
    console.print(table)


@command.command("remove")
@names_argument
@as_json_option
def remove_command(names: tuple[str, ...], as_json: bool) -> None:
    """Remove what was pulled for models.

    The files lie in the hub's cache, which other programs share: they lose this revision as well.
    """
    settings = load()
    done = []
    for wanted in [_removable(name, settings) for name in names]:
        was_pulled = isinstance(wanted.source, HubSource) and recorded(wanted.source, settings.cache_dir)
        if isinstance(wanted, GgufModel):
            unplace(wanted, settings.gguf_dir)
        freed = remove(wanted, settings.cache_dir)
        done.append({"name": wanted.name, "removed": bool(was_pulled), "freed_bytes": freed})
        if not as_json:
            said = f"removed, {megabytes(freed)} freed" if was_pulled else "was not pulled"
            console.print(f"{escape(wanted.name)}: {said}.")
    if as_json:
        show_json({"models": done})


def _removable(name: str, settings: Settings) -> Profile | GgufModel:
    return gguf_model(name) if is_gguf(name) else profile(name, settings.models_file)


@command.command("use")
@click.argument("name")
@click.option("--accept-licence", is_flag=True, help="Accept its licence without being asked.")
@as_json_option
def use_command(name: str, accept_licence: bool, as_json: bool) -> None:
    """Let the model NAME embed your notes, from now on; one of the hub is pulled first.

    NAME is one of `pai models list`, or says where a model is: file:FOLDER, ollama:MODEL[@URL],
    openai:MODEL@URL, tei:URL. A running daemon embeds everything anew beside the index that answers
    meanwhile, then switches.
    """
    settings = load()
    adopted = adopt(name, settings, accepts=accept_licence, is_silent=as_json)
    if as_json:
        show_json(adopted)
        return
    told = adopted["daemons_told"]
    when = "its notes are embedded anew, follow it with: pai status" if told else "at the next start"
    console.print(f"[bold]{escape(adopted['model'])}[/] is chosen; {when}.", soft_wrap=True)
    if adopted["model_at_start"] != name:
        in_force = escape(adopted["model_at_start"])
        console.print(f"[yellow]At a start PAI_MODEL goes before it, and is {in_force}.[/]")


def adopt(name: str, settings: Settings, *, accepts: bool, is_silent: bool) -> dict[str, Any]:
    """Get a model, choose it in the settings, and tell the daemons that run; return what came of it.

    Raises UsageError for a name that makes no sense, ModelUnavailable where the model cannot be had.
    """
    if not name.strip().startswith(FOLDER):
        wanted = profile(name, settings.models_file, settings.model_key)
        if isinstance(wanted.source, HubSource) and read_pulled(wanted.source, settings.cache_dir) is None:
            pulled_model(wanted, settings, accepts=accepts, is_silent=is_silent)
        if isinstance(wanted.source, PackageSource):
            wanted.source.file()
    chosen = named(name, settings.models_file, settings.cache_dir, settings.model_key)
    remember(settings, "model", name)
    told = [client.choose_model(name) for client in Client.running(settings)]
    return {"model": chosen.name, "daemons_told": len(told), "model_at_start": load().model}


def _facts(known: KnownModel) -> dict[str, Any]:
    """Return what is said of a model in the list."""
    return {{"origin": "from"}.get(name, name): value for name, value in asdict(known).items()}


def _show_models(models: list[dict[str, Any]]) -> None:
    """Print a table; in a pipe a line a model, its cells parted by tabs."""
    columns = ("Short", "From", "Here", "Languages", "Dim.", "Tokens", "MB", "Licence")
    table = Table(Column("Model", no_wrap=True), *columns, box=None, pad_edge=False)
    for model in models:
        cells = (
            f"{model['name']}{' *' if model['chosen'] else ''}",
            ", ".join(model["short_names"]),
            model["from"],
            "yes" if model["here"] else "no",
            _languages(model),
            str(model["dimensions"]),
            str(model["max_tokens"]),
            str(model["size_mb"] or "?"),
            model["licence"] + (" (accept)" if model["must_accept"] else ""),
        )
        if console.is_terminal:
            table.add_row(*map(escape, cells), style="bold" if model["chosen"] else "")
        else:
            click.echo("\t".join(cells))
    if console.is_terminal:
        console.print(table)
        console.print("\n* chosen in the settings. `pai models pull NAME` gets one of the hub.")


def _languages(model: dict[str, Any]) -> str:
    codes = model["languages"]
    if not codes:
        return "?"
    return " ".join(codes) if len(codes) <= 4 else str(len(codes))
