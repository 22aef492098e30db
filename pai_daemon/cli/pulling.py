"""What is seen while a model is pulled: its licence, then how far each file is."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import click
from rich.markup import escape
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from pai_daemon.cli.output import console
from pai_daemon.models.hub.pull import Licence

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
