"""The links that a note could have: where it mentions another one, and which others it is akin to.

What speaks for each is collected by `evidence` and weighed by `weights`. No model is asked: all embeddings
that are compared are in the index.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pai_daemon.context.catalog import IndexedNote
from pai_daemon.context.filters import tag_closure
from pai_daemon.context.index import Index
from pai_daemon.context.linking.evidence import FEATURES, Candidate, Collector, Evidence, Table
from pai_daemon.context.linking.graph import LinkGraph
from pai_daemon.context.linking.kept import Kept
from pai_daemon.context.linking.names import KINDS, Found, Names
from pai_daemon.context.linking.weights import SURE, TELLING, are_sure, confidence
from pai_daemon.context.passage import Passage
from pai_daemon.context.reading import Reader
from pai_daemon.context.search import Searcher
from pai_daemon.context.store.rows import chunk_id
from pai_daemon.errors import NotFound
from pai_daemon.notes.forms import words_of
from pai_daemon.notes.language import guess_language
from pai_daemon.notes.note import Note
from pai_daemon.vault.scan import read_bytes

CALLED = {
    "title": "called so",
    "alias": "has this alias",
    "label": "links to it are called so",
    "part": "its name ends so",
    "heading": "has this heading",
}


@dataclass(frozen=True, slots=True)
class Mention:
    """A place that names another note without linking to it.

    text: what stands there, the anchor of the link. line: 1-based. column_utf16: 0-based within the line, in
    UTF-16 units, which editors count. start_char, end_char: code points of the note's text. link: what takes
    the place of the text. confidence: how probable it is that the person would link it, 0 to 1; sure: nine of
    ten such would be, so that it may be shown in the text itself. why: the reason, in words.
    """

    text: str
    line: int
    column_utf16: int
    start_char: int
    end_char: int
    target: str
    title: str
    link: str
    confidence: float
    sure: bool
    why: str


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A note that a link could lead to, from wherever. confidence: as of a mention. passage: what is near."""

    path: str
    title: str
    confidence: float
    why: str
    link: str
    linked: bool
    passage: Passage | None


@dataclass(frozen=True, slots=True)
class LinksOf:
    """The links that a note could have. content_hash: of the text that the spans are of.

    mentions: in text order. suggestions: best first, of notes that are not among the mentions.
    """

    content_hash: str
    mentions: tuple[Mention, ...]
    suggestions: tuple[Suggestion, ...]


class Linker:
    """Suggests links in one vault. Any thread asks; one at a time is answered."""

    def __init__(
        self, vault: Path, index: Index, searcher: Searcher, reader: Reader, kept: Kept, *, graph: LinkGraph
    ) -> None:
        self.kept = kept
        self._vault = vault
        self._index = index
        self._searcher = searcher
        self._reader = reader
        self._names = Names(index.catalog)
        self._graph = graph
        self._collector = Collector(index.catalog, graph)
        self._known: dict[str, IndexedNote] = {}
        self._revision = -1

    def links_of(self, path: str, limit: int = 10) -> LinksOf:
        """Return the links that a note could have.

        The note is read from disk, so that the spans fit what the person sees. Without embeddings names and
        links alone speak. Raises NotFound for a path that is not indexed or not on disk.
        """
        known = self._index.catalog.get(path)
        if known is None:
            raise NotFound(f"No note {path!r} is indexed.", hint="Paths are relative to the vault, with .md.")
        try:
            data, content_hash = read_bytes(self._vault, path, self._reader.limit_of(path))
        except OSError as error:
            raise NotFound(f"{path} is not on disk any more.") from error
        note = self._reader.read(path, data)
        evidence, sureness = self.weighed(note, known)
        order = sorted(range(len(sureness)), key=lambda row: -sureness[row])
        shown, sure = self._shown(evidence, sureness), are_sure(evidence.rows)
        mentions = [
            self._mention(note, known, evidence, row, sureness[row], is_sure=bool(sure[row]))
            for row in sorted(shown, key=lambda row: _place(evidence.candidates[row]).start)
        ]
        rest = [row for row in order if row not in shown][:limit]
        return LinksOf(
            content_hash, tuple(mentions), tuple(self._suggestions(known, evidence, sureness, rest))
        )

    def weighed(self, note: Note, known: IndexedNote) -> tuple[Evidence, list[float]]:
        """Return what speaks for links from a note that was just read, and how probable each is."""
        catalog = self._index.catalog
        with self._graph.lock, self._searcher.borrow() as space:
            self.follow()
            # What the index has read too is in the graph.
            fresh = {link.target for link in note.links if link.target}.difference(known.targets)
            written = {catalog.links.resolve(target, note.path) for target in fresh}
            excluded = {path for path in written if path} | self._graph.out(note.path)
            excluded |= self.kept.refused_with(note.path)
            words = list(words_of(note.text, note.body_start))
            mentions = self._names.mentions(note, words, guess_language(note.text))
            evidence = self._collector.collect(note, known, words, mentions, space=space, linked=excluded)
        return evidence, confidence(evidence.rows).tolist()

    def follow(self) -> None:
        """Know the vault as it is indexed now."""
        if self._revision == (revision := self._index.revision):
            return
        self._graph.renew(revision)
        known, self._known = self._known, {note.path: note for note in self._index.catalog.notes()}
        changed = [note for path, note in self._known.items() if known.get(path) is not note]
        gone = known.keys() - self._known.keys()
        for follower in (self._names, self._collector):
            follower.follow(changed, gone)
        self._revision = revision

    def _shown(self, evidence: Evidence, sureness: Sequence[float]) -> set[int]:
        """Return the rows of the mentions to show: of each place one note, if it is clear which is meant."""
        by_place: dict[tuple[int, int], list[int]] = {}
        for row, each in enumerate(evidence.candidates):
            if each.mention is not None and sureness[row] >= TELLING and not is_ambiguous(each):
                by_place.setdefault((each.mention.start, each.mention.end), []).append(row)
        return {max(rows, key=lambda row: sureness[row]) for rows in by_place.values()}

    def _mention(
        self,
        note: Note,
        known: IndexedNote,
        evidence: Evidence,
        row: int,
        sureness: float,
        *,
        is_sure: bool,
    ) -> Mention:
        each = evidence.candidates[row]
        place = _place(each)
        text = note.text[place.start : place.end]
        line_start = note.text.rfind("\n", 0, place.start) + 1
        return Mention(
            text=text,
            line=note.text.count("\n", 0, place.start) + 1,
            column_utf16=len(note.text[line_start : place.start].encode("utf-16-le", "surrogatepass")) // 2,
            start_char=place.start,
            end_char=place.end,
            target=each.path,
            title=self._title(each.path),
            link=self._link(each, text),
            confidence=round(max(sureness, SURE) if is_sure else sureness, 3),
            sure=is_sure,
            why=self._why(known, each, evidence.rows[row]),
        )

    def _link(self, each: Candidate, text: str) -> str:
        """Return the link for a mention; one that names a heading leads there."""
        if each.named is not None and each.named.kind == "heading":
            link = self._searcher.places.link(each.path, (each.named.name,))
            if link.startswith("[[") and "|" not in text and "]]" not in text:
                return f"{link.removesuffix(']]')}|{text}]]"
        return self._index.catalog.links.link_markup(each.path, text)

    def _suggestions(
        self, known: IndexedNote, evidence: Evidence, sureness: Sequence[float], rows: Sequence[int]
    ) -> list[Suggestion]:
        parts = {row: evidence.nearest.get(evidence.candidates[row].path, 0) for row in rows}
        ids = {row: chunk_id(evidence.candidates[row].path, part) for row, part in parts.items()}
        passages = self._searcher.of_chunks(list(ids.values()))
        return [
            Suggestion(
                path=(each := evidence.candidates[row]).path,
                title=self._title(each.path),
                confidence=round(sureness[row], 3),
                why=self._why(known, each, evidence.rows[row], passages.get(ids[row])),
                link=self._searcher.places.link(each.path),
                linked=False,
                passage=passages.get(ids[row]),
            )
            for row in rows
        ]

    def _title(self, path: str) -> str:
        known = self._index.catalog.get(path)
        return known.title if known is not None else path

    def _why(self, known: IndexedNote, each: Candidate, row: Table, passage: Passage | None = None) -> str:
        value = dict(zip(FEATURES, row.tolist(), strict=True))
        other = self._index.catalog.get(each.path)
        shared = sorted(tag_closure(known.tags) & tag_closure(other.tags)) if other is not None else []
        reasons = []
        if each.named is not None:
            reasons.append(CALLED[each.named.kind] + (", in another form" if value["inflected"] else ""))
        if shared:
            reasons.append(f"shares #{', #'.join(shared[:3])}")
        if value["links here"]:
            reasons.append("links here")
        if value["kin link"] > 0.2:
            reasons.append("notes like this one link to it")
        elif value["adamic"] > 0.5:
            reasons.append("linked with the same notes")
        if value["part near"] > 0 or not reasons:
            where = " › ".join(passage.heading_path) if passage is not None else ""
            reasons.append(f"near in meaning: {where}" if where else "near in meaning")
        return "; ".join(reasons)


def _place(each: Candidate) -> Found:
    assert each.mention is not None
    return each.mention


def is_ambiguous(each: Candidate) -> bool:
    """Return whether another note has the name with equal right: to choose between them would be a guess."""
    assert each.mention is not None
    assert each.named is not None
    best = min(KINDS.index(owner.kind) for owner in each.mention.owners)
    owners = {owner.path for owner in each.mention.owners if KINDS.index(owner.kind) == best}
    return len(owners) > 1 or each.path not in owners
