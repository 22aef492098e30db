"""`pai mcp`: the SDK's own client starts it, as clients do; the daemon comes and goes meanwhile."""

from __future__ import annotations

import asyncio
import json
import subprocess
import tomllib
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client
from mcp.client.stdio import StdioServerParameters

from pai_daemon.cli.mcp_clients import CLIENTS
from tests.daemon_process import PAI, DaemonProcess, Folders, eventually

NOTES = {
    "Garden.md": "# Garden\n\nTomatoes need full sun and are watered every morning.\n",
    "Diary/Health.md": "# Health\n\nTomatoes gave me an allergic rash, says Dr. Ottokar of Quendelheim.\n",
    "Köpfe/Straße & Co.md": "# Straße & Co\n\nThe street café bakes rhubarb cake on Sundays.\n",
}
ERAS = ("legacy", "2026-07-28")
HELLO = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"},
    },
}


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory, prepared_cache: Path) -> Folders:
    """Return folders of their own, whose Diary is to stay on this machine."""
    return Folders(tmp_path_factory.mktemp("mcp"), prepared_cache)


@pytest.fixture(scope="module")
def daemon(folders: Folders) -> Iterator[DaemonProcess]:
    """Yield a daemon that serves the notes above."""
    vault = folders.home / "vault"
    for name, text in NOTES.items():
        (vault / name).parent.mkdir(parents=True, exist_ok=True)
        (vault / name).write_text(text, "utf-8")
    with DaemonProcess(vault, folders, environ={"PAI_LOCAL_ONLY": "Diary/"}) as running:
        running.ready()
        yield running


@asynccontextmanager
async def bridged(
    folders: Folders, mode: Any = "auto", *arguments: str, **more: Any
) -> AsyncIterator[Client]:
    """Yield a client that has started `pai mcp`."""
    program, *before = PAI
    server = StdioServerParameters(command=program, args=[*before, "mcp", *arguments], env=folders.environ())
    async with Client(server, mode=mode, **more) as client:
        yield client


def spoken(folders: Folders, *lines: bytes, arguments: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    """Return what `pai mcp` answers to lines on its standard input; each line of its output is a message."""
    said = subprocess.run(
        [*PAI, "mcp", *arguments],
        input=b"".join(line + b"\n" for line in lines),
        env=folders.environ(),
        capture_output=True,
        timeout=60,
        check=True,
    )
    return [json.loads(line) for line in said.stdout.splitlines()]


@pytest.mark.parametrize("mode", ["auto", *ERAS])
async def test_client_that_starts_us_asks_the_daemon(daemon: DaemonProcess, mode: str) -> None:
    """Tools and resources are those of the daemon, in both eras of the protocol."""
    async with bridged(daemon.folders, mode) as client:
        assert "search_notes" in [tool.name for tool in (await client.list_tools()).tools]
        found = await client.call_tool("search_notes", {"query": "rhubarb cake"})
        assert found.structured_content["results"][0]["path"] == "Köpfe/Straße & Co.md"
        listed = {each.name: each.uri for each in (await client.list_resources()).resources}
        (contents,) = (await client.read_resource(listed["Köpfe/Straße & Co.md"])).contents
        assert "Sundays" in getattr(contents, "text", "")


@pytest.mark.parametrize("mode", ERAS)
async def test_local_only_note_is_in_no_answer_to_a_client(daemon: DaemonProcess, mode: str) -> None:
    """Not found, read, answered from, listed or linked to: the client's model may be anywhere."""
    async with bridged(daemon.folders, mode) as client:
        calls = [
            ("search_notes", {"query": "allergic rash Ottokar"}),
            ("search_notes", {"query": "rash", "path": "Diary"}),
            ("read_note", {"path": "Diary/Health.md"}),
            ("read_note", {"path": "Health"}),
            ("ask_vault", {"question": "Who says that the rash is allergic?"}),
            ("ask_vault", {"question": "Which notes mention Ottokar?"}),
            ("related_notes", {"path": "Garden.md"}),
            ("related_notes", {"path": "Diary/Health.md"}),
            ("related_notes", {"text": "an allergic rash"}),
            ("suggest_links", {"path": "Garden.md"}),
            ("suggest_links", {"path": "Diary/Health.md"}),
            ("recent_notes", {}),
        ]
        for name, arguments in calls:
            told = (await client.call_tool(name, arguments)).model_dump_json()
            assert "Quendelheim" not in told, name
            asked = str(arguments.get("path", "?"))
            assert "Health" not in told.replace(asked, ""), name
        listed = (await client.list_resources()).resources
        assert [each.name for each in listed] == ["Garden.md", "Köpfe/Straße & Co.md"]
        with pytest.raises(Exception, match="stays on this machine"):
            await client.read_resource("note:///Diary/Health.md")


@pytest.mark.filterwarnings("ignore:resources/subscribe is removed")
@pytest.mark.parametrize("mode", ERAS)
async def test_client_is_told_that_a_note_it_follows_has_changed(daemon: DaemonProcess, mode: str) -> None:
    """By the notification of each era; a note that nobody follows, or may see, is not told of."""
    heard: list[str] = []
    is_told = anyio.Event()
    uri = "note:///Garden.md"

    async def hear(message: Any) -> None:
        if (params := getattr(message, "params", None)) is not None and hasattr(params, "uri"):
            heard.append(str(params.uri))
            is_told.set()

    async def touch() -> None:
        for path in ("Diary/Health.md", "Köpfe/Straße & Co.md", "Garden.md"):
            with (daemon.vault / path).open("a", encoding="utf-8") as file:
                file.write(f"One more line for {mode}.\n")

    async with bridged(daemon.folders, mode, message_handler=hear) as client:
        if mode == "legacy":
            await client.subscribe_resource(uri)
            await asyncio.sleep(0.5)  # the stream that tells is opened beside
            await touch()
            with anyio.fail_after(20):
                await is_told.wait()
        else:
            async with client.listen(resource_subscriptions=[uri]) as events:
                await touch()
                with anyio.fail_after(20):
                    async for event in events:
                        heard.append(str(getattr(event, "uri", "")))
                        break
    assert set(heard) == {uri}


@pytest.mark.parametrize("mode", ERAS)
async def test_daemon_may_be_started_anew_meanwhile(daemon: DaemonProcess, mode: str) -> None:
    """A client that runs for days goes on, though the daemon is elsewhere and knows no session of it."""
    async with bridged(daemon.folders, mode) as client:
        assert not (await client.call_tool("search_notes", {"query": "tomatoes"})).is_error
        await asyncio.to_thread(daemon.terminate)
        with pytest.raises(Exception, match="pai start"):
            await client.call_tool("search_notes", {"query": "tomatoes"})
        await asyncio.to_thread(daemon.start)
        await asyncio.to_thread(daemon.ready)
        again = await client.call_tool("search_notes", {"query": "tomatoes"})
        assert again.structured_content["results"][0]["path"] == "Garden.md"


def test_what_is_no_message_is_answered_and_the_next_line_counts(daemon: DaemonProcess) -> None:
    """Broken JSON, a list, nothing at all: an error of JSON-RPC each, or silence; the session goes on."""
    said = spoken(daemon.folders, b"{broken", b"[1]", b"", b"   ", json.dumps(HELLO).encode())
    assert [message.get("error", {}).get("code") for message in said] == [-32700, -32600, None]
    assert said[2]["id"] == 1
    assert said[2]["result"]["serverInfo"]["name"] == "pai-daemon"


def test_without_a_daemon_the_client_is_told_how_to_start_one(tmp_path: Path, prepared_cache: Path) -> None:
    """An answer with the request's own id, so that the client shows it instead of waiting."""
    (message,) = spoken(Folders(tmp_path, prepared_cache), json.dumps(HELLO).encode())
    assert message["id"] == 1
    assert "pai start VAULT" in message["error"]["message"]


def test_daemon_is_started_where_that_is_asked_for(tmp_path: Path, prepared_cache: Path) -> None:
    """And goes on when the client has gone; a vault that is none says so instead."""
    folders = Folders(tmp_path / "home", prepared_cache)
    vault = tmp_path / "vault"
    vault.mkdir()
    (vault / "Note.md").write_text("# Note\n\nWords.\n", "utf-8")
    wrong = spoken(
        folders, json.dumps(HELLO).encode(), arguments=("--start", "--vault", str(tmp_path / "gone"))
    )
    assert "did not start" in wrong[0]["error"]["message"]
    (message,) = spoken(folders, json.dumps(HELLO).encode(), arguments=("--start", "--vault", str(vault)))
    assert "result" in message
    assert folders.pai("status", "--json").returncode == 0
    assert folders.pai("stop").returncode == 0
    eventually(lambda: folders.pai("status", "--json").returncode != 0, "the daemon's end")


@pytest.mark.parametrize("name", sorted(CLIENTS))
def test_configuration_is_in_the_form_of_its_file(name: str, tmp_path: Path, prepared_cache: Path) -> None:
    """What is pasted parses, and names our command by its whole place, with vault and folders."""
    folders = Folders(tmp_path, prepared_cache)
    vault = tmp_path / "My notes"
    vault.mkdir()
    said = folders.pai("mcp", "config", "--client", name, "--vault", str(vault), "--json")
    told = json.loads(said.stdout)
    if told["paste"].startswith("{"):
        json.loads(told["paste"])
    elif name == "codex":
        tomllib.loads(told["paste"])
    is_started = name not in ("http", "http-json", "n8n")
    assert (str(folders.settings.config_dir) in told["paste"]) == is_started
    if not is_started:
        assert "http://127.0.0.1:" in told["paste"]
        assert "pai token create" in told["note"]
    else:
        assert str(vault) in told["paste"]
    plain = folders.pai("mcp", "config", "--client", name, "--vault", str(vault))
    assert plain.stdout.strip() == told["paste"]


def test_unknown_client_is_told_which_ones_there_are(tmp_path: Path, prepared_cache: Path) -> None:
    """And the list alone is printed without a name."""
    folders = Folders(tmp_path, prepared_cache)
    assert "claude-desktop" in folders.pai("mcp", "config", "--client", "netscape").stderr
    assert "claude-desktop" in folders.pai("mcp", "config").stdout
    assert folders.pai("mcp", "--start").returncode == 64
