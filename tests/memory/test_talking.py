"""Orders in a conversation: done once, told truly, and never on a doubt."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from pai_daemon.memory.talking import MAX_CHARACTERS, NamedFact, obey


@dataclass
class Scripted:
    """Keeps facts in a list, and counts what was changed."""

    kept: list[NamedFact] = field(default_factory=list)
    changes: int = 0

    def facts(self) -> list[NamedFact]:
        """Return the facts."""
        return list(self.kept)

    def keep(self, text: str, source: str) -> NamedFact:
        """Keep a fact."""
        self.changes += 1
        self.kept.append(NamedFact(f"m-{len(self.kept)}", text, f"Memory/{source}.md", len(self.kept) + 1))
        return self.kept[-1]

    def drop(self, fact_id: str) -> None:
        """Forget a fact."""
        self.changes += 1
        self.kept = [fact for fact in self.kept if fact.id != fact_id]


def holding(*texts: str) -> Scripted:
    """Return a keeper of these facts."""
    keeper = Scripted()
    for text in texts:
        keeper.keep(text, "cli")
    keeper.changes = 0
    return keeper


def test_order_is_done_word_by_word_and_told_with_its_place() -> None:
    """What is kept are the person's words, and the receipt names note, line and id."""
    keeper = Scripted()
    receipt = obey("Remember that I write in   Helix!", keeper, "conversation", may_write=True)
    assert receipt is not None
    assert (receipt.outcome, receipt.message) == ("remembered", "Remembered: I write in Helix!")
    assert receipt.facts == (NamedFact("m-0", "I write in Helix!", "Memory/conversation.md", 1),)
    assert [fact.text for fact in keeper.kept] == ["I write in Helix!"]


def test_receipt_is_in_the_language_of_the_order() -> None:
    """A German order gets a German receipt."""
    receipt = obey("Merk dir, dass mein Boot Anna heißt", Scripted(), "x", may_write=True)
    assert receipt is not None
    assert receipt.message.startswith("Gemerkt: dass mein Boot Anna")


def test_fact_that_is_known_is_not_kept_twice() -> None:
    """The same words, however they are written, change nothing."""
    keeper = holding("I write in Helix.")
    receipt = obey("remember that i WRITE in helix", keeper, "x", may_write=True)
    assert receipt is not None
    assert (receipt.outcome, keeper.changes) == ("known", 0)


@pytest.mark.parametrize("question", ["remember that I write in Helix", "forget that I live in Kiel"])
def test_token_that_does_not_open_memory_changes_nothing(question: str) -> None:
    """Who may ask may not write, and is told so."""
    keeper = holding("I live in Kiel.")
    receipt = obey(question, keeper, "x", may_write=False)
    assert receipt is not None
    assert (receipt.outcome, receipt.facts, keeper.changes) == ("refused", (), 0)


def test_overlong_text_is_not_kept() -> None:
    """What was pasted is no fact."""
    keeper = Scripted()
    receipt = obey("remember that I " + "x" * MAX_CHARACTERS, keeper, "x", may_write=True)
    assert receipt is not None
    assert (receipt.outcome, keeper.changes) == ("too_long", 0)


@pytest.mark.parametrize(
    "order", ["forget that I live in Kiel", "forget that i live in kiel!", "Forget my Kiel"]
)
def test_fact_that_is_named_beyond_doubt_is_forgotten(order: str) -> None:
    """By its own words, or by words that no other fact has."""
    keeper = holding("I live in Kiel.", "I write in Helix.")
    receipt = obey(order, keeper, "x", may_write=True)
    assert receipt is not None
    assert receipt.outcome == "forgotten"
    assert [fact.text for fact in keeper.kept] == ["I write in Helix."]


@pytest.mark.parametrize(
    ("order", "outcome"),
    [("forget my old address", "unclear"), ("forget my boat", "nothing"), ("forget that I am", "nothing")],
)
def test_doubtful_order_to_forget_changes_nothing(order: str, outcome: str) -> None:
    """Where several facts may be meant they are named; where none is, that is said."""
    keeper = holding("My old address is Elm Street 1.", "The old address of Mira is Oak Road 2.", "I am Ada.")
    receipt = obey(order, keeper, "x", may_write=True)
    assert receipt is not None
    assert (receipt.outcome, keeper.changes) == (outcome, 0)
    assert all(fact.text in receipt.message for fact in receipt.facts)
    assert len(receipt.facts) == (2 if outcome == "unclear" else 0)


def test_exact_words_win_over_facts_that_hold_more() -> None:
    """A fact that is said word by word is meant, though others have these words too."""
    keeper = holding("I like tea.", "I like tea with milk.")
    receipt = obey("forget that I like tea", keeper, "x", may_write=True)
    assert receipt is not None
    assert [fact.text for fact in keeper.kept] == ["I like tea with milk."]


def test_question_is_not_obeyed() -> None:
    """What orders nothing changes nothing, and gets no receipt."""
    keeper = holding("I live in Kiel.")
    assert obey("Where do I live?", keeper, "x", may_write=True) is None
    assert keeper.changes == 0
