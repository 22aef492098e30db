"""Notes near a note or a text: in meaning, and near a note by the links around it as well (D78)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pai_daemon.context.catalog import IndexedNote
from pai_daemon.context.filters import tag_closure
from pai_daemon.context.index import Index
from pai_daemon.context.linking.evidence import centre
from pai_daemon.context.linking.graph import LinkGraph
from pai_daemon.context.passage import Passage
from pai_daemon.context.privacy import is_beyond
from pai_daemon.context.search import Searcher
from pai_daemon.context.space import Space
from pai_daemon.context.store.rows import chunk_id
from pai_daemon.context.vectors import Floats
from pai_daemon.errors import ModelUnavailable, NotFound

NEAREST_CHUNKS = 200
# So many notes are looked at that a walk over the links comes to most often, however far they are in meaning.
MOST_WALKED = 40
# What the first of those gains, in units of the model's scale: of .3 to 1.5 the best in `bench related`.
BY_LINKS = 0.5
# From this share of the first on the links are a reason.
TELLING = 0.2


@dataclass(frozen=True, slots=True)
class RelatedNote:
    """A note near another. why: the reason, in words.

    score: cosine of the nearest chunk, and what a walk over the links adds.
    """

    path: str
    title: str
    score: float
    why: str
    link: str
    linked: bool
    passage: Passage


class Related:
    """Finds kindred notes in one vault's index."""

    def __init__(self, vault: Path, index: Index, searcher: Searcher, graph: LinkGraph) -> None:
        self._vault = vault
        self._index = index
        self._searcher = searcher
        self._graph = graph

    def to_note(self, path: str, limit: int = 10) -> list[RelatedNote]:
        """Return the notes nearest to a note, best first; never the note itself.

        Raises NotFound for a path that is not indexed, ModelUnavailable while it is not embedded.
        """
        note = self.indexed(path)
        with self._searcher.borrow() as space:
            vectors = space.matrix.get(note.vector_keys)
            if not len(vectors):
                if is_beyond(space.embedder) and (
                    rule := self._index.privacy.rule(note, self._index.catalog)
                ):
                    raise ModelUnavailable(
                        f"{path} is not embedded by a model beyond this machine: {rule}.",
                        hint="Choose a model on this machine.",
                    )
                raise ModelUnavailable(
                    f"{path} is not embedded yet.", hint="Try again in a moment: pai status."
                )
            return self._near(space, centre(vectors), limit, note)

    def to_text(self, text: str, limit: int = 10) -> list[RelatedNote]:
        """Return the notes nearest to a piece of text, best first.

        Raises ModelUnavailable while no model is loaded, and where it may be of a note that stays here.
        """
        with self._searcher.borrow() as space:
            if space.embedder is None:
                raise ModelUnavailable("The embedding model is loading.", hint="Try again in a few seconds.")
            if is_beyond(space.embedder) and self._index.private_paths():
                raise ModelUnavailable(
                    "The text may be of a note that stays on this machine, and the model is beyond it.",
                    hint="Ask with the path of the note, or choose a model on this machine.",
                )
            return self._near(space, space.embedder.embed_texts([text], urgent=True)[0], limit, None)

    def _near(
        self, space: Space, vector: Floats, limit: int, origin: IndexedNote | None
    ) -> list[RelatedNote]:
        path = origin.path if origin else ""
        linked = self._index.catalog.linked(path) if origin else set()
        best: dict[str, tuple[str, float]] = {}
        for item, score in self._searcher.nearest(space, vector, NEAREST_CHUNKS):
            other = item.rpartition("#")[0]
            if other != path:
                best.setdefault(other, (item, score))
        walked = self._walked(path) if origin else {}
        for other in walked:
            if other not in best and (nearest := self._nearest_of(space, vector, other)) is not None:
                best[other] = nearest
        more = space.embedder.scoring.scale * BY_LINKS if space.embedder is not None else 0.0
        ranked = [(item, score + more * walked.get(other, 0.0)) for other, (item, score) in best.items()]
        ranked = sorted(ranked, key=lambda pair: -pair[1])[:limit]
        passages = self._searcher.passages(ranked, {"semantic": list(best.values())}, "")
        return [self._related(passage, origin, linked, walked.get(passage.path, 0.0)) for passage in passages]

    def _walked(self, path: str) -> dict[str, float]:
        """Return how often a walk from a note comes to others that it has no link with, 1 for the first.

        A link already says that two notes belong together; it makes neither first.
        """
        with self._graph.lock:
            self._graph.renew(self._index.revision)
            around, shares = self._graph.around(path), self._graph.walked(path)
        apart = {other: share for other, share in shares.items() if other not in around}
        first = sorted(apart, key=apart.__getitem__, reverse=True)[:MOST_WALKED]
        return {other: apart[other] / apart[first[0]] for other in first}

    def _nearest_of(self, space: Space, vector: Floats, path: str) -> tuple[str, float] | None:
        """Return which chunk of a note is the nearest, and its cosine; None where none is embedded."""
        note = self._index.catalog.get(path)
        keys = note.vector_keys if note is not None else ()
        ordinals = [ordinal for ordinal, key in enumerate(keys) if key in space.matrix]
        vectors = space.matrix.get([keys[ordinal] for ordinal in ordinals])
        if not len(vectors):
            return None
        scores = vectors @ vector
        place = int(scores.argmax())
        return chunk_id(path, ordinals[place]), float(scores[place])

    def _related(
        self, passage: Passage, origin: IndexedNote | None, linked: set[str], walked: float
    ) -> RelatedNote:
        other = self._index.catalog.get(passage.path)
        shared = sorted(tag_closure(origin.tags) & tag_closure(other.tags)) if origin and other else []
        reasons = [f"shares #{', #'.join(shared[:3])}"] if shared else []
        if origin and origin.path in self._index.catalog.linked(passage.path):
            reasons.append("links here")
        if walked >= TELLING:
            reasons.append("linked with the same notes")
        where = " › ".join(passage.heading_path)
        reasons.append(f"near in meaning: {where}" if where else "near in meaning")
        return RelatedNote(
            path=passage.path,
            title=passage.title,
            score=passage.score,
            why="; ".join(reasons),
            link=self._searcher.places.link(passage.path),
            linked=passage.path in linked,
            passage=passage,
        )

    def indexed(self, path: str) -> IndexedNote:
        """Return a note of the index, or raise NotFound.

        path: as in the index, or as a shell completes it: absolute, with `./`, or a name without `.md`.
        """
        catalog = self._index.catalog
        written = path.removeprefix(f"{self._vault}/").removeprefix("./")
        note = catalog.get(written)
        if note is None and ".." not in written.split("/"):
            note = catalog.get(catalog.links.resolve(written, "") or "")
        if note is None:
            raise NotFound(f"No note {path!r} is indexed.", hint="Paths are relative to the vault, with .md.")
        return note
