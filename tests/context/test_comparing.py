"""Two notes side by side: what both say, what one says alone, and where they contradict (D66)."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
import pytest

from pai_daemon.context.comparing.align import aligned, difference
from pai_daemon.context.comparing.comparer import Comparer
from pai_daemon.context.comparing.comparison import Comparison
from pai_daemon.context.privacy import Privacy
from pai_daemon.errors import GeneratorUnavailable, NotFound, UsageError
from pai_daemon.models.embedder import Embedder
from pai_daemon.models.generation.generators import Chosen, Generators
from pai_daemon.models.registry import Scoring
from tests.context.conftest import Live
from tests.context.test_answers import Scripted
from tests.context.test_summaries import Repeating

OFFER = """# Offer

The roof of the shed is covered with slate from Wales.
The work on the roof costs 11,200 euros including the scaffold.
The roofer begins on 3 May 2026.
A skip for the old tiles stands in the yard.
"""
LETTER = """# Letter

The roof of the shed will be covered with Welsh slate.
The work on the roof costs 13,400 euros including the scaffold.
The roofer begins on 17 May 2026.
The neighbours have agreed to the noise.
"""


@pytest.fixture(scope="module")
def offers(tmp_path_factory: pytest.TempPathFactory, embedder: Embedder) -> Iterator[Live]:
    """Yield a vault with two notes about one roof."""
    folder = tmp_path_factory.mktemp("offers")
    vault = folder / "vault"
    (vault / "Private").mkdir(parents=True)
    (vault / "Offer.md").write_text(OFFER)
    (vault / "Letter.md").write_text(LETTER)
    (vault / "Empty.md").write_text("")
    (vault / "Private" / "Diary.md").write_text("The roof of the shed is a secret of mine.\n")
    with Live(vault, folder / "index", embedder) as live:
        live.settled()
        yield live


def comparer(live: Live, generator: object = None, **more: object) -> Comparer:
    """Return a comparer of a vault."""
    return Comparer(live.searcher, Generators(Chosen(generator)), **more)  # type: ignore[arg-type]


def check_citations(comparison: Comparison) -> None:
    """Fail unless each sentence stands in the passage that it names, and the text cites what is there."""
    cited = {citation.n: citation.passage for citation in comparison.citations}
    pairs = [*comparison.both, *comparison.differ]
    for said, path in (
        *((pair.first, comparison.first.path) for pair in pairs),
        *((pair.second, comparison.second.path) for pair in pairs),
        *((one, comparison.first.path) for one in comparison.only_first),
        *((one, comparison.second.path) for one in comparison.only_second),
    ):
        assert cited[said.n].path == path
        assert said.text in cited[said.n].text
    assert {int(mark) for mark in re.findall(r"\[(\d+)\]", comparison.text)} <= set(cited)


async def test_notes_are_aligned_by_what_they_say(offers: Live) -> None:
    """What both say, what they contradict each other in, and what one says alone are told apart."""
    found = await comparer(offers).compare("Offer.md", "Letter.md")
    assert ["slate" in pair.first.text and "slate" in pair.second.text for pair in found.both] == [True]
    assert {pair.why for pair in found.differ} == {"11200 ≠ 13400", "3 ≠ 17"}
    assert [said.text for said in found.only_first] == ["A skip for the old tiles stands in the yard."]
    assert [said.text for said in found.only_second] == ["The neighbours have agreed to the noise."]
    assert (found.first_alone, found.second_alone) == (1, 1)
    check_citations(found)
    assert "**They differ**" in found.text
    assert (found.stages, found.generator.name) == (("align",), "extractive")


async def test_note_is_not_compared_with_itself_or_with_nothing(offers: Live) -> None:
    """What makes no sense is refused, with what to do."""
    with pytest.raises(UsageError):
        await comparer(offers).compare("Offer.md", "Offer.md")
    with pytest.raises(NotFound, match="no text"):
        await comparer(offers).compare("Offer.md", "Empty.md")


async def test_prose_is_held_against_both_notes(offers: Live) -> None:
    """A generator's sentence that neither note supports is marked; what was aligned is given as well."""
    told = Scripted(
        "Both notes say that the roof is covered with slate [1]. ",
        "Only the letter says that the neighbours have agreed to the noise [2]. ",
        "The moon is made of green cheese [2].",
    )
    found = await comparer(offers, told).compare("Offer.md", "Letter.md")
    assert [sentence.supported for sentence in found.sentences] == [True, True, False]
    assert found.stages == ("align", "generate", "check")
    assert len(found.differ) == 2
    prompt = told.messages[1].content
    assert "11,200 euros" in prompt
    assert "13,400 euros" in prompt
    check_citations(found)


async def test_generator_that_fails_leaves_what_was_aligned(offers: Live) -> None:
    """The text breaks off, the lists follow, and the warning says why."""
    told = Scripted("Both notes", failure=GeneratorUnavailable("It has stopped."))
    found = await comparer(offers, told).compare("Offer.md", "Letter.md")
    assert found.text.startswith("Both notes\n\n**They differ**")
    assert any("It has stopped." in warning for warning in found.warnings)
    assert "failed" in found.stages


async def test_local_only_note_is_sent_nowhere(offers: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    """One of both stays here: then neither is sent, and they are aligned all the same."""
    away = Repeating(location="remote")
    monkeypatch.setattr(offers.index, "privacy", Privacy(("Private/",)))
    made = comparer(offers, away)
    found = await made.compare("Offer.md", "Private/Diary.md")
    assert away.prompts == []
    assert any("Private/Diary.md stays on this machine" in warning for warning in found.warnings)
    await made.compare("Offer.md", "Letter.md")
    assert len(away.prompts) == 1


@pytest.mark.parametrize(
    ("first", "second", "why"),
    [
        ("The work costs 11,200 euros.", "The work costs 13,400 euros.", "11200 ≠ 13400"),
        ("The work costs 11,200 euros.", "The work costs 11.200 euros.", ""),
        ("We met on 3 May.", "We met on May 3.", ""),
        ("Der Termin ist am 03.05.2026.", "Der Termin ist am 17.05.2026.", "3 ≠ 17"),
        ("The boat is painted blue.", "The boat is not painted blue.", "only one says “not”"),
        ("Das Boot ist blau gestrichen.", "Das Boot ist nicht blau gestrichen.", "only one says “nicht”"),
        ("The boat was bought in 2019.", "The boat was bought in 2019 for 5 pounds.", ""),
        ("Five ducks swim.", "Nine trains left the station of Hull.", ""),
    ],
)
def test_contradiction_is_a_number_a_date_or_a_denial(first: str, second: str, why: str) -> None:
    """One number written in two ways is no contradiction, and neither is one that only one note gives."""
    assert difference(first, second) == why
    if not why:
        assert difference(second, first) == ""


def test_nearness_alone_is_no_agreement() -> None:
    """On one subject all sentences are near: without words in common they are not said to say the same."""
    first = ["The hull is varnished with spar varnish each spring."]
    second = ["Its engine was taken out by the yard.", "The hull is varnished with spar varnish in spring."]
    found = aligned(first, second, np.array([[0.95, 0.93]], np.float32), Scoring(0.5, 0.4, 0, 0.6))
    assert [(match.first, match.second) for match in found.matches] == [(0, 1)]
    assert (found.only_first, found.only_second) == ((), (0,))
    apart = aligned(first, second, np.array([[0.5, 0.55]], np.float32), Scoring(0.5, 0.4, 0, 0.6))
    assert (apart.matches, apart.only_first, apart.only_second) == ((), (0,), (0, 1))


def test_across_languages_meaning_decides() -> None:
    """Words say nothing there; numbers still do."""
    german, english = "Der Motor wird nach 250 Stunden gewartet.", "The engine is serviced after 300 hours."
    found = aligned([german], [english], np.array([[0.9]], np.float32), Scoring(0.5, 0.4, 0, 0.6))
    assert [match.why for match in found.matches] == ["250 ≠ 300"]
