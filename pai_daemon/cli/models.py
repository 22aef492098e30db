"""`pai models`: list the embedding models, pull those of the hub, remove them."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
from rich.markup import escape
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Column, Table

from pai_daemon.cli.output import console, show_json
from pai_daemon.config import Settings, load
from pai_daemon.errors import ModelUnavailable, UsageError
from pai_daemon.models.hub.pull import Licence, pull, remove
from pai_daemon.models.pulled import Pulled, read_pulled, recorded
from pai_daemon.models.registry import Profile, known_profiles, profile
from pai_daemon.models.sources import HubSource, PackageSource

MEGABYTE = 1_000_000
# In a log, a line now and then is enough.
LOG_LINE_S = 10.0

as_json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
names_argument = click.argument("names", nargs=-1, required=True, metavar="NAME...")


@click.group("models")
def command() -> None:
    """List, pull and remove the models that embed your notes."""


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
        view = _Quiet() if as_json else _Bar() if console.is_terminal else _Lines()
        consent = _Consent(accepts=accept_licence, is_silent=as_json, pause=view.stop)
        with view:
            result = _pull(wanted, settings, view.show, consent, update=update, offline=offline)
        done.append(result)
        if not as_json:
            console.print(_sentence(result), soft_wrap=True)
    if as_json:
        show_json({"models": done})


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
            said = f"removed, {_megabytes(freed)} freed" if was_pulled else "was not pulled"
            console.print(f"{escape(wanted.name)}: {said}.")
    if as_json:
        show_json({"models": done})


def _pull(
    wanted: Profile,
    settings: Settings,
    show: Callable[[str, int, int], None],
    consent: _Consent,
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
    what = f"{name}, {_megabytes(result['size_bytes'])} ({licence}), revision {result['revision'][:12]}"
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


def _megabytes(size_bytes: int) -> str:
    return (
        f"{size_bytes / MEGABYTE:,.1f} MB"
        if size_bytes < 10 * MEGABYTE
        else f"{size_bytes / MEGABYTE:,.0f} MB"
    )


@dataclass
class _Consent:
    """Shows a licence, and asks for consent where the licence wants it.

    pause: takes the bar away, so that a question can be read.
    """

    accepts: bool
    is_silent: bool
    pause: Callable[[], None]

    def __call__(self, licence: Licence) -> bool:
        if not self.is_silent:
            said = f"{escape(licence.model)}: licence {escape(licence.name)}, see {escape(licence.page)}"
            console.print(said, soft_wrap=True)
        if not licence.must_accept or self.accepts:
            return True
        if self.is_silent or not sys.stdin.isatty():
            return False
        self.pause()
        return click.confirm("Do you accept it?")


class _Quiet:
    """Shows nothing: the document at the end says it all."""

    def __enter__(self) -> None:
        """Nothing to open."""

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Nothing to take away."""

    def show(self, path: str, done: int, total: int) -> None:
        """Show how far a file is; 0 for a total that is not known."""


@dataclass
class _Bar(_Quiet):
    """A bar for each file, which starts with the first one."""

    _tasks: dict[str, TaskID] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=30),
            DownloadColumn(),
            TimeRemainingColumn(),
            console=console,
        )

    def stop(self) -> None:
        """Leave the bars as they are."""
        self._progress.stop()

    def show(self, path: str, done: int, total: int) -> None:
        """Move a file's bar."""
        if path not in self._tasks:
            self._progress.start()
            self._tasks[path] = self._progress.add_task(escape(path), total=total or None, completed=done)
        self._progress.update(self._tasks[path], completed=done, total=total or None)


@dataclass
class _Lines(_Quiet):
    """A line when a file is complete, and now and then before."""

    _said: dict[str, tuple[float, bool]] = field(default_factory=dict)

    def show(self, path: str, done: int, total: int) -> None:
        """Print how far a file is, if it is news."""
        said_s, was_complete = self._said.setdefault(path, (time.monotonic(), False))
        is_complete = done == total
        if (is_complete and not was_complete) or time.monotonic() - said_s >= LOG_LINE_S:
            self._said[path] = (time.monotonic(), is_complete)
            click.echo(f"{path}: {_megabytes(done)} of {_megabytes(total) if total else '?'}")
