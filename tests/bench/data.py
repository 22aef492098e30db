"""What the benches run on: real vaults and question sets where they are, else our sample vault."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from tests.bench.report import ROOT

BENCH_DATA = Path(os.environ.get("PAI_BENCH_DATA", ROOT.parent / "shared" / "bench-data"))
SAMPLE_VAULT = ROOT / "scripts" / "sample-vault"


@dataclass(frozen=True, slots=True)
class Question:
    """A question and where its answer stands: note, and code points of the note's text."""

    text: str
    path: str
    start: int
    end: int
    answer: str


def unpack(name: str, target: Path) -> Path | None:
    """Unpack one archive of the bench data into a folder; None where the data is not here."""
    archive = BENCH_DATA / f"{name}.tar.zst"
    if not archive.exists():
        return None
    with (
        pa.CompressedInputStream(pa.OSFile(str(archive)), "zstd") as stream,
        tarfile.open(fileobj=stream, mode="r|") as tar,
    ):
        tar.extractall(target, filter="data")
    return target / name


def vault(name: str, target: Path) -> tuple[Path, str]:
    """Return a copy of a real vault, or of the sample vault, and what to call it in a row."""
    found = unpack(name, target)
    if found is not None:
        return found, name
    copy = target / "sample-vault"
    shutil.copytree(SAMPLE_VAULT, copy)
    return copy, "sample-vault"


def question_vault(name: str, folder: Path, scratch: Path) -> list[Question]:
    """Write one note an article of a SQuAD file, one paragraph a context; return the questions.

    Empty where the bench data is not here.
    """
    source = unpack("qa", scratch)
    if source is None:
        return []
    folder.mkdir(parents=True)
    questions: list[Question] = []
    for number, article in enumerate(json.loads((source / f"{name}.json").read_text("utf-8"))["data"]):
        path = f"{note_name(article['title'], number)}.md"
        text = ""
        for paragraph in article["paragraphs"]:
            questions += _questions(paragraph, path, len(text))
            text += paragraph["context"].replace("\n", " ") + "\n\n"
        (folder / path).write_text(text, "utf-8", newline="")
    return questions


def _questions(paragraph: dict[str, Any], path: str, offset: int) -> Iterator[Question]:
    for asked in paragraph["qas"]:
        if asked.get("answers"):
            answer = asked["answers"][0]
            start = offset + int(answer["answer_start"])
            yield Question(asked["question"], path, start, start + len(answer["text"]), answer["text"])


def note_name(title: str, number: int) -> str:
    """Return a file name for an article, without its ending."""
    kept = "".join(char if char.isalnum() or char in " -" else " " for char in title)
    return " ".join(kept.split()) or f"Article {number}"


def sample_questions() -> list[Question]:
    """Return the questions about the sample vault; each answer is found in its note."""
    questions = []
    for asked in json.loads((Path(__file__).parent / "sample_questions.json").read_text("utf-8")):
        text = (SAMPLE_VAULT / asked["path"]).read_text("utf-8")
        start = text.index(asked["answer"])
        questions.append(
            Question(asked["question"], asked["path"], start, start + len(asked["answer"]), asked["answer"])
        )
    return questions


def is_reported(path: str) -> bool:
    """Return whether a note, by the hash of its path, is of the half that nothing is fitted to."""
    return hashlib.sha256(path.encode()).digest()[0] % 2 == 1


@contextmanager
def quiet_folder(folder: Path) -> Iterator[Path]:
    """Give an empty folder and remove it afterwards."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
