"""What is remembered of a conversation: summaries, each written once, and the order of passages. Counted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence

import pytest

from pai_daemon.context.answering.answer import Turn
from pai_daemon.context.answering.conversations import MOST_KNOWN, Conversations
from pai_daemon.context.answering.prompt import build_prompt, cost_of, latest_turns
from pai_daemon.context.answering.templates import template
from pai_daemon.errors import GeneratorUnavailable
from pai_daemon.models.generation.generator import GeneratorEvent, Message, Place, Text, estimate_tokens
from tests.context.test_prompt import cited, passage

BUDGET_TOKENS = 600


class Summarizer:
    """A generator that sums up, and counts how often and what it was given."""

    name = "summarizer"
    location: Place = "local"

    def __init__(self, *, fails: bool = False, hangs: bool = False) -> None:
        self.prompts: list[Sequence[Message]] = []
        self.fails, self.hangs = fails, hangs

    async def window(self) -> int:
        """Return a small window."""
        return 4_096

    async def stream(
        self, messages: Sequence[Message], *, max_tokens: int
    ) -> AsyncGenerator[GeneratorEvent, None]:
        """Yield a summary with the number of the call, or fail, or hang."""
        self.prompts.append(messages)
        if self.fails:
            raise GeneratorUnavailable("It is away.")
        if self.hangs:
            await asyncio.sleep(60)
        yield Text(f"Summary {len(self.prompts)}.")

    async def close(self) -> None:
        """Nothing to close."""


def conversation(pairs: int) -> list[Turn]:
    """Return a conversation of so many questions, each with its answer, some 80 tokens a pair."""
    return [
        turn
        for number in range(pairs)
        for turn in (
            Turn("user", f"Question {number} about the boat and its engine?"),
            Turn("assistant", f"Answer {number}: " + "the engine runs well, and the hull is dry. " * 4),
        )
    ]


async def fitted(
    known: Conversations, turns: list[Turn], writer: Summarizer, within_s: float = 5.0
) -> tuple[str, list[Turn]]:
    """Return summary and turns."""
    said = await known.fitted(turns, BUDGET_TOKENS, writer, within_s)
    return said.summary, list(said.turns)


async def test_conversation_that_fits_is_told_as_it_was() -> None:
    """Within the budget no summary is written."""
    writer = Summarizer()
    turns = conversation(3)
    assert await fitted(Conversations(), turns, writer) == ("", latest_turns(turns))
    assert writer.prompts == []


async def test_older_turns_are_summed_up_and_the_last_ones_stay_as_they_were() -> None:
    """The summary is made of what has no room, and of nothing else; the rest is within half of the budget."""
    writer = Summarizer()
    turns = conversation(12)
    summary, kept = await fitted(Conversations(), turns, writer)
    assert summary == "Summary 1."
    assert kept == latest_turns(turns)[-len(kept) :]
    assert 0 < cost_of(kept) <= BUDGET_TOKENS // 2
    told = writer.prompts[0][1].content
    last_summed_up = 12 - len(kept) // 2 - 1
    assert f"Answer {last_summed_up}:" in told
    assert f"Answer {last_summed_up + 1}:" not in told


async def test_long_conversation_is_summed_up_now_and_then_not_with_each_question() -> None:
    """Of thirty questions a quarter at most write a summary, each from the one before and what came since."""
    writer, known = Summarizer(), Conversations()
    for pairs in range(1, 31):
        _, kept = await fitted(known, conversation(pairs), writer)
        assert cost_of(kept) <= BUDGET_TOKENS
        assert kept[-1].content.startswith(f"Answer {pairs - 1}:")
    assert 3 <= len(writer.prompts) <= 30 // 4
    assert all("Before that: Summary" in prompt[1].content for prompt in writer.prompts[1:])
    count = len(writer.prompts)
    assert (await fitted(known, conversation(30), writer))[0] == f"Summary {count}."
    assert len(writer.prompts) == count


@pytest.mark.parametrize("writer", [Summarizer(fails=True), Summarizer(hangs=True)])
async def test_summary_that_is_not_to_be_had_leaves_the_latest_turns(writer: Summarizer) -> None:
    """Away or too slow: the turns are trimmed, and the same ones are not tried again."""
    known, turns = Conversations(), conversation(12)
    summary, kept = await fitted(known, turns, writer, within_s=0.05)
    assert summary == ""
    assert kept == latest_turns(turns)[-len(kept) :]
    assert await fitted(known, turns, writer, within_s=0.05) == ("", kept)
    assert len(writer.prompts) == 1


async def test_later_summary_that_fails_leaves_the_earlier_one() -> None:
    """What was summed up already is still told; only the turns since then are left out."""
    writer, known = Summarizer(), Conversations()
    assert (await fitted(known, conversation(12), writer))[0] == "Summary 1."
    writer.fails = True
    assert (await fitted(known, conversation(24), writer))[0] == "Summary 1."
    assert len(writer.prompts) == 2


async def test_another_conversation_is_not_told_what_was_said_in_this_one() -> None:
    """A summary belongs to the turns that it sums up, to the letter."""
    writer, known = Summarizer(), Conversations()
    turns = conversation(12)
    await fitted(known, turns, writer)
    other = [Turn("user", "Who is Marlene?"), *turns[1:]]
    await fitted(known, other, writer)
    assert "Before that" not in writer.prompts[1][1].content


def test_summary_is_told_as_data_after_the_passages() -> None:
    """It stands in the fence, behind the passages, so that these are not read again when it changes."""
    prompts = [
        build_prompt(template("answer"), "Why?", cited("One.", "Two."), 4_000, summary=summary)
        .messages[1]
        .content
        for summary in ("They spoke of Kestrel.", "They spoke of Hull.")
    ]
    same, rest = prompts[0].split("They spoke of Kestrel.")
    assert prompts[1].startswith(same)
    assert "Two." in same
    assert rest.startswith("\n</notes-")


def test_summary_counts_in_the_budget() -> None:
    """Passages make room for it, as the prompt has to fit."""
    long = "They spoke of the boat. " * 40
    prompt = build_prompt(template("answer"), "Why?", cited(*["word " * 120] * 8), 1_200, summary=long)
    assert estimate_tokens(prompt.messages) <= 1_200
    assert 0 < len(prompt.citations) < 8


def test_passages_found_again_keep_their_order_and_so_their_numbers() -> None:
    """The beginning of the prompt before stays; what is new follows, the best first."""
    known = Conversations()
    one, two, three, four = (passage(f"{name}.md", name) for name in "abcd")
    known.wrote("It runs [1]. ", [one, two, three])
    history = [Turn("user", "Does it run?"), Turn("assistant", "It runs [1].")]
    assert known.steady([three, two, one], history) == [one, two, three]
    assert known.steady([four, two, one], history) == [one, two, four]


def test_passages_keep_their_order_no_further_than_the_prompt_begins_alike() -> None:
    """Where the first one is not found again nothing would be known: the best one comes first."""
    known = Conversations()
    one, two, three, four = (passage(f"{name}.md", name) for name in "abcd")
    known.wrote("It runs [1].", [one, two, three])
    history = [Turn("user", "Does it run?"), Turn("assistant", "It runs [1].")]
    assert known.steady([four, three, two], history) == [four, three, two]
    changed = passage("a.md", "a, written anew")
    assert known.steady([two, changed], history) == [two, changed]
    assert known.steady([two, one], ()) == [two, one]


def test_what_is_remembered_has_a_bound() -> None:
    """The oldest conversation is forgotten."""
    known = Conversations()
    one, two = passage("a.md", "a"), passage("b.md", "b")
    for number in range(MOST_KNOWN + 1):
        known.wrote(f"Answer {number}.", [one, two])
    for number, order in ((0, [two, one]), (1, [one, two])):
        assert known.steady([two, one], [Turn("assistant", f"Answer {number}.")]) == order
