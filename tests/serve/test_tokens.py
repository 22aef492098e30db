"""Named tokens open what they were made for, and the dashboard's cookie nothing for other pages (D62)."""

from __future__ import annotations

import json
import stat
import time
from collections.abc import Iterator
from http.cookies import SimpleCookie
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from pai_daemon.config import Settings, ensure_token, write_private
from pai_daemon.errors import NotFound, UsageError
from pai_daemon.serve import sessions as module
from pai_daemon.serve.security import SCOPE_OF
from pai_daemon.serve.sessions import Sessions
from pai_daemon.serve.tokens import SCOPES, Grant, Tokens
from tests.daemon_process import DaemonProcess, Reply

# What each scope opens, and what the person's own token alone does.
OPENS = {
    "search": (
        ("GET", "/api/search?q=sun"),
        ("GET", "/api/related?path=Garden.md"),
        ("GET", "/api/links?path=Garden.md"),
        ("GET", "/api/tasks?q=roof"),
        ("GET", "/api/notes/Garden.md"),
    ),
    "ask": (("POST", "/api/ask"), ("POST", "/api/summarize"), ("POST", "/api/compare")),
    "status": (("GET", "/api/status"),),
    "index": (
        ("GET", "/api/index"),
        ("POST", "/api/index"),
        ("GET", "/api/notes"),
        ("GET", "/api/notes/Garden.md/status"),
    ),
    "action": (
        ("GET", "/api/actions"),
        ("POST", "/api/actions"),
        ("GET", "/api/routines"),
        ("GET", "/api/routines/runs"),
        ("GET", "/api/routines/runs/0-0"),
        ("POST", "/api/routines/runs/0-0"),
        ("POST", "/api/routines/Nobody/run"),
    ),
    "memory": (
        ("GET", "/api/memory"),
        ("GET", "/api/memory/recall?q=tea"),
        ("GET", "/api/memory/conflicts"),
        ("POST", "/api/memory"),
        ("POST", "/api/memory/undo"),
        ("POST", "/api/memory/command"),
        ("POST", "/api/memory/facts/m-none"),
        ("DELETE", "/api/memory/facts/m-none"),
    ),
    "": (
        ("GET", "/api/settings"),
        ("GET", "/api/memory/proposals"),
        ("POST", "/api/memory/proposals/0"),
        ("POST", "/api/model"),
        ("POST", "/api/login"),
        ("POST", "/api/stop"),
    ),
}
EVERY = [(scope, *route) for scope, routes in OPENS.items() for route in routes]


@pytest.fixture
def tokens(tmp_path: Path) -> Tokens:
    """Return the tokens of a person who has one of their own."""
    settings = Settings(tmp_path / "config", tmp_path / "data", tmp_path / "cache")
    ensure_token(settings)
    return Tokens(settings)


@pytest.fixture
def made(served: DaemonProcess) -> Iterator[dict[str, str]]:
    """Yield a token of the running daemon for each scope."""
    known = Tokens(served.folders.settings)
    yield {scope: known.create(scope, [scope]) for scope in SCOPES}
    for scope in SCOPES:
        known.revoke(scope)


def asked(served: DaemonProcess, token: str, method: str, target: str) -> Reply:
    """Ask with a token."""
    return served.request(
        method, target, body=b"{}" if method == "POST" else None, headers={"Authorization": f"Bearer {token}"}
    )


def placed(route: str) -> str:
    """Return a route as it is described, with the names of its places."""
    for given, name in (("Garden.md", "path"), ("m-none", "id"), ("0-0", "id"), ("Nobody", "name")):
        route = route.replace(given, f"{{{name}}}")
    return route


def test_every_route_has_a_scope_or_opens_to_the_person_alone() -> None:
    """What a scope opens is all tried below, but for the stream of events; of OpenAI's API, beside that."""
    bare = (route.partition("?")[0] for scope, _, route in EVERY if scope)
    tried = {placed(route) for route in bare}
    assert tried == {path for path in SCOPE_OF if not path.startswith("/v1/")} - {"/api/events"}


@pytest.mark.parametrize(("scope", "method", "target"), EVERY)
def test_token_with_a_scope_opens_its_routes_and_no_other(
    served: DaemonProcess, made: dict[str, str], scope: str, method: str, target: str
) -> None:
    """A token for search can't ask, write, or see the status, and so on for each."""
    for name, token in made.items():
        reply = asked(served, token, method, target)
        if name == scope:
            assert reply.status not in (401, 403), reply
        else:
            assert (reply.status, reply.json["code"]) == (403, "forbidden"), reply
            assert (scope or "own token") in reply.json["detail"]


def test_any_token_reads_what_it_could_ask(served: DaemonProcess, made: dict[str, str]) -> None:
    """The description of the API holds nothing of a vault: it opens to each token, and to none without."""
    for token in made.values():
        assert asked(served, token, "GET", "/openapi.json").status == 200
    assert asked(served, "wrong", "GET", "/openapi.json").status == 401


def test_token_for_another_vault_opens_nothing_here(served: DaemonProcess, tmp_path: Path) -> None:
    """Several vaults have a daemon each; a token for one is refused by the others."""
    known = Tokens(served.folders.settings)
    here = known.create("here", ["search"], served.vault)
    elsewhere = known.create("away", ["search"], tmp_path)
    assert asked(served, here, "GET", "/api/search?q=sun").status == 200
    refused = asked(served, elsewhere, "GET", "/api/search?q=sun")
    assert (refused.status, "another vault" in refused.json["detail"]) == (403, True)
    known.revoke("here")
    known.revoke("away")


def test_token_that_may_index_can_not_write_a_copy(
    served: DaemonProcess, made: dict[str, str], tmp_path: Path
) -> None:
    """A copy goes into any folder: that is for the person."""
    headers = {"Authorization": f"Bearer {made['index']}"}
    body = json.dumps({"copy": str(tmp_path / "copy")}).encode()
    assert served.request("POST", "/api/index", body=body, headers=headers).status == 403
    assert not (tmp_path / "copy").exists()


def test_revoked_token_opens_nothing_from_then_on(served: DaemonProcess) -> None:
    """The running daemon is not asked: it looks at the file."""
    printed = served.folders.pai("token", "create", "n8n", "--scope", "search, ask")
    token = printed.stdout.strip()
    assert asked(served, token, "GET", "/api/search?q=sun").status == 200
    listed = served.folders.pai("token", "list", "--json")
    assert [each["name"] for each in json.loads(listed.stdout)] == ["n8n"]
    assert token not in listed.stdout
    assert served.folders.pai("token", "revoke", "n8n").returncode == 0
    assert asked(served, token, "GET", "/api/search?q=sun").status == 401


def test_new_token_of_ones_own_shuts_out_the_old_one_and_open_dashboards(served: DaemonProcess) -> None:
    """Whoever had it is out at once; the command line goes on with the new one."""
    old, cookie = served.token, logged_in(served)
    assert served.folders.pai("token", "rotate").returncode == 0
    assert asked(served, old, "GET", "/api/status").status == 401
    assert dashboard(served, "GET", "/api/status", cookie).status == 401
    assert json.loads(served.folders.pai("status", "--json").stdout)["state"] == "ready"
    assert asked(served, served.token, "GET", "/api/status").status == 200
    write_private(served.folders.settings.config_dir / "token", old + "\n")  # for the other tests
    assert asked(served, old, "GET", "/api/status").status == 200


def test_file_of_tokens_holds_none_and_is_for_its_owner_only(tokens: Tokens, tmp_path: Path) -> None:
    """Who reads it can't ask with what it says."""
    token = tokens.create("n8n", ["ask"])
    path = tmp_path / "config" / "tokens.json"
    assert token not in path.read_text("utf-8")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert tokens.grant(token.encode()) == Grant("n8n", ("ask",), None)
    assert tokens.grant(path.read_bytes()) is None


@pytest.mark.parametrize("content", [b"", b"{}", b"[1]", b'[{"name": "n8n"}]', b"\xff", b"[" * 100_000])
def test_damaged_file_of_tokens_opens_nothing_and_is_told(
    tokens: Tokens, tmp_path: Path, content: bytes
) -> None:
    """The person's own token still opens everything; the command line says what to do."""
    token = tokens.create("n8n", ["ask"])
    (tmp_path / "config" / "tokens.json").write_bytes(content)
    own = (tmp_path / "config" / "token").read_bytes().strip()
    assert (tokens.grant(token.encode()), tokens.grant(own)) == (None, Grant())
    if content != b"{}":
        with pytest.raises(UsageError, match="cannot be read"):
            tokens.named()


@pytest.mark.parametrize("given", [b"", b"n8n", b"\xff\xfe", b"null"])
def test_what_is_no_token_opens_nothing(tokens: Tokens, tmp_path: Path, given: bytes) -> None:
    """Also where the person's own token is gone."""
    tokens.create("n8n", ["ask"])
    assert tokens.grant(given) is None
    (tmp_path / "config" / "token").unlink()
    assert tokens.grant(given) is None


@pytest.mark.parametrize(
    ("name", "scopes"), [("", ["ask"]), (" ", ["ask"]), ("a\nb", ["ask"]), ("a", []), ("a", ["all"])]
)
def test_token_that_makes_no_sense_is_not_made(tokens: Tokens, name: str, scopes: list[str]) -> None:
    """Nor is one that there is already, and one that is unknown is not revoked."""
    with pytest.raises(UsageError):
        tokens.create(name, scopes)
    with pytest.raises(NotFound):
        tokens.revoke(name)
    tokens.create("twice", ["ask"])
    with pytest.raises(UsageError, match="already"):
        tokens.create("twice", ["ask"])


# The dashboard.


def logged_in(served: DaemonProcess) -> str:
    """Return the cookie that a link from the command line is exchanged for."""
    link = urlsplit(json.loads(served.folders.pai("open", "--json").stdout)["url"])
    reply = served.request("GET", f"{link.path}?{link.query}", authorized=False)
    assert (reply.status, reply.headers["Location"]) == (303, "/")
    cookie = SimpleCookie(reply.headers["Set-Cookie"])
    ((name, morsel),) = cookie.items()
    assert (morsel["httponly"], morsel["samesite"], morsel["path"]) == (True, "Strict", "/")
    again = served.request("GET", f"{link.path}?{link.query}", authorized=False)
    assert (again.headers["Location"], "Set-Cookie" in again.headers) == ("/#link", False)
    return f"{name}={morsel.value}"


def dashboard(served: DaemonProcess, method: str, target: str, cookie: str, **headers: str) -> Reply:
    """Ask as the dashboard does; headers: by name with underscores, "" for one that is not sent."""
    sent = {"Cookie": cookie, "Sec-Fetch-Site": "same-origin"}
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    body = b'{"question": "sun"}' if method == "POST" else None
    given = {name: value for name, value in sent.items() if value}
    return served.request(method, target, body=body, headers=given, authorized=False)


def test_link_from_the_command_line_logs_a_browser_in_once(served: DaemonProcess) -> None:
    """The cookie is exchanged for it, which scripts can't read, and opens what the person may do."""
    cookie = logged_in(served)
    assert dashboard(served, "GET", "/api/status", cookie).status == 200
    ours = f"http://127.0.0.1:{served.port}"
    assert dashboard(served, "POST", "/api/ask", cookie, Origin=ours).status == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec_Fetch_Site": "same-site"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "none"},
        {"Sec_Fetch_Site": ""},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": "app://obsidian.md"},
        {"Cookie": "pai_session_1=x"},
    ],
    ids=str,
)
def test_cookie_counts_for_our_own_pages_alone(served: DaemonProcess, headers: dict[str, str]) -> None:
    """A browser sends it with requests of other ports of this machine too, and says so."""
    cookie = logged_in(served)
    for method, target in (("GET", "/api/status"), ("POST", "/api/ask")):
        reply = dashboard(served, method, target, cookie, **headers)
        assert reply.status in (401, 403), reply


def test_page_without_its_data_loads_nothing_from_elsewhere(served: DaemonProcess) -> None:
    """Its policy allows files of ours alone, no script within the page, and no page around it."""
    page = served.request("GET", "/", authorized=False)
    policy = page.headers["Content-Security-Policy"]
    assert page.status == 200
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert b"http" not in page.body.replace(b'charset="utf-8"', b"")
    for name in ("/dashboard.js", "/acting.js", "/dashboard.css"):
        assert served.request("GET", name, authorized=False).status == 200


def test_settings_are_told_with_their_source_and_without_secrets(served: DaemonProcess) -> None:
    """A key is only said to be there."""
    told = {each["name"]: each for each in served.request("GET", "/api/settings").json["settings"]}
    assert (told["model"]["value"], told["model"]["source"]) == ("small", "PAI_MODEL")
    assert told["rescan_s"]["source"] == "default"
    keys = [each["value"] for each in Settings(model_key="hush", generator_key="hush").told()]
    assert "hush" not in keys


def test_session_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """A link is good for a minute, a session for half a day, and neither outlives the person's token."""
    now_s = 1000.0
    monkeypatch.setattr(time, "monotonic", lambda: now_s)
    sessions = Sessions()
    late, soon = sessions.link("token"), sessions.link("token")
    assert sessions.open(soon, "another") is None
    cookie = sessions.open(sessions.link("token"), "token")
    assert cookie is not None
    assert (sessions.holds(cookie, "token"), sessions.holds(cookie, "another")) == (True, False)
    now_s += module.LINK_S
    assert sessions.open(late, "token") is None
    now_s += module.SESSION_S
    assert not sessions.holds(cookie, "token")
