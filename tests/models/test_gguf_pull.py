"""`pai models pull gguf:OWNER/REPO/FILE` from a stand-in hub: whole, checked, and then named by its file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from huggingface_hub import constants

from pai_daemon.errors import ModelUnavailable, UsageError
from pai_daemon.models.generation.embedded import EmbeddedGenerator
from pai_daemon.models.generation.generator import Message, Text
from pai_daemon.models.generation.generators import Options, generator_of
from pai_daemon.models.generation.gguf import MAGIC
from pai_daemon.models.hub.gguf import GgufModel, gguf_model, place, unplace
from pai_daemon.models.hub.pull import pull, remove
from pai_daemon.models.pulled import Pulled
from tests.contract.hub import Hub, sha256
from tests.models.hub_case import Case

REPO, FILE = "acme/tiny-GGUF", "tiny-instruct.gguf"
NAME = f"gguf:{REPO}/{FILE}"


@pytest.fixture
def content(tiny_gguf: Path) -> bytes:
    """Return a whole model that chats."""
    return tiny_gguf.read_bytes()


def pulled(model: GgufModel, cache_dir: Path, **changed: bool) -> Pulled:
    """Pull it in this process."""
    return pull(model, cache_dir, report=lambda *_: None, accept=lambda _: True, **changed)


async def test_gguf_file_of_the_hub_is_pulled_once_and_writes_by_its_name(
    own_hub: None, hub: Hub, content: bytes, tmp_path: Path
) -> None:
    """Its sha256 is the hub's, a second pull fetches nothing, and `gguf:NAME` loads it in llama.cpp."""
    hub.commit(REPO, {FILE: content})
    model, cache_dir, folder = gguf_model(NAME), tmp_path / "cache", tmp_path / "gguf"
    came = pulled(model, cache_dir)
    assert came.digests == {FILE: sha256(content)}
    assert place(model, came, folder) == folder / FILE
    assert model.generator == "gguf:tiny-instruct"
    transfers = len(hub.transfers())
    assert place(model, pulled(model, cache_dir), folder) == folder / FILE
    assert len(hub.transfers()) == transfers
    generator = generator_of(model.generator, Options(folder))
    assert isinstance(generator, EmbeddedGenerator)
    assert generator.path == folder / FILE
    said = [event async for event in generator.stream([Message("user", "Hello?")], max_tokens=3)]
    await generator.close()
    assert any(isinstance(event, Text) for event in said)
    assert remove(model, cache_dir) == len(content)
    unplace(model, folder)
    assert list(folder.iterdir()) == []


def test_gguf_file_with_other_bytes_than_the_hub_says_is_not_placed(
    own_hub: None, hub: Hub, content: bytes, tmp_path: Path
) -> None:
    """A spoiled transfer is an error, and no file of it is left where generators are named."""
    hub.commit(REPO, {FILE: content})
    hub.faults.spoiled[FILE] = content[:-1] + b"\x00\x01"
    with pytest.raises(ModelUnavailable):
        pulled(gguf_model(NAME), tmp_path / "cache")


def test_large_model_comes_with_all_its_parts(
    own_hub: None, hub: Hub, content: bytes, tmp_path: Path
) -> None:
    """The first part names the others, which lie beside it under their own names."""
    parts = [f"big/large-0000{number}-of-00003.gguf" for number in (1, 2, 3)]
    hub.commit(REPO, {path: content if path == parts[0] else MAGIC + path.encode() for path in parts})
    for named in (parts[0], parts[2]):
        model = gguf_model(f"gguf:{REPO}/{named}@main")
        assert list(model.source.files) == parts
    first = place(model, pulled(model, tmp_path / "cache"), tmp_path / "gguf")
    assert first.name == "large-00001-of-00003.gguf"
    assert sorted(path.name for path in (tmp_path / "gguf").iterdir()) == [path[4:] for path in parts]


@pytest.mark.parametrize("text", [b"# A note", MAGIC + b"\3\0\0\0" + b"\xff" * 64])
def test_file_that_is_no_model_is_not_placed(own_hub: None, hub: Hub, text: bytes, tmp_path: Path) -> None:
    """What is no GGUF, or damaged at its source, is told, and nothing of it can be named."""
    hub.commit(REPO, {FILE: text})
    model = gguf_model(NAME)
    came = pulled(model, tmp_path / "cache")
    with pytest.raises(Exception, match="no GGUF file"):
        place(model, came, tmp_path / "gguf")
    assert not (tmp_path / "gguf").exists()


def test_file_of_the_person_with_the_same_name_stays(
    own_hub: None, hub: Hub, content: bytes, tmp_path: Path
) -> None:
    """What lies in the folder already is not overwritten, and not removed either."""
    hub.commit(REPO, {FILE: content})
    folder = tmp_path / "gguf"
    folder.mkdir()
    (folder / FILE).write_bytes(b"mine")
    model = gguf_model(NAME)
    with pytest.raises(ModelUnavailable, match="there already"):
        place(model, pulled(model, tmp_path / "cache"), folder)
    unplace(model, folder)
    assert (folder / FILE).read_bytes() == b"mine"


@pytest.mark.parametrize(
    "name",
    [
        "gguf:",
        "gguf:tiny",
        "gguf:acme/tiny",
        "gguf:acme/tiny/file.bin",
        "gguf:acme/../x/file.gguf",
        "gguf:acme/tiny/a b.gguf",
        "gguf:acme/tiny/x-00001-of-00000.gguf",
        "gguf:http://host/a/b.gguf",
    ],
)
def test_name_that_is_none_says_the_form(name: str) -> None:
    """Nothing is asked for."""
    with pytest.raises(UsageError) as caught:
        gguf_model(name)
    assert "OWNER/REPO/FILE.gguf" in caught.value.hint


def test_command_pulls_shows_and_removes_a_gguf_file(case: Case, content: bytes) -> None:
    """As a person does it: progress in a pipe, what to type next, JSON, and away with it."""
    case.hub.commit(REPO, {FILE: content})
    shown = case.pai("pull", NAME)
    assert (shown.returncode, shown.stderr) == (0, "")
    assert f"{FILE}: {len(content) / 1e6:,.0f} MB of" in shown.stdout
    assert "--generator gguf:tiny-instruct" in shown.stdout
    (told,) = json.loads(case.pai("pull", NAME, "--json").stdout)["models"]
    assert (told["status"], told["generator"]) == ("already here", "gguf:tiny-instruct")
    assert told["files"][FILE]["sha256"] == sha256(content)
    assert Path(told["path"]).read_bytes() == content
    assert "freed" in case.pai("remove", NAME).stdout
    assert not Path(told["path"]).exists()


def test_library_cache_is_the_one_of_every_program(
    own_hub: None, hub: Hub, content: bytes, tmp_path: Path
) -> None:
    """The bytes lie once on the disk, in the hub's own cache; the folder has a link."""
    hub.commit(REPO, {FILE: content})
    model = gguf_model(NAME)
    link = place(model, pulled(model, tmp_path / "cache"), tmp_path / "gguf")
    assert link.is_symlink()
    assert str(link.resolve()).startswith(str(Path(constants.HF_HUB_CACHE).resolve()))
