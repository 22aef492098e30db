"""A model that Ollama fetches: how far it is, and each way in which it does not come."""

from __future__ import annotations

import pytest

from pai_daemon.errors import ModelUnavailable
from pai_daemon.models.addresses import Address
from pai_daemon.models.ollama_pull import pull_by_ollama
from tests.contract.fakes import Behaviour, ollama_app, served


async def test_pull_tells_how_far_it_is() -> None:
    """Each layer by its first digits, in bytes."""
    told: list[tuple[str, int, int]] = []
    async with served(ollama_app(Behaviour())) as url:
        await pull_by_ollama(Address("ollama", "llama3.2", url), lambda *step: told.append(step))
    assert told == [("layer 74701a8c35f6", done, 900) for done in (0, 300, 900)]


@pytest.mark.parametrize(
    ("model", "how", "words"),
    [
        ("absent", Behaviour(), "does not exist"),
        ("llama3.2", Behaviour(cut_after=3), "broke off"),
        ("llama3.2", Behaviour(raw=b"nonsense\n"), "not JSON"),
        ("llama3.2", Behaviour(status=500, raw=b'{"error": "disk full"}'), "disk full"),
        ("llama3.2", Behaviour(content_type="text/html", raw=b"<html>Hi</html>"), "a web page"),
    ],
    ids=["absent", "cut", "no-json", "500", "page"],
)
async def test_pull_that_fails_says_why(model: str, how: Behaviour, words: str) -> None:
    """In Ollama's words where it has any; what is half there is never taken for whole."""
    async with served(ollama_app(how)) as url:
        with pytest.raises(ModelUnavailable, match=words):
            await pull_by_ollama(Address("ollama", model, url), lambda *_: None)
