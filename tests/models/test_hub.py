"""Pulling from the hub: whole and checked files, whatever the network, the disk and the hub do."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import filelock
import pytest

from pai_daemon.errors import DiskFull, ModelUnavailable, UsageError
from pai_daemon.models.hub import pull as pull_module
from pai_daemon.models.hub.pull import pull, remove
from pai_daemon.models.pulled import read_pulled, resolved
from pai_daemon.models.registry import profile
from tests.contract.hub import Hub, git_id, sha256
from tests.daemon_process import eventually
from tests.models.hub_case import LARGE, NAME, REPO, SMALL, Case


def test_pull_of_a_real_model_brings_its_files_and_is_recorded(
    own_hub: None, hub: Hub, minilm_files: dict[str, bytes], tmp_path: Path
) -> None:
    """90 MB of weights, tokenizer and configuration come as they are, and are found again without asking."""
    commit = hub.commit(REPO, minilm_files)
    case = Case(hub, minilm_files, tmp_path)
    pulled = case.pull()
    assert {path: file.path.read_bytes() for path, file in pulled.files.items()} == minilm_files
    assert pulled.digests == {path: sha256(data) for path, data in minilm_files.items()}
    assert (pulled.repo, pulled.revision, pulled.licence) == (REPO, commit, "Apache-2.0")
    assert read_pulled(case.source, case.cache_dir) == pulled
    asked = len(hub.asked)
    assert case.pull() == pulled
    assert len(hub.asked) == asked
    assert hub.sent() == sum(map(len, minilm_files.values()))


def test_progress_of_each_file_rises_to_its_size(case: Case) -> None:
    """A bar that follows the reports never goes back, and ends full, also for what was there already."""
    case.pull()
    for path, data in case.files.items():
        done = [told[1] for told in case.told if told[0] == path]
        assert done == sorted(done)
        assert done[-1] == len(data)
        assert {told[2] for told in case.told if told[0] == path} == {len(data)}
    assert len({told[1] for told in case.told if told[0] == LARGE}) > 3
    case.told.clear()
    shutil.rmtree(case.cache_dir)
    case.pull()
    assert case.told == [(path, len(data), len(data)) for path, data in case.files.items()]


def test_fingerprint_is_final_once_the_model_is_pulled(case: Case) -> None:
    """The resolved profile names commit and hashes; it is found by itself, and so are its files."""
    with pytest.raises(ModelUnavailable) as caught:
        resolved(case.profile, case.cache_dir)
    assert caught.value.hint == f"Run: pai models pull {NAME}"
    pulled = case.pull()
    final = resolved(case.profile, case.cache_dir)
    assert final.source.identity.startswith(f"{REPO}@{pulled.revision} {SMALL}={sha256(case.files[SMALL])}")
    assert final.fingerprint != case.profile.fingerprint
    assert resolved(final, case.cache_dir) == final
    packaged = profile("small")
    assert resolved(packaged, case.cache_dir) is packaged


def test_record_of_a_file_that_is_gone_or_cut_is_no_record(case: Case) -> None:
    """A model whose file was deleted or shortened is not here, and a pull brings back that file only."""
    for harm in (Path.unlink, lambda path: path.write_bytes(path.read_bytes()[:-1])):
        pulled = case.pull()
        before = case.hub.sent()
        harm(pulled.files[LARGE].path.resolve())
        assert read_pulled(case.source, case.cache_dir) is None
        assert case.pull() == pulled
        assert case.hub.sent() - before == len(case.files[LARGE])


def test_record_that_cannot_be_read_is_written_anew(case: Case) -> None:
    """Half a record, or another program's, is as none."""
    case.pull()
    (record,) = (case.cache_dir / "models" / "pulled").glob("*.json")
    for text in ('{"asked": "main", ', "[]", '{"asked": "main"}'):
        record.write_text(text, "utf-8")
        assert read_pulled(case.source, case.cache_dir) is None
        assert case.pull().digests == read_pulled(case.source, case.cache_dir).digests  # type: ignore[union-attr]


@pytest.mark.parametrize("symlinks", ["HF_HUB_DISABLE_SYMLINKS=0", "HF_HUB_DISABLE_SYMLINKS=1"])
def test_model_that_another_program_has_fetched_is_not_fetched_again(case: Case, symlinks: str) -> None:
    """The cache is the one that programs share: the library's download serves us, and ours the library."""
    case.library(f"huggingface_hub.snapshot_download('{REPO}')", symlinks)
    sent = case.hub.sent()
    pulled = case.pull()
    assert case.hub.sent() == sent
    shutil.rmtree(case.hub_cache)
    case.pull()
    sent = case.hub.sent()
    case.library(f"huggingface_hub.hf_hub_download('{REPO}', '{LARGE}', revision='{pulled.revision}')")
    assert case.hub.sent() == sent


def test_cut_connection_is_resumed_where_it_ended(case: Case) -> None:
    """Cut three times, the file is whole and no byte was sent twice."""
    case.hub.faults.cuts = [100_000, 150_000, 1]
    pulled = case.pull()
    assert pulled.files[LARGE].path.read_bytes() == case.files[LARGE]
    assert [each.from_byte for each in case.hub.transfers() if each.is_storage] == [
        0,
        100_000,
        250_000,
        250_001,
    ]
    assert case.hub.sent() == sum(map(len, case.files.values()))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_pull_that_was_ended_goes_on_in_the_next(case: Case, number: signal.Signals) -> None:
    """After Ctrl-C or a kill the next pull asks only for the rest."""
    case.hub.faults.hold_after = 200_000
    process = case.start("pull", NAME)
    assert case.hub.faults.holding.wait(20)
    part = case.repo_folder / "blobs" / f"{sha256(case.files[LARGE])}.incomplete"
    eventually(lambda: part.is_file() and part.stat().st_size > 100_000, "the part grows")
    process.send_signal(number)
    _, said = process.communicate(timeout=10)
    assert process.returncode == (130 if number == signal.SIGINT else -number)
    assert said.strip() == ""
    have = part.stat().st_size
    case.hub.faults.go_on.set()
    pulled = case.pull()
    assert pulled.files[LARGE].path.read_bytes() == case.files[LARGE]
    assert case.hub.transfers()[-1].from_byte == have
    assert not part.exists()


def test_part_of_other_content_is_given_up_for_a_fresh_start(case: Case) -> None:
    """What lay there of another file does not make a pull fail, however long it is."""
    blobs = case.repo_folder / "blobs"
    blobs.mkdir(parents=True)
    for size in (1_000, len(case.files[LARGE]), 2 * len(case.files[LARGE])):
        (blobs / f"{sha256(case.files[LARGE])}.incomplete").write_bytes(b"x" * size)
        assert case.pull().files[LARGE].path.read_bytes() == case.files[LARGE]
        shutil.rmtree(case.repo_folder / "snapshots")
        (blobs / sha256(case.files[LARGE])).unlink()


@pytest.mark.parametrize("path", [SMALL, LARGE])
def test_content_that_is_not_what_the_hub_says_is_refused_and_removed(case: Case, path: str) -> None:
    """The error names file, expected and found; nothing of it stays, and the next pull succeeds."""
    wrong = case.files[path][:-1] + b"!"
    case.hub.faults.spoiled = {path: wrong}
    with pytest.raises(ModelUnavailable) as caught:
        case.pull()
    name = sha256 if path == LARGE else git_id
    assert path in caught.value.detail
    assert f"expected {name(case.files[path])}, found {name(wrong)}" in caught.value.detail
    assert "Pull it again" in caught.value.hint
    assert wrong not in case.blobs.values()
    assert read_pulled(case.source, case.cache_dir) is None
    case.hub.faults.spoiled = {}
    assert case.pull().digests[path] == sha256(case.files[path])


@pytest.mark.parametrize("path", [SMALL, LARGE])
def test_content_that_is_not_the_pinned_is_refused(case: Case, path: str) -> None:
    """The registry's hash outweighs the hub's; a large file is refused before a byte of it is fetched."""
    case.pins = {path: "0" * 64}
    with pytest.raises(ModelUnavailable) as caught:
        case.pull()
    assert path in caught.value.detail
    assert f"expected sha256 {'0' * 64}, found {sha256(case.files[path])}" in caught.value.detail
    assert read_pulled(case.source, case.cache_dir) is None
    assert case.hub.sent(LARGE) == 0
    case.pins = {each: sha256(data) for each, data in case.files.items()}
    assert case.pull().digests == case.pins


def test_mirror_without_hashes_needs_the_registrys(case: Case) -> None:
    """An etag that is no hash proves nothing: without a pin nothing is fetched, with one it is checked."""
    case.hub.faults.etags = {LARGE: "v1-67"}
    with pytest.raises(ModelUnavailable, match=f"states no hash for {LARGE}"):
        case.pull()
    case.pins = {LARGE: sha256(case.files[LARGE])}
    case.hub.faults.spoiled = {LARGE: b"x" * len(case.files[LARGE])}
    with pytest.raises(ModelUnavailable, match="came damaged"):
        case.pull()
    case.hub.faults.spoiled = {}
    assert case.pull().digests[LARGE] == case.pins[LARGE]


@pytest.mark.parametrize("etag", ["../../../escaped", "a/b", "", "x" * 300])
def test_etag_that_is_no_name_of_a_file_is_not_used_as_one(case: Case, etag: str) -> None:
    """A hub cannot choose where its content is written."""
    case.pins = {each: sha256(data) for each, data in case.files.items()}
    case.hub.faults.etags = {SMALL: etag, LARGE: etag}
    before = set(case.folder.rglob("*"))
    with pytest.raises(ModelUnavailable, match="not as a hub does"):
        case.pull()
    assert set(case.folder.rglob("*")) == before


def test_file_damaged_in_the_cache_is_fetched_again(case: Case) -> None:
    """A pull finds what size alone does not show, in our record and in another program's download."""
    pulled = case.pull()
    for forget in (False, True):
        blob = pulled.files[LARGE].path.resolve()
        blob.write_bytes(b"x" * len(case.files[LARGE]))
        if forget:
            shutil.rmtree(case.cache_dir)
        assert case.pull() == pulled
        assert pulled.files[LARGE].path.read_bytes() == case.files[LARGE]


def test_disk_without_room_is_said_before_anything_is_fetched(case: Case) -> None:
    """A model larger than the free space is refused with the space that it needs."""
    case.hub.faults.claims = {LARGE: 10**18}
    with pytest.raises(DiskFull) as caught:
        case.pull()
    assert "1,000,000,000,001 MB" in caught.value.detail
    assert str(case.hub_cache) in caught.value.hint
    assert case.hub.sent() == 0


def test_disk_that_fills_up_is_said_with_what_is_missing(case: Case) -> None:
    """The system's own "no space left" while a file is written; with room again the pull succeeds."""
    part = case.repo_folder / "blobs" / f"{sha256(case.files[LARGE])}.incomplete"
    part.parent.mkdir(parents=True)
    part.symlink_to("/dev/full")
    with pytest.raises(DiskFull) as caught:
        case.pull()
    assert "Free 1 MB" in caught.value.hint
    part.unlink()
    assert case.pull().files[LARGE].path.read_bytes() == case.files[LARGE]


@pytest.mark.parametrize("place", ["hub", "cache"])
def test_folder_that_cannot_be_written_is_said(case: Case, place: str) -> None:
    """A file where a folder should be is an error that names the folder."""
    (case.folder / place).write_bytes(b"")
    with pytest.raises(ModelUnavailable) as caught:
        case.pull()
    assert str(case.folder / place) in caught.value.detail
    assert "HF_HUB_CACHE" in caught.value.hint


def test_two_pulls_at_once_both_succeed_and_fetch_once(case: Case) -> None:
    """The second process waits for the first, and uses what it fetched."""
    case.hub.faults.hold_after = 200_000
    first = case.start("pull", NAME, "--json")
    assert case.hub.faults.holding.wait(20)
    second = case.start("pull", NAME, "--json")
    eventually(lambda: len(case.hub.described(LARGE)) == 2, "the second knows the file", within_s=20)
    case.hub.faults.holding.clear()
    assert not case.hub.faults.holding.wait(1), "the second fetches as well"
    case.hub.faults.go_on.set()
    for process in (first, second):
        said, wrong = process.communicate(timeout=20)
        assert (process.returncode, wrong) == (0, "")
        assert json.loads(said)["models"][0]["files"][LARGE]["sha256"] == sha256(case.files[LARGE])
    assert case.hub.sent(LARGE) == len(case.files[LARGE])


def test_disk_without_locks_is_no_hindrance(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    """A network drive that cannot lock a file, as filelock 3 reports it, still takes a model."""

    def refused(*_: object, **__: object) -> None:
        raise NotImplementedError("FileSystem does not appear to support flock; use SoftFileLock instead")

    monkeypatch.setattr(filelock.FileLock, "acquire", refused)
    assert case.pull().digests[LARGE] == sha256(case.files[LARGE])


def test_record_is_made_up_for_after_a_kill_before_it_was_written(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files that came, but were not recorded, are not fetched again."""

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(pull_module, "write_pulled", killed)
        with pytest.raises(KeyboardInterrupt):
            case.pull()
    assert read_pulled(case.source, case.cache_dir) is None
    sent = case.hub.sent()
    assert case.pull().digests[LARGE] == sha256(case.files[LARGE])
    assert case.hub.sent() == sent


def test_licence_that_is_refused_leaves_no_trace(case: Case) -> None:
    """Nobody is asked and nothing is written; the hint says how to accept."""
    case.must_accept, case.accepts = True, False
    with pytest.raises(ModelUnavailable) as caught:
        case.pull()
    assert f"{case.hub.url}/{REPO}" in caught.value.hint
    assert "--accept-licence" in caught.value.hint
    assert not case.hub.asked
    assert not case.cache_dir.exists()


def test_licence_that_is_accepted_is_recorded_with_its_day(case: Case) -> None:
    """It is asked for once; a model without such terms shows its licence and records no consent."""
    assert case.pull().accepted_on == ""
    case.must_accept = True
    pulled = case.pull()
    assert pulled.accepted_on == datetime.now(UTC).date().isoformat()
    case.pull()
    assert [licence.must_accept for licence in case.licences] == [False, True]
    shutil.rmtree(case.hub_cache)
    assert case.pull() == pulled
    assert [licence.must_accept for licence in case.licences] == [False, True, False]
    assert read_pulled(case.source, case.cache_dir) == pulled


def test_branch_that_moved_changes_the_model_only_when_asked(case: Case) -> None:
    """A plain pull keeps what was pulled, also when it has to fetch it again; an update is another model."""
    first = case.pull()
    fingerprint = resolved(case.profile, case.cache_dir).fingerprint
    moved = case.hub.commit(REPO, {**case.files, LARGE: case.files[LARGE] + b"\n"})
    assert case.pull() == first
    shutil.rmtree(case.hub_cache)
    assert case.pull() == first
    assert resolved(case.profile, case.cache_dir).fingerprint == fingerprint
    second = case.pull(update=True)
    assert second.revision == moved
    assert second.digests[LARGE] != first.digests[LARGE]
    assert resolved(case.profile, case.cache_dir).fingerprint != fingerprint


def test_branch_that_moved_without_other_content_is_the_same_model(case: Case) -> None:
    """A corrected read-me does not embed anything anew, and fetches nothing."""
    first = case.pull()
    sent = case.hub.sent()
    case.hub.commit(REPO, {**case.files, "README.md": b"# Words, corrected"})
    assert case.pull(update=True) == first
    assert case.hub.sent() == sent


def test_commit_that_is_gone_names_the_way_out(case: Case) -> None:
    """Where the hub no longer has what was pulled, the hint leads to the update."""
    first = case.pull()
    shutil.rmtree(case.hub_cache)
    case.hub.forget(REPO)
    case.hub.commit(REPO, case.files)
    with pytest.raises(ModelUnavailable) as caught:
        case.pull()
    assert f"no longer has {first.revision}" in caught.value.detail
    assert "--update" in caught.value.hint
    assert case.pull(update=True).digests[LARGE] == sha256(case.files[LARGE])


def test_remove_frees_what_was_pulled_and_nothing_else(case: Case) -> None:
    """The revision and the files that only it has go; other revisions and models stay."""
    first = case.pull()
    case.hub.commit(REPO, {**case.files, LARGE: case.files[LARGE] + b"\n"})
    case.hub.commit("acme/other", case.files)
    case.library(f"huggingface_hub.snapshot_download('{REPO}')")
    case.library("huggingface_hub.snapshot_download('acme/other')")
    assert remove(case.profile, case.cache_dir) == len(case.files[LARGE])
    assert not first.files[LARGE].path.exists()
    assert {sha256(case.files[LARGE] + b"\n"), git_id(case.files[SMALL])} <= case.blobs.keys()
    assert len(list(case.hub_cache.glob("models--acme--other/snapshots/*/*"))) == 2
    assert read_pulled(case.source, case.cache_dir) is None
    assert remove(case.profile, case.cache_dir) == 0


def test_remove_is_possible_after_the_cache_was_deleted(case: Case) -> None:
    """A record without files can be forgotten."""
    case.pull()
    shutil.rmtree(case.hub_cache)
    assert remove(case.profile, case.cache_dir) == 0
    assert not list((case.cache_dir / "models" / "pulled").glob("*.json"))


def test_model_of_a_package_is_neither_pulled_nor_removed(case: Case) -> None:
    """Its files are the package's."""
    with pytest.raises(UsageError):
        pull(profile("small"), case.cache_dir, report=lambda *_: None, accept=lambda _: True)
    with pytest.raises(UsageError):
        remove(profile("small"), case.cache_dir)


def test_looking_up_what_was_pulled_does_not_load_the_hubs_library() -> None:
    """The daemon reads records without its cost."""
    program = "import sys, pai_daemon.models.pulled; print('huggingface_hub' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "False"
