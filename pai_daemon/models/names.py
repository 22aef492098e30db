"""From what a person writes for a model to its profile, with everything that is known on this machine."""

from __future__ import annotations

from pathlib import Path

from pai_daemon.models.folder import describe
from pai_daemon.models.pulled import resolved
from pai_daemon.models.registry import Profile, profile
from pai_daemon.models.remote.acquaintance import recalled

FOLDER = "file:"


def named(name: str, own: Path | None, cache_dir: Path, key: str = "") -> Profile:
    """Return the profile of a name of the registry, of `file:FOLDER` or of a server.

    own: the person's own list of models. key: for a server that wants one. A server's model is as it was
    when it last answered. Raises UsageError for a name or a folder that makes no sense, ModelUnavailable
    where the model of the hub was not pulled.
    """
    if name.strip().startswith(FOLDER):
        return describe(Path(name.strip().removeprefix(FOLDER)))
    return recalled(resolved(profile(name, own, key), cache_dir), cache_dir, own)
