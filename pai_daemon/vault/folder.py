"""Whether a folder can be a vault, before anything is started."""

from __future__ import annotations

import os
from pathlib import Path

from pai_daemon.errors import VaultUnavailable


def check_vault(vault: Path) -> Path:
    """Return the real path of a vault; raises VaultUnavailable when it cannot be one."""
    hint = "Give the folder that Obsidian opens, for example: pai start ~/Notes"
    try:
        real = vault.expanduser().resolve(strict=True)
    except (OSError, RuntimeError) as error:
        raise VaultUnavailable(f"There is no folder {vault}.", hint=hint) from error
    if not real.is_dir():
        raise VaultUnavailable(f"{vault} is a file, not a folder.", hint=hint)
    if not os.access(real, os.R_OK | os.X_OK):
        raise VaultUnavailable(f"The folder {vault} may not be read.", hint="Check its permissions.")
    return real
