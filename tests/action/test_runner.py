"""What a run is given is written only where it may stand, and what it begins to write is written."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pai_daemon.action.actions import Actions, Record
from pai_daemon.action.audit import AuditLog
from pai_daemon.action.grant import Grant
from pai_daemon.action.material import Material, Piece, Written
from pai_daemon.action.routine import Routine, Writes
from pai_daemon.action.runner import Runner
from pai_daemon.action.runs import Run
from pai_daemon.vault.shelf import Shelf

NOW = datetime(2026, 3, 9, 7, 0, tzinfo=UTC)
PIECES = (
    Piece("note", "Open", "said openly", "[[Open]]", path="Open.md"),
    Piece("note", "Diary", "said in private", "[[Diary]]", path="Diary/1.md", is_private=True),
)


class Given:
    """Gathers these pieces, and composes them as they are."""

    async def gather(self, routine: Routine, due: datetime, payload: Mapping[str, Any]) -> Material:
        """Return the pieces."""
        del routine, due, payload
        return Material(PIECES)

    async def done(self, material: Material) -> None:
        """Hear of nothing."""

    async def compose(
        self, routine: Routine, material: Material, due: datetime, *, budget_s: float
    ) -> Written:
        """Return all their texts."""
        del routine, due, budget_s
        return Written("\n".join(piece.text for piece in material.pieces))


@pytest.mark.parametrize(("to", "is_told"), [("Diary/Sum.md", True), ("Sum.md", False)])
async def test_local_only_text_is_written_into_local_only_notes_alone(
    tmp_path: Path, to: str, is_told: bool
) -> None:
    """Else it would go out with the note that it was written into; what is left out is said."""
    vault = tmp_path / "vault"
    vault.mkdir()
    actions = Actions(Shelf(vault, "", tmp_path / "undo"), AuditLog(tmp_path / "audit.jsonl"))
    given = Given()
    runner = Runner(vault, given, given, actions, stays=lambda path: path.startswith("Diary/"))
    routine = Routine(
        "Sum", "Routines/Sum.md", "Sum", "x", writes=Writes("section", to), grants=(Grant("append", "**"),)
    )
    outcome = await runner.run(routine, Run("1", "Sum", "person", NOW, NOW))
    text = (vault / to).read_text("utf-8")
    assert "said openly" in text
    assert ("said in private" in text) == is_told
    assert bool(outcome.trace["warnings"]) != is_told


async def test_note_that_a_routine_created_is_no_material_of_it_until_it_is_edited(tmp_path: Path) -> None:
    """Else a review would list itself once it is indexed, and never be the same twice."""
    (vault := tmp_path / "vault").mkdir()
    actions = Actions(Shelf(vault, "", tmp_path / "undo"), AuditLog(tmp_path / "audit.jsonl"))
    given = Given()
    runner = Runner(vault, given, given, actions)
    routine = Routine(
        "Sum",
        "Routines/Sum.md",
        "Sum",
        "x",
        writes=Writes("create", "Open.md"),
        grants=(Grant("create", "**"),),
    )
    await runner.run(routine, Run("1", "Sum", "person", NOW, NOW))
    assert "said openly" in (vault / "Open.md").read_text("utf-8")
    again = await runner.run(routine, Run("2", "Sum", "person", NOW, NOW))
    assert again.trace["sources"] == ["[[Diary]]"]
    (vault / "Open.md").write_text("- [ ] what a person adds to it", "utf-8")
    reads = replace(routine, writes=Writes("none"))
    edited = await runner.run(reads, Run("3", "Sum", "person", NOW, NOW))
    assert edited.trace["sources"] == ["[[Open]]", "[[Diary]]"]


async def test_run_that_is_broken_off_while_it_writes_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stop in the midst of its write waits for the write, and its outcome tells what was written."""
    (vault := tmp_path / "vault").mkdir()
    actions = Actions(Shelf(vault, "", tmp_path / "undo"), AuditLog(tmp_path / "audit.jsonl"))
    given, writes, may_end = Given(), threading.Event(), threading.Event()
    runner = Runner(vault, given, given, actions)
    apply = actions.apply

    def slowly(*args: Any, **options: Any) -> Record:
        writes.set()
        assert may_end.wait(10)
        return apply(*args, **options)

    monkeypatch.setattr(actions, "apply", slowly)
    routine = Routine(
        "Sum",
        "Routines/Sum.md",
        "Sum",
        "x",
        writes=Writes("section", "A.md"),
        grants=(Grant("append", "**"),),
    )
    run = Run("1", "Sum", "person", NOW, NOW)
    task = asyncio.create_task(runner.run(routine, run))
    assert await asyncio.to_thread(writes.wait, 10)
    assert runner.writing == {"1"}
    task.cancel()
    await asyncio.sleep(0)
    may_end.set()
    outcome = await task
    assert [record.state for record in outcome.records] == ["applied"]
    assert "said openly" in (vault / "A.md").read_text("utf-8")
    assert runner.writing == set()
