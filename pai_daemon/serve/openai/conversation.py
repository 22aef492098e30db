"""What a program sends as a conversation, read as a question with what was said before it. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pai_daemon.context.answering.answer import Turn
from pai_daemon.context.search import MAX_QUERY_CHARACTERS
from pai_daemon.errors import UsageError
from pai_daemon.models.generation.generator import Message
from pai_daemon.serve.openai.protocol import ChatMessage
from pai_daemon.serve.openai.tail import without_tail
from pai_daemon.serve.wire import refuse_halves

ROLES: dict[str, Literal["system", "user", "assistant"]] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "assistant",
}
# A program that asks for a title is told what stands between these.
ASIDE = "### Task:"
_WANTED = re.compile(r'\{\s*"(title|tags|follow_ups|queries|text|prompt)"\s*:')
_HISTORY = re.compile(r"<chat_history>\s*(.*?)\s*</chat_history>", re.DOTALL)
_TITLE_WORDS, _TITLE_CHARACTERS = 7, 60
_ASKS, _LINE_CHARACTERS = ("?", "？", "؟"), 1_000
# Which of them is one text, and not a list.
_TEXTS = frozenset({"title", "text", "prompt"})


@dataclass(frozen=True, slots=True)
class Conversation:
    """A question, what was said before it by the person and in answers, and all of it as it came."""

    question: str
    history: tuple[Turn, ...]
    messages: tuple[Message, ...]


def read(messages: Sequence[ChatMessage]) -> Conversation:
    """Return a conversation. Raises UsageError where no message of the person has text."""
    said: list[Message] = []
    for message in messages:
        text = _text_of(message)
        if (role := ROLES.get(message.role)) and text.strip():
            said.append(Message(role, text))
    last = max((place for place, each in enumerate(said) if each.role == "user"), default=None)
    if last is None:
        raise UsageError(
            "messages has nothing that the user says.",
            hint="Send a message with the role user and text; pictures and sound are not read.",
        )
    history = tuple(
        Turn(each.role, without_tail(each.content) if each.role == "assistant" else each.content)
        for each in said[:last]
        if each.role != "system"
    )
    return Conversation(said[last].content, history, tuple(said))


def _text_of(message: ChatMessage) -> str:
    if message.content is None or isinstance(message.content, str):
        text = message.content or ""
    else:
        text = "\n".join(part.text for part in message.content if part.text)
    refuse_halves("messages", text)
    return text


def parted(message: str) -> tuple[str, str]:
    """Return what a message asks, and the text that it asks about: "" where all of it can be searched for.

    Who pastes a long text asks in its first line or in its last: in that which ends with a question mark, or
    else in both. The text is the whole message.
    """
    message = message.strip()
    if len(message) <= MAX_QUERY_CHARACTERS:
        return message, ""
    lines = message.splitlines()
    edges = (lines[0][:_LINE_CHARACTERS].strip(), lines[-1][-_LINE_CHARACTERS:].strip())
    return "\n".join([edge for edge in edges if edge.endswith(_ASKS)] or dict.fromkeys(edges)), message


def aside_of(conversation: Conversation) -> str:
    """Return what a chat program wants for itself, `title` or the like; "" for a question of the person.

    Open WebUI asks the model that has just answered for a title, tags and questions to follow: each would be
    searched for in the notes.
    """
    question = conversation.question.lstrip()
    wanted = _WANTED.search(question) if question.startswith(ASIDE) else None
    return wanted[1] if wanted else ""


def without_model(wanted: str, conversation: Conversation) -> str:
    """Return what such a program is told where nothing writes: a question as title, else nothing."""
    if wanted != "title":
        return json.dumps({wanted: "" if wanted in _TEXTS else []})
    history = _HISTORY.search(conversation.question)
    first = (history[1] if history else "").partition("\n")[0].removeprefix("USER:").split()
    title = " ".join(first[:_TITLE_WORDS])[:_TITLE_CHARACTERS].rstrip(" ?!.,:;")
    return json.dumps({"title": title or "Notes"}, ensure_ascii=False)
