"""A stand-in for the Hugging Face hub on the loopback address, for tests without the network.

It speaks what the hub documents and its client expects: facts and tree of a revision, `resolve` with HEAD,
etags, ranges and redirects: a small file's to another path, a large one's to another host, as to the hub's
storage. That it does is proven by the client itself. A test sets what goes wrong, and reads what was asked.
"""

from __future__ import annotations

import asyncio
import hashlib
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from aiohttp import web

# The hub keeps larger files, and those of some kinds, beside git.
LARGE_BYTES = 100_000
PIECE_BYTES = 64 * 1024
Files = Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that was answered. sent_bytes: of a file's content; from_byte: of its range."""

    method: str
    path: str
    is_storage: bool
    status: int
    from_byte: int
    sent_bytes: int
    authorization: str
    agent: str


@dataclass
class Faults:
    """What goes wrong, by default nothing.

    cuts: after how many bytes each next transfer from the storage ends early. spoiled: content that is
    sent instead, by path. statuses: what the next requests for content are answered with. hold_after: how
    many bytes are sent before everything waits for `go_on`. claims: sizes that are stated, by path.
    etags: other etags than the right ones, by path. is_silent: no request is answered. is_no_hub: something
    else answers.
    """

    cuts: list[int] = field(default_factory=list)
    spoiled: dict[str, bytes] = field(default_factory=dict)
    statuses: list[int] = field(default_factory=list)
    hold_after: int | None = None
    go_on: threading.Event = field(default_factory=threading.Event)
    holding: threading.Event = field(default_factory=threading.Event)
    claims: dict[str, int] = field(default_factory=dict)
    etags: dict[str, str] = field(default_factory=dict)
    is_silent: bool = False
    is_no_hub: bool = False


def git_id(data: bytes) -> str:
    """Return git's name of a content."""
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


def sha256(data: bytes) -> str:
    """Return the sha256 of a content."""
    return hashlib.sha256(data).hexdigest()


class Hub:
    """The server, on a thread of its own; a context manager.

    asked: every request so far. readers: the tokens that may read a gated repository.
    """

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.faults = Faults()
        self.readers: dict[str, set[str]] = {}
        self.url = self.storage_url = ""
        self._commits: dict[str, dict[str, Files]] = {}
        self._branches: dict[tuple[str, str], str] = {}
        self._forgotten = 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)

    def __enter__(self) -> Self:
        self._thread.start()
        self._runners = asyncio.run_coroutine_threadsafe(self._serve(), self._loop).result(10)
        return self

    def __exit__(self, *_: object) -> None:
        self.faults.go_on.set()
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def commit(self, repo: str, files: Files, branch: str = "main", commit: str = "") -> str:
        """Put files into a repository, as a commit that its branch names then, and return the commit."""
        commits = self._commits.setdefault(repo, {})
        commit = commit or git_id(f"{repo} {self._forgotten} {len(commits)}".encode())
        commits[commit] = dict(files)
        self._branches[repo, branch] = commit
        return commit

    def commit_of(self, repo: str, branch: str = "main") -> str:
        """Return the commit that a branch names."""
        return self._branches[repo, branch]

    def forget(self, repo: str) -> None:
        """Remove a repository's history: its next commit is another than any before."""
        self._commits.pop(repo)
        self._forgotten += 1

    def sent(self, path: str = "") -> int:
        """Return how many bytes of content were sent, of a file or of all."""
        return sum(each.sent_bytes for each in self.asked if each.path.endswith(path))

    def described(self, path: str) -> list[Asked]:
        """Return the requests for what a file is."""
        return [each for each in self.asked if each.method == "HEAD" and each.path.endswith(path)]

    def transfers(self) -> list[Asked]:
        """Return the requests that were answered with content."""
        return [each for each in self.asked if each.sent_bytes]

    async def _serve(self) -> list[web.AppRunner]:
        hub, storage = web.Application(), web.Application()
        resolve = "/{owner}/{name}/resolve/{revision}/{path:.+}"
        hub.add_routes(
            [
                web.get("/api/models/{owner}/{name}", self._facts),
                web.get("/api/models/{owner}/{name}/revision/{revision}", self._facts),
                web.get("/api/models/{owner}/{name}/tree/{revision}", self._tree),
                web.get("/api/resolve-cache/models/{owner}/{name}/{revision}/{path:.+}", self._small),
                web.get(resolve, self._resolve),
                web.route("*", "/{rest:.*}", self._nothing),
            ]
        )
        storage.add_routes([web.get("/{digest}/{path:.+}", self._large)])
        runners, urls = [], []
        for app in (hub, storage):
            runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            runners.append(runner)
            urls.append("http://{}:{}".format(*runner.addresses[0][:2]))
        # Clients tell the hub from its storage by the name of the host.
        self.url, self.storage_url = urls[0], urls[1].replace("127.0.0.1", "localhost")
        return runners

    async def _close(self) -> None:
        for runner in self._runners:
            await runner.cleanup()

    def _note(self, request: web.Request, status: int, sent: int = 0, start: int = 0) -> None:
        is_storage, headers = request.match_info.get("digest") is not None, request.headers
        self.asked.append(
            Asked(
                request.method,
                request.path,
                is_storage,
                status,
                start,
                sent,
                headers.get("Authorization", ""),
                headers.get("User-Agent", ""),
            )
        )

    def _refused(self, request: web.Request, status: int, code: str, commit: str = "") -> web.Response:
        self._note(request, status)
        headers = {"X-Error-Code": code, "X-Error-Message": code}
        return web.json_response(
            {"error": code}, status=status, headers=headers | ({"X-Repo-Commit": commit} if commit else {})
        )

    async def _nothing(self, request: web.Request) -> web.Response:
        self._note(request, 404)
        return web.Response(status=404)

    async def _found(self, request: web.Request) -> tuple[str, str, Files] | web.Response:
        """Return repository, commit and files that a request is for, or the refusal."""
        if self.faults.is_silent:
            self._note(request, 0)
            await asyncio.Event().wait()
        if self.faults.is_no_hub:
            self._note(request, 200)
            return web.Response(text="<h1>Please log in to the hotel's network</h1>")
        repo = f"{request.match_info['owner']}/{request.match_info['name']}"
        revision = request.match_info.get("revision", "main")
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if repo not in self._commits:
            # Without a token, the hub does not tell a private repository from none.
            return self._refused(request, 404 if token else 401, "RepoNotFound")
        if repo in self.readers and token not in self.readers[repo]:
            return self._refused(request, 403 if token else 401, "GatedRepo")
        commit = self._branches.get((repo, revision), revision)
        if commit not in self._commits[repo]:
            return self._refused(request, 404, "RevisionNotFound")
        return repo, commit, self._commits[repo][commit]

    async def _facts(self, request: web.Request) -> web.StreamResponse:
        """Answer what `HfApi.model_info` asks."""
        found = await self._found(request)
        if isinstance(found, web.StreamResponse):
            return found
        repo, commit, files = found
        self._note(request, 200)
        siblings: list[dict[str, Any]] = []
        for path, data in files.items():
            sibling: dict[str, Any] = {"rfilename": path}
            if request.query.get("blobs"):
                sibling |= {"size": len(data), "blobId": git_id(data)}
                if len(data) >= LARGE_BYTES:
                    sibling["lfs"] = {"sha256": sha256(data), "size": len(data), "pointerSize": 133}
            siblings.append(sibling)
        facts = {"_id": "1", "id": repo, "modelId": repo, "sha": commit, "private": False, "tags": []}
        gated = "manual" if repo in self.readers else False
        return web.json_response(facts | {"gated": gated, "downloads": 0, "likes": 0, "siblings": siblings})

    async def _tree(self, request: web.Request) -> web.StreamResponse:
        """Answer what `snapshot_download` asks."""
        found = await self._found(request)
        if isinstance(found, web.StreamResponse):
            return found
        self._note(request, 200)
        entries: list[dict[str, Any]] = []
        for path, data in found[2].items():
            entry: dict[str, Any] = {"type": "file", "oid": git_id(data), "size": len(data), "path": path}
            if len(data) >= LARGE_BYTES:
                entry["lfs"] = {"oid": sha256(data), "size": len(data), "pointerSize": 133}
            entries.append(entry)
        return web.json_response(entries)

    async def _resolve(self, request: web.Request) -> web.StreamResponse:
        """Redirect to a file's content; the answer already says what the file is."""
        found = await self._found(request)
        if isinstance(found, web.StreamResponse):
            return found
        repo, commit, files = found
        path = request.match_info["path"]
        if path not in files:
            return self._refused(request, 404, "EntryNotFound", commit)
        data = files[path]
        if len(data) < LARGE_BYTES:
            self._note(request, 307)
            place = f"/api/resolve-cache/models/{repo}/{commit}/{path}"
            return web.Response(status=307, headers={"Location": place})
        self._note(request, 302)
        size = self.faults.claims.get(path, len(data))
        return web.Response(
            status=302,
            headers={
                "Location": f"{self.storage_url}/{sha256(data)}/{path}",
                "X-Repo-Commit": commit,
                "X-Linked-ETag": f'"{self.faults.etags.get(path, sha256(data))}"',
                "X-Linked-Size": str(size),
                "ETag": f'"{git_id(data)}"',
            },
        )

    async def _small(self, request: web.Request) -> web.StreamResponse:
        found = await self._found(request)
        if isinstance(found, web.StreamResponse):
            return found
        path, data = request.match_info["path"], found[2][request.match_info["path"]]
        etag = self.faults.etags.get(path, git_id(data))
        return await self._send(request, path, data, {"X-Repo-Commit": found[1], "ETag": f'"{etag}"'})

    async def _large(self, request: web.Request) -> web.StreamResponse:
        digest, path = request.match_info["digest"], request.match_info["path"]
        for commits in self._commits.values():
            for files in commits.values():
                if path in files and sha256(files[path]) == digest:
                    return await self._send(request, path, files[path], {"ETag": f'"{digest}"'})
        return self._refused(request, 404, "NoSuchKey")

    async def _send(
        self, request: web.Request, path: str, right: bytes, headers: dict[str, str]
    ) -> web.StreamResponse:
        """Send a content from where it is asked for, as far as the faults allow."""
        if request.method == "GET" and self.faults.statuses:
            return self._refused(request, self.faults.statuses.pop(0), "Busy")
        data = self.faults.spoiled.get(path, right)
        wanted = request.headers.get("Range", "")
        start = int(wanted.removeprefix("bytes=").partition("-")[0] or 0) if wanted else 0
        headers |= {"Accept-Ranges": "bytes", "Content-Length": str(len(data) - start)}
        if wanted:
            headers["Content-Range"] = f"bytes {start}-{len(data) - 1}/{len(data)}"
        reply = web.StreamResponse(status=206 if wanted else 200, headers=headers)
        await reply.prepare(request)
        if request.method == "HEAD":
            self._note(request, reply.status)
            return reply
        cut = self.faults.cuts.pop(0) if self.faults.cuts and len(right) >= LARGE_BYTES else None
        end = len(data) if cut is None else min(len(data), start + cut)
        at, is_held = start, False
        try:
            while at < end:
                if at >= self._held_at(right):
                    if not is_held:
                        self.faults.holding.set()
                    is_held = True
                    await asyncio.sleep(0.01)
                    continue
                stop = min(end, at + PIECE_BYTES, self._held_at(right))
                await reply.write(data[at:stop])
                at = stop
        finally:
            self._note(request, reply.status, at - start, start)
        if cut is not None and request.transport is not None:
            request.transport.close()
        return reply

    def _held_at(self, content: bytes) -> int:
        """Return after how many bytes everything waits now; more than there are for none."""
        held = self.faults.hold_after
        is_held = held is not None and not self.faults.go_on.is_set() and len(content) >= LARGE_BYTES
        return held if is_held and held is not None else len(content) + 1
