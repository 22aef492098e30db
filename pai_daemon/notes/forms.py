"""The words of a text as they are compared with names: case, composition and inflection aside.

Scripts without spaces have a word a character here, so that a name is found wherever it stands. A symbol is a
word as well, for `C++` is not `C`; hyphens, dashes, slashes and underscores only part words.

The inflection is that of names: plural and case, little else. German after the light stemmer of Savoy 2006,
"Light Stemming Approaches for the French, Portuguese, German and Hungarian Languages"; English after the
S-stemmer of Harman 1991, "How effective is suffixing?", with -ing and -ed.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import NamedTuple

# Han, kana, Thai, Lao, Myanmar and Khmer; Hangul has spaces.
_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
    "\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff"
)
_IS_UNSPACED = re.compile(f"[{_UNSPACED}]")
_PARTING = "/-_‐‑‒–—\xad"
_UMLAUTS = str.maketrans("äöü", "aou")
_GERMAN_ENDINGS = ("ern", "em", "en", "er", "es", "e")
# Before these an s or an n at the end is one of inflection.
_GERMAN_S, _GERMAN_N = "bdfghklmnrt", "lr"
_MIN_STEM = 3


class Word(NamedTuple):
    """A word of a text. form: composed and case-folded. start, end: code points of the text."""

    form: str
    start: int
    end: int


def words_of(text: str, start: int = 0) -> Iterator[Word]:
    """Yield the words of a text from `start` on."""
    for match in _pattern().finditer(text, start):
        yield Word(folded(match[0]), match.start(), match.end())


def folded(word: str) -> str:
    """Return a word as it is compared: NFC, case folded, with the straight apostrophe."""
    if word.isascii():
        return word.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", word).casefold()).replace("’", "'")


def is_unspaced(form: str) -> bool:
    """Return whether a text has letters of a script without spaces, of which two already name something."""
    return _IS_UNSPACED.search(form) is not None


@functools.lru_cache(maxsize=65_536)
def german(form: str) -> str:
    """Return a German word, case-folded, without umlauts and endings of plural and case."""
    stem = form.removesuffix("'s").translate(_UMLAUTS)
    for _ in range(2):
        shorter = _without_german_ending(stem)
        if shorter == stem:
            break
        stem = shorter
    return stem


def _without_german_ending(stem: str) -> str:
    for ending in _GERMAN_ENDINGS:
        if stem.endswith(ending) and len(stem) - len(ending) >= _MIN_STEM:
            return stem[: -len(ending)]
    if len(stem) > _MIN_STEM + 1:
        if stem.endswith("us") and len(stem) > _MIN_STEM + 3:
            return stem[:-2]  # Algorithmus, Algorithmen
        if (stem[-1] == "s" and stem[-2] in _GERMAN_S) or (stem[-1] == "n" and stem[-2] in _GERMAN_N):
            return stem[:-1]
    return stem


@functools.lru_cache(maxsize=65_536)
def english(form: str) -> str:
    """Return an English word, case-folded, without the endings of plural, possessive and verb."""
    stem = form.removesuffix("'s").removesuffix("'")
    if stem.endswith("ies") and len(stem) > _MIN_STEM + 1:
        stem = f"{stem[:-3]}y"
    elif stem.endswith(("ses", "xes", "zes", "ches", "shes")) and len(stem) > _MIN_STEM + 2:
        stem = stem[:-2]
    elif stem.endswith("s") and not stem.endswith(("ss", "us", "is")) and len(stem) > _MIN_STEM:
        stem = stem[:-1]
    for ending in ("ing", "ed"):
        if stem.endswith(ending) and len(stem) - len(ending) > _MIN_STEM:
            stem = stem[: -len(ending)]
            break
    return stem[:-1] if stem.endswith("e") and len(stem) > _MIN_STEM else stem


STEMMERS: Mapping[str, Callable[[str], str]] = MappingProxyType({"en": english, "de": german})


@functools.cache
def _pattern() -> re.Pattern[str]:
    """Return what matches a word: letters and digits with marks, one of an unspaced script, a symbol."""
    marks = _ranges(code for code in range(0x300, 0x1E950) if unicodedata.category(chr(code))[0] == "M")
    letter = rf"(?:(?![{_UNSPACED}])[^\W_])"
    return re.compile(
        rf"{letter}(?:{letter}|[{marks}])*(?:['’](?:{letter}|[{marks}])+)*"
        rf"|[{_UNSPACED}][{marks}]*"
        rf"|[^\w\s{re.escape(_PARTING)}]"
    )


def _ranges(codes: Iterator[int]) -> str:
    """Return code points as the inside of a character class."""
    spans: list[list[int]] = []
    for code in codes:
        if spans and spans[-1][1] == code - 1:
            spans[-1][1] = code
        else:
            spans.append([code, code])
    return "".join(f"\\U{first:08x}-\\U{last:08x}" for first, last in spans)
