"""The vault that the end-to-end tests run on, with what can be asked of it."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.bench.data import vault as bench_vault

HERE = Path(__file__).parent


def prove(spec: str, told: Mapping[str, str], scratch: Path) -> None:
    """Prove every claim of a spec in the browser; told: its settings. scratch: where screenshots may go."""
    node = shutil.which("node")
    assert node, "Node.js is needed: scripts/test says where to get it"
    shots = os.environ.get("PAI_E2E_SHOTS", str(scratch / "shots"))
    run = subprocess.run(
        [node, str(HERE / spec)],
        env=os.environ | told | {"PAI_E2E_SHOTS": shots},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        cwd=HERE.parents[1] / "obsidian-plugin",
    )
    assert run.returncode == 0, f"{run.stdout}\n{run.stderr}"


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
