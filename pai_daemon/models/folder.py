"""Describes a model that lies in a folder of the person, from the files that its makers put there.

What sentence-transformers writes is read: `modules.json` with the pooling's settings, the prompts and the
longest sequence; `config.json` for the rest. A folder needs an ONNX file, or safetensors of an encoder of
the BERT family or of a static table, and `tokenizer.json`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pai_daemon.errors import UsageError
from pai_daemon.models.digests import sha256_of
from pai_daemon.models.encoder.checkpoint import CONFIG, KNOWN_TYPES, TOKENIZER, WEIGHTS
from pai_daemon.models.registry import Format, Pooling, Profile
from pai_daemon.models.sources import FolderSource

# Where ONNX files lie, the most precise first: this machine's own form is made from it.
ONNX_FILES = ("onnx/model.onnx", "model.onnx", "onnx/model_fp16.onnx", "onnx/model_quantized.onnx")
PLAIN_MODULES = {"Transformer", "Pooling", "Normalize"}
# Where nothing says how long a text may be.
DEFAULT_TOKENS = 512


def describe(folder: Path) -> Profile:
    """Return the profile of the model in a folder. Raises UsageError that says what is missing."""
    folder = folder.expanduser().resolve()
    if not folder.is_dir():
        raise UsageError(f"There is no folder {folder}.", hint="Name one as file:FOLDER.")
    files = _files(folder)
    if TOKENIZER not in files:
        raise UsageError(
            f"{folder} holds no {TOKENIZER}.",
            hint="Save the model with a fast tokenizer: tokenizer.save_pretrained(FOLDER) writes it.",
        )
    config = _read(folder / CONFIG)
    format_, needed = _format(folder, files, config)
    names = [TOKENIZER, *needed]
    pooling, prompts = _pooling(folder), _read(folder / "config_sentence_transformers.json")
    return Profile(
        name=folder.name.replace("@", "-"),
        source=FolderSource(folder, {name: sha256_of(folder / name) for name in names}),
        format=format_,
        dimensions=_dimensions(folder, config),
        max_tokens=_max_tokens(folder, config),
        licence="of its makers",
        pooling=pooling,
        query_prefix=_prompt(prompts, "query"),
        passage_prefix=_prompt(prompts, "document", "passage", "corpus"),
    )


def _files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def _format(folder: Path, files: set[str], config: Mapping[str, Any]) -> tuple[Format, list[str]]:
    """Return which kind of model it is, and the files that make it."""
    # A further layer behind the pooling is not in the weights that are read.
    kinds = {str(module.get("type", "")).rpartition(".")[2] for module in _modules(folder)}
    if WEIGHTS in files and config.get("model_type") in KNOWN_TYPES and kinds <= PLAIN_MODULES:
        return "bert", [WEIGHTS, CONFIG]
    if WEIGHTS in files and config.get("model_type") == "model2vec":
        return "static", [WEIGHTS]
    known = [name for name in ONNX_FILES if name in files]
    found = known or sorted(name for name in files if name.endswith(".onnx"))
    if not found:
        raise UsageError(
            f"{folder} holds neither an ONNX file nor {WEIGHTS} of a BERT encoder.",
            hint="Export one: optimum-cli export onnx --model NAME FOLDER.",
        )
    # Weights that lie beside a graph are named after it.
    beside = [name for name in files if name.startswith((f"{found[0]}_data", f"{found[0]}.data"))]
    return "onnx", [found[0], *sorted(beside)]


def _pooling(folder: Path) -> Pooling:
    """Return how hidden states become an embedding, the mean where nothing says."""
    for module in _modules(folder):
        if str(module.get("type", "")).endswith("Pooling"):
            settings = _read(folder / str(module.get("path", "")) / CONFIG)
            if settings.get("pooling_mode_cls_token") or settings.get("pooling_mode") == "cls":
                return "first"
            if settings.get("pooling_mode_lasttoken") or settings.get("pooling_mode") == "lasttoken":
                return "last"
    return "mean"


def _modules(folder: Path) -> list[dict[str, Any]]:
    try:
        found = json.loads((folder / "modules.json").read_text("utf-8"))
    except (OSError, ValueError):
        return []
    return [module for module in found if isinstance(module, dict)] if isinstance(found, list) else []


def _prompt(settings: Mapping[str, Any], *names: str) -> str:
    prompts = settings.get("prompts")
    found = (prompts[name] for name in names if isinstance(prompts, dict) and name in prompts)
    return str(next(found, "") or "")


def _max_tokens(folder: Path, config: Mapping[str, Any]) -> int:
    said = (
        _read(folder / "sentence_bert_config.json").get("max_seq_length"),
        _read(folder / "tokenizer_config.json").get("model_max_length"),
        config.get("max_position_embeddings"),
        config.get("seq_length"),
    )
    # A tokenizer that knows no limit names an absurd one.
    return next((int(each) for each in said if isinstance(each, int) and 8 <= each <= 32_768), DEFAULT_TOKENS)


def _dimensions(folder: Path, config: Mapping[str, Any]) -> int:
    for module in _modules(folder):
        settings = _read(folder / str(module.get("path", "")) / CONFIG)
        if str(module.get("type", "")).endswith("Dense") and isinstance(settings.get("out_features"), int):
            return int(settings["out_features"])
    said = (config.get("hidden_size"), config.get("hidden_dim"), config.get("dim"), config.get("d_model"))
    found = next((each for each in said if isinstance(each, int)), None)
    if found is None:
        raise UsageError(
            f"{folder / CONFIG} does not say how wide the embeddings are.",
            hint="Add the model to your models.toml instead, with its dimensions.",
        )
    return found


def _read(path: Path) -> dict[str, Any]:
    """Return a JSON object, an empty one where there is none."""
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
