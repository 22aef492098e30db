"""What of a question's words and kind a text answers to."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pai_daemon.context.answering.signals import Signals


@pytest.mark.parametrize(
    ("question", "text", "share"),
    [
        ("Was ist ein Eigenwert?", "Die Eigenwerte der Matrix", 1.0),
        ("Was ist ein Eigenwert?", "Die Eigenschaften der Menge", 0.0),
        ("When was the engine serviced?", "The Engine needs a service", 1.0),
        ("When was the engine of the boat serviced?", "The boat is green", 1 / 3),
        ("什么是 特征值", "矩阵的特征值在对角线上", 2 / 4),
        ("What is it?", "anything", 1.0),
    ],
)
def test_coverage_counts_inflected_words_and_no_words_that_ask(
    question: str, text: str, share: float
) -> None:
    """Endings do not matter, words that only begin alike do not count, and neither do question words."""
    assert Signals(question).coverage(text) == pytest.approx(share)


@pytest.mark.parametrize(
    ("question", "right", "wrong"),
    [
        ("How many locks are there?", "There are seven.", "There are some."),
        ("Wie viele Schleusen gibt es?", "Es sind 12 Schleusen.", "Es sind etliche."),
        ("When was it built?", "It was built in 1897.", "It was built well."),
        ("Wann wurde es gebaut?", "Das war im März.", "Das war lange her."),
        ("Who built it?", "It was built by Ada Lovelace.", "it was built by hand."),
        ("Who was Ada?", "Her friend Babbage knew.", "that was Ada."),
    ],
)
def test_fit_tells_the_kind_of_thing_that_is_asked_for(question: str, right: str, wrong: str) -> None:
    """An amount, a time or a name that the question does not say itself fits; a text without does not."""
    signals = Signals(question)
    assert (signals.fit(right), signals.fit(wrong)) == (1, -1)


def test_question_of_no_kind_is_fit_by_anything() -> None:
    """Why and how ask for no kind of thing that can be seen."""
    assert Signals("Why does compost smell?").fit("Too much green.") == 0


@given(question=st.text(max_size=80), text=st.text(max_size=200))
def test_any_texts_have_a_coverage_and_a_fit(question: str, text: str) -> None:
    """Nothing raises, and a share is a share."""
    signals = Signals(question)
    assert 0 <= signals.coverage(text) <= 1
    assert signals.fit(text) in (-1, 0, 1)
