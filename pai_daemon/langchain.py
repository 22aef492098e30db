"""The notes as a retriever and tools of LangChain; `pip install 'pai-daemon[langchain]'`, and a daemon (D86).

For chat and embeddings LangChain's own classes are pointed at the daemon, which speaks OpenAI's API.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, Literal

from langchain_core.callbacks import AsyncCallbackManagerForRetrieverRun, CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from langchain_core.tools import StructuredTool
from pydantic import Field, PrivateAttr, SecretStr

from pai_daemon.client import Client
from pai_daemon.config import load, read_token
from pai_daemon.errors import DaemonUnreachable
from pai_daemon.serve.documents import Passage


class PaiRetriever(BaseRetriever):
    """Finds passages of the notes, best first.

    k: how many. What narrows a search narrows this: path, tag, property, since, before; given to `invoke`,
    it counts for that query. Without a url the daemon that runs here is asked, with several that of `vault`.
    Raises the daemon's own errors, DaemonUnreachable while none runs.
    """

    k: int = Field(default=8, ge=1, le=100)
    mode: Literal["hybrid", "semantic", "text"] = "hybrid"
    path: str = ""
    tag: str | list[str] = ""
    property: str | list[str] = ""
    since: str = ""
    before: str = ""
    url: str = ""
    token: SecretStr | None = None
    vault: Path | None = None
    _client: Client | None = PrivateAttr(default=None)

    def _get_relevant_documents(
        self, query: str, *, run_manager: CallbackManagerForRetrieverRun, **narrowed: Any
    ) -> list[Document]:
        del run_manager  # it is told of nothing midway
        return self._found(query, narrowed)

    async def _aget_relevant_documents(
        self, query: str, *, run_manager: AsyncCallbackManagerForRetrieverRun, **narrowed: Any
    ) -> list[Document]:
        del run_manager
        return await asyncio.to_thread(self._found, query, narrowed)

    def _found(self, query: str, narrowed: dict[str, Any]) -> list[Document]:
        names = ("mode", "path", "tag", "property", "since", "before")
        asked = {name: getattr(self, name) for name in names} | narrowed
        asked["limit"] = asked.pop("k", self.k)
        if self._client is None:
            self._client = self._connected()
        return [document_of(passage) for passage in self._client.search(query, **asked)["results"]]

    def _connected(self) -> Client:
        if not self.url:
            return Client.find(load(), self.vault)
        token = self.token.get_secret_value() if self.token is not None else read_token(load())
        if not token:
            raise DaemonUnreachable("There is no token.", hint="Give PaiRetriever(url=…, token=…).")
        return Client(self.url, token)


def pai_tools(client: Client | None = None) -> list[StructuredTool]:
    """Return tools for an agent: to search the notes, to ask them, and to propose a change of one.

    A change waits until the person approves it (`pai action approve`): an agent cannot write by itself.
    """
    pai = client or Client.find(load())

    def search_notes(query: str) -> list[dict[str, str]]:
        """Find passages of the person's notes by meaning and words; each with a link to cite it by."""
        found = pai.search(query, limit=8)["results"]
        return [{"link": each["link"], "path": each["path"], "text": each["text"]} for each in found]

    def ask_notes(question: str) -> str:
        """Answer a question from the person's notes, with the numbers of its sources."""
        answer = pai.ask(question)
        sources = [f"[{each['n']}] {each['link']}" for each in answer["citations"]]
        return "\n".join([answer["answer"], *sources])

    def propose_edit(
        kind: Literal["create", "append", "insert", "set_property", "add_link"],
        path: str,
        text: str = "",
        heading: str = "",
        why: str = "",
    ) -> str:
        """Propose a change of a note, when the person asks for one; it waits until they approve."""
        body = {"kind": kind, "path": path, "text": text, "heading": heading, "why": why}
        return f"Proposal {pai.send('/api/actions', body)['id']} waits for the person's approval."

    return [StructuredTool.from_function(each) for each in (search_notes, ask_notes, propose_edit)]


def document_of(passage: Passage) -> Document:
    """Return a passage as a document of LangChain; `source` is what its own parts look for."""
    return Document(
        id=f"{passage['path']}:{passage['start_char']}",
        page_content=passage["text"],
        metadata={
            "source": passage["path"],
            "path": passage["path"],
            "title": passage["title"],
            "heading": " > ".join(passage["heading_path"]),
            "start_line": passage["start_line"],
            "end_line": passage["end_line"],
            "score": passage["score"],
            "link": passage["link"],
            "uri": passage["uri"],
            "content_hash": passage["content_hash"],
        },
    )
