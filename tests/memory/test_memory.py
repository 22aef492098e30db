"""Facts are kept, changed and forgotten in notes that a person writes at the same time."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pai_daemon.errors import NoteChanged, NotFound, UsageError
from pai_daemon.memory.journal import Journal
from pai_daemon.memory.memory import Memory
from pai_daemon.memory.rules import Rules
from pai_daemon.vault.ignore import IgnoreRules
from pai_daemon.vault.shelf import Shelf

TODAY = date(2026, 11, 26)


def memory_in(folder: Path) -> Memory:
    """Return the memory of a new vault."""
    (folder / "vault").mkdir(parents=True, exist_ok=True)
    shelf = Shelf(folder / "vault", "Memory", folder / "undo")
    return Memory(shelf, Journal(folder / "data"), today=lambda: TODAY)


@pytest.fixture
def memory(tmp_path: Path) -> Memory:
    """Return the memory of a new vault."""
    return memory_in(tmp_path)


def test_fact_is_kept_word_by_word_in_the_note_of_its_subject(memory: Memory) -> None:
    """With its day, its source and a block id; the receipt says where."""
    receipt = memory.remember("I write in  Helix,\nnot in *Vim*.", source="cli", subject="Tools")
    note = (memory.shelf.root / "Tools.md").read_text("utf-8")
    assert (
        note == f"# Tools\n\n- I write in Helix, not in *Vim*. (2026-11-26, from: cli) ^{receipt.fact.id}\n"
    )
    assert (receipt.fact.path, receipt.fact.line) == ("Tools.md", 3)
    assert memory.facts() == [receipt.fact]


def test_fact_of_a_note_that_stays_on_this_machine_stays_there_too(tmp_path: Path) -> None:
    """It goes into a note that says so, however often; where the subject's own note stays, into that."""
    memory_in(tmp_path)
    shelf, whole = (
        Shelf(tmp_path / "vault", "Memory", tmp_path / "undo"),
        Shelf(tmp_path / "vault", "", tmp_path),
    )
    rules = Rules(whole, IgnoreRules(), ("Diary/", "Memory/Health.md"))
    memory = Memory(shelf, Journal(tmp_path / "data"), may_leave=rules.may_leave)
    for text in ("I am afraid of spiders.", "I slept badly."):
        kept = memory.remember(text, source="cli", notes=["Open.md", "Diary/1.md"]).fact
        assert kept.path == "About me (local).md"
        assert not rules.may_leave("Memory/About me (local).md")
    assert memory.remember("I row.", source="cli", notes=["Open.md"]).fact.path == "About me.md"
    ill = memory.remember("I have asthma.", source="cli", subject="Health", notes=["Diary/1.md"]).fact
    assert ill.path == "Health.md"
    opened = shelf.root / "About me (local).md"
    opened.write_text(opened.read_text("utf-8").replace("pai: local", "pai: true"), "utf-8")
    with pytest.raises(UsageError, match="may leave this machine"):
        memory.remember("I dream.", source="cli", notes=["Diary/1.md"])


def test_fact_that_is_known_is_not_kept_twice_and_a_like_one_is_told(memory: Memory) -> None:
    """Capitals, blanks and the end mark do not count; one that replaced it may say the same again."""
    first = memory.remember("My bike has 24 gears.", source="cli")
    again = memory.remember("my bike has  24 GEARS", source="plugin")
    assert (again.outcome, again.fact, again.undo) == ("known", first.fact, None)
    other = memory.remember("My bike has 21 gears.", source="cli")
    assert other.near == (first.fact,)
    assert [(each.newer.text, each.older.text) for each in memory.conflicts()] == [
        ("My bike has 21 gears.", "My bike has 24 gears.")
    ]
    memory.supersede(other.fact.id, "My bike has 22 gears.", source="cli")
    back = memory.remember("My bike has 21 gears.", source="cli")
    assert back.outcome == "remembered"
    assert len({fact.id for fact in memory.facts()}) == 4


def test_newer_fact_takes_the_place_of_one_that_says_so(memory: Memory) -> None:
    """Nothing is overwritten: the old line stays, and names what replaced it."""
    old = memory.remember("I live in Kiel.", source="cli").fact
    new = memory.supersede(old.id, "I live in Bremen.", source="cli").fact
    kept = memory.get(old.id)
    assert kept.superseded_by == new.id
    assert [fact.text for fact in memory.facts(past=False)] == ["I live in Bremen."]
    memory.undo()
    assert memory.get(old.id).superseded_by is None


def test_pin_expiry_and_other_words_change_one_line_and_can_be_taken_back(memory: Memory) -> None:
    """Each change has a receipt by which it is undone, in any order, though the note has grown meanwhile."""
    fact = memory.remember("I drink tea.", source="cli").fact
    before = (memory.shelf.root / fact.path).read_text("utf-8")
    pinned = memory.pin(fact.id)
    assert pinned.fact.pinned
    memory.undo(pinned.undo or "")
    expired = memory.expire(fact.id, date(2026, 11, 25))
    assert memory.facts(past=False) == []
    with (memory.shelf.root / fact.path).open("a", encoding="utf-8") as note:
        note.write("\nA line of mine.\n")
    memory.undo(expired.undo or "")
    edited = memory.edit(fact.id, "I drink green tea.")
    assert memory.get(fact.id).text == "I drink green tea."
    memory.undo(edited.undo or "")
    assert (memory.shelf.root / fact.path).read_text("utf-8") == before + "\nA line of mine.\n"


def test_change_whose_line_a_person_has_changed_is_not_taken_back(memory: Memory) -> None:
    """What a person wrote stays."""
    fact = memory.remember("I drink tea.", source="cli").fact
    note = memory.shelf.root / fact.path
    memory.pin(fact.id)
    note.write_text(note.read_text("utf-8").replace("tea", "mint tea"), "utf-8")
    with pytest.raises(NoteChanged):
        memory.undo()
    assert "mint tea" in note.read_text("utf-8")


def test_forgotten_fact_can_be_had_back_for_a_day_and_is_then_nowhere(
    memory: Memory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither in the note, nor in undo records, nor in the journal: no file holds a word of it."""
    kept = memory.remember("I drink tea.", source="cli").fact
    fact = memory.remember("My PIN is Zwetschgenkuchen.", source="cli").fact
    memory.edit(fact.id, "My old PIN is Zwetschgenkuchen.")
    memory.forget(fact.id)
    back = memory.undo().fact
    assert memory.get(fact.id) == back
    assert (back.text, back.line) == ("My old PIN is Zwetschgenkuchen.", 4)
    memory.forget(fact.id)
    assert memory.purge() == 0
    monkeypatch.setattr("pai_daemon.memory.memory.time.time", lambda: 10.0**11)
    assert memory.purge() == 1
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert not [path for path in files if b"Zwetschgenkuchen" in path.read_bytes()]
    assert memory.facts() == [kept]
    with pytest.raises(NotFound):
        memory.get(fact.id)


def test_fact_forgotten_at_once_is_nowhere_at_once(memory: Memory, tmp_path: Path) -> None:
    """And there is nothing to take back."""
    fact = memory.remember("My PIN is Zwetschgenkuchen.", source="cli").fact
    memory.pin(fact.id)
    assert memory.forget(fact.id, at_once=True).undo is None
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert not [path for path in files if b"Zwetschgenkuchen" in path.read_bytes()]


@pytest.mark.parametrize("text", ["", "  \n ", "x" * 2001])
def test_what_is_no_fact_is_refused(memory: Memory, text: str) -> None:
    """Nothing, or a whole note."""
    with pytest.raises(UsageError):
        memory.remember(text, source="cli")
    assert not memory.shelf.root.exists()


@pytest.mark.parametrize("subject", ["../../etc", "a/b", ".hidden", "CON", "x" * 300, 'a:b*c?"<>|'])
def test_subject_of_any_name_stays_within_the_folder(memory: Memory, subject: str, tmp_path: Path) -> None:
    """It becomes a name that every system takes."""
    memory.remember("I drink tea.", source="cli", subject=subject)
    notes = [path for path in tmp_path.rglob("*.md") if path.is_file()]
    assert [path.parent for path in notes] == [memory.shelf.root]


def test_fact_in_a_note_that_a_person_moved_is_found_and_its_note_is_gone_on_with(memory: Memory) -> None:
    """Subjects are found by the name of their note, wherever in the folder it is."""
    fact = memory.remember("I drink tea.", source="cli", subject="Food").fact
    (memory.shelf.root / "Home").mkdir()
    (memory.shelf.root / "Food.md").rename(memory.shelf.root / "Home" / "Food.md")
    other = memory.remember("I eat bread.", source="cli", subject="food").fact
    assert other.path == "Home/Food.md"
    assert memory.get(fact.id).path == "Home/Food.md"


def test_note_whose_code_is_open_takes_no_fact(memory: Memory) -> None:
    """It would be code; the note stays as it is, and that is said."""
    memory.shelf.root.mkdir()
    note = memory.shelf.root / "About me.md"
    note.write_text("```\ncode\n", "utf-8")
    with pytest.raises(UsageError, match="cannot be kept"):
        memory.remember("I drink tea.", source="cli")
    assert note.read_text("utf-8") == "```\ncode\n"


@settings(max_examples=60, deadline=None)
@given(
    steps=st.lists(
        st.tuples(st.sampled_from(["remember", "pin", "forget", "person"]), st.integers(0, 5)), max_size=12
    )
)
def test_two_writers_lose_nothing(
    steps: list[tuple[str, int]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A person saves between our reading and our writing, each time; every line of theirs stays, and ours."""
    memory = memory_in(tmp_path_factory.mktemp("two"))
    note = memory.shelf.root / "About me.md"
    theirs: list[str] = []
    ours: dict[str, str] = {}
    real = Shelf.write

    def raced(shelf: Shelf, path: str, text: str, *, before: str | None) -> None:
        line = f"Line {len(theirs)} of a person."
        if pending:
            pending.pop()
            theirs.append(line)
            note.parent.mkdir(exist_ok=True)
            kept = note.read_text("utf-8") if note.exists() else ""
            note.write_text(f"{line}\n{kept}", "utf-8")
        real(shelf, path, text, before=before)

    pending: list[bool] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Shelf, "write", raced)
        for does, number in steps:
            pending[:] = [True] * (number % 3)
            ids = list(ours)
            if does == "remember":
                fact = memory.remember(f"Fact {len(ours)} of {number}.", source="cli").fact
                ours[fact.id] = fact.text
            elif does == "person":
                theirs.append(line := f"Own {len(theirs)}.")
                note.parent.mkdir(exist_ok=True)
                note.write_text((note.read_text("utf-8") if note.exists() else "") + f"\n{line}\n", "utf-8")
            elif ids and does == "pin":
                memory.pin(ids[number % len(ids)])
            elif ids:
                memory.forget(ids[number % len(ids)])
                del ours[ids[number % len(ids)]]
    text = note.read_text("utf-8") if note.exists() else ""
    assert [line for line in theirs if line not in text.splitlines()] == []
    assert {fact.id: fact.text for fact in memory.facts()} == ours
