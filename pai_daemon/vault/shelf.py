"""The files of a vault, or of one folder of it: read, written, moved and taken away, and nothing beyond.

Paths are relative to the folder, posix. A write says what it was made for: a file that is not as it was read
stays as it is. What is replaced or taken away is kept as an undo record in the data folder. An editor that
saves between the last look and the rename writes into what is replaced; so that is looked at again, and kept.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import re
import secrets
import shutil
import time
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from filelock import FileLock

from pai_daemon.config import MEMORY_FOLDER, Settings
from pai_daemon.errors import DiskFull, NoteChanged, NotFound, UsageError, VaultUnavailable
from pai_daemon.vault.folder import layout_of

UNDO = "memory-undo"
MAX_NAME_BYTES = 240
MAX_UNDO = 200
# What is left of a write after so long is of one that was killed.
STALE_S = 3600.0
_NEW, _OLD = ".tmp", ".old"
_LEFT = re.compile(rf"\.[0-9a-f]{{16}}(?:{re.escape(_NEW)}|{re.escape(_OLD)})")
# What some systems do not take in a name; a vault may be synced to them.
_UNNAMEABLE = re.compile(r'[\\:*?"<>|\x00-\x1f\x7f-\x9f\ud800-\udfff]')
_SURROGATES = "surrogateescape"


@dataclass(frozen=True, slots=True)
class Shelf:
    """A folder of a vault, "" for all of it. undo: the folder of undo records, made when it is needed."""

    vault: Path
    folder: str
    undo: Path

    @classmethod
    def of(cls, vault: Path, settings: Settings) -> Shelf:
        """Return the memory folder of a vault. Raises UsageError where the setting leads out of it."""
        folder = "/".join(parts_of(memory_folder(vault, settings)))
        if not folder:
            raise UsageError("The setting memory_folder is empty.", hint="Name a folder of the vault.")
        return cls(vault, folder, settings.index_dir(vault) / UNDO)

    @property
    def root(self) -> Path:
        """Return the folder itself, which need not be there."""
        return self.vault / self.folder

    def in_vault(self, path: str) -> str:
        """Return a path as the vault has it."""
        return f"{self.folder}/{path}" if self.folder else path

    def paths(self, below: str = "") -> Iterator[str]:
        """Yield the paths of all files, hidden ones and links left out, in order."""
        within = PurePosixPath(below).as_posix() if below.strip("./") else ""
        yield from self._below(str(self.root / within), f"{within}/" if within else "")

    def find(self, path: str) -> Path | None:
        """Return the file or folder of a path, None where there is none. Raises UsageError for a wrong path.

        A name is found however its accents are composed, but not in another case.
        """
        found = self.root
        if not found.is_dir():
            return None if parts_of(path) else found
        for part in parts_of(path):
            names = [part] if _lexists(found / part) else [] if part.isascii() else _names(found)
            composed = unicodedata.normalize("NFC", part)
            name = next((each for each in names if unicodedata.normalize("NFC", each) == composed), None)
            if name is None:
                return None
            found /= name
            if found.is_symlink():
                raise UsageError(f"{path} is a link, or lies behind one.")
        return found

    def taken(self, path: str) -> bool:
        """Return whether a path is taken, by a name that differs in case or composition also."""
        found = self.root
        for part in parts_of(path):
            wanted = unicodedata.normalize("NFC", part).casefold()
            match = [
                each for each in _names(found) if unicodedata.normalize("NFC", each).casefold() == wanted
            ]
            if not match:
                return False
            found /= part if part in match else match[0]
        return True

    def read(self, path: str) -> str | None:
        """Return a file's text with every byte of it, None where there is none."""
        found = self.find(path)
        if found is None or not found.is_file():
            return None
        try:
            return _text(found)
        except OSError as error:
            raise VaultUnavailable(f"{path} cannot be read: {error.strerror}.") from error

    def write(self, path: str, text: str, *, before: str | None) -> None:
        """Put a text in the place of another; before: what was read there, None where nothing is.

        Raises NoteChanged if that is no longer so, DiskFull where there is no room.
        """
        target = self.find(path) or self.root.joinpath(*parts_of(path))
        with self._writing(path):
            target.parent.mkdir(parents=True, exist_ok=True)
            temporary = target.with_name(f".{secrets.token_hex(8)}{_NEW}")
            try:
                with temporary.open("xb") as file:
                    file.write(text.encode("utf-8", _SURROGATES))
                    file.flush()
                    os.fsync(file.fileno())
                with self._alone():
                    if self.read(path) != before or (before is None and _lexists(target)):
                        raise NoteChanged(f"{path} is not as it was read.")
                    if before is None:
                        _put(temporary, target)
                    else:
                        self._keep(path, before)
                        shutil.copymode(target, temporary)
                        _replace(path, target, temporary, text, before)
            finally:
                temporary.unlink(missing_ok=True)
            _sync(target.parent)

    def remove(self, path: str, *, before: str | None = None) -> list[str]:
        """Take a file away, or a folder with all files in it; return their paths.

        before: what was read there, where it matters. Raises NotFound; NoteChanged if that is no longer so.
        """
        found = self.find(path)
        if found is None or found == self.root:
            raise NotFound(f"There is no {self.in_vault(path)}.")
        gone = [path] if found.is_file() else list(self.paths(found.relative_to(self.root).as_posix()))
        with self._writing(path), self._alone():
            if before is not None and self.read(path) != before:
                raise NoteChanged(f"{path} is not as it was read.")
            for each in gone:
                self._keep(each, self.read(each) or "")
                (self.root / each).unlink()
            if found.is_dir():
                _remove_empty(found)
        return gone

    def move(self, old: str, new: str) -> None:
        """Give a file or folder another path. Raises NotFound, and NoteChanged where the new one is taken."""
        found = self.find(old)
        if found is None or found == self.root:
            raise NotFound(f"There is no {self.in_vault(old)}.")
        target = self.root.joinpath(*parts_of(new))
        same = _lexists(target) and target.samefile(found)
        if self.taken(new) and not same and new.casefold() != old.casefold():
            raise NoteChanged(f"{new} is taken.")
        with self._writing(new), self._alone():
            self._keep(new, None, moved_from=old)
            target.parent.mkdir(parents=True, exist_ok=True)
            found.rename(target)
            _sync(target.parent)

    def drop_undo(self, words: Sequence[str]) -> None:
        """Remove the undo records in which any of these words stand."""
        with contextlib.suppress(FileNotFoundError):
            records = sorted(self.undo.iterdir())
            for record in records:
                if any(json.dumps(each)[1:-1] in record.read_text("utf-8") for each in words):
                    record.unlink(missing_ok=True)

    def tidy(self) -> None:
        """Remove what a kill left of a write; what somebody may have saved then becomes an undo record."""
        for place, _, names in os.walk(self.root):
            for left in (Path(place, name) for name in names if _LEFT.fullmatch(name)):
                with contextlib.suppress(OSError):
                    if time.time() - left.stat().st_ctime > STALE_S:  # else of a write that is being done
                        self._clear(left)

    def tidy_beside(self, paths: Iterable[str]) -> None:
        """Remove what a kill left of a write to one of these paths, which nobody writes to now."""
        for folder in {(self.root / path).parent for path in paths}:
            for name in _names(folder):
                if _LEFT.fullmatch(name):
                    with contextlib.suppress(OSError):
                        self._clear(folder / name)

    def _clear(self, left: Path) -> None:
        if left.suffix == _OLD:
            with self._alone():
                self._keep(left.relative_to(self.root).as_posix(), _text(left))
        left.unlink(missing_ok=True)

    def _prune(self) -> None:
        records = sorted(self.undo.iterdir())
        for record in records[:-MAX_UNDO]:
            record.unlink(missing_ok=True)

    def _keep(self, path: str, text: str | None, *, moved_from: str = "") -> None:
        """Keep what a path held before, readable by the person alone."""
        record = {"path": self.in_vault(path), "text": text, "moved_from": moved_from}
        file = self.undo / f"{time.time_ns()}-{secrets.token_hex(3)}.json"
        try:
            with os.fdopen(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as kept:
                json.dump(record, kept)
        except OSError:
            file.unlink(missing_ok=True)
            raise
        self._prune()

    def _alone(self) -> FileLock:
        """Return what lets one of ours write at a time, whichever process it is in."""
        self.undo.mkdir(parents=True, exist_ok=True, mode=0o700)
        return FileLock(self.undo / "lock")

    def _below(self, folder: str, lead: str) -> Iterator[str]:
        """Yield the files of a folder, then those of its folders; one that cannot be read has none."""
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError:
            return
        ours = [each for each in entries if _is_ours(each)]
        yield from (f"{lead}{each.name}" for each in ours if not each.is_dir())
        for each in ours:
            if each.is_dir():
                yield from self._below(each.path, f"{lead}{each.name}/")

    @contextlib.contextmanager
    def _writing(self, path: str) -> Iterator[None]:
        if not self.vault.is_dir():
            raise VaultUnavailable(f"There is no folder {self.vault}.")
        if self.folder and self.root.is_symlink():
            raise UsageError(f"The folder {self.folder} is a link.")
        try:
            yield
        except FileExistsError as error:
            raise NoteChanged(f"{path} is there already.") from error
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise DiskFull(f"There is no room to write {path}.") from error
            raise VaultUnavailable(f"{path} cannot be written: {error.strerror}.") from error


def memory_folder(vault: Path, settings: Settings) -> str:
    """Return where in a vault memory lies: as it is set; by default in a Logseq graph among its pages."""
    folder = settings.memory_folder
    is_set = "memory_folder" in settings.sources or folder != MEMORY_FOLDER
    graph = None if is_set else layout_of(vault).graph
    if graph is None or (vault / folder).is_dir():
        return folder
    return f"{graph.pages}/{folder}"


def parts_of(path: str) -> Sequence[str]:
    """Return the names of a path. Raises UsageError for one that leads out, is hidden, or is no name."""
    parts = [part for part in path.split("/") if part]
    for part in parts:
        if part.startswith(".") or _UNNAMEABLE.search(part) or part != part.rstrip(" ."):
            raise UsageError(f"{part!r} is no name for a file of the vault.")
        if len(part.encode()) > MAX_NAME_BYTES:
            raise UsageError(f"A name may have {MAX_NAME_BYTES} bytes.")
    return PurePosixPath(*parts).parts


def _text(file: Path) -> str:
    return file.read_bytes().decode("utf-8", _SURROGATES)


def _put(temporary: Path, target: Path) -> None:
    """Give a file the name of one that is not there. Raises FileExistsError."""
    try:
        os.link(temporary, target)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
        temporary.replace(target)


def _replace(path: str, target: Path, temporary: Path, text: str, before: str) -> None:
    """Put one file in the place of another that is as it was read. Raises NoteChanged.

    What is replaced is held by a second name until it is known that nobody wrote into it meanwhile.
    """
    old = target.with_name(f".{secrets.token_hex(8)}{_OLD}")
    try:
        try:
            os.link(target, old)
        except OSError:  # a file system without hard links: the last look was the one before
            temporary.replace(target)
            return
        if _text(old) != before or not old.samefile(target):
            raise NoteChanged(f"{path} is not as it was read.")
        temporary.replace(target)
        _sync(target.parent)
        if _text(old) != before:
            if _text(target) == text:
                old.replace(target)
            raise NoteChanged(f"{path} was written by somebody else just now.")
    finally:
        old.unlink(missing_ok=True)


def _is_ours(entry: os.DirEntry[str]) -> bool:
    return not entry.name.startswith(".") and entry.name != "node_modules" and not entry.is_symlink()


def _names(folder: Path) -> list[str]:
    try:
        return sorted(each.name for each in folder.iterdir())
    except OSError:
        return []


def _lexists(path: Path) -> bool:
    return os.path.lexists(path)


def _remove_empty(folder: Path) -> None:
    """Remove a folder and those in it, as far as nothing is left in them."""
    for place, _, _ in os.walk(folder, topdown=False):
        with contextlib.suppress(OSError):
            Path(place).rmdir()


def _sync(folder: Path) -> None:
    """Have a folder's entries on the disk."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
