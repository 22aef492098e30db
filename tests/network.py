"""Whether what was contacted is what may be: loopback for all, and for a daemon what doctor lists (D8)."""

from __future__ import annotations

import ipaddress
import json
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil

from pai_daemon.action.reading import read_routine
from pai_daemon.action.routine import Routine
from pai_daemon.cli.doctor import addresses
from pai_daemon.cli.start import command as start
from pai_daemon.config import Settings, load

# What a daemon may run: the worker of llama.cpp, and what the platform module asks for.
PROGRAMS = ("python", "uname")
Contact = Mapping[str, Any]


def strangers(contacts: Iterable[Contact]) -> list[str]:
    """Return what was contacted and may not be, in words; none where all is well."""
    own = {each.address.partition("%")[0] for all_of in psutil.net_if_addrs().values() for each in all_of}
    found: dict[str, None] = {}
    for contact in contacts:
        is_daemon = contact["argv"][:1] == ["start"]
        if contact["kind"] == "runs":
            wrong = is_daemon and not Path(contact["host"]).name.startswith(PROGRAMS)
        elif is_daemon and contact["kind"] != "resolves":
            own_worker = _writes_within(contact) and _is_here(contact["host"], ())
            wrong = not own_worker and not any(_is_at(contact, url) for url in listed(contact))
        elif is_daemon:
            hosts = {urlsplit(url).hostname for url in listed(contact)}
            wrong = not _is_here(contact["host"], own) and contact["host"] not in hosts
        else:
            wrong = not _is_here(contact["host"], own)
        if wrong:
            said = f"{' '.join(contact['argv'])}: {contact['kind']} {contact['host']}:{contact['port']}"
            found[said] = None
    return list(found)


def listed(contact: Contact) -> set[str]:
    """Return what `pai doctor --network` lists for a daemon, as it was set at its start and is set now."""
    read = [read_routine(path, text) for path, text in contact["routines"].items()]
    routines = [each for each in read if isinstance(each, Routine)]
    hooks = {str(hook["url"]) for hook in json.loads(contact["webhooks"] or "[]")}
    named = {str(each["url"]) for settings in _settings(contact) for each in addresses(settings, routines)}
    return hooks | named


def _writes_within(contact: Contact) -> bool:
    """Return whether a daemon may have a process of its own that writes, at a port of its own choosing."""
    return any(settings.generator.startswith(("gguf:", "auto")) for settings in _settings(contact))


def _settings(contact: Contact) -> tuple[Settings, Settings]:
    """Return the settings of a daemon, as they were at its start and are now."""
    given = start.make_context("start", list(contact["argv"][1:]), resilient_parsing=True).params
    known = Settings.__dataclass_fields__
    flags = {name: value for name, value in given.items() if name in known and value not in (None, ())}
    chosen = {
        name: value
        for name, value in tomllib.loads(contact["config"]).items()
        if name in ("model", "generator")
    }
    return load(flags, contact["environ"]), load(flags | chosen, contact["environ"])


def _is_at(contact: Contact, url: str) -> bool:
    """Return whether a contact is the server that a URL names."""
    parts = urlsplit(url)
    port = parts.port or {"http": 80, "https": 443}[parts.scheme]
    names_loopback = parts.hostname in ("localhost", "0.0.0.0") and _is_here(contact["host"], ())
    return contact["port"] == port and (contact["host"] == parts.hostname or names_loopback)


def _is_here(host: str, own: Iterable[str]) -> bool:
    """Return whether a host is this machine: loopback, every address of it, or one of its own."""
    if host in ("", "localhost") or host in own:
        return True
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified
