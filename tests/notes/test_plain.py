"""Plain text and sentences: the words without the markup, and where they are written."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pai_daemon.notes.plain import plain_text, sentences

MARKUP = st.text(alphabet="ab. \n\r#*_-+>|`~$%[]!()^=<A\\\u00e4\U000f0000\U000f00011", max_size=100)


@pytest.mark.parametrize(
    ("markdown", "plain"),
    [
        ("a [[Note]] b", "a Note b"),
        ("[[Note#Head#Sub]] [[#Own]] [[a/B|c]]", "Note > Head > Sub Own c"),
        ("[text](https://x.de/a_b_c) ![alt](p.png) <https://x.de>", "text alt https://x.de"),
        ("**b** *i* ***bi*** ==h== ~~s~~ __u__ _v_ **a *n* b**", "b i bi h s u v a n b"),
        ("snake_case 5 * 3 * 2 **open", "snake_case 5 * 3 * 2 **open"),
        ("`a*b*_c_` $x_1^2$ and $5 and $6", "a*b*_c_ x_1^2 and $5 and $6"),
        ("## Head ##", "Head"),
        ("- [x] done\n  * nested\n+ plus\n1. [ ] one", "done\nnested\nplus\n1. one"),
        ("> [!tip]+ Title\n> > deep\n> text", "Title\ndeep\ntext"),
        ("text ^id-1\n^alone", "text"),
        ("a %%hidden%% b <!-- no --> c", "a b c"),
        ("%%\n\nhidden\n\n%%\nshown", "shown"),
        ("| a | b |\n| :-- | --: |\n| c | [[d\\|e]] |", "a | b\n\nc | e"),
        ("```py\n# a * b * c\n```\n# Head", "# a * b * c\n\nHead"),
        ("$$\nx * y * z\n$$", "x * y * z"),
        (r"\*star\* 1\. <b>bold</b><br>line[^1]", "*star* 1. bold\nline"),
        ("#tag_a_ stays", "#tag_a_ stays"),
        ("a\r\nb\r\n\r\n\r\n\r\nc", "a\nb\n\nc"),
        ("", ""),
    ],
)
def test_plain_text_markup_becomes_what_a_reader_sees(markdown: str, plain: str) -> None:
    """Each kind of markup is reduced to what a reader sees of it."""
    assert plain_text(markdown) == plain


@given(MARKUP)
@settings(deadline=None)
def test_plain_text_any_text_invents_no_letter(markdown: str) -> None:
    """The plain text holds only characters of the source, and never raises."""
    assert set(plain_text(markdown)) <= set(markdown) | {"\n", " ", "|", ">"}


@given(MARKUP)
@settings(deadline=None)
def test_sentences_any_text_have_ordered_spans(markdown: str) -> None:
    """The spans are in order, not empty, without white space at their ends, and do not overlap."""
    end = 0
    for sentence in sentences(markdown):
        assert end <= sentence.start < sentence.end <= len(markdown)
        assert markdown[sentence.start : sentence.end].strip() == markdown[sentence.start : sentence.end]
        assert sentence.text
        end = sentence.end


@pytest.mark.parametrize(
    ("markdown", "language", "texts"),
    [
        ("At St. Agnes we met Dr. Po. He left.", "en", ["At St. Agnes we met Dr. Po.", "He left."]),
        ("Das ist z. B. gut. Am 3. Mai war es so.", "de", ["Das ist z. B. gut.", "Am 3. Mai war es so."]),
        ("3. Mai. Ende.", "de", ["3. Mai.", "Ende."]),
        ("- one. Two.\n- three\n1. four", "en", ["one.", "Two.", "three", "1. four"]),
        ("# Head #\ntext", "en", ["Head", "text"]),
        ("| a. B | c |\n|---|---|\n| d | e |", "en", ["a. B | c", "d | e"]),
        ("Short line\nAnother line", "en", ["Short line", "Another line"]),
        ("It goes on\nin the next line. End.", "en", ["It goes on in the next line.", "End."]),
        ("> [!note] Title\n> A quote.\n> Second one.", "en", ["Title", "A quote.", "Second one."]),
        ("**Bold.** Next [[a. B|Mr. C]] end `x. Y` too.", "en", ["Bold.", "Next Mr. C end x. Y too."]),
        ("```\na = 1. b\n\nc\n```\nEnd", "en", ["a = 1. b", "c", "End"]),
        ("%% hidden. Yes. %%", "en", []),
    ],
)
def test_sentences_units_are_what_a_reader_takes_as_one(
    markdown: str, language: str, texts: list[str]
) -> None:
    """Abbreviations, links and code end no sentence; items, rows, headings and short lines do."""
    found = sentences(markdown, language)
    assert [sentence.text for sentence in found] == texts


def test_sentences_wrapped_paragraph_is_joined() -> None:
    """The lines of a paragraph that an editor wrapped belong together."""
    text = "This line was wrapped by an editor at about seventy columns, before\nAgnes could end it. Done."
    assert [sentence.text for sentence in sentences(text)] == [text.replace("\n", " ")[:-6], "Done."]


@pytest.mark.parametrize("line", ["a boat [1] b", "a ^b c", "| a b |", "# a b #"])
def test_long_run_of_blanks_is_read_once(line: str) -> None:
    """A line with a run of blanks gives what it gives with one; read once for each it would take minutes."""
    assert plain_text(line.replace(" b", " " * 100_000 + "b")) == plain_text(line)
