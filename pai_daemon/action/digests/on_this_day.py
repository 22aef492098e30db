"""On this day: what the diary says of this day in earlier years. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from pai_daemon.action.digests.care import speaks_of_harm
from pai_daemon.action.digests.wording import cut, quoted, said, sentences_of
from pai_daemon.action.material import Piece

SENTENCES = 3


def compose(pieces: Sequence[Piece], today: date, language: str) -> str:
    """Return the notes of this day by year as Markdown, each with its first sentences."""
    words = said(language, "on_this_day")
    lines = []
    for piece in sorted(pieces, key=lambda piece: piece.when.year if piece.when else 0, reverse=True):
        if piece.when is None or piece.when.year >= today.year:
            continue
        years = today.year - piece.when.year
        head = words["year"] if years == 1 else words["years"].format(n=years)
        # A dark day is named, and not quoted at somebody years later.
        told = [] if speaks_of_harm([piece.text]) else sentences_of(piece.text, language)[:SENTENCES]
        text = cut(" ".join(told), 400)
        lines.append(f"- **{head}** ({piece.link}): {quoted(text, language) if text else ''}".rstrip(": "))
    return "\n".join(lines) or words["nothing"]
