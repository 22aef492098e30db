"""A local-only note leaves this machine on no road, and a note that is left out is on none at all (D15, D69).

The roads are found in the code: each class that writes answers, each that embeds at a server, each module
that can open a connection, each route. One that has no case here fails the first test. A server counts as
beyond this machine by its address: 0.0.0.0 is no loopback address, and leads to this machine all the same.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import json
import pkgutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from pai_daemon.models import generation, remote
from pai_daemon.models.generation.embedded import EmbeddedGenerator
from pai_daemon.models.generation.ollama import OllamaGenerator
from pai_daemon.models.generation.openai import OpenAIGenerator
from pai_daemon.models.remote.protocols import OllamaApi, OpenAIApi, TeiApi
from pai_daemon.serve.openapi import described
from tests.contract import embedding_fakes, fakes
from tests.contract.embedding_fakes import Embeds, running, spec_of, wordy
from tests.contract.fakes import Behaviour
from tests.daemon_process import DaemonProcess, Folders
from tests.faults.test_left_out import events_of

PACKAGE = Path(__file__).resolve().parents[2] / "pai_daemon"
# The word that each note alone has, by the rule that keeps it on this machine, or out.
PRIVATE = {"folder": "ottokar", "tag": "leopold", "property": "quirin"}
EXCLUDED = {"pattern": "zebulon", "itself": "melchior"}
OPEN = "bartholomew"
NOTES = {
    "Diary/Path.md": PRIVATE["folder"],
    "Tag.md": f"{PRIVATE['tag']} #secret/deep",
    "Property.md": PRIVATE["property"],
    "Out/Pattern.md": EXCLUDED["pattern"],
    "Asked.md": EXCLUDED["itself"],
    "Open.md": OPEN,
}
HEADS = {"Property.md": "---\npai: local\n---\n", "Asked.md": "---\npai: false\n---\n"}
LOCAL_ONLY = "Diary/,#secret"
QUESTION = "When is the engine serviced?"


@dataclass(frozen=True, slots=True)
class Writer:
    """A way to have answers written elsewhere. cloud: by an Ollama of this machine that forwards."""

    made_by: type
    kind: str
    model: str
    cloud: bool = False

    def spec(self, url: str) -> str:
        """Return the setting that names it at an address."""
        return spec_of(self.kind, url, self.model)


WRITERS = {
    "openai": Writer(OpenAIGenerator, "openai", "qwen2.5-7b"),
    "ollama": Writer(OllamaGenerator, "ollama", "llama3.2"),
    "cloud": Writer(OllamaGenerator, "ollama", "big:120b-cloud", cloud=True),
}
EMBEDDERS = {"openai": OpenAIApi, "ollama": OllamaApi, "tei": TeiApi}
# What writes inside the daemon sends nothing.
WITHIN = {EmbeddedGenerator}
# What can open a connection, and what goes over it.
CONNECTS = {
    "client.py": "asks daemons on this machine",
    "cli/mcp_bridge.py": "carries messages of MCP clients to the daemon, see tests/cli/test_mcp.py",
    "action/outside/guard.py": "asks hosts that a routine names, see tests/action/test_outside.py",
    "models/server.py": "speaks for the writers and embedders above",
    "models/hub/cache.py": "fetches files of models, on `pai models pull` alone",
    "models/hub/errors.py": "names the errors of that",
}
# Of each run: what writes and what embeds, and what of both is beyond this machine.
RUNS = [
    ("openai", "openai", ("writer", "embedder")),
    ("ollama", "tei", ("writer", "embedder")),
    ("cloud", "ollama", ("writer", "embedder")),
    # A writer here is told what an embedder elsewhere must not get by what it writes.
    ("openai", "tei", ("embedder",)),
    ("openai", "tei", ()),
]
HISTORY = [
    {"role": "user", "content": "Who services the engine?"},
    {"role": "assistant", "content": f"It is serviced by {PRIVATE['property']}."},
]


def asks() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield a body of `POST /api/ask` for each way in which a note's words come into a question."""
    selection = f"It is serviced by {PRIVATE['folder']}."
    ways: dict[str, dict[str, Any]] = {
        "plain": {},
        "streamed": {"stream": True},
        "history": {"history": HISTORY},
        "follow-up": {"question": "And why?", "history": HISTORY},
        "selection": {"selection": selection},
        "selection of a note": {"selection": selection, "note": "Diary/Path.md"},
        "narrowed to a note": {"path": "Property.md"},
        "narrowed to a tag": {"tag": "secret"},
    }
    for name, more in ways.items():
        yield "POST", f"/api/ask#{name}", {"question": QUESTION} | more


def summaries() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield a body of `POST /api/summarize` for all notes, and for each that is to stay.

    Not for the open one alone: the writer would say a name there that no note has told it.
    """
    yield "POST", "/api/summarize#all", {}
    for path in NOTES:
        if path != "Open.md":
            yield "POST", f"/api/summarize#{path}", {"note": path}


def comparisons() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield a body of `POST /api/compare` for each note beside the open one."""
    for path in NOTES:
        if path != "Open.md":
            yield "POST", f"/api/compare#{path}", {"first": path, "second": "Open.md"}


def memory_views() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield views of Claude's memory tool: of its folder, and of each note as if it lay there."""
    for path in ("", *(f"/../{path}" for path in NOTES), *(f"/{path}" for path in NOTES)):
        yield "POST", f"/api/memory/command#{path}", {"command": "view", "path": f"/memories{path}"}


def chats() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield a body of `POST /v1/chat/completions` for each way in which a note's words come into one."""
    asked = {"role": "user", "content": QUESTION}
    told = f'### Task:\nA title: {{ "title": "x" }}\n<chat_history>\nUSER: {PRIVATE["tag"]}\n</chat_history>'
    ways: dict[str, dict[str, Any]] = {
        "plain": {"messages": [asked]},
        "streamed": {"messages": [asked], "stream": True},
        "history": {"messages": [*HISTORY, asked]},
        "title": {"messages": [{"role": "user", "content": told}]},
    }
    for name, more in ways.items():
        yield "POST", f"/v1/chat/completions#{name}", {"model": "pai"} | more
    for writer in WRITERS.values():
        model = f"{writer.kind}:{writer.model}"
        yield "POST", f"/v1/chat/completions#{model}", {"model": model, "messages": [*HISTORY, asked]}


def responses() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield a body of `POST /v1/responses` with and without what was said before."""
    yield "POST", "/v1/responses#plain", {"model": "pai", "input": QUESTION}
    yield (
        "POST",
        "/v1/responses#history",
        {"model": "pai", "input": [*HISTORY, {"role": "user", "content": "And?"}]},
    )


def embeddings() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield a body of `POST /v1/embeddings` with the words of a note that is to stay."""
    yield "POST", "/v1/embeddings#text", {"model": "pai-embed", "input": f"It is {PRIVATE['folder']} again."}


def gets(route: str, *queries: dict[str, str]) -> Callable[[], Iterator[tuple[str, str, dict[str, Any]]]]:
    """Return a function that yields GET requests of a route."""

    def requests() -> Iterator[tuple[str, str, dict[str, Any]]]:
        for query in queries or ({},):
            yield "GET", f"{route}?{urlencode(query)}" if query else route, {}

    return requests


def of_each_note(suffix: str) -> Callable[[], Iterator[tuple[str, str, dict[str, Any]]]]:
    """Return a function that yields a request for each note."""
    return lambda: (("GET", f"/api/notes/{quote(path, safe='')}{suffix}", {}) for path in NOTES)


EXCLUDED_PATHS = ("Out/Pattern.md", "Asked.md")
PATHS = [{"path": path} for path in NOTES]
ROUTES: dict[str, Callable[[], Iterator[tuple[str, str, dict[str, Any]]]]] = {
    "GET /api/health": gets("/api/health"),
    "GET /api/status": gets("/api/status"),
    "GET /api/settings": gets("/api/settings"),
    "GET /api/search": gets(
        "/api/search",
        *({"q": QUESTION, "mode": mode, "limit": "50"} for mode in ("hybrid", "semantic", "text")),
    ),
    "POST /api/ask": asks,
    "GET /api/related": gets("/api/related", *PATHS, {"text": f"It is serviced by {PRIVATE['tag']}."}),
    "GET /api/links": gets("/api/links", *PATHS),
    "GET /api/links/refused": gets("/api/links/refused"),
    "POST /api/links/refuse": lambda: iter(
        ("POST", "/api/links/refuse", {"pairs": [{"path": path, "other": "Open.md"}]})
        for path in EXCLUDED_PATHS
    ),
    "GET /api/links/report": gets("/api/links/report", {}, {"stream": "true"}),
    "GET /api/tasks": gets("/api/tasks", {}, {"status": "all"}),
    "POST /api/summarize": summaries,
    "POST /api/compare": comparisons,
    "GET /api/notes": gets("/api/notes", {}, {"state": "private"}),
    "GET /api/notes/{path}/status": of_each_note("/status"),
    "GET /api/notes/{path}": of_each_note(""),
    "POST /api/index": lambda: iter([("POST", "/api/index", {"paths": list(NOTES)})]),
    "GET /api/memory": gets("/api/memory", {"past": "true"}),
    "GET /api/memory/recall": gets("/api/memory/recall", {"q": QUESTION}),
    "GET /api/memory/conflicts": gets("/api/memory/conflicts"),
    "POST /api/memory": lambda: iter([("POST", "/api/memory", {"text": "I like tea."})]),
    "POST /api/memory/facts/{id}": lambda: iter([("POST", "/api/memory/facts/m-none", {"pinned": True})]),
    "DELETE /api/memory/facts/{id}": lambda: iter([("DELETE", "/api/memory/facts/m-none", {})]),
    "POST /api/memory/undo": lambda: iter([("POST", "/api/memory/undo", {})]),
    "POST /api/memory/command": memory_views,
    "GET /api/memory/proposals": gets("/api/memory/proposals"),
    "POST /api/memory/proposals/{id}": lambda: iter([("POST", "/api/memory/proposals/0", {"accept": False})]),
    "GET /api/index": gets("/api/index", {}, {"explain": "Asked.md"}, {"exclude": "*.md"}),
    "GET /openapi.json": gets("/openapi.json"),
    "GET /v1/models": gets("/v1/models"),
    "GET /v1/models/{model}": gets("/v1/models/pai"),
    "POST /v1/chat/completions": chats,
    "POST /v1/responses": responses,
    "POST /v1/embeddings": embeddings,
    "GET /api/routines": gets("/api/routines"),
    "GET /api/routines/runs": gets("/api/routines/runs"),
    "GET /api/routines/runs/{id}": gets("/api/routines/runs/0-0"),
    "POST /api/routines/runs/{id}": lambda: iter(()),
    "POST /api/routines/{name}/run": lambda: iter(
        [("POST", "/api/routines/All/run", {}), ("POST", "/api/routines/All/run", {"dry_run": True})]
    ),
    "POST /api/routines/{name}/trigger": lambda: iter([("POST", "/api/routines/All/trigger", {})]),
    "GET /api/actions": gets("/api/actions"),
    "POST /api/actions": lambda: iter(()),
    "POST /api/actions/{id}": lambda: iter(()),
    # A stream; `events_of` reads it.
    "GET /api/events": lambda: iter(()),
    # These change what the test rests on, and say nothing of notes.
    "GET /api/models": gets("/api/models"),
    "POST /api/models/pull": lambda: iter(()),
    "POST /api/model": lambda: iter(()),
    "POST /api/login": lambda: iter(()),
    "POST /api/stop": lambda: iter(()),
}


def classes_with(package: Any, *methods: str) -> set[type]:
    """Return the classes of a package that have these methods, protocols apart."""
    found = set()
    for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        for _, kind in inspect.getmembers(importlib.import_module(module.name), inspect.isclass):
            if kind.__module__ == module.name and not getattr(kind, "_is_protocol", False):
                found |= {kind} if all(hasattr(kind, method) for method in methods) else set()
    return found


def connecting_modules() -> set[str]:
    """Return the modules of the daemon that import what can open a connection."""
    clients = {"urllib.request", "http.client", "socket", "huggingface_hub", "httpx", "requests", "smtplib"}
    found = set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = (
                [alias.name for alias in node.names] if isinstance(node, ast.Import | ast.ImportFrom) else []
            )
            module = node.module or "" if isinstance(node, ast.ImportFrom) else ""
            whole = {module, *(f"{module}.{name}".strip(".") for name in names)}
            asks_by_aiohttp = "aiohttp" in whole and names != ["web"]
            if asks_by_aiohttp or {each for each in whole if each in clients or each.startswith("httpx.")}:
                found.add(path.relative_to(PACKAGE).as_posix())
    # The server's half of aiohttp; what a broken request raises is all that it takes of the rest.
    return {each for each in found if not each.startswith("serve/")}


def test_every_road_out_has_a_case() -> None:
    """Writers, embedders, modules that connect and routes are those that are tried here."""
    written = {writer.made_by for writer in WRITERS.values()}
    assert classes_with(generation, "window", "stream") == written | WITHIN
    assert classes_with(remote, "greet", "embed") == set(EMBEDDERS.values())
    assert connecting_modules() == set(CONNECTS)
    assert {f"{route.method} {route.canonical}" for route in described()} == set(ROUTES)
    assert {writes for writes, _, away in RUNS if "writer" in away} == set(WRITERS)
    assert {embeds for _, embeds, away in RUNS if "embedder" in away} == set(EMBEDDERS)


@dataclass(slots=True)
class Told:
    """What reached the servers, what was answered by where, and what the daemon printed and streamed."""

    writer: str = ""
    embedder: str = ""
    answers: dict[str, str] = field(default_factory=dict)
    log: str = ""
    events: str = ""
    status: dict[str, Any] = field(default_factory=dict)


def write_notes(vault: Path) -> None:
    """Write the notes, of which each speaks of the engine and names one person."""
    for path, words in NOTES.items():
        (vault / path).parent.mkdir(parents=True, exist_ok=True)
        text = f"{HEADS.get(path, '')}The engine is serviced every 250 hours by {words}.\n"
        (vault / path).write_text(text, "utf-8")
    (vault / ".paiignore").write_text("Out/\n", "utf-8")


@pytest.fixture(scope="module", params=RUNS, ids=lambda run: "-".join(map(str, run)))
def run(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, prepared_cache: Path
) -> tuple[tuple[str, ...], Told]:
    """Return which servers of a run are beyond this machine, and what went where."""
    writes, embeds, away = request.param
    home = tmp_path_factory.mktemp("roads")
    (home / "vault").mkdir()
    write_notes(home / "vault")
    (home / "vault" / "Routines").mkdir()
    inputs = "[{notes: '**'}, {query: Who services the engine?}, {changed: 7d}, {tasks: all}, {links: 7d}]"
    (home / "vault" / "Routines" / "All.md").write_text(f"---\ninputs: {inputs}\n---\nSum it up.\n", "utf-8")
    # A follow-up is made to stand alone by these words, too: they are searched for.
    writer, words = WRITERS[writes], (f"Why is the engine serviced by {PRIVATE['property']}?",)
    said, heard = Behaviour(words=words), Embeds(vectors=wordy)
    app = fakes.openai_app if writer.kind == "openai" else fakes.ollama_app
    model = writer.model if ":" in writer.model or writer.kind == "openai" else f"{writer.model}:latest"
    told = Told()
    with ExitStack() as stack:
        writer_url = stack.enter_context(running(app(said, models=(model,))))
        embedder_url = stack.enter_context(running(embedding_fakes.APPS[embeds](heard)))
        if "embedder" in away:
            embedder_url = embedder_url.replace("127.0.0.1", "0.0.0.0")
        if "writer" in away and not writer.cloud:
            writer_url = writer_url.replace("127.0.0.1", "0.0.0.0")
        environ = {
            "PAI_LOCAL_ONLY": LOCAL_ONLY,
            "PAI_GENERATOR": writer.spec(writer_url),
            "PAI_MODEL": spec_of(embeds, embedder_url),
        }
        folders = Folders(home / "home", home / "cache")
        daemon = stack.enter_context(DaemonProcess(home / "vault", folders, environ=environ))
        daemon.ready()
        # A save is embedded on another way than what was there at the start.
        for path, named in NOTES.items():
            with (home / "vault" / path).open("a", encoding="utf-8") as file:
                file.write(f"\nIt was saved once more by {named}.\n")
        for path in ("Diary/Path.md", "Tag.md", "Property.md", "Open.md"):
            daemon.finds(f"saved once more by {NOTES[path].partition(' ')[0]}", path, within_s=20)
        told.status = daemon.ready()
        for requests in ROUTES.values():
            for method, target, body in requests():
                reply = daemon.request(method, target.partition("#")[0], body=body or None)
                assert reply.status < 500 or reply.status == 503, (target, reply.body)
                told.answers[f"{method} {target}"] = reply.body.decode()
        told.events = events_of(daemon)
        daemon.ready()
        assert daemon.terminate() == 0
        told.log = daemon.log
    told.writer = json.dumps([body for _, body in said.requests]).lower()
    told.embedder = json.dumps([heard.texts, [body for _, body in heard.requests]]).lower()
    return away, told


@pytest.mark.parametrize("rule", PRIVATE)
def test_local_only_note_reaches_models_of_this_machine_alone(
    run: tuple[tuple[str, ...], Told], rule: str
) -> None:
    """Its words are sent to what writes and what embeds here, and to neither of them beyond."""
    away, told = run
    for server, sent in (("writer", told.writer), ("embedder", told.embedder)):
        assert OPEN in sent, f"the {server} was not asked"
        assert (PRIVATE[rule] in sent) is (server not in away), server


@pytest.mark.parametrize("rule", PRIVATE)
def test_local_only_note_is_found_by_the_person_wherever_the_models_are(
    run: tuple[tuple[str, ...], Told], rule: str
) -> None:
    """It is searched and shown like any other, and waits for nothing."""
    found = run[1].answers[f"GET /api/search?{urlencode({'q': QUESTION, 'mode': 'text', 'limit': '50'})}"]
    assert PRIVATE[rule] in found
    assert run[1].status["pending_chunks"] == 0


def test_answer_says_that_passages_were_kept_back(run: tuple[tuple[str, ...], Told]) -> None:
    """What was not sent is told, and nothing of the kind where all may be."""
    away, told = run
    warnings = " ".join(json.loads(told.answers["POST /api/ask#plain"])["warnings"])
    assert ("stay on this machine and were not sent" in warnings) is ("writer" in away)
    assert ("was compared by its words alone" in warnings) is ("embedder" in away)


@pytest.mark.parametrize("way", EXCLUDED)
def test_note_left_out_is_on_no_road_at_all(run: tuple[tuple[str, ...], Told], way: str) -> None:
    """Its words are in no answer, event or log line, and reach no server, wherever that is."""
    told = run[1]
    everything = {"writer": told.writer, "embedder": told.embedder, "log": told.log, "events": told.events}
    assert [where for where, said in (everything | told.answers).items() if EXCLUDED[way] in said] == []


def test_log_and_events_hold_no_note_text(run: tuple[tuple[str, ...], Told]) -> None:
    """Neither the log nor the events have a word of any note, open or not."""
    for word in (*PRIVATE.values(), OPEN):
        assert word not in run[1].log
        assert word not in run[1].events
