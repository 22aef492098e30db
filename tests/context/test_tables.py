"""Rows of tables as quotes."""

from __future__ import annotations

import time

import pytest

from pai_daemon.context.answering.tables import row_text, rows

TABLE = "| Part | Oil | Hours |\n|:--|--:|:-:|\n| Engine | 5 l | 250 |\n| **Gear**box | | [[Five\\|500]] |\n"


def texts(markdown: str, limit: int = 300) -> list[str]:
    """Return the rows of a text as lines; what is asked for are hours."""
    return [row_text(first, cells, limit, lambda part: "Hours" in part) for first, cells in rows(markdown)]


@pytest.mark.parametrize(
    ("markdown", "expected"),
    [
        (TABLE, ["Engine — Oil: 5 l; Hours: 250", "Gearbox — Hours: 500"]),
        (f"text\n\n{TABLE}\nmore\n\n| A | B |\n|---|---|\n| 1 | 2 |", [*texts(TABLE), "1 — B: 2"]),
        ("> | A | B |\n> | - | - |\n> | 1 | 2 |\n", ["1 — B: 2"]),
        ("- | A | B |\n  | - | - |\n  | 1 | 2 |\n", ["1 — B: 2"]),
        ("| A | B |\n|---+---|\n| 1 | 2 |\n|---+---|\n| 3 | 4 |", ["1 — B: 2", "3 — B: 4"]),
        ("| Gearbox | 1.2 l | 500 |\n", ["Gearbox — 1.2 l; 500"]),
        ("| A | B |\n|---|---|\n| 1 |\n| | 2 |\n| | |\n| 1 | 2 | 3 |", ["1", "B: 2", "1 — B: 2; 3"]),
        ("no | table\n", []),
        ("", []),
    ],
)
def test_row_is_told_with_the_headers_of_its_columns(markdown: str, expected: list[str]) -> None:
    """In Obsidian's, Logseq's and org's tables; without its header, as where a passage goes on, the cells."""
    assert texts(markdown) == expected


def test_row_that_is_too_long_keeps_whole_cells_and_those_that_are_asked_for() -> None:
    """No cell is cut."""
    cells = " | ".join("word " * 20 for _ in range(5))
    markdown = (
        f"| Part | A | B | C | D | E | Hours |\n|---|---|---|---|---|---|---|\n| Engine | {cells} | 250 |\n"
    )
    (text,) = texts(markdown, limit=150)
    assert text == f"Engine — Hours: 250; A: {' '.join(['word'] * 20)}"


@pytest.mark.parametrize(
    "text", ["|" * 100_000, "| - " * 50_000, "|-\n" * 30_000, "-" * 100_000, "\\|" * 50_000]
)
def test_hostile_table_takes_no_time(text: str) -> None:
    """The time is linear."""
    started_s = time.process_time()
    assert list(rows(text)) is not None
    assert time.process_time() - started_s < 1
