"""The languages of a vault are known after the first index, and a model that misses one is named."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pai_daemon.context.catalog import Catalog, IndexedNote
from pai_daemon.context.languages import (
    SAMPLE_CHUNKS,
    VaultLanguages,
    language_hints,
    not_covered,
    sample,
)
from pai_daemon.models.probes import probes
from pai_daemon.models.registry import profile
from pai_daemon.vault.scan import FileStat
from tests.context.conftest import GoLive
from tests.daemon_process import eventually

SMALL = profile("small")


def _note(path: str, chunks: int) -> IndexedNote:
    keys = tuple(f"{path}-{number}" for number in range(chunks))
    return IndexedNote(path, FileStat(1, 1, 1), "hash", path, (), (), (), (), keys)


def _write(vault: Path, language: str) -> None:
    """Write the probes of a language as notes."""
    for each in probes():
        if each.language == language:
            (vault / f"{each.title}.md").write_text(f"{each.sentence}\n\n{each.other}\n", "utf-8")


def test_sample_of_a_small_vault_is_all_of_it() -> None:
    """Where there are few chunks, each is looked at."""
    catalog = Catalog([_note("a.md", 2), _note("b.md", 0), _note("c.md", 1)])
    assert sample(catalog) == ["a.md#0", "a.md#1", "c.md#0"]


@pytest.mark.parametrize("chunks", [301, 3000, 50_000])
def test_sample_of_a_large_vault_is_spread_over_it(chunks: int) -> None:
    """A long note counts by its length, and the sample stays small."""
    half = chunks // 2
    catalog = Catalog([_note("long.md", half), *(_note(f"n{number:05}.md", 1) for number in range(half))])
    ids = sample(catalog)
    assert SAMPLE_CHUNKS / 2 <= len(ids) <= SAMPLE_CHUNKS
    assert sum(item.startswith("long.md") for item in ids) == pytest.approx(len(ids) / 2, abs=1)


def test_sample_of_nothing_is_empty() -> None:
    """A vault without notes has no sample."""
    assert sample(Catalog()) == []


def test_languages_are_looked_at_again_when_the_vault_is_another() -> None:
    """Half more or half fewer notes are worth another look, a save is not."""
    languages = VaultLanguages()
    assert not languages.is_due(0)
    assert languages.is_due(1)
    languages.counted_notes = 10
    assert [notes for notes in range(30) if not languages.is_due(notes)] == list(range(5, 16))


def test_language_with_a_small_share_is_no_reason_for_a_hint() -> None:
    """A tenth of the vault in a language that the model does not know is told, less is not."""
    shares = {"en": 0.6, "de": 0.31, "fr": 0.09}
    assert not_covered(shares, {"en"}.__contains__) == {"de": 0.31}
    assert not_covered(shares, {"en", "de"}.__contains__) == {}


def test_hint_says_which_languages_and_what_to_type() -> None:
    """The hint names shares, languages and model, and a model that covers all that is written."""
    (hint,) = language_hints({"de": 0.62, "fr": 0.2, "en": 0.18}, SMALL)
    assert hint.code == "language_not_covered"
    assert hint.message == (
        "62 % of your notes are in German and 20 % in French, which all-MiniLM-L6-v2 was not trained for: "
        "they are found by their words, hardly by their meaning."
    )
    assert hint.command == "pai models use multilingual-e5-small"


@pytest.mark.parametrize("shares", [{}, {"en": 1.0}, {"en": 0.95, "de": 0.05}])
def test_vault_that_the_model_covers_gets_no_hint(shares: dict[str, float]) -> None:
    """Nothing is said of an English vault with an English model, nor where nothing is known."""
    assert language_hints(shares, SMALL) == []


def test_model_of_unknown_languages_gets_no_hint() -> None:
    """Of a model that does not say what it was trained for, nothing is claimed."""
    assert language_hints({"de": 1.0}, replace(SMALL, languages=frozenset())) == []


def test_hint_without_a_better_model_has_no_command() -> None:
    """Where no model that we know covers the language, there is nothing to type."""
    (hint,) = language_hints({"tlh": 1.0}, SMALL)
    assert hint.command is None


def test_indexed_vault_knows_its_languages(go_live: GoLive, tmp_path: Path) -> None:
    """When the first index is ready the shares are known, and they follow a vault that grows by half."""
    vault = tmp_path / "vault"
    vault.mkdir()
    _write(vault, "de")
    live = go_live(vault)
    live.settled()
    assert dict(live.indexer.languages.shares) == {"de": 1.0}
    _write(vault, "en")
    eventually(lambda: live.indexer.languages.shares.get("en", 0) > 0.5, "the English notes in the shares")
    assert set(live.indexer.languages.shares) == {"en", "de"}
