"""What `pai start` says while it works."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from pai_daemon.cli.output import counted
from pai_daemon.cli.start import duration, own_command, sentence, tell


def _status(**changed: Any) -> dict[str, Any]:
    return {
        "notes": 2,
        "chunks": 5,
        "state": "ready",
        "message": None,
        "progress": None,
        "problems": [],
    } | changed


def _progress(**changed: Any) -> dict[str, Any]:
    return {
        "phase": "embedding",
        "done": 50,
        "total": 1200,
        "unit": "chunks",
        "eta_s": None,
        "tokens_per_s": None,
    } | changed


def test_progress_names_count_rate_and_time_left() -> None:
    """During long work the line says how far it is, how fast, and how long it will take."""
    now = _progress(eta_s=300.0, tokens_per_s=5123.4)
    line = sentence(_status(state="indexing", progress=now), "")
    assert line == "Embedding 50 of 1,200 chunks, 5,123 tokens/s, 5 min left"


def test_progress_without_estimate_leaves_it_out() -> None:
    """What is not known yet is not invented."""
    assert sentence(_status(state="indexing", progress=_progress()), "") == "Embedding 50 of 1,200 chunks"


def test_words_are_said_to_be_searchable_while_the_model_is_prepared() -> None:
    """A first start says what it waits for and what works already."""
    line = sentence(
        _status(state="indexing", message="The embedding model is loading."), "Preparing e5: weights 10%"
    )
    assert line == "Preparing e5: weights 10%; 2 notes, 5 passages searchable by word"


def test_switching_names_the_model_that_takes_over() -> None:
    """While another model embeds, the line says which, and how far it is."""
    now = _progress(phase="switching", eta_s=300.0)
    model = {"execution_provider": "CPU", "next": {"name": "e5"}}
    line = sentence(_status(state="indexing", progress=now, model=model), "")
    assert line == "Switching to e5: 50 of 1,200 chunks, 5 min left"


def test_preparing_beside_a_model_that_answers_says_that_all_is_searchable() -> None:
    """While another model is made ready nothing is missing."""
    model = {"execution_provider": "CPU", "next": {"name": "e5"}}
    assert sentence(_status(model=model), "Loading e5") == "Loading e5; 2 notes, 5 passages searchable"


def test_ready_line_counts_problems() -> None:
    """Bad notes are named at the end, with where to look."""
    assert sentence(_status(), "") == "Ready: 2 notes, 5 passages"
    assert sentence(_status(problems=[{}]), "").endswith("; 1 note with problems (pai status)")


@pytest.mark.parametrize("state", ["error", "held"])
def test_trouble_is_said_with_its_reason(state: str) -> None:
    """A state that needs a person carries its message."""
    assert (
        sentence(_status(state=state, message="The disk is full."), "")
        == f"{state.capitalize()}: The disk is full."
    )


@pytest.mark.parametrize(
    ("seconds", "said"), [(0.2, "1 s"), (89, "89 s"), (150, "2 min"), (3599, "60 min"), (9000, "2 h 30 min")]
)
def test_duration_is_said_as_a_person_would(seconds: float, said: str) -> None:
    """Seconds, minutes, then hours."""
    assert duration(seconds) == said


def test_one_is_singular() -> None:
    """`1 note`, `2 notes`, `0 notes`."""
    assert [counted(n, "note") for n in (0, 1, 2000)] == ["0 notes", "1 note", "2,000 notes"]


def test_hint_is_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    """A hint is in every status, and on the terminal once, with its command on a line of its own."""
    told: set[str] = set()
    for percent in (62, 63):
        message = f"{percent} % of your notes are in German."
        tell([{"code": "language_not_covered", "message": message, "command": "pai models use e5"}], told)
    assert capsys.readouterr().out == "62 % of your notes are in German.\n  pai models use e5\n"


def test_hint_without_a_command_is_its_message(capsys: pytest.CaptureFixture[str]) -> None:
    """Where there is nothing to type, nothing is offered."""
    tell([{"code": "x", "message": "Some [bold] words.", "command": None}], set())
    assert capsys.readouterr().out == "Some [bold] words.\n"


def test_command_left_for_the_plugin_starts_this_installation(tmp_path: Path) -> None:
    """It runs from any folder, and a module that lies there is not taken for one of ours."""
    (tmp_path / "click.py").write_text("raise SystemExit(9)\n")
    run = subprocess.run(
        [*own_command(), "--help"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (run.returncode, "Serve the notes in VAULT" in run.stdout) == (0, True), run.stderr
