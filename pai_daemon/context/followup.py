"""Makes a follow-up question stand alone: "And her sister?" finds nothing by itself.

A generator rewrites it where one is there and quick; else the words of the question before are added.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from contextlib import aclosing
from pathlib import Path

from pai_daemon.context.answer import Turn
from pai_daemon.context.prompt import transcript
from pai_daemon.context.templates import template
from pai_daemon.errors import GeneratorUnavailable
from pai_daemon.models.generation.generator import Endless, Generator, Message, Text, bounded
from pai_daemon.notes.language import is_stop_word

# Longer, and the person waits for a search that words alone would have begun.
REWRITE_S = 8.0
REWRITE_TOKENS = 80
HISTORY_TOKENS = 600
LONGEST_CHARACTERS = 400
# A question with more words of its own than this names what it is about.
FEW_WORDS = 1
_WORD = re.compile(r"\w[\w'’-]*")
_POINTS_BACK = frozenset(
    _WORD.findall(
        "he she it they him her them his hers its their theirs this that these those there then "
        "er sie ihn ihm ihr ihnen sein seine seiner ihre ihrer ihren dies diese dieser dieses dort damit "
        "dazu il elle lui eux leur celui celle cela ça él ella ellos ellas eso esa esto lei loro quello "
        "quella questo ele ela eles elas isso esse essa hij zij hem haar hun"
    )
)
_BEGINS_ON = re.compile(
    r"(?:and|und|what about|how about|was ist mit|wie steht es|et|y|also|but|or|oder|aber)\b", re.IGNORECASE
)


def points_back(question: str) -> bool:
    """Return whether a question seems to need what was said before it."""
    words = [word.casefold() for word in _WORD.findall(question)]
    own = [word for word in words if not is_stop_word(word) and word not in _POINTS_BACK]
    return bool(_BEGINS_ON.match(question.strip())) or len(own) <= FEW_WORDS or bool(_POINTS_BACK & {*words})


def with_words_before(question: str, history: Sequence[Turn]) -> str:
    """Return a question with the naming words of the one before; one that stands alone, as it is."""
    before = next((turn.content for turn in reversed(history) if turn.role == "user"), "")
    if not before or not points_back(question):
        return question
    here = {word.casefold() for word in _WORD.findall(question)}
    named = dict.fromkeys(
        word
        for word in _WORD.findall(before)
        if len(word) > 2 and not is_stop_word(word.casefold()) and word.casefold() not in here | _POINTS_BACK
    )
    return f"{question} ({' '.join(named)})"[:LONGEST_CHARACTERS] if named else question


async def standing_alone(
    question: str,
    history: Sequence[Turn],
    generator: Generator | None,
    own_templates: Path | None = None,
    *,
    within_s: float = REWRITE_S,
) -> str:
    """Return a question that can be searched for by itself; without a history, as it is. Never raises."""
    if not any(turn.role == "user" for turn in history):
        return question
    if generator is not None and points_back(question):
        try:
            async with asyncio.timeout(within_s):
                if written := await _rewritten(question, history, generator, own_templates):
                    return written
        except (GeneratorUnavailable, Endless, TimeoutError):
            pass  # the answer itself says what is wrong with the generator
    return with_words_before(question, history)


async def _rewritten(
    question: str, history: Sequence[Turn], generator: Generator, own_templates: Path | None
) -> str:
    """Return what a generator makes of it, "" where that is no question that could be searched for."""
    asked = template("followup", own_templates)
    messages = [
        Message("system", asked.fill("system")),
        Message("user", asked.fill("user", history=transcript(history, HISTORY_TOKENS), question=question)),
    ]
    text = ""
    async with aclosing(bounded(generator, messages, REWRITE_TOKENS)) as events:
        async for event in events:
            text += event.text if isinstance(event, Text) else ""
    lines = [line.strip(" \"'“”„`*") for line in text.strip().splitlines() if line.strip()]
    return lines[0] if len(lines) == 1 and 3 <= len(lines[0]) <= LONGEST_CHARACTERS else ""
