"""What a grant does not say is not done, and no note of a person is written over, by any spelling."""

from __future__ import annotations

import unicodedata
from datetime import date
from pathlib import Path

import pytest

from pai_daemon.action.action import Action
from pai_daemon.action.actions import Actions
from pai_daemon.action.audit import AuditLog
from pai_daemon.action.grant import Grant
from pai_daemon.errors import Forbidden, NoteChanged, UsageError
from pai_daemon.vault.shelf import Shelf
from tests.action.test_actions import Desk

EVERYWHERE = [Grant("create", "**"), Grant("append", "**")]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """Return an empty vault with its actions."""
    return Desk(tmp_path)


def test_note_that_was_only_appended_to_is_not_created_anew(desk: Desk) -> None:
    """What an action left at the end of a person's note makes the note no creation of ours."""
    desk.write("Journal/A.md", "written by hand\n")
    desk.actions.apply(Action("append", "Journal/A.md", "added"), by="r", grants=EVERYWHERE)
    for actions in (desk.actions, desk.open()):
        with pytest.raises(NoteChanged):
            actions.apply(Action("create", "Journal/A.md", "new"), by="r", grants=EVERYWHERE)
        with pytest.raises(NoteChanged):
            actions.propose(Action("create", "Journal/A.md", "new"), by="n8n")
    assert desk.read("Journal/A.md").startswith("written by hand\n")


def test_note_that_another_created_is_not_replaced(desk: Desk) -> None:
    """A routine replaces its own notes, and neither another's nor what a person approved."""
    waiting = desk.actions.propose(Action("create", "A.md", "approved"), by="n8n")
    desk.actions.approve(waiting.id, by="you")
    desk.actions.apply(Action("create", "B.md", "of one"), by="routine one", grants=EVERYWHERE)
    for path in ("A.md", "B.md"):
        with pytest.raises(NoteChanged):
            desk.actions.apply(Action("create", path, "x"), by="routine two", grants=EVERYWHERE)
    assert desk.read("A.md") == "approved\n"


@pytest.mark.parametrize(
    "path", ["/Routinen für mich/Evil.md", "//Routinen für mich//Evil.md", "NFD", "NFKD"]
)
def test_sealed_folder_is_sealed_by_every_spelling(tmp_path: Path, path: str) -> None:
    """A slash more, or accents composed otherwise, open no folder that is sealed."""
    vault = tmp_path / "vault"
    (vault / "Routinen für mich").mkdir(parents=True)
    (vault / "Routinen für mich" / "A.md").write_text("mine\n", "utf-8")
    actions = Actions(
        Shelf(vault, "", tmp_path / "undo"), AuditLog(tmp_path / "log"), sealed=("Routinen für mich",)
    )
    if path.startswith("NF"):
        path = unicodedata.normalize(path, "Routinen für mich/A.md")  # type: ignore[arg-type]
    with pytest.raises(Forbidden, match="may not"):
        actions.apply(Action("append", path, "x"), by="r", grants=EVERYWHERE)
    assert (vault / "Routinen für mich" / "A.md").read_text("utf-8") == "mine\n"


@pytest.mark.parametrize(
    "path",
    [
        "../out.md", "Journal/../../out.md", "Journal/..\\out.md", "Journal/. ./x.md", "Journal/x.md.",
        "Journal/x\u0000.md", ".obsidian/x.md", "./Journal/x.md", "C:x.md", "link/x.md",
    ],
)  # fmt: skip
def test_path_that_is_a_trick_is_refused(desk: Desk, path: str) -> None:
    """Nothing is written beyond the vault, into a hidden folder, or behind a link."""
    (desk.vault.parent / "out").mkdir()
    (desk.vault / "link").symlink_to(desk.vault.parent / "out")
    with pytest.raises((Forbidden, UsageError)):
        desk.actions.apply(Action("create", path, "x"), by="r", grants=EVERYWHERE)
    assert not list((desk.vault.parent).rglob("*.md"))


def test_pattern_of_a_note_opens_no_folder_of_that_name() -> None:
    """A pattern that ends as a note does covers notes, and nothing below a folder that is named like one."""
    day = date(2026, 3, 9)
    assert Grant("append", "Journal/*.md").covers("append", "Journal/a.md", day)
    assert not Grant("append", "Journal/*.md").covers("append", "Journal/x.md/evil.md", day)
    assert not Grant("append", "Journal/**/x*").covers("append", "Journal/x.md/evil.md", day)
    assert Grant("append", "Journal/**").covers("append", "Journal/b/a.md", day)
    assert Grant("append", "Journal").covers("append", "Journal/b/a.md", day)
