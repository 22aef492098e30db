"""A damaged model is made again where it can be, and text search answers where it cannot."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from pai_daemon.daemon import Daemon
from pai_daemon.errors import ModelUnavailable
from pai_daemon.models import prepare as preparing
from pai_daemon.models.registry import profile
from pai_daemon.serve.status import describe
from tests.conftest import StartDaemon
from tests.daemon_process import DaemonProcess, Folders, eventually


@pytest.fixture
def own_cache(folders: Folders, tmp_path: Path) -> Folders:
    """Return folders whose prepared model is a copy, free to be damaged."""
    known = profile("small")
    shutil.copytree(
        preparing.model_folder(known, folders.cache), preparing.model_folder(known, tmp_path / "cache")
    )
    return Folders(folders.home, tmp_path / "cache")


@pytest.mark.parametrize("damage", ["cut", "flipped", "missing", "manifest"])
def test_prepared_model_that_is_damaged_is_made_again(own_cache: Folders, damage: str) -> None:
    """Files cut short, changed in one bit, missing or misdescribed are noticed and written again."""
    folder = preparing.prepare(profile("small"), own_cache.cache).folder
    weights = next(path for path in folder.iterdir() if path.name == "weights.bin")
    before = weights.read_bytes()
    if damage == "cut":
        weights.write_bytes(before[:-1])
    elif damage == "flipped":
        weights.write_bytes(before[:999] + bytes([before[999] ^ 1]) + before[1000:])
    elif damage == "missing":
        (folder / "tokenizer.json").unlink()
    else:
        (folder / "manifest.json").write_bytes(b"\x00")
    said: list[str] = []
    preparing.prepare(profile("small"), own_cache.cache, progress=lambda stage, _part: said.append(stage))
    assert said[0] == "repair"
    assert weights.read_bytes() == before


def test_daemon_with_a_damaged_model_repairs_it(
    own_cache: Folders, start_daemon: StartDaemon, vault: Path
) -> None:
    """A start on a damaged model ends ready, without a word from the person."""
    (vault / "Note.md").write_text("the dunnock", "utf-8")
    for path in own_cache.cache.rglob("*.onnx"):
        path.write_bytes(b"not a graph")
    daemon = start_daemon(kept_in=own_cache)
    assert daemon.ready(40)["model"]["execution_provider"]


async def test_daemon_without_a_good_source_still_searches_words(
    own_cache: Folders, vault: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With weights that are not the ones we know the status says what to do, and words are matched."""
    import asyncio

    (vault / "Note.md").write_text("the chaffinch sings", "utf-8")
    bad = replace(profile("small"), source=replace(profile("small").package, sha256="0" * 64))
    monkeypatch.setattr("pai_daemon.daemon.named", lambda *_: bad)
    with pytest.raises(ModelUnavailable, match="not the file we know"):
        preparing.prepare(bad, own_cache.cache)
    settings = replace(own_cache.settings, port=0, model="small", threads=1)
    daemon = Daemon(vault, settings)
    await daemon.start()
    try:

        def look() -> bool:
            served = daemon.served
            return served.model.error is not None and describe(served)["notes"] == 1

        await asyncio.to_thread(eventually, look, "the model fails and the note is indexed")
        status = describe(daemon.served)
        assert status["state"] == "error"
        assert "Only words are matched" in status["message"]
        assert "--force-reinstall" in status["message"]
        result = daemon.served.ready().searcher.search("chaffinch")
        assert [hit.path for hit in result.results] == ["Note.md"]
        assert result.stages == ("text",)
    finally:
        await daemon.stop()


def test_model_that_fails_in_an_unforeseen_way_is_told(folders: Folders, vault: Path, tmp_path: Path) -> None:
    """Whatever keeps the model from loading, here a file in the place of its cache, the status says so."""
    (vault / "Note.md").write_text("the brambling", "utf-8")
    (tmp_path / "cache-file").write_text("a file", "utf-8")
    with DaemonProcess(vault, Folders(folders.home, tmp_path / "cache-file")) as daemon:
        status = daemon.until(lambda now: now["state"] == "error", "the failure is told", within_s=15)
        assert status["message"]
        daemon.finds("the brambling")
