"""What a person asks of their memory in a question's own words: "remember that …", "forget …". Pure.

Only the beginning of a question counts, and only where all of it is that order: a sentence further on may be
quoted or pasted from anywhere, and "Do you remember …?" is a question. What is to be kept is taken as it was
written, in one line. Whether the one who asks may have it done is not this module's matter (D84).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

_PLEASE = r"(?:(?:please|bitte|pai)[,!:]?\s+)?"
# Each with what must follow, so that "remember to" and "remember when" order nothing. German keeps its
# "dass": without it the words of the clause would stand in the wrong order.
_REMEMBER = (
    r"(?:remember|memori[sz]e|keep\s+in\s+mind)(?:\s*,)?\s+that\s+",
    r"(?:remember|memori[sz]e)(?:\s+this|\s+the\s+following|\s+for\s+me)?\s*:\s*",
    r"(?:remember|memori[sz]e)(?:\s+for\s+me)?\s*,?\s+(?=(?:I|I['’]m|I['’]ve|my|we|our)\s)",
    r"(?:merke?|merkt|notiere?)\s+(?:dir|euch)(?:\s+bitte)?(?:\s+Folgendes)?\s*[:,]\s*",
    r"(?:merke?|merkt)\s+(?:dir|euch)(?:\s+bitte)?\s+(?=(?:ich|mein\w*|wir|unser\w*|dass)\s)",
    r"merken\s+Sie\s+sich(?:\s+bitte)?\s*[:,]\s*",
    r"(?:retiens|souviens-toi)\s+que\s+",
    r"recuerda\s+que\s+",
    r"ricorda(?:ti)?\s+che\s+",
    r"onthoud\s+dat\s+",
    r"lembr[ae](?:-[st]e)?\s+(?:de\s+)?que\s+",
)
_FORGET = (
    r"forget\s+(?:the\s+fact\s+)?that\s+",
    r"forget(?:\s+this)?\s*:\s*",
    r"forget\s+(?:about\s+)?(?=(?:my|our)\s)",
    r"vergiss(?:\s+bitte)?\s*[,:]\s*(?:dass\s+)?",
    r"vergiss(?:\s+bitte)?\s+(?:dass\s+|(?=(?:mein\w*|unser\w*)\s))",
    r"vergessen\s+Sie(?:\s+bitte)?\s*,\s*dass\s+",
    r"oublie\s+que\s+",
    r"olvida\s+que\s+",
    r"dimentica\s+che\s+",
    r"vergeet\s+dat\s+",
    r"esque[cç][ae]\s+(?:de\s+)?que\s+",
)
_BEGINNINGS: tuple[tuple[Literal["remember", "forget"], re.Pattern[str]], ...] = (
    ("remember", re.compile(rf"\s*{_PLEASE}(?:{'|'.join(_REMEMBER)})", re.IGNORECASE)),
    ("forget", re.compile(rf"\s*{_PLEASE}(?:{'|'.join(_FORGET)})", re.IGNORECASE)),
)
_GERMAN = re.compile(r"\b(?:merk|notiere?\b|vergiss|vergessen)", re.IGNORECASE)
_QUOTE_MARKS = '"“”„«»'
_BLANKS = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Intent:
    """What is to be done with a text. text: the person's own words, in one line. language: of the order."""

    does: Literal["remember", "forget"]
    text: str
    language: Literal["en", "de"] = "en"


def intent_of(question: str) -> Intent | None:
    """Return what a question orders, None for one that asks."""
    for does, beginning in _BEGINNINGS:
        if (match := beginning.match(question)) is None:
            continue
        text = _BLANKS.sub(" ", question[match.end() :]).strip()
        if not text.strip(_QUOTE_MARKS + ".!: ") or text.endswith(("?", "？")):
            return None
        return Intent(does, text, "de" if _GERMAN.search(match[0]) else "en")
    return None
