"""Obsidian's canvases: JSON Canvas 1.0 (jsoncanvas.org) in, a note of Markdown out.

The note's text is taken out of the cards: groups become headings, and in each the cards come first and the
groups within it after them, from top to bottom and left to right. The place of a card is no part of the
text, and an edge gives its label to the card where it begins.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote

from pai_daemon.notes.links import is_linkable, markdown_link
from pai_daemon.notes.markdown import note_title, read_markdown
from pai_daemon.notes.note import Note, Problem
from pai_daemon.notes.positions import Positions

# Each card is compared with each group; above this a canvas is read as if it had no groups.
MAX_COMPARISONS = 5_000_000
# Markdown knows no deeper heading.
_MAX_LEVEL = 6
_MAX_PLACE = 1e9

_SURROGATE = re.compile("[\0\ud800-\udfff]")
_BREAKS_URL = re.compile(r"[\s\[\]<>`\\^|\"{}]")
_FENCE = re.compile(r"^ {0,3}(`{3,}(?=[^`\r\n]*$)|~{3,})[ \t]*([^\r\n]*)", re.MULTILINE)


def read_canvas(path: str, text: str) -> Note:
    """Return the note that a canvas makes: its links are those of its cards, and the files it shows.

    The spans are those of the text taken out, not of the JSON. Broken JSON gives an empty note and a
    problem with line and column.
    """
    problems: list[Problem] = []
    canvas = _parsed(text, problems)
    note = read_markdown(path, "\n\n".join(_parts(canvas, problems)))
    return replace(note, title=note_title(path), kind="canvas", problems=(*problems, *note.problems))


@dataclass(slots=True)
class _Card:
    """A node of a canvas. parts: its text as Markdown; within: the cards and groups in a group."""

    identity: str
    is_group: bool
    parts: list[str]
    left: float
    top: float
    width: float
    height: float
    within: list[_Card] = field(default_factory=list)

    def holds(self, other: _Card) -> bool:
        """Return whether the other one lies inside this one; of two of one size, none does."""
        return (
            self.left <= other.left
            and self.top <= other.top
            and self.left + self.width >= other.left + other.width
            and self.top + self.height >= other.top + other.height
            and (self.width, self.height) != (other.width, other.height)
        )


def _parsed(text: str, problems: list[Problem]) -> dict[str, Any]:
    """Return the canvas as JSON has it; an empty file is an empty canvas, as Obsidian makes new ones."""
    if not text.strip():
        return {}
    try:
        canvas = json.loads(text)
    except json.JSONDecodeError as error:
        places = Positions(text)
        problems.append(
            Problem(f"canvas: {error.msg}", places.line(error.pos), places.column(min(error.pos, len(text))))
        )
        return {}
    except (ValueError, RecursionError) as error:  # a number of thousands of digits; too deep a nesting
        problems.append(Problem(f"canvas: {error}", 1, 1))
        return {}
    if not isinstance(canvas, dict):
        problems.append(Problem("canvas: no object with nodes and edges", 1, 1))
        return {}
    return canvas


def _parts(canvas: dict[str, Any], problems: list[Problem]) -> Iterator[str]:
    """Yield the pieces of Markdown that the canvas is made of, in the order of reading."""
    labels: dict[str, list[str]] = {}
    for edge in _objects(canvas, "edges"):
        if label := _line(edge.get("label")):
            labels.setdefault(_text(edge.get("fromNode")), []).append(label)
    cards = [card for node in _objects(canvas, "nodes") if (card := _card(node)) is not None]
    stack = [(card, 1) for card in reversed(_nested(cards, problems))]
    while stack:
        card, level = stack.pop()
        if card.is_group and card.parts:
            yield f"{'#' * min(level, _MAX_LEVEL)} {card.parts[0]}"
        elif not card.is_group:
            yield from card.parts
        yield from labels.pop(card.identity, ())
        deeper = level + 1 if card.parts else level
        stack += [(inner, deeper) for inner in reversed(card.within)]
    for rest in labels.values():
        yield from rest


def _nested(cards: list[_Card], problems: list[Problem]) -> list[_Card]:
    """Return the cards that lie in no group, in order; every other one goes into the smallest around it."""
    cards.sort(key=lambda card: (card.is_group, card.top, card.left))
    groups = sorted((card for card in cards if card.is_group), key=lambda card: card.width * card.height)
    if len(groups) * len(cards) > MAX_COMPARISONS:
        problems.append(Problem("canvas: too many groups; which cards lie in them is not read"))
        return cards
    outer: list[_Card] = []
    for card in cards:
        around = next((group for group in groups if group is not card and group.holds(card)), None)
        (outer if around is None else around.within).append(card)
    return outer


def _card(node: dict[str, Any]) -> _Card | None:
    """Return the card that a node of the JSON is; None for a type that the specification does not name."""
    kind = node.get("type")
    if kind == "text":
        parts = [_closed(_text(node.get("text")))]
    elif kind == "file":
        parts = [_file(_line(node.get("file")), _line(node.get("subpath")))]
    elif kind == "link":
        parts = [_BREAKS_URL.sub(lambda match: quote(match[0]), _text(node.get("url")).strip())]
    elif kind == "group":
        parts = [_line(node.get("label"))]
    else:
        return None
    left, top, width, height = (_number(node.get(name)) for name in ("x", "y", "width", "height"))
    parts = [part for part in parts if part.strip()]
    return _Card(_text(node.get("id")), kind == "group", parts, left, top, width, height)


def _file(path: str, subpath: str) -> str:
    """Return the embed of a file, or of the heading or block in it that the subpath names."""
    if not path:
        return ""
    fragment = subpath.removeprefix("#")
    if is_linkable(path) and (not fragment or is_linkable(fragment.replace("#", "").replace("^", ""))):
        return f"![[{path}#{fragment}]]" if fragment else f"![[{path}]]"
    return f"!{markdown_link(path, '')}"


def _closed(text: str) -> str:
    """Return a card's Markdown so that it ends where the card ends, and begins no frontmatter."""
    fence = ""
    for match in _FENCE.finditer(text):
        if not fence:
            fence = match[1]
        elif match[1].startswith(fence) and not match[2].strip():
            fence = ""
    # A note may begin with properties, a card begins with a rule.
    start = "\n" if text.startswith("---") else ""
    return f"{start}{text.rstrip()}\n{fence}" if fence else f"{start}{text.rstrip()}"


def _objects(canvas: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """Return the objects in a list of the canvas, none where it is no list."""
    items = canvas.get(name)
    return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []


def _text(value: Any) -> str:
    """Return a text of the JSON with U+FFFD for what no file can hold; empty for any other value."""
    return _SURROGATE.sub("\ufffd", value) if isinstance(value, str) else ""


def _line(value: Any) -> str:
    """Return a text of the JSON on one line."""
    return " ".join(_text(value).split())


def _number(value: Any) -> float:
    """Return a number of the JSON, 0 for any other value and for one beyond every screen."""
    return float(value) if isinstance(value, (int, float)) and abs(value) < _MAX_PLACE else 0.0
