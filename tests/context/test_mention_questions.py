"""Which questions ask what notes mention some names: those that do, and those that only sound so."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pai_daemon.context.questions.mentions import MAX_CHARACTERS, mention_question

QUESTIONS = json.loads(Path(__file__).with_name("mention_questions.json").read_text("utf-8"))
KINDS = {"names": "exact", "names_of_notes": "about", "written": "written"}
CASES = [(question, names, kind) for name, kind in KINDS.items() for question, names in QUESTIONS[name]]


@pytest.mark.parametrize(("question", "names", "kind"), CASES)
def test_question_for_mentions_is_understood(question: str, names: list[str], kind: str) -> None:
    """Its names are those that stand in it, in English and German, in quotes and as links."""
    asked = mention_question(question)
    assert asked is not None
    assert ([name.text for name in asked.names], asked.kind) == (names, kind)


@pytest.mark.parametrize("question", QUESTIONS["ordinary"])
def test_question_that_only_sounds_so_is_an_ordinary_one(question: str) -> None:
    """A topic, a clause, a pronoun and what is said of other things than notes."""
    assert mention_question(question) is None


def test_one_of_several_names_may_be_enough() -> None:
    """With "or" any of them counts, and a name with "and" in it can be told from two."""
    asked = mention_question("Which notes mention A, B or C?")
    assert asked is not None
    assert asked.is_any
    asked = mention_question("Which pages reference Divide and Conquer?")
    assert asked is not None
    assert (asked.is_any, asked.whole) == (False, "Divide and Conquer")


@pytest.mark.parametrize(
    "text",
    [
        "which notes mention " + "a and " * 20_000,
        "notes " * 20_000,
        "in which notes are " + "x " * 50_000 + "mentione",
        "show me " + "all " * 50_000,
        "zeig mir alle notizen, die " + "und " * 50_000,
        '"' * 50_000,
        "[[" * 50_000,
        "which notes mention " + '" ' * 50_000,
        "what did i " + "x " * 50_000,
    ],
)
def test_hostile_question_takes_no_time(text: str) -> None:
    """What is longer than a person asks is not looked at, and at that length a question takes no time."""
    started_s = time.process_time()
    mention_question(text)
    for _ in range(20):
        mention_question(text[:MAX_CHARACTERS])
    assert time.process_time() - started_s < 0.5


@given(text=st.text(max_size=120))
def test_any_question_can_be_read(text: str) -> None:
    """Nothing raises."""
    mention_question(text)
    mention_question(f"Which notes mention {text}?")
