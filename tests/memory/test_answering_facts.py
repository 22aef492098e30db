"""Questions on oneself are answered from what is remembered, quoted, by the default model; others are not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from pathlib import Path

import pytest

from pai_daemon.context.answering.answer import Answer, Question
from pai_daemon.context.answering.answers import Answerer
from pai_daemon.memory.answering import MemoryOfAnswers
from pai_daemon.memory.journal import Journal
from pai_daemon.memory.keeping import Recollecting
from pai_daemon.memory.memory import Memory
from pai_daemon.memory.profile import PersonProfile
from pai_daemon.memory.recall import Recall
from pai_daemon.models.embedder import Embedder
from pai_daemon.models.prepare import prepare
from pai_daemon.models.registry import profile
from pai_daemon.vault.shelf import Shelf
from tests.context.conftest import Live
from tests.daemon_process import eventually

HELIX = ("Which editor do I use?", "I write in Helix.")
PAIRS = [
    HELIX,
    ("What is my sister's name?", "My sister is called Mira."),
    ("Wie trinke ich Tee?", "Ich trinke meinen Tee ohne Zucker."),
    ("Which blood group do I have?", "My blood type is A negative."),
    ("Wo liegt unser Boot?", "Unser Boot liegt in Laboe."),
    ("Who is my dentist?", "My dentist is Dr. Nguyen in Kiel."),
    ("Wogegen bin ich allergisch?", "Ich bin gegen Haselnüsse allergisch."),
    ("On which day am I off work?", "I work four days a week, Fridays are off."),
    ("Wer hat unseren Ersatzschlüssel?", "Der Ersatzschlüssel liegt bei Frau Olbrich."),
    ("Wie heißt unser Hund?", "Our dog is called Nudel."),
    ("Which car do I drive?", "Mein Auto ist ein alter Volvo."),
    ("When did I get married?", "My wedding day is 20 June."),
]
ALONE = [HELIX, ("Welchen Editor benutze ich?", "Ich schreibe in Helix.")]
UNRELATED = [
    "What is the capital of Mongolia?",
    "How do I bake bread?",
    "When was the French Revolution?",
    "Wie ist das Wetter morgen?",
    "Who wrote Faust?",
    "Wie hoch ist der Eiffelturm?",
    "Wann fährt der Zug nach Hamburg?",
    "How many people live in Kiel?",
    "Welche Partei regiert in Norwegen?",
    "What does photosynthesis need?",
]
NOTES = {
    "Garden.md": "# Garden\n\nTomatoes need full sun and are watered every morning before eight.\n",
    "Shed.md": "# Shed\n\nThe shed roof was covered with slate in October.\n",
    "Boat.md": "# Kestrel\n\nDer Motor wird alle 250 Stunden gewartet, zuletzt im Mai.\n",
}


class Remembering:
    """A vault with facts in its memory, and what answers from it."""

    def __init__(self, live: Live, folder: Path, facts: list[str]) -> None:
        shelf = Shelf(live.vault, "Memory", folder / "undo")
        memory = Memory(shelf, Journal(folder / "journal"))
        self.ids = {text: memory.remember(text, source="cli").fact.id for text in facts}
        self.recollecting = Recollecting(memory, Recall(folder / "recall"), live.index)
        live.indexer.request()
        eventually(lambda: "Memory/About me.md" in live.paths(), "the memory note in the index")
        live.settled()
        self.recollecting.keep_up()
        profile = PersonProfile(live.vault, "Memory", live.paths)
        place = live.searcher.places.of_block
        recall = partial(self.recollecting.passages, place=place)
        self.answerer = Answerer(
            live.searcher, memory=MemoryOfAnswers("Memory", profile, place, recall=recall)
        )

    async def ask(self, question: str, *, memory: bool = True) -> Answer:
        """Return the quoted answer to a question."""
        return await self.answerer.ask(Question(question, memory=memory))


@pytest.fixture(scope="module")
def main_model(model_cache: Path) -> Iterator[Embedder]:
    """Yield the default model, loaded."""
    with Embedder(prepare(profile("e5"), model_cache), threads=2) as loaded:
        yield loaded


@contextmanager
def remembering(folder: Path, model: Embedder, facts: list[str]) -> Iterator[Remembering]:
    """Yield a vault with notes, and these facts."""
    for name, text in NOTES.items():
        (folder / "vault").mkdir(parents=True, exist_ok=True)
        (folder / "vault" / name).write_text(text, "utf-8")
    with Live(folder / "vault", folder / "index", model) as live:
        live.settled()
        yield Remembering(live, folder, facts)


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory, main_model: Embedder) -> Iterator[Remembering]:
    """Yield a memory of all the facts above."""
    with remembering(tmp_path_factory.mktemp("many"), main_model, [fact for _, fact in PAIRS]) as known:
        yield known


@pytest.mark.parametrize(("question", "fact"), PAIRS)
async def test_question_on_oneself_is_answered_by_the_fact(
    many: Remembering, question: str, fact: str
) -> None:
    """Its words alone are quoted, without day and source, and its note and block are cited."""
    answer = await many.ask(question)
    assert answer.answer.startswith(f"{fact} [1]")
    assert "from:" not in answer.answer
    cited = answer.citations[0].passage
    assert (cited.path, cited.block_id) == ("Memory/About me.md", many.ids[fact])
    assert f"({datetime.now().astimezone():%Y-%m-%d}, from: cli)" in cited.text


@pytest.mark.parametrize("question", [question for question, _ in PAIRS])
async def test_no_fact_answers_where_memory_is_off(many: Remembering, question: str) -> None:
    """Nothing of the memory folder is quoted, cited or named as near."""
    answer = await many.ask(question, memory=False)
    near = (*answer.citations, *answer.nearest)
    assert not [each for each in near if each.passage.path.startswith("Memory/")]


@pytest.mark.parametrize("question", UNRELATED)
async def test_unrelated_question_is_refused(many: Remembering, question: str) -> None:
    """What has nothing to do with the person is not answered by what is nearest in memory."""
    answer = await many.ask(question)
    assert not answer.found, answer.answer


async def test_note_answers_what_memory_does_not(many: Remembering) -> None:
    """Facts do not stand in the way of notes."""
    answer = await many.ask("When are the tomatoes watered?")
    assert answer.citations[0].passage.path == "Garden.md"


@pytest.mark.parametrize(("question", "fact"), ALONE)
async def test_only_fact_there_is_answers_and_nothing_unrelated(
    tmp_path: Path, main_model: Embedder, question: str, fact: str
) -> None:
    """One fact is enough to be asked; what it may only answer is said to be the nearest."""
    with remembering(tmp_path, main_model, [fact]) as known:
        answer = await known.ask(question)
        assert answer.answer.startswith(fact)
        assert any("nearest of what you had remembered" in warning for warning in answer.warnings)
        for unrelated in UNRELATED:
            assert not (await known.ask(unrelated)).found, unrelated
