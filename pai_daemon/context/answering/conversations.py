"""What is remembered of conversations from one question to the next, in memory alone (D67).

Two things, both found again by what the client sends back: summaries of turns that have no room any more,
so that each is written once; and which passages an answer was written from, so that a follow-up on the same
ones begins like the prompt before and is not read again.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pai_daemon.context.answering.answer import Turn
from pai_daemon.context.answering.prompt import MARKER, cost_of, latest_turns, transcript
from pai_daemon.context.answering.templates import usable
from pai_daemon.context.passage import Passage
from pai_daemon.errors import GeneratorUnavailable
from pai_daemon.models.generation.generator import Endless, Generator, Message, Text, bounded

Value = TypeVar("Value")
# Of conversations that are open, and a few before.
MOST_KNOWN = 64
SUMMARY_TOKENS = 160
SUMMARY_CHARACTERS = 1_200
# More than this a small model does not read within the time.
READ_TOKENS = 1_200


@dataclass(frozen=True, slots=True)
class Said:
    """What was said before, as far as there is room: the older turns in a summary, the later as they are."""

    summary: str
    turns: tuple[Turn, ...]


class Conversations:
    """Summaries and passages of the latest conversations. For one event loop."""

    def __init__(self, own_templates: Path | None = None) -> None:
        """Remember nothing yet. own_templates: a folder of the person's prompts."""
        self._own_templates = own_templates
        self._summaries: OrderedDict[str, str] = OrderedDict()
        self._passages: OrderedDict[str, list[Passage]] = OrderedDict()

    async def fitted(
        self, history: Sequence[Turn], budget_tokens: int, generator: Generator, within_s: float
    ) -> Said:
        """Return what was said before within a budget; older turns are summed up. Never raises.

        Summed up is down to half of the budget, so that the next questions need no summary again. Where
        the generator does not manage within the time, what is too old is left out.
        """
        turns = latest_turns(history)
        summary, start = self._known(turns, generator)
        if cost_of(turns[start:]) <= budget_tokens:
            return Said(summary, tuple(turns[start:]))
        kept = latest_turns(turns[start:], budget_tokens // 2) or latest_turns(turns[start:], budget_tokens)
        end = len(turns) - len(kept)
        written = await self._summed_up(summary, turns[start:end], generator, within_s)
        # Also where nothing came of it: the same turns would not be read in time the next time either.
        summary = written or summary
        _keep(self._summaries, _key(turns[:end], generator), summary)
        return Said(summary, tuple(kept))

    def steady(self, passages: Sequence[Passage], history: Sequence[Turn]) -> list[Passage]:
        """Return passages, those first with which the prompt of the last answer began, in its order.

        Only as far as every one of them is found again: behind the first that is not, a server reads anew
        whatever the order is, and the best one comes first.
        """
        last = next((turn.content for turn in reversed(history) if turn.role == "assistant"), "")
        first: list[Passage] = []
        for before in self._passages.get(_said(last), ()):
            again = next((each for each in passages if _place(each) == _place(before)), None)
            if again is None:
                break
            first.append(again)
        return [*first, *(each for each in passages if each not in first)]

    def wrote(self, text: str, passages: Sequence[Passage]) -> None:
        """Remember from which passages an answer was written."""
        _keep(self._passages, _said(text), list(passages))

    def _known(self, turns: Sequence[Turn], generator: Generator) -> tuple[str, int]:
        """Return the latest summary of a beginning of a conversation, and how many turns it sums up."""
        for end in range(len(turns), 0, -2):
            if (found := self._summaries.get(_key(turns[:end], generator))) is not None:
                return found, end
        return "", 0

    async def _summed_up(
        self, summary: str, turns: Sequence[Turn], generator: Generator, within_s: float
    ) -> str:
        """Return a summary of a summary and the turns after it, "" where none could be had."""
        told = usable("summary", self._own_templates, [])
        before = f"Before that: {summary}\n" if summary else ""
        history = before + transcript(turns, READ_TOKENS)
        messages = [
            Message("system", told.fill("system")),
            Message("user", told.fill("user", history=history)),
        ]
        text = ""
        try:
            async with (
                asyncio.timeout(within_s),
                aclosing(bounded(generator, messages, SUMMARY_TOKENS)) as events,
            ):
                async for event in events:
                    text += event.text if isinstance(event, Text) else ""
        except (GeneratorUnavailable, Endless, TimeoutError):
            return ""  # the answer itself says what is wrong with the generator
        return " ".join(text.split())[:SUMMARY_CHARACTERS]


def _keep(known: OrderedDict[str, Value], key: str, value: Value) -> None:
    known[key] = value
    known.move_to_end(key)
    while len(known) > MOST_KNOWN:
        known.popitem(last=False)


def _digest(text: str) -> str:
    return hashlib.sha256(text.strip().encode("utf-8", "replace")).hexdigest()


def _said(text: str) -> str:
    """Return what tells an answer from any other; a program may leave its marks out, or number them anew."""
    return _digest(MARKER.sub("", text))


def _key(turns: Sequence[Turn], generator: Generator) -> str:
    """Return what tells the beginning of a conversation from any other, and who sums it up."""
    return _digest("\x1e".join([generator.name, *(f"{turn.role}\x1f{turn.content}" for turn in turns)]))


def _place(passage: Passage) -> tuple[str, int, str]:
    return passage.path, passage.start_char, passage.text
