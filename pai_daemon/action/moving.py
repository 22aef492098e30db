"""Moving a note or a folder: which links of which notes must change so that each leads where it led (D91).

Only the new texts are worked out here; who applies them, all or none, keeps the undo. A link keeps its form,
its label, its heading or block; a note whose links lead on is not even read.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from posixpath import normpath
from typing import Protocol

from pai_daemon.action.relinking import relinked, relinked_canvas
from pai_daemon.action.spelling import LinkForm, Spelling
from pai_daemon.errors import NotFound, UsageError
from pai_daemon.notes.links import slug
from pai_daemon.notes.logseq import Graph
from pai_daemon.notes.note import Link, Note
from pai_daemon.notes.reader import NOTE_SUFFIXES, text_encoding
from pai_daemon.vault.resolve import LinkResolver

# Formats whose links are nobody's to change: none can be told from other texts in them.
_UNWRITTEN = (".pdf", ".base")


class Known(Protocol):
    """What must be known of each note, as the catalog does; targets: of its links, as written."""

    @property
    def path(self) -> str:
        """Return the note's path in the vault."""

    @property
    def aliases(self) -> tuple[str, ...]:
        """Return its other names."""

    @property
    def names(self) -> tuple[str, ...]:
        """Return what else than its path a link may call it by."""

    @property
    def targets(self) -> tuple[str, ...]:
        """Return the targets of its links."""


@dataclass(frozen=True, slots=True)
class Vault:
    """A vault as far as a move must know it.

    attachments: the paths of files that are no notes. load: the bytes of the note at a path; raises OSError
    as a file does. read: the note that bytes make at a path. graph: the Logseq graph, if the vault is one.
    """

    notes: Collection[Known]
    attachments: Collection[str]
    load: Callable[[str], bytes]
    read: Callable[[str, bytes], Note]
    form: LinkForm = "shortest"
    graph: Graph | None = None


@dataclass(frozen=True, slots=True)
class Left:
    """A link, or a whole note (line 0), that could not be brought up to date, and why."""

    path: str
    line: int
    text: str
    why: str


@dataclass(frozen=True, slots=True)
class Moved:
    """What a move comes to.

    paths: old path to new one of each known file that moves; of a folder, other files in it move along.
    texts: the new text of each note that changes, by its path before the move, without a byte order mark.
    before: the text that each of them was worked out for; `notes.edits.apply` puts one in the other's place.
    left: what will no longer lead where it led. claimed: path and target of each link that led nowhere and
    now leads to what was moved.
    """

    old: str
    new: str
    paths: Mapping[str, str]
    texts: Mapping[str, str] = field(default_factory=dict)
    before: Mapping[str, str] = field(default_factory=dict)
    left: tuple[Left, ...] = ()
    claimed: tuple[tuple[str, str], ...] = ()


def planned_move(vault: Vault, old: str, new: str) -> Moved:
    """Return what the move of a note, an attachment or a folder to a new path comes to.

    Raises NotFound where nothing is at the old path; UsageError for a new path that is taken or out of the
    vault, that changes the kind of file, or that would rename a journal, whose name is its day.
    """
    paths = _moves(vault, old, new)
    loaded, left = _loaded(vault, paths)
    names: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {}
    aliases: dict[str, tuple[str, ...]] = {}
    for path, data in loaded.items():
        if vault.graph is None or not (vault.graph.covers(path) or vault.graph.covers(paths[path])):
            continue  # what it is called is in its path
        was, is_now = vault.read(path, data), vault.read(paths[path], data)
        if was.kind != is_now.kind:
            raise UsageError(
                f"{path} is a page of Logseq on one side of the move, and a plain note on the other."
            )
        if was.date and was.kind == "outline" and was.names != is_now.names:
            raise UsageError(f"{path} is a journal, and its name is its day.")
        names[path], aliases[path] = (was.names, is_now.names), is_now.aliases
    before, after = LinkResolver({}), LinkResolver({})
    for path in vault.attachments:
        before.add_file(path)
        after.add_file(paths.get(path, path))
    for known in vault.notes:
        called = names.get(known.path, (known.names, known.names))
        before.add(known.path, known.aliases, called[0])
        after.add(paths.get(known.path, known.path), aliases.get(known.path, known.aliases), called[1])
    return _Plan(vault, old, new, paths, before, after, names, loaded, left).made()


@dataclass(slots=True)
class _Plan:
    """A move while it is worked out. loaded: the bytes of notes that are known already, by their old path."""

    vault: Vault
    old: str
    new: str
    paths: Mapping[str, str]
    before: LinkResolver
    after: LinkResolver
    names: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]]
    loaded: Mapping[str, bytes]
    left: list[Left]
    texts: dict[str, str] = field(default_factory=dict)
    whole: dict[str, str] = field(default_factory=dict)
    claimed: dict[tuple[str, str], None] = field(default_factory=dict)

    def made(self) -> Moved:
        """Return the move with all its texts."""
        for path in self._touched():
            try:
                self._relink(path, self.loaded[path] if path in self.loaded else self.vault.load(path))
            except OSError as error:
                self.left.append(Left(path, 0, "", f"cannot be read: {error.strerror or error}"))
            except UsageError as error:
                self.left.append(Left(path, 0, "", error.detail))
        claimed = tuple(sorted(self.claimed))
        return Moved(self.old, self.new, self.paths, self.texts, self.whole, tuple(self.left), claimed)

    def _touched(self) -> Iterator[str]:
        """Yield the paths of the notes that move, and of those with a link that must be looked at."""
        renamed = {key for pair in self.paths.items() for path in pair for key in _keys(path)}
        renamed |= {
            key for both in self.names.values() for name in (*both[0], *both[1]) for key in _keys(name)
        }
        is_named: dict[str, bool] = {}
        for known in sorted(self.vault.notes, key=lambda known: known.path):
            moves = known.path in self.paths
            concerned: list[str] = []
            for target in known.targets:
                if target not in is_named:
                    is_named[target] = not renamed.isdisjoint(_keys(target))
                if moves or is_named[target]:
                    concerned.append(target)
            spelling = self._spelling(known.path)
            is_touched = known.path in self.loaded
            for target in concerned:
                if self.before.resolve(target, known.path) is not None:
                    is_touched = is_touched or not spelling.leads_on(target) or spelling.is_cut_off(target)
                elif not spelling.leads_on(target):
                    self.claimed[known.path, target] = None
            if is_touched and not known.path.lower().endswith(_UNWRITTEN):
                yield known.path

    def _spelling(self, path: str) -> Spelling:
        """Return what the links of a note must say."""
        return Spelling(
            self.before, self.after, self.paths, self.vault.form, path, (self.old, self.new), self.names
        )

    def _relink(self, path: str, data: bytes) -> None:
        """Keep the new text of a note if its links change, and those of them that cannot."""
        spelling = self._spelling(path)
        note = self.vault.read(path, data)
        text = _decoded(data)
        if note.kind == "canvas" and text is not None:
            new, links = relinked_canvas(text, self.paths, spelling.target_of, path)
        else:
            new, links = relinked(note, spelling.target_of, self._read)
            if note.text not in (new, text):
                raise UsageError("The note is damaged, or too large to be read whole; it stays as it is.")
        shown = note.text if note.kind != "canvas" else ""
        self.left += [Left(path, x.line, _shown(shown, x), "cannot be written in this link") for x in links]
        if text is not None and new not in (text, note.text):
            self.texts[path], self.whole[path] = new, text

    def _read(self, path: str, text: str) -> Note:
        """Return the note at a path with a text."""
        return self.vault.read(path, text.encode("utf-8", "surrogatepass"))


def _moves(vault: Vault, old: str, new: str) -> dict[str, str]:
    """Return old path to new one of each file that moves; raises as `planned_move` does."""
    for path in (old, new):
        if not path or path.startswith(("/", "../")) or normpath(path) != path or path in (".", ".."):
            raise UsageError(f"{path!r} is no path in the vault.")
    files = {*(known.path for known in vault.notes), *vault.attachments}
    if old in files:
        if PurePosixPath(old).suffix.lower() != PurePosixPath(new).suffix.lower():
            raise UsageError(f"A move keeps the kind of file, and {new} is another than {old}.")
        paths = {old: new, **_children(vault.graph, files, old, new)}
    else:
        paths = {path: new + path[len(old) :] for path in files if path.startswith(f"{old}/")}
        if not paths:
            raise NotFound(f"There is no note or folder {old}.")
        if new.startswith(f"{old}/"):
            raise UsageError(f"The folder {old} cannot be moved into itself.")
    stays = {slug(path) for path in files - paths.keys()}
    folders = {
        slug(path[: len(new)]) for path in files - paths.keys() if path[len(new) : len(new) + 1] == "/"
    }
    taken = next((path for path in paths.values() if slug(path) in stays), None)
    if old not in files and slug(new) in folders:
        taken = new
    if taken is not None or new == old:
        raise UsageError(f"There is already a note or folder {taken or new}.", hint="Choose another name.")
    return paths


def _children(graph: Graph | None, files: Iterable[str], old: str, new: str) -> dict[str, str]:
    """Return the pages of Logseq in the namespace of a page that moves: `A/B` is renamed with `A`."""
    if graph is None or not (graph.covers(old) and graph.covers(new)) or graph.journal_day(old):
        return {}
    stem, renamed = old.rpartition(".")[0], new.rpartition(".")[0]
    marks = ("___", "%2F", "%2f") if graph.triple_lowbar else (".", "%2F", "%2f")
    below = tuple(stem + mark for mark in marks)
    found = (path for path in files if path != old and graph.covers(path) and path.startswith(below))
    named = {path: renamed + path[len(stem) :] for path in found}
    return {path: to for path, to in named.items() if "/" not in path[len(stem) :]}


def _loaded(vault: Vault, paths: Mapping[str, str]) -> tuple[dict[str, bytes], list[Left]]:
    """Return the bytes of the notes that move, and those that could not be read."""
    loaded: dict[str, bytes] = {}
    left: list[Left] = []
    for path in sorted(paths):
        if path.lower().endswith(NOTE_SUFFIXES) and not path.lower().endswith(_UNWRITTEN):
            try:
                loaded[path] = vault.load(path)
            except OSError as error:
                left.append(Left(path, 0, "", f"cannot be read: {error.strerror or error}"))
    return loaded, left


def _keys(target: str) -> tuple[str, ...]:
    """Return the names under which a file may be found by a target or a path: with and without extension."""
    name = target.strip("/").rpartition("/")[2]
    bare = name[:-3] if name[-3:].lower() == ".md" else name
    return (slug(name), slug(bare)) if bare != name else (slug(name),)


def _decoded(data: bytes) -> str | None:
    """Return the text of a file without its byte order mark, None where it is damaged."""
    mark, encoding = text_encoding(data)
    try:
        return data[len(mark) :].decode(encoding)
    except UnicodeDecodeError:
        return None


def _shown(text: str, link: Link) -> str:
    """Return a link as it is written."""
    return text[link.start : link.end] or link.target
