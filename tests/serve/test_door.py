"""Who may ask at all: the token, the Host and the Origin, before any route (D8)."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from tests.daemon_process import DaemonProcess, Reply
from tests.serve.conftest import NOTES

ROUTES = [
    ("GET", "/api/status"),
    ("GET", "/api/search?q=sun"),
    ("POST", "/api/ask"),
    ("GET", "/api/related?path=Garden.md"),
    ("GET", "/api/links?path=Garden.md"),
    ("GET", "/api/tasks?q=roof"),
    ("GET", "/api/notes/Garden.md"),
    ("GET", "/api/index"),
    ("POST", "/api/index"),
    ("GET", "/api/events"),
    ("GET", "/api/settings"),
    ("POST", "/api/model"),
    ("POST", "/api/login"),
    ("POST", "/api/stop"),
    ("GET", "/api/no-such-route"),
    ("GET", "/dashboard.json"),
]
OBSIDIAN = "app://obsidian.md"


def assert_problem(reply: Reply, status: int, code: str) -> None:
    """Check that a refusal is a problem document with this status and code, without a wildcard origin."""
    assert reply.headers["Content-Type"].startswith("application/problem+json"), reply
    problem = reply.json
    assert (reply.status, problem["status"], problem["code"]) == (status, status, code), reply
    assert problem["detail"]
    assert reply.headers.get("Access-Control-Allow-Origin") != "*"


@pytest.mark.parametrize(("method", "target"), ROUTES)
def test_route_without_a_token_is_refused(served: DaemonProcess, method: str, target: str) -> None:
    """No route but the health check and the empty dashboard answers without it, not even with a 404."""
    reply = served.request(method, target, authorized=False)
    assert_problem(reply, 401, "unauthorized")
    assert not any(note.partition(".")[0] in reply.body.decode() for note in NOTES)


@pytest.mark.parametrize(
    "authorization",
    ["", "Bearer", "Bearer ", "Bearer wrong", "Basic {token}", "Token {token}", "{token}", "Bearer {token}x"],
)
def test_token_that_is_wrong_is_refused(served: DaemonProcess, authorization: str) -> None:
    """A wrong token, or the right one under another scheme, opens nothing."""
    headers = {"Authorization": authorization.format(token=served.token)}
    assert_problem(served.request("GET", "/api/status", headers=headers), 401, "unauthorized")


def test_token_with_bytes_beyond_ascii_is_refused(served: DaemonProcess) -> None:
    """A token of arbitrary bytes is a wrong token, not a fault of the daemon."""
    headers = {"Authorization": "Bearer \xff\xfe"}
    assert_problem(served.request("GET", "/api/status", headers=headers), 401, "unauthorized")


def test_token_in_the_address_is_refused(served: DaemonProcess) -> None:
    """A token in the query, where it would end up in histories and logs, counts for nothing."""
    reply = served.request("GET", f"/api/status?token={served.token}", authorized=False)
    assert_problem(reply, 401, "unauthorized")


@pytest.mark.parametrize("scheme", ["bearer", "BEARER"])
def test_scheme_in_any_case_is_taken(served: DaemonProcess, scheme: str) -> None:
    """The scheme's name is compared without case, as RFC 9110 asks."""
    headers = {"Authorization": f"{scheme} {served.token}"}
    assert served.request("GET", "/api/status", headers=headers).status == 200


def test_health_without_a_token_says_nothing_of_the_vault(served: DaemonProcess) -> None:
    """The one open route says that the daemon is alive, and nothing else."""
    reply = served.request("GET", "/api/health", authorized=False)
    assert reply.status == 200
    assert set(reply.json) == {"status", "version"}


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:{port}",
        "127.0.0.1.evil.example:{port}",
        "localhost.evil.example",
        "evil.example:{port}@localhost",
        "127.0.0.2:{port}",
        "0.0.0.0:{port}",
        "[::1]evil.example",
        "localhost:{port}:80",
        "",
        "\xff",
    ],
)
@pytest.mark.parametrize("target", ["/api/status", "/api/health"])
def test_host_that_is_not_this_machine_is_refused(served: DaemonProcess, host: str, target: str) -> None:
    """A name that a rebound DNS entry points here is refused, also with the right token."""
    headers = {"Host": host.format(port=served.port)}
    assert_problem(served.request("GET", target, headers=headers), 403, "forbidden")


@pytest.mark.parametrize("host", ["localhost:{port}", "127.0.0.1:{port}", "LOCALHOST", "[::1]:{port}"])
def test_host_that_is_this_machine_is_let_in(served: DaemonProcess, host: str) -> None:
    """Every usual name of the loopback address is let in."""
    headers = {"Host": host.format(port=served.port)}
    assert served.request("GET", "/api/status", headers=headers).status == 200


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "http://localhost:3000",
        "http://127.0.0.1:1",
        "https://127.0.0.1:{port}",
        "http://[::1]:{port}",
        "null",
        "app://obsidian.md.evil.example",
        "app://obsidian.md:80",
        "app://evil",
        "https://obsidian.md",
        "*",
        "",
        "\xff",
    ],
)
def test_origin_of_a_web_page_is_refused_despite_the_token(served: DaemonProcess, origin: str) -> None:
    """A page's origin that no setting allows is refused, even with the right token."""
    headers = {"Origin": origin.format(port=served.port)}
    for method, target in (("GET", "/api/status"), ("POST", "/api/ask"), ("GET", "/api/health")):
        reply = served.request(method, target, headers=headers)
        assert_problem(reply, 403, "forbidden")
        assert "Access-Control-Allow-Origin" not in reply.headers


def test_origin_of_a_web_page_gets_no_preflight(served: DaemonProcess) -> None:
    """The browser of a foreign page is told nothing that would let it go on."""
    headers = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    reply = served.request("OPTIONS", "/api/ask", headers=headers, authorized=False)
    assert_problem(reply, 403, "forbidden")
    assert not [name for name in reply.headers if name.startswith("Access-Control-")]


def test_origin_of_obsidian_gets_its_cors_headers(served: DaemonProcess) -> None:
    """The plugin may read the answer: its own origin is named, never a wildcard."""
    for headers in ({"Origin": OBSIDIAN}, {"Origin": OBSIDIAN, "Authorization": "Bearer wrong"}):
        reply = served.request("GET", "/api/status", headers=headers)
        assert reply.headers["Access-Control-Allow-Origin"] == OBSIDIAN
        assert "Origin" in reply.headers["Vary"]
    assert served.request("GET", "/api/status", headers={"Origin": OBSIDIAN}).status == 200


@pytest.mark.parametrize("target", ["/api/ask", "/api/search", "/api/notes/Garden.md", "/api/events"])
def test_preflight_of_obsidian_passes_without_a_token(served: DaemonProcess, target: str) -> None:
    """A browser sends its preflight without the token; it is told what the plugin needs to send."""
    headers = {
        "Origin": OBSIDIAN,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type",
    }
    reply = served.request("OPTIONS", target, headers=headers, authorized=False)
    assert (reply.status, reply.body) == (204, b"")
    assert reply.headers["Access-Control-Allow-Origin"] == OBSIDIAN
    assert "Authorization" in reply.headers["Access-Control-Allow-Headers"]
    assert "POST" in reply.headers["Access-Control-Allow-Methods"]


@pytest.mark.parametrize(("origin", "status"), [(OBSIDIAN, 204), ("https://evil.example", 403)])
def test_browser_may_come_from_a_public_page_only_where_that_is_allowed(
    served: DaemonProcess, origin: str, status: int
) -> None:
    """Private Network Access: the browser asks whether this machine wants to be called at all."""
    headers = {
        "Origin": origin,
        "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Private-Network": "true",
    }
    reply = served.request("OPTIONS", "/api/status", headers=headers, authorized=False)
    assert reply.status == status
    assert ("Access-Control-Allow-Private-Network" in reply.headers) == (status == 204)


def test_answer_may_not_be_sniffed_or_stored(served: DaemonProcess) -> None:
    """What notes say stays out of caches and is never taken for HTML."""
    reply = served.request("GET", "/api/search?q=sun")
    assert reply.headers["X-Content-Type-Options"] == "nosniff"
    assert reply.headers["Cache-Control"] == "no-store"


def test_token_file_is_for_its_owner_only(served: DaemonProcess) -> None:
    """The token lies in the configuration folder, mode 0600, and is long (D9)."""
    path = served.folders.settings.config_dir / "token"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(served.token) >= 40


def test_folders_with_what_notes_say_are_for_their_owner_only(served: DaemonProcess) -> None:
    """Index, records and token lie in folders of mode 0700: no other user reads a person's notes."""
    settings = served.folders.settings
    record, index = settings.record_path(served.vault), settings.index_dir(served.vault)
    for folder in (settings.config_dir, record.parent, settings.data_dir, index):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700, folder


def test_token_is_in_no_log_and_no_answer(served: DaemonProcess) -> None:
    """Neither what the daemon prints nor what it says about itself holds the token."""
    status = served.request("GET", "/api/status").body.decode()
    record = served.folders.settings.record_path(served.vault).read_text("utf-8")
    assert served.token not in served.log + status + record


def test_log_says_nothing_of_what_notes_or_questions_say(served: DaemonProcess) -> None:
    """What is asked, what is answered, and a note that cannot be read as it should leave no word there."""
    note = served.vault / "Secret.md"
    note.write_text("---\nmood: [axolotl\n---\nThe axolotl lives beneath the pier.\n", "utf-8")
    try:
        served.finds("axolotl")
        for target in ("/api/search?q=axolotl", "/api/search?q=axolotl&mode=axolotl", "/api/axolotl"):
            served.request("GET", target)
        for body in ('{"question": "Where does the axolotl live?"}', '{"question": ["axolotl"]}', "axolotl"):
            served.request("POST", "/api/ask", body=body)
    finally:
        note.unlink()
    served.loses("axolotl")
    said = served.log
    assert "axolotl" not in said
    assert not [text for text in NOTES.values() if text and text.splitlines()[-1] in said]


def test_port_is_open_on_loopback_only(served: DaemonProcess) -> None:
    """The daemon listens on 127.0.0.1 and ::1 and on no other address of this machine."""
    table = Path("/proc/net/tcp")
    if not table.exists():
        pytest.skip("only Linux lists its sockets here")
    port = f"{served.port:04X}"
    rows = [line.split() for source in (table, Path("/proc/net/tcp6")) for line in _lines(source)]
    listening = {row[1].partition(":")[0] for row in rows if row[3] == "0A" and row[1].endswith(f":{port}")}
    assert listening == {"0100007F", "00000000000000000000000001000000"}


def _lines(table: Path) -> list[str]:
    return table.read_text("ascii").splitlines()[1:] if table.exists() else []
