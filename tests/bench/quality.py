"""Whether the right passage comes first, and whether the answer holds the fact.

Sets: XQuAD in English and German (48 articles, 240 paragraphs, 1,190 questions each), and the
German questions on the English notes. A passage counts when it holds the answer's place in the
note. Old Wikipedia text, so the figures compare settings and are not absolute.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from pai_daemon.context.answer import Answer
from pai_daemon.context.answer import Question as Asked
from pai_daemon.context.answers import Answerer
from pai_daemon.context.search import Mode, Passage, Searcher
from pai_daemon.models.embedder import Embedder
from tests.bench.bench import indexed, load_model
from tests.bench.data import SAMPLE_VAULT, Question, question_vault, sample_questions
from tests.bench.report import Row

QUICK_QUESTIONS = 40
MODES: tuple[Mode, ...] = ("text", "semantic", "hybrid")
# Measured beforehand with one chunk a paragraph and a stemmed word leg: what the model can do.
TARGETS = {"xquad.de": (0.986, 0.958)}


def run(scratch: Path, *, quick: bool, model: str) -> list[Row]:
    """Return recall@5 and MRR@10 a leg, and how often the answer holds the fact."""
    embedder = load_model(model)
    rows: list[Row] = []
    asked: dict[str, list[Question]] = {}
    for name in ("xquad.de", "xquad.en"):
        vault = scratch / name
        questions = question_vault(name, vault, scratch / f"{name}-qa")
        label = name
        if not questions:
            shutil.copytree(SAMPLE_VAULT, vault)
            questions, label = sample_questions(), "sample-vault"
        asked[label] = questions[:: max(1, len(questions) // QUICK_QUESTIONS) if quick else 1]
        with indexed(vault, scratch / f"{name}-index", embedder) as ready:
            searcher = Searcher(vault, ready.index)
            rows += _search_rows(label, searcher, asked[label])
            rows += _answer_rows(label, Answerer(searcher), asked[label])
            if label == "xquad.en":
                # The sets hold the same questions in the same order.
                pairs = zip(asked["xquad.en"], asked["xquad.de"], strict=True)
                crossed = [replace(english, text=german.text) for english, german in pairs]
                rows += _search_rows("xquad, German question on English notes", searcher, crossed)
        if label == "sample-vault":
            break
        rows.append(_missing_row(label, vault, scratch / f"{name}-half", embedder, asked[label]))
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


def _search_rows(label: str, searcher: Searcher, questions: Sequence[Question]) -> list[Row]:
    count = f"{len(questions)} questions"
    rows = []
    reference: tuple[float, float] | None = None
    for mode in MODES:
        ranks = [_rank(searcher.search(q.text, mode=mode, limit=10).results, q) for q in questions]
        recall = sum(rank is not None and rank <= 5 for rank in ranks) / len(ranks)
        mrr = sum(1 / rank for rank in ranks if rank is not None) / len(ranks)
        reference = reference or (recall, mrr)
        targets = TARGETS.get(label, (None, None)) if mode == "hybrid" else (None, None)
        for figure, value, base, target in zip(
            ("recall@5", "MRR@10"), (recall, mrr), reference, targets, strict=True
        ):
            rows.append(
                Row(
                    f"{label}, {mode}: {figure}",
                    round(value, 3),
                    count,
                    "text leg alone",
                    round(base, 3),
                    f">= {target}" if target else "",
                    round(value, 3) >= target if target else None,
                )
            )
    return rows


def _answer_rows(label: str, answerer: Answerer, questions: Sequence[Question]) -> list[Row]:
    count = f"{len(questions)} questions"
    pairs = [(asyncio.run(answerer.ask(Asked(q.text))), q) for q in questions]
    shares = {
        "first sentence holds the answer": [_holds(answer, q, 1) for answer, q in pairs],
        "the quoted sentences hold the answer": [_holds(answer, q, 2) for answer, q in pairs],
        "answerable, yet refused": [not answer.found for answer, _ in pairs],
    }
    return [Row(f"{label}: {what}", round(sum(held) / len(held), 3), count) for what, held in shares.items()]


def _rank(passages: Sequence[Passage], question: Question) -> int | None:
    for rank, passage in enumerate(passages, start=1):
        inside = passage.start_char <= question.start and question.end <= passage.end_char
        if passage.path == question.path and inside:
            return rank
    return None


def _holds(answer: Answer, question: Question, count: int) -> bool:
    return any(question.answer in sentence.text for sentence in answer.sentences[:count])
