"""Embeds texts on a server: what `embedder` is for a model in this process, for one behind HTTP.

Callers block on any thread; one thread with an event loop asks the server (`asking`), over the client that
generation uses as well: a second HTTP library would need its own rules for proxies and redirects (D8).
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
from collections.abc import Coroutine, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Self, TypeVar

import numpy as np

from pai_daemon.errors import ModelUnavailable, Overloaded
from pai_daemon.models.encoder.weights import Floats
from pai_daemon.models.probes import probes
from pai_daemon.models.registry import Profile, Scoring
from pai_daemon.models.remote.acquaintance import met, recall, remember
from pai_daemon.models.remote.asking import Asking
from pai_daemon.models.remote.protocols import api_of
from pai_daemon.models.scoring import measured
from pai_daemon.models.server import SILENCE_S, Server, bearer
from pai_daemon.models.sources import ServerSource

# One request of indexing: about a second on a CPU here. A server elsewhere is as far away for more.
BUDGET_BYTES = {"local": 8_192, "remote": 65_536}
URGENT_LIMIT = 64
PATIENCE_S = 60.0
Value = TypeVar("Value")


class RemoteEmbedder:
    """A server's model. Embeddings are float32 rows of length 1, so a product is a cosine.

    Nothing is contacted before `greet`, which comes first. profile: with what only the server can tell, from
    then on. execution_provider: where it is.
    """

    def __init__(
        self,
        profile: Profile,
        cache_dir: Path,
        *,
        own: Path | None = None,
        patience_s: float = PATIENCE_S,
        silence_s: float = SILENCE_S,
    ) -> None:
        """Name a server.

        cache_dir: where what it tells is remembered. own: the person's own list of models. patience_s: how
        long a request of indexing is tried again while the server is busy. silence_s: how long it may stay
        silent.
        """
        source = profile.source
        assert isinstance(source, ServerSource)
        address = source.address
        self.profile = profile
        self.execution_provider = f"{address.protocol} at {address.url.partition('//')[2]}"
        api = api_of(source)
        self._server = Server(
            profile.name,
            address.url,
            api.advice,
            error=ModelUnavailable,
            headers=bearer(source.key),
            silence_s=silence_s,
        )
        self._asking = Asking(
            self._server, api, budget_bytes=BUDGET_BYTES[address.location], patience_s=patience_s
        )
        self._loop = asyncio.new_event_loop()
        self._door = threading.Lock()
        self._closed = False
        self._urgent = 0
        self._thread = threading.Thread(target=self._loop.run_forever, name="embedder", daemon=True)
        self._thread.start()
        self._source, self._cache_dir, self._own = source, cache_dir, own

    def greet(self) -> Self:
        """Get to know the server, and return itself.

        Two embeddings at least, and for a model that nobody has measured, those of the probes. Raises
        ModelUnavailable, whose hint says what to do, and UsageError where nothing can be remembered.
        """
        greeting, sample = self._call(self._asking.introduce())
        before = recall(self._cache_dir, self._source.address)
        known = met(before, greeting.model, greeting.digest, sample)
        self.profile = known.described(self.profile, self._own)
        self._asking.known = known
        self._call(self._asking.find_window(greeting.limit_tokens or self.profile.max_tokens))
        if self.profile.scoring is None:
            scoring = measured(self._embed_queries, self.embed_texts, probes(self.profile.languages))
            known = replace(known, scoring=scoring)
            self.profile = replace(self.profile, scoring=scoring)
        if known != before:
            remember(self._cache_dir, self._source.address, known)
        return self

    @property
    def dimensions(self) -> int:
        """Return the width of an embedding."""
        return self._asking.dimensions

    @property
    def scoring(self) -> Scoring:
        """Return how the model's cosines are read."""
        assert self.profile.scoring is not None, "the server was not greeted"
        return self.profile.scoring

    @property
    def tokens_done(self) -> int:
        """Return how many tokens were embedded, as the server counts them."""
        return self._asking.tokens_done

    @property
    def seconds_busy(self) -> float:
        """Return for how long requests were under way."""
        return self._asking.seconds_busy

    @property
    def texts_split(self) -> int:
        """Return how often a text was too long and was embedded in pieces."""
        return self._asking.texts_split

    @property
    def form(self) -> str:
        """Return in which form the model runs: that is the server's business."""
        return "server"

    @property
    def warning(self) -> str:
        """Return what the server did not embed, "" where it is nothing."""
        count = self._asking.pieces_left_out
        return (
            f"The server refused {count} pieces of text, which are found by their words only."
            if count
            else ""
        )

    def embed_query(self, text: str) -> Floats:
        """Return the embedding of a query: (dimensions,) float32. Raises Overloaded, ModelUnavailable."""
        embedding: Floats = self._embed([text], self.profile.query_prefix, urgent=True)[0]
        return embedding

    def embed_texts(self, texts: Sequence[str], *, urgent: bool = False) -> Floats:
        """Return the embeddings of passages in their order: (texts, dimensions) float32.

        A text longer than the server's window is embedded in pieces and averaged by their length. urgent:
        go before indexing work, and raise Overloaded where 64 such calls wait already. Raises
        ModelUnavailable when the server is away, refuses, is another than before, or this was closed.
        """
        return self._embed(texts, self.profile.passage_prefix, urgent=urgent)

    def close(self) -> None:
        """Hang up; calls that still wait raise ModelUnavailable."""
        with self._door:
            if self._closed:
                return
            self._closed = True
            asyncio.run_coroutine_threadsafe(self._hang_up(), self._loop)
        self._thread.join()
        self._loop.close()

    def __enter__(self) -> Self:
        """Return itself, to be closed at the end of a `with`."""
        return self

    def __exit__(self, *_error: object) -> None:
        """Close it."""
        self.close()

    def _embed_queries(self, texts: Sequence[str]) -> Floats:
        return self._embed(texts, self.profile.query_prefix, urgent=False)

    def _embed(self, texts: Sequence[str], prefix: str, *, urgent: bool) -> Floats:
        if not texts:
            return np.empty((0, self.dimensions), np.float32)
        with self._door:
            if urgent and self._urgent >= URGENT_LIMIT:
                raise Overloaded("Too many questions wait for the model.", hint="Try again in a second.")
            self._urgent += urgent
        try:
            return self._call(self._asking.embed(texts, prefix, urgent=urgent))
        finally:
            with self._door:
                self._urgent -= urgent

    def _call(self, work: Coroutine[Any, Any, Value]) -> Value:
        """Run something on the loop and wait for it; an interrupted caller ends it."""
        with self._door:
            if self._closed:
                work.close()
                raise _closed()
            future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        except concurrent.futures.CancelledError:
            raise _closed() from None
        except BaseException:
            future.cancel()
            raise

    async def _hang_up(self) -> None:
        """End every call and stop the loop."""
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await self._server.close()
        self._loop.stop()


def _closed() -> ModelUnavailable:
    return ModelUnavailable("The model was closed.", hint="Start the daemon again.")
