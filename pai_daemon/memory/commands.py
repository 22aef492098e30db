"""Claude's memory tool (`memory_20250818`) over the memory folder.

View, create, str_replace, insert, delete and rename. The tool's `/memories` is the folder; texts are kept
word by word, and answers read as Anthropic documents them, since the model was trained on those. A file that
may not be sent to a model beyond this machine is not there for the tool (D15, D85).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import unquote

from pai_daemon.errors import NoteChanged, PaiError, UsageError
from pai_daemon.vault.shelf import Shelf, parts_of

ROOT = "/memories"
MAX_LINES = 999_999
MAX_VIEW_CHARS = 1_000_000
LEVELS = 2
CONTEXT_LINES = 2
ATTEMPTS = 50


class Refused(Exception):
    """A command that could not be done; its text is what the model is told."""


@dataclass(frozen=True, slots=True)
class MemoryCommands:
    """The six commands. is_shown: of a path within the folder, whether the tool may know of it."""

    shelf: Shelf
    is_shown: Callable[[str], bool] = lambda _: True

    def view(self, path: str, view_range: Sequence[int] | None = None) -> str:
        """Return a folder's files, two levels deep, or a file's numbered lines; a range may end with -1."""
        inner = self._inner(path)
        found = self.shelf.find(inner)
        if found is not None and found.is_dir():
            return self._listing(path.rstrip("/"), inner)
        if not inner:  # the folder is made with its first file
            return self._listing(ROOT, "")
        text = self._text(inner)
        if text is None:
            raise Refused(f"The path {path} does not exist. Please provide a valid path.")
        lines = _lines(text)
        if len(lines) > MAX_LINES:
            raise Refused(f"File {path} exceeds maximum line limit of 999,999 lines.")
        first, last = _range(view_range, len(lines))
        shown = _numbered(lines, first, last)
        if len(shown) > MAX_VIEW_CHARS:
            raise Refused(f"File {path} is too long to be shown whole. Please view it by `view_range`.")
        return f"Here's the content of {path} with line numbers:\n{shown}"

    def create(self, path: str, file_text: str) -> str:
        """Make a file with a text; what is there already stays."""
        inner = self._inner(path)
        if not inner or self.shelf.taken(inner):
            raise Refused(f"Error: File {path} already exists")
        try:
            self.shelf.write(inner, file_text, before=None)
        except NoteChanged:
            raise Refused(f"Error: File {path} already exists") from None
        return f"File created successfully at: {path}"

    def str_replace(self, path: str, old_str: str, new_str: str = "") -> str:
        """Replace a text that stands in a file once, and show the lines around the change."""
        changed = ""

        def replaced(text: str) -> str:
            nonlocal changed
            count = text.count(old_str) if old_str else 0
            if not count:
                raise Refused(
                    f"No replacement was performed, old_str `{old_str}` did not appear verbatim in {path}."
                )
            if count > 1:
                raise Refused(
                    f"No replacement was performed. Multiple occurrences of old_str `{old_str}` in lines: "
                    f"{_occurrences(text, old_str)}. Please ensure it is unique"
                )
            start = text.index(old_str)
            new = text[:start] + new_str + text[start + len(old_str) :]
            first = text.count("\n", 0, start) + 1
            lines = _lines(new)
            last = first + new_str.count("\n")
            changed = _numbered(lines, max(1, first - CONTEXT_LINES), min(len(lines), last + CONTEXT_LINES))
            return new

        missing = f"Error: The path {path} does not exist. Please provide a valid path."
        self._edit(path, replaced, missing)
        return f"The memory file has been edited.\n{changed}"

    def insert(self, path: str, insert_line: int, insert_text: str) -> str:
        """Put a text after a line; 0 is the beginning."""

        def inserted(text: str) -> str:
            lines = _kept_lines(text)
            if not 0 <= insert_line <= len(lines):
                raise Refused(
                    f"Error: Invalid `insert_line` parameter: {insert_line}. "
                    f"It should be within the range of lines of the file: [0, {len(lines)}]"
                )
            if insert_line and not lines[insert_line - 1].endswith("\n"):
                lines[insert_line - 1] += "\n"
            new = insert_text if insert_text.endswith("\n") else f"{insert_text}\n"
            return "".join([*lines[:insert_line], new, *lines[insert_line:]])

        self._edit(path, inserted, f"Error: The path {path} does not exist")
        return f"The file {path} has been edited."

    def delete(self, path: str) -> str:
        """Take a file away, or a folder with what is in it."""
        inner = self._inner(path)
        if not inner:
            raise Refused(f"Error: The {ROOT} directory itself cannot be deleted")
        self._known(inner, path)
        self.shelf.remove(inner)
        return f"Successfully deleted {path}"

    def rename(self, old_path: str, new_path: str) -> str:
        """Give a file or a folder another path; what is there already stays."""
        old, new = self._inner(old_path), self._inner(new_path)
        if not old:
            raise Refused(f"Error: The {ROOT} directory itself cannot be renamed")
        self._known(old, old_path)
        if f"{new}/".startswith(f"{old}/") and new != old:
            raise Refused(f"Error: {new_path} lies within {old_path}")
        if not new or new == old or (self.shelf.taken(new) and new.casefold() != old.casefold()):
            raise Refused(f"Error: The destination {new_path} already exists")
        try:
            self.shelf.move(old, new)
        except NoteChanged:
            raise Refused(f"Error: The destination {new_path} already exists") from None
        return f"Successfully renamed {old_path} to {new_path}"

    def _inner(self, path: str) -> str:
        """Return a path within the folder. Raises Refused for one that is not below `/memories`."""
        if path.rstrip("/") != ROOT and not path.startswith(f"{ROOT}/"):
            raise Refused(f"Error: The path {path} must start with {ROOT}")
        inner = path[len(ROOT) :].strip("/")
        try:
            # Written as %2e%2e it would be a name here, and might be more to whatever looks at it next.
            parts_of(unquote(inner))
            return "/".join(parts_of(inner))
        except UsageError as error:
            raise Refused(f"Error: The path {path} is not allowed. {error.detail}") from None

    def _text(self, inner: str) -> str | None:
        return self.shelf.read(inner) if self.is_shown(inner) else None

    def _known(self, inner: str, path: str) -> None:
        """Raise Refused for what is not there, or holds something that the tool may not know of."""
        found = self.shelf.find(inner)
        below = list(self.shelf.paths(inner)) if found is not None and found.is_dir() else [inner]
        if found is None or not all(map(self.is_shown, below)):
            raise Refused(f"Error: The path {path} does not exist")

    def _edit(self, path: str, edited: Callable[[str], str], missing: str) -> None:
        """Change a file's text. What changes meanwhile is read again; line ends stay as they are."""
        inner = self._inner(path)
        for _ in range(ATTEMPTS):
            before = self._text(inner)
            if before is None:
                raise Refused(missing)
            is_dos = "\r\n" in before and "\n" not in before.replace("\r\n", "")
            after = edited(before.replace("\r\n", "\n") if is_dos else before)
            if is_dos:
                after = after.replace("\r\n", "\n").replace("\n", "\r\n")
            try:
                self.shelf.write(inner, after, before=before)
            except NoteChanged:
                continue
            return
        raise Refused(f"Error: The file {path} changes all the time. Please try again later.")

    def _listing(self, path: str, inner: str) -> str:
        sizes = {inner: 0}
        for each in self.shelf.paths(inner):
            if self.is_shown(each):
                size = (self.shelf.root / each).stat().st_size
                parts = each[len(inner) :].strip("/").split("/")
                for level in range(min(len(parts), LEVELS) + 1):
                    name = "/".join(filter(None, (inner, *parts[:level])))
                    sizes[name] = sizes.get(name, 0) + size
        begin = len(inner)
        lines = [f"{_size(size)}\t{path}{_below(name[begin:])}" for name, size in sorted(sizes.items())]
        head = (
            f"Here're the files and directories up to 2 levels deep in {path}, "
            "excluding hidden items and node_modules:"
        )
        return "\n".join([head, *lines])


def answered(commands: MemoryCommands, command: Callable[[MemoryCommands], str]) -> tuple[str, bool]:
    """Return what the tool answers, and whether that is an error."""
    try:
        return command(commands), False
    except Refused as refused:
        return str(refused), True
    except PaiError as error:
        return f"Error: {error.detail}", True


def _below(name: str) -> str:
    return f"/{name.strip('/')}" if name.strip("/") else ""


def _lines(text: str) -> list[str]:
    """Return the lines; a line feed at the end begins none."""
    lines = text.split("\n")
    return [line.removesuffix("\r") for line in (lines[:-1] if lines[-1] == "" else lines)]


def _kept_lines(text: str) -> list[str]:
    """Return the lines with their ends; only a line feed ends one."""
    lines = [f"{line}\n" for line in text.split("\n")]
    lines[-1] = lines[-1].removesuffix("\n")
    return lines if lines[-1] else lines[:-1]


def _range(view_range: Sequence[int] | None, count: int) -> tuple[int, int]:
    if not view_range:
        return 1, count
    first, last = view_range[0], view_range[-1]
    last = count if last == -1 else last
    if len(view_range) != 2 or not 1 <= first <= max(1, count) or last < first:
        raise Refused(
            f"Error: Invalid `view_range` parameter: {list(view_range)}. "
            f"It should be two line numbers within [1, {count}]; the second may be -1"
        )
    return first, min(last, count)


def _numbered(lines: Sequence[str], first: int, last: int) -> str:
    return "\n".join(f"{number:>6}\t{lines[number - 1]}" for number in range(first, last + 1))


def _occurrences(text: str, old: str) -> str:
    """Return the numbers of the lines in which a text begins."""
    numbers: dict[int, None] = {}
    start = text.find(old)
    while start >= 0:
        numbers[text.count("\n", 0, start) + 1] = None
        start = text.find(old, start + 1)
    return ", ".join(map(str, numbers))


def _size(size_bytes: int) -> str:
    """Return a size as people read it: 512B, 1.5K, 2M."""
    size, units = float(size_bytes), ["B", "K", "M", "G"]
    while size >= 1024 and len(units) > 1:
        size, units = size / 1024, units[1:]
    return f"{size:.1f}".removesuffix(".0") + units[0]
