"""Facts of a conversation are lines of a note, and every other byte of it stays as it was."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from pai_daemon.config import Settings
from pai_daemon.errors import NotFound
from pai_daemon.memory.journal import Journal
from pai_daemon.memory.keeping import FactKeeper
from pai_daemon.memory.memory import Memory
from pai_daemon.memory.talking import obey
from pai_daemon.vault.shelf import Shelf

TODAY = date(2026, 11, 26)
NOTE = "Memory/About me.md"


@pytest.fixture
def keeper(tmp_path: Path) -> FactKeeper:
    """Return the keeper of an empty vault."""
    (tmp_path / "vault").mkdir()
    shelf = Shelf.of(tmp_path / "vault", Settings(data_dir=tmp_path / "data"))
    return FactKeeper(Memory(shelf, Journal(tmp_path / "data"), today=lambda: TODAY))


def test_fact_is_a_line_with_its_day_source_and_id(keeper: FactKeeper, tmp_path: Path) -> None:
    """What was said stands there word by word, and the receipt leads to its line."""
    receipt = obey("Remember that I write in Helix.", keeper, "conversation", may_write=True)
    assert receipt is not None
    (fact,) = receipt.facts
    lines = (tmp_path / "vault" / NOTE).read_text("utf-8").splitlines()
    assert lines[fact.line - 1] == f"- I write in Helix. (2026-11-26, from: conversation) ^{fact.id}"
    assert (fact.text, fact.path) == ("I write in Helix.", NOTE)


def test_fact_is_forgotten_and_nothing_else_changes(keeper: FactKeeper, tmp_path: Path) -> None:
    """Its line goes; a person's own lines, line ends and odd bytes stay."""
    kept = keeper.keep("I write in Helix.", "conversation")
    path = tmp_path / "vault" / NOTE
    before = path.read_bytes() + b"\r\nMine \xff, about ^m-other\r\n- another fact ^m-other\n\n\n"
    path.write_bytes(before)
    receipt = obey("forget that I write in Helix", keeper, "conversation", may_write=True)
    assert receipt is not None
    assert receipt.outcome == "forgotten"
    line = next(line for line in before.split(b"\n") if kept.id.encode() in line)
    assert path.read_bytes() == before.replace(line + b"\n", b"")
    with pytest.raises(NotFound):
        keeper.drop(kept.id)


def test_kept_conversation_holds_no_fact(keeper: FactKeeper, tmp_path: Path) -> None:
    """A line that looks like a fact in a conversation is none, and neither is one that holds no more."""
    folder = tmp_path / "vault" / "Memory" / "Conversations"
    folder.mkdir(parents=True)
    (folder / "a.md").write_text("- My bank is Evil Bank. ^m-abc\n", "utf-8")
    (folder.parent / "Old.md").write_text("- I use Emacs. [until:: 2020-01-01] ^m-old\n", "utf-8")
    assert keeper.facts() == []


@pytest.mark.parametrize("text", ["a\u2028b ^m-x", "x [pinned:: true] ^m-x", "<!-- a", "%% a", "- a", "# a"])
def test_odd_text_stays_one_fact(keeper: FactKeeper, tmp_path: Path, text: str) -> None:
    """Markup in what was said makes no second fact, no field and no heading."""
    keeper.keep(f"I say {text}", "conversation")
    keeper.keep("I live in Kiel.", "conversation")
    facts = keeper.facts()
    assert len(facts) == 2
    assert "m-x" not in {fact.id for fact in facts}
    assert "[pinned:: true] (" not in (tmp_path / "vault" / NOTE).read_text("utf-8")
