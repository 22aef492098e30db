"""The syntax table: what Obsidian and Logseq say each piece of syntax means, one case an entry.

The files in `cases/` hold the table. A case has an `id` (the claim), a `text`, and the parts of the note that
must come out of it, in the short forms that `shown` gives; a part that is not named is not checked. The first
lines of a file may give `path`, `graph` (the text of a `config.edn`) and `source` for all of its cases. A
`source` says where a claim is documented, or what it rests on where the documentation is silent.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pai_daemon.notes.chunks import split_chunks
from pai_daemon.notes.logseq import Graph
from pai_daemon.notes.note import Block, Link, Note
from pai_daemon.notes.plain import plain_text
from pai_daemon.notes.reader import read_note

FOLDER = Path(__file__).parent / "cases"
MINIMUM = 300
ASIDE = ("comment", "drawer")
"""Kinds of blocks that no one reads; whether a note has them between others is our own matter."""

DESCRIPTION = {"id", "text", "path", "graph", "source"}


def _cases() -> list[dict[str, Any]]:
    """Return every case, with what its file gives for all."""
    cases: list[dict[str, Any]] = []
    for file in sorted(FOLDER.glob("*.toml")):
        table = tomllib.loads(file.read_text("utf-8"))
        common = {key: value for key, value in table.items() if key != "case"}
        cases += ({**common, **case, "file": file.stem} for case in table["case"])
    return cases


CASES = _cases()


def _name(case: dict[str, Any]) -> str:
    return f"{case['file']}: {case['id']}"


def _note(case: dict[str, Any]) -> Note:
    """Return the note that a case's text makes at its path."""
    graph = Graph.parse(case["graph"]) if "graph" in case else None
    return read_note(case.get("path", "Note.md"), case["text"].encode(), graph=graph)


def _block(block: Block) -> str:
    """Return a block as `kind[label] ^id`, two spaces further in for each depth."""
    label = f"[{block.label}]" if block.label else ""
    block_id = f" ^{block.block_id}" if block.block_id else ""
    return f"{'  ' * block.depth}{block.kind}{label}{block_id}"


def _link(link: Link) -> str:
    """Return a link as `kind: !target#fragment|alias`; the kind of a wikilink is left out."""
    kind = "" if link.kind == "wikilink" else f"{link.kind}: "
    fragment = f"#{link.fragment}" if link.fragment else ""
    alias = f"|{link.alias}" if link.alias else ""
    vault = f" in {link.vault}" if link.vault else ""
    return f"{kind}{'!' if link.embed else ''}{link.target}{fragment}{alias}{vault}"


def _contents(note: Note) -> str:
    return "\n\n".join(chunk.content for chunk in split_chunks(note))


SHOWN: dict[str, Callable[[Note], Any]] = {
    "aliases": lambda note: list(note.aliases),
    "block_ids": lambda note: [block.block_id for block in note.blocks if block.block_id],
    "blocks": lambda note: "".join(f"{_block(block)}\n" for block in note.blocks),
    "date": lambda note: note.date,
    "fields": lambda note: [f"{field.key}: {field.value}" for field in note.fields],
    "headings": lambda note: [f"{heading.level} {heading.text}" for heading in note.headings],
    "kind": lambda note: note.kind,
    "lines": lambda note: [f"{block.kind} {block.start_line}-{block.end_line}" for block in note.blocks],
    "links": lambda note: [_link(link) for link in note.links],
    "link_sources": lambda note: [note.text[link.start : link.end] for link in note.links],
    "link_lines": lambda note: [link.line for link in note.links],
    "marks": lambda note: [f"{mark.kind}: {mark.inner}" for mark in note.marks],
    "names": lambda note: list(note.names),
    "plain": lambda note: plain_text(note.text[note.body_start :]),
    "problems": lambda note: [f"{problem.line}:{problem.column}" for problem in note.problems],
    "problem_lines": lambda note: [problem.line for problem in note.problems],
    "read_blocks": lambda note: "".join(
        f"{_block(block)}\n" for block in note.blocks if block.kind not in ASIDE
    ),
    "properties": lambda note: note.properties,
    "sources": lambda note: [note.text[block.start : block.end] for block in note.top_blocks()],
    "tags": lambda note: list(note.tags),
    "text_read": lambda note: note.text,
    "title": lambda note: note.title,
}
"""How each part is shown that must be equal."""


def _differences(case: dict[str, Any], note: Note) -> Iterator[str]:
    """Yield a line for each part that is not as the case says."""
    for part, show in SHOWN.items():
        if part in case and (found := show(note)) != case[part]:
            yield f"{part}: expected {case[part]!r}, got {found!r}"
    for name in case.get("among_names", ()):
        if name not in note.names:
            yield f"names: {name!r} is not in {note.names!r}"
    contents = _contents(note)
    for words in case.get("embedded", ()):
        if words not in contents:
            yield f"embedded: {words!r} is not in {contents!r}"
    for words in case.get("not_embedded", ()):
        if words in contents:
            yield f"not embedded: {words!r} is in {contents!r}"


def test_cases_are_enough_and_each_has_its_own_name() -> None:
    """There are at least 300 cases, no two with one name, and each checks something that exists."""
    names = [_name(case) for case in CASES]
    assert len(names) == len(set(names)) >= MINIMUM
    for case in CASES:
        checked = set(case) - DESCRIPTION - {"file"}
        assert checked, _name(case)
        assert checked <= {*SHOWN, "embedded", "not_embedded", "among_names"}, _name(case)


@pytest.mark.parametrize("case", CASES, ids=_name)
def test_syntax_means_what_its_documentation_says(case: dict[str, Any]) -> None:
    """The parts that a case names come out of its text; `embedded` words are in a chunk, others in none."""
    differences = list(_differences(case, _note(case)))
    assert not differences, "\n".join([f"\n{case['text']}", *differences, f"source: {case['source']}"])
