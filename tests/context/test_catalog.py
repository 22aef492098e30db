"""What is indexed, in memory."""

from __future__ import annotations

from pai_daemon.context.catalog import Catalog, IndexedNote
from pai_daemon.vault.scan import FileStat


def note(
    path: str, *, keys: tuple[str, ...] = ("k",), tags: tuple[str, ...] = (), links: tuple[str, ...] = ()
) -> IndexedNote:
    """Return an indexed note."""
    title = path.rpartition("/")[2].removesuffix(".md")
    return IndexedNote(path, FileStat(1, 1, 1), "hash", title, (), tags, links, (), keys)


def test_equal_text_in_two_notes_has_two_owners() -> None:
    """A vector key leads to every chunk with that text."""
    catalog = Catalog([note("a.md"), note("b.md")])
    assert sorted(catalog.owners("k")) == [("a.md", 0), ("b.md", 0)]


def test_dropped_note_owns_nothing() -> None:
    """A note that is gone is no owner, and its key is unused."""
    catalog = Catalog([note("a.md")])
    catalog.drop("a.md")
    assert catalog.owners("k") == []
    assert catalog.vector_keys() == []


def test_replaced_note_loses_its_old_keys() -> None:
    """An edit takes the old chunks' keys with it."""
    catalog = Catalog([note("a.md", keys=("old", "kept"))])
    catalog.put(note("a.md", keys=("kept",)))
    assert catalog.vector_keys() == ["kept"]


def test_note_with_one_text_twice_can_be_dropped() -> None:
    """Two equal chunks of one note do not confuse the owners."""
    catalog = Catalog([note("a.md", keys=("k", "k"))])
    assert catalog.owners("k") == [("a.md", 0), ("a.md", 1)]
    catalog.drop("a.md")
    assert catalog.owners("k") == []


def test_backlinks_follow_links_by_name() -> None:
    """A link by bare name makes a backlink of the note it resolves to."""
    catalog = Catalog([note("x/a.md", links=("b", "missing")), note("y/b.md")])
    assert catalog.linked("x/a.md") == {"y/b.md"}
    assert catalog.backlinks("y/b.md") == ["x/a.md"]
