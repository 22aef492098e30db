"""Embeds what waits: for the space that answers, and beside it for the one that is to take its place (D39).

Only the indexer's thread uses it.
"""

from __future__ import annotations

from collections.abc import Callable

from pai_daemon.context.backlog import Backlog
from pai_daemon.context.index import Index
from pai_daemon.context.progress import Progress
from pai_daemon.context.space import EmbeddingModel, ModelName


class Switch:
    """The backlogs of one index, and the step from one space to the next.

    What is saved meanwhile is embedded for the space that answers before anything else, so that meaning
    goes on finding everything. A space that was never complete is not completed any more: it answers until
    the next one has as much.
    """

    def __init__(self, index: Index) -> None:
        self._index = index
        self._backlog = Backlog(index, index.live)
        self._next: tuple[Backlog, EmbeddingModel] | None = None

    def __len__(self) -> int:
        """Return how many texts meaning does not find yet."""
        return self._index.missing_count()

    def choose(self, embedder: EmbeddingModel) -> None:
        """Let this model, which is loaded, be the one that answers, now or once it has embedded all."""
        abandoned, self._next = self._next, None
        self._index.choose(ModelName.of(embedder.profile))
        if self._index.next is None:
            self._index.use(embedder)
        else:
            self._next = Backlog(self._index, self._index.next, "switching"), embedder
        if abandoned is not None and abandoned[1] is not embedder:
            abandoned[1].close()

    def prefer(self, path: str) -> None:
        """Let what waits of the note at this path be embedded first."""
        self._backlog.prefer(path)
        if self._next is not None:
            self._next[0].prefer(path)

    def has_work(self) -> bool:
        """Return whether there is something to embed, and a model for it, or another space to switch to."""
        return self._next is not None or self._completes_live() is not None

    def embed_window(self, is_interrupted: Callable[[], bool], report: Callable[[Progress], None]) -> None:
        """Embed some of what waits and commit it, see `Backlog.embed_window`; switch when it is time."""
        if (embedder := self._completes_live()) is not None:
            self._backlog.embed_window(embedder, is_interrupted, report)
        elif self._next is not None:
            backlog, embedder = self._next
            if self._may_switch(backlog):
                self._index.switch(embedder)
                self._backlog, self._next = Backlog(self._index, self._index.live), None
            else:
                backlog.embed_window(embedder, is_interrupted, report)

    def _completes_live(self) -> EmbeddingModel | None:
        """Return the model that answers, if it is to embed what waits for it."""
        if not self._backlog or (self._next is not None and not self._index.was_complete):
            return None
        return self._index.space.embedder

    def _may_switch(self, backlog: Backlog) -> bool:
        """Return whether meaning finds no less in the next space: this one has no model, or lacks as much."""
        return self._index.space.embedder is None or len(backlog) <= len(self._backlog)
