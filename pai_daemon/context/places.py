"""How a place in a note is named: by a link, as the person's program writes it, and by an address.

Obsidian's addresses are those of its help, `obsidian://open?vault=…&file=…`; Logseq's are `logseq://graph/…`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import quote

from pai_daemon.context.catalog import Catalog
from pai_daemon.notes.links import is_linkable
from pai_daemon.notes.logseq import logseq_uri

_LINK_SYNTAX = re.compile(r"[#|^\[\]]|%%")
_PAGE = re.compile(r"Page ([0-9]+)")


class Places:
    """Names the places of one vault's notes. vault_name: as the programs call it, its folder's name."""

    def __init__(self, vault_name: str, catalog: Catalog) -> None:
        self._vault_name = vault_name
        self._catalog = catalog

    def link(self, path: str, heading_path: Sequence[str] = (), block_ids: Sequence[str] = ()) -> str:
        """Return a wikilink that opens a note at a block, heading or page, by its shortest clear name."""
        links = self._catalog.links
        target = links.shortest_link(path)
        if not is_linkable(target):
            return links.link_markup(path)
        if self._is_outline(path):
            return f"(({block_ids[0]}))" if block_ids else f"[[{target}]]"
        fragment = _fragment(path, target, heading_path, block_ids)
        return f"[[{target}#{fragment}]]" if fragment else f"[[{target}]]"

    def uri(self, path: str, heading_path: Sequence[str] = (), block_ids: Sequence[str] = ()) -> str:
        """Return the address that opens a note there in Obsidian or, a page of its graph, in Logseq."""
        bare = path.removesuffix(".md")
        if self._is_outline(path):
            if block_ids:
                return logseq_uri(self._vault_name, block=block_ids[0])
            note = self._catalog.get(path)
            return logseq_uri(self._vault_name, page=note.title if note is not None else bare)
        fragment = _fragment(path, bare, heading_path, block_ids)
        file = f"{bare}#{fragment}" if fragment else bare
        return f"obsidian://open?vault={quote(self._vault_name, safe='')}&file={quote(file, safe='')}"

    def of_block(self, path: str, block_id: str) -> tuple[str, str]:
        """Return link and address of a block of a note."""
        return self.link(path, (), (block_id,)), self.uri(path, (), (block_id,))

    def _is_outline(self, path: str) -> bool:
        """Return whether the note is a page of a Logseq graph."""
        note = self._catalog.get(path)
        return note is not None and note.read_as.startswith("outline")


def page_of(path: str, heading_path: Sequence[str]) -> int | None:
    """Return which page of a PDF a passage is on, from 1; None for any other note."""
    page = _PAGE.fullmatch(heading_path[0]) if heading_path and path.lower().endswith(".pdf") else None
    return int(page[1]) if page else None


def _fragment(path: str, target: str, heading_path: Sequence[str], block_ids: Sequence[str]) -> str:
    """Return what stands after the hash of a link: a page, a block or headings; empty for the whole note."""
    if page := page_of(path, heading_path):
        return f"page={page}"
    if block_ids:
        return f"^{block_ids[0]}"
    headings = [_linkable(heading) for heading in heading_path]
    if headings and headings[0] == _linkable(target.rpartition("/")[2]):
        headings = headings[1:]  # the usual first heading says the note's name again
    return "#".join(filter(None, headings))


def _linkable(heading: str) -> str:
    """Return a heading as Obsidian writes it in a link: without the characters of its link syntax."""
    return " ".join(_LINK_SYNTAX.sub(" ", heading).split())
