"""Our blocks, code and links against commonmark.js, the reference, on the examples of the specification.

`oracles/commonmark.mjs` gives the examples and what the reference makes of them. Two rules of ours are
applied to its answer before it is compared: the paragraph with which an item or a quote begins is its own
text and no block, and a block ends at its last line that is not blank. What then still differs is listed
with its reason; an example that stops to differ must leave the list.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from pai_daemon.notes.blocks import read_blocks
from pai_daemon.notes.positions import Positions
from pai_daemon.notes.reader import read_note

ORACLES = Path(__file__).parents[1] / "oracles"
NODE = shutil.which("node")

ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:|//")

Shape = list[tuple[str, int, int, int]]

_KEPT = "theirs: the block that is left behind a definition keeps the line on which the definition began"
DIFFERENT_BLOCKS = {215: _KEPT, 216: _KEPT}
"""Number of each example whose blocks differ, with the reason."""

DIFFERENT_LINKS = {559: "both: a reference in double brackets is a wikilink in Obsidian"}
"""Number of each example whose links differ, with the reason."""


@cache
def _oracle() -> dict[str, Any]:
    """Return the examples and what the reference makes of them."""
    if NODE is None or not (ORACLES / "node_modules" / "commonmark").exists():
        pytest.skip("commonmark.js is not installed: npm ci in tests/oracles")
    done = subprocess.run([NODE, str(ORACLES / "commonmark.mjs")], capture_output=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _theirs(example: dict[str, Any]) -> Shape:
    """Return the reference's blocks in our terms: kind, depth, first and last line."""
    lines = example["markdown"].split("\n")
    shape: Shape = []
    parent = ("", -1)
    for kind, depth, first, last in example["blocks"]:
        is_own = kind == "paragraph" and parent in (("item", depth - 1), ("quote", depth - 1))
        parent = (kind, depth)
        if is_own:
            continue
        end = min(last, len(lines))
        while end > first and not lines[end - 1].strip():
            end -= 1
        shape.append((kind, depth, first, end))
    return shape


def _ours(markdown: str) -> Shape:
    """Return our blocks in the reference's terms: it has no comments, and drops definitions."""
    return [
        ("html" if block.kind == "comment" else block.kind, block.depth, block.start_line, block.end_line)
        for block in read_blocks(markdown, Positions(markdown)).blocks
        if block.kind != "definition"
    ]


def _code(example: dict[str, Any]) -> list[str]:
    """Return the inline code as the reference normalises it: lines joined, one blank off at both sides."""
    found = []
    for mark in read_note("x.md", _body(example)).marks:
        if mark.kind == "code":
            inner = mark.inner.replace("\n", " ")
            is_padded = inner[:1] == inner[-1:] == " " and inner.strip()
            found.append(inner[1:-1] if is_padded else inner)
    return found


def _differing(theirs_and_ours: dict[int, tuple[Any, Any]]) -> dict[int, str]:
    """Return the numbers of the examples that differ, each with both sides."""
    return {
        number: f"theirs {theirs}, ours {ours}"
        for number, (theirs, ours) in theirs_and_ours.items()
        if theirs != ours
    }


def _unexplained(differing: dict[int, str], explained: dict[int, str]) -> str:
    """Return a line for each difference without a reason and each reason without a difference."""
    by_number = {example["number"]: example for example in _oracle()["examples"]}
    new = [
        f"{number} ({by_number[number]['section']}) {by_number[number]['markdown']!r}: {what}"
        for number, what in differing.items()
        if number not in explained
    ]
    return "\n".join(new + [f"{number} no longer differs" for number in explained if number not in differing])


def test_blocks_of_the_specification_are_those_of_the_reference() -> None:
    """Kind, depth and lines of every block are equal on every example but those explained."""
    examples = _oracle()["examples"]
    assert len(examples) > 600
    differing = _differing(
        {example["number"]: (_theirs(example), _ours(example["markdown"])) for example in examples}
    )
    assert not (lines := _unexplained(differing, DIFFERENT_BLOCKS)), lines


def test_inline_code_of_the_specification_is_that_of_the_reference() -> None:
    """The text of each code span is equal on every example."""
    differing = _differing(
        {example["number"]: (example["code"], _code(example)) for example in _oracle()["examples"]}
    )
    assert not (lines := _unexplained(differing, {})), lines


def test_links_into_the_vault_of_the_specification_are_those_of_the_reference() -> None:
    """As many links lead into the vault as the reference has destinations without a scheme."""
    differing = _differing(
        {
            example["number"]: (
                sum(_leads_into_the_vault(link) for link in example["links"]),
                sum(link.kind == "markdown" for link in read_note("x.md", _body(example)).links),
            )
            for example in _oracle()["examples"]
        }
    )
    assert not (lines := _unexplained(differing, DIFFERENT_LINKS)), lines


def _body(example: dict[str, Any]) -> bytes:
    """Return the example behind an empty head, so that its rules are no properties."""
    return f"---\n---\n{example['markdown']}".encode()


def _leads_into_the_vault(destination: str) -> bool:
    return bool(destination) and not ADDRESS.match(destination)


def test_link_and_tag_in_code_of_the_specification_is_none() -> None:
    """Where the reference finds `[[Hidden]] #hidden` in code, we find no link and no tag."""
    hidden = _oracle()["hidden"]
    assert len(hidden) > 50
    notes = [read_note("x.md", text.encode()) for text in hidden]
    assert [note.text for note in notes if note.tags] == []
    assert [note.text for note in notes if any(link.target == "Hidden" for link in note.links)] == []
