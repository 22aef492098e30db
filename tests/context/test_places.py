"""How places are named: links for the person's program, and addresses that open it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from pai_daemon.context.catalog import Catalog, IndexedNote
from pai_daemon.context.places import Places, page_of
from pai_daemon.vault.scan import FileStat

OPEN = "obsidian://open?vault=My%20Vault&file="


def _note(path: str, title: str, read_as: str = "md", names: tuple[str, ...] = ()) -> IndexedNote:
    return IndexedNote(path, FileStat(1, 1, 1), "h", title, (), (), (), (), ("k",), read_as, names)


@pytest.fixture
def places() -> Places:
    """Return the namer of a vault with a note, a canvas, a PDF and a page of a graph."""
    notes = [
        _note("A/My Note.md", "My Note"),
        _note("B/Plan.canvas", "Plan", "canvas"),
        _note("doc.pdf", "doc", "pdf"),
        _note("pages/a___b.md", "a/b", "outline 1", ("a/b",)),
        _note("C/C# x.md", "C# x"),
    ]
    return Places("My Vault", Catalog(notes))


@pytest.mark.parametrize(
    ("place", "link", "uri"),
    [
        (("A/My Note.md", (), ()), "[[My Note]]", f"{OPEN}A%2FMy%20Note"),
        (
            ("A/My Note.md", ("My Note", "Sub # part"), ()),
            "[[My Note#Sub part]]",
            f"{OPEN}A%2FMy%20Note%23Sub%20part",
        ),
        (("A/My Note.md", ("Head",), ("id1",)), "[[My Note#^id1]]", f"{OPEN}A%2FMy%20Note%23%5Eid1"),
        (("B/Plan.canvas", (), ()), "[[Plan.canvas]]", f"{OPEN}B%2FPlan.canvas"),
        (("doc.pdf", ("Page 3",), ()), "[[doc.pdf#page=3]]", f"{OPEN}doc.pdf%23page%3D3"),
        (("pages/a___b.md", (), ()), "[[a/b]]", "logseq://graph/My%20Vault?page=a%2Fb"),
        (("pages/a___b.md", (), ("u",)), "((u))", "logseq://graph/My%20Vault?block-id=u"),
        (("C/C# x.md", (), ()), "[C# x](C/C%23%20x.md)", f"{OPEN}C%2FC%23%20x"),
    ],
)
def test_place_has_a_link_and_an_address(
    places: Places, place: tuple[str, Sequence[str], Sequence[str]], link: str, uri: str
) -> None:
    """Both lead to the block, else the page, else the headings, in the form of the note's program."""
    assert (places.link(*place), places.uri(*place)) == (link, uri)


def test_page_of_is_for_pdfs_only() -> None:
    """A heading `Page 3` of a note is a heading."""
    assert (page_of("x.PDF", ("Page 12",)), page_of("x.md", ("Page 12",)), page_of("x.pdf", ())) == (
        12,
        None,
        None,
    )
