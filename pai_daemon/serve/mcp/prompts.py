"""The prompts that an MCP client is offered: what routines of the vault, and shipped ones, would be told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pai_daemon.action.routine import Routine
from pai_daemon.action.section import section_name
from pai_daemon.action.shipping import names, shipped
from pai_daemon.notes.frontmatter import read_frontmatter
from pai_daemon.serve.state import Served
from pai_daemon.vault.daily import filled

LOOK = {
    "feed": "the feed {}",
    "url": "the page {}",
    "daily": "the daily notes of the last {}",
    "query": "what search_notes finds for “{}”",
    "notes": "the notes {}",
    "changed": "the notes that were changed in the last {}",
    "tasks": "the tasks ({})",
    "links": "links to suggest",
    "on_this_day": "the notes of this day in earlier years",
}


@dataclass(frozen=True, slots=True)
class Prompt:
    """One prompt. about: what it is for. text: what the model is told."""

    name: str
    title: str
    about: str
    text: str


def prompts(served: Served) -> list[Prompt]:
    """Return the prompts by name; a routine of the vault goes before the shipped one of its name."""
    scheduler = served.ready().scheduler
    scheduler.look()
    found = {}
    for name in names():
        ours = shipped(name)
        head = read_frontmatter(ours.text)
        if text := ours.text[head.body_start :].strip():
            found[name] = Prompt(name, ours.title, ours.description, _dated(text, ours.title))
    for routine in scheduler.folder.routines.values():
        if routine.prompt:
            name = section_name(routine.name)
            found[name] = Prompt(name, routine.title, f"The routine {routine.name}", _told(routine))
    return [found[name] for name in sorted(found)]


def _told(routine: Routine) -> str:
    looks = [LOOK[each.kind].format(each.what or "open") for each in routine.inputs]
    lead = f"Use my notes: look at {'; '.join(looks)}.\n\n" if looks else ""
    return lead + _dated(routine.prompt, routine.title)


def _dated(text: str, title: str) -> str:
    return filled(text.replace("{{material}}", "what you find"), datetime.now().astimezone(), title)
