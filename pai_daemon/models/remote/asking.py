"""Asks a server for embeddings of any texts: in turns, patiently, and for less where it refuses.

One request of indexing is under way at a time, of bounded size, and none begins while a query waits, so a
query waits for at most one of them. What the server refuses is told apart by asking for less: a batch in
halves down to the text at fault, and that text in halves down to what the server takes. No text is cut
short in silence, and a server that was exchanged for another is noticed. Everything here runs on one loop.
"""

from __future__ import annotations

import asyncio
import email.utils
import logging
import re
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

import numpy as np

from pai_daemon.errors import ModelUnavailable
from pai_daemon.models.batches import join
from pai_daemon.models.encoder.weights import Floats
from pai_daemon.models.remote.acquaintance import SAMPLE, Acquaintance
from pai_daemon.models.remote.pieces import BLANK, halves, packed, pieces, sendable, size_of
from pai_daemon.models.remote.protocols import EmbeddingApi, Greeting
from pai_daemon.models.server import Away, Refusal, Server

# Tokens have about four bytes in most languages and three in most others. Where a server refuses what is
# too long the first will do; where it may cut in silence, the second.
BYTES_A_TOKEN = {True: 4, False: 3}
# The window of most small models, where nobody tells.
UNKNOWN_TOKENS = 512
# A window is tried out up to this size: a chunk is smaller (D30).
TRIED_BYTES = 4_096
LEAST_WINDOW_BYTES = 192
# A piece this short that is still refused is left out.
LEAST_CHARACTERS = 64
# How long a server that does not answer at all is waited for by indexing: a save is found by its words after.
AWAY_PATIENCE_S = 5.0
# How long a person waits for a busy server, and for one answer.
QUERY_PATIENCE_S = 3.0
QUERY_S = 30.0
FIRST_DELAY_S, LONGEST_DELAY_S = 0.5, 8.0
BUSY = (408, 429, 502, 503, 504)
# What a text can be the reason for; a 200 with something else than embeddings is one too.
ABOUT_TEXTS = (200, 400, 413, 422, 424, 500)
_TOO_LONG = re.compile(r"too (?:long|large|big)|exceed|context|maximum|less than \d+ tokens|batch size", re.I)
_log = logging.getLogger(__name__)


class Asking:
    """How one server is asked. patience_s: how long a request of indexing is tried again.

    tokens_done: as the server counts them, else a guess of four bytes each. seconds_busy: that requests
    were under way. texts_split: how often a text was embedded in pieces and averaged by their length.
    pieces_left_out: how many pieces the server took in no form; a blank stands in their place.
    """

    def __init__(self, server: Server, api: EmbeddingApi, *, budget_bytes: int, patience_s: float) -> None:
        self.dimensions = 0
        self.tokens_done = 0
        self.seconds_busy = 0.0
        self.texts_split = 0
        self.pieces_left_out = 0
        # The model that is expected to answer, once it is known.
        self.known: Acquaintance | None = None
        self._server = server
        self._api = api
        self._budget_bytes = self._window_bytes = budget_bytes
        self._texts_at_once = 1
        self._patience_s = patience_s
        self._answers_as = ""
        # Whether it was away when last asked, and whether it has to be known again.
        self._is_away = self._was_away = False
        self._turns = _Turns()

    async def introduce(self) -> tuple[Greeting, Floats]:
        """Return what the server says of its model, and its embedding of SAMPLE. Raises ModelUnavailable.

        The digest names the model that signed the embedding as well, where that is not the one asked for.
        """
        try:
            greeting = await self._api.greet(self._server)
            reply = await self._api.embed(self._server, [SAMPLE])
            self.dimensions, self._answers_as = reply.rows.shape[1], reply.model
            self._texts_at_once = greeting.texts_at_once
            sample: Floats = (await self._request([SAMPLE], urgent=False))[0]
        except Refusal as refused:
            raise self._server.refusal(refused) from refused
        except Away as away:
            raise self._server.away(away) from away
        signed = "" if reply.model == greeting.model else reply.model
        return replace(greeting, digest=f"{signed} {greeting.digest}".strip()), sample

    async def find_window(self, tokens: int) -> None:
        """Find how long a text may be. tokens: as far as it is known, 0 where it is not.

        A server that may cut in silence is tried out: two texts that differ in their last words only must
        not get one embedding. Raises ModelUnavailable where they always do.
        """
        window_bytes = (tokens or UNKNOWN_TOKENS) * BYTES_A_TOKEN[self._api.refuses]
        if self._api.refuses:
            self._window_bytes = min(window_bytes, self._budget_bytes)
            return
        self._window_bytes = min(window_bytes, TRIED_BYTES)
        while (is_heard := await self._is_heard(self._window_bytes)) is not True:
            _log.warning("texts of %d bytes are too long: they are sent in pieces", self._window_bytes)
            if self._window_bytes < LEAST_WINDOW_BYTES:
                break
            self._window_bytes //= 2
        if is_heard is False:
            raise self._server.failure(
                f"gives one embedding to texts of {self._window_bytes} bytes that end differently",
                "Load the model with a longer context, or choose another.",
            )

    async def _is_heard(self, window_bytes: int) -> bool | None:
        """Return whether texts of this size are heard to their end; None where they are refused."""
        filling = "The notes tell of water, bread and a stone bridge. " * (window_bytes // 40)
        ends = (
            "Parliament rejected the new budget at midnight.",
            "Our cat sleeps under the warm apple tree.",
        )
        texts = [f"{filling[: window_bytes - 64]} {end}" for end in ends]
        try:
            one, other = await self._request(texts, urgent=False)
        except Refusal as refused:
            if refused.status not in ABOUT_TEXTS:
                raise self._server.refusal(refused) from refused
            return None
        return float(np.linalg.norm(one - other)) > 0.01

    async def embed(self, texts: Sequence[str], prefix: str, *, urgent: bool) -> Floats:
        """Return one embedding a text, in order: (texts, dimensions) float32. Raises ModelUnavailable."""
        try:
            return await self._joined(texts, prefix, urgent=urgent)
        except Refusal as refused:
            raise self._server.refusal(refused) from refused

    async def _joined(self, texts: Sequence[str], prefix: str, *, urgent: bool) -> Floats:
        room = max(self._window_bytes - size_of(prefix), LEAST_WINDOW_BYTES)
        by_text = [pieces(sendable(text), room) for text in texts]
        self.texts_split += sum(len(of_text) > 1 for of_text in by_text)
        flat = [piece for of_text in by_text for piece in of_text]
        sizes = [size_of(piece) for piece in flat]
        rows = np.empty((len(flat), self.dimensions), np.float32)
        for numbers in packed(sizes, self._texts_at_once, self._budget_bytes):
            rows[numbers] = await self._rows([flat[number] for number in numbers], prefix, urgent=urgent)
        return _unit(join(rows, [len(of_text) for of_text in by_text], sizes))

    async def _rows(self, texts: Sequence[str], prefix: str, *, urgent: bool) -> Floats:
        """Return the embeddings of a batch; where it is refused, of its shorter and its longer half."""
        try:
            return await self._request([prefix + text for text in texts], urgent=urgent)
        except Refusal as refused:
            if refused.lacks_model or refused.status not in ABOUT_TEXTS:
                raise self._server.refusal(refused) from refused
            if len(texts) == 1:
                return await self._alone(texts[0], prefix, refused, urgent=urgent)
        by_length = sorted(range(len(texts)), key=lambda number: len(texts[number]))
        rows = np.empty((len(texts), self.dimensions), np.float32)
        for part in (by_length[: len(texts) // 2], by_length[len(texts) // 2 :]):
            rows[part] = await self._rows([texts[number] for number in part], prefix, urgent=urgent)
        return rows

    async def _alone(self, text: str, prefix: str, refused: Refusal, *, urgent: bool) -> Floats:
        """Return (1, dimensions) for a text that was refused by itself: once more, then in halves.

        Raises what the server said where it refuses a text that it took at the greeting.
        """
        is_short = len(text) <= LEAST_CHARACTERS
        if is_short or not _TOO_LONG.search(refused.text):
            try:
                await self._request([SAMPLE], urgent=urgent)
            except Refusal as reason:
                raise self._server.refusal(reason) from reason
            try:
                return await self._request([prefix + text], urgent=urgent)
            except Refusal:
                if is_short:
                    # Not what it says: that may hold the text.
                    _log.warning(
                        "no form of a piece of %d characters is taken (%d)", len(text), refused.status
                    )
                    self.pieces_left_out += 1
                    return await self._request([prefix + BLANK], urgent=urgent)
        self.texts_split += 1
        parts = [half for half in halves(text) if half.strip()]
        rows = [await self._rows([part], prefix, urgent=urgent) for part in parts]
        return _unit(join(np.concatenate(rows), [len(parts)], [size_of(part) for part in parts]))

    async def _request(self, texts: Sequence[str], *, urgent: bool) -> Floats:
        """Return the embeddings of whole texts from one request, tried again while the server is busy.

        Raises Refusal for what is no matter of time, else ModelUnavailable.
        """
        started_s = time.monotonic()
        delay_s, breaks = FIRST_DELAY_S, 0
        while True:
            try:
                return await self._known(texts, urgent=urgent)
            except Refusal as refused:
                if refused.status not in BUSY:
                    raise
                problem = self._server.refusal(refused)
                wait_s = max(delay_s, _seconds(refused.retry_after))
                patience_s = QUERY_PATIENCE_S if urgent else self._patience_s
            except Away as away:
                self._was_away = True
                problem, wait_s = self._server.away(away), delay_s
                # A server that starts is waited for: by indexing, and not again while it stays away.
                is_waited_for = not (urgent or away.kind == "silent" or self._is_away)
                patience_s = min(AWAY_PATIENCE_S, self._patience_s) if is_waited_for else 0.0
                breaks += away.kind == "broken"
                if breaks > 1:
                    # Some servers die of a text.
                    raise Refusal(500, away.what) from away
            if time.monotonic() - started_s + wait_s > patience_s:
                self._is_away = self._was_away and not urgent
                raise problem
            await asyncio.sleep(wait_s)
            delay_s = min(2 * delay_s, LONGEST_DELAY_S)

    async def _known(self, texts: Sequence[str], *, urgent: bool) -> Floats:
        """Return what `_asked` does; a server that was away has to be the one that was greeted."""
        rows = await self._asked(texts, urgent=urgent)
        if self._was_away and self.known is not None:
            sample = (await self._asked([SAMPLE], urgent=urgent))[0]
            if not self.known.is_like(sample):
                raise _changed("a known text gets another embedding")
        self._is_away = self._was_away = False
        return rows

    async def _asked(self, texts: Sequence[str], *, urgent: bool) -> Floats:
        """Return the checked embeddings of one request. Raises Refusal, Away, ModelUnavailable."""
        async with self._turns.taken(urgent=urgent):
            started_s = time.perf_counter()
            try:
                async with asyncio.timeout(QUERY_S if urgent else None):
                    reply = await self._api.embed(self._server, texts)
            except TimeoutError:
                raise Away("silent", f"did not answer a query within {QUERY_S:g} seconds") from None
            finally:
                self.seconds_busy += time.perf_counter() - started_s
        if len(reply.rows) != len(texts):
            raise Refusal(200, f"{len(reply.rows)} embeddings for {len(texts)} texts")
        if reply.rows.shape[1] != self.dimensions:
            raise _changed(f"it gives {reply.rows.shape[1]} numbers and gave {self.dimensions}")
        if reply.model != self._answers_as:
            raise _changed(f"{reply.model or 'a nameless one'} answers and {self._answers_as or 'none'} did")
        if not np.isfinite(reply.rows).all() or not reply.rows.any(axis=1).all():
            raise Refusal(200, "an embedding that is no direction")
        self.tokens_done += reply.tokens or sum(map(size_of, texts)) // 4
        return _unit(reply.rows)


class _Turns:
    """Lets one request of indexing go at a time, and none while a query waits for its answer."""

    def __init__(self) -> None:
        self._bulk = asyncio.Lock()
        self._changed = asyncio.Condition()
        self._urgent = 0

    @asynccontextmanager
    async def taken(self, *, urgent: bool) -> AsyncIterator[None]:
        """Wait for a turn and hold it."""
        if not urgent:
            async with self._bulk:
                async with self._changed:
                    await self._changed.wait_for(lambda: not self._urgent)
                yield
            return
        self._urgent += 1
        try:
            yield
        finally:
            self._urgent -= 1
            async with self._changed:
                self._changed.notify_all()


def _unit(rows: Floats) -> Floats:
    """Return the rows scaled to length 1."""
    scaled: Floats = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return scaled


def _seconds(retry_after: str) -> float:
    """Return how long a server asks to wait: seconds or a date; 0 where it does not say."""
    try:
        return max(0.0, float(retry_after))
    except ValueError:
        pass
    try:
        return max(0.0, email.utils.parsedate_to_datetime(retry_after).timestamp() - time.time())
    except (ValueError, TypeError):
        return 0.0


def _changed(how: str) -> ModelUnavailable:
    return ModelUnavailable(
        f"The server's model is another than before: {how}.",
        hint="Load the model as it was, or restart the daemon: then all notes are embedded anew.",
    )
