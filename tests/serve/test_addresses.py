"""The daemon is reached on both loopback addresses, and elsewhere only where a person said how (D8, D70)."""

from __future__ import annotations

import http.client
import socket
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from pai_daemon.errors import UsageError
from pai_daemon.serve.listener import further_address
from tests.conftest import StartDaemon
from tests.daemon_process import DaemonProcess, Folders


def ask(
    served: DaemonProcess, address: str, tls: ssl.SSLContext | None = None, /, **headers: str
) -> tuple[int, str]:
    """Return status and body of the status route, asked at an address."""
    if tls is None:
        connection = http.client.HTTPConnection(address, served.port, timeout=10)
    else:
        connection = http.client.HTTPSConnection(address, served.port, timeout=10, context=tls)
    connection.request("GET", "/api/status", headers={"Authorization": f"Bearer {served.token}"} | headers)
    reply = connection.getresponse()
    said = reply.status, reply.read().decode()
    connection.close()
    return said


@pytest.fixture(scope="module")
def own_address() -> str:
    """Return an address of this machine that is no loopback address."""
    for addresses in psutil.net_if_addrs().values():
        for each in addresses:
            if each.family == socket.AF_INET and not each.address.startswith("127."):
                return str(each.address)
    pytest.skip("this machine has no other address")


@contextmanager
def listening(address: str, family: socket.AddressFamily) -> Iterator[int]:
    """Hold a free port of an address, and yield it."""
    with socket.socket(family) as held:
        held.bind((address, 0))
        held.listen()
        yield held.getsockname()[1]


@pytest.fixture
def certificate(tmp_path: Path, own_address: str) -> tuple[Path, Path]:
    """Return a certificate of that address and its key."""
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=pai"]
    made += ["-addext", f"subjectAltName=IP:{own_address}", "-keyout", str(key), "-out", str(cert)]
    try:
        subprocess.run(made, check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("openssl is not installed")
    return cert, key


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_daemon_is_reached_on_each_loopback_address(served: DaemonProcess, address: str) -> None:
    """Whichever of the two `localhost` means, it is the daemon that answers."""
    assert ask(served, address)[0] == 200


@pytest.mark.parametrize(
    ("host", "origin", "status"),
    [
        ("[::1]:{port}", None, 200),
        ("[::1]", None, 200),
        ("[::1]:{port}", "http://[::1]:{port}", 200),
        ("[::1]:{port}", "http://[::1]:1", 403),
        ("[::1]:{port}", "https://[::1]:{port}", 403),
        ("[::1]:{port}", "http://evil.example", 403),
        ("::1", None, 403),
        ("[::2]:{port}", None, 403),
        ("[::ffff:127.0.0.1]:{port}", None, 403),
        ("evil.example", None, 403),
    ],
)
def test_rules_for_host_and_origin_hold_on_the_other_loopback_address(
    served: DaemonProcess, host: str, origin: str | None, status: int
) -> None:
    """A page of another origin or port, or a rebound name, gets no further by way of ::1."""
    headers = {"Host": host.format(port=served.port)}
    if origin is not None:
        headers["Origin"] = origin.format(port=served.port)
    assert ask(served, "::1", None, **headers)[0] == status


def test_daemon_is_not_reached_at_another_address(served: DaemonProcess, own_address: str) -> None:
    """Without a setting nothing but loopback is listened on."""
    with pytest.raises(ConnectionRefusedError):
        ask(served, own_address)


def test_port_that_is_taken_on_one_loopback_address_is_taken(vault: Path, folders: Folders) -> None:
    """Another program on ::1 would be sent the token by who asks `localhost`."""
    with listening("::1", socket.AF_INET6) as port:
        ended = folders.pai("start", str(vault), "--port", str(port))
    assert ended.returncode == 69
    assert f"Port {port} is in use" in ended.stderr


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"host": "192.0.2.7"}, "unencrypted"),
        ({"host": "fd00::7"}, "unencrypted"),
        ({"host": "0.0.0.0"}, "not one address"),
        ({"host": "::"}, "not one address"),
        ({"host": "my-machine.local", "plain_http": "accepted"}, "not one address"),
        ({"host": "192.0.2.7", "tls_cert": "/nowhere/cert.pem"}, "cannot be used"),
    ],
)
def test_further_address_without_a_word_about_encryption_is_refused(
    folders: Folders, given: dict[str, str], said: str
) -> None:
    """A setting that would open the door by mistake ends the start, and says what is missing."""
    with pytest.raises(UsageError, match=said):
        further_address(replace(folders.settings, **given))  # type: ignore[arg-type]


@pytest.mark.parametrize("host", ["", "127.0.0.1", "::1"])
def test_loopback_needs_nothing(folders: Folders, host: str) -> None:
    """What is listened on anyway is no further address."""
    assert further_address(replace(folders.settings, host=host)) == ("", None)


def test_further_address_is_encrypted_and_asked_by_its_names_alone(
    start_daemon: StartDaemon, own_address: str, certificate: tuple[Path, Path]
) -> None:
    """With a certificate it answers there in TLS only, under the address and what the settings allow."""
    cert, key = certificate
    given = {"PAI_HOST": own_address, "PAI_TLS_CERT": str(cert), "PAI_TLS_KEY": str(key)}
    daemon = start_daemon(**given, PAI_ALLOWED_HOSTS="pai.home.example")
    trusting = ssl.create_default_context(cafile=str(cert))
    assert ask(daemon, own_address, trusting)[0] == 200
    assert ask(daemon, own_address, trusting, Host=f"pai.home.example:{daemon.port}")[0] == 200
    assert ask(daemon, own_address, trusting, Host="evil.example")[0] == 403
    assert ask(daemon, own_address, trusting, Origin=f"https://{own_address}:{daemon.port}")[0] == 200
    assert ask(daemon, own_address, trusting, Origin=f"http://{own_address}:{daemon.port}")[0] == 403
    assert ask(daemon, "127.0.0.1")[0] == 200
    with pytest.raises((ConnectionError, http.client.HTTPException, OSError)):
        ask(daemon, own_address)
    assert "encrypted" in daemon.log
    settings = daemon.client.get("/api/settings")["settings"]
    assert {each["name"]: each["value"] for each in settings}["host"] == own_address


def test_further_address_is_plain_where_a_person_accepts_it(
    start_daemon: StartDaemon, own_address: str
) -> None:
    """The start says what that means."""
    daemon = start_daemon(PAI_HOST=own_address, PAI_PLAIN_HTTP="accepted")
    assert ask(daemon, own_address)[0] == 200
    assert ask(daemon, own_address, Authorization="Bearer wrong")[0] == 401
    assert "can be read on the way" in daemon.log.replace("\n", " ")
