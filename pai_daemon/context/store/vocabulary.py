"""The words of a vault: what completes a word that is being typed, and what corrects one that no note has.

LanceDB has no query for the beginning of a word. Its fuzzy query takes 14 ms beside common words, counts two
letters in the wrong order as two errors, and does not see rows that its index does not know yet. So the words
are kept here too, and what completes or corrects a word joins the query as more words.

100,000 chunks are read in about 1 s, outside of the interpreter's lock; their 61,000 words take 1.2 MB.
"""

from __future__ import annotations

import logging
import threading
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pai_daemon.context.store.lance import release_memory
from pai_daemon.errors import PaiError

log = logging.getLogger(__name__)
MIN_PREFIX_LETTERS = 2
MAX_COMPLETIONS = 16
MIN_CORRECTED_LETTERS = 4
MIN_LETTERS_FOR_TWO_ERRORS = 8
MAX_CORRECTED_WORDS = 4
MAX_CORRECTIONS = 4
# The index of words leaves longer ones out.
MAX_WORD_BYTES = 40
# Scripts without spaces have no words that could be told apart here; the tokenizer of the index does it.
_BORDER = r"(?:\p{Han}|\p{Hiragana}|\p{Katakana}|\p{Thai}|\p{Lao}|\p{Khmer}|\p{Myanmar}|[^\p{L}\p{N}\p{M}])+"
# The same for ASCII; to read the other takes 1 ms, at each query.
_ASCII_BORDER = "[^a-z0-9]+"
# What the tokenizer folds besides marks.
_LETTERS = {"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d"}

Counts = NDArray[np.int64]


def words_in(texts: pa.Array) -> pa.Array:
    """Return all words of texts in their order, in lower case, Latin ones without accents."""
    return words_by_text(texts)[0]


def words_by_text(texts: pa.Array) -> tuple[pa.Array, pa.Array]:
    """Return all words of texts in their order, see `words_in`, and for each the number of its text."""
    # Other scripts keep their marks, as they do in the index: in Hindi a vowel is one.
    folded = pc.utf8_normalize(pc.utf8_lower(texts), form="NFD")
    folded = pc.replace_substring_regex(folded, r"([a-z])[\x{300}-\x{36f}]+", r"\1")
    folded = pc.utf8_normalize(folded, form="NFC")
    for letter, plain in _LETTERS.items():
        folded = pc.replace_substring(folded, letter, plain)
    border = _ASCII_BORDER if pc.all(pc.string_is_ascii(folded)).as_py() else _BORDER
    lists = pc.split_pattern_regex(folded, pattern=border)
    words = pc.list_flatten(lists)
    length = pc.binary_length(words)
    kept = pc.and_(pc.greater(length, 0), pc.less_equal(length, MAX_WORD_BYTES))
    return words.filter(kept), pc.list_parent_indices(lists).filter(kept)


class Vocabulary:
    """Words with how many texts they occur in. words: sorted; counts: (len(words),).

    text_count, length: how many texts there are, and how many words they have together.
    """

    def __init__(self, words: pa.Array, counts: Counts, text_count: int = 0, length: int = 0) -> None:
        self._words = words
        self._counts = counts
        self.text_count = text_count
        self.length = length

    @classmethod
    def of(cls, texts: Iterable[pa.Array]) -> Vocabulary:
        """Return the vocabulary of texts, which come in batches."""
        counted = [pa.table({"word": pa.array([], pa.string()), "count": pa.array([], pa.int64())})]
        text_count = length = 0
        for batch in texts:
            words, rows = words_by_text(batch)
            counted.append(_count(words, rows))
            text_count += len(batch)
            length += len(words)
        table = pa.concat_tables(counted).group_by("word").aggregate([("count", "sum")])
        table = table.sort_by("word").combine_chunks()
        words = pa.concat_arrays(table["word"].chunks) if len(table) else pa.array([], pa.string())
        return cls(words, table["count_sum"].to_numpy(), text_count, length)

    def __len__(self) -> int:
        """Return how many words there are."""
        return len(self._words)

    def __contains__(self, word: str) -> bool:
        """Return whether a word, written as `words_in` does, occurs."""
        return self.count(word) > 0

    def count(self, word: str) -> int:
        """Return how many texts have a word, written as `words_in` does."""
        place = self._place(word)
        return int(self._counts[place]) if place < len(self) and self._words[place].as_py() == word else 0

    def _place(self, word: str) -> int:
        return bisect_left(self._words, word, key=lambda found: found.as_py())

    def completions(self, beginning: str) -> list[str]:
        """Return the most frequent words that begin so, but for the beginning itself."""
        if len(beginning) < MIN_PREFIX_LETTERS:
            return []
        places = np.arange(self._place(beginning), self._place(beginning + chr(0x10FFFF)))
        found = self._most_frequent(places, MAX_COMPLETIONS + 1)
        return [word for word in found if word != beginning][:MAX_COMPLETIONS]

    def nearest(self, word: str) -> list[str]:
        """Return the most frequent of the words with the fewest typing errors between them and this one.

        An error is a letter that is missing, too many, wrong, or in the other's place; one is allowed, two
        in words of MIN_LETTERS_FOR_TWO_ERRORS. The first letter is taken to be right.
        """
        allowed = 2 if len(word) >= MIN_LETTERS_FOR_TWO_ERRORS else 1
        start = self._place(word[0])
        alike = self._words[start : self._place(word[0] + chr(0x10FFFF))]
        lengths = pc.utf8_length(alike).to_numpy()
        places = start + np.flatnonzero(np.abs(lengths - len(word)) <= allowed)
        if not len(places):
            return []
        errors = _errors(word, self._words.take(pa.array(places)).to_pylist())
        fewest = errors.min()
        return self._most_frequent(places[errors == fewest], MAX_CORRECTIONS) if fewest <= allowed else []

    def _most_frequent(self, places: NDArray[np.intp], limit: int) -> list[str]:
        best = places[np.argsort(-self._counts[places], kind="stable")[:limit]]
        found: list[str] = self._words.take(pa.array(best)).to_pylist()
        return found


def _count(words: pa.Array, rows: pa.Array) -> pa.Table:
    """Return each word once, and in how many texts it occurs; rows: the number of the text of each."""
    encoded = words.dictionary_encode()
    pairs = rows.to_numpy().astype(np.int64) * len(encoded.dictionary) + encoded.indices.to_numpy()
    counts = np.bincount(np.unique(pairs) % max(1, len(encoded.dictionary)))
    return pa.table({"word": encoded.dictionary, "count": pa.array(counts, pa.int64())})


def _errors(word: str, others: Sequence[str]) -> NDArray[np.int8]:
    """Return the optimal string alignment distance of a word to each of others: (len(others),).

    Source: Boytsov 2011, "Indexing methods for approximate dictionary searching", section 2.2.
    """
    width = max(map(len, others))
    letters = np.array(others, f"U{width}").view(np.uint32).reshape(len(others), width)
    steps = np.arange(width + 1, dtype=np.int8)
    row = np.tile(steps, (len(others), 1))
    row_before = row
    for place, letter in enumerate(word):
        new = row + np.int8(1)
        np.minimum(new[:, 1:], row[:, :-1] + (letters != ord(letter)), out=new[:, 1:])
        if place:
            swapped = (letters[:, :-1] == ord(letter)) & (letters[:, 1:] == ord(word[place - 1]))
            swaps = np.where(swapped, row_before[:, :-2] + np.int8(1), np.int8(127))
            np.minimum(new[:, 2:], swaps, out=new[:, 2:])
        # A letter that the other has too many, as often as it helps.
        row_before, row = row, np.minimum.accumulate(new - steps, axis=1) + steps
    return np.asarray(row[np.arange(len(others)), [len(other) for other in others]], np.int8)


class LazyVocabulary:
    """The vocabulary of texts that change: read at the first need, and anew at the first after upkeep.

    read: returns the texts in batches. known: what the last reading found; nothing before the first one is
    done. Any thread may call.
    """

    def __init__(self, read: Callable[[], Iterable[pa.Array]]) -> None:
        self._read = read
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._is_outdated = True
        self._written: list[pa.Array] = []
        self._new_words: set[str] = set()
        self.known = Vocabulary.of([])

    def add(self, texts: Sequence[str]) -> None:
        """Say what was written; its words count as known, and complete others after the next reading."""
        if len(self.known):
            with self._lock:
                self._written.append(pa.array(texts, pa.string()))

    def holds(self, word: str) -> bool:
        """Return whether a word, written as `words_in` does, is in the texts."""
        if word in self.known:
            return True
        with self._lock:
            while self._written:
                self._new_words.update(words_in(self._written.pop()).to_pylist())
            return word in self._new_words

    def outdate(self) -> None:
        """Say that the texts have changed."""
        self._is_outdated = True

    def renew(self) -> threading.Thread | None:
        """Begin to read the texts where that is due; return the thread that reads them, if one does."""
        with self._lock:
            if self._is_outdated and self._thread is None:
                self._is_outdated = False
                self._thread = threading.Thread(target=self._renew, name="vocabulary")
                self._thread.start()
            return self._thread

    def _renew(self) -> None:
        with self._lock:
            self._written, self._new_words = [], set()
        try:
            self.known = Vocabulary.of(self._read())
            release_memory()
        except PaiError as error:  # search goes on without; the next upkeep asks for it again
            log.warning("the words of the notes could not be read: %s", error.detail)
        finally:
            self._thread = None
