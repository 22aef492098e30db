"""Answers that use memory: cited by note and block, never what no longer holds, and not at all when off."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator, Sequence
from dataclasses import replace
from datetime import date

import pytest

from pai_daemon.context.answering.answer import Answer, Question
from pai_daemon.context.answering.answers import Answerer
from pai_daemon.context.answering.memory import Background, told_profile
from pai_daemon.memory.answering import MemoryOfAnswers, holds
from pai_daemon.memory.profile import PersonProfile
from pai_daemon.models.embedder import Embedder
from pai_daemon.models.generation.generator import GeneratorEvent, Message, Place, Text
from pai_daemon.models.generation.generators import Chosen, Generators
from tests.context.conftest import Live
from tests.daemon_process import eventually

TODAY = date(2026, 11, 26)
EDITOR = "Which editor do I use?"
NOTES = {
    "Memory/Editors.md": (
        "# Editors\n\n"
        "- I use the editor Emacs. (2024-01-05, from: cli) [superseded:: ^m-7f3a2c] ^m-000001\n"
        "- I use the editor Helix. (2026-11-20, from: cli) ^m-7f3a2c\n"
        "- I use the editor Nova on trial. (2026-10-01, from: cli) [until:: 2026-10-31] ^m-000003\n"
    ),
    "Memory/Remembered.md": (
        "# Remembered\n\n"
        "- I drink tea with milk (2026-11-20, from: cli) ^m-000010\n"
        "- My boat is called Anna. (2026-11-20, from: cli) ^m-000011\n"
        "- my sister is called Mira (2026-11-20, from: cli) ^m-000012\n"
    ),
    "Memory/Profile.md": "# Profile\n\n## Who I am\n\nI am Ada Quill and I live in Kiel.\n",
    "Memory/Conversations/2026-11-20 Editors.md": (
        '---\ntype: "conversation"\nclient: "cli"\nthread: "abc12345"\n---\n\n'
        "> [!quote] Answer, 2026-11-20 20:05\n> You use the editor Zzyzx, which editor else do I use.\n"
    ),
    "Boat.md": "# Boat\n\nThe engine of the boat is serviced every 250 hours.\n",
    "Private.md": "---\npai: local\n---\n# Safe\n\nThe code of the safe is 739151.\n",
}


class Told:
    """A model that writes one sentence, and what it was told."""

    name = "told"

    def __init__(self, says: str = "You use the editor Helix [1].", location: Place = "local") -> None:
        self.says, self.location, self.told = says, location, ""

    async def window(self) -> int:
        """Return a window that holds every passage."""
        return 16_384

    async def stream(
        self, messages: Sequence[Message], *, max_tokens: int
    ) -> AsyncGenerator[GeneratorEvent, None]:
        """Keep what was told, and yield the sentence."""
        self.told = "\n".join(message.content for message in messages)
        yield Text(self.says)

    async def close(self) -> None:
        """Nothing to close."""


@pytest.fixture(scope="module")
def remembering(tmp_path_factory: pytest.TempPathFactory, embedder: Embedder) -> Iterator[Live]:
    """Yield a vault with a memory."""
    folder = tmp_path_factory.mktemp("remembering")
    for name, text in NOTES.items():
        path = folder / "vault" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    with Live(folder / "vault", folder / "index", embedder) as live:
        live.settled()
        yield live


def memory_of(live: Live) -> MemoryOfAnswers:
    """Return the memory of a vault as the daemon makes it, on a fixed day."""

    def place(path: str, block_id: str) -> tuple[str, str]:
        places = live.searcher.places
        return places.link(path, (), (block_id,)), places.uri(path, (), (block_id,))

    return MemoryOfAnswers(
        "Memory", PersonProfile(live.vault, "Memory", live.paths), place, today=lambda: TODAY
    )


async def answered(live: Live, generator: Told | None, text: str = EDITOR, *, memory: bool = True) -> Answer:
    """Return the answer to a question."""
    answerer = Answerer(live.searcher, Generators(Chosen(generator)), memory=memory_of(live))
    return await answerer.ask(Question(text, memory=memory))


async def test_quoted_answer_cites_the_fact_by_note_and_block(remembering: Live) -> None:
    """The fact is quoted, with its own line and block, and a link that opens it."""
    answer = await answered(remembering, None)
    assert answer.found
    assert "Helix" in answer.answer
    cited = answer.citations[0].passage
    assert (cited.path, cited.block_id, cited.start_line) == ("Memory/Editors.md", "m-7f3a2c", 4)
    assert cited.link == "[[Editors#^m-7f3a2c]]"
    text = NOTES["Memory/Editors.md"]
    assert text[cited.start_char : cited.end_char] == cited.text


async def test_facts_of_one_note_are_quoted_each_by_itself(remembering: Live) -> None:
    """A title does not bring all facts below it along, as a lead-in does its list."""
    answer = await answered(remembering, None, "What is Anna?")
    assert answer.answer.startswith("My boat is called Anna.")
    assert "tea" not in answer.answer
    assert answer.citations[0].passage.block_id == "m-000011"


async def test_written_answer_cites_the_fact_and_knows_the_profile(remembering: Live) -> None:
    """A model is told the facts that hold as passages, and the profile as background."""
    model = Told()
    answer = await answered(remembering, model)
    assert answer.sentences[0].supported
    assert {each.passage.path for each in answer.citations} == {"Memory/Editors.md"}
    assert answer.citations[0].passage.block_id == "m-7f3a2c"
    assert "I am Ada Quill" in model.told
    assert "profile" in answer.stages


@pytest.mark.parametrize("generator", [None, "local"])
async def test_answer_without_memory_knows_nothing_of_it(remembering: Live, generator: Place | None) -> None:
    """With memory off no note of it is found, quoted or told, and the profile is not either."""
    model = Told("You use Helix.") if generator else None
    answer = await answered(remembering, model, memory=False)
    assert not [
        each for each in (*answer.citations, *answer.nearest) if each.passage.path.startswith("Memory/")
    ]
    assert "profile" not in answer.stages
    if model is None:
        assert "Helix" not in answer.answer
    else:
        assert "Helix" not in model.told
        assert "Ada Quill" not in model.told


@pytest.mark.parametrize("asked", [EDITOR, "Do I use the editor Emacs?", "Do I use the editor Nova?"])
async def test_fact_that_no_longer_holds_is_neither_quoted_nor_told(remembering: Live, asked: str) -> None:
    """What was superseded, or is past its day, is in no passage."""
    model = Told()
    for answer in (await answered(remembering, None, asked), await answered(remembering, model, asked)):
        passages = [*answer.citations, *answer.nearest]
        for text in (model.told.replace(asked, ""), *(each.passage.text for each in passages)):
            assert "Emacs" not in text
            assert "Nova" not in text


async def test_kept_conversation_is_no_evidence(remembering: Live) -> None:
    """An earlier answer is found by a search, and supports no later answer."""
    found = remembering.searcher.search("editor Zzyzx").results
    assert any("Conversations" in passage.path for passage in found)
    model = Told()
    answer = await answered(remembering, model)
    assert "Zzyzx" not in model.told + answer.answer
    assert "Zzyzx" not in (await answered(remembering, None, "Do I use the editor Zzyzx?")).answer


async def test_profile_that_stays_here_is_not_told_elsewhere(remembering: Live) -> None:
    """A local-only profile reaches a model on this machine and none beyond, and the answer says so."""
    path = remembering.vault / "Memory" / "Profile.md"
    text = path.read_text("utf-8")
    try:
        path.write_text(f"---\npai: local\n---\n{text}", "utf-8")
        eventually(
            lambda: "Memory/Profile.md" in remembering.index.private_paths(), "the profile to be read anew"
        )
        near, far = Told(), Told(location="remote")
        await answered(remembering, near)
        answer = await answered(remembering, far)
    finally:
        path.write_text(text, "utf-8")
    assert "Ada Quill" in near.told
    assert far.told
    assert "Ada Quill" not in far.told
    assert any("profile stays on this machine" in warning for warning in answer.warnings)


def test_fact_on_its_last_day_still_holds() -> None:
    """`until` names the last day; a day that is none, and a line that is no fact, end nothing."""
    fact = "- I use Nova. [until:: {}] ^m-000003"
    assert holds(fact.format("2026-11-26"), TODAY)
    assert not holds(fact.format("2026-11-25"), TODAY)
    assert holds(fact.format("2026-13-45"), TODAY)
    assert holds("A text on [superseded:: ^m-1] in prose", TODAY)


def test_profile_keeps_within_its_budget() -> None:
    """It takes at most 300 tokens and a tenth of the prompt, and is cut at a line."""
    long = Background("Memory/Profile.md", "\n".join(f"Line {number} of it." for number in range(500)))
    for budget, most in ((16_000, 300), (1_000, 100)):
        told = told_profile([long], None, budget)
        assert 0.8 * most * 3.5 < len(told) <= most * 3.5
        assert told.splitlines()[-1].endswith("of it.")
    assert told_profile([replace(long, is_local=True)], set(), 16_000) == ""
    assert told_profile([long], {"Memory/Profile.md"}, 16_000) == ""
