"""The folder of routines: what its notes say now, right ones and wrong ones."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from stat import S_ISREG

from pai_daemon.action.reading import read_routine
from pai_daemon.action.routine import Routine, Wrong
from pai_daemon.vault.scan import read_bytes

log = logging.getLogger(__name__)
MAX_ROUTINES = 1000
MAX_BYTES = 256 * 1024
Stat = tuple[int, int, int]


class RoutineFolder:
    """Reads the routines of a vault; a note is read again when its file is another."""

    def __init__(self, vault: Path, folder: str) -> None:
        self.vault, self.folder = vault, folder.strip("/")
        self._read: dict[str, tuple[Stat, Routine | tuple[Wrong, ...]]] = {}
        self.routines: dict[str, Routine] = {}
        self.wrong: list[Wrong] = []

    def look(self) -> bool:
        """Look at the folder; return whether any routine is another than before."""
        seen: dict[str, tuple[Stat, Routine | tuple[Wrong, ...]]] = {}
        for path, stat in self._files():
            known = self._read.get(path)
            seen[path] = known if known is not None and known[0] == stat else (stat, self._parse(path))
        changed = seen != self._read
        if changed:
            self._read = seen
            found = [each for _, each in seen.values()]
            self.routines = {each.name: each for each in found if isinstance(each, Routine)}
            self.wrong = [wrong for each in found if isinstance(each, tuple) for wrong in each]
        return changed

    def _parse(self, path: str) -> Routine | tuple[Wrong, ...]:
        try:
            text = read_bytes(self.vault, path, MAX_BYTES)[0].decode("utf-8")
        except (OSError, ValueError) as error:
            return (Wrong(path, 1, f"The note cannot be read: {error}."),)
        try:
            return read_routine(path, text.removeprefix("\ufeff"), folder=self.folder)
        except Exception as error:  # one note never stops the routines of all others
            log.exception("the routine %s cannot be read", path)
            return (Wrong(path, 1, f"The note cannot be read: {error!r}."),)

    def _files(self) -> Iterator[tuple[str, Stat]]:
        root = self.vault / self.folder
        for number, file in enumerate(sorted(root.rglob("*.md")) if self.folder else ()):
            path = file.relative_to(self.vault).as_posix()
            if number >= MAX_ROUTINES or "/." in f"/{path}":
                continue
            try:
                stat = file.lstat()
            except OSError:  # it has gone meanwhile
                continue
            if S_ISREG(stat.st_mode):
                yield path, (stat.st_mtime_ns, stat.st_size, stat.st_ino)
