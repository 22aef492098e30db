"""Who serves a vault: one process at a time holds the lock of its index."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Any

import filelock
import psutil

from pai_daemon.config import Settings, daemon_records, private_folder
from pai_daemon.errors import DiskFull, IndexUnavailable, VaultHeld


def hold(vault: Path, settings: Settings) -> filelock.BaseFileLock:
    """Return the lock of a vault's index, held. Raises VaultHeld, naming who has it, or DiskFull."""
    folder = settings.index_dir(vault)
    lock = filelock.FileLock(folder / "lock", timeout=0)
    try:
        private_folder(folder)
        lock.acquire()
    except filelock.Timeout:
        record = _read_record(settings, vault)
        raise VaultHeld(
            f"The vault {vault} is already served by the daemon with process id {record.get('pid', '?')} "
            f"at {record.get('url', 'an unknown address')}.",
            hint="Use that one, or stop it first with Ctrl-C in its terminal.",
        ) from None
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise DiskFull(f"The disk that holds {folder} is full.", hint="Free some space.") from error
        raise IndexUnavailable(
            f"The folder {folder} cannot be written: {error.strerror}.", hint="Check its permissions."
        ) from error
    return lock


def _read_record(settings: Settings, vault: Path) -> dict[str, Any]:
    records = daemon_records(settings)
    return next((record for record in records if Path(record["vault"]).resolve() == vault.resolve()), {})


def who_has(settings: Settings) -> str:
    """Return who listens on the port of the settings, as far as that is known."""
    port = settings.port
    for record in daemon_records(settings):
        # A daemon that was killed leaves its record behind.
        alive = isinstance(pid := record.get("pid"), int) and psutil.pid_exists(pid)
        if alive and str(record["url"]).endswith(f":{port}"):
            return f"Port {port} is in use by the daemon that serves {record.get('vault')}."
    return f"Port {port} is in use by another program."
