"""Morning news: the entries of feeds by story, each told in its own words and linked to every source. Pure.

Two entries tell one story if they share words that few entries have: many of them, or some that stand in the
title of one; or if they share a few and their embeddings are nearer to each other than nearly all others: no
threshold of a model is guessed.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from pai_daemon.action.digests.wording import cut, harmless, language_of, linked, said, sentences_of, words_of
from pai_daemon.action.material import Piece
from pai_daemon.models.encoder.weights import Floats

MOST_STORIES = 12
MOST_SHORT = 12
# Of a story so many characters are told, a longer first sentence cut.
MOST_TOLD = 300
# Shared rarity of the words of title and first sentence, of all that the shorter one has.
ALIKE, ALIKE_BY_TITLE, ALIKE_IF_NEAR = 0.5, 0.18, 0.2
# So much of a title's rarity the other entry must have, in so many words, and so many words of it in all.
# Words are one if they begin alike.
OF_TITLE, WORDS_OF_TITLE, WORDS, STEM = 0.45, 2, 4, 6
# So many standard deviations above the mean nearness of all pairs.
NEAR_SIGMAS = 2.5


@dataclass(frozen=True, slots=True)
class Story:
    """Entries that tell the same, the best first."""

    entries: tuple[Piece, ...]

    @property
    def sources(self) -> list[str]:
        """Return the feeds that tell it."""
        return list(dict.fromkeys(entry.group for entry in self.entries))


def stories(entries: Sequence[Piece], vectors: Floats | None, language: str) -> list[Story]:
    """Return the entries by story. vectors: (entries, width) float32 of length 1, None for words alone."""
    heads = [_stems(f"{entry.title} {entry.text[:300]}", language) for entry in entries]
    titles = [_stems(entry.title, language) for entry in entries]
    counts = Counter(word for head in heads for word in head)
    rarity = {word: math.log(1 + len(entries) / count) for word, count in counts.items()}
    near = _near(vectors, len(entries))
    owner = list(range(len(entries)))
    for second in range(len(entries)):
        for first in range(second):
            share = _shared(heads[first], heads[second], rarity)
            told = share >= ALIKE_BY_TITLE and len(heads[first] & heads[second]) >= WORDS
            named = told and (
                _names(titles[first], heads[second], rarity) or _names(titles[second], heads[first], rarity)
            )
            is_near = share >= ALIKE_IF_NEAR and near is not None and bool(near[first, second])
            if share >= ALIKE or named or is_near:
                old, new = owner[second], owner[first]
                owner = [new if each == old else each for each in owner]
    groups: dict[int, list[Piece]] = {}
    for entry, group in zip(entries, owner, strict=True):
        groups.setdefault(group, []).append(entry)
    found = [Story(tuple(sorted(group, key=lambda each: -len(each.text)))) for group in groups.values()]
    return sorted(found, key=lambda story: (-len(story.sources), -_moment(story)))


def compose(entries: Sequence[Piece], vectors: Floats | None = None, language: str = "") -> str:
    """Return the news as Markdown; a line that says so where there are none."""
    language = language or language_of(entries)
    words = said(language, "news")
    if not entries:
        return words["nothing"]
    found = stories(entries, vectors, language)
    lines: list[str] = []
    shared = [story for story in found if len(story.sources) > 1]
    if shared:
        lines += [
            f"**{words['several']}**",
            "",
            *(_told(story, language) for story in shared[:MOST_STORIES]),
            "",
        ]
    single = [story for story in found if len(story.sources) == 1]
    by_feed: dict[str, list[Story]] = {}
    for story in single:
        by_feed.setdefault(story.sources[0], []).append(story)
    each = max(2, (MOST_STORIES - min(len(shared), MOST_STORIES)) // max(1, len(by_feed)))
    for feed, own in by_feed.items():
        lines += [f"**{harmless(feed)}**", "", *(_told(story, language) for story in own[:each])]
        if rest := own[each:]:
            titles = [linked(story.entries[0].title, story.entries[0].link) for story in rest[:MOST_SHORT]]
            others = f" (+{len(rest) - MOST_SHORT})" if len(rest) > MOST_SHORT else ""
            lines.append(f"- {words['more'].format(harmless(feed))}: {' · '.join(titles)}{others}")
        lines.append("")
    return "\n".join(lines).strip()


def _told(story: Story, language: str) -> str:
    """Return a story as an item: its title, one or two of its own sentences, and all who tell it."""
    entry = story.entries[0]
    text = _sentences(entry, language)
    head = f"- {linked(entry.title, entry.link)}"
    others = {other.group: other for other in story.entries[1:] if other.group != entry.group}
    also = [linked(name, other.link) for name, other in others.items()]
    sources = (
        f" ({harmless(entry.group)}; {said(language, 'news')['also']} {', '.join(also)})" if also else ""
    )
    return f"{head}{': ' + harmless(text) if text else ''}{sources}"


def _sentences(entry: Piece, language: str) -> str:
    """Return the first sentences of an entry that say more than its title."""
    title = set(words_of(entry.title, language))
    told: list[str] = []
    for sentence in sentences_of(entry.text, language)[:6]:
        words = set(words_of(sentence, language))
        # Two words more than the title's are something new, as a first sentence often says it again.
        if len(words - title) >= 2 and (not told or len(" ".join([*told, sentence])) <= MOST_TOLD):
            told.append(cut(sentence))
        if len(told) == 2 or len(" ".join(told)) > 160:
            break
    return " ".join(told)


def _stems(text: str, language: str) -> set[str]:
    return {word[:STEM] if word.isalpha() else word for word in words_of(text, language)}


def _names(title: set[str], head: set[str], rarity: dict[str, float]) -> bool:
    """Return whether an entry has most of what is rare in the title of another one."""
    shared = title & head
    whole = sum(rarity[word] for word in title)
    return len(shared) >= WORDS_OF_TITLE and sum(rarity[word] for word in shared) >= OF_TITLE * whole


def _shared(a: set[str], b: set[str], rarity: dict[str, float]) -> float:
    weights = [sum(rarity[word] for word in words) for words in (a & b, a, b)]
    least = min(weights[1:])
    return weights[0] / least if least and len(a & b) > 1 else 0.0


def _near(vectors: Floats | None, count: int) -> np.ndarray | None:
    """Return which pairs of entries are nearer than nearly all; None where that cannot be told."""
    if vectors is None or count < 8:
        return None
    cosines = vectors @ vectors.T
    pairs = cosines[np.triu_indices(count, 1)]
    found: np.ndarray = cosines > pairs.mean() + NEAR_SIGMAS * pairs.std()
    return found


def _moment(story: Story) -> float:
    moments = [entry.when for entry in story.entries if entry.when is not None]
    return max(moments, default=datetime(1970, 1, 2).astimezone()).timestamp()
