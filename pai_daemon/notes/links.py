"""The words of links: what a wikilink or a Markdown link says, and when two names are the same.

Where a link leads is decided by the whole vault, in `vault.resolve`.
"""

from __future__ import annotations

import re
import unicodedata
from html import unescape
from urllib.parse import quote, unquote

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:|//")
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")
_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
# Obsidian compares headings in links without these and without their case.
_BRACKETS = re.compile(r"([\\\[\]])")
_ESCAPE = r"\\\1"
# What a destination cannot hold as it is, or what could be read as markup in it.
_ENCODED = re.compile(r"[\s\x00-\x1f\x7f%#?:<>\\\"`|&^\[\]()*$~=]")
_WHOLLY_ENCODED = re.compile(r"%[89A-Fa-f][0-9A-Fa-f]")
# Obsidian's help names these as unsafe in a file name that is to be linked.
_UNSAFE = re.compile(r"[#|^\[\]\\\r\n]|%%")


def slug(name: str) -> str:
    """Return the form in which two names of notes, aliases or tags are compared: NFC, case folded."""
    if name.isascii():
        return " ".join(name.lower().split())
    # NFC before folding joins what macOS takes apart; after it, because folding can take apart again.
    folded = unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())
    return " ".join(folded.split())


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
    """Return target and fragment of a Markdown link into the vault, percent-decoded; None for an address.

    destination: as written between the parentheses, without title. An empty one leads nowhere: None.
    """
    destination = _bare(destination)
    if _SCHEME.match(destination):
        return None
    target, _, fragment = destination.partition("#")
    target, fragment = unquote(target).strip(), unquote(fragment).strip()
    return (target, fragment) if target or fragment else None


def parse_uri(destination: str) -> tuple[str, str, str] | None:
    """Return vault, target and fragment of an `obsidian://` address that opens a file; None for any other.

    Both forms are read, `obsidian://open?vault=V&file=F` and `obsidian://vault/V/F`; a vault that is not
    named is empty.
    """
    destination = _bare(destination)
    if not destination.startswith("obsidian://"):
        return None
    action, _, query = destination.removeprefix("obsidian://").partition("?")
    if action == "open":
        values = dict(part.partition("=")[::2] for part in query.split("&"))
        vault, file = values.get("vault", ""), values.get("file", "")
    elif action.startswith("vault/"):
        vault, _, file = action.removeprefix("vault/").partition("/")
    else:
        return None
    target, _, fragment = unquote(file).partition("#")
    return (unquote(vault), target.strip(), fragment.strip()) if target.strip() else None


def _bare(destination: str) -> str:
    """Return a destination without angle brackets, backslash escapes and entities."""
    if destination.startswith("<") and destination.endswith(">"):
        destination = destination[1:-1]
    if "\\" in destination:
        destination = _ESCAPED.sub(r"\1", destination)
    if "&" in destination:
        destination = _ENTITY.sub(lambda match: unescape(match[0]), destination)
    return destination.strip()


def is_linkable(name: str) -> bool:
    """Return whether a name can stand in a wikilink without being cut or read as something else."""
    return bool(name) and name == name.strip() and _UNSAFE.search(name) is None


def markdown_link(path: str, label: str) -> str:
    """Return a Markdown link to the note at path, for names that a wikilink cannot hold."""
    return f"[{_BRACKETS.sub(_ESCAPE, label)}]({quote(path)})"


def as_destination(target: str, written: str) -> str:
    """Return a target as the destination of a Markdown link, encoded in the manner of the one before.

    Only what must be is percent-encoded, as Obsidian does it, unless `written` encodes letters too; between
    angle brackets, which alone can hold a blank, blanks stay.
    """
    if _WHOLLY_ENCODED.search(written):
        return quote(target)
    kept = " " if " " in written else ""
    return _ENCODED.sub(lambda match: match[0] if match[0] in kept else quote(match[0]), target)
