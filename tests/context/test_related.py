"""Kindred notes over the sample vault, with a real model."""

from __future__ import annotations

from pathlib import Path

import pytest

from pai_daemon.context import related as module
from pai_daemon.context.catalog import Catalog
from pai_daemon.context.linking.graph import LinkGraph
from pai_daemon.context.related import Related
from pai_daemon.errors import ModelUnavailable, NotFound
from tests.context.conftest import GoLive, Live


@pytest.fixture(scope="module")
def related(sample: Live) -> Related:
    """Return the finder over the sample vault."""
    return sample.related


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


def test_notes_linked_with_the_same_notes_come_earlier(go_live: GoLive, tmp_path: Path) -> None:
    """What a walk over the links comes to gains on what is as near in meaning, and says why."""
    vault = tmp_path / "vault"
    vault.mkdir()
    (vault / "Day.md").write_text("We oiled the winch. [[Yard]]\n")
    (vault / "Bread.md").write_text("Flour, water and salt. [[Yard]]\n")
    (vault / "Yard.md").write_text("A place at the river.\n")
    for name in ("Winch", "Rope", "Sail", "Mast"):
        (vault / f"{name}.md").write_text(f"The {name.lower()} of the boat needs oil.\n")
    live = go_live(vault)
    live.settled()
    unlinked = Related(vault, live.index, live.searcher, LinkGraph(Catalog()))
    before, after = unlinked.to_note("Day.md"), live.related.to_note("Day.md")
    names = [each.path for each in after]
    assert names.index("Bread.md") < [each.path for each in before].index("Bread.md")
    bread, yard = (next(each for each in after if each.path == path) for path in ("Bread.md", "Yard.md"))
    assert "linked with the same notes" in bread.why
    assert bread.score > (bread.passage.scores.semantic or 0)
    assert yard.score == pytest.approx(yard.passage.scores.semantic, abs=1e-4)  # it is linked already
    scores = [each.score for each in after]
    assert scores == sorted(scores, reverse=True)


def test_note_near_by_links_is_found_however_far_it_is_in_meaning(
    go_live: GoLive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is told by its own nearest chunk, where that is not among the nearest of all."""
    monkeypatch.setattr(module, "NEAREST_CHUNKS", 3)
    vault = tmp_path / "vault"
    vault.mkdir()
    (vault / "Day.md").write_text("We oiled the winch. [[Yard]]\n")
    (vault / "Bread.md").write_text("Flour, water and salt. [[Yard]]\n")
    for number in range(8):
        (vault / f"Winch {number}.md").write_text(f"We oiled the winch {number} times.\n")
    (vault / "Yard.md").write_text("A place at the river.\n")
    live = go_live(vault)
    live.settled()
    unlinked = Related(vault, live.index, live.searcher, LinkGraph(Catalog()))
    assert "Bread.md" not in [each.path for each in unlinked.to_note("Day.md")]
    (bread,) = (each for each in live.related.to_note("Day.md") if each.path == "Bread.md")
    assert "Flour" in bread.passage.text
    assert bread.passage.scores.semantic is not None


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
        live.related.to_note("a.md")
