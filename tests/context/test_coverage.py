"""What the index holds of each path is said in one place, without reading anything for it (D14, D69)."""

from __future__ import annotations

import builtins
import os
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from pai_daemon.context.catalog import Catalog, IndexedNote
from pai_daemon.context.coverage import Covered, Listed
from pai_daemon.context.filters import MAX_PROPERTIES, property_entries
from pai_daemon.context.index import Index
from pai_daemon.context.intake import Intake
from pai_daemon.context.privacy import Privacy
from pai_daemon.context.reading import Reader
from pai_daemon.models.embedder import Embedder
from pai_daemon.vault.ignore import IgnoreRules
from pai_daemon.vault.scan import FileStat, scan
from tests.context.conftest import GoLive
from tests.daemon_process import eventually

NOTES = {
    "Open.md": "# Open\n\nSomething to read.\n",
    "Bent.md": "---\na: [1\n---\nBent properties.\n",
    "Asked.md": "---\npai: false\n---\nLeft out by itself.\n",
    "Local.md": "---\npai: local\n---\nStays here.\n",
    "Hidden/A.md": "Out.\n",
    "draft.tmp.md": "A note all the same.\n",
}
MANY = 13_000


def note(path: str, *, tags: tuple[str, ...] = (), properties: tuple[str, ...] = ()) -> IndexedNote:
    """Return an indexed note with two chunks."""
    keys = (f"{path}:0", f"{path}:1")
    return IndexedNote(path, FileStat(1, 1, 1), "hash", path, (), tags, (), (), keys, properties=properties)


def covered(catalog: Catalog, privacy: Privacy, missing: dict[str, None]) -> Covered:
    """Return what answers for a catalog, with no store behind it."""
    matrix = {key: 0 for key in catalog.vector_keys() if key not in missing}
    live = SimpleNamespace(missing=missing, matrix=matrix)
    index = SimpleNamespace(
        catalog=catalog,
        privacy=privacy,
        private_paths=lambda: privacy.private_paths(catalog),
        live=live,
        revision=7,
        revision_of=lambda _path: 5,
    )
    intake = SimpleNamespace(left_out={}, private={}, unreadable={}, waiting=set())
    reader = SimpleNamespace(graph=None)
    return Covered(
        Path("/nowhere"),
        cast("Index", index),
        cast("Reader", reader),
        cast("Intake", intake),
        IgnoreRules(),
    )


def test_each_path_of_a_vault_has_one_state_and_a_reason(
    go_live: GoLive, tmp_path: Path, embedder: Embedder
) -> None:
    """Indexed, skipped by a rule or by itself, failed, missing: the lists and the single answers agree."""
    vault = tmp_path / "states"
    for path, text in NOTES.items():
        (vault / path).parent.mkdir(parents=True, exist_ok=True)
        (vault / path).write_text(text, "utf-8")
    (vault / "Away.md").symlink_to("/nowhere/at all.md")
    (vault / ".paiignore").write_text("Hidden/\n*.tmp.md\n", "utf-8")
    live = go_live(vault)
    live.settled()
    told = live.indexer.covered

    def listed(state: Listed) -> dict[str, str | None]:
        return {each.path: each.reason for each in told.page(state).notes}

    assert listed("indexed") == dict.fromkeys(("Bent.md", "Local.md", "Open.md"))
    assert listed("skipped") == {
        "Asked.md": "the note says pai: false",
        "Hidden/": "excluded by the pattern Hidden/",
        "draft.tmp.md": "excluded by the pattern *.tmp.md",
    }
    assert listed("failed") == {"Away.md": "a link to nothing"} | listed("failed")
    assert listed("pending") == {}
    assert set(listed("private")) == {"Local.md"}
    assert told.page().counts == {"indexed": 3, "pending": 0, "skipped": 3, "failed": 1}
    for each in told.page().notes:
        if not each.path.endswith("/"):
            assert told.status(each.path) == each
    assert told.status("Local.md").local_only == "the note says pai: local"
    assert told.status("Bent.md").problems
    assert told.status("Hidden/A.md").reason == "excluded by the pattern Hidden/"
    assert told.status("Nothing.md").state == "missing"
    assert told.status("../elsewhere.md").reason == "not a path within the vault"


def test_revision_of_a_note_rises_with_its_own_saves_alone(go_live: GoLive, tmp_path: Path) -> None:
    """A status says at which revision the index took in what it has of a note."""
    vault = tmp_path / "revisions"
    vault.mkdir()
    for name in ("One.md", "Two.md"):
        (vault / name).write_text(f"{name} says something.", "utf-8")
    live = go_live(vault)
    live.settled()
    before = {name: live.indexer.covered.status(name).revision for name in ("One.md", "Two.md")}
    (vault / "One.md").write_text("One says something else.", "utf-8")
    told = live.indexer.covered
    eventually(lambda: (told.status("One.md").revision or 0) > (before["One.md"] or 0), "it is read")
    assert told.status("Two.md").revision == before["Two.md"]


def test_listing_of_a_large_vault_reads_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page of 13,000 notes asks neither the store, which is not there, nor the disk."""
    catalog = Catalog(note(f"Folder {number % 40}/Note {number:05}.md") for number in range(MANY))
    told = covered(catalog, Privacy(("Folder 3/",)), {"Folder 7/Note 00007.md:1": None})
    read: list[Any] = []
    with monkeypatch.context() as watched:
        for module, name in ((builtins, "open"), (os, "stat"), (os, "scandir"), (os, "lstat")):
            watched.setattr(module, name, lambda *given, **_: read.append(given))
        pages = [told.page(limit=1000)]
        while pages[-1].after is not None:
            pages.append(told.page(limit=1000, after=pages[-1].after))
        private = told.page("private", limit=1000)
        pending = told.page("pending")
    assert read == []
    paths = [each.path for page in pages for each in page.notes]
    assert paths == sorted(each.path for each in catalog.notes())
    assert len(pages) == MANY // 1000
    assert {each.path.partition("/")[0] for each in private.notes} == {"Folder 3"}
    assert len(private.notes) == MANY // 40
    assert [(each.path, each.embedded_chunks) for each in pending.notes] == [("Folder 7/Note 00007.md", 1)]


def test_note_waits_until_it_has_been_read() -> None:
    """What a scan found and nobody has read yet is pending, also where an older form of it is indexed."""
    told = covered(Catalog([note("Known.md")]), Privacy(), {})
    told._intake.waiting.update(("Known.md", "New.md"))
    assert [(each.path, each.indexed) for each in told.page("pending").notes] == [
        ("Known.md", True),
        ("New.md", False),
    ]


@pytest.mark.parametrize(
    ("kept", "rule"),
    [
        (note("A.md", properties=("pai", "pai=local")), "the note says pai: local"),
        (note("A.md", tags=("Secret/Deep",)), "the setting local_only names the tag #secret"),
        (note("Diary/Sub/A.md"), "the setting local_only names Diary/"),
        (note("A.md", tags=("secretive",), properties=("pai=locally",)), None),
        (note("Diary.md"), None),
    ],
)
def test_local_only_rule_is_named(kept: IndexedNote, rule: str | None) -> None:
    """By property, tag or folder a note stays here, and the status says by which."""
    assert Privacy(("Diary/", "#secret")).rule(kept, Catalog([kept])) == rule


def test_note_that_shows_a_block_of_a_local_only_note_stays_too() -> None:
    """What a note of Logseq shows is in its own text; also by way of a third one."""
    diary = replace(note("Diary/A.md"), block_texts={"a1": "secret"})
    middle = replace(note("B.md"), block_texts={"b1": "((a1))"}, shown={"a1": ""})
    shows, open_ = replace(note("C.md"), shown={"b1": ""}), replace(note("D.md"), shown={"c1": ""})
    catalog, privacy = Catalog([diary, middle, shows, open_]), Privacy(("Diary/",))
    assert privacy.private_paths(catalog) == {"Diary/A.md", "B.md", "C.md"}
    assert privacy.rule(shows, catalog) == (
        "it shows a block of Diary/A.md: the setting local_only names Diary/"
    )


def test_a_note_with_many_properties_still_stays_here() -> None:
    """What is kept of a note's properties is bounded; that it stays on this machine is kept first."""
    properties = {f"column {number}": number for number in range(MAX_PROPERTIES)} | {"PAI": "local"}
    assert "pai=local" in property_entries(properties)


def test_scan_names_what_it_leaves_out_and_no_attachments(tmp_path: Path) -> None:
    """A folder that is out is named once, with a slash; pictures are not notes that were left out."""
    for name in ("Out/deep/A.md", "B.md", "C.md", "picture.png", "Out/D.md"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x", "utf-8")
    assert scan(tmp_path, IgnoreRules(("Out/", "C.md"))).left_out == {
        "Out/": "excluded by the pattern Out/",
        "C.md": "excluded by the pattern C.md",
    }
