"""What was written since the index of words last took rows in, ranked beside it.

LanceDB reads such rows one by one at each search, 5 to 10 µs each. Their words are kept here instead, so that
a search asks LanceDB for its indexed rows alone. Scores are BM25 as Lance computes it (k1 1.2, b 0.75), over
the counts of the vocabulary, so that both lists rank as one.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pai_daemon.context.store.vocabulary import Vocabulary, words_by_text

K1, B = 1.2, 0.75
# More than upkeep lets come together at 400,000 chunks.
MAX_ROWS = 20_000

Ints = NDArray[np.int32]


def _no_ints() -> Ints:
    return np.empty(0, np.int32)


@dataclass(frozen=True, slots=True)
class Rows:
    """What was written, at one instant.

    ids: of each row. places: in which row a chunk stands now, None where it is gone. words, owners: of each
    word of all rows its number, and the row it stands in. lengths: (rows,), the words of each. numbers: of
    each word; later rows share it.
    """

    ids: tuple[str, ...] = ()
    places: Mapping[str, int | None] = field(default_factory=dict)
    words: Ints = field(default_factory=_no_ints)
    owners: Ints = field(default_factory=_no_ints)
    lengths: Ints = field(default_factory=_no_ints)
    numbers: dict[str, int] = field(default_factory=dict)


class Tail:
    """The words of what was written. One thread writes; any thread ranks.

    rows: None while there are rows in no index that this process did not write, or too many. clearings: how
    often it was cleared; to be looked at after the rows.
    """

    def __init__(self, rows: Rows | None) -> None:
        self.rows = rows
        self.clearings = 0

    def write(self, texts: Mapping[str, str], gone: Collection[str]) -> None:
        """Take in chunks, by id, and say which are gone."""
        rows = self.rows
        if rows is None:
            return
        start = len(rows.ids)
        if start + len(texts) > MAX_ROWS:
            self.rows = None
            return
        words, owners = words_by_text(pa.array(texts.values(), pa.string()))
        encoded = words.dictionary_encode()
        known = [rows.numbers.setdefault(word, len(rows.numbers)) for word in encoded.dictionary.to_pylist()]
        numbers = np.array(known, np.int32)[encoded.indices.to_numpy()]
        places = {item: start + row for row, item in enumerate(texts)}
        self.rows = Rows(
            rows.ids + tuple(texts),
            {**rows.places, **dict.fromkeys(gone), **places},
            np.concatenate([rows.words, numbers]),
            np.concatenate([rows.owners, owners.to_numpy().astype(np.int32) + np.int32(start)]),
            np.concatenate([rows.lengths, np.bincount(owners, minlength=len(texts)).astype(np.int32)]),
            rows.numbers,
        )

    def clear(self, *, is_whole: bool) -> None:
        """Forget everything; is_whole: the index of words knows all rows now."""
        self.clearings += 1
        self.rows = Rows() if is_whole else None


def rank(rows: Rows, words: Sequence[str], known: Vocabulary) -> dict[str, float]:
    """Return the BM25 score of every chunk that stands in these rows and has one of the words.

    words: of a query, as `words_in` writes them; one that is there twice counts twice. known: the words of
    all chunks, of these too where it was read after they were written. Source: Robertson and Zaragoza 2009,
    with the idf of Lucene.
    """
    count = len(rows.ids)
    scores = np.zeros(count)
    text_count = max(known.text_count, count)
    norms = K1 * (1 - B + B * rows.lengths * known.text_count / max(known.length, 1))
    for word, times in Counter(words).items():
        number = rows.numbers.get(word)
        if number is not None:
            often = np.bincount(rows.owners[rows.words == number], minlength=count)
            texts = max(known.count(word), int(np.count_nonzero(often)))
            idf = math.log(1 + (text_count - texts + 0.5) / (texts + 0.5))
            scores += times * idf * (K1 + 1) * often / (often + norms)
    found = np.flatnonzero(scores).tolist()
    return {rows.ids[row]: float(scores[row]) for row in found if rows.places[rows.ids[row]] == row}
