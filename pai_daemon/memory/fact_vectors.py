"""The embeddings of facts on disk, so that a start embeds none again; what is forgotten is overwritten.

A fact stands in a chunk with others, whose embedding says little of it, so each has one of its own (D83).
They are a cache: one SQLite file for a model, by the hash of the text. SQLite writes zeros over what is
deleted (`secure_delete`), and its journal is cut off after each commit.
"""

from __future__ import annotations

import hashlib
import logging
import sqlite3
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np

from pai_daemon.context.space import ModelName
from pai_daemon.context.vectors import Floats
from pai_daemon.errors import DiskFull, PaiError

log = logging.getLogger(__name__)
BATCH = 64
# SQLite takes at least so many parameters in one statement.
READ_AT_ONCE = 900
FILE = "facts-{}.sqlite"

Embed = Callable[[Sequence[str]], Floats]


class FactVectors:
    """The embeddings of one model. One thread at a time may use it."""

    def __init__(self, folder: Path, model: ModelName) -> None:
        """Open or make the file in a folder; files of other models, and one that is damaged, are removed."""
        self.model = model
        name = hashlib.sha256(model.fingerprint.encode()).hexdigest()[:16]
        self.path = folder / FILE.format(name)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for other in folder.glob(FILE.format("*") + "*"):
            if not other.name.startswith(self.path.name):
                other.unlink(missing_ok=True)
        try:
            self._file = self._open()
        except sqlite3.DatabaseError:
            log.warning("The embeddings of facts in %s are damaged and are made anew.", self.path)
            for part in folder.glob(self.path.name + "*"):
                part.unlink(missing_ok=True)
            self._file = self._open()

    def _open(self) -> sqlite3.Connection:
        file = sqlite3.connect(self.path, check_same_thread=False)
        try:
            file.execute("PRAGMA secure_delete = ON")
            file.execute("PRAGMA journal_mode = TRUNCATE")
            file.execute("CREATE TABLE IF NOT EXISTS facts (key BLOB PRIMARY KEY, vector BLOB) WITHOUT ROWID")
            file.commit()
            if file.execute("PRAGMA quick_check").fetchone() != ("ok",):
                raise sqlite3.DatabaseError("damaged")
        except sqlite3.DatabaseError:
            file.close()
            raise
        self.path.chmod(0o600)
        return file

    def __len__(self) -> int:
        """Return how many texts are embedded."""
        return int(self._file.execute("SELECT count(*) FROM facts").fetchone()[0])

    def keep(self, texts: Collection[str]) -> int:
        """Drop the embedding of every other text; return how many went."""
        wanted = {key_of(text) for text in texts}
        known = [key for (key,) in self._file.execute("SELECT key FROM facts")]
        return self._delete([key for key in known if key not in wanted])

    def drop(self, texts: Collection[str]) -> int:
        """Drop the embeddings of these texts; return how many there are at most."""
        return self._delete([key_of(text) for text in texts])

    def _delete(self, keys: Sequence[bytes]) -> int:
        if keys:
            with self._commit():
                self._file.executemany("DELETE FROM facts WHERE key = ?", [(key,) for key in keys])
        return len(keys)

    def of(self, texts: Sequence[str], embed: Embed | None) -> dict[str, Floats]:
        """Return the embeddings of texts, (dimensions,) float32 each; what is new is embedded, and kept.

        Each batch is committed, so a stop costs one at most. embed: None while no model is there: then the
        new ones are left out. Raises DiskFull, and what `embed` raises.
        """
        found = self._read({key_of(text): text for text in texts})
        missing = [text for text in dict.fromkeys(texts) if text not in found]
        for start in range(0, len(missing) if embed is not None else 0, BATCH):
            assert embed is not None
            batch = missing[start : start + BATCH]
            vectors = embed(batch)
            rows = [
                (key_of(text), vector.astype("<f4").tobytes())
                for text, vector in zip(batch, vectors, strict=True)
            ]
            with self._commit():
                self._file.executemany("INSERT OR REPLACE INTO facts VALUES (?, ?)", rows)
            found.update(zip(batch, vectors, strict=True))
        return found

    def _read(self, texts: Mapping[bytes, str]) -> dict[str, Floats]:
        found: dict[str, Floats] = {}
        keys = list(texts)
        for start in range(0, len(keys), READ_AT_ONCE):
            some = keys[start : start + READ_AT_ONCE]
            marks = ",".join("?" * len(some))
            for key, stored in self._file.execute(
                f"SELECT key, vector FROM facts WHERE key IN ({marks})",  # noqa: S608 - question marks only
                some,
            ):
                if len(stored) == self.model.dimensions * 4:
                    found[texts[key]] = np.frombuffer(stored, "<f4").astype(np.float32)
        return found

    @contextmanager
    def _commit(self) -> Iterator[None]:
        try:
            with self._file:
                yield
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode == sqlite3.SQLITE_FULL:
                raise DiskFull(f"There is no space left for {self.path}.") from error
            raise PaiError(f"The embeddings of facts cannot be written: {error}.") from error

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def keep_only(folder: Path, texts: Collection[str]) -> None:
    """Drop the embeddings of every other text from the files of all models; a damaged file goes whole.

    For as long as no model is loaded: what was forgotten meanwhile does not wait for one.
    """
    wanted = {key_of(text) for text in texts}
    for path in sorted(folder.glob(FILE.format("*"))):
        try:
            with closing(sqlite3.connect(path)) as file, file:
                file.execute("PRAGMA secure_delete = ON")
                file.execute("PRAGMA journal_mode = TRUNCATE")
                known = [key for (key,) in file.execute("SELECT key FROM facts")]
                gone = [(key,) for key in known if key not in wanted]
                file.executemany("DELETE FROM facts WHERE key = ?", gone)
        except sqlite3.DatabaseError as error:  # they are but a cache
            log.warning("The embeddings of facts in %s are removed: %s", path, error)
            for part in folder.glob(path.name + "*"):
                part.unlink(missing_ok=True)


def key_of(text: str) -> bytes:
    """Return what the embedding of a text is found by."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
