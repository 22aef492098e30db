"""What notes are on disk: the truth that the index is compared with (D1).

A file that cannot be looked at becomes a problem and the scan goes on (D4); a vault that cannot be looked
at is an error, never an empty vault (D3). Paths are relative to the vault, posix, in the form the disk has.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from pai_daemon.errors import VaultUnavailable
from pai_daemon.notes.reader import NOTE_SUFFIXES
from pai_daemon.vault.ignore import IgnoreRules

_BLOCK_BYTES = 1024 * 1024
_LINKED_FOLDER = "a link to a folder is not followed"
_COARSE_TICK_NS = 2_000_000_000
_TICK_NS = 20_000_000


@dataclass(frozen=True, slots=True)
class FileStat:
    """What tells cheaply whether a file may have changed; only its content hash tells surely (D2)."""

    size: int
    mtime_ns: int
    inode: int

    def may_hide_a_change(self, now_ns: int) -> bool:
        """Return whether a file read at now_ns may change later and keep this stat.

        A time in whole seconds may be FAT's, which counts in steps of two; a finer one is the kernel's,
        which counts in steps of up to 10 ms.
        """
        tick_ns = _COARSE_TICK_NS if self.mtime_ns % 1_000_000_000 == 0 else _TICK_NS
        return 0 <= now_ns - self.mtime_ns < tick_ns


@dataclass(frozen=True, slots=True)
class Scan:
    """The notes found, the paths that could not be looked at with the reason, and the attachments.

    left_out: the notes, and the folders with a slash at the end, that the rules keep out, with the reason.
    closed: those of `problems` that are there and that this user may not look into or at: what was known of
    them, and below them, is not gone. attachments: files that are no notes; known by name only, so that
    links to them lead somewhere.
    """

    files: dict[str, FileStat] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    closed: set[str] = field(default_factory=set)
    attachments: set[str] = field(default_factory=set)

    def missed(self, known: Iterable[str]) -> set[str]:
        """Return which of these notes are gone: not found, and not behind what may not be looked at."""
        below = tuple(f"{path}/" for path in self.closed)
        return {
            path
            for path in known
            if path not in self.files and path not in self.closed and not path.startswith(below)
        }


def scan(root: Path, rules: IgnoreRules) -> Scan:
    """Return every note of the vault that the rules let in.

    Raises VaultUnavailable when root is missing, not a folder, or cannot be read.
    """
    _require_vault(root)
    found = Scan()
    _walk(root, "", rules, found)
    return found


def scan_paths(root: Path, paths: Iterable[str], rules: IgnoreRules) -> Scan:
    """Return the notes and attachments that are at the hinted paths now, and below those that are folders.

    A hinted path that is in neither part of the result holds no note: it is gone, or not to be indexed.
    Raises VaultUnavailable as `scan` does, so that no note seems gone with its vault.
    """
    _require_vault(root)
    found = Scan()
    real_root = os.path.realpath(root)
    for path in paths:
        if not _is_utf8(path) or "\0" in path or _reached_by_link(real_root, path):
            continue
        try:
            _take_hinted(root, path, rules, found)
        except PermissionError as error:  # of a folder on the way
            folder = _first_closed(root, path)
            found.problems[folder] = f"folder cannot be read: {error.strerror}"
            found.closed.add(folder)
    return found


def _take_hinted(root: Path, path: str, rules: IgnoreRules, found: Scan) -> None:
    """Add what is at a hinted path."""
    full = root / path
    is_out = rules.explain_folder(path) is not None
    if not is_out and full.is_dir() and not (path and full.is_symlink()):
        _walk(root, path, rules, found)
    elif (reason := rules.explain(path)) is None:
        _take_note(root, path, rules, found)
    elif not is_out and path.lower().endswith(NOTE_SUFFIXES) and full.is_file():
        found.left_out[path] = reason
    elif not is_out and full.is_symlink() and full.is_dir():
        found.problems[path] = _LINKED_FOLDER
    elif rules.lets_in(path) and full.is_file():
        found.attachments.add(path)


def _first_closed(root: Path, path: str) -> str:
    """Return the topmost folder on the way to a path that may not be entered."""
    parts = path.split("/")
    folders = ("/".join(parts[:count]) for count in range(1, len(parts)))
    return next((folder for folder in folders if not os.access(root / folder, os.X_OK)), path)


def read_bytes(root: Path, path: str, limit_bytes: int) -> tuple[bytes, str]:
    """Return the beginning of a note, at most limit_bytes + 1 bytes, and the SHA-256 of the whole file.

    The byte over the limit tells the reader that there is more. Raises OSError when the file is gone,
    unreadable or not within the vault.
    """
    full = Path(os.path.realpath(root / path))
    if not full.is_relative_to(os.path.realpath(root)):
        raise PermissionError(errno.EACCES, "the note is not within the vault", path)
    digest = hashlib.sha256()
    kept = bytearray()
    with full.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            digest.update(block)
            if len(kept) <= limit_bytes:
                kept += block[: limit_bytes + 1 - len(kept)]
    return bytes(kept), digest.hexdigest()


def _require_vault(root: Path) -> None:
    """Raise VaultUnavailable unless root is a folder that can be listed."""
    try:
        mode = root.stat().st_mode
    except FileNotFoundError as error:
        raise VaultUnavailable(
            f"The vault {root} does not exist.",
            hint="Is the disk mounted, and has the folder been moved? The index is kept until it is back.",
        ) from error
    except (OSError, ValueError) as error:
        raise _unreadable(root, error) from error
    if not stat.S_ISDIR(mode):
        raise VaultUnavailable(
            f"The vault {root} is not a folder.",
            hint="Name the folder that holds the notes, not a note in it.",
        )
    try:
        with os.scandir(root) as entries:
            next(entries, None)
    except OSError as error:
        raise _unreadable(root, error) from error


def _unreadable(root: Path, error: Exception) -> VaultUnavailable:
    """Return the error for a vault that is there but cannot be listed."""
    reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
    return VaultUnavailable(
        f"The vault {root} cannot be read: {reason}.",
        hint="Check that this user may read the folder; on macOS also under Privacy & Security.",
    )


def _walk(root: Path, folder: str, rules: IgnoreRules, found: Scan) -> None:
    """Add every note at or below folder, without following links to folders."""
    pending = [folder]
    while pending:
        current = pending.pop()
        try:
            with os.scandir(root / current) as entries:
                listed = sorted(entries, key=lambda entry: entry.name)
        except OSError as error:
            if not current:
                raise _unreadable(root, error) from error
            if isinstance(error, (FileNotFoundError, NotADirectoryError)):
                continue  # gone meanwhile
            found.problems[current] = f"folder cannot be read: {error.strerror or error}"
            found.closed.add(current)
            continue
        pending.extend(_take(root, current, rules, listed, found))


def _take(
    root: Path, folder: str, rules: IgnoreRules, entries: Iterable[os.DirEntry[str]], found: Scan
) -> Iterator[str]:
    """Add the notes among the entries of a folder; yield the folders to go on with."""
    for entry in entries:
        path = f"{folder}/{entry.name}" if folder else entry.name
        if not _is_utf8(path):
            if not entry.name.startswith("."):
                shown = os.fsencode(path).decode("utf-8", "backslashreplace")
                found.problems[shown] = "the name is not valid UTF-8"
        elif _is_folder(entry):
            if (reason := rules.explain_folder(path)) is None:
                yield path
            else:
                found.left_out[f"{path}/"] = reason
        elif (reason := rules.explain(path)) is None:
            _take_note(root, path, rules, found)
        elif path.lower().endswith(NOTE_SUFFIXES):
            found.left_out[path] = reason
        elif rules.is_attachment(path) and not _is_linked_folder(entry):
            found.attachments.add(path)
        elif _is_linked_folder(entry) and rules.explain_folder(path) is None:
            found.problems[path] = _LINKED_FOLDER


def _take_note(root: Path, path: str, rules: IgnoreRules, found: Scan) -> None:
    """Add the note at path, or why it is none."""
    try:
        looked = _look(root, path, rules)
    except OSError as error:
        found.problems[path] = f"cannot be looked at: {error.strerror or error}"
        found.closed.add(path)
        return
    if isinstance(looked, FileStat):
        found.files[path] = looked
    elif looked:
        found.problems[path] = looked


def _is_utf8(path: str) -> bool:
    """Return whether the name can be written in UTF-8; names that cannot hold surrogates here."""
    try:
        path.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _is_folder(entry: os.DirEntry[str]) -> bool:
    """Return whether the entry is itself a folder, not a link to one."""
    try:
        return entry.is_dir(follow_symlinks=False)
    except OSError:
        return False


def _is_linked_folder(entry: os.DirEntry[str]) -> bool:
    """Return whether the entry is a link to a folder."""
    try:
        return entry.is_symlink() and entry.is_dir()
    except OSError:
        return False


def _look(root: Path, path: str, rules: IgnoreRules) -> FileStat | str:
    """Return the stat of a note, or why there is none; empty when it is gone. Raises OSError."""
    full = root / path
    try:
        status = full.lstat()
        if stat.S_ISLNK(status.st_mode):
            outside = _link_problem(root, full, rules)
            if outside:
                return outside
            status = full.stat()
    except (FileNotFoundError, NotADirectoryError):
        return ""
    except ValueError as error:
        return f"cannot be looked at: {error}"
    if not stat.S_ISREG(status.st_mode):
        return "not a regular file"
    return FileStat(status.st_size, status.st_mtime_ns, status.st_ino)


def _link_problem(root: Path, link: Path, rules: IgnoreRules) -> str | None:
    """Return why the note that the link leads to is not read; None if it is a note within the vault."""
    try:
        target = link.resolve(strict=True).relative_to(os.path.realpath(root))
    except ValueError:
        return "a link out of the vault is not followed"
    except FileNotFoundError:
        return "a link to nothing"
    except RuntimeError:
        return "a loop of links"
    except OSError as error:
        if error.errno != errno.ELOOP:  # as it is from Python 3.13
            raise
        return "a loop of links"
    reason = rules.explain(target.as_posix())
    return f"a link to what is not indexed: {reason}" if reason else None


def _reached_by_link(real_root: str, path: str) -> bool:
    """Return whether a folder on the way to path is a link; a scan would not have come by there."""
    folder = os.path.join(real_root, *path.split("/")[:-1])  # noqa: PTH118 - compared with realpath's own text
    return os.path.realpath(folder) != folder
