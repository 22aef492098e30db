"""Queries that no person types twice: the API, the command line and MCP answer them alike, or refuse them."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest

from tests.daemon_process import DaemonProcess
from tests.serve.conftest import NOTES, Run
from tests.serve.test_mcp import connected

LIMIT = 6
# What is looked for, and the notes that it finds, where that is certain.
ANSWERED: dict[str, tuple[str, set[str] | None]] = {
    "one letter": ("a", None),
    "one ideograph": ("的", None),
    "emoji": ("😀🧑‍🌾", None),
    "punctuation": ("???!…", None),
    "as long as may be": ("sun " * 1000, None),
    "SQL": ("'; DROP TABLE chunks; --", None),
    "more SQL": ("%' OR '1'='1' UNION SELECT * FROM notes --", None),
    "a dash": ("-", None),
    "open quotes and brackets": ('"[(', None),
    "half a word left out": ("- -", None),
    "an operator": ("tag:kitchen", {"Bread.md"}),
    "operators": ("path:Projects -path:Shed -file:Kite", {"Projects/Boat.md"}),
    "a property": ("[tags]", {"Bread.md"}),
    "an operator that finds nothing": ("tag:nothing", set()),
    "a word left out": (
        "-sun -slate",
        {name for name, text in NOTES.items() if "sun" not in text and "slate" not in text},
    ),
    "no day": ("on:2026-99-99", None),
}
REFUSED = {
    "empty": ("", "The question is empty."),
    "blank": (" \t\n", "The question is empty."),
    "an operator without value": ("tag:", "The question is empty."),
    "too long": ("x" * 10_000, "at most 4000 are read"),
    "too long in words": ("sun " * 2_500, "at most 4000 are read"),
    "too long in another script": ("的" * 10_000, "at most 4000 are read"),
}


@pytest.mark.parametrize("name", ANSWERED)
async def test_odd_query_is_answered_alike_everywhere(served: DaemonProcess, pai: Run, name: str) -> None:
    """The API, the command line and MCP find the same, and what must be found; no note is lost."""
    query, expected = ANSWERED[name]
    reply = served.request("GET", f"/api/search?q={quote(query)}&limit={LIMIT}")
    assert reply.status == 200, reply.body
    found = [each["path"] for each in reply.json["results"]]
    assert expected is None or {*found} == expected
    assert expected is not None or found
    code, out, err = pai(served.folders, "search", "--json", "-n", str(LIMIT), "--", query)
    assert code == 0, err
    assert [each["path"] for each in json.loads(out)["results"]] == found
    async with connected(served) as client:
        told = await client.call_tool("search_notes", {"query": query, "limit": LIMIT})
    assert not told.is_error, told.content
    assert told.structured_content is not None
    assert [each["path"] for each in told.structured_content["results"]] == found
    assert served.status()["notes"] == len(NOTES)


@pytest.mark.parametrize("name", REFUSED)
async def test_query_that_says_nothing_or_too_much_is_refused_by_every_client(
    served: DaemonProcess, pai: Run, name: str
) -> None:
    """A 400 problem, the exit code of wrong usage and an error of the tool say the same, in words."""
    query, said = REFUSED[name]
    reply = served.request("GET", f"/api/search?q={quote(query)}")
    assert (reply.status, reply.json["code"]) == (400, "bad_request")
    assert said in reply.json["detail"]
    assert reply.json["hint"]
    code, out, err = pai(served.folders, "search", "--", query)
    assert (code, out) == (64, "")
    assert said in err
    async with connected(served) as client:
        told = await client.call_tool("search_notes", {"query": query})
    assert told.is_error
    assert said in getattr(told.content[0], "text", "")
