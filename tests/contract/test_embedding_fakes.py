"""The fakes that embed are faithful: the programs' own Python clients understand them, and refuse alike."""

from __future__ import annotations

import http.client
import json
from typing import Any

import numpy as np
import ollama
import openai
import pytest

from tests.contract.embedding_fakes import (
    MODEL,
    Embeds,
    hashed,
    ollama_app,
    openai_app,
    port_of,
    running,
    tei_app,
)

TEXTS = ["one", "two words", "drei"]
LONG = "word " * 600


def _unit(rows: Any) -> Any:
    rows = np.array(rows)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def test_ollama_client_shows_lists_and_embeds() -> None:
    """The real Ollama client reads capabilities, window, digest and embeddings in order."""
    with running(ollama_app(Embeds())) as url:
        client = ollama.Client(host=url)
        facts = client.show(MODEL)
        assert facts.capabilities == ["embedding"]
        assert (facts.modelinfo or {})["bert.context_length"] == 512
        assert [model.digest for model in client.list().models] == ["9f86d081"]
        found = client.embed(MODEL, TEXTS)
        client.close()  # type: ignore[no-untyped-call]
    assert np.allclose(found.embeddings, _unit(hashed(TEXTS)), atol=1e-5)


def test_ollama_client_meets_a_long_text_cut_or_refused() -> None:
    """By default the text is cut; with `truncate: false` it is refused; a missing model is a 404."""
    with running(ollama_app(Embeds())) as url:
        client = ollama.Client(host=url)
        assert len(client.embed(MODEL, LONG).embeddings) == 1
        with pytest.raises(ollama.ResponseError, match="exceeds the context length") as refused:
            client.embed(MODEL, LONG, truncate=False)
        with pytest.raises(ollama.ResponseError) as missing:
            client.embed("absent", TEXTS)
        client.close()  # type: ignore[no-untyped-call]
    assert (refused.value.status_code, missing.value.status_code) == (400, 404)


def test_openai_client_embeds_in_both_forms() -> None:
    """The real OpenAI client reads lists of numbers, and the base64 that it asks for by itself."""
    how = Embeds()
    with running(openai_app(how)) as url, openai.OpenAI(base_url=f"{url}/v1", api_key="any") as client:
        assert [model.id for model in client.models.list()] == [MODEL]
        for found in (
            client.embeddings.create(model=MODEL, input=TEXTS),
            client.embeddings.create(model=MODEL, input=TEXTS, encoding_format="float"),
        ):
            assert np.allclose([each.embedding for each in found.data], hashed(TEXTS), atol=1e-5)
            assert [each.index for each in found.data] == [0, 1, 2]
    assert [body["encoding_format"] for _, body in how.requests] == ["base64", "float"]


def test_openai_client_raises_for_each_refusal() -> None:
    """A wrong key, a missing model, an empty text and a long one are what the real client calls them."""
    with running(openai_app(Embeds(key="right"))) as url:
        with (
            openai.OpenAI(base_url=f"{url}/v1", api_key="wrong", max_retries=0) as client,
            pytest.raises(openai.AuthenticationError),
        ):
            client.embeddings.create(model=MODEL, input=TEXTS)
        with openai.OpenAI(base_url=f"{url}/v1", api_key="right", max_retries=0) as client:
            with pytest.raises(openai.NotFoundError):
                client.embeddings.create(model="absent", input=TEXTS)
            for text in ("", LONG):
                with pytest.raises(openai.BadRequestError):
                    client.embeddings.create(model=MODEL, input=[text])


def _post(url: str, path: str, body: Any = None) -> tuple[int, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", port_of(url), timeout=10)
    method = "GET" if body is None else "POST"
    connection.request(method, path, body and json.dumps(body), {"Content-Type": "application/json"})
    reply = connection.getresponse()
    found = reply.status, json.loads(reply.read())
    connection.close()
    return found


def test_tei_answers_as_its_openapi_document_says() -> None:
    """`/info` has the document's required fields; `/embed` gives rows, or an error with its type."""
    required = (
        "model_id model_dtype served_model_name model_type max_concurrent_requests max_input_length "
        "max_batch_tokens max_client_batch_size auto_truncate tokenization_workers version"
    )
    with running(tei_app(Embeds(at_once=2))) as url:
        status, info = _post(url, "/info")
        assert status == 200
        assert set(required.split()) <= info.keys()
        status, rows = _post(url, "/embed", {"inputs": TEXTS[:2]})
        assert np.allclose(rows, _unit(hashed(TEXTS[:2])), atol=1e-5)
        refusals = [{"inputs": TEXTS}, {"inputs": [""]}, {"inputs": LONG}, {"inputs": []}]
        answers = [_post(url, "/embed", body) for body in refusals]
        assert _post(url, "/embed", {"inputs": LONG, "truncate": True})[0] == 200
    assert [status for status, _ in answers] == [422, 422, 422, 400]
    assert all({"error", "error_type"} == body.keys() for _, body in answers)
