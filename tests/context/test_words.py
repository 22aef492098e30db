"""What the words of a query find: phrases, exclusions, beginnings of words, typing errors."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lancedb.index import FTS

from pai_daemon.context.answering.answer import Question
from pai_daemon.context.answering.answers import Answerer
from pai_daemon.context.catalog import IndexedNote
from pai_daemon.context.filters import EVERYTHING, Filter
from pai_daemon.context.store.rows import StoredChunk
from pai_daemon.context.store.store import Store
from pai_daemon.context.store.vocabulary import MAX_COMPLETIONS, Vocabulary, _errors
from pai_daemon.context.store.words import MAX_OPERATORS, Asked, plain, read
from pai_daemon.vault.scan import FileStat
from tests.context.conftest import Live
from tests.daemon_process import eventually


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Return an empty store."""
    return Store(tmp_path / "index")


def _commit(store: Store, **texts: str) -> None:
    """Write a note of one chunk for each text, in one commit."""
    notes = []
    for name, text in texts.items():
        chunk = StoredChunk(name, 0, "hash", text, name, (), text, text, 1, 1, 0, len(text), ())
        notes.append((IndexedNote(name, FileStat(1, 2, 3), "hash", name, (), (), (), (), (text,)), [chunk]))
    store.commit(notes, {})


def _read_words(store: Store) -> None:
    """Wait until the store knows the words that its notes have now."""
    store.chunks.vocabulary.outdate()
    _await_words(store)


def _await_words(store: Store) -> None:
    """Wait until the words that were asked for are read."""
    while (thread := store.chunks.vocabulary.renew()) is not None:
        thread.join()


def _found(store: Store, query: str, *, typing: bool = False, chosen: Filter = EVERYTHING) -> list[str]:
    return [item.split("#")[0] for item, _ in store.chunks.search(query, 10, chosen, typing=typing)]


@pytest.mark.parametrize(
    ("query", "asked"),
    [
        ('find "exact words" here', Asked("find   here", ("exact words",))),
        ("“curled quotes”", Asked(" ", ("curled quotes",))),
        ('("in brackets")', Asked("( )", ("in brackets",))),
        ("cats -dogs", Asked("cats  ", (), ("dogs",))),
        ('"!!" cats -"?"', Asked("  cats  ")),
        ('cats -"big dogs"', Asked("cats  ", (), ("big dogs",))),
    ],
)
def test_phrase_and_exclusion_are_read(query: str, asked: Asked) -> None:
    """Words in quotes are one phrase, and what a minus stands before is left out."""
    assert read(query) == asked


@pytest.mark.parametrize(
    "query",
    [
        'a 5" and a 3" disk',
        "well-known",
        "a - b",
        "-5 degrees",
        "ls --all",
        "x -y",
        'one " quote',
        'no "end"here',
        "'a b'",
    ],
)
def test_what_is_typed_by_accident_stays_words(query: str) -> None:
    """A quote or a minus that is part of a word, a number or an option is no operator."""
    assert read(query) == Asked(query)


def test_more_operators_than_a_person_types_are_words() -> None:
    """A query of 4,000 characters asks the index at most MAX_OPERATORS times."""
    asked = read('"ab" ' * 800)
    assert len(asked.phrases) == MAX_OPERATORS
    assert asked.text.count("ab") == 800 - MAX_OPERATORS


def test_selection_from_a_note_has_no_operators() -> None:
    """A text that is asked about is read as words whatever stands in it."""
    asked = read(plain('- "quoted" item\n- second -x -word well-known'))
    assert (asked.phrases, asked.excluded) == ((), ())
    assert asked.text.split() == ["quoted", "item", "second", "x", "word", "well-known"]


def test_phrase_finds_the_words_in_their_order(store: Store) -> None:
    """A phrase must occur, accents and case aside; the other words decide the order."""
    _commit(
        store,
        a="the old stone bridge",
        b="the bridge of old stone",
        c="Öld Stóne bridge by the river",
        d="river",
    )
    assert set(_found(store, '"old stone bridge"')) == {"a", "c"}
    assert _found(store, '"old stone bridge" river') == ["c", "a"]
    assert _found(store, '"stone old"') == []


def test_phrase_without_spaces_is_a_phrase(store: Store) -> None:
    """In a script without spaces the words in quotes must follow each other, too."""
    _commit(store, a="私は学習します", b="します。 学習")
    assert set(_found(store, "学習します")) == {"a", "b"}
    assert _found(store, '"学習します"') == ["a"]


def test_phrase_is_found_in_rows_that_the_index_does_not_know_yet(store: Store) -> None:
    """Between two upkeeps a phrase finds what was just written."""
    _commit(store, a="old stone bridge")
    store.tidy()
    _commit(store, b="new stone bridge", c="bridge of stone")
    assert store.chunks.untidy_rows() == 2
    assert set(_found(store, '"stone bridge"')) == {"a", "b"}


def test_excluded_words_are_left_out(store: Store) -> None:
    """No chunk comes that holds an excluded word or phrase; excluding alone finds nothing."""
    _commit(store, a="stone bridge", b="wooden bridge", c="bridge of stone")
    assert _found(store, "bridge -stone") == ["b"]
    assert set(_found(store, 'bridge -"stone bridge"')) == {"b", "c"}
    assert _found(store, '"bridge" -wooden -stone') == []
    assert _found(store, "-stone") == []


def test_operators_go_with_a_filter(store: Store) -> None:
    """A phrase and an exclusion hold inside a filter as outside of it."""
    _commit(store, a="stone bridge", b="stone bridge, wooden", c="bridge of stone")
    assert _found(store, '"stone bridge"', chosen=Filter(folder="a")) == ["a"]
    assert _found(store, "stone -wooden", chosen=Filter(folder="b")) == []


@pytest.mark.parametrize(
    "query",
    [
        '""',
        '"!!" -"?"',
        '-"',
        "- -a --b",
        '"a" ' * 800,
        "-word " * 600,
        '(" ")',
        '"' * 4000,
        "-" * 4000,
        "quan" * 1000,
    ],
)
@pytest.mark.parametrize("typing", [False, True])
def test_no_query_raises(store: Store, query: str, typing: bool) -> None:
    """Whatever a person types is answered, if only with nothing."""
    _commit(store, note="quantum")
    _read_words(store)
    assert _found(store, query, typing=typing) == []


def test_word_that_is_being_typed_finds_what_begins_so(store: Store) -> None:
    """The last word finds its completions while it is typed, and only itself once it has an end."""
    _commit(store, a="quantum fields", b="quantity", c="an Äquator", d="fields of wheat")
    _read_words(store)
    assert set(_found(store, "quan", typing=True)) == {"a", "b"}
    assert _found(store, "fields quant", typing=True)[0] == "a"
    assert _found(store, "äqu", typing=True) == _found(store, "AQU", typing=True) == ["c"]
    assert _found(store, "quan") == []
    assert _found(store, "quan ", typing=True) == []
    assert _found(store, "q", typing=True) == []
    assert _found(store, "quan 学", typing=True) == []


def test_searcher_hands_on_that_a_word_is_being_typed(sample: Live) -> None:
    """A query that ends in space has no unfinished word, although it is asked without the space."""
    _await_words(sample.index.store)
    paths = [item.path for item in sample.searcher.search("polyureth", mode="text", typing=True).results]
    assert paths == ["Projects/Narrowboat.md"]
    assert sample.searcher.search("polyureth ", mode="text", typing=True).results == ()


def test_excluded_word_is_in_no_passage_of_either_leg(sample: Live) -> None:
    """What is left out is left out of the passages that meaning finds, too."""
    before = sample.searcher.search("engine maintenance", limit=50)
    after = sample.searcher.search("engine maintenance -engine", limit=50)
    assert any("engine" in passage.text.lower().split() for passage in before.results)
    assert after.stages == ("semantic", "text")
    assert after.results
    assert not any("engine" in passage.text.lower().split() for passage in after.results)


def test_model_reads_a_query_without_its_operators(sample: Live) -> None:
    """Quotes and what is left out change no embedding."""
    plainly = sample.searcher.search("engine maintenance", mode="semantic", limit=50).results
    quoted = sample.searcher.search('"engine" maintenance -zebra', mode="semantic", limit=50).results
    assert [passage.scores for passage in quoted] == [passage.scores for passage in plainly]


def test_selection_of_a_question_is_words(sample: Live) -> None:
    """A quotation in the selected text asks for no phrase."""
    asked = Question("polyurethane glue", selection='- "a phrase that no note has"')
    with sample.searcher.borrow() as space:
        found = Answerer(sample.searcher, None)._search(asked, space)
    assert found.results[0].scores.text is not None


@pytest.mark.parametrize("typed", ["bakcery", "bakry", "bakeery", "bekery", "BAKEYR"])
def test_typing_error_finds_the_word_that_was_meant(store: Store, typed: str) -> None:
    """A letter that is missing, too many, wrong or in the other's place is forgiven."""
    _commit(store, a="the bakery", b="the battery")
    _read_words(store)
    assert _found(store, typed)[:1] == ["a"]


def test_two_errors_are_forgiven_in_a_long_word_alone(store: Store) -> None:
    """From eight letters on two errors are taken, and the first letter is taken to be right."""
    _commit(store, a="philosophy", b="bread", c="rye")
    _read_words(store)
    assert _found(store, "philosofy") == ["a"]
    assert _found(store, "braed") == ["b"]
    assert _found(store, "brdae") == []
    assert _found(store, "rey") == []
    assert _found(store, "vhilosophy") == []


def test_word_that_a_note_has_is_never_widened(store: Store) -> None:
    """A known word finds itself alone, also one written since the words were last read."""
    _commit(store, a="form", b="from")
    _read_words(store)
    assert _found(store, "form") == ["a"]
    _commit(store, c="fork")
    assert _found(store, "fork") == ["c"]
    assert _found(store, "fori") == ["a"]


def test_typing_error_finds_rows_that_the_index_does_not_know_yet(store: Store) -> None:
    """A correction is looked for in what was just written as in the rest."""
    _commit(store, a="bakery")
    store.tidy()
    _read_words(store)
    _commit(store, b="bakery again")
    assert store.chunks.untidy_rows() == 1
    assert set(_found(store, "bakrey")) == {"a", "b"}


def test_words_are_read_anew_after_upkeep(store: Store) -> None:
    """New words complete from the first search after an upkeep on, once it has read them."""
    _commit(store, a="quantum")
    _read_words(store)
    _commit(store, b="quarry")
    assert set(_found(store, "qua", typing=True)) == {"a"}
    store.tidy()
    eventually(lambda: set(_found(store, "qua", typing=True)) == {"a", "b"}, "the new word completes")


def test_words_that_left_the_disk_leave_the_vocabulary(store: Store) -> None:
    """After a note went for good and its rows were written anew, its words are read away."""
    _commit(store, a="secret", b="bread")
    _read_words(store)
    store.commit([], {"a": 1})
    store.rewrite(lambda: None)
    _await_words(store)
    assert "secret" not in store.chunks.vocabulary.known
    assert "bread" in store.chunks.vocabulary.known


def test_table_that_cannot_be_read_leaves_search_without_its_words(
    store: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A failure to read the words is logged, and the next upkeep asks for them again."""
    _commit(store, a="quantum")

    class Broken:
        def search(self) -> None:
            raise RuntimeError("gone")

    with monkeypatch.context() as patched:
        patched.setattr(store.chunks, "_table", Broken())
        _read_words(store)
    assert "gone" in caplog.text
    assert store.chunks.vocabulary.renew() is None
    assert _found(store, "quantum") == ["a"]
    store.tidy()
    _read_words(store)
    assert _found(store, "quan", typing=True) == ["a"]


def test_index_without_positions_gets_them(tmp_path: Path) -> None:
    """An index of the release before finds phrases from its first opening on."""
    store = Store(tmp_path / "index")
    _commit(store, a="stone bridge", b="bridge of stone")
    table = store.chunks._table
    table.create_index("content", config=FTS(base_tokenizer="icu/split", with_position=False), replace=True)
    table.drop_columns(["modified", "properties"])
    (tmp_path / "index" / "schema.json").write_text('{"schema": 3}')
    assert _found(Store(tmp_path / "index"), '"stone bridge"') == ["a"]


def test_vocabulary_counts_words_of_every_script() -> None:
    """Case and Latin accents fold; other scripts keep their marks; scripts without spaces have no words."""
    texts = pa.array(
        ["Café CAFE straße snake_case don't", "हिन्दी хлеб йод 한국어 私は学習します ภาษาไทย", ""]
    )
    words = Vocabulary.of([texts, texts])._words.to_pylist()
    expected = ["case", "cafe", "don", "snake", "strasse", "t", "हिन्दी", "хлеб", "йод", "한국어"]
    assert words == sorted(expected)


def test_completions_are_the_most_frequent_words() -> None:
    """Of many words the frequent ones are taken, and the beginning itself is none of them."""
    texts = pa.array(
        [" ".join(f"word{letter}" for letter in "abcdefghijklmnopqrstuvwxyz"), "word wordz wordy"]
    )
    found = Vocabulary.of([texts]).completions("word")
    assert len(found) == MAX_COMPLETIONS
    assert set(found[:2]) == {"wordy", "wordz"}
    assert "word" not in found


def test_nearest_words_are_those_with_the_fewest_errors() -> None:
    """One error goes before two, and among words of as many errors the frequent one goes first."""
    known = Vocabulary.of([pa.array(["committee commitee cat cut", "cut"])])
    assert known.nearest("comittee") == ["committee"]
    assert known.nearest("cot") == ["cut", "cat"]
    assert known.nearest("dog") == []


@given(st.text("abc", min_size=1, max_size=9), st.lists(st.text("abc", min_size=1, max_size=9), min_size=1))
def test_errors_are_counted_as_defined(word: str, others: list[str]) -> None:
    """The distances of many words at once are those of the textbook's recursion."""
    assert _errors(word, others).tolist() == [_errors_of_two(word, other) for other in others]


def _errors_of_two(a: str, b: str) -> int:
    @cache
    def errors(i: int, j: int) -> int:
        if not i or not j:
            return i + j
        best = min(errors(i - 1, j) + 1, errors(i, j - 1) + 1, errors(i - 1, j - 1) + (a[i - 1] != b[j - 1]))
        if i > 1 and j > 1 and (a[i - 1], a[i - 2]) == (b[j - 2], b[j - 1]):
            best = min(best, errors(i - 2, j - 2) + 1)
        return best

    return errors(len(a), len(b))
