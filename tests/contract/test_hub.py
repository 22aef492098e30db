"""The stand-in for the hub is faithful: the hub's own client reads, refuses and caches as with the hub."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import huggingface_hub
import pytest
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    RemoteEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from huggingface_hub.utils import disable_progress_bars

from tests.contract.hub import LARGE_BYTES, Hub, git_id, sha256

REPO = "acme/words"
FILES = {"config.json": b'{"hidden_size": 4}', "onnx/model.onnx": bytes(range(256)) * (LARGE_BYTES // 128)}


@pytest.fixture
def client(hub: Hub) -> Iterator[huggingface_hub.HfApi]:
    """Yield the hub's own client, which asks the stand-in."""
    disable_progress_bars()
    yield huggingface_hub.HfApi(endpoint=hub.url, token=False)
    huggingface_hub.close_session()


def test_client_reads_the_facts_of_a_revision(hub: Hub, client: huggingface_hub.HfApi) -> None:
    """The real client finds commit, sizes and hashes, of a branch and of its commit."""
    commit = hub.commit(REPO, FILES)
    for revision in ("main", commit):
        facts = client.model_info(REPO, revision=revision, files_metadata=True)
        assert facts.sha == commit
        small, large = facts.siblings or []
        assert (small.rfilename, small.size, small.blob_id) == (
            "config.json",
            18,
            git_id(FILES["config.json"]),
        )
        assert large.lfs is not None
        assert large.lfs.sha256 == sha256(FILES["onnx/model.onnx"])


def test_client_reads_what_a_file_is_before_it_fetches_it(hub: Hub, client: huggingface_hub.HfApi) -> None:
    """The real client takes etag and size of a large file from the redirect, and follows a small one's."""
    commit = hub.commit(REPO, FILES)
    for path, name in (("config.json", git_id), ("onnx/model.onnx", sha256)):
        facts = client.get_hf_file_metadata(url=huggingface_hub.hf_hub_url(REPO, path, endpoint=hub.url))
        assert (facts.commit_hash, facts.etag, facts.size) == (commit, name(FILES[path]), len(FILES[path]))
    assert facts.location.startswith(hub.storage_url)


def test_client_fetches_whole_files_and_a_snapshot(
    hub: Hub, client: huggingface_hub.HfApi, tmp_path: Path
) -> None:
    """The real client puts both kinds of files into its cache, as they are."""
    hub.commit(REPO, FILES)
    folder = Path(client.snapshot_download(REPO, cache_dir=tmp_path))
    assert {path: (folder / path).read_bytes() for path in FILES} == FILES
    one = client.hf_hub_download(REPO, "config.json", cache_dir=tmp_path / "other")
    assert Path(one).read_bytes() == FILES["config.json"]


def test_client_resumes_a_transfer_that_was_cut(
    hub: Hub, client: huggingface_hub.HfApi, tmp_path: Path
) -> None:
    """The real client asks for the rest, and has the whole file then."""
    data = bytes(range(256)) * 50_000
    hub.commit(REPO, {"large.bin": data})
    hub.faults.cuts = [11_000_000]
    path = client.hf_hub_download(REPO, "large.bin", cache_dir=tmp_path)
    assert Path(path).read_bytes() == data
    assert hub.transfers()[-1].from_byte > 0


def test_client_raises_for_each_refusal(hub: Hub, client: huggingface_hub.HfApi, tmp_path: Path) -> None:
    """The real client tells a missing repository, revision and file, closed doors and busy servers apart."""
    hub.commit(REPO, FILES)
    hub.commit("acme/closed", FILES)
    hub.readers["acme/closed"] = {"hf_right"}

    def fetch(repo: str, path: str = "config.json", token: str | bool = False, **more: str) -> None:
        client.hf_hub_download(repo, path, cache_dir=tmp_path, token=token, **more)

    with pytest.raises(RepositoryNotFoundError):
        fetch("acme/absent")
    with pytest.raises(RevisionNotFoundError):
        fetch(REPO, revision="absent")
    with pytest.raises(RemoteEntryNotFoundError):
        fetch(REPO, "absent.json")
    for token in (False, "hf_wrong"):
        with pytest.raises(GatedRepoError):
            fetch("acme/closed", token=token)
    fetch("acme/closed", token="hf_right")
    hub.faults.statuses = [418]
    with pytest.raises(HfHubHTTPError):
        fetch(REPO, "onnx/model.onnx")
