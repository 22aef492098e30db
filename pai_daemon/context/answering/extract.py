"""Chooses what to quote as an answer, or that the notes do not say.

Words choose a handful of sentences, meaning puts these in order, and both together decide whether the best
one answers: the fewer of the question's words a passage has, the nearer its sentence must be. To embed all
forty sentences of six passages would take eight times as long, and finds no more (D53).
The weights are fitted on the tuning half of `scripts/bench answers`; a cosine counts by the model's own
scale, see `Scoring`.
"""

from __future__ import annotations

from collections.abc import Sequence

from pai_daemon.context.answering.quotes import Quote
from pai_daemon.context.space import EmbeddingModel
from pai_daemon.models.registry import Scoring

# So many sentences are embedded at most, and none whose words speak for it so much less than for the best;
# more across languages, where words say little. Of three, XQuAD's answers hold the fact as often as of six.
CANDIDATES, CANDIDATES_ACROSS = 3, 6
_FAR = 3.0
QUOTED = 2
ENOUGH_WORDS = 0.5
# Of a sentence before meaning is asked: its passage's score and coverage, its own coverage, its fit.
_WORD_WEIGHTS = (5.9, 2.7, 6.9, 1.15)
# The same once its meaning is known, and the weight of that.
_WEIGHTS = (3.7, 2.8, 2.9, 0.88)
_MEANING_WEIGHT = 3.75
# How much worse than the best a second sentence may be: of the same passage, and of another one.
_SECOND, _SECOND_ELSEWHERE = 6.0, 1.5
# How near a sentence must be, on the model's scale: so far above its threshold where the passage has none
# of the question's words, and so much less where it has all.
_BAR, _BAR_COVERED = 1.06, 1.65


def closest(question: str, candidates: Sequence[Quote], embedder: EmbeddingModel) -> list[Quote]:
    """Return what answers the question, best first; none where nothing does.

    candidates: in the order of their passages. Raises ModelUnavailable, Overloaded.
    """
    if not candidates:
        return []
    told = sorted(
        ((_weighed(quote, _WORD_WEIGHTS), quote) for quote in candidates), key=lambda pair: -pair[0]
    )
    best_score, best = told[0]
    most = CANDIDATES_ACROSS if best.other_language else CANDIDATES
    likely = [quote for score, quote in told[:most] if score >= best_score - _FAR]
    query = embedder.embed_query(question)
    cosines = embedder.embed_texts([quote.in_context for quote in likely], urgent=True) @ query
    scored = [
        (_weighed(quote, _WEIGHTS) + _MEANING_WEIGHT * _on_scale(cosine, embedder.scoring), quote, cosine)
        for quote, cosine in zip(likely, map(float, cosines), strict=True)
    ]
    scored.sort(key=lambda found: -found[0])
    top_score, top, cosine = scored[0]
    if cosine < bar(top, embedder.scoring):
        return []
    chosen = [top]
    for score, quote, _ in scored[1:]:
        allowed = _SECOND if quote.n == top.n else _SECOND_ELSEWHERE
        said = any(quote.text in other.text or other.text in quote.text for other in chosen)
        # Of a table it is one row that answers, unless another one has as much of what is asked.
        lesser = quote.is_row and quote.own_coverage < max(each.own_coverage for each in chosen)
        if len(chosen) < QUOTED and top_score - score <= allowed and not (said or lesser):
            chosen.append(quote)
    return chosen


def by_words(candidates: Sequence[Quote]) -> list[Quote]:
    """Return a sentence of a passage with half of the question's words, where no model can choose one."""
    likely = [quote for quote in candidates if quote.coverage >= ENOUGH_WORDS]
    return sorted(likely, key=lambda quote: -_weighed(quote, _WORD_WEIGHTS))[:1]


def bar(quote: Quote, scoring: Scoring) -> float:
    """Return the cosine of question and quote below which the quote does not answer.

    Across languages words say nothing.
    """
    if quote.other_language:
        return scoring.answer_threshold + scoring.other_language_margin
    needed = _BAR - _BAR_COVERED * quote.coverage
    return scoring.answer_threshold + needed * scoring.scale


def _on_scale(cosine: float, scoring: Scoring) -> float:
    """Return a cosine as a share of the model's scale, from its threshold."""
    return (cosine - scoring.answer_threshold) / scoring.scale


def _weighed(quote: Quote, weights: tuple[float, float, float, float]) -> float:
    parts = (quote.score, quote.coverage, quote.own_coverage, quote.fit)
    return sum(weight * part for weight, part in zip(weights, parts, strict=True))
