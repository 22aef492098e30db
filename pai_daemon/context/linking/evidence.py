"""What speaks for a link from a note to others, as one row of numbers for each: see `FEATURES`.

Nothing here decides; `weights` does. A cosine counts by its distance from that of notes which are not near,
in units of the model's own scale, as those of two models do not compare (D17).
"""

from __future__ import annotations

import functools
import math
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from itertools import accumulate, takewhile

import numpy as np
from numpy.typing import NDArray

from pai_daemon.context.catalog import Catalog, IndexedNote
from pai_daemon.context.filters import tag_closure
from pai_daemon.context.linking.graph import LinkGraph
from pai_daemon.context.linking.names import KINDS, Found, Named
from pai_daemon.context.space import Space
from pai_daemon.context.vectors import Floats, products
from pai_daemon.notes.forms import STEMMERS, Word, words_of
from pai_daemon.notes.language import is_stop_word
from pai_daemon.notes.links import slug
from pai_daemon.notes.note import Note

Table = NDArray[np.float64]
RANKS = {kind: rank for rank, kind in enumerate(KINDS)}
NO_STEMS: frozenset[str] = frozenset()
# Of a long note so many parts are compared, evenly taken; a part finds so many chunks, the whole more.
MAX_PARTS = 8
NEAREST_TO_PART, NEAREST_TO_WHOLE = 40, 120
# The notes nearest to this one tell what notes of its kind link to.
KIN = 12
MAX_BY_LINKS = 120
# Of a long note that names hundreds of others those are looked at that are named in most words.
MAX_BY_NAME = 250
FEATURES = (
    "title",  # it is mentioned by its title or file name
    "alias",  # by an alias
    "label",  # by what another note's link to it is called
    "part",  # by the last part of a title that has levels
    "heading",  # by one of its headings alone
    "inflected",  # the mention has another ending
    "shared name",  # ln of how many notes have the name
    "words",  # ln of how many words the name has
    "lower case",  # the name begins with a capital, the mention does not
    "often",  # ln of how often it is mentioned
    "early",  # how far up it is mentioned
    "stop word",  # the name is a common short word or a number
    "title words",  # the share of its title's words that stand anywhere in the note, rare ones counting more
    "whole near",  # the cosine of both notes as a whole
    "part near",  # the cosine of their nearest parts
    "parts near",  # the share of the note's parts that it is among the nearest of
    "links here",  # it links to the note
    "linked",  # ln of how many notes link to it
    "adamic",  # Adamic and Adar
    "walked",  # personalised PageRank
    "kin link",  # the share of the nearest notes that link to it
    "folder",  # how much of the path is shared
    "tags",  # Jaccard of the tags
    "no meaning",  # the note is not embedded, so that nothing is near
    "no links",  # hardly any note of the vault has a link
)
# So many of the features, the first, are of the mention.
BY_NAME = FEATURES.index("title words")


@dataclass(slots=True)
class Candidate:
    """A note that a link could lead to. mention: the best place that names it, as what; None for none."""

    path: str
    mention: Found | None = None
    named: Named | None = None
    times: int = 0


@dataclass(slots=True)
class Evidence:
    """The candidates of a note, for each a row of FEATURES, and by path the number of its nearest part."""

    candidates: list[Candidate]
    rows: Table
    nearest: Mapping[str, int]


class Collector:
    """Collects the evidence for links from the notes of one vault."""

    def __init__(self, catalog: Catalog, graph: LinkGraph) -> None:
        self._catalog = catalog
        self._graph = graph
        self._stems: dict[str, tuple[str, frozenset[str]]] = {}
        self._title_counts: Counter[str] = Counter()
        self._rarity = functools.cache(self._rarity_of)

    def follow(self, changed: Iterable[IndexedNote], gone: Iterable[str] = ()) -> None:
        """Know the titles of notes that are new or changed, and no more those of the ones that are gone."""
        for path in gone:
            self._forget(path)
        for note in changed:
            known = self._stems.get(note.path)
            if known is None or known[0] != note.title:
                self._forget(note.path)
                stems = frozenset(_stems(note.title))
                self._stems[note.path] = (note.title, stems)
                self._title_counts.update(stems)
                self._rarity.cache_clear()

    def _forget(self, path: str) -> None:
        _, stems = self._stems.pop(path, ("", NO_STEMS))
        self._title_counts.subtract(stems)
        self._rarity.cache_clear()

    def collect(
        self,
        note: Note,
        known: IndexedNote,
        words: Sequence[Word],
        mentions: Sequence[Found],
        *,
        space: Space,
        linked: Collection[str],
    ) -> Evidence:
        """Return the candidates for links from a note, which are neither linked nor the note itself.

        words, mentions: in it. Without embeddings what they would say is 0.
        """
        excluded = {*linked, note.path}
        candidates = self._mentioned(mentions, excluded)
        near = _Nearness(space, known, self._catalog)
        ties = self._graph.ties(note.path)
        kin = self._kin_links(near.best(KIN, note.path))
        for scores in (near.whole, near.part, ties.adamic, ties.walked, kin):
            for path in sorted(scores, key=scores.__getitem__, reverse=True)[:MAX_BY_LINKS]:
                if path not in excluded and path not in candidates and self._catalog.get(path):
                    candidates[path] = Candidate(path)
        listed, paths = list(candidates.values()), list(candidates)
        near.fill(paths)
        into = self._graph.into(note.path)
        forms = {word.form for word in words}
        stems = {stemmer(form) for stemmer in STEMMERS.values() for form in forms}
        folder, tags = _folder(note.path), tag_closure(known.tags)
        rows = np.zeros((len(listed), len(FEATURES)))
        for row, each in zip(rows, listed, strict=True):
            if each.mention is not None:
                row[:BY_NAME] = _mention_row(each, note.text)
        columns: tuple[Sequence[float], ...] = (
            [self._title_share(path, stems) for path in paths],
            [near.whole.get(path, 0.0) for path in paths],
            [near.part.get(path, 0.0) for path in paths],
            [near.parts.get(path, 0.0) for path in paths],
            [path in into for path in paths],
            [math.log1p(len(self._graph.into(path))) for path in paths],
            [ties.adamic.get(path, 0.0) for path in paths],
            [ties.walked.get(path, 0.0) for path in paths],
            [kin.get(path, 0.0) for path in paths],
            [_folder_shared(folder, _folder(path)) for path in paths],
            [self._tags_shared(tags, path) for path in paths],
            [not near.is_known] * len(paths),
            [self._graph.is_sparse] * len(paths),
        )
        for number, column in enumerate(columns, start=BY_NAME):
            rows[:, number] = column
        return Evidence(listed, rows, near.chunk)

    def _mentioned(self, mentions: Sequence[Found], excluded: Collection[str]) -> dict[str, Candidate]:
        """Return the mentioned notes, each with its best mention: by the best kind, then the first.

        The telling ones, where there are many: named in several words, as they are, by a title.
        """
        found: dict[str, Candidate] = {}
        for mention in mentions:
            for named in mention.owners:
                each = found.get(named.path)
                if each is None:
                    if named.path not in excluded and self._catalog.get(named.path) is not None:
                        found[named.path] = Candidate(named.path, mention, named, times=1)
                    continue
                each.times += 1
                if _order(mention, named) < _order(each.mention, each.named):
                    each.mention, each.named = mention, named
        if len(found) > MAX_BY_NAME:
            telling = sorted(
                found.values(), key=lambda each: (-_words(each), _order(each.mention, each.named))
            )
            found = {each.path: each for each in telling[:MAX_BY_NAME]}
        return found

    def _kin_links(self, kin: Sequence[tuple[str, float]]) -> dict[str, float]:
        total = sum(score for _, score in kin) or 1.0
        shares: dict[str, float] = {}
        for path, score in kin:
            for target in self._graph.out(path):
                shares[target] = shares.get(target, 0.0) + score / total
        return shares

    def _title_share(self, path: str, stems: Set[str]) -> float:
        """Return how much of a title stands among words, by the rarity of its words among titles."""
        own = self._stems[path][1] if path in self._stems else frozenset()
        said = own & stems
        return self._weight(said) / self._weight(own) if said else 0.0

    def _weight(self, stems: Iterable[str]) -> float:
        return sum(map(self._rarity, stems))

    def _rarity_of(self, stem: str) -> float:
        return math.log((len(self._stems) + 1) / (1 + self._title_counts[stem])) + 0.1

    def _tags_shared(self, tags: Set[str], path: str) -> float:
        other = self._catalog.get(path)
        if not tags or other is None or not other.tags:
            return 0.0
        others = tag_closure(other.tags)
        return len(tags & others) / len(tags | others)


@functools.lru_cache(maxsize=4096)
def _folder_shared(mine: str, its: str) -> float:
    """Return how much of two paths is the same folders, 1 for one folder."""
    own, theirs = mine.split("/")[:-1], its.split("/")[:-1]
    same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(own, theirs, strict=False)))
    return (same + 1) / (max(len(own), len(theirs)) + 1)


class _Nearness:
    """How near others are to a note in meaning: as a whole, by their nearest parts, to how many parts."""

    def __init__(self, space: Space, known: IndexedNote, catalog: Catalog) -> None:
        self._space, self._catalog = space, catalog
        self.whole: dict[str, float] = {}
        self.part: dict[str, float] = {}
        self.parts: dict[str, float] = {}
        self.chunk: dict[str, int] = {}
        vectors = space.matrix.get(known.vector_keys)
        self.is_known = len(vectors) > 0
        if not self.is_known:
            self._parts: Floats | None = None
            return
        taken = np.unique(np.linspace(0, len(vectors) - 1, min(MAX_PARTS, len(vectors))).astype(int))
        self._parts, self._centre = vectors[taken], centre(vectors)
        scale = space.embedder.scoring.scale if space.embedder is not None else 0.1
        queries = np.concatenate([self._centre[None], self._parts])
        limits = [NEAREST_TO_WHOLE] + [NEAREST_TO_PART] * len(self._parts)
        nearest, *near_parts = (
            self._notes(found, known.path) for found in space.matrix.search_each(queries, limits)
        )
        self._far, self._scale = min(nearest.values(), default=0.0), scale or 0.1
        self.whole = {path: self._read(score) for path, score in nearest.items()}
        for found in near_parts:
            low = min(found.values(), default=0.0)
            span = (max(found.values(), default=0.0) - low) or 1.0
            for path, score in found.items():
                self.part[path] = max(self.part.get(path, 0.0), self._read(score))
                self.parts[path] = self.parts.get(path, 0.0) + (score - low) / span / len(self._parts)

    def _read(self, cosine: float) -> float:
        return max(-1.0, (cosine - self._far) / self._scale)

    def _notes(self, found: Sequence[tuple[str, float]], own: str) -> dict[str, float]:
        best: dict[str, float] = {}
        for key, score in found:
            for path, _ in self._catalog.owners(key):
                if path != own:
                    best.setdefault(path, score)
        return best

    def best(self, count: int, own: str) -> list[tuple[str, float]]:
        """Return the nearest notes, best first."""
        both = {path: score + self.part.get(path, 0.0) for path, score in self.whole.items() if path != own}
        return sorted(both.items(), key=lambda pair: -pair[1])[:count]

    def fill(self, paths: Sequence[str]) -> None:
        """Work out exactly how near these notes are, which may have been found in another way."""
        notes = [note for path in paths if (note := self._catalog.get(path)) is not None]
        matrix = self._space.matrix
        own = [(note.path, [key for key in note.vector_keys if key in matrix]) for note in notes]
        own = [(path, keys) for path, keys in own if keys]
        if self._parts is None or not own:
            return
        starts = list(accumulate((len(keys) for _, keys in own[:-1]), initial=0))
        vectors = matrix.get([key for _, keys in own for key in keys])
        # The mean direction of each note: of a sum as of a mean.
        ends = [*starts[1:], len(vectors)]
        sums = np.stack([vectors[at:end].sum(axis=0) for at, end in zip(starts, ends, strict=True)])
        whole = sums @ self._centre / np.maximum(np.linalg.norm(sums, axis=1), 1e-9)
        nearest = products([vectors], self._parts).max(axis=0)
        part = np.maximum.reduceat(nearest, starts)
        each = zip(own, starts, whole.tolist(), part.tolist(), strict=True)
        for (path, keys), start, as_whole, as_part in each:
            self.whole[path], self.part[path] = self._read(as_whole), self._read(as_part)
            if len(keys) > 1:
                self.chunk[path] = int(nearest[start : start + len(keys)].argmax())


def centre(vectors: Floats) -> Floats:
    """Return the mean direction of vectors: (dimensions,) float32 of length 1.

    vectors: (n, dimensions) float32, n at least 1.
    """
    mean: Floats = vectors.mean(axis=0)
    length = float(np.linalg.norm(mean))
    return (mean / length if length > 0 else vectors[0]).astype(np.float32)


def _words(each: Candidate) -> int:
    return each.mention.words if each.mention is not None else 0


def _order(mention: Found | None, named: Named | None) -> tuple[bool, int, int]:
    assert mention is not None
    assert named is not None
    return mention.inflected, RANKS[named.kind], mention.start


def _mention_row(each: Candidate, text: str) -> tuple[float, ...]:
    mention, named = each.mention, each.named
    assert mention is not None
    assert named is not None
    return (
        *(float(named.kind == kind) for kind in KINDS),
        float(mention.inflected),
        math.log(mention.notes),
        math.log(mention.words),
        float(text[mention.start].islower() and named.name[:1].isupper()),
        math.log(each.times),
        1 - mention.start / max(1, len(text)),
        float(is_common(text[mention.start : mention.end])),
    )


def is_common(text: str) -> bool:
    """Return whether words name nothing: a short word of a language, or a number or a day."""
    return is_stop_word(slug(text)) or not any(map(str.isalpha, text))


def _folder(path: str) -> str:
    return path[: path.rfind("/") + 1]


def _stems(text: str) -> set[str]:
    """Return what stands for the words of a text whatever its language."""
    forms = [word.form for word in words_of(text) if word.form.isalnum()]
    return {stemmer(form) for stemmer in STEMMERS.values() for form in forms}
