"""Exports are read as their programs made them, one entry at a time, what is passed over is told (D85)."""

from __future__ import annotations

import json
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pai_daemon.errors import UsageError
from pai_daemon.memory.importing import streams
from pai_daemon.memory.importing.reading import Reading
from pai_daemon.memory.importing.records import Conversation, Document, Record, Skipped, Statement
from pai_daemon.memory.importing.splitting import Splitter
from tests.memory.exports import (
    MEMORIES,
    PROJECT,
    SPRING,
    archive,
    chatgpt,
    claude,
    many,
    message,
    node,
    written,
)


def read(*paths: Path) -> list[Record]:
    """Return all that some files hold."""
    return list(Reading(paths).records())


def conversations(*paths: Path) -> list[Conversation]:
    """Return the conversations of some files."""
    return [each for each in read(*paths) if isinstance(each, Conversation)]


def statements(*paths: Path) -> list[Statement]:
    """Return the facts of some files."""
    return [each for each in read(*paths) if isinstance(each, Statement)]


def reasons(*paths: Path) -> dict[str, int]:
    """Return why how much was passed over."""
    return {each.why: each.count for each in read(*paths) if isinstance(each, Skipped)}


def said(*messages: Any, tmp_path: Path, **more: Any) -> list[str]:
    """Return the texts of a conversation of ChatGPT with these messages, as they are read."""
    (found,) = conversations(written(tmp_path / "c.json", [chatgpt(*messages, **more)]))
    return [each.text for each in found.messages]


def test_chatgpt_archive_gives_conversations_with_times_and_title(tmp_path: Path) -> None:
    """Title, id, times and both sides' words come out of conversations.json."""
    export = archive(tmp_path / "export.zip", {"conversations.json": [chatgpt("When?", "In May.")]})
    (found,) = conversations(export)
    assert (found.source, found.title) == ("chatgpt", "Engine of the boat")
    assert found.created == datetime.fromtimestamp(SPRING, UTC)
    assert [(each.author, each.text) for each in found.messages] == [
        ("person", "When?"),
        ("assistant", "In May."),
    ]
    assert found.url == f"https://chatgpt.com/c/{found.id}"


def test_chatgpt_takes_the_branch_that_was_shown_last(tmp_path: Path) -> None:
    """An answer that was asked for anew is there once, and the other is counted."""
    chat = chatgpt("When?", "In June.")
    chat["mapping"]["b"] = node("b", "m0", [], message("assistant", "In May."))
    chat["mapping"]["m0"]["children"].append("b")
    chat["current_node"] = "b"
    path = written(tmp_path / "c.json", [chat])
    assert [each.text for each in conversations(path)[0].messages] == ["When?", "In May."]
    assert reasons(path)["messages of other branches"] == 1


@pytest.mark.parametrize("current", ["gone", None, 7])
def test_chatgpt_without_a_current_node_takes_the_latest_leaf(tmp_path: Path, current: object) -> None:
    """Where nothing says what was shown, it is the branch with the latest message."""
    chat = chatgpt("When?", "In June.", current_node=current)
    chat["mapping"]["b"] = node("b", "m0", [], message("assistant", "In May.", said=SPRING + 9999))
    (found,) = conversations(written(tmp_path / "c.json", [chat]))
    assert [each.text for each in found.messages] == ["When?", "In May."]


def test_chatgpt_tree_that_bites_its_tail_ends(tmp_path: Path) -> None:
    """A cycle of parents is walked once."""
    chat = chatgpt("a", "b")
    chat["mapping"]["m0"]["parent"] = "m1"
    assert len(conversations(written(tmp_path / "c.json", [chat]))[0].messages) == 2


def test_chatgpt_parts_that_are_no_text_are_counted(tmp_path: Path) -> None:
    """Of a message with a picture the words are taken; what was spoken counts as text."""
    picture = {"content_type": "image_asset_pointer", "asset_pointer": "file-service://f"}
    spoken = {"content_type": "audio_transcription", "text": "Spoken."}
    mixed = message(
        "user", content={"content_type": "multimodal_text", "parts": [picture, "See this.", spoken]}
    )
    path = written(tmp_path / "c.json", [chatgpt(mixed, "Fine.")])
    assert conversations(path)[0].messages[0].text == "See this.\n\nSpoken."
    assert reasons(path) == {"pictures, sounds and videos": 1}


def test_chatgpt_tools_thoughts_and_hidden_messages_stay_out(tmp_path: Path) -> None:
    """What the person never saw as an answer is no part of the note."""
    assert said(
        message("system", "You are ChatGPT."),
        message("user", "Hidden", metadata={"is_visually_hidden_from_conversation": True}),
        message("user", "Count"),
        message("assistant", content={"content_type": "thoughts", "thoughts": [{"content": "hm"}]}),
        message(
            "assistant",
            content={"content_type": "code", "language": "python", "text": "1"},
            recipient="python",
        ),
        message("tool", "1"),
        message("assistant", "It is \ue200cite\ue202turn0search1\ue201one【4†source】."),
        tmp_path=tmp_path,
    ) == ["Count", "It is one."]


def test_claude_archive_gives_conversations_projects_and_memory(tmp_path: Path) -> None:
    """Texts and pasted files are taken, thoughts and tools are not; memory is dated by the export."""
    pasted = {"text": "", "content": [], "attachments": [{"file_name": "log.txt", "extracted_content": "E1"}]}
    thought = {
        "text": "x",
        "content": [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "A log."}],
    }
    export = archive(
        tmp_path / "data.zip",
        {
            "users.json": [{"uuid": "a-1", "email_address": "m@example.com"}],
            "memories.json": MEMORIES,
            "conversations.json": [claude(pasted, thought)],
            "projects.json": [PROJECT],
        },
    )
    (found,) = conversations(export)
    assert [each.text for each in found.messages] == ["```\nE1\n```", "A log."]
    assert found.messages[0].files == ("log.txt",)
    documents = [each for each in read(export) if isinstance(each, Document)]
    assert [each.title for each in documents] == ["Boat: refit", "parts.md"]
    assert [(each.subject, each.text) for each in statements(export)] == [
        ("Work context", "Marlene teaches physics."),
        ("Interests", "sails"),
        ("Interests", "bakes bread"),
        ("Boat: refit", "The refit ends in May."),
    ]
    assert {f"{each.said:%Y-%m-%d}" for each in statements(export) if each.said} == {"2025-06-01"}


def test_mem0_keeps_text_date_and_category(tmp_path: Path) -> None:
    """mem0's list and its `results` give facts with their own dates."""
    facts = [
        {"id": "1", "memory": "Likes tea", "created_at": "2025-03-01T00:00:00-08:00", "categories": ["food"]}
    ]
    for path in (written(tmp_path / "a.json", facts), written(tmp_path / "b.json", {"results": facts})):
        (found,) = statements(path)
        assert (found.text, found.subject, found.source) == ("Likes tea", "food", "mem0")
        assert found.said == datetime(2025, 3, 1, 8, tzinfo=UTC)


def test_json_lines_pass_over_a_broken_line_alone(tmp_path: Path) -> None:
    """One bad line costs one line, and is told by its number."""
    path = tmp_path / "facts.jsonl"
    path.write_text('{"text": "one"}\n{"text": \n"two"\n{"role": "user", "content": "no fact"}\n', "utf-8")
    assert [each.text for each in statements(path)] == ["one", "two"]
    told = [(each.where, each.why) for each in read(path) if isinstance(each, Skipped)]
    assert told == [("facts.jsonl:2", "the line is no JSON"), ("facts.jsonl", "entries of no known form")]


def test_knowledge_graph_gives_a_fact_for_each_observation(tmp_path: Path) -> None:
    """The file of MCP's memory server is read, relations as sentences."""
    path = tmp_path / "memory.jsonl"
    lines: list[dict[str, Any]] = [
        {"type": "entity", "name": "Tom", "entityType": "person", "observations": ["is tall", "sails"]},
        {"type": "relation", "from": "Tom", "to": "Marlene", "relationType": "knows"},
    ]
    path.write_text("\n".join(map(json.dumps, lines)), "utf-8")
    assert [(each.subject, each.text) for each in statements(path)] == [
        ("Tom", "is tall"),
        ("Tom", "sails"),
        ("Tom", "Tom knows Marlene"),
    ]


def test_markdown_gives_items_and_paragraphs_under_their_headings(tmp_path: Path) -> None:
    """A list from another program becomes facts; code is none."""
    path = tmp_path / "Me.md"
    path.write_text(
        "---\ncreated: 2024-02-03\n---\nI sail.\n\n# Food\n"
        "- [x] eats *bread*\n  and butter\n    - salted\n\n```\ncode\n```\n",
        "utf-8",
    )
    found = statements(path)
    assert [(each.subject, each.text) for each in found] == [
        ("Me", "I sail."),
        ("Food", "eats *bread* and butter"),
        ("Food", "salted"),
    ]
    assert {each.said for each in found} == {datetime(2024, 2, 3, tzinfo=UTC)}


def test_split_exports_are_read_together(tmp_path: Path) -> None:
    """Several files in an archive, several archives and an unpacked folder are one import."""
    first = archive(
        tmp_path / "1.zip",
        {"conversations-000.json": [chatgpt("a")], "x/conversations-001.json": [chatgpt("b", chat_id="2")]},
    )
    folder = tmp_path / "unpacked"
    folder.mkdir()
    written(folder / "conversations.json", [claude("c")])
    assert [each.messages[0].text for each in conversations(first, folder)] == ["a", "b", "c"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_every_unicode_encoding_is_read(tmp_path: Path, encoding: str) -> None:
    """A file that was saved anew by an editor is read all the same."""
    path = tmp_path / "c.json"
    path.write_bytes(json.dumps([chatgpt("Grüße 🎉")], ensure_ascii=False).encode(encoding))
    assert conversations(path)[0].messages[0].text == "Grüße 🎉"


def test_bytes_that_are_no_unicode_are_replaced_and_told(tmp_path: Path) -> None:
    """Latin-1 loses its accents, not the fact, and the person hears of it."""
    path = tmp_path / "f.json"
    path.write_bytes('[{"memory": "schön"}]'.encode("latin-1"))
    assert [each.text for each in statements(path)] == ["sch\ufffdn"]
    assert reasons(path) == {"characters that are no UTF-8; they became �": 1}


def test_halves_of_characters_and_controls_become_text(tmp_path: Path) -> None:
    """What UTF-8 cannot hold comes as what it can."""
    path = tmp_path / "c.json"
    path.write_text(
        json.dumps([chatgpt("a\ud83d\ude00b\x00\x1bc\r\nd")]).replace("a\\ud83d", "\\udead a\\ud83d"), "utf-8"
    )
    text = conversations(path)[0].messages[0].text
    text.encode()
    assert text.endswith(" a😀bc\nd")


@pytest.mark.parametrize("cut", [0.5, 0.9])
def test_file_that_breaks_off_keeps_what_came_before(tmp_path: Path, cut: float) -> None:
    """A download that ended early gives its first conversations and says so."""
    whole = "".join(many(40))
    path = tmp_path / "conversations.json"
    path.write_text(whole[: int(len(whole) * cut)], "utf-8")
    found = conversations(path)
    assert 0.8 * 40 * cut < len(found) <= 40 * cut
    (told,) = [each for each in read(path) if isinstance(each, Skipped)]
    assert told.why == f"it breaks off there; {len(found)} before it were read"
    assert told.is_loss


def test_damaged_archive_keeps_what_can_be_unpacked(tmp_path: Path) -> None:
    """Bytes that rotted within an archive end that member, with the place told."""
    path = archive(tmp_path / "e.zip", {"conversations.json": "".join(many(200)), "projects.json": [PROJECT]})
    data = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as packed:
        middle = packed.getinfo("conversations.json").compress_size // 2
    data[middle : middle + 200] = b"\xff" * 200
    path.write_bytes(data)
    found = read(path)
    assert any(isinstance(each, Document) for each in found)
    assert any(isinstance(each, Skipped) and each.where == "e.zip: conversations.json" for each in found)


def test_bomb_is_not_unpacked(tmp_path: Path) -> None:
    """A member that would fill the disk is passed over, before a byte of it is unpacked."""
    path = archive(
        tmp_path / "e.zip", {"conversations.json": b"[" + b" " * (streams.BOMB_FROM_BYTES + 1) + b"]"}
    )
    assert [each.why.split(" ")[:4] for each in read(path) if isinstance(each, Skipped)] == [
        ["it", "would", "unpack", "to"]
    ]


@pytest.mark.parametrize(
    "name",
    ["../../conversations.json", "/etc/conversations.json", "C:\\conversations.json", "a\\..\\..\\c.json"],
)
def test_member_whose_name_leads_out_is_passed_over(tmp_path: Path, name: str) -> None:
    """A name in an archive is no path of this machine."""
    path = archive(tmp_path / "e.zip", {name: [chatgpt("evil")], "conversations.json": [chatgpt("good")]})
    assert [each.messages[0].text for each in conversations(path)] == ["good"]
    assert "its name leads out of the archive" in reasons(path)


def test_entry_over_the_limit_costs_that_entry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One endless entry cannot take the memory."""
    monkeypatch.setattr(streams, "ENTRY_BYTES", 300_000)
    path = written(
        tmp_path / "c.json", [chatgpt("a"), chatgpt("b" * 900_000, chat_id="2"), chatgpt("c", chat_id="3")]
    )
    assert [each.messages[0].text for each in conversations(path)] == ["a", "c"]
    assert [why for why in reasons(path) if why.startswith("it is longer than")]


def test_entry_that_is_no_json_costs_that_entry(tmp_path: Path) -> None:
    """What is broken in the middle of a file takes nothing else with it."""
    path = tmp_path / "c.json"
    good = [json.dumps(chatgpt(text, chat_id=text)) for text in ("a", "b")]
    path.write_text(
        f'[{good[0]}, {{"mapping": {{,,}} \\ "x": nul}}, {good[1]}, {"[" * 5000}{"]" * 5000}]', "utf-8"
    )
    assert [each.messages[0].text for each in conversations(path)] == ["a", "b"]
    told = [each.where for each in read(path) if isinstance(each, Skipped)]
    assert told == ["c.json, entry 2", "c.json, entry 4"]


@pytest.mark.parametrize("size", [1, 2, 7, 64])
@given(value=st.lists(st.recursive(st.none() | st.integers() | st.text(), st.lists), max_size=6))
def test_entries_come_out_whole_however_the_stream_is_cut(size: int, value: list[Any]) -> None:
    """Of a list whose members are lists or texts, what is handed on says the same as the list."""
    wrapped = [[each] for each in value] + [each for each in value if isinstance(each, str)]
    data = json.dumps(wrapped, ensure_ascii=len(value) % 2 == 0).encode("utf-8", "replace")
    splitter = Splitter(1 << 20, begin=1)
    found = [raw for at in range(0, len(data), size) for raw in splitter.feed(data[at : at + size])]
    assert [json.loads(raw) for raw in found if raw is not None] == json.loads(data)
    assert not splitter.is_open


def test_line_over_the_limit_costs_that_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In JSON lines what follows an endless line is still read."""
    monkeypatch.setattr(streams, "ENTRY_BYTES", 300_000)
    path = tmp_path / "f.jsonl"
    path.write_text('{"text": "a"}\n{"text": "' + "b" * 900_000 + '"}\n{"text": "c"}', "utf-8")
    assert [each.text for each in statements(path)] == ["a", "c"]


def test_reading_holds_one_conversation_at_a_time(tmp_path: Path) -> None:
    """Never more than a few pieces of the file are read ahead of the conversation that is handed on."""
    pieces = list(many(200))
    path = tmp_path / "conversations.json"
    path.write_text("".join(pieces), "utf-8")
    taken = 0

    def count(number: int) -> None:
        nonlocal taken
        taken += number

    handed = 0
    for record, piece in zip(Reading((path,), count).records(), pieces, strict=False):
        assert isinstance(record, Conversation)
        handed += len(piece.encode())
        assert taken - handed < 4 * 64 * 1024
    assert taken == path.stat().st_size


def test_thread_of_ten_thousand_messages_is_read_whole(tmp_path: Path) -> None:
    """Length is no depth: the tree is walked without recursion."""
    path = written(tmp_path / "c.json", [chatgpt(*(str(number) for number in range(10_000)))])
    assert len(conversations(path)[0].messages) == 10_000


@pytest.mark.parametrize(
    "entry",
    [
        {"mapping": {}},
        {
            "mapping": {"a": None, "b": 7, "c": {"message": {"author": "x", "content": []}}},
            "conversation_id": "1",
        },
        {
            "mapping": {
                "a": {
                    "message": {"author": {"role": "user"}, "content": {"content_type": "text", "parts": 3}}
                }
            }
        },
        {"chat_messages": [None, 1, {"content": [None, 3], "attachments": [5]}], "uuid": 3},
        {"uuid": 1, "name": None, "docs": [None, {"content": 4}]},
        {"conversations_memory": None, "project_memories": [1]},
        {"type": "entity", "observations": {"a": 1}},
        {"memory": {"a": 1}, "created_at": "never", "categories": [None]},
        {"type": "note", "path": "x"},
        {"create_time": 1e300, "mapping": {"a": {"message": None}}},
        7,
        None,
        [],
    ],
)
def test_entry_with_parts_of_the_wrong_kind_is_told_and_passed_over(tmp_path: Path, entry: object) -> None:
    """Nothing in a file stops the import of what comes after."""
    path = written(tmp_path / "c.json", [entry, chatgpt("good")])
    assert [each.messages[0].text for each in conversations(path)] == ["good"]
    assert reasons(path)


@pytest.mark.parametrize("content", ["", "   ", "{", "nonsense", "[" * 100_000, '{"a":' * 100_000])
def test_file_that_is_no_json_is_told(tmp_path: Path, content: str) -> None:
    """An empty file, half a file and a nest of brackets are an answer, not a crash."""
    path = tmp_path / "c.json"
    path.write_text(content, "utf-8")
    assert reasons(path)


def test_file_that_is_not_there_or_of_another_kind_is_told(tmp_path: Path) -> None:
    """A wrong name is an error at once; a wrong kind is told with those that are taken."""
    with pytest.raises(UsageError):
        read(tmp_path / "none.zip")
    (tmp_path / "a.docx").write_bytes(b"x")
    (tmp_path / "b.zip").write_bytes(b"PK no archive")
    assert len(reasons(tmp_path / "a.docx", tmp_path / "b.zip")) == 2
