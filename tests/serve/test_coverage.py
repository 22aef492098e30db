"""A person and a script learn by the same words why a note is in the index or not (D69)."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest

from tests.daemon_process import DaemonProcess
from tests.serve.conftest import NOTES


def test_status_of_a_note_is_what_the_command_and_the_index_explain(served: DaemonProcess) -> None:
    """Route, older route and command give one document."""
    for path in ("Garden.md", "50% off.md", 'It\'s "quoted".md', ".obsidian/app.json", "Nowhere.md"):
        told = served.client.get(f"/api/notes/{quote(path, safe='')}/status")
        assert told == served.client.get("/api/index", {"explain": path})
        assert told["indexed"] is (path in NOTES)
        assert bool(told["reason"]) is not told["indexed"]
    ended = served.folders.pai("index", "--explain", "Garden.md", "--json")
    assert json.loads(ended.stdout)["state"] == "indexed"
    said = served.folders.pai("index", "--explain", "Nowhere.md").stdout
    assert "not indexed: no such note in the vault" in said


def test_notes_are_listed_by_state_in_pages(served: DaemonProcess) -> None:
    """Pages of two hold each indexed note once, in order, and say how many there are."""
    first = served.client.get("/api/notes", {"state": "indexed", "limit": 2})
    paths = [note["path"] for note in first["notes"]]
    after = first["after"]
    while after is not None:
        page = served.client.get("/api/notes", {"state": "indexed", "limit": 2, "after": after})
        assert len(page["notes"]) <= 2
        paths += [note["path"] for note in page["notes"]]
        after = page["after"]
    assert paths == sorted(NOTES)
    assert first["counts"]["indexed"] == len(NOTES)


@pytest.mark.parametrize("state", ["failed", "pending", "private"])
def test_command_lists_the_notes_in_a_state(served: DaemonProcess, state: str) -> None:
    """`pai index --list` says what there is, or that there is none."""
    listed = json.loads(served.folders.pai("index", "--list", state, "--json").stdout)
    assert (listed["state"], listed["notes"]) == (state, [])
    assert f"No note is {state}." in served.folders.pai("index", "--list", state).stdout


def test_unknown_state_is_refused_in_words(served: DaemonProcess) -> None:
    """A state that is none is a bad request that names those there are."""
    told = served.request("GET", "/api/notes?state=lost").json["detail"]
    assert told == "state must be failed, indexed, pending, private or skipped."
