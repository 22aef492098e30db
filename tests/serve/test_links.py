"""The routes of links: what a note could have, what was refused, and the report."""

from __future__ import annotations

import json

import pytest

from tests.daemon_process import DaemonProcess

NOTE, OTHER = "Garden.md", "Projects/Boat.md"


def test_refused_pair_is_suggested_no_more_until_that_is_undone(served: DaemonProcess) -> None:
    """A refusal counts at once, is listed, and goes by the same route."""
    client = served.client

    def targets() -> set[str]:
        found = client.links(NOTE, limit=50)
        return {each["target"] for each in found["mentions"]} | {e["path"] for e in found["suggestions"]}

    assert OTHER in targets()
    done = client.refuse_links([(NOTE, "Boat"), ("Nowhere", NOTE)])
    try:
        assert (done["changed"], done["unknown"]) == (1, ["Nowhere"])
        assert client.refused_links()["pairs"] == [{"path": NOTE, "other": OTHER}]
        assert OTHER not in targets()
    finally:
        assert client.refuse_links([(OTHER, NOTE)], undo=True)["changed"] == 1
    assert OTHER in targets()
    assert client.refused_links()["pairs"] == []


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"pairs": []},
        {"pairs": [{"path": NOTE}]},
        {"pairs": [{"path": NOTE, "other": NOTE}]},
        {"pairs": 3},
    ],
)
def test_wrong_refusal_is_told(served: DaemonProcess, body: dict[str, object]) -> None:
    """A body without two notes in each pair is a 400 that says what is missing."""
    reply = served.request("POST", "/api/links/refuse", body=body)
    assert reply.status == 400
    assert json.loads(reply.body)["detail"]


def test_report_streams_and_ends_with_itself(served: DaemonProcess) -> None:
    """Progress comes first and never falls; the report is that of the plain request."""
    *steps, (last, report) = served.client.link_report()
    assert last == "done"
    assert [name for name, _ in steps] == ["progress"] * len(steps)
    assert steps
    plain = json.loads(served.request("GET", "/api/links/report").body)
    assert {**plain, "took_s": 0} == {**report, "took_s": 0}
    assert plain["notes"] > 0
