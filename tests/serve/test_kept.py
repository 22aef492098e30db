"""Conversations with a real daemon: kept where the settings say so, searched, and no evidence."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pai_daemon.serve.tokens import Tokens
from tests.daemon_process import DaemonProcess, Folders, Reply, eventually

NOTES = {
    "Garden.md": "# Garden\n\nTomatoes need full sun and are watered every morning before eight.\n",
    "Safe.md": "---\npai: local\n---\n# Safe\n\nThe code of the safe in the cellar is 739151.\n",
}
WATERING = "When are the tomatoes watered?"


@pytest.fixture(scope="module")
def keeping(tmp_path_factory: pytest.TempPathFactory, prepared_cache: Path) -> Iterator[DaemonProcess]:
    """Yield a daemon that keeps conversations with the command line, with programs, and of one token."""
    home = tmp_path_factory.mktemp("kept")
    (home / "vault").mkdir()
    for name, text in NOTES.items():
        (home / "vault" / name).write_text(text, "utf-8")
    environ = {"PAI_KEEP_CONVERSATIONS": "cli, v1, laptop"}
    with DaemonProcess(home / "vault", Folders(home / "home", prepared_cache), environ=environ) as daemon:
        daemon.ready()
        yield daemon


def threads(daemon: DaemonProcess) -> dict[str, str]:
    """Return the kept notes, by name."""
    folder = daemon.vault / "Memory" / "Conversations"
    return {path.name: path.read_text("utf-8") for path in folder.rglob("*.md")}


def post(daemon: DaemonProcess, target: str, body: dict[str, Any], token: str = "") -> Reply:
    """Send a body, with the person's own token or another."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return daemon.request("POST", target, body=json.dumps(body).encode(), headers=headers)


def test_question_on_the_command_line_becomes_a_note_and_no_evidence(keeping: DaemonProcess) -> None:
    """It is searched, and an answer to the same question still cites the garden."""
    said = keeping.folders.pai("ask", WATERING)
    assert "before eight" in said.stdout, said.stderr
    name = "".join(threads(keeping))
    assert WATERING in threads(keeping)[name]

    def found() -> bool:
        hits = keeping.request("GET", "/api/search?q=tomatoes+watered").json["results"]
        return any(hit["path"] == f"Memory/Conversations/{name}" for hit in hits)

    eventually(found, "the conversation among what is searched", 20)
    answer = post(keeping, "/api/ask", {"question": WATERING}).json
    assert {each["path"] for each in answer["citations"]} == {"Garden.md"}


def test_only_clients_that_are_named_are_kept(keeping: DaemonProcess) -> None:
    """The plugin is not, nor is a question without a conversation; a token is kept by its own name."""
    known = Tokens(keeping.folders.settings)
    before = threads(keeping)
    asked = {"question": WATERING, "conversation": "abcd1234"}
    assert post(keeping, "/api/ask", asked | {"client": "plugin"}).status == 200
    assert post(keeping, "/api/ask", {"question": WATERING, "client": "cli"}).status == 200
    other = known.create("phone", ["ask"])
    assert post(keeping, "/api/ask", asked | {"client": "cli"}, other).status == 200
    assert threads(keeping) == before
    named = known.create("laptop", ["ask"])
    assert post(keeping, "/api/ask", asked | {"client": "plugin"}, named).status == 200
    (fresh,) = threads(keeping).keys() - before.keys()
    assert 'client: "laptop"' in threads(keeping)[fresh]
    assert post(keeping, "/api/ask", {"question": "x", "conversation": "../../x"}).status == 400


def test_answer_from_a_local_note_is_kept_as_one_that_stays(keeping: DaemonProcess) -> None:
    """Its note says so itself, as a stream or whole; an order to memory is not written into it."""
    asked = {"question": "What is the code of the safe?", "client": "cli", "conversation": "safe1234"}
    assert "739151" in post(keeping, "/api/ask", asked | {"stream": True}).body.decode()
    note = next(text for text in threads(keeping).values() if "safe1234" in text)
    assert 'pai: "local"' in note.split("---")[1]
    order = asked | {"question": "Remember that I drink oolong."}
    assert post(keeping, "/api/ask", order).json["receipt"]["outcome"] == "remembered"
    assert not any("oolong" in text for text in threads(keeping).values())


def test_chat_program_goes_on_with_its_thread(keeping: DaemonProcess) -> None:
    """It sends no id, only what was said; what it asks for itself is not kept."""
    turns = [{"role": "user", "content": "Are the tomatoes watered in the evening?"}]
    chat = {"model": "pai", "messages": turns}
    said = post(keeping, "/v1/chat/completions", chat).json["choices"][0]["message"]["content"]
    more = [*turns, {"role": "assistant", "content": said}, {"role": "user", "content": "Do they need sun?"}]
    assert post(keeping, "/v1/chat/completions", chat | {"messages": more}).status == 200
    title = [{"role": "user", "content": '### Task:\nGenerate a title.\n{ "title": "..." }'}]
    assert post(keeping, "/v1/chat/completions", chat | {"messages": title}).status == 200
    (thread,) = [text for text in threads(keeping).values() if 'client: "v1"' in text]
    assert thread.count("> [!question]") == 2


def test_proposals_are_decided_on_by_the_person(keeping: DaemonProcess) -> None:
    """`pai memory propose` lists, accepts and refuses; nothing else makes a fact of what was said."""
    keeping.folders.pai("ask", "I live in Kiel. My sister is called Mira. What do tomatoes need?")

    def pai(*arguments: str) -> Any:
        said = keeping.folders.pai(*arguments, "--json")
        assert said.returncode == 0, said.stderr
        return json.loads(said.stdout)

    def texts() -> list[str]:
        return [fact["text"] for fact in pai("memory", "list")["facts"]]

    offered = {each["text"]: each["id"] for each in pai("memory", "propose")["proposals"]}
    assert {"I live in Kiel.", "My sister is called Mira."} <= offered.keys()
    assert "I live in Kiel." not in texts()
    accept, refuse = offered["I live in Kiel."], offered["My sister is called Mira."]
    decided = pai("memory", "propose", "--accept", accept, "--refuse", refuse)["decided"]
    assert [each["outcome"] for each in decided] == ["remembered", "refused"]
    assert "I live in Kiel." in texts()
    assert "My sister is called Mira." not in texts()
    left = {each["text"] for each in pai("memory", "propose")["proposals"]}
    assert not left & offered.keys()
