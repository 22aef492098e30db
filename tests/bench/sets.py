"""Questions whose passage is known, the vaults they are asked of, and their indexes, made once.

English: SQuAD 2.0 (8 articles of the development set) and XQuAD in one vault, so that more passages stand
in the way. German: XQuAD. Across: the German questions, asked of the English vault. One note an article.
A set's halves part by the hash of the article, the same in both languages: no passage is tuned on and
reported, nor its translation.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pai_daemon.context.index import Index
from pai_daemon.context.passage import Passage
from pai_daemon.context.search import Searcher
from pai_daemon.context.space import EmbeddingModel, ModelName
from pai_daemon.context.store.rows import SCHEMA_VERSION, chunk_id
from tests.bench.bench import indexed
from tests.bench.data import is_reported, note_name, unpack

CACHE = Path(os.environ.get("PAI_BENCH_CACHE", Path(tempfile.gettempdir()) / "pai-bench-quality"))
FILES: Mapping[str, tuple[str, ...]] = {"en": ("squad-v2-dev-part-a", "xquad.en"), "de": ("xquad.de",)}
# Of each set: whose questions, and of which vault they are asked.
SETS: Mapping[str, tuple[str, str]] = {
    "SQuAD": ("squad-v2-dev-part-a", "en"),
    "XQuAD en": ("xquad.en", "en"),
    "XQuAD de": ("xquad.de", "de"),
    "German on English": ("xquad.de", "en"),
}
# Real vaults whose titles and headings are asked for, so that names are not forgotten over questions.
NAMED = ("vault-tasks-docs-en", "vault-universus-de")
NAMES_ASKED = 300
MIN_NAME_LETTERS = 4
# The sets that stand together for a language; a question that is in two counts once.
POOLED: Mapping[str, tuple[str, ...]] = {
    "English": ("SQuAD", "XQuAD en"),
    "German": ("XQuAD de",),
    "across": ("German on English",),
}


@dataclass(frozen=True, slots=True)
class Place:
    """Where an answer stands: the note, and the code points of its text."""

    path: str
    start: int
    end: int

    def is_in(self, path: str, start: int, end: int) -> bool:
        """Return whether the answer is within a span of a note."""
        return path == self.path and start <= self.start and self.end <= end


@dataclass(frozen=True, slots=True)
class Asked:
    """A question. key: its id. places: where its answer stands."""

    key: str
    text: str
    places: tuple[Place, ...]

    @property
    def is_reported(self) -> bool:
        """Return whether its article is of the half that is not for tuning."""
        return is_reported(self.places[0].path)

    def rank(self, passages: Sequence[Passage]) -> int | None:
        """Return at which place, from 1, the first passage stands that holds the answer."""
        for rank, passage in enumerate(passages, start=1):
            span = (passage.path, passage.start_char, passage.end_char)
            if any(place.is_in(*span) for place in self.places):
                return rank
        return None


@dataclass(frozen=True, slots=True)
class Ready:
    """A vault that is indexed. places: of each question that has its answer in it."""

    searcher: Searcher
    places: Mapping[str, tuple[Place, ...]]


def has_sets() -> bool:
    """Return whether the question sets are here."""
    return _source() is not None


def questions(name: str, ready: Ready) -> list[Asked]:
    """Return the questions of a set, in the order of its file, or the names of a named vault."""
    if name in NAMED:
        return [Asked(text, text, places) for text, places in ready.places.items()]
    return [
        Asked(asked["id"], asked["question"].strip(), places)
        for article in _articles(SETS[name][0])
        for paragraph in article["paragraphs"]
        for asked in paragraph["qas"]
        if (places := ready.places.get(asked["id"]))
    ]


def write_vault(language: str, folder: Path) -> dict[str, tuple[Place, ...]]:
    """Write one note an article, one paragraph a context, each once; return the places by question."""
    folder.mkdir(parents=True, exist_ok=True)
    texts: dict[str, str] = {}
    places: dict[str, tuple[Place, ...]] = {}
    for name in FILES[language]:
        for number, article in enumerate(_articles(name)):
            path = f"{note_name(article['title'].replace('_', ' '), number)}.md"
            for paragraph in article["paragraphs"]:
                context = paragraph["context"].replace("\n", " ")
                text = texts.get(path, "")
                offset = text.find(context)
                if offset < 0:
                    offset, texts[path] = len(text), f"{text}{context}\n\n"
                for asked in paragraph["qas"]:
                    if answers := asked.get("answers"):
                        start = offset + int(answers[0]["answer_start"])
                        place = Place(path, start, start + len(answers[0]["text"]))
                        known = places.get(asked["id"], ())
                        places[asked["id"]] = known if place in known else (*known, place)
    for path, text in texts.items():
        (folder / path).write_text(text, "utf-8", newline="")
    return places


@contextmanager
def ready_vault(source: str, embedder: EmbeddingModel) -> Iterator[Ready]:
    """Open the index of a vault; the first time it is made, and kept for as long as it would be the same.

    source: of FILES or NAMED. The places of a named vault are those of its titles and headings.
    """
    kept = CACHE / f"{source}-{embedder.profile.fingerprint[:12]}-{SCHEMA_VERSION}"
    vault, folder, done = (kept / part for part in ("vault", "index", "done"))
    if not done.exists():
        shutil.rmtree(kept, ignore_errors=True)
    places: Mapping[str, tuple[Place, ...]] = {}
    if source in FILES:
        places = write_vault(source, vault)
    elif not done.exists():
        unpacked = unpack(source, kept)
        assert unpacked is not None, "the vault is not here"
        unpacked.rename(vault)
    if not done.exists():
        with indexed(vault, folder, embedder):
            pass
        done.touch()
    index = Index(folder, ModelName.of(embedder.profile))
    index.use(embedder)
    if (reading := index.store.chunks.vocabulary.renew()) is not None:
        reading.join()
    yield Ready(Searcher(vault, index), places or _names(index))


def _names(index: Index) -> dict[str, tuple[Place, ...]]:
    """Return some titles, and headings of one note alone, and all passages that are under each."""
    ids = [
        chunk_id(note.path, ordinal)
        for note in index.catalog.notes()
        for ordinal in range(len(note.vector_keys))
    ]
    named: dict[tuple[str, str], list[Place]] = {}
    for chunk in index.store.chunks.get(ids).values():
        place = Place(chunk.path, chunk.start_char, chunk.end_char)
        for kind, name in (("title", chunk.title), *(("heading", each) for each in chunk.heading_path[-1:])):
            plain = " ".join(re.sub(r"[^\w ]", " ", name).lower().split())
            if len(plain) >= MIN_NAME_LETTERS and not plain.isdigit():
                named.setdefault((kind, plain), []).append(place)
    clear = [
        (name, tuple(places))
        for (kind, name), places in named.items()
        if kind == "title" or len({place.path for place in places}) == 1
    ]
    clear.sort(key=lambda pair: hashlib.sha256(pair[0].encode()).digest())
    return dict(clear[:NAMES_ASKED])


def _articles(name: str) -> list[dict[str, Any]]:
    source = _source()
    assert source is not None, "the question sets are not here"
    return json.loads((source / f"{name}.json").read_text("utf-8"))["data"]  # type: ignore[no-any-return]


def _source() -> Path | None:
    folder = CACHE / "qa"
    if folder.is_dir():
        return folder
    CACHE.mkdir(parents=True, exist_ok=True)
    return unpack("qa", CACHE)
