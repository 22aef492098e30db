"""The text of one note after its links were sent to new targets, and the links that cannot be.

Markdown goes through `notes.edits`; pages of Logseq and org files are edited at their links, canvases in
their JSON. Each is read again by its reader, and what would not be read as meant stays as it was (D32, D91).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace

from pai_daemon.errors import UsageError
from pai_daemon.notes.edits import Edit, edited, meanings, retarget_each
from pai_daemon.notes.links import as_destination
from pai_daemon.notes.markdown import read_markdown
from pai_daemon.notes.note import Link, Note

Target = Callable[[Link], str | None]
Read = Callable[[str, str], Note]

_SUFFIX = re.compile(r"\.md\Z", re.IGNORECASE)
_DESTINATION = re.compile(r"\]\(\s*<?(?P<target>[^#<>]*?)(?=#|>|\s+\"[^\"]*\"\s*\)|\s*\)(?:\{|\Z))")
_TAG = re.compile(r"#[^\[]")
# What ends a tag or a name in a list of Logseq; between double brackets it may stand.
_BRACKETED = re.compile(r"[\s#\"'?!\[\]`<>+,，.;:)({}=~^*]")
_STRING = re.compile(r'"(?P<key>file|text)"(?P<colon>\s*:\s*)(?P<value>"(?:[^"\\]|\\.)*")')


def relinked(note: Note, target_of: Target, read: Read) -> tuple[str, tuple[Link, ...]]:
    """Return the text of a note whose links say what target_of says, and the links that could not be written.

    note: of any kind but a canvas, its text whole. target_of: what a link must say; None where there is no
    way to say it. read: the note at a path with a text.
    """
    wanted = {link: target_of(link) for link in note.links if link.kind != "block" and not link.vault}
    left = [link for link, target in wanted.items() if target is None]
    changed = {link: target for link, target in wanted.items() if target not in (None, link.target)}
    if not changed:
        return note.text, tuple(left)

    def written(targets: Mapping[Link, str]) -> str:
        if note.kind == "markdown":
            bare = {link: _without(target, link.target) for link, target in targets.items()}
            return edited(note.text, retarget_each(note, bare))
        return _respelled(note, targets, read)

    text, failed = _as_many(note.text, {link: target or "" for link, target in changed.items()}, written)
    return text, tuple(sorted((*left, *failed), key=lambda link: link.start))


def relinked_canvas(
    text: str, paths: Mapping[str, str], target_of: Target, path: str = ""
) -> tuple[str, tuple[Link, ...]]:
    """Return the JSON of a canvas with its files and the links in its cards brought up to date.

    paths: old path to new one of what moves. All but the texts that change stays as it is, byte for byte.
    Raises UsageError where no more than that can be made sure.
    """
    left: list[Link] = []
    edits: list[Edit] = []

    def read(path: str, card: str) -> Note:
        return read_markdown(path, card)

    for match in _STRING.finditer(text):
        try:
            value = json.loads(match["value"], strict=False)
        except ValueError:
            continue
        if match["key"] == "file":
            new = paths.get(value, value)
        else:
            new, unwritten = relinked(read_markdown(path, value), target_of, read)
            left += unwritten
        if new != value:
            is_ascii = "\\u" in match["value"]
            edits.append(Edit(*match.span("value"), json.dumps(new, ensure_ascii=is_ascii)))
    found = edited(text, edits)
    if edits and _shape(text) != _shape(found):
        raise UsageError("The canvas cannot be edited without changing what else it says.")
    return found, tuple(left)


def _shape(text: str) -> object:
    """Return what a canvas says without its files and the texts of its cards."""
    try:
        canvas = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"The canvas could not be read: {error}.") from error
    nodes = canvas.get("nodes") if isinstance(canvas, dict) else None
    if not isinstance(nodes, list):
        raise UsageError("The canvas has no list of nodes.")
    kept = [
        {key: value for key, value in node.items() if key not in ("file", "text")}
        if isinstance(node, dict)
        else node
        for node in nodes
    ]
    return {**canvas, "nodes": kept}


def _as_many(
    text: str, targets: Mapping[Link, str], written: Callable[[Mapping[Link, str]], str]
) -> tuple[str, list[Link]]:
    """Return the text with all targets written, or with each that can be, and the links left as they were."""
    try:
        return written(targets), []
    except UsageError:
        pass
    done: dict[Link, str] = {}
    left: list[Link] = []
    for link, target in targets.items():
        try:
            text = written({**done, link: target})
        except UsageError:
            left.append(link)
        else:
            done[link] = target
    return text, left


def _without(target: str, written: str) -> str:
    """Return a target without the `.md` that `retarget_each` keeps of the link as it was written."""
    return _SUFFIX.sub("", target) if _SUFFIX.search(written) else target


def _respelled(note: Note, targets: Mapping[Link, str], read: Read) -> str:
    """Return the text of a page of Logseq or an org file with its links changed.

    Raises UsageError where the reader would not find just these links changed.
    """
    edits = {_respelling(note, link, target) for link, target in targets.items()}
    text = edited(note.text, edits)
    after = read(note.path, text)
    meant = [replace(link, target=targets.get(link, link.target)) for link in note.links]
    if meanings(after.links) != meanings(meant) or list(after.properties) != list(note.properties):
        raise UsageError("The target cannot be written in each of these links.")
    return text


def _respelling(note: Note, link: Link, target: str) -> Edit:
    """Return the edit for one link of a page or an org file. Raises UsageError for one that has no place."""
    text = note.text
    if link.kind == "markdown":
        match = _DESTINATION.search(text, link.start, link.end)
        if match is None:
            raise UsageError("The link has no target to change.")
        return Edit(*match.span("target"), as_destination(target, match["target"]))
    is_bare = link.kind == "property" and text[link.start : link.start + 1] not in "[#"
    if link.kind in ("tag", "property"):
        is_tag = _TAG.match(text, link.start, link.end) is not None
        if is_tag or is_bare:
            written = f"[[{target}]]" if _BRACKETED.search(target) else target
            return Edit(link.start, link.end, f"#{written}" if is_tag else written)
    find = text.find if note.kind == "org" else text.rfind
    place = find(link.target, link.start, link.end)
    if place < 0:
        raise UsageError("The link has no target to change.")
    return Edit(place, place + len(link.target), target)
