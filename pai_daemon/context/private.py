"""Which notes stay on this machine whatever writes the answers: local-only notes (D15).

A note is local-only by `pai: local` in its properties, or by the setting `local_only`: patterns of paths as
in .gitignore, and tags with their #. It is searched and quoted like any other; what is kept back is what
would be sent to a generator beyond this machine.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from pai_daemon.context.answer import Citation, Question
from pai_daemon.context.filters import Filter
from pai_daemon.context.search import Searcher
from pai_daemon.vault.ignore import IgnoreRules

LOCAL = Filter(properties=("pai=local",))


@dataclass(frozen=True, slots=True)
class Privacy:
    """The rules of one vault. patterns: of the setting `local_only`. Raises UsageError for a wrong one."""

    patterns: Sequence[str] = ()
    _rules: IgnoreRules = field(init=False, repr=False, compare=False)
    _filters: tuple[Filter, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Read the patterns once."""
        paths = tuple(pattern for pattern in self.patterns if not pattern.startswith("#"))
        tags = tuple(pattern for pattern in self.patterns if pattern.startswith("#"))
        object.__setattr__(self, "_rules", IgnoreRules(paths))
        object.__setattr__(self, "_filters", (LOCAL, *(Filter(tags=(tag,)) for tag in tags)))

    def private_paths(self, searcher: Searcher) -> set[str]:
        """Return the paths of the notes that stay here."""
        found = {path for path in searcher.paths() if self._rules.explain(path) is not None}
        return found.union(*(searcher.paths(chosen) for chosen in self._filters))

    def public(self, citations: Sequence[Citation], searcher: Searcher) -> Sequence[Citation]:
        """Return the passages that may leave this machine."""
        private = self.private_paths(searcher)
        return [citation for citation in citations if citation.passage.path not in private]

    def without_private_words(self, question: Question, searcher: Searcher) -> Question:
        """Return a question without what may quote a local-only note: the selection, and earlier answers.

        Nobody knows any more from which notes an earlier answer came, so where a vault has a note that stays
        here, none of them leaves. A selection does where its note is named and may.
        """
        private = self.private_paths(searcher)
        if not private:
            return question
        selection = question.selection if question.note and question.note not in private else ""
        return replace(question, history=(), selection=selection)


OPEN = Privacy()
