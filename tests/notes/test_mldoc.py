"""Our reading of a Logseq graph against mldoc's, the parser that Logseq itself uses.

mldoc gives a flat list of headings (its word for bullets) with what follows each; the rules by which Logseq's
`graph-parser` makes a tree, ids and references of it are followed here. What then still differs is listed
with its reason; a difference that is gone must leave the list.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections import Counter
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from pai_daemon.notes.logseq import Graph
from pai_daemon.notes.note import Note
from pai_daemon.notes.outline import read_outline
from pai_daemon.notes.properties import is_text, normal_key
from tests.bench.data import unpack

ORACLES = Path(__file__).parents[1] / "oracles"
FIXTURES = Path(__file__).parent / "fixtures" / "graph"
DOCS = "graph-logseq-docs-en"
NODE = shutil.which("node")

EMPHASIS = "theirs: mldoc looks for no tag within emphasis, and a reader sees one"
BRACKET = "theirs: mldoc takes the closing bracket after a tag for a part of it"
UNCLOSED = "theirs: `#+BEGIN_` and `#+END_` that belong to no block are tags to mldoc"
JOINED = "ours: a tag ends where a page name begins, and a page name where it is closed"
SNIPPET = "ours: org-mode's export snippets are not known in Markdown"
IN_CODE = "theirs: mldoc finds a page name within code, but only in a property"
PAGE = "ours: a first bullet of properties gives them to the page, as Logseq itself shows them"

DIFFERENCES: dict[tuple[str, str, str], str] = {
    ("pages/references.md", "tags", "+bold"): EMPHASIS,
    ("pages/references.md", "tags", "+italic_"): EMPHASIS,
    ("pages/references.md", "tags", "+c"): BRACKET,
    ("pages/references.md", "tags", "-c)"): BRACKET,
    ("pages/references.md", "tags", "-+BEGIN_QUOTE"): UNCLOSED,
    ("pages/references.md", "tags", "+a"): JOINED,
    ("pages/references.md", "pages", "+b"): JOINED,
    ("pages/references.md", "tags", "-a[[b"): JOINED,
    ("pages/references.md", "tags", "-c]]d"): JOINED,
    ("pages/references.md", "pages", "+snippet"): SNIPPET,
    ("pages/properties.md", "properties", "-key=value"): PAGE,
    ("pages/properties.md", "properties", "-k2=[[v2]], #v3"): PAGE,
    ("CONTRIBUTING.md", "tags", "+documenting-a-feature"): BRACKET,
    ("CONTRIBUTING.md", "tags", "-documenting-a-feature)"): BRACKET,
    ("pages/Changelog.md", "tags", "+9920"): BRACKET,
    ("pages/Changelog.md", "tags", "-9920)"): BRACKET,
    ("pages/Export.md", "tags", "+tags"): EMPHASIS,
    ("pages/term___page reference.md", "pages", "-Page title"): IN_CODE,
}
"""Page, what differs, what only we (`+`) or only they (`-`) see there; and why."""

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


@dataclass
class Seen:
    """What one side sees of a page. blocks: of each its line, depth, task word and id."""

    blocks: list[tuple[int, int, str, str]] = field(default_factory=list)
    counts: dict[str, Counter[str]] = field(
        default_factory=lambda: {name: Counter() for name in ("pages", "tags", "references", "properties")}
    )


def _ours(note: Note) -> Seen:
    """Return what our reader sees."""
    seen = Seen()
    bullets = not any(block.kind == "list" for block in note.blocks)
    for block in note.blocks:
        if block.kind == "heading" and block.depth == 0:
            seen.blocks.append((block.start_line, 0, "", block.block_id or ""))
        elif block.kind == "item" and bullets:
            seen.blocks.append((block.start_line, block.depth, block.label, block.block_id or ""))
    for link in note.links:
        written = note.text[link.start : link.end]
        if link.kind == "block":
            seen.counts["references"][link.target] += 1
        elif written.startswith("#"):
            seen.counts["tags"][link.target] += 1
        elif "[[" in written:
            seen.counts["pages"][link.target] += 1
    seen.counts["properties"].update(f"{found.key}={found.value}" for found in note.fields)
    return seen


def _theirs(tree: list[Any], text: str) -> Seen:
    """Return what Logseq sees in mldoc's tree."""
    seen = Seen()
    data = text.encode()
    levels: list[int] = []
    first_run = False
    for node, place in tree:
        if node[0] == "Heading":
            heading = node[1]
            depth = _depth(levels, heading["level"], is_bullet=heading["unordered"])
            line = data.count(b"\n", 0, place["start_pos"]) + 1
            seen.blocks.append((line, depth, heading.get("marker") or "", ""))
            first_run = True
            _count(heading["title"], seen)
        elif node[0] == "Property_Drawer":
            for key, value, marks in node[1]:
                if first_run:
                    _take_property(normal_key(key), value, seen)
                if is_text(normal_key(key), of_page=False) and "alias" not in key and value[:1] != '"':
                    _count(marks, seen)
            first_run = False
        else:
            _count(node, seen)
    return seen


def _depth(levels: list[int], level: int, *, is_bullet: bool) -> int:
    """Return a block's depth, and keep the levels of those around it.

    Ours: a heading without a bullet holds no bullets; Logseq makes indented ones its children.
    """
    if not is_bullet:
        levels.clear()
        return 0
    while levels and levels[-1] >= level:
        left = levels.pop()
        level = left if not levels or levels[-1] < level else level
    levels.append(level)
    return len(levels) - 1


def _take_property(key: str, value: str, seen: Seen) -> None:
    """Keep a property of the last block: its id, or what a reader sees."""
    if key in ("id", "custom-id") and _UUID.fullmatch(value):
        seen.blocks[-1] = (*seen.blocks[-1][:3], value)
    elif is_text(key, of_page=False) and re.search(r'["^(){}\[\]#`]', key) is None:
        seen.counts["properties"][f"{key}={value}"] += 1


def _count(node: Any, seen: Seen) -> None:
    """Count the references within a node."""
    if isinstance(node, dict):
        node = list(node.values())
    if not isinstance(node, list) or not node or node[:2] == ["Custom", "query"]:
        return
    kind, value = node[0], node[1] if len(node) > 1 else None
    if kind == "Tag":
        name = "".join(part[1]["full_text"] if part[0] == "Link" else str(part[1]) for part in value or ())
        seen.counts["tags"][name.removeprefix("[[").removesuffix("]]").strip()] += 1
    elif kind == "Link" and value is not None:
        target = value["url"][1]
        written = {"Page_ref": f"[[{target}]]", "Block_ref": f"(({target}))"}.get(value["url"][0], target)
        _refer(written, seen)
    elif kind == "Nested_link" and value is not None:
        _refer(value["content"], seen)
        _count(value["children"], seen)
    elif kind == "Macro" and value is not None:
        if value["name"] == "embed":
            _refer(", ".join(value["arguments"]), seen)
    else:
        for part in node:
            _count(part, seen)


def _refer(written: Any, seen: Seen) -> None:
    """Count the page or the block that a link leads to."""
    name = written[2:-2].strip() if isinstance(written, str) else ""
    if name and written.startswith("[["):
        seen.counts["pages"][name] += 1
    elif _UUID.fullmatch(name) and written.startswith("(("):
        seen.counts["references"][name] += 1


@cache
def _sides(graph: Path) -> dict[str, tuple[Seen, Seen]]:
    """Return what both sides see of each Markdown page of a graph."""
    if NODE is None or not (ORACLES / "node_modules" / "mldoc").exists():
        pytest.skip("mldoc is not installed: npm ci in tests/oracles")
    texts = {
        path.relative_to(graph).as_posix(): path.read_text("utf-8") for path in sorted(graph.rglob("*.md"))
    }
    done = subprocess.run(
        [NODE, str(ORACLES / "mldoc.mjs")], input=json.dumps(texts).encode(), capture_output=True, check=True
    )
    trees = json.loads(done.stdout)
    return {
        name: (_ours(read_outline(name, text, Graph())), _theirs(trees[name], text))
        for name, text in texts.items()
    }


@pytest.fixture(scope="module", params=["fixtures", DOCS])
def sides(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Give both sides of our small graph, and of Logseq's own documentation where it is here."""
    graph = FIXTURES if request.param == "fixtures" else unpack(DOCS, tmp_path_factory.mktemp("graph"))
    if graph is None:
        pytest.skip(f"the bench data {DOCS} is not here")
    return _sides(graph)


def test_blocks_lie_where_logseq_sees_them(sides: dict[str, tuple[Seen, Seen]]) -> None:
    """Every bullet and heading has the line, depth, task word and id that Logseq gives it."""
    assert {name: ours.blocks for name, (ours, _) in sides.items()} == {
        name: theirs.blocks for name, (_, theirs) in sides.items()
    }


def test_references_and_properties_differ_only_as_explained(sides: dict[str, tuple[Seen, Seen]]) -> None:
    """Page names, tags, block references and properties equal Logseq's, but for the listed differences."""
    found = set()
    for name, (ours, theirs) in sides.items():
        for what, count in ours.counts.items():
            found |= {(name, what, f"+{item}") for item in count - theirs.counts[what]}
            found |= {(name, what, f"-{item}") for item in theirs.counts[what] - count}
    assert found == {difference for difference in DIFFERENCES if difference[0] in sides}


def test_graph_is_worth_comparing(sides: dict[str, tuple[Seen, Seen]]) -> None:
    """Each graph holds blocks, ids, tasks and references enough for an agreement to mean something."""
    theirs = [seen for _, seen in sides.values()]
    blocks = [block for seen in theirs for block in seen.blocks]
    assert len(blocks) > 120
    assert sum(bool(task) for _, _, task, _ in blocks) > 20
    assert sum(bool(block_id) for *_, block_id in blocks) > 4
    assert sum((seen.counts["pages"].total() + seen.counts["tags"].total()) for seen in theirs) > 80
