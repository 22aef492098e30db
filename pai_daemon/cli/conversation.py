"""Questions one after another, each sent with what was said before: `pai ask` without a question.

The lines typed are not written down, nor is the conversation, but where the setting keep_conversations has
`cli`: then the daemon keeps it as a note (D98).
"""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Callable, Generator
from typing import Any
from urllib.parse import urlsplit

import click
from rich.markup import escape
from rich.text import Text

from pai_daemon.cli.output import changed, console, place, printable, show_error
from pai_daemon.client import Client, Event
from pai_daemon.errors import PaiError, UsageError
from pai_daemon.serve import documents

# As many as the daemon takes; the oldest go by ten, so that its summary of a beginning holds for a while.
MOST_TURNS, TURNS_AT_ONCE = 50, 10
PROMPT = "> "
CLIENT = "cli"
# What a citation may open: an address of Obsidian or Logseq, or a file's.
OPENED = frozenset({"obsidian", "logseq", "file"})
HELP = """\
/sources   what the last answer was written from
/open N    open passage N of it
/new       begin anew: what was said so far is forgotten
/quit      leave (also Ctrl-D); Ctrl-C stops an answer"""


class Conversation:
    """What was asked and answered so far, and the passages of the last answer."""

    def __init__(self, client: Client, narrowed: dict[str, Any]) -> None:
        """Begin one. narrowed: what every question is asked with, as `Client.ask` takes it."""
        self._client = client
        self._narrowed = narrowed
        self.turns: list[documents.Turn] = []
        self.sources: list[documents.CitedPassage] = []
        self.cited: set[int] = set()
        self.id = secrets.token_hex(8)

    def answer(self, question: str) -> documents.Answer:
        """Return a whole answer. Raises PaiError, and then nothing of it was said."""
        found = self._client.ask(question, **self._asked())
        self.sources, self.cited = found["citations"], {each["n"] for each in found["citations"]}
        self._note(question, found["answer"])
        return found

    def stream(self, question: str) -> Generator[Event, None, None]:
        """Yield an answer as it is written. Closed early, what was written so far counts as said."""
        text = ""
        try:
            with contextlib.closing(self._client.ask_stream(question, **self._asked())) as events:
                for event in events:
                    if event[0] == "sources":
                        self.sources, self.cited = event[1]["citations"], set()
                    elif event[0] == "delta":
                        text += event[1]["text"]
                    elif event[0] == "done":
                        text, self.cited = event[1]["answer"], {each["n"] for each in event[1]["citations"]}
                    yield event
        finally:
            self._note(question, text)

    def forget(self) -> None:
        """Begin anew."""
        self.turns, self.sources, self.cited = [], [], set()
        self.id = secrets.token_hex(8)

    def source(self, number: str) -> documents.CitedPassage:
        """Return a passage of the last answer by its number. Raises UsageError."""
        for each in self.sources:
            if str(each["n"]) == number.strip(" []"):
                return each
        there = ", ".join(str(each["n"]) for each in self.sources) or "none yet"
        raise UsageError(f"The last answer has no passage {number!r}.", hint=f"There are: {there}.")

    def _asked(self) -> dict[str, Any]:
        dropped = -(-max(0, len(self.turns) - MOST_TURNS) // TURNS_AT_ONCE) * TURNS_AT_ONCE
        named = {"conversation": self.id, "client": CLIENT}
        return self._narrowed | named | ({"history": self.turns[dropped:]} if self.turns else {})

    def _note(self, question: str, text: str) -> None:
        if text.strip():
            self.turns += [{"role": "user", "content": question}, {"role": "assistant", "content": text}]


def talk(conversation: Conversation, show_answer: Callable[[Conversation, str], None]) -> None:
    """Converse on the terminal until the person leaves."""
    with contextlib.suppress(ImportError):
        # Lines can then be edited and called back, from memory alone; Windows has its own way.
        import readline  # noqa: F401, PLC0415
    click.secho("Ask your notes. /help lists the commands, Ctrl-D leaves.", dim=True)
    while True:
        try:
            line = input(PROMPT).strip()
        except EOFError:
            click.echo()
            return
        except KeyboardInterrupt:
            click.echo()
            continue
        if line in ("/quit", "/exit", "/q"):
            return
        if not line:
            continue
        try:
            if line.startswith("/"):
                _obey(conversation, line)
            else:
                show_answer(conversation, line)
        except KeyboardInterrupt:
            click.secho("\nStopped.", dim=True)
        except PaiError as error:
            show_error(error, as_json=False)


def _obey(conversation: Conversation, line: str) -> None:
    """Do what a line such as `/open 2` asks for. Raises UsageError."""
    name, _, argument = line.partition(" ")
    if name == "/sources":
        _show_sources(conversation)
    elif name == "/open":
        _open(conversation.source(argument))
    elif name == "/new":
        conversation.forget()
        click.secho("A new conversation.", dim=True)
    elif name == "/help":
        click.echo(HELP)
    else:
        raise UsageError(f"There is no command {name}.", hint="/help lists them.")


def _show_sources(conversation: Conversation) -> None:
    if not conversation.sources:
        click.secho("No answer has any yet.", dim=True)
    for each in conversation.sources:
        mark = "bold" if each["n"] in conversation.cited else "dim"
        where = Text(place(each), style=f"cyan link {each['uri']}")
        console.print(Text(f"[{each['n']}] ", style=mark) + where + changed(each), soft_wrap=True)
        first = next((part for part in each["text"].splitlines() if part.strip()), "").strip()
        console.print(f"    [dim]{escape(printable(first))}[/]", no_wrap=True, overflow="ellipsis")


def _open(source: documents.CitedPassage) -> None:
    """Open a passage where it stands, or say where that is."""
    uri = source["uri"]
    if urlsplit(uri).scheme not in OPENED or click.launch(uri) != 0:
        click.echo(uri or place(source))
