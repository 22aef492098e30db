"""Measures `pai_daemon/models/encoder/ranges.json`: `python -m tests.bench.ranges` prints it anew.

Every batch of real texts in two languages tells a range for each dense layer's input; a rather narrow one is
kept. The widest would spend steps on values that hardly occur (D37).
"""

from __future__ import annotations

import json
import random
import tempfile
from pathlib import Path

from pai_daemon.models.calibrate import observe
from pai_daemon.models.encoder.bert import write_encoder
from pai_daemon.models.encoder.graph import Form
from pai_daemon.models.prepare import opened_weights, prepare
from pai_daemon.models.registry import Profile, profile
from pai_daemon.models.tokens import Ids, WindowTokenizer
from tests.bench.data import unpack

VAULTS = ("vault-tasks-docs-en", "vault-universus-de", "vault-zettelkasten-en")
NOTES = 60
# Windows of one length a batch, as the planner makes them of a long queue, and single questions.
QUESTION_WORDS = 8


def texts(scratch: Path) -> list[str]:
    """Return pieces of real notes of many lengths; needs the bench data."""
    choose = random.Random(5)
    found = []
    for name in VAULTS:
        vault = unpack(name, scratch)
        assert vault is not None, "the bench data is not here"
        for note in choose.sample(sorted(vault.rglob("*.md")), NOTES):
            text = note.read_text("utf-8", "replace").strip()[: choose.randrange(20, 1_200)]
            found += [text] if text else []
    return found


def measure(profile: Profile, pieces: list[str], scratch: Path) -> list[list[float]]:
    """Return the range of each dense layer's input that a quarter of all batches keep within, at each end."""
    prepared = prepare(profile, scratch / "cache")
    tokenizer = WindowTokenizer(prepared.tokenizer, profile.max_tokens)
    questions = [" ".join(piece.split()[:QUESTION_WORDS]) for piece in pieces]
    windows: list[Ids] = [
        window
        for some, prefix in ((pieces, profile.passage_prefix), (questions, profile.query_prefix))
        for of_text in tokenizer.windows(some, prefix)
        for window in of_text
    ]
    folder = scratch / profile.name
    folder.mkdir()
    with opened_weights(profile, scratch, folder) as weights:
        write_encoder(weights, folder / "model.onnx", Form("int8"), pooling=profile.pooling)
    return [[found.low, found.high] for found in observe(folder / "model.onnx", profile, windows)]


def main() -> None:
    """Print the ranges of every model."""
    with tempfile.TemporaryDirectory(prefix="pai-ranges-") as folder:
        scratch = Path(folder)
        pieces = texts(scratch)
        lines = (
            f'"{known.name}": {json.dumps(measure(known, pieces, scratch))}'
            for known in map(profile, ("e5", "small"))
        )
        print("{\n" + ",\n".join(lines) + "\n}")


if __name__ == "__main__":
    main()
