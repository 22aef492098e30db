"""Reads a routine from its note, or says at which line it is wrong. Pure.

A routine runs as its note says, or not at all: a value that makes no sense is never replaced by a guess.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar, get_args
from urllib.parse import urlsplit

from pai_daemon.action.grant import Grant, read_grant, read_pattern
from pai_daemon.action.routine import (
    Cause,
    Input,
    InputKind,
    Limits,
    OnMissed,
    Routine,
    Trigger,
    WriteKind,
    Writes,
    Wrong,
)
from pai_daemon.action.schedule import read_schedule, read_zone
from pai_daemon.errors import UsageError
from pai_daemon.notes.frontmatter import Frontmatter, read_frontmatter

KEYS = (
    "schedule", "timezone", "on", "inputs", "model", "writes", "grants", "limits", "on_missed", "grace",
    "retries", "enabled", "routine",
)  # fmt: skip
# What else a person's notes have; it is no mistake.
_OTHERS = frozenset(("tags", "tag", "aliases", "alias", "cssclasses", "description", "title", "pai", "id"))
_DURATION = re.compile(r"(\d{1,6}(?:\.\d+)?)\s*(s|sec|m|min|h|d|w)?")
_SECONDS = {None: 1, "s": 1, "sec": 1, "m": 60, "min": 60, "h": 3600, "d": 86_400, "w": 604_800}
_HOST = re.compile(r"(?:\*\.)?[\w.\-]+(?::\d{1,5})?|\[[0-9a-fA-F:.]+\](?::\d{1,5})?")
MAX_SPAN_S = 100 * 366 * 86_400.0
Value = TypeVar("Value")


def read_routine(path: str, text: str, *, folder: str = "") -> Routine | tuple[Wrong, ...]:
    """Return the routine of a note, or everything that is wrong with it.

    path: of the note in the vault; folder: below which routines lie, which is no part of their names.
    """
    head = read_frontmatter(text)
    if head.problems:
        return tuple(Wrong(path, each.line or 1, each.reason) for each in head.problems)
    return _Reading(path, text, head, folder).routine()


class _Reading:
    """One note, read key by key; what is wrong is collected, each with its line."""

    def __init__(self, path: str, text: str, head: Frontmatter, folder: str) -> None:
        self._path, self._text, self._head = path, text, head
        self._folder = folder
        self._wrong: list[Wrong] = []

    def routine(self) -> Routine | tuple[Wrong, ...]:
        """Return the routine, or what is wrong."""
        given = self._head.properties
        for key in given:
            if key not in KEYS and key not in _OTHERS and not key.startswith("x-"):
                self._unknown(key, KEYS, key, "setting of a routine")
        name = self._path.removeprefix(f"{self._folder}/" if self._folder else "").removesuffix(".md")
        zone = self._read("timezone", str(given.get("timezone") or ""), read_zone)
        schedule = str(given.get("schedule") or "")
        if schedule and zone is not None:
            self._read("schedule", schedule, lambda said: read_schedule(said, zone))
        triggers = tuple(self._each("on", self._trigger))
        writes = self._read("writes", given.get("writes"), self._writes) or Writes()
        routine = Routine(
            name=name,
            path=self._path,
            title=name.rpartition("/")[2],
            prompt=self._text[self._head.body_start :].strip(),
            schedule=schedule,
            timezone=str(given.get("timezone") or ""),
            triggers=triggers,
            inputs=tuple(self._each("inputs", self._input)),
            model=str(given.get("model") or ""),
            writes=writes,
            grants=tuple(self._each("grants", self._grant)),
            limits=self._read("limits", given.get("limits"), self._limits) or Limits(),
            on_missed=self._choice("on_missed", given.get("on_missed", "run_once"), get_args(OnMissed)),
            grace_s=self._read("grace", given.get("grace", "4h"), seconds_of) or 0.0,
            retries=self._read("retries", given.get("retries", 2), lambda value: _whole(value, 0, 10)) or 0,
            enabled=self._read("enabled", given.get("enabled", True), _truth) is not False,
            shipped=str(given.get("routine") or ""),
        )
        if not routine.prompt and not routine.shipped:
            self._say(
                "", "The note has no text: what is to be done?", "Write the prompt below the properties."
            )
        return tuple(self._wrong) or routine

    # The values.

    def _trigger(self, value: Any) -> Trigger:
        if isinstance(value, str):
            value = {value: ""}
        if not isinstance(value, dict):
            raise UsageError(f"{value!r} is no event.", hint=_ON_HINT)
        causes = [key for key in value if key in get_args(Cause)]
        others = [key for key in value if key not in (*get_args(Cause), "change", "debounce")]
        if len(causes) != 1 or others:
            raise UsageError(f"{next(iter(others or value), '')!r} is no event.", hint=_ON_HINT)
        cause, what = causes[0], str(value[causes[0]] or "")
        if not what and cause in ("note", "tag"):
            raise UsageError(f"Which {cause}? It names none.", hint=_ON_HINT)
        if cause == "note":
            read_pattern(what)
        change = value.get("change", "any")
        if change not in ("created", "changed", "any"):
            raise UsageError(f"{change!r} is no change.", hint="Write created, changed or any.")
        return Trigger(
            cause, what.lstrip("#") if cause == "tag" else what, change, seconds_of(value.get("debounce", 30))
        )

    def _input(self, value: Any) -> Input:
        kinds = get_args(InputKind)
        if isinstance(value, str):
            value = {value: ""}
        if not isinstance(value, dict) or len(value) != 1:
            raise UsageError(f"{value!r} is no input.", hint=_INPUT_HINT)
        ((kind, what),) = value.items()
        if kind not in kinds:
            near = difflib.get_close_matches(str(kind), kinds, n=1)
            raise UsageError(
                f"There is no input {kind!r}.",
                hint=f"Is it {near[0]}? {_INPUT_HINT}" if near else _INPUT_HINT,
            )
        if kind in ("feed", "url"):
            _address(str(what))
        if kind in ("daily", "changed", "links"):
            seconds_of(what)
        if kind in ("query", "notes") and not str(what or "").strip():
            raise UsageError(f"The input {kind} says nothing.", hint=_INPUT_HINT)
        if kind == "notes":
            read_pattern(str(what))
        return Input(kind, str(what if what is not None else ""))

    def _grant(self, value: Any) -> Grant:
        if isinstance(value, str) and ":" in value:
            kind, _, pattern = value.partition(":")
            return read_grant(kind, pattern)
        if not isinstance(value, dict) or len(value) != 1:
            raise UsageError(f"{value!r} is no grant.", hint="Write `- append: Journal/**`.")
        ((kind, pattern),) = value.items()
        return read_grant(str(kind), str(pattern or ""))

    def _writes(self, value: Any) -> Writes:
        if value in (None, "none", ""):
            return Writes()
        if isinstance(value, str):
            value = {"to": value}
        if not isinstance(value, dict):
            raise UsageError(f"{value!r} is no place to write to.", hint=_WRITES_HINT)
        for key in value:
            if key not in ("to", "heading", "as", "template"):
                raise UsageError(f"There is no {key!r} of writes.", hint=_WRITES_HINT)
        to = str(value.get("to") or "").strip()
        kind: WriteKind = value.get("as") or ("none" if not to else "section" if to == "daily" else "create")
        if kind not in get_args(WriteKind):
            raise UsageError(f"{kind!r} is no way to write.", hint=_WRITES_HINT)
        if kind in ("section", "create") and not to:
            raise UsageError("It is not said to which note.", hint=_WRITES_HINT)
        if to.startswith("/") or ".." in to.split("/") or "\\" in to:
            raise UsageError(f"{to!r} leads out of the vault.", hint=_WRITES_HINT)
        return Writes(
            kind, to, str(value.get("heading") or "").lstrip("# "), str(value.get("template") or "")
        )

    def _limits(self, value: Any) -> Limits:
        if value is None:
            return Limits()
        if not isinstance(value, dict):
            raise UsageError(f"{value!r} is no limit.", hint="Write `limits: {time: 2m, tokens: 2000}`.")
        for key in value:
            if key not in ("time", "tokens", "hosts"):
                raise UsageError(f"There is no limit {key!r}.", hint="There are time, tokens and hosts.")
        hosts = value.get("hosts") or []
        hosts = [hosts] if isinstance(hosts, str) else hosts
        for host in hosts if isinstance(hosts, list) else [hosts]:
            if not isinstance(host, str) or not _HOST.fullmatch(host):
                raise UsageError(f"{host!r} is no host.", hint="Write example.org or *.example.org.")
            _address(f"http://{host.removeprefix('*.')}")
        time_s = seconds_of(value.get("time", 120))
        if time_s <= 0:
            raise UsageError("A run needs some time.", hint="Write `limits: {time: 2m}`.")
        return Limits(
            time_s,
            _whole(value.get("tokens", 2000), 16, 1_000_000),
            tuple(host.lower() for host in hosts),
        )

    # What is wrong, and where.

    def _each(self, key: str, read: Callable[[Any], Value]) -> list[Value]:
        given = self._head.properties.get(key)
        values = given if isinstance(given, list) else [] if given in (None, "") else [given]
        if isinstance(given, dict) and key in ("grants", "inputs"):
            values = [{name: each} for name, each in given.items()]
        found = [self._read(key, value, read) for value in values]
        return [each for each in found if each is not None]

    def _read(self, key: str, value: Any, read: Callable[[Any], Value]) -> Value | None:
        try:
            return read(value)
        except UsageError as error:
            self._say(key, error.detail, error.hint, within=value)
            return None

    def _choice(self, key: str, value: Any, choices: tuple[str, ...]) -> Any:
        if value not in choices:
            self._say(key, f"{value!r} is none of {', '.join(choices)}.", "")
        return value

    def _unknown(self, word: str, known: tuple[str, ...], key: str, what: str) -> None:
        near = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
        self._say(
            key,
            f"There is no {what} {word!r}.",
            f"Is it {near[0]}?" if near else f"Known: {', '.join(known)}.",
        )

    def _say(self, key: str, message: str, hint: str, *, within: Any = None) -> None:
        self._wrong.append(Wrong(self._path, self._line(key, within), message, hint))

    def _line(self, key: str, within: Any) -> int:
        """Return the line of a property, or of a value within it, as far as its words can be found there."""
        if key not in self._head.spans:
            return 1
        start, value_start, end = self._head.spans[key]
        words = list(_words(within))
        places = [self._text.find(word, value_start, end) for word in words]
        return self._text.count("\n", 0, max([start, *places])) + 1


_ON_HINT = "Events are note: PATTERN, tag: TAG, webhook and start."
_INPUT_HINT = (
    "Inputs are feed, url, daily: 7d, query, notes: PATTERN, changed: 7d, tasks: open, links: 7d and "
    "on_this_day."
)
_WRITES_HINT = (
    "Write `writes: {to: daily, heading: News}`, or `to: Reviews/{{date}}.md`; `as` is section, create, "
    "proposals or none."
)


def _words(value: Any) -> list[str]:
    """Return what of a value can be looked for in the text."""
    if isinstance(value, Mapping):
        return [word for pair in value.items() for each in pair for word in _words(each)]
    return [value] if isinstance(value, str) and value else []


def seconds_of(value: Any) -> float:
    """Return a span of time such as `30s`, `4h` or `7d` in seconds. Raises UsageError."""
    found = _DURATION.fullmatch(str(value).strip().lower())
    if found is None or isinstance(value, bool):
        raise UsageError(f"{value!r} is no span of time.", hint="Write 30s, 2m, 4h, 7d or 2w.")
    seconds = float(found[1]) * _SECONDS[found[2]]
    if seconds > MAX_SPAN_S:
        raise UsageError(f"{value!r} is too long.", hint="It may be 100 years.")
    return seconds


def _address(written: str) -> None:
    """Raise UsageError for what is no address of a server."""
    try:
        url = urlsplit(written)
        is_right = url.scheme in ("http", "https") and (url.hostname or "").strip(".") and url.port != 0
    except ValueError:
        is_right = False
    if not is_right:
        raise UsageError(f"{written!r} is no address.", hint="It begins with https:// or http://.")
    if url.username is not None or url.password is not None:
        raise UsageError("An address must not hold a name or a password.")


def _whole(value: Any, least: int, most: int) -> int:
    if type(value) is not int or not least <= value <= most:
        raise UsageError(f"{value!r} is no number from {least} to {most}.")
    return value


def _truth(value: Any) -> bool:
    if not isinstance(value, bool):
        raise UsageError(f"{value!r} is neither true nor false.")
    return value
