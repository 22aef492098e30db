"""Webhooks are signed, told until they are taken, and run a routine once."""

from __future__ import annotations

import base64
import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from standardwebhooks import Webhook, WebhookVerificationError

from pai_daemon.action.outside.guard import Outside
from pai_daemon.action.outside.incoming import Incoming
from pai_daemon.action.outside.signing import new_secret, signed, verify
from pai_daemon.action.outside.webhooks import AGAIN_S, Deliveries, HookFile, Webhooks
from pai_daemon.config import Settings
from pai_daemon.errors import NoteChanged, NotFound, Unauthorized, UsageError
from tests.action.conftest import TODAY
from tests.action.site import Site, serving
from tests.daemon_process import DaemonProcess, Reply, eventually

BODY = b'{"type": "note.changed", "data": {"path": "\xc3\x84.md"}}'


def test_signature_is_that_of_standard_webhooks() -> None:
    """What we sign their library takes, and what it signs we take; one changed byte is refused by both."""
    secret, now = new_secret(), time.time()
    headers = signed(secret, "msg_1", int(now), BODY)
    assert Webhook(secret).verify(BODY, headers)["type"] == "note.changed"
    theirs = {
        "webhook-id": "msg_2",
        "webhook-timestamp": str(int(now)),
        "webhook-signature": "v1,xxxx "
        + Webhook(secret).sign("msg_2", datetime.fromtimestamp(int(now), UTC), BODY.decode()),
    }
    assert verify(secret, theirs, BODY, now) == "msg_2"
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(BODY.replace(b"path", b"Path"), headers)
    with pytest.raises(Unauthorized):
        verify(secret, headers, BODY.replace(b"path", b"Path"), now)


@pytest.mark.parametrize(
    "changed",
    [
        {"webhook-id": "msg_other"}, {"webhook-id": ""}, {"webhook-timestamp": "1"},
        {"webhook-timestamp": "-5"},
        {"webhook-timestamp": "١٢"}, {"webhook-signature": "v1,"}, {"webhook-signature": "v2,AAAA"},
        {"webhook-signature": "v1," + base64.b64encode(b"0" * 32).decode()}, {"webhook-signature": "\xff"},
    ],
)  # fmt: skip
def test_message_with_a_wrong_head_is_refused(changed: dict[str, str]) -> None:
    """Another id, another time or another mark opens nothing."""
    secret, now = new_secret(), time.time()
    with pytest.raises(Unauthorized):
        verify(secret, signed(secret, "msg_1", int(now), BODY) | changed, BODY, now)


def test_message_counts_for_five_minutes_and_once(tmp_path: Path) -> None:
    """Also over a restart; a new secret ends the old one; a routine without a secret takes none."""
    clock = [1_800_000_000.0]
    incoming = Incoming(tmp_path, lambda: clock[0])
    secret = incoming.new_secret("News")
    headers = signed(secret, "msg_1", int(clock[0]), BODY)
    for late in (-301, 301):
        with pytest.raises(Unauthorized, match="not of now"):
            incoming.accept("News", signed(secret, "msg_0", int(clock[0]) + late, BODY), BODY)
    assert incoming.accept("News", headers, BODY) == "msg_1"
    clock[0] += 200
    with pytest.raises(NoteChanged):
        Incoming(tmp_path, lambda: clock[0]).accept("News", headers, BODY)
    with pytest.raises(Unauthorized, match="no secret"):
        incoming.accept("Other", headers, BODY)
    incoming.new_secret("News")
    with pytest.raises(Unauthorized, match="wrong"):
        incoming.accept("News", signed(secret, "msg_2", int(clock[0]), BODY), BODY)
    assert (tmp_path / "secrets.json").stat().st_mode & 0o077 == 0


class Told:
    """Webhooks of a person in a folder, a clock that is set by hand, and what the other side got."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder, self.now = folder, 1_800_000_000.0
        self.file = HookFile(Settings(folder / "config", folder / "data", folder / "cache"))
        self.hook = self.file.add(url, ["note.changed"])
        self.deliveries = Deliveries(folder / "webhooks")
        self.webhooks = self.open()

    def open(self) -> Webhooks:
        """Return them as a new process has them."""
        self.webhooks = Webhooks(self.file, self.deliveries, Outside(), now=lambda: self.now)
        return self.webhooks


async def test_message_is_sent_again_with_its_id_until_it_is_taken(tmp_path: Path) -> None:
    """Ever later, also by the next process; what is taken is sent no more."""
    async with serving(Site()) as site:
        answers = [500, 503, 204]
        site.pages["/hook"] = lambda _: web.Response(status=answers.pop(0))
        told = Told(tmp_path, f"{site.url}/hook")
        told.webhooks.tell("note.changed", {"path": "A.md"})
        told.webhooks.tell("note.removed", {"path": "B.md"})
        await told.webhooks.send_due()
        await told.webhooks.send_due()
        assert len(site.requests) == 1, "it waits before it is tried again"
        for wait_s in AGAIN_S[:2]:
            told.now += wait_s
            await told.open().send_due()
        told.now += 100_000
        await told.webhooks.send_due()
        assert len(site.requests) == 3
        assert len({request.headers["webhook-id"] for request in site.requests}) == 1
        assert set(site.bodies) == {site.bodies[0]}
        sent = json.loads(site.bodies[0])
        assert (sent["type"], sent["data"]) == ("note.changed", {"path": "A.md"})
        headers = dict(site.requests[-1].headers)
        assert verify(
            told.hook.secret, {k.lower(): v for k, v in headers.items()}, site.bodies[-1], told.now - 100_000
        )


async def test_message_that_nobody_takes_is_a_dead_letter_that_can_be_sent_again(tmp_path: Path) -> None:
    """After a day of tries it waits apart; another hook's messages are not kept waiting by it."""
    async with serving(Site()) as site:
        site.pages["/bad"] = lambda _: web.Response(status=410)
        site.pages["/good"] = lambda _: web.Response(status=200)
        told = Told(tmp_path, f"{site.url}/bad")
        told.file.add(f"{site.url}/good", ["note.changed"])
        told.webhooks.tell("note.changed", {"path": "A.md"})
        for wait_s in (0, *AGAIN_S):
            told.now += wait_s
            await told.webhooks.send_due()
        assert [each.why for each in told.deliveries.all(told.deliveries.dead)] == ["the server said 410"]
        assert told.deliveries.all(told.deliveries.waiting) == []
        assert sum(request.path == "/good" for request in site.requests) == 1
        site.pages["/bad"] = lambda _: web.Response(status=200)
        assert told.deliveries.retry() == 1
        await told.webhooks.send_due()
        assert told.deliveries.all(told.deliveries.waiting) == told.deliveries.all(told.deliveries.dead) == []


def test_webhook_that_makes_no_sense_is_refused(tmp_path: Path) -> None:
    """An event, an address and a secret are what they say; an id that is none is told."""
    told = Told(tmp_path, "https://example.org/hook")
    for url, events, secret in (
        ("ftp://x", [], ""),
        ("https://x", ["note.eaten"], ""),
        ("https://x", [], "whsec_x"),
    ):
        with pytest.raises(UsageError):
            told.file.add(url, events, secret)
    with pytest.raises(NotFound):
        told.file.remove("ffff")
    told.file.remove(told.hook.id)
    assert told.file.hooks() == []


# With a running daemon.


def posted(daemon: DaemonProcess, name: str, secret: str, message_id: str, body: bytes, **head: str) -> Reply:
    """Send a signed message, without any token."""
    headers = signed(secret, message_id, int(time.time()), body) | {"Authorization": ""} | head
    return daemon.request("POST", f"/api/routines/{name}/trigger", headers=headers, body=body.decode())


def test_signed_message_runs_a_routine_with_what_was_sent(daemon: DaemonProcess) -> None:
    """Without a token, once; a routine that does not say so is not run, and a foreign Host is refused."""
    folder = daemon.vault / "Routines"
    folder.mkdir(exist_ok=True)
    for name, on in (("Hooked", "on: webhook\n"), ("Closed", "")):
        text = (
            f"---\n{on}writes: {{to: daily, heading: Sent}}\ngrants: [{{append: "
            f"'Journal/**'}}]\n---\nTell it.\n"
        )
        (folder / f"{name}.md").write_text(text, "utf-8")

    def secret_of(name: str) -> str:
        done = daemon.folders.pai("routine", "secret", name, "--json", timeout_s=30)
        return str(json.loads(done.stdout)["secret"])

    secret, body = secret_of("Hooked"), json.dumps({"subject": "The varnish has come"}).encode()
    assert posted(daemon, "Hooked", new_secret(), "msg_a", body).status == 401
    assert posted(daemon, "Hooked", secret, "msg_a", body, Host="evil.example").status == 403
    reply = posted(daemon, "Hooked", secret, "msg_a", body)
    assert reply.status == 202, reply.body
    assert posted(daemon, "Hooked", secret, "msg_a", body).status == 409
    assert posted(daemon, "Closed", secret_of("Closed"), "msg_b", body).status == 404
    run = f"/api/routines/runs/{reply.json['id']}"
    eventually(lambda: daemon.request("GET", run).json["state"] == "done", "the run is over")
    assert daemon.request("GET", run).json["cause"] == "webhook"
    assert "The varnish has come" in (daemon.vault / "Journal" / f"{TODAY}.md").read_text("utf-8")


def test_hook_is_told_of_notes_and_runs_and_never_of_what_stays_here(
    daemon: DaemonProcess, site: Site
) -> None:
    """Paths, titles and tags, no text; of a local-only note nothing, not even that it was removed."""
    site.pages["/told"] = lambda _: web.Response(status=200)
    done = daemon.folders.pai("webhook", "add", f"{site.url}/told", "--json", timeout_s=30)
    hook = json.loads(done.stdout)
    assert "took it" in daemon.folders.pai("webhook", "test", hook["id"], timeout_s=30).stdout
    (daemon.vault / "Quiet.md").write_text("---\npai: local\n---\nA secret about Quiet.\n", "utf-8")
    (daemon.vault / "Loud.md").write_text("---\ntags: [boat]\n---\n# Loud\n\nWords about sails.\n", "utf-8")

    def told() -> list[dict[str, Any]]:
        return [json.loads(body) for body in site.bodies if body.startswith(b'{"type"')]

    eventually(
        lambda: [each for each in told() if each["data"].get("path") == "Loud.md"], "it is told of the note"
    )
    (daemon.vault / "Quiet.md").unlink()
    (daemon.vault / "Loud.md").unlink()
    eventually(
        lambda: any(each["type"] == "note.removed" for each in told()), "it is told of the removal", 20
    )
    created = next(each for each in told() if each["type"] == "note.created")
    assert created["data"] == {"path": "Loud.md", "title": "Loud", "tags": ["boat"]}
    said = b"".join(site.bodies)
    assert b"Quiet" not in said
    assert b"sails" not in said
    daemon.folders.pai("webhook", "remove", hook["id"], timeout_s=30)
    assert "There is none." in daemon.folders.pai("webhook", "list", timeout_s=30).stdout
