"""Nasty files in families: each makes a file of any size out of one idea, to compare the cost of sizes."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass

PAGE = "pages/x.md"


@dataclass(frozen=True, slots=True)
class Family:
    """Files of one idea. make: a file of so many units; large: as many as a reader must take."""

    make: Callable[[int], bytes]
    large: int
    path: str = "x.md"


def _repeat(unit: str, before: str = "", after: str = "") -> Callable[[int], bytes]:
    return lambda count: (before + unit * count + after).encode()


def _square(line: Callable[[int], str]) -> Callable[[int], bytes]:
    """Return a maker of lines that grow with their number, about as many bytes in all as units asked for."""
    return lambda count: "".join(map(line, range(math.isqrt(count)))).encode()


def _table(columns: Callable[[int], int], rows: Callable[[int], int]) -> Callable[[int], bytes]:
    def make(count: int) -> bytes:
        width = columns(count)
        row = "| a " * width + "|\n"
        return (row + "|---" * width + "|\n" + row * rows(count)).encode()

    return make


def _canvas(count: int) -> bytes:
    nodes = [
        {
            "id": str(n),
            "type": "text",
            "text": f"card [[{n}]]",
            "x": n % 997,
            "y": n % 991,
            "width": 9,
            "height": 9,
        }
        for n in range(count)
    ]
    return json.dumps({"nodes": nodes, "edges": []}).encode()


def _groups(count: int) -> bytes:
    """Return groups within groups within groups."""
    nodes = [
        {
            "id": str(n),
            "type": "group",
            "label": f"g{n}",
            "x": n,
            "y": n,
            "width": 2 * (count - n),
            "height": 2 * (count - n),
        }
        for n in range(count)
    ]
    return json.dumps({"nodes": nodes}).encode()


def _edges(count: int) -> bytes:
    edges = [{"id": str(n), "fromNode": "a", "toNode": "b", "label": "leads"} for n in range(count)]
    return json.dumps({"nodes": [], "edges": edges}).encode()


def _yaml_bomb(count: int) -> bytes:
    """Return anchors of which each stands for nine of the one before."""
    levels = [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}' if n else 'x'] * 9)}]\n" for n in range(count)]
    return ("---\n" + "".join(levels) + "---\nbody\n").encode()


def _pdf(count: int) -> bytes:
    objects = "".join(
        f"{n} 0 obj\n<< /Type /Page /Parent {n + 1} 0 R >>\nendobj\n" for n in range(1, count + 1)
    )
    return f"%PDF-1.4\n{objects}trailer\n<< /Root 1 0 R >>\nstartxref\n9\n%%EOF\n".encode()


def _definitions_in_use(count: int) -> bytes:
    uses = "".join(f"[a{n}] " for n in range(count))
    return (uses + "\n\n" + "".join(f"[a{n}]: b{n}.md\n" for n in range(count))).encode()


_MARKDOWN = {
    "quotes deep": Family(_repeat(">", after=" x\n"), 10_000),
    "quotes deep with blanks": Family(_repeat("> ", after="x\n"), 10_000),
    "quotes deep on many lines": Family(_square(lambda n: ">" * n + " x\n"), 400_000),
    "lists deep on one line": Family(_repeat("- ", after="x\n"), 10_000),
    "numbers deep on one line": Family(_repeat("1. ", after="x\n"), 10_000),
    "lists deep by indentation": Family(_square(lambda n: "  " * n + "- x\n"), 1_000_000),
    "lists and quotes in turn": Family(_repeat("- > ", after="x\n"), 10_000),
    "items": Family(_repeat("- x\n"), 100_000),
    "tasks": Family(_repeat("- [ ] x\n"), 60_000),
    "items with blank lines": Family(_repeat("- x\n\n"), 60_000),
    "empty items": Family(_repeat("-\n"), 100_000),
    "lazy lines of a quote": Family(_repeat("x\n", "> "), 200_000),
    "lines of a quote": Family(_repeat("> x\n"), 100_000),
    "quotes": Family(_repeat("> x\n\n"), 60_000),
    "callouts": Family(_repeat("> [!note]- T\n> x\n\n"), 30_000),
    "a callout in one line each": Family(_repeat("> [!note]\n"), 60_000),
    "brackets open": Family(_repeat("["), 200_000),
    "brackets deep": Family(lambda count: b"[" * count + b"]" * count, 100_000),
    "double brackets open": Family(_repeat("[["), 200_000),
    "wikilinks open": Family(_repeat("[[a "), 200_000),
    "wikilinks": Family(_repeat("[[a|b]] "), 100_000),
    "wikilinks on lines": Family(_repeat("[[a#b]]\n"), 100_000),
    "embeds": Family(_repeat("![[a.png|10]] "), 100_000),
    "Markdown links": Family(_repeat("[a](b.md) "), 100_000),
    "Markdown links open": Family(_repeat("[a]("), 200_000),
    "destinations open": Family(_repeat("[a](<b"), 200_000),
    "titles open": Family(_repeat('[a](b "c'), 100_000),
    "images open": Family(_repeat("!["), 200_000),
    "parentheses deep": Family(lambda count: b"[a](" + b"(" * count + b")" * count + b")", 100_000),
    "references without definitions": Family(_repeat("[a][b] "), 100_000),
    "definitions": Family(_repeat("[a]: b\n"), 50_000),
    "definitions in use": Family(_definitions_in_use, 40_000),
    "definitions open": Family(_repeat("[a]: <b\n"), 50_000),
    "tags": Family(_repeat("#a/b "), 200_000),
    "different tags": Family(lambda count: "".join(f"#t{n} " for n in range(count)).encode(), 100_000),
    "hashes": Family(_repeat("#"), 1_000_000),
    "headings": Family(_repeat("# h\n"), 100_000),
    "headings underlined": Family(_repeat("h\n=\n"), 60_000),
    "underline that may be one": Family(_repeat("h\n", after="=\n"), 200_000),
    "backticks open": Family(_repeat("`a "), 200_001),
    "backticks of growing length": Family(_square(lambda n: "`" * (n + 1) + "a "), 1_000_000),
    "backticks over paragraphs": Family(_repeat("`a\n\n"), 60_000),
    "dollars": Family(_repeat("$"), 1_000_001),
    "dollars open": Family(_repeat("$a "), 200_000),
    "math blocks open": Family(_repeat("$$ a\n\n"), 60_001),
    "dollars in a line each": Family(_repeat("$$\n"), 100_001),
    "percent signs": Family(_repeat("%"), 1_000_001),
    "comments": Family(_repeat("%% a %% "), 100_000),
    "comments open": Family(_repeat("a %% b\n\n"), 60_001),
    "HTML comments open": Family(_repeat("a <!-- b\n\n"), 60_000),
    "angle brackets": Family(_repeat("<"), 500_000),
    "tags of HTML open": Family(_repeat("<a "), 200_000),
    "attributes open": Family(_repeat("<a b='"), 200_000),
    "HTML blocks": Family(_repeat("<div>\n\n"), 60_000),
    "HTML in one block": Family(_repeat("<div>\n"), 100_000),
    "scripts open": Family(_repeat("<script>\n\n"), 50_000),
    "processing instructions open": Family(_repeat("a <?b\n\n"), 50_000),
    "highlights open": Family(_repeat("==a "), 200_000),
    "equal signs": Family(_repeat("="), 1_000_000),
    "stars open": Family(_repeat("**a "), 200_000),
    "stars and underscores": Family(_repeat("*a_ "), 200_000),
    "underscores in words": Family(_repeat("a_b"), 300_000),
    "tildes": Family(_repeat("~~a "), 200_000),
    "carets": Family(_repeat("^[a "), 200_000),
    "footnotes": Family(_repeat("a[^1] "), 100_000),
    "footnotes defined": Family(_repeat("[^1]: x\n"), 50_000),
    "footnotes open": Family(_repeat("[^"), 200_000),
    "citations": Family(_repeat("[@a; @b] "), 100_000),
    "citations open": Family(_repeat("[@a; "), 100_000),
    "fields": Family(_repeat("a:: b\n"), 100_000),
    "fields in brackets": Family(_repeat("[a:: b] "), 100_000),
    "fields open": Family(_repeat("[a:: "), 200_000),
    "keys that never end": Family(_repeat("a b "), 300_000),
    "double parentheses": Family(_repeat("(("), 300_000),
    "macros open": Family(_repeat("{{embed "), 150_000),
    "macros": Family(_repeat("{{embed [[a]]}} "), 60_000),
    "templates open": Family(_repeat("<% a "), 200_000),
    "templates": Family(_repeat("<% a %> "), 100_000),
    "block ids": Family(_repeat("x ^a1\n\n"), 60_000),
    "block ids alone": Family(_repeat("- x\n\n^a1\n\n"), 40_000),
    "carets alone": Family(_repeat("^a\n\n"), 60_000),
    "fences": Family(_repeat("```\n"), 100_001),
    "fences of growing length": Family(_square(lambda n: "`" * (n + 3) + "\n"), 400_000),
    "fences open in items": Family(_repeat("- ```\n"), 50_000),
    "indented code": Family(_repeat("    x\n"), 150_000),
    "backslashes": Family(_repeat("\\"), 1_000_000),
    "entities": Family(_repeat("&amp;&#x1F600; "), 100_000),
    "addresses": Family(_repeat("https://a.b/c#d "), 100_000),
    "addresses in one word": Family(_repeat("http://"), 200_000),
    "mail": Family(_repeat("a@b.c "), 200_000),
    "blank lines": Family(_repeat("\n"), 1_000_000),
    "lines of blanks": Family(_repeat(" \t\n"), 300_000),
    "carriage returns": Family(_repeat("a\r"), 300_000),
    "paragraphs": Family(_repeat("a\n\n"), 100_000),
    "a long paragraph": Family(_repeat("word\n"), 200_000),
    "a long line": Family(_repeat("word "), 50 * 2**20 // 5),
    "a long word": Family(_repeat("a"), 2_000_000),
    "rules": Family(_repeat("---\n\n"), 100_000),
    "hyphens": Family(_repeat("-"), 1_000_000),
    "a table's rows": Family(_table(lambda _: 3, lambda count: count), 60_000),
    "a table's columns": Family(_table(lambda count: count, lambda _: 1), 100_000),
    "a square table": Family(_table(math.isqrt, math.isqrt), 200_000),
    "bars": Family(_repeat("|"), 1_000_000),
    "bars in a line each": Family(_repeat("|\n"), 200_000),
    "delimiter rows": Family(_repeat("|-|\n"), 100_000),
    "short tables": Family(_repeat("a|b\n-|-\n1|2\n\n"), 30_000),
    "combining marks": Family(_repeat("\u0301", "e"), 500_000),
    "emoji joined": Family(_repeat("\U0001f469\u200d\U0001f4bb"), 100_000),
    "right to left": Family(_repeat("\u202e\u05e9\u05dc\u05d5\u05dd "), 100_000),
    "Chinese without a full stop": Family(_repeat("\u6c49\u5b57"), 200_000),
    "sentences": Family(_repeat("A sentence. "), 150_000),
    "marks of order": Family(_repeat("\ufeff"), 300_000),
}

_PROPERTIES = {
    "properties": Family(
        lambda count: ("---\n" + "".join(f"k{n}: v\n" for n in range(count)) + "---\n").encode(), 20_000
    ),
    "properties of one name": Family(_repeat("a: b\n", "---\n", "---\n"), 20_000),
    "properties in bad YAML": Family(_repeat("a: b: c\n", "---\n", "---\n"), 20_000),
    "properties never closed": Family(_repeat("a: b\n", "---\n"), 100_000),
    "heads after heads": Family(_repeat("---\n"), 100_000),
    "a long list of properties": Family(_repeat("  - x\n", "---\ntags:\n", "---\n"), 50_000),
    "links in properties": Family(_repeat('  - "[[a]]"\n', "---\nup:\n", "---\n"), 30_000),
    "brackets deep in properties": Family(_repeat("[", "---\na: ", "\n---\nbody\n"), 50_000),
    "braces deep in properties": Family(_repeat("{{a: ", "---\na: ", "\n---\nbody\n"), 20_000),
    "mappings deep by indentation": Family(
        lambda count: (
            "---\n" + "".join(" " * n + "a:\n" for n in range(math.isqrt(count))) + "---\n"
        ).encode(),
        400_000,
    ),
    "one long value": Family(_repeat("word ", "---\na: ", "\n---\n"), 200_000),
    "one long key": Family(_repeat("a", "---\n", ": b\n---\n"), 500_000),
    "a quote open in the properties": Family(_repeat("x\n", '---\na: "', "---\n"), 50_000),
    "a bomb of anchors": Family(_yaml_bomb, 30),
    "anchors": Family(
        lambda count: ("---\na: &x [1]\n" + "".join(f"k{n}: *x\n" for n in range(count)) + "---\n").encode(),
        20_000,
    ),
    "JSON deep in properties": Family(
        lambda count: b"---\n{" + b'"a":{' * count + b"}" * count + b"}\n---\n", 20_000
    ),
}

_OTHERS = {
    "bullets": Family(_repeat("- x\n"), 100_000, PAGE),
    "bullets deep": Family(_square(lambda n: "\t" * n + "- x\n"), 2_000_000, PAGE),
    "bullets deep and back": Family(_square(lambda n: "\t" * (n % 50) + "- x\n"), 4_000_000, PAGE),
    "lines of one bullet": Family(_repeat("  x\n", "- a\n"), 100_000, PAGE),
    "properties of bullets": Family(
        _repeat("- x\n  a:: b\n  id:: 60a78e9e-59dc-40ab-9a01-5317dc09365f\n"), 20_000, PAGE
    ),
    "properties of a page": Family(_repeat("a:: b\n"), 50_000, PAGE),
    "references to blocks": Family(_repeat("- ((60a78e9e-59dc-40ab-9a01-5317dc09365f))\n"), 30_000, PAGE),
    "references in references": Family(_repeat("[[a "), 100_000, PAGE),
    "references deep": Family(lambda count: b"- " + b"[[" * count + b"]]" * count, 50_000, PAGE),
    "tags in brackets open": Family(_repeat("#[["), 200_000, PAGE),
    "fences open in bullets": Family(_repeat("- ```\n"), 50_000, PAGE),
    "org blocks open in bullets": Family(_repeat("- #+BEGIN_QUOTE\n"), 50_000, PAGE),
    "logbooks open": Family(_repeat("- x\n  :LOGBOOK:\n"), 40_000, PAGE),
    "drawers in one bullet open": Family(_repeat("  :A:\n", "- x\n"), 60_000, PAGE),
    "macros open in bullets": Family(_repeat("- {{query \n"), 50_000, PAGE),
    "headlines": Family(_repeat("* a\n"), 100_000, "x.org"),
    "headlines deep": Family(_square(lambda n: "*" * (n + 1) + " a\n"), 2_000_000, "x.org"),
    "stars of a headline": Family(_repeat("*", after=" a\n"), 1_000_000, "x.org"),
    "drawers open": Family(_repeat(":A:\n"), 100_000, "x.org"),
    "drawers": Family(_repeat(":A:\nx\n:END:\n"), 40_000, "x.org"),
    "org blocks open": Family(_repeat("#+BEGIN_SRC\n"), 60_000, "x.org"),
    "org blocks of other names open": Family(
        lambda count: "".join(f"#+BEGIN_A{n}\n" for n in range(count)).encode(), 50_000, "x.org"
    ),
    "org links": Family(_repeat("[[a][b]] "), 80_000, "x.org"),
    "org links open": Family(_repeat("[[a]["), 150_000, "x.org"),
    "org tags": Family(_repeat("a:", "* x :", "\n"), 200_000, "x.org"),
    "org emphasis open": Family(_repeat("*a /b =c "), 100_000, "x.org"),
    "org keywords": Family(_repeat("#+A: b\n"), 80_000, "x.org"),
    "cards": Family(_canvas, 12_000, "x.canvas"),
    "groups deep": Family(_groups, 10_000, "x.canvas"),
    "edges": Family(_edges, 20_000, "x.canvas"),
    "a million nodes": Family(_repeat("{},", '{"nodes":[', "{}]}"), 1_000_000, "x.canvas"),
    "arrays deep": Family(_repeat("[", '{"nodes":'), 500_000, "x.canvas"),
    "objects deep": Family(lambda count: b'{"a":' * count + b"1" + b"}" * count, 100_000, "x.canvas"),
    "a card of a long text": Family(
        lambda count: json.dumps(
            {"nodes": [{"id": "1", "type": "text", "text": "a [[b]]\n" * count}]}
        ).encode(),
        60_000,
        "x.canvas",
    ),
    "a number of many digits": Family(_repeat("9", '{"nodes":', "}"), 500_000, "x.canvas"),
    "filters": Family(_repeat('    - file.hasLink("a")\n', "filters:\n  and:\n"), 20_000, "x.base"),
    "filters deep": Family(_repeat("and: [", "filters: "), 20_000, "x.base"),
    "links open in a filter": Family(_repeat("link(", "a: '", "'\n"), 100_000, "x.base"),
    "objects of a PDF": Family(_pdf, 5_000, "x.pdf"),
    "zeros of a PDF": Family(_repeat("\0", "%PDF-1.7\n", "%%EOF"), 1_000_000, "x.pdf"),
}

FAMILIES: dict[str, Family] = {**_MARKDOWN, **_PROPERTIES, **_OTHERS}
