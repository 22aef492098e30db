"""Which questions ask what notes mention some names, in English and German. Pure.

"Which notes mention A and B?", "In welchen Notizen kommen A und B vor?". A question that asks what notes are
about is one of these only if it names notes, or words in quotes: a topic is found by meaning (D65).
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Kind = Literal["exact", "about", "written"]
MAX_CHARACTERS = 300
MAX_NAMES = 6
MAX_NAME_WORDS = 7


def _forms() -> Iterator[tuple[re.Pattern[str], Kind]]:
    """Yield the forms of questions, and for what each asks."""
    told = tomllib.loads(Path(__file__).with_name("mentions.toml").read_text("utf-8"))
    parts = {name: told[name] for name in ("notes", "notizen", "names", "together")}
    kinds: tuple[Kind, ...] = ("exact", "about", "written")
    for name in kinds:
        for form in told[name]:
            for part, written in parts.items():
                form = form.replace("{" + part + "}", written)  # noqa: PLW2901
            yield re.compile(form, re.IGNORECASE), name


_FORMS = tuple(_forms())
_HERE = re.compile(r" in (?:(?:all )?my (?:notes|vault)|(?:allen )?meinen notizen)\b", re.IGNORECASE)
_APART = re.compile(
    r"(?:,| (?:as well as|sowie|and also|und auch|and|und|or|oder|&|\+) )(?: ?(?:and|und|or|oder) )?",
    re.IGNORECASE,
)
_ANY = re.compile(r"[, ](?:or|oder) ", re.IGNORECASE)
_QUOTED = re.compile(r"\"([^\"]{1,120})\"|\[\[([^\[\]|]{1,120})(?:\|[^\[\]]{0,120})?\]\]")
_CURLED = str.maketrans("“”„‟«»", '""""""')
_HOLD = "\ue000{}\ue000"
_HELD = re.compile("\ue000(\\d+)\ue000")
# A clause is no name, and what is to be left out is asked for otherwise.
_WITHOUT = re.compile(r"\b(?:but|without|except|not|aber|ohne|außer|nicht)\b", re.IGNORECASE)
_CLAUSE = re.compile(
    r"(?:how|why|that|whether|when|what|who|where|if|wie|dass|warum|ob|wann|was|wer|wo|wenn|i|ich|we|wir|me|mich"
    r"|it|es|them|sie|something|etwas|anything|nothing|nichts)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Name:
    """What is to be mentioned. is_exact: it stood in quotes, or as a link."""

    text: str
    is_exact: bool = False


@dataclass(frozen=True, slots=True)
class MentionQuestion:
    """A question for the notes that mention names: all of them, or with is_any one of them.

    whole: the names as they stand, which may be one name: "Divide and Conquer". kind: an `exact` one asks for
    names, one that says `about` perhaps for a topic, and one for what was `written` is of a time, in which it
    may be everything: then there are no names.
    """

    names: tuple[Name, ...]
    whole: str
    is_any: bool
    kind: Kind


def mention_question(question: str) -> MentionQuestion | None:
    """Return which names the notes that a question asks for mention, None for any other question."""
    text = " ".join(question.translate(_CURLED).split())
    if len(text) > MAX_CHARACTERS or "\ue000" in text:
        return None
    held: list[str] = []

    def hold(found: re.Match[str]) -> str:
        held.append((found[1] or found[2]).strip())
        return _HOLD.format(len(held) - 1)

    text = _QUOTED.sub(hold, text).strip(" ?.!…")
    text = _HERE.sub("", text)
    for form, kind in _FORMS:
        if match := form.fullmatch(text):
            names = match.groupdict().get("names")
            if kind == "written" and not names:
                return MentionQuestion((), "", is_any=False, kind=kind)
            return _named(names or "", held, kind)
    return None


def _named(written: str, held: list[str], kind: Kind) -> MentionQuestion | None:
    """Return the question with its names, None where what is written are none."""
    parts = [part.strip() for part in _APART.split(written)]
    names = []
    for part in parts:
        quoted = _HELD.fullmatch(part)
        name = Name(held[int(quoted[1])], is_exact=True) if quoted else Name(_told(part, held))
        too_long = len(name.text.split()) > MAX_NAME_WORDS
        is_none = too_long or _CLAUSE.match(name.text) or _WITHOUT.search(name.text)
        if not any(map(str.isalnum, name.text)) or (is_none and not name.is_exact):
            return None
        names.append(name)
    if not 1 <= len(names) <= MAX_NAMES or (len(names) == 1 and kind == "about" and not names[0].is_exact):
        return None
    whole = _told(written, held)
    if kind == "about" and all(name.is_exact for name in names):
        kind = "exact"
    return MentionQuestion(tuple(dict.fromkeys(names)), whole, _ANY.search(written) is not None, kind)


def _told(written: str, held: list[str]) -> str:
    """Return a text with what was held back in it."""
    return _HELD.sub(lambda match: held[int(match[1])], written)
