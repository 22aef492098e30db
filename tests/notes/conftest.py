"""The syntax cases that do not hold yet, each a known gap: one that begins to hold must leave the list."""

from __future__ import annotations

import pytest

GAPS = {
    "logseq: a heading stands in a bullet": "headings in bullets are not listed",
    "logseq: a cloze keeps its answer": "a macro is left out with its words",
    "logseq: a block may be of properties alone": "its bullet is embedded",
    "logseq: the size after an image is no text": "it is embedded",
    "logseq: highlight with carets": "the carets are embedded",
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Expect the gaps to fail, and nothing else."""
    for item in items:
        case = getattr(getattr(item, "callspec", None), "id", "")
        if case in GAPS:
            item.add_marker(pytest.mark.xfail(reason=GAPS[case], strict=True))
