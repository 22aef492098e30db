"""The reader: a file's path and bytes in, a `Note` out, whatever the bytes are (D4).

Decodes, chooses the reader for the format, and never raises.
"""

from __future__ import annotations

import codecs
from dataclasses import replace

from pai_daemon.notes.bases import read_base
from pai_daemon.notes.canvas import read_canvas
from pai_daemon.notes.logseq import Graph
from pai_daemon.notes.markdown import note_title, read_markdown
from pai_daemon.notes.note import Note, Problem
from pai_daemon.notes.org import read_org
from pai_daemon.notes.outline import read_outline
from pai_daemon.notes.pdf import available, read_pdf
from pai_daemon.notes.positions import line_starts

LIMIT_BYTES = 2 * 1024 * 1024
NOTE_SUFFIXES = (".md", ".markdown", ".org", ".canvas", ".base", *((".pdf",) if available() else ()))

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


def read_note(path: str, data: bytes, *, limit_bytes: int = LIMIT_BYTES, graph: Graph | None = None) -> Note:
    """Return the note at path as its bytes say it; any bytes give a note, with its problems listed.

    data: the file's bytes, of which at most limit_bytes are read, up to the end of a line. graph: the
    Logseq graph that the note may be a page of.
    """
    problems: list[Problem] = []
    if path.lower().endswith(".pdf"):
        return read_pdf(path, data)
    text = _decode(data, limit_bytes, problems)
    try:
        note = _read(path, text, graph)
    except Exception as error:  # a fault of a reader must not lose the note
        problems.append(Problem(f"could not be read: {type(error).__name__}: {error}"))
        note = Note(path, text, note_title(path))
    return replace(note, problems=(*problems, *note.problems)) if problems else note


def _read(path: str, text: str, graph: Graph | None) -> Note:
    """Return the note as the reader of its format reads it."""
    name = path.lower()
    if name.endswith(".canvas"):
        return read_canvas(path, text)
    if name.endswith(".base"):
        return read_base(path, text)
    is_page = graph is not None and graph.covers(path)
    if name.endswith(".org"):
        return read_org(path, text, graph if is_page else None)
    if graph is not None and is_page:
        return read_outline(path, text, graph)
    return read_markdown(path, text)


def text_encoding(data: bytes) -> tuple[bytes, str]:
    """Return the byte order mark that data begins with, empty where there is none, and the encoding."""
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return mark, encoding
    return b"", "utf-8"


def _decode(data: bytes, limit_bytes: int, problems: list[Problem]) -> str:
    """Return the text of data, without its byte order mark; empty for a file that is no text."""
    mark, encoding = text_encoding(data)
    width = 1 if encoding == "utf-8" else 2
    cut = len(data) > limit_bytes
    if cut:
        data = _cut(data, limit_bytes, encoding, width)
    text = _text(data[len(mark) :], encoding, problems)
    if "\0" in text:
        # One note of 13,053 in a real vault quotes a few NUL bytes; a picture has many, and is no UTF-8.
        if problems or text.count("\0") * 100 > len(text):
            problems[:] = [Problem("not text: the file holds NUL bytes")]
            return ""
        problems.append(_bad_place("a NUL byte; shown as \ufffd", text[: text.index("\0")]))
        text = text.replace("\0", "\ufffd")
    if cut:
        line = len(line_starts(text.rstrip("\r\n")))
        problems.append(
            Problem(f"too large: only the first {len(data)} bytes ({line} lines) are indexed", line)
        )
    return text


def _cut(data: bytes, limit_bytes: int, encoding: str, width: int) -> bytes:
    """Return at most limit_bytes of data, up to the end of a line, or of a character where no line ends."""
    limit = limit_bytes - limit_bytes % width
    newline = "\n".encode(encoding)
    end = data.rfind(newline, 0, limit)
    while end > 0 and end % width:  # half of one UTF-16 unit and half of the next are no newline
        end = data.rfind(newline, 0, end + width - 1)
    if end >= 0:
        return data[: end + width]
    if width == 2:
        return data[:limit]
    while limit > 0 and data[limit] & 0xC0 == 0x80:
        limit -= 1
    return data[:limit]


def _text(data: bytes, encoding: str, problems: list[Problem]) -> str:
    """Return data decoded; a byte that does not fit becomes U+FFFD, and the first one a problem."""
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        reason = f"not valid {encoding.upper()}: byte 0x{data[error.start]:02X}; shown as \ufffd"
        problems.append(_bad_place(reason, data[: error.start].decode(encoding)))
        return data.decode(encoding, "replace")


def _bad_place(reason: str, before: str) -> Problem:
    """Return the problem with the place right after the text before it."""
    starts = line_starts(before)
    return Problem(reason, len(starts), len(before) - starts[-1] + 1)
