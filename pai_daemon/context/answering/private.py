"""What of a question and its passages may leave this machine (D15). Which notes stay: `context.privacy`."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from pai_daemon.context.answering.answer import Citation, Question


def public(citations: Sequence[Citation], private: Collection[str]) -> Sequence[Citation]:
    """Return the passages that may leave this machine; private: the paths of the notes that stay."""
    return [citation for citation in citations if citation.passage.path not in private]


def without_private_words(question: Question, private: Collection[str]) -> Question:
    """Return a question without what may quote a local-only note: the selection, and earlier answers.

    Nobody knows any more from which notes an earlier answer came, so where a vault has a note that stays
    here, none of them leaves. A selection does where its note is named and may.
    """
    if not private:
        return question
    selection = question.selection if question.note and question.note not in private else ""
    return replace(question, history=(), selection=selection)
