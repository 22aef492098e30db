"""Which server a setting names, how its texts are cut, and by what its model is known again."""

from __future__ import annotations

import email.utils
import subprocess
import sys
import time
import tomllib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pai_daemon.errors import UsageError
from pai_daemon.models import registry
from pai_daemon.models.addresses import Address, address_of
from pai_daemon.models.registry import known_profiles, profile, server_names
from pai_daemon.models.remote.acquaintance import SAME, met, recall, recalled, remember
from pai_daemon.models.remote.asking import _seconds
from pai_daemon.models.remote.pieces import halves, packed, pieces, sendable, size_of
from pai_daemon.models.sources import ServerSource

# Names.


@pytest.mark.parametrize(
    ("spec", "address", "location"),
    [
        ("ollama:bge-m3", Address("ollama", "bge-m3", "http://127.0.0.1:11434"), "local"),
        ("ollama:a/b:f16@http://[::1]:1/", Address("ollama", "a/b:f16", "http://[::1]:1"), "local"),
        ("ollama:big:cloud", Address("ollama", "big:cloud", "http://127.0.0.1:11434"), "remote"),
        ("openai:a@b@http://box.lan/v1", Address("openai", "a@b", "http://box.lan/v1"), "remote"),
        ("tei:https://localhost:8080", Address("tei", "", "https://localhost:8080"), "local"),
    ],
)
def test_setting_names_a_server(spec: str, address: Address, location: str) -> None:
    """Each form gives protocol, model and address, and says where that is."""
    chosen = profile(spec)
    assert isinstance(chosen.source, ServerSource)
    assert chosen.source.address == address_of(spec) == address
    assert (chosen.location, chosen.format) == (location, "server")


@pytest.mark.parametrize(
    "spec",
    [
        "ollama:",
        "openai:m",
        "openai:m@ftp://x/v1",
        "tei:",
        "tei:m@http://x",
        "tei:nonsense",
        "openai:m@http://x?y",
    ],
)
def test_setting_that_names_no_server_lists_the_forms(spec: str) -> None:
    """What is no form of a server is an unknown model, and the hint shows the forms."""
    with pytest.raises(UsageError) as caught:
        profile(spec)
    assert "openai:MODEL@URL, tei:URL" in caught.value.hint


def test_password_in_an_address_is_refused_unshown() -> None:
    """An address is shown in many places, so it must hold no secret; the hint names the setting for one."""
    with pytest.raises(UsageError) as caught:
        profile("openai:m@https://me:geheim@api.example/v1")
    assert "geheim" not in caught.value.detail + caught.value.hint
    assert "PAI_MODEL_KEY" in caught.value.hint


def test_key_is_no_part_of_what_is_shown_or_of_the_fingerprint() -> None:
    """Another key is the same model, and no printed profile holds it."""
    keyed = profile("openai:m@http://x/v1", None, "geheim")
    assert "geheim" not in repr(keyed)
    assert keyed.fingerprint == profile("openai:m@http://x/v1").fingerprint


@pytest.mark.parametrize(
    ("spec", "same_as"),
    [
        ("ollama:all-minilm", "small"),
        ("ollama:all-minilm:l12-v2", "all-MiniLM-L12-v2"),
        ("ollama:nomic-embed-text:v1.5", "nomic-embed-text-v1.5"),
        ("ollama:hf.co/nomic-ai/nomic-embed-text-v1.5-GGUF:Q4_K_M", "nomic-embed-text-v1.5"),
        ("openai:intfloat/multilingual-e5-small@http://x/v1", "e5"),
        ("openai:text-embedding-bge-m3@http://x/v1", "bge-m3"),
        ("ollama:embeddinggemma:300m", "EmbeddingGemma-300m"),
    ],
)
def test_server_gets_texts_as_the_model_was_trained_on(spec: str, same_as: str) -> None:
    """Whatever a server calls a model that we know, its prefixes, languages and scoring are the same."""
    chosen, known = profile(spec), profile(same_as)
    assert (chosen.query_prefix, chosen.passage_prefix) == (known.query_prefix, known.passage_prefix)
    assert (chosen.languages, chosen.scoring) == (known.languages, known.scoring)
    assert chosen.fingerprint != known.fingerprint


def test_name_that_is_short_for_one_of_ours_is_no_model_of_a_server() -> None:
    """A server may call anything `small` or `e5`."""
    assert profile("openai:e5@http://x/v1").query_prefix == ""
    assert profile("openai:small@http://x/v1").scoring is None


def test_rules_for_servers_name_models_that_are_there() -> None:
    """Each `same_as` is a name of the registry, and no other entry repeats one."""
    text = Path(registry.__file__).with_name("servers.toml").read_text("utf-8")
    names = {known.name.casefold() for known in known_profiles()}
    entries = tomllib.loads(text)["models"]
    assert {entry["same_as"].casefold() for entry in entries if "same_as" in entry} <= names
    assert not names & {name for entry in entries for name in entry["names"]}


def test_name_of_a_server_is_read_from_telling_to_plain() -> None:
    """A tag that makes another model goes before the name without it."""
    found = server_names("owner/Text-Embedding-X:L12-Q8_0")
    assert found[:2] == ["text-embedding-x-l12-q8_0", "text-embedding-x"]
    assert "x-l12" in found


def test_naming_a_server_imports_no_client() -> None:
    """The command line may read a setting without loading an HTTP library."""
    program = (
        "import sys\n"
        "from pai_daemon.models.registry import profile\n"
        "profile('ollama:bge-m3')\n"
        "print(sorted({'aiohttp', 'numpy'} & sys.modules.keys()))\n"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


# Texts.


@given(st.text(min_size=1).filter(str.strip), st.integers(4, 60))
@example("a" + " " * 100 + "b", 8)
def test_pieces_hold_all_of_a_text(text: str, limit: int) -> None:
    """Joined, the pieces have every character that is no white space; each fits, and none is blank."""
    found = pieces(sendable(text), limit)
    assert "".join("".join(found).split()) == "".join(sendable(text).split())
    assert all(piece.strip() and size_of(piece) <= limit for piece in found)


@given(st.text(min_size=2))
def test_halves_are_two_and_lose_only_space(text: str) -> None:
    """Both halves have something, and what is between them is white space."""
    first, second = halves(text)
    assert first
    assert second
    assert text.startswith(first)
    assert text.endswith(second)
    assert not text[len(first) : len(text) - len(second)].strip()


def test_halves_are_cut_between_words() -> None:
    """The nearest white space to the middle parts a text; a word without any is cut in two."""
    assert halves("a b c d e f g h") == ("a b c d", "e f g h")
    assert halves("abcdefgh") == ("abcd", "efgh")


@given(st.lists(st.integers(1, 50)), st.integers(1, 8), st.integers(1, 100))
def test_requests_hold_every_text_once_in_order_and_fit(sizes: list[int], most: int, budget: int) -> None:
    """Only a text that is larger than the budget goes over it, alone."""
    parts = list(packed(sizes, most, budget))
    assert [number for part in parts for number in part] == list(range(len(sizes)))
    for part in parts:
        assert len(part) <= most
        assert len(part) == 1 or sum(sizes[number] for number in part) <= budget


@pytest.mark.parametrize("text", ["", "\0", " \n", "\u2003"])
def test_empty_text_is_sent_as_something(text: str) -> None:
    """Servers refuse empty texts, so none is sent."""
    assert sendable(text).strip()


@pytest.mark.parametrize(("said", "seconds"), [("7", 7), ("0.5", 0.5), ("", 0), ("soon", 0), ("-3", 0)])
def test_retry_after_is_read_in_seconds(said: str, seconds: float) -> None:
    """A number of seconds is taken as it is; nonsense is no wait."""
    assert _seconds(said) == seconds


def test_retry_after_is_read_as_a_date() -> None:
    """The other form of the header is a date."""
    assert 50 < _seconds(email.utils.formatdate(time.time() + 60, usegmt=True)) <= 60
    assert _seconds(email.utils.formatdate(time.time() - 60, usegmt=True)) == 0


# Known again.


def _sample(angle: float) -> np.ndarray:
    return np.array([np.cos(angle), np.sin(angle), 0], np.float32)


def test_model_is_known_again_by_what_it_tells_and_by_its_sample() -> None:
    """A little off is the same model in another precision; further off, or told otherwise, is another."""
    first = met(None, "m", "d1", _sample(0))
    assert met(first, "m", "d1", _sample(np.arccos(SAME) - 0.01)) is first
    assert met(first, "m", "d1", _sample(np.arccos(SAME) + 0.01)).digest == "d1 1"
    assert met(first, "m", "d2", _sample(0)).digest == "d2"
    assert met(first, "m", "d1", np.array([1, 0], np.float32)).space == 1


def test_small_changes_do_not_add_up_unnoticed() -> None:
    """It is the first sample that each later one is held against."""
    known, step = met(None, "m", "", _sample(0)), np.arccos(SAME) * 0.6
    once = met(known, "m", "", _sample(step))
    assert once is known
    assert met(once, "m", "", _sample(2 * step)).space == 1


def test_what_is_remembered_is_read_back(tmp_path: Path) -> None:
    """An acquaintance survives the disk with its scoring; a server that moves is met anew."""
    chosen = profile("openai:m@http://127.0.0.1:1/v1")
    assert isinstance(chosen.source, ServerSource)
    known = replace(met(None, "m", "d", _sample(0.3)), scoring=profile("e5").scoring)
    remember(tmp_path, chosen.source.address, known)
    assert recall(tmp_path, chosen.source.address) == known
    assert recalled(chosen, tmp_path).dimensions == 3
    assert recalled(chosen, tmp_path).scoring == known.scoring
    moved = profile("openai:m@http://127.0.0.1:2/v1")
    assert recalled(moved, tmp_path) == moved


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", '{"sample": []}', '{"sample": ["a"], "model": 1}', "null"]
)
def test_what_cannot_be_read_is_not_remembered(tmp_path: Path, text: str) -> None:
    """A damaged file is as good as none."""
    chosen = profile("openai:m@http://127.0.0.1:1/v1")
    assert isinstance(chosen.source, ServerSource)
    remember(tmp_path, chosen.source.address, met(None, "m", "", _sample(0)))
    next(tmp_path.rglob("*.json")).write_text(text)
    assert recall(tmp_path, chosen.source.address) is None
