"""A summary without any generator: the most central notes, each by its most central sentences.

What the index holds already chooses notes and passages, at any number of them; then some dozens of
sentences are embedded, and nothing else. So it takes a fraction of a second for thousands of notes. Where
there are more notes than sentences, each note that is quoted names those that it stands for.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from pai_daemon.context.answering.quotes import quotable
from pai_daemon.context.passage import Passage
from pai_daemon.context.space import EmbeddingModel, Space
from pai_daemon.context.store.rows import chunk_id
from pai_daemon.context.summaries.central import centres, exemplars, marginal, stood_for
from pai_daemon.context.summaries.scope import Scope, ScopedNote
from pai_daemon.context.vectors import Floats
from pai_daemon.errors import ModelUnavailable
from pai_daemon.notes.language import guess_language, is_stop_word, known_language

# Of a note this share of its sentences is quoted at most, and one for each so many bytes.
SHARE = 3
BYTES_A_SENTENCE = 400
# Of a chosen passage so many sentences are looked at, in all of them so many.
OF_A_PASSAGE, MOST_EMBEDDED = 6, 60
# The first passages of a note tell what it is about; one as short as this is a heading.
LEADS, HEADING_BYTES = 2, 80
# So many of the notes that a note stands for are named.
ALSO = 4
SHORTEST, LONGEST_CHARACTERS = 4, 300
_WORD = re.compile(r"[^\W\d_]{2,}")
_MATHS = re.compile(r"[$\\{}=<>|^_~/]")
_TAGS = re.compile(r"(?:^|(?<=\s))#[^\W\d][\w/-]*\s*")
_ARROW = re.compile(r"^(?:->|→|=>|⇒|!+)\s*")
# What begins so says something only beside what stands before it.
_POINTS_BACK = re.compile(
    r"[“\"„«]|(?:this|that|these|those|it|they|he|she|here|also|but|and|so|then|however|otherwise|therefore|thus"
    r"|for example|e\.g\.|dies\w*|das|er|sie|es|hier\w*|dabei|dann|auch|aber|und|jedoch|sonst|somit|daher"
    r"|dadurch|damit|bsp|beispiele?|examples?|z\.\s?b)(?!\w)",
    re.IGNORECASE,
)
_UNDONE = re.compile(r"\b(?:todo|tbd|fixme|einfügen|ergänzen)\b", re.IGNORECASE)
_DEFINES = re.compile(
    r"\b(?:is|are|was|were|means|refers to|describes|consists of|ist|sind|war|heißt|bezeichnet|beschreibt"
    r"|besteht aus|est|sont|es|son|è|sono|é|são)\b"
)
_DEFINING_HEADING = re.compile(
    r"(?:definition|what is|was ist|overview|überblick|summary|zusammenfassung|tl;?dr|introduction"
    r"|einleitung|idee?|properties|eigenschaft(?:en)?|how it works|funktionsweise|purpose|zweck)\b",
    re.IGNORECASE,
)
LONG_CHARACTERS = 120
# Shares of the model's scale, by which a sentence's nearness to its note is moved.
_FIRST, _NAMES_TITLE, _DEFINITION, _POINTS, _NO_PROSE, _OPEN, _LONG = 0.3, 0.2, 0.3, 0.4, 0.5, 0.15, 0.4


@dataclass(slots=True)
class Quoted:
    """A note with what is quoted of it. also: the notes it stands for, the nearest first."""

    note: ScopedNote
    sentences: list[tuple[str, Passage]] = field(default_factory=list)
    also: list[ScopedNote] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A sentence that may be quoted. place: in its passage. bonus: besides its meaning, on the scale."""

    text: str
    passage: Passage
    place: int
    bonus: float


def quote(scope: Scope, space: Space, notes: Sequence[ScopedNote], limit: int) -> list[Quoted]:
    """Return up to `limit` sentences, by note and in the order of the notes.

    notes: in order. Where the embedder is away, words alone choose within a passage.
    """
    known = [note for note in notes if any(key in space.matrix for key in note.keys)]
    vectors = _centres(space, known) if known else None
    order = _chosen(known, vectors, limit) if vectors is not None else _evenly(len(notes), limit)
    among = known if vectors is not None else notes
    wanted = _shares(among, order, limit)
    ids = {place: _ids(space, among[place], share) for place, share in wanted.items()}
    passages = scope.passages([item for of_note in ids.values() for item in of_note])
    found = []
    for place, of_note in ids.items():
        read = [passages[item] for item in of_note if item in passages]
        found.append((place, _candidates(among[place], read)))
    told = [(place, candidates) for place, candidates in found if candidates]
    told = _within(told, wanted, limit)
    quoted = _best(space, among, vectors, told, wanted)
    if vectors is not None and len(among) > len(quoted):
        _name_others(quoted, among, vectors)
    return [quoted[place] for place in sorted(quoted)]


def _centres(space: Space, notes: Sequence[ScopedNote]) -> Floats:
    keys = [[key for key in note.keys if key in space.matrix] for note in notes]
    vectors = space.matrix.get([key for of_note in keys for key in of_note])
    return centres(vectors, [len(of_note) for of_note in keys])


def _chosen(notes: Sequence[ScopedNote], vectors: Floats, limit: int) -> list[int]:
    """Return the places of notes to quote, the best first; more than needed, as some may have no prose."""
    if len(notes) <= limit:
        return sorted(range(len(notes)), key=lambda place: -notes[place].size)
    # The shortest notes say least.
    middle = sorted(note.size for note in notes)[len(notes) // 2]
    longer = [place for place, note in enumerate(notes) if note.size >= middle / 2]
    best = exemplars(vectors, longer, 2 * limit)
    return best if len(best) > limit else list(dict.fromkeys([*best, *range(len(notes))]))[: 2 * limit]


def _evenly(count: int, limit: int) -> list[int]:
    return list(range(count)) if count <= limit else [place * count // limit for place in range(limit)]


def _shares(notes: Sequence[ScopedNote], order: Sequence[int], limit: int) -> dict[int, int]:
    """Return by place how many sentences a note gets: one each, the rest by size (D'Hondt's method)."""
    shares = dict.fromkeys(order, 1)
    left = limit - len(shares)
    while left > 0:
        places = [
            place
            for place, share in shares.items()
            if notes[place].size >= (share + 1) * BYTES_A_SENTENCE * 2
        ]
        if not places:
            break
        shares[max(places, key=lambda place: notes[place].size / (shares[place] + 1))] += 1
        left -= 1
    return shares


def _ids(space: Space, note: ScopedNote, share: int) -> list[str]:
    """Return the ids of the passages of a note to read: the first with some text, and the most central."""
    told = [ordinal for ordinal, size in enumerate(note.sizes) if size >= HEADING_BYTES]
    told = told or [ordinal for ordinal, size in enumerate(note.sizes) if size]
    if len(told) > LEADS + share:
        known = [ordinal for ordinal in told if note.keys[ordinal] in space.matrix]
        central = []
        if known:
            vectors = space.matrix.get([note.keys[ordinal] for ordinal in known])
            central = [known[row] for row in exemplars(vectors, range(len(known)), share)]
        told = sorted({*told[:LEADS], *central})
    return [chunk_id(note.path, ordinal) for ordinal in told]


def _candidates(note: ScopedNote, passages: Sequence[Passage]) -> list[_Candidate]:
    """Return the sentences of a note that may be quoted, with what speaks for each besides its meaning."""
    found: dict[str, _Candidate] = {}
    language = guess_language("\n".join(passage.text for passage in passages))
    titled = _stems(note.title)
    for number, passage in enumerate(passages):
        texts = [text for text in _texts(passage, language) if _says_something(text, passage)]
        defines = bool(passage.heading_path and _DEFINING_HEADING.match(passage.heading_path[-1]))
        for place, text in enumerate(texts[:OF_A_PASSAGE]):
            bonus = _FIRST * (not number and not place) - _POINTS * bool(_POINTS_BACK.match(text))
            names_title = bool(titled & _stems(text[: len(text) // 2]))
            bonus += _NAMES_TITLE * names_title
            bonus += _DEFINITION * (
                defines or (names_title and bool(_DEFINES.search(text[: LONGEST_CHARACTERS // 3])))
            )
            bonus -= _NO_PROSE * ((known_language(text) is None) + min(2.0, _share_of_maths(text)))
            bonus -= _OPEN * (text[-1] not in ".!。！)") + _LONG * max(0.0, len(text) / LONG_CHARACTERS - 1)
            found.setdefault(text.casefold(), _Candidate(text, passage, place, bonus))
    return list(found.values())


def _texts(passage: Passage, language: str) -> Iterator[str]:
    """Yield what of a passage may be quoted, without tags, and arrows before it.

    A heading with its items is left out: the items come by themselves.
    """
    heading = passage.heading_path[-1] if passage.heading_path else ""
    for quoted in quotable(passage.text, language):
        if heading and quoted.startswith(heading):
            continue
        text = _ARROW.sub("", _TAGS.sub("", quoted)).strip()
        if text:
            yield textwrap.shorten(text, LONGEST_CHARACTERS, placeholder="…")


def _stems(text: str) -> set[str]:
    return {word.casefold()[:5] for word in _WORD.findall(text) if not is_stop_word(word.casefold())}


def _says_something(text: str, passage: Passage) -> bool:
    words = _WORD.findall(text)
    told = " ".join(words).casefold() in passage.trail.casefold()
    return (
        len(words) >= SHORTEST
        and not told
        and not text.endswith(("?", "？", ":"))
        and not _UNDONE.search(text)
    )


def _share_of_maths(text: str) -> float:
    return 10 * len(_MATHS.findall(text)) / len(text)


def _within(
    told: list[tuple[int, list[_Candidate]]], wanted: Mapping[int, int], limit: int
) -> list[tuple[int, list[_Candidate]]]:
    """Return the best notes that have something to quote, with as many sentences as may be embedded."""
    kept, total = [], 0
    for place, candidates in told:
        if total >= limit:
            break
        kept.append((place, candidates))
        total += wanted[place]
    each = max(1, MOST_EMBEDDED // max(1, total))
    return [
        (place, sorted(candidates, key=lambda one: -one.bonus)[: each * wanted[place]])
        for place, candidates in kept
    ]


def _best(
    space: Space,
    notes: Sequence[ScopedNote],
    vectors: Floats | None,
    told: list[tuple[int, list[_Candidate]]],
    wanted: Mapping[int, int],
) -> dict[int, Quoted]:
    """Return by place what is quoted of each note, the sentences in the note's order."""
    every = [candidate for _, candidates in told for candidate in candidates]
    embedded, scale = _embedded(space.embedder, [candidate.text for candidate in every])
    quoted: dict[int, Quoted] = {}
    start = 0
    for place, candidates in told:
        rows = slice(start, start + len(candidates))
        start = rows.stop
        share = max(1, min(wanted[place], notes[place].size // BYTES_A_SENTENCE // SHARE + 1))
        scores = np.array([candidate.bonus for candidate in candidates], np.float32) * scale
        if embedded is None or vectors is None:
            chosen = np.argsort(-scores, kind="stable").tolist()
        else:
            scores += embedded[rows] @ vectors[place]
            chosen = marginal(scores, embedded[rows], len(candidates), scale)
        best = sorted(
            _apart([candidates[row] for row in chosen], share),
            key=lambda one: (one.passage.start_char, one.place),
        )
        quoted[place] = Quoted(notes[place], [(one.text, one.passage) for one in best])
    return quoted


def _apart(candidates: Sequence[_Candidate], count: int) -> list[_Candidate]:
    """Return the first of the candidates, none of which holds another."""
    chosen: list[_Candidate] = []
    for one in candidates:
        if not any(one.text in other.text or other.text in one.text for other in chosen):
            chosen.append(one)
    return chosen[:count]


def _embedded(embedder: EmbeddingModel | None, texts: Sequence[str]) -> tuple[Floats | None, float]:
    if embedder is None or not texts:
        return None, 1.0
    try:
        return embedder.embed_texts(texts, urgent=True), embedder.scoring.scale
    except ModelUnavailable:
        return None, 1.0


def _name_others(quoted: Mapping[int, Quoted], notes: Sequence[ScopedNote], vectors: Floats) -> None:
    """Let each quoted note name those of the others that are nearest to it."""
    places = list(quoted)
    if not places:
        return
    owner, near = stood_for(vectors, places)
    for row in np.argsort(-near, kind="stable").tolist():
        if row not in quoted:
            quoted[places[int(owner[row])]].also.append(notes[row])
