"""How many notes are read by a generator with a bounded window: in parts, which are joined. Pure.

Notes stay in their order, so that neighbours meet in one part; a note is cut only where it is longer than
a part. What a part may say is bounded, so that the number of calls follows from the notes alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from pai_daemon.context.summaries.scope import ScopedNote

# A longer part is summarised more coarsely, and its first word comes later.
PART_TOKENS = 3_000
LEAST_TOKENS = 300
PART_SENTENCES = 8
# What a part's statements take at most in the prompt that joins them.
STATEMENTS_TOKENS = 560
# Of a passage besides its text: its number, title and headings.
HEAD_TOKENS = 30
SENTENCE_TOKENS = 60
BYTES_A_TOKEN = 3.5


@dataclass(frozen=True, slots=True)
class Part:
    """Notes that are read in one call; of a cut note only the chunks that are read here have a size."""

    notes: tuple[ScopedNote, ...]
    tokens: int

    @property
    def ids(self) -> list[str]:
        """Return the ids of the chunks to read."""
        return [item for note in self.notes for item in note.ids]


@dataclass(frozen=True, slots=True)
class Plan:
    """The parts, and how many of them are joined in one call. told: the tokens of a prompt without text."""

    parts: tuple[Part, ...]
    fan: int
    told: int

    @property
    def joins(self) -> list[list[range]]:
        """Return the levels of joining: for each call which summaries of the level before it joins."""
        levels, count = [], len(self.parts)
        while count > 1:
            calls = -(-count // self.fan)
            bounds = [call * count // calls for call in range(calls + 1)]
            levels.append([range(*pair) for pair in pairwise(bounds)])
            count = calls
        return levels

    @property
    def steps(self) -> Iterator[tuple[int, int]]:
        """Yield what is done before the last call: (0, part) or (level, join), each as soon as it can be.

        So no more summaries wait than one call joins, on each level.
        """
        levels = self.joins

        def before(level: int, at: int) -> Iterator[tuple[int, int]]:
            if level:
                for below in levels[level - 1][at]:
                    yield from before(level - 1, below)
            yield level, at

        for at in levels[-1][0] if levels else ():
            yield from before(len(levels) - 1, at)

    @property
    def calls(self) -> int:
        """Return how often the generator is asked."""
        return len(self.parts) + sum(map(len, self.joins))

    @property
    def tokens(self) -> int:
        """Return about how many tokens it reads."""
        joined = sum(len(among) for level in self.joins for among in level)
        return sum(part.tokens for part in self.parts) + joined * STATEMENTS_TOKENS + self.calls * self.told

    def written_tokens(self, limit: int) -> int:
        """Return about how many tokens it writes; limit: sentences of the whole summary."""
        return ((self.calls - 1) * PART_SENTENCES + limit) * SENTENCE_TOKENS // 2


def answer_tokens(sentences: int, window: int) -> int:
    """Return how many tokens so many sentences may take, at most a third of the window."""
    return min(60 + sentences * SENTENCE_TOKENS, max(LEAST_TOKENS, window // 3))


def planned(notes: Sequence[ScopedNote], window: int, told: int, limit: int) -> Plan:
    """Return how to read notes. window: of the generator. told: tokens of the prompt without any text."""
    room = window - told - answer_tokens(max(limit, PART_SENTENCES), window)
    budget = max(LEAST_TOKENS, min(room, PART_TOKENS))
    parts: list[Part] = []
    open_notes: list[ScopedNote] = []
    used = 0
    for note in notes:
        for piece, tokens in _pieces(note, budget):
            if open_notes and used + tokens > budget:
                parts.append(Part(tuple(open_notes), used))
                open_notes, used = [], 0
            open_notes.append(piece)
            used += tokens
    if open_notes:
        parts.append(Part(tuple(open_notes), used))
    return Plan(tuple(parts), max(2, room // STATEMENTS_TOKENS), told)


def _pieces(note: ScopedNote, budget: int) -> list[tuple[ScopedNote, int]]:
    """Return a note in pieces that each fit into a part, with their tokens."""
    costs = [int(size / BYTES_A_TOKEN) + HEAD_TOKENS if size else 0 for size in note.sizes]
    spans, start = [], 0
    for ordinal, cost in enumerate(costs):
        if ordinal > start and sum(costs[start:ordinal]) + cost > budget:
            spans.append((start, ordinal))
            start = ordinal
    spans.append((start, len(costs)))
    if len(spans) == 1:
        return [(note, sum(costs))]
    return [
        (
            replace(
                note, sizes=tuple(size if begin <= at < end else 0 for at, size in enumerate(note.sizes))
            ),
            sum(costs[begin:end]),
        )
        for begin, end in spans
    ]
