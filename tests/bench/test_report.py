"""The form of a bench's figures, which scripts read."""

from __future__ import annotations

import importlib
import json

import pytest

from tests.bench.__main__ import BENCHES
from tests.bench.data import SAMPLE_VAULT, sample_questions
from tests.bench.report import Row, document, show


def test_document_has_the_agreed_keys_and_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    """With --json one document is printed: name, commit, machine, and rows with eight keys."""
    show("save", [Row("a", 3.0, "ms", "raw", 2.0, "< 4", True)], as_json=True)
    printed = json.loads(capsys.readouterr().out)
    assert set(printed) == {"name", "commit", "machine", "rows"}
    keys = {"what", "value", "unit", "reference", "reference_value", "ratio", "target", "holds"}
    assert set(printed["rows"][0]) == keys
    assert printed["rows"][0]["ratio"] == 1.5


def test_ratio_without_a_reference_is_null() -> None:
    """Nothing is divided by nothing."""
    (row,) = document("x", [Row("a", 1.0, "s")])["rows"]
    assert row["ratio"] is None


def test_every_named_bench_can_be_run() -> None:
    """Each name leads to a module with a `run`."""
    for name in BENCHES:
        assert callable(importlib.import_module(f"tests.bench.{name}").run)


def test_sample_questions_are_answered_in_the_sample_vault() -> None:
    """The place of each answer is in its note."""
    for question in sample_questions():
        text = (SAMPLE_VAULT / question.path).read_text("utf-8")
        assert text[question.start : question.end] == question.answer
