"""What of a passage may be quoted, each whole: sentences, lead-ins with their list, rows of tables. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pai_daemon.context.answering.answer import Citation
from pai_daemon.context.answering.signals import Signals
from pai_daemon.context.answering.tables import row_text, rows
from pai_daemon.notes.language import known_language
from pai_daemon.notes.plain import Sentence, sentences

MIN_CHARACTERS = 12
# A lead-in takes along the items it announces, up to this length.
MAX_CHARACTERS = 300
SURE_VOTES = 2.0
_NUMBER = re.compile(r"^\d+[.)]\s+")
_POINTER = re.compile(r"(?:see|siehe|vgl\.?|for (?:more|further)|weitere infos?)\b", re.IGNORECASE)
_ENDS = re.compile(r"[.!?…。！？;)\]\"'»“”’|]$")
# A fence that is not closed in its passage runs to the passage's end.
_FENCED = re.compile(r"^[ \t>]*(`{3,}|~{3,}).*?(?:^[ \t>]*\1|\Z)", re.MULTILINE | re.DOTALL)
_ITEM = re.compile(r"([ \t>]*)(?:[-*+]|\d+[.)])[ \t]")


@dataclass(frozen=True, slots=True)
class Quote:
    """A piece of passage `n`. in_context: with title and headings before it, as it is embedded.

    coverage: of what the question names, the share that the passage names; own_coverage: that the text
    names itself. fit: whether the text holds the kind of thing that is asked for, see `Signals`. score: of
    the passage. other_language: the passage is in another language than the question. is_row: of a table.
    """

    n: int
    text: str
    in_context: str
    coverage: float
    own_coverage: float
    fit: float
    score: float
    other_language: bool
    is_row: bool = False


def quotes(question: str, citations: Sequence[Citation], language: str) -> list[Quote]:
    """Return what may be quoted, in the order of the passages: no headings, questions or repeats.

    The question itself is left out too: it may stand in the note that it is asked from.
    """
    asked, signals = _words(question), Signals(question)
    found: dict[str, Quote] = {}
    for citation in citations:
        passage = citation.passage
        coverage = signals.coverage(f"{passage.trail}\n{passage.text}")
        spoken = known_language(passage.text, least_votes=SURE_VOTES)
        other_language = spoken not in (None, known_language(question))
        texts = [(text, False) for text in quotable(passage.text, language)]
        for first, cells in rows(passage.text):
            texts.append(
                (row_text(first, cells, MAX_CHARACTERS, lambda part: signals.coverage(part) > 0), True)
            )
        for text, is_row in texts:
            words = _words(text)
            told = words in asked or asked in words or words in _words(passage.trail)
            if words and not told and len(text) >= MIN_CHARACTERS and not text.endswith(("?", "？")):
                quote = Quote(
                    n=citation.n,
                    text=text,
                    in_context=f"{passage.trail}\n\n{text}",
                    coverage=coverage,
                    own_coverage=signals.coverage(text),
                    fit=signals.fit(text),
                    score=passage.score,
                    other_language=other_language,
                    is_row=is_row,
                )
                found.setdefault(words, quote)
    return list(found.values())


def quotable(markdown: str, language: str) -> Iterator[str]:
    """Yield the sentences of a text; one that only announces a list comes with the list's first items.

    Lines of code and of tables are no sentences, and neither is what only points elsewhere.
    """
    code = [match.span() for match in _FENCED.finditer(markdown)]
    found = [
        sentence
        for sentence in sentences(markdown, language)
        if not any(start <= sentence.start < end for start, end in code)
        and not _is_row(markdown, sentence.start)
    ]
    for number, sentence in enumerate(found):
        text = sentence.text.strip()
        if not _ENDS.search(text):
            text = _with_items(text, _depth(markdown, sentence.start), markdown, found[number + 1 :])
        text = _NUMBER.sub("", text)
        if not text.endswith((":", "：")) and not _POINTER.match(text):
            yield text


def _is_row(markdown: str, start: int) -> bool:
    """Return whether a place is in a row of a table: without its header, as in `rows`, it says nothing."""
    line_start = markdown.rfind("\n", 0, start) + 1
    return markdown[line_start : start + 1].lstrip(" \t>").startswith("|")


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
