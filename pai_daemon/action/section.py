"""A section of a note that belongs to a routine: found again, and replaced while nobody else wrote in it.

In Markdown it is one callout, below it the block id `^pai-NAME-HASH`; in Logseq one bullet with what is below
it, and the property `pai:: NAME-HASH`. The hash is that of its text as it was written: so a section says by
itself, on every machine, whether a person has changed it. One that was changed is theirs, and stays (D90).
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from pai_daemon.notes.edits import append_block
from pai_daemon.notes.markdown import read_markdown

HASH_CHARS = 8
_NAME = re.compile(r"[^A-Za-z0-9]+")
_QUOTED = re.compile(r"(?m:^)(?:[ \t]*>[^\r\n]*(?:\r\n|\n|\Z))+")
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Found:
    """Where a section stands in a note. is_ours: it is as it was written."""

    start: int
    end: int
    is_ours: bool


def without_sections(text: str) -> str:
    """Return a note's text without the sections of any routine, whoever changed them."""
    for found in reversed(_all_sections(text)):
        text = text[: found[0]] + text[found[1] :]
    return text


def _all_sections(text: str) -> list[tuple[int, int]]:
    spans = []
    for match in re.finditer(rf"(?m)^\^pai-[\w-]+-[0-9a-f]{{{HASH_CHARS}}}(?=[^\S\n]*$)", text):
        before = text[: match.start()].rstrip()
        start = max(
            (q.start() for q in _QUOTED.finditer(before) if q.end() == len(before)), default=match.start()
        )
        spans.append((start, match.end()))
    bullets = r"(?m)^- [^\r\n]*(?:\r\n|\n)[ \t]+pai:: [\w-]+[ \t]*(?:(?:\r\n|\n)[ \t]+[^\r\n]*)*"
    return sorted([*spans, *(match.span() for match in re.finditer(bullets, text))])


def section_name(name: str) -> str:
    """Return the name of a routine in the letters that a block id may have."""
    return _NAME.sub("-", name).strip("-").lower() or f"routine-{_hash(name)}"


def with_section(text: str, name: str, title: str, body: str, *, heading: str = "", path: str = "") -> str:
    """Return a Markdown note's text with this section in the place of the last one, or at the end.

    heading: below which a new one is put; it is added where it is missing. Raises UsageError where the
    section would change what other blocks of the note are.
    """
    newline = "\r\n" if "\r\n" in text else "\n"
    written = callout(name, title, body, newline)
    for found in reversed(markdown_sections(text, name)):
        if found.is_ours:
            return text[: found.start] + written + text[found.end :]
    note = read_markdown(path, text)
    if heading and all(known.text != heading for known in note.headings):
        written, heading = f"## {heading}{2 * newline}{written}", ""
    edit = append_block(note, written, heading)
    whole = text[: edit.start] + edit.text + text[edit.end :]
    return whole if whole.endswith(newline) else whole + newline


def callout(name: str, title: str, body: str, newline: str = "\n") -> str:
    """Return a section as it is written in Markdown, without a line's end behind it."""
    lines = [line.rstrip() for line in _CONTROLS.sub("", body.strip()).splitlines()]
    quoted = newline.join(
        [f"> [!summary] {' '.join(title.split())}", *(f"> {line}".rstrip() for line in lines)]
    )
    return f"{quoted}{2 * newline}^pai-{name}-{_hash(quoted)}"


def markdown_sections(text: str, name: str) -> list[Found]:
    """Return the sections of a routine in a note, in order."""
    mark = re.compile(rf"(?m)^\^pai-{re.escape(name)}-(?P<hash>[0-9a-f]{{{HASH_CHARS}}})(?=[^\S\n]*$)")
    found = []
    for match in mark.finditer(text):
        before = text[: match.start()].rstrip()
        quotes = [quote for quote in _QUOTED.finditer(before) if quote.end() == len(before)]
        if quotes:
            quoted = before[quotes[-1].start() :]
            found.append(Found(quotes[-1].start(), match.end(), _hash(quoted) == match["hash"]))
    return found


def with_outline_section(text: str, name: str, title: str, body: str) -> str:
    """Return the text of a Logseq page with this section in the place of the last one, or at its end."""
    newline = "\r\n" if "\r\n" in text else "\n"
    written = bullet(name, title, body, newline)
    for found in reversed(outline_sections(text, name)):
        if found.is_ours:
            return text[: found.start] + written + text[found.end :]
    gap = newline if text.strip() and not text.endswith("\n") else ""
    is_empty = not text.strip("- \t\r\n")  # Logseq begins a page with a bullet that says nothing
    return f"{'' if is_empty else text + gap}{written}{newline}"


def bullet(name: str, title: str, body: str, newline: str = "\n") -> str:
    """Return a section as it is written in a Logseq page, without a line's end behind it."""
    below = newline.join(f"\t{line}" for line in outlined(_CONTROLS.sub("", body)))
    head = f"- {' '.join(title.split())}"
    return f"{head}{newline}  pai:: {name}-{_hash(head + below)}{newline}{below}"


def outline_sections(text: str, name: str) -> list[Found]:
    """Return the sections of a routine in a Logseq page, in order."""
    mark = re.compile(
        rf"(?m)^(?P<head>- [^\r\n]*)(?:\r\n|\n)[ \t]+pai:: {re.escape(name)}-(?P<hash>[0-9a-f]{{8}})"
        r"[ \t]*(?:\r\n|\n)(?P<below>(?:[ \t]+[^\r\n]*(?:\r\n|\n|\Z))*)"
    )
    found = []
    for match in mark.finditer(text):
        below = match["below"].rstrip("\r\n")
        end = match.start("below") + len(below)
        found.append(Found(match.start(), end, _hash(match["head"] + below) == match["hash"]))
    return found


def outlined(body: str) -> list[str]:
    """Return Markdown as the lines of an outline: each paragraph, heading and item is a bullet."""
    lines: list[str] = []
    goes_on = False
    for raw in body.strip().splitlines():
        line, indent = raw.strip(), len(raw) - len(raw.lstrip())
        if not line:
            goes_on = False
            continue
        if item := re.match(r"(?:[-*+]|\d+[.)])[ \t]+(.*)", line):
            lines.append("\t" * min(indent // 2, 4) + f"- {item[1]}")
            goes_on = True
        elif goes_on and indent:
            lines.append(f"{re.match(chr(9) + '*', lines[-1])[0]}  {line}")  # type: ignore[index]
        else:
            lines.append(f"- {line}")
            goes_on = False
    return lines


def _hash(text: str) -> str:
    """Return the hash of a section, whatever its line ends: a vault may be synced between systems."""
    plain = "\n".join(line.rstrip() for line in text.splitlines())
    return hashlib.sha256(plain.encode("utf-8", "surrogatepass")).hexdigest()[:HASH_CHARS]
