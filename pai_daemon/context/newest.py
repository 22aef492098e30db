"""The newest of the notes that are chosen, for a query that only chooses. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from pai_daemon.context.catalog import Catalog
from pai_daemon.context.store.rows import chunk_id, day_ns, modified_ns


def newest(catalog: Catalog, ids: Iterable[str]) -> list[str]:
    """Return of each note the first of these chunks, newest first.

    A note is as new as the day that it is about; where it says none, as when it was last written.
    """
    first: dict[str, int] = {}
    for item in ids:
        path, _, ordinal = item.rpartition("#")
        first[path] = min(int(ordinal), first.get(path, int(ordinal)))
    moments = {}
    for path in first:
        if (note := catalog.get(path)) is not None:
            day = day_ns(note)
            moments[path] = modified_ns(note) if day is None else day
    ordered = sorted(moments, key=lambda path: (-moments[path], path))
    return [chunk_id(path, first[path]) for path in ordered]
