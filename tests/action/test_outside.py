"""A routine reaches the hosts that were named, and no private address by any trick."""

from __future__ import annotations

import gzip
import ipaddress
import json
import socket
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult

from pai_daemon.action.outside.feeds import Feeds, parse
from pai_daemon.action.outside.guard import Outside, Unreachable, hosts_of, is_public
from pai_daemon.action.outside.text import page_text, plain_text
from pai_daemon.errors import Forbidden, PaiError, TooLarge, UsageError
from tests.action.site import Handler, Site, rss, serving

NOW = datetime(2026, 3, 9, 7, 0, tzinfo=UTC)


class Names(AbstractResolver):
    """Resolves each name to the next of its addresses, as a rebinding server of names does."""

    def __init__(self, *addresses: str) -> None:
        self.addresses, self.asked = list(addresses), 0

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return one address, the last one again and again."""
        self.asked += 1
        address = self.addresses.pop(0) if len(self.addresses) > 1 else self.addresses[0]
        kind = socket.AF_INET6 if ":" in address else socket.AF_INET
        return [ResolveResult(hostname=host, host=address, port=port, family=kind, proto=0, flags=0)]

    async def close(self) -> None:
        """Close nothing."""


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.0.0.1", "172.16.5.4", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",
     "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fc00::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1",
     "64:ff9b::7f00:1", "2002:7f00:1::", "::127.0.0.1", "ff02::1", "2001:db8::1"],
)  # fmt: skip
def test_private_address_is_none_of_the_open_internet(address: str) -> None:
    """Also within what carries an address of IPv4 in IPv6."""
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "address", ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "64:ff9b::5db8:d70e"]
)
def test_public_address_is_one(address: str) -> None:
    """What anybody can reach may be reached."""
    assert is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "address",
    ["http://evil.example/", "http://example.org.evil.example/", "http://user@example.org/",
     "http://example.org@evil.example/", "http://example.org:81/", "https://sub.example.org/", "data:,x",
     "file:///etc/passwd", "ftp://example.org/", "http:///x", "http://127.0.0.1/", "http://2130706433/",
     "http://0177.0.0.1/", "http://0x7f.1/", "http://[::1]/", "http://[::ffff:127.0.0.1]/",
     "http://example.org%2eevil.example/", "//example.org/", "http://example.org:x/", ""],
)  # fmt: skip
async def test_address_that_was_not_named_is_not_asked(address: str) -> None:
    """Neither by another host, port, scheme, nor by a form that others would take for the named one."""
    names = Names("93.184.215.14")
    with pytest.raises((Forbidden, UsageError)):
        await Outside(names).get(address, hosts_of(["example.org"]))
    assert names.asked == 0


@pytest.mark.parametrize("address", ["127.0.0.1", "169.254.169.254", "10.1.2.3", "::1", "::ffff:192.168.0.1"])
async def test_name_that_leads_to_a_private_address_is_refused(address: str) -> None:
    """Whoever owns a name says where it leads; a person's network is not theirs to name."""
    for hosts in (["example.org"], ["*.org"]):
        with pytest.raises(Forbidden, match="private network"):
            await Outside(Names(address)).get("http://example.org/", hosts_of(hosts))


async def test_name_is_resolved_once_and_that_address_is_connected_to() -> None:
    """A name that leads elsewhere a moment later gains nothing: there is no second look."""
    async with serving(Site({"/": "inside"})) as site:
        port = site.url.rpartition(":")[2]
        names = Names("192.0.2.1", "127.0.0.1")
        with pytest.raises(PaiError):
            await Outside(names).get(f"http://example.org:{port}/", hosts_of([f"example.org:{port}"]))
        assert names.asked == 1
        assert site.requests == []


async def test_host_of_the_own_network_is_asked_where_it_was_named() -> None:
    """A person's own server is theirs to name: by address, or by a name of their own network."""
    async with serving(Site({"/": "inside"})) as site:
        assert (await Outside().get(f"{site.url}/", hosts_of([site.host]))).body == b"inside"
        port = site.url.rpartition(":")[2]
        named = hosts_of([], [f"http://nas.local:{port}/"])
        assert (await Outside(Names("127.0.0.1")).get(f"http://nas.local:{port}/", named)).body == b"inside"


def leading_to(target: str) -> Handler:
    """Return what answers with a redirect."""
    return lambda _: web.Response(status=302, headers={"Location": target})


async def test_redirect_is_followed_only_to_named_hosts() -> None:
    """Each step is checked as the first was; a circle ends."""
    async with serving(Site()) as other, serving(Site({"/": "here"})) as site:
        for target in (
            f"{other.url}/",
            "http://169.254.169.254/latest",
            "http://[::1]/",
            "file:///etc/passwd",
            "//evil.example/",
        ):
            site.pages["/go"] = leading_to(target)
            with pytest.raises((Forbidden, UsageError)):
                await Outside().get(f"{site.url}/go", hosts_of([site.host]))
        assert other.requests == []
        site.pages["/go"] = lambda _: web.Response(status=301, headers={"Location": "/"})
        assert (await Outside().get(f"{site.url}/go", hosts_of([site.host]))).url == f"{site.url}/"
        site.pages["/round"] = lambda _: web.Response(status=302, headers={"Location": "/round"})
        with pytest.raises(Unreachable, match="on and on"):
            await Outside().get(f"{site.url}/round", hosts_of([site.host]))


async def test_answer_without_end_is_cut_off() -> None:
    """Also one that is small on the way and large once it is unpacked."""
    packed = gzip.compress(b"0" * 3_000_000)
    async with serving(Site({"/long": b"0" * 300_000})) as site:
        site.pages["/packed"] = lambda _: web.Response(body=packed, headers={"Content-Encoding": "gzip"})
        for path in ("/long", "/packed"):
            with pytest.raises(TooLarge):
                await Outside().get(f"{site.url}{path}", hosts_of([site.host]), limit_bytes=200_000)


async def test_environments_proxy_and_cookies_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy would see what is asked, and a cookie would tell who asks."""
    async with serving(Site({"/": "x"})) as proxy, serving(Site()) as site:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("http_proxy", proxy.url)
        site.pages["/"] = lambda _: web.Response(headers={"Set-Cookie": "who=me"})
        for _ in range(2):
            await Outside().get(f"{site.url}/", hosts_of([site.host]))
        assert proxy.requests == []
        assert [request.headers.get("Cookie") for request in site.requests] == [None, None]


async def test_server_that_is_away_is_told_with_its_name() -> None:
    """The error says who does not answer."""
    with pytest.raises(Unreachable, match="127"):
        await Outside().get("http://127.0.0.1:9/", hosts_of(["127.0.0.1:9"]))


# Feeds.


ATOM = """<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom"><title>Atom &amp; more</title>
<entry><title type="html">A &lt;b&gt;bold&lt;/b&gt; claim</title><link href="https://a.example/1?utm_source=x&amp;id=2"/>
<id>tag:1</id><updated>2026-03-09T05:00:00+01:00</updated><content type="html">
&lt;p&gt;One.&lt;/p&gt;&lt;script&gt;evil()&lt;/script&gt;
&lt;p&gt;Two &lt;a href="javascript:x"&gt;here&lt;/a&gt;.&lt;/p&gt;</content></entry></feed>"""
JSON_FEED = json.dumps(
    {
        "version": "https://jsonfeed.org/version/1.1",
        "title": "JSON",
        "items": [
            {
                "id": "1",
                "url": "https://j.example/1",
                "title": "First",
                "content_html": "<p>Hi</p>",
                "date_published": "2026-03-09T05:00:00Z",
            },
            {"id": 2, "url": "javascript:x", "content_text": "No title"},
            "nonsense",
        ],
    }
)


def test_feeds_of_each_kind_are_read() -> None:
    """RSS, Atom and JSON Feed give titles, words without markup, links without tracking, and moments."""
    (atom,) = parse(ATOM.encode(), "application/atom+xml", "https://a.example/feed")
    assert (atom.feed, atom.title, atom.link) == ("Atom & more", "A bold claim", "https://a.example/1?id=2")
    assert atom.text == "One.\nTwo here."
    assert atom.published == datetime(2026, 3, 9, 4, 0, tzinfo=UTC)
    first, second = parse(JSON_FEED.encode(), "application/feed+json", "https://j.example/feed")
    assert (first.title, first.text, first.published) == (
        "First",
        "Hi",
        datetime(2026, 3, 9, 5, 0, tzinfo=UTC),
    )
    assert (second.title, second.link) == ("No title", "")
    (news,) = parse(rss("R", ("T", "https://r.example/1", "<b>Words</b>")).encode(), "", "https://r.example/")
    assert (news.feed, news.title, news.text) == ("R", "T", "Words")


@pytest.mark.parametrize(
    "body", [b"", b"<html><body>Login</body></html>", b"{}", b'{"version": 1}', b"\x00\xff" * 100, b"[1]"]
)
def test_what_is_no_feed_is_told(body: bytes) -> None:
    """A page for people, or nothing at all."""
    with pytest.raises(UsageError, match="feed"):
        parse(body, "text/html", "https://a.example/")


async def test_entry_is_told_once(tmp_path: Path) -> None:
    """Not under another id, nor by another feed; and it counts as told only once a run made use of it."""
    async with serving(Site()) as site:
        hosts, addresses = hosts_of([site.host]), [f"{site.url}/a", f"{site.url}/b"]
        site.pages["/a"] = rss(
            "A", ("One", "https://n.example/1?utm_source=a", "x"), ("Two", "https://n.example/2", "y")
        )
        site.pages["/b"] = rss("B", ("One, again", "https://n.example/1?utm_source=b", "x"))
        feeds = Feeds(Outside(), tmp_path / "feeds.json")
        found = await feeds.fetch(addresses, hosts, "news", NOW)
        assert sorted(entry.link for entry in found.entries) == ["https://n.example/1", "https://n.example/2"]
        assert len((await feeds.fetch(addresses, hosts, "news", NOW)).entries) == 2
        feeds.read("news", [each for entry in found.entries for each in entry.ids], NOW)
        again = Feeds(Outside(), tmp_path / "feeds.json")
        assert (await again.fetch(addresses, hosts, "news", NOW)).entries == ()
        site.pages["/a"] = rss(
            "A", ("One", "https://n.example/moved", "x"), ("Three", "https://n.example/3", "z")
        )
        assert [entry.title for entry in (await again.fetch(addresses, hosts, "news", NOW)).entries] == [
            "Three"
        ]
        assert len((await again.fetch(addresses, hosts, "another routine", NOW)).entries) == 3


async def test_feed_is_asked_only_for_what_is_new(tmp_path: Path) -> None:
    """The second request carries the validator of the first; what was not told is not lost by it."""
    async with serving(Site({"/a": rss("A", ("One", "https://n.example/1", "x"))})) as site:
        for _ in range(2):
            feeds = Feeds(Outside(), tmp_path / "feeds.json")
            found = await feeds.fetch([f"{site.url}/a"], hosts_of([site.host]), "news", NOW)
            assert [entry.title for entry in found.entries] == ["One"]
            feeds.read("other", [], NOW)
        assert "If-None-Match" not in site.requests[0].headers
        assert "If-None-Match" in site.requests[1].headers


async def test_feed_that_fails_costs_only_itself(tmp_path: Path) -> None:
    """Each problem is told with its address; the other feeds are read."""
    async with serving(
        Site({"/a": rss("A", ("One", "https://n.example/1", "x")), "/page": "<html></html>"})
    ) as site:
        addresses = [f"{site.url}/{path}" for path in ("a", "page", "missing")] + ["http://evil.example/"]
        found = await Feeds(Outside(), tmp_path / "f.json").fetch(
            addresses, hosts_of([site.host]), "news", NOW
        )
        assert len(found.entries) == 1
        assert [
            problem.startswith(address)
            for problem, address in zip(found.problems, addresses[1:], strict=True)
        ] == [True] * 3


def test_words_of_a_page_are_those_a_reader_sees() -> None:
    """No script, no menu, nothing hidden, and nothing that turns the writing round."""
    html = "<title>A\u202e page</title><nav>Menu</nav><h1>Head</h1><p>One<br>two</p><p hidden>secret</p>"
    html += "<script>x</script>"
    assert page_text(html) == ("A page", "Head\nOne\ntwo")
    assert plain_text("<p>a &amp; b &lt;c&gt;") == "a & b <c>"
    assert plain_text("<" * 2000) != ""
