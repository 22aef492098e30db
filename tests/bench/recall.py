"""Recall of facts: how often the right one is among the first, by arm; what is refused; its time by size.

The set is one invented life, written before any ranking: `recall_facts.json`, `recall_questions.json`. Half
of it was used for tuning, by the hash of a question's first fact (of the question where none answers it),
so that no fact of a tuned question is in the other half; the other half is only reported. Another life,
`recall_more.json`, with other words, was added for tuning alone.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np

from pai_daemon.context.vectors import Floats
from pai_daemon.memory.fact import Fact
from pai_daemon.memory.journal import Journal
from pai_daemon.memory.memory import Memory
from pai_daemon.memory.recall import Recall, Recalled
from pai_daemon.models.embedder import Embedder
from pai_daemon.vault.shelf import Shelf
from tests.bench.bench import load_model
from tests.bench.report import Row

HERE = Path(__file__).parent
ARMS = {"words": ("text",), "vectors": ("semantic",), "ours": ("semantic", "text")}
MODELS = ("multilingual-e5-small", "small")
FACTS = 50_000
QUICK_FACTS = 5_000
RECALL_MS = 40
REMEMBER_MS = 50
ROUNDS = 5
FACTS_A_NOTE = 500


@dataclass(frozen=True, slots=True)
class Known:
    """A fact of the set."""

    id: str
    subject: str
    said: date
    text: str
    superseded_by: str | None = None
    until: date | None = None
    pinned: bool = False
    tags: tuple[str, ...] = ()


Found = Sequence[Recalled[Known]]
Ask = Callable[[str], Found]


@dataclass(frozen=True, slots=True)
class Asked:
    """A question of the set. facts: the ids of those that answer it."""

    kind: str
    text: str
    facts: tuple[str, ...]

    @property
    def is_for_tuning(self) -> bool:
        """Return which half it is in."""
        of = self.facts[0] if self.facts else self.text
        return hashlib.sha256(of.encode()).digest()[0] % 2 == 0


def read_set() -> tuple[datetime, list[Known], list[Asked]]:
    """Return when the questions are asked, the facts, and the questions."""
    told = json.loads((HERE / "recall_facts.json").read_text("utf-8"))
    return _read(told, json.loads((HERE / "recall_questions.json").read_text("utf-8"))["asks"])


def read_more() -> tuple[datetime, list[Known], list[Asked]]:
    """Return the same of the life that is for tuning alone."""
    told = json.loads((HERE / "recall_more.json").read_text("utf-8"))
    return _read(told, told["asks"])


def _read(told: Any, asked: Any) -> tuple[datetime, list[Known], list[Asked]]:
    facts = []
    for name, subject, said, text, *more in told["facts"]:
        known = more[0] if more else {}
        until = date.fromisoformat(known["until"]) if "until" in known else None
        facts.append(
            Known(
                name,
                subject,
                date.fromisoformat(said),
                text,
                known.get("superseded"),
                until,
                known.get("pinned", False),
            )
        )
    now = datetime.fromisoformat(told["today"]).replace(hour=12, tzinfo=UTC)
    return now, facts, [Asked(kind, text, tuple(fits)) for kind, asks in asked.items() for text, fits in asks]


def run(scratch: Path, *, quick: bool, model: str) -> list[Row]:
    """Return the quality by arm, model and half, and the time of a recall and of taking in a fact."""
    now, facts, questions = read_set()
    rows: list[Row] = []
    for name in dict.fromkeys((model, *(() if quick else MODELS))):
        embedder = load_model(name)
        recall: Recall[Known] = Recall(scratch / name)
        recall.keep_up(lambda: facts, embedder)
        for half, asked in _halves(questions).items():
            for arm, legs in ARMS.items():
                if arm != "words" or name == model:
                    shown = arm if arm == "words" else f"{name}, {arm}"

                    def ask(text: str, legs: Sequence[str] = legs) -> Found:
                        return recall.recall(text, now=now, model=embedder, limit=10, arms=legs).results  # noqa: B023

                    rows += _quality(f"{half}: {shown}", ask, asked)
                    if arm == "ours":
                        rows += _refusals(f"{half}: {name}", ask, asked)
        recall.close()
        rows += _more(scratch / f"{name}-more", embedder, name)
        if name == model:
            rows += _times(scratch / "many", embedder, QUICK_FACTS if quick else FACTS)
            rows.append(_remembering(scratch / "remembering", QUICK_FACTS if quick else FACTS))
        embedder.close()
    return rows


def _more(folder: Path, embedder: Embedder, name: str) -> list[Row]:
    now, facts, questions = read_more()
    recall: Recall[Known] = Recall(folder)
    recall.keep_up(lambda: facts, embedder)

    def ask(text: str) -> Found:
        return recall.recall(text, now=now, model=embedder, limit=10).results

    rows = [*_quality(f"more: {name}, ours", ask, questions), *_refusals(f"more: {name}", ask, questions)]
    recall.close()
    return rows


def _halves(questions: Sequence[Asked]) -> dict[str, list[Asked]]:
    return {
        "tuning": [asked for asked in questions if asked.is_for_tuning],
        "report": [asked for asked in questions if not asked.is_for_tuning],
    }


def _quality(what: str, ask: Ask, asked: Sequence[Asked]) -> list[Row]:
    ranks: list[float] = []
    kinds: dict[str, list[bool]] = {}
    superseded_first = 0
    for question in asked:
        found = ask(question.text)
        superseded_first += bool(found) and found[0].fact.superseded_by is not None
        if question.facts:
            places = [place for place, each in enumerate(found) if each.fact.id in question.facts]
            ranks.append(places[0] + 1 if places else float("inf"))
            kinds.setdefault(question.kind, []).append(ranks[-1] <= 3)
    places_of, count = np.array(ranks), f"{len(ranks)} questions"
    top = float(np.mean(places_of <= 3))
    target = ">= .9" if what == f"report: {MODELS[0]}, ours" else ""
    none = superseded_first == 0
    rows = [
        Row(f"{what}: recall@1", float(np.mean(places_of <= 1)), count),
        Row(f"{what}: recall@3", top, count, target=target, holds=top >= 0.9 if target else None),
        Row(f"{what}: MRR@10", float(np.mean(1 / places_of)), count),
        Row(f"{what}: superseded first", superseded_first, "questions", target="0", holds=none),
    ]
    if "ours" in what:
        rows += [
            Row(f"{what}: recall@3, {kind}", float(np.mean(hits)), f"{len(hits)} questions")
            for kind, hits in kinds.items()
        ]
    return rows


def _refusals(what: str, ask: Ask, asked: Sequence[Asked]) -> list[Row]:
    """Return how often nothing fits, where a fact does and where none does."""
    silent: dict[bool, list[bool]] = {True: [], False: []}
    for question in asked:
        silent[bool(question.facts)].append(not ask(question.text))
    return [
        Row(
            f"{what}: 'no memory fits', {'a' if answered else 'no'} fact answers",
            float(np.mean(each)),
            f"{len(each)} questions",
        )
        for answered, each in silent.items()
    ]


class _Made:
    """Gives texts random embeddings, as the time of a recall does not depend on what they say."""

    def __init__(self, embedder: Embedder) -> None:
        self._real = embedder
        self._random = np.random.default_rng(1)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def embed_texts(self, texts: Sequence[str], *, urgent: bool) -> Floats:
        del urgent
        made = self._random.normal(size=(len(texts), self._real.dimensions))
        made /= np.linalg.norm(made, axis=1, keepdims=True)
        return made.astype(np.float32)


def _times(folder: Path, embedder: Embedder, count: int) -> list[Row]:
    """Return the time of a recall, of taking in a fact, of forgetting one, and of a start."""
    now, facts, questions = read_set()
    many = _many(facts, count)
    made: Any = _Made(embedder)
    recall: Recall[Known] = Recall(folder)
    recall.keep_up(lambda: many, made)
    some = [asked.text for asked in questions[:: max(1, len(questions) // 40)]]
    alone: list[float] = []
    taken: list[float] = []
    for text in some * ROUNDS:
        asked = f"{text} {len(taken)}"  # an embedding that is kept would cost nothing
        alone.append(_ms(lambda asked=asked: embedder.embed_query(asked)))  # type: ignore[misc]
        found = _ms(lambda asked=asked: recall.recall(asked, now=now, model=made))  # type: ignore[misc]
        taken.append(alone[-1] + found)
    added = []
    for number in range(20):
        many.append(replace(many[0], id=f"n-{number}", text=f"{many[number].text} {number}"))
        added.append(_ms(lambda: recall.keep_up(lambda: many, embedder)))
    many.pop(7)
    forgotten = _ms(lambda: recall.keep_up(lambda: many, embedder))
    recall.close()
    again: Recall[Known] = Recall(folder)
    opened = _ms(lambda: again.keep_up(lambda: many, made))
    again.close()
    p50, p95 = (float(np.percentile(taken, share)) for share in (50, 95))
    bare, remember = float(np.percentile(alone, 50)), float(np.percentile(added, 50))
    size, target, most = f"{count:,} facts", f"<= {RECALL_MS}", f"<= {REMEMBER_MS}"
    within = remember <= REMEMBER_MS
    return [
        Row(f"{size}: recall, p50", p50, "ms", "embedding the question", bare, target, p50 <= RECALL_MS),
        Row(f"{size}: recall, p95", p95, "ms"),
        Row(f"{size}: one more is taken in, p50", remember, "ms", target=most, holds=within),
        Row(f"{size}: one is forgotten", forgotten, "ms"),
        Row(f"{size}: a start, nothing embedded", opened, "ms"),
    ]


def _remembering(folder: Path, count: int) -> Row:
    """Return how long a fact takes to be remembered, beyond the writing of its note: as the daemon does it.

    The facts lie in notes of five hundred.
    """
    shelf = Shelf(folder / "vault", "Memory", folder / "undo")
    shelf.root.mkdir(parents=True)
    many, names = _many(read_set()[1], count), count // FACTS_A_NOTE
    for number in range(names):
        some = many[number * FACTS_A_NOTE : (number + 1) * FACTS_A_NOTE]
        lines = "".join(f"- {fact.text} (2026-01-01, from: cli) ^{fact.id}\n" for fact in some)
        (shelf.root / f"Subject {number}.md").write_text(f"# Subject\n\n{lines}", "utf-8")
    memory, recall = Memory(shelf, Journal(folder)), Recall[Fact](folder / "recall")
    memory.on_change = lambda: recall.keep_up(memory.facts)
    memory.on_change()
    taken, writing = [], []
    for number in range(20):
        # As long a note, which holds no facts and so is not read again.
        text = shelf.read(f"Subject {number % names}.md") or ""
        path = f"Conversations/{number}.md"
        shelf.write(path, text, before=None)
        writing.append(_ms(lambda path=path, text=text: shelf.write(path, text, before=text)))  # type: ignore[misc]
        told = f"I own the boat Kestrel {number}."
        subject = f"Subject {number % names}"
        taken.append(_ms(lambda told=told, to=subject: memory.remember(told, source="cli", subject=to)))  # type: ignore[misc]
    recall.close()
    bare, whole = float(np.median(writing)), float(np.median(taken))
    beyond = whole - bare
    what = f"{count:,} facts: one is remembered, beyond the writing of its note, p50"
    return Row(what, beyond, "ms", "writing it", bare, f"<= {REMEMBER_MS}", beyond <= REMEMBER_MS)


def _many(facts: Sequence[Known], count: int) -> list[Known]:
    """Return facts whose words are those of the set, mixed."""
    words = [word for fact in facts for word in fact.text.split()]
    drawn = np.random.default_rng(2).integers(0, len(words), (count, 12))
    return [
        replace(
            facts[number % len(facts)],
            id=f"m-{number}",
            text=" ".join(words[each] for each in row),
            superseded_by=None,
        )
        for number, row in enumerate(drawn)
    ]


def _ms(call: Callable[[], object]) -> float:
    started_s = time.perf_counter()
    call()
    return (time.perf_counter() - started_s) * 1000
