"""What a person might want remembered of what they said in conversations: proposals, and nothing more. Pure.

Only the person's own turns are read, never an answer, and of these only plain statements about themselves in
the first person. A model may choose among the sentences of these turns, and cannot add a word to them.
Nothing becomes a fact before the person accepts it, one at a time (D84).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from pai_daemon.memory.intents import intent_of
from pai_daemon.memory.threads import Thread
from pai_daemon.notes.language import guess_language
from pai_daemon.notes.plain import plain_text, sentences

MOST_CHARACTERS = 200
MOST = 50
# Each says something that is likely to hold longer than a day.
_LASTING = re.compile(
    r"(?:I\s+(?:am|use|prefer|live|work|write|like|love|hate|drink|eat|speak|own|have|moved|study|play|drive)\b"
    r"|I['’]m\s|My\s+[\w'’ -]{2,40}?\s(?:is|are|was\s+born)\b"
    r"|Ich\s+(?:bin|benutze|verwende|bevorzuge|wohne|arbeite|schreibe|mag|liebe|hasse|trinke|esse|spreche|habe"
    r"|heiße|fahre|spiele|studiere)\b"
    r"|Meine?\s+[\w -]{2,40}?\s(?:ist|sind|heißt|heißen|wohnt)\b)",
    re.IGNORECASE,
)
# It passes, or asks for something.
_PASSING = re.compile(
    r"\b(?:today|tomorrow|yesterday|now|currently|just|looking\s+for|trying|going\s+to|wondering|sure|afraid"
    r"|sorry|asking|heute|morgen|gestern|gerade|jetzt|eben|suche|frage\s+mich|sicher)\b"
    r"|\bI\s+have\s+(?:to|a\s+question)\b|\bIch\s+habe\s+eine\s+Frage\b",
    re.IGNORECASE,
)
_MARKUP = re.compile(r"\^m-|\[\w+::|<!--|%%|```|\]\(|://")
_WORDS = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Proposal:
    """A sentence that a person may accept as a fact.

    id: the same for the same words. said: the day. client: the program that it was said to.
    """

    id: str
    text: str
    path: str
    said: str
    client: str = ""


def proposal_id(text: str) -> str:
    """Return what a sentence is known by, however its letters and marks are written."""
    return hashlib.sha256(" ".join(_WORDS.findall(text.casefold())).encode()).hexdigest()[:12]


def proposals(threads: Iterable[tuple[str, Thread]], known: Collection[str]) -> list[Proposal]:
    """Return what might be remembered, in the order in which it was said, each sentence once.

    threads: by the path of their notes. known: the ids of what was accepted, declined or is a fact already.
    """
    found: dict[str, Proposal] = {}
    for path, thread in threads:
        for turn in thread.turns:
            if turn.role != "user" or intent_of(turn.text) is not None:
                continue  # what was ordered was done, or refused, then
            for text in statements(turn.text):
                each = Proposal(proposal_id(text), text, path, f"{turn.at:%Y-%m-%d}", thread.client)
                if each.id not in known:
                    found.setdefault(each.id, each)
    return list(found.values())[:MOST]


def statements(text: str) -> Iterator[str]:
    """Yield the sentences of a turn in which a person says something lasting of themselves.

    Lines that are quoted, indented as code, of a list or a table, and whatever has markup, were pasted.
    """
    lines = (line for line in text.splitlines() if line.strip())
    own = "\n".join(line for line in lines if not re.match(r"[ \t]*[>|#*+-]|[ ]{4}|\t", line))
    for sentence in sentences(own, guess_language(own)):
        said = " ".join(plain_text(sentence.text).split())
        if (
            _LASTING.match(said)
            and not _PASSING.search(said)
            and not said.endswith(("?", "？", ":"))
            and not _MARKUP.search(own)
            and len(said) <= MOST_CHARACTERS
        ):
            yield said


def chosen_by(written: str, offered: Sequence[Proposal]) -> list[Proposal]:
    """Return the proposals whose numbers, from 1, a model's text names; whatever else it says is nothing."""
    numbers = {int(number) for number in re.findall(r"(?<!\d)\d{1,3}(?!\d)", written)}
    return [each for number, each in enumerate(offered, start=1) if number in numbers]
