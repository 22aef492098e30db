"""The day that a note is about: of a journal, a meeting, a diary. Pure.

The name of the file goes before its properties: who renames a daily note means it. A note of a week or a
month counts at its middle.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

from pai_daemon.notes.note import Note

PROPERTIES = ("date", "day", "created", "created-at", "creation date", "date created", "erstellt", "datum")
_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "january jan januar",
            "february feb februar",
            "march mar märz mär",
            "april apr",
            "may mai",
            "june jun juni",
            "july jul juli",
            "august aug",
            "september sep sept",
            "october oct oktober okt",
            "november nov",
            "december dec dezember dez",
        ),
        start=1,
    )
    for name in names.split()
}
_NAMES = "|".join(sorted(_MONTHS, key=len, reverse=True))
# Each is tried from the beginning of the text on; the first that names a day counts.
_FORMS = (
    re.compile(r"(?<!\d)(?P<y>(?:19|20)\d\d)[-_./](?P<m>\d\d)[-_./](?P<d>\d\d)(?!\d)"),
    # Twelve or fourteen digits are the number of a note in a Zettelkasten, which says when it was begun.
    re.compile(r"(?<!\d)(?P<y>(?:19|20)\d\d)(?P<m>\d\d)(?P<d>\d\d)(?:[ T_-]?\d{4}(?:\d\d)?)?(?!\d)"),
    re.compile(r"(?<!\d)(?P<d>\d{1,2})\.[ ]?(?P<m>\d{1,2})\.[ ]?(?P<y>(?:19|20)\d\d)(?!\d)"),
    re.compile(
        rf"\b(?P<n>{_NAMES})\.?[ _-](?P<d>\d{{1,2}})(?:st|nd|rd|th)?,?[ _-](?P<y>(?:19|20)\d\d)(?!\d)",
        re.IGNORECASE,
    ),
    re.compile(
        rf"(?<!\d)(?P<d>\d{{1,2}})(?:st|nd|rd|th|\.)?[ _-](?P<n>{_NAMES})"
        r"\.?,?[ _-](?P<y>(?:19|20)\d\d)(?!\d)",
        re.IGNORECASE,
    ),
)
_YEAR = re.compile(r"(?:19|20)\d\d")
_WEEK = re.compile(r"(?P<y>(?:19|20)\d\d)[-_ ]?[WwKk][Ww]?(?P<w>\d\d)")
_MONTH = re.compile(r"(?P<y>(?:19|20)\d\d)[-_.](?P<m>\d\d)")
# `2026/05/12.md`, `2026/05-May/12 Tuesday.md`
_FOLDERS = re.compile(
    r"(?:^|/)(?P<y>(?:19|20)\d\d)/(?P<m>\d\d)(?:[-_ ][^/\d]{1,20})?/(?P<d>\d\d)(?:[-_ ][^/\d]{1,20})?$"
)
_LOOKED_AT_CHARACTERS = 200


def day_of(note: Note) -> str:
    """Return the day that a note is about, ISO 8601, empty where it says none."""
    if note.date:
        return note.date
    bare = note.path.rpartition(".")[0][-_LOOKED_AT_CHARACTERS:]
    found = _named(bare) or next(_of_properties(note), None)
    return found.isoformat() if found else ""


def day_in(text: str) -> date | None:
    """Return the first day that a text names, in the forms of file names and properties."""
    text = text[:_LOOKED_AT_CHARACTERS]
    if _YEAR.search(text) is None:  # as in most names
        return None
    for form in _FORMS:
        for match in form.finditer(text):
            if day := _day(match):
                return day
    return None


def _named(bare: str) -> date | None:
    """Return the day that a path without its suffix names."""
    name = bare.rpartition("/")[2]
    if day := day_in(name):
        return day
    if match := _FOLDERS.search(bare):
        return _day(match)
    try:
        if match := _WEEK.match(name):
            return date.fromisocalendar(int(match["y"]), int(match["w"]), 4)
        if match := _MONTH.fullmatch(name):
            return date(int(match["y"]), int(match["m"]), 15)
    except ValueError:
        return None
    return None


def _of_properties(note: Note) -> Iterator[date]:
    properties = {str(name).lower().replace("_", "-"): value for name, value in note.properties.items()}
    for name in PROPERTIES:
        value = properties.get(name)
        value = value[0] if isinstance(value, list) and value else value
        if isinstance(value, str | int) and (day := day_in(str(value))):
            yield day


def _day(match: re.Match[str]) -> date | None:
    found = match.groupdict()
    month = _MONTHS[found["n"].lower()] if found.get("n") else int(found["m"])
    try:
        return date(int(found["y"]), month, int(found["d"]))
    except ValueError:
        return None
