"""A month of a diary and a morning of feeds become notes worth keeping; despair, a pointer to people."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from pai_daemon.action.composing import VaultComposer
from pai_daemon.action.digests import care, news, on_this_day, reflection
from pai_daemon.action.material import Material, Piece
from pai_daemon.action.routine import Input, Routine
from tests.action.month import MIRA, MIRA_BEFORE, MORNING, TILL, TILL_BEFORE

NOW = datetime(2026, 4, 30, 7, 0, tzinfo=UTC)
# The patterns were written with these before the eyes: what they do not name they may well miss.
HARM = """I don't see the point anymore.|I just want it all to stop.|I want to disappear forever.
I have been thinking about ending things.|I'd rather be dead.
I wish I could go to sleep and never wake up.|I hurt myself last night.|I want to kms.
Sometimes I think about unaliving myself.|I am a burden to everyone.
Thought about jumping off the bridge.|I took too many pills on purpose.|I wrote a goodbye letter.
They'd be better off if I were gone.|Life is not worth living.|I want to **die**.
I have started cutting again.|Ich mag nicht mehr leben.|Ich habe keinen Lebenswillen mehr.
Ich falle allen nur zur Last.|Ich will sterben.|Ich will einfach nicht mehr.
Ich will verschwinden, für immer.|Ich habe einen Abschiedsbrief geschrieben.
Am liebsten würde ich einschlafen und nie wieder aufwachen.
Ich hab mir heute wieder in den Arm geschnitten.|Das Leben hat keinen Sinn mehr.
Ich habe daran gedacht, von der Brücke zu springen.|Ich wollte mir was antun.
Ich habe mir wehgetan, mit Absicht.|Ich will Schluss machen mit dem Leben.
Ich halte es nicht mehr aus zu leben.
We watched the film in which he kills himself. I do not want to kill myself, I thought, not today."""
ORDINARY = """The dog died on Sunday and I cried.|I am dying to see the new flat.
This meeting was endless.|I killed the houseplant again.|Cut my finger on the bread knife.
I want to stop working on Fridays.|Ending things with Tom was right.
There is no point in repainting the hall.|I jumped off the wall into the sand.
What a relief to be home and not at work.|The story ends with the death of the whale.
I hung the pictures myself.|I would rather be tired than bored.
My back hurts, I must run less than I did.|Oma ist vor einem Jahr gestorben, sie fehlt mir.
Ich sterbe vor Hunger.|Der Kuchen ist mir missglückt.|Da muss sich was tun in der Firma.
Der Rücken hat mir wehgetan.|Ich will nicht mehr warten.|Schluss für heute.
Ich habe mir in den Finger geschnitten.|Die Batterie ist tot, ich will nach Hause.
Der Film war zum Sterben schön.|Ich möchte morgen früh aufwachen und laufen.
Das Auto macht es nicht mehr lange.|Vom Dach tropft es."""


def days(diary: dict[str, str]) -> list[Piece]:
    """Return a diary as material."""
    return [
        Piece(
            "note", day, text, f"[[{day}]]", "", datetime.fromisoformat(f"{day}T12:00:00+00:00"), f"{day}.md"
        )
        for day, text in diary.items()
    ]


def _each(texts: str) -> list[str]:
    return texts.replace("\n", "|").split("|")


@pytest.mark.parametrize("text", _each(HARM))
def test_hints_at_harming_oneself_are_noticed(text: str) -> None:
    """Also what is said around the word, with emphasis in its midst, or beside a film."""
    assert care.speaks_of_harm([f"Went for a walk. {text}"])


@pytest.mark.parametrize("text", [*_each(ORDINARY), *MIRA.values(), *MIRA_BEFORE.values(), *TILL.values()])
def test_grief_hunger_and_broken_things_are_ordinary(text: str) -> None:
    """A month of two diaries, and figures of speech, are no cry for help."""
    assert not care.speaks_of_harm([text])


def test_dark_day_of_earlier_years_is_named_without_its_words() -> None:
    """Nobody is shown years later, unasked, what they wrote at their worst."""
    text = on_this_day.compose(
        days({"2024-04-30": "I want to die.", "2025-04-30": "Sowed peas."}), date(2026, 4, 30), "en"
    )
    assert "Sowed peas" in text
    assert "[[2024-04-30]]" in text
    assert "die" not in text


def entries() -> list[Piece]:
    """Return a morning's feeds as material."""
    return [
        Piece("feed", title, text, f"https://feeds.example/{n}", feed, NOW - timedelta(hours=hours))
        for n, (feed, title, text, hours) in enumerate(MORNING)
    ]


def test_stories_of_several_feeds_are_found_by_words_alone() -> None:
    """Three tell of the river act, two of the quake; a second act, strike and watch stay by themselves."""
    found = news.stories(entries(), None, "en")
    shared = [{entry.title for entry in story.entries} for story in found if len(story.sources) > 1]
    assert [len(titles) for titles in shared] == [3, 2]
    assert "What the new river law means for swimmers" in shared[0]
    assert "Chile quake cuts power in Antofagasta" in shared[1]
    assert sum(len(story.entries) for story in found) == len(MORNING)


def test_news_tell_a_story_in_whole_sentences_of_its_own() -> None:
    """The first sentences come in order, none is left out for being short, and each link is kept."""
    text = news.compose(entries())
    assert "struck near Antofagasta early on Wednesday. No deaths were reported." in text
    assert "Train drivers called off Friday's strike after talks went through the night." in text
    for number in (0, 1, 2, 3, 4):
        assert f"(https://feeds.example/{number})" in text


def test_what_was_meant_is_told_with_what_came_of_it() -> None:
    """Nobody is asked what keeps them from a call that they made."""
    english = reflection.compose(days(MIRA), days(MIRA_BEFORE), 30)
    german = reflection.compose(days(TILL), days(TILL_BEFORE), 30)
    assert "and later wrote: “Called the landlord.” ([[2026-04-22]])" in english
    assert "und später schriebst du: „Meinen Bruder angerufen.“ ([[2026-04-27]])" in german
    assert "What keeps it" not in english
    assert "Was hält es auf" not in german


def test_themes_of_a_month_are_names_and_things() -> None:
    """No heading of a template, no adjective of German, no half name; links that recur are named."""
    english = reflection.compose(days(MIRA), days(MIRA_BEFORE), 30)
    german = reflection.compose(days(TILL), days(TILL_BEFORE), 30)
    assert re.findall(r"^- \*\*(\w+)\*\*", english, re.MULTILINE)[:3] == ["Jonah", "bakery", "landlord"]
    assert {"Ida", "Bruder", "Antrag"} < set(re.findall(r"^- \*\*(\w+)\*\*", german, re.MULTILINE))
    assert "fertig" not in german.partition("Zum Nachdenken")[0].partition("Neu:")[2]
    assert "“Ms. Okafor said nothing" in english
    assert "[[Elena]] (on 3 days)" in english


def test_quotation_leads_to_its_heading_or_block() -> None:
    """A day with headings is linked at the one above, a paragraph with a block id at that."""
    diary = {
        f"2026-04-0{n}": f"## Evening\nThe harbour was quiet, day {n} of the strike. ^b{n}" for n in (1, 2)
    }
    assert "([[2026-04-01#^b1]])" in reflection.compose(days(diary), [], 7, "en")
    plain = {day: text.partition(" ^")[0] for day, text in diary.items()}
    assert "([[2026-04-01#Evening]])" in reflection.compose(days(plain), [], 7, "en")


def test_dark_days_before_leave_no_word_in_a_reflection() -> None:
    """What was despair a month ago is not listed as a word that is no longer mentioned."""
    dark = {f"2026-03-1{n}": "Thinking about suicide and the Bluebridge." for n in (1, 2, 3)}
    text = reflection.compose(days(MIRA), days(dark), 30)
    assert "suicide" not in text
    assert "Bluebridge" not in text


@pytest.mark.parametrize("shipped", ["reflection", ""])
async def test_any_routine_that_reads_a_dark_diary_points_to_people(shipped: str) -> None:
    """A routine of the person's own asks no generator either."""
    routine = Routine(
        "own", "Routines/own.md", "Own", "Judge me.", inputs=(Input("daily", "7d"),), shipped=shipped
    )
    none: Any = None  # it must ask none of them
    composer = VaultComposer(none, none, none, none)
    material = Material(tuple(days({"2026-04-29": "I want to die."})))
    written = await composer.compose(routine, material, NOW, budget_s=5.0)
    assert written.stages == ("care",)
    assert written.prompt == ""
    assert "988" in written.text
