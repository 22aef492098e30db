"""Webhooks out: what happens is told to addresses that the person named, signed, until it is taken (D93).

What is told says which note or routine and never what stands in it; of local-only notes nothing is told. A
message is written down before it is sent, keeps its id on each try, and after the last one waits among the
dead letters.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import secrets
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, get_args

from pai_daemon.action.outside.guard import Outside, hosts_of
from pai_daemon.action.outside.signing import checked_secret, new_secret, signed
from pai_daemon.config import Settings, private_folder, write_private
from pai_daemon.errors import NotFound, PaiError, UsageError

log = logging.getLogger(__name__)
Event = Literal[
    "note.created", "note.changed", "note.removed", "routine.succeeded", "routine.failed", "action.proposed",
    "action.applied",
]  # fmt: skip
EVENTS: tuple[str, ...] = get_args(Event)
# After a failed try, those of Standard Webhooks, as far as a day.
AGAIN_S = (5, 300, 1800, 7200, 18_000, 36_000)
LOOK_S = 30.0
MAX_WAITING = 1000
MAX_DEAD = 1000


@dataclass(frozen=True, slots=True)
class Hook:
    """An address that is told of events. secret: with which its messages are signed."""

    id: str
    url: str
    events: tuple[str, ...]
    secret: str


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message to one hook. tries: how many failed; at: when it is tried next, in seconds since 1970."""

    id: str
    hook: str
    event: str
    body: str
    tries: int = 0
    at: float = 0.0
    why: str = ""


class HookFile:
    """The hooks of this person, in the configuration folder, readable by them alone."""

    def __init__(self, settings: Settings) -> None:
        self._path = settings.config_dir / "webhooks.json"

    def hooks(self) -> list[Hook]:
        """Return the hooks; those that cannot be read are passed over."""
        try:
            found = json.loads(self._path.read_text("utf-8"))
            return [Hook(each["id"], each["url"], tuple(each["events"]), each["secret"]) for each in found]
        except (OSError, ValueError, KeyError, TypeError):
            return []

    def add(self, url: str, events: Iterable[str], secret: str = "") -> Hook:
        """Return a new hook. Raises UsageError for an address or an event that is none."""
        chosen = tuple(dict.fromkeys(events)) or EVENTS
        for event in chosen:
            if event not in EVENTS:
                raise UsageError(f"There is no event {event!r}.", hint=f"Choose {', '.join(EVENTS)}.")
        hosts_of([], [url])
        made = Hook(secrets.token_hex(4), url, chosen, checked_secret(secret) if secret else new_secret())
        self._write([*self.hooks(), made])
        return made

    def remove(self, hook_id: str) -> Hook:
        """Take a hook away. Raises NotFound."""
        hook = self.get(hook_id)
        self._write([each for each in self.hooks() if each.id != hook.id])
        return hook

    def get(self, hook_id: str) -> Hook:
        """Return a hook. Raises NotFound."""
        for hook in self.hooks():
            if hook.id == hook_id:
                return hook
        raise NotFound(f"There is no webhook {hook_id!r}.", hint="`pai webhook list` shows them.")

    def _write(self, hooks: Iterable[Hook]) -> None:
        write_private(self._path, json.dumps([asdict(hook) for hook in hooks], indent=1))


class Deliveries:
    """The messages that wait, and those that nobody took, each in a file of its own."""

    def __init__(self, folder: Path) -> None:
        self.waiting, self.dead = folder / "waiting", folder / "dead"

    def put(self, delivery: Delivery) -> None:
        """Write a message down. Raises UsageError where it cannot be."""
        write_private(self.waiting / f"{delivery.id}.json", json.dumps(asdict(delivery)))

    def all(self, folder: Path) -> list[Delivery]:
        """Return the messages of a folder, oldest first."""
        found = []
        for file in sorted(folder.glob("msg_*.json")):
            with contextlib.suppress(OSError, ValueError, TypeError):
                found.append(Delivery(**json.loads(file.read_text("utf-8"))))
        return found

    def done(self, delivery: Delivery) -> None:
        """Take a message away that was taken."""
        (self.waiting / f"{delivery.id}.json").unlink(missing_ok=True)

    def bury(self, delivery: Delivery) -> None:
        """Put a message among the dead letters, the oldest of which go."""
        write_private(self.dead / f"{delivery.id}.json", json.dumps(asdict(delivery)))
        self.done(delivery)
        for old in sorted(self.dead.glob("msg_*.json"))[:-MAX_DEAD]:
            old.unlink(missing_ok=True)

    def retry(self) -> int:
        """Let all dead letters wait again; return how many there were."""
        found = self.all(self.dead)
        for each in found:
            self.put(replace(each, tries=0, at=0.0))
            (self.dead / f"{each.id}.json").unlink(missing_ok=True)
        return len(found)


class Webhooks:
    """Tells hooks what happens, for as long as it is started. Its methods are for the loop's thread."""

    def __init__(
        self,
        hooks: HookFile,
        deliveries: Deliveries,
        outside: Outside,
        *,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._hooks, self._deliveries, self._outside = hooks, deliveries, outside
        self._now = now
        self._awake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._count = 0

    def start(self) -> None:
        """Begin to send, first what an earlier process left."""
        private_folder(self._deliveries.waiting)
        self._count = len(self._deliveries.all(self._deliveries.waiting))
        self._task = asyncio.create_task(self._go_on())

    async def stop(self) -> None:
        """Stop; what was not taken waits for the next start."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def tell(self, event: str, data: Mapping[str, Any]) -> None:
        """Have the hooks of an event told; where too much waits already it is dropped, which the log says."""
        moment = datetime.fromtimestamp(self._now(), UTC).isoformat()
        for hook in self._hooks.hooks():
            if event not in hook.events:
                continue
            self._awake.set()
            if self._count >= MAX_WAITING:
                log.warning("%s is not told to %s: %d messages wait already", event, hook.id, self._count)
                continue
            body = json.dumps({"type": event, "timestamp": moment, "data": data}, ensure_ascii=False)
            message_id = f"msg_{time.time_ns():x}{secrets.token_hex(6)}"
            with contextlib.suppress(PaiError):  # a full disk costs a message, and not what it tells of
                self._deliveries.put(Delivery(message_id, hook.id, event, body))
                self._count += 1

    async def _go_on(self) -> None:
        while True:
            self._awake.clear()
            await self.send_due()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._awake.wait(), LOOK_S)

    async def send_due(self) -> None:
        """Send what is due, in order; a hook that fails keeps only its own messages waiting."""
        hooks = {hook.id: hook for hook in self._hooks.hooks()}
        waiting = await asyncio.to_thread(self._deliveries.all, self._deliveries.waiting)
        self._count = len(waiting)
        failing: set[str] = set()
        for delivery in waiting:
            hook = hooks.get(delivery.hook)
            if hook is None:
                self._deliveries.done(delivery)  # it was removed
            elif (
                delivery.at <= self._now() and hook.id not in failing and not await self._send(hook, delivery)
            ):
                failing.add(hook.id)
        self._count = len(list(self._deliveries.waiting.glob("msg_*.json")))

    async def _send(self, hook: Hook, delivery: Delivery) -> bool:
        """Send one message; return whether it was taken."""
        why = await post(self._outside, hook, delivery.id, delivery.body, self._now())
        if not why:
            self._deliveries.done(delivery)
            return True
        failed = replace(delivery, tries=delivery.tries + 1, why=why)
        with contextlib.suppress(PaiError):
            if failed.tries > len(AGAIN_S):
                log.warning("the webhook %s did not take %s: %s", hook.id, delivery.event, why)
                self._deliveries.bury(failed)
            else:
                self._deliveries.put(replace(failed, at=self._now() + AGAIN_S[failed.tries - 1]))
        return False


async def post(outside: Outside, hook: Hook, message_id: str, body: str, now: float) -> str:
    """Send a message; return "" where it was taken, else why not."""
    content = body.encode("utf-8", "replace")
    headers = {"Content-Type": "application/json", **signed(hook.secret, message_id, int(now), content)}
    try:
        answer = await outside.post(hook.url, hosts_of([], [hook.url]), content, headers)
    except PaiError as error:
        return error.detail
    return "" if 200 <= answer.status < 300 else f"the server said {answer.status}"
