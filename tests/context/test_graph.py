"""A Logseq graph as a vault: pages, journals, block references and what is left out."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.context.conftest import GoLive
from tests.daemon_process import eventually

GRAPH = Path(__file__).resolve().parents[1] / "notes" / "fixtures" / "graph"
BLOCK = "64f1c1d2-1111-4222-8333-444455556666"


@pytest.fixture
def graph(tmp_path: Path) -> Path:
    """Return a small graph with a block on one page that a journal shows."""
    root = tmp_path / "graph"
    shutil.copytree(GRAPH, root)
    (root / "pages" / "Whales.md").write_text(f"- The narwhal has one long tooth.\n  id:: {BLOCK}\n")
    (root / "journals" / "2024_03_01.md").write_text(f"- Read today: (({BLOCK}))\n- See [[Books/Dune]]\n")
    return root


def test_graph_is_recognised_and_its_copies_are_left_out(go_live: GoLive, graph: Path) -> None:
    """Pages and journals are indexed; Logseq's backups and hidden folders are not."""
    live = go_live(graph)
    live.settled()
    paths = live.paths()
    assert {"pages/Whales.md", "journals/2024_03_01.md", "pages/Books___Dune.md"} <= paths
    assert not [path for path in paths if path.startswith(("logseq/", "archive/"))]


def test_block_reference_is_found_by_the_text_it_shows(go_live: GoLive, graph: Path) -> None:
    """A journal that refers to a block is found by the block's words, and links to its page."""
    live = go_live(graph)
    live.settled()
    found = {passage.path for passage in live.searcher.search("narwhal", mode="text").results}
    assert found == {"pages/Whales.md", "journals/2024_03_01.md"}
    assert live.index.catalog.linked("journals/2024_03_01.md") >= {"pages/Whales.md", "pages/Books___Dune.md"}


def test_edited_block_is_renewed_where_it_is_shown(go_live: GoLive, graph: Path) -> None:
    """When a block changes, the notes that show it are read again though their bytes are the same."""
    live = go_live(graph)
    live.settled()
    (graph / "pages" / "Whales.md").write_text(f"- The beluga is white.\n  id:: {BLOCK}\n")

    def shown() -> set[str]:
        return {passage.path for passage in live.searcher.search("beluga", mode="text").results}

    eventually(lambda: shown() == {"pages/Whales.md", "journals/2024_03_01.md"}, "the new text in both")
    assert live.index.catalog.outdated() == set()


def test_page_is_linked_by_its_title_and_its_block_by_its_id(go_live: GoLive, graph: Path) -> None:
    """A passage of a graph carries the link that Logseq understands."""
    live = go_live(graph)
    live.settled()
    links = live.index.catalog.links
    assert links.resolve("mar 1st, 2024", "") == "journals/2024_03_01.md"
    assert links.link_markup("pages/Books___Dune.md") == "[[Books/Dune]]"
    assert live.searcher.places.link("pages/Whales.md", (), (BLOCK,)) == f"(({BLOCK}))"


def test_changed_configuration_reads_the_graph_anew(go_live: GoLive, graph: Path) -> None:
    """Another title format renames the journals at the next scan, although no note has changed."""
    live = go_live(graph)
    live.settled()
    config = graph / "logseq" / "config.edn"
    config.write_text('{:journal/page-title-format "yyyy-MM-dd" :file/name-format :triple-lowbar}')
    live.indexer.hint(None)

    def title() -> str:
        note = live.index.catalog.get("journals/2024_03_01.md")
        return note.title if note else ""

    eventually(lambda: title() == "2024-03-01", "the new title")


def test_attachment_is_known_to_links_and_is_no_note(go_live: GoLive, tmp_path: Path) -> None:
    """An embedded picture resolves to its file, which is neither indexed nor a backlink."""
    vault = tmp_path / "vault"
    (vault / "files").mkdir(parents=True)
    (vault / "files" / "Figure 1.png").write_bytes(b"picture")
    (vault / "Note.md").write_text("![[Figure 1.png]]")
    live = go_live(vault)
    live.settled()
    assert live.paths() == {"Note.md"}
    assert live.index.catalog.links.resolve("Figure 1.png", "Note.md") == "files/Figure 1.png"
    assert live.index.catalog.linked("Note.md") == set()


def test_attachment_that_appears_is_linked_and_no_note_is_read(go_live: GoLive, tmp_path: Path) -> None:
    """A picture put into the vault is what its links lead to at once, and no longer when it is gone."""
    vault = tmp_path / "vault"
    vault.mkdir()
    (vault / "Note.md").write_text("![[pic.png]]")
    live = go_live(vault)
    live.settled()
    links = live.index.catalog.links
    read = live.indexer.notes_read
    (vault / "pic.png").write_bytes(b"x")
    eventually(lambda: links.resolve("pic.png", "Note.md") == "pic.png", "the picture")
    (vault / "pic.png").rename(vault / "other.png")
    eventually(lambda: links.resolve("other.png", "Note.md") == "other.png", "its new name")
    assert links.resolve("pic.png", "Note.md") is None
    assert live.indexer.notes_read == read


def test_address_of_this_vault_is_a_link_and_of_another_is_none(go_live: GoLive, tmp_path: Path) -> None:
    """An `obsidian://` address links to a note of the vault that it names, and of no other."""
    vault = tmp_path / "My vault"
    vault.mkdir()
    (vault / "A.md").write_text("[b](obsidian://open?vault=My%20vault&file=B)")
    (vault / "B.md").write_text("[a](obsidian://open?vault=Other&file=A)")
    live = go_live(vault)
    live.settled()
    assert live.index.catalog.linked("A.md") == {"B.md"}
    assert live.index.catalog.linked("B.md") == set()
