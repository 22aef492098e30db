"""YAML as Obsidian reads it: text in, values that JSON can hold out, and in plain words what is wrong.

Obsidian reads YAML 1.2, PyYAML reads 1.1; here `12:30` is not 750, `no` is not false, `0042` is not 34 and
a date is its text. The values are made from PyYAML's nodes and not by its constructors: nothing is built
that a note asks for by a tag, what people write without quotes (`[[link]]`, `{{date}}`) is seen before it
becomes a nested list, and size, nesting, aliases and merges cannot run away.
"""

from __future__ import annotations

import math
import re
from typing import Any

import yaml
from frontmatter.default_handlers import SafeLoader

MAX_VALUES = 10_000
MAX_CHARS = 1024 * 1024
MAX_DEPTH = 32

_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_WORDS = (
    ("mapping values are not allowed", "a colon within a value; put the value in quotes"),
    ("',' or ']'", "a list is not closed by ]"),
    ("',' or '}'", "a { is not closed by }"),
    ("unexpected end of stream", "a quotation mark is not closed"),
    ("undefined alias", "a value cannot begin with *; put it in quotes"),
    ("could not find expected ':'", "neither a property (name: value) nor part of one"),
    ("did not find expected key", "text after a value that has ended; put the whole value in quotes"),
    ("<block end>", "text after a value that has ended; put the whole value in quotes"),
    ("block sequence entries are not allowed", "a list begins on a line of its own"),
    ("alphabetic or numeric character", "a value cannot begin with & or *; put it in quotes"),
    ("unknown escape character", "a backslash within double quotes; use single quotes"),
    ("nesting", "values too deeply nested"),
)
"""What a parser's words mean to a person; the first that fits."""


class YamlError(ValueError):
    """The text is no YAML, or too much of it. offset: code points before the place."""

    def __init__(self, reason: str, offset: int = 0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.offset = offset


def compose(text: str) -> yaml.Node | None:
    """Return the node that text is, None for no value at all; raises YamlError for anything else."""
    try:
        return yaml.compose(text, Loader=_Loader)
    except Exception as error:  # PyYAML raises more than YAMLError: RecursionError, ValueError
        raise _explained(text, error) from error


class Values:
    """Turns nodes into values, within one count of values and characters for all of them."""

    def __init__(self) -> None:
        self._values = MAX_VALUES
        self._chars = MAX_CHARS

    def of(self, node: yaml.Node, source: str, *, json: bool = False, depth: int = 0) -> Any:
        """Return the value of a node of source; of two equal keys the last one counts.

        json: whether brackets mean nothing but lists. Raises YamlError when there are too many values, or
        too deep ones, as there are in an anchor that holds itself.
        """
        self._values -= 1
        if self._values < 0 or depth > MAX_DEPTH:
            raise YamlError("too many or too deeply nested values")
        if isinstance(node, yaml.ScalarNode):
            return self._kept(_scalar(node))
        if not json and is_bracketed(node):
            return self._kept(source_of(node, source))
        if isinstance(node, yaml.SequenceNode):
            return [self.of(item, source, json=json, depth=depth + 1) for item in node.value]
        return {
            self.key(name, source): self.of(value, source, json=json, depth=depth + 1)
            for name, value in node.value
        }

    def key(self, node: yaml.Node, source: str) -> str:
        """Return the name that a key gives, as it is written."""
        written = node.value if isinstance(node, yaml.ScalarNode) else source_of(node, source)
        return str(self._kept(encodable(written)))

    def _kept(self, value: Any) -> Any:
        """Return value after its characters are counted: an alias may repeat a long text without end."""
        self._chars -= len(value) if isinstance(value, str) else 0
        if self._chars < 0:
            raise YamlError("too much text by repeated anchors")
        return value


def is_bracketed(node: yaml.Node) -> bool:
    """Return whether a node is `[[…]]` or `{{…}}`: a link or a placeholder to people, not to YAML."""
    if not isinstance(node, yaml.CollectionNode) or not node.flow_style or len(node.value) != 1:
        return False
    inner = node.value[0][0] if isinstance(node, yaml.MappingNode) else node.value[0]
    return (
        type(inner) is type(node)
        and bool(inner.flow_style)
        and inner.start_mark.index == node.start_mark.index + 1
    )


def source_of(node: yaml.Node, source: str) -> str:
    """Return what stands in source for a node."""
    return encodable(source[node.start_mark.index : node.end_mark.index].strip())


def encodable(text: str) -> str:
    """Return text with a question mark for what no encoding can hold."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def _scalar(node: yaml.ScalarNode) -> Any:
    """Return a single value as JSON knows it; what its tag promises and it is not, is text."""
    kind = node.tag.rpartition(":")[2]
    if kind == "null":
        return None
    if kind == "bool":
        return node.value.lower() == "true"
    if kind in ("int", "float"):
        try:
            number = int(node.value) if kind == "int" else float(node.value)
        except ValueError:
            return encodable(node.value)
        return number if math.isfinite(number) else node.value
    return encodable(node.value)


def _explained(text: str, error: Exception) -> YamlError:
    """Return the error of the parser in plain words, and where it is."""
    if bad := _UNPRINTABLE.search(text):
        return YamlError(f"control character U+{ord(bad[0]):04X}", bad.start())
    mark = getattr(error, "problem_mark", None)
    offset = min(getattr(mark, "index", 0), max(len(text.rstrip()) - 1, 0))
    problem = " ".join(f"{getattr(error, 'problem', None) or error or type(error).__name__}".split())
    if "cannot start any token" in problem:
        if text[offset] == "\t":
            return YamlError("a tab as indentation; use spaces", offset)
        return YamlError(f"a value cannot begin with {text[offset]}; put it in quotes", offset)
    words = next((words for part, words in _WORDS if part in problem), problem)
    return YamlError(words, offset)


class _Loader(SafeLoader):  # type: ignore[misc, valid-type, unused-ignore]
    """A loader that knows the single values of YAML 1.2's core schema; it is used to compose only."""


_SCALARS = {
    "bool": (r"true|True|TRUE|false|False|FALSE", "tTfF"),
    "int": (r"[-+]?(?:0|[1-9][0-9]{0,300})", "-+0123456789"),
    "float": (r"[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]+)?", "-+.0123456789"),
    "null": (r"~|null|Null|NULL|", ["~", "n", "N", ""]),
}
_Loader.yaml_implicit_resolvers = {}
for _tag, (_pattern, _first) in _SCALARS.items():
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"(?:{_pattern})$"), list(_first))
