"""Facts as a conversation keeps and forgets them, and as an answer is given them (D84)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from pai_daemon.context.answering.memory import Remembered
from pai_daemon.context.index import Index
from pai_daemon.context.passage import Passage, Scores
from pai_daemon.context.privacy import is_beyond
from pai_daemon.context.space import EmbeddingModel
from pai_daemon.memory.fact import Fact
from pai_daemon.memory.memory import Memory
from pai_daemon.memory.recall import ANY, DEFAULT_LIMIT, Recall, Recollection, Wanted
from pai_daemon.memory.talking import NamedFact

# Link and address of a block, by the path of its note and its id.
Place = Callable[[str, str], tuple[str, str]]


class FactKeeper:
    """Keeps and forgets facts of one vault, for `talking`."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    def facts(self) -> Sequence[NamedFact]:
        """Return the facts that hold."""
        return [self._named(fact) for fact in self._memory.facts(past=False)]

    def keep(self, text: str, source: str) -> NamedFact:
        """Write a fact as it was said. Raises NoteChanged, DiskFull, UsageError."""
        return self._named(self._memory.remember(text, source=source).fact)

    def drop(self, fact_id: str) -> None:
        """Forget a fact; it can be had back for a day. Raises NotFound, NoteChanged."""
        self._memory.forget(fact_id)

    def _named(self, fact: Fact) -> NamedFact:
        return NamedFact(fact.id, fact.text, self._memory.shelf.in_vault(fact.path), fact.line)


@dataclass(frozen=True, slots=True)
class Recollecting:
    """What is remembered, found for a question; follows the notes and the model that answers."""

    memory: Memory
    recall: Recall[Fact]
    index: Index

    @property
    def folder(self) -> str:
        """Return the memory folder, in the vault."""
        return self.memory.shelf.folder

    def keep_up(self) -> None:
        """Know the facts that there are; embed what is new. Nothing of a local-only note leaves (D15)."""
        self.recall.keep_up(self.memory.facts, self._model())
        self.memory.purge()

    def take_in(self) -> None:
        """Know a change of ours at once, by its words; its embedding follows with the index."""
        self.recall.keep_up(self.memory.facts)

    def ask(
        self, question: str, now: datetime, *, limit: int = DEFAULT_LIMIT, wanted: Wanted = ANY
    ) -> Recollection[Fact]:
        """Return the facts that answer a question. Raises UsageError."""
        return self.recall.recall(question, now=now, model=self._model(), limit=limit, wanted=wanted)

    def passages(self, question: str, limit: int, place: Place) -> Sequence[Remembered]:
        """Return the facts that bear on a question and hold now, each as a passage of its own line."""
        found = self.ask(question, datetime.now().astimezone(), limit=limit)
        current = [each for each in found.results if not (each.replaced or each.expired)]
        told = ((each, self._passage(each.fact, place)) for each in current)
        return [Remembered(passage, each.answers) for each, passage in told if passage is not None]

    def _model(self) -> EmbeddingModel | None:
        model = self.index.space.embedder
        if is_beyond(model):
            folder = f"{self.folder}/"
            if any(path.startswith(folder) for path in self.index.private_paths()):
                return None
        return model

    def _passage(self, fact: Fact, place: Place) -> Passage | None:
        path = self.memory.shelf.in_vault(fact.path)
        known = self.index.catalog.get(path)
        lines = (self.memory.shelf.read(fact.path) or "").split("\n")
        if known is None or fact.line > len(lines):
            return None  # left out of the index, or not read yet
        line = lines[fact.line - 1].rstrip("\r")
        start = sum(len(each) + 1 for each in lines[: fact.line - 1])
        link, uri = place(path, fact.id)
        return Passage(
            path=path,
            title=known.title,
            heading_path=(),
            text=line.strip(),
            start_line=fact.line,
            end_line=fact.line,
            start_char=start,
            end_char=start + len(line),
            block_id=fact.id if fact.has_id else None,
            content_hash=known.content_hash,
            stale=False,
            score=1.0,
            scores=Scores(None, None),
            highlights=(),
            link=link,
            uri=uri,
            page=None,
        )
