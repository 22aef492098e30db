"""What other programs find in a note: obsidiantools, and the counter of the bench data.

obsidiantools is a package of another author and renders a note to HTML before it looks for links and tags.
The counter, `wikilinks.py`, lies beside the vaults it was written to count, and masks code with patterns.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import io
import warnings
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pai_daemon.notes.note import Note

Names = Counter[str]
MARKDOWN = (".md", ".markdown")


@dataclass(frozen=True, slots=True)
class Opinion:
    """What a program finds: targets of wikilinks and embeds, each as often as it is written, and tags."""

    links: Names
    embeds: Names
    tags: Names


def _names(found: Iterable[str]) -> Names:
    """Return names as they are compared: without the white space and the extension that may be left out."""
    stripped = (name.strip().removesuffix(".md") for name in found)
    return Counter(name for name in stripped if name)


def _tags(found: Iterable[str]) -> Names:
    return Counter({tag.casefold() for tag in found})


def ours(note: Note) -> Opinion:
    """Return what we find written with double brackets; the others do not look into the frontmatter."""
    links: list[str] = []
    embeds: list[str] = []
    for link in note.links:
        if link.kind != "property" and "[[" in note.text[max(0, link.start - 2) : link.end]:
            is_embed = note.text.startswith("![[", link.start)
            if is_embed or not link.target.endswith(".canvas"):
                (embeds if is_embed else links).append(link.target)
    return Opinion(_names(links), _names(embeds), _tags(note.tags))


def obsidiantools() -> Callable[[Path], Opinion] | None:
    """Return the reader of obsidiantools; None where it is not installed."""
    if importlib.util.find_spec("obsidiantools") is None:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        parser: Any = importlib.import_module("obsidiantools.md_utils")

    def read(path: Path) -> Opinion:
        # It prints what it makes of bad properties.
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            links = parser.get_wikilinks(path)
            embeds = parser.get_embedded_files(path)
            tags = parser.get_tags(path, show_nested=True)
        return Opinion(_names(links), _names(embeds), _tags(tags))

    return read


def counter(bench_data: Path) -> Callable[[str], Names] | None:
    """Return the counter of wikilinks that lies among the bench data; None where it does not."""
    file = bench_data / "wikilinks.py"
    spec = importlib.util.spec_from_file_location("wikilinks", file) if file.exists() else None
    if spec is None or spec.loader is None:
        return None
    module: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return lambda text: _names(link.target for link in module.links(text))


def notes_of(vault: Path, step: int = 1) -> list[Path]:
    """Return every step-th Markdown note of a vault, by path."""
    return sorted(path for path in vault.rglob("*") if path.suffix in MARKDOWN and path.is_file())[::step]
