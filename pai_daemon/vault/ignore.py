"""Which paths of a vault are notes that may be indexed, and why the others are not (D14).

One matcher decides for the scan, the watcher, the links and `pai index --explain`. A folder that is out
takes everything in it with it, so a walk may prune; a later `!pattern` cannot bring a note back from there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from pathspec import GitIgnoreSpec

from pai_daemon.errors import UsageError
from pai_daemon.notes.logseq import Graph
from pai_daemon.notes.reader import NOTE_SUFFIXES
from pai_daemon.vault.folder import layout_of

SETTINGS_FOLDER = ".obsidian"
APP_SETTINGS = f"{SETTINGS_FOLDER}/app.json"
IGNORE_FILE = ".paiignore"

_FOLDERS = {"node_modules": "a folder of packages"}
_LOGSEQ = ("logseq/bak", "logseq/.recycle", "logseq/version-files")
_LEFTOVERS = ("*.sync-conflict-*", "*.tmp", "~$*", "*.icloud")
# A named group is written (?<name>...) in JavaScript.
_JS_GROUP = re.compile(r"\(\?<(?=[A-Za-z_$])")
_MAX_SETTINGS_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class IgnoreRules:
    """The rules of one vault; two are equal when they say the same.

    exclude: patterns as in .gitignore. include: such patterns, of which a note must match one; none: all
    notes may come. obsidian_filters: Obsidian's "Excluded files", a beginning of a path
    or a /regular expression/. Raises UsageError for a pattern of exclude that cannot be read: indexing
    what should be left out would be worse than stopping. graph: the Logseq graph whose hidden paths are out.
    problems: filters that cannot be used.
    """

    exclude: tuple[str, ...] = ()
    obsidian_filters: tuple[str, ...] = ()
    graph: Graph | None = None
    include: tuple[str, ...] = ()
    problems: tuple[str, ...] = field(default=(), init=False, compare=False)
    _spec: GitIgnoreSpec = field(init=False, compare=False, repr=False)
    _included: GitIgnoreSpec = field(init=False, compare=False, repr=False)
    _regexes: tuple[tuple[str, re.Pattern[str]], ...] = field(
        default=(), init=False, compare=False, repr=False
    )

    def __post_init__(self) -> None:
        """Compile the patterns once."""
        put = object.__setattr__  # the way a frozen dataclass fills a field that it derives
        put(self, "exclude", tuple(self.exclude))
        put(self, "obsidian_filters", tuple(text for text in self.obsidian_filters if text))
        put(self, "_spec", _compile(self.exclude))
        put(self, "include", tuple(self.include))
        put(self, "_included", _compile(self.include))
        regexes: list[tuple[str, re.Pattern[str]]] = []
        problems: list[str] = []
        for text in self.obsidian_filters:
            if _is_regex(text):
                try:
                    regexes.append(
                        (
                            text,
                            re.compile(_JS_GROUP.sub("(?P<", text[1:-1])),
                        )
                    )
                except (re.error, RecursionError, OverflowError) as error:
                    problems.append(f"excluded file {text!r} in Obsidian's settings cannot be used: {error}")
        put(self, "_regexes", tuple(regexes))
        put(self, "problems", tuple(problems))

    @classmethod
    def of(cls, root: Path, exclude: Sequence[str] = (), include: Sequence[str] = ()) -> IgnoreRules:
        """Return the rules of the vault at root: these, its `.paiignore`, Obsidian's own excluded files.

        Raises UsageError for a `.paiignore` that cannot be read, or a pattern in it.
        """
        patterns = (*exclude, *read_ignore_file(root))
        return cls(patterns, read_obsidian_filters(root), layout_of(root).graph, tuple(include))

    def explain(self, path: str) -> str | None:
        """Return why the note at this vault-relative path is not indexed; None when it is."""
        folder, _, name = path.rpartition("/")
        reason = self.explain_folder(folder)
        if reason is not None:
            return reason
        if not name or name in (".", ".."):
            return "not a path within the vault"
        return self._explain_name(path, name)

    def is_attachment(self, path: str) -> bool:
        """Return whether the file, its folder being in, is no note but may be what a link leads to."""
        name = path.rpartition("/")[2]
        if name.startswith(".") or name.lower().endswith(NOTE_SUFFIXES):
            return False
        leftover = any(fnmatchcase(name, pattern) for pattern in _LEFTOVERS)
        return not leftover and self._explain_filters(path) is None

    def lets_in(self, path: str) -> bool:
        """Return whether a link may lead to an attachment at this vault-relative path."""
        return self.explain_folder(path.rpartition("/")[0]) is None and self.is_attachment(path)

    def explain_folder(self, path: str) -> str | None:
        """Return why nothing in the folder at this vault-relative path is indexed; None when it may be."""
        if path.startswith("/") or "\0" in path:
            return "not a path within the vault"
        parts = path.split("/") if path else []
        for count in range(1, len(parts) + 1):
            reason = self._explain_step("/".join(parts[:count]), parts[count - 1])
            if reason is not None:
                return reason
        return None

    def _explain_step(self, path: str, name: str) -> str | None:
        """Return why this folder is out, its parents being in."""
        if name in ("", ".", ".."):
            return "not a path within the vault"
        if name.startswith("."):
            return f"hidden folder {path}"
        if name in _FOLDERS:
            return f"{_FOLDERS[name]}: {path}"
        if path in _LOGSEQ:
            return f"Logseq's own copies: {path}"
        if self.graph is not None and self.graph.is_hidden(path):
            return f"hidden in logseq/config.edn: {path}"
        return self._explain_pattern(path + "/")

    def _explain_name(self, path: str, name: str) -> str | None:
        """Return why this file is out, its folder being in."""
        if name.startswith("."):
            return "hidden file"
        for pattern in _LEFTOVERS:
            if fnmatchcase(name, pattern):
                return f"left over by a program ({pattern})"
        if not name.lower().endswith(NOTE_SUFFIXES):
            return f"not a note ({', '.join(NOTE_SUFFIXES)} are)"
        if self.include and not self._included.match_file(path):
            return f"not among what is included ({', '.join(self.include)})"
        return self._explain_filters(path)

    def _explain_filters(self, path: str) -> str | None:
        """Return which pattern or filter takes the file out."""
        if self.graph is not None and self.graph.is_hidden(path):
            return "hidden in logseq/config.edn"
        for text, regex in self._regexes:
            if regex.search(path):
                return f"excluded in Obsidian's settings: {text}"
        return self._explain_pattern(path)

    def pattern_of(self, path: str) -> str | None:
        """Return the pattern of `exclude` that takes a note or a folder around it; None where none does."""
        ends = [at + 1 for at, char in enumerate(path) if char == "/"]
        steps = (*(path[:end] for end in ends), path)
        return next((found for step in steps if (found := self._pattern(step)) is not None), None)

    def _pattern(self, path: str) -> str | None:
        if not self.exclude:
            return None
        found = self._spec.check_file(path)
        return self.exclude[found.index] if found.include and found.index is not None else None

    def _explain_pattern(self, path: str) -> str | None:
        """Return which pattern or filter takes the path out; a folder ends with a slash."""
        if (pattern := self._pattern(path)) is not None:
            return f"excluded by the pattern {pattern}"
        folded = path.casefold()
        for text in self.obsidian_filters:
            # Case is ignored: on macOS and Windows the disk does, and to leave out too much is the safe side.
            if not _is_regex(text) and folded.startswith(text.casefold()):
                return f"excluded in Obsidian's settings: {text}"
        return None


def read_ignore_file(root: Path) -> tuple[str, ...]:
    """Return the patterns of the vault's `.paiignore`, in gitignore's syntax; none if there is no such file.

    Raises UsageError when it is there and cannot be read: what it leaves out is not known then.
    """
    try:
        with (root / IGNORE_FILE).open("rb") as file:
            text = file.read(_MAX_SETTINGS_BYTES).decode("utf-8-sig", "replace")
    except (FileNotFoundError, NotADirectoryError):
        return ()
    except OSError as error:
        raise UsageError(
            f"The file {IGNORE_FILE} of the vault cannot be read: {error.strerror or error}",
            hint="Let this user read it, or remove it.",
        ) from error
    return tuple(line for line in text.splitlines() if line.strip() and not line.startswith("#"))


def read_obsidian_filters(root: Path) -> tuple[str, ...]:
    """Return `userIgnoreFilters` of the vault's Obsidian settings; none if they are missing or broken."""
    try:
        with (root / APP_SETTINGS).open("rb") as file:
            settings: Any = json.loads(file.read(_MAX_SETTINGS_BYTES))
    except (OSError, ValueError, RecursionError):
        return ()
    filters = settings.get("userIgnoreFilters") if isinstance(settings, dict) else None
    return tuple(text for text in filters if isinstance(text, str)) if isinstance(filters, list) else ()


def _is_regex(text: str) -> bool:
    """Return whether an excluded file of Obsidian is written as a regular expression."""
    return len(text) > 2 and text.startswith("/") and text.endswith("/")


def _compile(exclude: Sequence[str]) -> GitIgnoreSpec:
    """Return the matcher for patterns as in .gitignore; raises UsageError naming the one that is wrong."""
    for pattern in exclude:
        try:
            GitIgnoreSpec.from_lines([pattern])
        except ValueError as error:
            raise UsageError(
                f"The pattern {pattern!r} cannot be read: {error}",
                hint="Write it as in .gitignore, for example Private/ or *.draft.md.",
            ) from error
    return GitIgnoreSpec.from_lines(exclude)
