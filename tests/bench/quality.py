"""Whether the right passage comes first, and whether the answer holds the fact.

Sets: XQuAD in English and German (48 articles, 240 paragraphs, 1,190 questions each). A passage
counts when it holds the answer's place in the note. Old Wikipedia text, so the figures compare
settings and are not absolute.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Sequence
from pathlib import Path

from pai_daemon.context.answer import Answer
from pai_daemon.context.answer import Question as Asked
from pai_daemon.context.answers import Answerer
from pai_daemon.context.search import Mode, Passage, Searcher
from pai_daemon.models.embedder import Embedder
from tests.bench.bench import Indexed, indexed, load_model
from tests.bench.data import SAMPLE_VAULT, Question, question_vault, sample_questions
from tests.bench.report import Row

QUICK_QUESTIONS = 40
MODES: tuple[Mode, ...] = ("text", "semantic", "hybrid")
# Measured beforehand with one chunk a paragraph and a stemmed word leg: what the model can do.
TARGETS = {"xquad.de": (0.986, 0.958)}


def run(scratch: Path, *, quick: bool, model: str) -> list[Row]:
    """Return recall@5 and MRR@10 a leg, and how often the answer holds the fact."""
    embedder = load_model(model)
    rows = []
    for name in ("xquad.en", "xquad.de"):
        vault = scratch / name
        questions = question_vault(name, vault, scratch / "qa")
        label = name
        if not questions:
            shutil.copytree(SAMPLE_VAULT, vault)
            questions, label = sample_questions(), "sample-vault"
        every = max(1, len(questions) // QUICK_QUESTIONS) if quick else 1
        with indexed(vault, scratch / f"{name}-index", embedder) as ready:
            rows += _rows(label, vault, ready, embedder, questions[::every])
        if label == "sample-vault":
            break
    return rows


def _rows(
    label: str, vault: Path, ready: Indexed, embedder: Embedder, questions: Sequence[Question]
) -> list[Row]:
    searcher = Searcher(vault, ready.index, lambda: embedder)
    count = f"{len(questions)} questions"
    rows = []
    reference: tuple[float, float] | None = None
    for mode in MODES:
        ranks = [_rank(searcher.search(q.text, mode=mode, limit=10).results, q) for q in questions]
        recall = sum(rank is not None and rank <= 5 for rank in ranks) / len(ranks)
        mrr = sum(1 / rank for rank in ranks if rank is not None) / len(ranks)
        reference = reference or (recall, mrr)
        target = TARGETS.get(label) if mode == "hybrid" else None
        for figure, value, base, wanted in (
            ("recall@5", recall, reference[0], target and target[0]),
            ("MRR@10", mrr, reference[1], target and target[1]),
        ):
            rows.append(
                Row(
                    f"{label}, {mode}: {figure}",
                    round(value, 3),
                    count,
                    "text leg alone",
                    round(base, 3),
                    f">= {wanted}" if wanted else "",
                    value >= wanted if wanted else None,
                )
            )
    answerer = Answerer(searcher, lambda: embedder, None, embedder.profile)
    answers = [asyncio.run(answerer.ask(Asked(q.text))) for q in questions]
    first = sum(_holds(answer, q, 1) for answer, q in zip(answers, questions, strict=True)) / len(answers)
    both = sum(_holds(answer, q, 2) for answer, q in zip(answers, questions, strict=True)) / len(answers)
    refused = sum(not answer.found for answer in answers) / len(answers)
    rows.append(Row(f"{label}: first sentence holds the answer", round(first, 3), count))
    rows.append(Row(f"{label}: the quoted sentences hold the answer", round(both, 3), count))
    rows.append(Row(f"{label}: answerable, yet refused", round(refused, 3), count))
    return rows


def _rank(passages: Sequence[Passage], question: Question) -> int | None:
    for rank, passage in enumerate(passages, start=1):
        inside = passage.start_char <= question.start and question.end <= passage.end_char
        if passage.path == question.path and inside:
            return rank
    return None


def _holds(answer: Answer, question: Question, count: int) -> bool:
    return any(question.answer in sentence.text for sentence in answer.sentences[:count])
