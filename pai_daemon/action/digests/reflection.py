"""Reflection: what a diary of some days dwells on, what is new, and questions to think about.

Everything is the person's own words, each with the day that it stands in. Nothing is diagnosed and nothing is
advised: a program sees words, and not a person. Pure.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from pai_daemon.action.digests.care import speaks_of_harm
from pai_daemon.action.digests.wording import (
    LANGUAGES,
    cut,
    language_of,
    listed,
    of_language,
    quoted,
    words_of,
)
from pai_daemon.action.digests.wording import said as words
from pai_daemon.action.material import Piece
from pai_daemon.notes.plain import sentences

THEMES, QUESTIONS, NAMED = 5, 5, 6
# A sentence as short as this says more with the one before it.
SHORT = 30
_TITLE = re.compile(r"\b(?:Mr|Mrs|Ms|Dr|Prof|St|Hr|Fr)\.$")
_HEADING = re.compile(r"^#{1,6}[ \t]+(.+?)[ \t#]*$", re.MULTILINE)
_BLOCK = re.compile(r"[^\n]*?[ \t]\^([A-Za-z0-9-]+)[ \t]*(?:\n|$)")
_NAMED = re.compile(r"\[\[([^\[\]|#^\n]+)|(?<![\w#&/])#([^\W\d][\w/-]*)")
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
    """A sentence of the diary. link: to its day; at: to its heading or block. before: the sentence before."""

    text: str
    words: frozenset[str]
    day: date | None
    link: str
    at: str
    before: str = ""


def compose(days: Sequence[Piece], before: Sequence[Piece], span_days: int, language: str = "") -> str:
    """Return the reflection as Markdown. before: the diary of the time before, to tell what is new."""
    language = language or language_of(days)
    before = [piece for piece in before if not speaks_of_harm([piece.text])]
    said = words(language, "reflection")
    lines = [line for piece in days for line in _lines(piece, language)]
    if not lines:
        return said["nothing"]
    counts, earlier = (
        _days_of(lines),
        _days_of([line for piece in before for line in _lines(piece, language)]),
    )
    themes = _themes(counts, earlier, len(days), len(before), _small(lines, language))
    used: set[str] = set()
    told = [_theme(theme, lines, len(counts[theme]), language, used) for theme in themes]
    parts = [f"**{said['themes']}**", "", *told, *_named(days, language)]
    parts += ["", f"**{said['changed']}**", "", *_changes(counts, earlier, days, before, span_days, language)]
    good = [line for line in lines if _GOOD.search(line.text) and not _NEVER.search(line.text)]
    if chosen := _spread([_whole(line) for line in good], 3, used):
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
    """Return the sentences of a day, without its headings: what a template writes is no theme."""
    day = piece.when.date() if piece.when is not None else None
    headings = list(_HEADING.finditer(piece.text))
    found: list[_Line] = []
    held, begin = "", 0
    for each in sentences(piece.text, language):
        if any(heading.start() <= each.start < heading.end() for heading in headings):
            held = ""
            continue
        begin = begin if held else each.start
        text = f"{held} {each.text}".strip()
        held = text if _TITLE.search(text) else ""
        if held or not any(map(str.isalpha, text)):
            continue
        names = [heading[1] for heading in headings if heading.end() <= begin]
        block = _BLOCK.match(piece.text, each.end)
        at = _at(piece.link, f"^{block[1]}" if block else names[-1] if names else "")
        before = found[-1].text if found and found[-1].at == at else ""
        found.append(_Line(text, frozenset(words_of(text, language)), day, piece.link, at, before))
    return found


def _at(link: str, place: str) -> str:
    """Return a wikilink to a place of a note, to the note where a link cannot say it."""
    if not place or not link.endswith("]]") or set(link) & set("|#") or set(place[1:]) & set("[]|#^%"):
        return link
    return f"{link[:-2]}#{place}]]"


def _whole(line: _Line) -> _Line:
    """Return a sentence, a short one with the sentence before it."""
    if len(line.text) >= SHORT or not line.before or len(line.before) > 160:
        return line
    return replace(line, text=f"{line.before} {line.text}")


def _named(days: Sequence[Piece], language: str) -> list[str]:
    """Return the links and tags of two days or more, as one item."""
    on: dict[str, set[str]] = {}
    for piece in days:
        for target, tag in _NAMED.findall(piece.text):
            on.setdefault(f"[[{target.strip()}]]" if target else f"`#{tag}`", set()).add(piece.link)
    often = sorted(
        (name for name, links in on.items() if len(links) > 1), key=lambda name: (-len(on[name]), name)
    )
    said = words(language, "reflection")
    told = [f"{name} ({said['days'].format(n=len(on[name]))})" for name in often[:NAMED]]
    return [f"- {said['named']}: {' · '.join(told)}"] if told else []


def _days_of(lines: Sequence[_Line]) -> dict[str, set[str]]:
    """Return the days, by their links, on which each word stands."""
    found: dict[str, set[str]] = {}
    for line in lines:
        for word in line.words:
            found.setdefault(word, set()).add(line.link)
    return found


def _themes(
    counts: dict[str, set[str]], earlier: dict[str, set[str]], days: int, before: int, small: set[str]
) -> list[str]:
    """Return the words that many of these days have, and fewer of those before. small: no names of things."""
    feelings = {word for each in LANGUAGES for word in of_language(each, "feelings")}

    def weight(word: str) -> float:
        here = len(counts[word]) / max(1, days)
        there = (len(earlier.get(word, ())) + 0.5) / (before + 1)
        return here * math.log(1 + here / there) * (1.3 if len(word) > 5 else 1.0)

    least = min(3, max(2, days // 6))
    likely = [word for word, on in counts.items() if len(on) >= least and word not in feelings | small]
    chosen: list[str] = []
    for word in sorted(likely, key=lambda word: (-weight(word), word)):
        # One of words that always stand on the same days is enough.
        if all(len(counts[word] & counts[other]) < 0.8 * len(counts[word]) for other in chosen):
            chosen.append(word)
        if len(chosen) == THEMES:
            break
    return chosen


def _small(lines: Sequence[_Line], language: str) -> set[str]:
    """Return the words of a German diary that are mostly written small: they are no nouns."""
    if language != "de":
        return set()
    forms = Counter(form for line in lines for form in re.findall(r"[^\W\d_]+", line.text))
    return {word for line in lines for word in line.words if forms[word] >= forms[word.capitalize()]}


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
        feelings, small = set(of_language(language, "feelings")), _small(lines, language)
        for key, here, there in (("new", counts, earlier), ("less", earlier, counts)):
            found = [w for w, on in here.items() if len(on) >= 2 and w not in there]
            found = [w for w in found if (len(w) > 4 and w not in small) or w in feelings]
            found.sort(key=lambda word: (-len(here[word]), word))
            shown = [f"*{w if w in feelings else _as_written(w, lines)}*" for w in found[:6]]
            if found:
                told.append(f"- {said[key].format(listed(shown, language))}")
    return told


def _questions(lines: Sequence[_Line], themes: Sequence[str], language: str, used: set[str]) -> list[str]:
    said, found = words(language, "reflection"), []
    asked = [line for line in lines if line.text.endswith("?") and 15 <= len(line.text) <= 200]
    found += [said["open"].format(cut(line.text, 160), line.at) for line in _spread(asked, 2, used)]
    meant = [line for line in lines if _INTENTION.search(line.text) and len(line.text) <= 220]
    repeated = _repeated(meant)
    for line, days in repeated[:1]:
        used.add(line.text)
        after = _after(line, lines)
        told = (line, after) if after else (line,)
        ways = [part for each in told for part in (cut(each.text, 160), each.at)]
        found.append(said["later" if after else "again"].format(*ways, n=days))
        used |= {each.text for each in told}
    others = [line for line in meant if not any(line.words & again.words for again, _ in repeated[:1])]
    others = [line for line in others if _after(line, lines) is None]
    found += [said["meant"].format(cut(line.text, 160), line.at) for line in _spread(others, 1, used)]
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


def _after(meant: _Line, lines: Sequence[_Line]) -> _Line | None:
    """Return the first later sentence on what a person meant to do, that is no intention and no question."""
    for line in lines:
        if line.day is None or meant.day is None or line.day <= meant.day or not line.words & meant.words:
            continue
        if not _INTENTION.search(line.text) and not line.text.endswith("?"):
            return line
    return None


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
    return f"{quoted(cut(line.text), language)} ({line.at})"
