"""Which files of the memory folder may go out: to an export, to a model beyond this machine (D14, D15)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath

from pai_daemon.config import Settings
from pai_daemon.context.filters import fold_tag, tag_closure
from pai_daemon.notes.reader import NOTE_SUFFIXES, read_note
from pai_daemon.vault.ignore import IgnoreRules
from pai_daemon.vault.shelf import Shelf


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules of a vault, as they are now. local: the patterns and #tags that stay on this machine."""

    shelf: Shelf
    ignored: IgnoreRules
    local: tuple[str, ...]

    @classmethod
    def of(cls, shelf: Shelf, settings: Settings) -> Rules:
        """Return the rules that the settings and the vault say."""
        return cls(
            shelf, IgnoreRules.of(shelf.vault, settings.exclude, settings.include), settings.local_only
        )

    def is_let_in(self, path: str) -> bool:
        """Return whether a file is not left out of everything, by a rule or by itself."""
        return self._passes(path, frozenset({"false", "no", "off"}))

    def may_leave(self, path: str) -> bool:
        """Return whether a file may be read by a model beyond this machine."""
        patterns = IgnoreRules(tuple(each for each in self.local if not each.startswith("#")))
        if patterns.exclude and patterns.pattern_of(self.shelf.in_vault(path)):
            return False
        return self._passes(path, frozenset({"false", "no", "off", "local"}), tagged=True)

    def _passes(self, path: str, kept_back: frozenset[str], *, tagged: bool = False) -> bool:
        whole = self.shelf.in_vault(path)
        is_note = PurePosixPath(path).suffix.lower() in NOTE_SUFFIXES
        # A file that is no note is out by the patterns alone; being no note is no rule against it.
        if self.ignored.explain(whole) is not None if is_note else self.ignored.pattern_of(whole) is not None:
            return False
        text = self.shelf.read(path)
        tags = {fold_tag(each) for each in self.local if each.startswith("#")} if tagged else set()
        if text is None or not is_note or not ("pai" in text or tags):
            return True
        note = read_note(whole, text.encode("utf-8", "replace"))
        return str(note.properties.get("pai")).lower() not in kept_back and not (
            tags & set(tag_closure(note.tags))
        )
