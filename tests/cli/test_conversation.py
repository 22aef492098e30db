"""A conversation of `pai ask`: what goes along with a question, and what `/open` opens."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, cast

import click
import pytest

from pai_daemon.cli.conversation import MOST_TURNS, Conversation, talk
from pai_daemon.client import Client, Event
from pai_daemon.errors import GeneratorUnavailable

NOTE: dict[str, Any] = {
    "path": "Boat.md",
    "text": "Kestrel.",
    "heading_path": [],
    "page": None,
    "start_line": 3,
    "stale": False,
}


class Answering:
    """A client that answers every question alike, and notes what it was sent."""

    def __init__(self, *uris: str, fails: bool = False) -> None:
        self.asked: list[dict[str, Any]] = []
        self.citations = [NOTE | {"n": number, "uri": uri} for number, uri in enumerate(uris, start=1)]
        self.fails = fails

    def ask_stream(self, question: str, **narrowed: Any) -> Generator[Event, None, None]:
        """Yield the events of an answer."""
        self.asked.append({"question": question} | narrowed)
        if self.fails:
            raise GeneratorUnavailable("It is away.")
        yield cast(Event, ("sources", {"citations": self.citations}))
        yield cast(Event, ("delta", {"text": "It is "}))
        yield cast(Event, ("done", {"answer": "It is Kestrel [1].", "citations": self.citations[:1]}))


def of(client: Answering) -> Conversation:
    """Return a conversation with a client."""
    return Conversation(cast(Client, client), {"limit": 8})


def test_question_goes_with_what_was_said_and_what_narrows_it() -> None:
    """The first has no history, the next the turns before; a new conversation begins without."""
    client = Answering("obsidian://open?file=Boat")
    conversation = of(client)
    for question in ("What is it called?", "And why?"):
        list(conversation.stream(question))
    first = {"conversation": conversation.id, "client": "cli"}
    conversation.forget()
    list(conversation.stream("Who?"))
    second = {"conversation": conversation.id, "client": "cli"}
    turns = [
        {"role": "user", "content": "What is it called?"},
        {"role": "assistant", "content": "It is Kestrel [1]."},
    ]
    assert client.asked == [
        {"question": "What is it called?", "limit": 8} | first,
        {"question": "And why?", "limit": 8, "history": turns} | first,
        {"question": "Who?", "limit": 8} | second,
    ]
    assert first != second


def test_long_conversation_sends_no_more_than_is_taken_and_drops_turns_by_tens() -> None:
    """So that the daemon finds the summary of its beginning again for five questions."""
    client = Answering("")
    conversation = of(client)
    for number in range(40):
        list(conversation.stream(f"Question {number}?"))
    sent = [asked.get("history", []) for asked in client.asked]
    assert max(map(len, sent)) == MOST_TURNS
    assert all(turns[0]["role"] == "user" and turns[-1]["role"] == "assistant" for turns in sent[1:])
    assert len({turns[0]["content"] for turns in sent[25:]}) == 4


def test_answer_that_fails_is_nothing_that_was_said() -> None:
    """The next question does not follow up an error."""
    client = Answering(fails=True)
    conversation = of(client)
    with pytest.raises(GeneratorUnavailable):
        list(conversation.stream("Why?"))
    assert conversation.turns == []


def lines(monkeypatch: pytest.MonkeyPatch, *typed: str) -> None:
    """Have a person type these lines and leave."""
    left = iter(typed)

    def read(_prompt: str) -> str:
        try:
            return next(left)
        except StopIteration:
            raise EOFError from None

    monkeypatch.setattr("builtins.input", read)


def test_open_opens_a_passage_and_nothing_that_is_no_place_of_notes(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """By its number, with or without brackets; another address is shown, as one that does not open is."""
    opened: list[str] = []

    def launch(uri: str) -> int:
        opened.append(uri)
        return 0 if "Boat" in uri else 1

    monkeypatch.setattr(click, "launch", launch)
    uris = ("obsidian://open?file=Boat", "https://evil.example/", "obsidian://open?file=Hull")
    lines(monkeypatch, "Why?", "/open 1", "/open [2]", "/open 3", "/open 4", "/open", "/nonsense")

    def read_on(conversation: Conversation, question: str) -> None:
        for _ in conversation.stream(question):
            pass

    talk(of(Answering(*uris)), read_on)
    said = capsys.readouterr()
    assert opened == [uris[0], uris[2]]
    assert [uri in said.out for uri in uris] == [False, True, True]
    assert said.err.count("There are: 1, 2, 3.") == 2
    assert "/nonsense" in said.err


def test_interrupt_stops_an_answer_and_not_the_conversation(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What was written until then counts as said."""
    client = Answering("")
    conversation = of(client)

    def interrupted(talking: Conversation, question: str) -> None:
        events = talking.stream(question)
        next(events), next(events)
        events.close()
        raise KeyboardInterrupt

    lines(monkeypatch, "Why?", "", "/quit", "never")
    talk(conversation, interrupted)
    assert "Stopped." in capsys.readouterr().out
    assert [turn["content"] for turn in conversation.turns] == ["Why?", "It is "]
