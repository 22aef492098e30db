"""Kindred notes over the sample vault, with a real model."""

from __future__ import annotations

import pytest

from pai_daemon.context.related import Related
from pai_daemon.errors import ModelUnavailable, NotFound
from tests.context.conftest import GoLive, Live


@pytest.fixture(scope="module")
def related(sample: Live) -> Related:
    """Return the finder over the sample vault."""
    return Related(sample.vault, sample.index, sample.searcher)


def test_related_notes_leave_out_the_note_itself(related: Related) -> None:
    """No note is related to itself, and each is named once."""
    paths = [found.path for found in related.to_note("Garden/Tomatoes.md")]
    assert "Garden/Tomatoes.md" not in paths
    assert len(paths) == len(set(paths))


def test_related_notes_say_why(related: Related) -> None:
    """Shared tags and backlinks are named beside the nearness in meaning."""
    by_path = {found.path: found for found in related.to_note("Projects/Mooring.md", 20)}
    assert "shares #project" in by_path["Projects/Narrowboat.md"].why
    assert by_path["People/Tom Okafor.md"].linked
    assert not by_path["Projects/Narrowboat.md"].linked


def test_unknown_note_is_not_found(related: Related) -> None:
    """A path that is not indexed is an error that says how paths look."""
    for path in ("Nowhere.md", "../outside.md", ""):
        with pytest.raises(NotFound):
            related.to_note(path)


def test_path_is_taken_as_a_shell_completes_it(related: Related, sample: Live) -> None:
    """Absolute, with a leading `./`, without `.md`, or the bare name: each leads to the note."""
    for path in (str(sample.vault / "Reading.md"), "./Reading.md", "Reading", "Journal/2026-05-12"):
        assert related.indexed(path).path in ("Reading.md", "Journal/2026-05-12.md")


def test_note_without_embedding_says_so(go_live: GoLive, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Before a note is embedded, its kin is unknown rather than empty."""
    vault = tmp_path_factory.mktemp("bare")
    (vault / "a.md").write_text("alpha")
    live = go_live(vault, model=False)
    live.settled("indexing")
    with pytest.raises(ModelUnavailable):
        Related(vault, live.index, live.searcher).to_note("a.md")
