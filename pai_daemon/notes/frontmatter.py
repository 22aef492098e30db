"""The head of a note: its properties, where the body begins, and what is wrong with it.

A head that is no YAML as a whole is read entry by entry, so that one colon too many costs one value its
type and not a note its tags. What YAML means is decided in `yaml12`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import yaml
from frontmatter import YAMLHandler

from pai_daemon.notes.note import Problem, PropertySpan
from pai_daemon.notes.positions import Positions
from pai_daemon.notes.yaml12 import Values, YamlError, compose, encodable, is_bracketed

LIMIT_CHARS = 64 * 1024
MAX_PROBLEMS = 50

TEMPLATE = re.compile(r"\{\{|<%")
"""Where a template will put something: what stands there is not yet what it says."""

_FENCE = re.compile(r"^---[ \t]*(?:\r\n|\r|\n|\Z)", re.MULTILINE)
_HANDLER = YAMLHandler(fm_boundary=_FENCE)
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n|\Z)")
_INDENT = re.compile(r"^[ \t]+", re.MULTILINE)
# A name and its colon; after it a blank, or none after a plain word that begins no web address.
_ENTRY = re.compile(
    r"(?!-[ \t]|[\s#\[\]{}<])(?P<name>[^\r\n]+?)(?<!\s):(?=[ \t\r\n]|\Z)|(?P<word>\w[\w-]*):(?=[^\s/])"
)
# A line that is a property for sure, where no closing fence says so.
_KEY = re.compile(r"[A-Za-z][\w -]*:(?:[ \t\r\n]|\Z)")
_ITEM = re.compile(r"[ \t]*-[ \t]+([^\r\n]*)")
_COLON = re.compile(r"\s*:\s*")
# A value that could not be read is kept as its text up to here.
_RAW_CHARS = 1000


@dataclass(frozen=True, slots=True)
class Frontmatter:
    """What the head says.

    body_start: code points before the body. properties: safe to write as JSON. spans: for each property
    where in the note its name begins, where its value begins and where that ends.
    """

    properties: dict[str, Any] = field(default_factory=dict)
    body_start: int = 0
    problems: tuple[Problem, ...] = ()
    spans: dict[str, tuple[int, int, int]] = field(default_factory=dict)

    def property_spans(self, positions: Positions) -> dict[str, PropertySpan]:
        """Return the spans with their lines."""
        return {name: PropertySpan(*span, positions.line(span[0])) for name, span in self.spans.items()}


def read_frontmatter(text: str) -> Frontmatter:
    """Return the frontmatter at the very start of text; never raises.

    Between two lines of `---` stand properties, in YAML or JSON. Of two with one name the last one counts,
    as with most readers of YAML; Obsidian reads none of such a head. What cannot be read is a problem with
    its line and column in the note, and the body begins after the head all the same. A head without any
    property (prose between two rules) stays part of the body.
    """
    if not text.startswith("---") or not _HANDLER.detect(text):
        return Frontmatter()
    opening = _FENCE.match(text)
    closing = _FENCE.search(text, opening.end()) if opening else None
    if opening is None or closing is None or closing.start() == len(text) == opening.end():
        return Frontmatter(problems=_unclosed(text, opening.end() if opening else 0))
    if closing.start() - opening.end() > LIMIT_CHARS:
        if not _ENTRY.match(text, opening.end()):
            return Frontmatter()
        reason = f"frontmatter longer than {LIMIT_CHARS} characters was not read"
        return Frontmatter({}, closing.end(), (Problem(reason, 1, 1),))
    head = _Head(text[: closing.start()], opening.end())
    is_head = head.read()
    return Frontmatter(head.properties, closing.end() if is_head else 0, head.problems, head.spans)


def _unclosed(text: str, after: int) -> tuple[Problem, ...]:
    """Return a problem if what follows the first line looks like properties that are never closed."""
    if _KEY.match(text, after):
        return (Problem("frontmatter is not closed by a line with ---", 1, 1),)
    return ()


class _Head:
    """Collects what stands between the fences; text ends before the second, start is after the first."""

    def __init__(self, text: str, start: int) -> None:
        self._text = text
        self._start = start
        self._values = Values()
        self._problems: list[tuple[str, int]] = []
        self.properties: dict[str, Any] = {}
        self.spans: dict[str, tuple[int, int, int]] = {}

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What is wrong, in the order of the note; the first ones, where there are many."""
        if not self._problems:
            return ()
        places = Positions(self._text)
        return tuple(
            Problem(f"frontmatter: {reason}", places.line(offset), places.column(offset))
            for reason, offset in self._problems[:MAX_PROBLEMS]
        )

    def read(self) -> bool:
        """Read the properties; return whether the head is one: with properties, empty, or broken JSON."""
        try:
            return self._read(self._text[self._start :])
        except YamlError as error:  # too much of everything
            self.properties, self.spans, self._problems = {}, {}, [(error.reason, self._start)]
            return True

    def _read(self, source: str) -> bool:
        """Read the head as one piece of YAML, or else property by property."""
        try:
            node = compose(source)
        except YamlError as error:
            is_json = source.lstrip().startswith("{")
            is_head = not is_json and self._entries(source)
            if not is_head:
                self._problems.append((error.reason, self._start + error.offset))
            return is_head or is_json
        if node is None:
            return True
        if isinstance(node, yaml.MappingNode) and not is_bracketed(node):
            self._add(node, source, self._start)
            return True
        if isinstance(node, yaml.ScalarNode) and _ENTRY.match(source):
            return self._entries(source)
        self._problems.append(("not a list of properties (name: value)", self._start))
        return False

    def _entries(self, source: str) -> bool:
        """Read the head property by property; return whether there are any."""
        borders = [line.start() for line in _LINE.finditer(source) if _ENTRY.match(source, line.start())]
        if not borders:
            return False
        stray = source[: borders[0]].strip()
        if stray and not stray.startswith("#") and not TEMPLATE.search(stray):
            self._problems.append(("neither a property (name: value) nor part of one", self._start))
        for start, end in zip(borders, [*borders[1:], len(source)], strict=True):
            self._entry(source[start:end], self._start + start)
        return True

    def _entry(self, entry: str, start: int) -> None:
        """Read one property that begins at start; where it is no YAML, as much of it as has a meaning."""
        try:
            node = compose(entry)
        except YamlError as error:
            problem = error
            # YAML forbids tabs as indentation, notes have them; one blank for each keeps every place.
            spaced = _INDENT.sub(lambda match: " " * len(match[0]), entry)
            node = _composed(spaced) if spaced != entry else None
        else:
            problem = YamlError("no blank after the colon", 0)
        if isinstance(node, yaml.MappingNode):
            self._add(node, entry, start)
            return
        match = _ENTRY.match(entry)
        if match is None:
            return
        if not TEMPLATE.search(entry):
            self._problems.append((problem.reason, start + problem.offset))
        value = self._written(entry[match.end() :])
        if value is not None:
            end = start + len(entry.rstrip())
            value_start = start + len(entry) - len(entry[match.end() :].lstrip())
            span = start, min(value_start, end), end
            self._put((match["name"] or match["word"]).strip("\"'"), value, span)

    def _written(self, source: str) -> Any:
        """Return a value that is no YAML: its line as text, or its lines as the items of a list."""
        if len(lines := source.split("\n")) == 1 or not source[len(lines[0]) :].strip():
            raw = source.strip()
            return encodable(raw) if len(raw) <= _RAW_CHARS else None
        items = [_ITEM.match(line.rstrip("\r")) for line in lines[1:] if line.strip()]
        if lines[0].strip() or not all(items):
            return None
        return [self._item(item[1].strip()) for item in items if item]

    def _item(self, source: str) -> Any:
        """Return an item of a list as YAML reads it, else as it is written."""
        node = _composed(source)
        return self._values.of(node, source) if node is not None else encodable(source[:_RAW_CHARS])

    def _add(self, mapping: yaml.MappingNode, source: str, start: int) -> None:
        """Take in the pairs of a mapping; start: where its source begins in the note."""
        json = bool(mapping.flow_style)
        for name, value in mapping.value:
            key = self._values.key(name, source)
            found = self._values.of(value, source, json=json, depth=1)
            begin = name.start_mark.index
            end = begin + len(source[begin : _end(name, value, source)].rstrip())
            colon = _COLON.match(source, name.end_mark.index)
            value_start = min(colon.end(), end) if colon else end
            self._put(key, found, (start + begin, start + value_start, start + end))

    def _put(self, name: str, value: Any, span: tuple[int, int, int]) -> None:
        """Take in one property; a second one of the same name is a problem."""
        if name in self.properties:
            self._problems.append((f"a second property with the name {name}; this one counts", span[0]))
        self.properties[name] = value
        self.spans[name] = span


def _composed(source: str) -> yaml.Node | None:
    """Return the node that source is, None where it is none."""
    try:
        return compose(source)
    except YamlError:
        return None


def _end(name: yaml.Node, value: yaml.Node, source: str) -> int:
    """Return where a value ends; a collection in lines ends with its last item, before comments after it."""
    after = name.end_mark.index
    while True:
        if value.start_mark.index < after:  # an alias: its node lies where the anchor is
            line = _LINE.match(source, after)
            return line.end() if line else after
        if not isinstance(value, yaml.CollectionNode) or value.flow_style or not value.value:
            return int(value.end_mark.index)
        last = value.value[-1]
        after = value.start_mark.index + 1
        value = last[1] if isinstance(last, tuple) else last
