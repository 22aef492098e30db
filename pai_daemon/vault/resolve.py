"""Where a link leads in a vault, as Obsidian decides it, and how a link to a note is written.

The resolver knows names only; what the notes say comes from `notes`, which of them exist from `scan`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from posixpath import normpath

from pai_daemon.notes.links import is_linkable, markdown_link, slug
from pai_daemon.vault.owners import Owners


class LinkResolver:
    """The names of all notes of a vault; adding or removing one costs its own names only.

    titles: the aliases of each note by its vault-relative path. An alias is no target of a link in Obsidian
    (a link is then written `[[Real name|alias]]`), so `resolve` does not use it and `named` does.
    """

    def __init__(self, titles: Mapping[str, Iterable[str]] | None = None) -> None:
        self._aliases: dict[str, tuple[str, ...]] = {}
        self._names: dict[str, tuple[str, ...]] = {}
        self._by_path: Owners[str] = Owners()
        self._by_name: Owners[str] = Owners()
        self._by_alias: Owners[str] = Owners()
        for path, aliases in (titles or {}).items():
            self.add(path, aliases)

    def __len__(self) -> int:
        """Return the number of notes known."""
        return len(self._aliases)

    def __contains__(self, path: str) -> bool:
        """Return whether the note at path is known."""
        return path in self._aliases

    def add(self, path: str, aliases: Iterable[str] = (), names: Iterable[str] = ()) -> None:
        """Know the note at path under these aliases; what was known of it before is replaced.

        names: what a link may call it besides its path, as Logseq's titles; the first is how a link to it
        is written.
        """
        self.remove(path)
        self._aliases[path] = tuple(aliases)
        self._names[path] = tuple(names)
        for index, key in self._entries(path):
            index.add(key, path)

    def add_file(self, path: str) -> None:
        """Know an attachment; a link names it with its extension."""
        self.add(path)

    def remove(self, path: str) -> None:
        """Forget the note at path, if it is known."""
        if path not in self._aliases:
            return
        for index, key in set(self._entries(path)):
            index.remove(key, path)
        del self._aliases[path], self._names[path]

    def resolve(self, target: str, source: str) -> str | None:
        """Return the path of the note that a link in the note at source leads to, None if there is none.

        target: as written, without fragment and alias; empty means the source itself. `./` and `../` count
        from the source's folder. Else first the exact path from the root, then files whose path ends so: the
        one in the source's folder, else the one nearest to the root, else the first by name; at last a path
        from the source's folder. What is written with its extension means that file before a note.
        """
        if not target:
            return source if source in self._aliases else None
        folder = source.rpartition("/")[0]
        if target.startswith(("./", "../")):
            return self._at(_joined(folder, target))
        written = target.strip("/")
        return (
            self._best(self._files(written), written, folder)
            or self._best(self._notes(written), written, folder)
            or self._at(_joined(folder, written))
        )

    def named(self, name: str) -> tuple[str, ...]:
        """Return the paths of the notes whose file name or alias is name, in any case, sorted."""
        key = slug(name)
        return tuple(sorted({*self._by_name.of(key), *self._by_alias.of(key)}))

    def shortest_link(self, path: str) -> str:
        """Return the shortest target that leads to the note from anywhere: its name, else its path.

        The target goes between `[[` and `]]`. A name with `#`, `|`, `^`, brackets or `%%` would be cut
        there: use `link_markup`, which then writes a Markdown link.
        """
        if names := self._names.get(path):
            return names[0]
        bare = _without_suffix(path)
        name = bare.rpartition("/")[2]
        return name if set(self._by_name.of(slug(name))) <= {path} else bare

    def link_markup(self, path: str, label: str = "") -> str:
        """Return the whole link to the note at path, showing label; a Markdown link where names need it."""
        target = self.shortest_link(path)
        shown = label.replace("\n", " ").strip()
        if not is_linkable(target) or "]]" in shown or "|" in shown:
            return markdown_link(path, shown or _without_suffix(path).rpartition("/")[2])
        return f"[[{target}|{shown}]]" if shown and shown != target else f"[[{target}]]"

    def _entries(self, path: str) -> Iterable[tuple[Owners[str], str]]:
        """Yield each index with the key under which it holds the note."""
        bare = _without_suffix(path)
        whole, name = slug(bare), slug(bare.rpartition("/")[2])
        yield self._by_path, whole
        yield self._by_name, name
        for key in {slug(title) for title in self._names[path]} - {whole}:
            yield self._by_path, key
            if key.rpartition("/")[2] != name:
                yield self._by_name, key.rpartition("/")[2]
        for key in {slug(alias) for alias in self._aliases[path]}:
            yield self._by_alias, key

    def _at(self, written: str) -> str | None:
        """Return the file at this path from the root, named in full or a note without `.md`."""
        return self._best(self._files(written) & self._from_root(written), written, "") or self._best(
            self._notes(written) & self._from_root(written), written, ""
        )

    def _from_root(self, written: str) -> set[str]:
        """Return the files with this path from the root, with or without `.md`, in any case."""
        keys = (slug(written), slug(_without_suffix(written)))
        return set().union(*(self._by_path.of(key) for key in keys))

    def _files(self, written: str) -> set[str]:
        """Return the files whose path ends with what is written in full, in any case."""
        named = self._by_name.of(slug(_without_suffix(written).rpartition("/")[2]))
        ending = "/" + slug(written)
        return {path for path in named if slug("/" + path).endswith(ending)}

    def _notes(self, written: str) -> set[str]:
        """Return the notes whose path without `.md` ends so, or that are called so, in any case."""
        named = set(self._by_name.of(slug(written.rpartition("/")[2])))
        ending = "/" + slug(written)
        found = {path for path in named if slug("/" + _without_suffix(path)).endswith(ending)}
        return found | set(self._by_path.of(slug(written))) | (named if "/" not in written else set())

    def _best(self, paths: set[str], written: str, folder: str) -> str | None:
        """Return the path as written, else one from the root, else the nearest; None where there is none."""
        if len(paths) <= 1:
            return next(iter(paths), None)
        exact, from_root = (written, f"{written}.md"), self._from_root(written)
        return min(
            paths, key=lambda path: (path not in exact, path not in from_root, *_distance(path, folder))
        )


def _distance(path: str, folder: str) -> tuple[bool, int, int, str]:
    """Return how far a file is from a source's folder: in it, else by its depth, then by its name."""
    return path.rpartition("/")[0] != folder, path.count("/"), len(path), path


def _joined(folder: str, target: str) -> str:
    """Return target seen from folder, as a path from the root."""
    return normpath(f"{folder}/{target}" if folder else target).removeprefix("/")


def _without_suffix(path: str) -> str:
    """Return the path without `.md`."""
    return path[:-3] if path[-3:].lower() == ".md" else path
