"""How the command line writes places."""

from __future__ import annotations

from pai_daemon.cli.output import place


def test_place_of_a_pdf_is_its_page() -> None:
    """A line of the text taken out of a PDF tells a reader nothing; a note's line opens in an editor."""
    pdf = {"path": "doc.pdf", "start_line": 40, "heading_path": ["Page 3"], "page": 3}
    note = {"path": "a.md", "start_line": 4, "heading_path": ["One", "Two"], "page": None}
    assert [place(pdf), place(note)] == ["doc.pdf  Page 3", "a.md:4  One › Two"]
