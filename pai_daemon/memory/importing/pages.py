"""The note that an imported conversation or document becomes. Pure.

Its frontmatter says where it is from. `import_hash` is that of the rest of the note as it was written: a note
that still has it was not touched by the person, and may be written again when the export has more (D85).
What others wrote could do something when the note is opened: load a picture from elsewhere, be run by a
plugin, hide what follows. It is made harmless with as little change as that takes; words stay as they are.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from datetime import datetime

from pai_daemon.memory.importing.records import Conversation, Document, clean, one_line
from pai_daemon.notes.blocks import read_blocks
from pai_daemon.notes.positions import Positions

NAMES = {"chatgpt": "ChatGPT", "claude": "Claude"}
FOLDER = "Conversations"
MAX_NAME_CHARS = 90
HASH_CHARS = 16
_FORBIDDEN = re.compile(r'[\\/:*?"<>|#^\[\]%\x00-\x1f]+')
_RESERVED = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)", re.IGNORECASE)
_HASH_LINE = re.compile(r"^import_hash: ([0-9a-f]{16})\n", re.MULTILINE)
_FENCE = re.compile(
    r"((?:[ \t]|>|\[\^[^\]\s]+\]:|[-*+][ \t]|[0-9]{1,9}[.)][ \t])*)(`{3,}|~{3,})[ \t]*([^\s`]*)([^\n]*)"
)
# Where a block of code begins within a list or a quote it may end with that; in mathematics it may be none.
_DOUBTFUL = re.compile(
    r"^(?:[ \t]|>|\[\^[^\]\s]+\]:|[-*+][ \t]|[0-9]{1,9}[.)][ \t])+(`{3,}|~{3,})|(\$\$)", re.MULTILINE
)
_MARKED = re.compile(r"[!<%`]")
_HEADING = re.compile(r" {0,3}(#{1,6})(?=[ \t]|$)")
_UNDERLINE = re.compile(r" {0,3}(?:=+|-+)[ \t]*")
_CODE_SPAN = re.compile(r"(?<![`\\])(`+)(?!`)[^\n]+?(?<!`)\1(?!`)")
_TAG = re.compile(r"<(?=[A-Za-z/!?])(?![A-Za-z][A-Za-z0-9+.-]*:)")
_INLINE_QUERY = re.compile(r"(?<!`)`(?=[ \t]*\$?=)")
_CODE = ("code", "math")
# A mark of nothing, which keeps two characters from meaning something together.
_APART = "\u200b"
# Languages whose code a view at most colours. The code of others may belong to a plugin that runs it.
_COLOURED_CODE = """
text txt bash sh zsh shell console powershell ps1 bat cmd c h cpp c++ cxx cs csharp objc swift kotlin
java scala groovy go golang rust rs zig d dart python py python3 pycon ipython ruby rb perl php lua r
julia matlab haskell hs elixir erlang clojure lisp scheme ocaml fsharp vb asm nasm wasm verilog vhdl
solidity javascript js jsx typescript ts tsx vue svelte html xml css scss sass less json json5 jsonc
yaml yml toml ini cfg conf properties env dockerfile docker makefile make cmake nginx terraform hcl sql
plsql mysql postgresql graphql proto protobuf diff patch git markdown md mdx latex tex bibtex csv tsv
log http regex math mermaid plaintext code output stdout"""
_COLOURED = frozenset(_COLOURED_CODE.split())


def conversation_text(read: Conversation) -> str:
    """Return the note of a conversation: frontmatter, then each side's words under a heading."""
    title = title_of(read)
    head = {
        "title": title,
        "source": read.source,
        "id": read.id,
        "created": _time(read.created),
        "updated": _time(read.updated),
        "url": read.url,
    }
    return _sealed(head, "".join(_turns(read)))


def document_text(read: Document) -> str:
    """Return the note of a document, with its text as it was but for what could do something."""
    head = {
        "title": read.title,
        "source": read.source,
        "id": read.id,
        "created": _time(read.created),
        "project": read.project,
    }
    return _sealed(head, harmless(read.text, deeper=0).strip("\n") + "\n")


def title_of(read: Conversation) -> str:
    """Return a conversation's title; where it has none, its first words."""
    if read.title:
        return read.title
    first = next((one_line(message.text) for message in read.messages if message.text.strip()), "")
    return first[:60].rstrip() or "Untitled"


def folder_of(read: Conversation | Document) -> str:
    """Return the folder of a note, below that of all conversations."""
    source = NAMES.get(read.source, read.source)
    if isinstance(read, Conversation):
        return f"{source}/{read.created:%Y}" if read.created else source
    return f"{source}/{file_name(read.project or 'Documents')}"


def note_name(read: Conversation | Document) -> str:
    """Return the name of a note, without its end: the day it began, and its title."""
    if isinstance(read, Document):
        return file_name(read.title.removesuffix(".md"))
    day = f"{read.created:%Y-%m-%d} " if read.created else ""
    return day + file_name(title_of(read))


def file_name(title: str) -> str:
    """Return a title as every system takes it for a name, and as a link may hold it."""
    plain = " ".join(_FORBIDDEN.sub(" ", clean(title)).split())[:MAX_NAME_CHARS]
    # A name may have 255 bytes, and a day, an id and `.md` come too.
    plain = plain.encode()[:200].decode("utf-8", "ignore").strip(" .")
    return f"{plain}_" if _RESERVED.match(plain) else plain or "Untitled"


def seal_of(text: str) -> tuple[str, str]:
    """Return the hash that a note carries and the one that it has; none carried is an empty one."""
    carried = _HASH_LINE.search(text)
    if carried is None:
        return "", ""
    return carried[1], _hash(text[: carried.start()] + text[carried.end() :])


def _sealed(head: dict[str, str], body: str) -> str:
    # A string of JSON is one of YAML.
    lines = [f"{name}: {json.dumps(value, ensure_ascii=False)}\n" for name, value in head.items() if value]
    begin = "---\n" + "".join(lines)
    rest = f"---\n\n{body}"
    return f"{begin}import_hash: {_hash(begin + rest)}\n{rest}"


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:HASH_CHARS]


def _time(moment: datetime | None) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ") if moment else ""


def _turns(read: Conversation) -> Iterator[str]:
    """Yield the parts of a conversation's note; what one side said in several messages is one part."""
    before = ""
    for message in read.messages:
        if message.author != before:
            who = "You" if message.author == "person" else NAMES.get(read.source, "Assistant")
            when = f", {message.said:%Y-%m-%d %H:%M}" if message.said else ""
            yield f"{chr(10) if before else ''}## {who}{when}\n"
            before = message.author
        if text := harmless(message.text).strip("\n"):
            yield f"\n{text}\n"
        for name in message.files:
            yield f"\n*Attached: {harmless(name)}*\n"


def harmless(text: str, *, deeper: int = 2) -> str:
    """Return a text that may stand in a note with others: nothing in it is run, loaded, or reaches beyond it.

    Its headings lie deeper by so many levels; a block of code that it does not end is ended.
    """
    # A template is filled wherever it stands, in code too.
    lines = clean(text).replace("<%", f"<{_APART}%").split("\n")
    while True:
        # A tag that is taken apart may have hidden where code begins and ends: so until nothing changes.
        code, last = _structure(lines)
        inert = _all_inert(lines, code)
        if inert == lines:
            break
        lines = inert
    if deeper:
        lines = [
            line if n in code else _outlined(line, deeper, n and lines[n - 1]) for n, line in enumerate(lines)
        ]
    return "\n".join([*lines, last] if last else lines)


def _structure(lines: list[str]) -> tuple[set[int], str]:
    """Return which lines are code after what begins it, and what ends the code that is open at the end."""
    text = "\n".join(lines)
    marks = dict.fromkeys(found[1] or found[2] for found in _DOUBTFUL.finditer(text))
    return _code_as_read(text, marks) if marks else _code_between(lines)


def _all_inert(lines: list[str], code: set[int]) -> list[str]:
    """Return the lines with all that could do something taken apart."""
    inert: list[str] = []
    # A mark of code that is open takes the next one of its paragraph for its end.
    is_open = False
    for number, line in enumerate(lines):
        opened = _FENCE.match(line)
        if number in code:
            inert.append(line)
        elif opened and not (opened[2][0] == "`" and "`" in opened[4]):
            inert.append(_coloured(opened))
        else:
            is_open = bool(line.strip()) and (is_open or "`" in _CODE_SPAN.sub("", line))
            inert.append(_prose(line, has_spans=not is_open))
    return inert


def _outlined(line: str, deeper: int, before: str | int) -> str:
    """Return a line of prose as no heading but a deeper one; a line that underlines is a rule, or text."""
    if heading := _HEADING.match(line):
        return "#" * min(6, len(heading[1]) + deeper) + line[heading.end() :]
    return f"\n{line}" if before and _UNDERLINE.fullmatch(line) else line


def _code_between(lines: list[str]) -> tuple[set[int], str]:
    """Return which lines are code after the fence that begins it, and the fence that is open at the end."""
    code: set[int] = set()
    fence = ""
    for number, line in enumerate(lines):
        opened = _FENCE.match(line)
        if fence:
            code.add(number)
            marks = line.rstrip(" \t")
            bare = marks.lstrip(" ")
            is_end = len(marks) - len(bare) < 4 and len(bare) >= len(fence) and not bare.strip(fence[0])
            fence = "" if is_end else fence
        elif opened and not (opened[2][0] == "`" and "`" in opened[4]):
            fence = opened[2]
    return code, fence


def _code_as_read(text: str, marks: Iterable[str]) -> tuple[set[int], str]:
    """Return the same by the reader of blocks, which knows lists and quotes, and takes its time.

    marks: what may end what is still open.
    """
    code: set[int] = set()
    last = ""
    for last in ("", *marks, ""):
        probe = f"{text}\n{last}\n\n## End\n"
        read = read_blocks(probe, Positions(probe))
        if not last:
            code = {
                n for each in read.blocks if each.kind in _CODE for n in range(each.start_line, each.end_line)
            }
        if any(start > len(text) for start in read.headings):
            break
    return code, last


def _coloured(opened: re.Match[str]) -> str:
    """Return the first line of a block of code; a plugin's becomes plain text, with the plugin's name."""
    language = opened[3]
    if not language or language.lower() in _COLOURED:
        return opened[0]
    return f"{opened[1]}{opened[2]}text {language}{opened[4]}".rstrip()


def _prose(line: str, *, has_spans: bool) -> str:
    if not _MARKED.search(line):
        return line
    parts: list[str] = []
    end = 0
    for span in _CODE_SPAN.finditer(line) if has_spans else ():
        parts += [_inert(line[end : span.start()]), _INLINE_QUERY.sub(f"`{_APART}", span[0])]
        end = span.end()
    return "".join([*parts, _inert(line[end:])])


def _inert(prose: str) -> str:
    prose = _INLINE_QUERY.sub(f"`{_APART}", _TAG.sub(f"<{_APART}", prose))
    return prose.replace("![", f"!{_APART}[").replace("%%", f"%{_APART}%")
