"""Which notes a question looks at, and the form in which tags and properties are compared. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from pai_daemon.errors import UsageError

# Of one note; a table pasted into the properties must not weigh more than its text.
MAX_PROPERTIES = 64
MAX_VALUE_CHARACTERS = 200
# The last moment that 64 bits can say, in the year 2262.
LATEST_NS = 2**63 - 1
_AGO = re.compile(r"([0-9]{1,5})([hdwmy])")
_HOURS = {"h": 1, "d": 24, "w": 7 * 24, "m": 30 * 24, "y": 365 * 24}


@dataclass(frozen=True, slots=True)
class Filter:
    """Which notes a question looks at; empty fields mean all, and all that are given must hold.

    folder: a path prefix such as `Projects`, or one note's path. tags: each covers the tags nested below
    it. properties: `name` for notes that have it, `name=value` for those that have it with this value, or
    with this value in a list. since_ns, before_ns: in nanoseconds since 1970, since included, before
    excluded: the day that a note is about, as a journal's; of a note that says none, when it was last
    written. by_change: when it was last written in any case. without: paths of notes, and of folders with a
    slash behind, that are left out for who may not see them. within, titles, headings: each a part of the
    path, of the title or the file's name, of the headings that a passage stands under, in any case of
    letters. unwanted: what passes one of them is left out.
    """

    folder: str = ""
    tags: tuple[str, ...] = ()
    properties: tuple[str, ...] = ()
    since_ns: int | None = None
    before_ns: int | None = None
    by_change: bool = False
    without: tuple[str, ...] = ()
    within: tuple[str, ...] = ()
    titles: tuple[str, ...] = ()
    headings: tuple[str, ...] = ()
    unwanted: tuple[Filter, ...] = ()

    def __bool__(self) -> bool:
        """Return whether the filter excludes anything."""
        return self != EVERYTHING

    @property
    def is_asked_for(self) -> bool:
        """Return whether it says what is looked for, and not only what must not be found."""
        return replace(self, without=()) != EVERYTHING

    def unless_asked_for(self, meant: Filter) -> Filter:
        """Return this filter, or where it says nothing what was meant, without what this one leaves out."""
        return self if self.is_asked_for else replace(meant, without=self.without)


EVERYTHING = Filter()


def narrowed(chosen: Filter, more: Filter) -> Filter:
    """Return what passes both filters; the folder is that of the first, if it names one."""
    since = [each for each in (chosen.since_ns, more.since_ns) if each is not None]
    before = [each for each in (chosen.before_ns, more.before_ns) if each is not None]
    return Filter(
        folder=chosen.folder or more.folder,
        tags=chosen.tags + more.tags,
        properties=chosen.properties + more.properties,
        since_ns=max(since, default=None),
        before_ns=min(before, default=None),
        by_change=chosen.by_change or more.by_change,
        without=chosen.without + more.without,
        within=chosen.within + more.within,
        titles=chosen.titles + more.titles,
        headings=chosen.headings + more.headings,
        unwanted=chosen.unwanted + more.unwanted,
    )


def fold(text: str) -> str:
    """Return a text in the form in which names and values are compared."""
    return unicodedata.normalize("NFC", text).casefold().strip()


def fold_tag(tag: str) -> str:
    """Return a tag in the form in which tags are compared."""
    return fold(tag).strip("#/")


def tag_closure(tags: Iterable[str]) -> frozenset[str]:
    """Return the tags and every tag they are nested in, folded: `a/b` gives `a` and `a/b`."""
    closed: set[str] = set()
    for tag in tags:
        parts = fold_tag(tag).split("/")
        closed.update("/".join(parts[: depth + 1]) for depth in range(len(parts)))
    return frozenset(closed)


def fold_property(written: str) -> str:
    """Return `name` or `name=value` in the form in which properties are compared."""
    name, is_valued, value = written.partition("=")
    return f"{fold(name)}={fold(value)[:MAX_VALUE_CHARACTERS]}" if is_valued else fold(name)


def property_entries(properties: Mapping[str, Any]) -> list[str]:
    """Return what a note's properties are found by: each name, and each name with each of its values.

    properties: values as JSON has them. A link is found by what stands between its brackets. `pai` comes
    first, for no other property may push out what says that a note stays on this machine.
    """
    entries: dict[str, None] = {}
    for name, value in sorted(properties.items(), key=lambda item: fold(str(item[0])) != "pai"):
        entries[fold_property(str(name).replace("=", " "))] = None
        for item in value if isinstance(value, list) else [value]:
            if item is not None and not isinstance(item, dict | list):
                text = str(item).lower() if isinstance(item, bool) else str(item)
                bare = text.strip().removeprefix("[[").removesuffix("]]")
                entries[fold_property(f"{str(name).replace('=', ' ')}={bare}")] = None
    return list(entries)[:MAX_PROPERTIES]


def moment_ns(written: str, now: datetime) -> int:
    """Return a moment in nanoseconds since 1970.

    written: a day or a time of ISO 8601, in local time where it names no zone, or how long ago: `12h`, `7d`,
    `2w`, `3m` (of 30 days), `1y`. now: with its zone. Raises UsageError.
    """
    if ago := _AGO.fullmatch(written.strip().lower()):
        moment = now - timedelta(hours=int(ago[1]) * _HOURS[ago[2]])
    else:
        try:
            moment = datetime.fromisoformat(written.strip())
        except ValueError:
            raise UsageError(
                f"{written!r} is no time.", hint="Write 2026-11-01, 2026-11-01T18:30, 12h, 7d, 2w, 3m or 1y."
            ) from None
        moment = moment if moment.tzinfo else moment.replace(tzinfo=now.tzinfo)
    seconds = (moment - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(microseconds=1)
    return max(-LATEST_NS, min(int(seconds) * 1000, LATEST_NS))
