"""What a file's content is called: by its sha256, by git, and by the hub, which uses either."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

SHA256, GIT_ID = re.compile(r"[0-9a-f]{64}"), re.compile(r"[0-9a-f]{40}")


def sha256_of(path: Path) -> str:
    """Return the hexadecimal sha256 of a file. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def git_id_of(path: Path) -> str:
    """Return what git calls the content of a file, which is read whole. Raises OSError."""
    data = path.read_bytes()
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


def is_hash(etag: str) -> bool:
    """Return whether an etag names the content: the sha256 of a large file, git's name of a small one."""
    return bool(SHA256.fullmatch(etag) or GIT_ID.fullmatch(etag))


def named_by(etag: str, path: Path) -> str:
    """Return what a file's content is called in the form of the etag. Raises OSError."""
    return git_id_of(path) if GIT_ID.fullmatch(etag) else sha256_of(path)


def is_damaged(path: Path, etag: str) -> bool:
    """Return whether a file is not what its etag says; an etag that is no hash says nothing."""
    return is_hash(etag) and named_by(etag, path) != etag
