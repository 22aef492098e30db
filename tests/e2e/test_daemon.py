"""From a vault to a cited answer: the default model, the daemon as a process, edits on disk."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.daemon_process import DaemonProcess, Folders, eventually
from tests.e2e.conftest import Walk

FIRST_INDEX_S = 300.0


@pytest.fixture
def daemon(walk: Walk, folders: Folders) -> Iterator[DaemonProcess]:
    """Yield a daemon with the default model, ready."""
    process = DaemonProcess(
        walk.vault, folders, environ={"PAI_MODEL": "multilingual-e5-small", "PAI_THREADS": "2"}
    )
    with process:
        process.ready(FIRST_INDEX_S)
        yield process


def test_whole_way_from_a_vault_to_a_cited_answer(
    walk: Walk, daemon: DaemonProcess, folders: Folders
) -> None:
    """A question is answered from the notes, edits on disk arrive, and a restart does no work again."""
    answer = daemon.client.ask(walk.question)
    assert answer["found"]
    assert walk.fact in answer["answer"]
    assert answer["citations"][0]["path"] in walk.paths
    cited = answer["citations"][0]
    text = (walk.vault / cited["path"]).read_bytes().decode("utf-8")
    assert text[cited["start_char"] : cited["end_char"]] == cited["text"]

    printed = folders.pai("ask", walk.question, "--json")
    assert json.loads(printed.stdout)["answer"] == answer["answer"]

    note = walk.vault / "A new thought.md"
    note.write_text("# Thought\n\nThe lighthouse keeper feeds seventeen puffins.\n")
    daemon.finds("seventeen puffins", "A new thought.md")
    found = daemon.client.ask("How many puffins does the lighthouse keeper feed?")
    assert "seventeen" in found["answer"]

    embedded = daemon.status()["work"]["chunks_embedded"]
    note.rename(walk.vault / "An old thought.md")
    daemon.finds("seventeen puffins", "An old thought.md")
    assert daemon.status()["work"]["chunks_embedded"] == embedded

    (walk.vault / "An old thought.md").unlink()
    eventually(
        lambda: not any("puffins" in p["text"] for p in daemon.client.search("seventeen puffins")["results"]),
        "the deleted note to be gone",
    )

    assert daemon.terminate() == 0
    daemon.start()
    status = daemon.ready()
    assert status["work"] == {"notes_read": 0, "chunks_embedded": 0, "commits": 0}
    assert daemon.client.ask(walk.question)["answer"] == answer["answer"]


def test_start_puts_nothing_into_a_graph_of_logseq(tmp_path: Path, folders: Folders) -> None:
    """Started as the README says, a graph gets no plugin, and what is said leads to the dashboard."""
    graph = tmp_path / "graph"
    for name, text in {
        "logseq/config.edn": "{}",
        "pages/Boat.md": "- The hull is varnished in May.\n",
    }.items():
        (graph / name).parent.mkdir(parents=True)
        (graph / name).write_text(text)
    with DaemonProcess(graph, folders, arguments=("--install-plugin",)) as daemon:
        eventually(lambda: "Ctrl-C stops." in daemon.log, "the greeting")
        assert "pai open" in daemon.log
        assert "Obsidian" not in daemon.log
    assert {path.relative_to(graph).as_posix() for path in graph.rglob("*") if path.is_file()} == {
        "logseq/config.edn",
        "pages/Boat.md",
    }
