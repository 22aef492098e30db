"""Files that no one should write and every reader meets, each of a size to be read at once.

All of them are made here, the same at every run.
"""

from __future__ import annotations

import io
import random
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass

from pai_daemon.notes.logseq import Graph
from tests.notes.nasty_families import FAMILIES, PAGE

GRAPH = Graph()


@dataclass(frozen=True, slots=True)
class File:
    """One file, with the graph that it is a page of."""

    path: str
    data: bytes

    @property
    def graph(self) -> Graph | None:
        """Return the graph, for a page."""
        return GRAPH if self.path == PAGE else None


def _zip(content: bytes) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo("note.md"), content)
    return target.getvalue()


_PROSE = "T\u00f6ne und [[W\u00f6rter]] #\u00e4\n"
_SINGLE = {
    "zip": _zip(b"# note\n" * 100),
    "zip of a bomb": _zip(bytes(5_000_000)),
    "PNG": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(range(256)) * 20,
    "JPEG": b"\xff\xd8\xff\xe0\0\x10JFIF" + bytes(range(255, -1, -1)) * 20,
    "UTF-16 little": _PROSE.encode("utf-16-le"),
    "UTF-16 big": _PROSE.encode("utf-16-be"),
    "UTF-16 with a mark": _PROSE.encode("utf-16"),
    "UTF-16 of odd length": _PROSE.encode("utf-16") + b"\n",
    "UTF-16 with half a pair": b"\xff\xfe" + b"a\0" + b"\x00\xd8" + b"b\0",
    "UTF-32 with a mark": _PROSE.encode("utf-32"),
    "UTF-7": _PROSE.encode("utf-7"),
    "Latin-1": _PROSE.encode("latin-1"),
    "Windows-1252": "\u201equoted\u201c \u2013 \u20ac".encode("cp1252"),
    "Shift JIS": "\u65e5\u672c\u8a9e [[\u6f22\u5b57]]\n".encode("shift_jis"),
    "a NUL byte": b"one\0two [[a]]\n" + b"words " * 100,
    "NUL bytes": bytes(1000),
    "a mark of order alone": b"\xef\xbb\xbf",
    "two marks of order": b"\xef\xbb\xbf\xef\xbb\xbf---\na: 1\n---\n",
    "a mark of order in the middle": b"# a\n\n\xef\xbb\xbf# b\n[[\xef\xbb\xbfc]]\n",
    "half a mark of order": b"\xef\xbb",
    "lone surrogates": b"a \xed\xa0\x80 b \xed\xbf\xbf [[c]]\n",
    "overlong": b"\xc0\xaf\xe0\x80\xaf\xf0\x80\x80\xaf",
    "beyond Unicode": b"\xf4\x90\x80\x80 \xff\xfe\xfd",
    "half a character": "[[\u6f22".encode()[:-1],
    "separators of lines": "a\u2028# b\u2029- c\x85d\x0be\x0cf [[g]]\n".encode(),
    "control characters": bytes(range(1, 32)) + b"[[a]]\x7f",
    "no-characters": "\ufffe \uffff \U0001ffff [[a]]\n".encode(),
    "private characters": "\U000f0000\U000f0001 \ue000 `x` \U000f00000\U000f0001\n".encode(),
    "overrides of direction": "\u202e[[abc]]\u202c \u2066#tag\u2069\n".encode(),
    "old Mac lines": b"---\ra: 1\r---\r# b\r\r- c\r- d ^e\r",
    "mixed lines": b"a\r\nb\nc\rd\n\r[[e]]\r\r\n\n",
    "one newline": b"\n",
    "one byte": b"x",
    "a head of one line": b"---",
    "a head of two lines": b"---\n---",
    "properties of tabs": b"---\n\ta: 1\n\t- b\n---\n",
    "properties with NUL": b"---\na: \0\n---\nbody\n" + b"words " * 50,
    "properties of a mapping as key": b"---\n? {a: b}\n: c\n---\n",
    "properties of a set": b"---\n!!set {a, b}\n---\n",
    "properties of Python": b"---\na: !!python/object/apply:os.system ['x']\n---\n",
    "properties that hold themselves": b"---\na: &a [*a]\n---\n",
    "properties that merge themselves": b"---\na: &a\n  <<: *a\n---\n",
    "properties without end of numbers": b"---\na: 1e999\nb: .nan\nc: 0x" + b"f" * 10_000 + b"\n---\n",
    "properties of digits": b"---\na: " + b"9" * 100_000 + b"\n---\n",
    "properties of times": b"---\na: 9999-99-99\nb: 0000-00-00T99:99:99\nc: 2001-01-01T00:00:00+99:99\n---\n",
}

_SYNTAX = """---
title: "A: B"
tags: [a, b/c]
up: "[[Up]]"
---
# Head ^h1

Text **bold** *it* ==mark== `code` $x^2$ %%c%% [[A#B|c]] ![[D.png|10]]
[e](f%20g.md "t") #tag/x [^1] ^[in] [@k] <b>h</b>
key:: value [k2:: v2] ((60a78e9e-59dc-40ab-9a01-5317dc09365f)) {{embed [[E]]}} <% tp.x %> ^id-1

> [!note]- Title
> > [!tip] Inner
> - [x] task
>   ```js
>   code
>   ```

- a
\t- b ^b1
\t\t1. c

  par

| a | b\\|c |
| - | :-: |
| [[x\\|y]] | 2 |

$$
m
$$

%%
hidden
%%

```py
c
```

<div>
h
</div>

[^1]: foot
  note
[r]: G.md 'x'

* * *

\tindented \U0001f600
"""

_CANVAS = (
    '{"nodes":[{"id":"1","type":"text","text":"# a\\n[[b]]","x":0,"y":0,"width":1,"height":1},'
    '{"id":"g","type":"group","label":"G","x":-1,"y":-1,"width":9,"height":9},'
    '{"id":"2","type":"file","file":"c.md","subpath":"#d","x":1e400,"y":null,"width":"x","height":-1},'
    '{"id":2,"type":7},[],null,"x"],"edges":[{"fromNode":"1","toNode":"zz","label":5},3]}'
)
_OUTLINE = """title:: T
alias:: a, [[b]]

- TODO [#A] x #t #[[u v]]
  id:: 60a78e9e-59dc-40ab-9a01-5317dc09365f
  :LOGBOOK:
  CLOCK: [2021-05-21 Fri]
  :END:
\t- # h
\t- ```
\t  - c
\t  ```
- #+BEGIN_QUOTE
  q
  #+END_QUOTE
- {{query (x)}} [l](((60a78e9e-59dc-40ab-9a01-5317dc09365f)))
- | a | b |
  | - | - |
"""
_ORG = """#+TITLE: t
* TODO [#A] a :x:y:
SCHEDULED: <2021-05-29 Sat>
:PROPERTIES:
:ID: 1
:END:
- [ ] l
| a | b |
|---+---|
#+BEGIN_SRC py
* c
#+END_SRC
[[file:a.org::*h][l]] =c= ~d~ # no
# comment
#+BEGIN_QUOTE
q
#+END_QUOTE
"""
_BASE = """filters:
  and:
    - file.hasLink("a")
views:
  - type: table
    name: "v"
formulas:
  f: 'link("b")'
"""

_SAMPLES = {
    "x.md": (_SYNTAX, 60),
    PAGE: (_OUTLINE, 30),
    "x.canvas": (_CANVAS, 20),
    "x.org": (_ORG, 20),
    "x.base": (_BASE, 10),
}
_ALPHABET = [
    *"ab \n\t#*_-+>|`~$%[]!()^:=<{}.1\\\r&;/@'\"?\u00e4\u6f22\U0001f600\u00a0\u0301\ufeff\u2028",
    *("[[", "]]", "```", "$$", "%%", "==", "::", "((", "))", "{{", "}}", "<%", "%>", "---\n", "- ", "> "),
    *("> [!a] ", "\n\n", "[^1]: ", "[a]: b\n", "#+BEGIN_A\n", ":END:\n"),
]
FUZZED_PER_FORMAT = 24


def files() -> Iterator[tuple[str, File]]:
    """Yield every file of a size to be read at once, with its name."""
    for name, data in _SINGLE.items():
        yield name, File("x.md", data)
    for path, (text, cuts) in _SAMPLES.items():
        data = text.encode()
        for cut in range(cuts):
            end = len(data) * (cut + 1) // cuts
            yield f"{path} cut at {end}", File(path, data[:end])
    for path in (*_SAMPLES, "x.pdf"):
        source = random.Random(path)
        for number in range(FUZZED_PER_FORMAT):
            yield f"{path} fuzzed {number}", File(path, _fuzzed(source, path))
    for name, family in FAMILIES.items():
        yield f"{name}, small", File(family.path, family.make(min(family.large, 300)))


def _fuzzed(source: random.Random, path: str) -> bytes:
    """Return random marks; for a format with a frame of its own, its sample with random changes."""
    if path in ("x.md", PAGE, "x.org"):
        return "".join(source.choices(_ALPHABET, k=1500)).encode()
    data = bytearray(
        _SAMPLES[path][0].encode() if path in _SAMPLES else FAMILIES["objects of a PDF"].make(20)
    )
    for _ in range(12):
        place = source.randrange(len(data))
        data[place : place + source.randrange(3)] = source.choice(_ALPHABET).encode()
    return bytes(data)
