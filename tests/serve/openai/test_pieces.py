"""The pure parts: stops, the end of an answer, and what a conversation says."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pai_daemon.context.answering.answer import EXTRACTIVE, Answer, AnswerSentence, Citation
from pai_daemon.context.passage import Passage, Scores
from pai_daemon.errors import UsageError
from pai_daemon.serve.openai.conversation import aside_of, parted, read, without_model
from pai_daemon.serve.openai.protocol import ChatMessage, ContentPart
from pai_daemon.serve.openai.tail import tail, without_tail
from pai_daemon.serve.openai.telling import Marked, Marks, Stops

PASSAGE = Passage(
    path="Boat.md",
    title="Boat",
    heading_path=("Hull",),
    text="The hull is varnished.",
    start_line=1,
    end_line=1,
    start_char=0,
    end_char=22,
    block_id=None,
    content_hash="",
    stale=False,
    score=1.0,
    scores=Scores(None, None),
    highlights=(),
    link="[[Boat#Hull]]",
    uri="obsidian://open?vault=v&file=Boat%23Hull",
    page=None,
)
ANSWER = Answer(
    question="?",
    answer="It is varnished. [2]",
    found=True,
    sentences=(AnswerSentence("It is varnished.", (2,), supported=True),),
    citations=(Citation(2, PASSAGE),),
    generator=EXTRACTIVE,
    stages=(),
    warnings=(),
    revision=1,
    took_ms=1.0,
)
# What Open WebUI asks after an answer, in its form.
TITLE_TASK = """### Task:
Give the chat a short title.
### Output:
JSON format: { "title": "your title here" }
### Chat History:
<chat_history>
USER: When is the hull of the old boat varnished again?
ASSISTANT: Each spring. [1]
</chat_history>"""


def as_it_is(citation: Citation) -> int:
    """Return the number that a passage has."""
    return citation.n


def user(text: str) -> ChatMessage:
    """Return what the person says."""
    return ChatMessage(role="user", content=text)


@given(
    text=st.text("abcd ", max_size=40),
    stops=st.lists(st.text("abcd", min_size=1, max_size=4), max_size=3),
    cuts=st.lists(st.integers(0, 40), max_size=8),
)
def test_stops_end_a_text_before_the_first_however_it_is_cut(
    text: str, stops: list[str], cuts: list[int]
) -> None:
    """What is let through is the text up to the first stop, and nothing of it comes late or twice."""
    places = sorted({0, len(text), *(cut for cut in cuts if cut < len(text))})
    ending, said = Stops(stops), ""
    for start, end in pairwise(places):
        said += ending.feed(text[start:end])
        if ending.is_hit:
            break
    said += ending.end()
    found = [text.find(stop) for stop in stops if stop in text]
    whole = text[: min(found)] if found else text
    # A stop that ends early hides one that began before it and would have ended later.
    assert whole.startswith(said) if not ending.is_hit else said.startswith(whole)
    assert ending.is_hit is bool(found)
    assert not any(stop in said for stop in stops)


@pytest.mark.parametrize("cited", ["[[Boat#Hull]]", "((8a2f-id))"])
def test_end_of_an_answer_lists_its_sources_and_is_taken_off_again(cited: str) -> None:
    """What a program sends back as said before is what the answer said."""
    passage = replace(PASSAGE, link=cited)
    answer = replace(ANSWER, citations=(Citation(2, passage),))
    assert f"- [2] {cited}" in tail(answer, as_it_is)
    assert ("Boat > Hull" in tail(answer, as_it_is)) is (not cited.startswith("[["))
    assert without_tail(answer.answer + tail(answer, as_it_is)) == answer.answer


def test_end_of_an_answer_says_what_is_wrong_with_it() -> None:
    """A sentence without support, a warning, how a question was read, and a note that changed are told."""
    sentences = (AnswerSentence("Tomatoes fly.", (), supported=False),)
    answer = replace(
        ANSWER,
        sentences=sentences,
        warnings=("The model broke off.",),
        narrowed=("#boat",),
        citations=(Citation(1, replace(PASSAGE, stale=True)),),
    )
    said = tail(answer, as_it_is)
    for each in ("No passage supports: Tomatoes fly.", "Note: The model broke off.", "Read as: #boat"):
        assert each in said
    assert "(changed since)" in said
    assert tail(replace(ANSWER, citations=()), as_it_is) == ""


def test_title_of_a_note_brings_no_image_into_the_list() -> None:
    """What a note calls itself is shown as text, wherever the list is drawn."""
    passage = replace(PASSAGE, link="((id))", title="![x](https://evil.example/?q)", heading_path=())
    said = tail(replace(ANSWER, citations=(Citation(1, passage),)), as_it_is)
    assert "![" not in said
    assert "evil.example" not in said


def test_rule_that_the_person_wrote_stays() -> None:
    """Only what this daemon adds is taken off, and only at the end."""
    assert without_tail("a\n\n---\nb") == "a\n\n---\nb"
    assert without_tail("a\n\n---\nSources:\nb\n\n---\nSources:\nc") == "a\n\n---\nSources:\nb"


def test_conversation_is_a_question_and_what_was_said_before() -> None:
    """Parts are joined, tools and pictures passed over, and the last word of the user is the question."""
    found = read(
        [
            ChatMessage(role="developer", content="Be brief."),
            user("Who varnishes it?"),
            ChatMessage(role="assistant", content="Ada. [1]\n\n---\nSources:\n- [1] [[Boat]]"),
            ChatMessage(role="tool", content="12 degrees"),
            ChatMessage(
                role="user",
                content=[
                    ContentPart(type="image_url"),
                    ContentPart(text="And"),
                    ContentPart(type="text", text="when?"),
                ],
            ),
            ChatMessage(role="assistant", content=None),
        ]
    )
    assert found.question == "And\nwhen?"
    assert [(turn.role, turn.content) for turn in found.history] == [
        ("user", "Who varnishes it?"),
        ("assistant", "Ada. [1]"),
    ]
    assert [each.role for each in found.messages] == ["system", "user", "assistant", "user"]


@pytest.mark.parametrize(
    "messages",
    [
        [ChatMessage(role="system", content="Be brief.")],
        [user("  \n")],
        [ChatMessage(role="user", content=[ContentPart(type="image_url")])],
    ],
)
def test_conversation_without_a_word_of_the_user_is_refused(messages: list[ChatMessage]) -> None:
    """It says which role and what kind of content is read."""
    with pytest.raises(UsageError, match="nothing that the user says"):
        read(messages)


PASTED = "A line about sails, and none about the hull.\n" * 200


@pytest.mark.parametrize(
    ("message", "asked"),
    [
        (f"When is the hull varnished?\n\n{PASTED}", "When is the hull varnished?"),
        (f"{PASTED}\nWhen is it varnished? ", "When is it varnished?"),
        (f"Is it?\n{PASTED}Or is it not?", "Is it?\nOr is it not?"),
        (f"Sum this up:\n{PASTED}", "Sum this up:\nA line about sails, and none about the hull."),
        ("x" * 5_000, "x" * 1_000),
        ("x" * 3_000 + " y " + "z" * 1_000 + "?", "z" * 999 + "?"),
    ],
)
def test_long_message_is_a_question_and_the_text_that_it_is_about(message: str, asked: str) -> None:
    """The line at either end that asks, else both; the text is the whole message."""
    assert parted(message) == (asked, message.strip())


@given(st.text(max_size=4_000) | st.text(max_size=60).map(lambda part: part * 200))
def test_what_a_message_asks_can_always_be_searched_for(message: str) -> None:
    """Short ones are as they were, and of long ones little enough is searched for, and something."""
    asked, about = parted(message)
    assert len(asked) <= 4_000
    assert bool(asked) == bool(message.strip())
    assert about in ("", message.strip())
    assert about or asked == message.strip()


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (TITLE_TASK, "title"),
        ('### Task:\nTag it.\nJSON format: { "tags": ["a"] }', "tags"),
        ('\n### Task:\nJSON format: {\n "follow_ups": ["a?"] }', "follow_ups"),
        ('What does { "title": "x" } mean?', ""),
        ("### Task:\nwater the tomatoes", ""),
    ],
)
def test_what_a_program_asks_for_itself_is_told_from_a_question(text: str, wanted: str) -> None:
    """It begins as such requests do and wants JSON of a certain kind; a note on tasks is a question."""
    assert aside_of(read([user(text)])) == wanted


def test_without_a_generator_a_title_is_the_first_question() -> None:
    """It is short, and tags and further questions are none rather than made up."""
    conversation = read([user(TITLE_TASK)])
    assert json.loads(without_model("title", conversation)) == {"title": "When is the hull of the old"}
    assert json.loads(without_model("tags", conversation)) == {"tags": []}
    assert json.loads(without_model("text", conversation)) == {"text": ""}


@given(
    marks=st.lists(st.integers(1, 6), max_size=8),
    cuts=st.lists(st.integers(0, 80), max_size=10),
)
def test_marks_are_numbered_as_they_appear_however_the_text_is_cut(marks: list[int], cuts: list[int]) -> None:
    """The nth place that is told is [n], passages of one place share it, and each span is its mark's."""
    passages = {n: Citation(n, replace(PASSAGE, uri=f"obsidian://{n % 3}")) for n in range(1, 6)}
    text = "".join(f"word [{n}]" for n in marks) + " [x] [12"
    numbering, said = Marks(), ""
    found: list[Marked] = []
    numbering.passages = passages
    places = sorted({0, len(text), *(cut for cut in cuts if cut < len(text))})
    for start, end in pairwise(places):
        shown, marked = numbering.feed(text[start:end], is_last=end == len(text))
        said, found = said + shown, found + marked
    told = list(dict.fromkeys(n % 3 for n in marks if n in passages))
    wanted = [str(told.index(n % 3) + 1) if n in passages else str(n) for n in marks]
    assert said == "".join(f"word [{n}]" for n in wanted) + " [x] [12"
    assert [said[one.start : one.end] for one in found] == [
        f"[{n}]" for n, was in zip(wanted, marks, strict=True) if was in passages
    ]
    assert list(dict.fromkeys(one.annotation.url_citation.url for one in found)) == [
        f"obsidian://{place}" for place in told
    ]


def test_sources_are_listed_by_the_numbers_of_the_text() -> None:
    """A place is listed once, whatever passages of it are cited; where nothing was found, without numbers."""
    shed = replace(PASSAGE, uri="obsidian://shed", link="[[Shed]]")
    numbering = Marks()
    cited = (Citation(2, PASSAGE), Citation(5, shed), Citation(7, shed))
    numbering.passages = {each.n: each for each in cited}
    assert numbering.feed("a [7] b [2] c [5]", is_last=True)[0] == "a [1] b [2] c [1]"
    listed = "\n\n---\nSources:\n- [1] [[Shed]]\n- [2] [[Boat#Hull]]"
    assert numbering.end(replace(ANSWER, citations=cited)) == (listed, [])
    assert numbering.end(replace(ANSWER, citations=())) == (listed, []), "the text still has its marks"
    none = replace(ANSWER, citations=(), nearest=cited[:1])
    assert Marks().end(none) == ("\n\n---\nThe nearest notes:\n- [[Boat#Hull]]", [])
