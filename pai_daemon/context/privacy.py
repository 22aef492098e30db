"""Which notes stay on this machine, whatever model is asked: local-only notes (D15, D69).

A note is local-only by `pai: local` in its properties, or by the setting `local_only`: patterns of paths as
in .gitignore, and tags with their #. It is searched and quoted like any other; what is kept back is what
would be sent to a model beyond this machine, be it one that writes or one that embeds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from pai_daemon.context.catalog import Catalog, IndexedNote
from pai_daemon.context.filters import fold_tag, tag_closure
from pai_daemon.context.space import EmbeddingModel
from pai_daemon.vault.ignore import IgnoreRules

LOCAL = "pai=local"


@dataclass(frozen=True, slots=True)
class Privacy:
    """The rules of one vault. patterns: of the setting `local_only`. Raises UsageError for a wrong one."""

    patterns: Sequence[str] = ()
    _paths: IgnoreRules = field(init=False, repr=False, compare=False)
    _tags: tuple[str, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Read the patterns once."""
        paths = tuple(pattern for pattern in self.patterns if not pattern.startswith("#"))
        object.__setattr__(self, "_paths", IgnoreRules(paths))
        object.__setattr__(self, "_tags", tuple(set(self.patterns) - set(paths)))

    def rule(self, note: IndexedNote, catalog: Catalog) -> str | None:
        """Return which rule keeps a note on this machine, None where none does.

        A note of Logseq that shows a block of such a note has its text, and stays as well.
        """
        if (rule := self._own_rule(note)) is not None or not note.shown:
            return rule
        seen, showing = {note.path}, [note]
        while showing:
            for block_id in showing.pop().shown:
                owner = catalog.get(catalog.block_owner(block_id) or "")
                if owner is None or owner.path in seen:
                    continue
                if (rule := self._own_rule(owner)) is not None:
                    return f"it shows a block of {owner.path}: {rule}"
                seen.add(owner.path)
                showing.append(owner)
        return None

    def hides(self, path: str) -> bool:
        """Return whether a note at this path stays here, whatever it says, and be it not there yet."""
        return bool(self._paths.exclude) and self._paths.pattern_of(path) is not None

    def private_paths(self, catalog: Catalog) -> set[str]:
        """Return the paths of the notes that stay here."""
        return {note.path for note in catalog.notes() if self.rule(note, catalog) is not None}

    def _own_rule(self, note: IndexedNote) -> str | None:
        if LOCAL in note.properties:
            return "the note says pai: local"
        if self._tags:
            carried = tag_closure(note.tags)
            for tag in self._tags:
                if fold_tag(tag) in carried:
                    return f"the setting local_only names the tag {tag}"
        pattern = self._paths.pattern_of(note.path) if self._paths.exclude else None
        return f"the setting local_only names {pattern}" if pattern else None


def is_beyond(embedder: EmbeddingModel | None) -> bool:
    """Return whether what an embedder is given leaves this machine."""
    return embedder is not None and embedder.profile.location == "remote"


OPEN = Privacy()
