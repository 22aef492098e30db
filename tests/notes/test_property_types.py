"""The types of properties, as Obsidian's help and its types.json name them."""

from __future__ import annotations

from typing import Any

import pytest

from pai_daemon.notes.property_types import property_type
from pai_daemon.notes.reader import read_note


@pytest.mark.parametrize(
    ("written", "kind"),
    [
        ("word", "text"),
        ("", "text"),
        ("'2024-01-02'", "date"),
        ("2024-01-02", "date"),
        ("2024-01-02T10:30", "datetime"),
        ("2024-01-02T10:30:00", "datetime"),
        ("2024-01-02x", "text"),
        ("10:30", "text"),
        ("3", "number"),
        ("3.5", "number"),
        ("-1", "number"),
        ("true", "checkbox"),
        ("false", "checkbox"),
        ("yes", "text"),
        ("[a, b]", "multitext"),
        ("[]", "multitext"),
        ("{a: 1}", "unknown"),
        ("'[[Note]]'", "text"),
    ],
)
def test_property_type_is_told_by_the_value(written: str, kind: str) -> None:
    """A property without an assigned type has that of its value, as it is written in the frontmatter."""
    note = read_note("Note.md", f"---\nname: {written}\n---\n".encode())
    assert property_type("name", note.properties["name"], {}) == kind


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("tags", "tags"),
        ("Tag", "tags"),
        ("aliases", "aliases"),
        ("alias", "aliases"),
        ("cssclasses", "multitext"),
    ],
)
def test_property_type_of_obsidians_own_properties_is_fixed(name: str, kind: str) -> None:
    """Obsidian's own properties have their type whatever they hold and whatever is assigned."""
    assert property_type(name, "x", {name: "number"}) == kind


@pytest.mark.parametrize("value", ["2024-01-02", None, 3])
def test_property_type_assigned_by_the_vault_counts_before_the_value(value: Any) -> None:
    """What the person chose for a name holds in every note, in any case of its letters."""
    assert property_type("Due", value, {"due": "checkbox"}) == "checkbox"
