"""Turns texts into windows of token ids that a model takes, and loses no token.

Owns the tokenizer of a prepared model: SentencePiece's for a `.model` file, else a
`tokenizer.json`. Safe to use from many threads at once: nothing is set on it after loading.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import sentencepiece
from numpy.typing import NDArray
from tokenizers import Tokenizer

Ids = NDArray[np.int32]
Encode = Callable[[list[str]], list[list[int]]]
# An encoding of `tokenizers` costs some 100 bytes a token until it is released; a slice bounds that.
TEXTS_AT_ONCE = 64


class WindowTokenizer:
    """Cuts texts into windows of at most max_tokens ids, its two marks and the prefix included."""

    def __init__(self, path: Path, max_tokens: int) -> None:
        """Load a tokenizer. Raises what its library raises when the file cannot be read."""
        load = _load_unigram if path.suffix == ".model" else _load_json
        self._encode, self._before, self._after = load(path)
        self._max_tokens = max_tokens

    def windows(self, texts: Sequence[str], prefix: str) -> Iterator[list[Ids]]:
        """Yield each text's windows, at least one, in the order of the texts.

        Every window starts with the prefix, as the model was trained, and holds the marks of beginning
        and end that the model has; the tokens between are consecutive and none is left out. A text without
        any token, for a model without marks, is one token 0.
        """
        lead = [*self._before, *self._encode([prefix])[0]]
        room = self._max_tokens - len(lead) - len(self._after)
        for start in range(0, len(texts), TEXTS_AT_ONCE):
            some = [_encodable(text) for text in texts[start : start + TEXTS_AT_ONCE]]
            for ids in self._encode(some):
                parts = [ids[at : at + room] for at in range(0, max(len(ids), 1), room)]
                yield [np.array([*lead, *part, *self._after] or [0], np.int32) for part in parts]


def _load_unigram(path: Path) -> tuple[Encode, list[int], list[int]]:
    """Return how a SentencePiece model encodes, and the ids of its marks at the beginning and the end."""
    processor = sentencepiece.SentencePieceProcessor(model_file=str(path))

    def encode(texts: list[str]) -> list[list[int]]:
        # Newer releases of the rule keep a zero-width joiner, which the model has never seen.
        texts = [text.replace("\u200d", " ") for text in texts]
        ids: list[list[int]] = processor.encode(texts, out_type=int, num_threads=1)
        return ids

    return encode, [processor.bos_id()], [processor.eos_id()]


def _load_json(path: Path) -> tuple[Encode, list[int], list[int]]:
    """Return how a `tokenizer.json` encodes, and the ids of its marks at the beginning and the end."""
    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.no_truncation()
    tokenizer.no_padding()

    def encode(texts: list[str]) -> list[list[int]]:
        return [found.ids for found in tokenizer.encode_batch_fast(texts, add_special_tokens=False)]

    marked, bare = tokenizer.encode("a").ids, encode(["a"])[0]
    at = next(at for at in range(len(marked)) if marked[at : at + len(bare)] == bare)
    return encode, marked[:at], marked[at + len(bare) :]


def _encodable(text: str) -> str:
    """Return the text without lone surrogates, which no tokenizer can take."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")
