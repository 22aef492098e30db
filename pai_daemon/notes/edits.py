"""The edits that the daemon can make in a Markdown note: links, properties, blocks, new targets of links.

Each is worked out on the note's text and then read again, by the reader itself: one that would not be read
as it was meant, or would change what else the note says, is refused (D32). `apply` puts edits into the file's
bytes. Writing the file is not this module's matter.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from pai_daemon.errors import NoteChanged, UsageError
from pai_daemon.notes.frontmatter import read_frontmatter
from pai_daemon.notes.links import as_destination, is_linkable
from pai_daemon.notes.markdown import read_markdown
from pai_daemon.notes.note import Block, Link, Note
from pai_daemon.notes.reader import text_encoding

# What a reader of YAML 1.1 takes for a text or a date, too.
_PLAIN = re.compile(
    r"(?!(?:y|n|yes|no|on|off)\Z)[^\W\d_](?:[\w ./-]*\w)?"
    r"|[0-9]{4}-[0-9]{2}-[0-9]{2}(?:T[0-9]{2}:[0-9]{2}(?::[0-9]{2})?)?",
    re.IGNORECASE,
)
# What YAML takes for a line's end, a byte order mark or nothing at all, even between double quotes.
_UNSAFE = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_ITEM = re.compile(r"(?:[-*+]|[0-9]{1,9}[.)])[ \t]")
_TARGET = re.compile(r"!?\[\[(?P<target>[^#|\]]*?)(?=\s*(?:\\?\||#|\]))")
_SUFFIX = re.compile(r"\.md\Z", re.IGNORECASE)
_DEFINED = re.compile(r"\]:\s*(?P<target><[^>\r\n]*>|\S+)")
_DESTINATION = re.compile(r"<?(?P<target>[^#>]*)")


@dataclass(frozen=True, slots=True)
class Edit:
    """`text` takes the place of the code points from start to end of a note's text."""

    start: int
    end: int
    text: str


def apply(data: bytes, edits: Iterable[Edit], text: str) -> bytes:
    """Return the bytes of a note after the edits, with its byte order mark, encoding and line ends as before.

    text: that of the note for which the edits were made. Raises NoteChanged if data says anything else, also
    where the reader left out its end; UsageError for edits that overlap or lie outside of the text, and for
    a file that is damaged: its bytes could not be kept.
    """
    mark, encoding = text_encoding(data)
    try:
        found = data[len(mark) :].decode(encoding)
        if found.replace("\0", "\ufffd") != text:
            raise NoteChanged("The note has changed since it was read.", hint="Read it again.")
        return mark + edited(found, edits).encode(encoding)
    except UnicodeError as error:
        raise UsageError(f"The note or the edit is no valid {encoding.upper()}: {error}.") from error


def edited(text: str, edits: Iterable[Edit]) -> str:
    """Return text after the edits, those at one place as given; raises UsageError as `apply` does."""
    parts: list[str] = []
    position = 0
    for edit in sorted(edits, key=lambda edit: (edit.start, edit.end)):
        if not position <= edit.start <= edit.end <= len(text):
            raise UsageError(f"The edit at {edit.start} to {edit.end} overlaps another or the text's ends.")
        parts += text[position : edit.start], edit.text
        position = edit.end
    return "".join((*parts, text[position:]))


def insert_link(note: Note, start: int, end: int, markup: str) -> Edit:
    """Return the edit that puts a link, written as markup, in the place of a mention.

    Raises UsageError where no link can stand, as in code, or where other links and marks would change.
    """
    if any(block.kind == "table" and block.start <= start < block.end for block in note.blocks):
        markup = markup.replace("|", "\\|")
    edit = Edit(start, end, markup)
    after = _reread(note, [edit])
    span = (start, start + len(markup))
    links = [link for link in after.links if (link.start, link.end) != span]
    kinds = [mark.kind for mark in after.marks if (mark.start, mark.end) != span]
    is_added = len(links) == len(after.links) - 1 and start >= note.body_start
    if not is_added or meanings(links) != meanings(note.links) or kinds != [m.kind for m in note.marks]:
        raise UsageError("No link can be written at this place.")
    return edit


def set_property(note: Note, name: str, value: Any) -> Edit:
    """Return the edit that gives a property its value, in a frontmatter that it may begin.

    value: None, a truth value, a number, a text or a list of these. Raises UsageError for a value or a
    name that would not be read as it is, and for a frontmatter that is too broken to be edited.
    """
    newline = _newline(note.text)
    written = _yaml_value(value, newline)
    span = note.property_spans.get(name)
    if span is not None:
        colon = span.start + len(note.text[span.start : span.value_start].rstrip())
        edit = Edit(colon, span.end, written)
    else:
        line = f"{_yaml_text(name)}:{written}{newline}"
        fence = note.text.rfind("---", 0, note.body_start)
        edit = Edit(fence, fence, line) if fence > 0 else Edit(0, 0, f"---{newline}{line}---{newline}")
    return _checked(note, edit, {**note.properties, name: value})


def remove_property(note: Note, name: str) -> Edit:
    """Return the edit that removes a property with its lines; raises UsageError as `set_property` does."""
    span = note.property_spans.get(name)
    if span is None:
        raise UsageError(f"The note has no property {name!r}.")
    newline = note.text.find("\n", span.end)
    start = note.text.rfind("\n", 0, span.start) + 1
    properties = {key: value for key, value in note.properties.items() if key != name}
    return _checked(note, Edit(start, newline + 1, ""), properties)


def append_block(note: Note, block: str, heading: str = "") -> Edit:
    """Return the edit that adds a block at the end of the note, or of what stands right under a heading.

    An item goes on with a list that ends there. heading: its plain text; the first one counts. Raises
    UsageError for a heading that is not there, and for a block that would change what others are.
    """
    block = block.strip("\r\n")
    stop, least = _section(note, heading)
    end = max(least, len(note.text[:stop].rstrip()))
    newline = _newline(note.text)
    last = [found for found in note.top_blocks() if found.end == end]
    goes_on = _ITEM.match(block) and last and last[0].kind == "list"
    is_first = end == note.body_start and note.text[:end][-1:] in ("", "\n")
    before = "" if is_first else newline if goes_on else 2 * newline
    rest = note.text[end:stop]
    after = newline * max(0, 2 - rest.count(newline)) if stop < len(note.text) else ""
    edit = Edit(end, end, f"{before}{block}{after}")
    grown = len(edit.text)
    found = _reread(note, [edit])
    moved = {_place(old, grown if old.start >= end else 0) for old in note.blocks}
    begins = end + len(before)
    if not (moved <= {_place(new) for new in found.blocks} and any(n.start == begins for n in found.blocks)):
        raise UsageError("The block cannot be added there without changing others.")
    return edit


def retarget(note: Note, links: Iterable[Link], target: str) -> tuple[Edit, ...]:
    """Return the edits that let some of a note's links lead to another target; see `retarget_each`."""
    return retarget_each(note, dict.fromkeys(links, target))


def retarget_each(note: Note, targets: Mapping[Link, str]) -> tuple[Edit, ...]:
    """Return the edits that let each of some links of a note lead to another target.

    targets: wikilinks, embeds, Markdown links and those in properties; which of them lead to a renamed note
    is for the whole vault to say. A target is as a wikilink writes it, without `.md`; a link that was
    written with the suffix keeps it. Alias, heading and block id stay. Raises UsageError for links of other
    kinds and for a target that cannot be written in one.
    """
    destinations = _destinations(note)
    edits = {
        _retargeted(note.text, link, target, destinations.get(link.start)) for link, target in targets.items()
    }
    after = _reread(note, edits)
    meant = [replace(link, target=targets.get(link, link.target)) for link in note.links]
    is_whole = list(after.properties) == list(note.properties) and len(after.problems) <= len(note.problems)
    if meanings(after.links) != meanings(meant) or not is_whole:
        shown = ", ".join(sorted({repr(target) for target in targets.values()}))
        raise UsageError(f"The target {shown} cannot be written in each of these links.")
    return tuple(sorted(edits, key=lambda edit: edit.start))


def _retargeted(text: str, link: Link, target: str, destination: tuple[int, int] | None) -> Edit:
    """Return the edit for one link; destination: the span of that of a Markdown link."""
    match = None
    if suffix := _SUFFIX.search(link.target):
        target += suffix[0]
    if link.kind in ("wikilink", "property") and is_linkable(target):
        match = _TARGET.match(text, link.start, link.end)
    elif link.kind == "markdown" and destination:
        match = _DESTINATION.match(text, *destination)
        target = as_destination(target, match["target"] if match else "")
    if match is None:
        raise UsageError(f"The target {target!r} cannot be written in {text[link.start : link.end]!r}.")
    return Edit(*match.span("target"), target)


def _destinations(note: Note) -> dict[int, tuple[int, int]]:
    """Return the spans of the destinations of Markdown links by where a link begins."""
    defined: dict[str, tuple[int, int]] = {}
    for block in note.blocks:
        if block.kind == "definition" and (match := _DEFINED.search(note.text, block.start, block.end)):
            defined.setdefault(match["target"].strip("<>"), match.span("target"))
    spans: dict[int, tuple[int, int]] = {}
    for mark in note.marks:
        if mark.kind == "link":
            place = note.text.find(mark.inner, mark.start + len(mark.label) + 3, mark.end)
            span = (place, place + len(mark.inner)) if place >= 0 else defined.get(mark.inner.strip("<>"))
            spans |= {mark.start: span} if span else {}
    return spans


def meanings(links: Iterable[Link]) -> list[tuple[str, str, str, str, bool]]:
    """Return what links say, without their places and without `.md`."""
    return [(x.kind, _SUFFIX.sub("", x.target), x.fragment, x.alias, x.embed) for x in links]


def _place(block: Block, moved: int = 0) -> tuple[str, int, int, str]:
    """Return what an edit after a block leaves of it: an item may be added to a list."""
    return block.kind, block.start + moved, block.depth, block.label


def _section(note: Note, heading: str) -> tuple[int, int]:
    """Return where the next heading begins, or the note ends, and where the heading itself ends."""
    if not heading:
        return len(note.text), note.body_start
    found = next((known for known in note.headings if known.text == heading), None)
    if found is None:
        raise UsageError(f"The note has no heading {heading!r}.")
    later = (known.start for known in note.headings if known.start > found.start)
    return next(later, len(note.text)), found.end


def _checked(note: Note, edit: Edit, properties: dict[str, Any]) -> Edit:
    """Return the edit of a frontmatter if the reader then finds these properties and the same body."""
    after = _reread(note, [edit])
    body = note.text[note.body_start :]
    if after.properties != properties or after.text[after.body_start :] != body:
        raise UsageError("The frontmatter cannot be edited without changing what else it says.")
    return edit


def _reread(note: Note, edits: Iterable[Edit]) -> Note:
    """Return the note after the edits."""
    if note.kind != "markdown":
        raise UsageError(f"Only Markdown notes can be edited, and {note.path} is none.")
    return read_markdown(note.path, edited(note.text, edits))


def _newline(text: str) -> str:
    """Return how the first line of a text ends."""
    return "\r\n" if text[: text.find("\n") + 1].endswith("\r\n") else "\n"


def _yaml_value(value: Any, newline: str) -> str:
    """Return a value as it stands after `name:`."""
    if isinstance(value, list) and value:
        return "".join(f"{newline}  - {_yaml(item)}" for item in value)
    return f" {_yaml(value)}" if value is not None else ""


def _yaml(value: Any) -> str:
    """Return a single value in YAML, of which JSON is a part."""
    try:
        return _yaml_text(value) if isinstance(value, str) else json.dumps(value)
    except (TypeError, ValueError, RecursionError) as error:
        raise UsageError(f"A property cannot hold this value: {error}.") from error


def _yaml_text(text: str) -> str:
    """Return a text as it is where every reader takes it for that, else between double quotes."""
    if _PLAIN.fullmatch(text) and read_frontmatter(f"---\nk: {text}\n---\n").properties == {"k": text}:
        return text
    return _UNSAFE.sub(lambda match: f"\\u{ord(match[0]):04x}", json.dumps(text, ensure_ascii=False))
