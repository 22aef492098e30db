"""Hybrid search: embeddings and full text, fused by score, as passages.

Each leg gives its best chunks. Their scores are brought to 0 to 1 and added with the model's weight,
a convex combination (Bruch, Gai and Ingber 2023, "An Analysis of Fusion Functions for Hybrid
Retrieval"). On XQuAD it beats reciprocal ranks in one language and across two (D25). The first
of what both legs found are looked at again, with their text (D77). A leg that cannot run is left out,
and the result says which ran (D16).
"""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import get_args

from pai_daemon.context.explaining import Course, Look, explained
from pai_daemon.context.filters import EVERYTHING, Filter, narrowed
from pai_daemon.context.fusion import Leg, Legs, added, fuse, parts
from pai_daemon.context.highlights import NO_TERMS, Terms, highlights, terms_of
from pai_daemon.context.index import Index
from pai_daemon.context.newest import newest
from pai_daemon.context.passage import Explanation, Mode, Passage, Reasons, Scores, SearchResult
from pai_daemon.context.places import Places, page_of
from pai_daemon.context.query import read_query
from pai_daemon.context.ranking.evidence import Table, question_of, table_of
from pai_daemon.context.ranking.look import candidates, reorder
from pai_daemon.context.space import Space
from pai_daemon.context.store.rows import StoredChunk, chunk_id
from pai_daemon.context.store.words import read
from pai_daemon.context.vectors import Floats
from pai_daemon.errors import IndexUnavailable, ModelUnavailable, UsageError
from pai_daemon.notes.language import known_language
from pai_daemon.vault.scan import read_bytes

DEPTH = 100
MAX_LIMIT = 100
WORD_THREADS = 4
# What passes a filter is asked once for as long as nothing changes, as while a person types.
FILTERS_KEPT = 4
MAX_QUERY_CHARACTERS = 4000


class Searcher:
    """Answers queries on one vault's index."""

    def __init__(self, vault: Path, index: Index) -> None:
        self.places = Places(vault.name, index.catalog)
        self.vault = vault
        self.index = index
        # Words are looked up on a thread of its own beside the embedding of the query.
        self._beside = ThreadPoolExecutor(WORD_THREADS, "words")
        # Off only to measure what the second look is worth.
        self.looks_again = True
        self._passing = lru_cache(FILTERS_KEPT)(self._matching)

    def borrow(self) -> AbstractContextManager[Space]:
        """Lend the space that one question is answered in, from its first search to its last sentence."""
        return self.index.borrow()

    def search(
        self,
        query: str,
        *,
        mode: Mode = "hybrid",
        limit: int = 10,
        chosen: Filter = EVERYTHING,
        typing: bool = False,
        explain: bool = False,
    ) -> SearchResult:
        """Return the best passages for what a person typed, see `query`; typing: its last word is open.

        explain: say why they stand in their order.
        Raises UsageError for an empty or overlong query, an unknown mode or a limit out of range, and
        ModelUnavailable for a search by meaning alone while the model is away.
        """
        typing = typing and not query[-1:].isspace()
        query = checked_query(query)
        asked = read_query(query, datetime.now().astimezone())
        chosen = narrowed(chosen, asked.chosen)
        said = read(asked.words)
        if not said.meaning.strip() and (asked.chosen or said.excluded):
            result = self._newest(asked.words, mode, limit, chosen, explain=explain)
        else:
            with self.borrow() as space:
                result = self.search_in(
                    space,
                    asked.words,
                    mode=mode,
                    limit=limit,
                    chosen=chosen,
                    typing=typing,
                    explain=explain,
                )
        return replace(result, query=query, understood=asked.understood, notices=asked.notices)

    def _newest(self, query: str, mode: Mode, limit: int, chosen: Filter, *, explain: bool) -> SearchResult:
        """Return the newest notes that are chosen, without what the query leaves out."""
        started_s = time.perf_counter()
        _check(mode, limit)
        revision = self.index.revision
        ids = [item for each in self._passing(revision, chosen).values() for item in each]
        left_out = self.index.store.chunks.left_out(query, ids)
        listed = newest(self.index.catalog, (item for item in ids if item not in left_out))[:limit]
        passages = self.passages([(item, 1.0) for item in listed], {}, "")
        took_ms = round((time.perf_counter() - started_s) * 1000, 1)
        reasons = (Reasons(None, None, 0.0, {}, None),) * len(passages)
        return SearchResult(
            query=query,
            mode=mode,
            stages=(),
            revision=revision,
            pending_chunks=self.index.missing_count(),
            took_ms=took_ms,
            results=passages,
            explained=Explanation(reasons, {}, {}, {"newest": took_ms}) if explain else None,
        )

    def search_in(
        self,
        space: Space,
        query: str,
        *,
        mode: Mode = "hybrid",
        limit: int = 10,
        chosen: Filter = EVERYTHING,
        typing: bool = False,
        explain: bool = False,
    ) -> SearchResult:
        """Return the best passages for a query in a space that is borrowed, see `search`."""
        started_s, course = time.perf_counter(), Course()
        typing = typing and not query[-1:].isspace()
        query = checked_query(query)
        _check(mode, limit)
        legs, semantic_weight = self._legs(space, query, mode, chosen, course, typing=typing)
        unknown = self._not_embedded(space, legs)
        said = parts(legs, semantic_weight, len(space.matrix), unknown)
        ranked, look = added(said), None
        if self.looks_again and legs.get("semantic") and legs.get("text"):
            with course.stage("look"):
                evidence, chunks = self._seen(space, query, ranked, legs, unknown)
                look = Look([chunk.chunk_id for chunk in chunks], evidence)
                ranked = reorder(ranked, look.ids, evidence)
        with course.stage("passages"):
            found = self._found(ranked[:limit], legs, query)
        return SearchResult(
            query=query,
            mode=mode,
            stages=(*legs, *(["look"] if look is not None else [])),
            revision=self.index.revision,
            pending_chunks=self.index.missing_count(),
            took_ms=round((time.perf_counter() - started_s) * 1000, 1),
            results=tuple(found.values()),
            explained=explained([*found], said, look, course) if explain else None,
        )

    def _legs(
        self, space: Space, query: str, mode: Mode, chosen: Filter, course: Course, *, typing: bool
    ) -> tuple[Legs, float]:
        """Return the legs of a mode that ran, and the weight of the semantic one."""
        words = None
        if mode != "semantic":
            words = self._beside.submit(self._words, query, chosen, course, typing=typing)
        legs: dict[str, Leg] = {}
        semantic_weight = 0.0
        if mode != "text" and space.embedder is not None:
            semantic_weight = space.embedder.scoring.semantic_weight
            try:
                with course.stage("embed"):
                    vector = space.embedder.embed_query(read(query).meaning or query)
                with course.stage("semantic"):
                    nearest = self.nearest(space, vector, DEPTH, chosen)
                    left_out = self.index.store.chunks.left_out(query, [item for item, _ in nearest])
                    legs["semantic"] = [pair for pair in nearest if pair[0] not in left_out]
            except (ModelUnavailable, IndexUnavailable):  # a server may be away, an index be mended (D58)
                if mode == "semantic":
                    raise
        if words is not None:
            try:
                legs["text"] = words.result()
            except IndexUnavailable:
                if "semantic" not in legs:
                    raise
        return legs, semantic_weight

    def _words(self, query: str, chosen: Filter, course: Course, *, typing: bool) -> Leg:
        with course.stage("text"):
            chunks = self.index.store.chunks
            found, course.corrected = chunks.search_corrected(query, DEPTH, chosen, typing=typing)
            return found

    def evidence(self, query: str) -> tuple[Table, list[StoredChunk]]:
        """Return what a second look sees of a query's first candidates, in their order; for fitting."""
        with self.borrow() as space:
            legs, semantic_weight = self._legs(space, query, "hybrid", EVERYTHING, Course(), typing=False)
            ranked = fuse(legs, semantic_weight, len(space.matrix))
            return self._seen(space, query, ranked, legs)

    def _seen(
        self, space: Space, query: str, ranked: Leg, legs: Legs, unknown: Collection[str] = ()
    ) -> tuple[Table, list[StoredChunk]]:
        """Return the evidence for the candidates of a second look, and their chunks."""
        assert space.embedder is not None, "meaning was searched"
        asked = read(query).meaning or query
        table, first = self.index.store.chunks, candidates(ranked, legs)
        kept = table.get(first)
        chunks = [kept[item] for item in first if item in kept]
        language = known_language(asked)
        evidence = table_of(
            question_of(asked, table.vocabulary.known),
            chunks,
            legs,
            scale=space.embedder.scoring.scale,
            chunk_count=len(space.matrix),
            knows_language=language is None or space.embedder.profile.covers(language),
            unknown=unknown,
        )
        return evidence, chunks

    def _not_embedded(self, space: Space, legs: Legs) -> set[str]:
        """Return the chunks that words found and meaning cannot find yet."""
        found: set[str] = set()
        if legs.get("semantic") and self.index.missing_count():
            for item, _ in legs.get("text", ()):
                path, _, ordinal = item.rpartition("#")
                note = self.index.catalog.get(path)
                # The note may have changed since its words were looked up, and have fewer chunks.
                keys = note.vector_keys[int(ordinal) :] if note is not None else ()
                if keys and keys[0] not in space.matrix:
                    found.add(item)
        return found

    def paths(self, chosen: Filter = EVERYTHING) -> set[str]:
        """Return the paths of the notes that pass a filter and have text."""
        if not chosen:
            return {note.path for note in self.index.catalog.notes()}
        owners = self.index.catalog.owners
        passing = self._passing(self.index.revision, chosen)
        return {
            owner[0] for key, ids in passing.items() for owner in owners(key) if chunk_id(*owner) in {*ids}
        }

    def _matching(self, _revision: int, chosen: Filter) -> dict[str, list[str]]:
        return self.index.store.chunks.matching(chosen)

    def nearest(
        self, space: Space, vector: Floats, limit: int, chosen: Filter = EVERYTHING
    ) -> list[tuple[str, float]]:
        """Return up to about `limit` (chunk id, cosine) pairs, best first.

        vector: (dimensions,) float32 of length 1, of the space itself or made by its embedder.
        """
        if chosen:
            ids = self._passing(self.index.revision, chosen)
            nearest = space.matrix.search(vector, limit, ids.keys())
            found = [(item, score) for key, score in nearest for item in ids[key]]
        else:
            owners = self.index.catalog.owners
            nearest = space.matrix.search(vector, limit)
            found = [(chunk_id(*owner), score) for key, score in nearest for owner in owners(key)]
        return found[:limit]

    def passages(
        self,
        ranked: Sequence[tuple[str, float]],
        legs: Legs,
        query: str,
    ) -> tuple[Passage, ...]:
        """Return the passages of ranked (chunk id, score) pairs, in their order."""
        return tuple(self._found(ranked, legs, query).values())

    def _found(self, ranked: Sequence[tuple[str, float]], legs: Legs, query: str) -> dict[str, Passage]:
        """Return the passages by their chunks' ids, in their order; chunks that are gone are left out."""
        chunks = self.index.store.chunks.get(item for item, _ in ranked)
        parts = {name: dict(leg) for name, leg in legs.items()}
        terms = terms_of(query) if query else NO_TERMS
        found = {}
        for item, score in ranked:
            if (chunk := chunks.get(item)) is not None:
                scores = Scores(parts.get("semantic", {}).get(item), parts.get("text", {}).get(item))
                found[item] = self._passage(chunk, score, scores, terms)
        return found

    def of_chunks(self, ids: Sequence[str]) -> dict[str, Passage]:
        """Return the passages of chunks by their ids, in this order; those that are gone are left out."""
        chunks = self.index.store.chunks.get(ids)
        return {item: self.excerpt(chunks[item]) for item in ids if item in chunks}

    def excerpt(self, chunk: StoredChunk, terms: Terms = NO_TERMS) -> Passage:
        """Return a part of a note that was not searched for but known. terms: what to highlight."""
        return self._passage(chunk, 1.0, Scores(None, None), terms)

    def _passage(self, chunk: StoredChunk, score: float, scores: Scores, terms: Terms) -> Passage:
        place = (chunk.path, chunk.heading_path, chunk.block_ids)
        return Passage(
            path=chunk.path,
            title=chunk.title,
            heading_path=chunk.heading_path,
            text=chunk.text,
            start_line=chunk.start_line,
            end_line=chunk.end_line,
            start_char=chunk.start_char,
            end_char=chunk.end_char,
            block_id=chunk.block_ids[0] if chunk.block_ids else None,
            content_hash=chunk.content_hash,
            stale=self.has_changed(chunk.path),
            score=round(score, 4),
            scores=scores,
            highlights=highlights(chunk.text, terms),
            link=self.places.link(*place),
            uri=self.places.uri(*place),
            page=page_of(chunk.path, chunk.heading_path),
        )

    def has_changed(self, path: str, content_hash: str = "") -> bool:
        """Return whether the file's bytes are not those that were indexed; read only when in doubt.

        content_hash: of an earlier reading, which is to be the one that is indexed.
        """
        note = self.index.catalog.get(path)
        if content_hash and (note is None or note.content_hash != content_hash):
            return True
        try:
            now = (self.vault / path).stat()
            if note is not None and (now.st_size, now.st_mtime_ns) == (note.stat.size, note.stat.mtime_ns):
                return False
            return note is None or read_bytes(self.vault, path, 0)[1] != note.content_hash
        except OSError:
            return True


def _check(mode: str, limit: int) -> None:
    """Raise UsageError for an unknown mode or a limit out of range."""
    if mode not in get_args(Mode):
        raise UsageError(f"The mode {mode!r} is unknown.", hint="Use hybrid, semantic or text.")
    if not 1 <= limit <= MAX_LIMIT:
        raise UsageError(f"limit must be between 1 and {MAX_LIMIT}, not {limit}.")


def checked_query(query: str) -> str:
    """Return the query without surrounding space; raises UsageError when empty or overlong."""
    query = query.strip()
    if not query:
        raise UsageError("The question is empty.", hint="Say what you look for.")
    if len(query) > MAX_QUERY_CHARACTERS:
        raise UsageError(
            f"The question has {len(query)} characters; at most {MAX_QUERY_CHARACTERS} are read.",
            hint="Search for what matters in it, in a sentence or two.",
        )
    return query
