"""What of a passage may be quoted."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pai_daemon.context.answering.answer import Citation
from pai_daemon.context.answering.quotes import quotable, quotes
from pai_daemon.context.passage import Passage, Scores


def _citation(text: str, heading: str = "Engine") -> Citation:
    return Citation(
        1,
        Passage(
            "a.md",
            "Boat",
            (heading,),
            text,
            1,
            1,
            0,
            9,
            None,
            "h",
            False,
            1.0,
            Scores(0.5, None),
            (),
            "[[a]]",
            "obsidian://open?vault=v&file=a",
            None,
        ),
    )


def test_lead_in_comes_with_the_list_it_announces() -> None:
    """A sentence that a list completes is quoted with its items, not cut off."""
    (first, *_) = quotable("A subgroup is a subset that\n- is closed\n- has inverses\n\nAnother one.", "en")
    assert first == "A subgroup is a subset that is closed; has inverses"
    (first, *_) = quotable("Steps:\n\n1. Open it.\n2. Close it.\n", "en")
    assert first == "Steps: 1. Open it. 2. Close it."


def test_item_that_leads_in_takes_only_the_items_below_it() -> None:
    """A list item with a nested list is quoted with that list, not with its neighbours."""
    (first, *_) = quotable(
        "- A subgroup is one that\n\t1. is closed\n\t2. has inverses\n- *Trivial*: {e}\n", "en"
    )
    assert first == "A subgroup is one that 1. is closed; 2. has inverses"


def test_lines_of_code_are_not_quoted() -> None:
    """What stands between fences is no answer, also where the closing fence is in the next passage."""
    text = "It wraps around.\n\n```js\ntakeAt %= buffer.length;\n```\n\nThen it goes on.\n\n~~~\nmore code\n"
    assert list(quotable(text, "en")) == ["It wraps around.", "Then it goes on."]


def test_whole_sentence_before_a_list_stays_alone() -> None:
    """A sentence with its full stop takes no item along."""
    (first, *_) = quotable("This is all.\n- an item\n", "en")
    assert first == "This is all."


def test_heading_question_and_repeat_are_not_quoted() -> None:
    """Headings, questions, the question asked, and what was said already are left out."""
    text = "### Engine\n\nWho knows the engine?\n\nThe engine is red and loud. The engine is red and loud."
    found = quotes("Is the engine red?", [_citation(text), _citation(text)], "en")
    assert [quote.text for quote in found] == ["The engine is red and loud."]
    assert found[0].in_context == "Boat > Engine\n\nThe engine is red and loud."


@given(text=st.text(max_size=200))
def test_any_text_can_be_asked_for_quotes(text: str) -> None:
    """No text raises, and nothing blank is quoted."""
    assert all(quote.text.strip() for quote in quotes("what", [_citation(text)], "en"))


def test_quote_knows_how_much_of_what_is_asked_its_passage_names() -> None:
    """The passage's headings count for its coverage, and the quote's own words for its own."""
    text = "Die Matrix ist quadratisch. Ihre Eigenwerte stehen auf der Diagonale."
    first, second = quotes("Was ist der Eigenwert einer Matrix?", [_citation(text, heading="Lineare")], "de")
    assert first.coverage == second.coverage == 1
    assert (first.own_coverage, second.own_coverage) == (0.5, 0.5)
    (headed,) = quotes("Was ist ein Eigenwert?", [_citation("Er steht vorn.", heading="Eigenwerte")], "de")
    assert (headed.coverage, headed.own_coverage) == (1, 0)


def test_quote_in_another_language_is_told_apart() -> None:
    """A German passage under an English question is another language; one without small words is unknown."""
    german = _citation("Der Motor ist ein Diesel und die Wartung ist im Herbst mit dem Öl.", heading="Motor")
    assert quotes("When is the engine serviced?", [german], "en")[0].other_language
    assert not quotes("Wann wird der Motor gewartet?", [german], "de")[0].other_language
    listed = _citation("Diesel, Motor, Wartung, Herbst", heading="Liste")
    assert not quotes("When is the engine serviced?", [listed], "en")[0].other_language


def test_rows_pointers_and_bare_lead_ins_are_not_quoted() -> None:
    """What needs its table, another note or what follows it is no answer by itself."""
    table = "| a row | of a table |\n|---|---|\n| one | two three four |"
    text = f"See Tags for more.\n\n{table}\n\nThis is shown as:\n\nA fact."
    assert list(quotable(text, "en")) == ["A fact."]
