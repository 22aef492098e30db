"""Obsidian's own blocks as rules of markdown-it-py: math, comments, templates, footnotes and the like.

The inline parser is off (`inline` reads marks), and link definitions are kept as tokens: the parser's own
rule would take them out of the text, in a time that grows with the square of their number. Its rule for
tables makes three tokens of every cell; the one here finds where a table ends.
"""

from __future__ import annotations

import re

from markdown_it import MarkdownIt
from markdown_it.ruler import RuleOptionsType
from markdown_it.rules_block import StateBlock

BLOCK_ID = re.compile(r"(?<![^\s>])\^([A-Za-z0-9-]+)")
# A list within a list is two levels. The preset's 20 would stop at the tenth.
MAX_NESTING = 100

_VERBATIM = {
    "$$": ("$$", "math_block"),
    "%%": ("%%", "comment_block"),
    "<%": ("%>", "template_block"),
}
_FOOTNOTE = re.compile(r"\[\^([^\]\s]+)\]:[ \t]*")
# On several lines too, but with no blank one among them; bounded, as CommonMark bounds a label.
_DEFINITION = re.compile(
    r"""
    \[(?P<label>(?:[^\[\]\\\n]|\\.|\n(?![ \t]*\n)){1,999})\]:[ \t]*\n?[ \t]*
    (?P<destination><(?:[^<>\\\n]|\\.)*>|[^<\s]\S*)
    (?:(?:[ \t]+|[ \t]*\n[ \t]*)
        (?: "(?:[^"\\\n]|\\.|\n(?![ \t]*\n)){0,500}"
          | '(?:[^'\\\n]|\\.|\n(?![ \t]*\n)){0,500}'
          | \((?:[^()\\\n]|\\.|\n(?![ \t]*\n)){0,500}\)
        ))?
    [ \t]*(?=\n|\Z)""",
    re.VERBOSE,
)
_DASHES = re.compile(r":?-+:?")
_BAR = re.compile(r"(?<!\\)\|")
_PARAGRAPH_CHARS = 20_000


def make_parser() -> MarkdownIt:
    """Return the block parser; it keeps no state between notes.

    Its tokens of ours are math_block, comment_block, template_block, footnote_open (info: the name),
    definition (info: the label, content: the destination) and table_open, all with their lines.
    """
    parser = MarkdownIt("commonmark", {"maxNesting": MAX_NESTING}).disable(["inline", "reference"])
    everywhere: RuleOptionsType = {"alt": ["paragraph", "blockquote", "list"]}
    parser.block.ruler.before("fence", "verbatim", _verbatim, everywhere)
    parser.block.ruler.before("reference", "footnote", _footnote, {"alt": ["paragraph", "blockquote"]})
    parser.block.ruler.before("reference", "definition", _definition)
    parser.block.ruler.at("table", _table, {"alt": ["paragraph"]})
    return parser.enable("table")


def _verbatim(state: StateBlock, line: int, last: int, silent: bool) -> bool:
    """Read math, a comment or a template: lines from one that begins with a mark to one that ends so.

    The form is that of every rule of markdown-it-py: last is the line after the enclosing block.
    """
    begin = state.bMarks[line] + state.tShift[line]
    opening = state.src[begin : begin + 2]
    if opening not in _VERBATIM or state.is_code_block(line):
        return False
    closing, name = _VERBATIM[opening]
    close = _closing(state, opening, closing, begin)
    if close < 0 or close >= state.eMarks[last - 1]:
        return False
    after = line + 1
    while after < last and state.bMarks[after] <= close:
        after += 1
    if not _ends_line(state.src, close + 2, state.eMarks[after - 1]):
        return False
    if silent:
        # Math on one line is text of the paragraph around it, also where that goes on below an item.
        if name == "math_block" and after == line + 1:
            return False
        return not _is_inside(state, opening, closing, begin)
    state.line = after
    state.push(name, "", 0).map = [line, after]
    return True


def _closing(state: StateBlock, opening: str, closing: str, begin: int) -> int:
    """Return where the mark that closes the one at begin stands, or -1."""
    if begin >= state.env.get(opening, len(state.src)):
        return -1
    close: int = state.src.find(closing, begin + 2)
    if close < 0:
        # Remembered, or a note of a thousand open marks would be searched a thousand times.
        state.env[opening] = begin
    return close


def _is_inside(state: StateBlock, opening: str, closing: str, begin: int) -> bool:
    """Return whether a mark that was opened earlier in this paragraph is closed at begin or later."""
    paragraph = state.bMarks[state.line]
    if begin - paragraph >= _PARAGRAPH_CHARS:
        return True
    opened: int = state.src.count(opening, paragraph, begin)
    if opening == closing:
        return opened % 2 == 1
    return opened > state.src.count(closing, paragraph, begin)


def _ends_line(source: str, position: int, line_end: int) -> bool:
    """Return whether only white space or a block id is left on the line."""
    rest = source[position:line_end].strip()
    return not rest or BLOCK_ID.fullmatch(rest) is not None


def _footnote(state: StateBlock, line: int, last: int, silent: bool) -> bool:
    """Read the definition of a footnote, `[^name]: text`, with the indented blocks that follow it."""
    begin = state.bMarks[line] + state.tShift[line]
    if not state.src.startswith("[^", begin) or state.is_code_block(line):
        return False
    match = _FOOTNOTE.match(state.src, begin, state.eMarks[line])
    if match is None:
        return False
    if silent:
        return True
    token = state.push("footnote_open", "", 1)
    token.info = match[1]
    kept = (state.bMarks[line], state.tShift[line], state.sCount[line], state.parentType)
    # The first line stands as if it were indented like those that continue it.
    state.bMarks[line], state.tShift[line] = match.end(), 0
    state.blkIndent += 4
    state.sCount[line] = state.blkIndent
    state.md.block.tokenize(state, line, last)
    state.blkIndent -= 4
    state.bMarks[line], state.tShift[line], state.sCount[line], state.parentType = kept
    # Nothing is read where the nesting is too deep or the footnote is empty.
    state.line = max(state.line, line + 1)
    token.map = [line, state.line]
    state.push("footnote_close", "", -1)
    return True


def _definition(state: StateBlock, line: int, last: int, silent: bool) -> bool:
    """Read the definition of a link, `[label]: destination "title"`."""
    begin = state.bMarks[line] + state.tShift[line]
    if silent or not state.src.startswith("[", begin) or state.is_code_block(line):
        return False
    match = _DEFINITION.match(state.src, begin, state.eMarks[last - 1])
    if match is None or match["label"].isspace():
        return False
    state.line = line + 1 + match[0].count("\n")
    token = state.push("definition", "", 0)
    token.info, token.content = match["label"], match["destination"]
    token.map = [line, state.line]
    return True


def _table(state: StateBlock, line: int, last: int, silent: bool) -> bool:
    """Read a table: a row, a row of dashes with as many cells, and rows up to a line that is none."""
    if line + 2 > last or state.sCount[line + 1] < state.blkIndent:
        return False
    begin = state.bMarks[line + 1] + state.tShift[line + 1]
    dashes = state.src[begin : state.eMarks[line + 1]]
    # "- x" in the second line is an item of a list.
    if dashes[:1] not in ("|", "-", ":") or dashes.strip("|-: \t") or dashes[:2] in ("- ", "-\t", "-", ""):
        return False
    header = state.src[state.bMarks[line] + state.tShift[line] : state.eMarks[line]]
    if "|" not in header or state.is_code_block(line) or state.is_code_block(line + 1):
        return False
    cells = _cells(dashes)
    if len(cells) != len(_cells(header)) or not all(_DASHES.fullmatch(cell.strip()) for cell in cells):
        return False
    if silent:
        return True
    after = line + 2
    ends = state.md.block.ruler.getRules("blockquote")
    while after < last and not _ends_table(state, after):
        if any(rule(state, after, last, True) for rule in ends):
            break
        after += 1
    state.line = after
    state.push("table_open", "table", 1).map = [line, after]
    state.push("table_close", "table", -1)
    return True


def _cells(row: str) -> list[str]:
    """Return the cells of a row; a bar after a backslash divides none."""
    cells = _BAR.split(row.strip())
    if cells and not cells[0]:
        del cells[0]
    if cells and not cells[-1]:
        del cells[-1]
    return cells


def _ends_table(state: StateBlock, line: int) -> bool:
    """Return whether a line is blank, indented as code or outside the enclosing item."""
    return state.sCount[line] < state.blkIndent or state.isEmpty(line) or state.is_code_block(line)
