"""What is indexed, in memory."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

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


_PATHS = st.sampled_from(["a.md", "x/a.md", "x/b.md", "x/y/b.md", "xy/c.md"])
_KEYS = st.lists(st.sampled_from("klm"), min_size=1, max_size=3).map(tuple)


@given(puts=st.lists(st.tuples(_PATHS, _KEYS), max_size=8), drops=st.lists(_PATHS, max_size=4))
def test_catalog_put_together_note_by_note_is_the_one_that_was_loaded(
    puts: list[tuple[str, tuple[str, ...]]], drops: list[str]
) -> None:
    """However notes came, changed and went, all that is asked is as for a catalog of those that are left."""
    grown, left = Catalog(), {}
    for path, keys in puts:
        grown.put(note(path, keys=keys, links=("b",)))
        left[path] = note(path, keys=keys, links=("b",))
    for path in drops:
        grown.drop(path)
        left.pop(path, None)
    loaded = Catalog(left.values())
    owners = {
        key: sorted(
            (path, n) for path, one in left.items() for n, own in enumerate(one.vector_keys) if own == key
        )
        for key in "klm"
    }
    for catalog in (grown, loaded):
        assert {key: sorted(catalog.owners(key)) for key in "klm"} == owners
        assert (
            set(catalog.vector_keys())
            == {key for key in "klm" if owners[key]}
            == {key for key in "klm" if catalog.is_used(key)}
        )
        assert catalog.at(["x", "xy", "nowhere"]) == {path for path in left if "/" in path}
        assert catalog.twins(["a.md"]) == (set(left) if "a.md" in left and len(left) > 1 else set())
        assert dict(catalog.known()) == left
    assert all(grown.linked(path) == loaded.linked(path) for path in left)


def test_newest_text_is_embedded_first() -> None:
    """Keys come by the time of their note, each once, at the place of the newest note that has it."""
    old, new = note("old.md", keys=("k", "o")), note("new.md", keys=("n", "k"))
    catalog = Catalog([replace(new, stat=FileStat(1, 2, 1)), old])
    assert catalog.keys_by_age() == ["o", "n", "k"]
