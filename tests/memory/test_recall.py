"""Which facts are recalled, in what order, and that nothing of a forgotten one stays. No model is loaded."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pai_daemon.context.vectors import Floats
from pai_daemon.errors import ModelUnavailable, UsageError
from pai_daemon.memory.asking import asking_of, language_of
from pai_daemon.memory.fact_rows import passage_of
from pai_daemon.memory.fact_vectors import FactVectors, key_of
from pai_daemon.memory.grams import Grams
from pai_daemon.memory.recall import Recall, Recollection, Wanted
from pai_daemon.models.registry import Scoring

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
WIDTH = 1024


@dataclass(frozen=True, slots=True)
class Known:
    """A fact."""

    id: str
    text: str
    subject: str = "Me"
    said: date | None = date(2026, 5, 1)
    until: date | None = None
    superseded_by: str | None = None
    pinned: bool = False
    tags: tuple[str, ...] = ()


class Words:
    """A model that sees which words texts share, and nothing else. asked: what was embedded."""

    def __init__(self, name: str = "words") -> None:
        self.profile = SimpleNamespace(
            name=name, fingerprint=name, dimensions=WIDTH, spec=name, languages=frozenset({"en"})
        )
        self.scoring = Scoring(0.3, 0.4, 0, 0.6)
        self.asked: list[str] = []
        self.is_away = False

    def embed_query(self, text: str) -> Floats:
        """Return the embedding of a question."""
        if self.is_away:
            raise ModelUnavailable("away")
        return self._embed(text)

    def embed_texts(self, texts: Sequence[str], *, urgent: bool) -> Floats:
        """Return the embeddings of facts."""
        del urgent
        if self.is_away:
            raise ModelUnavailable("away")
        self.asked += texts
        return np.array([self._embed(text) for text in texts])

    def _embed(self, text: str) -> Floats:
        vector = np.full(WIDTH, 1e-3, np.float32)
        for word in text.lower().replace(".", " ").replace("?", " ").split():
            vector[int.from_bytes(key_of(word)[:4]) % WIDTH] += 1
        return (vector / np.linalg.norm(vector)).astype(np.float32)


def words(name: str = "words") -> Any:
    """Return such a model, as no test needs all that a model has."""
    return Words(name)


@pytest.fixture
def recall(tmp_path: Path) -> Iterator[Recall[Known]]:
    """Return a recall that knows nothing yet."""
    made: Recall[Known] = Recall(tmp_path / "memory")
    yield made
    made.close()


def known_to(recall: Recall[Known], facts: Sequence[Known], model: Any) -> None:
    """Let a recall know these facts and no others."""
    recall.keep_up(lambda: facts, model)


def ids(found: Recollection[Known]) -> list[str]:
    """Return the ids of what was found."""
    return [each.fact.id for each in found.results]


HELIX = Known("helix", "I write all code in the Helix editor.", "Computer", date(2026, 2, 28))
VIM = Known("vim", "My editor is Vim.", "Computer", date(2025, 9, 5), superseded_by="helix")
TEA = Known("tea", "Green tea in the morning, never coffee.", "Food", date(2026, 3, 4), tags=("drink/hot",))
DOG = Known("dog", "Our dog Nudel is afraid of fireworks.", "Dog", date(2026, 1, 1), pinned=True)
PHYSIO = Known("physio", "Physio for the knee is on Tuesdays.", "Health", until=date(2026, 10, 31))
FACTS = (HELIX, VIM, TEA, DOG, PHYSIO)


def test_recall_finds_the_fact_by_its_words_without_any_model(recall: Recall[Known]) -> None:
    """With no model the words answer, and the result says that only they ran."""
    known_to(recall, FACTS, None)
    found = recall.recall("Is the dog afraid?", now=NOW)
    assert ids(found)[0] == "dog"
    assert found.stages == ("text",)


def test_recall_superseded_fact_stands_behind_what_replaced_it(recall: Recall[Known]) -> None:
    """A question in the old fact's own words gets the new one first."""
    model = words()
    known_to(recall, FACTS, model)
    for question in ("My editor is Vim.", "Which editor did I use before Helix? Vim?"):
        assert ids(recall.recall(question, now=NOW, model=model))[0] == "helix"


def test_recall_of_the_past_tells_the_old_fact_second(recall: Recall[Known]) -> None:
    """Who asks what was before gets it right behind what is now."""
    model = words()
    known_to(recall, FACTS, model)
    found = recall.recall("What was my editor before?", now=NOW, model=model)
    assert ids(found)[:2] == ["helix", "vim"]
    assert [each.replaced for each in found.results[:2]] == [False, True]


@pytest.mark.parametrize(
    "wanted",
    [Wanted(before=date(2026, 1, 1)), Wanted(since=date(2025, 9, 1), before=date(2025, 10, 1))],
)
def test_recall_filter_that_passes_the_old_fact_alone_brings_the_new_one(
    recall: Recall[Known], wanted: Wanted
) -> None:
    """No filter makes a superseded fact the first."""
    known_to(recall, FACTS, None)
    assert ids(recall.recall("Which editor, Vim?", now=NOW, wanted=wanted)) == ["helix", "vim"]


def test_recall_expired_fact_stands_behind_one_that_holds(recall: Recall[Known]) -> None:
    """The better match that does not hold any more comes second, and says that it has expired."""
    later = Known("later", "Physio is over; the knee is fine.", "Health")
    known_to(recall, (PHYSIO, later), None)
    found = recall.recall("When is physio for the knee?", now=NOW)
    assert ids(found) == ["later", "physio"]
    assert [each.expired for each in found.results] == [False, True]


def test_recall_circle_of_facts_that_replace_each_other_ends(recall: Recall[Known]) -> None:
    """Two facts that a person marked as replacing each other are both told."""
    circle = (replace(HELIX, superseded_by="vim"), VIM)
    known_to(recall, circle, None)
    assert set(ids(recall.recall("Which editor?", now=NOW))) == {"helix", "vim"}


def test_recall_fact_whose_successor_was_forgotten_holds_again(recall: Recall[Known]) -> None:
    """What replaced it is gone, so it is a fact like others."""
    known_to(recall, (VIM, TEA), None)
    found = recall.recall("Which editor?", now=NOW)
    assert [(each.fact.id, each.replaced) for each in found.results] == [("vim", False)]


def test_recall_without_a_fitting_fact_is_empty(recall: Recall[Known]) -> None:
    """A question of which no fact says anything gets none."""
    model = words()
    known_to(recall, FACTS, model)
    assert not recall.recall("zebra quantum?", now=NOW, model=model).results
    assert not recall.recall("zebra quantum?", now=NOW).results


def test_recall_of_nothing_is_empty(recall: Recall[Known]) -> None:
    """No facts, no failure."""
    assert recall.recall("Which editor?", now=NOW, model=words()).results == ()


def test_recall_time_in_the_question_narrows_to_what_was_said_then(recall: Recall[Known]) -> None:
    """What was said in March is a filter, and is told as understood."""
    known_to(recall, FACTS, None)
    found = recall.recall("What did I say in March?", now=NOW)
    assert ids(found) == ["tea"]
    assert found.understood == ("since 2026-03-01", "before 2026-04-01")
    assert ids(recall.recall("Was habe ich im März über Tee gesagt?", now=NOW)) == ["tea"]
    assert not recall.recall("What did I say in April about the dog?", now=NOW).results


def test_recall_filters_by_subject_and_tag(recall: Recall[Known]) -> None:
    """A subject is matched without case, a tag with its children."""
    known_to(recall, FACTS, None)
    asked = "Which editor, tea or dog?"
    assert ids(recall.recall(asked, now=NOW, wanted=Wanted(subject="dog"))) == ["dog"]
    assert ids(recall.recall(asked, now=NOW, wanted=Wanted(tag="#drink"))) == ["tea"]
    assert not recall.recall(asked, now=NOW, wanted=Wanted(tag="drin")).results


@pytest.mark.parametrize(
    "wrong",
    [
        {"question": "  "},
        {"limit": 0},
        {"limit": 101},
        {"wanted": Wanted(since=date(2026, 2, 1), before=date(2026, 2, 1))},
    ],
)
def test_recall_wrong_question_is_refused(recall: Recall[Known], wrong: dict[str, Any]) -> None:
    """What cannot be meant raises UsageError."""
    with pytest.raises(UsageError):
        recall.recall(**cast("Any", {"question": "x", "now": NOW} | wrong))


def test_recall_model_that_went_away_leaves_the_words(recall: Recall[Known]) -> None:
    """A server that embeds may be gone; the answer says which legs ran."""
    model = words()
    known_to(recall, FACTS, model)
    model.is_away = True
    found = recall.recall("Is the dog afraid?", now=NOW, model=model)
    assert (found.stages, ids(found)[0]) == (("text",), "dog")


def test_recall_start_embeds_nothing_again(tmp_path: Path) -> None:
    """A second start reads the embeddings from disk, and finds the same."""
    first, again = words(), words()
    answers = []
    for model in (first, again):
        recall: Recall[Known] = Recall(tmp_path)
        known_to(recall, FACTS, model)
        answers.append(recall.recall("Which editor?", now=NOW, model=model))
        recall.close()
    assert len(first.asked) == len(FACTS)
    assert not again.asked
    assert answers[0] == answers[1]


def test_recall_changed_fact_alone_is_embedded(recall: Recall[Known]) -> None:
    """A new text is embedded; a new pin or day costs nothing."""
    model = words()
    known_to(recall, FACTS, model)
    model.asked.clear()
    known_to(recall, (replace(HELIX, pinned=True), VIM, replace(TEA, text="Black tea."), DOG), model)
    assert model.asked == ["Food. Black tea."]


def test_recall_damaged_file_is_made_anew(tmp_path: Path) -> None:
    """The embeddings are a cache: what cannot be read costs an embedding, not a start."""
    for damage in (b"", b"no database" * 500):
        model = words()
        recall: Recall[Known] = Recall(tmp_path)
        known_to(recall, FACTS, model)
        recall.close()
        (file,) = tmp_path.glob("*.sqlite")
        file.write_bytes(damage)
    known_to(recall, FACTS, model)
    assert len(model.asked) == 2 * len(FACTS)
    recall.close()


def test_recall_other_model_leaves_nothing_of_the_first(tmp_path: Path) -> None:
    """A switch embeds all facts again, and removes the old file."""
    recall: Recall[Known] = Recall(tmp_path)
    known_to(recall, FACTS, words("a"))
    known_to(recall, FACTS, other := words("b"))
    assert len(other.asked) == len(FACTS)
    assert len(list(tmp_path.glob("*.sqlite"))) == 1
    assert ids(recall.recall("Is the dog afraid?", now=NOW, model=other))[0] == "dog"
    recall.close()


def test_recall_forgotten_fact_leaves_no_byte_of_its_embedding(tmp_path: Path) -> None:
    """Neither its key nor its numbers stand in any file of the folder."""
    recall: Recall[Known] = Recall(tmp_path)
    model = words()
    known_to(recall, FACTS, model)
    passage = f"{DOG.subject}. {DOG.text}"
    traces = (key_of(passage), model.embed_texts([passage], urgent=False)[0].tobytes()[:64])
    assert any(traces[0] in file.read_bytes() for file in tmp_path.iterdir())
    known_to(recall, [fact for fact in FACTS if fact is not DOG], model)
    for file in tmp_path.iterdir():
        assert not any(trace in file.read_bytes() for trace in traces)
    assert "dog" not in ids(recall.recall("Is the dog Nudel afraid?", now=NOW, model=model))
    recall.close()


@pytest.mark.parametrize("meanwhile", [True, False])
def test_recall_fact_forgotten_while_no_model_was_there_leaves_no_embedding(
    tmp_path: Path, meanwhile: bool
) -> None:
    """Neither if it went before the start nor after it; the embeddings of the others stay."""
    model = words()
    recall: Recall[Known] = Recall(tmp_path)
    known_to(recall, FACTS, model)
    recall.close()
    later: Recall[Known] = Recall(tmp_path)
    if meanwhile:
        known_to(later, FACTS, None)
    known_to(later, FACTS[:2], None)
    left = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    for fact in FACTS:
        assert (key_of(passage_of(fact)) in left) == (fact in FACTS[:2])
    model.asked.clear()
    known_to(later, FACTS[:2], model)
    assert model.asked == []
    later.close()


def test_recall_damaged_file_goes_before_a_model_is_there(tmp_path: Path) -> None:
    """Nobody can say what is in it."""
    (tmp_path / "facts-0123456789abcdef.sqlite").write_bytes(b"SQLite format 3\0" + b"x" * 4096)
    known_to(Recall[Known](tmp_path), FACTS, None)
    assert not list(tmp_path.iterdir())


def test_recall_two_facts_with_one_text_share_an_embedding_until_both_are_gone(tmp_path: Path) -> None:
    """Forgetting one of them keeps the other's embedding."""
    recall: Recall[Known] = Recall(tmp_path)
    model = words()
    known_to(recall, (DOG, replace(DOG, id="twin")), model)
    known_to(recall, (replace(DOG, id="twin"),), model)
    recall.close()
    known_to(recall, (replace(DOG, id="twin"),), again := words())
    assert not again.asked
    recall.close()


def test_recall_embedding_that_takes_long_lets_a_fact_be_forgotten(tmp_path: Path) -> None:
    """Who forgets waits for one batch, not for all; the fact is not embedded after that."""
    many = [Known(f"f{number}", f"Fact number {number}.") for number in range(300)]
    at_work, may_go_on = threading.Event(), threading.Event()

    class Slow(Words):
        def embed_texts(self, texts: Sequence[str], *, urgent: bool) -> Floats:
            at_work.set()
            assert may_go_on.wait(30)
            return super().embed_texts(texts, urgent=urgent)

    recall: Recall[Known] = Recall(tmp_path)
    now_there = list(many)
    model: Any = Slow()
    first = threading.Thread(target=recall.keep_up, args=(lambda: list(now_there), model))
    first.start()
    assert at_work.wait(30)
    assert recall.recall("Fact number 299", now=NOW).results[0].fact.id == "f299"
    del now_there[-1]
    second = threading.Thread(target=recall.keep_up, args=(lambda: list(now_there), model))
    second.start()
    may_go_on.set()
    first.join(30)
    second.join(30)
    assert "f299" not in ids(recall.recall("Fact number 299", now=NOW, limit=100))
    assert len(recall) == 299
    recall.close()
    name = next(tmp_path.glob("*.sqlite"))
    assert key_of("Me. Fact number 299.") not in name.read_bytes()


def test_fact_that_was_just_said_is_embedded_before_the_notes(recall: Recall[Known]) -> None:
    """One does not wait for the notes that wait; hundreds, as of an import, do."""
    hurried: list[bool] = []

    class Noting(Words):
        def embed_texts(self, texts: Sequence[str], *, urgent: bool) -> Floats:
            hurried.append(urgent)
            return super().embed_texts(texts, urgent=urgent)

    model: Any = Noting()
    many = [Known(f"f{number}", f"Fact number {number}.") for number in range(64)]
    known_to(recall, many, model)
    known_to(recall, [*many, DOG], model)
    assert hurried == [False, True]


_WORDS = ("editor", "vim", "tea", "dog", "knee", "rent", "Leipzig", "Miete", "Hund", "nicht")
_FACTS = st.lists(
    st.builds(
        Known,
        id=st.sampled_from([f"f{number}" for number in range(12)]),
        text=st.lists(st.sampled_from(_WORDS), min_size=1, max_size=5).map(" ".join),
        subject=st.sampled_from(("Me", "Dog", "")),
        said=st.sampled_from((None, date(2026, 3, 1), date(2026, 11, 20))),
        until=st.sampled_from((None, date(2026, 1, 1))),
        superseded_by=st.none() | st.sampled_from([f"f{number}" for number in range(12)]),
        pinned=st.booleans(),
    ),
    max_size=12,
    unique_by=lambda fact: fact.id,
)
_QUESTIONS = st.lists(st.sampled_from((*_WORDS, "before", "früher")), min_size=1, max_size=4).map(" ".join)


@given(facts=_FACTS, question=_QUESTIONS, seed=st.integers(0, 9))
def test_recall_does_not_depend_on_the_order_of_facts(facts: list[Known], question: str, seed: int) -> None:
    """Facts read from files in another order, or learnt in another history, give the same answer."""
    mixed = random.Random(seed).sample(facts, len(facts))
    one: Recall[Known] = Recall(Path("unused"))
    two: Recall[Known] = Recall(Path("unused"))
    one.keep_up(lambda: facts)
    two.keep_up(lambda: mixed[: len(mixed) // 2])
    two.keep_up(lambda: mixed)
    assert one.recall(question, now=NOW) == two.recall(question, now=NOW)


@given(before=_FACTS, after=_FACTS, question=_QUESTIONS, limit=st.integers(1, 5))
def test_recall_tells_only_what_there_is_and_nothing_before_what_replaced_it(
    before: list[Known], after: list[Known], question: str, limit: int
) -> None:
    """After any change: no forgotten fact, none twice, and no replaced one before its successor."""
    recall: Recall[Known] = Recall(Path("unused"))
    recall.keep_up(lambda: before)
    recall.keep_up(lambda: after)
    found = [each.fact for each in recall.recall(question, now=NOW, limit=limit).results]
    assert all(fact in after for fact in found)
    assert len({fact.id for fact in found}) == len(found) <= limit
    there = {fact.id: fact for fact in after}
    for place, fact in enumerate(found):
        line = [fact.id]
        while (newer := there[line[-1]].superseded_by) in there and newer not in line:
            line.append(str(newer))
        is_circle = newer in line
        assert is_circle or line[-1] in {each.id for each in found[: place + 1]}


@given(_FACTS, _FACTS)
def test_grams_keep_nothing_of_what_was_removed(first: list[Known], second: list[Known]) -> None:
    """Rows that came and went leave the same scores as rows that never were."""
    plain, changed = Grams(), Grams()
    for row, fact in enumerate(first):
        plain.add(row, fact.text)
        changed.add(row, fact.text)
    for row, fact in enumerate(second, start=len(first)):
        changed.add(row, fact.text)
    for row, fact in enumerate(second, start=len(first)):
        changed.remove(row, fact.text)
    question = " ".join(_WORDS)
    assert plain._rows == changed._rows
    assert np.array_equal(plain.scores(question, len(first)), changed.scores(question, len(first)))


def test_fact_vectors_are_private_to_the_person(tmp_path: Path) -> None:
    """Nobody else on the machine may read what was made of facts."""
    model = words()
    name = SimpleNamespace(name="m", fingerprint="m", dimensions=WIDTH)
    vectors = FactVectors(tmp_path, name)  # type: ignore[arg-type]
    vectors.of(["a"], lambda texts: model.embed_texts(texts, urgent=False))
    assert vectors.path.stat().st_mode & 0o077 == 0
    assert len(vectors) == 1
    vectors.close()


@pytest.mark.parametrize(
    ("question", "text", "since", "before", "of_past"),
    [
        ("What did I say about Samira last week?", "Samira", date(2026, 11, 16), date(2026, 11, 23), False),
        ("Was habe ich im Mai über Geld gesagt?", "Geld", date(2026, 5, 1), date(2026, 6, 1), False),
        ("What did I say in March?", "", date(2026, 3, 1), date(2026, 4, 1), False),
        ("Was weißt du seit September über Ida?", "Ida", date(2026, 9, 1), None, False),
        ("Since when do we live here?", "Since when do we live here?", None, None, False),
        ("When do we travel in January?", "When do we travel in January?", None, None, False),
        ("Welchen Editor hatte ich früher?", "Welchen Editor hatte ich früher?", None, None, True),
        ("Was trinke ich morgens?", "Was trinke ich morgens?", None, None, False),
    ],
)
def test_asking_reads_time_and_past(
    question: str, text: str, since: date | None, before: date | None, of_past: bool
) -> None:
    """A time belongs to what was said only where saying is asked of."""
    asking = asking_of(question, NOW)
    assert (asking.text, asking.since, asking.before, asking.of_past) == (text, since, before, of_past)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("I sing second alto.", "en"),
        ("Der Chor kostet viel.", "de"),
        ("Zählerstand 48.213", "de"),
        ("42", ""),
    ],
)
def test_language_of_a_fact(text: str, language: str) -> None:
    """A handful of words is enough."""
    assert language_of(text) == language
