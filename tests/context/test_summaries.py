"""Summaries of the sample vault and of made ones: quoted, written in parts, broken off, stopped (D66)."""

from __future__ import annotations

import asyncio
import gc
import re
import shutil
from collections.abc import AsyncGenerator, Callable, Sequence
from pathlib import Path

import pytest

from pai_daemon.context.answering.answer import Citation, Delta
from pai_daemon.context.filters import Filter
from pai_daemon.context.passage import Passage
from pai_daemon.context.privacy import Privacy
from pai_daemon.context.summaries.summarizer import Summarizer
from pai_daemon.context.summaries.summary import Estimate, Step, Summary, Task
from pai_daemon.errors import GeneratorUnavailable, NotFound
from pai_daemon.models.generation.generator import (
    GeneratorEvent,
    Message,
    Place,
    Text,
    Usage,
    estimate_tokens,
)
from pai_daemon.models.generation.generators import Chosen, Generators
from tests.context.conftest import GoLive, Hashed, Live
from tests.context.test_answers import WordsAlone

ALL = Task(Filter())
LINE = re.compile(r"^\[(\d+)\] [^\n]*\n([^\n]+)", re.MULTILINE)


class Repeating:
    """A generator that repeats the first words of each text it is given, with its number; it counts.

    on_call: may do something before the text of a call, by the number of the call.
    """

    name = "repeating"

    def __init__(
        self,
        *,
        window: int = 4096,
        location: Place = "local",
        on_call: Callable[[int], str | None] = lambda _: None,
        delay_s: float = 0.0,
    ) -> None:
        self.location: Place = location
        self.prompts: list[str] = []
        self.tokens: list[int] = []
        self.closed = 0
        self.on_call = on_call
        self.delay_s = delay_s
        self._window = window

    async def window(self) -> int:
        """Return the window that a test sets."""
        return self._window

    async def stream(
        self, messages: Sequence[Message], *, max_tokens: int
    ) -> AsyncGenerator[GeneratorEvent, None]:
        """Yield a sentence for each text, piece by piece."""
        self.prompts.append("\n".join(message.content for message in messages))
        self.tokens.append(estimate_tokens(messages) + max_tokens)
        try:
            said = self.on_call(len(self.prompts))
            asked = re.search(r"in at most (\d+) sentences", self.prompts[-1])
            found = LINE.findall(self.prompts[-1])[: int(asked[1]) if asked else 3]
            text = said or " ".join(f"{line.rstrip('.')[:200]} [{number}]." for number, line in found)
            for piece in re.findall(r"\S+\s*", text):
                await asyncio.sleep(self.delay_s)
                yield Text(piece)
            yield Usage(10, 5)
        except (GeneratorExit, asyncio.CancelledError):
            self.closed += 1
            raise

    async def close(self) -> None:
        """Nothing to close."""


def summarizer(live: Live, generator: Repeating | None = None, **more: object) -> Summarizer:
    """Return a summarizer of a vault."""
    return Summarizer(live.searcher, Generators(Chosen(generator)), **more)  # type: ignore[arg-type]


def write_notes(vault: Path, count: int, words: int = 40) -> None:
    """Write notes of one paragraph each, all different."""
    vault.mkdir(exist_ok=True)
    for number in range(count):
        text = " ".join(f"word{number}x{place}" for place in range(words))
        (vault / f"Note {number:04}.md").write_text(f"The {number}th boat is called {text}.\n", "utf-8")


@pytest.fixture
def hashed_vault(tmp_path: Path) -> Callable[[int], Live]:
    """Return a function that indexes so many made notes, with a model that costs nothing."""

    def start(count: int) -> Live:
        write_notes(tmp_path / f"made{count}", count)
        live = Live(tmp_path / f"made{count}", tmp_path / f"made-index{count}", Hashed("hashed"))
        live.settled()
        return live

    return start


# Quoted.


async def test_quoted_summary_stands_in_the_notes_it_cites(sample: Live) -> None:
    """Each sentence is in the passage that its mark names, marks count from 1, and no note is left out."""
    summary = await summarizer(sample).summarize(ALL)
    cited = {citation.n: citation.passage for citation in summary.citations}
    assert list(cited) == list(range(1, len(cited) + 1))
    assert 5 <= len(summary.sentences) <= ALL.limit
    for sentence in summary.sentences:
        (number,) = sentence.citations
        words = re.findall(r"\w+", sentence.text)
        assert set(words) <= set(re.findall(r"\w+", cited[number].text)), sentence
        assert f"{sentence.text} [{number}]" in summary.summary
    named = {topic.note.path for topic in summary.topics}
    named |= {name.path for topic in summary.topics for name in topic.also}
    assert named == sample.paths()
    assert (summary.stages, summary.generator.name) == (("extract",), "extractive")
    assert summary.estimate.calls == summary.estimate.tokens == 0


async def test_summary_of_a_folder_quotes_only_its_notes(sample: Live) -> None:
    """What a filter leaves out is in no sentence and in no list."""
    summary = await summarizer(sample).summarize(Task(Filter(folder="Garden")))
    assert {citation.passage.path.partition("/")[0] for citation in summary.citations} == {"Garden"}
    assert (summary.about, summary.estimate.notes) == ("Garden", 3)


async def test_topics_stand_for_every_other_note(hashed_vault: Callable[[int], Live]) -> None:
    """Where there are more notes than sentences, each is quoted, or counted with the one it is near."""
    with hashed_vault(60) as live:
        summary = await summarizer(live).summarize(Task(Filter(), limit=5))
        assert len(summary.topics) == 5
        assert sum(1 + len(topic.also) + topic.others for topic in summary.topics) == 60


async def test_alike_notes_are_quoted_once(go_live: GoLive, tmp_path: Path) -> None:
    """Of several notes that say the same, one is quoted before another subject is left out."""
    vault = tmp_path / "alike"
    vault.mkdir()
    for number in range(6):
        text = "The engine of the narrowboat is serviced every spring by the yard in Hull."
        (vault / f"Engine {number}.md").write_text(f"# Engine {number}\n\n{text}\n")
    (vault / "Bread.md").write_text(
        "# Bread\n\nThe sourdough proves for eighteen hours in the cold pantry.\n"
    )
    live = go_live(vault)
    live.settled()
    summary = await summarizer(live).summarize(Task(Filter(), limit=2))
    assert {"Bread.md"} < {citation.passage.path for citation in summary.citations}


async def test_one_note_is_quoted_in_its_order(sample: Live) -> None:
    """Of one note some sentences are quoted, a third at most, in the order in which they stand."""
    path = "Projects/Narrowboat.md"
    summary = await summarizer(sample).summarize(Task(Filter(folder=path)))
    text = (sample.vault / path).read_text("utf-8")
    assert 1 <= len(summary.sentences) <= text.count(".") / 2
    lines = {citation.n: citation.passage.start_line for citation in summary.citations}
    places = [lines[sentence.citations[0]] for sentence in summary.sentences]
    assert places == sorted(places)


async def test_summary_while_the_model_is_away_is_quoted_by_words(left: Live) -> None:
    """Meaning then chooses the notes alone, by what the index holds."""
    summary = await summarizer(left).summarize(ALL)
    assert summary.sentences
    alone = Summarizer(WordsAlone(left.vault, left.index))
    assert (await alone.summarize(ALL)).sentences


async def test_folder_that_does_not_exist_names_what_does(sample: Live) -> None:
    """The error says what to do: the nearest folder, tag or property."""
    for chosen, near in (
        (Filter(folder="garten"), "Garden"),
        (Filter(folder="projects"), "Projects"),
        (Filter(folder="pr"), "Projects"),
        (Filter(tags=("bot",)), "#project/boat"),
        (Filter(folder="zzzz"), "pai status"),
    ):
        with pytest.raises(NotFound) as caught:
            await summarizer(sample).estimate(Task(chosen))
        assert near in caught.value.hint, (chosen, caught.value.hint)


async def test_notes_without_text_are_told(go_live: GoLive, tmp_path: Path) -> None:
    """Empty notes are no summary, and not the same as no notes."""
    (tmp_path / "bare").mkdir()
    (tmp_path / "bare" / "Empty.md").write_text("")
    live = go_live(tmp_path / "bare")
    live.settled()
    with pytest.raises(NotFound, match="no text"):
        await summarizer(live).summarize(ALL)


# Written.


async def test_short_notes_are_read_in_one_call_and_streamed(sample: Live) -> None:
    """What fits is read once; the pieces are the summary, and each citation comes before its mark."""
    generator = Repeating(window=16_384)
    events = [event async for event in summarizer(sample, generator).stream(Task(Filter(folder="Garden")))]
    assert isinstance(events[0], Estimate)
    summary = events[-1]
    assert isinstance(summary, Summary)
    assert (len(generator.prompts), events[0].calls) == (1, 1)
    text, seen = "", set()
    for event in events:
        if isinstance(event, Citation):
            seen.add(event.n)
        elif isinstance(event, Delta):
            text += event.text
            assert {int(mark) for mark in re.findall(r"\[(\d+)\]", text)} <= seen
    assert text.strip() == summary.summary
    assert all(sentence.supported for sentence in summary.sentences)
    assert summary.stages == ("read", "check")
    assert (summary.generator.name, bool(summary.template)) == ("repeating", True)
    assert summary.usage == Usage(10, 5)


@pytest.mark.parametrize("window", [2_048, 4_096, 32_768])
async def test_a_thousand_notes_cost_the_calls_that_were_told(
    hashed_vault: Callable[[int], Live], window: int
) -> None:
    """The generator is asked exactly as often as the estimate says, and no prompt is beyond its window."""
    with hashed_vault(1_000) as live:
        generator = Repeating(window=window)
        events = [event async for event in summarizer(live, generator).stream(ALL)]
        estimate, summary = events[0], events[-1]
        assert isinstance(estimate, Estimate)
        assert isinstance(summary, Summary)
        assert (estimate.notes, summary.notes_read) == (1_000, 1_000)
        assert len(generator.prompts) == estimate.calls > 1
        assert max(generator.tokens) <= window
        assert sum(generator.tokens) < 1.5 * estimate.tokens + 1_300 * estimate.calls
        steps = [event for event in events if isinstance(event, Step)]
        assert [step.done for step in steps] == list(range(1, estimate.calls))
        assert {step.total for step in steps} == {estimate.calls}
        assert steps[-1].left_s is not None
        assert summary.stages == ("read", "join", "check")
        assert {sentence.supported for sentence in summary.sentences} == {True}
        paths = {citation.passage.path for citation in summary.citations}
        assert paths <= live.paths()
        assert paths


async def test_text_in_memory_does_not_grow_with_the_notes(hashed_vault: Callable[[int], Live]) -> None:
    """Of four times as many notes no more passages are held at any step: joined is as soon as it can be."""
    held = []
    for count in (150, 600):
        with hashed_vault(count) as live:
            most = 0
            async for event in summarizer(live, Repeating(window=2_048)).stream(ALL):
                if isinstance(event, Step) and not event.done % 4:
                    gc.collect()
                    most = max(most, sum(isinstance(each, Passage) for each in gc.get_objects()))
            held.append(most)
    assert 0 < held[1] <= 1.5 * held[0]
    assert held[1] < 250


async def test_statement_that_no_passage_supports_is_not_passed_on(
    hashed_vault: Callable[[int], Live],
) -> None:
    """What a part makes up is dropped and counted; what the last text makes up is marked."""
    with hashed_vault(200) as live:

        def invents(call: int) -> str | None:
            return (
                "The moon is made of green cheese [1]. The 0th boat is called word0x0 [1]."
                if call == 1
                else None
            )

        generator = Repeating(on_call=invents)
        summary = await summarizer(live, generator).summarize(ALL)
        assert not any("cheese" in prompt for prompt in generator.prompts)
        assert any("1 statement" in warning for warning in summary.warnings)

        last = Repeating(
            on_call=lambda call: "The moon is made of cheese [1]." if call == summary.estimate.calls else None
        )
        summary = await summarizer(live, last).summarize(ALL)
        assert [(each.supported, each.citations) for each in summary.sentences] == [(False, ())]


async def test_part_that_fails_is_named_and_quoted(hashed_vault: Callable[[int], Live]) -> None:
    """One part fails, the others are read, and the warning names the notes and the reason."""
    with hashed_vault(200) as live:

        def fails(call: int) -> str | None:
            if call == 2:
                raise GeneratorUnavailable("the runner has stopped.")
            return None

        generator = Repeating(on_call=fails)
        summary = await summarizer(live, generator).summarize(ALL)
        assert len(generator.prompts) == summary.estimate.calls
        (warning,) = summary.warnings
        named = re.search(r"Note (\d+)\.md", warning)
        assert named is not None
        assert "the runner has stopped" in warning
        assert f"The {int(named[1])}th boat" in generator.prompts[1]
        # What was quoted of it is joined like what was written of the others.
        assert "failed" in summary.stages
        second = set(re.findall(r"The (\d+)th boat", generator.prompts[1]))
        joined = [prompt for prompt in generator.prompts if "main statements" in prompt]
        assert second & set(re.findall(r"The (\d+)th boat", "".join(joined)))


async def test_generator_that_fails_twice_is_not_asked_again(hashed_vault: Callable[[int], Live]) -> None:
    """An hour of failures helps nobody: after two in a row the notes are quoted."""
    with hashed_vault(300) as live:

        def fails(_call: int) -> str | None:
            raise GeneratorUnavailable("It is away.")

        generator = Repeating(on_call=fails)
        summary = await summarizer(live, generator).summarize(ALL)
        assert len(generator.prompts) == 2 < summary.estimate.calls
        assert summary.topics
        assert len(summary.warnings) == 1
        assert (summary.generator.name, summary.stages) == ("extractive", ("read", "failed", "extract"))
        assert any("It is away." in warning for warning in summary.warnings)


async def test_generator_that_hangs_is_left(hashed_vault: Callable[[int], Live]) -> None:
    """A call has a time of its own; its part is quoted, and the summary comes all the same."""
    with hashed_vault(60) as live:
        generator = Repeating(window=2_048, delay_s=3600)
        summary = await summarizer(live, generator, budget_s=0.1).summarize(ALL)
        assert len(generator.prompts) == generator.closed == 2
        assert "late" in summary.stages
        assert summary.sentences


async def test_budget_ends_the_reading_and_quotes_the_rest(hashed_vault: Callable[[int], Live]) -> None:
    """Once the time is up nothing more is asked; what was read stays, with what it rests on."""
    with hashed_vault(300) as live:
        generator = Repeating(delay_s=0.004)
        summary = await summarizer(live, generator).summarize(Task(Filter(), budget_s=1.5))
        assert 1 <= len(generator.prompts) < summary.estimate.calls
        assert summary.sentences
        assert summary.summary


async def test_last_call_that_breaks_off_leaves_the_statements(hashed_vault: Callable[[int], Live]) -> None:
    """What was said of the parts is listed, so that an hour of reading is not lost."""
    with hashed_vault(200) as live:
        calls = (await summarizer(live, Repeating()).estimate(ALL)).calls

        def fails(call: int) -> str | None:
            if call == calls:
                raise GeneratorUnavailable("It has stopped.")
            return None

        summary = await summarizer(live, Repeating(on_call=fails)).summarize(ALL)
        assert "statements" in summary.stages
        assert len(summary.sentences) == ALL.limit
        assert {citation.n for citation in summary.citations} == {
            n for each in summary.sentences for n in each.citations
        }
        assert any("It has stopped." in warning for warning in summary.warnings)


async def test_closing_the_stream_stops_the_generator(hashed_vault: Callable[[int], Live]) -> None:
    """Who leaves in the midst of a part stops it there: its text is closed, and no other is begun."""
    with hashed_vault(200) as live:
        generator = Repeating(delay_s=0.01)
        stream = summarizer(live, generator).stream(ALL)
        async for event in stream:
            if isinstance(event, Step):
                break
        waiting = asyncio.ensure_future(anext(stream))
        await asyncio.sleep(0.1)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        await stream.aclose()
        assert (len(generator.prompts), generator.closed) == (2, 1)


async def test_local_only_notes_reach_no_generator_elsewhere(go_live: GoLive, tmp_path: Path) -> None:
    """They are counted as kept back and in no prompt; where all notes are such, nothing is asked."""
    vault = tmp_path / "private"
    (vault / "Diary").mkdir(parents=True)
    (vault / "Diary" / "Day.md").write_text("The secret of the diary is kept in the green box.\n")
    (vault / "Tax.md").write_text("---\npai: local\n---\nThe secret of the tax is kept in the red box.\n")
    (vault / "Boat.md").write_text("The engine of the boat is serviced every spring.\n")
    live = go_live(vault)
    live.settled()
    live.index.privacy = Privacy(("Diary/",))
    generator = Repeating(location="remote")
    made = summarizer(live, generator)
    summary = await made.summarize(ALL)
    assert (summary.estimate.notes, summary.estimate.kept_back) == (3, 2)
    assert any("2 of the notes stay on this machine" in warning for warning in summary.warnings)
    assert [("secret" in prompt, "engine" in prompt) for prompt in generator.prompts] == [(False, True)]
    summary = await made.summarize(Task(Filter(folder="Diary")))
    assert (len(generator.prompts), summary.estimate.calls, summary.estimate.kept_back) == (1, 0, 1)
    assert "green box" in summary.summary
    here = Repeating(location="local")
    await summarizer(live, here).summarize(ALL)
    assert "green box" in here.prompts[0]


async def test_note_that_changes_meanwhile_is_named(go_live: GoLive, sample: Live, tmp_path: Path) -> None:
    """A cited note that is written while the summary is, is stale in it, and the summary says so."""
    vault = tmp_path / "changing"
    shutil.copytree(sample.vault / "Garden", vault)
    live = go_live(vault)
    live.settled()

    def writes(_call: int) -> str | None:
        (vault / "Compost.md").write_text("# Compost\n\nAll of this is new and nothing is as it was.\n")
        return None

    summary = await summarizer(live, Repeating(on_call=writes)).summarize(ALL)
    assert summary.changed == ("Compost.md",)
    assert {each.passage.path for each in summary.citations if each.passage.stale} == {"Compost.md"}
    assert any("Compost.md" in warning for warning in summary.warnings)


async def test_estimate_knows_the_time_once_the_generator_has_written(sample: Live) -> None:
    """Before the first text nobody knows how fast it is; after it, the estimate tells seconds."""
    generators = Generators(Chosen(Repeating(window=16_384, delay_s=0.001)))
    made = Summarizer(sample.searcher, generators)
    assert (await made.estimate(ALL)).seconds is None
    await made.summarize(ALL)
    seconds = (await made.estimate(ALL)).seconds
    assert seconds is not None
    assert 0 < seconds < 60


async def test_language_of_the_notes_is_asked_for(go_live: GoLive, tmp_path: Path) -> None:
    """German notes are summarised in German, written and quoted."""
    vault = tmp_path / "deutsch"
    vault.mkdir()
    for number in range(14):
        (vault / f"Notiz {number}.md").write_text(
            f"Der Motor des {number}. Bootes wird in jedem Jahr von der Werft in Emden gewartet.\n"
        )
    live = go_live(vault)
    live.settled()
    generator = Repeating()
    await summarizer(live, generator).summarize(ALL)
    assert "Write in German." in generator.prompts[0]
    assert "(auch: [[" in (await summarizer(live).summarize(Task(Filter(), limit=3))).summary


async def test_prompt_of_a_person_is_used_and_a_wrong_one_is_told(sample: Live, tmp_path: Path) -> None:
    """`prompts/summarize.md` takes the place of ours; one that lacks a place does not, which is said."""
    own = tmp_path / "prompts"
    own.mkdir()
    told = "# system\n{{fence}} {{count}} AHOY\n# user\n{{passages}}\n# join\n{{statements}}\n"
    (own / "summarize.md").write_text(told)
    generator = Repeating(window=16_384)
    summary = await summarizer(sample, generator, own_templates=own).summarize(ALL)
    assert "AHOY" in generator.prompts[0]
    assert summary.template.startswith("own-")
    (own / "summarize.md").write_text("# system\nnothing\n")
    summary = await summarizer(sample, generator, own_templates=own).summarize(ALL)
    assert any("lacks" in warning for warning in summary.warnings)
    assert not summary.template.startswith("own-")
