"""The YAML head of a note: its properties, where the body begins, and what is wrong with it.

Obsidian reads YAML 1.2, PyYAML reads 1.1; the loader here drops what would surprise (`12:30` is not 750,
`no` is not false, `0042` is not 34) and cannot be made to run away: size, nesting, merges and the number
of values are bounded.
"""

from __future__ import annotations

import datetime
import math
import re
from dataclasses import dataclass, field
from typing import Any

import yaml
from frontmatter import YAMLHandler
from frontmatter.default_handlers import SafeLoader

from pai_daemon.notes.note import Problem

LIMIT_CHARS = 64 * 1024
MAX_VALUES = 10_000
MAX_DEPTH = 32

_FENCE = re.compile(r"^---[ \t]*(?:\r\n|\r|\n|\Z)", re.MULTILINE)
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_KEY = re.compile(r"[A-Za-z][\w -]*:(?:[ \t]|\r|\n|\Z)")
_HANDLER = YAMLHandler(fm_boundary=_FENCE)


@dataclass(frozen=True, slots=True)
class Frontmatter:
    """What the head says. body_start: code points before the body. Properties are safe to write as JSON."""

    properties: dict[str, Any] = field(default_factory=dict)
    body_start: int = 0
    problems: tuple[Problem, ...] = ()


def read_frontmatter(text: str) -> Frontmatter:
    """Return the frontmatter at the very start of text; never raises.

    Broken YAML is a problem with the line and column of the note, and the body begins after it all the
    same. A head that is valid YAML but no mapping (prose between two rules) stays part of the body.
    """
    if not text.startswith("---") or not _HANDLER.detect(text):
        return Frontmatter()
    opening = _FENCE.match(text)
    closing = _FENCE.search(text, opening.end()) if opening else None
    if opening is None or closing is None or closing.start() == len(text) == opening.end():
        return Frontmatter(problems=_unclosed(text, opening.end() if opening else 0))
    if closing.start() - opening.end() > LIMIT_CHARS:
        reason = f"frontmatter longer than {LIMIT_CHARS} characters was not read"
        return Frontmatter({}, closing.end(), (Problem(reason, 1, 1),))
    head, _ = _HANDLER.split(text[: closing.end()])
    return _load(head, closing.end())


def _unclosed(text: str, after: int) -> tuple[Problem, ...]:
    """Return a problem if what follows the first line looks like properties that are never closed."""
    if _KEY.match(text, after):
        return (Problem("frontmatter is not closed by a line with ---", 1, 1),)
    return ()


def _load(head: str, body_start: int) -> Frontmatter:
    """Return the properties that the YAML between the fences holds."""
    try:
        value = _HANDLER.load(head, Loader=_Loader)
        properties = _Cleaner().clean(value)
    except Exception as error:  # any YAML must give a note, and PyYAML raises more than YAMLError
        return Frontmatter({}, body_start, (_problem(head, error),))
    if properties is None:
        return Frontmatter({}, body_start)
    if not isinstance(properties, dict):
        return Frontmatter({}, 0, (Problem("frontmatter is not a list of properties (key: value)", 2, 1),))
    return Frontmatter(properties, body_start)


def _problem(head: str, error: Exception) -> Problem:
    """Return the error in the numbering of the note, whose first line is the opening fence."""
    if bad := _UNPRINTABLE.search(head):
        before = head[: bad.start()]
        column = bad.start() - max(before.rfind("\n"), before.rfind("\r"))
        return Problem(
            f"frontmatter: control character U+{ord(bad[0]):04X}", 2 + before.count("\n"), max(column, 1)
        )
    mark = getattr(error, "problem_mark", None)
    reason = getattr(error, "problem", None) or str(error) or type(error).__name__
    line, column = (mark.line + 2, mark.column + 1) if mark is not None else (2, 1)
    return Problem(f"frontmatter: {reason}", line, column)


class _Loader(SafeLoader):  # type: ignore[misc, valid-type, unused-ignore]
    """A safe loader with the scalars of YAML 1.2 and without merge keys."""

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        """Leave `<<` alone: merging lists of anchors grows without bound."""

    def string_instead(self, node: yaml.ScalarNode) -> Any:
        """Return a date, or the text as written where the calendar has no such day."""
        try:
            return self.construct_yaml_timestamp(node)
        except (ValueError, OverflowError):
            return node.value


_DATE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_TIME = r"(?:[Tt]|[ \t]+)[0-9]{1,2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]*)?"
_ZONE = r"[ \t]*(?:Z|[-+][0-9]{1,2}(?::?[0-9]{2})?)"
_SCALARS = {
    "bool": (r"true|True|TRUE|false|False|FALSE", "tTfF"),
    "int": (r"[-+]?(?:0|[1-9][0-9]{0,300})", "-+0123456789"),
    "float": (r"[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]+)?", "-+.0123456789"),
    "null": (r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    "timestamp": (f"{_DATE}(?:{_TIME}(?:{_ZONE})?)?", "0123456789"),
}
_Loader.yaml_implicit_resolvers = {}
for _tag, (_pattern, _first) in _SCALARS.items():
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"(?:{_pattern})$"), list(_first))
_Loader.add_constructor("tag:yaml.org,2002:timestamp", _Loader.string_instead)


class _Cleaner:
    """Turns a value of YAML into one of JSON, within a number of values and a depth."""

    def __init__(self) -> None:
        self.left = MAX_VALUES

    def clean(self, value: Any, depth: int = 0) -> Any:
        """Return value with dates and keys as strings and without NaN; raises ValueError when too big."""
        self.left -= 1
        if self.left < 0 or depth > MAX_DEPTH:
            raise ValueError("too many or too deeply nested values")
        if isinstance(value, dict):
            return {_text(key): self.clean(item, depth + 1) for key, item in value.items()}
        if isinstance(value, (list, tuple, set)):
            return [self.clean(item, depth + 1) for item in value]
        return _scalar(value)


def _scalar(value: Any) -> Any:
    """Return a single value as JSON knows it."""
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    return _text(value)


def _text(value: Any) -> str:
    """Return a key or a value as text that can be encoded."""
    if isinstance(value, (datetime.date, datetime.datetime)):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, bool) or value is None:
        return str(value).lower() if value is not None else "null"
    text = str(value)
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")
