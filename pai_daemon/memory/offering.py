"""What might be remembered of kept conversations, each sentence for a person to accept or refuse (D98).

A decision is kept beside the index, as a hash of the words: what was refused, and what was accepted and is
forgotten since, is not offered again. Nothing is remembered by itself.
"""

from __future__ import annotations

import json
import logging
import threading
from datetime import date
from pathlib import Path

from pai_daemon.config import write_private
from pai_daemon.errors import NotFound
from pai_daemon.memory.memory import Memory, Receipt
from pai_daemon.memory.proposing import Proposal, proposal_id, proposals
from pai_daemon.memory.thread_keeping import ThreadKeeper

log = logging.getLogger(__name__)
SOURCE = "conversation"


class Offers:
    """The proposals of one vault. Any thread may ask."""

    def __init__(self, memory: Memory, threads: ThreadKeeper, path: Path) -> None:
        """Name where the sentences come from, where facts go, and the file of what was decided."""
        self._memory = memory
        self._threads = threads
        self._path = path
        self._deciding = threading.Lock()

    def open(self) -> list[Proposal]:
        """Return what a person may still decide on, in the order in which it was said."""
        known = self._decided() | {proposal_id(fact.text) for fact in self._memory.facts()}
        return proposals(self._threads.threads(), known)

    def accept(self, wanted: str, *, subject: str = "") -> Receipt:
        """Remember a sentence as it was said. Raises NotFound, NoteChanged, DiskFull, UsageError."""
        with self._deciding:
            offer = self._open_one(wanted)
            said = date.fromisoformat(offer.said)
            receipt = self._memory.remember(
                offer.text, source=SOURCE, subject=subject, said=said, notes=[offer.path]
            )
            self._decide(offer)
        return receipt

    def refuse(self, wanted: str) -> Proposal:
        """Never offer a sentence again. Raises NotFound."""
        with self._deciding:
            offer = self._open_one(wanted)
            self._decide(offer)
        return offer

    def _open_one(self, wanted: str) -> Proposal:
        found = next((each for each in self.open() if each.id == wanted), None)
        if found is None:
            raise NotFound(f"Nothing is proposed as {wanted!r}.", hint="`pai memory propose` shows what is.")
        return found

    def _decided(self) -> set[str]:
        try:
            known = json.loads(self._path.read_text("utf-8"))
        except FileNotFoundError:
            return set()
        except (OSError, ValueError, RecursionError) as error:
            log.warning("%s cannot be read: %s", self._path, error)
            return set()
        return {each for each in known if isinstance(each, str)} if isinstance(known, list) else set()

    def _decide(self, offer: Proposal) -> None:
        write_private(self._path, json.dumps(sorted(self._decided() | {offer.id})) + "\n")
