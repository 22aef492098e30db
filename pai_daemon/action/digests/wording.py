"""The words of the shipped routines in English and German, and how their pieces are cut and told. Pure."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from pai_daemon.action.material import Piece
from pai_daemon.notes.language import guess_language, stop_words
from pai_daemon.notes.plain import sentences

LONGEST = 240
_TEXTS = tomllib.loads(Path(__file__).with_name("wording.toml").read_text("utf-8"))
_COMMON = frozenset(_TEXTS.pop("common").split())
HARM: list[str] = _TEXTS.pop("harm")
LANGUAGES = tuple(_TEXTS)
_WORD = re.compile(r"[^\W\d_][\w'’-]+")
_OWNERS = re.compile(r"['’]s$")
_MARKS = re.compile(r"([\[\]|<>`*_#\\])")


def said(language: str, routine: str) -> dict[str, str]:
    """Return the words of a routine in a language, by their names."""
    found: dict[str, str] = _TEXTS[language][routine]
    return found


def of_language(language: str, name: str) -> Any:
    """Return what a language has by a name: `feelings`, `care`."""
    return _TEXTS.get(language, _TEXTS["en"])[name]


def language_of(pieces: Iterable[Piece], fallback: str = "en") -> str:
    """Return the language that most of the pieces are in, of those that the routines speak."""
    sample = "\n".join(piece.text[:400] for piece in pieces)[:8000]
    code = guess_language(sample) if sample.strip() else fallback
    return code if code in LANGUAGES else "en"


def words_of(text: str, language: str) -> list[str]:
    """Return the words of a text that name something, in lower case."""
    known = stop_words(language) | stop_words("en") | _COMMON
    return [
        word
        for each in _WORD.findall(text)
        if (word := _OWNERS.sub("", each.lower().strip("'’-"))) not in known and len(word) > 2
    ]


def sentences_of(text: str, language: str) -> list[str]:
    """Return the sentences of a note or an entry, without markup."""
    return [" ".join(each.text.split()) for each in sentences(text, language) if each.text.strip()]


def quoted(text: str, language: str) -> str:
    """Return a text between the quotation marks of its language."""
    return f"„{text}“" if language == "de" else f"“{text}”"


def cut(text: str, longest: int = LONGEST) -> str:
    """Return a text that is no longer than this, cut between words."""
    if len(text) <= longest:
        return text
    return f"{text[: longest - 1].rsplit(' ', 1)[0].rstrip(' ,;:-')}…"


def harmless(text: str) -> str:
    """Return words of a feed or page as Markdown that shows them and does nothing else."""
    escaped = _MARKS.sub(r"\\\1", text).replace("://", ":\u200b//")
    return escaped.replace("%%", "%\u200b%").replace("$", "\\$")


def linked(title: str, link: str) -> str:
    """Return a title as a link, where there is one."""
    shown = harmless(cut(title, 140)) or link
    return f"[{shown}]({link})" if link else shown


def day_told(day: date, language: str) -> str:
    """Return a day as a person reads it: `Monday, 9 March`."""
    month, name = (
        of_language(language, "months")[day.month - 1],
        of_language(language, "days_of_week")[day.weekday()],
    )
    return f"{name}, {day.day} {month}" if language == "en" else f"{name}, {day.day}. {month}"


def listed(words: Sequence[str], language: str) -> str:
    """Return words as a list in a sentence."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} {'und' if language == 'de' else 'and'} {words[-1]}"
