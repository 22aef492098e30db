"""What the indexer is asked to do: any thread adds, the indexer's thread takes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection
from dataclasses import dataclass

from pai_daemon.context.space import EmbeddingModel


@dataclass(frozen=True, slots=True)
class Due:
    """What is to be looked at: the whole vault, or these vault-relative paths.

    force: read every note again, whatever its stat. preferred: the note to embed first, "" for none.
    chosen: models that are to answer, each in the place of the one before.
    """

    everything: bool
    paths: frozenset[str]
    force: bool
    preferred: str
    chosen: tuple[EmbeddingModel, ...]


class Agenda:
    """Paths to look at, scans and stops, until they are taken. It begins with a scan of everything.

    loss_confirmed: a person says that the notes that vanished are really gone. paused: what waits for
    its embedding is to go on waiting.
    """

    def __init__(self) -> None:
        self.stopping = False
        self.loss_confirmed = False
        self.paused = False
        self._changed = threading.Condition()
        self._everything = True
        self._force = False
        self._paths: set[str] = set()
        self._preferred = ""
        self._chosen: list[EmbeddingModel] = []

    def add(self, paths: Collection[str] | None) -> None:
        """Look at these vault-relative paths soon; None looks at the whole vault."""
        with self._changed:
            if paths is None:
                self._everything = True
            else:
                self._paths.update(paths)
            self._changed.notify_all()

    def request(self, *, force: bool, confirm_loss: bool) -> None:
        """Look at the whole vault at once."""
        with self._changed:
            self._everything = True
            self._force |= force
            self.loss_confirmed |= confirm_loss
            self._changed.notify_all()

    def prefer(self, path: str) -> None:
        """Embed this note before others: a person looks at it."""
        with self._changed:
            self._preferred = path
            self._changed.notify_all()

    def choose(self, embedder: EmbeddingModel) -> None:
        """Let this model, which is loaded, be the one that answers."""
        with self._changed:
            self._chosen.append(embedder)
            self._changed.notify_all()

    def pause(self, paused: bool) -> None:
        """Let what waits for its embedding go on waiting, or go on with it."""
        with self._changed:
            self.paused = paused
            self._changed.notify_all()

    def stop(self) -> None:
        """Let the thread end after what it is at."""
        with self._changed:
            self.stopping = True
            self._changed.notify_all()

    def wake(self) -> None:
        """Let the thread look at its work again."""
        with self._changed:
            self._changed.notify_all()

    def take(self) -> Due:
        """Return all that is due, and forget it."""
        with self._changed:
            due = Due(
                self._everything, frozenset(self._paths), self._force, self._preferred, tuple(self._chosen)
            )
            self._everything, self._force, self._preferred = False, False, ""
            self._paths.clear()
            self._chosen.clear()
            return due

    def take_paths(self) -> frozenset[str]:
        """Return the paths that are due, and forget them; none while everything is due."""
        with self._changed:
            paths = frozenset() if self._everything else frozenset(self._paths)
            self._paths -= paths
            return paths

    def is_due(self) -> bool:
        """Return whether anything is to be done, or the thread to end."""
        return self.stopping or self._everything or bool(self._paths or self._preferred or self._chosen)

    def is_scan_due(self) -> bool:
        """Return whether the whole vault is to be looked at, or the thread to end."""
        return self.stopping or self._everything

    def wait(self, until: Callable[[], bool], seconds: float) -> bool:
        """Wait until that is true, at most so long; return whether it is."""
        with self._changed:
            return self._changed.wait_for(until, max(0.0, seconds))
