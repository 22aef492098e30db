"""What an answer that is only text says at its end: its sources, and what must be said of it (D11). Pure.

A program that shows no annotations shows this. It comes back as part of a conversation and is taken off
again: it is nothing that was said.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from pai_daemon.context.answering.answer import Answer, Citation
from pai_daemon.context.answering.screen import Screen

RULE = "\n\n---\n"
SOURCES, NEAREST, READ_AS, UNSUPPORTED, NOTE = (
    "Sources:",
    "The nearest notes:",
    "Read as:",
    "No passage supports:",
    "Note:",
)
_TAIL = re.compile(rf"{RULE}(?:{'|'.join(map(re.escape, (SOURCES, NEAREST, READ_AS, UNSUPPORTED, NOTE)))})")


def tail(answer: Answer, number: Callable[[Citation], int]) -> str:
    """Return what follows the text of an answer, "" where there is nothing to say.

    number: of a passage, as the text has it; of those with one number the first is named.
    """
    cited: dict[int, Citation] = {}
    for citation in answer.citations:
        cited.setdefault(number(citation), citation)
    marked = [(f"[{place}] ", cited[place]) for place in sorted(cited)]
    parts = [
        *_places(SOURCES, marked),
        *_places(NEAREST, [("", citation) for citation in answer.nearest]),
    ]
    if answer.narrowed:
        parts.append(f"{READ_AS} {', '.join(answer.narrowed)}")
    parts += [f"{UNSUPPORTED} {each.text}" for each in answer.sentences if not each.supported]
    parts += [f"{NOTE} {warning}" for warning in answer.warnings]
    return RULE + "\n\n".join(parts) if parts else ""


def without_tail(text: str) -> str:
    """Return the text of an answer without what `tail` added."""
    found = list(_TAIL.finditer(text))
    return text[: found[-1].start()] if found else text


def _places(head: str, listed: Sequence[tuple[str, Citation]]) -> Iterator[str]:
    """Yield one part that lists passages, each behind its mark, as links that the person's notes know."""
    if listed:
        screen = Screen(citation.passage.text for _, citation in listed)
        yield "\n".join([head, *(f"- {mark}{_place(citation, screen)}" for mark, citation in listed)])


def _place(citation: Citation, screen: Screen) -> str:
    passage = citation.passage
    is_read = passage.link.startswith("[[")
    named = passage.link if is_read else f"{passage.link} {screen.whole(passage.trail)}"
    return f"{named} (changed since)" if passage.stale else named
