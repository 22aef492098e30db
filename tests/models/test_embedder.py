"""The embedder keeps order and length, puts queries first and outlives its callers' failures."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pai_daemon.errors import ModelUnavailable, Overloaded
from pai_daemon.models import runner
from pai_daemon.models.embedder import Embedder
from pai_daemon.models.encoder.graph import Form
from pai_daemon.models.jobs import BULK_LIMIT, URGENT_LIMIT
from pai_daemon.models.prepare import PreparedModel, prepare
from pai_daemon.models.session import Session

WAIT_S = 10


class Gate:
    """A stand-in for the session: records each batch's shape and waits to be let through."""

    provider = "cpu"

    def __init__(self, answer: Callable[[Any], Any]) -> None:
        self.answer = answer
        self.shapes: list[tuple[int, int]] = []
        self.entered = threading.Semaphore(0)
        self.open = threading.Semaphore(0)

    def embed(self, ids: Any, _mask: Any) -> Any:
        """Answer one batch when the gate opens."""
        self.shapes.append(ids.shape)
        self.entered.release()
        assert self.open.acquire(timeout=WAIT_S)
        return self.answer(ids)


def _unit_rows(ids: Any) -> Any:
    rows = np.zeros((len(ids), 384), np.float32)
    rows[:, 0] = 1
    return rows


def _rows_by_tokens(ids: Any) -> Any:
    rows = np.zeros((len(ids), 384), np.float32)
    rows[np.arange(len(ids)), ids.sum(1) % 384] = 1
    return rows


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Gate:
    """Put a gate in the place of the session."""
    gate = Gate(_unit_rows)
    monkeypatch.setattr(runner, "Session", lambda *_: gate)
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


def test_question_asked_again_does_not_run_the_model(small_embedder: Embedder) -> None:
    """The search and the answer embed one question once; what they share cannot be written to."""
    first = small_embedder.embed_query("where do dunlins feed, asked twice")
    done = small_embedder.tokens_done
    assert small_embedder.embed_query("where do dunlins feed, asked twice") is first
    assert small_embedder.tokens_done == done
    assert not first.flags.writeable


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


def test_queries_that_wait_go_through_the_model_together(gated: Embedder, gate: Gate) -> None:
    """Each gets its own embedding; what does not fit into a batch is the next."""
    gate.answer = _rows_by_tokens
    texts = [f"query {'more ' * number}" for number in range(6)]
    with ThreadPoolExecutor(8) as pool:
        bulk = pool.submit(gated.embed_texts, ["one two three four five six seven eight"] * 3)
        assert gate.entered.acquire(timeout=WAIT_S)
        queries = [pool.submit(gated.embed_query, text) for text in texts]
        while len(gated._queue._urgent) < len(texts):
            threading.Event().wait(0.001)
        gate.open.release(100)
        found = [query.result(WAIT_S) for query in queries]
        bulk.result(WAIT_S)
    alone = [gated.embed_query(f"{text} ") for text in texts]
    assert [each @ other for each, other in zip(found, alone, strict=True)] == pytest.approx([1.0] * 6)
    together = [rows for rows, _ in gate.shapes[1:]][: len(texts)]
    assert max(together) > 1
    assert all(rows * longest <= gated._budget_tokens for rows, longest in gate.shapes)


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


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_embedding_that_is_no_number_is_refused(gated: Embedder, gate: Gate, value: float) -> None:
    """What is no number never reaches the index, where there is nothing to fall back to."""
    gate.open.release(1_000)
    gate.answer = lambda ids: np.full((len(ids), 384), value, np.float32)
    with pytest.raises(ModelUnavailable, match="no number"):
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
        Embedder(
            replace(
                small, folder=tmp_path, graph=tmp_path / "model.onnx", tokenizer=tmp_path / "tokenizer.json"
            )
        )
    assert str(tmp_path) in caught.value.hint


def test_counters_count_real_tokens(small: PreparedModel) -> None:
    """Tokens done are those of the texts with their marks, without padding."""
    with Embedder(small, niceness=1) as embedder:
        embedder.embed_texts(["hello world", "hello"])
        assert embedder.tokens_done == 4 + 3
        assert embedder.seconds_busy > 0
        assert embedder.execution_provider.endswith("ExecutionProvider")


def test_model_that_gives_no_numbers_makes_way_for_single_precision(
    small: PreparedModel, model_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A prepared form that fails is replaced by the CPU in single precision; the status can say why."""
    whole = Session

    class Broken(whole):  # type: ignore[misc, valid-type]
        def embed(self, ids: Any, mask: Any) -> Any:
            embeddings = super().embed(ids, mask)
            return embeddings if "fp32" in str(self.graph) else embeddings * np.nan

        def __init__(self, graph: Path, *rest: Any) -> None:
            self.graph = graph
            super().__init__(graph, *rest)

    expected = Embedder(prepare(small.profile, model_cache, Form("fp32")))
    monkeypatch.setattr(runner, "Session", Broken)
    with (
        expected,
        Embedder(small, fallback=lambda: prepare(small.profile, model_cache, Form("fp32"))) as embedder,
    ):
        assert (embedder.form, embedder.warning) == ("int8", "")
        found = embedder.embed_texts(["the chaffinch sings", "rain"])
        assert np.allclose(found, expected.embed_texts(["the chaffinch sings", "rain"]), atol=1e-6)
        assert embedder.form == "fp32"
        assert "no number" in embedder.warning


class Small:
    """A stand-in for a session of an accelerator with room for two texts."""

    provider = "cuda"

    def __init__(self, error: str) -> None:
        self.error = error
        self.shapes: list[tuple[int, int]] = []

    def embed(self, ids: Any, _mask: Any) -> Any:
        """Refuse more than two texts."""
        self.shapes.append(ids.shape)
        if len(ids) > 2:
            raise RuntimeError(self.error)
        return _unit_rows(ids)


def test_batch_that_does_not_fit_is_halved(small: PreparedModel, monkeypatch: pytest.MonkeyPatch) -> None:
    """An accelerator without memory for a batch gets it in halves, and stays in use."""
    session = Small("CUDA failure 2: out of memory")
    monkeypatch.setattr(runner, "Session", lambda *_: session)
    with Embedder(small, provider="cuda") as embedder:
        assert embedder.embed_texts(["a note"] * 7).shape == (7, 384)
        assert embedder.warning == ""
    assert max(count for count, _ in session.shapes) == 7
    assert sum(count for count, _ in session.shapes if count <= 2) == 7


def test_accelerator_that_fails_makes_way_for_the_cpu(
    small: PreparedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another failure than want of memory ends the use of the accelerator, not that of the model."""
    whole, lost = Session, Small("the device was removed")

    def session(graph: Path, profile: Any, provider: Any, threads: int) -> Any:
        return lost if provider == "cuda" else whole(graph, profile, provider, threads)

    monkeypatch.setattr(runner, "Session", session)
    with Embedder(small, provider="cuda", fallback=lambda: small) as embedder:
        assert embedder.execution_provider == "CUDAExecutionProvider"
        assert embedder.embed_texts(["a note", "another", "a third"]).shape == (3, 384)
        assert embedder.execution_provider == "CPUExecutionProvider"
        assert "the device was removed" in embedder.warning


def test_idle_model_gives_its_session_back_and_comes_again(small: PreparedModel) -> None:
    """After the time that was asked for the session is gone; the next text loads it again, to the same."""
    with Embedder(small, unload_after_s=0.05) as embedder:
        before = embedder.embed_query("a question")
        while embedder._runner is not None:
            threading.Event().wait(0.01)
        assert np.array_equal(embedder.embed_query("a question"), before)


def test_texts_longer_than_the_window_are_counted(small: PreparedModel) -> None:
    """What had to be embedded in parts is counted; nothing is cut off."""
    with Embedder(small) as embedder:
        embedder.embed_texts(["short", "many words " * 300, "many words " * 900])
        assert embedder.texts_split == 2
