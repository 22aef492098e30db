"""Notes near a note, and the links a note could have: unlinked mentions and kindred notes."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pai_daemon.context.catalog import Catalog, IndexedNote
from pai_daemon.context.filters import tag_closure
from pai_daemon.context.index import Index
from pai_daemon.context.privacy import is_beyond
from pai_daemon.context.reading import Reader
from pai_daemon.context.search import Passage, Searcher
from pai_daemon.context.space import Space
from pai_daemon.context.vectors import Floats
from pai_daemon.errors import ModelUnavailable, NotFound
from pai_daemon.notes.language import is_stop_word
from pai_daemon.notes.links import slug
from pai_daemon.notes.note import Note
from pai_daemon.vault.scan import read_bytes

_TEXTS = ("markdown", "outline", "org")
_CLOSED_BLOCKS = ("frontmatter", "heading", "code", "math", "html", "comment", "definition", "drawer")
_OPEN_MARKS = ("highlight", "field")
# A one- or two-letter title is a word in every text; a mention of it means nothing.
MIN_MENTION_CHARACTERS = 3
MAX_MENTION_WORDS = 8
NEAREST_CHUNKS = 200
WORD = re.compile(r"\w+(?:[-'’.]\w+)*")


@dataclass(frozen=True, slots=True)
class RelatedNote:
    """A note near another. score: cosine of the nearest chunk. why: the reason, in words."""

    path: str
    title: str
    score: float
    why: str
    link: str
    linked: bool
    passage: Passage


@dataclass(frozen=True, slots=True)
class Mention:
    """A place that names another note without linking to it.

    line: 1-based. column_utf16: 0-based within the line, in UTF-16 units, which editors count.
    start_char, end_char: code points of the note's text.
    """

    text: str
    line: int
    column_utf16: int
    start_char: int
    end_char: int
    target: str
    title: str
    link: str


class Related:
    """Finds kindred notes and link suggestions in one vault's index."""

    def __init__(self, vault: Path, index: Index, searcher: Searcher, reader: Reader) -> None:
        self._vault = vault
        self._index = index
        self._searcher = searcher
        self._reader = reader

    def to_note(self, path: str, limit: int = 10, *, unlinked_only: bool = False) -> list[RelatedNote]:
        """Return the notes nearest to a note, best first; never the note itself.

        Raises NotFound for a path that is not indexed, ModelUnavailable while it is not embedded.
        """
        note = self.indexed(path)
        with self._searcher.borrow() as space:
            vectors = space.matrix.get(note.vector_keys)
            if not len(vectors):
                if is_beyond(space.embedder) and (
                    rule := self._index.privacy.rule(note, self._index.catalog)
                ):
                    raise ModelUnavailable(
                        f"{path} is not embedded by a model beyond this machine: {rule}.",
                        hint="Choose a model on this machine.",
                    )
                raise ModelUnavailable(
                    f"{path} is not embedded yet.", hint="Try again in a moment: pai status."
                )
            return self._near(space, centre(vectors), limit, note, unlinked_only=unlinked_only)

    def to_text(self, text: str, limit: int = 10) -> list[RelatedNote]:
        """Return the notes nearest to a piece of text, best first.

        Raises ModelUnavailable while no model is loaded, and where it may be of a note that stays here.
        """
        with self._searcher.borrow() as space:
            if space.embedder is None:
                raise ModelUnavailable("The embedding model is loading.", hint="Try again in a few seconds.")
            if is_beyond(space.embedder) and self._index.private_paths():
                raise ModelUnavailable(
                    "The text may be of a note that stays on this machine, and the model is beyond it.",
                    hint="Ask with the path of the note, or choose a model on this machine.",
                )
            return self._near(space, space.embedder.embed_texts([text], urgent=True)[0], limit, None)

    def _near(
        self,
        space: Space,
        vector: Floats,
        limit: int,
        origin: IndexedNote | None,
        *,
        unlinked_only: bool = False,
    ) -> list[RelatedNote]:
        path = origin.path if origin else ""
        linked = self._index.catalog.linked(path) if origin else set()
        best: dict[str, tuple[str, float]] = {}
        for item, score in self._searcher.nearest(space, vector, NEAREST_CHUNKS):
            other = item.rpartition("#")[0]
            if other != path and not (unlinked_only and other in linked):
                best.setdefault(other, (item, score))
        ranked = list(best.values())[:limit]
        passages = self._searcher.passages(ranked, {"semantic": ranked}, "")
        return [self._related(passage, origin, linked) for passage in passages]

    def _related(self, passage: Passage, origin: IndexedNote | None, linked: set[str]) -> RelatedNote:
        other = self._index.catalog.get(passage.path)
        shared = sorted(tag_closure(origin.tags) & tag_closure(other.tags)) if origin and other else []
        reasons = [f"shares #{', #'.join(shared[:3])}"] if shared else []
        if origin and origin.path in self._index.catalog.linked(passage.path):
            reasons.append("links here")
        where = " › ".join(passage.heading_path)
        reasons.append(f"near in meaning: {where}" if where else "near in meaning")
        return RelatedNote(
            path=passage.path,
            title=passage.title,
            score=round(passage.scores.semantic or 0.0, 4),
            why="; ".join(reasons),
            link=self._searcher.places.link(passage.path),
            linked=passage.path in linked,
            passage=passage,
        )

    def mentions(self, path: str) -> tuple[str, list[Mention]]:
        """Return a note's content hash on disk and its unlinked mentions of other notes.

        The note is read from disk, so that the spans fit what the person sees. Raises NotFound.
        """
        path = self.indexed(path).path
        try:
            data, content_hash = read_bytes(self._vault, path, self._reader.limit_of(path))
        except OSError as error:
            raise NotFound(f"{path} is not on disk any more.") from error
        note = self._reader.read(path, data)
        linked = self._index.catalog.linked(path)
        names = _names(self._index.catalog, path, linked)
        mentions = []
        for start, end, target in _find(note, names):
            text = note.text[start:end]
            mentions.append(self._mention(note, text, start, target))
        return content_hash, mentions

    def _mention(self, note: Note, text: str, start: int, target: str) -> Mention:
        line_start = note.text.rfind("\n", 0, start) + 1
        known = self._index.catalog.get(target)
        return Mention(
            text=text,
            line=note.text.count("\n", 0, start) + 1,
            column_utf16=len(note.text[line_start:start].encode("utf-16-le")) // 2,
            start_char=start,
            end_char=start + len(text),
            target=target,
            title=known.title if known else target,
            link=self._index.catalog.links.link_markup(target, text),
        )

    def indexed(self, path: str) -> IndexedNote:
        """Return a note of the index, or raise NotFound.

        path: as in the index, or as a shell completes it: absolute, with `./`, or a name without `.md`.
        """
        catalog = self._index.catalog
        written = path.removeprefix(f"{self._vault}/").removeprefix("./")
        note = catalog.get(written)
        if note is None and ".." not in written.split("/"):
            note = catalog.get(catalog.links.resolve(written, "") or "")
        if note is None:
            raise NotFound(f"No note {path!r} is indexed.", hint="Paths are relative to the vault, with .md.")
        return note


def centre(vectors: Floats) -> Floats:
    """Return the mean direction of vectors: (dimensions,) float32 of length 1.

    vectors: (n, dimensions) float32, n at least 1.
    """
    mean: Floats = vectors.mean(axis=0)
    length = float(np.linalg.norm(mean))
    return (mean / length if length > 0 else vectors[0]).astype(np.float32)


def _names(catalog: Catalog, path: str, linked: set[str]) -> dict[str, str]:
    """Return folded title or alias to path, for notes worth linking; ambiguous names are left out."""
    names: dict[str, str] = {}
    ambiguous = set()
    for note in catalog.notes():
        for name in {slug(name) for name in (note.title, *note.aliases)}:
            telling = len(name) >= MIN_MENTION_CHARACTERS and not is_stop_word(name)
            if telling and names.setdefault(name, note.path) != note.path:
                ambiguous.add(name)
    skipped = {path, *linked}
    return {name: target for name, target in names.items() if name not in ambiguous and target not in skipped}


def _find(note: Note, names: dict[str, str]) -> Iterator[tuple[int, int, str]]:
    """Yield (start, end, path) of the first mention of each note, longest name first, in text order.

    A canvas, a base and a PDF have none: their text is not what is written in the file.
    """
    if note.kind not in _TEXTS:
        return
    closed = _closed(note)
    stops = [stop for _, stop in closed]
    words = [match.span() for match in WORD.finditer(note.text, note.body_start)]
    seen: set[str] = set()
    position = 0
    while position < len(words):
        found = _longest(note.text, words, position, names)
        position += 1
        if found is None or found[2] in seen:
            continue
        start, end, target = found
        near = bisect_right(stops, start)
        if near < len(closed) and closed[near][0] < end:
            continue
        seen.add(target)
        yield found
        while position < len(words) and words[position][0] < end:
            position += 1


def _closed(note: Note) -> list[tuple[int, int]]:
    """Return the spans in which no link may be written, apart from each other and in order."""
    spans = [(block.start, block.end) for block in note.blocks if block.kind in _CLOSED_BLOCKS]
    spans += [(mark.start, mark.end) for mark in note.marks if mark.kind not in _OPEN_MARKS]
    spans += [(link.start, link.end) for link in note.links]
    apart: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if apart and start <= apart[-1][1]:
            apart[-1] = (apart[-1][0], max(end, apart[-1][1]))
        else:
            apart.append((start, end))
    return apart


def _longest(
    text: str, words: Sequence[tuple[int, int]], position: int, names: dict[str, str]
) -> tuple[int, int, str] | None:
    start = words[position][0]
    for last in range(min(position + MAX_MENTION_WORDS, len(words)) - 1, position - 1, -1):
        end = words[last][1]
        if "\n" not in text[start:end] and (target := names.get(slug(text[start:end]))):
            return start, end, target
    return None
