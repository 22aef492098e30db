"""Feeds: RSS, Atom and JSON Feed, asked only for what is new, each entry told once.

feedparser reads what people publish. What was told is kept by day, so that an entry comes once, also when
a feed changes its ids, or two feeds carry the same article.
"""

from __future__ import annotations

import asyncio
import calendar
import hashlib
import json
import re
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import feedparser

from pai_daemon.action.outside.guard import Host, Outside, Unreachable
from pai_daemon.action.outside.text import one_line, plain_text
from pai_daemon.config import write_private
from pai_daemon.errors import PaiError, UsageError

AT_ONCE = 4
MAX_ENTRIES = 200
MAX_CHARS, MAX_HTML_CHARS = 4000, 100_000
# An entry that was told so long ago has left its feed.
KEPT = timedelta(days=90)
_TRACKING = re.compile(r"(?<=[?&])(?:utm_\w+|fbclid|gclid|mc_[ce]id|ref)=[^&#]*&?")


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of a feed. ids: by any of which it is known again. text: its words, without markup."""

    feed: str
    title: str
    link: str
    text: str
    published: datetime | None
    ids: tuple[str, ...]
    author: str = ""


@dataclass(frozen=True, slots=True)
class Fetched:
    """What feeds have to tell. problems: of the feeds that could not be read."""

    entries: tuple[Entry, ...] = ()
    problems: tuple[str, ...] = ()


class Feeds:
    """The feeds of one vault's routines. path: of the file in which it is kept what was told."""

    def __init__(self, outside: Outside, path: Path) -> None:
        self._outside, self._path = outside, path
        self._state: dict[str, Any] = _read(path)
        self._lock = threading.Lock()

    async def fetch(
        self,
        addresses: Sequence[str],
        hosts: Sequence[Host],
        known_to: str,
        now: datetime,
        *,
        whole_day: bool = False,
    ) -> Fetched:
        """Return the entries that were not told yet, the latest first. known_to: whose reading counts.

        whole_day: where there are any, those that were told today come again, since what is made of them
        takes the place of what was made earlier in the day.
        """
        slots = asyncio.Semaphore(AT_ONCE)
        told = self._state["told"].get(known_to, {})
        today = {each for each, day in told.items() if whole_day and day == now.date().isoformat()}

        async def one(address: str) -> list[Entry] | str:
            async with slots:
                try:
                    return await self._one(address, hosts, now)
                except PaiError as error:
                    return f"{address}: {error.detail}"

        found = await asyncio.gather(*(one(address) for address in dict.fromkeys(addresses)))
        problems = tuple(each for each in found if isinstance(each, str))
        entries: list[Entry] = []
        seen, is_any_new = set(told) - today, False
        for entry in sorted(
            (entry for each in found if not isinstance(each, str) for entry in each),
            key=lambda entry: entry.published or now - timedelta(days=1),
            reverse=True,
        ):
            if not seen & set(entry.ids):
                entries.append(entry)
                is_any_new = is_any_new or not today & set(entry.ids)
            seen.update(entry.ids)
        return Fetched(tuple(entries[:MAX_ENTRIES]) if is_any_new else (), problems)

    def read(self, known_to: str, ids: Iterable[str], now: datetime) -> None:
        """Remember that entries were told, and forget what is old. Any thread may call."""
        today, oldest = now.date().isoformat(), (now - KEPT).date().isoformat()
        with self._lock:
            told = self._state["told"]
            told[known_to] = told.get(known_to, {}) | dict.fromkeys(ids, today)
            for name, days in list(told.items()):
                if not (kept := {each: day for each, day in days.items() if day >= oldest}):
                    del told[name]  # of a routine that is no more
                else:
                    told[name] = kept
            feeds = self._state["feeds"]
            for address in [each for each, kept in feeds.items() if kept.get("asked", today) < oldest]:
                del feeds[address]
            write_private(self._path, json.dumps(self._state))

    async def _one(self, address: str, hosts: Sequence[Host], now: datetime) -> list[Entry]:
        kept = self._state["feeds"].get(address, {})
        conditions = {"If-None-Match": kept.get("etag"), "If-Modified-Since": kept.get("modified")}
        headers = {name: value for name, value in conditions.items() if value and "entries" in kept}
        headers["Accept"] = (
            "application/atom+xml, application/rss+xml, application/feed+json, application/xml;q=.9, */*;q=.5"
        )
        answer = await self._outside.get(address, hosts, headers)
        if answer.status == 304 and "entries" in kept:
            kept["asked"] = now.date().isoformat()
            return [_entry(each) for each in kept["entries"]]
        if answer.status != 200:
            raise Unreachable(f"the server says {answer.status}")
        entries = await asyncio.to_thread(
            parse, answer.body, answer.headers.get("content-type", ""), answer.url
        )
        # Kept with what it said: a feed that has not changed may hold what no run has told yet.
        kept = {"etag": answer.headers.get("etag"), "modified": answer.headers.get("last-modified")}
        kept |= {"entries": [_written(entry) for entry in entries], "asked": now.date().isoformat()}
        with self._lock:
            self._state["feeds"][address] = kept
        return entries


def parse(body: bytes, content_type: str, address: str) -> list[Entry]:
    """Return the entries of a feed. Raises UsageError for what is none."""
    if body.lstrip()[:1] == b"{":
        return _json_feed(body, address)
    found = feedparser.parse(
        body, response_headers={"content-type": content_type, "content-location": address}
    )
    if not found.get("version") and not found.entries:
        raise UsageError("it is no feed, neither RSS nor Atom nor JSON Feed")
    name = one_line(plain_text(str(found.feed.get("title", "")))) or address
    return [_parsed(each, name) for each in found.entries[:MAX_ENTRIES]]


def _parsed(each: Any, feed: str) -> Entry:
    contents = [str(content.get("value", "")) for content in each.get("content", ())]
    html = max([str(each.get("summary", "")), *contents], key=len)
    moment = each.get("published_parsed") or each.get("updated_parsed")
    published = datetime.fromtimestamp(calendar.timegm(moment), UTC) if moment else None
    title = one_line(plain_text(str(each.get("title", ""))))
    return _made(
        feed,
        title,
        str(each.get("link", "")),
        html,
        published,
        str(each.get("id", "")),
        str(each.get("author", "")),
    )


def _json_feed(body: bytes, address: str) -> list[Entry]:
    """Return the entries of a JSON Feed, https://www.jsonfeed.org/version/1.1."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"it is no JSON Feed: {error}") from error
    if not isinstance(found, dict) or "jsonfeed.org" not in str(found.get("version")):
        raise UsageError("it is no feed, neither RSS nor Atom nor JSON Feed")
    items = found.get("items")
    entries = []
    for item in (items if isinstance(items, list) else [])[:MAX_ENTRIES]:
        if isinstance(item, dict):
            try:
                published = datetime.fromisoformat(str(item.get("date_published")))
            except ValueError:
                published = None
            published = published.replace(tzinfo=published.tzinfo or UTC) if published else None
            html = str(item.get("content_html") or item.get("content_text") or item.get("summary") or "")
            title = one_line(plain_text(str(item.get("title") or "")))
            name = one_line(str(found.get("title") or address))
            entries.append(
                _made(name, title, str(item.get("url") or ""), html, published, str(item.get("id") or ""), "")
            )
    return entries


def _made(  # noqa: PLR0917 - what an entry has
    feed: str, title: str, link: str, html: str, published: datetime | None, own_id: str, author: str
) -> Entry:
    text = plain_text(html[:MAX_HTML_CHARS])[:MAX_CHARS]
    link = (
        link if link.startswith(("https://", "http://")) and not re.search(r"[\s<>\"`()\[\]|]", link) else ""
    )
    bare = _TRACKING.sub("", link).rstrip("?&").partition("#")[0]
    title = title or text.partition("\n")[0][:100]
    named = [own_id and f"{feed}\n{own_id}", bare.partition("://")[2], f"{feed}\n{title}" if title else ""]
    ids = tuple(hashlib.sha256(each.encode("utf-8", "replace")).hexdigest()[:16] for each in named if each)
    return Entry(feed, title, bare or link, text, published, ids, one_line(plain_text(author))[:100])


def _written(entry: Entry) -> list[Any]:
    published = entry.published.isoformat() if entry.published else None
    return [entry.feed, entry.title, entry.link, entry.text, published, list(entry.ids), entry.author]


def _entry(kept: Sequence[Any]) -> Entry:
    feed, title, link, text, published, ids, author = kept
    return Entry(
        feed, title, link, text, datetime.fromisoformat(published) if published else None, tuple(ids), author
    )


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text("utf-8"))
        return {"feeds": dict(found["feeds"]), "told": dict(found["told"])}
    except (OSError, ValueError, KeyError, TypeError):
        return {"feeds": {}, "told": {}}
