"""Conversations as ChatGPT exports them: a tree of messages, one branch of which was shown last. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

from pai_daemon.memory.importing.records import (
    Author,
    Conversation,
    Message,
    clean,
    listed,
    mapped,
    moment,
    one_line,
)

SOURCE = "chatgpt"
# What a reply refers to, and the app alone can show: between private code points, or 【1†source】.
_REFERENCES = re.compile(r"\ue200[^\ue201]{0,2000}\ue201|【[^】\n]{0,80}†[^】\n]{0,200}】")
_TEXTS = ("text", "multimodal_text", "code")
_REASONS = {
    "thoughts": "thoughts of the model",
    "reasoning_recap": "thoughts of the model",
    "user_editable_context": "instructions that were sent along",
    "model_editable_context": "instructions that were sent along",
}


def is_conversation(entry: Mapping[str, Any]) -> bool:
    """Return whether an entry is a conversation of ChatGPT."""
    return isinstance(entry.get("mapping"), dict)


def read_conversation(entry: Mapping[str, Any]) -> Conversation:
    """Return a conversation with the messages of its current branch, without those of tools."""
    nodes = mapped(entry["mapping"])
    left_out: Counter[str] = Counter()
    branch = _branch(nodes, entry.get("current_node"))
    messages: list[Message] = []
    for node in branch:
        message, reason = _message(mapped(nodes[node].get("message")))
        if message is not None:
            messages.append(message)
        if reason:
            left_out[reason] += 1
    shown = set(branch)
    others = sum(
        1
        for name, node in nodes.items()
        if name not in shown and _message(mapped(mapped(node).get("message")))[0]
    )
    if others:
        left_out["messages of other branches"] = others
    name = one_line(entry.get("conversation_id")) or one_line(entry.get("id"))
    times = [message.said for message in messages if message.said]
    return Conversation(
        source=SOURCE,
        id=name,
        title=one_line(entry.get("title")),
        created=moment(entry.get("create_time")) or min(times, default=None),
        updated=moment(entry.get("update_time")) or max(times, default=None),
        messages=tuple(messages),
        url=f"https://chatgpt.com/c/{name}" if re.fullmatch(r"[0-9a-f-]{36}", name) else "",
        left_out=left_out,
    )


def _branch(nodes: Mapping[str, Any], current: object) -> list[str]:
    """Return the names of the nodes from the root to the current one; of the latest leaf if none is."""
    if not (isinstance(current, str) and current in nodes):
        current = _latest(nodes)
    names: dict[str, None] = {}
    while isinstance(current, str) and current not in names and isinstance(nodes.get(current), dict):
        names[current] = None
        current = nodes[current].get("parent")
    return list(reversed(names))


def _latest(nodes: Mapping[str, Any]) -> str | None:
    """Return the leaf with the latest message, the last one listed where no times are known."""
    leaves = [name for name, node in nodes.items() if not listed(mapped(node).get("children"))]

    def said(name: str) -> float:
        time = moment(mapped(mapped(nodes[name]).get("message")).get("create_time"))
        return time.timestamp() if time else 0.0

    return max(reversed(leaves), key=said, default=None)


def _message(given: Mapping[str, Any]) -> tuple[Message | None, str]:
    """Return a message, None where it shows nothing, and why it does, empty where nothing is missed."""
    role = mapped(given.get("author")).get("role")
    details = mapped(given.get("metadata"))
    content = mapped(given.get("content"))
    kind = content.get("content_type")
    if not given or role == "system" or details.get("is_visually_hidden_from_conversation") is True:
        return None, ""
    if kind in _REASONS:
        return None, _REASONS[kind]
    if role not in ("user", "assistant") or given.get("recipient") not in (None, "all"):
        return None, "calls of tools and what they returned"
    if kind not in _TEXTS:
        return None, f"messages of the kind {one_line(kind)[:40] or 'unknown'}"
    text, others = _content(content)
    files = tuple(
        name for each in listed(details.get("attachments")) if (name := one_line(mapped(each).get("name")))
    )
    reason = "pictures, sounds and videos" if others else ""
    if not text.strip() and not files:
        return None, reason
    author: Author = "person" if role == "user" else "assistant"
    return Message(author, text, moment(given.get("create_time")), files), reason


def _content(content: Mapping[str, Any]) -> tuple[str, int]:
    """Return the text of a message's content, and how many of its parts are none."""
    if content.get("content_type") == "code":
        language = one_line(content.get("language"))
        return fenced(clean(content.get("text")), language if language.isalnum() else ""), 0
    texts: list[str] = []
    others = 0
    for part in listed(content.get("parts")):
        # What was spoken comes as an object with its text.
        text = clean(part) or clean(mapped(part).get("text"))
        texts += [text] if text.strip() else []
        others += isinstance(part, dict) and not text.strip()
    return _REFERENCES.sub("", "\n\n".join(texts)), others


def fenced(code: str, language: str = "") -> str:
    """Return a block of code that ends only where it ends; empty for no code."""
    if not code.strip():
        return ""
    longest = max((len(run) for run in re.findall(r"`{3,}", code)), default=2)
    marks = "`" * (longest + 1)
    return f"{marks}{language}\n{code.rstrip()}\n{marks}"
