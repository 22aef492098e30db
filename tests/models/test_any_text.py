"""Whatever a text is, its embedding has the right shape, length 1 and no gaps; all of the text counts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pai_daemon.models.embedder import Embedder

ODD = {
    "empty": "",
    "blank": " \n\t\u00a0\u3000",
    "NUL": "\0\0 between \0",
    "emoji": "😀👩‍👩‍👧🏳️‍🌈" * 40,
    "unknown scripts": "ꙮ ᚠᛇᚻ 𐎀𐎁𐎂 𓀀𓁐",
    "lone surrogates": "\ud800 half a pair \udfff",
    "marks of direction": "\u202eright to left\u202c\u200d\ufeff",
    "combining": "e" + "\u0301" * 500,
    "one word": "a" * 20_000,
    "a hundred kilobytes": "A heron stands in the river. " * 3_600,
}


@pytest.mark.parametrize("kind", ODD)
def test_odd_text_has_an_embedding(small_embedder: Embedder, kind: str) -> None:
    """No text breaks the model, and none gives anything but a vector of length 1."""
    found = small_embedder.embed_texts([ODD[kind]])
    assert found.shape == (1, small_embedder.dimensions)
    assert np.linalg.norm(found[0]) == pytest.approx(1, abs=1e-5)


@given(texts=st.lists(st.text(max_size=200), min_size=1, max_size=6))
@settings(max_examples=40, deadline=None)
def test_any_texts_have_embeddings(small_embedder: Embedder, texts: list[str]) -> None:
    """As many rows as texts, each of length 1."""
    found = small_embedder.embed_texts(texts)
    assert found.shape == (len(texts), small_embedder.dimensions)
    assert np.allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)


def test_thousands_of_tiny_texts_keep_their_places(small_embedder: Embedder) -> None:
    """Of many short texts each gets its own row, equal texts the same one."""
    texts = [f"{number % 50}" for number in range(2_000)]
    found = small_embedder.embed_texts(texts)
    assert found.shape == (2_000, small_embedder.dimensions)
    own = (found[:50] * found[1_950:]).sum(axis=1)
    assert float(own.min()) > 1 - 1e-5


@given(beside=st.lists(st.text(max_size=300), max_size=12), place=st.integers(0, 12))
@settings(max_examples=40, deadline=None)
def test_embedding_does_not_depend_on_the_texts_beside_it(
    small_embedder: Embedder, beside: list[str], place: int
) -> None:
    """Whatever a text is embedded with, it gets the vector that it gets alone."""
    text = "The heron stands in the river, and waits."
    place = min(place, len(beside))
    together = small_embedder.embed_texts([*beside[:place], text, *beside[place:]])[place]
    alone = small_embedder.embed_texts([text])[0]
    assert float(together @ alone) > 1 - 1e-5
