"""What the shipped routines write without a model is worth keeping, and never an analysis of despair."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from pai_daemon.action.digests import care, inbox, news, on_this_day, reflection, review
from pai_daemon.action.digests.inbox import Kin
from pai_daemon.action.digests.wording import LANGUAGES, harmless, of_language
from pai_daemon.action.material import Piece
from pai_daemon.notes.markdown import read_markdown
from tests.action.diary import ADA, ADA_BEFORE, JONAS, JONAS_BEFORE

NOW = datetime(2026, 3, 28, 18, 0, tzinfo=UTC)


def days(diary: dict[str, str]) -> list[Piece]:
    """Return a diary as material."""
    return [
        Piece(
            "note", day, text, f"[[{day}]]", "", datetime.fromisoformat(f"{day}T12:00:00+00:00"), f"{day}.md"
        )
        for day, text in diary.items()
    ]


def entry(feed: str, title: str, text: str, hours: int = 0) -> Piece:
    """Return an entry of a feed."""
    link = f"https://{feed.lower()}.example/{len(title)}"
    return Piece("feed", title, text, link, feed, NOW - timedelta(hours=hours))


def test_reflection_tells_themes_changes_and_questions_in_own_words() -> None:
    """Every quotation stands in the diary, with the day that it stands in."""
    text = reflection.compose(days(ADA), days(ADA_BEFORE), 30)
    for part in (
        "**What came up**",
        "**boat**, on 5 days",
        "New: *hospital*, *Marlene*",
        "*audit*",
        "which I had never heard of. Grateful.” ([[2026-03-19]])",
    ):
        assert part in text
    assert "You asked yourself “What would it mean to live on the water?” ([[2026-03-03]])" in text
    assert "You wrote on 12 of 30 days; in the 30 days before on 8." in text
    assert "no advice" in text
    for quotation in text.split("“")[1:]:
        said, _, after = quotation.partition("”")
        day = after.partition("([[")[2][:10]
        assert said.rstrip("…") in " ".join(ADA[day].split()) or said in ("tired", "boat"), said


def test_reflection_of_a_german_diary_is_german() -> None:
    """Its words and its quotation marks are."""
    text = reflection.compose(days(JONAS), days(JONAS_BEFORE), 30)
    for part in (
        "**Was vorkam**",
        "**Garten**, an 3 Tagen",
        "Neu: *Garten*",
        "„Warum schweige ich?“ ([[2026-03-22]])",
    ):
        assert part in text
    assert "kein Rat" in text


def test_reflection_of_nothing_says_so() -> None:
    """Days without an entry are no theme."""
    assert reflection.compose([], [], 7, "en") == "There is no diary entry in these days."
    assert (
        reflection.compose(days({"2026-03-01": "\n"}), [], 7, "de")
        == "In diesen Tagen steht nichts im Tagebuch."
    )


@pytest.mark.parametrize(
    "text",
    [
        "I want to die.", "I keep thinking about killing myself.", "I don't want to be here any more.",
        "Everyone would be better off without me.", "I cut myself again.", "I can't go on like this.",
        "Read about suicide in the paper.", "There is no point in going on.", "I wish I was never born.",
        "I am not going to kill myself.", "Self-harm again last night.", "I want to end it all.",
        "Ich will nicht mehr leben.", "Ich denke oft daran, mich umzubringen.", "Am liebsten wäre ich tot.",
        "Ich habe mich wieder geritzt.", "Alle wären ohne mich besser dran.", "Ich kann nicht mehr weiter.",
        "Ich möchte nur noch sterben.", "Manchmal denke ich an Selbstmord.", "Ich will mir das Leben nehmen.",
        "Ich möchte morgen nicht mehr aufwachen.",
    ],
)  # fmt: skip
def test_text_that_speaks_of_harming_oneself_is_noticed(text: str) -> None:
    """In English and German, also in a denial or a quotation: better once too often."""
    assert care.speaks_of_harm([f"Went for a walk. {text} Then slept."])


@pytest.mark.parametrize(
    "text",
    [
        *ADA.values(), *ADA_BEFORE.values(), *JONAS.values(), *JONAS_BEFORE.values(),
        "The battery died on the way.", "I could die of laughter at this one.",
        "Cut the bread and burned my tongue.",
        "The deadline is killing me.", "Ich kann nicht mehr, so satt bin ich.", "Der Akku ist tot.",
        "My phone is dead, I want to go home.", "Ich bringe den Müll um die Ecke.",
        "Ich würde lieber schlafen.",
    ],
)  # fmt: skip
def test_ordinary_days_are_not_taken_for_despair(text: str) -> None:
    """A figure of speech is analysed like any other day."""
    assert not care.speaks_of_harm([text])


def test_pointer_names_people_and_no_analysis() -> None:
    """It is calm, names lines that exist, and says nothing of what the person has."""
    assert "988" in care.pointer("en")
    assert "0800 111 0 111" in care.pointer("de")
    for language in LANGUAGES:
        assert "findahelpline.com" in care.pointer(language)
    assert care.pointer("fr") == care.pointer("en")


def test_news_group_what_several_feeds_tell() -> None:
    """A story of two feeds comes first, in its own words, with both links; the rest is by feed."""
    entries = [
        entry(
            "Post",
            "Lock at Marple reopens after two years",
            "The lock flight at Marple reopened on Monday. Boats may pass from eight to four.",
        ),
        entry("Post", "Diesel prices fall", "Red diesel costs 94 pence on average this week."),
        entry(
            "County",
            "Marple lock flight opens again",
            "After two years the lock flight at Marple is open again.",
        ),
        entry(
            "County",
            "School wins robotics prize",
            "Eight pupils won the prize with a robot that sorts litter.",
        ),
    ]
    text = news.compose(entries)
    first = text.split("\n")[2]
    assert text.startswith("**In several sources**\n\n- [")
    assert "(https://post.example/38)" in first
    assert "[County](https://county.example/30)" in first
    assert text.count("Marple") == first.count("Marple")
    assert "**Post**\n\n- [Diesel prices fall](https://post.example/18): Red diesel costs 94 pence" in text


def test_news_of_many_entries_stay_short() -> None:
    """A feed of a hundred entries gives a few in words and some as titles."""
    entries = [
        entry("Post", f"Title {number} of the day {number * 7}", f"Words about thing{number}.", number)
        for number in range(100)
    ]
    text = news.compose(entries)
    assert len(text.splitlines()) < 25
    assert "More from Post: " in text
    assert text.index("Title 0 ") < text.index("Title 5 ")


def test_news_use_meaning_where_words_are_few() -> None:
    """Entries that share few words are one story if their embeddings are nearer than nearly all others."""
    vectors = np.eye(12, 32, dtype=np.float32)
    entries = [entry(f"Feed{n}", f"Alpha{n} story number{n}", f"Text{n} about topic{n}.") for n in range(12)]
    entries[0] = entry("Feed0", "Bridge in Ghent collapses", "The old bridge over the river in Ghent fell.")
    entries[1] = entry("Feed1", "Ghent mourns", "Ghent counts the victims of the river accident.")
    vectors[1] = vectors[0]
    found = news.stories(entries, vectors, "en")
    assert sorted(found[0].sources) == ["Feed0", "Feed1"]
    assert len(news.stories(entries, None, "en")) == 12


def test_words_of_a_feed_do_nothing_in_a_note() -> None:
    """No image, link, tag, HTML or code of theirs is one in the note."""
    evil = (
        "![x](https://evil.example/p) [[Private]] #tag <img src=x> `code` %%hide%% $x$ https://evil.example"
    )
    text = news.compose([entry("Evil", evil, f"One {evil} two three four words here.")])
    note = read_markdown("a.md", text)
    assert note.tags == ()
    assert note.links == ()
    kinds = [mark.kind for mark in note.marks if mark.kind != "escape"]
    assert kinds == ["link"]
    assert harmless("[a](b)") == "\\[a\\](b)"


def test_review_lists_what_is_done_open_and_resting() -> None:
    """Each part appears where it has something to say, each note once."""
    old, new = NOW - timedelta(days=60), NOW - timedelta(days=2)
    pieces = [
        Piece("task", "Pay", "", "[[A]]", "overdue", NOW - timedelta(days=9), "Projects/Old.md"),
        Piece("task", "Call", "", "[[A]]", "open", NOW + timedelta(days=2), "B.md"),
        Piece("task", "Later", "", "[[A]]", "open", NOW + timedelta(days=20), "B.md"),
        Piece("task", "Sow", "", "[[A]]", "done", new, "B.md"),
        Piece("note", "Old", "", "[[Old]]", "Projects", old, "Projects/Old.md"),
        Piece("note", "New", "", "[[New]]", "Projects", new, "New.md"),
        Piece("note", "New", "", "[[New]]", "", new, "New.md"),
        Piece("link", "[[New]]", "near in meaning", "[[Old]]"),
    ]
    text = review.compose(pieces, NOW, "en")
    assert text.count("[[New]]") == 2
    for part in (
        "**Done this week**\n\n- Sow",
        "**Overdue**\n\n- Pay ([[A]], Thursday, 19 March)",
        "- Call",
        "- [[Old]]: unchanged since",
        "- [[New]] → [[Old]]",
    ):
        assert part in text
    assert "Later" not in text
    assert review.compose([], NOW, "de").startswith("Eine ruhige Woche")


def test_inbox_proposes_what_its_kin_agree_on() -> None:
    """A folder that most lie in, tags that two carry, links to the nearest; nothing where none agree."""
    pieces = [
        Piece("note", "Galley", "x", "[[Galley]]", "Inbox", NOW, "Inbox/Galley.md"),
        Piece("note", "Odd", "x", "[[Odd]]", "Inbox", NOW, "Inbox/Odd.md"),
    ]
    kin = {
        "Inbox/Galley.md": [
            Kin("Boat/A.md", "A", "[[A]]", ("boat", "work"), False),
            Kin("Boat/B.md", "B", "[[B]]", ("boat",), True),
            Kin("Inbox/Other.md", "Other", "[[Other]]", ("boat",), False),
        ],
        "Inbox/Odd.md": [],
    }
    text, actions = inbox.compose(pieces, kin.__getitem__, lambda _: ("mine",), "en")
    assert "could go to `Boat`" in text
    assert "tags #boat" in text
    assert "[[Odd]]: no other note is near enough" in text
    assert [(action.kind, action.value or action.to) for action in actions] == [
        ("set_property", '["mine", "boat"]'), ("add_link", "A"), ("move", "Boat/Galley.md"),
    ]  # fmt: skip


def test_on_this_day_tells_earlier_years_by_how_long_ago() -> None:
    """The year before comes first; this year's own note is none."""
    notes = days(
        {
            "2024-03-28": "Two years. More. And more. Too much.",
            "2025-03-28": "One year.",
            "2026-03-28": "Today.",
        }
    )
    text = on_this_day.compose(notes, NOW.date(), "en")
    assert text == (
        "- **A year ago** ([[2025-03-28]]): “One year.”\n- **2 years ago** ([[2024-03-28]]): “Two "
        "years. More. And more.”"
    )
    assert (
        on_this_day.compose([], NOW.date(), "de")
        == "Keine Notiz eines früheren Jahres handelt von diesem Tag."
    )


def test_every_language_has_all_words() -> None:
    """What one language says, the other says too."""
    for name in ("news", "reflection", "review", "inbox", "on_this_day"):
        keys = [set(of_language(language, name)) for language in LANGUAGES]
        assert keys[0] == keys[1], name
