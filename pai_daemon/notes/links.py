"""The words of links: what a wikilink or a Markdown link says, and when two names are the same.

Where a link leads is decided by the whole vault, in `vault.resolve`.
"""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import quote, unquote

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:|//")
_SPACE = re.compile(r"\s+")
# Obsidian compares headings in links without these and without their case.
_BRACKETS = re.compile(r"([\\\[\]])")
_ESCAPE = r"\\\1"
# Obsidian's help names these as unsafe in a file name that is to be linked.
_UNSAFE = re.compile(r"[#|^\[\]\\\r\n]|%%")


def slug(name: str) -> str:
    """Return the form in which two names of notes, aliases or tags are compared: NFC, case folded."""
    if name.isascii():
        return _SPACE.sub(" ", name.strip()).lower()
    # NFC before folding joins what macOS takes apart; after it, because folding can take apart again.
    folded = unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())
    return _SPACE.sub(" ", folded.strip())


def parse_wikilink(inner: str) -> tuple[str, str, str]:
    r"""Return target, fragment and alias of the text between `[[` and `]]`.

    In a table the bar before the alias is written `\|`.
    """
    written, _, alias = inner.partition("|")
    target, _, fragment = written.removesuffix("\\").partition("#")
    return target.strip(), fragment.strip(), alias.strip()


def wikilink_text(inner: str) -> str:
    """Return what a reader sees of the wikilink `[[inner]]`."""
    target, fragment, alias = parse_wikilink(inner)
    if alias:
        return alias
    parts = [target, *(part.strip() for part in fragment.split("#"))]
    return " > ".join(part for part in parts if part)


def parse_markdown_link(destination: str) -> tuple[str, str] | None:
    """Return target and fragment of a Markdown link to a `.md` file, percent-decoded; None for others."""
    destination = destination.removeprefix("<").removesuffix(">").strip()
    if _SCHEME.match(destination):
        return None
    target, _, fragment = destination.partition("#")
    target = unquote(target).strip()
    return (target, unquote(fragment).strip()) if target.lower().endswith(".md") else None


def is_linkable(name: str) -> bool:
    """Return whether a name can stand in a wikilink without being cut or read as something else."""
    return bool(name) and name == name.strip() and _UNSAFE.search(name) is None


def markdown_link(path: str, label: str) -> str:
    """Return a Markdown link to the note at path, for names that a wikilink cannot hold."""
    return f"[{_BRACKETS.sub(_ESCAPE, label)}]({quote(path)})"
