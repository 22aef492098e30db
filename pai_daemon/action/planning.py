"""From an action to the texts that it leaves behind. Pure: nothing is written here."""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping
from typing import Any

from pai_daemon.action.action import Action
from pai_daemon.action.section import outlined, section_name, with_outline_section, with_section
from pai_daemon.errors import NoteChanged, NotFound, UsageError
from pai_daemon.notes.edits import append_block, edited, set_property
from pai_daemon.notes.links import is_linkable
from pai_daemon.notes.markdown import read_markdown

MAX_TEXT_CHARS = 512 * 1024
LINKS_HEADING = "Links"


def planned(action: Action, before: str | None, *, is_outline: bool, beginning: str = "") -> str:
    """Return the text of a note after an action.

    before: as it is, None where there is none. is_outline: it is a page of a Logseq graph. beginning: of a
    daily note that is not there yet. Raises NotFound, NoteChanged for a note to create that is there, and
    UsageError for what cannot be written.
    """
    check(action)
    if action.kind == "create":
        if before is not None:
            raise NoteChanged(
                f"{action.path} is there already.", hint="Append to it, or choose another name."
            )
        return _ended("\n".join(outlined(action.text)) if is_outline else action.text)
    if before is None:
        if action.kind in ("set_property", "add_link"):
            raise NotFound(f"There is no note {action.path}.")
        before = beginning
    if action.kind == "section":
        name, title = section_name(action.section), action.name or action.section
        if is_outline:
            return with_outline_section(before, name, title, action.text)
        return with_section(before, name, title, action.text, heading=action.heading, path=action.path)
    if is_outline:
        return _outline(action, before)
    note = read_markdown(action.path, before)
    if action.kind == "set_property":
        return edited(before, [set_property(note, action.name, _value(action.value))])
    block, heading = action.text, action.heading
    if action.kind == "add_link":
        block, heading = f"- {_link(action.to)}", heading or LINKS_HEADING
    if heading and all(known.text != heading for known in note.headings):
        newline = "\r\n" if "\r\n" in before else "\n"
        block, heading = f"## {heading}{2 * newline}{block}", ""
    return _ended(edited(before, [append_block(note, block, heading)]))


def check(action: Action) -> None:
    """Raise UsageError for an action that lacks what its kind needs."""
    needed = {
        "create": action.text, "append": action.text, "insert": action.text and action.heading,
        "section": action.section, "set_property": action.name, "add_link": action.to, "move": action.to,
    }  # fmt: skip
    names = {
        "insert": "text and heading",
        "section": "section",
        "set_property": "name",
    }
    if not str(needed[action.kind]).strip():
        fallback = "to" if action.kind in ("add_link", "move") else "text"
        raise UsageError(f"An action {action.kind} needs {names.get(action.kind, fallback)}.")
    if not action.path.strip():
        raise UsageError("An action needs path, the note that it changes.")
    if action.kind != "move" and not action.path.lower().endswith((".md", ".markdown")):
        raise UsageError(f"{action.path} is no Markdown note.", hint="Its name ends with .md.")
    if len(action.text) > MAX_TEXT_CHARS:
        raise UsageError(f"A text may have {MAX_TEXT_CHARS} characters.")


def diff(texts: Mapping[str, tuple[str | None, str | None]]) -> str:
    """Return what changes, as a unified diff; texts: path to the text before and after, None for no note."""
    parts = []
    for path, (before, after) in texts.items():
        old, new = (before or "").splitlines(keepends=True), (after or "").splitlines(keepends=True)
        names = (path if before is not None else "/dev/null", path if after is not None else "/dev/null")
        lines = difflib.unified_diff(old, new, *names, n=2)
        parts.append("".join(line if line.endswith("\n") else f"{line}\n" for line in lines))
    return "".join(parts)


def _outline(action: Action, before: str) -> str:
    """Return a Logseq page with whole new blocks at its end; nothing else of it is touched."""
    if action.kind == "set_property":
        raise UsageError("Properties of Logseq pages are not set from here.", hint="Set it in Logseq.")
    block = f"- {_link(action.to)}" if action.kind == "add_link" else action.text
    lines = outlined(block)
    if action.heading:
        lines = [f"- {action.heading}", *(f"\t{line}" for line in lines)]
    newline = "\r\n" if "\r\n" in before else "\n"
    gap = newline if before.strip() and not before.endswith("\n") else ""
    return f"{before if before.strip() else ''}{gap}{newline.join(lines)}{newline}"


def _link(target: str) -> str:
    bare = target.removesuffix(".md")
    if not is_linkable(bare):
        raise UsageError(f"{target!r} cannot be written in a link.")
    return f"[[{bare}]]"


def _value(written: str) -> Any:
    """Return a property's value: what reads as JSON is that, anything else is text."""
    try:
        value = json.loads(written)
    except (ValueError, RecursionError):
        return written
    return written if isinstance(value, dict) else value


def _ended(text: str) -> str:
    return text if text.endswith("\n") or not text else f"{text}\n"
