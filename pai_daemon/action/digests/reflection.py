"""Reflection: what a diary of some days dwells on, what is new, and questions to think about.

Everything is the person's own words, each with the day that it stands in. Nothing is diagnosed and nothing is
advised: a program sees words, and not a person. Pure.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from pai_daemon.action.digests.wording import (
    LANGUAGES,
    cut,
    language_of,
    listed,
    of_language,
    quoted,
    sentences_of,
    words_of,
)
from pai_daemon.action.digests.wording import said as words
from pai_daemon.action.material import Piece

THEMES, QUESTIONS = 5, 5
_INTENTION = re.compile(
    r"\b(?:I (?:should|must|need to|have to|want to|ought to|keep meaning to|plan to|would like to)"
    r"|ich (?:sollte|muss|müsste|will|möchte|wollte|nehme mir vor))\b",
    re.IGNORECASE,
)
_GOOD = re.compile(
    r"\b(?:grateful|thankful|glad|proud|enjoyed|loved|lovely|laughed|beautiful|happy|relieved|at last|finally"
    r"|dankbar|froh|stolz|genossen|schön(?:er|es|e)?|gelacht|glücklich|erleichtert|endlich)\b",
    re.IGNORECASE,
)
_NEVER = re.compile(r"\b(?:not|never|no|hardly|un\w+|nicht|nie|kein\w*|kaum)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Line:
    """A sentence of the diary. link: to its day."""

    text: str
    words: frozenset[str]
    day: date | None
    link: str


def compose(days: Sequence[Piece], before: Sequence[Piece], span_days: int, language: str = "") -> str:
    """Return the reflection as Markdown. before: the diary of the time before, to tell what is new."""
    language = language or language_of(days)
    said = words(language, "reflection")
    lines = [line for piece in days for line in _lines(piece, language)]
    if not lines:
        return said["nothing"]
    counts, earlier = (
        _days_of(lines),
        _days_of([line for piece in before for line in _lines(piece, language)]),
    )
    themes = _themes(counts, earlier, len(days), len(before))
    used: set[str] = set()
    told = [_theme(theme, lines, len(counts[theme]), language, used) for theme in themes]
    parts = [f"**{said['themes']}**", "", *told]
    parts += ["", f"**{said['changed']}**", "", *_changes(counts, earlier, days, before, span_days, language)]
    good = [line for line in lines if _GOOD.search(line.text) and not _NEVER.search(line.text)]
    if chosen := _spread(good, 3, used):
        parts += ["", f"**{said['good']}**", "", *(f"- {_quoted(line, language)}" for line in chosen)]
    parts += [
        "",
        f"**{said['questions']}**",
        "",
        *_questions(lines, themes, language, used),
        "",
        said["foot"],
    ]
    return "\n".join(parts)


def _lines(piece: Piece, language: str) -> list[_Line]:
    day = piece.when.date() if piece.when is not None else None
    return [
        _Line(text, frozenset(words_of(text, language)), day, piece.link)
        for text in sentences_of(piece.text, language)
        if any(map(str.isalpha, text))
    ]


def _days_of(lines: Sequence[_Line]) -> dict[str, set[str]]:
    """Return the days, by their links, on which each word stands."""
    found: dict[str, set[str]] = {}
    for line in lines:
        for word in line.words:
            found.setdefault(word, set()).add(line.link)
    return found


def _themes(counts: dict[str, set[str]], earlier: dict[str, set[str]], days: int, before: int) -> list[str]:
    """Return the words that many of these days have, and fewer of those before."""
    feelings = {word for each in LANGUAGES for word in of_language(each, "feelings")}

    def weight(word: str) -> float:
        here = len(counts[word]) / max(1, days)
        there = (len(earlier.get(word, ())) + 0.5) / (before + 1)
        return here * math.log(1 + here / there) * (1.3 if len(word) > 5 else 1.0)

    likely = [
        word for word, on in counts.items() if len(on) >= min(3, max(2, days // 6)) and word not in feelings
    ]
    chosen: list[str] = []
    for word in sorted(likely, key=lambda word: (-weight(word), word)):
        # One of words that always stand on the same days is enough.
        if all(len(counts[word] & counts[other]) < 0.8 * len(counts[word]) for other in chosen):
            chosen.append(word)
        if len(chosen) == THEMES:
            break
    return chosen


def _theme(theme: str, lines: Sequence[_Line], days: int, language: str, used: set[str]) -> str:
    with_it = [line for line in lines if theme in line.words and 25 <= len(line.text) <= 300]
    quotes = _spread(with_it, 2, used)
    shown = " · ".join(_quoted(line, language) for line in quotes)
    told = words(language, "reflection")["days"].format(n=days)
    return f"- **{_as_written(theme, with_it)}**, {told}{': ' + shown if shown else ''}"


def _as_written(word: str, lines: Sequence[_Line]) -> str:
    """Return a word in the case in which it stands most often."""
    forms = Counter(
        form for line in lines for form in re.findall(rf"\b{re.escape(word)}\b", line.text, re.IGNORECASE)
    )
    return forms.most_common(1)[0][0] if forms else word


def _changes(  # noqa: PLR0917 - both times, each with its words
    counts: dict[str, set[str]],
    earlier: dict[str, set[str]],
    days: Sequence[Piece],
    before: Sequence[Piece],
    span_days: int,
    language: str,
) -> list[str]:
    said = words(language, "reflection")
    written = [len({piece.link for piece in pieces if piece.text.strip()}) for pieces in (days, before)]
    told = [f"- {said['wrote'].format(n=written[0], of=span_days, before=written[1])}"]
    lines = [line for piece in (*days, *before) for line in _lines(piece, language)]
    if before:
        feelings = set(of_language(language, "feelings"))
        for key, here, there in (("new", counts, earlier), ("less", earlier, counts)):
            found = [w for w, on in here.items() if len(on) >= 2 and w not in there]
            found = [w for w in found if len(w) > 4 or w in feelings]
            found.sort(key=lambda word: (-len(here[word]), word))
            shown = [f"*{_as_written(word, lines)}*" for word in found[:6]]
            if found:
                told.append(f"- {said[key].format(listed(shown, language))}")
    return told


def _questions(lines: Sequence[_Line], themes: Sequence[str], language: str, used: set[str]) -> list[str]:
    said, found = words(language, "reflection"), []
    asked = [line for line in lines if line.text.endswith("?") and 15 <= len(line.text) <= 200]
    found += [said["open"].format(cut(line.text, 160), line.link) for line in _spread(asked, 2, used)]
    meant = [line for line in lines if _INTENTION.search(line.text) and len(line.text) <= 220]
    repeated = _repeated(meant)
    for line, days in repeated[:1]:
        used.add(line.text)
        found.append(said["again"].format(cut(line.text, 160), line.link, n=days))
    others = [line for line in meant if not any(line.words & again.words for again, _ in repeated[:1])]
    found += [said["meant"].format(cut(line.text, 160), line.link) for line in _spread(others, 1, used)]
    for word in of_language(language, "feelings"):
        on = list(
            dict.fromkeys(line.link for line in lines if word in line.words and not _NEVER.search(line.text))
        )
        if len(on) >= 3:
            found.append(said["feeling"].format(word, ", ".join(on[:4]), n=len(on)))
            break
    if themes and len(found) < QUESTIONS:
        name = _as_written(themes[0], [line for line in lines if themes[0] in line.words])
        found.append(said["theme"].format(quoted(name, language)))
    return [f"{number}. {question}" for number, question in enumerate(found[:QUESTIONS], start=1)]


def _repeated(meant: Sequence[_Line]) -> list[tuple[_Line, int]]:
    """Return what a person meant to do on several days, the most often repeated first."""
    found: dict[str, list[_Line]] = {}
    for line in meant:
        for word in line.words:
            if len(word) > 3:
                found.setdefault(word, []).append(line)
    groups = [(lines[-1], len({line.link for line in lines})) for lines in found.values()]
    return sorted((group for group in groups if group[1] >= 2), key=lambda group: -group[1])


def _spread(lines: Sequence[_Line], most: int, used: set[str]) -> list[_Line]:
    """Return some lines, each of another day, none that was used; they count as used then."""
    chosen: list[_Line] = []
    for line in sorted(lines, key=lambda line: abs(len(line.text) - 110)):
        if line.text not in used and all(line.link != other.link for other in chosen) and len(chosen) < most:
            chosen.append(line)
            used.add(line.text)
    return sorted(chosen, key=lambda line: line.day or date.min)


def _quoted(line: _Line, language: str) -> str:
    return f"{quoted(cut(line.text), language)} ({line.link})"
