"""How the cosines of a model are read, taken from probes where nobody has measured it on question sets.

A cosine has no scale of its own (D17): with one model strangers have .08, with another .79. What every
model has is two marks: the median of what does not belong together, and the median of what does. Each
threshold is a share of the way from the first to the second. The shares are chosen once, so that they come
near what was measured by hand for two unlike models (`tests/models/test_scoring.py` says how near).
Medians, because a set of probes is small and its ends are chance.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from pai_daemon.models.encoder.weights import Floats
from pai_daemon.models.probes import Probe
from pai_daemon.models.registry import Scoring

Embeds = Callable[[Sequence[str]], Floats]
# The way from strangers to a question's own sentence, and to a sentence in other words.
ANSWERS, SUPPORTS = 0.95, 0.7
# A share of the same way, as a margin.
OTHER_LANGUAGE = 0.25
# Of the questions in other languages, as a share of the English ones: enough find their own sentence.
SPEAKS = 0.6
SMALLEST_SCALE = 0.01


def measured(embed_queries: Embeds, embed_texts: Embeds, probes: Sequence[Probe]) -> Scoring:
    """Return how a model's cosines are read.

    embed_queries, embed_texts: texts to (texts, dimensions) float32 of length 1. probes: at least two, and
    for a model that speaks several languages some in other languages than English: where it does not find
    its way in these, only the English ones are measured.
    """
    questions = embed_queries([probe.question for probe in probes])
    # As `context/answering/quotes` writes a sentence: with the title before it.
    sentences = embed_texts([f"{probe.title}\n\n{probe.sentence}" for probe in probes])
    others = embed_texts([f"{probe.title}\n\n{probe.other}" for probe in probes])
    said = embed_texts([probe.sentence for probe in probes])
    again = embed_texts([probe.paraphrase for probe in probes])
    english = np.array([probe.language == "en" for probe in probes])
    speaks = _speaks(questions @ sentences.T, english)
    if not speaks and english.sum() > 1:
        questions, sentences, others, said, again = (
            rows[english] for rows in (questions, sentences, others, said, again)
        )
    strangers, own = _marks(questions, sentences, others)
    unrelated, same = _marks(again, said, said)
    way = own - strangers
    return Scoring(
        answer_threshold=round(strangers + ANSWERS * way, 3),
        # Of a model that tells nothing apart it is small, never none.
        scale=round(max(way, SMALLEST_SCALE), 3),
        # What a model only half understands has to be nearer; what it does, is less near across languages.
        other_language_margin=round((-OTHER_LANGUAGE if speaks else OTHER_LANGUAGE) * way, 3),
        support_threshold=round(unrelated + SUPPORTS * (same - unrelated), 3),
    )


def _speaks(cosines: Floats, english: np.ndarray) -> bool:
    """Return whether questions that are not English find their own sentence about as well as English ones.

    cosines: (probes, probes) of questions and sentences. False where there are no other languages.
    """
    if english.all():
        return False
    finds = cosines.argmax(axis=1) == np.arange(len(cosines))
    reference = float(finds[english].mean()) if english.any() else 1.0
    return bool(finds[~english].mean() >= SPEAKS * reference)


def _marks(queries: Floats, right: Floats, wrong: Floats) -> tuple[float, float]:
    """Return the median cosine of strangers, and of each query with its own text.

    All three: (probes, dimensions) float32; row by row they belong to one note.
    """
    apart = ~np.eye(len(queries), dtype=bool)
    cosines = np.concatenate([(queries @ texts.T)[apart] for texts in (right, wrong)])
    return float(np.median(cosines)), float(np.median((queries * right).sum(axis=1)))
