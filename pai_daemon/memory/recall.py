"""Which facts answer a question: by meaning, words, subject, when they were said, and what still holds.

Meaning and words are weighed against each other (D83, `meaning`); whether the best fits at all, `evidence`
says. A fact that was replaced never stands before what replaced it: where it is found, so is that.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Generic

import numpy as np

from pai_daemon.context.search import checked_query
from pai_daemon.context.space import EmbeddingModel, ModelName
from pai_daemon.context.vectors import Floats
from pai_daemon.errors import ModelUnavailable, UsageError
from pai_daemon.memory.asking import Asking, asking_of, language_of
from pai_daemon.memory.evidence import FITS, Answers, Evidence
from pai_daemon.memory.fact_rows import LANGUAGES, F, FactRows, Mask, passage_of
from pai_daemon.memory.fact_vectors import BATCH, READ_AT_ONCE, FactVectors, keep_only
from pai_daemon.memory.meaning import places

MAX_LIMIT = 100
DEFAULT_LIMIT = 5
# All chosen on the half of the set that is for tuning, see tests/bench/recall.py.
# Words weigh more beside a model of one language, which says little of facts in another; beside others they
# count among facts of the question's language, and across languages mislead more than they help.
WORDS_WEIGHT, ALONE_WEIGHT = 0.035, 0.1
SUBJECT_BONUS = 0.3
PIN_BONUS = 0.05
RECENT_BONUS = 0.1
RECENT_DAYS = 180.0
PAST_MALUS = 1.0
# Facts that are this far behind the best in standard deviations are not told.
WINDOW = 2.5
# So many facts are embedded before the notes that wait.
AT_ONCE = 8
# How many are looked through for what was replaced and what does not hold any more.
DEPTH = 50


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which facts may be told. since, before: days on which they were said; before is not included."""

    subject: str = ""
    tag: str = ""
    since: date | None = None
    before: date | None = None


ANY = Wanted()


@dataclass(frozen=True, slots=True)
class Recalled(Generic[F]):
    """A fact that was found. score: 0 to 1. semantic: its cosine, text: its BM25; None for what did not run.

    replaced: a newer one stands before it. expired: it has held until a day that is over. answers: as far
    as a model can tell.
    """

    fact: F
    score: float
    semantic: float | None
    text: float | None
    replaced: bool
    expired: bool
    answers: Answers = "unknown"


@dataclass(frozen=True, slots=True)
class Recollection(Generic[F]):
    """What memory says to a question, best first; nothing where no memory fits.

    understood: what was read from the question, such as `since 2026-03-01`. stages: which legs ran (D16).
    """

    question: str
    understood: tuple[str, ...]
    stages: tuple[str, ...]
    results: tuple[Recalled[F], ...]


class Recall(Generic[F]):
    """Keeps facts ready and ranks them. Any thread may ask; see `keep_up` for who writes.

    folder: where the embeddings of facts are kept.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._keeping = threading.Lock()
        self._lock = threading.Lock()
        self._vectors: FactVectors | None = None
        self._held: FactRows[F] = FactRows(0)
        # Whether nothing on disk is of a fact that went while no daemon ran.
        self._is_tidy = False

    def __len__(self) -> int:
        """Return how many facts are known."""
        return len(self._held)

    def keep_up(self, facts: Callable[[], Iterable[F]], model: EmbeddingModel | None = None) -> None:
        """Know the facts there are now, and no others, in memory and on disk; embed what is new.

        Words find a new fact before it is embedded, and one that is forgotten waits for a batch at most.
        Raises what the model raises, and DiskFull; then words find the facts that are not embedded.
        """
        with self._keeping:
            self._take(facts(), model)
        while model is not None:
            with self._keeping:
                if not self._embed_some(model):
                    return

    def _take(self, facts: Iterable[F], model: EmbeddingModel | None) -> None:
        is_new = False
        if model is not None:
            name = ModelName.of(model.profile)
            if self._vectors is None or self._vectors.model != name:
                self.close()
                self._vectors = FactVectors(self._folder, name)
                with self._lock:
                    self._held.widen(name.dimensions)
                is_new = True
        with self._lock:
            gone = self._held.take(facts)
            texts = {passage_of(fact) for fact in self._held} if is_new else set()
        if self._vectors is not None and is_new:
            self._vectors.keep(texts)
        elif self._vectors is not None:
            self._vectors.drop(gone)
        elif gone or not self._is_tidy:
            keep_only(self._folder, {passage_of(fact) for fact in self._held})
        self._is_tidy = True

    def _embed_some(self, model: EmbeddingModel) -> bool:
        """Give a batch of facts their embeddings; return whether there were any without."""
        held, vectors = self._held, self._vectors
        if vectors is None or vectors.model != ModelName.of(model.profile):
            return False
        with self._lock:
            missing = {row: passage_of(held.fact(row)) for row in held.missing(READ_AT_ONCE)}
        if not missing:
            return False
        # What is on disk comes first; what is new, batch by batch, so that who forgets waits for one at most.
        found = vectors.of(list(missing.values()), None)
        if not found:
            some = list(missing.values())[:BATCH]
            # What a person just said does not wait for the notes, of which there may be minutes to embed.
            urgent = len(missing) <= AT_ONCE
            found = vectors.of(some, lambda texts: model.embed_texts(texts, urgent=urgent))
        with self._lock:
            for row, text in missing.items():
                if text in found:
                    held.embed(row, found[text])
        return True

    def close(self) -> None:
        """Close the file of embeddings."""
        if self._vectors is not None:
            self._vectors.close()
            self._vectors = None

    def recall(
        self,
        question: str,
        *,
        now: datetime,
        model: EmbeddingModel | None = None,
        limit: int = DEFAULT_LIMIT,
        wanted: Wanted = ANY,
        arms: Iterable[str] = ("semantic", "text"),
    ) -> Recollection[F]:
        """Return the facts that answer a question. now: with its zone. arms: which legs may run.

        Raises UsageError for an empty or overlong question, a limit out of range, or days in the wrong order.
        """
        question = checked_query(question)
        if not 1 <= limit <= MAX_LIMIT:
            raise UsageError(f"limit must be between 1 and {MAX_LIMIT}, not {limit}.")
        if wanted.since and wanted.before and wanted.since >= wanted.before:
            raise UsageError(f"Nothing is since {wanted.since} and before {wanted.before}.")
        asking = asking_of(question, now)
        vector = None
        if "semantic" in arms and model is not None and asking.text:
            try:
                vector = model.embed_query(asking.text)
            except ModelUnavailable:  # a server may be away
                vector = None
        with self._lock:
            if vector is not None and len(vector) != self._held.vectors.shape[1]:
                vector = None  # the facts of a model that was just chosen are not embedded yet
            ranking = _Ranking(
                self._held,
                asking,
                wanted=wanted,
                vector=vector,
                model=model,
                today=now.date(),
                by_words="text" in arms,
            )
            results = ranking.results(limit)
        stages = (*(["semantic"] if vector is not None else []), *(["text"] if "text" in arms else []))
        return Recollection(question, asking.said, stages, results)


class _Ranking(Generic[F]):
    """One question's ranking of the facts."""

    def __init__(
        self,
        held: FactRows[F],
        asking: Asking,
        *,
        wanted: Wanted,
        vector: Floats | None,
        model: EmbeddingModel | None,
        today: date,
        by_words: bool,
    ) -> None:
        self.held, self.asking, self.wanted, self.today = held, asking, wanted, today
        rows = len(held.facts)
        self.vector, self.model = vector, model
        none = np.zeros(rows, np.float32)
        self.has_words = by_words
        self.evidence: Evidence | None = None
        self.scores: Floats = none
        knows_more = vector is not None and model is not None and len(model.profile.languages) != 1
        if vector is not None and model is not None:
            self.evidence = Evidence(asking.text, model.scoring)
            self.scores = places(held, vector, model.scoring, by_language=knows_more)
        self.words = self._common_words(rows, across=not knows_more) if by_words and asking.text else none
        weight = WORDS_WEIGHT if knows_more else ALONE_WEIGHT
        self.scores = self.scores + np.float32(weight) * self.words
        if asking.text:
            self.scores += self._leanings()
        else:
            self.scores += held.said.astype(np.float32) / 1000  # the newest first

    def _leanings(self) -> Floats:
        """Return what speaks for facts whatever their words say."""
        held = self.held
        leaning = PIN_BONUS * held.pinned.astype(np.float32)
        age = np.maximum(0, self.today.toordinal() - held.said)
        leaning += np.float32(RECENT_BONUS) * np.exp2(-age / np.float32(RECENT_DAYS)).astype(np.float32)
        if named := self.held.named(self.asking.text):
            leaning += SUBJECT_BONUS * np.isin(held.subject, named).astype(np.float32)
        return leaning

    def _common_words(self, rows: int, *, across: bool) -> Floats:
        """Return what facts share with the question: runs of letters. across: in other languages as well."""
        found = self.held.grams.scores(self.asking.text, rows)
        spoken = language_of(self.asking.text)
        if spoken and not across:
            language = self.held.language
            found[(language > 0) & (language != LANGUAGES.index(spoken))] = 0
        return found

    def results(self, limit: int) -> tuple[Recalled[F], ...]:
        """Return the best facts that may be told; none where the best does not fit."""
        allowed = self._allowed()
        rows = np.flatnonzero(allowed)
        if not len(rows):
            return ()
        depth = min(len(rows), max(DEPTH, 4 * limit))
        best = rows[np.argpartition(-self.scores[rows], depth - 1)[:depth]]
        # Ties go by id, so that the order of files and rows says nothing.
        ordered = sorted(map(int, best), key=lambda row: (-self.scores[row], self.held.fact(row).id))
        if not self._fits(ordered):
            return ()
        if self.vector is None and any(self.words[row] > 0 for row in ordered):
            ordered = [row for row in ordered if self.words[row] > 0]
        ranks = self._in_force(ordered)
        told = sorted(ranks, key=lambda row: (*ranks[row], self.held.fact(row).id))
        top = ranks[told[0]][0]
        if self.asking.text and not self.asking.of_time:
            told = [row for row in told if ranks[row][0] - top <= WINDOW]
        return tuple(self._recalled(row, -ranks[row][0], ranks[row][1] > 0) for row in told[:limit])

    def _allowed(self) -> Mask:
        held, wanted = self.held, self.wanted
        allowed = held.taken.copy()
        for since in filter(None, (wanted.since, self.asking.since)):
            allowed &= held.said >= since.toordinal()
        for before in filter(None, (wanted.before, self.asking.before)):
            allowed &= (held.said < before.toordinal()) & (held.said > 0)
        if wanted.subject:
            name = wanted.subject.casefold()
            places = [place for known, place in held.subjects.items() if known.casefold() == name]
            allowed &= np.isin(held.subject, places)
        if wanted.tag:
            tag = wanted.tag.removeprefix("#").casefold()
            for row in np.flatnonzero(allowed):
                tags = (each.removeprefix("#").casefold() for each in held.fact(int(row)).tags)
                allowed[row] = any(each == tag or each.startswith(f"{tag}/") for each in tags)
        return allowed

    def _fits(self, ordered: list[int]) -> bool:
        """Return whether one of the best says something of the question, in the model's own measure."""
        if self.asking.of_time or not self.asking.text:
            return True
        if self.evidence is None:
            return bool(max(self.words[row] for row in ordered) > 0)
        return any(self._odds(row) >= FITS for row in ordered[:3])

    def _odds(self, row: int) -> float:
        assert self.evidence is not None
        return self.evidence.of(self.held.fact(row).text, self._cosine(row))

    def _cosine(self, row: int) -> float:
        return 0.0 if self.vector is None else float(self.held.vectors[row] @ self.vector)

    def _in_force(self, ordered: list[int]) -> dict[int, tuple[float, int]]:
        """Return each row's rank, lower first: minus its score, and how far it is from what holds now.

        What replaced a fact comes with it and before it, whatever was filtered.
        """
        ranks: dict[int, tuple[float, int]] = {}
        for row in ordered:
            line = self._line(row)
            head = line[-1]
            score = float(self.scores[row])
            if self._has_expired(head):
                score -= PAST_MALUS
            known = ranks[head][0] if head in ranks else -score
            ranks[head] = (min(known, -score), 0)
            if head != row:
                ranks[row] = (-score, len(line) - 1)
        for row, (rank, away) in list(ranks.items()):
            if away:
                first = ranks[self._line(row)[-1]][0]
                ranks[row] = (first if self.asking.of_past else max(rank, first) + PAST_MALUS, away)
        return ranks

    def _line(self, row: int) -> list[int]:
        """Return a row and what replaced it, in turn; the row alone where that goes round in a circle."""
        line = [row]
        while (newer := self.held.fact(line[-1]).superseded_by) is not None:
            following = self.held.rows.get(newer)
            if following is None:
                break
            if following in line:
                return [row]
            line.append(following)
        return line

    def _has_expired(self, row: int) -> bool:
        until = self.held.fact(row).until
        return until is not None and until < self.today

    def _recalled(self, row: int, score: float, replaced: bool) -> Recalled[F]:
        fact = self.held.fact(row)
        told: Answers = "unknown"
        if self.evidence is not None:
            told = self.evidence.answers(fact.text, self._odds(row))
        return Recalled(
            fact=fact,
            score=round(1 / (1 + math.exp(-max(-50.0, min(50.0, score - 3)))), 4),
            semantic=None if self.vector is None else round(self._cosine(row), 4),
            text=round(float(self.words[row]), 3) if self.has_words else None,
            replaced=replaced,
            expired=self._has_expired(row),
            answers=told,
        )
