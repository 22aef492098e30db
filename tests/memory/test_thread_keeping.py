"""Conversations are kept of whom a person names, in their own notes, and go only untouched."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from pai_daemon.errors import UsageError
from pai_daemon.memory.thread_keeping import Exchange, ThreadKeeper, is_untouched
from pai_daemon.memory.threads import read_thread
from pai_daemon.notes.reader import read_note
from pai_daemon.vault.shelf import Shelf

AT = datetime(2026, 11, 26, 20, 5, 40)


class Clock:
    """A time that a test moves."""

    def __init__(self) -> None:
        self.now = AT

    def __call__(self) -> datetime:
        """Return the time."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    """Return a clock."""
    return Clock()


@pytest.fixture
def keeper(shelf: Shelf, clock: Clock) -> ThreadKeeper:
    """Return what keeps the conversations with `cli`, for 30 days."""
    return ThreadKeeper(shelf, ("cli",), 30, now=clock)


def said(question: str, thread: str = "abc12345", client: str = "cli", *, is_local: bool = False) -> Exchange:
    """Return an exchange."""
    return Exchange(thread, client, question, f"An answer to: {question}", is_local)


def test_exchange_is_appended_to_the_note_of_its_thread(keeper: ThreadKeeper, shelf: Shelf) -> None:
    """Two questions of one conversation are one note; another conversation is another."""
    first = keeper.keep(said("Which editor?"))
    assert first == "Memory/Conversations/2026-11-26 Which editor (abc12345).md"
    assert keeper.keep(said("And which theme?")) == first
    assert keeper.keep(said("Which boat?", "abc12346")) != first
    thread = read_thread(shelf.read(first.removeprefix("Memory/")) or "")
    assert thread is not None
    assert [turn.text for turn in thread.turns if turn.role == "user"] == [
        "Which editor?",
        "And which theme?",
    ]
    assert len(list(keeper.threads())) == 2


def test_nothing_is_kept_of_whom_nobody_named(shelf: Shelf) -> None:
    """By default no file appears; a name lets in that client alone, `all` everybody."""
    assert ThreadKeeper(shelf, (), 0).keep(said("Hi there?")) is None
    assert ThreadKeeper(shelf, ("cli",), 0).keep(said("Hi there?", client="plugin")) is None
    assert not shelf.root.exists()
    assert ThreadKeeper(shelf, ("all",), 0).keep(said("Hi there?", client="plugin")) is not None


def test_thread_of_one_client_is_not_written_by_another(shelf: Shelf) -> None:
    """Who sends the id of somebody else's conversation gets one of their own."""
    keeper = ThreadKeeper(shelf, ("all",), 0)
    assert keeper.keep(said("Mine?")) != keeper.keep(said("Mine?", client="laptop"))
    assert sorted(len(thread.turns) for _, thread in keeper.threads()) == [2, 2]


def test_thread_is_found_wherever_a_person_moved_its_note(keeper: ThreadKeeper, shelf: Shelf) -> None:
    """A note that was renamed is added to, with all that was written into it."""
    keeper.keep(said("Which editor?"))
    old = next(shelf.root.rglob("*.md"))
    new = old.with_name("Editors.md")
    new.write_text(old.read_text("utf-8") + "\nMy remark.\n", "utf-8")
    old.unlink()
    assert keeper.keep(said("And which theme?")) == "Memory/Conversations/Editors.md"
    text = new.read_text("utf-8")
    assert "\nMy remark.\n" in text
    assert "And which theme?" in text
    assert not is_untouched(text)


def test_answer_from_what_stays_here_makes_its_thread_stay(keeper: ThreadKeeper, shelf: Shelf) -> None:
    """From the exchange on that rests on a local-only note, the note says `pai: local`."""
    path = (keeper.keep(said("Which editor?")) or "").removeprefix("Memory/")
    assert "pai" not in read_note(path, (shelf.root / path).read_bytes()).properties
    keeper.keep(said("Which safe?", is_local=True))
    keeper.keep(said("Which theme?"))
    assert read_note(path, (shelf.root / path).read_bytes()).properties["pai"] == "local"
    assert is_untouched(shelf.read(path) or "")
    begun = (keeper.keep(said("Which safe?", "abc12346", is_local=True)) or "").removeprefix("Memory/")
    assert read_note(begun, (shelf.root / begun).read_bytes()).properties["pai"] == "local"


def test_answer_that_must_stay_is_not_added_to_a_note_that_may_leave(
    keeper: ThreadKeeper, shelf: Shelf
) -> None:
    """A person's own `pai:` is not overwritten, and nothing private is written below it."""
    keeper.keep(said("Which editor?"))
    note = next(shelf.root.rglob("*.md"))
    note.write_text(note.read_text("utf-8").replace("client:", "pai: shared\nclient:"), "utf-8")
    with pytest.raises(UsageError, match="pai: shared"):
        keeper.keep(said("Which safe?", is_local=True))
    assert "safe" not in note.read_text("utf-8")


def test_old_threads_go_and_what_a_person_touched_stays(
    keeper: ThreadKeeper, shelf: Shelf, clock: Clock
) -> None:
    """After their days, with an undo record; an edited one, one that goes on, and other notes stay."""
    for number, words in enumerate(("gone", "edited", "going on")):
        keeper.keep(said(words, f"abc1234{number}"))
    edited = next(shelf.root.rglob("*edited*"))
    edited.write_text(edited.read_text("utf-8").replace("An answer", "A good answer"), "utf-8")
    (shelf.root / "Conversations" / "Own.md").write_text("# Mine\n", "utf-8")
    clock.now += timedelta(days=29)
    assert keeper.sweep() == []
    keeper.keep(said("more", "abc12342"))
    clock.now += timedelta(days=2)
    assert keeper.sweep() == ["Memory/Conversations/2026-11-26 gone (abc12340).md"]
    assert len(list(shelf.root.rglob("*.md"))) == 3
    assert any("An answer to: gone" in record.read_text("utf-8") for record in shelf.undo.glob("*.json"))


def test_no_thread_goes_where_no_days_are_set(shelf: Shelf, clock: Clock) -> None:
    """0 keeps all, however old."""
    keeper = ThreadKeeper(shelf, ("cli",), 0, now=clock)
    keeper.keep(said("old"))
    clock.now += timedelta(days=10_000)
    assert keeper.sweep() == []


def test_client_without_ids_goes_on_with_what_was_said(keeper: ThreadKeeper) -> None:
    """A history names its thread, also asked again; the same first words, gone on otherwise, do not."""

    def ask(*history: str, question: str) -> str:
        thread = keeper.continued("cli", history, question)
        keeper.keep(said(question, thread))
        return thread

    first = ask(question="Hello there?")
    assert ask("Hello  there?", question="Which editor?") == first
    assert ask("Hello there?", question="Which editor?") == first
    assert ask("Hello there?", "Which editor?", question="Why?") == first
    other = ask(question="Hello there?")
    assert other != first
    assert ask("Hello there?", question="Which boat?") == other
    assert ask("Hello there?", "Which editor?", "Why?", question="Since when?") == first
