"""Conversations that a person wants kept, each a note in the memory folder, and how long (D98).

Nothing is kept but of clients that the settings name. A note carries a hash of itself as it was last written
here: one that the person touched is added to, and never removed. An answer that rests on what stays on this
machine makes its conversation stay, too (D15).
"""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from pai_daemon.errors import NoteChanged, UsageError
from pai_daemon.memory.importing.pages import FOLDER
from pai_daemon.memory.threads import Said, Thread, expired, file_name, read_thread, written, written_turn
from pai_daemon.notes.frontmatter import read_frontmatter
from pai_daemon.vault.shelf import Shelf

ALL = "all"
ATTEMPTS = 8
# So many conversations of one client may begin with the same words.
MOST_ALIKE = 64
SWEEP_S = 3600.0
_SEAL = re.compile(r"^kept_hash: ([0-9a-f]{16})\n", re.MULTILINE)
_LOCAL = 'pai: "local"\n'
_HEAD = "---\n"
_KEPT_BACK = ("local", "false", "no", "off")


@dataclass(frozen=True, slots=True)
class Exchange:
    """A question and its answer. thread: the conversation's id. is_local: it must stay on this machine."""

    thread: str
    client: str
    question: str
    answer: str
    is_local: bool = False


@dataclass(frozen=True, slots=True)
class _Read:
    told: tuple[int, int]
    thread: Thread | None


class ThreadKeeper:
    """Keeps the conversations of one vault. Any thread may ask; writes wait for each other.

    clients: whose conversations are kept, `all` for everybody's. days: how long, 0 for good.
    """

    def __init__(
        self, shelf: Shelf, clients: Sequence[str], days: int, *, now: Callable[[], datetime] = datetime.now
    ) -> None:
        self._shelf = shelf
        self._clients = frozenset(clients)
        self._days = days
        self._now = now
        self._known: dict[str, _Read] = {}
        self._writing = threading.RLock()
        self._swept: datetime | None = None

    def keeps(self, client: str) -> bool:
        """Return whether the conversations of a client are kept."""
        return ALL in self._clients or client in self._clients

    def keep(self, exchange: Exchange) -> str | None:
        """Write an exchange into its conversation's note; return the path in the vault, None if not kept.

        Raises NoteChanged, DiskFull, VaultUnavailable, UsageError.
        """
        if not self.keeps(exchange.client):
            return None
        at = self._now().replace(second=0, microsecond=0)
        turns = (Said("user", exchange.question, at), Said("assistant", exchange.answer, at))
        with self._writing:
            for _ in range(ATTEMPTS):
                path = self._path_of(exchange)
                before = self._shelf.read(path) if path is not None else None
                if path is None or before is None:
                    thread = Thread(exchange.thread, exchange.client, turns)
                    path, before = self._free_path(file_name(thread)), None
                    after = sealed(_local(written(thread)) if exchange.is_local else written(thread))
                else:
                    after = _with_turns(before, turns, is_local=exchange.is_local)
                try:
                    self._shelf.write(path, after, before=before)
                except NoteChanged:
                    continue
                return self._shelf.in_vault(path)
        raise NoteChanged(f"The note of the conversation {exchange.thread} changes all the time.")

    def continued(self, client: str, history: Sequence[str], question: str) -> str:
        """Return the id of the conversation that a client goes on with, by what the person said in it so far.

        For clients that send what was said and no id. history: the person's words, oldest first. Asked again,
        a question is of the same conversation.
        """
        first = _folded((*history, question)[0])
        said, asked = [_folded(each) for each in history], _folded(question)
        with self._writing:
            known = {thread.id: thread for _, thread in self.threads() if thread.client == client}
            for number in range(MOST_ALIKE):
                digest = hashlib.sha256("\n".join((client, first, str(number))).encode("utf-8", "replace"))
                each = digest.hexdigest()[:16]
                if each not in known:
                    return each
                turns = [_folded(turn.text) for turn in known[each].turns if turn.role == "user"]
                if _once(turns) in (_once(said), _once([*said, asked])):
                    return each
        return each

    def threads(self) -> Iterator[tuple[str, Thread]]:
        """Yield the conversations that are kept, by the path of their notes in the vault."""
        for path, thread in self._read():
            yield self._shelf.in_vault(path), thread

    def sweep(self) -> list[str]:
        """Remove what is older than is wanted and was touched by nobody; return the paths in the vault.

        Once an hour; each can be had back from the undo records.
        """
        now = self._now()
        if self._swept is not None and 0 <= (now - self._swept).total_seconds() < SWEEP_S:
            return []
        self._swept = now
        gone = []
        with self._writing:
            for path in expired(self._read(), self._days, now):
                text = self._shelf.read(path)
                if text is not None and is_untouched(text):
                    self._shelf.remove(path, before=text)
                    gone.append(self._shelf.in_vault(path))
        return gone

    def _free_path(self, name: str) -> str:
        """Return the path of a new note; two programs may give their threads one id."""
        stem, path, number = name.removesuffix(".md"), f"{FOLDER}/{name}", 2
        while self._shelf.taken(path):
            path, number = f"{FOLDER}/{stem} {number}.md", number + 1
        return path

    def _path_of(self, exchange: Exchange) -> str | None:
        wanted = exchange.thread, exchange.client
        return next((path for path, each in self._read() if (each.id, each.client) == wanted), None)

    def _read(self) -> list[tuple[str, Thread]]:
        """Return the conversations by path; only notes that changed are read."""
        with self._writing:
            found: dict[str, _Read] = {}
            for path in self._shelf.paths(FOLDER):
                try:
                    stat = (self._shelf.root / path).stat()
                except OSError:
                    continue
                told, known = (stat.st_mtime_ns, stat.st_size), self._known.get(path)
                if known is None or known.told != told:
                    text = self._shelf.read(path) if path.endswith(".md") else None
                    known = _Read(told, read_thread(text) if text is not None else None)
                found[path] = known
            self._known = found
            return [(path, each.thread) for path, each in found.items() if each.thread is not None]


def sealed(text: str) -> str:
    """Return a note's text with the hash of the rest of it among its properties."""
    bare = _SEAL.sub("", text, count=1)
    end = bare.index(f"\n{_HEAD}", len(_HEAD) - 1) + 1
    return f"{bare[:end]}kept_hash: {_hash(bare)}\n{bare[end:]}"


def is_untouched(text: str) -> bool:
    """Return whether a note is, to the letter, as it was written here."""
    seal = _SEAL.search(text)
    return seal is not None and seal[1] == _hash(text[: seal.start()] + text[seal.end() :])


def _with_turns(before: str, turns: Sequence[Said], *, is_local: bool) -> str:
    """Return a note with turns at its end; one that a person touched keeps all that they wrote."""
    own = is_untouched(before)
    text = before if before.endswith("\n") else f"{before}\n"
    if is_local:
        text = _local(text)
    text += "".join(map(written_turn, turns))
    return sealed(text) if own else text


def _local(text: str) -> str:
    """Return a note that says of itself that it stays on this machine. Raises UsageError if it gainsays."""
    said = read_frontmatter(text).properties.get("pai")
    if said is None:
        end = text.index("\n---", len(_HEAD) - 1) + 1
        return text[:end] + _LOCAL + text[end:]
    if str(said).lower() not in _KEPT_BACK:
        raise UsageError(f"The note of this conversation says pai: {said}, and the answer must stay here.")
    return text


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:16]


def _folded(text: str) -> str:
    return " ".join(text.split())


def _once(texts: Sequence[str]) -> list[str]:
    """Return texts without those that say what the one before them said."""
    return [text for place, text in enumerate(texts) if not place or texts[place - 1] != text]
