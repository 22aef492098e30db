"""Preparation happens once, survives damage and interruption, and stays small in memory."""

from __future__ import annotations

import errno
import json
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from pai_daemon.errors import DiskFull, ModelUnavailable
from pai_daemon.models import prepare as prepare_module
from pai_daemon.models.prepare import PreparedModel, model_folder, prepare
from pai_daemon.models.registry import profile


@pytest.fixture
def copy(small: PreparedModel, tmp_path: Path) -> PreparedModel:
    """Return the prepared small model in a cache of the test's own."""
    folder = model_folder(small.profile, tmp_path) / small.folder.name
    shutil.copytree(small.folder, folder)
    return replace(small, folder=folder, graph=folder / "model.onnx", tokenizer=folder / "tokenizer.json")


def _stages(model: PreparedModel, cache: Path) -> list[str]:
    stages: list[str] = []
    prepare(model.profile, cache, progress=lambda stage, _part: stages.append(stage))
    return list(dict.fromkeys(stages))


def test_prepare_when_done_writes_nothing(copy: PreparedModel, tmp_path: Path) -> None:
    """A second call reports no work and leaves the files as they are."""
    before = {path.name: path.stat().st_mtime_ns for path in copy.folder.iterdir()}
    assert _stages(copy, tmp_path) == []
    assert {path.name: path.stat().st_mtime_ns for path in copy.folder.iterdir()} == before


def test_prepare_with_one_flipped_byte_repairs(copy: PreparedModel, tmp_path: Path) -> None:
    """Weights whose size is right and whose content is not are written again, and it says so."""
    weights = copy.folder / "weights.bin"
    good = weights.read_bytes()
    weights.write_bytes(good[:5_000] + bytes([good[5_000] ^ 1]) + good[5_001:])
    assert _stages(copy, tmp_path)[0] == "repair"
    assert weights.read_bytes() == good


@pytest.mark.parametrize("name", ["model.onnx", "weights.bin", "tokenizer.json", "manifest.json"])
def test_prepare_with_a_missing_file_repairs(copy: PreparedModel, tmp_path: Path, name: str) -> None:
    """Each prepared file comes back when it was removed."""
    (copy.folder / name).unlink()
    assert _stages(copy, tmp_path)[0] == "repair"
    assert (copy.folder / name).is_file()


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"fingerprint": 1, "files": []}'])
def test_prepare_with_an_unreadable_manifest_repairs(
    copy: PreparedModel, tmp_path: Path, content: str
) -> None:
    """A manifest that says nothing useful is damage, not a crash."""
    (copy.folder / "manifest.json").write_text(content)
    assert _stages(copy, tmp_path)[0] == "repair"


def test_prepare_twice_gives_the_same_bytes(copy: PreparedModel, tmp_path: Path) -> None:
    """Preparation is deterministic: what a repair writes equals what was there."""
    before = json.loads((copy.folder / "manifest.json").read_text())["files"]
    shutil.rmtree(copy.folder)
    prepare(copy.profile, tmp_path)
    assert json.loads((copy.folder / "manifest.json").read_text())["files"] == before


def test_prepare_with_other_weights_refuses(tmp_path: Path) -> None:
    """A source file with another sha256 is never used."""
    known = profile("small")
    other = replace(known, source=replace(known.package, sha256="0" * 64))
    with pytest.raises(ModelUnavailable, match="not the file we know") as caught:
        prepare(other, tmp_path)
    assert known.package.install in caught.value.hint


@pytest.mark.parametrize(("number", "expected"), [(errno.ENOSPC, DiskFull), (errno.EROFS, ModelUnavailable)])
def test_prepare_on_a_refusing_disk_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, expected: type[Exception]
) -> None:
    """No room is DiskFull, another refusal an unavailable model; no half folder stays."""

    def refuse(*_: object, **__: object) -> None:
        raise OSError(number, "refused")

    monkeypatch.setattr(prepare_module, "write_encoder", refuse)
    with pytest.raises(expected):
        prepare(profile("small"), tmp_path)
    assert [path for path in model_folder(profile("small"), tmp_path).iterdir() if path.is_dir()] == []


def test_prepare_after_a_kill_removes_the_leftovers(tmp_path: Path) -> None:
    """What an interrupted preparation left is removed by the next one."""
    known = profile("small")
    written = prepare(known, tmp_path).folder
    shutil.rmtree(written)
    left = written.with_name(f"{written.name}.part-abc")
    left.mkdir(parents=True)
    (left / "weights.bin").write_bytes(b"half")
    prepared = prepare(known, tmp_path)
    assert prepared.graph.is_file()
    assert not left.exists()


def test_prepare_removes_what_former_versions_left(tmp_path: Path) -> None:
    """A new version of a model takes the place of the old one's files; another model keeps its own."""
    known = profile("small")
    former = tmp_path / "models" / f"{known.name}-{'0' * 16}"
    other = tmp_path / "models" / f"{known.name}-hub-{'0' * 16}"
    for folder in (former, other):
        (folder / "int8-00000000").mkdir(parents=True)
    former.with_name(f"{former.name}.lock").touch()
    prepare(known, tmp_path)
    assert not former.exists()
    assert not former.with_name(f"{former.name}.lock").exists()
    assert other.exists()


def test_prepare_by_two_at_once_builds_once(tmp_path: Path) -> None:
    """The lock lets one build and the other find it done."""
    stages: list[str] = []
    with ThreadPoolExecutor(2) as pool:
        calls = [
            pool.submit(prepare, profile("small"), tmp_path, progress=lambda stage, _: stages.append(stage))
            for _ in range(2)
        ]
    assert len({call.result().folder for call in calls}) == 1
    assert stages.count("done") == 1


@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak from /proc")
@pytest.mark.parametrize("name", ["e5", "small"])
def test_prepare_in_a_fresh_process_stays_under_300_mb(tmp_path: Path, name: str) -> None:
    """Writing tensor by tensor keeps the peak far below the size of the float32 model."""
    # The high-water mark of the process itself; getrusage would start at its parent's.
    program = (
        "import pathlib, sys\n"
        "from pai_daemon.models.prepare import prepare\n"
        "from pai_daemon.models.registry import profile\n"
        "prepare(profile(sys.argv[1]), pathlib.Path(sys.argv[2]))\n"
        "print(pathlib.Path('/proc/self/status').read_text())\n"
    )
    arguments = [sys.executable, "-c", program, name, str(tmp_path)]
    ran = subprocess.run(arguments, capture_output=True, text=True, check=True)
    (peak_kib,) = re.findall(r"VmHWM:\s+(\d+) kB", ran.stdout)
    assert int(peak_kib) / 1024 < 300
