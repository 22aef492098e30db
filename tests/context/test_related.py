"""Kindred notes and link suggestions over the sample vault, with a real model."""

from __future__ import annotations

import pytest

from pai_daemon.context.related import Related
from pai_daemon.errors import ModelUnavailable, NotFound
from tests.context.conftest import GoLive, Live


@pytest.fixture(scope="module")
def related(sample: Live) -> Related:
    """Return the finder over the sample vault."""
    return Related(sample.vault, sample.index, sample.searcher, sample.reader)


def test_related_notes_leave_out_the_note_itself(related: Related) -> None:
    """No note is related to itself, and each is named once."""
    paths = [found.path for found in related.to_note("Garden/Tomatoes.md")]
    assert "Garden/Tomatoes.md" not in paths
    assert len(paths) == len(set(paths))


def test_related_notes_say_why(related: Related) -> None:
    """Shared tags and backlinks are named beside the nearness in meaning."""
    by_path = {found.path: found for found in related.to_note("Projects/Mooring.md", 20)}
    assert "shares #project" in by_path["Projects/Narrowboat.md"].why
    assert by_path["People/Tom Okafor.md"].linked
    assert not by_path["Projects/Narrowboat.md"].linked


def test_mention_has_the_exact_span_and_a_working_link(related: Related, sample: Live) -> None:
    """An unlinked name is found with line, column and span; its link keeps the text as it is."""
    content_hash, mentions = related.mentions("Journal/2026-05-12.md")
    text = (sample.vault / "Journal/2026-05-12.md").read_text("utf-8")
    found = {mention.text: mention for mention in mentions}
    assert found["Marlene"].link == "[[Marlene Vogt|Marlene]]"
    assert found["Tom Okafor"].link == "[[Tom Okafor]]"
    assert found["the boat"].target == "Projects/Narrowboat.md"
    for mention in mentions:
        assert text[mention.start_char : mention.end_char] == mention.text
        line = text.split("\n")[mention.line - 1]
        assert line[mention.column_utf16 :].startswith(mention.text)
    assert len(content_hash) == 64


def test_linked_note_is_no_mention(related: Related) -> None:
    """A note that is linked already is not suggested again."""
    _, mentions = related.mentions("Garden/Tomatoes.md")
    assert "People/Marlene Vogt.md" not in {mention.target for mention in mentions}
    suggested = related.to_note("Garden/Tomatoes.md", 20, unlinked_only=True)
    assert "People/Marlene Vogt.md" not in {found.path for found in suggested}


def test_mention_columns_count_utf16(go_live: GoLive, tmp_path_factory: pytest.TempPathFactory) -> None:
    """An emoji before a mention counts as two, as editors count."""
    vault = tmp_path_factory.mktemp("emoji")
    (vault / "Walrus.md").write_text("A walrus.")
    (vault / "Day.md").write_text("first\r\n🙂🙂 saw a Walrus, `Walrus`, [[x|Walrus]]\n")
    live = go_live(vault)
    live.settled()
    _, (mention,) = Related(vault, live.index, live.searcher, live.reader).mentions("Day.md")
    assert (mention.line, mention.column_utf16, mention.start_char) == (2, 11, 16)


def test_name_of_two_notes_is_no_mention(go_live: GoLive, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Where a name is ambiguous nothing is suggested, since it would be a guess."""
    vault = tmp_path_factory.mktemp("twins")
    for folder in ("a", "b"):
        (vault / folder).mkdir()
        (vault / folder / "Walrus.md").write_text(f"A walrus of {folder}.")
    (vault / "Day.md").write_text("Saw a walrus.")
    live = go_live(vault)
    live.settled()
    assert Related(vault, live.index, live.searcher, live.reader).mentions("Day.md")[1] == []


def test_longest_name_is_the_mention(go_live: GoLive, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Within a mention no shorter one is offered, and a note called like a stop word is never one."""
    vault = tmp_path_factory.mktemp("names")
    for name in ("Binary Search Tree", "Search Tree", "Not", "Tree"):
        (vault / f"{name}.md").write_text("A note.")
    (vault / "Day.md").write_text("It is not a binary search tree, but a tree.")
    live = go_live(vault)
    live.settled()
    _, mentions = Related(vault, live.index, live.searcher, live.reader).mentions("Day.md")
    assert [mention.text for mention in mentions] == ["binary search tree", "tree"]


def test_unknown_note_is_not_found(related: Related) -> None:
    """A path that is not indexed is an error that says how paths look."""
    for path in ("Nowhere.md", "../outside.md", ""):
        with pytest.raises(NotFound):
            related.to_note(path)
        with pytest.raises(NotFound):
            related.mentions(path)


def test_path_is_taken_as_a_shell_completes_it(related: Related, sample: Live) -> None:
    """Absolute, with a leading `./`, without `.md`, or the bare name: each leads to the note."""
    for path in (str(sample.vault / "Reading.md"), "./Reading.md", "Reading", "Journal/2026-05-12"):
        assert related.indexed(path).path in ("Reading.md", "Journal/2026-05-12.md")


def test_note_without_embedding_says_so(go_live: GoLive, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Before a note is embedded, its kin is unknown rather than empty."""
    vault = tmp_path_factory.mktemp("bare")
    (vault / "a.md").write_text("alpha")
    live = go_live(vault, model=False)
    live.settled("indexing")
    with pytest.raises(ModelUnavailable):
        Related(vault, live.index, live.searcher, live.reader).to_note("a.md")


def test_mention_stands_in_prose_only(go_live: GoLive, tmp_path_factory: pytest.TempPathFactory) -> None:
    """No link is suggested in code, math, comments, addresses or links, nor in what is no text."""
    vault = tmp_path_factory.mktemp("prose")
    (vault / "Walrus.md").write_text("A walrus.")
    (vault / "Day.md").write_text(
        "---\nabout: Walrus\n---\n# Walrus\n\n"
        "`Walrus` $Walrus$ %%Walrus%% [Walrus](x) [[y|Walrus]] <!-- Walrus -->\n\n"
        "- item\n  ```\n  Walrus\n  ```\n\n> see the ==Walrus==\n"
    )
    (vault / "Board.canvas").write_text(
        '{"nodes":[{"id":"1","type":"text","text":"Walrus","x":0,"y":0,"width":1,"height":1}],"edges":[]}'
    )
    live = go_live(vault)
    live.settled()
    related = Related(vault, live.index, live.searcher, live.reader)
    _, (mention,) = related.mentions("Day.md")
    assert (mention.text, mention.line) == ("Walrus", 13)
    assert related.mentions("Board.canvas")[1] == []
