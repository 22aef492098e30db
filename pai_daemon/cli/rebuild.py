"""`pai index --rebuild`: clears a vault's index, which the next start makes anew; no daemon may serve it."""

from __future__ import annotations

import shlex
from pathlib import Path

from rich.markup import escape

from pai_daemon.cli.doctor_index import only_vault
from pai_daemon.cli.output import console, counted, show_json
from pai_daemon.config import Settings
from pai_daemon.context.store.rebuild import clear
from pai_daemon.errors import IndexUnavailable, VaultHeld
from pai_daemon.vault.holding import hold


def run(settings: Settings, vault: Path | None, *, as_json: bool) -> None:
    """Clear the index of a vault and say what was kept. Raises VaultHeld while a daemon serves it."""
    vault = vault if vault is not None else only_vault(settings)
    folder = settings.index_dir(vault)
    if not folder.is_dir():
        raise IndexUnavailable(f"There is no index of {vault}.", hint=f"Make one with: pai start {vault}")
    try:
        lock = hold(vault, settings)
    except VaultHeld as error:
        raise VaultHeld(
            error.detail, hint="Stop it first, with Ctrl-C in its terminal; then run this again."
        ) from None
    with lock:
        cleared = clear(folder)
    if as_json:
        show_json({"index": str(folder), "kept": cleared.kept, "dropped": cleared.dropped})
        return
    console.print(f"The text of the index was removed, and {counted(cleared.kept, 'embedding')} kept.")
    if cleared.dropped:
        console.print(f"{counted(cleared.dropped, 'embedding')} went: damaged, or not to be read.")
    start = escape(f"pai start {shlex.quote(str(vault))}")
    console.print(f"The next start makes it anew:\n  [bold]{start}[/]", soft_wrap=True)
