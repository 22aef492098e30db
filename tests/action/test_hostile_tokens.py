"""A token that may act but not read sees no text of notes, and no generator beyond sees what stays here."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

from pai_daemon.action.action import Action
from pai_daemon.action.actions import Record
from pai_daemon.action.composing import VaultComposer
from pai_daemon.action.material import Material, Piece
from pai_daemon.action.routine import Routine
from pai_daemon.action.runs import Run
from pai_daemon.serve.actions import _sent
from pai_daemon.serve.routines import _shown
from pai_daemon.serve.security import GRANT
from pai_daemon.serve.tokens import Grant
from tests.action.test_scheduler import START

OWN = Grant("you", None)
ACTING = Grant("n8n", ("action",))
READING = Grant("reader", ("action", "search"))


def test_trace_of_a_run_is_for_who_may_read_notes() -> None:
    """Prompt, text, diff and sources are held back; that it ran, and how long, is told."""
    trace = {"prompt": "p", "text": "t", "diff": "d", "sources": ["[[A]]"], "took_ms": 1.0}
    run = Run("1", "R", "person", START, START, "done", trace=trace)
    own, reading, acting = ({GRANT: each} for each in (OWN, READING, ACTING))
    assert _shown(own, run).trace == trace  # type: ignore[arg-type]
    assert _shown(reading, run).trace == trace  # type: ignore[arg-type]
    held = _shown(acting, run).trace  # type: ignore[arg-type]
    assert held == {"prompt": "", "text": "", "diff": "", "sources": [], "took_ms": 1.0}


def test_text_of_an_action_is_for_its_author_and_who_may_read_notes() -> None:
    """A routine's section holds what stands in the diary; a program's own proposal is its own."""
    index = SimpleNamespace(catalog=SimpleNamespace(get=lambda path: path if path == "A.md" else None))
    parts: Any = SimpleNamespace(index=index)
    record = Record("1", "applied", Action("append", "A.md", "dear diary"), "routine R", START)
    assert _sent(parts, record, OWN).text == _sent(parts, record, READING).text == "dear diary"
    assert not _sent(parts, record, ACTING).text
    assert _sent(parts, replace(record, by="n8n"), ACTING).text == "dear diary"


async def test_prompt_of_a_routine_that_stays_here_is_not_sent() -> None:
    """A routine's note is a note: where it is local-only no generator beyond this machine is asked."""
    asked: list[Any] = []

    class Beyond:
        name, location = "beyond", "remote"

        def __getattr__(self, name: str) -> Any:
            asked.append(name)
            raise AssertionError(name)

    index = SimpleNamespace(private_paths=lambda: {"Routines/R.md"})
    generators: Any = SimpleNamespace(chosen=SimpleNamespace(generator=Beyond()))
    searcher: Any = SimpleNamespace(index=index)
    composer = VaultComposer(searcher, SimpleNamespace(), generators, SimpleNamespace())  # type: ignore[arg-type]
    routine = Routine("R", "Routines/R.md", "R", "my secret question")
    piece = Piece("note", "A", "public", "[[A]]", path="A.md")
    written = await composer.compose(routine, Material((piece,)), START, budget_s=5.0)
    assert not asked
    assert "stays on this machine" in written.warnings[0]
