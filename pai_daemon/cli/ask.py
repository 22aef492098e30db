"""`pai ask`: an answer from the notes, streamed, with its citations; several in a row without a question."""

from __future__ import annotations

import json
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import click

from pai_daemon.cli.conversation import Conversation, talk
from pai_daemon.cli.output import (
    client_options,
    connect,
    narrowing_options,
    printable,
    show_error,
    show_evidence,
    show_json,
)
from pai_daemon.errors import DaemonUnreachable, PaiError, UsageError


@click.command("ask")
@click.argument("question", nargs=-1)
@click.option("-n", "--limit", default=8, show_default=True, help="From how many passages.")
@click.option(
    "--as-asked", is_flag=True, help="Read no time, #tag, task or name of the question as a filter."
)
@click.option("--no-memory", is_flag=True, help="Without what is remembered, and without your profile.")
@click.option("--follow", is_flag=True, help="In a pipe: each question follows up the ones before it.")
@narrowing_options
@client_options
def command(
    question: tuple[str, ...],
    limit: int,
    vault: Path | None,
    as_json: bool,
    as_asked: bool,
    no_memory: bool,
    follow: bool,
    **narrowed: Any,
) -> None:
    """Answer QUESTION from the notes, and say where each sentence comes from.

    Without a QUESTION: a conversation on a terminal; in a pipe, each line of the input is a question, and
    with --json each line of the output its answer.
    """
    narrowed |= {"limit": limit} | ({"as_asked": True} if as_asked else {})
    narrowed |= {"memory": False} if no_memory else {}
    conversation = Conversation(connect(vault), narrowed)
    if not question and sys.stdin.isatty() and not as_json:
        talk(conversation, show_answer)
    elif not question:
        _answer_lines(conversation, as_json=as_json, follow=follow)
    elif as_json:
        show_json(conversation.answer(" ".join(question)))
    else:
        show_answer(conversation, " ".join(question))


def show_answer(conversation: Conversation, question: str) -> None:
    """Print an answer as it is written, then what it rests on."""
    with closing(conversation.stream(question)) as events:
        for event in events:
            if event[0] == "notice":
                click.secho(event[1]["text"], dim=True, err=True)
                if event[1]["preview"]:
                    said = printable(event[1]["preview"])
                    click.secho(f"Meanwhile, from your notes: {said}\n", dim=True, err=True)
            elif event[0] == "delta":
                click.echo(printable(event[1]["text"]), nl=False)
            elif event[0] == "done":
                click.echo("\n")
                show_evidence(event[1])
                for fact in (event[1]["receipt"] or {"facts": ()})["facts"]:
                    where = f"{fact['path']}:{fact['line']} ({fact['id']})"
                    click.secho(printable(where), dim=True)


def _answer_lines(conversation: Conversation, *, as_json: bool, follow: bool) -> None:
    """Answer each line of the input; a question that fails does not stop the rest.

    Raises the last question's error after all, DaemonUnreachable at once, UsageError for no question at all.
    """
    failed: PaiError | None = None
    questions = (line.strip() for line in sys.stdin)
    count = 0
    for count, question in enumerate(filter(None, questions), start=1):  # noqa: B007
        if not follow:
            conversation.forget()
        try:
            if as_json:
                click.echo(json.dumps(conversation.answer(question), ensure_ascii=False))
            else:
                click.echo(f"> {question}\n")
                show_answer(conversation, question)
                click.echo()
        except DaemonUnreachable:
            raise
        except PaiError as error:
            failed = error
            if as_json:
                click.echo(json.dumps({"question": question, "error": error.problem()}, ensure_ascii=False))
            else:
                show_error(error, as_json=False)
        sys.stdout.flush()
    if failed is not None:
        sys.exit(failed.exit_code)
    if not count:
        raise UsageError("No question was asked.", hint='Ask one: pai ask "When is the engine serviced?"')
