"""Which languages a vault is written in, and what to do where the model was not trained for one of them.

A sample of the index is looked at when the indexer is at rest; the shares stay until the vault has become
another one. What follows for a model is decided anew each time it is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import islice

from pai_daemon.context.catalog import Catalog
from pai_daemon.context.index import Index
from pai_daemon.context.store.rows import chunk_id
from pai_daemon.models.registry import Profile, known_profiles
from pai_daemon.notes.languages import language_name, language_shares

# The standard error of a share is 3 points at most, and it takes 40 ms with 50,000 chunks.
SAMPLE_CHUNKS = 300
# Less than this of a vault is a quotation or a mistake, and no reason for another model.
HINT_SHARE = 0.1
# The languages are looked at again when the vault has grown or shrunk by so much.
CHANGE_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class Hint:
    """What a person should know, and what to do about it.

    code: for programs. command: what to type, None where we know of nothing.
    """

    code: str
    message: str
    command: str | None


class VaultLanguages:
    """The languages of one vault. The indexer's thread counts them, any thread reads the shares.

    shares: ISO 639-1 code to its share of the writing, see `language_shares`; empty until they are known.
    counted_notes: how many notes the vault had then.
    """

    def __init__(self) -> None:
        self.shares: Mapping[str, float] = {}
        self.counted_notes = 0

    def is_due(self, notes: int) -> bool:
        """Return whether a vault of so many notes is another one than was counted."""
        return abs(notes - self.counted_notes) > CHANGE_SHARE * self.counted_notes

    def count(self, index: Index) -> None:
        """Look at a sample of the index. Raises IndexUnavailable, and is not due again then."""
        self.counted_notes = len(index.catalog)
        chunks = index.store.chunks.get(sample(index.catalog))
        self.shares = language_shares(chunk.text for chunk in chunks.values())


def sample(catalog: Catalog) -> list[str]:
    """Return the ids of at most SAMPLE_CHUNKS chunks, spread evenly over the vault and its notes."""
    notes = sorted(catalog.notes(), key=lambda note: note.path)
    step = -(-sum(len(note.vector_keys) for note in notes) // SAMPLE_CHUNKS)
    ids = (chunk_id(note.path, ordinal) for note in notes for ordinal in range(len(note.vector_keys)))
    return list(islice(ids, step // 2, None, step)) if step else []


def not_covered(shares: Mapping[str, float], covers: Callable[[str], bool]) -> dict[str, float]:
    """Return the languages that make up HINT_SHARE of a vault or more and that a model does not cover."""
    return {code: share for code, share in shares.items() if share >= HINT_SHARE and not covers(code)}


def language_hints(shares: Mapping[str, float], profile: Profile) -> list[Hint]:
    """Return the hint that a model was not trained for languages of a vault; none where it was.

    Its command changes to the first model we know that was trained for all that is written here.
    """
    missed = not_covered(shares, profile.covers)
    if not missed:
        return []
    better = (
        each.name for each in known_profiles() if each.languages and not not_covered(shares, each.covers)
    )
    name = next(better, None)
    first, *others = (f"in {language_name(code)}" for code in missed)
    percents = [f"{share * 100:.0f} %" for share in missed.values()]
    listed = [f"{percents[0]} of your notes are {first}"]
    listed += [f"{percent} {where}" for percent, where in zip(percents[1:], others, strict=True)]
    message = (
        f"{' and '.join(listed)}, which {profile.name} was not trained for: they are found by their words, "
        "hardly by their meaning."
    )
    return [Hint("language_not_covered", message, f"pai models use {name}" if name else None)]
