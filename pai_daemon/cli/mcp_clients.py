"""What each known MCP client wants to be told, and in which file. Pure: names and text.

Places and forms are those of the programs' own documentation as of 2026-11; none of them was run here.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

NAME = "notes"
OWN_NAME = "TOKEN is one of its own: pai token create {name} --scope search,ask"


@dataclass(frozen=True, slots=True)
class Command:
    """What a client starts. environ: beside what it gives its servers, which is little."""

    words: Sequence[str]
    environ: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Setup:
    """What a person does. place: where; paste: what stands there; note: what else must be said."""

    place: str
    paste: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class McpClient:
    """A program that speaks MCP. form: makes the text of our command, or of our address."""

    place: str
    form: Callable[[Command, str], str]
    note: str = ""


def setup_of(name: str, command: Command, url: str) -> Setup:
    """Return what is to be done for a client in CLIENTS. command: absolute; url: of `/mcp`."""
    client = CLIENTS[name]
    return Setup(client.place, client.form(command, url), client.note.format(name=name))


def _servers(key: str, **more: str) -> Callable[[Command, str], str]:
    """Return the form of most clients: an object of servers, each with a command and its arguments."""

    def form(command: Command, _url: str) -> str:
        program, *arguments = command.words
        environ = {"env": dict(command.environ)} if command.environ else {}
        return _json({key: {NAME: {**more, "command": program, "args": arguments, **environ}}})

    return form


def _json(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


def _codex(command: Command, _url: str) -> str:
    program, *arguments = command.words
    environ = ", ".join(f"{name} = {json.dumps(value)}" for name, value in command.environ.items())
    text = f"[mcp_servers.{NAME}]\ncommand = {json.dumps(program)}\nargs = {json.dumps(arguments)}"
    return f"{text}\nenv = {{ {environ} }}" if environ else text


def _opencode(command: Command, _url: str) -> str:
    environ = {"environment": dict(command.environ)} if command.environ else {}
    return _json(
        {"mcp": {NAME: {"type": "local", "command": list(command.words), "enabled": True, **environ}}}
    )


def _claude_code(command: Command, _url: str) -> str:
    environ = "".join(f"--env {shlex.quote(f'{name}={value}')} " for name, value in command.environ.items())
    return f"claude mcp add --scope user {environ}{NAME} -- " + shlex.join(command.words)


def _http(_command: Command, url: str) -> str:
    return f"{url}\nAuthorization: Bearer TOKEN"


def _vscode_http(_command: Command, url: str) -> str:
    headers = {"Authorization": "Bearer TOKEN"}
    return _json({"mcpServers": {NAME: {"type": "http", "url": url, "headers": headers}}})


PASTE = "Into {place}; where the file has servers already, add this one to them:"
DESKTOP = (
    "~/Library/Application Support/Claude/claude_desktop_config.json (macOS), "
    r"%APPDATA%\Claude\claude_desktop_config.json (Windows)"
)
CLIENTS = {
    "claude-code": McpClient("In a terminal:", _claude_code),
    "claude-desktop": McpClient(
        PASTE.format(place=DESKTOP), _servers("mcpServers"), "Then quit Claude and open it again."
    ),
    "cline": McpClient(
        PASTE.format(place="cline_mcp_settings.json (MCP Servers, Configure)"), _servers("mcpServers")
    ),
    "codex": McpClient(PASTE.format(place="~/.codex/config.toml"), _codex),
    "cursor": McpClient(PASTE.format(place="~/.cursor/mcp.json"), _servers("mcpServers")),
    "gemini-cli": McpClient(PASTE.format(place="~/.gemini/settings.json"), _servers("mcpServers")),
    "http": McpClient("Any client that takes an address and a header:", _http, OWN_NAME),
    "http-json": McpClient("Streamable HTTP, in the form of most clients:", _vscode_http, OWN_NAME),
    "lm-studio": McpClient(PASTE.format(place="~/.lmstudio/mcp.json"), _servers("mcpServers")),
    "n8n": McpClient(
        "In the node MCP Client Tool: server transport HTTP Streamable, authentication Bearer; endpoint and "
        "token:",
        _http,
        OWN_NAME,
    ),
    "opencode": McpClient(PASTE.format(place="opencode.json"), _opencode),
    "vscode": McpClient(
        PASTE.format(place=".vscode/mcp.json, or MCP: Open User Configuration"),
        _servers("servers", type="stdio"),
    ),
    "windsurf": McpClient(PASTE.format(place="~/.codeium/windsurf/mcp_config.json"), _servers("mcpServers")),
    "zed": McpClient(PASTE.format(place="Zed's settings.json"), _servers("context_servers", source="custom")),
}
