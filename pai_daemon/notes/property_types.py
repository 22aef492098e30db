"""The types that Obsidian gives to properties, by the names that its `types.json` writes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_OWN = {
    "tag": "tags",
    "tags": "tags",
    "alias": "aliases",
    "aliases": "aliases",
    "cssclass": "multitext",
    "cssclasses": "multitext",
}
# A truth value is an int in Python: the order counts.
_TYPES = ((bool, "checkbox"), (int | float, "number"), (list, "multitext"), (dict, "unknown"))
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?")


def property_type(name: str, value: Any, assigned: Mapping[str, str]) -> str:
    """Return text, multitext, number, checkbox, date, datetime, tags, aliases, or unknown for a nested value.

    assigned: the types that the vault gives to properties by name; one has a type in the whole vault, and
    only where it has none the value tells. Names are compared without case, as Obsidian does.
    """
    key = name.casefold()
    given = {known.casefold(): kind for known, kind in assigned.items()}
    return _OWN.get(key) or given.get(key) or _told_by(value)


def _told_by(value: Any) -> str:
    """Return the type that a value has by itself."""
    if isinstance(value, str):
        return "date" if _DATE.fullmatch(value) else "datetime" if _TIME.fullmatch(value) else "text"
    for kind, name in _TYPES:
        if isinstance(value, kind):
            return name
    return "text"
