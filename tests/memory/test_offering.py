"""A proposal becomes a fact by the person's yes, and what was decided on does not come back."""

from __future__ import annotations

from pathlib import Path

import pytest

from pai_daemon.errors import NotFound
from pai_daemon.memory.journal import Journal
from pai_daemon.memory.memory import Memory
from pai_daemon.memory.offering import Offers
from pai_daemon.memory.rules import Rules
from pai_daemon.memory.thread_keeping import Exchange, ThreadKeeper
from pai_daemon.vault.ignore import IgnoreRules
from pai_daemon.vault.shelf import Shelf


@pytest.fixture
def memory(shelf: Shelf, tmp_path: Path) -> Memory:
    """Return an empty memory."""
    return Memory(shelf, Journal(tmp_path / "journal"))


@pytest.fixture
def threads(shelf: Shelf) -> ThreadKeeper:
    """Return a conversation in which three things were said, and one was answered."""
    keeper = ThreadKeeper(shelf, ("cli",), 0)
    for text in ("I live in Kiel. Where is a doctor?", "I use Helix.", "My sister is called Mira."):
        keeper.keep(Exchange("abc12345", "cli", text, "I use Emacs and I live in Rome."))
    return keeper


def words(offers: Offers) -> list[str]:
    """Return what is proposed."""
    return [each.text for each in offers.open()]


def test_each_is_decided_on_once_and_nothing_by_itself(
    memory: Memory, threads: ThreadKeeper, tmp_path: Path
) -> None:
    """Accepted it is a fact, dated and sourced; refused it is gone; both over restarts, and if forgotten."""
    offers = Offers(memory, threads, tmp_path / "proposals.json")
    assert words(offers) == ["I live in Kiel.", "I use Helix.", "My sister is called Mira."]
    assert memory.facts() == []
    kiel, helix, _ = offers.open()
    assert offers.refuse(kiel.id).text == "I live in Kiel."
    receipt = offers.accept(helix.id, subject="Tools")
    assert (receipt.fact.text, receipt.fact.source, receipt.fact.subject) == (
        "I use Helix.",
        "conversation",
        "Tools",
    )
    memory.forget(receipt.fact.id, at_once=True)
    again = Offers(memory, threads, tmp_path / "proposals.json")
    assert words(again) == ["My sister is called Mira."]
    with pytest.raises(NotFound):
        again.accept(kiel.id)
    assert "Kiel" not in (tmp_path / "proposals.json").read_text("utf-8")


def test_sentence_of_a_local_only_conversation_is_kept_where_it_stays(shelf: Shelf, tmp_path: Path) -> None:
    """The note of such a conversation says `pai: local`, and so does that of the fact."""
    keeper = ThreadKeeper(shelf, ("cli",), 0)
    keeper.keep(Exchange("abc12345", "cli", "I live in Kiel.", "You do.", is_local=True))
    whole = Shelf(shelf.vault, "", tmp_path)
    memory = Memory(shelf, Journal(tmp_path / "journal"), may_leave=Rules(whole, IgnoreRules(), ()).may_leave)
    offers = Offers(memory, keeper, tmp_path / "proposals.json")
    assert offers.accept(offers.open()[0].id).fact.path == "About me (local).md"


def test_what_is_a_fact_already_is_not_proposed(
    memory: Memory, threads: ThreadKeeper, tmp_path: Path
) -> None:
    """However its letters and marks are written."""
    memory.remember("i use helix", source="cli")
    assert "I use Helix." not in words(Offers(memory, threads, tmp_path / "proposals.json"))


@pytest.mark.parametrize("damage", ["{", '{"a": 1}', "[1, null]", ""])
def test_damaged_decisions_do_not_stop_proposals(
    memory: Memory, threads: ThreadKeeper, tmp_path: Path, damage: str
) -> None:
    """A file that cannot be read counts as none."""
    (tmp_path / "proposals.json").write_text(damage, "utf-8")
    assert len(words(Offers(memory, threads, tmp_path / "proposals.json"))) == 3
