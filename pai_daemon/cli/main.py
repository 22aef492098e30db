"""The entry of the `pai` command: finds the command, and turns errors into exit codes."""

from __future__ import annotations

import importlib
import sys

import click

from pai_daemon import __version__
from pai_daemon.cli.output import show_error
from pai_daemon.errors import PaiError

# Command to the module that holds it, and its name there where it is not alone. Talking to a daemon must
# not cost its imports (1.5 s).
COMMANDS = {
    "start": "start",
    "setup": "setup",
    "stop": "stop",
    "open": "open",
    "status": "status",
    "search": "search",
    "ask": "ask",
    "remember": "memory:remember",
    "recall": "memory:recall",
    "forget": "memory:forget",
    "memory": "memory",
    "summarize": "summarize",
    "compare": "compare",
    "links": "links",
    "tasks": "tasks",
    "routine": "routine",
    "action": "action",
    "webhook": "webhook",
    "n8n": "n8n",
    "import": "importing",
    "export": "exporting",
    "index": "index",
    "models": "models",
    "doctor": "doctor",
    "plugin": "plugin",
    "token": "token",
    "service": "service",
    "mcp": "mcp",
}


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands in the order in which a newcomer meets them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command, imported now."""
        if cmd_name not in COMMANDS:
            return None
        place, _, name = COMMANDS[cmd_name].partition(":")
        command = getattr(importlib.import_module(f"pai_daemon.cli.{place}"), name or "command")
        assert isinstance(command, click.Command)
        return command


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="pai")
def pai() -> None:
    """Cited answers, links and search over your own notes, on your own machine."""


def main() -> None:
    """Run the command line; exit codes come from the errors (sysexits)."""
    try:
        pai(standalone_mode=False)
    except click.exceptions.Abort:
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(64 if isinstance(error, click.UsageError) else error.exit_code)
    except PaiError as error:
        show_error(error, as_json="--json" in sys.argv)
        sys.exit(error.exit_code)
