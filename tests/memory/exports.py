"""Exports as ChatGPT, Claude and mem0 make them, as far as public importers show their form; made here."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

CHAT_ID = "6f1d2c3b-4a5e-4f60-8a7b-9c0d1e2f3a4b"
SPRING = 1715500000.0  # 2024-05-12 07:46:40 UTC


def node(
    name: str, parent: str | None, children: Sequence[str], message: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return a node of ChatGPT's tree."""
    return {"id": name, "message": message, "parent": parent, "children": list(children)}


def message(role: str, *parts: Any, said: float | None = SPRING, **more: Any) -> dict[str, Any]:
    """Return a message of ChatGPT; more: fields that differ from those of a plain one."""
    return {
        "id": "m",
        "author": {"role": role, "name": None, "metadata": {}},
        "create_time": said,
        "update_time": None,
        "content": {"content_type": "text", "parts": list(parts)},
        "status": "finished_successfully",
        "end_turn": True,
        "weight": 1.0,
        "metadata": {"model_slug": "gpt-4o", "timestamp_": "absolute"},
        "recipient": "all",
        "channel": None,
    } | more


def chatgpt(
    *said: Mapping[str, Any] | str, title: str = "Engine of the boat", chat_id: str = CHAT_ID, **more: Any
) -> dict[str, Any]:
    """Return a conversation of ChatGPT with these messages in a row; a text alone is said by turns."""
    tree = {"root": node("root", None, ["m0"] if said else [])}
    for number, each in enumerate(said):
        told = (
            message("user" if number % 2 == 0 else "assistant", each, said=SPRING + 60 * number)
            if isinstance(each, str)
            else each
        )
        before = f"m{number - 1}" if number else "root"
        after = [f"m{number + 1}"] if number + 1 < len(said) else []
        tree[f"m{number}"] = node(f"m{number}", before, after, told)
    return {
        "title": title,
        "create_time": SPRING,
        "update_time": SPRING + 3600,
        "mapping": tree,
        "current_node": f"m{len(said) - 1}" if said else "root",
        "conversation_id": chat_id,
        "id": chat_id,
    } | more


def claude(*said: Mapping[str, Any] | str, name: str = "Rust lifetimes", **more: Any) -> dict[str, Any]:
    """Return a conversation of Claude with these messages; a text alone is said by turns."""
    messages: list[dict[str, Any]] = [
        {
            "uuid": f"m-{number}",
            "sender": "human" if number % 2 == 0 else "assistant",
            "created_at": f"2025-03-01T12:{number % 60:02}:00.000000Z",
            "updated_at": f"2025-03-01T12:{number % 60:02}:00.000000Z",
            "attachments": [],
            "files": [],
        }
        | (
            {"text": each, "content": [{"type": "text", "text": each}]}
            if isinstance(each, str)
            else dict(each)
        )
        for number, each in enumerate(said)
    ]
    return {
        "uuid": "0c8f6a2e-1111-4222-8333-444455556666",
        "name": name,
        "created_at": "2025-03-01T12:00:00.123456Z",
        "updated_at": "2025-03-02T08:00:00.000000Z",
        "account": {"uuid": "a-1"},
        "chat_messages": messages,
    } | more


PROJECT = {
    "uuid": "p-1",
    "name": "Boat: refit",
    "description": "What the boat needs",
    "prompt_template": "Answer in short sentences.",
    "created_at": "2025-02-01T09:00:00.000000+00:00",
    "docs": [
        {
            "uuid": "d-1",
            "filename": "parts.md",
            "content": "# Parts\n\nImpeller",
            "created_at": "2025-02-02T09:00:00Z",
        }
    ],
}
MEMORIES = [
    {
        "conversations_memory": "**Work context**\n\nMarlene teaches physics.\n\n"
        "**Interests**\n\n- sails\n- bakes\n  bread",
        "project_memories": {"p-1": "The refit ends in May."},
        "account_uuid": "a-1",
    }
]


def archive(path: Path, members: Mapping[str, Any], *, date: tuple[int, int, int] = (2025, 6, 1)) -> Path:
    """Write an archive; members: by name, bytes and texts as they are, all else as JSON."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in members.items():
            info = zipfile.ZipInfo(name, (*date, 10, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            packed.writestr(info, content if isinstance(content, str | bytes) else json.dumps(content))
    return path


def written(path: Path, value: Any) -> Path:
    """Write a value as JSON."""
    path.write_text(json.dumps(value), encoding="utf-8")
    return path


def many(count: int, messages: int = 20, words: int = 120) -> Iterator[str]:
    """Yield the pieces of a conversations.json with so many conversations, about 40 kB each."""
    text = " ".join(f"word{number}" for number in range(words))
    for number in range(count):
        chat = chatgpt(
            *(f"{number} {each} {text}" for each in range(messages)),
            title=f"Chat {number}",
            chat_id=f"{number:08x}-0000-4000-8000-000000000000",
        )
        yield ("[" if number == 0 else ",\n") + json.dumps(chat)
    yield "]"
