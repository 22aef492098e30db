"""What a person has remembered, found again and forgotten: a real daemon, the command line, and HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.daemon_process import DaemonProcess, Folders, eventually


@pytest.fixture(scope="module")
def keeping(tmp_path_factory: pytest.TempPathFactory, prepared_cache: Path) -> Iterator[DaemonProcess]:
    """Yield a daemon whose vault is its own, as these tests write into it."""
    home = tmp_path_factory.mktemp("memory")
    (home / "vault").mkdir()
    (home / "vault" / "Garden.md").write_text("# Garden\n\nTomatoes need full sun.\n", "utf-8")
    with DaemonProcess(home / "vault", Folders(home / "home", prepared_cache)) as daemon:
        daemon.ready()
        yield daemon


def pai(daemon: DaemonProcess, *arguments: str) -> Any:
    """Return what a command said, as JSON; fails with its error."""
    said = daemon.folders.pai(*arguments, "--json")
    assert said.returncode == 0, said.stderr
    return json.loads(said.stdout)


def recalled(keeping: DaemonProcess) -> Any:
    """Return what is recalled of the editor."""
    return pai(keeping, "recall", "Which editor do I use?")


def test_fact_is_remembered_recalled_answered_from_and_forgotten(keeping: DaemonProcess) -> None:
    """From the command line to a cited answer; with memory off the answer does not know it."""
    told = pai(keeping, "remember", "I write all my code in the editor Helix.", "--subject", "Tools")
    fact = told["fact"]
    assert fact["path"] == "Memory/Tools.md"
    assert fact["source"] == "cli"
    note = (keeping.vault / "Memory" / "Tools.md").read_text("utf-8")
    assert f"^{fact['id']}" in note.splitlines()[fact["line"] - 1]
    # On a busy machine the fact is embedded a moment later.
    found = eventually(lambda: asked if (asked := recalled(keeping))["results"] else None, "it is recalled")
    assert found["results"][0]["fact"]["id"] == fact["id"]

    def answered() -> Any:
        answer = pai(keeping, "ask", "Which editor do I use for my code?")
        return answer if any(each["block_id"] == fact["id"] for each in answer["citations"]) else None

    answer = eventually(answered, "an answer from memory", 20)
    assert "Helix" in answer["answer"]
    without = pai(keeping, "ask", "--no-memory", "Which editor do I use for my code?")
    assert "Helix" not in without["answer"]
    forgotten = pai(keeping, "forget", fact["id"])
    assert forgotten["outcome"] == "forgotten"
    assert pai(keeping, "recall", "Which editor do I use?")["results"] == []
    assert pai(keeping, "memory", "undo")["fact"]["id"] == fact["id"]
    assert pai(keeping, "forget", fact["id"][:6])["fact"]["id"] == fact["id"]


def test_newer_fact_is_told_before_the_one_that_it_replaced(keeping: DaemonProcess) -> None:
    """Both stand in the note, and the answer is what holds."""
    old = pai(keeping, "remember", "My home town is Kiel.")["fact"]
    new = pai(keeping, "memory", "supersede", old["id"], "My home town is Bremen.")["fact"]
    found = pai(keeping, "recall", "What is my home town?")["results"]
    assert found[0]["fact"]["id"] == new["id"]
    listed = pai(keeping, "memory", "list", "--past")["facts"]
    assert {fact["id"]: fact["superseded_by"] for fact in listed}[old["id"]] == new["id"]


def test_fact_of_a_person_in_their_editor_counts_as_one_of_ours(keeping: DaemonProcess) -> None:
    """A line without date and id is found, pinned and kept in its place."""
    note = keeping.vault / "Memory" / "Food.md"
    note.parent.mkdir(exist_ok=True)
    note.write_text(
        "# Food\n\n- I cannot stand coriander\n- [until:: soon] I fast ^m-2 [until:: soon]\n", "utf-8"
    )
    known = pai(keeping, "memory", "list", "--subject", "food")
    (found, *_) = known["facts"]
    assert [(each["path"], each["line"]) for each in known["broken"]] == [("Memory/Food.md", 4)]
    pinned = pai(keeping, "memory", "pin", found["id"])["fact"]
    assert pinned["pinned"]
    assert "- I cannot stand coriander [pinned:: true] ^" in note.read_text("utf-8")


def test_what_was_forgotten_at_once_is_in_no_file_of_the_daemon(keeping: DaemonProcess) -> None:
    """Seconds later no file of index, undo, journal and caches holds the word; the note does not either."""
    word = "Quittenmarmelade"
    fact = pai(keeping, "remember", f"My secret recipe is {word} with pepper.")["fact"]
    eventually(lambda: keeping.client.search(word)["results"], "the fact in the index", 20)
    assert pai(keeping, "recall", "secret recipe")["results"]
    assert pai(keeping, "forget", fact["id"], "--at-once")["undo"] is None
    places = (keeping.vault, keeping.folders.settings.data_dir, keeping.folders.settings.config_dir)

    def is_nowhere() -> bool:
        try:
            files = [path for place in places for path in place.rglob("*") if path.is_file()]
            return not any(word.encode() in path.read_bytes() for path in files)
        except FileNotFoundError:
            return False  # the index is being written anew

    eventually(is_nowhere, "no file with the word", 60)
    assert word not in str(keeping.client.search(word)["results"])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("remember", "   "), "nothing to remember"),
        (("remember", "x", "--until", "soon"), "no day"),
        (("forget", "m-nothing"), "No fact is called"),
        (("memory", "edit", "m-nothing", "x"), "No fact is called"),
        (("memory", "undo", "m-nothing"), "no such change"),
        (("recall", "x", "--since", "yesterday"), "no day"),
        (("recall", " "), "empty"),
    ],
)
def test_wrong_order_says_what_to_do(keeping: DaemonProcess, arguments: tuple[str, ...], said: str) -> None:
    """Nothing is written for it."""
    before = sorted(keeping.vault.rglob("*.md"))
    failed = keeping.folders.pai(*arguments)
    assert failed.returncode in (64, 66), failed.stderr
    assert said in failed.stderr
    assert sorted(keeping.vault.rglob("*.md")) == before


def test_fact_of_a_local_only_note_is_local_only(keeping: DaemonProcess) -> None:
    """What is remembered of a line of such a note stays on this machine as the line does (D15)."""
    note = keeping.vault / "Secret.md"
    note.write_text("---\npai: local\n---\nThe safe opens with a feather.\n", "utf-8")
    try:
        kept = keeping.client.remember("The safe opens with a feather.", notes=["Secret.md"])["fact"]
        assert kept["path"] == "Memory/About me (local).md"
        asked = f"/api/notes/{quote(kept['path'], safe='')}/status"
        eventually(lambda: keeping.client.get(asked).get("local_only"), "the fact's note to be local-only")
        keeping.client.forget(kept["id"], at_once=True)
    finally:
        note.unlink()


def test_named_token_needs_the_scope_and_is_named_as_the_source(keeping: DaemonProcess) -> None:
    """A program that may search may not read what is remembered; one that may is written beside its facts."""
    for scope, status in (("search", 403), ("memory", 200)):
        name = f"program-{scope}"
        token = keeping.folders.pai("token", "create", name, "--scope", scope).stdout.strip()
        body = {"text": f"My cat is called {scope}.", "source": "you"}
        headers = {"Authorization": f"Bearer {token}"}
        reply = keeping.request("POST", "/api/memory", body=body, headers=headers, authorized=False)
        assert reply.status == status
        if status == 200:
            assert reply.json["fact"]["source"] == name
