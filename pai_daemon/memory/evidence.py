"""Whether a fact answers a question, or is only the nearest there is. Pure (D99).

No cosine tells "Which editor do I use?" and "I write in Helix." from "What is my favourite colour?" and "My
blood type is A". Who asks helps: memory holds facts of the person, so a question that says `I` or `my` is
likelier to be answered from it, as is one whose kind of answer, a time or a name, the fact has. Common words
tell nothing more.
The weights are fitted to the tuning half of `recall_questions.json` and to `recall_more.json`.
"""

from __future__ import annotations

import re
from typing import Literal

from pai_daemon.context.answering.signals import Signals
from pai_daemon.memory.asking import language_of
from pai_daemon.models.registry import Scoring

# The log odds that memory answers: by a fact's cosine on the model's scale, who asks, and the kind.
_COSINE, _PERSONAL, _FIT, _BASE = 3.7, 1.2, 0.8, -0.5
# Below the first a memory says nothing of it. From the second on a fact may be quoted where no note answers,
# from the third on it does answer.
FITS, MAY, DOES = 0.0, 1.7, 2.8
Answers = Literal["surely", "maybe", "unknown"]
_OF_MYSELF = re.compile(
    r"\b(?:i|i['’]m|i['’]ve|me|my|mine|we|us|our|ours|ich|mich|mir|meine?[mnrs]?|wir|uns|unsere?[mnrs]?)\b",
    re.IGNORECASE,
)


class Evidence:
    """What one question asks for."""

    def __init__(self, question: str, scoring: Scoring) -> None:
        self._signals = Signals(question)
        self._scoring = scoring
        self._language = language_of(question)
        self.is_of_myself = _OF_MYSELF.search(question) is not None

    def of(self, text: str, cosine: float) -> float:
        """Return the log odds that a fact answers. text: its words."""
        told = language_of(text)
        apart = bool(self._language and told and told != self._language)
        level = self._scoring.answer_threshold + self._scoring.other_language_margin * apart
        return (
            _BASE
            + _COSINE * (cosine - level) / self._scoring.scale
            + _PERSONAL * self.is_of_myself
            + _FIT * self._signals.fit(text)
        )

    def answers(self, text: str, odds: float) -> Answers:
        """Return whether a fact does, or may: then it is of the person, and of the kind that is asked for."""
        if odds >= DOES:
            return "surely"
        may = odds >= MAY and self.is_of_myself and self._signals.fit(text) >= 0
        return "maybe" if may else "unknown"
