"""A model runs where and how it is fastest, as long as it stays the same model."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pai_daemon.errors import ModelUnavailable
from pai_daemon.models import session as session_module
from pai_daemon.models import trial
from pai_daemon.models.calibrate import Embedded
from pai_daemon.models.encoder.graph import Form
from pai_daemon.models.prepare import model_folder
from pai_daemon.models.registry import profile
from pai_daemon.models.session import Session
from pai_daemon.models.trial import CHOICE, choose


def test_trial_finds_int8_as_good_as_single_precision(tmp_path: Path) -> None:
    """Both forms of the small model are tried; int8 agrees, and the loser's files are removed."""
    known = profile("small")
    choice = choose(known, tmp_path, again=True)
    tried = {each.form.name: each for each in choice.trials}
    assert tried.keys() == {"int8", "fp32"}
    assert tried["fp32"].cosine == pytest.approx(1, abs=1e-5)
    assert tried["int8"].cosine >= 0.98
    assert tried["int8"].mrr >= tried["fp32"].mrr - 0.03
    assert all(each.refused == "" and each.tokens_per_s > 0 for each in choice.trials)
    fastest = max(choice.trials, key=lambda each: each.tokens_per_s)
    assert choice.prepared.form == fastest.form
    folders = [path for path in model_folder(known, tmp_path).iterdir() if path.is_dir()]
    assert folders == [choice.prepared.folder]


def test_trial_is_remembered_until_something_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second start tries nothing; another number of threads or another ONNX Runtime tries anew."""
    monkeypatch.setattr(trial, "_is_known", lambda *_: False)
    first = choose(profile("small"), tmp_path, threads=1)
    tried: list[Any] = []

    def again(*given: Any) -> list[trial.Trial]:
        tried.append(given)
        return list(first.trials)

    monkeypatch.setattr(trial, "_try", again)
    assert choose(profile("small"), tmp_path, threads=1).trials == first.trials
    assert not tried
    choose(profile("small"), tmp_path, threads=2)
    monkeypatch.setattr(trial, "VERSION", "99.0")
    choose(profile("small"), tmp_path, threads=1)
    assert len(tried) == 2
    (model_folder(profile("small"), tmp_path) / CHOICE).write_text("no JSON")
    choose(profile("small"), tmp_path, threads=1)
    assert len(tried) == 3


def test_bundled_model_on_a_processor_made_for_int8_needs_no_trial(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A first start does not wait for a trial whose outcome is known."""
    monkeypatch.setattr(trial, "adds_exactly", lambda: True)
    choice = choose(profile("small"), tmp_path)
    assert (choice.provider, choice.prepared.form.name, choice.trials) == ("cpu", "int8", ())


@pytest.mark.parametrize("precision", ["int8", "fp32"])
def test_person_may_overrule_the_trial(tmp_path: Path, precision: str) -> None:
    """A precision that is asked for is the one that runs."""
    assert choose(profile("small"), tmp_path, precision=precision).prepared.form.name == precision


def test_wish_that_cannot_be_met_says_what_there_is(tmp_path: Path) -> None:
    """An execution provider that is not here is refused, with those that are."""
    with pytest.raises(ModelUnavailable) as caught:
        choose(profile("small"), tmp_path, provider="directml")
    assert "cpu int8, cpu fp32" in caught.value.hint


class Accelerated(Session):
    """A stand-in for a session of CUDA: the CPU's, with another name and other manners."""

    fault = ""
    factor = 1.0

    def __init__(self, graph: Path, known: Any, provider: Any = "cpu", threads: int = 2) -> None:
        if provider == "cuda" and self.fault:
            raise ModelUnavailable(self.fault)
        super().__init__(graph, known, "cpu", threads)
        self.provider = provider

    def embed(self, ids: Any, mask: Any) -> Any:
        """Embed; on CUDA with a sign that the test chooses."""
        found = super().embed(ids, mask)
        return found * np.float32(self.factor) if self.provider == "cuda" else found


@pytest.mark.parametrize(
    ("fault", "factor", "reason"),
    [
        ("cuDNN is missing", 1.0, "cuDNN is missing"),
        ("", -1.0, "its embeddings differ: cosine -1.000"),
        ("", np.nan, "its embeddings differ"),
        ("", 1.0, ""),
    ],
    ids=["fails", "other numbers", "no numbers", "works"],
)
def test_accelerator_that_fails_or_computes_something_else_is_refused_with_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str, factor: float, reason: str
) -> None:
    """What is offered is tried, and why it was not taken can be read."""
    monkeypatch.setattr(trial, "available", lambda: ["cuda", "cpu"])
    monkeypatch.setattr(trial, "Session", Accelerated)
    monkeypatch.setattr(Accelerated, "fault", fault)
    monkeypatch.setattr(Accelerated, "factor", factor)
    choice = choose(profile("small"), tmp_path, threads=2)
    on_cuda = [each for each in choice.trials if each.provider == "cuda"]
    assert [each.form.name for each in on_cuda] == ["fp16", "fp32"]
    assert all(each.refused.startswith(reason) if reason else not each.refused for each in on_cuda)
    if reason:
        assert choice.provider == "cpu"
    remembered = json.loads((model_folder(profile("small"), tmp_path) / CHOICE).read_text())
    assert len(remembered) == 1


def test_candidate_that_finds_less_is_refused_but_for_one_place() -> None:
    """Beyond half a point, or one question that falls to the second place, a form is another model."""
    rows = np.eye(4, dtype=np.float32)
    reference = Embedded(rows, rows, rows)
    near = trial.Trial("cpu", Form("int8"), cosine=0.99, mrr=reference.mrr() - 0.12)
    assert trial._fault(near, reference) == ""
    assert trial._fault(replace(near, mrr=reference.mrr() - 0.2), reference).startswith("it finds less")


@pytest.mark.filterwarnings("ignore:Specified provider")
def test_provider_that_does_not_start_says_what_it_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that is built in is started on one product before a model is prepared for it."""
    monkeypatch.setattr(session_module, "_load_cuda", lambda: "libcudnn.so.9")
    reason = session_module.why_not.__wrapped__("cuda")
    assert reason.startswith("libcudnn.so.9 could not be loaded. Run: pip install")
    monkeypatch.setattr(session_module, "_load_cuda", str)
    assert "no NVIDIA GPU" in session_module.why_not.__wrapped__("cuda")
    assert session_module.why_not("cpu") == ""


def test_processor_is_asked_whether_int8_overflows() -> None:
    """The answer of one product decides; the slower way is taken only where it is needed."""
    assert session_module.adds_exactly() in (True, False)
    assert trial.processor()
