"""The text of a PDF, page by page, by pypdf if it is installed (the extra `pdf`).

A page is called by its place in the file, as in Obsidian's links (`file.pdf#page=3`), whatever is printed
on it. pypdf is imported when the first PDF is read and kept on a short leash: a file may unpack and repeat
itself without end.
"""

from __future__ import annotations

import importlib
import importlib.util
import io
import logging
import re
from collections.abc import Iterator
from typing import Any

from pai_daemon.notes.links import slug
from pai_daemon.notes.markdown import note_title
from pai_daemon.notes.note import Block, Heading, Note, Problem

LIMIT_BYTES = 64 * 1024 * 1024
MAX_PAGES = 2000
MAX_CHARS = 4 * 1024 * 1024
# What all pages together may ask for; a page of a book draws some hundred to some thousand times.
MAX_OPERATIONS = 20_000_000

NOT_INSTALLED = "PDF text needs: pip install 'pai-daemon[pdf]'"

_BOUNDS = {
    "zlib_maximum_output_length": 16_000_000,
    "lzw_maximum_output_length": 16_000_000,
    "run_length_maximum_output_length": 16_000_000,
    "array_based_stream_maximum_output_length": 16_000_000,
    "stream_decoding_work_maximum_length": 64_000_000,
    "stream_parsing_work_maximum_count": 500_000,
    "page_tree_maximum_entries": 50_000,
    "xform_maximum_invocations_per_extraction": 500,
    "jbig2dec_binary": None,
}
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f\u00ad\ud800-\udfff\ufffe\uffff]")
# A hyphen between letters, the next line in lower case: one word, cut by the printer.
_HYPHEN = re.compile(r"(?<=[^\W\d_])(?:[-\u2010]|\u00ad)[ \t]*\n[ \t]*(?=[^\W\d_A-Z])")
_PARAGRAPH = re.compile(r"[^\n]+(?:\n[^\n]+)*")


def available() -> bool:
    """Return whether the text of PDFs can be read here."""
    return importlib.util.find_spec("pypdf") is not None


def read_pdf(path: str, data: bytes) -> Note:
    """Return the note that a PDF makes: each page with text under a heading `Page 3`; never raises.

    The text is what was taken out of the file. A title in the file's own data is an alias.
    """
    problems: list[Problem] = []
    pages: list[tuple[int, str]] = []
    name = ""
    if not available():
        problems.append(Problem(NOT_INSTALLED))
    elif len(data) > LIMIT_BYTES:
        problems.append(Problem(f"too large: a PDF over {LIMIT_BYTES} bytes is not read"))
    else:
        name = _read(data, pages, problems)
    text, headings, blocks = _assembled(pages)
    title = note_title(path)
    return Note(
        path=path,
        text=text,
        title=title,
        aliases=(name,) if name and slug(name) != slug(title) else (),
        headings=headings,
        blocks=blocks,
        problems=tuple(problems),
        kind="pdf",
    )


def _read(data: bytes, pages: list[tuple[int, str]], problems: list[Problem]) -> str:
    """Append the number and the text of each page that has any; return the title the file gives itself."""
    pypdf = importlib.import_module("pypdf")
    # It warns of every flaw that it works around, often once a page.
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    try:
        with pypdf.apply_configuration(**_BOUNDS):
            reader = pypdf.PdfReader(io.BytesIO(data), strict=False)
            if reader.is_encrypted and not reader.decrypt(""):
                problems.append(Problem("encrypted: the PDF needs a password"))
                return ""
            _read_pages(reader, pages, problems)
            return _title(reader)
    # pypdf raises what it likes: its own errors, KeyError, RecursionError, struct.error.
    except Exception as error:
        encrypted = type(error).__name__ == "DependencyError"
        what = "encrypted in a way that needs another library" if encrypted else "damaged PDF"
        problems.append(Problem(f"{what}: {' '.join(str(error).split())[:200] or type(error).__name__}"))
        return ""


def _read_pages(reader: Any, pages: list[tuple[int, str]], problems: list[Problem]) -> None:
    """Append the pages with text, as far as the limits go; a page that fails is named and passed over."""
    count = len(reader.pages)
    failed: list[str] = []
    operations = 0

    def draw(*_: object) -> None:
        nonlocal operations
        operations += 1
        if operations > MAX_OPERATIONS:
            raise ValueError("too much is drawn")

    left = MAX_CHARS
    for number in range(1, min(count, MAX_PAGES) + 1):
        try:
            text = _cleaned(reader.pages[number - 1].extract_text(visitor_operand_before=draw))[:left]
        except Exception:  # one page in ten thousand has a font that pypdf cannot read
            failed.append(str(number))
            text = ""
        if text:
            pages.append((number, text))
        left -= len(text)
        if left <= 0 or operations > MAX_OPERATIONS:
            problems.append(Problem(f"too large: only the first {number} of {count} pages are read"))
            break
    else:
        if count > MAX_PAGES:
            problems.append(Problem(f"too large: only the first {MAX_PAGES} of {count} pages are read"))
    if failed:
        numbers = ", ".join(failed[:20]) + (" and more" if len(failed) > 20 else "")
        problems.append(Problem(f"pages that could not be read: {numbers}"))
    elif not pages:
        problems.append(Problem("the PDF has no text; its pages may be scanned pictures"))


def _cleaned(text: str) -> str:
    """Return a page's text without control characters, and with words joined that a line's end divides."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    text = _CONTROL.sub("", _HYPHEN.sub("", text))
    return "\n".join(line.rstrip() for line in text.split("\n")).strip()


def _title(reader: Any) -> str:
    """Return the title in the data of the file, empty where there is none that can be read."""
    try:
        title = reader.metadata.title if reader.metadata else ""
    except Exception:  # the data may be anything, and the pages are read already
        return ""
    return " ".join(_CONTROL.sub("", title).split())[:300] if isinstance(title, str) else ""


def _assembled(pages: list[tuple[int, str]]) -> tuple[str, tuple[Heading, ...], tuple[Block, ...]]:
    """Return the text of the note with the headings of its pages, and all blocks."""
    parts: list[str] = []
    headings: list[Heading] = []
    blocks: list[Block] = []
    start, line = 0, 1
    for number, text in pages:
        name = f"Page {number}"
        head = f"# {name}\n\n"
        headings.append(Heading(1, name, line, start, start + len(head) - 2))
        blocks.append(Block("heading", start, start + len(head) - 2, line, line, label="1"))
        blocks += _paragraphs(text, start + len(head), line + 2)
        part = f"{head}{text}\n\n"
        parts.append(part)
        start += len(part)
        line += part.count("\n")
    return "".join(parts).rstrip("\n") + ("\n" if parts else ""), tuple(headings), tuple(blocks)


def _paragraphs(text: str, start: int, line: int) -> Iterator[Block]:
    """Yield the paragraphs of a page's text, which begins at start and line of the note."""
    position = 0
    for match in _PARAGRAPH.finditer(text):
        line += text.count("\n", position, match.start())
        last = line + match[0].count("\n")
        yield Block("paragraph", start + match.start(), start + match.end(), line, last)
        position, line = match.end(), last
