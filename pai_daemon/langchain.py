"""The notes as a retriever of LangChain: `pip install 'pai-daemon[langchain]'`, and a daemon that runs (D86).

For chat and embeddings LangChain's own classes are pointed at the daemon, which speaks OpenAI's API.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, Literal

from langchain_core.callbacks import AsyncCallbackManagerForRetrieverRun, CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
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
