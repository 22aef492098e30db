"""`pai start`: serve a vault in the foreground, and show how far it is."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import shutil
import signal
import sys
import time
from pathlib import Path
from typing import Any

import click
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Column

from pai_daemon import __version__
from pai_daemon.cli.output import console, counted, show_hint
from pai_daemon.cli.service_files import IN_PYTHON
from pai_daemon.config import Settings, load, write_private
from pai_daemon.daemon import Daemon
from pai_daemon.models.sources import ServerSource
from pai_daemon.plugin.install import install, is_enabled, is_for_obsidian
from pai_daemon.serve.status import describe

log = logging.getLogger(__name__)

LOOK_S = 0.5
# In a log, a line now and then is enough.
LOG_LINE_S = 10.0


@click.command("start")
@click.argument("vault", type=click.Path(path_type=Path))
@click.option(
    "--port", type=click.IntRange(0, 65535), help="Port on 127.0.0.1 (default 8377; 0: any free one)."
)
@click.option(
    "--model",
    help="Embedding model: multilingual-e5-small (default), another name, or a server's: ollama:MODEL[@URL], "
    "openai:MODEL@URL, tei:URL.",
)
@click.option(
    "--generator",
    help="Who writes answers: extractive (default), auto, gguf:FILE, ollama:MODEL[@URL], openai:MODEL@URL.",
)
@click.option(
    "--include", multiple=True, metavar="PATTERN", help="Index only these (gitignore style); repeatable."
)
@click.option(
    "--exclude", multiple=True, metavar="PATTERN", help="Do not index these (gitignore style); repeatable."
)
@click.option("--threads", type=click.IntRange(1, 64), help="Threads of the embedding model.")
@click.option("--install-plugin", is_flag=True, help="Put the Obsidian plugin into the vault first.")
def command(
    vault: Path, install_plugin: bool, exclude: tuple[str, ...], include: tuple[str, ...], **flags: Any
) -> None:
    """Serve the notes in VAULT until Ctrl-C.

    The notes are only read. Index, model and settings lie in your user folders, not in the vault.
    """
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")
    settings = load({**flags, "exclude": exclude or None, "include": include or None})
    asyncio.run(_serve(Daemon(vault, settings), install_plugin))


def own_command() -> list[str]:
    """Return what starts a daemon by this installation's place; a vault follows.

    The plugin runs it when a person presses its button (D76).
    """
    # -P: no module of the folder that it is run in is taken for one of ours.
    return [sys.executable, "-P", "-c", IN_PYTHON, "start"]


async def _serve(daemon: Daemon, install_plugin: bool) -> None:
    stopped = daemon.stopping
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):  # Windows has no signal handlers in the loop
            loop.add_signal_handler(number, stopped.set)
    await daemon.start()
    write_private(daemon.settings.config_dir / "command.json", json.dumps({"command": own_command()}))
    try:
        _greet(daemon, install_plugin)
        await _watch(daemon, stopped)
    finally:
        console.print("Stopping…")
        await daemon.stop()


def _greet(daemon: Daemon, install_plugin: bool) -> None:
    say = console.print
    say(f"[bold]pai-daemon {__version__}[/] serves [cyan]{escape(str(daemon.vault))}[/] at {daemon.url}")
    if install_plugin and not is_for_obsidian(daemon.vault):
        say("\nThis is a Logseq graph: nothing is put into it. Ask on the dashboard: [bold]pai open[/]")
    elif install_plugin:
        what = install(daemon.vault)
        say(f"\nThe Obsidian plugin is {what} in this vault.")
        if not is_enabled(daemon.vault):
            say("To use it, once:")
            say("  1. Open the vault in Obsidian (Open folder as vault).")
            say("  2. Settings → Community plugins → Turn on community plugins.")
            say("  3. Enable [bold]PAI daemon[/], then Ctrl/Cmd-P and [bold]Ask your vault[/].")
    model = daemon.served.model.profile
    if isinstance(model.source, ServerSource) and model.location == "remote":
        say(
            f"\n[yellow]{escape(model.name)} at {escape(model.source.address.url)} embeds the notes, beyond "
            "this machine: the text of all notes but local-only ones, and every question are sent there.[/]"
        )
    if daemon.generator.location == "remote":
        say(
            f"\n[yellow]{escape(daemon.generator.name)} writes the answers, beyond this machine: the "
            "passages that a question finds are sent there.[/]"
        )
    if daemon.settings.host:
        _tell_of_address(daemon.settings)
    # Installed beside a checkout, the command is not on the path of another terminal.
    pai = "pai" if shutil.which("pai") else str(Path(sys.argv[0]).absolute())
    say("\nOr ask from another terminal:", soft_wrap=True)
    say(f'  [bold]{escape(pai)} ask "…"[/]    or search, links, status', soft_wrap=True)
    say("Ctrl-C stops.\n")


def _tell_of_address(settings: Settings) -> None:
    """Say where the daemon can be reached from beyond this machine, and whether that can be listened to."""
    how = "encrypted" if settings.tls_cert else "unencrypted: the token and the notes can be read on the way"
    console.print(f"\n[yellow]Other machines reach it at {escape(settings.host)}, {how}.[/]")


async def _watch(daemon: Daemon, stopped: asyncio.Event) -> None:
    """Show progress until stopped: a bar on a terminal, lines elsewhere."""
    view = _Bar() if console.is_terminal else _Lines()
    told: set[str] = set()
    with view:
        while not stopped.is_set():
            try:
                status = await asyncio.to_thread(describe, daemon.served)
                view.show(status, daemon.preparing)
                tell(status["hints"], told)
            except Exception:  # what is shown must never end what is served
                log.exception("the progress could not be shown")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stopped.wait(), LOOK_S)


def tell(hints: list[dict[str, Any]], told: set[str]) -> None:
    """Print the hints that were not told yet, by their code, and remember them."""
    for hint in hints:
        if hint["code"] not in told:
            told.add(hint["code"])
            show_hint(hint)


def sentence(status: dict[str, Any], preparing: str) -> str:
    """Return what the daemon does, in one line."""
    counts = f"{counted(status['notes'], 'note')}, {counted(status['chunks'], 'passage')}"
    if (now := status["progress"]) is not None:
        verb = now["phase"].capitalize()
        if now["phase"] == "switching" and (following := status["model"]["next"]):
            verb = f"Switching to {following['name']}:"
        eta = f", {duration(now['eta_s'])} left" if now["eta_s"] is not None else ""
        speed = f", {now['tokens_per_s']:,.0f} tokens/s" if now["tokens_per_s"] else ""
        return f"{verb} {now['done']:,} of {now['total']:,} {now['unit']}{speed}{eta}"
    if status["message"] and not (preparing and status["state"] == "indexing"):
        return f"{status['state'].capitalize()}: {status['message']}"
    if preparing:
        answers = (status.get("model") or {}).get("execution_provider")
        return f"{preparing}; {counts} searchable{'' if answers else ' by word'}"
    if status["state"] == "ready":
        problems = status["problems"]
        bad = f"; {counted(len(problems), 'note')} with problems (pai status)" if problems else ""
        return f"Ready: {counts}{bad}"
    return f"{status['state'].capitalize()}…"


def duration(seconds: float) -> str:
    """Return a length of time as a person would say it."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"


class _Bar:
    """A progress bar that stays one line."""

    def __init__(self) -> None:
        self._progress = Progress(
            TextColumn("{task.description}", table_column=Column(no_wrap=True, overflow="ellipsis")),
            BarColumn(bar_width=20),
            TextColumn("{task.fields[share]}"),
            console=console,
            transient=True,
        )
        self._task = self._progress.add_task("Starting…", total=None, share="")

    def __enter__(self) -> None:
        self._progress.start()

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def show(self, status: dict[str, Any], preparing: str) -> None:
        """Show a status."""
        now = status["progress"]
        share = f"{now['done'] / now['total']:.0%}" if now and now["total"] else ""
        # Without a count the bar pulses while work goes on, and is full when there is none.
        is_busy = status["state"] in ("starting", "indexing")
        total, done = (now["total"], now["done"]) if now else ((None, 0) if is_busy else (1, 1))
        self._progress.tasks[0].total = total
        self._progress.update(
            self._task, description=escape(sentence(status, preparing)), completed=done, share=share
        )


class _Lines:
    """A line when something changes, and now and then during long work."""

    def __init__(self) -> None:
        self._last = ""
        self._said_s = 0.0

    def __enter__(self) -> None:
        """Nothing to open."""

    def __exit__(self, *_: object) -> None:
        """Nothing to close."""

    def show(self, status: dict[str, Any], preparing: str) -> None:
        """Print a status, if it is news."""
        line, kind = sentence(status, preparing), f"{status['state']} {status['message']} {bool(preparing)}"
        long_ago = time.monotonic() - self._said_s >= LOG_LINE_S
        if kind != self._last or (long_ago and status["progress"] is not None):
            self._last, self._said_s = kind, time.monotonic()
            click.echo(line)
