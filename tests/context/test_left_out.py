"""What a person leaves out: by `pai: false` in a note, or by a `.paiignore` in the vault."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from pai_daemon.context.reading import Reader
from pai_daemon.context.store.upkeep import Shortage
from pai_daemon.errors import UsageError
from pai_daemon.vault.ignore import IgnoreRules
from pai_daemon.vault.scan import FileStat
from tests.context.conftest import GoLive, Live
from tests.daemon_process import eventually

SECRET = "The quokka sleeps behind the bakery."


@pytest.fixture
def vault(tmp_path: Path) -> Path:
    """Return a vault with a note that is to be left out, and one that names it."""
    root = tmp_path / "vault"
    (root / "Diary").mkdir(parents=True)
    (root / "Diary" / "Quokka.md").write_text(f"---\ntags: [secret]\n---\n{SECRET}\n")
    (root / "Open.md").write_text("A walk past the bakery. See [[Quokka]], and the Quokka.\n")
    return root


def _traces(live: Live) -> list[str]:
    """Return where anything of the note that is left out can be found."""
    related = live.related
    found = [
        f"{mode}: {passage.path}"
        for mode in ("text", "semantic", "hybrid")
        for query in ("quokka sleeps", SECRET, "secret")
        for passage in live.searcher.search(query, mode=mode, limit=50).results
        if passage.path != "Open.md" or "sleeps" in passage.text
    ]
    found += [f"related: {note.path}" for note in related.to_note("Open.md", 20)]
    found += [f"mention: {mention.target}" for mention in live.linker.links_of("Open.md").mentions]
    found += [f"suggested: {note.path}" for note in live.linker.links_of("Open.md", 20).suggestions]
    found += [f"linked: {path}" for path in live.index.catalog.linked("Open.md")]
    found += [f"problem: {path}" for path, _ in live.indexer.covered.problems()]
    return found


def test_note_that_says_pai_false_is_found_nowhere(go_live: GoLive, vault: Path) -> None:
    """A note that asks to be left out leaves everything at once, and the reason is told."""
    live = go_live(vault)
    live.settled()
    assert _traces(live)
    note = vault / "Diary" / "Quokka.md"
    note.write_text(f"---\ntags: [secret]\npai: false\n---\n{SECRET}\n")
    eventually(lambda: live.paths() == {"Open.md"}, "the note to leave")
    assert _traces(live) == []
    assert live.indexer.covered.status("Diary/Quokka.md").reason == "the note says pai: false"


@pytest.mark.parametrize("written", ["false", "False", '"false"', "no", "off"])
def test_note_is_left_out_however_false_is_written(tmp_path: Path, written: str) -> None:
    """A person's no is a no, in any of the ways in which it is written in YAML."""
    data = f"---\npai: {written}\n---\n{SECRET}".encode()
    assert Reader(2**20).index("Note.md", data, FileStat(1, 1, 1), "hash") is None
    assert Reader(2**20).index("Note.md", b"---\npai: true\n---\n", FileStat(1, 1, 1), "hash")


def test_note_that_says_pai_false_no_longer_comes_back(go_live: GoLive, vault: Path) -> None:
    """Left out from the start, the note is read once, and again only when it changes."""
    note = vault / "Diary" / "Quokka.md"
    note.write_text(f"---\npai: false\nbroken: [\n---\n{SECRET}\n")
    for written in vault.rglob("*.md"):
        os.utime(written, (1, 1))  # what was written just now is read once more
    live = go_live(vault)
    live.settled()
    assert live.paths() == {"Open.md"}
    read = live.indexer.notes_read
    live.indexer.request()
    eventually(lambda: not live.indexer._agenda.is_due(), "another scan")
    live.settled()
    assert live.indexer.notes_read == read
    note.write_text(SECRET)
    eventually(lambda: live.paths() == {"Open.md", "Diary/Quokka.md"}, "the note")
    assert live.indexer.covered.status("Diary/Quokka.md").reason is None


def test_ignore_file_takes_notes_out_at_once(go_live: GoLive, vault: Path) -> None:
    """A `.paiignore` counts as soon as it is saved, and no longer when it is gone."""
    live = go_live(vault)
    live.settled()
    (vault / ".paiignore").write_text("# mine\n\nDiary/\n")
    eventually(lambda: live.paths() == {"Open.md"}, "the notes to leave")
    assert _traces(live) == []
    assert live.indexer.covered.status("Diary/Quokka.md").reason == "excluded by the pattern Diary/"
    (vault / ".paiignore").unlink()
    eventually(lambda: "Diary/Quokka.md" in live.paths(), "the notes to come back")
    (vault / "Diary" / "Quokka.md").write_text("The quokka is watched again.\n")
    eventually(lambda: live.searcher.search("quokka watched again", mode="text").results, "a save there")


@pytest.mark.parametrize(
    ("patterns", "left"),
    [
        ("*.draft.md\n", {"a.md", "F/b.md"}),
        ("F/*\n!F/b.md\n", {"a.md", "a.draft.md", "F/b.md"}),
        ("/a.md\n", {"a.draft.md", "F/b.md", "F/c.draft.md"}),
        ("\ufeff# only a comment\n", {"a.md", "a.draft.md", "F/b.md", "F/c.draft.md"}),
    ],
)
def test_ignore_file_is_read_as_gitignore(tmp_path: Path, patterns: str, left: set[str]) -> None:
    """Patterns, folders, anchors, comments and exceptions mean what they mean to git."""
    (tmp_path / ".paiignore").write_text(patterns, "utf-8")
    rules = IgnoreRules.of(tmp_path)
    names = ("a.md", "a.draft.md", "F/b.md", "F/c.draft.md")
    assert {name for name in names if rules.explain(name) is None} == left


def test_ignore_file_that_cannot_be_read_stops_indexing(tmp_path: Path) -> None:
    """To index what should be left out would be worse than to stop."""
    (tmp_path / ".paiignore").mkdir()
    with pytest.raises(UsageError, match=r"\.paiignore"):
        IgnoreRules.of(tmp_path)


BLOCK = "64f1c1d2-1111-4222-8333-444455556666"


@pytest.mark.parametrize("way", ["pattern", "property", "hidden", "configuration"])
def test_block_of_a_page_left_out_is_shown_nowhere(go_live: GoLive, tmp_path: Path, way: str) -> None:
    """A Logseq page that refers to a block no longer holds its words once the block's page is left out."""
    graph = tmp_path / "graph"
    for name in ("logseq", "pages", "pages/Own"):
        (graph / name).mkdir(parents=True)
    (graph / "logseq" / "config.edn").write_text("{}")
    page = graph / "pages" / "Own" / "Diary.md"
    page.write_text(f"- {SECRET}\n  id:: {BLOCK}\n")
    (graph / "pages" / "Open.md").write_text(f"- Heard today: (({BLOCK}))\n- and {{{{embed (({BLOCK}))}}}}\n")
    for number in range(5):
        (graph / "pages" / f"Other {number}.md").write_text("- bread\n")
    live = go_live(graph)
    live.settled()

    def found() -> set[str]:
        hits = [live.searcher.search("quokka sleeps", mode=mode).results for mode in ("text", "hybrid")]
        ids = [
            f"{note.path}#{n}" for note in live.index.catalog.notes() for n in range(len(note.vector_keys))
        ]
        kept = live.index.store.chunks.get(ids).values()
        return {passage.path for passages in hits for passage in passages if "quokka" in passage.text} | {
            chunk.path for chunk in kept if "quokka" in chunk.content
        }

    assert found() == {"pages/Own/Diary.md", "pages/Open.md"}
    match way:
        case "pattern":
            (graph / ".paiignore").write_text("Own/\n")
        case "property":
            page.write_text(f"pai:: false\n\n- {SECRET}\n  id:: {BLOCK}\n")
        case "hidden":
            (graph / "pages" / "Own").rename(graph / "pages" / ".Own")
        case "configuration":
            (graph / "logseq" / "config.edn").write_text('{:hidden ["/pages/Own"]}')
    eventually(lambda: found() == set(), "the words to leave")
    assert live.index.catalog.block_text(BLOCK) is None
    assert live.index.catalog.linked("pages/Open.md") == set()


@pytest.mark.parametrize("kept", ["Open copy.md", "Diary/Copy.md"])
def test_copy_of_a_note_left_out_stays(go_live: GoLive, vault: Path, kept: str) -> None:
    """Of two notes with the same bytes only the one that is left out goes; the other is found as before."""
    copy = vault / kept
    copy.write_bytes((vault / "Diary" / "Quokka.md").read_bytes())
    live = go_live(vault)
    live.settled()
    (vault / ".paiignore").write_text("Diary/Quokka.md\n")
    eventually(lambda: live.paths() == {"Open.md", kept}, "the note to leave")
    for mode in ("text", "semantic", "hybrid"):
        paths = {passage.path for passage in live.searcher.search(SECRET, mode=mode, limit=50).results}
        assert kept in paths
        assert "Diary/Quokka.md" not in paths
    assert live.index.missing() == []


def _holding(folder: Path, word: str) -> list[Path]:
    """Return the files of an index that hold a word."""
    held = []
    for inside, _, names in os.walk(folder):  # what vanishes meanwhile holds nothing
        for path in (Path(inside) / name for name in names):
            with suppress(FileNotFoundError):
                if word.encode() in path.read_bytes():
                    held.append(path)
    return held


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let what is left out leave the disk within a moment."""
    monkeypatch.setattr("pai_daemon.context.indexer.PURGE_S", 0.3)
    monkeypatch.setattr("pai_daemon.context.store.store.KEEP_S", 0.1)


@pytest.mark.usefixtures("soon")
@pytest.mark.parametrize("way", ["pattern", "property"])
def test_note_left_out_leaves_the_files_of_the_index(
    go_live: GoLive, vault: Path, tmp_path: Path, way: str
) -> None:
    """After a moment no file of the index holds a word of it, though it was a small part of the vault."""
    for number in range(60):
        (vault / f"Other {number}.md").write_text(f"Some bread from bakery number {number}.\n")
    live = go_live(vault)
    live.settled()
    live.index.tidy()
    folder = tmp_path / "index"
    assert _holding(folder, "quokka")
    vectors = len(live.index.space.matrix)
    (vault / "Open.md").write_text("A walk past the bakery.\n")
    if way == "pattern":
        (vault / ".paiignore").write_text("Diary/\n")
    else:
        (vault / "Diary" / "Quokka.md").write_text(f"---\npai: no\n---\n{SECRET}\n")
    eventually(lambda: not _holding(folder, "quokka"), "the word to leave the disk")
    assert len(live.index.space.matrix) < vectors
    assert len(live.searcher.search("bread from bakery", limit=100).results) > 50
    assert len(live.searcher.search("bakery", mode="text", limit=100).results) == 61


@pytest.mark.usefixtures("soon")
def test_note_left_out_leaves_the_disk_after_a_restart_too(
    go_live: GoLive, vault: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a stop kept from leaving the disk leaves it at the next start."""
    live = go_live(vault)
    live.settled()
    with monkeypatch.context() as patch:
        patch.setattr("pai_daemon.context.indexer.PURGE_S", 3600)
        (vault / ".paiignore").write_text("Diary/\n")
        eventually(lambda: live.paths() == {"Open.md"}, "the note to leave")
        live.indexer.stop()
    assert live.index.store.purge_step
    again = go_live(vault)
    eventually(lambda: again.index.store.purge_step is None, "the purge")
    assert not _holding(tmp_path / "index", "sleeps behind")


@pytest.mark.usefixtures("soon")
def test_note_left_out_waits_for_room_on_the_disk_and_leaves_then(
    go_live: GoLive, vault: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without room for a purge the status can say so, nothing spins, and it ends once there is room."""
    live = go_live(vault)
    live.settled()
    short, sweeps = Shortage(0, 1), list[float]()
    monkeypatch.setattr("pai_daemon.context.store.store.PUT_OFF_S", 0.2)
    rewrite, sweep = live.index.store.rewrite, live.index.store.sweep

    def rewrite_and_fill(rewrite_vectors: Callable[[], None]) -> None:
        rewrite(rewrite_vectors)
        monkeypatch.setattr("pai_daemon.context.store.store.shortage", lambda _: short)

    def counted() -> None:
        sweeps.append(time.monotonic())
        sweep()

    monkeypatch.setattr(live.index.store, "rewrite", rewrite_and_fill)
    monkeypatch.setattr(live.index.store, "sweep", counted)
    (vault / ".paiignore").write_text("Diary/\n")
    eventually(lambda: len(sweeps) > 2, "the purge to be tried again")
    assert min(later - earlier for earlier, later in pairwise(sweeps)) > 0.2
    assert live.index.store.shortage == replace(short, is_purging=True)
    monkeypatch.setattr("pai_daemon.context.store.store.shortage", lambda _: None)
    eventually(lambda: live.index.store.purge_step is None, "the purge")
    assert not _holding(tmp_path / "index", "sleeps behind")
