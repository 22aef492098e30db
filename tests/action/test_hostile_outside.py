"""No page and no feed keeps the daemon busy, and two runs at once lose nothing of what was told."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from pai_daemon.action.outside.feeds import Feeds, parse
from pai_daemon.action.outside.guard import Outside, hosts_of
from pai_daemon.action.outside.text import page_text, plain_text
from pai_daemon.action.outside.webhooks import MAX_WAITING, Deliveries, HookFile, Webhooks
from pai_daemon.context.privacy import Privacy
from pai_daemon.errors import UsageError
from tests.action.site import Site, rss, serving

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


@pytest.mark.parametrize(
    "name", ["127.1", "2130706433", "0x7f000001", "0177.0.0.1", "0x7f.1", "127.0.0.1.0", "10.1"]
)
def test_address_in_another_form_is_no_host(name: str) -> None:
    """What a library would read as an address of this machine is not taken for a name."""
    with pytest.raises(UsageError, match="another form"):
        hosts_of([], [f"http://{name}/"])
    assert hosts_of([], ["http://127.0.0.1/", "http://1a.example.org/", "http://[::1]/"])


async def test_log_names_no_address_of_a_webhook(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Addresses of webhooks often hold their secret; and what nobody hears wakes nothing."""
    hooks = HookFile(SimpleNamespace(config_dir=tmp_path))  # type: ignore[arg-type]
    hooks.add("https://hooks.example/services/SECRET", ["note.changed"])
    told = Webhooks(hooks, Deliveries(tmp_path / "out"), Outside(), now=lambda: 0.0)
    told.tell("note.created", {"path": "A.md"})
    assert not told._awake.is_set()
    told._count = MAX_WAITING
    told.tell("note.changed", {"path": "A.md"})
    assert "wait already" in caplog.text
    assert "SECRET" not in caplog.text


def test_note_that_is_not_there_yet_is_private_by_its_path() -> None:
    """What is created in a local-only folder is told to no webhook, also before it is indexed."""
    assert Privacy(("Diary/", "#secret")).hides("Diary/2026-03-09.md")
    assert not Privacy(("Diary/", "#secret")).hides("Boat.md")
    assert not Privacy().hides("Boat.md")


async def test_section_that_takes_the_place_of_the_mornings_keeps_its_news(tmp_path: Path) -> None:
    """A second run of a day tells of the first one's entries too, and of nothing where nothing is new."""
    site = Site()
    async with serving(site):
        site.pages["/a.xml"] = rss("F", ("One", "https://f.example/1", "one"))
        address, hosts = f"{site.url}/a.xml", hosts_of([site.host])
        feeds = Feeds(Outside(), tmp_path / "feeds.json")

        async def titles(now: datetime, *, whole_day: bool = True) -> list[str]:
            found = await feeds.fetch([address], hosts, "R", now, whole_day=whole_day)
            feeds.read("R", [each for entry in found.entries for each in entry.ids], now)
            return sorted(entry.title for entry in found.entries)

        assert await titles(NOW) == ["One"]
        assert await titles(NOW) == []
        site.pages["/a.xml"] = rss(
            "F", ("One", "https://f.example/1", "one"), ("Two", "https://f.example/2", "two")
        )
        assert await titles(NOW + timedelta(hours=5)) == ["One", "Two"]
        site.pages["/a.xml"] = rss(
            "F", ("One", "https://f.example/1", "one"), ("Three", "https://f.example/3", "3")
        )
        assert await titles(NOW + timedelta(days=1)) == ["Three"]
