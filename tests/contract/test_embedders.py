"""Our embedder against the fakes: what is sent, what is read, and how each failure is told."""

from __future__ import annotations

import logging
import re
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from aiohttp import web

from pai_daemon.errors import ModelUnavailable, PaiError
from pai_daemon.models.embedder import Embedder
from pai_daemon.models.prepare import prepare
from pai_daemon.models.registry import profile
from pai_daemon.models.remote import asking
from pai_daemon.models.remote.acquaintance import SAMPLE, recalled
from pai_daemon.models.remote.embedder import URGENT_LIMIT, RemoteEmbedder
from tests.conftest import StartDaemon
from tests.contract.embedding_fakes import (
    APPS,
    DIMENSIONS,
    MODEL,
    Embeds,
    Fault,
    hashed,
    port_of,
    running,
    spec_of,
    wordy,
)
from tests.daemon_process import eventually

KINDS = ["ollama", "openai", "tei"]
WAIT_S = 10.0


@pytest.fixture
def how() -> Embeds:
    """Return a behaviour that a test may change."""
    return Embeds()


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait milliseconds where a person's server gets seconds."""
    monkeypatch.setattr(asking, "FIRST_DELAY_S", 0.01)
    monkeypatch.setattr(asking, "AWAY_PATIENCE_S", 2.0)


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Any]:
    """Yield a function that greets a server and returns its embedder; all are closed after the test."""
    with ExitStack() as stack:

        def greeted(spec: str, key: str = "secret-key", **options: Any) -> RemoteEmbedder:
            made = RemoteEmbedder(profile(spec, None, key), tmp_path, **options)
            stack.callback(made.close)
            return made.greet()

        yield greeted


@pytest.fixture(scope="module")
def real_model(prepared_cache: Path) -> Iterator[Embedder]:
    """Yield the small model, for a fake that embeds by meaning."""
    with Embedder(prepare(profile("small"), prepared_cache)) as embedder:
        yield embedder


@contextmanager
def _served(kind: str, how: Embeds, opened: Any, **options: Any) -> Iterator[RemoteEmbedder]:
    with running(APPS[kind](how)) as url:
        yield opened(spec_of(kind, url), **options)


def _unit(rows: Any) -> Any:
    rows = np.array(rows)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def _failure(work: Any, *arguments: Any, **options: Any) -> PaiError:
    with pytest.raises(ModelUnavailable) as caught:
        work(*arguments, **options)
    assert caught.value.hint
    assert "secret-key" not in caught.value.detail + caught.value.hint
    return caught.value


# What is sent and read.


@pytest.mark.parametrize("kind", KINDS)
def test_texts_get_their_own_embeddings_in_order(kind: str, how: Embeds, opened: Any) -> None:
    """Rows are the server's, scaled to length 1, in the order of the texts, however many requests it took."""
    how.shuffled = True
    texts = [f"text number {number}" for number in range(150)]
    with _served(kind, how, opened) as embedder:
        assert embedder.dimensions == embedder.profile.dimensions == DIMENSIONS
        assert embedder.execution_provider.startswith(f"{kind} at 127.0.0.1:")
        found = embedder.embed_texts(texts)
        query = embedder.embed_query(texts[7])
    assert found.dtype == np.float32
    assert np.allclose(found, _unit(hashed(texts)), atol=1e-5)
    assert np.allclose(query, found[7], atol=1e-5)
    inputs = [body.get("input", body.get("inputs")) for _, body in how.requests]
    assert max(map(len, inputs)) <= {"tei": 32}.get(kind, 64)


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_asks_the_server_for_nothing(kind: str, how: Embeds, opened: Any) -> None:
    """No text gives no row and no request."""
    with _served(kind, how, opened) as embedder:
        before = len(how.requests)
        assert embedder.embed_texts([]).shape == (0, DIMENSIONS)
    assert len(how.requests) == before


@pytest.mark.parametrize("kind", KINDS)
def test_any_text_is_embedded(kind: str, how: Embeds, opened: Any) -> None:
    """Empty texts, NUL, lone surrogates, only emoji and a megabyte break no batch: rows of length 1."""
    texts = ["", " \n\t", "\0", "a\0b", "lone \udc80 surrogate", "🏳️‍🌈" * 50, "word " * 200_000, "x" * 9_000]
    texts.append("end" + " " * 9_000)
    with _served(kind, how, opened) as embedder:
        found = embedder.embed_texts(texts)
        assert embedder._asking.pieces_left_out == 0
    assert np.allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)
    sent = [text for batch in how.texts for text in batch]
    assert all(text.strip() and "\0" not in text for text in sent)
    assert "a b" in sent


def test_prefixes_go_before_queries_and_passages_of_a_known_model(how: Embeds, opened: Any) -> None:
    """A server's `intfloat/multilingual-e5-small` gets the prefixes that the model was trained with."""
    model = "intfloat/multilingual-e5-small"
    with running(APPS["openai"](how, [model])) as url:
        embedder = opened(spec_of("openai", url, model))
        embedder.embed_texts(["the tiles"])
        embedder.embed_query("what did they cost")
    assert how.texts[-2:] == [["passage: the tiles"], ["query: what did they cost"]]
    assert embedder.scoring == profile("e5").scoring


@pytest.mark.parametrize("kind", ["ollama", "tei"])
def test_server_that_can_refuse_is_told_not_to_truncate(kind: str, how: Embeds, opened: Any) -> None:
    """Every request to Ollama and TEI forbids truncation."""
    with _served(kind, how, opened) as embedder:
        embedder.embed_texts(["a"])
    assert {body["truncate"] for _, body in how.requests} == {False}


def test_base64_is_read_although_it_was_not_asked_for(how: Embeds, opened: Any) -> None:
    """A server that always answers in base64 is understood."""
    how.base64 = True
    with _served("openai", how, opened) as embedder:
        assert np.allclose(embedder.embed_texts(["a", "b"]), _unit(hashed(["a", "b"])), atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_key_is_sent_as_bearer_and_shown_nowhere(
    kind: str, how: Embeds, opened: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """The key travels in the header and only there: in no body, profile, log or remembered file."""
    caplog.set_level(logging.DEBUG)
    with _served(kind, how, opened) as embedder:
        embedder.embed_texts(["a"])
        told = f"{embedder.profile!r} {how.requests} {caplog.text} {embedder.execution_provider}"
        kept = "".join(path.read_text() for path in embedder._cache_dir.rglob("*.json"))
    assert set(how.authorizations) == {"Bearer secret-key"}
    assert "secret-key" not in told + kept


# Long texts.


@pytest.mark.parametrize("kind", KINDS)
def test_text_beyond_the_window_is_heard_to_its_end(kind: str, how: Embeds, opened: Any) -> None:
    """A text that is too long goes in pieces that hold every word of it, and is counted."""
    how.limit_words, how.vectors = 100, wordy
    words = [f"w{number}" for number in range(1_000)]
    with _served(kind, how, opened) as embedder:
        found = embedder.embed_texts([" ".join(words), "short"])
        assert embedder.texts_split > 0
    sent = [text.split() for batch in how.texts for text in batch if re.search(r"\bw\d", text)]
    assert {word for piece in sent for word in piece} == set(words)
    assert found[0] @ _unit(wordy([" ".join(words)]))[0] > 0.9
    assert np.allclose(found[1], _unit(wordy(["short"]))[0], atol=1e-5)


def test_text_that_only_the_server_finds_too_long_is_halved(how: Embeds, opened: Any) -> None:
    """Dense text that fits by its bytes and is refused by its tokens goes in halves; others are not cut."""
    how.limit_words, how.vectors = 100, wordy
    dense = " ".join("abcdefgh"[number % 8] for number in range(180))
    with _served("ollama", how, opened) as embedder:
        found = embedder.embed_texts(["one", dense, "two"])
        assert embedder.texts_split == 1
        assert embedder._asking.pieces_left_out == 0
    assert np.allclose(found, _unit(wordy(["one", dense, "two"])), atol=0.02)


def test_server_that_cuts_in_silence_gets_less_at_once(how: Embeds, opened: Any) -> None:
    """LM Studio cuts without a word: it is found out at the greeting, and every word is still heard."""
    how.limit_words, how.cuts, how.vectors = 60, True, wordy
    words = [f"w{number}" for number in range(400)]
    with _served("openai", how, opened) as embedder:
        embedder.embed_texts([" ".join(words)])
    sent = [text.split() for batch in how.texts for text in batch if re.search(r"\bw\d", text)]
    assert max(map(len, sent)) <= 60
    assert {word for piece in sent for word in piece} == set(words)


def test_server_that_hears_only_beginnings_is_refused(how: Embeds, opened: Any) -> None:
    """A server that gives one embedding to whatever follows a few words is of no use, and is told so."""
    how.limit_words, how.cuts = 4, True
    failure = _failure(lambda: _served("openai", how, opened).__enter__())
    assert "end differently" in failure.detail


# Bad texts and bad replies.


@pytest.mark.parametrize("status", [400, 422, 500, 0])
@pytest.mark.parametrize("kind", KINDS)
def test_one_bad_text_does_not_fail_the_others(kind: str, status: int, how: Embeds, opened: Any) -> None:
    """A text that makes the server fail, or gives NaN, stands alone; what of it can be embedded is."""
    if not status and kind == "ollama":
        status = 500  # Ollama cannot write NaN, and says so
    how.poison, how.poison_status, how.vectors = "poison", status, wordy
    texts = [f"text number {number}" for number in range(40)]
    texts[17] = "good words " * 20 + "poison"
    with _served(kind, how, opened) as embedder:
        found = embedder.embed_texts(texts)
        assert embedder._asking.pieces_left_out == 1
    expected = _unit(wordy(texts))
    others = [number for number in range(40) if number != 17]
    assert np.allclose(found[others], expected[others], atol=1e-5)
    assert found[17] @ _unit(wordy(["good words"]))[0] > 0.8


@pytest.mark.parametrize("kind", KINDS)
def test_server_that_refuses_everything_is_no_fault_of_the_texts(kind: str, how: Embeds, opened: Any) -> None:
    """When it refuses what it took at the greeting, nothing is left out: it is told in its own words."""
    with _served(kind, how, opened) as embedder:
        how.faults.extend([Fault(500, {"error": "out of memory"})] * 50)
        failure = _failure(embedder.embed_texts, ["a", "b", "c"])
        assert embedder._asking.pieces_left_out == 0
    assert "out of memory" in failure.detail


def test_refused_text_is_in_no_log(how: Embeds, opened: Any, caplog: pytest.LogCaptureFixture) -> None:
    """A server may repeat a text in its refusal; the log gets neither."""
    caplog.set_level(logging.DEBUG)
    how.poison, how.poison_status = "sesame", 400
    with _served("openai", how, opened) as embedder:
        embedder.embed_texts(["open sesame"])
        assert embedder._asking.pieces_left_out == 1
    assert "left out" in caplog.text or "no form" in caplog.text
    assert "sesame" not in caplog.text


@pytest.mark.parametrize(
    "body",
    [
        {"data": [], "embeddings": []},
        {"data": [{"index": 0, "embedding": [1.0]}] * 2, "embeddings": [[1.0], [1.0, 2.0]]},
        {"data": [{"index": 0, "embedding": ["a", "b"]}], "embeddings": [[None, "b"]]},
        {"data": {"0": 1}, "embeddings": 7},
        [],
        "no JSON",
        "[[1, 2], [3",
    ],
)
@pytest.mark.parametrize("kind", KINDS)
def test_reply_that_is_no_embeddings_is_told(kind: str, body: Any, how: Embeds, opened: Any) -> None:
    """Missing, ragged, unnumbered or unreadable embeddings are a failure of the server, never a row."""
    with _served(kind, how, opened) as embedder:
        how.faults.extend([Fault(200, body)] * 10)
        assert "answered with" in _failure(embedder.embed_texts, ["a", "b"]).detail


@pytest.mark.parametrize("kind", KINDS)
def test_fewer_embeddings_than_texts_are_told(kind: str, how: Embeds, opened: Any) -> None:
    """A server that drops a text gives no row to the wrong one."""
    with _served(kind, how, opened) as embedder:
        how.vectors = lambda texts: hashed(texts)[: max(1, len(texts) - 1)]
        assert np.allclose(embedder.embed_texts(["a", "b"]), _unit(hashed(["a", "b"])), atol=1e-5)
        how.vectors = lambda texts: np.concatenate([hashed(texts), hashed(texts)])
        assert "2 embeddings for 1 texts" in _failure(embedder.embed_texts, ["a", "b"]).detail


@pytest.mark.parametrize("kind", KINDS)
def test_other_dimensions_are_another_model(kind: str, how: Embeds, opened: Any) -> None:
    """A server that suddenly answers with another width is refused, and the reason is said."""
    with _served(kind, how, opened) as embedder:
        how.vectors = lambda texts: hashed(texts)[:, :8]
        failure = _failure(embedder.embed_texts, ["a"])
    assert "gives 8 numbers and gave 16" in failure.detail


def test_other_name_under_a_reply_is_another_model(how: Embeds, opened: Any) -> None:
    """LM Studio may answer with another loaded model: it signs with that one's name."""
    with _served("openai", how, opened) as embedder:
        how.signs = "qwen-coder"
        assert "qwen-coder answers" in _failure(embedder.embed_query, "a").detail


# Busy, away, slow.


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("kind", KINDS)
def test_busy_server_is_asked_again(kind: str, status: int, how: Embeds, opened: Any) -> None:
    """429 and 503 are waited out, as long as Retry-After says, and nothing is cut for them."""
    with _served(kind, how, opened) as embedder:
        how.faults.extend([Fault(status, {"error": "overloaded"}, {"Retry-After": "0.2"})] * 2)
        before = len(how.requests)
        assert embedder.embed_texts(["a", "b"]).shape == (2, DIMENSIONS)
        assert len(how.requests) == before + 3
        assert embedder.texts_split == embedder._asking.pieces_left_out == 0


def test_busy_server_is_not_waited_for_longer_than_patience(how: Embeds, opened: Any) -> None:
    """A Retry-After beyond the patience fails at once, with the server's words."""
    with _served("openai", how, opened) as embedder:
        how.faults.append(Fault(429, {"error": {"message": "quota"}}, {"Retry-After": "3600"}))
        before = len(how.requests)
        assert "quota" in _failure(embedder.embed_texts, ["a"]).detail
        assert len(how.requests) == before + 1


@pytest.mark.parametrize("status", [401, 403, 404])
def test_refusal_that_no_text_can_be_the_reason_for_is_not_repeated(
    status: int, how: Embeds, opened: Any
) -> None:
    """A wrong key or a model that went away is told after one request."""
    with _served("openai", how, opened) as embedder:
        how.faults.extend([Fault(status, {"error": "no"})] * 9)
        before = len(how.requests)
        _failure(embedder.embed_texts, ["a", "b"])
        assert len(how.requests) == before + 1


@pytest.mark.parametrize("kind", KINDS)
def test_server_that_comes_back_goes_on(kind: str, how: Embeds, opened: Any) -> None:
    """Indexing waits for a server that is restarted at its address; a query meanwhile fails at once."""
    with running(APPS[kind](how)) as url:
        embedder = opened(spec_of(kind, url))
    started_s = time.monotonic()
    assert str(port_of(url)) in _failure(embedder.embed_query, "a").detail
    assert time.monotonic() - started_s < asking.AWAY_PATIENCE_S / 2
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(embedder.embed_texts, ["a"])
        with running(APPS[kind](how), port_of(url)):
            assert np.allclose(waiting.result(WAIT_S), _unit(hashed(["a"])), atol=1e-5)


def test_server_that_comes_back_with_another_model_is_noticed(how: Embeds, opened: Any) -> None:
    """Name and width are the same, the embedding of a known text is not: refused."""
    with running(APPS["openai"](how)) as url:
        embedder = opened(spec_of("openai", url))
    _failure(embedder.embed_query, "a")
    how.vectors = lambda texts: hashed([text[::-1] for text in texts])
    with running(APPS["openai"](how), port_of(url)):
        assert "another embedding" in _failure(embedder.embed_query, "a").detail


def test_connection_that_breaks_once_is_no_matter(how: Embeds, opened: Any) -> None:
    """A server that hangs up midway is asked again."""
    with _served("openai", how, opened) as embedder:
        how.faults.append(Fault(0))
        assert embedder.embed_texts(["a"]).shape == (1, DIMENSIONS)


def test_server_that_stays_silent_is_given_up(how: Embeds, opened: Any) -> None:
    """Silence beyond the limit is a failure that names the limit."""
    with _served("openai", how, opened, silence_s=0.2) as embedder:
        how.gate = threading.Semaphore(0)
        assert "said nothing for 0.2 seconds" in _failure(embedder.embed_texts, ["a"]).detail
        how.gate.release(100)


# The greeting.


def test_sample_is_what_the_greeting_sends(how: Embeds, opened: Any) -> None:
    """Before a note is sent, only our own text is: nothing of the person goes to an untried server."""
    with _served("ollama", how, opened):
        assert {text for batch in how.texts for text in batch} == {SAMPLE}


@pytest.mark.parametrize(
    ("kind", "said"),
    [("ollama", "ollama serve"), ("openai", "lms server start"), ("tei", "text-embeddings-router")],
)
def test_greeting_nobody_says_how_to_start(kind: str, said: str, opened: Any) -> None:
    """A port where nothing listens: the hint is the command that starts the server."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{probe.getsockname()[1]}"
    failure = _failure(opened, spec_of(kind, url))
    assert url in failure.detail
    assert said in failure.hint


@pytest.mark.parametrize(
    ("kind", "said"), [("ollama", "`ollama pull absent`"), ("openai", "`lms load absent`")]
)
def test_greeting_without_the_model_says_how_to_get_it(
    kind: str, said: str, how: Embeds, opened: Any
) -> None:
    """A model that the server lacks: the hint is the command that gets it."""
    with running(APPS[kind](how)) as url:
        failure = _failure(opened, spec_of(kind, url, "absent"))
    assert said in failure.hint


def test_greeting_lm_studio_without_a_loaded_model_hints_at_loading(how: Embeds, opened: Any) -> None:
    """LM Studio's own words under status 400 are understood as a missing model."""
    with running(APPS["openai"](how, [])) as url:
        failure = _failure(opened, spec_of("openai", url))
    assert "No models loaded" in failure.detail
    assert f"lms load {MODEL}" in failure.hint


@pytest.mark.parametrize("kind", ["openai", "tei"])
def test_greeting_with_a_wrong_key_names_the_setting(kind: str, how: Embeds, opened: Any) -> None:
    """Status 401 points to PAI_MODEL_KEY without showing the key."""
    how.key = "another"
    failure = _failure(lambda: _served(kind, how, opened).__enter__())
    assert "401" in failure.detail
    assert "PAI_MODEL_KEY" in failure.hint


@pytest.mark.parametrize(("kind", "said"), [("ollama", "does not"), ("tei", "no model that embeds")])
def test_greeting_a_model_that_does_not_embed_is_told(kind: str, said: str, how: Embeds, opened: Any) -> None:
    """A model that writes, or that ranks, is named as such before any text is sent."""
    how.capabilities = ("completion",)
    assert said in _failure(lambda: _served(kind, how, opened).__enter__()).detail
    assert how.texts == []


def test_greeting_a_model_that_ollama_forwards_sends_no_note(how: Embeds, opened: Any) -> None:
    """A cloud model under a local name is refused before any text is sent (D15)."""
    how.remote_host = "https://ollama.com:443"
    assert "another machine" in _failure(lambda: _served("ollama", how, opened).__enter__()).detail
    assert how.texts == []


@pytest.mark.parametrize("kind", KINDS)
def test_greeting_follows_no_redirect(kind: str, opened: Any) -> None:
    """A server that points elsewhere is refused: nothing is sent to another address (D8)."""
    reached: list[str] = []

    async def elsewhere(request: web.Request) -> web.Response:
        reached.append(request.path)
        return web.json_response({})

    async def redirect(request: web.Request) -> web.Response:
        raise web.HTTPTemporaryRedirect(f"{target}{request.path}")

    there, here = web.Application(), web.Application()
    there.router.add_route("*", "/{path:.*}", elsewhere)
    here.router.add_route("*", "/{path:.*}", redirect)
    with running(there) as target, running(here) as url:
        assert "307" in _failure(opened, spec_of(kind, url)).detail
    assert reached == []


def test_greeting_an_unknown_model_measures_it(how: Embeds, opened: Any) -> None:
    """A model that nobody has measured gets its scoring from probes, once: it is remembered."""
    how.vectors = wordy
    with running(APPS["openai"](how, ["home-made"])) as url:
        first = opened(spec_of("openai", url, "home-made"))
        asked = len(how.requests)
        again = opened(spec_of("openai", url, "home-made"))
        assert len(how.requests) - asked < 5 < asked
    assert first.scoring == again.scoring
    assert 0 < first.scoring.answer_threshold < 1


@pytest.mark.parametrize("kind", KINDS)
def test_profile_is_the_same_after_a_restart_and_while_the_server_is_away(
    kind: str, how: Embeds, opened: Any, tmp_path: Path
) -> None:
    """The fingerprint that the index was made with is known before the server has answered."""
    with running(APPS[kind](how)) as url:
        first = opened(spec_of(kind, url)).profile
        assert opened(spec_of(kind, url)).profile == first
    known = recalled(profile(spec_of(kind, url), None, "secret-key"), tmp_path)
    assert known == first
    assert known.fingerprint == first.fingerprint
    assert MODEL in known.name


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("ollama", {"digest": "another"}),
        ("tei", {"digest": "another"}),
        ("openai", {"signs": "another"}),
        ("openai", {"vectors": lambda texts: hashed([text[::-1] for text in texts])}),
        ("openai", {"vectors": lambda texts: hashed(texts)[:, :8]}),
    ],
)
def test_fingerprint_is_another_when_the_server_has_another_model(
    kind: str, change: dict[str, Any], how: Embeds, opened: Any
) -> None:
    """Another digest, signature, width or embedding of a known text is another vector space."""
    with running(APPS[kind](how)) as url:
        first = opened(spec_of(kind, url)).profile
        for name, value in change.items():
            setattr(how, name, value)
        assert opened(spec_of(kind, url)).profile.fingerprint != first.fingerprint


# Turns.


def test_query_waits_for_one_request_of_indexing_at_most(how: Embeds, opened: Any) -> None:
    """While indexing is under way a query is the next request but the one that runs, and indexing waits."""
    with _served("openai", how, opened) as embedder, ThreadPoolExecutor() as pool:
        how.gate = threading.Semaphore(0)
        how.texts.clear()
        while how.entered.acquire(blocking=False):
            pass
        bulk = [
            pool.submit(embedder.embed_texts, [f"{name} {n} " + "x" * 400 for n in range(60)])
            for name in "ab"
        ]
        assert how.entered.acquire(timeout=WAIT_S)
        query = pool.submit(embedder.embed_query, "urgent")
        assert how.entered.acquire(timeout=WAIT_S)
        how.gate.release(2)
        assert query.result(WAIT_S).shape == (DIMENSIONS,)
        how.gate.release(1_000)
        assert all(each.result(WAIT_S).shape == (60, DIMENSIONS) for each in bulk)
    assert how.texts[1] == ["urgent"]
    assert len(how.texts) > 6


def test_indexing_begins_no_request_while_a_query_waits(how: Embeds, opened: Any) -> None:
    """A query that the server is at keeps the next request of indexing back until it is answered."""
    with _served("openai", how, opened) as embedder, ThreadPoolExecutor() as pool:
        how.gate = threading.Semaphore(0)
        how.texts.clear()
        query = pool.submit(embedder.embed_query, "urgent")
        eventually(lambda: how.texts, "the query")
        bulk = pool.submit(embedder.embed_texts, ["patient"])
        time.sleep(0.3)
        assert how.texts == [["urgent"]]
        how.gate.release(2)
        assert query.result(WAIT_S).shape == (DIMENSIONS,)
        assert bulk.result(WAIT_S).shape == (1, DIMENSIONS)


def test_indexing_sends_one_request_of_bounded_size_at_a_time(how: Embeds, opened: Any) -> None:
    """However many threads index, one request is under way, of at most 8 KB."""
    under_way: list[int] = []

    def count(texts: Any) -> Any:
        under_way.append(embedder._asking._turns._bulk.locked())
        return hashed(texts)

    with _served("openai", how, opened) as embedder, ThreadPoolExecutor(4) as pool:
        how.vectors, how.jitter_s = count, 0.01
        how.texts.clear()
        jobs = [pool.submit(embedder.embed_texts, ["word " * 100] * 30) for _ in range(4)]
        assert all(job.result(WAIT_S).shape == (30, DIMENSIONS) for job in jobs)
    assert max(sum(map(len, batch)) for batch in how.texts) <= 8_192
    assert all(under_way)


def test_too_many_queries_are_refused(how: Embeds, opened: Any) -> None:
    """The sixty-fifth query that waits is told to come again, as with a model in this process."""
    with _served("openai", how, opened) as embedder, ThreadPoolExecutor(URGENT_LIMIT + 1) as pool:
        how.gate = threading.Semaphore(0)
        waiting = [pool.submit(embedder.embed_query, f"q{n}") for n in range(URGENT_LIMIT)]
        eventually(lambda: embedder._urgent == URGENT_LIMIT, "all queries wait")
        with pytest.raises(PaiError) as caught:
            embedder.embed_query("one more")
        assert caught.value.code == "overloaded"
        how.gate.release(1_000)
        assert all(each.result(WAIT_S).shape == (DIMENSIONS,) for each in waiting)


def test_close_ends_the_calls_that_wait(how: Embeds, opened: Any) -> None:
    """Who waits for a server that does not answer is told that the model was closed; later callers too."""
    with _served("openai", how, opened) as embedder, ThreadPoolExecutor() as pool:
        how.gate = threading.Semaphore(0)
        waiting = [pool.submit(embedder.embed_texts, [f"t{n}"]) for n in range(3)]
        waiting.append(pool.submit(embedder.embed_query, "q"))
        eventually(lambda: how.entered.acquire(blocking=False), "a request is under way")
        embedder.close()
        for each in waiting:
            with pytest.raises(ModelUnavailable, match="closed"):
                each.result(WAIT_S)
        with pytest.raises(ModelUnavailable, match="closed"):
            embedder.embed_query("q")
        how.gate.release(1_000)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(3))
def test_order_is_kept_under_delays_and_failures(kind: str, seed: int, how: Embeds, opened: Any) -> None:
    """Five hundred texts from four threads get their own rows, whatever fails in between."""
    how.random.seed(seed)
    how.jitter_s, how.shuffled, how.limit_words = 0.004, True, 40
    texts = [f"{n} " + "word " * how.random.randrange(30) for n in range(500)]
    with _served(kind, how, opened) as embedder, ThreadPoolExecutor(4) as pool:
        bad = [Fault(429, {"error": "busy"}), Fault(503, "starting"), Fault(0), Fault(500, {"error": "?"})]
        # Two of a kind that count against a text are never side by side.
        how.faults.extend(each for _ in range(6) for each in how.random.sample(bad, 4))
        parts = list(pool.map(embedder.embed_texts, [texts[at : at + 125] for at in range(0, 500, 125)]))
        assert embedder._asking.pieces_left_out == 0
    plain = [" ".join(text.split()) for text in texts]
    found, expected = np.concatenate(parts), _unit(hashed(plain))
    whole = (found * expected).sum(axis=1) > 0.9999
    assert whole.sum() >= 500 - embedder.texts_split
    assert whole.sum() > 450
    assert ((found @ expected.T).argmax(axis=1) == np.arange(500))[whole].all()


# The daemon.


def test_daemon_with_a_servers_model_finds_by_meaning(
    real_model: Embedder, how: Embeds, start_daemon: StartDaemon, vault: Path
) -> None:
    """A vault is embedded on the server, and a question in other words finds its note."""
    how.vectors = real_model.embed_texts
    (vault / "Bike.md").write_text("I ride my bicycle to the office on most days.\n")
    (vault / "Bread.md").write_text("Leave the dough in the fridge over night, then bake it hot.\n")
    with running(APPS["openai"](how)) as url:
        daemon = start_daemon(None, "--model", spec_of("openai", url), PAI_MODEL_KEY="secret-key")
        status = daemon.ready()
        found = daemon.client.search("commuting to work", mode="semantic", limit=1)["results"]
        assert "secret-key" not in str(status) + daemon.log
    assert [hit["path"] for hit in found] == ["Bike.md"]
    model = status["model"]
    assert model["name"] == f"openai:{MODEL}"
    assert model["dimensions"] == 384
    assert model["location"] == "local"
    assert model["execution_provider"].startswith("openai at 127.0.0.1:")
    assert set(how.authorizations) == {"Bearer secret-key"}


def test_daemon_whose_server_is_down_searches_words_and_goes_on_when_it_starts(
    real_model: Embedder, how: Embeds, start_daemon: StartDaemon, vault: Path
) -> None:
    """A server that was never seen may be started later; when it ends again, words are still found."""
    how.vectors = real_model.embed_texts
    (vault / "Bike.md").write_text("I ride my bicycle to the office on most days.\n")
    with running(APPS["openai"](how)) as url:
        pass
    daemon = start_daemon(None, "--model", spec_of("openai", url))
    daemon.finds("bicycle")
    status = daemon.until(lambda now: now["state"] == "error", "an error")
    assert "lms server start" in status["message"]
    assert "Only words" in status["message"]
    with running(APPS["openai"](how), port_of(url)):
        daemon.ready()
        daemon.write("Train.md", "The night train to Vienna leaves at ten.")
        daemon.ready()
        nearest = daemon.client.search("railway journey", mode="semantic", limit=1)["results"]
        assert nearest[0]["path"] == "Train.md"
    found = daemon.client.search("bicycle")
    assert found["stages"] == ["text"]
    assert found["results"][0]["path"] == "Bike.md"
    daemon.write("Later.md", "A canoe is kept in the shed.", within_s=20)
    assert "lms server start" in daemon.until(lambda now: now["state"] == "error", "an error")["message"]
    with running(APPS["openai"](how), port_of(url)):
        daemon.ready()
        assert daemon.client.search("boat", mode="semantic", limit=1)["results"][0]["path"] == "Later.md"


def test_daemon_says_that_the_notes_are_sent_beyond_this_machine(
    how: Embeds, start_daemon: StartDaemon, vault: Path
) -> None:
    """Every address but the loopback's counts as elsewhere; the start and the status say so."""
    (vault / "Bike.md").write_text("I ride my bicycle to the office on most days.\n")
    with running(APPS["openai"](how)) as url:
        there = url.replace("127.0.0.1", "0.0.0.0")
        daemon = start_daemon(None, "--model", spec_of("openai", there))
        assert daemon.ready()["model"]["location"] == "remote"
        said = " ".join(daemon.log.split())
        assert "the text of all notes but local-only ones, and every question are sent there" in said
