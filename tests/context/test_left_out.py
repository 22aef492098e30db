"""What a person leaves out: by `pai: false` in a note, or by a `.paiignore` in the vault."""

from __future__ import annotations

from pathlib import Path

import pytest

from pai_daemon.context.reading import Reader
from pai_daemon.context.related import Related
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
    related = Related(live.vault, live.index, live.searcher, live.reader)
    found = [
        f"{mode}: {passage.path}"
        for mode in ("text", "semantic", "hybrid")
        for query in ("quokka sleeps", SECRET, "secret")
        for passage in live.searcher.search(query, mode=mode, limit=50).results
        if passage.path != "Open.md" or "sleeps" in passage.text
    ]
    found += [f"related: {note.path}" for note in related.to_note("Open.md", 20)]
    found += [f"mention: {mention.target}" for mention in related.mentions("Open.md")[1]]
    found += [f"linked: {path}" for path in live.index.catalog.linked("Open.md")]
    found += [f"problem: {path}" for path, _ in live.indexer.problems()]
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
    assert live.indexer.explain("Diary/Quokka.md") == "the note says pai: false"


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
    assert live.indexer.explain("Diary/Quokka.md") is None


def test_ignore_file_takes_notes_out_at_once(go_live: GoLive, vault: Path) -> None:
    """A `.paiignore` counts as soon as it is saved, and no longer when it is gone."""
    live = go_live(vault)
    live.settled()
    (vault / ".paiignore").write_text("# mine\n\nDiary/\n")
    eventually(lambda: live.paths() == {"Open.md"}, "the notes to leave")
    assert _traces(live) == []
    assert live.indexer.explain("Diary/Quokka.md") == "excluded by the pattern Diary/"
    (vault / ".paiignore").unlink()
    eventually(lambda: "Diary/Quokka.md" in live.paths(), "the notes to come back")


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
