"""The probes are enough, in many languages, and no two of them alike."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import astuple
from pathlib import Path

import pytest

from pai_daemon.models import probes as module
from pai_daemon.models.probes import LEAST_PROBES, probes

# These write no spaces between words, so a count of words says nothing.
UNSPACED = {"zh", "ja"}
AT_LEAST_TWICE = ("fr", "es", "it", "pt", "nl", "pl", "ru", "uk", "tr", "zh", "ja", "ko", "ar", "hi")


def test_probes_of_a_model_of_unknown_languages_are_all() -> None:
    """Where nobody knows what a model was trained on, it is measured in every language."""
    entries = json.loads(Path(module.__file__).with_suffix(".json").read_text("utf-8"))
    assert [astuple(each) for each in probes()] == [tuple(entry.values()) for entry in entries]


def test_probes_are_mostly_english_and_cover_other_scripts() -> None:
    """A third is English, and the languages are written in eight scripts beside Latin."""
    counts = Counter(each.language for each in probes())
    assert sum(counts.values()) == 64
    assert counts["en"] == 22
    assert counts["de"] == 6
    assert all(counts[language] >= 2 for language in AT_LEAST_TWICE)
    assert len(counts) == 19


def test_probes_texts_are_each_said_once() -> None:
    """No text stands twice, within a probe or across them: a question has one answer."""
    texts = [text for each in probes() for text in astuple(each)[1:]]
    repeated = [text for text, count in Counter(texts).items() if count > 1]
    assert not repeated
    assert all(text == text.strip() != "" for text in texts)


def test_probes_questions_share_few_words_with_their_sentence() -> None:
    """A question is no echo of its sentence: at most one longer word stands in both."""
    for each in probes():
        if each.language not in UNSPACED:
            asked, said = (
                {word.strip(".,:;?") for word in text.lower().split()}
                for text in (each.question, each.sentence)
            )
            assert sum(len(word) > 4 for word in asked & said) <= 1, each


def test_probes_are_as_long_as_what_stands_in_notes() -> None:
    """Sentences are short, a few very short; some of the texts beside them fill a paragraph."""
    sentences = [len(each.sentence.split()) for each in probes() if each.language not in UNSPACED]
    others = [len(each.other.split()) for each in probes()]
    assert max(sentences) <= 35
    assert sum(words < 10 for words in sentences) >= 3
    assert sum(60 <= words <= 90 for words in others) >= 5
    assert max(others) <= 90


@pytest.mark.parametrize(
    ("languages", "expected"),
    [({"en"}, {"en"}), ({"de"}, {"en"}), ({"de", "fr", "nl"}, {"de", "fr", "nl"}), ({"xx"}, {"en"})],
)
def test_probes_of_a_model_are_in_its_languages(languages: set[str], expected: set[str]) -> None:
    """A model is measured in what it covers, and in English where we have too little of that."""
    found = probes(frozenset(languages))
    assert {each.language for each in found} == expected
    assert len(found) >= LEAST_PROBES
