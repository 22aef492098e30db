"""How long a text will take is told by those before it, also after a restart (D66)."""

from __future__ import annotations

from pathlib import Path

import pytest

from pai_daemon.models.generation.generator import Message
from pai_daemon.models.generation.pace import Pace

PROMPT = [Message("user", "x" * 3_472)]  # 1,000 tokens
TEXT = "y" * 322  # 100 tokens


def test_pace_is_that_of_the_texts_before() -> None:
    """Reading and writing are told apart, and a generator that has not written yet is not guessed at."""
    pace = Pace()
    assert pace.seconds("slow", 1_000, 100) is None
    pace.learn("slow", PROMPT, TEXT, first_s=10.0, took_s=30.0)
    assert pace.seconds("slow", 2_000, 100) == pytest.approx(40.0, rel=0.02)
    assert pace.seconds("other", 2_000, 100) is None
    pace.learn("slow", PROMPT, TEXT, first_s=20.0, took_s=40.0)
    assert pace.seconds("slow", 1_000, 0) == pytest.approx(15.0, rel=0.02)


def test_text_that_never_began_teaches_nothing() -> None:
    """A failure, or a word, says nothing of the speed."""
    pace = Pace()
    pace.learn("slow", PROMPT, "", first_s=0.0, took_s=0.0)
    pace.learn("slow", PROMPT, "No", first_s=1.0, took_s=1.0)
    assert pace.seconds("slow", 1, 1) is None


def test_pace_is_remembered_and_a_damaged_memory_learns_again(tmp_path: Path) -> None:
    """A new daemon knows the speeds of the last one; what cannot be read is no error."""
    path = tmp_path / "data" / "pace.json"
    Pace(path).learn("slow", PROMPT, TEXT, first_s=10.0, took_s=30.0)
    assert Pace(path).seconds("slow", 1_000, 100) == pytest.approx(30.0, rel=0.02)
    assert "xxx" not in path.read_text("utf-8")
    for damaged in ("", "[]", '{"slow": 1}', '{"slow": {"reading_s": "x"}}', "\x00"):
        path.write_text(damaged, "utf-8")
        assert Pace(path).seconds("slow", 1_000, 100) is None
