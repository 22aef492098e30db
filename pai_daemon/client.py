"""The Python client for scripts: the daemon's API as plain calls, on the standard library alone.

What it returns are the documents of the API, as dictionaries that a type checker knows.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import random
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import AsyncIterator, Generator, Iterable, Iterator, Mapping
from http.client import HTTPException
from pathlib import Path
from typing import Any, Literal, TypeVar, cast

from pai_daemon import errors
from pai_daemon.config import Settings, daemon_records, read_token
from pai_daemon.errors import DaemonUnreachable, Overloaded, PaiError, UsageError
from pai_daemon.serve import documents

TIMEOUT_S = 30.0
# Whether a daemon lives is asked of every record, also of those whose port is another program's now.
ALIVE_TIMEOUT_S = 2.0
ANSWER_TIMEOUT_S = 300.0
COPY_TIMEOUT_S = 600.0  # to another disk files are written anew
# Between a refusal of a busy daemon and the next try; it says itself how long at least. 15 to 23 s in all.
WAITS_S = (0.5, 1.0, 2.0, 4.0, 8.0)
MOST_WAIT_S = 30.0
Event = (
    tuple[Literal["sources"], documents.Sources]
    | tuple[Literal["receipt"], documents.Receipt]
    | tuple[Literal["notice"], documents.Notice]
    | tuple[Literal["delta"], documents.Delta]
    | tuple[Literal["citation"], documents.Cited]
    | tuple[Literal["done"], documents.Answer]
)
SummaryEvent = (
    tuple[Literal["estimate"], documents.Estimate]
    | tuple[Literal["progress"], documents.Step]
    | tuple[Literal["notice"], documents.Notice]
    | tuple[Literal["delta"], documents.Delta]
    | tuple[Literal["citation"], documents.CitedPassage]
    | tuple[Literal["done"], documents.Summary]
)
ComparisonEvent = (
    tuple[Literal["notice"], documents.Notice]
    | tuple[Literal["delta"], documents.Delta]
    | tuple[Literal["citation"], documents.CitedPassage]
    | tuple[Literal["done"], documents.Comparison]
)
Payload = Mapping[str, Any] | None
Document = dict[str, Any]
Item = TypeVar("Item")
START_HINT = "Start it with: scripts/start VAULT (or: pai start VAULT)"


class Client:
    """Calls one daemon. Raises the daemon's own errors, and DaemonUnreachable when it is away.

    A daemon that is busy is asked again a few times before that is an error.
    """

    def __init__(self, url: str, token: str) -> None:
        self.url = url.rstrip("/")
        self._token = token
        # A proxy setting must not carry the token off this machine.
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    @classmethod
    def find(cls, settings: Settings, vault: Path | None = None) -> Client:
        """Return a client of the running daemon; of the one that serves `vault` where it is given."""
        records = daemon_records(settings)
        if vault is not None:
            real = vault.resolve()
            records = [record for record in records if Path(record["vault"]).resolve() == real]
        token = read_token(settings)
        if not records or token is None:
            raise DaemonUnreachable("No daemon is running.", hint=START_HINT)
        if len(records) > 1:
            # A killed daemon leaves its record behind; only those that answer are a choice.
            records = [record for record in records if cls(record["url"], token).is_alive()] or records[:1]
        if len(records) > 1:
            vaults = ", ".join(str(record.get("vault")) for record in records)
            raise UsageError(f"Several daemons are running: {vaults}.", hint="Choose one with --vault.")
        return cls(records[0]["url"], token)

    @classmethod
    def running(cls, settings: Settings) -> list[Client]:
        """Return a client of each daemon that answers."""
        token = read_token(settings)
        found = [cls(record["url"], token) for record in daemon_records(settings) if token is not None]
        return [client for client in found if client.is_alive()]

    def is_alive(self) -> bool:
        """Return whether the daemon answers."""
        with (
            contextlib.suppress(PaiError),
            self._open("/api/health", None, timeout_s=ALIVE_TIMEOUT_S) as reply,
        ):
            return _object(reply.read()).get("status") == "ok"
        return False

    def status(self) -> documents.Status:
        """Return the daemon's status document."""
        return cast("documents.Status", self.get("/api/status"))

    def search(self, query: str, **narrowed: Any) -> documents.SearchResult:
        """Return passages; narrowed: mode, limit, path, tag, property, since, before, typing, explain."""
        return cast("documents.SearchResult", self.get("/api/search", {"q": query, **narrowed}))

    def related(self, path: str = "", *, text: str = "", limit: int = 10) -> documents.RelatedNotes:
        """Return the notes nearest to a note, or to a text."""
        found = self.get("/api/related", {"path": path, "text": text, "limit": limit})
        return cast("documents.RelatedNotes", found)

    def links(self, path: str, *, limit: int = 10) -> documents.Links:
        """Return the links that a note could have."""
        return cast("documents.Links", self.get("/api/links", {"path": path, "limit": limit}))

    def refuse_links(self, pairs: Iterable[tuple[str, str]], *, undo: bool = False) -> documents.Refused:
        """Never have these notes suggested to each other again, or undo that; return all refused."""
        asked = {"pairs": [{"path": path, "other": other} for path, other in pairs], "undo": undo}
        return cast("documents.Refused", self.send("/api/links/refuse", asked))

    def refused_links(self) -> documents.Refused:
        """Return the pairs of notes that are never suggested to each other."""
        return cast("documents.Refused", self.get("/api/links/refused"))

    def link_report(self) -> Generator[tuple[str, Any], None, None]:
        """Yield how far the report on all links is, as `progress`, and at last the report, as `done`."""
        return self._events("/api/links/report?stream=true", None)

    def tasks(self, words: str = "", **narrowed: Any) -> documents.TaskList:
        """Return tasks; narrowed: status, due_since, due_before, limit, and what narrows a search."""
        return cast("documents.TaskList", self.get("/api/tasks", {"q": words, **narrowed}))

    def note(self, path: str) -> documents.ParsedNote:
        """Return what a note says, as it is read."""
        return cast("documents.ParsedNote", self.get(f"/api/notes/{urllib.parse.quote(path, safe='')}"))

    def ask(self, question: str, **narrowed: Any) -> documents.Answer:
        """Return a whole answer; narrowed: limit, selection, and what narrows a search."""
        answer = self.send("/api/ask", {"question": question, **narrowed}, ANSWER_TIMEOUT_S)
        return cast("documents.Answer", answer)

    def ask_stream(self, question: str, **narrowed: Any) -> Generator[Event, None, None]:
        """Yield (event, data) as it is written, `done` last; raises an error event; to close it stops it."""
        events = self._events("/api/ask", {"question": question, **narrowed})
        return cast("Generator[Event, None, None]", events)

    def estimate(self, **narrowed: Any) -> documents.Estimate:
        """Return what a summary would cost; narrowed: see `summarize`."""
        return cast("documents.Estimate", self.send("/api/summarize", {"estimate": True, **narrowed}))

    def summarize(self, **narrowed: Any) -> documents.Summary:
        """Return a whole summary; narrowed: note, limit, budget_s, and what narrows a search."""
        return cast("documents.Summary", _last(self.summarize_stream(**narrowed)))

    def summarize_stream(self, **narrowed: Any) -> Iterator[SummaryEvent]:
        """Yield (event, data), `estimate` first and `done` last; to close it stops the work."""
        return cast("Iterator[SummaryEvent]", self._events("/api/summarize", narrowed))

    def compare(self, first: str, second: str) -> documents.Comparison:
        """Return what two notes say alike, alone, and against each other."""
        return cast("documents.Comparison", _last(self.compare_stream(first, second)))

    def compare_stream(self, first: str, second: str) -> Iterator[ComparisonEvent]:
        """Yield (event, data) as it is written, `done` last; to close it stops the work."""
        asked = {"first": first, "second": second}
        return cast("Iterator[ComparisonEvent]", self._events("/api/compare", asked))

    def _events(
        self, path: str, asked: Mapping[str, Any] | None
    ) -> Generator[tuple[str, dict[str, Any]], None, None]:
        """Yield the events of a stream; raises the error that one of them is. asked: None for a GET."""
        name = ""
        payload = None if asked is None else {**asked, "stream": True}
        with self._open(path, payload, timeout_s=ANSWER_TIMEOUT_S) as response:
            for raw in response:
                line = raw.decode("utf-8").rstrip("\n")
                if line.startswith("event: "):
                    name = line.removeprefix("event: ")
                elif line.startswith("data: "):
                    data = _object(line.removeprefix("data: "))
                    if name == "error":
                        raise _error_of(data)
                    yield name, data
        if name != "done":
            raise DaemonUnreachable("The answer broke off.", hint="Look at the daemon with: pai status")

    def index(self, **asked: Any) -> dict[str, Any]:
        """Ask for an index run, or a copy; asked: paths, force, confirm_removals, copy."""
        return self.send("/api/index", asked, COPY_TIMEOUT_S if asked.get("copy") else TIMEOUT_S)

    def memory_command(self, command: str, **given: Any) -> documents.MemoryAnswer:
        """Do a command of Claude's memory tool, with the fields that the tool gives it."""
        return cast("documents.MemoryAnswer", self.send("/api/memory/command", {"command": command, **given}))

    def facts(self, **narrowed: Any) -> documents.Known:
        """Return what is remembered; narrowed: subject, past, limit."""
        return cast("documents.Known", self.get("/api/memory", narrowed))

    def recall(self, question: str, **narrowed: Any) -> documents.Recalled:
        """Return the facts that answer a question; narrowed: limit, subject, tag, since, before."""
        return cast("documents.Recalled", self.get("/api/memory/recall", {"q": question, **narrowed}))

    def remember(self, text: str, **given: Any) -> documents.FactReceipt:
        """Keep a fact word by word; given: subject, source, said, until, notes."""
        return self._changed("", {"text": text, **given})

    def change_fact(self, fact_id: str, **change: Any) -> documents.FactReceipt:
        """Change one thing of a fact: text, pinned, until, or superseded_with."""
        return self._changed(f"/facts/{urllib.parse.quote(fact_id, safe='')}", change)

    def forget(self, fact_id: str, *, at_once: bool = False) -> documents.FactReceipt:
        """Forget a fact; it can be had back for a day, unless it is to be gone at once."""
        query = "?at_once=true" if at_once else ""
        return self._changed(f"/facts/{urllib.parse.quote(fact_id, safe='')}{query}", None, "DELETE")

    def undo_memory(self, change: str = "") -> documents.FactReceipt:
        """Take back a change of memory, by its receipt, or the last one."""
        return self._changed("/undo", {"change": change})

    def decide(self, proposal: str, **given: Any) -> documents.Decided:
        """Remember what is proposed, or never have it proposed again; given: accept, subject."""
        return cast("documents.Decided", self.send(f"/api/memory/proposals/{proposal}", given))

    def _changed(self, path: str, payload: Payload, method: str = "") -> documents.FactReceipt:
        return cast("documents.FactReceipt", self.send(f"/api/memory{path}", payload, method=method))

    def choose_model(self, name: str) -> documents.Chosen:
        """Let another embedding model answer, once it has embedded everything."""
        return cast("documents.Chosen", self.send("/api/model", {"model": name}))

    def login_link(self) -> str:
        """Return an address that logs a browser in to the dashboard, once and within a minute."""
        return str(self.send("/api/login", {})["url"])

    def stop(self) -> int:
        """Ask the daemon to end, once what it is doing is safe; return the id of its process."""
        return int(self.send("/api/stop", {})["pid"])

    def get(self, path: str, values: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Return the document at a route."""
        given = {
            name: _written(value) for name, value in (values or {}).items() if value not in (None, "", ())
        }
        query = f"?{urllib.parse.urlencode(given, doseq=True)}" if given else ""
        with self._open(path + query, None, timeout_s=TIMEOUT_S) as response:
            return _object(response.read())

    def send(self, path: str, payload: Payload, timeout_s: float = TIMEOUT_S, method: str = "") -> Document:
        """Return what a route answers to a body."""
        with self._open(path, payload, timeout_s=timeout_s, method=method) as response:
            return _object(response.read())

    @contextlib.contextmanager
    def _open(self, path: str, payload: Payload, *, timeout_s: float, method: str = "") -> Iterator[Any]:
        data = None
        if payload is not None:
            data = json.dumps({name: value for name, value in payload.items() if value is not None}).encode()
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        request = urllib.request.Request(self.url + path, data, headers, method=method or None)  # noqa: S310
        try:
            with self._answered(request, timeout_s) as response:
                yield response
        except (OSError, HTTPException) as error:
            raise DaemonUnreachable(f"No daemon answers at {self.url}: {error}.", hint=START_HINT) from error

    def _answered(self, request: urllib.request.Request, timeout_s: float) -> Any:
        """Return a response; a daemon that is busy is asked again, ever more calmly. Raises its errors."""
        for waits in itertools.count():
            try:
                return self._opener.open(request, timeout=timeout_s)
            except urllib.error.HTTPError as error:
                with error:
                    if error.code != Overloaded.status or waits == len(WAITS_S):
                        raise _error_of(_problem(error.read(), error.code)) from None
                    said = error.headers.get("Retry-After", "")
                least_s = min(float(said), MOST_WAIT_S) if said.isdecimal() else 0.0
                # Those who were refused together must not come again together.
                time.sleep(max(WAITS_S[waits], least_s) * random.uniform(1.0, 1.5))  # noqa: S311
        raise AssertionError


class AsyncClient:
    """The same for programs that wait for several things: each call waits in a thread of its own."""

    def __init__(self, client: Client) -> None:
        self._client = client

    @classmethod
    async def find(cls, settings: Settings, vault: Path | None = None) -> AsyncClient:
        """Return a client of the running daemon, as `Client.find` does."""
        return cls(await asyncio.to_thread(Client.find, settings, vault))

    async def status(self) -> documents.Status:
        """Return the daemon's status document."""
        return await asyncio.to_thread(self._client.status)

    async def search(self, query: str, **narrowed: Any) -> documents.SearchResult:
        """Return passages, as `Client.search` does."""
        return await asyncio.to_thread(self._client.search, query, **narrowed)

    async def ask(self, question: str, **narrowed: Any) -> documents.Answer:
        """Return a whole answer."""
        return await asyncio.to_thread(self._client.ask, question, **narrowed)

    async def ask_stream(self, question: str, **narrowed: Any) -> AsyncIterator[Event]:
        """Yield the events of an answer as it is written, `done` last."""
        async for event in _awaited(self._client.ask_stream(question, **narrowed)):
            yield event

    async def estimate(self, **narrowed: Any) -> documents.Estimate:
        """Return what a summary would cost, as `Client.estimate` does."""
        return await asyncio.to_thread(self._client.estimate, **narrowed)

    async def summarize(self, **narrowed: Any) -> documents.Summary:
        """Return a whole summary, as `Client.summarize` does."""
        return await asyncio.to_thread(self._client.summarize, **narrowed)

    async def summarize_stream(self, **narrowed: Any) -> AsyncIterator[SummaryEvent]:
        """Yield the events of a summary, as `Client.summarize_stream` does."""
        async for event in _awaited(self._client.summarize_stream(**narrowed)):
            yield event

    async def compare(self, first: str, second: str) -> documents.Comparison:
        """Return what two notes say, as `Client.compare` does."""
        return await asyncio.to_thread(self._client.compare, first, second)

    async def compare_stream(self, first: str, second: str) -> AsyncIterator[ComparisonEvent]:
        """Yield the events of a comparison, as `Client.compare_stream` does."""
        async for event in _awaited(self._client.compare_stream(first, second)):
            yield event

    async def related(self, path: str = "", *, text: str = "", limit: int = 10) -> documents.RelatedNotes:
        """Return the notes nearest to a note, or to a text."""
        return await asyncio.to_thread(self._client.related, path, text=text, limit=limit)

    async def links(self, path: str, *, limit: int = 10) -> documents.Links:
        """Return the links that a note could have."""
        return await asyncio.to_thread(self._client.links, path, limit=limit)

    async def tasks(self, words: str = "", **narrowed: Any) -> documents.TaskList:
        """Return tasks, as `Client.tasks` does."""
        return await asyncio.to_thread(self._client.tasks, words, **narrowed)

    async def note(self, path: str) -> documents.ParsedNote:
        """Return what a note says, as it is read."""
        return await asyncio.to_thread(self._client.note, path)


async def _awaited(events: Iterator[Item]) -> AsyncIterator[Item]:
    """Yield what comes, each awaited in a thread."""
    while (event := await asyncio.to_thread(next, events, None)) is not None:
        yield event


def _last(events: Iterator[tuple[Any, Any]]) -> Any:
    """Return the data of the last event."""
    *_, last = events
    return last[1]


def _written(value: Any) -> Any:
    """Return a value as a query has it: truth values as JSON writes them."""
    return json.dumps(value) if isinstance(value, bool) else value


def _object(raw: bytes | str) -> dict[str, Any]:
    try:
        value = json.loads(raw)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise DaemonUnreachable("What answers at this address is not a daemon of ours.", hint=START_HINT)
    return value


def _problem(raw: bytes, status: int) -> dict[str, Any]:
    try:
        return _object(raw)
    except DaemonUnreachable:
        return {"detail": f"The daemon answered with status {status}."}


def _error_of(problem: Mapping[str, Any]) -> PaiError:
    """Return the error that a problem document tells of, in its own class."""
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, PaiError)]
    kind = next((kind for kind in kinds if kind.code == problem.get("code")), PaiError)
    return kind(
        str(problem.get("detail", "The daemon reported an error.")), hint=str(problem.get("hint", ""))
    )
