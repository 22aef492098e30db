"""What of a passage may be quoted as an answer: whole sentences, and lead-ins with their list. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pai_daemon.context.answer import Citation
from pai_daemon.notes.plain import Sentence, sentences

MIN_CHARACTERS = 12
# A lead-in takes along the items it announces, up to this length.
MAX_CHARACTERS = 300
_ENDS = re.compile(r"[.!?…。！？;)\]\"'»“”’|]$")
# A fence that is not closed in its passage runs to the passage's end.
_FENCED = re.compile(r"^[ \t>]*(`{3,}|~{3,}).*?(?:^[ \t>]*\1|\Z)", re.MULTILINE | re.DOTALL)
_ITEM = re.compile(r"([ \t>]*)(?:[-*+]|\d+[.)])[ \t]")


@dataclass(frozen=True, slots=True)
class Quote:
    """A piece of passage `n`. in_context: with title and headings before it, as it is embedded.

    nearness: the cosine of question and passage, 0 where it is not known.
    """

    n: int
    text: str
    in_context: str
    nearness: float


def quotes(question: str, citations: Sequence[Citation], language: str) -> list[Quote]:
    """Return what may be quoted, in the order of the passages: no headings, no questions, no repeats.

    The question itself is left out too: it may stand in the note that it is asked from.
    """
    asked = _words(question)
    found: dict[str, Quote] = {}
    for citation in citations:
        passage = citation.passage
        for text in quotable(passage.text, language):
            words = _words(text)
            told = words in asked or asked in words or words in _words(passage.trail)
            if words and not told and len(text) >= MIN_CHARACTERS and not text.endswith(("?", "？")):
                nearness = passage.scores.semantic or 0.0
                found.setdefault(words, Quote(citation.n, text, f"{passage.trail}\n\n{text}", nearness))
    return list(found.values())


def quotable(markdown: str, language: str) -> Iterator[str]:
    """Yield the sentences of a text; one that only announces a list comes with the list's first items.

    Lines of code are no sentences.
    """
    code = [match.span() for match in _FENCED.finditer(markdown)]
    found = [
        sentence
        for sentence in sentences(markdown, language)
        if not any(start <= sentence.start < end for start, end in code)
    ]
    for number, sentence in enumerate(found):
        text = sentence.text.strip()
        if not _ENDS.search(text):
            text = _with_items(text, _depth(markdown, sentence.start), markdown, found[number + 1 :])
        yield text


def _with_items(text: str, depth: int, markdown: str, following: Sequence[Sentence]) -> str:
    """Return a lead-in with the deeper list items that come right after it."""
    joint = " "
    for sentence in following:
        item = sentence.text.strip()
        if _depth(markdown, sentence.start) <= depth or len(text) + len(item) > MAX_CHARACTERS:
            break
        text += joint + item
        joint = " " if _ENDS.search(item) else "; "
    return text


def _depth(markdown: str, start: int) -> int:
    """Return how far the list item at a place is indented, in columns; -1 where there is none."""
    line_start = markdown.rfind("\n", 0, start) + 1
    match = _ITEM.match(markdown, line_start)
    if match is None or match.end() < start - 6:
        return -1
    return len(match.group(1).expandtabs(4))


def _words(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.casefold()))
