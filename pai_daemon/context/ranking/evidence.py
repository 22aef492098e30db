"""What speaks for each of the first candidates of a search, looked at a second time, with their text. Pure.

The legs know a chunk by two figures. Here its words are seen: how many of the question's it has, weighed by
how rare they are, how close together, in which order, and whether the title says them. What holds for the
whole question, as whether the model knows its language, is evidence too: it makes the legs count more or
less (D77, D78).
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from pai_daemon.context.highlights import WORD, fold_letters
from pai_daemon.context.store.rows import StoredChunk
from pai_daemon.context.store.vocabulary import Vocabulary
from pai_daemon.notes.language import is_stop_word

Table = NDArray[np.float64]
# Of each candidate. A leg's figure that it has not is that of the leg's last.
SIGNS = (
    "meaning",
    "meaning share",
    "words",
    "words share",
    "has",
    "near",
    "pairs",
    "title",
    "length",
)
# Of the question; each makes some signs count more or less.
CONDITIONS = ("overlap", "rarity", "margin", "unknown language")
CONDITIONAL = ("meaning share", "words share", "near")
FEATURES = (*SIGNS, *(f"{sign}, {condition}" for condition in CONDITIONS for sign in CONDITIONAL))
# Words as far apart as in a long sentence.
WINDOW_WORDS = 20
# Inflected forms are told to be one word by so many letters at their beginning.
STEM_LETTERS = 5
# About what one rare word gives is so much, times ln(chunks), in BM25's scores.
RARITY = 1.75
MOST_RARITY = 3.0
# The margin is how far the nearest is before the one at this place.
MARGIN_TO = 10
# Beside the words that name something, those that every text has are worth so much.
COMMON_WORTH = 0.1
MAX_WORDS = 64


@dataclass(frozen=True, slots=True)
class Question:
    """The words of a question, folded, each once: its number by its stem. worth: how much each says.

    pairs: the numbers of words that stand side by side. whole: what all words are worth together.
    """

    stems: Mapping[str, int]
    worth: tuple[float, ...]
    pairs: frozenset[tuple[int, int]]
    whole: float


def stem(word: str) -> str:
    """Return the beginning of a word that its inflected forms share."""
    return word[: max(STEM_LETTERS, len(word) - 3)] if word.isalpha() else word


def question_of(text: str, known: Vocabulary) -> Question:
    """Return what a question asks for. known: the words of all chunks, for how rare each is."""
    stems: dict[str, int] = {}
    worth: list[float] = []
    places = []
    for word in WORD.findall(fold_letters(text))[:MAX_WORDS]:
        place = stems.setdefault(stem(word), len(worth))
        if place == len(worth):
            worth.append(_rarity(word, known) * (COMMON_WORTH if is_stop_word(word) else 1.0))
        places.append(place)
    return Question(stems, tuple(worth), frozenset(pairwise(places)), sum(worth))


def _rarity(word: str, known: Vocabulary) -> float:
    count = known.count(word)
    return math.log(1 + (known.text_count - count + 0.5) / (count + 0.5)) if known.text_count else 1.0


def signs(asked: Question, chunks: Sequence[StoredChunk]) -> Table:
    """Return of each chunk has, near, pairs, title and length: (len(chunks), 5)."""
    numbers = _Numbers(asked)
    return np.array([_signs(asked, chunk, numbers) for chunk in chunks]).reshape(-1, 5)


class _Numbers(dict[str, int]):
    """Which word of a question each word is, -1 for none; found out as they come."""

    def __init__(self, asked: Question) -> None:
        self._stems = asked.stems

    def __missing__(self, word: str) -> int:
        self[word] = number = self._stems.get(stem(word), -1)
        return number


def _signs(asked: Question, chunk: StoredChunk, numbers: _Numbers) -> tuple[float, ...]:
    words = [numbers[word] for word in WORD.findall(fold_letters(chunk.content))]
    at = [place for place, number in enumerate(words) if number >= 0]
    found = [words[place] for place in at]
    length = math.log(1 + len(words))
    if not found or not asked.whole:
        return (0.0, 0.0, 0.0, 0.0, length)
    # Title, other names, headings and tags stand in its first line.
    named = chunk.content.partition("\n\n")[0]
    title = {numbers[word] for word in WORD.findall(fold_letters(named))} - {-1}
    steps = zip(pairwise(found), pairwise(at), strict=True)
    pairs = {pair for pair, (here, there) in steps if there - here <= 2 and pair in asked.pairs}
    worth = asked.worth
    return (
        sum(worth[number] for number in set(found)) / asked.whole,
        _nearest(found, at, worth) / asked.whole,
        len(pairs) / max(1, len(asked.pairs)),
        sum(worth[number] for number in title) / asked.whole,
        length,
    )


def _nearest(found: Sequence[int], at: Sequence[int], worth: Sequence[float]) -> float:
    """Return the most that the words in one window are worth, each counted once."""
    counts = [0] * len(worth)
    best = value = 0.0
    first = 0
    for word, place in zip(found, at, strict=True):
        counts[word] += 1
        if counts[word] == 1:
            value += worth[word]
        while place - at[first] >= WINDOW_WORDS:
            counts[found[first]] -= 1
            if not counts[found[first]]:
                value -= worth[found[first]]
            first += 1
        best = max(best, value)
    return best


def table_of(
    asked: Question,
    chunks: Sequence[StoredChunk],
    legs: Mapping[str, Sequence[tuple[str, float]]],
    *,
    scale: float,
    chunk_count: int,
    knows_language: bool,
    unknown: Collection[str] = (),
) -> Table:
    """Return the evidence for each chunk: (len(chunks), len(FEATURES)).

    legs: as `fuse` takes them. scale: of the model's cosines. knows_language: the model was trained for the
    language of the question. unknown: what has no cosine yet; it is put where its words stand.
    """
    seen = signs(asked, chunks)
    semantic, words = legs.get("semantic", ()), legs.get("text", ())
    near, said = dict(semantic), dict(words)
    best, least = (semantic[0][1], semantic[-1][1]) if semantic else (0.0, 0.0)
    floor = RARITY * math.log(1 + max(1, chunk_count))
    top = words[0][1] if words else 0.0
    cosines = np.array([near.get(chunk.chunk_id, least) for chunk in chunks])
    scores = np.array([said.get(chunk.chunk_id, 0.0) for chunk in chunks])
    word_shares = scores / max(top, floor)
    waiting = np.array([chunk.chunk_id in unknown for chunk in chunks], bool)
    cosines = np.where(waiting, least + (best - least) * word_shares, cosines)
    meaning = (cosines - best) / scale
    shares = (cosines - least) / max(best - least, 1e-6)
    own = np.column_stack([meaning, shares, scores / floor, word_shares, seen])
    overlap = float(seen[:, 0].max(initial=0.0))
    margin = (best - semantic[min(MARGIN_TO, len(semantic)) - 1][1]) / scale if semantic else 0.0
    conditions = (overlap, min(top / floor, MOST_RARITY), margin, 0.0 if knows_language else 1.0)
    conditional = own[:, [SIGNS.index(sign) for sign in CONDITIONAL]]
    return np.column_stack([own, *(conditional * condition for condition in conditions)])
