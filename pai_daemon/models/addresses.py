"""Which server a setting names, and whether that is this machine. Pure and cheap to import.

`ollama:MODEL[@URL]`, `openai:MODEL@URL` and `tei:URL` are read here, for what embeds and for what writes.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from pai_daemon.errors import UsageError

Protocol = Literal["ollama", "openai", "tei"]
Location = Literal["local", "remote"]
OLLAMA_URL = "http://127.0.0.1:11434"
# A model's name may hold an @ or a colon of its own; an address begins with a scheme.
_ADDRESSED = re.compile(r"(?:(.+)@)?([a-z]+://.*)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Address:
    """A model of a server. model: "" where the server has but one. url: without a slash at its end."""

    protocol: Protocol
    model: str
    url: str

    @property
    def spec(self) -> str:
        """Return the setting that names this server's model."""
        return f"{self.protocol}:{self.model}@{self.url}" if self.model else f"{self.protocol}:{self.url}"

    @property
    def location(self) -> Location:
        """Return where the model runs, as far as its name tells: Ollama forwards `:120b-cloud`."""
        if self.protocol == "ollama" and self.model.endswith(("-cloud", ":cloud")):
            return "remote"
        return location_of(self.url)


def address_of(spec: str) -> Address | None:
    """Return the server that a setting names, None where it names none that can be.

    Raises UsageError for a name or a password in the URL: it would be shown with it.
    """
    kind, _, rest = spec.strip().partition(":")
    addressed = _ADDRESSED.fullmatch(rest)
    model, url = addressed.groups() if addressed else (rest, "")
    model, url = model or "", url.rstrip("/")
    if url and not _is_web_server(url):
        return None
    if kind == "ollama" and model:
        return Address("ollama", model, url or OLLAMA_URL)
    if kind == "openai" and model and url:
        return Address("openai", model, url)
    return Address("tei", "", url) if kind == "tei" and url and not model else None


def location_of(url: str) -> Location:
    """Return whether a URL's host is this machine: a loopback address or `localhost`."""
    host = (urlsplit(url).hostname or "").rstrip(".")
    if host == "localhost" or host.endswith(".localhost"):
        return "local"
    try:
        return "local" if ipaddress.ip_address(host).is_loopback else "remote"
    except ValueError:
        return "remote"


def _is_web_server(url: str) -> bool:
    """Return whether a URL names a web server and holds nothing that does not belong there."""
    try:
        parts = urlsplit(url)
        # Reading the port checks it.
        is_server = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    if is_server and "@" in parts.netloc:
        raise UsageError(
            f"The address of {parts.hostname} holds a name or a password.",
            hint="Set PAI_MODEL_KEY, or PAI_GENERATOR_KEY for what writes answers, instead.",
        )
    return is_server and not parts.query and not parts.fragment
