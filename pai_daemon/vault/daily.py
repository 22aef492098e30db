"""Where the daily note of a day lies, and what a new one begins with: as Obsidian or Logseq would make it.

Obsidian's core plugin keeps folder, form and template in `.obsidian/daily-notes.json`; the plugin Periodic
Notes, where it is used, in its own settings. Forms are Moment's, https://momentjs.com/docs/#/displaying/format.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from pai_daemon.notes.logseq import format_day
from pai_daemon.vault.folder import layout_of

CORE = ".obsidian/daily-notes.json"
PERIODIC = ".obsidian/plugins/periodic-notes/data.json"
DEFAULT_FORM = "YYYY-MM-DD"
MAX_TEMPLATE_BYTES = 256 * 1024
_MOMENT = re.compile(
    r"\[(?P<literal>[^\]]*)\]|YYYY|YY|MMMM|MMM|MM|Mo|M|DDDD|DD|Do|D|dddd|ddd|dd|d|E|GGGG|gggg|WW|W|ww|w|Q"
    r"|HH|H|hh|h|mm|m|ss|s|A|a|X"
)
_PLACE = re.compile(r"\{\{\s*(?P<name>date|time|title|weekday)\s*(?::(?P<form>[^}]*))?\}\}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class DailyNotes:
    """How a vault's daily notes are named. template: a note's path without its end, "" for none."""

    folder: str
    form: str
    template: str = ""
    is_logseq: bool = False

    @classmethod
    def of(cls, vault: Path) -> DailyNotes:
        """Return what the vault's program is set to; its defaults for what cannot be read."""
        if (graph := layout_of(vault).graph) is not None:
            return cls(graph.journals, graph.journal_file_format, is_logseq=True)
        daily = _settings(vault / PERIODIC).get("daily")
        if not (isinstance(daily, dict) and daily.get("enabled")):
            daily = _settings(vault / CORE)
        return cls(
            folder=_text(daily, "folder").strip("/"),
            form=_text(daily, "format") or DEFAULT_FORM,
            template=_text(daily, "template").strip("/"),
        )

    def path(self, day: date) -> str:
        """Return the path of a day's note in the vault."""
        name = format_day(day, self.form) if self.is_logseq else moment_text(_noon(day), self.form)
        return f"{self.folder}/{name}.md" if self.folder else f"{name}.md"

    def beginning(self, vault: Path, now: datetime) -> str:
        """Return the text that a new note begins with: the template, with its placeholders filled in."""
        if not self.template:
            return ""
        file = vault / (self.template if self.template.endswith(".md") else f"{self.template}.md")
        return filled(read_template(vault, file), now, Path(self.path(now.date())).stem, self.form)


def read_template(vault: Path, file: Path) -> str:
    """Return the text of a template of the vault, "" where there is none, it is too large or lies outside."""
    try:
        if not file.resolve().is_relative_to(vault.resolve()) or file.stat().st_size > MAX_TEMPLATE_BYTES:
            return ""
        return file.read_bytes().decode("utf-8")
    except (OSError, ValueError):
        return ""


def filled(text: str, now: datetime, title: str, form: str = DEFAULT_FORM) -> str:
    """Return a template's text with {{date}}, {{time}}, {{title}} and {{weekday}} filled in.

    `{{date:DD.MM.YYYY}}` says the form. What else stands in braces is left alone.
    """

    def put(found: re.Match[str]) -> str:
        name = found["name"].lower()
        if name == "title":
            return title
        default = {"date": form, "time": "HH:mm", "weekday": "dddd"}[name]
        return moment_text(now, found["form"] or default)

    return _PLACE.sub(put, text)


def moment_text(now: datetime, form: str) -> str:
    """Return a moment in a form of Moment's letters; names are English."""
    return _MOMENT.sub(lambda found: _written(now, found), form)


def _written(now: datetime, found: re.Match[str]) -> str:
    if found["literal"] is not None:
        return found["literal"]
    letters, week, half = found[0], now.isocalendar(), "AM" if now.hour < 12 else "PM"
    names = {
        "GGGG": f"{week.year:04d}",
        "DDDD": f"{now.timetuple().tm_yday:03d}",
        "dddd": format_day(now, "EEEE"),
        "ddd": format_day(now, "E"),
        "dd": format_day(now, "E")[:2],
        "Do": format_day(now, "do"),
        "Mo": format_day(now.replace(day=now.month), "do"),
        "A": half,
        "a": half.lower(),
        "X": str(int(now.timestamp())),
        "YYYY": format_day(now, "yyyy"),
        "YY": format_day(now, "yy"),
        "MMMM": format_day(now, "MMMM"),
        "MMM": format_day(now, "MMM"),
    }
    # Moment's own week begins on a Sunday; the one of ISO is what people mean by its number.
    numbers = {"M": now.month, "D": now.day, "d": now.isoweekday() % 7, "E": now.isoweekday(), "W": week.week}
    numbers |= {"Q": (now.month + 2) // 3, "H": now.hour, "h": (now.hour + 11) % 12 + 1, "m": now.minute}
    numbers |= {"s": now.second, "w": week.week, "g": week.year}
    return names[letters] if letters in names else f"{numbers[letters[0]]:0{len(letters)}d}"


def _noon(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 12)


def _settings(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _text(settings: dict[str, Any], name: str) -> str:
    value = settings.get(name)
    return value.strip() if isinstance(value, str) else ""
