"""The vault that the end-to-end tests run on, with what can be asked of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.bench.data import vault as bench_vault


@dataclass(frozen=True, slots=True)
class Walk:
    """A copy of a vault, a question that it answers, the fact, and the notes that hold it."""

    vault: Path
    question: str
    fact: str
    paths: tuple[str, ...]


@pytest.fixture
def walk(tmp_path: Path) -> Walk:
    """Return a real vault (the Obsidian Tasks user guide) where it is at hand, else our sample vault."""
    vault, name = bench_vault("vault-tasks-docs-en", tmp_path / "vaults")
    if name == "sample-vault":
        return Walk(
            vault,
            "When is the engine of the boat serviced?",
            "250 running hours",
            ("Projects/Narrowboat.md",),
        )
    recurring = ("Getting Started/Recurring Tasks.md", "Quick Reference.md")
    return Walk(vault, "How do I make a task repeat every week?", "every week", recurring)
