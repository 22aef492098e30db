"""What of a query is marked in a passage: its words that say something, and its phrases. Pure."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from pai_daemon.context.store.words import read
from pai_daemon.notes.language import guess_language, stop_words

WORD = re.compile(r"\w+")


class _Folding(dict[int, str]):
    """Letters without case and accents, one for one, found out as they come."""

    def __missing__(self, code: int) -> str:
        char = chr(code)
        self[code] = (unicodedata.normalize("NFD", char)[:1] or char).lower()[:1] or char
        return self[code]


_FOLDED = _Folding()


def fold_letters(text: str) -> str:
    """Return text without case and accents, of the same length."""
    return text.lower() if text.isascii() else text.translate(_FOLDED)


@dataclass(frozen=True, slots=True)
class Terms:
    """What of a query is marked in a text, folded: words, and the words of each phrase in their order."""

    words: frozenset[str] = frozenset()
    phrases: tuple[tuple[str, ...], ...] = ()


NO_TERMS = Terms()


def terms_of(query: str) -> Terms:
    """Return what of a query is marked: not the words that every text has, unless it has no others."""
    asked = read(query)
    common = stop_words(guess_language(asked.meaning))
    words = [word for word in WORD.findall(asked.text) if len(word) > 2 or not word.isascii()]
    naming = [word for word in words if unicodedata.normalize("NFC", word).lower() not in common]
    phrases = tuple(filter(None, (tuple(WORD.findall(fold_letters(phrase))) for phrase in asked.phrases)))
    return Terms(frozenset(map(fold_letters, naming if naming or phrases else words)), phrases)


def highlights(text: str, terms: Terms) -> tuple[tuple[int, int], ...]:
    """Return the (start, end) spans of whole words and phrases of the query in a text; none overlaps."""
    words = [(match.group(), *match.span()) for match in WORD.finditer(fold_letters(text))]
    spans = {place: place + 1 for place, (word, _, _) in enumerate(words) if word in terms.words}
    for phrase in terms.phrases:
        for place, (word, _, _) in enumerate(words):
            end = place + len(phrase)
            if word == phrase[0] and tuple(each for each, _, _ in words[place:end]) == phrase:
                spans[place] = max(end, spans.get(place, 0))
    found: list[tuple[int, int]] = []
    for place, end in sorted(spans.items()):
        start, end_char = words[place][1], words[end - 1][2]
        if found and start < found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end_char))
        else:
            found.append((start, end_char))
    return tuple(found)
