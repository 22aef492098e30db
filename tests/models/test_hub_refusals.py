"""What stands between a person and a model of the hub is said, with what to do about it."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Callable

import pytest
from huggingface_hub import constants

from pai_daemon.errors import ModelUnavailable, PaiError
from pai_daemon.models.hub.pull import pull
from pai_daemon.models.pulled import read_pulled
from tests.contract.hub import sha256
from tests.models.hub_case import LARGE, NAME, REPO, SMALL, Case, another, point_at


@pytest.mark.parametrize("how", ["flag", "environment"])
def test_offline_takes_the_cache_and_asks_nobody(
    case: Case, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the files it says so; with what another program fetched it succeeds; no request is sent."""
    offline = how == "flag"

    def restrict() -> None:
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", not offline)

    restrict()
    with pytest.raises(ModelUnavailable) as caught:
        case.pull(offline=offline)
    assert f"{SMALL}, {LARGE}" in caught.value.detail
    assert f"pai models pull {NAME}" in caught.value.hint
    assert not case.hub.asked
    case.library(f"huggingface_hub.snapshot_download('{REPO}')")
    asked = len(case.hub.asked)
    pulled = case.pull(offline=offline)
    assert pulled.digests == {path: sha256(data) for path, data in case.files.items()}
    assert len(pulled.revision) == 40
    blob = pulled.files[LARGE].path.resolve()
    blob.write_bytes(b"x" * len(case.files[LARGE]))
    shutil.rmtree(case.cache_dir)
    with pytest.raises(ModelUnavailable, match=f"{LARGE} of {REPO} is damaged"):
        case.pull(offline=offline)
    assert len(case.hub.asked) == asked


def test_gated_model_says_where_its_terms_are_accepted(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a token and with one that may not, the error leads to the page and to `hf auth login`."""
    case.hub.readers[REPO] = {"hf_right"}
    for token in ("", "hf_wrong"):
        monkeypatch.setenv("HF_TOKEN", token)
        with pytest.raises(ModelUnavailable) as caught:
            case.pull()
        assert f"{case.hub.url}/{REPO}" in caught.value.hint
        assert "hf auth login" in caught.value.hint
    monkeypatch.setenv("HF_TOKEN", "hf_right")
    case.pull()
    assert {each.authorization for each in case.hub.asked if each.is_storage} == {""}


def test_token_that_the_hub_refuses_is_said(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    """A plain 401 or 403 is about the token, not about the model's terms."""
    monkeypatch.setenv("HF_TOKEN", "hf_old")
    for status in (401, 403):
        case.hub.faults.statuses = [status]
        with pytest.raises(ModelUnavailable, match=f"status {status}") as caught:
            case.pull()
        assert "HF_TOKEN" in caught.value.hint


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"repo": "acme/absent"}, "There is no http://"),
        ({"revision": "v9"}, f"{REPO} has no revision v9"),
        ({"files": {"onnx/absent.onnx": ""}}, f"{REPO} has no file onnx/absent.onnx in its revision main"),
    ],
)
def test_what_is_not_on_the_hub_is_named(case: Case, changed: dict[str, object], said: str) -> None:
    """A missing repository, revision and file are told apart, each with what to look at."""
    wanted = another(case.profile, **changed)
    with pytest.raises(ModelUnavailable) as caught:
        pull(wanted, case.cache_dir, report=lambda *_: None, accept=lambda _: True)
    assert said in caught.value.detail
    assert caught.value.hint


def _refused(case: Case, patch: pytest.MonkeyPatch) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    point_at(f"http://127.0.0.1:{port}", patch)


def _silent(case: Case, patch: pytest.MonkeyPatch) -> None:
    case.hub.faults.is_silent = True
    patch.setattr(constants, "HF_HUB_ETAG_TIMEOUT", 0.2)


def _stalled(case: Case, patch: pytest.MonkeyPatch) -> None:
    case.hub.faults.hold_after = 200_000
    patch.setattr(constants, "HF_HUB_DOWNLOAD_TIMEOUT", 0.2)


def _busy(case: Case, patch: pytest.MonkeyPatch) -> None:
    case.hub.faults.statuses = [418]


def _hotel(case: Case, patch: pytest.MonkeyPatch) -> None:
    case.hub.faults.is_no_hub = True


def _nonsense(case: Case, patch: pytest.MonkeyPatch) -> None:
    point_at("http://hub:port", patch)


def _no_scheme(case: Case, patch: pytest.MonkeyPatch) -> None:
    point_at("hub.local", patch)


def _bad_proxy(case: Case, patch: pytest.MonkeyPatch) -> None:
    patch.setenv("HTTP_PROXY", "nonsense://proxy")


def _dead_proxy(case: Case, patch: pytest.MonkeyPatch) -> None:
    patch.setenv("HTTP_PROXY", "http://127.0.0.1:9")


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (_refused, "cannot be reached"),
        (_silent, "did not answer in time"),
        (_stalled, "did not answer in time"),
        (_busy, "answers with status 418"),
        (_hotel, "not as a hub does"),
        (_nonsense, "cannot be asked"),
        (_no_scheme, "cannot be reached"),
        (_bad_proxy, "cannot be asked"),
        (_dead_proxy, "cannot be reached"),
    ],
)
def test_hub_that_does_not_serve_is_an_error_with_what_to_do(
    case: Case, monkeypatch: pytest.MonkeyPatch, harm: Callable[[Case, pytest.MonkeyPatch], None], said: str
) -> None:
    """Whatever is between us and the files, a person reads what it is and what to look at."""
    harm(case, monkeypatch)
    with pytest.raises(PaiError) as caught:
        case.pull()
    assert said in caught.value.detail
    assert caught.value.hint
    assert read_pulled(case.source, case.cache_dir) is None


def test_busy_hub_is_asked_again(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    """A 503 that passes is no error."""
    case.hub.faults.statuses = [503]
    assert case.pull().digests[LARGE] == sha256(case.files[LARGE])
