"""What Claude exports: conversations, projects with their documents, and what it remembered. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from pai_daemon.memory.importing.chatgpt import fenced
from pai_daemon.memory.importing.records import (
    Author,
    Conversation,
    Document,
    Message,
    Statement,
    clean,
    listed,
    mapped,
    moment,
    one_line,
)
from pai_daemon.memory.importing.statements import read_markdown

SOURCE = "claude"
_REASONS = {
    "thinking": "thoughts of the model",
    "redacted_thinking": "thoughts of the model",
    "tool_use": "calls of tools and what they returned",
    "tool_result": "calls of tools and what they returned",
}


def is_conversation(entry: Mapping[str, Any]) -> bool:
    """Return whether an entry is a conversation of Claude."""
    return isinstance(entry.get("chat_messages"), list)


def is_project(entry: Mapping[str, Any]) -> bool:
    """Return whether an entry is a project of Claude."""
    return "uuid" in entry and "name" in entry and ("docs" in entry or "prompt_template" in entry)


def is_memory(entry: Mapping[str, Any]) -> bool:
    """Return whether an entry is what Claude remembered."""
    return "conversations_memory" in entry or "project_memories" in entry


def read_conversation(entry: Mapping[str, Any]) -> Conversation:
    """Return a conversation with its texts and the texts that were attached."""
    left_out: Counter[str] = Counter()
    messages = [found for each in entry["chat_messages"] if (found := _message(mapped(each), left_out))]
    times = [message.said for message in messages if message.said]
    name = one_line(entry.get("uuid"))
    return Conversation(
        source=SOURCE,
        id=name,
        title=one_line(entry.get("name")),
        created=moment(entry.get("created_at")) or min(times, default=None),
        updated=moment(entry.get("updated_at")) or max(times, default=None),
        messages=tuple(messages),
        url=f"https://claude.ai/chat/{name}" if name.replace("-", "").isalnum() else "",
        left_out=left_out,
    )


def _message(given: Mapping[str, Any], left_out: Counter[str]) -> Message | None:
    """Return a message, None where it has no text; count what of it was not taken."""
    texts: list[str] = []
    for block in listed(given.get("content")):
        kind = mapped(block).get("type")
        text = clean(mapped(block).get("text"))
        if kind in _REASONS:
            left_out[_REASONS[kind]] += 1
        elif text.strip():
            texts.append(text)
        elif kind != "text":
            left_out[f"parts of the kind {one_line(kind)[:40] or 'unknown'}"] += 1
    if not texts:
        texts = [text] if (text := clean(given.get("text"))).strip() else []
    files: dict[str, None] = {}
    for each in listed(given.get("attachments")):
        name, pasted = one_line(mapped(each).get("file_name")), clean(mapped(each).get("extracted_content"))
        files |= {name: None} if name else {}
        texts += [fenced(pasted)] if pasted.strip() else []
    for each in listed(given.get("files")) + listed(given.get("files_v2")):
        name = one_line(mapped(each).get("file_name"))
        files |= {name: None} if name else {}
    if not texts and not files:
        return None
    author: Author = "person" if given.get("sender") in ("human", "user") else "assistant"
    return Message(author, "\n\n".join(texts), moment(given.get("created_at")), tuple(files))


def read_project(entry: Mapping[str, Any]) -> Iterator[Document]:
    """Yield a project's instructions and documents, each with its text."""
    project, name = one_line(entry.get("name")) or "Project", one_line(entry.get("uuid"))
    created = moment(entry.get("created_at"))
    about = [clean(entry.get("description")).strip(), clean(entry.get("prompt_template")).strip()]
    if text := "\n\n".join(part for part in about if part):
        yield Document(SOURCE, name, project, created, text, project)
    for doc in map(mapped, listed(entry.get("docs"))):
        text = clean(doc.get("content"))
        if text.strip():
            title = one_line(doc.get("filename")) or "Document"
            own = one_line(doc.get("uuid")) or f"{name}/{title}"
            yield Document(SOURCE, own, title, moment(doc.get("created_at")) or created, text, project)


def read_memory(
    entry: Mapping[str, Any], projects: Mapping[str, str], exported: datetime | None
) -> Iterator[Statement]:
    """Yield what Claude remembered, a statement for each paragraph or item of its text.

    projects: names by id. exported: the day of the export, as Claude does not say when it learned what.
    """
    yield from read_markdown(clean(entry.get("conversations_memory")), SOURCE, said=exported)
    for project, text in mapped(entry.get("project_memories")).items():
        yield from read_markdown(clean(text), SOURCE, subject=projects.get(project, ""), said=exported)
