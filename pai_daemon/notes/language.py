"""A guess at the language of a text, good enough to choose rules for abbreviations."""

from __future__ import annotations

import functools
import re

from pai_daemon.notes.languages import short_words

# The commonest short words that the other languages here do not share, or share with few, and what asks.
_WORDS = {
    "en": "the and of to is that it for was with are this be have from "
    "not they which you his her would what when where who how why does did",
    "de": "der die und das ist nicht ein eine den von zu mit sich auf dem "
    "auch wird als wie für oder sind was wann wo wer warum welche welcher wurde gibt",
    "fr": "le les et des est une du dans qui que pas pour sur au "
    "avec ce il elle plus sont nous vous ou quand où comment pourquoi quel quelle",
    "es": "el los y las que una es por con para del se lo como "
    "más pero su al sus este ha son muy qué cuándo dónde quién cómo cuál",
    "it": "il di che è la un per non una sono con del della "
    "gli le anche più si come nel alla questo quando dove chi perché quale",
    "pt": "o os e que do da em um uma para não com por mais "
    "dos das se na no como mas ao foi são quando onde quem qual",
    "nl": "de het een en van ik dat niet is op te zijn voor met die "
    "aan er ook als maar wordt naar bij wat wanneer waar wie hoe waarom welke",
}
_VOTES: dict[str, list[str]] = {}
for _language, _words in _WORDS.items():
    for _word in _words.split():
        _VOTES.setdefault(_word, []).append(_language)
_WORD = re.compile(r"[^\W\d_]+")
_SAMPLE_CHARS = 4_000


def is_stop_word(word: str) -> bool:
    """Return whether a lower-case word is too common, in any of the languages here, to name anything."""
    return word in _VOTES


@functools.cache
def stop_words(language: str) -> frozenset[str]:
    """Return the words of a language, in lower case, that are too common to name anything in it."""
    return frozenset(_WORDS.get(language, "").split()) | short_words(language)


def guess_language(text: str) -> str:
    """Return en, de, fr, es, it, pt or nl by a vote of stop words; en when nothing speaks for another."""
    return known_language(text) or "en"


def known_language(text: str, least_votes: float = 0.0) -> str | None:
    """Return the language that the stop words of a text speak for, None where they say too little."""
    votes = dict.fromkeys(_WORDS, 0.0)
    for word in _WORD.findall(text[:_SAMPLE_CHARS].lower()):
        languages = _VOTES.get(word, ())
        for language in languages:
            votes[language] += 1 / len(languages)
    best = max(votes, key=lambda language: votes[language])
    best = best if votes[best] > votes["en"] else "en"
    return best if votes[best] > least_votes else None
