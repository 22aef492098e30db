"""The links that a note could have, over the sample vault and over small vaults of names."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from pai_daemon.context.catalog import IndexedNote
from pai_daemon.context.linking import linker as linking
from pai_daemon.context.linking import names
from pai_daemon.context.linking.evidence import FEATURES
from pai_daemon.context.linking.linker import Mention
from pai_daemon.context.linking.weights import WEIGHTS
from pai_daemon.context.vectors import Floats
from pai_daemon.errors import NotFound
from tests.context.conftest import GoLive, Live
from tests.daemon_process import eventually

Mentioned = Callable[..., list[Mention]]
NAMES_OF = names.names_of


@pytest.fixture
def mentioned(go_live: GoLive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Mentioned:
    """Return a function that writes a note beside others and returns all that it mentions.

    None is held back, as that depends on the links of a whole vault.
    """
    monkeypatch.setattr(linking, "TELLING", 0.0)
    vault = tmp_path / "vault"
    vault.mkdir()

    def write(text: str, *names: str, notes: dict[str, str] | None = None) -> list[Mention]:
        for name in names:
            (vault / f"{name}.md").write_text("A note.\n", "utf-8")
        for path, written in (notes or {}).items():
            (vault / path).parent.mkdir(parents=True, exist_ok=True)
            (vault / path).write_text(written, "utf-8")
        (vault / "Day.md").write_text(text, "utf-8", newline="")
        live = go_live(vault, model=False)
        live.settled("indexing")
        mentions = live.linker.links_of("Day.md").mentions
        for each in mentions:
            assert text[each.start_char : each.end_char] == each.text
            line = text.split("\n")[each.line - 1].encode("utf-16-le")
            assert line[2 * each.column_utf16 :].decode("utf-16-le").startswith(each.text)
        return list(mentions)

    return write


def texts(mentions: list[Mention]) -> list[str]:
    """Return what stands at each mention."""
    return [each.text for each in mentions]


def test_mention_has_the_exact_span_and_a_working_link(sample: Live) -> None:
    """An unlinked name is found with line, column and span; its link keeps the text as it is."""
    found = sample.linker.links_of("Journal/2026-05-12.md")
    text = (sample.vault / "Journal/2026-05-12.md").read_text("utf-8")
    by_text = {mention.text: mention for mention in found.mentions}
    assert by_text["Marlene"].link == "[[Marlene Vogt|Marlene]]"
    assert by_text["Tom Okafor"].link == "[[Tom Okafor]]"
    assert by_text["the boat"].target == "Projects/Narrowboat.md"
    for mention in found.mentions:
        assert text[mention.start_char : mention.end_char] == mention.text
        line = text.split("\n")[mention.line - 1]
        assert line[mention.column_utf16 :].startswith(mention.text)
    assert len(found.content_hash) == 64


def test_each_suggestion_says_how_sure_it_is_and_why(sample: Live) -> None:
    """Confidence is a probability, best first; a reason is in words; a passage is of that note."""
    found = sample.linker.links_of("Projects/Mooring.md", 20)
    confidences = [note.confidence for note in found.suggestions]
    assert confidences == sorted(confidences, reverse=True)
    assert confidences[0] > confidences[-1]
    every = [(each.confidence, each.why) for each in found.mentions]
    every += [(each.confidence, each.why) for each in found.suggestions]
    assert all(0 <= confidence <= 1 and why for confidence, why in every)
    for note in found.suggestions:
        assert note.passage is not None
        assert note.passage.path == note.path
    assert "shares #project" in {n.path: n.why for n in found.suggestions}.get("Projects/Narrowboat.md", "")


def test_linked_note_is_suggested_in_no_way(sample: Live) -> None:
    """A note that is linked already is neither a mention nor a suggestion; nor is the note itself."""
    found = sample.linker.links_of("Garden/Tomatoes.md", 50)
    targets = {each.target for each in found.mentions} | {note.path for note in found.suggestions}
    assert "People/Marlene Vogt.md" not in targets
    assert "Garden/Tomatoes.md" not in targets
    assert targets


def test_every_kind_of_evidence_has_one_weight() -> None:
    """The table of weights names each feature, and no other."""
    assert tuple(WEIGHTS) == FEATURES


def test_columns_count_utf16(mentioned: Mentioned) -> None:
    """An emoji before a mention counts as two, as editors count."""
    (mention,) = mentioned("first\r\n🙂🙂 saw a Walrus, `Walrus`, [[x|Walrus]]\n", "Walrus")
    assert (mention.line, mention.column_utf16, mention.start_char) == (2, 11, 16)


def test_name_of_two_notes_is_no_mention(mentioned: Mentioned) -> None:
    """Where a name is ambiguous nothing is marked in the text, since it would be a guess."""
    notes = {"a/Walrus.md": "A walrus of a.", "b/Walrus.md": "A walrus of b."}
    assert mentioned("Saw a walrus.", notes=notes) == []


def test_longest_of_overlapping_names_is_the_mention(mentioned: Mentioned) -> None:
    """Within a mention no shorter one is offered, and of two that overlap the first is."""
    names = ("Binary Search Tree", "Search Tree", "Tree", "Tree House", "House")
    text = "It is a binary search tree house, but a tree."
    assert texts(mentioned(text, *names)) == ["binary search tree", "house", "tree"]


def test_mention_stands_in_prose_only(mentioned: Mentioned) -> None:
    """No link is suggested in code, math, comments, addresses, headings or links."""
    text = (
        "---\nabout: Walrus\n---\n# Walrus\n\n"
        "`Walrus` $Walrus$ %%Walrus%% [Walrus](x) [[y|Walrus]] <!-- Walrus -->\n"
        "https://walrus.org/walrus www.x.org/Walrus walrus@sea.org mailto:walrus@sea\n\n"
        "- item\n  ```\n  Walrus\n  ```\n\n> see the ==Walrus==\n"
    )
    (mention,) = mentioned(text, "Walrus")
    assert (mention.text, mention.line) == ("Walrus", 14)


def test_what_is_no_text_mentions_nothing(mentioned: Mentioned, go_live: GoLive, tmp_path: Path) -> None:
    """A canvas has no place where a link could be written."""
    node = '{"id":"1","type":"text","text":"Walrus","x":0,"y":0,"width":1,"height":1}'
    mentioned("", "Walrus", notes={"Board.canvas": f'{{"nodes":[{node}],"edges":[]}}'})
    live = go_live(tmp_path / "vault", "again", model=False)
    live.settled("indexing")
    assert live.linker.links_of("Board.canvas").mentions == ()


def test_titles_of_regular_expressions_are_plain_text(mentioned: Mentioned) -> None:
    """Characters with a meaning elsewhere have none here; what is all symbols names nothing."""
    names = ("C++ (language)", "a.b", ".+.+", "[x] $y^", "f(x)=x^2", "((( ")
    text = "In C++ (language) or a.b not acb, .+.+ and axb; f(x)=x^2."
    assert texts(mentioned(text, *names)) == ["C++ (language", "a.b", "f(x)=x^2"]


def test_short_titles_and_common_words_are_no_mention(mentioned: Mentioned) -> None:
    """Names of one or two letters, one emoji and lone digits are in every text."""
    assert mentioned("A b, C to the x: 7 at 🙂, or no go.", "A", "x", "7", "🙂", "no", "go", "C") == []


@pytest.mark.parametrize(
    ("text", "name", "found"),
    [
        ("אתמול ראיתי את שלום עולם בספר", "שלום עולם", "שלום עולם"),
        ("قرأت كتاب الأمير الصغير أمس", "الأمير الصغير", "الأمير الصغير"),
        ("昨日は東京タワーへ行きました。", "東京タワー", "東京タワー"),
        ("我昨天去了北京大学学习。", "北京", "北京"),
        ("เมื่อวานไปเชียงใหม่มา", "เชียงใหม่", "เชียงใหม่"),
        ("कल मैंने हिन्दी साहित्य पढ़ा", "हिन्दी साहित्य", "हिन्दी साहित्य"),
        ("See 🚀 Launch plan now 👍🏽", "🚀 Launch plan", "🚀 Launch plan"),
        ("The cafe\u0301 noir was open", "Café Noir", "cafe\u0301 noir"),
        ("GROSSE STRASSE 5", "Große Straße", "GROSSE STRASSE"),
        ("about co-citation today", "Co citation", "co-citation"),
        ("we used pthread_join() there", "pthread_join()", "pthread_join"),
        ("Ein Text über O’Brien hier", "O'Brien", "O’Brien"),
    ],
)
def test_name_is_found_in_every_script(mentioned: Mentioned, text: str, name: str, found: str) -> None:
    """Right to left, without spaces, with marks, composed or not, in any case: the name is found."""
    assert texts(mentioned(text, name)) == [found]


def test_name_does_not_begin_or_end_within_a_word(mentioned: Mentioned) -> None:
    """Borders are those of words, in every alphabet; Hindi vowels are no borders."""
    assert mentioned("A cataract, concatenate; Котлета; हिन्दीवाला", "cat", "Кот", "हिन्दी") == []


@pytest.mark.parametrize(
    ("text", "name", "found"),
    [
        ("Wir haben die alten Häuser und den Garten gesehen, und das ist nicht neu.", "Haus", "Häuser"),
        ("Wir lesen von der Datenbank und den Datenbanken, das ist nicht neu.", "Datenbanken", "Datenbanken"),
        ("Das ist ein Beispiel für den Algorithmus und nicht neu.", "Algorithmen", "Algorithmus"),
        ("They were talking about the libraries of this town.", "Library", "libraries"),
        ("This is what the fuzzing of the parser was for.", "Fuzzed parser", None),
        ("The user’s guide is with the others.", "User's Guide", "user’s guide"),
    ],
)
def test_inflected_name_is_a_mention(mentioned: Mentioned, text: str, name: str, found: str | None) -> None:
    """Plural and case do not matter in English and German; other words between do."""
    mentions = mentioned(text, name)
    assert texts(mentions) == ([found] if found else [])
    if mentions:
        assert mentions[0].link == f"[[{name}|{found}]]" or name == found


def test_exact_name_goes_before_an_inflected_one(mentioned: Mentioned) -> None:
    """Where both a note `Tests` and a note `Test` are, each is found by what is written."""
    mentions = mentioned("The test and the tests of that.", "Test", "Tests")
    assert [(each.text, each.target) for each in mentions] == [("test", "Test.md"), ("tests", "Tests.md")]


def test_note_does_not_mention_itself(mentioned: Mentioned) -> None:
    """Its own title, alias and headings are no mentions."""
    text = (
        "---\naliases: [Diary of today]\n---\n# Morning walk\n\nThis Day, a Diary of today: Morning walk.\n"
    )
    assert mentioned(text, "Walrus") == []


def test_heading_alias_label_and_level_are_names_too(mentioned: Mentioned) -> None:
    """A heading leads to its place; what other links to a note are called names it, and the end of a path."""
    notes = {
        "Vessels.md": "---\naliases: [Old tub]\n---\nText.\n",
        "Repairs.md": "# Bilge pump\n\nText.\n",
        "Sea.md": "Text.\n",
        "Other.md": "See [[Sea|the deep]].\n",
        "pages___Winter storage.md": "Text.\n",
    }
    mentions = mentioned("An old tub: its bilge pump, on the deep and in winter storage.", notes=notes)
    assert {each.link: each.why for each in mentions} == {
        "[[Vessels|old tub]]": "has this alias",
        "[[Repairs#Bilge pump|bilge pump]]": "has this heading",
        "[[Sea|the deep]]": "links to it are called so",
        "[[pages___Winter storage|winter storage]]": "its name ends so",
    }


def test_common_title_is_held_back(go_live: GoLive, tmp_path: Path) -> None:
    """A note called like a year or a short word is no mention wherever that stands; a telling name is."""
    vault = tmp_path / "vault"
    vault.mkdir()
    for name in ("2024", "Home", "Narrowboat survey"):
        (vault / f"{name}.md").write_text("A note.\n")
    (vault / "Day.md").write_text("In 2024 we went home after the narrowboat survey.\n")
    live = go_live(vault, model=False)
    live.settled("indexing")
    found = {each.text: each for each in live.linker.links_of("Day.md").mentions}
    assert "2024" not in found
    assert found["narrowboat survey"].confidence > 2 * (found["home"].confidence if "home" in found else 0)


def test_edit_takes_in_the_names_of_that_note_alone(
    go_live: GoLive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Five notes with two thousand aliases each are found by each; after an edit none is read again."""
    vault = tmp_path / "vault"
    vault.mkdir()
    for start in range(0, 10_000, 2_000):
        aliases = "".join(f"- Part {number} of the catalogue\n" for number in range(start, start + 2_000))
        (vault / f"Register {start}.md").write_text(f"---\naliases:\n{aliases}---\nText.\n")
    (vault / "Day.md").write_text("About part 7 of the catalogue.\n")
    live = go_live(vault, model=False)
    live.settled("indexing")
    (mention,) = live.linker.links_of("Day.md").mentions
    assert mention.text == "part 7 of the catalogue"
    revision = live.index.revision
    (vault / "Day.md").write_text("About part 9999 of the catalogue.\n")
    eventually(lambda: live.index.revision > revision, "the edit")
    read: list[str] = []

    def names_of(note: IndexedNote) -> Iterator[names.Named]:
        read.append(note.path)
        return NAMES_OF(note)

    monkeypatch.setattr(names, "names_of", names_of)
    (mention,) = live.linker.links_of("Day.md").mentions
    assert mention.text == "part 9999 of the catalogue"
    assert read == ["Day.md"]
    assert live.linker.links_of("Day.md").mentions == (mention,)
    assert read == ["Day.md"]


def test_question_passes_over_the_embeddings_once(
    go_live: GoLive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many parts a note has, they are compared with all others in one pass over the memory."""
    vault = tmp_path / "vault"
    vault.mkdir()
    (vault / "Day.md").write_text("".join(f"# Part {part}\n\n{'A walrus. ' * 60}\n\n" for part in range(6)))
    (vault / "Sea.md").write_text("It is deep.\n")
    live = go_live(vault)
    live.settled()
    passes = []
    whole = live.index.space.matrix.search_each

    def search_each(queries: Floats, limits: Sequence[int]) -> list[list[tuple[str, float]]]:
        passes.append(len(queries))
        return whole(queries, limits)

    monkeypatch.setattr(live.index.space.matrix, "search_each", search_each)
    monkeypatch.setattr(live.index.space.matrix, "search", None)
    assert live.linker.links_of("Day.md").suggestions
    (queries,) = passes
    assert queries > 2


def test_what_changes_is_followed(go_live: GoLive, tmp_path: Path) -> None:
    """A new note is a name at once, a renamed one by its new name, a deleted one no more."""
    vault = tmp_path / "vault"
    vault.mkdir()
    (vault / "Day.md").write_text("A walrus, a narwhal and a dugong.\n")
    live = go_live(vault, model=False)
    live.settled("indexing")

    def names() -> set[str]:
        return set(texts(list(live.linker.links_of("Day.md").mentions)))

    assert names() == set()
    (vault / "Walrus.md").write_text("It has tusks.\n")
    eventually(lambda: names() == {"walrus"}, "the new note")
    (vault / "Walrus.md").rename(vault / "Narwhal.md")
    eventually(lambda: names() == {"narwhal"}, "the new name")
    (vault / "Narwhal.md").unlink()
    eventually(lambda: names() == set(), "nothing")


def test_unsaved_index_does_not_suggest_what_the_note_links_on_disk(go_live: GoLive, tmp_path: Path) -> None:
    """What the note on disk links to already is no suggestion, though the index has not read it yet."""
    vault = tmp_path / "vault"
    vault.mkdir()
    (vault / "Walrus.md").write_text("It has tusks.\n")
    (vault / "Day.md").write_text("A walrus.\n")
    live = go_live(vault, model=False)
    live.settled("indexing")
    live.indexer.stop()
    (vault / "Day.md").write_text("A [[Walrus]], a walrus.\n")
    found = live.linker.links_of("Day.md")
    assert not found.mentions
    assert not found.suggestions


def test_refused_pair_is_suggested_neither_way_and_survives_renames(go_live: GoLive, tmp_path: Path) -> None:
    """Refused once, whichever note was open; still so after a rename and a restart; undone by a word."""
    vault = tmp_path / "vault"
    vault.mkdir()
    (vault / "Walrus.md").write_text("Day of the walrus.\n")
    (vault / "Day.md").write_text("A walrus.\n")
    live = go_live(vault, model=False)
    live.settled("indexing")
    assert live.linker.links_of("Day.md").mentions
    assert live.linker.kept.refuse([("Walrus.md", "Day.md"), ("Day.md", "Walrus.md")]) == 1
    assert not live.linker.links_of("Day.md").mentions
    assert not live.linker.links_of("Walrus.md").mentions
    (vault / "Walrus.md").rename(vault / "Sea walrus.md")
    eventually(lambda: "Sea walrus.md" in live.paths(), "the rename")
    live.indexer.stop()
    again = go_live(vault, model=False)
    again.settled("indexing")
    assert again.linker.kept.refused() == [("Day.md", "Sea walrus.md")]
    assert again.linker.kept.now("Walrus.md") == "Sea walrus.md"
    assert again.linker.kept.allow([("Sea walrus.md", "Day.md")]) == 1
    assert again.linker.kept.refused() == []


def test_note_off_the_index_is_not_found(sample: Live, tmp_path: Path) -> None:
    """A path that is not indexed is an error."""
    with pytest.raises(NotFound):
        sample.linker.links_of("Nowhere.md")
