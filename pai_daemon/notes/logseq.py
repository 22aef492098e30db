"""Logseq file graphs: what `logseq/config.edn` says, which files are pages, and what they are called.

Owns the names of pages and journals and Logseq's way of writing dates. What stands in a page is read by
`outline`.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import quote, unquote

import edn_format

from pai_daemon.notes.note import Problem

# Logseq's own template has 9,000 characters; a config is parsed in about 1 ms for each 1,000 of them.
LIMIT_CHARS = 256 * 1024
PAGE_SUFFIXES = (".md", ".markdown", ".org")
DEFAULT_TITLE_FORMAT = "MMM do, yyyy"
DEFAULT_FILE_FORMAT = "yyyy_MM_dd"
# Logseq reads a title in these forms as a journal's, whatever the graph's own form is.
USUAL_FORMATS = (DEFAULT_TITLE_FORMAT, "yyyy-MM-dd", "yyyy_MM_dd")

_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_DATE_TOKEN = re.compile(r"yyyy|YYYY|yy|MMMM|MMM|MM|M|do|dd|d|EEEE|EEE|E")
_NAMES = "|".join(f"{name[:3]}(?:{name[3:]})?" if name[3:] else name for name in (*_MONTHS, *_DAYS))
_READ = {
    "yyyy": r"(\d{4})",
    "YYYY": r"(\d{4})",
    "yy": r"(\d{2})",
    "MM": r"(\d{2})",
    "M": r"(\d{1,2})",
    "do": r"(\d{1,2})(?:st|nd|rd|th)",
    "dd": r"(\d{2})",
    "d": r"(\d{1,2})",
}
_MAX_TOKENS = 8
_PERCENT = re.compile(r"(?:%[0-9A-Fa-f]{2})+")


@dataclass(frozen=True, slots=True)
class Graph:
    """What `logseq/config.edn` says of a graph, and Logseq's defaults for the rest.

    pages, journals: folders, relative to the graph. hidden: prefixes of paths, without a leading slash.
    triple_lowbar: whether `___` in a file name stands for `/`; else it is a full stop that does.
    problems: what of the config could not be read.
    """

    pages: str = "pages"
    journals: str = "journals"
    hidden: tuple[str, ...] = ()
    preferred_format: str = "markdown"
    journal_file_format: str = DEFAULT_FILE_FORMAT
    journal_title_format: str = DEFAULT_TITLE_FORMAT
    triple_lowbar: bool = True
    problems: tuple[Problem, ...] = ()

    @classmethod
    def parse(cls, config: str) -> Graph:
        """Return the graph that the text of a `config.edn` describes; defaults for what cannot be read.

        A config without `:file/name-format` is from before triple lowbars, and names files the old way.
        """
        problems: list[Problem] = []
        settings = _settings(config, problems)
        if settings is None:
            return cls(problems=tuple(problems))

        def folder(key: str, default: str) -> str:
            return _text(settings, key, default, problems).strip("/") or default

        return cls(
            pages=folder("pages-directory", "pages"),
            journals=folder("journals-directory", "journals"),
            hidden=_texts(settings, "hidden", problems),
            preferred_format=_text(settings, "preferred-format", "markdown", problems).lower(),
            journal_file_format=_date_format(
                settings, "journal/file-name-format", DEFAULT_FILE_FORMAT, problems
            ),
            journal_title_format=_date_format(
                settings, "journal/page-title-format", DEFAULT_TITLE_FORMAT, problems
            ),
            triple_lowbar=_text(settings, "file/name-format", "legacy", problems) == "triple-lowbar",
            problems=tuple(problems),
        )

    def covers(self, path: str) -> bool:
        """Return whether the file at this path is a page or journal of the graph."""
        inside = path.startswith((f"{self.pages}/", f"{self.journals}/"))
        return inside and path.lower().endswith(PAGE_SUFFIXES)

    def is_hidden(self, path: str) -> bool:
        """Return whether `:hidden` names the path or the beginning of it, as Logseq compares."""
        return path.startswith(self.hidden) if self.hidden else False

    def ignored(self, path: str) -> bool:
        """Return whether the path is Logseq's own: backups, the recycle bin, old versions, settings."""
        return path.startswith("logseq/")

    def page_name(self, path: str) -> str:
        """Return what the file's name says the page is called; a `title::` in the page comes before it."""
        folder, _, file = path.rpartition("/")
        name = file.rpartition(".")[0] if file.lower().endswith(PAGE_SUFFIXES) else file
        if folder == self.pages and name == "contents":
            return "Contents"
        if not self.triple_lowbar:
            return _decoded(name.replace(".", "/"))
        parts = _PERCENT.sub(lambda match: _decoded(match[0]), name.replace("___", "/")).split("/")
        return "/".join(part for part in parts if part)

    def journal_day(self, path: str) -> datetime.date | None:
        """Return the day of the journal at path, None for a page that is none.

        The name is read as the graph writes its journals, else in one of the forms Logseq always knows.
        """
        name = self.page_name(path)
        file = path.rpartition("/")[2].rpartition(".")[0]
        days = (
            parse_day(text, form)
            for form in (self.journal_file_format, self.journal_title_format, *USUAL_FORMATS)
            for text in (file, name)
        )
        return next((day for day in days if day is not None), None)

    def journal_title(self, day: datetime.date) -> str:
        """Return what the journal of a day is called in this graph: `Jan 5th, 2024`."""
        return format_day(day, self.journal_title_format)

    def journal_names(self, day: datetime.date) -> tuple[str, ...]:
        """Return all names by which a link may call the journal of a day, its title first."""
        forms = dict.fromkeys((self.journal_title_format, *USUAL_FORMATS))
        return tuple(dict.fromkeys(format_day(day, form) for form in forms))


def logseq_uri(graph_name: str, *, page: str = "", block: str = "") -> str:
    """Return the address that opens Logseq at a page or, before it, at a block (a uuid) of a graph."""
    address = f"logseq://graph/{quote(graph_name, safe='')}"
    if block:
        return f"{address}?block-id={quote(block, safe='')}"
    return f"{address}?page={quote(page, safe='')}" if page else address


def format_day(day: datetime.date, form: str) -> str:
    """Return the day in a form of cljs-time's letters: `MMM do, yyyy`, `yyyy_MM_dd`, `EEEE, dd.MM.yyyy`."""
    return _DATE_TOKEN.sub(lambda match: _written(day, match[0]), form)


def parse_day(text: str, form: str) -> datetime.date | None:
    """Return the day that text names in this form, without regard to case; None where it names none."""
    tokens, pattern = _day_pattern(form)
    match = pattern.fullmatch(text)
    if match is None:
        return None
    found = dict(zip((token.lower()[0] for token in tokens), match.groups(), strict=True))
    if not {"y", "m", "d"} <= found.keys():
        return None
    year = int(found["y"]) + (2000 if len(found["y"]) == 2 else 0)
    month = found["m"]
    number = int(month) if month.isdigit() else _month(month)
    try:
        return datetime.date(year, number, int(found["d"]))
    except ValueError:
        return None


def _month(name: str) -> int:
    """Return the number of a month by its name or its first three letters; 0 for the name of a weekday."""
    found = (index for index, month in enumerate(_MONTHS, 1) if month[:3].lower() == name[:3].lower())
    return next(found, 0)


def _written(day: datetime.date, letters: str) -> str:
    """Return what the letters of a form stand for."""
    if letters[0] == "E":
        name = _DAYS[day.weekday()]
        return name if letters == "EEEE" else name[:3]
    if letters in ("MMMM", "MMM"):
        return _MONTHS[day.month - 1][: None if letters == "MMMM" else 3]
    if letters == "do":
        last = 0 if 10 < day.day < 14 else day.day % 10
        return f"{day.day}{('th', 'st', 'nd', 'rd')[last] if last < 4 else 'th'}"
    if letters[0] in "yY":
        return f"{day.year:04d}"[4 - len(letters) :]
    number = day.month if letters[0] == "M" else day.day
    return f"{number:0{len(letters)}d}"


@lru_cache(maxsize=64)
def _day_pattern(form: str) -> tuple[tuple[str, ...], re.Pattern[str]]:
    """Return the tokens of a form, and the pattern whose groups they are."""
    tokens: list[str] = []
    parts: list[str] = []
    position = 0
    for match in _DATE_TOKEN.finditer(form):
        tokens.append(match[0])
        parts += [re.escape(form[position : match.start()]), _READ.get(match[0], f"({_NAMES})")]
        position = match.end()
    parts.append(re.escape(form[position:]))
    return tuple(tokens), re.compile("".join(parts), re.IGNORECASE | re.ASCII)


def _decoded(name: str) -> str:
    """Return the name percent-decoded, as it is where that gives no text."""
    try:
        return unquote(name, errors="strict")
    except UnicodeDecodeError:
        return name


def _settings(config: str, problems: list[Problem]) -> dict[str, Any] | None:
    """Return the settings by their names without the colon; None, and a problem, where there are none."""
    if len(config) > LIMIT_CHARS:
        problems.append(Problem(f"config.edn is too large: {len(config)} characters; defaults are used"))
        return None
    try:
        parsed = edn_format.loads(config.removeprefix("\ufeff"))
    # The library raises what it likes: its own errors, ValueError, RecursionError, NotImplementedError.
    except Exception as error:
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        problems.append(Problem(f"config.edn could not be read: {reason}; defaults are used"))
        return None
    if not isinstance(parsed, Mapping):
        problems.append(Problem("config.edn holds no map; defaults are used"))
        return None
    return {key.name: value for key, value in parsed.items() if isinstance(key, edn_format.Keyword)}


def _text(settings: Mapping[str, Any], key: str, default: str, problems: list[Problem]) -> str:
    """Return a setting that is a text or a keyword."""
    value = settings.get(key)
    if isinstance(value, edn_format.Keyword):
        return str(value.name)
    if value is None or isinstance(value, str):
        return value or default
    problems.append(Problem(f":{key} is no text; the default is used"))
    return default


def _texts(settings: Mapping[str, Any], key: str, problems: list[Problem]) -> tuple[str, ...]:
    """Return a setting that is a list of texts, without slashes at their beginning."""
    value = settings.get(key)
    if value is None:
        return ()
    if not isinstance(value, Iterable) or isinstance(value, (str, Mapping)):
        problems.append(Problem(f":{key} is no list; nothing is hidden by it"))
        return ()
    names = (item.lstrip("/") for item in value if isinstance(item, str))
    return tuple(name for name in names if name)


def _date_format(settings: Mapping[str, Any], key: str, default: str, problems: list[Problem]) -> str:
    """Return a setting that is a form of dates; more tokens than a date has would be slow to match."""
    form = _text(settings, key, default, problems)
    if len(form) > 100 or len(_DATE_TOKEN.findall(form)) > _MAX_TOKENS:
        problems.append(Problem(f":{key} is too long; the default is used"))
        return default
    return form
