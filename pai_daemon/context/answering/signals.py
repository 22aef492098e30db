"""What speaks for a text as the answer to a question, besides its meaning. Pure.

How much of what the question names the text names too, and whether it holds the kind of thing that is
asked for: an amount, a time, a name. On XQuAD the share of the question's words that a passage has tells
answerable questions from others better than any cosine (D53).
"""

from __future__ import annotations

import re
from typing import Literal

from pai_daemon.notes.language import is_stop_word

Kind = Literal["amount", "time", "name", ""]

# Inflected forms of a word mostly agree but for their last letters.
STEM_CHARACTERS = 5
ENDING_CHARACTERS = 3
# Words of a question that name nothing, besides the stop words of `notes.language`.
_WORDS_THAT_ASK = """
does did can could should would many much kind type name called after before during between than then
also by at in on an or but its their there has had were been being as about into over under only other
some such these those them he she we my our us
im am ans aus bei bis beim durch gegen ihr ihre ihrer ihren seine seiner sein seit um unter über vom vor
zum zur wem wen wessen wieviel viele viel welchem welchen welches hat hatte haben hatten war waren wäre
worden werden wurden kann konnte können konnten sollte nach zwischen während noch nur sehr so dass dem
des einer einem einen eines man es er sie wir ich an
"""
_ASKING = frozenset(_WORDS_THAT_ASK.split())
_WORD = re.compile(r"\w+")
_ASKS: tuple[tuple[Kind, re.Pattern[str]], ...] = (
    (
        "amount",
        re.compile(
            r"\b(?:how (?:many|much|long|old|far|high|tall|large|big|often)|what percent(?:age)?"
            r"|wie ?viele?|wie (?:lange|alt|hoch|weit|groß|oft)|prozentsatz)\b"
        ),
    ),
    (
        "time",
        re.compile(
            r"\b(?:when|(?:what|which) (?:year|date|century|decade|month|day)|wann|welche[mns]? "
            r"(?:jahr|datum|tag|monat|jahrhundert|jahrzehnt))\b"
        ),
    ),
    ("name", re.compile(r"\b(?:who|whom|whose|where|wer|wem|wen|wessen|wo|woher|wohin)\b")),
)
_AMOUNT = re.compile(
    r"\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|hundreds?|thousands?|millions?"
    r"|billions?|half|third|twice|ein|zwei|drei|vier|fünf|sechs|sieben|acht|neun|zehn|elf|zwölf|hundert"
    r"|tausend|million(?:en)?|milliarden?|hälfte|drittel|doppelt)\b",
    re.IGNORECASE,
)
_TIME = re.compile(
    r"\d{3,4}|\b\d{1,2}(?:th|st|nd|rd)\b|\b\d{1,2}[.:]|\b(?:january|february|march|april|may|june|july|august"
    r"|september|october|november|december|januar|februar|märz|mai|juni|juli|oktober|dezember|monday|tuesday"
    r"|wednesday|thursday|friday|saturday|sunday|montags?|dienstags?|mittwochs?|donnerstags?|freitags?"
    r"|samstags?|sonntags?|centur(?:y|ies)|jahrhunderts?|daily|weekly|monthly|yearly|täglich|wöchentlich"
    r"|monatlich|jährlich|every|jede[nrs]?|spring|summer|autumn|winter|frühling|sommer|herbst)\b",
    re.IGNORECASE,
)
_CAPITAL = re.compile(r"\b[^\W\d_a-zß-öø-ÿ]\w+")


class Signals:
    """What one question asks for. kind: "" where it is not said. but: a text whose words do not count."""

    def __init__(self, question: str, *, but: str = "") -> None:
        folded = question.casefold()
        self._stems = _stems(folded) - _stems(but.casefold())
        self.kind: Kind = next((kind for kind, asks in _ASKS if asks.search(folded)), "")

    def coverage(self, text: str) -> float:
        """Return the share of what the question names that a text names too; 1 where it names nothing."""
        if not self._stems:
            return 1.0
        folded = text.casefold()
        words = set(_WORD.findall(folded))
        named = sum(
            stem in folded if stem[0] >= "\u2e80" else any(word.startswith(stem) for word in words)
            for stem in self._stems
        )
        return named / len(self._stems)

    def fit(self, text: str) -> float:
        """Return 1 where a text holds what the question asks for, -1 where not, 0 where that is not known.

        A name that the question says itself is no answer to it.
        """
        if self.kind == "amount":
            return 1.0 if _AMOUNT.search(text) else -1.0
        if self.kind == "time":
            return 1.0 if _TIME.search(text) else -1.0
        if self.kind == "name":
            return 1.0 if any(self._is_new(name) for name in _CAPITAL.findall(text)) else -1.0
        return 0.0

    def _is_new(self, name: str) -> bool:
        folded = name.casefold()
        return not is_stop_word(folded) and _stem(folded) not in self._stems


def _stems(folded: str) -> set[str]:
    """Return what a question names: its words without their endings, and pairs of CJK characters."""
    stems = set()
    for word in _WORD.findall(folded):
        if word[0] >= "\u2e80":
            stems |= {word[start : start + 2] for start in range(max(1, len(word) - 1))}
        elif len(word) > 1 and not is_stop_word(word) and word not in _ASKING:
            stems.add(_stem(word))
    return stems


def _stem(word: str) -> str:
    return word[: max(STEM_CHARACTERS, len(word) - ENDING_CHARACTERS)]
