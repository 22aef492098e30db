"""When notes are read in another way than they were, each answers as it was until it is embedded anew."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pai_daemon.context import reading
from pai_daemon.context.reading import Reader
from tests.context.conftest import Hashed, Live
from tests.daemon_process import eventually

NOTES = 50


@pytest.fixture
def model() -> Iterator[Hashed]:
    """Yield a stand-in for a model, which is let go in the end."""
    stand_in = Hashed("stand-in")
    yield stand_in
    stand_in.let_go()


@pytest.fixture
def indexed(tmp_path: Path, model: Hashed, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with a vault that was indexed when notes were still read in another way."""
    vault = tmp_path / "vault"
    vault.mkdir()
    for number in range(NOTES):
        (vault / f"Note {number}.md").write_text(f"# Top\n\nThe egret{number} wades.", "utf-8")
    with Live(vault, tmp_path / "index", model) as live:
        live.settled()
    # Every note has another form from now on, and every text of it another key.
    key = reading.vector_key
    monkeypatch.setattr(Reader, "form", lambda _self, _path: "another")
    monkeypatch.setattr(reading, "vector_key", lambda content: key(f"another {content}"))
    return tmp_path


def read_anew(live: Live) -> int:
    """Return how many notes the index has as they are read now."""
    return sum(note.read_as == "another" for note in live.index.catalog.notes())


def test_notes_that_are_read_anew_are_found_by_meaning_throughout(indexed: Path, model: Hashed) -> None:
    """While a slow model is at it, no note waits for its embedding, and saves are taken in between."""
    model.waits_after = model.texts.total() + 20
    with Live(indexed / "vault", indexed / "index", model) as live:
        eventually(lambda: read_anew(live) > 0, "the first notes are read anew")
        assert 0 < read_anew(live) < NOTES
        assert live.index.missing() == []
        note = live.index.catalog.get("Note 7.md")
        assert note is not None
        content = next(iter(live.index.contents(note.vector_keys).values()))
        assert live.searcher.search(content, mode="semantic").results[0].path == "Note 7.md"
        (indexed / "vault" / "Saved.md").write_text("The saved bittern booms.", "utf-8")
        live.indexer.hint(["Saved.md"])
        model.waits_after = model.texts.total() + 17
        model._go.set()
        eventually(lambda: "Saved.md" in live.paths(), "the save is taken in")
        assert read_anew(live) < NOTES
        model.let_go()
        eventually(lambda: read_anew(live) == NOTES + 1, "all are read anew")
        live.settled()
        assert live.index.missing() == []


def test_notes_are_not_read_anew_before_there_is_a_model(indexed: Path, model: Hashed) -> None:
    """A start whose model still loads leaves the old embeddings in use, and reads anew once it is there."""
    with Live(indexed / "vault", indexed / "index", None) as live:
        live.settled()
        assert (read_anew(live), live.index.missing()) == (0, [])
        assert live.indexer.use(model)
        eventually(lambda: read_anew(live) == NOTES, "all are read anew")
        live.settled()
        assert live.index.missing() == []


def test_model_that_fails_leaves_notes_as_they_were(indexed: Path, model: Hashed) -> None:
    """Where what notes became cannot be embedded, what they were still answers."""
    model.close()
    with Live(indexed / "vault", indexed / "index", model) as live:
        live.settled()
        assert (read_anew(live), live.index.missing()) == (0, [])
