"""Weekly review: what was done, what is open, what rests, and links to make. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from pai_daemon.action.digests.wording import cut, day_told, said
from pai_daemon.action.material import Piece

MOST = 15
RESTS = timedelta(days=30)
SOON = timedelta(days=7)


def compose(pieces: Sequence[Piece], now: datetime, language: str) -> str:
    """Return the review as Markdown. pieces: tasks by state in their group, notes that changed, and links.

    A note of a project that was not changed for a month and has an open task rests.
    """
    words = said(language, "review")
    tasks = [piece for piece in pieces if piece.source == "task"]
    notes = list({piece.path: piece for piece in pieces if piece.source == "note"}.values())
    fresh = [piece for piece in notes if piece.when is not None and now - piece.when <= SOON]
    rest = [piece for piece in notes if piece.when is not None and now - piece.when > RESTS]
    overdue = [task for task in tasks if task.group == "overdue"]
    due = [
        task for task in tasks if task.group == "open" and task.when is not None and task.when - now <= SOON
    ]
    undated = [task for task in tasks if task.group == "open" and task.when is None]
    parts: list[str] = []
    for name, some in (
        ("done", [task for task in tasks if task.group == "done"]),
        ("overdue", overdue),
        ("soon", due),
        ("open", undated),
    ):
        parts += _listed(words[name], [_task(task, language) for task in some], words)
    parts += _listed(words["changed"], [f"- {note.link}" for note in fresh], words)
    stale = []
    for note in rest:
        count = sum(task.path == note.path for task in tasks if task.group != "done")
        if count and note.when is not None:
            told = words["rests"].format(day_told(note.when.date(), language), n=count)
            stale.append(f"- {note.link}: {told}")
    parts += _listed(words["stale"], stale, words)
    links = [
        f"- {piece.title} → {piece.link}: {cut(piece.text, 120)}"
        for piece in pieces
        if piece.source == "link"
    ]
    parts += _listed(words["links"], links, words)
    return "\n".join(parts).strip() or words["nothing"]


def _task(task: Piece, language: str) -> str:
    day = (
        f", {day_told(task.when.date(), language)}" if task.when is not None and task.group != "done" else ""
    )
    return f"- {cut(task.title, 160)} ({task.link}{day})"


def _listed(title: str, lines: Sequence[str], words: dict[str, str]) -> list[str]:
    """Return a part of the review; nothing where it has no lines."""
    if not lines:
        return []
    more = [f"- {words['more'].format(n=len(lines) - MOST)}"] if len(lines) > MOST else []
    return [f"**{title}**", "", *lines[:MOST], *more, ""]
