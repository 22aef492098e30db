"""`GET /api/notes/{path}`: a note as it is read."""

from __future__ import annotations

from tests.daemon_process import DaemonProcess


def test_note_has_the_type_and_the_place_of_each_property(served: DaemonProcess) -> None:
    """A property comes with its type, its line, and where its name and its value stand in the note."""
    note = served.request("GET", "/api/notes/Bread.md").json
    assert note["properties"] == {"tags": ["kitchen/baking"]}
    assert note["property_types"] == {"tags": "tags"}
    assert note["property_spans"] == {"tags": {"start": 4, "value_start": 10, "end": 26, "line": 2}}
