"""The day that a note is about: by its file's name, else by its properties."""

from __future__ import annotations

import time

import pytest

from pai_daemon.notes.days import day_in, day_of
from pai_daemon.notes.logseq import Graph
from pai_daemon.notes.reader import read_note


def day(path: str, text: str = "", graph: Graph | None = None) -> str:
    """Return the day of a note."""
    return day_of(read_note(path, text.encode(), graph=graph))


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("2026-05-12.md", "2026-05-12"),
        ("Journal/2026/2026-05-12 Tuesday.md", "2026-05-12"),
        ("2026_05_12.md", "2026-05-12"),
        ("2026.05.12.md", "2026-05-12"),
        ("20260512.md", "2026-05-12"),
        ("12.05.2026.md", "2026-05-12"),
        ("12. Mai 2026.md", "2026-05-12"),
        ("May 12th, 2026.md", "2026-05-12"),
        ("Tuesday, 12 May 2026.md", "2026-05-12"),
        ("Meeting with Tom 2026-05-12.md", "2026-05-12"),
        ("202605121430 An idea.md", "2026-05-12"),
        ("20260512143059.md", "2026-05-12"),
        ("Drawing 2026-05-12 21.29.21.excalidraw.md", "2026-05-12"),
        ("Diary/2026/05/12.md", "2026-05-12"),
        ("Diary/2026/05-May/12-Tuesday.md", "2026-05-12"),
        ("2026-W20.md", "2026-05-14"),
        ("2026-05.md", "2026-05-15"),
        ("2026-13-45.md", ""),
        ("2026.md", ""),
        ("A history of 1989.md", ""),
        ("May I ask.md", ""),
        ("Projects 2026/Boat.md", ""),
        ("ISBN 97819260512345.md", ""),
        ("+49 1520 2605122.md", ""),
    ],
)
def test_name_of_the_file_says_the_day(path: str, found: str) -> None:
    """In the usual forms of daily notes, meetings and Zettelkasten; of a week and a month their middle."""
    assert day(path) == found


@pytest.mark.parametrize(
    ("properties", "found"),
    [
        ("date: 2026-05-12", "2026-05-12"),
        ("created: 2026-05-12T10:30", "2026-05-12"),
        ("Date: 2026/05/12", "2026-05-12"),
        ("date: '[[2026-05-12]]'", "2026-05-12"),
        ("created: 2025-01-01\ndate: 2026-05-12", "2026-05-12"),
        ("datum: 12.05.2026", "2026-05-12"),
        ("date created: Tuesday, May 12th 2026, 10:30:00 am", "2026-05-12"),
        ("date:", ""),
        ("date: soon\ncreated: 2026-05-12", "2026-05-12"),
        ("due: 2026-05-12", ""),
    ],
)
def test_property_says_the_day_where_the_name_says_none(properties: str, found: str) -> None:
    """`date` goes before `created`, and the name before both."""
    text = f"---\n{properties}\n---\n"
    assert day("Note.md", text) == found
    assert day("2020-01-02.md", text) == "2020-01-02"


def test_journal_of_logseq_has_its_day() -> None:
    """By the form that the graph is set up with."""
    graph = Graph(journal_file_format="dd-MM-yyyy")
    assert day("journals/12-05-2026.md", "- text\n", graph) == "2026-05-12"


def test_note_whose_text_names_a_day_is_not_about_it() -> None:
    """Only the name and the properties count."""
    assert not day("Note.md", "On 2026-05-12 the hull was painted.\n")


@pytest.mark.parametrize(
    "text", ["2026-" * 20_000, "20" * 50_000, "1." * 50_000, "may " * 30_000, "12 " * 50_000]
)
def test_hostile_name_takes_no_time(text: str) -> None:
    """No form looks back over what it has seen."""
    started_s = time.process_time()
    for _ in range(100):
        day_in(text)
    assert time.process_time() - started_s < 1
