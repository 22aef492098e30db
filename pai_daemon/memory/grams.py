"""Which facts share letters with a question: BM25 over runs of four letters, changed row by row.

A fact is a sentence, so it rarely has the question's word in the question's form. Runs of letters meet across
endings and in German compounds ("Schilddrüsentabletten", "Schilddrüse"), without a stemmer of each language.
Source: McNamee and Mayfield 2004, "Character N-Gram Tokenization for European Language Text Retrieval".
"""

from __future__ import annotations

import math
import re
from array import array

import numpy as np

from pai_daemon.context.highlights import fold_letters
from pai_daemon.context.vectors import Floats
from pai_daemon.notes.language import stop_words

LENGTH = 4
_K1, _B = 1.2, 0.75
_WORD = re.compile(r"\w+")
# What most questions have and most facts, beside the commonest words.
_ASKING = "i my me mein meine meiner meinen ich wir uns unser our we do does did habe was is what wie"
_STOP = {fold_letters(word) for language in ("en", "de") for word in stop_words(language)} | {
    *_ASKING.split()
}


def grams_of(text: str) -> frozenset[str]:
    """Return the runs of letters of a text; a word that is no longer is one itself."""
    found: set[str] = set()
    for word in _WORD.findall(fold_letters(text)):
        if word not in _STOP and len(word) > 1:
            found.update(word[i : i + LENGTH] for i in range(max(1, len(word) - LENGTH + 1)))
    return frozenset(found)


class Grams:
    """The runs of letters of numbered facts. Nothing of a removed one stays."""

    def __init__(self) -> None:
        self._rows: dict[str, array[int]] = {}
        self._length = np.zeros(0, np.float32)
        self._count = 0
        self._total = 0

    def add(self, row: int, text: str) -> None:
        """Take in a fact under a number that is free."""
        grams = grams_of(text)
        for gram in grams:
            self._rows.setdefault(gram, array("i")).append(row)
        if row >= len(self._length):
            grown = np.zeros(max(64, row + 1, len(self._length) * 5 // 4), np.float32)
            grown[: len(self._length)] = self._length
            self._length = grown
        self._length[row] = len(grams)
        self._count += 1
        self._total += len(grams)

    def remove(self, row: int, text: str) -> None:
        """Take out a fact; text: as it was added."""
        grams = grams_of(text)
        for gram in grams:
            rows = self._rows[gram]
            rows.remove(row)
            if not rows:
                del self._rows[gram]
        self._length[row] = 0
        self._count -= 1
        self._total -= len(grams)

    def scores(self, question: str, rows: int) -> Floats:
        """Return the BM25 of each row below a number: (rows,) float32."""
        scores = np.zeros(rows, np.float32)
        if not self._count:
            return scores
        mean = max(1.0, self._total / self._count)
        norm = 1 + np.float32(_K1) * (np.float32(1 - _B) + np.float32(_B / mean) * self._length[:rows])
        for gram in grams_of(question):
            if (posted := self._rows.get(gram)) is not None:
                share = (self._count - len(posted) + 0.5) / (len(posted) + 0.5)
                found = np.frombuffer(posted, np.int32)
                scores[found] += np.float32(math.log(1 + share) * (1 + _K1)) / norm[found]
        return scores
