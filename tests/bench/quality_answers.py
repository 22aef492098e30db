"""Whether the first sentences of an answer hold the fact, and whether a question without one is refused.

XQuAD in English and in German, each in a vault of its own: 48 articles, 240 paragraphs, 1,190 questions.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Sequence
from pathlib import Path

from pai_daemon.context.answering.answer import Answer
from pai_daemon.context.answering.answer import Question as Asked
from pai_daemon.context.answering.answers import Answerer
from pai_daemon.context.search import Searcher
from pai_daemon.models.embedder import Embedder
from tests.bench.bench import indexed
from tests.bench.data import Question, question_vault
from tests.bench.report import Row


def answer_rows(scratch: Path, embedder: Embedder) -> list[Row]:
    """Return how often an answer holds the fact, is refused, or is given although its article is gone."""
    rows: list[Row] = []
    for name in ("xquad.de", "xquad.en"):
        vault = scratch / name
        questions = question_vault(name, vault, scratch / f"{name}-qa")
        with indexed(vault, scratch / f"{name}-index", embedder) as ready:
            rows += _answer_rows(name, Answerer(Searcher(vault, ready.index)), questions)
        rows.append(_missing_row(name, vault, scratch / f"{name}-half", embedder, questions))
    return rows


def _missing_row(
    label: str, vault: Path, scratch: Path, embedder: Embedder, questions: Sequence[Question]
) -> Row:
    """Return how many questions are answered although their article is not in the vault."""
    half = scratch / "vault"
    half.mkdir(parents=True)
    for note in sorted(vault.glob("*.md"))[::2]:
        shutil.copy(note, half)
    missing = [question for question in questions if not (half / question.path).exists()]
    with indexed(half, scratch / "index", embedder) as ready:
        searcher = Searcher(half, ready.index)
        answerer = Answerer(searcher)
        answered = [asyncio.run(answerer.ask(Asked(question.text))).found for question in missing]
    share = round(sum(answered) / len(answered), 3)
    return Row(f"{label}: article missing, yet answered", share, f"{len(missing)} questions")


def _answer_rows(label: str, answerer: Answerer, questions: Sequence[Question]) -> list[Row]:
    count = f"{len(questions)} questions"
    pairs = [(asyncio.run(answerer.ask(Asked(q.text))), q) for q in questions]
    shares = {
        "first sentence holds the answer": [_holds(answer, q, 1) for answer, q in pairs],
        "the quoted sentences hold the answer": [_holds(answer, q, 2) for answer, q in pairs],
        "answerable, yet refused": [not answer.found for answer, _ in pairs],
    }
    return [Row(f"{label}: {what}", round(sum(held) / len(held), 3), count) for what, held in shares.items()]


def _holds(answer: Answer, question: Question, count: int) -> bool:
    return any(question.answer in sentence.text for sentence in answer.sentences[:count])
