"""All of memory goes out into one file and comes back as it was; in a graph it lies among the pages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pai_daemon.config import Settings
from pai_daemon.memory.exporting import export
from pai_daemon.memory.importing.importer import Importer
from pai_daemon.memory.importing.reading import Reading
from pai_daemon.memory.journal import Journal
from pai_daemon.memory.memory import Memory
from pai_daemon.vault.shelf import Shelf

NOW = datetime(2026, 11, 27, tzinfo=UTC)
names = st.text("abÄé 1-", min_size=1, max_size=8).map(lambda name: name.strip(" .-") or "a")
words = st.text(min_size=1, max_size=60).filter(lambda text: text.strip() != "" and text.isprintable())
facts = st.lists(st.tuples(names, words, st.booleans()), max_size=8)
others = st.dictionaries(names.map(lambda name: f"Own/{name}.md"), st.text(max_size=120), max_size=3)


def files(shelf: Shelf) -> dict[str, str]:
    """Return the text of each file."""
    return {path: shelf.read(path) or "" for path in shelf.paths()}


def shelf_in(folder: Path) -> Shelf:
    """Return the memory folder of a new vault."""
    (folder / "vault").mkdir(parents=True)
    return Shelf(folder / "vault", "Memory", folder / "undo")


@settings(max_examples=40, deadline=None)
@given(said=facts, own=others)
def test_export_comes_back_word_by_word(
    said: list[tuple[str, str, bool]], own: Mapping[str, str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Every note of text, ours or the person's, is byte by byte what it was, and so is each fact."""
    folder = tmp_path_factory.mktemp("round")
    shelf = shelf_in(folder / "from")
    memory = Memory(shelf, Journal(folder / "journal"))
    for subject, text, pinned in said:
        kept = memory.remember(text, source="cli", subject=subject).fact
        memory.pin(kept.id, pinned=pinned)
    for number, (path, text) in enumerate(own.items()):
        shelf.write(path.replace(".md", f" {number}.md"), text.replace("\x00", ""), before=None)
    file = folder / "memory.jsonl"
    file.write_text("".join(export(shelf, lambda _: True, NOW)), "utf-8")
    back = shelf_in(folder / "to")
    for _ in range(2):  # and again without doubles
        Importer(back).take(Reading((file,), lambda _: None).records())
        assert files(back) == files(shelf)
    assert Memory(back, Journal(folder / "other")).facts() == memory.facts()


def test_memory_of_a_graph_lies_among_its_pages(tmp_path: Path) -> None:
    """Logseq reads pages there; a setting, and a folder that is there already, are kept to."""
    (tmp_path / "logseq").mkdir()
    (tmp_path / "logseq" / "config.edn").write_text('{:pages-directory "notes"}', "utf-8")
    chosen = Settings(data_dir=tmp_path / "data")
    assert Shelf.of(tmp_path, chosen).folder == "notes/Memory"
    assert Shelf.of(tmp_path, replace(chosen, memory_folder="Me")).folder == "Me"
    assert Shelf.of(tmp_path, replace(chosen, sources={"memory_folder": "config.toml"})).folder == "Memory"
    (tmp_path / "Memory").mkdir()
    assert Shelf.of(tmp_path, chosen).folder == "Memory"
    (tmp_path / "plain").mkdir()
    assert Shelf.of(tmp_path / "plain", chosen).folder == "Memory"
