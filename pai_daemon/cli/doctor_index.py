"""`pai doctor --index`: whether a vault's index on disk is sound; with a daemon beside it or without."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

from rich.markup import escape
from rich.table import Table

from pai_daemon.cli.output import console, show_json
from pai_daemon.config import Settings, daemon_records
from pai_daemon.context.store.check import Finding, check
from pai_daemon.context.store.store import Store
from pai_daemon.errors import IndexUnavailable, UsageError, VaultUnavailable
from pai_daemon.vault.scan import read_bytes

REBUILD = "pai index --rebuild"


def run(settings: Settings, vault: Path | None, *, as_json: bool) -> None:
    """Print what was found of a vault's index; end with 69 where it is damaged."""
    vault = vault if vault is not None else only_vault(settings)
    if not vault.is_dir():
        raise VaultUnavailable(f"There is no folder {vault}.")
    folder = settings.index_dir(vault)
    findings = _findings(folder, vault)
    if any(finding.is_damage for finding in findings):
        # A daemon that tidies takes old files away meanwhile: what is damaged is so twice.
        findings = _findings(folder, vault)
    damaged = any(finding.is_damage for finding in findings)
    hint = f"{REBUILD} --vault {shlex.quote(str(vault))}" if damaged else ""
    if as_json:
        listed = [{"name": each.name, "ok": not each.is_damage, "found": each.found} for each in findings]
        show_json({"index": str(folder), "ok": not damaged, "findings": listed, "hint": hint})
    else:
        table = Table(show_header=False, box=None, pad_edge=False)
        for each in findings:
            mark = "[red]✗[/]" if each.is_damage else "[green]✓[/]"
            table.add_row(mark, f"[bold]{each.name}[/]", escape(each.found))
        console.print(table)
        if hint:
            console.print(
                f"The index is damaged; your notes are not. Make it anew with:\n  [bold]{escape(hint)}[/]"
            )
    if damaged:
        sys.exit(69)


def only_vault(settings: Settings) -> Path:
    """Return the vault of the only daemon that says of itself to run. Raises UsageError."""
    vaults = sorted({record["vault"] for record in daemon_records(settings)})
    if len(vaults) != 1:
        said = f"Several vaults have a daemon: {', '.join(vaults)}." if vaults else "No daemon is running."
        raise UsageError(said, hint="Name the vault with --vault.")
    return Path(vaults[0])


def _findings(folder: Path, vault: Path) -> list[Finding]:
    """Return what is found of an index, opened anew. Raises IndexUnavailable where there is none."""
    try:
        store = Store.read_only(folder)
    except IndexUnavailable as error:
        if not folder.is_dir():
            raise
        return [Finding("tables", error.detail, is_damage=True)]
    found = [
        Finding("index", f"{folder}, {store.size_bytes() // 1024**2:,} MiB, revision {store.revision:,}")
    ]
    found += check(store)
    if not any(finding.is_damage for finding in found):
        found.append(_in_step(store, vault))
    return found


def _in_step(store: Store, vault: Path) -> Finding:
    """Return how many notes are not as the index has them: what a scan takes in, and no damage."""
    gone = changed = 0
    for note in store.chunks.notes():
        try:
            changed += read_bytes(vault, note.path, 0)[1] != note.content_hash
        except OSError:
            gone += 1
    return Finding(
        "vault", f"{gone:,} notes of the index are not on the disk, {changed:,} have changed since"
    )
