"""A fact as a line of a note, and back: readable by a person first (D81). Pure.

    - I write in Helix. [until:: 2027-01-01] (2026-11-26, from: cli) ^m-7f3a2c

One note is one subject, each list item a fact. What a person wrote without date or block id is a fact as
well: it is known by its words until something is changed about it. What cannot be read is kept and told.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import PurePosixPath

from pai_daemon.notes.frontmatter import read_frontmatter

# A list item that is no task; the parts after the text in this order, each may be missing.
_LINE = re.compile(
    r"(?P<lead>[ \t]*[-*+][ \t]+)(?!\[.\][ \t])(?P<text>\S.*?)(?P<fields>(?:[ \t]+\[[\w-]+::[^\]\n]*\])*)"
    r"(?:[ \t]+\((?P<said>\d{4}-\d\d-\d\d)?(?:, )?(?:from: (?P<source>[^()\n]*))?\))?"
    r"(?:[ \t]+\^(?P<id>[A-Za-z0-9-]+))?[ \t]*(?P<end>\r?)"
)
_FIELD = re.compile(r"\[([\w-]+)::[ \t]*([^\]\n]*?)[ \t]*\]")
# What opens a field, or at the beginning of an item a task, with the backslashes before it.
_OPENS = re.compile(r"(\\*)\[(?=[\w-]+::)|\A(\\*)\[(?=.\](?:[ \t]|\Z))")
_BLANK = re.compile(r"\s+")
_TAG = re.compile(r"(?<!\S)#([\w/-]*[^\W\d][\w/-]*)")
_WORD = re.compile(r"\w+")
_SOURCE_MARKS = re.compile(r"[()\[\]\n]")
MAX_CHARACTERS = 2000


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that is known.

    id: of its block. path, line: of its note and of its line in it, from 1. said: the day it was said on,
    source: by whom or what it was kept. until: the last day it holds. superseded_by: the id of what took its
    place. has_id: the id stands in the note; else it follows from the words.
    """

    id: str
    text: str
    subject: str
    path: str
    line: int
    said: date | None = None
    source: str = ""
    pinned: bool = False
    until: date | None = None
    superseded_by: str | None = None
    tags: tuple[str, ...] = ()
    has_id: bool = True

    def holds(self, today: date) -> bool:
        """Return whether it is in force: nothing took its place, and its last day is not over."""
        return self.superseded_by is None and (self.until is None or self.until >= today)


@dataclass(frozen=True, slots=True)
class Broken:
    """What of a line could not be read; the rest of it counts. line: from 1."""

    path: str
    line: int
    message: str


@dataclass(frozen=True, slots=True)
class Page:
    """The facts of one note."""

    facts: tuple[Fact, ...]
    broken: tuple[Broken, ...]


def read_page(path: str, text: str) -> Page:
    """Return the facts of a note, in their order. path: within the memory folder, posix."""
    facts: list[Fact] = []
    broken: list[Broken] = []
    seen: set[str] = set()
    subject = PurePosixPath(path).stem
    for number, line in _items(text):
        match = _LINE.fullmatch(line)
        if match is None:
            continue
        fields = dict(_FIELD.findall(match["fields"]))
        words = read_text(match["text"])
        given = match["id"]
        if given in seen:
            broken.append(Broken(path, number, f"The block id ^{given} is there twice."))
            given = None
        known = given or own_id(path, words)
        if known in seen:
            continue  # the same words again
        seen.add(known)
        facts.append(
            Fact(
                id=known,
                text=words,
                subject=subject,
                path=path,
                line=number,
                said=_day(match["said"], path, number, broken),
                source=(match["source"] or "").strip(),
                pinned=fields.get("pinned", "").lower() in ("true", "yes", "1"),
                until=_day(fields.get("until"), path, number, broken),
                superseded_by=fields.get("superseded", "").removeprefix("^") or None,
                tags=tuple(_TAG.findall(words)),
                has_id=given is not None,
            )
        )
    return Page(tuple(facts), tuple(broken))


def fact_in(line: str) -> Fact | None:
    """Return the fact that a line of a note is, None where it is none; it does not know its note."""
    facts = read_page("", line).facts
    return facts[0] if facts else None


def written(fact: Fact, lead: str = "- ") -> str:
    """Return a fact's line, without its end. lead: what stands before its words."""
    fields = []
    if fact.pinned:
        fields.append("[pinned:: true]")
    if fact.until is not None:
        fields.append(f"[until:: {fact.until.isoformat()}]")
    if fact.superseded_by is not None:
        fields.append(f"[superseded:: {fact.superseded_by}]")
    source = _BLANK.sub(" ", _SOURCE_MARKS.sub(" ", fact.source)).strip()
    about = [fact.said.isoformat()] if fact.said else []
    about += [f"from: {source}"] if source else []
    said = [f"({', '.join(about)})"] if about else []
    return lead + " ".join([write_text(fact.text), *fields, *said, f"^{fact.id}"])


def with_line(text: str, fact: Fact) -> str:
    """Return a note's text with a fact's line as it is now in the place of the one that it had.

    What else stands on the line before and after it stays, as do other fields that a person gave it.
    """
    lines = text.split("\n")
    match = _LINE.fullmatch(lines[fact.line - 1])
    assert match is not None, "the line was read as a fact"
    new = written(fact, match["lead"])
    ours = ("pinned", "until", "superseded")
    others = [f"[{name}:: {value}]" for name, value in _FIELD.findall(match["fields"]) if name not in ours]
    if others:
        head = match["lead"] + write_text(fact.text)
        new = head + " " + " ".join(others) + new[len(head) :]
    lines[fact.line - 1] = new + match["end"]
    return "\n".join(lines)


def without_line(text: str, line: int) -> str:
    """Return a note's text without a line, from 1."""
    lines = text.split("\n")
    return "\n".join([*lines[: line - 1], *lines[line:]])


def with_fact(text: str | None, fact: Fact) -> str:
    """Return a note's text with a fact behind its last one; None: a note that is not there yet."""
    if text is None:
        return f"# {fact.subject}\n\n{written(fact)}\n"
    end = "\r\n" if "\r\n" in text else "\n"
    known = read_page(fact.path, text).facts
    if not known:
        gap = (
            "" if text.endswith(("\n\n", "\r\n\r\n")) or not text else end if text.endswith("\n") else end * 2
        )
        return text + gap + written(fact) + end
    lines = text.split("\n")
    last = known[-1].line
    # Lines that hang on the last fact stay with it.
    while last < len(lines) and lines[last].startswith((" ", "\t")) and lines[last].strip():
        last += 1
    if last == len(lines):  # the note ends without a line end
        return text + end + written(fact) + end
    return "\n".join([*lines[:last], written(fact) + end.removesuffix("\n"), *lines[last:]])


def normal(text: str) -> str:
    """Return a text as two facts that say the same in other capitals, spaces or end marks share it."""
    return " ".join(text.casefold().split()).rstrip(" .!")


def one_line(text: str) -> str:
    """Return the words as a fact has them: a fact is one line, and so are its blanks."""
    return _BLANK.sub(" ", text).strip()


def words_of(text: str) -> frozenset[str]:
    """Return the words of a text, folded."""
    return frozenset(_WORD.findall(text.casefold()))


def own_id(path: str, text: str) -> str:
    """Return the id of a fact by its words: the same as long as they are."""
    digest = hashlib.sha256("\n".join((path, normal(text))).encode("utf-8", "replace"))
    return f"m-{digest.hexdigest()[:10]}"


def write_text(text: str) -> str:
    """Return a fact's words so that none of them are read as a field or a task: their bracket is escaped."""
    return _OPENS.sub(lambda match: (match[1] or match[2] or "") * 2 + "\\[", text)


def read_text(line: str) -> str:
    """Return a fact's words as `write_text` was given them."""
    return _OPENS.sub(lambda match: _half(match[1] or match[2] or "") + "[", line)


def _half(slashes: str) -> str:
    return slashes[: len(slashes) // 2]


def _items(text: str) -> Iterator[tuple[int, str]]:
    """Yield the lines of a note that may be facts, with their numbers from 1: not of properties and code."""
    begin = text.count("\n", 0, read_frontmatter(text).body_start)
    fence = ""
    for number, line in enumerate(text.split("\n"), start=1):
        if number <= begin:
            continue
        mark = line.strip()[:3]
        if mark in ("```", "~~~"):
            fence = "" if fence == mark else fence or mark
        elif not fence:
            yield number, line


def _day(written_day: str | None, path: str, line: int, broken: list[Broken]) -> date | None:
    if not written_day:
        return None
    try:
        return date.fromisoformat(written_day)
    except ValueError:
        broken.append(Broken(path, line, f"{written_day!r} is no day; write it as 2026-11-26."))
        return None
