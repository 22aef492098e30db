"""Filters as predicates of the table of chunks. Pure."""

from __future__ import annotations

import unicodedata

from pai_daemon.context.filters import Filter, fold_property, fold_tag
from pai_daemon.context.store.lance import quoted

_NAME = "split_part(path, '/', -1)"
_HEADINGS = "array_to_string(heading_path, ' > ')"


def where_of(chosen: Filter) -> str:
    """Return the predicate of a filter, true for the live rows that pass it."""
    return " AND ".join(["live = true", *_clauses(chosen)])


def _clauses(chosen: Filter) -> list[str]:
    """Return what must hold; ranges for folders, since LIKE reads `_` as a wildcard."""
    clauses = []
    if folder := chosen.folder.strip("/"):
        clauses.append(f"(path = {quoted(folder)} OR {_below(folder)})")
    if notes := [path for path in chosen.without if not path.endswith("/")]:
        clauses.append(f"path NOT IN ({', '.join(map(quoted, notes))})")
    clauses += [f"NOT {_below(path.rstrip('/'))}" for path in chosen.without if path.endswith("/")]
    clauses += [f"array_has(tags, {quoted(fold_tag(tag))})" for tag in chosen.tags]
    clauses += [f"array_has(properties, {quoted(fold_property(item))})" for item in chosen.properties]
    clauses += [_holds(part, "path") for part in chosen.within]
    clauses += [_holds(part, "title", _NAME) for part in chosen.titles]
    clauses += [_holds(part, _HEADINGS) for part in chosen.headings]
    moment = "modified" if chosen.by_change else "coalesce(day, modified)"
    if chosen.since_ns is not None:
        clauses.append(f"{moment} >= {chosen.since_ns}")
    if chosen.before_ns is not None:
        clauses.append(f"{moment} < {chosen.before_ns}")
    # What a row lacks is null, and so is its denial.
    for unwanted in filter(None, chosen.unwanted):
        clauses.append(f"NOT coalesce({' AND '.join(_clauses(unwanted))}, false)")
    return clauses


def _holds(part: str, *columns: str) -> str:
    """Return that one of the columns holds a part, in any case, however its accents are written."""
    forms = dict.fromkeys(unicodedata.normalize(form, part).lower() for form in ("NFC", "NFD"))
    held = [f"contains(lower({column}), {quoted(form)})" for column in columns for form in forms]
    return f"({' OR '.join(held)})"


def _below(folder: str) -> str:
    return f"(path >= {quoted(folder + '/')} AND path < {quoted(folder + '0')})"
