"""The files of an export, read piece by piece: archives, folders, JSON and JSON lines, in bounded memory.

Nothing is unpacked and no name in an archive becomes a path. What holds: one entry at a time, of at most
ENTRY_BYTES; one that is longer ends its file, and what came before it counts.
"""

from __future__ import annotations

import codecs
import json
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

from pai_daemon.errors import UsageError
from pai_daemon.memory.importing.records import Skipped, one_line
from pai_daemon.memory.importing.splitting import Splitter

ENTRY_BYTES = 64 * 1024 * 1024
# Text that shrinks to less than this part of itself was made to fill a disk.
BOMB_RATIO = 250
BOMB_FROM_BYTES = 32 * 1024 * 1024
TEXTS = (".json", ".jsonl", ".ndjson")
PROSE = (".md", ".markdown", ".txt")
LINES = (".jsonl", ".ndjson")
_HEAD_BYTES = 64 * 1024
# Where entries begin: in a list, or in one that a property of the whole holds, after others of one value.
_STRING = rb'"[^"\\]*+(?>(?:\\.[^"\\]*+)*)"'
_WRAPPED = re.compile(
    rb"\s*(?:\[|\{\s*(?>(?:%b\s*:\s*(?:%b|[-+.\w]+)\s*,\s*)*)"
    rb'"(?:conversations|results|memories|facts|data|items|projects)"\s*:\s*\[)' % (_STRING, _STRING)
)
_UNREAD = re.compile(
    r"(?:users?|message_feedback|shared_conversations|model_comparisons|group_chats)\b.*\.json", re.I
)
_REPLACED = "\ufffd"


@dataclass(frozen=True, slots=True)
class Member:
    """A file to read. name: as the person knows it; size_bytes: unpacked; written: when, as it says."""

    name: str
    file: Path
    inner: zipfile.ZipInfo | None
    size_bytes: int
    written: datetime | None

    @property
    def suffix(self) -> str:
        """Return the end of its name, in lower case."""
        return PurePosixPath(self.name).suffix.lower()

    @contextmanager
    def open(self) -> Iterator[BinaryIO]:
        """Give its bytes."""
        if self.inner is None:
            with self.file.open("rb") as plain:
                yield plain
            return
        with zipfile.ZipFile(self.file) as archive, archive.open(self.inner) as packed:
            yield packed  # type: ignore[misc]


class Broken(Exception):
    """A file that cannot be read on from here; the message says why, for a person."""


def members(path: Path) -> Iterator[Member | Skipped]:
    """Yield the files to read of a file, an archive or an unpacked export, and those that are passed over.

    Raises UsageError where there is nothing of the name.
    """
    if path.is_dir():
        for found in sorted(path.rglob("*")):
            if found.is_file() and not found.is_symlink():
                yield from _chosen(
                    found.relative_to(path).as_posix(), _plain(found, f"{path.name}/{found.name}")
                )
        return
    if not path.is_file():
        raise UsageError(f"There is no file {path}.", hint="Give the archive that the export came as.")
    if zipfile.is_zipfile(path):
        yield from _archived(path)
    elif path.suffix.lower() == ".zip":
        yield Skipped(path.name, "no archive, or a damaged one: download it again")
    elif path.suffix.lower() in TEXTS + PROSE:
        yield _plain(path, path.name)
    else:
        yield Skipped(
            path.name, f"a file of the kind {path.suffix or 'unknown'}; taken are zip, json, jsonl, md, txt"
        )


def _plain(path: Path, name: str) -> Member:
    state = path.stat()
    return Member(name, path, None, state.st_size, datetime.fromtimestamp(state.st_mtime, UTC))


def _archived(path: Path) -> Iterator[Member | Skipped]:
    try:
        with zipfile.ZipFile(path) as archive:
            listed = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        yield Skipped(path.name, f"no archive, or a damaged one: {error}")
        return
    # What names the others comes first, whatever the archive's order.
    for info in sorted(listed, key=lambda each: ("project" not in each.filename, each.filename)):
        if info.is_dir():
            continue
        inner, name = PurePosixPath(info.filename.replace("\\", "/")), one_line(info.filename)[-120:]
        where = f"{path.name}: {name}"
        if inner.is_absolute() or ".." in inner.parts or re.match(r"[A-Za-z]:", info.filename):
            yield Skipped(where, "its name leads out of the archive")
        elif info.flag_bits & 1:
            yield Skipped(where, "it is locked with a password")
        elif info.file_size > BOMB_FROM_BYTES and info.file_size > BOMB_RATIO * max(1, info.compress_size):
            yield Skipped(where, f"it would unpack to {info.file_size:,} bytes from {info.compress_size:,}")
        else:
            yield from _chosen(info.filename, Member(where, path, info, info.file_size, _zip_time(info)))


def _zip_time(info: zipfile.ZipInfo) -> datetime | None:
    try:
        written = datetime(*info.date_time, tzinfo=UTC)
    except ValueError:
        return None
    return written if written.year > 1980 else None  # 1980 stands for none


def _chosen(name: str, member: Member) -> Iterator[Member | Skipped]:
    """Yield a member of an export if it holds texts; its prose is no statement of the person."""
    base = PurePosixPath(name).name
    if member.suffix not in TEXTS:
        what = (
            "pictures and other files"
            if member.suffix not in (".html", *PROSE)
            else "pages that repeat the export"
        )
        yield Skipped(f"{member.file.name}: {what}", "not text to import", is_loss=False)
    elif _UNREAD.fullmatch(base):
        yield Skipped(
            f"{member.file.name}: {base}", "about the account, not the conversations", is_loss=False
        )
    else:
        yield member


def prose(member: Member) -> str:
    """Return the text of a file of prose. Raises Broken."""
    with _translated(), member.open() as raw:
        data = raw.read(ENTRY_BYTES + 1)
        if len(data) > ENTRY_BYTES:
            raise Broken(f"it is longer than {ENTRY_BYTES // 1024**2} MiB")
        return data.decode(_encoding(data[:4]), "replace")


def entries(member: Member, told: Callable[[int], None]) -> Iterator[Any | Skipped]:
    """Yield the entries of a JSON file or of JSON lines, one at a time; told: gets how many bytes were read.

    Raises Broken where it cannot go on.
    """
    with _translated(), member.open() as raw:
        text = Utf8(raw, told)
        head = text.head()
        if not head.strip():
            raise Broken("it is empty")
        if member.suffix in LINES or _is_lines(head):
            yield from _lines(member, text)
        else:
            yield from _items(member, text, head)
        if text.replaced:
            yield Skipped(member.name, "characters that are no UTF-8; they became �", text.replaced)


@contextmanager
def _translated() -> Iterator[None]:
    """Say in a person's words what a file fails with."""
    try:
        yield
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise Broken(f"the archive is damaged there: {error}") from error
    except OSError as error:
        raise Broken(f"it cannot be read: {error.strerror or error}") from error


class Utf8:
    """Bytes of a file in whatever Unicode it is in, as UTF-8. replaced: how many characters were none."""

    def __init__(self, raw: BinaryIO, told: Callable[[int], None]) -> None:
        """Read raw; told: gets the number of bytes whenever some were read."""
        self._raw, self._told = raw, told
        self.replaced = 0
        first = raw.read(4)
        self._decoder = codecs.getincrementaldecoder(_encoding(first))("replace")
        self._ahead = self._take(first)

    def head(self) -> bytes:
        """Return the first bytes, which are read again by `read`."""
        while len(self._ahead) < _HEAD_BYTES and (data := self._raw.read(_HEAD_BYTES)):
            self._ahead += self._take(data)
        return self._ahead

    def read(self) -> bytes:
        """Return some more bytes, none at the end."""
        if self._ahead:
            ahead, self._ahead = self._ahead, b""
            return ahead
        while data := self._raw.read(_HEAD_BYTES):
            if taken := self._take(data):
                return taken
        return self._take(b"")

    def lines(self) -> Iterator[bytes | None]:
        """Yield the lines, None for one that is longer than ENTRY_BYTES."""
        held, is_over = bytearray(), False
        while data := self.read():
            *ended, rest = data.split(b"\n")
            for line in ended:
                yield None if is_over else bytes(held + line)
                held, is_over = bytearray(), False
            if not is_over:
                held += rest
            if len(held) > ENTRY_BYTES:
                held, is_over = bytearray(), True
        if held or is_over:
            yield None if is_over else bytes(held)

    def _take(self, data: bytes) -> bytes:
        self._told(len(data))
        text = self._decoder.decode(data, not data)
        if _REPLACED in text:
            self.replaced += max(0, text.count(_REPLACED) - data.count(_REPLACED.encode()))
        return text.encode("utf-8", "replace")


def _encoding(first: bytes) -> str:
    """Return the Unicode encoding by the first bytes, as RFC 4627 tells them apart."""
    return json.detect_encoding(first)


def _is_lines(head: bytes) -> bool:
    """Return whether the first line is an entry by itself, and others follow."""
    first, end, rest = head.lstrip().partition(b"\n")
    if not end or not first.startswith(b"{") or not rest.strip().startswith(b"{"):
        return False
    try:
        json.loads(first)
    except ValueError:
        return False
    return True


def _items(member: Member, text: Utf8, head: bytes) -> Iterator[Any | Skipped]:
    """Yield the entries of one JSON text: those of its list, or itself. One that is no JSON costs itself."""
    within = _WRAPPED.match(head)
    splitter = Splitter(ENTRY_BYTES, within.end() if within else 0)
    for number, raw in enumerate(_split(text, splitter), start=1):
        if raw is None:
            yield Skipped(f"{member.name}, entry {number}", f"it is longer than {ENTRY_BYTES // 1024**2} MiB")
            continue
        try:
            yield json.loads(raw)
        except (ValueError, RecursionError):
            yield Skipped(f"{member.name}, entry {number}", "the entry is no JSON, or nested too deeply")


def _split(text: Utf8, splitter: Splitter) -> Iterator[bytes | None]:
    while data := text.read():
        yield from splitter.feed(data)
    yield from splitter.end()
    if splitter.is_open:
        raise Broken("it breaks off there")


def _lines(member: Member, text: Utf8) -> Iterator[Any | Skipped]:
    for number, line in enumerate(text.lines(), start=1):
        if line is None:
            yield Skipped(f"{member.name}:{number}", f"the line is longer than {ENTRY_BYTES // 1024**2} MiB")
        elif line.strip():
            try:
                yield json.loads(line)
            except (ValueError, RecursionError):
                yield Skipped(f"{member.name}:{number}", "the line is no JSON")
