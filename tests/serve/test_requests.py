"""Requests that make no sense get a problem document and a reason, and the daemon goes on."""

from __future__ import annotations

import gzip
import json
import socket
from urllib.parse import quote

import pytest

from tests.daemon_process import DaemonProcess, eventually
from tests.serve.test_door import assert_problem


def test_route_that_does_not_exist_is_not_found(served: DaemonProcess) -> None:
    """An unknown route is a 404 problem, whatever the method."""
    for method in ("GET", "POST", "PUT", "DELETE"):
        assert_problem(served.request(method, "/api/no-such-route"), 404, "not_found")


@pytest.mark.parametrize(
    ("method", "target", "takes"),
    [
        ("DELETE", "/api/status", "GET"),
        ("HEAD", "/api/events", "GET"),
        ("POST", "/api/search?q=sun", "GET"),
        ("GET", "/api/ask", "POST"),
        ("PUT", "/api/index", "GET, POST"),
    ],
)
def test_method_that_a_route_does_not_take_is_named(
    served: DaemonProcess, method: str, target: str, takes: str
) -> None:
    """A wrong method is a 405 problem that says which methods the route takes, also in `Allow`."""
    reply = served.request(method, target)
    assert (reply.status, reply.headers["Allow"]) == (405, takes)
    if method != "HEAD":  # whose answer has no body
        assert_problem(reply, 405, "method_not_allowed")
        assert takes in reply.json["hint"]


@pytest.mark.parametrize("target", ["/api/ask", "/api/index"])
def test_body_over_the_limit_is_too_large(served: DaemonProcess, target: str) -> None:
    """A body over a mebibyte is refused, whether its length is announced or not."""
    body = json.dumps({"question": "x" * (1024 * 1024 + 1)})
    assert_problem(served.request("POST", target, body=body), 413, "too_large")


@pytest.mark.parametrize(
    "body",
    [
        "{",
        "[]",
        '"text"',
        "5",
        "null",
        b"\xff\xfe\x00",
        "[" * 100_000,
        '{"question": 5}',
        '{"question": ["sun"]}',
        '{"question": null}',
        '{"question": "   "}',
        "{}",
        "",
        '{"question": "sun", "stream": "yes"}',
        '{"question": "sun", "path": 5}',
        '{"question": "sun", "tag": {}}',
        '{"question": "sun", "limit": "many"}',
        '{"question": "sun", "limit": []}',
        '{"question": "sun", "limit": 0}',
        '{"question": "sun", "limit": -1}',
        '{"question": "sun", "limit": 1000000000000000000000}',
        '{"question": "sun", "limit": 101}',
        '{"question": "sun", "limit": 1.7}',
        '{"question": "sun", "limit": true}',
        '{"question": "sun", "limit": NaN}',
    ],
)
def test_body_of_a_question_that_makes_no_sense_is_refused(served: DaemonProcess, body: str | bytes) -> None:
    """No JSON, no object, or a value of the wrong kind is a 400 problem."""
    assert_problem(served.request("POST", "/api/ask", body=body), 400, "bad_request")


@pytest.mark.parametrize("limit", ["Infinity", "1e400", "-Infinity"])
def test_body_with_an_infinite_number_is_refused(served: DaemonProcess, limit: str) -> None:
    """Python's JSON reads infinities; as a limit they make no sense, and are no fault of the daemon."""
    body = f'{{"question": "sun", "limit": {limit}}}'
    assert_problem(served.request("POST", "/api/ask", body=body), 400, "bad_request")


@pytest.mark.parametrize("name", ["path", "since"])
def test_body_with_a_wrong_kind_of_value_says_once_which_is_right(served: DaemonProcess, name: str) -> None:
    """Also of a field that may be written in several ways, each of them a string."""
    reply = served.request("POST", "/api/ask", body={"question": "sun", name: 5})
    assert_problem(reply, 400, "bad_request")
    assert reply.json["detail"] == f"{name} must be a string."


@pytest.mark.parametrize("name", ["question", "path", "tag", "selection"])
def test_body_with_half_a_surrogate_pair_is_refused(served: DaemonProcess, name: str) -> None:
    """Half an emoji, which a cut in a text box leaves, is no text: a 400 problem that says where."""
    body = json.dumps({"question": "sun", name: "sun \ud83d"})
    reply = served.request("POST", "/api/ask", body=body)
    assert_problem(reply, 400, "bad_request")
    assert name in reply.json["detail"]


@pytest.mark.parametrize(
    "body", ['{"question": "sun"}', gzip.compress(b'{"question": "sun"}', mtime=0)], ids=["plain", "packed"]
)
@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_body_in_an_encoding_is_refused(served: DaemonProcess, encoding: str, body: str | bytes) -> None:
    """Bodies come plain; one that is packed, or only says so, is a 400 problem and no traceback."""
    before = len(served.output)
    headers = {"Content-Encoding": encoding}
    assert_problem(served.request("POST", "/api/ask", headers=headers, body=body), 400, "bad_request")
    assert "Traceback" not in "".join(served.output[before:])


def test_body_that_ends_early_leaves_no_traceback(served: DaemonProcess) -> None:
    """A client that leaves with half of its request sent is no error worth a line in the log."""
    before = len(served.output)
    head = f"POST /api/ask HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {served.token}\r\n"
    for part in ("Content-Length: 100\r\n\r\n{", "Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n"):
        with socket.create_connection(("127.0.0.1", served.port), timeout=5) as connection:
            connection.sendall((head + part).encode())
    assert served.client.ask("sun")["question"] == "sun"
    assert "Traceback" not in "".join(served.output[before:]), "".join(served.output[before:])


@pytest.mark.parametrize(
    ("expected", "first"), [("100-continue", b"HTTP/1.1 100 "), ("gold", b"HTTP/1.1 400 ")]
)
def test_expectation_of_a_client_is_met_or_refused(
    served: DaemonProcess, expected: str, first: bytes
) -> None:
    """A client that waits for leave to send its body gets it; any other expectation is a 400 problem."""
    head = (
        f"POST /api/ask HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {served.token}\r\n"
        f"Expect: {expected}\r\nConnection: close\r\nContent-Length: 2\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", served.port), timeout=5) as connection:
        connection.sendall(head.encode())
        came = connection.recv(4096)
        assert came.startswith(first)
        connection.sendall(b"{}")
        while more := connection.recv(4096):
            came += more
    assert b"application/problem+json" in came


@pytest.mark.parametrize("paths", ["Garden.md", {"a": 1}, [5], [None], 5])
def test_paths_of_an_index_run_must_be_strings(served: DaemonProcess, paths: object) -> None:
    """Anything but a list of strings is a 400 problem."""
    assert_problem(served.request("POST", "/api/index", body={"paths": paths}), 400, "bad_request")


@pytest.mark.parametrize(
    "limit", ["0", "-1", "101", "100000000000000000000", "abc", "", "1.5", "NaN", "0x10"]
)
@pytest.mark.parametrize(
    "target", ["/api/search?q=sun&", "/api/related?path=Garden.md&", "/api/related?text=a&"]
)
def test_limit_out_of_range_is_refused(served: DaemonProcess, target: str, limit: str) -> None:
    """A limit that is no number, or not between 1 and 100, is a 400 problem."""
    assert_problem(served.request("GET", f"{target}limit={limit}"), 400, "bad_request")


@pytest.mark.parametrize("query", ["", "%20%09", "x" * 5000])
def test_query_that_is_empty_or_overlong_is_refused(served: DaemonProcess, query: str) -> None:
    """A query without words, or longer than is read, is a 400 problem."""
    assert_problem(served.request("GET", f"/api/search?q={query}"), 400, "bad_request")


def test_search_while_typing_says_so_with_true_or_false(served: DaemonProcess) -> None:
    """`typing` is a truth value; anything else is a 400 problem."""
    target = "/api/search?q=su&mode=text&typing="
    eventually(lambda: served.request("GET", f"{target}true").json["results"], "su finds sun")
    assert served.request("GET", f"{target}false").json["results"] == []
    assert_problem(served.request("GET", "/api/search?q=su&typing=perhaps"), 400, "bad_request")


def test_query_that_is_missing_is_refused(served: DaemonProcess) -> None:
    """A search without `q`, in no mode we know, is a 400 problem."""
    assert_problem(served.request("GET", "/api/search"), 400, "bad_request")
    assert_problem(served.request("GET", "/api/search?q=sun&mode=psychic"), 400, "bad_request")


@pytest.mark.parametrize("mode", ["hybrid", "semantic", "text"])
@pytest.mark.parametrize(
    "query",
    [
        "😀🧑‍🌾",
        "???!…",
        "'; DROP TABLE chunks; --",
        '" OR 1=1 --',
        '"unclosed phrase',
        "AND OR NOT + - && || ! ( ) { } [ ] ^ ~ * ? : \\ /",
        "path:Garden.md content:[* TO *]",
        "%' OR '%'='",
        "\x00",
        "a\x00b",
        "\u202e\u200b\ufeff",
        "ÄÖÜ ß İ ŉ",
        "x" * 4000,
        "sun " * 999,
    ],
)
def test_query_of_any_characters_is_answered(served: DaemonProcess, query: str, mode: str) -> None:
    """No character in a query is syntax: every mode answers with a list of passages."""
    reply = served.request("GET", f"/api/search?q={quote(query)}&mode={mode}")
    assert reply.status == 200, reply.body
    assert isinstance(reply.json["results"], list)


def test_query_as_long_as_allowed_is_answered_in_every_script(served: DaemonProcess) -> None:
    """The limit counts characters: 4,000 of them are searched whatever they weigh in an address."""
    for query in ("x" * 4000, "ж" * 4000, "的" * 4000):
        reply = served.request("GET", f"/api/search?q={quote(query)}")
        assert reply.status == 200, (query[:1], reply.body)


def test_query_in_bytes_that_are_no_text_is_answered(served: DaemonProcess) -> None:
    """Percent-encoded bytes that are not UTF-8 end nothing."""
    for raw in ("%ff%fe", "%ED%A0%80", "%", "%zz", "a+%2B&q=b"):
        reply = served.request("GET", f"/api/search?q={raw}")
        assert reply.status in (200, 400), reply.body


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("Projects", {"Projects/Boat.md", "Projects/Shed.md"}),
        ("Projects/", {"Projects/Boat.md", "Projects/Shed.md"}),
        ("Projects/Boat.md", {"Projects/Boat.md"}),
        ("Projects_2", {"Projects_2/Kite.md"}),
        ("Project_", set()),
        ("Project%", set()),
        ("%", set()),
        ("_", set()),
        ("50% off.md", {"50% off.md"}),
        ('It\'s "quoted".md', {'It\'s "quoted".md'}),
        ("It's", set()),
        ("' OR '1'='1", set()),
        ("..", set()),
        ("Projects/../Projects", set()),
        ("\x00", set()),
    ],
)
@pytest.mark.parametrize("mode", ["semantic", "text"])
def test_path_filter_is_text_not_a_pattern(
    served: DaemonProcess, path: str, found: set[str], mode: str
) -> None:
    """`_`, `%` and quotes in a path stand for themselves; a folder takes only what is below it."""
    words = quote("the hull shed kite coats grandmother")
    reply = served.request("GET", f"/api/search?q={words}&mode={mode}&limit=50&path={quote(path)}")
    assert reply.status == 200, reply.body
    assert {hit["path"] for hit in reply.json["results"]} == found


@pytest.mark.parametrize(
    ("tag", "hits"), [("kitchen", 1), ("#Kitchen/Baking", 1), ("kitch", 0), ("' OR 1", 0)]
)
def test_tag_filter_takes_nested_tags_and_no_syntax(served: DaemonProcess, tag: str, hits: int) -> None:
    """A tag covers those nested below it, in any case; quotes in it are only text."""
    reply = served.request("GET", f"/api/search?q=sourdough&tag={quote(tag)}")
    assert len({hit["path"] for hit in reply.json["results"]}) == hits


@pytest.mark.parametrize("number", ["\xc2\xb2", "abc", "-1", "9" * 5000, ""])
def test_events_resume_from_an_id_that_is_no_number(served: DaemonProcess, number: str) -> None:
    """A Last-Event-ID that is no number of ours starts the stream from now; it does not end it."""
    head = (
        f"GET /api/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {served.token}\r\n"
        f"Last-Event-ID: {number}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", served.port), timeout=5) as connection:
        connection.sendall(head.encode("latin-1"))
        came = connection.recv(4096)
        connection.settimeout(0.3)
        try:
            while more := connection.recv(4096):
                came += more
            ended = True
        except TimeoutError:
            ended = False
    assert came.startswith(b"HTTP/1.1 200 OK")
    assert (ended, came.count(b"HTTP/1.1")) == (False, 1), came


def test_request_that_is_not_http_ends_nothing(served: DaemonProcess) -> None:
    """Garbage, an endless header and half a request leave the daemon answering."""
    head = f"POST /api/ask HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {served.token}\r\n"
    for raw in (
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET / HTTP/1.1\r\nX: " + b"a" * 100_000,
        f"{head}Content-Length: 100\r\n\r\n{{".encode(),
        f"{head}Content-Length: -1\r\n\r\n".encode(),
        f"{head}Transfer-Encoding: chunked\r\n\r\nZZ\r\n".encode(),
    ):
        with socket.create_connection(("127.0.0.1", served.port), timeout=5) as connection:
            connection.sendall(raw)
            connection.shutdown(socket.SHUT_WR)
            connection.settimeout(1.0)
            try:
                connection.recv(4096)
            except (TimeoutError, ConnectionError):
                continue
    assert served.client.is_alive()


@pytest.mark.parametrize(
    ("method", "target", "body", "told"),
    [
        ("GET", "/api/search?q=sun&limt=5", None, "There is no parameter 'limt'. Did you mean limit?"),
        ("GET", "/api/search?q=sun&Tag=boat", None, "There is no parameter 'Tag'. Did you mean tag?"),
        ("GET", "/api/search?q=sun&zzz=", None, "There is no parameter 'zzz'. It takes path, tag, "),
        ("GET", "/api/status?vault=a", None, "There is no parameter 'vault'. It takes no parameters."),
        ("POST", "/api/ask?question=sun", {}, "There is no parameter 'question'. It takes no parameters."),
        ("POST", "/api/ask", {"qestion": "sun"}, "There is no field 'qestion'. Did you mean question?"),
        ("POST", "/api/index", {"forced": True}, "There is no field 'forced'. Did you mean force?"),
    ],
)
def test_unknown_name_is_refused_with_the_nearest_known_one(
    served: DaemonProcess, method: str, target: str, body: dict[str, object] | None, told: str
) -> None:
    """What is misspelt is told, not passed over, as if the filter had been used (D70)."""
    reply = served.request(method, target, body=body)
    assert_problem(reply, 400, "bad_request")
    assert f"{reply.json['detail']} {reply.json['hint']}".startswith(told)


def test_unknown_name_of_any_length_is_shown_in_part(served: DaemonProcess) -> None:
    """A client can't make the daemon compare and repeat a name without end."""
    reply = served.request("POST", "/api/ask", body={"question" * 50_000: 1})
    assert reply.status == 400
    assert len(reply.body) < 1000
