"""LanceDB as the index uses it: the connection, its errors, and its kinds of index.

The only module that imports it; the tables that it hands out are used in `store` and `vector_table`.
It does so with the first connection: that takes a second, in which the port is open and health is told.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pyarrow as pa

from pai_daemon.context.store.words import Asked
from pai_daemon.errors import DiskFull, IndexUnavailable

# Splits CJK text and identifiers, folds accents, no stemming: one index serves every language. Positions,
# for phrases, take 6 MB and 0.3 s at 100,000 chunks, and no time from a search.
TOKENIZER = {
    "base_tokenizer": "icu/split",
    "stem": False,
    "remove_stop_words": False,
    "ascii_folding": True,
    "with_position": True,
}
# Thai, and from there on most of the scripts in which several words stand without a space between them.
SPACELESS = "\u0e00"
CACHE_BYTES = 16 * 1024 * 1024


def _library() -> Any:
    import lancedb  # noqa: PLC0415 - see above

    return lancedb


@contextmanager
def border(tell: Callable[[IndexUnavailable], None] = lambda _: None) -> Iterator[None]:
    """Translate LanceDB's errors, which are bare RuntimeErrors that only their text tells apart.

    tell: called with what may be damage.
    """
    try:
        yield
    except (RuntimeError, OSError, ValueError) as error:
        if "os error 28" in str(error) or "No space left" in str(error):
            raise DiskFull(
                "The disk that holds the index is full.",
                hint="Free some space; indexing goes on by itself. Nothing that was indexed is lost.",
            ) from error
        failure = IndexUnavailable(
            f"The index failed: {error}",
            hint="The daemon repairs it by itself; if that does not help, a restart does.",
        )
        tell(failure)
        raise failure from error


def connect(folder: Path, index_cache_bytes: int = CACHE_BYTES) -> Any:
    """Return the database in a folder; index_cache_bytes: how much of its indexes stays in memory."""
    lancedb = _library()
    session = lancedb.Session(index_cache_size_bytes=index_cache_bytes, metadata_cache_size_bytes=CACHE_BYTES)
    return lancedb.connect(str(folder), session=session)


def table_names(database: Any) -> list[str]:
    """Return the names of all tables."""
    return list(database.list_tables().tables)


def index_values(table: Any, column: str) -> None:
    """Make the index that finds the rows of a value."""
    table.create_index(column, config=_library().index.BTree())


def index_labels(table: Any, column: str) -> None:
    """Make an index for the items of a column of lists, anew where there is one."""
    table.create_index(column, config=_library().index.LabelList(), replace=True)


def index_words(table: Any) -> None:
    """Make the index of the words in `content`, anew where there is one."""
    table.create_index("content", config=_library().index.FTS(**TOKENIZER), replace=True)


def index_vectors(table: Any) -> None:
    """Make the index that finds the nearest of `vector`, anew where there is one.

    Of LanceDB's kinds the one that finds most for its size and the time to build it (D60).
    """
    table.create_index("vector", config=_library().index.IvfRq(distance_type="dot", num_bits=4), replace=True)


def words(asked: Asked, added: Sequence[str] = ()) -> Any:
    """Return the query for what was asked; None where it only says what to leave out.

    added: more words, of which any may occur.
    """
    has_words = bool(added) or any(map(str.isalnum, asked.text))
    if not asked.phrases and asked.excluded and not has_words:
        return None
    query = _library().query
    sought = query.MatchQuery(" ".join((asked.text, *added)), "content")
    if not asked.phrases and not asked.excluded:
        return sought
    occur = query.Occur
    parts = [(occur.MUST, _phrase(words)) for words in asked.phrases]
    parts += [(occur.MUST_NOT, _phrase(words)) for words in asked.excluded]
    if has_words:
        # Beside exclusions alone both find the same, in 10 ms at 100,000 chunks with SHOULD, in 3 with MUST.
        parts.append((occur.SHOULD if asked.phrases else occur.MUST, sought))
    return query.BooleanQuery(parts)


def any_of(phrases: Sequence[str]) -> Any:
    """Return the query for rows that hold any of these exact words."""
    query = _library().query
    return query.BooleanQuery([(query.Occur.SHOULD, _phrase(words)) for words in phrases])


def _phrase(exact: str) -> Any:
    query = _library().query
    # Beside other words, and with 1,000 rows that are not indexed yet, a phrase takes 30 ms and a word 8.
    is_word = exact.isalnum() and max(exact) < SPACELESS
    return query.MatchQuery(exact, "content") if is_word else query.PhraseQuery(exact, "content")


def quoted(value: str) -> str:
    """Return a text as a literal of LanceDB's predicates."""
    return "'" + value.replace("'", "''") + "'"


def release_memory() -> None:
    """Give freed memory back to the system, which glibc keeps, 180 MB after a thousand edits, and Arrow."""
    pa.default_memory_pool().release_unused()
    with suppress(OSError, AttributeError, TypeError):  # another C library
        ctypes.CDLL(None).malloc_trim(0)
