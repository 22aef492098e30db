"""What a generator is told, and how its text is read back: passages with numbers, markers `[n]`. Pure.

The passages stand in the first turn of the person, also in a conversation: a follow-up about the same
passages then begins like the prompt before, which llama.cpp, LM Studio and Ollama do not read again (D57).
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from pai_daemon.context.answering.answer import Citation, Turn
from pai_daemon.context.answering.templates import Template
from pai_daemon.context.passage import Passage
from pai_daemon.models.generation.generator import Message, beginning, estimate_tokens
from pai_daemon.notes.language import guess_language, known_language
from pai_daemon.notes.languages import language_name
from pai_daemon.notes.plain import plain_text, sentences

REFUSAL = "NOT IN NOTES"
MAX_ANSWER_TOKENS = 700
# With what is before it. Looking back keeps a long run of blanks from being read once for each of them.
MARKER = re.compile(r"(?<!\s)\s*\[(\d{1,4})\]")
# A conversation may take this share of what is left for passages.
HISTORY_SHARE = 0.25
TURN_CHARACTERS = 2_000
# So may a selection; this many characters of it are searched for.
SELECTION_SHARE = 0.4
SELECTION_CHARACTERS = 1_000
ABOUT = "About the person who asks, as background; it has no number, and no answer rests on it alone:"
# No note that was written before this process began can hold it, and so none can close the fence.
_FENCE = f"notes-{secrets.token_hex(4)}"


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a generator is told.

    citations: the passages in it, best first. turns: how many of before. selected: how many characters.
    """

    messages: tuple[Message, ...]
    citations: Sequence[Citation]
    turns: int
    selected: int


def markers(text: str, count: int) -> dict[int, None]:
    """Return the numbers of existing passages that a text cites, in order."""
    return dict.fromkeys(number for number in map(int, MARKER.findall(text)) if 1 <= number <= count)


def distinct(passages: Sequence[Passage]) -> list[Passage]:
    """Return passages without those whose text stands in a better one: copied notes, overlapping chunks."""
    kept: list[Passage] = []
    texts: list[str] = []
    for passage in passages:
        text = " ".join(passage.text.split())
        if not any(text in other for other in texts):
            kept.append(passage)
            texts.append(text)
    return kept


def build_prompt(
    template: Template,
    question: str,
    citations: Sequence[Citation],
    budget_tokens: int,
    *,
    history: Sequence[Turn] = (),
    summary: str = "",
    selection: str = "",
    profile: str = "",
) -> Prompt:
    """Return the prompt with as many passages as fit, best first, and which those are.

    A server would cut an overlong prompt silently, from its start. At least one passage stays, cut short
    if need be. history: as far as a quarter of the budget holds it, the latest turns. summary: of the turns
    before them. selection: its beginning, as far as two fifths hold it. profile: who asks, which comes first
    and stays the same from question to question.
    """
    turns = latest_turns(history, int(budget_tokens * HISTORY_SHARE))
    selection = beginning(selection, int(budget_tokens * SELECTION_SHARE))
    fence = fence_for(
        [question, selection, summary, profile, *(turn.content for turn in turns), *map(_shown, citations)]
    )
    # A summary tells what notes say, and is data like them.
    earlier = f"\n\nEarlier in this conversation:\n<{fence}>\n{summary}\n</{fence}>" if summary else ""
    about = f"{ABOUT}\n<{fence}>\n{profile}\n</{fence}>\n\n" if profile else ""

    def messages(kept: Sequence[Citation], longest: int = 0) -> tuple[Message, ...]:
        """Return the turns of the prompt; longest: of a passage's characters, 0 for all."""
        marked = f"I have selected this:\n<{fence}>\n{selection}\n</{fence}>\n\n"
        last = template.fill(
            "question",
            question=question,
            selection=marked if selection else "",
            language=_language(question),
            fence=fence,
        )
        before = [turn.content for turn in turns if turn.role == "user"]
        asked = [template.fill("question", question=each, selection="", language="") for each in before]
        asked.append(last)
        passages = f"{about}<{fence}>\n{_passages(kept, longest)}\n</{fence}>{earlier}"
        first = template.fill("user", passages=passages, question=asked[0], fence=fence)
        told = [turn.content for turn in turns if turn.role == "assistant"]
        system = Message("system", template.fill("system", fence=fence, refusal=REFUSAL))
        conversation = [Message("user", first)]
        for answer, following in zip(told, asked[1:], strict=True):
            conversation += [Message("assistant", answer), Message("user", following)]
        return (system, *conversation)

    kept = citations
    while estimate_tokens(found := messages(kept)) > budget_tokens and len(kept) > 1:
        kept = kept[:-1]
    over_tokens = estimate_tokens(found) - budget_tokens
    if over_tokens > 0 and kept:
        text = plain_text(kept[0].passage.text)
        # The whole of it may be ASCII, one byte a character.
        found = messages(kept, max(1, len(text) - 4 * over_tokens))
    return Prompt(found, kept, len(turns), len(selection))


def transcript(history: Sequence[Turn], budget_tokens: int) -> str:
    """Return the latest turns of a conversation as one text."""
    names = {"user": "Question", "assistant": "Answer"}
    return "\n".join(f"{names[turn.role]}: {turn.content}" for turn in latest_turns(history, budget_tokens))


def latest_turns(history: Sequence[Turn], budget_tokens: int | None = None) -> list[Turn]:
    """Return the latest questions with their answers, oldest first, as far as the budget holds them.

    A question without an answer, and an answer without its question, says too little. Markers go: they
    are numbers of other passages. None is no bound.
    """
    kept: list[Turn] = []
    for question, answer in reversed(list(pairwise(history))):
        if (question.role, answer.role) != ("user", "assistant"):
            continue
        pair = [
            Turn("user", question.content[:TURN_CHARACTERS].strip()),
            Turn("assistant", MARKER.sub("", answer.content[:TURN_CHARACTERS]).strip()),
        ]
        if budget_tokens is not None and cost_of([*pair, *kept]) > budget_tokens:
            break
        if all(turn.content for turn in pair):
            kept = [*pair, *kept]
    return kept


def cost_of(turns: Sequence[Turn]) -> int:
    """Return about how many tokens turns take."""
    return estimate_tokens([Message("user", turn.content) for turn in turns])


def _passages(citations: Sequence[Citation], longest: int) -> str:
    """Return the passages by note, the note of the best one first."""
    notes: dict[str, list[Citation]] = {}
    for citation in citations:
        notes.setdefault(citation.passage.path, []).append(citation)
    blocks = []
    for path, group in notes.items():
        lines = [f"Note: {path}"]
        for citation in group:
            text = plain_text(citation.passage.text)
            lines.append(f"[{citation.n}] {citation.passage.trail}\n{text[:longest] if longest else text}")
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks)


def _shown(citation: Citation) -> str:
    passage = citation.passage
    return f"{passage.path}\n{passage.trail}\n{passage.text}"


def fence_for(texts: Sequence[str]) -> str:
    """Return a word that stands in none of the texts."""
    fence = _FENCE
    while any(fence in text for text in texts):
        fence = f"notes-{secrets.token_hex(8)}"
    return fence


def _language(question: str) -> str:
    """Return in which language to answer: named where it is sure, since small models write English else."""
    code = known_language(question)
    return f"Answer in {language_name(code)}." if code else "Answer in the language of the question."


def split_answer(text: str, count: int) -> tuple[list[str], list[tuple[int, ...]]]:
    """Return an answer's sentences without markers, and the existing citations that each claims."""
    # A marker after the full stop belongs to the sentence before it.
    joined = re.sub(
        r"([.!?…。！？])((?:\s*\[\d{1,4}\])+)", lambda match: match.group(2) + match.group(1), text
    )
    texts, claimed = [], []
    for sentence in sentences(joined, guess_language(text)):
        plain = MARKER.sub("", sentence.text).strip()
        if plain:
            texts.append(plain)
            claimed.append(tuple(markers(sentence.text, count)))
    return texts, claimed
