"""An import makes notes once, goes on where it was ended, and leaves what the person changed (D85)."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pai_daemon.errors import VaultUnavailable
from pai_daemon.memory.exporting import export
from pai_daemon.memory.importing.importer import Importer, Report
from pai_daemon.memory.importing.pages import file_name, harmless, seal_of
from pai_daemon.memory.importing.reading import Reading
from pai_daemon.memory.importing.records import Statement
from pai_daemon.notes.reader import read_note
from pai_daemon.vault.shelf import Shelf
from tests.memory.exports import CHAT_ID, SPRING, archive, chatgpt, claude, many, message, written

FIRST = "Conversations/ChatGPT/2024/2024-05-12 Engine of the boat.md"


def take(shelf: Shelf, *paths: Path, **options: Any) -> Report:
    """Import files."""
    return Importer(shelf, **options).take(Reading(paths).records())


def chats(tmp_path: Path, *given: dict[str, Any]) -> Path:
    """Return an archive of ChatGPT with these conversations."""
    return archive(tmp_path / "export.zip", {"conversations.json": list(given)})


def everything(shelf: Shelf) -> dict[str, str]:
    """Return the texts of the memory folder by path."""
    return {path: shelf.read(path) or "" for path in shelf.paths()}


def test_conversation_becomes_a_note_with_its_source_in_the_frontmatter(shelf: Shelf, tmp_path: Path) -> None:
    """Title, source, id and times are properties; each side's words stand under a heading."""
    report = take(shelf, chats(tmp_path, chatgpt("When?", "In May.", title='The "boat": engine')))
    assert dict(report.conversations) == {"new": 1}
    (path, text), *_ = everything(shelf).items()
    note = read_note(path, text.encode())
    assert note.properties["title"] == 'The "boat": engine'
    assert note.properties["source"] == "chatgpt"
    assert note.properties["id"] == CHAT_ID
    assert str(note.properties["created"]).startswith("2024-05-12")
    assert [each.text for each in note.headings] == ["You, 2024-05-12 07:46", "ChatGPT, 2024-05-12 07:47"]
    assert not note.problems


def test_import_twice_changes_nothing(shelf: Shelf, tmp_path: Path) -> None:
    """The second time all is here already, facts too, and no byte and no file is different."""
    facts = written(tmp_path / "mem0.json", [{"memory": "Likes tea", "created_at": "2025-03-01T09:00:00Z"}])
    export = chats(tmp_path, chatgpt("a"), chatgpt("b", chat_id="2"))
    take(shelf, export, facts)
    before = everything(shelf)
    report = take(shelf, export, facts)
    assert everything(shelf) == before
    assert (dict(report.conversations), dict(report.facts)) == ({"unchanged": 2}, {"unchanged": 1})
    assert "- Likes tea (2025-03-01, from: mem0) ^m-" in before["Imported.md"]


def test_conversation_that_went_on_is_written_again(shelf: Shelf, tmp_path: Path) -> None:
    """A later export has more; an older one does not take it back."""
    old = chats(tmp_path, chatgpt("a", "b"))
    take(shelf, old)
    new = written(tmp_path / "new.json", [chatgpt("a", "b", "c", update_time=SPRING + 9999)])
    assert dict(take(shelf, new).conversations) == {"updated": 1}
    assert (shelf.read(FIRST) or "").endswith("\nc\n")
    assert dict(take(shelf, old).conversations) == {"unchanged": 1}
    assert (shelf.read(FIRST) or "").endswith("\nc\n")


def test_note_that_the_person_changed_stays_and_is_told(shelf: Shelf, tmp_path: Path) -> None:
    """One letter by the person keeps a note from every later import."""
    take(shelf, chats(tmp_path, chatgpt("a", "b")))
    mine = (shelf.read(FIRST) or "").replace("\na\n", "\nA\n")
    (shelf.root / FIRST).write_text(mine, "utf-8")
    new = written(tmp_path / "new.json", [chatgpt("a", "b", "c", update_time=SPRING + 9999)])
    report = take(shelf, new)
    assert shelf.read(FIRST) == mine
    assert (dict(report.conversations), report.yours) == ({"yours": 1}, [FIRST])


def test_note_that_the_person_moved_is_found(shelf: Shelf, tmp_path: Path) -> None:
    """Another name within the folder of conversations makes no second note."""
    export = chats(tmp_path, chatgpt("a"))
    take(shelf, export)
    (shelf.root / FIRST).rename(shelf.root / "Conversations" / "Mine.md")
    assert dict(take(shelf, export).conversations) == {"unchanged": 1}
    assert list(shelf.paths()) == ["Conversations/Mine.md"]


def test_dry_run_writes_nothing_and_counts_the_same(shelf: Shelf, tmp_path: Path) -> None:
    """What would be done is told as it will be, also with one conversation twice."""
    export = chats(tmp_path, chatgpt("a"), chatgpt("b", chat_id="2"), chatgpt("b", chat_id="2"))
    dry = take(shelf, export, dry_run=True)
    assert not shelf.root.exists()
    assert dry.conversations == take(shelf, export).conversations == {"new": 2, "unchanged": 1}


def test_conversations_of_one_name_get_two_notes(shelf: Shelf, tmp_path: Path) -> None:
    """Also where only capitals differ, which some disks do not tell apart."""
    take(shelf, chats(tmp_path, chatgpt("a", title="Boat"), chatgpt("b", title="BOAT", chat_id="22-33")))
    assert [Path(path).name for path in shelf.paths()] == ["2024-05-12 BOAT 2233.md", "2024-05-12 Boat.md"]


@pytest.mark.parametrize(
    "title",
    [
        'a/b\\c:d*e?f"g<h>i|j#k^l[m]n%o',
        "../../../etc/passwd",
        "x" * 300,
        "ü" * 300,
        "🎉" * 300,
        "CON",
        ".hidden",
        "\x00\n",
        "",
    ],
)
def test_title_of_any_kind_gives_a_name_for_every_system(shelf: Shelf, tmp_path: Path, title: str) -> None:
    """The note lies in the folder, under a name that can be linked to, and keeps its title."""
    take(shelf, chats(tmp_path, chatgpt("Hello", title=title)))
    (path,) = shelf.paths()
    name = Path(path).name
    assert path.startswith("Conversations/ChatGPT/2024/")
    assert len(name.encode()) < 255
    assert not set(name) & set('\\/:*?"<>|#^[]%\x00\n')
    expected = " ".join(title.replace("\x00", "").split()) or "Hello"
    assert read_note(path, (shelf.read(path) or "").encode()).properties["title"] == expected


@given(st.text(max_size=300))
def test_name_of_any_title_is_one_name(title: str) -> None:
    """Whatever a title holds, what comes out is a name that Windows takes, too."""
    name = file_name(title)
    assert name
    assert name.strip(" .") == name
    assert len(name.encode()) <= 201


def test_import_that_was_killed_goes_on(shelf: Shelf, tmp_path: Path) -> None:
    """Killed in the middle, it leaves whole notes; the next run ends with the same as one that was not."""
    export = tmp_path / "conversations.json"
    export.write_text("".join(many(150)), "utf-8")
    code = (
        "import sys; from pathlib import Path\n"
        "from pai_daemon.memory.importing.importer import Importer\n"
        "from pai_daemon.memory.importing.reading import Reading\n"
        "from pai_daemon.vault.shelf import Shelf\n"
        "vault, undo, export = map(Path, sys.argv[1:])\n"
        "Importer(Shelf(vault, 'Memory', undo)).take(Reading((export,)).records())\n"
    )
    child = subprocess.Popen([sys.executable, "-c", code, shelf.vault, shelf.undo, export])
    deadline = time.monotonic() + 60
    while len(list(shelf.paths())) < 20 and time.monotonic() < deadline:
        time.sleep(0.01)
    child.kill()
    child.wait()
    before = everything(shelf)
    assert 20 <= len(before) < 150
    assert all(len(set(seal_of(text))) == 1 and seal_of(text)[0] for text in before.values())
    report = take(shelf, export)
    assert report.conversations == {"unchanged": len(before), "new": 150 - len(before)}
    whole = Shelf(shelf.vault, "Other", shelf.undo)
    take(whole, export)
    assert everything(shelf) == everything(whole)


def test_vault_that_is_gone_is_an_error(shelf: Shelf, tmp_path: Path) -> None:
    """An unmounted vault is not made anew."""
    export = chats(tmp_path, chatgpt("a"))
    shelf.vault.rmdir()
    with pytest.raises(VaultUnavailable):
        take(shelf, export)
    assert not shelf.vault.exists()


def test_link_in_the_place_of_a_folder_is_not_followed(shelf: Shelf, tmp_path: Path) -> None:
    """A link cannot make an import write beyond the vault."""
    outside = tmp_path / "outside"
    outside.mkdir()
    shelf.root.mkdir()
    (shelf.root / "Conversations").symlink_to(outside)
    with pytest.raises(Exception, match="link"):
        take(shelf, chats(tmp_path, chatgpt("a")))
    assert not list(outside.iterdir())


ACTIVE = {
    "picture": "![x](https://evil.example/?q)",
    "picture by reference": "![x][1]\n\n[1]: https://evil.example/x.png",
    "tag": 'see <img src="https://evil.example/x.png">',
    "tag after code that is none": "$$\n```\n$$\n<img src=https://evil.example>",
    "tag after a quoted fence": "> ```\n<img src=https://evil.example>",
    "tag after an indented fence": " ```\n```\n<img src=https://evil.example>\n```",
    "tag between escaped marks": "\\`<img src=https://evil.example>\\`",
    "tag between marks of a line before": "x `\n` <img src=https://evil.example> ` y",
    "tag after a tag that hid code": "<div>\n```\n\n```\n<img src=https://evil.example>\n```",
    "picture with brackets": "![a [b] c](https://evil.example)",
    "plugin": "```dataviewjs\ndv.view()\n```",
    "plugin in a list": "- a\n  ~~~ dataviewjs\n  dv.view()\n  ~~~",
    "inline plugin": "Now `$= dv.view()` and `= this.x`",
    "template": "```js\n<%* tp.system() %>\n```",
    "comment": "a %% b",
    "html comment": "a <!-- b",
    "embed": "![[Secret]]",
    "open fence": "```js\nx",
    "open fence, indented": "  ~~~\nx",
}


@pytest.mark.parametrize("name", ACTIVE)
def test_what_others_wrote_does_nothing_when_the_note_is_opened(name: str) -> None:
    """No picture, tag, template or plugin's code comes alive, and nothing reaches into what follows."""
    said = harmless(ACTIVE[name])
    note = read_note("x.md", f"{said}\n\n## Next\n\nMarlene\n".encode())
    code = [(block.start, block.end) for block in note.blocks if block.kind == "code"]
    prose = "".join(
        char for at, char in enumerate(note.text) if not any(start <= at < end for start, end in code)
    )
    assert [each.text for each in note.headings] == ["Next"]
    assert "![" not in prose
    assert not any(mark.kind in ("html", "comment", "template") for mark in note.marks)
    assert not any(block.kind in ("html", "comment") for block in note.blocks)
    assert "<%" not in note.text
    assert not {block.label for block in note.blocks if block.kind == "code"} - {"js", "text", ""}
    assert "`=" not in prose
    assert "`$=" not in prose


def test_headings_of_an_answer_lie_below_its_turn() -> None:
    """What a message calls its first heading is no turn of the conversation; code stays as it is."""
    assert harmless("# A\n```sh\n# no heading\n```\n###### B") == "### A\n```sh\n# no heading\n```\n###### B"


@given(st.text(alphabet="ab #-`~>$<!%[]()=\n ", max_size=60))
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_no_message_swallows_the_next(text: str) -> None:
    """After any text the next turn is a heading of the note."""
    note = read_note("x.md", f"## One\n\n{harmless(text)}\n\n## Next\n".encode())
    assert note.headings[-1].text == "Next"
    assert not any(each.level < 3 for each in note.headings[1:-1])


def test_facts_of_the_person_are_known_and_left_alone(shelf: Shelf, tmp_path: Path) -> None:
    """A fact that stands there in other capitals is not added again, and the note's own lines stay."""
    mine = "# Food\r\n\r\nI write this.\r\n- likes TEA.\r\n"
    shelf.write("food.md", mine, before=None)
    facts = [{"memory": "Likes tea", "categories": ["food"]}, {"memory": "Bakes", "categories": ["food"]}]
    report = take(shelf, written(tmp_path / "f.json", facts))
    assert dict(report.facts) == {"unchanged": 1, "new": 1}
    text = shelf.read("food.md") or ""
    assert text.startswith(mine + "- Bakes (from: mem0) ^m-")
    assert text.endswith("\r\n")


def test_fact_cannot_bring_a_date_or_an_id_of_its_own(shelf: Shelf, tmp_path: Path) -> None:
    """A text that looks like a fact's end is text; the last id and date are ours."""
    take(shelf, written(tmp_path / "f.jsonl", {"memory": "x (2020-01-01, from: you) ^m-1\n- y ^m-2"}))
    lines = (shelf.read("Imported.md") or "").splitlines()[2:]
    assert len(lines) == 1
    assert lines[0].startswith("- x (2020-01-01, from: you) ^m-1 - y ^m-2 (from: mem0) ^m-")


def test_claude_and_chatgpt_lie_in_folders_of_their_own(shelf: Shelf, tmp_path: Path) -> None:
    """The folder can be chosen, and each program has one in it."""
    export = chats(
        tmp_path, chatgpt("a"), claude("b"), chatgpt(message("user", "c"), chat_id="9", create_time=None)
    )
    take(shelf, export, folder="Chats")
    assert {Path(path).parts[:2] for path in shelf.paths()} == {("Chats", "ChatGPT"), ("Chats", "Claude")}


def test_statement_without_words_is_no_fact(shelf: Shelf) -> None:
    """Blanks and controls alone make no line."""
    Importer(shelf).take([Statement(" \x00 ", "x")])
    assert not shelf.root.exists()


def test_list_in_a_profile_holds_no_facts(shelf: Shelf) -> None:
    """It is exported as a note alone, and hides no fact that is imported."""
    shelf.write("Profile.md", "# Profile\n\n- I write in Helix.\n", before=None)
    kinds = [json.loads(line)["type"] for line in export(shelf, lambda _: True, datetime.now(UTC))]
    assert kinds == ["pai-memory", "note", "end"]
    report = Importer(shelf).take([Statement("I write in Helix.", "test", said=None)])
    assert report.facts["new"] == 1
