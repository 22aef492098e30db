"""The words of links and the comparison of names."""

from __future__ import annotations

import unicodedata

import pytest

from pai_daemon.notes.language import guess_language
from pai_daemon.notes.links import (
    is_linkable,
    markdown_link,
    parse_markdown_link,
    parse_wikilink,
    slug,
    wikilink_text,
)


def test_slug_ignores_case_form_and_doubled_space() -> None:
    """Names that differ in case, Unicode form or white space are the same."""
    name = "\u00dcber  Stra\u00dfe "
    assert (
        slug(name)
        == slug(unicodedata.normalize("NFD", name))
        == slug("\u00fcber STRASSE")
        == "\u00fcber strasse"
    )


@pytest.mark.parametrize(
    ("inner", "parts", "shown"),
    [
        ("Note", ("Note", "", ""), "Note"),
        (" A/B # H # S | x ", ("A/B", "H # S", "x"), "x"),
        ("B\\|c", ("B", "", "c"), "c"),
        ("#^id", ("", "^id", ""), "^id"),
        ("N#H#S", ("N", "H#S", ""), "N > H > S"),
    ],
)
def test_parse_wikilink_gives_target_fragment_and_alias(
    inner: str, parts: tuple[str, str, str], shown: str
) -> None:
    """The parts of a wikilink are told apart, and what a reader sees follows from them."""
    assert parse_wikilink(inner) == parts
    assert wikilink_text(inner) == shown


def test_parse_markdown_link_takes_what_leads_into_the_vault() -> None:
    """Notes, attachments and fragments do; addresses do not."""
    assert parse_markdown_link("a%20b/%C3%BC.md#x%20y") == ("a b/\u00fc.md", "x y")
    assert parse_markdown_link("a.png") == ("a.png", "")
    assert parse_markdown_link("#x") == ("", "x")
    for other in ("https://x.de/a.md", "//x/a.md", "", "mailto:a@b.md"):
        assert parse_markdown_link(other) is None


def test_markdown_link_is_read_back() -> None:
    """A Markdown link to a name that a wikilink cannot hold leads to that name."""
    assert not is_linkable("C# [x]")
    link = markdown_link("A/C# [x].md", "C# [x]")
    assert link == "[C# \\[x\\]](A/C%23%20%5Bx%5D.md)"
    assert parse_markdown_link(link.rpartition("(")[2][:-1]) == ("A/C# [x].md", "")


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("The cat is on the table and it was not happy with that.", "en"),
        ("Die Katze ist nicht auf dem Tisch und der Hund auch nicht.", "de"),
        ("Le chat est sur la table et les chiens ne sont pas dans une maison.", "fr"),
        ("El gato y los perros no son como las casas que est\u00e1n por su calle.", "es"),
        ("Il gatto non \u00e8 nella casa che gli amici hanno con il cane.", "it"),
        ("O gato n\u00e3o foi para uma casa que os amigos s\u00e3o mais.", "pt"),
        ("De kat is niet op het dak en de hond ook niet bij dat huis.", "nl"),
        ("\u6f22\u5b57 xyzzy 42", "en"),
        ("", "en"),
    ],
)
def test_guess_language_votes_by_stop_words(text: str, language: str) -> None:
    """A sentence or two is enough to tell the language; nothing to go by is English."""
    assert guess_language(text) == language
