"""What a daemon contacts is what `pai doctor --network` lists, and the run's guard sees the rest (D8)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests import contacts
from tests.conftest import StartDaemon
from tests.contract import fakes
from tests.contract.embedding_fakes import Embeds, running, spec_of, tei_app, wordy
from tests.contract.fakes import Behaviour
from tests.daemon_process import WATCH, Folders
from tests.network import strangers


def contact(kind: str, host: str, port: int, argv: list[str], **environ: str) -> dict[str, Any]:
    """Return a contact as it is recorded."""
    return {
        "kind": kind,
        "host": host,
        "port": port,
        "argv": argv,
        "environ": environ,
        "config": "",
        "webhooks": "",
        "routines": {},
    }


def test_daemon_contacts_exactly_what_doctor_lists(
    start_daemon: StartDaemon, folders: Folders, vault: Path
) -> None:
    """With a server that embeds and one that writes, both are contacted, and nothing else."""
    (vault / "Engine.md").write_text("The engine is serviced every 250 hours.\n", "utf-8")
    with (
        running(tei_app(Embeds(vectors=wordy))) as embedder,
        running(fakes.openai_app(Behaviour())) as writer,
    ):
        environ = {"PAI_MODEL": f"tei:{embedder}", "PAI_GENERATOR": spec_of("openai", writer, "qwen2.5-7b")}
        daemon = start_daemon(**environ)
        daemon.ready()
        assert daemon.client.ask("When is the engine serviced?")["found"]
        daemon.terminate()
        listed = json.loads(folders.pai("doctor", "--network", "--json", environ=environ).stdout)
    seen = {
        (each["host"], each["port"])
        for each in contacts.recorded(os.environ[contacts.FILE])
        if each["argv"][:2] == ["start", str(vault)] and each["kind"] in ("connects", "holds")
    }
    urls = [urlsplit(each["url"]) for each in listed["addresses"]]
    assert seen == {(url.hostname, url.port) for url in urls}
    assert len(seen) == 2


@pytest.mark.parametrize(
    ("attempt", "said"),
    [
        ("s = socket.socket(); s.setblocking(False); s.connect_ex(('192.0.2.1', 9))", "192.0.2.1:9"),
        ("socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'', ('192.0.2.1', 9))", "192.0.2.1:9"),
        ("socket.getaddrinfo('telemetry.invalid', 443)", "resolves telemetry.invalid:443"),
    ],
)
def test_guard_sees_what_a_process_contacts(tmp_path: Path, attempt: str, said: str) -> None:
    """A process that speaks to another machine is told of, whatever becomes of it."""
    file = tmp_path / "contacts.jsonl"
    code = f"{WATCH}; import socket; {attempt}"
    environ = os.environ | {contacts.FILE: str(file)}
    subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, check=False, timeout=30)
    assert any(said in each for each in strangers(contacts.recorded(str(file))))


@pytest.mark.parametrize(
    ("seen", "is_wrong"),
    [
        (contact("connects", "127.0.0.1", 9, ["search"]), False),
        (contact("connects", "192.0.2.1", 9, ["search"]), True),
        (contact("connects", "127.0.0.1", 11434, ["start", "V"]), True),
        (contact("connects", "127.0.0.1", 11434, ["start", "V", "--generator", "auto"]), False),
        (contact("connects", "127.0.0.1", 11434, ["start", "V"], PAI_GENERATOR="ollama:m"), False),
        (contact("holds", "127.0.0.1", 9, ["start", "V"], PAI_MODEL="tei:http://127.0.0.1:9"), False),
        (contact("holds", "127.0.0.1", 8, ["start", "V"], PAI_MODEL="tei:http://127.0.0.1:9"), True),
        (contact("connects", "::1", 9, ["start", "V"], PAI_MODEL="tei:http://localhost:9"), False),
        (contact("holds", "127.0.0.1", 9, ["start", "V"], PAI_MODEL="tei:http://0.0.0.0:9"), False),
        (contact("resolves", "192.0.2.1", 0, ["start", "V"], PAI_MODEL="tei:http://192.0.2.1:9"), False),
        (contact("resolves", "example.invalid", 0, ["start", "V"]), True),
        (contact("runs", "/usr/bin/curl", 0, ["start", "V"]), True),
        (contact("runs", "/usr/bin/curl", 0, ["tests"]), False),
    ],
)
def test_daemon_may_contact_what_its_settings_name(seen: dict[str, Any], is_wrong: bool) -> None:
    """For a daemon loopback is not enough: the address must be in doctor's list for its own settings."""
    assert bool(strangers([seen])) is is_wrong


def test_daemon_may_contact_what_its_routines_name() -> None:
    """A feed of a routine's note counts, at its host and port; a wrong routine lets nothing be asked."""
    note = "---\ninputs: [{feed: 'http://127.0.0.1:9/rss'}]\n---\nx"
    for text, port, is_wrong in ((note, 9, False), (note, 8, True), (note.replace("feed", "fed"), 9, True)):
        seen = contact("connects", "127.0.0.1", port, ["start", "V"]) | {"routines": {"Routines/A.md": text}}
        assert bool(strangers([seen])) is is_wrong
