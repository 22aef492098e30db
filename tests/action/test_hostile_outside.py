"""No page and no feed keeps the daemon busy, and two runs at once lose nothing of what was told."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pai_daemon.action.outside.feeds import Feeds, parse
from pai_daemon.action.outside.guard import Outside
from pai_daemon.action.outside.text import page_text, plain_text
from tests.action.site import rss

NOW = datetime(2026, 3, 9, 7, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    "html",
    [
        "<a " * 60_000, "<a b='" * 60_000, "</" * 60_000, "<!--x>" * 60_000, "<![x>" * 60_000, "<?" * 60_000,
        "<svg>" * 20_000 + "</p>" * 20_000, "<a b='" * 60_000 + ">", "<!" * 60_000,
    ],
)  # fmt: skip
def test_page_without_ends_is_read_in_no_time(html: str) -> None:
    """What a page begins and does not end costs no more than its length."""
    started_s = time.process_time()
    page_text(f"<p>before</p>{html}")
    assert time.process_time() - started_s < 2.0


def test_words_before_and_after_comments_stay() -> None:
    """A comment goes with all in it, one without an end with the rest, and text that says `<` stays."""
    assert plain_text("a <!-- <b>no</b> --> b <b>c</b> 1 < 2") == "a b c 1 < 2"
    assert plain_text("<p>a</p><!-- the rest") == "a"


def test_entry_of_megabytes_is_cut_before_it_is_read() -> None:
    """A feed's entry may be as long as the feed; its first words are told."""
    started_s = time.process_time()
    entries = parse(
        rss("F", ("T", "https://f.example/1", "word " * 500_000)).encode(), "", "https://f.example"
    )
    assert len(entries[0].text) <= 4000
    assert time.process_time() - started_s < 5.0


def test_two_runs_at_once_lose_nothing_of_what_was_told(tmp_path: Path) -> None:
    """The file is whole after each, and knows what both told."""
    feeds = Feeds(Outside(), tmp_path / "feeds.json")

    def tell(number: int) -> None:
        feeds.read(f"routine {number % 2}", [f"{number}"], NOW)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(tell, range(200)))
    told = json.loads((tmp_path / "feeds.json").read_text("utf-8"))["told"]
    assert sum(len(each) for each in told.values()) == 200


def test_feeds_and_routines_that_are_no_more_are_forgotten(tmp_path: Path) -> None:
    """What nobody asked for during 90 days leaves the file."""
    path = tmp_path / "feeds.json"
    old = {"entries": [], "asked": (NOW - timedelta(days=91)).date().isoformat()}
    path.write_text(
        json.dumps({"feeds": {"https://old.example": old}, "told": {"gone": {"a": "2025-01-01"}}}), "utf-8"
    )
    Feeds(Outside(), path).read("here", ["b"], NOW)
    assert json.loads(path.read_text("utf-8")) == {"feeds": {}, "told": {"here": {"b": "2026-03-09"}}}
