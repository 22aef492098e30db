"""The running daemon keeps the contract that it describes, whatever it is sent (D61)."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import random
import socket
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import msgspec
import psutil
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pai_daemon.serve.openapi import described, document, example, failures
from tests.conftest import StartDaemon
from tests.daemon_process import DaemonProcess, eventually
from tests.serve.test_door import assert_problem

# More of both before a release: PAI_TEST_SIZE=10.
SIZE = int(os.environ.get("PAI_TEST_SIZE", "1"))
RAW = 500 * SIZE
# What a run against hostile clients may add to the process.
GROWTH_BYTES = 96 * 1024 * 1024
# What would spoil the daemon of the suite is tried against one that is thrown away, and a stream on its own.
WRITES = (
    "/api/memory",
    "/api/memory/facts/{id}",
    "/api/memory/undo",
    "/api/memory/command",
    "/api/actions",
    "/api/actions/{id}",
    "/api/routines/{name}/run",
    "/api/memory/proposals/{id}",
)
APART = ("/api/stop", "/api/model", "/api/events", *WRITES)
# What is asked for by name would be downloaded.
NOT_TRIED = ("/api/models/pull",)
HEARD_S = 0.3
Json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


def test_description_is_served_behind_the_door(served: DaemonProcess) -> None:
    """`/openapi.json` is what the routes declare, and needs the token."""
    assert served.request("GET", "/openapi.json").json == json.loads(json.dumps(document()))
    assert_problem(served.request("GET", "/openapi.json", authorized=False), 401, "unauthorized")


def test_examples_of_bodies_fit_their_types() -> None:
    """What the description shows as an example would be taken."""
    bodies = [route.body for route in described() if route.body]
    assert bodies
    for kind in bodies:
        msgspec.convert(example(kind), kind)


def test_every_error_says_what_to_do() -> None:
    """A kind of error has a code of its own, a sentence on what happened and one on what to do."""
    found = {kind for route in described() for kind in failures(route)}
    assert len({kind.code for kind in found}) == len(found)
    for kind in found:
        assert kind.__doc__
        assert kind.todo.endswith(".")


@pytest.mark.parametrize(
    ("target", "sentence"),
    [
        ("/api/search?q=sun&limit=many", "limit must be a whole number between 1 and 100."),
        ("/api/search?q=sun&mode=psychic", "mode must be hybrid, semantic or text."),
        ("/api/search?q=sun&typing=2", "typing must be true or false."),
        ("/api/search", "q is missing."),
    ],
)
def test_query_that_does_not_fit_is_told_in_words(served: DaemonProcess, target: str, sentence: str) -> None:
    """A problem names the field, and what it takes."""
    assert served.request("GET", target).json["detail"] == sentence


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("path", sorted({r.canonical for r in described()} - {*APART, *NOT_TRIED}))
def test_daemon_keeps_its_contract(served: DaemonProcess, path: str) -> None:
    """Requests made from the description, fitting and not, get answers that are in it, and no 5xx."""

    def keeps(case: Any) -> None:
        if isinstance(case.body, dict):
            case.body.pop("copy", None)  # it would write where it is told to
        _call(case, served, path)

    _tried(path, keeps, 12 * SIZE)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("path", "examples"), [("/api/model", 12), ("/api/stop", 3), *((each, 8) for each in WRITES)]
)
def test_daemon_that_is_changed_or_ended_keeps_its_contract(
    start_daemon: StartDaemon, path: str, examples: int
) -> None:
    """What chooses a model, writes or stops the daemon is tried too; one that has ended is started again."""
    spare = start_daemon()
    if path in WRITES:
        spare.ready()

    def keeps(case: Any) -> None:
        if not spare.is_running():
            spare.start()
        if _call(case, spare, path) == 202 and path == "/api/stop":
            eventually(lambda: not spare.is_running(), "it has ended", 30)

    _tried(path, keeps, examples * SIZE)


@pytest.mark.filterwarnings("ignore")
def test_stream_of_events_keeps_its_contract(served: DaemonProcess) -> None:
    """Whatever id a listener comes back with, it is refused in words, or sent events that are declared."""
    route = next(route for route in described() if route.canonical == "/api/events")

    proposed = {"kind": "append", "path": "Declared.md", "text": "An event tells of it."}
    assert served.request("POST", "/api/actions", body=proposed).status == 200

    def keeps(case: Any) -> None:
        given = case.as_transport_kwargs(base_url=f"http://127.0.0.1:{served.port}")
        headers = dict(given["headers"]) | {"Authorization": f"Bearer {served.token}"}
        query = f"?{urlencode(given['params'], doseq=True)}" if given.get("params") else ""
        status, kind, body = _beginning(served, case.method, f"/api/events{query}", headers)
        assert status in {200, 400, 405}, (status, body)
        if status != 200:
            assert kind.startswith("application/problem+json")
            return
        assert kind.startswith("text/event-stream")
        for block in body.decode().split("\n\n")[:-1]:
            lines = dict(line.partition(": ")[::2] for line in block.splitlines() if not line.startswith(":"))
            if lines:
                msgspec.convert(json.loads(lines["data"]), route.events[lines["event"]])

    _tried("/api/events", keeps, 12 * SIZE)
    _, _, body = _beginning(served, "GET", "/api/events", {"Last-Event-ID": "0"} | _bearer(served))
    assert b"event: action" in body


def _tried(path: str, keeps: Callable[[Any], None], examples: int) -> None:
    """Hand on requests made from the description of a route."""
    schemathesis = pytest.importorskip("schemathesis", reason="schemathesis is not installed")
    schema = schemathesis.openapi.from_dict(document())
    health = list(HealthCheck)
    for operation in (each.ok() for each in schema.include(path=path).get_all_operations()):
        tried = given(case=operation.as_strategy())(keeps)
        settings(max_examples=examples, deadline=None, database=None, suppress_health_check=health)(tried)()


def _call(case: Any, served: DaemonProcess, path: str) -> int:
    """Send a request, hold the answer against the description, and return its status."""
    checks = pytest.importorskip("schemathesis.specs.openapi.checks")
    # That one of several fields is needed, or that a model is known, cannot be said of them.
    is_free = path in ("/api/related", "/api/model") or path.startswith(
        ("/v1/", "/api/memory", "/api/actions")
    )
    left_out = [checks.positive_data_acceptance] if is_free else []
    if path == "/api/stop":
        left_out.append(checks.ignored_auth)  # it asks again, whom the first request has ended
    url = f"http://127.0.0.1:{served.port}"
    reply = case.call_and_validate(base_url=url, headers=_bearer(served), excluded_checks=left_out)
    return int(reply.status_code)


def _bearer(served: DaemonProcess) -> dict[str, str]:
    return {"Authorization": f"Bearer {served.token}"}


def _beginning(
    served: DaemonProcess, method: str, target: str, headers: dict[str, str]
) -> tuple[int, str, bytes]:
    """Return status, content type and what comes of an answer within a moment."""
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=20)
    connection.request(method, target, headers={name: str(value) for name, value in headers.items()})
    reply = connection.getresponse()
    body = b""
    connection.sock.settimeout(HEARD_S)
    with contextlib.suppress(TimeoutError):
        while chunk := reply.read1(65536):
            body += chunk
    connection.close()
    return reply.status, reply.headers.get("Content-Type", ""), body


@settings(max_examples=60 * SIZE, deadline=None, suppress_health_check=list(HealthCheck))
@given(body=st.dictionaries(st.sampled_from(("question", "path", "tag", "limit", "stream", "since")), Json))
def test_body_of_any_json_is_answered_or_refused(served: DaemonProcess, body: dict[str, Any]) -> None:
    """No JSON object is more than a bad request."""
    reply = served.request("POST", "/api/ask", body=json.dumps(body))
    assert reply.status in (200, 400), (body, reply.body)


def test_malformed_requests_leave_the_daemon_alive_and_small(served: DaemonProcess) -> None:
    """Requests that are cut and twisted end nothing, log no token, and their memory comes back."""
    dice, process = random.Random(61), psutil.Process(served.pid)
    before = process.memory_info().rss
    for number in range(RAW):
        with socket.create_connection(("127.0.0.1", served.port), timeout=5) as connection:
            connection.settimeout(0.05)
            try:
                connection.sendall(_twisted(dice, served.token, number))
                connection.recv(65536)
            except (TimeoutError, ConnectionError):
                continue
    assert served.client.is_alive()
    assert not [line for line in served.output if served.token in line]
    assert not [line for line in served.output if "Traceback" in line]
    assert process.memory_info().rss - before < GROWTH_BYTES


def _twisted(dice: random.Random, token: str, number: int) -> bytes:
    """Return a request with something wrong about it."""
    body = b'{"question": "sun"}'
    lines = [
        b"POST /api/ask HTTP/1.1",
        b"Host: 127.0.0.1",
        b"Authorization: Bearer " + token.encode(),
        b"Content-Type: application/json",
        b"Content-Length: %d" % len(body),
    ]
    match number % 8:
        case 0:
            lines[0] = dice.choice([b"GET", b"", b"POST /", b"\x00 / HTTP/1.1", b"GET /%zz HTTP/9.9"])
        case 1:
            lines[4] = b"Content-Length: " + dice.choice([b"-1", b"1e9", b"99999999999999999999", b"\xff"])
        case 2:
            lines.append(b"Transfer-Encoding: " + dice.choice([b"chunked", b"gzip, chunked", b"x"]))
        case 3:
            lines.extend(b"X-%d: %s" % (each, b"a" * 50) for each in range(dice.randrange(1, 300)))
        case 4:
            lines.insert(dice.randrange(len(lines)), dice.randbytes(40))
        case 5:
            lines[0] = b"GET /" + b"a" * dice.randrange(1, 100_000) + b" HTTP/1.1"
        case 6:
            lines[1] = b"Host: " + dice.randbytes(12)
    whole = bytearray(b"\r\n".join(lines) + b"\r\n\r\n" + body)
    for _ in range(dice.randrange(4)):
        whole[dice.randrange(len(whole))] = dice.randrange(256)
    return bytes(whole[: dice.randrange(1, len(whole))] if number % 8 == 7 else whole)
