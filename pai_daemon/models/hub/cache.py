"""The files of a model in the cache of the hub: describes, fetches and checks them, and frees their room.

The library answers for addresses, tokens, proxies, offline mode and the cache that every program on this
machine shares: what another one has fetched is taken from there. Only the bytes are fetched here: the
library drops what it has of a file when it is interrupted (1.33 to 2.4), and hands on 10 MB at a time. A
part lies beside the finished file as `….incomplete`, and the next attempt goes on where it ends.
"""

from __future__ import annotations

import logging
import os
import re
import shutil
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from pai_daemon.config import forbid_telemetry
from pai_daemon.errors import ModelUnavailable
from pai_daemon.models.digests import GIT_ID, SHA256, is_damaged, is_hash, named_by, sha256_of
from pai_daemon.models.hub.errors import NO_ROOM, TransportError, another_file, no_room, page
from pai_daemon.models.pulled import Pulled, PulledFile
from pai_daemon.models.sources import HubSource

forbid_telemetry()
from huggingface_hub import (  # noqa: E402
    constants,
    get_hf_file_metadata,
    hf_hub_download,
    hf_hub_url,
    scan_cache_dir,
    try_to_load_from_cache,
)
from huggingface_hub.errors import CacheNotFound, FileMetadataError  # noqa: E402
from huggingface_hub.utils import build_hf_headers, hf_raise_for_status, http_stream_backoff  # noqa: E402

# What libraries tell programmers, of disks without symlinks or locks; what matters to a person is an error.
logging.getLogger("huggingface_hub").setLevel(logging.CRITICAL)
warnings.filterwarnings("ignore", module="huggingface_hub")
warnings.filterwarnings("ignore", message="flock not supported")

# How often a connection that gives nothing is tried again, and the first wait, which doubles.
RETRIES, RETRY_S = 3, 1.0
BUSY = (429, 500, 502, 503, 504)
# How often the progress of another process is looked at, which fetches the same file.
LOOK_S = 0.5
# Becomes the name of a file.
ETAG = re.compile(r"[\w-]{1,200}", re.ASCII)

# Called with a file's path, the bytes that are here and the bytes in all, 0 where that is not known.
Report = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Remote:
    """A file as the hub describes it. pin: the sha256 that it must have, "" for the hub's word alone."""

    repo: str
    commit: str
    path: str
    etag: str
    size_bytes: int
    pin: str

    @property
    def name(self) -> str:
        """Return what the content must be called: the hub's word, where a mirror has none the pin."""
        return self.etag if is_hash(self.etag) else self.pin

    @property
    def blob(self) -> Path:
        """Return where the cache keeps the content."""
        return _repo_folder(self.repo) / "blobs" / self.etag

    @property
    def part(self) -> Path:
        """Return where the content lies until it is whole."""
        return self.blob.with_name(f"{self.etag}.incomplete")

    @property
    def missing_bytes(self) -> int:
        """Return how much is still to be fetched."""
        if self.blob.exists() or cached(self.repo, self.path, self.commit):
            return 0
        return max(0, self.size_bytes - _size(self.part))


def is_offline() -> bool:
    """Return whether the environment forbids to ask the hub."""
    return bool(constants.HF_HUB_OFFLINE)


def described(source: HubSource) -> list[Remote]:
    """Ask the hub for each file: one commit for all, the first file's. Raises ModelUnavailable."""
    remotes: list[Remote] = []
    revision = source.revision
    for path, pin in source.files.items():
        url = hf_hub_url(source.repo, path, revision=revision)
        facts = get_hf_file_metadata(url, timeout=constants.HF_HUB_ETAG_TIMEOUT)
        revision, etag = str(facts.commit_hash), str(facts.etag)
        if not GIT_ID.fullmatch(revision) or not ETAG.fullmatch(etag):
            raise FileMetadataError
        if SHA256.fullmatch(etag) and pin and pin != etag:
            raise another_file(source.repo, path, pin, etag)
        if not (pin or is_hash(etag)):
            raise ModelUnavailable(
                f"{page(source.repo)} states no hash for {path}, so it could not be checked.",
                hint="Take another mirror in HF_ENDPOINT, or give the file's sha256 in your models.toml.",
            )
        remotes.append(Remote(source.repo, revision, path, etag, facts.size or 0, pin))
    return remotes


def fetch_all(remotes: list[Remote], report: Report) -> dict[str, PulledFile]:
    """Fetch what is not here. Raises DiskFull before and while it does."""
    folder = Path(constants.HF_HUB_CACHE)
    needed = sum(remote.missing_bytes for remote in remotes)
    if needed > shutil.disk_usage(_existing(folder)).free:
        raise no_room(needed)
    try:
        return {remote.path: _fetch(remote, report) for remote in remotes}
    except OSError as error:
        if error.errno in NO_ROOM:
            raise no_room(sum(remote.missing_bytes for remote in remotes)) from error
        raise


def _fetch(remote: Remote, report: Report) -> PulledFile:
    """Return a file in the cache, fetched where it is not there or damaged, and checked."""
    path = cached(remote.repo, remote.path, remote.commit)
    if path and is_damaged(path, remote.name):
        _drop(path)
        path = None
    if path is None:
        remote.blob.parent.mkdir(parents=True, exist_ok=True)
        with _one_at_a_time(remote, report):
            if remote.blob.exists() and is_damaged(remote.blob, remote.name):
                _drop(remote.blob)
            if not remote.blob.exists():
                _fetch_blob(remote, report)
        # Finds the content there, and gives it its name.
        path = Path(hf_hub_download(remote.repo, remote.path, revision=remote.commit))
        if not path.is_symlink():
            # A disk without symlinks, as often on Windows: the library has copied the content.
            remote.blob.unlink(missing_ok=True)
    found = sha256_of(path)
    if remote.pin and found != remote.pin:
        raise another_file(remote.repo, remote.path, remote.pin, found)
    report(remote.path, remote.size_bytes, remote.size_bytes)
    return PulledFile(path.absolute(), found, path.stat().st_size)


@contextmanager
def _one_at_a_time(remote: Remote, report: Report) -> Iterator[None]:
    """Keep other processes from fetching the same content, by the library's own lock."""
    lock = _repo_folder(remote.repo, ".locks") / f"{remote.etag}.lock"
    lock.parent.mkdir(parents=True, exist_ok=True)
    held = FileLock(lock, mode=0o664)
    while not held.is_locked:
        try:
            held.acquire(timeout=LOOK_S)
        except Timeout:
            report(remote.path, _size(remote.part), remote.size_bytes)
        except NotImplementedError:
            # filelock 3 says so of network drives without locks, 4 makes do with a file. If two processes
            # write to one part, its hash gives them away.
            break
    try:
        yield
    finally:
        held.release()


def _fetch_blob(remote: Remote, report: Report) -> None:
    """Fetch content into the cache; what is not what the hub said it is never gets there."""
    for is_resumed in (_size(remote.part) > 0, False):
        _download(remote, report)
        if not is_damaged(remote.part, remote.name):
            remote.part.replace(remote.blob)
            return
        found = named_by(remote.name, remote.part)
        remote.part.unlink()
        if not is_resumed:
            break
        # The first part may be to blame, from whatever wrote it.
    raise ModelUnavailable(
        f"{remote.path} of {remote.repo} came damaged: expected {remote.name}, found {found}.",
        hint="Pull it again. If that does not help, a proxy or the mirror in HF_ENDPOINT changes files.",
    )


def _download(remote: Remote, report: Report) -> None:
    """Fetch what a part lacks, again as long as it grows. Raises what the HTTP client raises, OSError."""
    tries = 0
    while True:
        before = _size(remote.part)
        try:
            _stream(remote, report)
        except TransportError:
            tries = 0 if _size(remote.part) > before else tries + 1
            if tries > RETRIES:
                raise
            time.sleep(RETRY_S * 2 ** max(0, tries - 1))
        else:
            return


def _stream(remote: Remote, report: Report) -> None:
    """Append to a part what the hub sends."""
    have = _size(remote.part)
    if have > remote.size_bytes > 0:
        remote.part.unlink()
        have = 0
    if have == remote.size_bytes > 0:
        return
    url = hf_hub_url(remote.repo, remote.path, revision=remote.commit)
    # The token goes to the hub only: the client leaves it out when it follows to another host.
    headers = build_hf_headers() | {"Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
    with http_stream_backoff(
        "GET",
        url,
        headers=headers,
        timeout=constants.HF_HUB_DOWNLOAD_TIMEOUT,
        retry_on_exceptions=(),
        retry_on_status_codes=BUSY,
    ) as response:
        hf_raise_for_status(response)
        is_rest = response.status_code == 206
        done = have if is_rest else 0
        with remote.part.open("ab" if is_rest else "wb") as file:
            report(remote.path, done, remote.size_bytes)
            for piece in response.iter_bytes():
                file.write(piece)
                done += len(piece)
                report(remote.path, done, remote.size_bytes)
            file.flush()
            os.fsync(file.fileno())


def from_cache(source: HubSource, hint: str) -> tuple[str, dict[str, PulledFile]]:
    """Return commit and files that another program has fetched.

    hint: what to do where there are none. Raises ModelUnavailable.
    """
    found = {path: cached(source.repo, path, source.revision) for path in source.files}
    if missing := [path for path, place in found.items() if place is None]:
        raise ModelUnavailable(
            f"Not in the cache of the hub: {', '.join(missing)} of {source.repo}; and it may not be asked.",
            hint=hint,
        )
    places = {path: place for path, place in found.items() if place}
    files = {}
    for path, place in places.items():
        # The link's target is named by the etag.
        etag = place.readlink().name if place.is_symlink() else ""
        if is_damaged(place, etag):
            raise ModelUnavailable(f"{path} of {source.repo} is damaged in the cache.", hint=hint)
        digest, pin = sha256_of(place), source.files[path]
        if pin and digest != pin:
            raise another_file(source.repo, path, pin, digest)
        files[path] = PulledFile(place.absolute(), digest, place.stat().st_size)
    snapshots = _repo_folder(source.repo) / "snapshots"
    return next(iter(places.values())).relative_to(snapshots).parts[0], files


def cached(repo: str, path: str, revision: str) -> Path | None:
    """Return where the cache has a file of a revision, None where it does not."""
    found = try_to_load_from_cache(repo, path, revision=revision)
    return Path(found) if isinstance(found, str) else None


def free(known: Pulled) -> int:
    """Remove a revision from the cache and return the bytes that were freed. Raises OSError."""
    try:
        cache = scan_cache_dir(constants.HF_HUB_CACHE)
    except CacheNotFound:
        return 0
    strategy = cache.delete_revisions(known.revision)
    strategy.execute()
    return int(strategy.expected_freed_size)


def _repo_folder(repo: str, below: str = "") -> Path:
    """Return the cache's folder of a model, as the library's guide describes it."""
    return Path(constants.HF_HUB_CACHE, below, f"models--{repo.replace('/', '--')}")


def _drop(path: Path) -> None:
    """Remove a file of the cache, with all that it links to."""
    while path.is_symlink():
        target = path.parent / path.readlink()
        path.unlink()
        path = target
    path.unlink(missing_ok=True)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _existing(folder: Path) -> Path:
    """Return the nearest folder above that exists: its disk is the one that will be written."""
    return next(each for each in (folder, *folder.absolute().parents) if each.exists())
