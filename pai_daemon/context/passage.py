"""A passage: a chunk as a search result, and what a search returns. Plain values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Mode = Literal["hybrid", "semantic", "text"]


@dataclass(frozen=True, slots=True)
class Scores:
    """The parts of a score: cosine of the embeddings, BM25 of the text; None where a leg found nothing."""

    semantic: float | None
    text: float | None


@dataclass(frozen=True, slots=True)
class Passage:
    """A chunk as a search result.

    Lines are 1-based and inclusive, characters are code points of the note's text. stale: the
    file changed since it was read. score: 0 to 1, as `fuse` adds up the legs that ran,
    and in the order of the second look.
    highlights: (start, end) in `text`. link: a wikilink that opens the passage. uri: an address that opens
    it in Obsidian or Logseq. page: of a PDF, from 1.
    """

    path: str
    title: str
    heading_path: tuple[str, ...]
    text: str
    start_line: int
    end_line: int
    start_char: int
    end_char: int
    block_id: str | None
    content_hash: str
    stale: bool
    score: float
    scores: Scores
    highlights: tuple[tuple[int, int], ...]
    link: str
    uri: str
    page: int | None

    @property
    def trail(self) -> str:
        """Return title and headings as one line; a first heading that repeats the title is left out."""
        headings = self.heading_path[1:] if self.heading_path[:1] == (self.title,) else self.heading_path
        return " > ".join((self.title, *headings))


@dataclass(frozen=True, slots=True)
class Part:
    """What one leg says for a passage. score: cosine or BM25. share: that as 0 to 1; it counts `weight`."""

    score: float
    share: float
    weight: float


@dataclass(frozen=True, slots=True)
class Reasons:
    """Why one passage stands where it does.

    semantic, text: what each leg says, None where it did not find the passage. fused: their shares times
    their weights, added. signs: what the second look saw, by name; odds: those times their weights, added.
    None of it, where it did not look.
    """

    semantic: Part | None
    text: Part | None
    fused: float
    signs: dict[str, float]
    odds: float | None


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why the passages of a search stand in their order.

    reasons: of each passage, in the order of the results. weights: how much each sign counts in the second
    look. corrected: the words of the query that no note has, and the nearest ones that were searched beside
    each. took_ms: of each stage; words are looked up while the query is embedded.
    """

    reasons: tuple[Reasons, ...]
    weights: dict[str, float]
    corrected: dict[str, tuple[str, ...]]
    took_ms: dict[str, float]


@dataclass(frozen=True, slots=True)
class SearchResult:
    """Passages, best first, and how fresh and how complete they are (D13, D16).

    understood: the operators that were read in the query; notices: what looked like one and was searched as
    words (D96). stages: the legs that ran, and `look` for the second look; none for a query of operators
    or exclusions alone, which lists the newest notes. explained: where it was asked for.
    """

    query: str
    mode: Mode
    stages: tuple[str, ...]
    revision: int
    pending_chunks: int
    took_ms: float
    results: tuple[Passage, ...]
    understood: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()
    explained: Explanation | None = None
