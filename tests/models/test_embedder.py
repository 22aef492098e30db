"""The embedder keeps order and length, puts queries first and outlives its callers' failures."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import onnxruntime
import pytest

from pai_daemon.errors import ModelUnavailable, Overloaded
from pai_daemon.models import embedder as embedder_module
from pai_daemon.models.embedder import BULK_LIMIT, URGENT_LIMIT, Embedder
from pai_daemon.models.prepare import PreparedModel

WAIT_S = 10


class Gate:
    """A stand-in for the session: records each batch's shape and waits to be let through."""

    def __init__(self, answer: Callable[[Any], Any]) -> None:
        self.answer = answer
        self.shapes: list[tuple[int, int]] = []
        self.entered = threading.Semaphore(0)
        self.open = threading.Semaphore(0)

    def run(self, _outputs: Any, inputs: dict[str, Any]) -> list[Any]:
        """Answer one batch when the gate opens."""
        self.shapes.append(inputs["input_ids"].shape)
        self.entered.release()
        assert self.open.acquire(timeout=WAIT_S)
        return [self.answer(inputs["input_ids"])]

    def get_providers(self) -> list[str]:
        """Return what a session on the CPU returns."""
        return ["CPUExecutionProvider"]


def _unit_rows(ids: Any) -> Any:
    rows = np.zeros((len(ids), 384), np.float32)
    rows[:, 0] = 1
    return rows


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Gate:
    """Put a gate in the place of the session."""
    gate = Gate(_unit_rows)
    monkeypatch.setattr(embedder_module, "open_session", lambda *_: gate)
    return gate


@pytest.fixture
def gated(small: PreparedModel, gate: Gate) -> Iterator[Embedder]:
    """Yield an embedder over the gate; batches hold 32 tokens."""
    embedder = Embedder(small, budget_tokens=32)
    yield embedder
    gate.open.release(1_000)
    embedder.close()


def test_embed_texts_keeps_the_order_of_its_input(small_embedder: Embedder) -> None:
    """Rows belong to their texts although batches are sorted by length."""
    texts = ["a short one", "garden " * 60, "the third text about trains", "water", "bread and butter " * 9]
    together = small_embedder.embed_texts(texts)
    alone = np.stack([small_embedder.embed_texts([text])[0] for text in texts])
    assert (together @ alone.T).argmax(axis=1).tolist() == [0, 1, 2, 3, 4]
    assert (together * alone).sum(axis=1).min() > 0.98


def test_embed_texts_gives_rows_of_length_one(small_embedder: Embedder) -> None:
    """Every row has length 1: of an empty text, of one in many windows, and of any other."""
    embeddings = small_embedder.embed_texts(["", "   \n", "note", "many words " * 900])
    assert embeddings.shape == (4, 384)
    assert embeddings.dtype == np.float32
    assert np.allclose(np.linalg.norm(embeddings, axis=1), 1, atol=1e-4)


def test_embed_texts_of_nothing_is_an_empty_array(small_embedder: Embedder) -> None:
    """No text gives no row."""
    assert small_embedder.embed_texts([]).shape == (0, 384)


def test_embed_texts_hears_the_end_of_a_long_text(small_embedder: Embedder) -> None:
    """What stands after the model's window still moves the embedding."""
    start = "We planted roses and lavender in the garden. " * 40
    end = "The central bank raised interest rates again. " * 40
    question = small_embedder.embed_query("What did the central bank do?")
    with_end, without = small_embedder.embed_texts([start + end, start])
    assert with_end @ question > without @ question + 0.1


def test_embed_query_finds_the_fitting_passage(small_embedder: Embedder) -> None:
    """A question is nearest to the passage that answers it."""
    passages = small_embedder.embed_texts(
        ["The bathroom tiles cost 800 euros.", "Basil needs sun and water.", "The train leaves at nine."]
    )
    assert int((passages @ small_embedder.embed_query("When does the train depart?")).argmax()) == 2


def test_embed_from_many_threads_mixes_nothing_up(small_embedder: Embedder) -> None:
    """Callers on eight threads get what they would get alone."""
    words = ["water", "bread", "trains", "letters", "gardens", "rain", "music", "bicycles"]
    alone = np.stack([small_embedder.embed_texts([word])[0] for word in words])
    with ThreadPoolExecutor(8) as pool:
        together = np.stack(list(pool.map(lambda word: small_embedder.embed_texts([word])[0], words)))
    assert np.allclose(together, alone, atol=1e-5)


def test_query_goes_before_the_rest_of_a_bulk(gated: Embedder, gate: Gate) -> None:
    """A query that arrives during a bulk's first batch is the second batch to run."""
    with ThreadPoolExecutor(2) as pool:
        bulk = pool.submit(gated.embed_texts, ["one two three four five six seven eight"] * 12)
        assert gate.entered.acquire(timeout=WAIT_S)
        query = pool.submit(gated.embed_query, "a query")
        while not gated._queue._urgent:
            threading.Event().wait(0.001)
        gate.open.release(2)
        assert query.result(WAIT_S).shape == (384,)
        assert not bulk.done()
        gate.open.release(100)
        assert bulk.result(WAIT_S).shape == (12, 384)
    assert gate.shapes[0] == (3, 10)
    assert gate.shapes[1] == (1, 4)


def test_urgent_work_beyond_the_limit_is_refused(gated: Embedder, gate: Gate) -> None:
    """One query more than may wait raises Overloaded; those that wait are answered."""
    with ThreadPoolExecutor(URGENT_LIMIT) as pool:
        waiting = [pool.submit(gated.embed_query, "a query") for _ in range(URGENT_LIMIT)]
        while len(gated._queue._urgent) < URGENT_LIMIT:
            threading.Event().wait(0.001)
        with pytest.raises(Overloaded):
            gated.embed_texts(["one more"], urgent=True)
        gate.open.release(1_000)
        assert all(call.result(WAIT_S).shape == (384,) for call in waiting)


def test_bulk_work_beyond_the_limit_waits(gated: Embedder, gate: Gate) -> None:
    """More indexing calls than may queue are answered all the same, later."""
    with ThreadPoolExecutor(BULK_LIMIT + 4) as pool:
        calls = [pool.submit(gated.embed_texts, ["a note"]) for _ in range(BULK_LIMIT + 4)]
        assert gate.entered.acquire(timeout=WAIT_S)
        gate.open.release(1_000)
        assert all(call.result(WAIT_S).shape == (1, 384) for call in calls)


def test_failing_batch_fails_its_caller_only(gated: Embedder, gate: Gate) -> None:
    """An error in the session reaches the caller; the next call is served."""
    gate.open.release(1_000)

    def explode(_ids: Any) -> Any:
        raise RuntimeError("out of memory")

    gate.answer = explode
    with pytest.raises(ModelUnavailable, match="out of memory"):
        gated.embed_query("a query")
    gate.answer = _unit_rows
    assert gated.embed_query("a query").shape == (384,)


@pytest.mark.parametrize("value", [np.nan, 0.0, 2.0, np.inf])
def test_embedding_that_has_not_length_one_is_refused(gated: Embedder, gate: Gate, value: float) -> None:
    """NaN and any row of another length never reach the index."""
    gate.open.release(1_000)
    gate.answer = lambda ids: np.full((len(ids), 384), value, np.float32)
    with pytest.raises(ModelUnavailable, match="no embedding"):
        gated.embed_texts(["a note"])


def test_interrupted_caller_leaves_the_queue(gated: Embedder, gate: Gate, monkeypatch: Any) -> None:
    """The rest of a bulk whose caller was interrupted is not computed."""

    def interrupt(_self: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(threading.Event, "wait", interrupt)
        with pytest.raises(KeyboardInterrupt):
            gated.embed_texts(["one two three four five six seven eight"] * 60)
    gate.open.release(1_000)
    assert gated.embed_query("a query").shape == (384,)
    while gated._queue._bulk:
        threading.Event().wait(0.001)
    assert len(gate.shapes) <= 3


def test_close_fails_those_who_wait(gated: Embedder, gate: Gate) -> None:
    """A call that waits when the embedder closes raises, and so does every later one."""
    with ThreadPoolExecutor(3) as pool:
        running = pool.submit(gated.embed_texts, ["a note"])
        assert gate.entered.acquire(timeout=WAIT_S)
        waiting = pool.submit(gated.embed_query, "a query")
        while not gated._queue._urgent:
            threading.Event().wait(0.001)
        closing = pool.submit(gated.close)
        with pytest.raises(ModelUnavailable, match="closed"):
            waiting.result(WAIT_S)
        gate.open.release(1_000)
        closing.result(WAIT_S)
        with pytest.raises(ModelUnavailable, match="closed"):
            running.result(WAIT_S)
    with pytest.raises(ModelUnavailable, match="closed"):
        gated.embed_query("too late")


@pytest.mark.parametrize("name", ["model.onnx", "tokenizer.json"])
def test_loading_a_broken_file_says_what_to_do(small: PreparedModel, tmp_path: Any, name: str) -> None:
    """A file that cannot be loaded is an unavailable model with a hint."""
    for path in small.folder.iterdir():
        (tmp_path / path.name).write_bytes(b"broken" if path.name == name else path.read_bytes())
    with pytest.raises(ModelUnavailable, match="could not be loaded") as caught:
        Embedder(PreparedModel(small.profile, tmp_path))
    assert str(tmp_path) in caught.value.hint


def test_counters_count_real_tokens(small: PreparedModel) -> None:
    """Tokens done are those of the texts with their marks, without padding."""
    with Embedder(small, niceness=1) as embedder:
        embedder.embed_texts(["hello world", "hello"])
        assert embedder.tokens_done == 4 + 3
        assert embedder.seconds_busy > 0
        assert embedder.execution_provider.endswith("ExecutionProvider")


class Trial:
    """A stand-in for a session on some provider."""

    def __init__(self, provider: str, delay_s: float, sign: float = 1) -> None:
        self.provider, self.delay_s, self.sign = provider, delay_s, sign

    def run(self, _outputs: Any, inputs: dict[str, Any]) -> list[Any]:
        """Answer after a while."""
        threading.Event().wait(self.delay_s)
        return [_unit_rows(inputs["input_ids"]) * self.sign]

    def get_providers(self) -> list[str]:
        """Return the provider it stands for."""
        return [self.provider]


@pytest.mark.parametrize(
    ("accelerator", "expected"),
    [
        (Trial("CUDAExecutionProvider", 0.0), "CUDAExecutionProvider"),
        (Trial("CUDAExecutionProvider", 0.2), "CPUExecutionProvider"),
        (Trial("CUDAExecutionProvider", 0.0, sign=-1), "CPUExecutionProvider"),
        (Trial("CPUExecutionProvider", 0.0), "CPUExecutionProvider"),
        (None, "CPUExecutionProvider"),
    ],
    ids=["faster", "slower", "other numbers", "fell back", "fails"],
)
def test_accelerator_is_used_only_where_it_helps(
    small: PreparedModel, monkeypatch: pytest.MonkeyPatch, accelerator: Trial | None, expected: str
) -> None:
    """An offered provider is taken when it is faster than the CPU and computes the same."""

    def session(_graph: Any, _threads: int, provider: str) -> Trial:
        if provider == "CPUExecutionProvider":
            return Trial(provider, 0.05)
        if accelerator is None:
            raise RuntimeError("no driver")
        return accelerator

    offered = ["CUDAExecutionProvider", "CPUExecutionProvider"]
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: offered)
    monkeypatch.setattr(embedder_module, "_session", session)
    assert embedder_module.open_session(small.graph, 2).get_providers() == [expected]
