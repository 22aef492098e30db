"""What a person types to search: words, and operators that say which notes are looked at. Pure.

`path:` and `file:` (or `title:`) hold for a part of a note's path or name, `heading:` (or `section:`) for
a part of the headings that a passage stands under, `tag:` or `#tag`, `[property]` or `[property:value]`,
and `since:`, `before:` and `on:` for days. `-` before one leaves out what it finds; a value with spaces
stands in quotes. All must hold. Whatever else a person types is words: nothing raises (D96).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from difflib import get_close_matches

from pai_daemon.context.filters import EVERYTHING, Filter, moment_ns, narrowed
from pai_daemon.context.store.words import CURLED, MAX_OPERATORS
from pai_daemon.errors import UsageError

# The names that are read, by what they say.
NAMES = {
    "path": "path",
    "file": "file",
    "title": "file",
    "heading": "heading",
    "section": "heading",
    "tag": "tag",
    "since": "since",
    "before": "before",
    "on": "on",
}
# What Obsidian's own search reads and this one does not.
FOREIGN = {
    "line",
    "block",
    "content",
    "task",
    "task-todo",
    "task-done",
    "match-case",
    "ignore-case",
    "property",
    "folder",
}
_INSTEAD = {"property": "[name:value]", "folder": "path:"}
_TOKEN = re.compile(
    r"(?<![^\s(])(?P<minus>-?)(?:"
    r'(?P<phrase>"[^"]*"(?!\w))'
    r'|\[(?!\[)"?(?P<name>[^\W\d_][^\]\[":=]*)"?(?:[:=]\s*"?(?P<value>[^\]\["]*)"?)?\](?![(\w])'
    r"|\#(?P<tag>(?=[\d/_-]*[^\W\d_])[\w/-]+)(?![\w#])"
    r'|(?P<operator>[A-Za-z][A-Za-z-]*):(?:"(?P<quoted>[^"]*)(?:"|$)|(?P<bare>[^\s"]*))'
    r")(?=[\s)]|$)"
)
_OR = re.compile(r"(?<=\s)OR(?=\s)")


@dataclass(frozen=True, slots=True)
class Query:
    """What was typed, read.

    words: what is left to look for, with its phrases and exclusions, see `store.words`. chosen: the notes
    that its operators choose. understood: the operators in one form; notices: what looks like one and is
    none.
    """

    words: str
    chosen: Filter = EVERYTHING
    understood: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()


def read_query(typed: str, now: datetime) -> Query:
    """Return what a person typed; now: with its zone."""
    text = typed.translate(CURLED)
    chosen, kept, end = EVERYTHING, [], 0
    understood: list[str] = []
    notices = ["Any of the words finds, so OR is not needed; of operators all must hold."] * bool(
        _OR.search(text)
    )
    for token in _tokens(text):
        read = _read(token, now, is_last=not text[token.end() :].strip())
        if isinstance(read, str):
            notices += [read] if read else []
            continue
        if len(understood) == MAX_OPERATORS:
            notices.append(f"Of the operators the first {MAX_OPERATORS} are read.")
            break
        name, meant = read
        if meant:
            chosen = narrowed(chosen, Filter(unwanted=(meant,)) if token["minus"] else meant)
            understood.append(token["minus"] + name)
        kept.append(text[end : token.start()])
        end = token.end()
    words = " ".join("".join([*kept, text[end:]]).split())
    if words and not any(map(str.isalnum, words)):
        notices.append("There is no word in this, so only meaning can find something.")
    if not kept:
        return Query(typed, notices=tuple(dict.fromkeys(notices)))
    # A word with an operator behind it is typed to its end.
    is_open = bool(text[end:].strip()) and not text[-1].isspace()
    return Query(
        words if is_open or not words else f"{words} ",
        chosen,
        tuple(dict.fromkeys(understood)),
        tuple(dict.fromkeys(notices)),
    )


def _tokens(text: str) -> Iterator[re.Match[str]]:
    """Yield what may be an operator; what stands in quotes is a phrase."""
    return (token for token in _TOKEN.finditer(text) if token["phrase"] is None)


def _read(token: re.Match[str], now: datetime, *, is_last: bool) -> tuple[str, Filter] | str:  # noqa: PLR0911
    """Return an operator in one form and what it chooses, or why it is words: "" where that is plain."""
    if tag := token["tag"]:
        return f"tag:{tag}", Filter(tags=(tag,))
    if name := token["name"]:
        parts = [part for each in (name, token["value"] or "") if (part := each.strip())]
        return f"[{':'.join(parts)}]", Filter(properties=("=".join(parts),))
    written = token["operator"].lower()
    value = (token["bare"] if token["quoted"] is None else token["quoted"]).strip()
    if value.startswith("//"):
        return ""
    if written not in NAMES:
        return _hint(written) if value else ""
    if not value:  # as while it is typed; before other words it is one, as in "title: a book"
        return (written, EVERYTHING) if is_last or token["quoted"] is not None else ""
    name = NAMES[written]
    try:
        return f"{name}:{_shown(value)}", _chosen(name, value, now)
    except UsageError as error:
        return f"{written}:{value} is searched as words: {error.hint or error}"


def _chosen(name: str, value: str, now: datetime) -> Filter:
    """Return what one operator chooses. Raises UsageError for a day that is none."""
    match name:
        case "path":
            chosen = Filter(within=(value,))
        case "file":
            chosen = Filter(titles=(value,))
        case "heading":
            chosen = Filter(headings=(value,))
        case "tag":
            chosen = Filter(tags=(value.lstrip("#"),)) if value.strip("#/ ") else EVERYTHING
        case "since":
            chosen = Filter(since_ns=moment_ns(value, now))
        case "before":
            chosen = Filter(before_ns=moment_ns(value, now))
        case _:
            chosen = _day(value, now)
    return chosen


def _day(value: str, now: datetime) -> Filter:
    """Return the notes of one day. Raises UsageError."""
    try:
        day = datetime.fromisoformat(value)
        following = (day.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)).date()
        days = day.date(), following
    except (ValueError, OverflowError):
        raise UsageError(f"{value!r} is no day.", hint="Write a day such as 2026-11-01.") from None
    return Filter(since_ns=moment_ns(days[0].isoformat(), now), before_ns=moment_ns(days[1].isoformat(), now))


def _hint(written: str) -> str:
    """Return what to say of a name that looks like an operator, "" where it does not."""
    if written in FOREIGN:
        instead = _INSTEAD.get(written)
        return f"{written}: is searched as words" + (f"; write {instead}" if instead else ".")
    near = get_close_matches(written, NAMES, n=1, cutoff=0.8) if len(written) > 2 else []
    return f"{written}: is searched as words; did you mean {near[0]}:?" if near else ""


def _shown(value: str) -> str:
    return f'"{value}"' if " " in value else value
