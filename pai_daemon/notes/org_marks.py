"""What stands within a line of org: links, verbatim text and emphasis, and what a reader sees of them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pai_daemon.notes.note import Link, Mark

TASKS = "TODO|DONE|NEXT|DOING|NOW|LATER|WAIT|WAITING|HOLD|STARTED|IN-PROGRESS"
TASKS += "|SOMEDAY|CANCELED|CANCELLED|KILL|PROJ"
_UUID = r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"
# Org's rule: marked text stands after a blank or an opening bracket, and before a blank or punctuation.
# It is bounded, or a line of opening marks would be searched to its end for each of them.
_MARKED = (
    r"""(?<![^\s\-({'"|])(?P<%s>[%s])(?=\S)(?P<%s>[^\n]{1,500}?)(?<=\S)(?P=%s)"""
    r"""(?![^\s\-.,:!?;'")}\]\[|])"""
)
_TOKEN = re.compile(
    rf"""\[\[(?P<target>[^\[\]\n]+)\](?:\[(?P<label>[^\[\]\n]*)\])?\]
    | \[\[\(\((?P<named>{_UUID})\)\)\](?:\[(?P<name>[^\[\]\n]*)\])?\]
    | \(\((?P<block>{_UUID})\)\)
    | {_MARKED % ("verbatim", "=~", "inner", "verbatim")}""",
    re.VERBOSE,
)
_EMPHASIS = re.compile(_MARKED % ("mark", "*/_+=~", "shown", "mark"))
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:(?=\S)")
_FILE = re.compile(r"file(?:\+\w+)?:")
_HEADLINE = re.compile(rf"\*+[ \t]+(?:(?:{TASKS})(?:[ \t]+|$))?(?:\[#[A-Za-z0-9]\][ \t]*)?")
_TAGS = re.compile(r":[\w@#%:]+:\Z")
_BULLET = re.compile(r"([ \t]*)(?:[-+]|(?<=[ \t])\*)(?:[ \t]+|$)(?:\[[ xX-]\](?:[ \t]+|$))?")
_EMBED = "{{embed "


def scan_org(text: str, start: int, end: int) -> Iterator[Mark]:
    """Yield the links, references and verbatim texts of text[start:end] in order; they do not overlap."""
    for match in _TOKEN.finditer(text, start, end):
        begin, after = match.span()
        if match["verbatim"]:
            yield Mark("code", begin, after, match["inner"])
        elif uuid := match["named"] or match["block"]:
            yield Mark("reference", begin, after, uuid, match["name"] or "")
        else:
            yield Mark("link", begin, after, match["target"], match["label"] or "")


def org_link(text: str, mark: Mark, line: int) -> Link | None:
    """Return the link that a mark of text stands for, None for one that leads out of the vault.

    A search within the file (`::*Head`, `*Head`, `::#name`) is the fragment; the name of a headline, its
    CUSTOM_ID, is like a block id.
    """
    if mark.kind == "code":
        return None
    label, place = mark.label.strip(), (mark.start, mark.end, line)
    embed = text.startswith(_EMBED, max(mark.start - len(_EMBED), 0)) and mark.start >= len(_EMBED)
    if mark.kind == "reference":
        return Link(mark.inner, "", label, embed, *place, "block")
    target = mark.inner.strip()
    if target.startswith("id:"):
        return Link(target[3:].strip(), "", label, embed, *place, "block")
    file = _FILE.match(target)
    target = target[file.end() :] if file else target
    if (file and target.startswith(("/", "~"))) or (not file and _SCHEME.match(target)):
        return None
    if target.startswith(("*", "#")):
        target = f"::{target}"
    path, _, search = target.partition("::")
    path = path.strip().removeprefix("./")
    fragment = _fragment(search.strip())
    return Link(path, fragment, label, embed, *place) if path or fragment else None


def headline(source: str) -> tuple[str, tuple[str, ...]]:
    """Return the text of a headline without task word, priority and tags, and its tags."""
    match = _HEADLINE.match(source)
    title = source[match.end() if match else 0 :].strip()
    before, _, last = title.rpartition(" ") if " " in title else ("", "", title)
    if not _TAGS.match(last):
        return plain_line(title), ()
    return plain_line(before.rstrip()), tuple(tag for tag in last.split(":") if tag)


def plain_line(line: str) -> str:
    """Return what a reader sees of a line or a text without headlines: no marks, the text of its links."""
    parts: list[str] = []
    position = 0
    for mark in scan_org(line, 0, len(line)):
        parts.append(_without_emphasis(line[position : mark.start]))
        parts.append(mark.inner if mark.kind == "code" else mark.label or _shown(mark))
        position = mark.end
    return "".join((*parts, _without_emphasis(line[position:])))


def plain_item(line: str) -> str:
    """Return what a reader sees of a line that may be an item of a list."""
    return plain_line(_BULLET.sub(r"\1", line, count=1) if _BULLET.match(line) else line)


def _fragment(search: str) -> str:
    """Return a search within a file as a link's fragment; the number of a line is none."""
    if search.startswith("#"):
        return f"^{search[1:]}"
    return "" if search.isdigit() else search.lstrip("*").strip()


def _shown(mark: Mark) -> str:
    """Return what stands for a link without a text of its own."""
    return "" if mark.kind == "reference" or mark.inner.startswith("id:") else mark.inner


def _without_emphasis(text: str) -> str:
    """Return text without the marks of emphasis, of which one may stand in another."""
    return _EMPHASIS.sub(r"\g<shown>", _EMPHASIS.sub(r"\g<shown>", text))
