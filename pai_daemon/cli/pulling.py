"""Pulls a model before a person's eyes: its licence, then how far each file is, then what came."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import click
from rich.markup import escape
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from pai_daemon.cli.output import console
from pai_daemon.config import Settings
from pai_daemon.errors import UsageError
from pai_daemon.models.addresses import Address
from pai_daemon.models.hub.gguf import gguf_model, place
from pai_daemon.models.hub.pull import Licence, pull
from pai_daemon.models.ollama_pull import pull_by_ollama
from pai_daemon.models.pulled import Pulled, read_pulled
from pai_daemon.models.registry import Profile
from pai_daemon.models.sources import HubSource, PackageSource

MEGABYTE = 1_000_000
# In a log, a line now and then is enough.
LOG_LINE_S = 10.0


def megabytes(size_bytes: int) -> str:
    """Return a size as a person reads it."""
    return (
        f"{size_bytes / MEGABYTE:,.1f} MB"
        if size_bytes < 10 * MEGABYTE
        else f"{size_bytes / MEGABYTE:,.0f} MB"
    )


def pulled_model(
    wanted: Profile,
    settings: Settings,
    *,
    accepts: bool,
    is_silent: bool,
    update: bool = False,
    offline: bool = False,
) -> dict[str, Any]:
    """Pull a model, show how far it is, and return what came of it.

    accepts: its licence, without asking. is_silent: show nothing, and ask nothing. Raises as `pull` does.
    """
    view = Quiet() if is_silent else Bar() if console.is_terminal else Lines()
    consent = Consent(accepts=accepts, is_silent=is_silent, pause=view.stop)
    with view:
        result = _pull(wanted, settings, view.show, consent, update=update, offline=offline)
    if not is_silent:
        console.print(_sentence(result), soft_wrap=True)
    return result


def pulled_gguf(
    name: str, settings: Settings, *, is_silent: bool, update: bool = False, offline: bool = False
) -> dict[str, Any]:
    """Pull a GGUF file of the hub, put it where generators are named, and return what came of it."""
    wanted = gguf_model(name)
    view = Quiet() if is_silent else Bar() if console.is_terminal else Lines()
    consent = Consent(accepts=False, is_silent=is_silent, pause=view.stop)
    with view:
        before = read_pulled(wanted.source, settings.cache_dir)
        pulled = pull(
            wanted, settings.cache_dir, report=view.show, accept=consent, update=update, offline=offline
        )
    file = place(wanted, pulled, settings.gguf_dir)
    if not is_silent:
        console.print(f"{escape(wanted.name)}, {megabytes(pulled.size_bytes)}, is there.", soft_wrap=True)
        console.print(f"Let it write: pai start --generator {escape(wanted.generator)}", soft_wrap=True)
    return _told(wanted.name, before, pulled) | {"generator": wanted.generator, "path": str(file)}


def pulled_by_ollama(address: Address, *, is_silent: bool) -> dict[str, Any]:
    """Have Ollama pull a model, show how far it is, and return what came of it."""
    view = Quiet() if is_silent else Bar() if console.is_terminal else Lines()
    with view:
        asyncio.run(pull_by_ollama(address, view.show))
    if not is_silent:
        console.print(f"{escape(address.spec)} is there.", soft_wrap=True)
    return {"name": address.spec, "status": "pulled"}


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
    return _told(wanted.name, before, pulled)


def _told(name: str, before: Pulled | None, pulled: Pulled) -> dict[str, Any]:
    """Return what is told of a model that was pulled."""
    return {
        "name": name,
        "status": _status(before, pulled),
        "licence": pulled.licence,
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


@dataclass
class Consent:
    """Shows a licence, and asks for consent where the licence wants it.

    pause: takes the bar away, so that a question can be read.
    """

    accepts: bool
    is_silent: bool
    pause: Callable[[], None]

    def __call__(self, licence: Licence) -> bool:
        """Return whether the licence is accepted, shown before."""
        if not self.is_silent:
            said = f"{escape(licence.model)}: licence {escape(licence.name)}, see {escape(licence.page)}"
            console.print(said, soft_wrap=True)
        if not licence.must_accept or self.accepts:
            return True
        if self.is_silent or not sys.stdin.isatty():
            return False
        self.pause()
        return click.confirm("Do you accept it?")


class Quiet:
    """Shows nothing: the document at the end says it all."""

    def __enter__(self) -> None:
        """Nothing to open."""

    def __exit__(self, *_: object) -> None:
        """Take away what is shown."""
        self.stop()

    def stop(self) -> None:
        """Nothing to take away."""

    def show(self, path: str, done: int, total: int) -> None:
        """Show how far a file is; 0 for a total that is not known."""


@dataclass
class Bar(Quiet):
    """A bar for each file, which starts with the first one."""

    _tasks: dict[str, TaskID] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Make the bars, which are not seen yet."""
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
class Lines(Quiet):
    """A line when a file is complete, and now and then before."""

    _said: dict[str, tuple[float, bool]] = field(default_factory=dict)

    def show(self, path: str, done: int, total: int) -> None:
        """Print how far a file is, if it is news."""
        said_s, was_complete = self._said.setdefault(path, (time.monotonic(), False))
        is_complete = done == total
        if (is_complete and not was_complete) or time.monotonic() - said_s >= LOG_LINE_S:
            self._said[path] = (time.monotonic(), is_complete)
            click.echo(f"{path}: {megabytes(done)} of {megabytes(total) if total else '?'}")
