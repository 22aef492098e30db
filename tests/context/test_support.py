"""Which sentences of an answer its passages support."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pai_daemon.context.answering.answer import AnswerSentence, Citation
from pai_daemon.context.answering.support import checked, names_of, numbers_of, quotations_of
from pai_daemon.context.passage import Passage, Scores

ENGINE = (
    "The engine, a Beta Marine 38, is serviced every 250 running hours. Marlene paid 13,400 euros for it on "
    "2026-08-09. She wrote that it runs like a very patient sewing machine."
)
MOTOR = "Der Motor wird alle 250 Stunden gewartet, und das Öl kostet 40 Euro. Ada Lovelace hat ihn gebaut."


def citation(n: int, text: str) -> Citation:
    """Return a passage of this text by this number."""
    return Citation(
        n,
        Passage(
            "a.md", "Boat", (), text, 1, 1, 0, 9, None, "h", False, 1.0, Scores(0.5, None), (), "", "", None
        ),
    )


def check(sentence: str, cited: Sequence[int] = (1,), *, near: bool = True) -> AnswerSentence:
    """Return a sentence checked against both passages; near: the model finds it near every sentence."""
    passages = [citation(1, ENGINE), citation(2, MOTOR)]
    (found,) = checked([sentence], [cited], passages, "asked", lambda *_: 0.01 if near else -0.2)
    return found


@pytest.mark.parametrize(
    "sentence",
    [
        "Every 250 hours the engine needs a service.",
        "It cost 13.400 euros.",
        "Marlene bought it on 9 August 2026.",
        "It was bought on 9.8.2026.",
        "The Beta Marine has 38 horses.",
        "She calls it “a very patient sewing machine”.",
    ],
)
def test_sentence_whose_facts_stand_in_its_passage_is_supported(sentence: str) -> None:
    """Numbers, dates and names may be written in another way."""
    assert check(sentence) == AnswerSentence(sentence, (1,), True)


@pytest.mark.parametrize(
    "sentence",
    [
        "Every 200 hours the engine needs a service.",
        "It cost 11,200 euros.",
        "It cost 1,340 euros.",
        "Marlene bought it on 9 July 2026.",
        "Marlene bought it on 10 August 2026.",
        "The engine is a Volvo Penta 38.",
        "She calls it “a very impatient sewing machine”.",
    ],
)
def test_sentence_with_a_number_a_date_a_name_or_words_of_its_own_is_not_supported(sentence: str) -> None:
    """However near the model finds it."""
    assert check(sentence) == AnswerSentence(sentence, (), False)


def test_german_noun_is_no_name_but_two_in_a_row_are() -> None:
    """Every German noun has a capital letter; a paraphrase may use other nouns, but no other person."""
    assert check("Ein Service des Motors ist alle 250 Stunden fällig und kostet 40 Euro.", (2,)).supported
    assert check("Der Motor ist das Werk von Ada Lovelace.", (2,)).supported
    assert not check("Der Motor ist das Werk von Grace Hopper.", (2,)).supported


def test_wrong_citation_is_replaced_by_the_passage_that_supports() -> None:
    """A sentence that cites the other passage, or none, gets the right one."""
    for cited in ((2,), (), (7,)):
        assert check("Marlene paid 13,400 euros for the engine.", cited).citations == (1,)


def test_sentence_may_rest_on_two_passages_together() -> None:
    """Each of them holds a part of its facts."""
    assert check("The engine cost 13,400 euros and its oil 40 euros.", (1, 2)).citations == (1, 2)
    assert not check("The engine cost 13,400 euros and its oil 40 euros.", (1,)).supported


def test_sentence_far_from_its_passage_needs_its_words() -> None:
    """Where the model sees no nearness, or there is none, the same words are enough and others are not."""
    same = "Marlene paid 13,400 euros for the engine."
    assert check(same, near=False).supported
    assert not check("Nothing of the kind was ever said by anybody.", near=False).supported
    (found,) = checked([same], [(1,)], [citation(1, ENGINE)], "asked", None)
    assert found.supported


def test_numbers_are_read_in_every_way_of_writing() -> None:
    """Groups of thousands, decimals, dates, months and written numbers."""
    assert numbers_of("1,000 and 1.000 and 1000") == {"1000"}
    assert numbers_of("2.5 l, 2,50 l") == {"2.5"}
    assert numbers_of("3.5.2026") == numbers_of("2026-05-03") == numbers_of("3. Mai 2026")
    assert numbers_of("one of seven") == {"1", "7"}
    assert numbers_of("one may march", said=False) == set()


def test_names_and_quotations_are_found() -> None:
    """A first word is no name, a month is a number, and a short quotation may be a title."""
    assert names_of("Engines of the Beta Marine run in August with GPS.", "en") == ["Beta", "Marine", "GPS"]
    assert names_of("Der Motor von Frau Vogt hat GPS.", "de") == ["Vogt", "GPS"]
    assert quotations_of("He said “it is far too late now” and “no”.") == ["it is far too late now"]


@given(text=st.text(max_size=120), passage=st.text(max_size=120))
def test_any_text_can_be_checked(text: str, passage: str) -> None:
    """Nothing raises, and no citation is made up."""
    (found,) = checked([text], [(1,)], [citation(1, passage)], "what", None)
    assert found.citations in ((), (1,))
    assert found.supported == bool(found.citations)
