"""`pai webhook`: addresses that are told what happens, signed, and what nobody took."""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from pathlib import Path
from typing import Any

import click
from rich.markup import escape

from pai_daemon.action.outside.guard import Outside
from pai_daemon.action.outside.webhooks import EVENTS, Deliveries, HookFile, post
from pai_daemon.cli.output import client_options, connect, console, counted, printable, show_json
from pai_daemon.config import load
from pai_daemon.errors import PaiError, UsageError


@click.group("webhook")
def command() -> None:
    """Tell other programs what happens: which note changed, which routine ran."""


@command.command("add")
@click.argument("url")
@click.option(
    "--event", "events", multiple=True, help=f"Of what it is told; repeatable. {', '.join(EVENTS)}."
)
@click.option("--secret", default="", help="whsec_…, where the other side has one; else it is made.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def add(url: str, events: tuple[str, ...], secret: str, as_json: bool) -> None:
    """Tell URL of events, of all where none is named; the secret is shown once."""
    hook = HookFile(load()).add(url, events, secret)
    if as_json:
        show_json({"id": hook.id, "url": hook.url, "events": list(hook.events), "secret": hook.secret})
        return
    console.print(f"[bold]{hook.id}[/] {escape(hook.url)}")
    console.print(f"Its messages are signed with {hook.secret}", soft_wrap=True)
    console.print(f"[dim]Try it: pai webhook test {hook.id}[/]")


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def list_hooks(as_json: bool) -> None:
    """Show the webhooks."""
    hooks = HookFile(load()).hooks()
    if as_json:
        show_json({"webhooks": [{"id": h.id, "url": h.url, "events": list(h.events)} for h in hooks]})
        return
    for hook in hooks:
        console.print(
            f"[bold]{hook.id}[/] {escape(hook.url)}  [dim]{', '.join(hook.events)}[/]", soft_wrap=True
        )
    if not hooks:
        console.print("There is none. `pai webhook add URL` makes one.")


@command.command("remove")
@click.argument("hook_id")
def remove(hook_id: str) -> None:
    """Tell an address no more."""
    hook = HookFile(load()).remove(hook_id)
    console.print(f"{escape(hook.url)} is told no more.")


@command.command("test")
@click.argument("hook_id")
def test(hook_id: str) -> None:
    """Send a message of the event `test`, and say what the other side answered."""
    hook = HookFile(load()).get(hook_id)
    body = json.dumps({"type": "test", "timestamp": time.time(), "data": {}})
    message_id = f"msg_{secrets.token_hex(12)}"
    if why := asyncio.run(post(Outside(), hook, message_id, body, time.time())):
        raise UsageError(
            f"{hook.url} did not take it: {why}.", hint="Is it there, and does it know the secret?"
        )
    console.print(f"{escape(hook.url)} took it.")


@command.command("dead")
@client_options
def dead(vault: Path | None, as_json: bool) -> None:
    """Show the messages that nobody took, a day after the first try."""
    deliveries = _deliveries(vault)
    found = deliveries.all(deliveries.dead)
    if as_json:
        show_json({"dead": [{"id": d.id, "hook": d.hook, "event": d.event, "why": d.why} for d in found]})
        return
    for each in found:
        console.print(
            f"[bold]{each.id}[/] {each.event} to {each.hook}: {escape(printable(each.why))}", soft_wrap=True
        )
    if not found:
        console.print("There is none.")


@command.command("retry")
@client_options
def retry(vault: Path | None, as_json: bool) -> None:
    """Try again to send the messages that nobody took."""
    count = _deliveries(vault).retry()
    if as_json:
        show_json({"retried": count})
    else:
        console.print(f"{counted(count, 'message')} wait again.")


def _deliveries(vault: Path | None) -> Deliveries:
    try:
        root: Any = connect(vault).status()["vault"]["path"]
    except PaiError:
        if vault is None:
            raise
        root = vault
    return Deliveries(load().actions_dir(Path(root)) / "webhooks")
