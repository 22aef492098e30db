"""`pai models` as a person uses it: in processes of its own, against a stand-in for the hub."""

from __future__ import annotations

import json
import os
import pty
import subprocess
from pathlib import Path

import pytest

from tests.contract.hub import Hub, sha256
from tests.contract.proxy import Proxy
from tests.daemon_process import PAI
from tests.models.hub_case import LARGE, NAME, REPO, SMALL, Case


@pytest.fixture
def case(hub: Hub, minilm_files: dict[str, bytes], tmp_path: Path) -> Case:
    """Return a model on the hub: a small file, and the tokenizer of a real model, 466 kB."""
    files = {SMALL: minilm_files[SMALL], LARGE: minilm_files[LARGE]}
    hub.commit(REPO, files)
    return Case(hub, files, tmp_path)


def test_pull_says_each_file_and_the_licence_in_plain_lines(case: Case) -> None:
    """In a log a pull is a few lines, and nothing is on standard error."""
    ended = case.pai("pull", NAME)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.splitlines() == [
        f"{NAME}: licence Apache-2.0, see {case.hub.url}/{REPO}",
        "config.json: 0.0 MB of 0.0 MB",
        "tokenizer.json: 0.5 MB of 0.5 MB",
        f"Pulled {NAME}, 0.5 MB (Apache-2.0), revision {case.hub.commit_of(REPO)[:12]}.",
    ]
    again = case.pai("pull", NAME)
    assert again.stdout.startswith(f"Already here: {NAME}, 0.5 MB")


def test_pull_as_json_is_one_document(case: Case) -> None:
    """A program reads what came, where it lies, and that it was there already."""
    case.must_accept = True
    results = []
    for _ in range(2):
        ended = case.pai("pull", "words", "small", "--json", "--accept-licence")
        assert (ended.returncode, ended.stderr) == (0, "")
        results.append(json.loads(ended.stdout)["models"])
    (hub_model, package_model), (again, _) = results
    assert hub_model["status"] == "pulled"
    assert again == hub_model | {"status": "already here"}
    assert Path(hub_model["files"][LARGE]["path"]).read_bytes() == case.files[LARGE]
    assert hub_model["accepted_on"]
    assert package_model["status"] == "in a package"


def test_licence_that_needs_consent_ends_a_pull_without_a_terminal(case: Case) -> None:
    """Nobody can be asked: exit status 69, and the hint names the option."""
    case.must_accept = True
    for options in ((), ("--json",)):
        ended = case.pai("pull", NAME, *options)
        assert ended.returncode == 69
        assert "--accept-licence" in ended.stderr
        assert not case.hub.asked
    assert json.loads(ended.stderr)["code"] == "model_unavailable"


@pytest.mark.parametrize("answer", ["y", "n"])
def test_pull_on_a_terminal_asks_for_consent_and_shows_a_bar(case: Case, answer: str) -> None:
    """A person reads licence and page, answers, and sees how far each file is."""
    case.must_accept = True
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [*PAI, "models", "pull", NAME],
        env=case.environ() | {"TERM": "xterm", "COLUMNS": "100"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    shown = _read_until(ours, "accept it?")
    assert f"licence Apache-2.0, see {case.hub.url}/{REPO}" in shown
    os.write(ours, answer.encode() + b"\n")
    shown = _read_until(ours, None)
    os.close(ours)
    assert process.wait(10) == (0 if answer == "y" else 69)
    assert ("━" in shown and "466.2/466.2 kB" in shown) == (answer == "y")
    assert ("Pulled" in shown) == (answer == "y")


def _read_until(terminal: int, word: str | None) -> str:
    """Return what a terminal shows up to a word, or to its end."""
    shown = b""
    while word is None or word.encode() not in shown:
        try:
            data = os.read(terminal, 65_536)
        except OSError:  # Linux says so when the other side is closed
            break
        if not data:
            break
        shown += data
    return shown.decode()


def test_update_to_other_content_is_called_another_model(case: Case) -> None:
    """A branch that moved is taken only by --update, and what that means is said."""
    case.pai("pull", NAME)
    case.hub.commit(REPO, {**case.files, LARGE: case.files[LARGE] + b"\n"})
    assert "Already here" in case.pai("pull", NAME).stdout
    assert "embedded anew" in case.pai("pull", NAME, "--update").stdout
    assert "Already here" in case.pai("pull", NAME, "--update").stdout


def test_mirror_is_told_neither_of_the_program_nor_of_its_surroundings(case: Case) -> None:
    """All requests go to HF_ENDPOINT, for the model's files alone, and no telemetry with them."""
    ended = case.pai("pull", NAME, "--json", AI_AGENT="somebody", AGENT="somebody")
    assert (ended.returncode, ended.stderr) == (0, "")
    paths = {each.path.rpartition("/")[2] for each in case.hub.asked}
    assert paths == {SMALL, LARGE}
    agents = " ".join(each.agent for each in case.hub.asked)
    assert not [word for word in ("agent/", "torch", "session_id", "origin") if word in agents]


def test_proxy_of_the_environment_is_used(case: Case) -> None:
    """Hub and storage are reached through HTTP_PROXY, also where only the proxy knows their names."""
    hosts = {"hub.invalid": case.hub.url, "storage.invalid": case.hub.storage_url}
    case.hub.storage_url = "http://storage.invalid"
    with Proxy({name: url.removeprefix("http://") for name, url in hosts.items()}) as proxy:
        ended = case.pai("pull", NAME, HF_ENDPOINT="http://hub.invalid", HTTP_PROXY=proxy.url)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert set(proxy.connections) == {"hub.invalid", "storage.invalid"}


def test_offline_of_the_environment_asks_nobody(case: Case) -> None:
    """HF_HUB_OFFLINE=1 and --offline: exit status 69 without the files, success with them, no request."""
    for options, environ in (((), {"HF_HUB_OFFLINE": "1"}), (("--offline",), {})):
        ended = case.pai("pull", NAME, *options, **environ)
        assert ended.returncode == 69
        assert "Not in the cache of the hub" in ended.stderr
    assert not case.hub.asked
    case.library(f"huggingface_hub.snapshot_download('{REPO}')")
    asked = len(case.hub.asked)
    ended = case.pai("pull", NAME, HF_HUB_OFFLINE="1")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert len(case.hub.asked) == asked


def test_token_of_the_environment_opens_a_gated_model(case: Case) -> None:
    """HF_TOKEN is sent to the hub, and not on to its storage."""
    case.hub.readers[REPO] = {"hf_right"}
    ended = case.pai("pull", NAME)
    assert ended.returncode == 69
    assert "hf auth login" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert case.pai("pull", NAME, HF_TOKEN="hf_right").returncode == 0
    assert {each.authorization for each in case.hub.asked if each.is_storage} == {""}


def test_disk_without_symlinks_keeps_each_file_once(case: Case) -> None:
    """As on a Windows that has no symlinks: whole files, no second copy, nothing on standard error."""
    ended = case.pai("pull", NAME, "--json", HF_HUB_DISABLE_SYMLINKS="1")
    assert (ended.returncode, ended.stderr) == (0, "")
    files = json.loads(ended.stdout)["models"][0]["files"]
    assert {path: Path(facts["path"]).read_bytes() for path, facts in files.items()} == case.files
    assert not any(Path(facts["path"]).is_symlink() for facts in files.values())
    assert case.blobs == {}
    again = case.pai("pull", NAME, "--json", HF_HUB_DISABLE_SYMLINKS="1")
    assert json.loads(again.stdout)["models"][0]["status"] == "already here"


def test_list_tells_what_is_here_and_what_is_chosen(case: Case) -> None:
    """Models of packages and of the hub, with what a choice between them needs."""
    before = {each["name"]: each for each in json.loads(case.pai("list", "--json").stdout)["models"]}
    assert (before[NAME]["from"], before[NAME]["where"], before[NAME]["here"]) == ("hub", REPO, False)
    small = before["all-MiniLM-L6-v2"]
    assert (small["from"], small["here"], small["chosen"]) == ("package", True, True)
    assert (small["languages"], small["dimensions"], small["max_tokens"]) == (["en"], 384, 256)
    assert [name for name, each in before.items() if each["chosen"]] == ["all-MiniLM-L6-v2"]
    case.pai("pull", NAME)
    lines = case.pai("list").stdout.splitlines()
    mine = next(line for line in lines if line.startswith(NAME)).split("\t")
    assert mine[:4] == [NAME, "", "hub", "yes"]
    assert len({line.count("\t") for line in lines}) == 1


def test_remove_says_what_it_freed(case: Case) -> None:
    """Removed once, it was not pulled the second time."""
    case.pai("pull", NAME)
    ended = case.pai("remove", NAME)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, f"{NAME}: removed, 0.5 MB freed.\n", "")
    assert json.loads(case.pai("remove", NAME, "--json").stdout) == {
        "models": [{"name": NAME, "removed": False, "freed_bytes": 0}]
    }
    assert case.pai("remove", "small").returncode == 64


def test_damaged_transfer_is_told_without_a_traceback(case: Case) -> None:
    """Exit status 69, file, expected and found, and what to do."""
    case.hub.faults.spoiled = {LARGE: b"x" * len(case.files[LARGE])}
    ended = case.pai("pull", NAME)
    assert ended.returncode == 69
    assert f"{LARGE} of {REPO} came damaged: expected {sha256(case.files[LARGE])}" in ended.stderr
    assert "Pull it again" in ended.stderr
    assert "Traceback" not in ended.stderr
