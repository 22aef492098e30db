"""What waits for its embedding is embedded once, whatever happens to the notes meanwhile."""

from __future__ import annotations

import os
import threading
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from pai_daemon.context.backlog import SLICE_CHUNKS, WINDOW_CHUNKS
from pai_daemon.context.vectors import Floats
from pai_daemon.models.embedder import Embedder
from tests.context.conftest import Behind, GoLive
from tests.daemon_process import eventually


class Held(Behind):
    """A real embedder that counts what it embeds, and waits in one of its calls until it is let go.

    calls: which one, the first by default.
    """

    def __init__(self, embedder: Embedder, *, calls: int = 1) -> None:
        super().__init__(embedder)
        self.calls = calls
        self.texts: Counter[str] = Counter()
        self.called = threading.Event()
        self.let_go = threading.Event()

    def embed_texts(self, texts: Sequence[str], *, urgent: bool) -> Floats:
        """Embed once it is let go."""
        self.calls -= 1
        if not self.calls:
            self.called.set()
            assert self.let_go.wait(20)
        self.texts.update(texts)
        return super().embed_texts(texts, urgent=urgent)


def test_save_of_a_note_that_waits_embeds_no_text_twice(
    go_live: GoLive, tmp_path: Path, embedder: Embedder
) -> None:
    """Of a note that is saved while it waits, the paragraph that has not changed is embedded once."""
    vault = tmp_path / "notes"
    vault.mkdir()
    for number in range(SLICE_CHUNKS + 8):
        (vault / f"Note {number}.md").write_text(f"# Topic {number}\n\nThe number is {number}.\n")
    note = vault / "Long.md"
    # The longest texts are embedded last, so that they wait while the first slice is embedded.
    note.write_text("# One\n\nA heron waits. " + "It waits. " * 40 + "\n\n# Two\n\nfirst " + "word " * 80)
    live = go_live(vault, model=False)
    live.settled("indexing")
    held = Held(embedder)
    live.indexer.use(held)
    assert held.called.wait(10)
    note.write_text(note.read_text().replace("first", "second"))
    eventually(live.indexer._agenda.is_due, "the save is noticed")
    held.let_go.set()
    live.settled()
    assert any("second" in text for text in held.texts)
    assert [text for text, count in held.texts.items() if count > 1] == []


def test_note_that_a_person_looks_at_is_embedded_first(
    go_live: GoLive, tmp_path: Path, embedder: Embedder
) -> None:
    """Of hundreds of notes that wait, the one that is looked at comes next, however old it is."""
    vault = tmp_path / "notes"
    vault.mkdir()
    for number in range(12 * SLICE_CHUNKS):
        note = vault / f"Note {number}.md"
        note.write_text(f"# Topic {number}\n\nThe number is {number}.\n")
        os.utime(note, (number, number))
    live = go_live(vault, model=False)
    live.settled("indexing")
    held = Held(embedder)
    live.indexer.use(held)
    assert held.called.wait(10)
    live.indexer.prefer("Note 7.md")
    held.let_go.set()
    live.settled()
    order = [text.split("The number is ")[1] for text in held.texts]
    assert order.index("7.") <= 3 * SLICE_CHUNKS < order.index("8.")


def test_note_that_waits_is_found_by_its_words_before_what_is_only_near(
    go_live: GoLive, tmp_path: Path, embedder: Embedder
) -> None:
    """A note that is not embedded yet stands first where its words say it, though others are embedded."""
    vault = tmp_path / "notes"
    vault.mkdir()
    for number in range(12 * SLICE_CHUNKS):
        (vault / f"Note {number}.md").write_text(f"Birds of the shore, part {number}: gulls and terns.\n")
    late = vault / "Late.md"
    late.write_text("Dunlins feed on the mud at low tide.\n")
    os.utime(late, (1, 1))
    live = go_live(vault, model=False)
    live.settled("indexing")
    # Within the second window: the first one is committed.
    held = Held(embedder, calls=WINDOW_CHUNKS // SLICE_CHUNKS + 2)
    live.indexer.use(held)
    assert held.called.wait(20)
    found = live.searcher.search("dunlins birds", limit=3)
    held.let_go.set()
    assert 0 < found.pending_chunks < 12 * SLICE_CHUNKS
    assert found.results[0].scores.semantic is None
    assert found.results[0].path == "Late.md"
