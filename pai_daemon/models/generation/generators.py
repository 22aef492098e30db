"""From a setting to a generator: `ollama:…`, `openai:…` or none at all."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from pai_daemon.errors import UsageError
from pai_daemon.models.generation.generator import Generator, Location, Message
from pai_daemon.models.generation.ollama import DEFAULT_URL, OllamaGenerator
from pai_daemon.models.generation.openai import OpenAIGenerator

__all__ = ["Generator", "Location", "Message", "OllamaGenerator", "OpenAIGenerator", "generator_of"]
FORMS = "extractive, ollama:MODEL, ollama:MODEL@http://HOST:PORT, openai:MODEL@http://HOST:PORT/v1"
ADDRESSED = re.compile(r"(?:(.+)@)?([a-z]+://.*)", re.IGNORECASE)


def generator_of(spec: str, api_key: str = "") -> Generator | None:
    """Return the generator a setting names, None for "extractive": answers are quoted, not written.

    Nothing is contacted. Raises UsageError that lists the forms.
    """
    kind, _, rest = spec.strip().partition(":")
    if kind == "extractive" and not rest:
        return None
    # A model's name may hold an @ or a colon of its own; an address begins with a scheme.
    addressed = ADDRESSED.fullmatch(rest)
    model, url = addressed.groups() if addressed else (rest, "")
    if kind == "ollama" and model and (not url or _is_address(url)):
        return OllamaGenerator(url or DEFAULT_URL, model)
    if kind == "openai" and model and _is_address(url):
        return OpenAIGenerator(url, model, api_key)
    raise UsageError(f"There is no generator {spec!r}.", hint=f"The forms are: {FORMS}.")


def _is_address(url: str) -> bool:
    """Return whether a URL names a web server and holds nothing that does not belong there."""
    try:
        parts = urlsplit(url)
        # Reading the port checks it.
        is_server = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        return is_server and not parts.query and not parts.fragment
    except ValueError:
        return False
