"""Pulls a model from the Hugging Face hub or a mirror of it, once, and keeps to what came.

A file is what it should be when its sha256 is the registry's. Where the registry has none, the hub's own
word counts: the etag is the sha256 of a large file, and git's name of a small one. What came is recorded,
and is the model from then on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from pai_daemon.errors import ModelUnavailable, UsageError
from pai_daemon.models.digests import is_damaged, sha256_of
from pai_daemon.models.hub.cache import Remote, Report, described, fetch_all, free, from_cache, is_offline
from pai_daemon.models.hub.errors import hub_errors, page
from pai_daemon.models.pulled import Pulled, forget_pulled, recorded, write_pulled
from pai_daemon.models.sources import HubSource, Source


@dataclass(frozen=True, slots=True)
class Licence:
    """What a person sees before files are fetched, and has to accept once, where `must_accept` says so."""

    model: str
    name: str
    page: str
    must_accept: bool


class Pullable(Protocol):
    """What can be pulled: a model's name, where it comes from, and under which terms."""

    @property
    def name(self) -> str:
        """Return what a person calls it, and pulls it by."""

    @property
    def source(self) -> Source:
        """Return where its files come from."""

    @property
    def licence(self) -> str:
        """Return under which licence it is."""

    @property
    def must_accept(self) -> bool:
        """Return whether the licence has to be accepted before anything is fetched."""


def pull(
    profile: Pullable,
    cache_dir: Path,
    *,
    report: Report,
    accept: Callable[[Licence], bool],
    update: bool = False,
    offline: bool = False,
) -> Pulled:
    """Fetch a model's files, as far as they are not here, check them, and return their record.

    A model that was pulled stays the one that its record names, whatever became of its branch: damaged
    files are fetched again as they were. update: take what the branch holds now instead; where that is
    other content it is another model, whose fingerprint differs. offline: ask nobody, use the cache.
    accept: asked before anything is fetched. Interrupted at any instant, the next call goes on.

    Raises UsageError for a model that does not come from the hub, DiskFull, and ModelUnavailable for
    everything else, with what to do next: licence not accepted, hub not reached, not found, not allowed,
    a wrong hash, a cache that cannot be written.
    """
    source = _hub_source(profile)
    known = recorded(source, cache_dir)
    accepted_on = known.accepted_on if known and known.licence == profile.licence else ""
    must_accept = profile.must_accept and not accepted_on
    if known and not must_accept and not update and _is_whole(source, known):
        return known
    licence = Licence(profile.name, profile.licence, page(source.repo), must_accept)
    if not accept(licence):
        raise ModelUnavailable(
            f"The licence of {profile.name}, {profile.licence}, was not accepted; nothing was fetched.",
            hint=f"Read it at {licence.page}, then run: pai models pull {profile.name} --accept-licence",
        )
    with hub_errors(profile.name, source):
        wanted = source if update or known is None else _as_recorded(source, known)
        if offline or is_offline():
            hint = f"Without --offline and HF_HUB_OFFLINE, run: pai models pull {profile.name}"
            commit, files = from_cache(wanted, hint)
        else:
            remotes = described(wanted)
            if known and not must_accept and _is_unchanged(known, remotes):
                return known
            commit, files = remotes[0].commit, fetch_all(remotes, report)
        if must_accept:
            accepted_on = datetime.now(UTC).date().isoformat()
        pulled = Pulled(source.repo, commit, profile.licence, files, accepted_on)
        write_pulled(source, pulled, cache_dir)
    return pulled


def remove(profile: Pullable, cache_dir: Path) -> int:
    """Remove what was pulled for a model and return the bytes that were freed, 0 where nothing was.

    Of the shared cache only the revision that was pulled goes, and of its files only those that no other
    revision has. Raises UsageError for a model that does not come from the hub, ModelUnavailable.
    """
    source = _hub_source(profile)
    known = recorded(source, cache_dir)
    if known is None:
        return 0
    with hub_errors(profile.name, source):
        freed = free(known)
        forget_pulled(source, cache_dir)
    return freed


def _hub_source(profile: Pullable) -> HubSource:
    if not isinstance(profile.source, HubSource):
        raise UsageError(f"{profile.name} does not come from the hub: there is nothing to pull or to remove.")
    return profile.source


def _as_recorded(source: HubSource, known: Pulled) -> HubSource:
    """Return the source as it was pulled: the commit, and the hashes that are known from then."""
    digests = known.digests
    return HubSource(
        source.repo,
        known.revision,
        {path: pin or digests.get(path, "") for path, pin in source.files.items()},
    )


def _is_whole(source: HubSource, known: Pulled) -> bool:
    """Return whether every file is here with the content that the record says."""
    files = [known.files.get(path) for path in source.files]
    try:
        return all(file and file.is_there and sha256_of(file.path) == file.sha256 for file in files)
    except OSError:  # a file that cannot be read is fetched again, or fails with the reason
        return False


def _is_unchanged(known: Pulled, remotes: Sequence[Remote]) -> bool:
    """Return whether the hub has now what was pulled, be it in another commit."""
    files = [(known.files.get(remote.path), remote) for remote in remotes]
    return all(file and file.is_there and not is_damaged(file.path, remote.name) for file, remote in files)
