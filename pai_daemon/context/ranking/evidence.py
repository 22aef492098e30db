"""What speaks for each of the first candidates of a search, looked at a second time, with their text. Pure.

The legs know a chunk by two figures. Here its words are seen: how many of the question's it has, weighed by
how rare they are, how close together, in which order, and whether the title says them. What holds for the
whole question, as whether the model knows its language, is evidence too: it makes the legs count more or
less (D77).
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pai_daemon.context.store.rows import StoredChunk
from pai_daemon.context.store.vocabulary import Vocabulary, words_by_text, words_in
from pai_daemon.notes.language import is_stop_word

Table = NDArray[np.float64]
# Of each candidate. A leg's figure that it has not is that of the leg's last.
SIGNS = (
    "meaning",
    "meaning share",
    "words",
    "words share",
    "both",
    "has",
    "near",
    "pairs",
    "title",
    "length",
)
# Of the question; each makes every sign count more or less.
CONDITIONS = ("overlap", "rarity", "margin", "unknown language")
FEATURES = (*SIGNS, *(f"{sign}, {condition}" for condition in CONDITIONS for sign in SIGNS))
# Words as far apart as in a long sentence.
WINDOW_WORDS = 20
# Inflected forms are told to be one word by so many letters at their beginning.
STEM_LETTERS = 5
RARITY = 1.75
# Beside the words that name something, those that every text has are worth so much.
COMMON_WORTH = 0.1
MAX_WORDS = 64


@dataclass(frozen=True, slots=True)
class Question:
    """The words of a question, folded, each once, and what each is worth: (len(stems),)."""

    stems: Mapping[str, int]
    worth: NDArray[np.float64]
    pairs: frozenset[tuple[int, int]]


def stem(word: str) -> str:
    """Return the beginning of a word that its inflected forms share."""
    return word[: max(STEM_LETTERS, len(word) - 3)] if word.isalpha() else word


def question_of(text: str, known: Vocabulary) -> Question:
    """Return what a question asks for. known: the words of all chunks, for how rare each is."""
    words: list[str] = words_in(pa.array([text], pa.string())).to_pylist()[:MAX_WORDS]
    stems: dict[str, int] = {}
    worth: list[float] = []
    places = []
    for word in words:
        place = stems.setdefault(stem(word), len(worth))
        if place == len(worth):
            count = known.count(word)
            idf = math.log(1 + (known.text_count - count + 0.5) / (count + 0.5)) if known.text_count else 1.0
            worth.append(idf * (COMMON_WORTH if is_stop_word(word) else 1.0))
        places.append(place)
    return Question(stems, np.array(worth), frozenset(zip(places, places[1:], strict=False)))


def signs(asked: Question, chunks: Sequence[StoredChunk]) -> Table:
    """Return of each chunk has, near, pairs, title and length: (len(chunks), 5)."""
    table = np.zeros((len(chunks), 5))
    total = asked.worth.sum() if len(asked.worth) else 0.0
    texts = [chunk.content for chunk in chunks]
    titles = [" ".join((chunk.title, *chunk.heading_path)) for chunk in chunks]
    words, owners = words_by_text(pa.array(texts + titles, pa.string()))
    encoded = words.dictionary_encode()
    matched = np.array([_match(asked, word) for word in encoded.dictionary.to_pylist()] or [-1], np.int64)
    numbers = matched[encoded.indices.to_numpy()] if len(words) else np.empty(0, np.int64)
    starts = np.searchsorted(owners.to_numpy(), np.arange(2 * len(chunks) + 1))
    for row in range(len(chunks)):
        said = numbers[starts[row] : starts[row + 1]]
        at = np.flatnonzero(said >= 0)
        table[row, 4] = math.log(1 + len(said))
        if not len(at) or total <= 0:
            continue
        found = said[at].tolist()
        table[row, 0] = asked.worth[np.unique(said[at])].sum() / total
        table[row, 1] = _nearest(found, at.tolist(), asked.worth.tolist()) / total
        beside = zip(found, found[1:], np.diff(at).tolist(), strict=False)
        pairs = {pair for *pair_, gap in beside if gap <= 2 and (pair := tuple(pair_)) in asked.pairs}
        table[row, 2] = len(pairs) / max(1, len(asked.pairs))
        named = numbers[starts[len(chunks) + row] : starts[len(chunks) + row + 1]]
        table[row, 3] = asked.worth[np.unique(named[named >= 0])].sum() / total
    return table


def _match(asked: Question, word: str) -> int:
    """Return which word of the question a word of a text is, -1 for none."""
    return asked.stems.get(stem(word), -1)


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
    own = np.column_stack(
        [meaning, shares, scores / floor, word_shares, shares * word_shares, *seen.T[:4], seen[:, 4]]
    )
    overlap = float(seen[:, 0].max(initial=0.0))
    margin = (best - semantic[min(9, len(semantic) - 1)][1]) / scale if semantic else 0.0
    conditions = (overlap, min(top / floor, 3.0), margin, 0.0 if knows_language else 1.0)
    return np.column_stack([own, *(own * condition for condition in conditions)])
