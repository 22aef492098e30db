"""The real client of the MCP SDK against a real daemon, in both eras of the protocol."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import jsonschema
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError

from tests.daemon_process import DaemonProcess

ERAS = ("legacy", "2026-07-28", "auto")
READS = ["search_notes", "read_note", "ask_vault", "related_notes", "suggest_links", "recent_notes", "recall"]
WRITES = {"remember": False, "forget": True, "propose_edit": False}


@asynccontextmanager
async def connected(
    served: DaemonProcess, mode: Any = "auto", token: str | None = None
) -> AsyncIterator[Client]:
    """Yield a client of the daemon's endpoint, with the person's own token or another."""
    token = token or served.token
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx2.AsyncClient(headers=headers, timeout=30) as http:
        transport = streamable_http_client(f"{served.client.url}/mcp", http_client=http)
        async with Client(transport, mode=mode) as client:
            yield client


async def call(client: Client, name: str, **arguments: Any) -> Any:
    """Return what a tool gave, as it is structured; fails with what it said."""
    result = await client.call_tool(name, arguments)
    assert not result.is_error, result.content
    return result.structured_content


@pytest.mark.parametrize("mode", ERAS)
async def test_tools_are_few_in_order_and_honest(served: DaemonProcess, mode: str) -> None:
    """Names are short, what reads, adds and removes says so, and all that is taken and given has a schema."""
    async with connected(served, mode) as client:
        tools = (await client.list_tools()).tools
    assert [tool.name for tool in tools] == [*READS, *WRITES]
    for tool in tools:
        assert len(tool.name) <= 20
        assert tool.description
        assert tool.annotations is not None
        assert tool.annotations.read_only_hint == (tool.name in READS)
        assert tool.annotations.destructive_hint == WRITES.get(tool.name, False)
        assert tool.annotations.open_world_hint == (tool.name == "ask_vault")
        for schema in (tool.input_schema, tool.output_schema):
            assert schema is not None
            assert schema["type"] == "object"
            jsonschema.Draft202012Validator.check_schema(schema)
        for about in tool.input_schema["properties"].values():
            # n8n reads each way alone, and one without a type lets a model send anything.
            assert all("type" in way or "$ref" in way for way in about.get("anyOf", ())), about


@pytest.mark.parametrize("mode", ERAS)
async def test_each_tool_gives_what_its_schema_says(served: DaemonProcess, mode: str) -> None:
    """The client holds every answer against the schema that the server named; each says what it is for."""
    async with connected(served, mode) as client:
        found = await call(client, "search_notes", query="when to water tomatoes")
        assert found["results"][0]["path"] == "Garden.md"
        read = await call(client, "read_note", path="Projects/Shed.md")
        assert "slate in October" in read["text"]
        assert read["links_to"] == ["Garden.md"]
        answer = await call(client, "ask_vault", question="How long does the sourdough prove?")
        assert answer["found"]
        assert "eighteen hours" in answer["answer"]
        assert answer["citations"][0]["path"] == "Bread.md"
        near = await call(client, "related_notes", path="Garden.md", limit=3)
        assert "Garden.md" not in [each["path"] for each in near["results"]]
        links = await call(client, "suggest_links", path="Garden.md")
        assert links["path"] == "Garden.md"
        recent = await call(client, "recent_notes", path="Projects")
        assert {each["path"] for each in recent["results"]} == {"Projects/Boat.md", "Projects/Shed.md"}


@pytest.mark.parametrize("mode", ERAS)
async def test_client_that_hangs_up_after_its_answer_leaves_nothing_in_the_log(
    served: DaemonProcess, mode: str
) -> None:
    """Most do, before the stream has ended: that is no error."""
    before = len(served.output)
    for _ in range(5):
        async with connected(served, mode) as client:
            await call(client, "recent_notes")
    assert served.client.is_alive()
    assert "Traceback" not in "".join(served.output[before:])


async def test_search_is_narrowed_by_folder_and_tag(served: DaemonProcess) -> None:
    """What narrows a search of the API narrows that of a tool."""
    async with connected(served) as client:
        inside = await call(client, "search_notes", query="spring", path="Projects")
        assert {each["path"] for each in inside["results"]} <= {"Projects/Boat.md", "Projects/Shed.md"}
        tagged = await call(client, "search_notes", query="hours", tag="kitchen")
        assert {each["path"] for each in tagged["results"]} == {"Bread.md"}
        typed = await call(client, "search_notes", query="spring path:Projects/ tags:kitchen")
        assert {each["path"] for each in typed["results"]} <= {"Projects/Boat.md", "Projects/Shed.md"}
        assert typed["understood"] == ["path:Projects/"]
        assert "did you mean tag:?" in typed["notices"][0]


@pytest.mark.parametrize(
    ("name", "arguments", "said"),
    [
        ("search_notes", {}, "query is missing"),
        ("search_notes", {"query": " "}, "question is empty"),
        ("search_notes", {"query": "x", "limt": 5}, "Did you mean limit?"),
        ("search_notes", {"query": "x", "limit": 0}, "between 1 and 100"),
        ("search_notes", {"query": "x", "since": "yesterday"}, "is no time"),
        ("read_note", {"path": "../../etc/passwd"}, "No note"),
        ("read_note", {"path": "/etc/passwd"}, "No note"),
        ("read_note", {"path": "Garden.md", "start_line": 999}, "lines"),
        ("related_notes", {}, "either path or text"),
    ],
)
async def test_wrong_call_is_told_to_the_model_with_the_next_step(
    served: DaemonProcess, name: str, arguments: dict[str, Any], said: str
) -> None:
    """An error of a tool is a result that a model can read, and names what to do."""
    async with connected(served, "2026-07-28") as client:
        result = await client.call_tool(name, arguments)
    assert result.is_error
    text = getattr(result.content[0], "text", "")
    assert said in text


async def test_long_note_is_read_in_parts(served: DaemonProcess) -> None:
    """Each part says where the next one begins, and together they are the note."""
    async with connected(served) as client:
        first = await call(client, "read_note", path="Projects/Boat.md", max_lines=2)
        assert first["next_line"] == 3
        rest = await call(client, "read_note", path="Projects/Boat.md", start_line=3)
    assert rest["next_line"] is None
    assert f"{first['text']}\n{rest['text']}".startswith("# Boat\n\n## Hull")


@pytest.mark.parametrize("mode", ERAS)
async def test_note_is_a_resource_under_any_name(served: DaemonProcess, mode: str) -> None:
    """What is listed can be read, also with percent signs, quotes and folders in its name."""
    async with connected(served, mode) as client:
        listed = (await client.list_resources()).resources
        assert {each.name for each in listed} >= {"50% off.md", 'It\'s "quoted".md', "Projects_2/Kite.md"}
        for each in listed:
            (contents,) = (await client.read_resource(each.uri)).contents
            assert (served.vault / each.name).read_text("utf-8").rstrip("\n") == getattr(
                contents, "text", None
            )
        templates = (await client.list_resource_templates()).resource_templates
        assert [each.uri_template for each in templates] == ["note:///{+path}"]


@pytest.mark.parametrize(
    "uri", ["note:///../token", "note:///%2e%2e/token", "note:///nowhere.md", "file:///etc/passwd"]
)
async def test_resource_that_is_no_note_is_refused(served: DaemonProcess, uri: str) -> None:
    """Only what is indexed can be read."""
    async with connected(served) as client:
        with pytest.raises(Exception, match="No note"):
            await client.read_resource(uri)


async def test_token_opens_only_the_tools_of_its_scopes(served: DaemonProcess) -> None:
    """A tool that a token does not open is not offered, and refused where it is called all the same."""
    made = served.folders.pai("token", "create", "mcp-search", "--scope", "search")
    token = made.stdout.strip()
    try:
        async with connected(served, token=token) as client:
            offered = [tool.name for tool in (await client.list_tools()).tools]
            assert "ask_vault" not in offered
            assert "search_notes" in offered
            refused = await client.call_tool("ask_vault", {"question": "How long?"})
            assert refused.is_error
    finally:
        served.folders.pai("token", "revoke", "mcp-search")


async def test_session_belongs_to_the_token_that_opened_it(served: DaemonProcess) -> None:
    """Whoever learns the number of a session cannot go on with it under another token."""
    made = served.folders.pai("token", "create", "mcp-other", "--scope", "search")
    hello = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "initialize",
        "params": {
            "protocolVersion": "2025-06-18",
            "capabilities": {},
            "clientInfo": {"name": "test", "version": "1"},
        },
    }
    accept = {"Accept": "application/json, text/event-stream"}
    own = {"Authorization": f"Bearer {served.token}"} | accept
    other = {"Authorization": f"Bearer {made.stdout.strip()}"} | accept
    try:
        async with httpx2.AsyncClient(timeout=30) as http:
            opened = await http.post(f"{served.client.url}/mcp", headers=own, json=hello)
            assert opened.status_code == 200
            session = {"Mcp-Session-Id": opened.headers["mcp-session-id"]}
            ping = {"jsonrpc": "2.0", "id": 2, "method": "ping"}

            async def asked(headers: dict[str, str]) -> int:
                return (
                    await http.post(f"{served.client.url}/mcp", headers=headers | session, json=ping)
                ).status_code

            assert await asked(own) == 200
            assert await asked(other) == 404
            assert (await http.delete(f"{served.client.url}/mcp", headers=own | session)).status_code == 200
            assert await asked(own) == 404
    finally:
        served.folders.pai("token", "revoke", "mcp-other")


async def test_session_outlives_a_client_that_hangs_up_as_soon_as_it_is_answered(
    served: DaemonProcess,
) -> None:
    """The stream that brings its number may be left at once: the session is there for the next request."""
    headers = {
        "Authorization": f"Bearer {served.token}",
        "Accept": "application/json, text/event-stream",
    }
    params = {
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": "t", "version": "1"},
    }
    hello = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params}
    ping = {"jsonrpc": "2.0", "id": 2, "method": "ping"}
    statuses = []
    for _ in range(20):
        async with (
            httpx2.AsyncClient(timeout=30) as http,
            http.stream("POST", f"{served.client.url}/mcp", headers=headers, json=hello) as reply,
        ):
            session = {"Mcp-Session-Id": reply.headers["mcp-session-id"]}
        async with httpx2.AsyncClient(timeout=30) as http:
            again = await http.post(f"{served.client.url}/mcp", headers=headers | session, json=ping)
            statuses.append(again.status_code)
            await http.delete(f"{served.client.url}/mcp", headers=headers | session)
    assert set(statuses) == {200}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"Authorization": "Bearer wrong"}, 401),
        ({"Authorization": "own", "Origin": "https://evil.example"}, 403),
        ({"Authorization": "own", "Host": "evil.example"}, 403),
    ],
)
async def test_door_stands_before_the_protocol(
    served: DaemonProcess, headers: dict[str, str], status: int
) -> None:
    """Token, Origin and Host are checked as for every other route."""
    if headers.get("Authorization") == "own":
        headers = headers | {"Authorization": f"Bearer {served.token}"}
    async with httpx2.AsyncClient() as http:
        refused = await http.post(f"{served.client.url}/mcp", headers=headers, json={})
    assert refused.status_code == status


@pytest.mark.parametrize("mode", ["legacy", "2026-07-28"])
async def test_twenty_calls_at_once_are_all_answered(served: DaemonProcess, mode: str) -> None:
    """Two clients that ask ten things each, mixed, get each their own answers."""
    async with connected(served, mode) as one, connected(served, mode) as other:
        wanted = {"tomatoes": "Garden.md", "sourdough": "Bread.md", "varnish": "Projects/Boat.md"}
        asked = [*wanted] * 4
        pairs = [(client, word) for client in (one, other) for word in asked[:10]]
        answers = await asyncio.gather(*(call(client, "search_notes", query=word) for client, word in pairs))
    for (_, word), answer in zip(pairs, answers, strict=True):
        assert answer["results"][0]["path"] == wanted[word]


@pytest.mark.parametrize("mode", ERAS)
async def test_edit_is_proposed_and_waits_for_the_person(served: DaemonProcess, mode: str) -> None:
    """A client gets the diff of its proposal; the note is as it was, and one that is not there is refused."""
    before = (served.vault / "Garden.md").read_text("utf-8")
    async with connected(served, mode) as client:
        made = await call(client, "propose_edit", kind="append", path="Garden.md", text=f"- Sow {mode}")
        assert (made["state"], f"+- Sow {mode}" in made["diff"]) == ("proposed", True)
        given = {"kind": "append", "path": "No.md", "text": "x"}
        refused = await client.call_tool("propose_edit", given)
        assert refused.is_error
    assert (served.vault / "Garden.md").read_text("utf-8") == before
    waiting = served.request("GET", "/api/actions?state=proposed").json["actions"]
    assert [each["by"] for each in waiting if each["id"] == made["id"]] == ["mcp"]
    decision = json.dumps({"decision": "reject"})
    assert served.request("POST", f"/api/actions/{made['id']}", body=decision).status == 200


@pytest.mark.parametrize("mode", ERAS)
async def test_routines_are_prompts(served: DaemonProcess, mode: str) -> None:
    """What a shipped routine would be told is there for any model; an unknown name is refused."""
    async with connected(served, mode) as client:
        names = [prompt.name for prompt in (await client.list_prompts()).prompts]
        assert names == ["morning-news", "reflection"]
        told = await client.get_prompt("reflection")
        assert "thoughtful friend" in str(told.messages[0].content)
        with pytest.raises(MCPError):
            await client.get_prompt("nobody")
