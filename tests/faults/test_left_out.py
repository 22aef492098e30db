"""What a person leaves out is found nowhere: no answer, no command and no log line holds a word of it."""

from __future__ import annotations

import asyncio
import http.client
import json
import threading
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from pai_daemon.context import indexer as indexing
from pai_daemon.daemon import Daemon
from pai_daemon.vault.ignore import IgnoreRules
from pai_daemon.vault.scan import Scan, scan
from tests.daemon_process import DaemonProcess, Folders

OPEN, LINKS = "Open.md", "Links.md"
ANIMALS = {"pattern": "wombat", "filter": "quoll", "property": "numbat", "hidden": "bilby"}
PARTS = ("body", "alias", "tag", "heading", "value", "block")
MODES = ("text", "semantic", "hybrid")


def note_of(way: str) -> str:
    """Return the path of the note that is left out in a way."""
    return f"{way.title()}/The {way} animal.md"


def write_secret(vault: Path, way: str, head: str = "") -> None:
    """Write the note that is to be left out; each part of it has a word of its own."""
    animal = ANIMALS[way]
    (vault / way.title()).mkdir(exist_ok=True)
    (vault / note_of(way)).write_text(
        f"---\n{head}aliases: [{animal}alias]\ntags: [animals, {animal}tag]\n"
        f"mood: {animal}value\n---\n# {animal}heading\n\n"
        f"The {animal}body sleeps behind the bakery. ^{animal}block\n\nSee [[Open]].\n",
        "utf-8",
    )


def write_vault(vault: Path) -> None:
    """Write the notes to be left out, and open ones that name and resemble them."""
    named = "\n".join(f"A walk with the {way} animal past the bakery. #animals" for way in ANIMALS)
    (vault / OPEN).write_text(f"---\ntags: [animals]\n---\n# Open\n\n{named}\n", "utf-8")
    links = "\n".join(f"See [[The {way} animal]]." for way in ANIMALS)
    (vault / LINKS).write_text(f"# Links\n\n{links}\n", "utf-8")
    for number in range(8):
        (vault / f"Other {number}.md").write_text(f"# Other {number}\n\nSome bread from the bakery.", "utf-8")
    for way in ANIMALS:
        write_secret(vault, way)


def leave_out(vault: Path, way: str) -> None:
    """Leave the note of a way out."""
    match way:
        case "pattern":
            (vault / ".paiignore").write_text("Pattern/\n", "utf-8")
        case "filter":
            (vault / ".obsidian").mkdir()
            (vault / ".obsidian" / "app.json").write_text('{"userIgnoreFilters": ["Filter/"]}', "utf-8")
        case "property":
            write_secret(vault, way, head="pai: false\n")
        case "hidden":
            (vault / "Hidden").rename(vault / ".Hidden")


@dataclass(slots=True)
class Told:
    """All that a daemon says, by where it says it."""

    answers: dict[str, str] = field(default_factory=dict)

    def add(self, where: str, said: str, *asked: str) -> None:
        """Keep an answer, without what it only repeats of the request."""
        with suppress(ValueError):
            document = json.loads(said)
            if isinstance(document, dict):
                for name in ("query", "question"):
                    document.pop(name, None)
                said = json.dumps(document, ensure_ascii=False)
        for words in asked:
            said = said.replace(words, "")
        self.answers[where] = said

    def naming(self, way: str) -> set[str]:
        """Return where a word of a note, or its path, is said."""
        words = [note_of(way), f"{way.title()}%2F", *(f"{ANIMALS[way]}{part}" for part in PARTS)]
        return {where for where, said in self.answers.items() if any(word in said for word in words)}


def ask_everything(daemon: DaemonProcess, told: Told) -> None:
    """Ask at every route for what is to be left out; an echo of the request alone does not count."""

    def get(route: str, *asked: str, **values: str) -> None:
        target = f"{route}?{urlencode(values)}" if values else route
        told.add(f"GET {target}", daemon.request("GET", target).body.decode(), *asked)

    def post(route: str, body: dict[str, Any]) -> None:
        told.add(f"POST {route} {body}", daemon.request("POST", route, body=body).body.decode())

    get("/api/health")
    get("/api/status")
    get("/api/index")
    for note in (OPEN, LINKS):
        get(f"/api/notes/{note}")
        get("/api/related", path=note, limit="50")
        get("/api/links", path=note, limit="50")
    for way, animal in ANIMALS.items():
        path, words = note_of(way), f"The {animal}body sleeps behind the bakery."
        for mode in MODES:
            for query in (words, f"{animal}alias", f"{animal}tag", f"the {way} animal"):
                get("/api/search", q=query, mode=mode, limit="100")
            get("/api/search", q="bakery", mode=mode, path=way.title())
            get("/api/search", q="bakery", mode=mode, tag=f"{animal}tag")
        get("/api/related", text=words)
        # An error names the path that was asked for; nothing else may.
        get("/api/related", path, path=path)
        get("/api/links", path, path=path)
        get(f"/api/notes/{quote(path)}", path)
        get("/api/index", path, explain=path)
        for streamed in (False, True):
            asked = {"question": f"What sleeps behind the bakery, the {way} animal?", "stream": streamed}
            post("/api/ask", asked)
            post("/api/ask", asked | {"path": way.title()})
            post("/api/ask", asked | {"tag": f"{animal}tag"})
            post("/api/ask", asked | {"selection": "The baker's notes"})
    told.add("events", events_of(daemon))


def events_of(daemon: DaemonProcess) -> str:
    """Return the events that a listener who comes back is sent."""
    connection = http.client.HTTPConnection("127.0.0.1", daemon.port, timeout=0.5)
    headers = {"Authorization": f"Bearer {daemon.token}", "Last-Event-ID": "0"}
    connection.request("GET", "/api/events", headers=headers)
    said = b""
    with suppress(TimeoutError):
        response = connection.getresponse()
        while line := response.readline():
            said += line
    connection.close()
    assert b"event: " in said
    return said.decode()


def ask_commands(folders: Folders, told: Told) -> None:
    """Run the commands that show something of notes."""
    secret = note_of("property")
    commands = [
        ("search", "--limit", "50", "sleeps behind the bakery"),
        ("search", "--json", "--mode", "text", "behind the bakery"),
        ("ask", "What sleeps behind the bakery?"),
        ("links", OPEN, "--limit", "50"),
        ("status",),
        ("index", "--explain", secret),
    ]
    for command in commands:
        ended = folders.pai(*command)
        told.add(f"pai {' '.join(command)}", ended.stdout + ended.stderr, secret)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory, prepared_cache: Path) -> dict[str, Told]:
    """Return what a daemon says while all is in, once it is left out, and after a restart."""
    home = tmp_path_factory.mktemp("left-out")
    vault, folders = home / "vault", Folders(home / "home", prepared_cache)
    vault.mkdir()
    write_vault(vault)
    said = {name: Told() for name in ("in", "out", "restarted")}
    with DaemonProcess(vault, folders) as daemon:
        notes = daemon.ready()["notes"]
        ask_everything(daemon, said["in"])
        for way in ANIMALS:
            leave_out(vault, way)
        daemon.until(lambda now: now["notes"] == notes - len(ANIMALS), "they leave")
        daemon.ready()
        ask_everything(daemon, said["out"])
        ask_commands(folders, said["out"])
        daemon.client.index(force=True)
        daemon.ready()
        assert daemon.terminate() == 0
        said["out"].add("log", daemon.log)
        daemon.output.clear()
        daemon.start()
        daemon.ready()
        ask_everything(daemon, said["restarted"])
        assert daemon.terminate() == 0
        said["restarted"].add("log", daemon.log)
    return said


@pytest.mark.parametrize("way", ANIMALS)
def test_note_that_is_in_is_told_of_in_every_kind_of_answer(told: dict[str, Told], way: str) -> None:
    """Before it is left out the same requests do find it: they would show a word that stayed behind."""
    found = told["in"].naming(way)
    for route in (
        "/api/search",
        "/api/related",
        "/api/links",
        f"/api/notes/{OPEN}",
        f"/api/notes/{LINKS}",
        "/api/ask",
    ):
        assert any(route in where for where in found), route


@pytest.mark.parametrize("when", ["out", "restarted"])
@pytest.mark.parametrize("way", ANIMALS)
def test_note_left_out_is_found_nowhere(told: dict[str, Told], way: str, when: str) -> None:
    """No text, alias, tag, heading, property, block or name of it is in any answer, command or log."""
    assert told[when].naming(way) == set()


@pytest.mark.parametrize("way", ANIMALS)
def test_note_left_out_is_explained_without_its_text(told: dict[str, Told], way: str) -> None:
    """The reason is told for a path that a person names, and only the reason."""
    where = f"GET /api/index?{urlencode({'explain': note_of(way)})}"
    explained = json.loads(told["out"].answers[where])
    assert explained["indexed"] is False
    assert explained["reason"]
    assert json.loads(told["in"].answers[where])["indexed"] is True


@pytest.mark.parametrize("way", ["pattern", "filter"])
async def test_note_left_out_while_no_daemon_ran_is_not_found_at_the_next_start(
    folders: Folders, vault: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    """What the rules leave out is out before the first scan, which takes a while in a large vault."""
    write_vault(vault)
    with DaemonProcess(vault, folders) as before:
        before.ready()
        assert before.terminate() == 0
    leave_out(vault, way)
    begun, let_go = threading.Event(), threading.Event()

    def slow_scan(root: Path, rules: IgnoreRules) -> Scan:
        begun.set()
        assert let_go.wait(20)
        return scan(root, rules)

    monkeypatch.setattr(indexing, "scan", slow_scan)
    daemon = Daemon(vault, replace(folders.settings, port=0, model="small", threads=1))
    await daemon.start()
    try:
        assert await asyncio.to_thread(begun.wait, 10)
        found = daemon.served.ready().searcher.search(f"{ANIMALS[way]}body sleeps", mode="text")
        assert [hit.path for hit in found.results if hit.path == note_of(way)] == []
    finally:
        let_go.set()
        await daemon.stop()
