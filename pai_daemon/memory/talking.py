"""Orders in a conversation, done and told: what was kept or forgotten, where, and why not (D84).

Only the question that a person sends is read for an order: no note, no answer, no turn of before. What is
forgotten is one fact that the order names beyond doubt; otherwise the facts in question are told, and stay.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from pai_daemon.memory.intents import Intent, intent_of

# A fact is a sentence or two; what is longer was pasted, and belongs into a note.
MAX_CHARACTERS = 500
MOST_NAMED = 5
_WORDS = re.compile(r"\w+")
# Words that say nothing of which fact is meant.
_EMPTY = frozenset(
    {"i", "my", "me", "we", "our", "the", "a", "an", "is", "are", "am", "was", "that", "of", "in", "to", "it"}
    | {"ich", "mein", "meine", "mir", "wir", "unser", "unsere", "der", "die", "das", "ein", "eine", "ist"}
    | {"bin", "dass", "zu"}
)
Outcome = Literal["remembered", "known", "forgotten", "unclear", "nothing", "too_long", "refused"]
_SAID: dict[str, dict[Outcome, str]] = {
    "en": {
        "remembered": "Remembered: {text}",
        "known": "That is remembered already: {text}",
        "forgotten": "Forgotten: {text}",
        "unclear": "Several facts may be meant, and none was forgotten:",
        "nothing": "No fact says so; nothing was forgotten.",
        "too_long": f"Not remembered: a fact has at most {MAX_CHARACTERS} characters.",
        "refused": "Nothing was changed: this token does not open memory.",
    },
    "de": {
        "remembered": "Gemerkt: {text}",
        "known": "Das ist schon gemerkt: {text}",
        "forgotten": "Vergessen: {text}",
        "unclear": "Es können mehrere gemeint sein; vergessen wurde nichts:",
        "nothing": "Das steht in keiner Erinnerung; vergessen wurde nichts.",
        "too_long": f"Nicht gemerkt: Eine Erinnerung hat höchstens {MAX_CHARACTERS} Zeichen.",
        "refused": "Nichts wurde geändert: Dieses Token öffnet das Gedächtnis nicht.",
    },
}


class KnownFact(Protocol):
    """What of a fact is told. line: from 1."""

    @property
    def id(self) -> str: ...  # noqa: D102 - a protocol's values are said above
    @property
    def text(self) -> str: ...  # noqa: D102
    @property
    def path(self) -> str: ...  # noqa: D102
    @property
    def line(self) -> int: ...  # noqa: D102


class Keeper(Protocol):
    """What keeps facts."""

    def facts(self) -> Sequence[KnownFact]:
        """Return the facts that hold."""
        ...

    def keep(self, text: str, source: str) -> KnownFact:
        """Write a fact as it was said, and return it."""
        ...

    def drop(self, fact_id: str) -> None:
        """Forget a fact."""
        ...


@dataclass(frozen=True, slots=True)
class NamedFact:
    """A fact, and where it stands or stood. line: from 1."""

    id: str
    text: str
    path: str
    line: int


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of an order. facts: that were kept or forgotten; where it is unclear, that may be meant."""

    outcome: Outcome
    message: str
    facts: tuple[NamedFact, ...] = ()


def obey(question: str, keeper: Keeper, source: str, *, may_write: bool) -> Receipt | None:
    """Do what a question orders and return what became of it; None for a question that orders nothing.

    source: who asks, as it is written beside the fact. may_write: whether who asks may change memory.
    """
    if (intent := intent_of(question)) is None:
        return None
    language = intent.language
    if not may_write:
        return _receipt("refused", language)
    if intent.does == "forget":
        return _forget(intent, keeper, language)
    if len(intent.text) > MAX_CHARACTERS:
        return _receipt("too_long", language)
    said = _words(intent.text)
    if known := [fact for fact in keeper.facts() if _words(fact.text) == said]:
        return _receipt("known", language, known[:1])
    return _receipt("remembered", language, [keeper.keep(intent.text, source)])


def _forget(intent: Intent, keeper: Keeper, language: str) -> Receipt:
    facts, meant = keeper.facts(), _words(intent.text)
    exact = [fact for fact in facts if _words(fact.text) == meant]
    naming = set(meant) - _EMPTY
    likely = exact or [fact for fact in facts if naming and naming <= set(_words(fact.text))]
    if len(likely) != 1:
        return _receipt("unclear" if likely else "nothing", language, likely[:MOST_NAMED])
    receipt = _receipt("forgotten", language, likely)
    keeper.drop(likely[0].id)
    return receipt


def _receipt(outcome: Outcome, language: str, facts: Sequence[KnownFact] = ()) -> Receipt:
    named = tuple(NamedFact(fact.id, fact.text, fact.path, fact.line) for fact in facts)
    message = _SAID[language][outcome]
    if outcome == "unclear":
        message = "\n".join([message, *(f"- {fact.text} ({fact.id})" for fact in named)])
    elif named:
        message = message.format(text=named[0].text)
    return Receipt(outcome, message, named)


def _words(text: str) -> list[str]:
    words = _WORDS.findall(text.casefold())
    return words[1:] if words[:1] in (["that"], ["dass"]) else words
