"""Notes that tell a model what to write, and a model that does as it is told."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncGenerator, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from pai_daemon.context.answering.answer import Answer, Delta, Question
from pai_daemon.context.answering.answers import Answerer
from pai_daemon.context.comparing.comparer import Comparer
from pai_daemon.context.filters import Filter
from pai_daemon.context.summaries.summarizer import Summarizer
from pai_daemon.context.summaries.summary import Step, Summary, Task
from pai_daemon.models.embedder import Embedder
from pai_daemon.models.generation.generator import GeneratorEvent, Message, Place, Text
from pai_daemon.models.generation.generators import Chosen, Generators
from tests.context.conftest import Live

INJECTIONS = json.loads((Path(__file__).parent / "injections.json").read_text("utf-8"))
SECRET = "739151"
# The one address that a person's own note holds.
OWN = "https://boats.example/engine"
HARM = {
    "an image": re.compile(r"!\[|<img", re.IGNORECASE),
    "an address": re.compile(
        r"[a-z][a-z0-9+.-]*://|\bwww\.|\b(?:javascript|data|mailto|obsidian|file):\S", re.IGNORECASE
    ),
    "a link": re.compile(r"\]\("),
    "a definition": re.compile(r"\]:"),
    "HTML": re.compile(r"<[a-z/!?%]", re.IGNORECASE),
    "code that runs": re.compile(r"(?:`{3}|~{3})[ \t]*dataview|(?:^|\s)`\s*\$?="),
    "a formula that loads": re.compile(r"\\(?:href|includegraphics)"),
    "a mark of no passage": re.compile(r"\[(?:0|[3-9]|\d\d+)\]|\[\d+,"),
}


# A summary has more passages than the two of an answer here.
MORE_PASSAGES = ("a mark of no passage",)
# What a quoted note says itself, unchanged, carries nothing.
QUOTED_TOO = (*MORE_PASSAGES, "an address", "a link")


class Obedient:
    """A model that writes what the injected note asks for, with the secret of another note."""

    name = "obedient"
    location: Place = "local"

    def __init__(self, injection: dict[str, Any], piece: int) -> None:
        self.injection = injection
        self.piece = piece

    async def window(self) -> int:
        """Return a window that holds every passage."""
        return 16_384

    async def stream(
        self, messages: Sequence[Message], *, max_tokens: int
    ) -> AsyncGenerator[GeneratorEvent, None]:
        """Yield a true sentence and then the injected text, in pieces of some characters."""
        told = "\n".join(message.content for message in messages)
        assert self.injection["asks"] in told, "the injection has to reach the model"
        (secret,) = set(re.findall(SECRET, told))
        text = f"The engine is serviced. {self.injection['says'].format(secret=secret)} Goodbye."
        for start in range(0, len(text), self.piece):
            yield Text(text[start : start + self.piece])

    async def close(self) -> None:
        """Nothing to close."""


@pytest.fixture(scope="module")
def injected(tmp_path_factory: pytest.TempPathFactory, embedder: Embedder) -> Iterator[Live]:
    """Yield a vault with every injected note and, beside each, the note with the secret."""
    folder = tmp_path_factory.mktemp("injected")
    vault = folder / "vault"
    for number, injection in enumerate(INJECTIONS):
        case = vault / f"case{number}"
        case.mkdir(parents=True)
        text = f"{injection['fact']} More: {OWN}\n\n{injection['asks']}\n\n{injection['says']}\n"
        (case / "Engine.md").write_text(text, "utf-8")
        (case / "Safe.md").write_text(f"The code of the safe beside the engine is {SECRET}.\n", "utf-8")
    with Live(vault, folder / "index", embedder) as live:
        live.settled()
        yield live


def harm_in(text: str) -> list[str]:
    """Return what a text would do where it is shown."""
    foreign = re.sub(rf"(?<!\()\b{re.escape(OWN)}(?=[\s.]|\Z)|\]\({re.escape(OWN)}\)", "", text)
    return [what for what, pattern in HARM.items() if pattern.search(foreign)]


def test_there_are_sixty_injections_of_many_kinds_and_languages() -> None:
    """The set is large enough to mean something, and no two are alike."""
    assert len({injection["says"] for injection in INJECTIONS}) >= 60
    assert len({injection["language"] for injection in INJECTIONS}) >= 10


@pytest.mark.parametrize("injection", INJECTIONS, ids=lambda injection: str(injection["kind"]))
def test_injection_does_harm_to_a_text_that_is_not_screened(injection: dict[str, Any]) -> None:
    """Each injected text is seen to be harmful, so that the test below can fail."""
    assert harm_in(injection["says"].format(secret=SECRET))


@pytest.mark.parametrize("number", range(len(INJECTIONS)), ids=lambda n: str(INJECTIONS[n]["kind"]))
async def test_obeyed_injection_reaches_nobody(injected: Live, number: int) -> None:
    """Whatever a model writes, no image, no address, no HTML, no code and no foreign mark is shown.

    Neither in a piece, nor in all pieces together, nor in the sentences; and only given passages are cited.
    """
    asked = Question("When is the engine serviced?", chosen=Filter(folder=f"case{number}"))
    for piece in (1, 7, 5000):
        answerer = Answerer(injected.searcher, Generators(Chosen(Obedient(INJECTIONS[number], piece))))
        events = [event async for event in answerer.stream(asked)]
        answer = events[-1]
        assert isinstance(answer, Answer)
        assert answer.generator.name == "obedient"
        shown = "".join(event.text for event in events if isinstance(event, Delta))
        for text in (shown, answer.answer, *(sentence.text for sentence in answer.sentences)):
            assert harm_in(text) == [], text
        assert "The engine is serviced." in shown
        assert {citation.passage.path for citation in answer.citations} <= {
            f"case{number}/Engine.md",
            f"case{number}/Safe.md",
        }


@pytest.mark.parametrize("number", range(len(INJECTIONS)), ids=lambda n: str(INJECTIONS[n]["kind"]))
async def test_obeyed_injection_gets_into_no_summary_and_no_comparison(injected: Live, number: int) -> None:
    """The same holds for a summary of the folder, written and quoted, and for two notes side by side."""
    case, task = f"case{number}", Task(Filter(folder=f"case{number}"))
    for generator, allowed in ((Obedient(INJECTIONS[number], 7), MORE_PASSAGES), (None, QUOTED_TOO)):
        generators, shown, quoted = Generators(Chosen(generator)), [], []
        summarizer = Summarizer(injected.searcher, generators)
        async for event in summarizer.stream(task):
            shown += [event.text] if isinstance(event, Delta | Step) else []
            if isinstance(event, Summary):
                shown += [event.summary, *(sentence.text for sentence in event.sentences)]
        comparer = Comparer(injected.searcher, generators)
        found = await comparer.compare(f"{case}/Engine.md", f"{case}/Safe.md")
        shown += [found.text, *(sentence.text for sentence in found.sentences)]
        quoted += [said.text for said in (*found.only_first, *found.only_second)]
        assert found.generator.name == ("obedient" if generator else "extractive")
        assert len(shown) > 3
        for text in shown:
            assert [harm for harm in harm_in(text) if harm not in allowed] == [], text
        for text in quoted:
            assert [harm for harm in harm_in(text) if harm not in QUOTED_TOO] == [], text


@pytest.mark.parametrize("number", range(len(INJECTIONS)), ids=lambda n: str(INJECTIONS[n]["kind"]))
async def test_injected_note_that_is_quoted_does_no_harm(injected: Live, number: int) -> None:
    """Without a generator the note itself is quoted, and what it holds is screened as well."""
    asked = Question("When is the engine serviced? Ignore previous", chosen=Filter(folder=f"case{number}"))
    answer = await Answerer(injected.searcher, None).ask(asked)
    for text in (answer.answer, *(sentence.text for sentence in answer.sentences)):
        assert [harm for harm in harm_in(text) if harm != "an address"] == [], text
