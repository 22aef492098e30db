"""The words of HTML: what a reader of the page sees, and none of what a browser would run. Pure."""

from __future__ import annotations

import re
from html.parser import HTMLParser

MAX_HTML_CHARS = 1_000_000
MAX_DEPTH = 100
_SKIPPED = frozenset(
    ("script", "style", "noscript", "template", "svg", "nav", "footer", "form", "iframe", "aside")
)
_BLOCKS = re.compile(
    r"p|div|li|ul|ol|[bh]r|h[1-6]|t[rd]|table|section|article|blockquote|pre|fig(?:ure|caption)|header|main|d[dt]"
)
_BLANKS = re.compile(r"[ \t\r\f\v\u00a0]+")
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]")


def plain_text(html: str) -> str:
    """Return the text of HTML, a paragraph a line."""
    return _Words.of(html).text


def page_text(html: str) -> tuple[str, str]:
    """Return the title and the text of a page."""
    words = _Words.of(html)
    return one_line(words.title), words.text


def one_line(text: str) -> str:
    """Return a text as one line, without what cannot be seen."""
    return " ".join(_CONTROLS.sub("", text).split())


def _closed(html: str) -> str:
    """Return HTML without comments, and nothing begun that has no end.

    The parser looks for each missing end anew: a page of them would keep it busy for hours.
    """
    parts, at = [], 0
    while (begin := html.find("<!", at)) >= 0:
        parts.append(html[at:begin])
        end = "-->" if html.startswith("<!--", begin) else "]]>" if html.startswith("<![", begin) else ">"
        if (found := html.find(end, begin + 2)) < 0:
            html, at = "", 0
            break
        at = found + len(end)
    text = "".join(parts) + html[at:]
    last = text.rfind(">") + 1
    return text[:last] + text[last:].replace("<", "&lt;")


class _Words(HTMLParser):
    """Collects the words that are seen."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.title = ""
        self._parts: list[str] = []
        self._skipping: list[str] = []
        self._in_title = False

    @classmethod
    def of(cls, html: str) -> _Words:
        """Return the words of a text, as far as it can be read."""
        words = cls()
        words.feed(_closed(html[:MAX_HTML_CHARS]))
        words.close()
        return words

    @property
    def text(self) -> str:
        """Return the lines that hold any words."""
        lines = (_BLANKS.sub(" ", line).strip() for line in "".join(self._parts).split("\n"))
        return "\n".join(_CONTROLS.sub("", line) for line in lines if line)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin an element."""
        is_hidden = tag in _SKIPPED or ("hidden" in dict(attrs) and tag not in ("br", "hr"))
        if is_hidden and len(self._skipping) < MAX_DEPTH:
            self._skipping.append(tag)
        self._in_title = tag == "title"
        if _BLOCKS.fullmatch(tag):
            self._parts.append("\n")

    def handle_endtag(self, tag: str) -> None:
        """End an element."""
        if tag in self._skipping:
            del self._skipping[self._skipping.index(tag) :]
        self._in_title = False
        if _BLOCKS.fullmatch(tag):
            self._parts.append("\n")

    def handle_data(self, data: str) -> None:
        """Take in words."""
        if self._in_title:
            self.title += data
        elif not self._skipping:
            self._parts.append(data.replace("\n", " "))
