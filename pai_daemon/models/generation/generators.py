"""From a setting to a generator: `ollama:…`, `openai:…` or none at all."""

from __future__ import annotations

from pai_daemon.errors import UsageError
from pai_daemon.models.addresses import Location, address_of
from pai_daemon.models.generation.generator import Generator, Message
from pai_daemon.models.generation.ollama import OllamaGenerator
from pai_daemon.models.generation.openai import OpenAIGenerator

__all__ = ["Generator", "Location", "Message", "OllamaGenerator", "OpenAIGenerator", "generator_of"]
FORMS = "extractive, ollama:MODEL, ollama:MODEL@http://HOST:PORT, openai:MODEL@http://HOST:PORT/v1"


def generator_of(spec: str, api_key: str = "") -> Generator | None:
    """Return the generator a setting names, None for "extractive": answers are quoted, not written.

    Nothing is contacted. Raises UsageError that lists the forms.
    """
    if spec.strip() == "extractive":
        return None
    address = address_of(spec)
    if address is not None and address.protocol == "ollama":
        return OllamaGenerator(address.url, address.model)
    if address is not None and address.protocol == "openai":
        return OpenAIGenerator(address.url, address.model, api_key)
    raise UsageError(f"There is no generator {spec!r}.", hint=f"The forms are: {FORMS}.")
