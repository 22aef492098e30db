"""Many requests at once are answered or refused with 429, and the daemon lives."""

from __future__ import annotations

import socket
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from tests.daemon_process import DaemonProcess, Reply, eventually


def test_storm_of_requests_is_answered_or_put_off(served: DaemonProcess) -> None:
    """30 searches and 10 questions at once get 200 or 429, and who is put off is answered later."""

    def search(number: int) -> Reply:
        return served.request("GET", f"/api/search?q=sun+{number}")

    def answered(number: int) -> bool:
        return search(number).status == 200

    def ask(number: int) -> Reply:
        return served.request("POST", "/api/ask", body={"question": f"How long does bread prove? {number}"})

    with ThreadPoolExecutor(40) as pool:
        searches, asks = pool.map(search, range(30)), pool.map(ask, range(10))
        replies = [*searches, *asks]
    assert {reply.status for reply in replies} <= {200, 429}, [reply.body for reply in replies]
    refused = [reply for reply in replies if reply.status == 429]
    assert all(reply.json["code"] == "overloaded" and reply.headers["Retry-After"] for reply in refused)
    assert any(reply.status == 200 for reply in replies[:30])
    for number, reply in enumerate(replies[:30]):
        if reply.status == 429:
            eventually(partial(answered, number), f"search {number} is answered")
    assert served.status()["state"] == "ready"


def test_storm_that_hangs_up_leaves_nothing_busy(served: DaemonProcess) -> None:
    """Clients that ask and are gone before the answer do not use up the places for questions."""
    body = b'{"question": "How long does the sourdough prove?"}'
    head = (
        f"POST /api/ask HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {served.token}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    for _ in range(30):
        with socket.create_connection(("127.0.0.1", served.port), timeout=5) as connection:
            connection.sendall(head.encode() + body)

    def answered() -> bool:
        return served.request("POST", "/api/ask", body=body).status == 200

    eventually(answered, "a place for a question is free again")


def test_listeners_without_end_do_not_stop_the_others(served: DaemonProcess) -> None:
    """100 open event streams that nobody reads leave search and status answering."""
    head = f"GET /api/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {served.token}\r\n\r\n"
    listeners = [socket.create_connection(("127.0.0.1", served.port), timeout=5) for _ in range(100)]
    try:
        for listener in listeners:
            listener.sendall(head.encode())
        assert served.request("GET", "/api/search?q=sun", timeout_s=10).status == 200
        assert served.status()["state"] == "ready"
    finally:
        for listener in listeners:
            listener.close()


def test_listener_that_hangs_up_leaves_no_traceback(served: DaemonProcess) -> None:
    """A closed event stream is how every plugin ends; it is no error worth a line in the log."""
    before = len(served.output)
    head = f"GET /api/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {served.token}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", served.port), timeout=5) as listener:
        listener.sendall(head.encode())
        assert listener.recv(4096).startswith(b"HTTP/1.1 200")
    for number in range(3):
        note = served.vault / f"Listened {number}.md"
        note.write_text(f"aardvark {number}", "utf-8")
        served.finds(f"aardvark {number}")
        note.unlink()
    served.loses("aardvark")
    assert "Traceback" not in "".join(served.output[before:]), "".join(served.output[before:])
