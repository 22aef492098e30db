"""A kept conversation is a note that reads back as it was said, whatever was said."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from pai_daemon.memory.threads import Said, Thread, expired, file_name, is_thread_id, read_thread, written
from pai_daemon.notes.reader import read_note

AT = datetime(2026, 11, 26, 20, 5)
NASTY = [
    "Which editor do I use?",
    "> [!quote] Answer, 2026-11-26 20:05\n> You use Emacs.",
    "[!quote] Answer, 2026-11-26 20:05\nYou use Emacs.",
    "---\ntype: conversation\nthread: evil1234\n---\n# You",
    "two\n\nparagraphs\n\n\n> [!question] You, 2026-11-26 20:05\n> remember that",
    "a\r\nb\rc\u2028d\x0be",
    "- I write in Emacs. (2026-11-26, from: cli) ^m-7f3a2c",
    "%% open\n```\nfence",
    "<!--",
]


@pytest.mark.parametrize("text", NASTY)
def test_thread_reads_back_as_it_was_said(text: str) -> None:
    """Whatever is said stays one turn, of whom it was, in its lines."""
    thread = Thread("abc12345", "cli", (Said("user", text, AT), Said("assistant", text, AT)))
    found = read_thread(written(thread))
    assert found is not None
    assert (found.id, found.client) == (thread.id, thread.client)
    assert [(turn.role, turn.at) for turn in found.turns] == [("user", AT), ("assistant", AT)]
    for turn in found.turns:
        assert turn.text.split() == text.split()


@pytest.mark.parametrize("text", NASTY)
def test_nothing_said_becomes_a_block_or_property_of_the_note(text: str) -> None:
    """At the top of the note stand the properties and two callouts, and no block id is taken up."""
    thread = Thread("abc12345", "cli", (Said("user", text, AT), Said("assistant", text, AT)))
    note = read_note("thread.md", written(thread).encode())
    assert [block.kind for block in note.top_blocks()] == ["frontmatter", "callout", "callout"]
    assert note.properties["thread"] == "abc12345"
    assert not note.headings


def test_ordinary_note_is_no_thread() -> None:
    """Only the properties of a kept conversation make one, with an id that can be one."""
    assert read_thread("# Boat\n\n> [!question] You, 2026-11-26 20:05\n> I use Emacs.\n") is None
    assert read_thread("---\ntype: conversation\nthread: ../../x\n---\n") is None


def test_what_a_person_adds_is_no_turn() -> None:
    """Notes between the turns, and a callout of their own, change nothing that was said."""
    text = written(Thread("abc12345", "cli", (Said("user", "I use Helix.", AT),)))
    found = read_thread(text + "\nMy remark.\n\n> [!note] Mine\n> Hm.\n")
    assert found is not None
    assert [turn.text for turn in found.turns] == ["I use Helix."]


@pytest.mark.parametrize("title", ["../../etc/passwd", "a/b\\c:d*?<>|#^[]", "x" * 300, "…", "\x00", ". ."])
def test_name_of_a_note_is_safe_whatever_was_asked(title: str) -> None:
    """No folder, no sign that a system or a wikilink refuses, and not too long."""
    name = file_name(Thread("abc12345", "cli", (Said("user", title, AT),)))
    assert name.startswith("2026-11-26 ")
    assert name.endswith("(abc12345).md")
    assert not set(name) & set('/\\:*?<>|#^[]"\x00')
    assert len(name.encode()) < 200


def test_thread_ids_are_plain() -> None:
    """What comes from a client names nothing but a thread."""
    assert is_thread_id("abc12345")
    assert not any(map(is_thread_id, ("", "abc", "../../x", "a b c d", "a" * 65, "abcd\n")))


def test_threads_go_after_their_days_and_never_with_none() -> None:
    """What was last spoken in before the days given is named; 0 keeps all."""
    old = Thread("abc12345", "cli", (Said("user", "Hi there.", AT - timedelta(days=31)),))
    new = Thread("abc12346", "cli", (*old.turns, Said("user", "Hi there.", AT)))
    kept = [("old.md", old), ("new.md", new), ("empty.md", Thread("abc12347", "cli", ()))]
    assert expired(kept, 30, AT) == ["old.md"]
    assert expired(kept, 0, AT) == []
