"""What changed between the disk and the index. Pure: two mappings in, a plan out (D1, D2)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

from pai_daemon.vault.scan import FileStat

NoteChange = Literal["created", "changed", "removed"]
CREATED: NoteChange = "created"
CHANGED: NoteChange = "changed"
REMOVED: NoteChange = "removed"
# A loss at or below this many notes is never held back: people do clear small vaults.
SMALL_LOSS = 10


class Remembered(Protocol):
    """What must be remembered of a file: its stat and the SHA-256 of its bytes."""

    @property
    def stat(self) -> FileStat:
        """Return its stat when it was last read."""
        ...

    @property
    def content_hash(self) -> str:
        """Return the SHA-256 of its bytes."""
        ...


@dataclass(frozen=True, slots=True)
class Known:
    """What is remembered of a file, and nothing else."""

    stat: FileStat
    content_hash: str


# Of a file that must be read again: no file has this size, and no bytes have this hash.
UNKNOWN = Known(FileStat(-1, 0, 0), "")


@dataclass(frozen=True, slots=True)
class Plan:
    """The changes that bring the index to what the disk says.

    read: paths to parse and commit, new ones and changed ones. renamed: old path to new path,
    same bytes. touched: another stat, same bytes. removed: gone.
    """

    read: tuple[str, ...] = ()
    renamed: Mapping[str, str] = field(default_factory=dict)
    touched: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Return whether there is anything to do."""
        return bool(self.read or self.renamed or self.touched or self.removed)


def suspects(found: Mapping[str, FileStat], known: Mapping[str, Remembered]) -> tuple[str, ...]:
    """Return the paths whose bytes must be read: new ones, and those whose stat differs."""
    return tuple(path for path, stat in found.items() if path not in known or known[path].stat != stat)


def diff(
    hashes: Mapping[str, str], known: Mapping[str, Remembered], gone: Iterable[str], *, force: bool = False
) -> Plan:
    """Return the plan for files just hashed and paths no longer there.

    hashes: path to content hash, for every suspect that could be read. gone: known paths that
    the disk no longer has. force: read known paths again although their bytes are the same.
    A gone path whose bytes reappear under exactly one new path is a rename.
    """
    read, touched, renamed = [], [], {}
    lost: dict[str, list[str]] = {}
    for path in sorted(set(gone)):
        lost.setdefault(known[path].content_hash, []).append(path)
    for path, content_hash in hashes.items():
        if path in known and known[path].content_hash == content_hash and not force:
            touched.append(path)
        elif path not in known and lost.get(content_hash) and not force:
            renamed[lost[content_hash].pop(0)] = path
        else:
            read.append(path)
    removed = tuple(path for paths in lost.values() for path in paths)
    return Plan(tuple(read), renamed, tuple(touched), tuple(sorted(removed)))


def is_sudden_loss(known_count: int, removed_count: int) -> bool:
    """Return whether so many notes vanished at once that the disk is doubted (D3).

    All of the notes, or more than half of them and more than a person would plausibly delete by hand.
    """
    everything = 0 < known_count == removed_count
    return everything or (removed_count > SMALL_LOSS and removed_count * 2 > known_count)
