"""Finds out how a model runs best on this machine: on which execution provider, in which precision.

Each candidate embeds the probes. The fastest is taken of those that agree with the model in single
precision on the CPU (D40). What was found is kept beside the prepared files, and holds until ONNX
Runtime, the processor, the number of threads or the forms themselves change.
"""

from __future__ import annotations

import json
import logging
import platform
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from pai_daemon.errors import ModelUnavailable
from pai_daemon.models.batches import MOST_TOKENS
from pai_daemon.models.calibrate import Embedded, embed, probe_windows
from pai_daemon.models.encoder.graph import Form
from pai_daemon.models.encoder.ranges import known_ranges
from pai_daemon.models.prepare import (
    FORM_VERSION,
    PreparedModel,
    Progress,
    forget,
    model_folder,
    prepare,
)
from pai_daemon.models.registry import Profile
from pai_daemon.models.session import VERSION, Provider, Session, adds_exactly, available
from pai_daemon.models.tokens import WindowTokenizer

CHOICE = "choice.json"
# Of the embeddings to those in single precision, on average over the probes.
LEAST_COSINE = 0.98
# Of the probes' mean reciprocal rank: half a point, or one question whose sentence falls to the second place.
MOST_LOST = 0.005
TIMED_RUNS = 3
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Trial:
    """One candidate and how it did.

    tokens_per_s: of batches like the embedder's. cosine, least_cosine: of its embeddings to the reference.
    mrr: of the probes' questions among their sentences. refused: why it is no choice, "" if it is one.
    """

    provider: Provider
    form: Form
    tokens_per_s: float = 0.0
    cosine: float = 0.0
    least_cosine: float = 0.0
    mrr: float = 0.0
    refused: str = ""


@dataclass(frozen=True, slots=True)
class Choice:
    """How a model is run here, and what was tried for it; no trials where there was one candidate only."""

    prepared: PreparedModel
    provider: Provider
    trials: tuple[Trial, ...] = ()


def choose(
    profile: Profile,
    cache_dir: Path,
    *,
    provider: str = "auto",
    precision: str = "auto",
    threads: int = 2,
    again: bool = False,
    progress: Progress | None = None,
) -> Choice:
    """Return the model prepared in the form that is fastest here, and the provider to run it on.

    provider, precision: what a person wants, "auto" for the fastest. again: try even if a choice is known.
    progress: as of `prepare`. Raises ModelUnavailable when nothing runs, or not what is wanted; DiskFull.
    """
    candidates = [
        (each, form)
        for each, form in _candidates(profile)
        if provider in ("auto", each) and precision in ("auto", form.precision)
    ]
    if not candidates:
        raise ModelUnavailable(
            f"{profile.name} cannot run on {provider} in {precision} here.",
            hint=f"There are: {', '.join(f'{each} {form.name}' for each, form in _candidates(profile))}. "
            "`pai doctor` says more.",
        )
    if len(candidates) == 1 or (not again and _is_known(profile, candidates[0])):
        first, form = candidates[0]
        return Choice(prepare(profile, cache_dir, form, progress), first)
    path = model_folder(profile, cache_dir) / CHOICE
    key = _key(threads, provider, precision)
    trials = None if again else _remembered(path, key)
    if trials is None:
        trials = _try(profile, cache_dir, candidates, threads, progress)
        _remember(path, key, trials)
    best = _best(trials)
    chosen = Choice(prepare(profile, cache_dir, best.form, progress), best.provider, tuple(trials))
    for trial in trials:
        if trial.form != best.form:
            forget(profile, cache_dir, trial.form)
    return chosen


def _candidates(profile: Profile) -> Iterator[tuple[Provider, Form]]:
    """Yield what could run the model here, the most promising first."""
    for provider in available():
        if profile.format == "static":
            if provider == "cpu":
                yield provider, Form("fp32")
        elif profile.format == "onnx":
            yield provider, Form("fp32")
            if provider == "cpu":
                yield provider, Form("int8")
        elif provider == "cpu":
            yield provider, Form("int8")
            yield provider, Form("fp32")
        elif provider == "coreml":
            yield provider, Form("fp32", standard=True)
        else:
            yield provider, Form("fp16")
            yield provider, Form("fp32")


def _is_known(profile: Profile, candidate: tuple[Provider, Form]) -> bool:
    """Return whether a candidate needs no trial: int8 on a processor that is made for it, of a bundled model.

    Measured: 2.3 times as fast as single precision (AVX-512 VNNI), and as good on the question sets
    (`scripts/bench quality`).
    """
    if candidate != ("cpu", Form("int8")) or not adds_exactly():
        return False
    return known_ranges(profile.name) is not None


def _try(
    profile: Profile,
    cache_dir: Path,
    candidates: list[tuple[Provider, Form]],
    threads: int,
    progress: Progress | None,
) -> list[Trial]:
    """Return how each candidate did against single precision on the CPU."""
    reference, _ = _embedded(profile, cache_dir, ("cpu", Form("fp32")), threads, progress)
    trials = []
    for candidate in candidates:
        trial = Trial(*candidate)
        try:
            embedded, tokens_per_s = _embedded(profile, cache_dir, candidate, threads, progress)
        except Exception as error:  # a driver's failure is no reason to stop
            reason = error.detail if isinstance(error, ModelUnavailable) else repr(error)
            trials.append(replace(trial, refused=reason))
            _log.info("%s is not used on %s: %s", profile.name, trial.provider, reason)
            continue
        cosines = reference.cosines(embedded)
        trial = replace(
            trial,
            tokens_per_s=tokens_per_s,
            cosine=float(cosines.mean()),
            least_cosine=float(cosines.min()),
            mrr=embedded.mrr(),
        )
        trials.append(replace(trial, refused=_fault(trial, reference)))
    return trials


def _fault(trial: Trial, reference: Embedded) -> str:
    """Return why a candidate's embeddings are not good enough, "" if they are."""
    if not trial.cosine >= LEAST_COSINE:
        return f"its embeddings differ: cosine {trial.cosine:.3f}"
    if trial.mrr < reference.mrr() - max(MOST_LOST, 0.5 / len(reference.questions)):
        return f"it finds less: a mean reciprocal rank of {trial.mrr:.3f}, not {reference.mrr():.3f}"
    return ""


def _embedded(
    profile: Profile,
    cache_dir: Path,
    candidate: tuple[Provider, Form],
    threads: int,
    progress: Progress | None,
) -> tuple[Embedded, float]:
    """Return the probes' embeddings by one candidate, and its tokens a second."""
    provider, form = candidate
    prepared = prepare(profile, cache_dir, form, progress)
    windows = probe_windows(profile, WindowTokenizer(prepared.tokenizer, profile.max_tokens))
    session = Session(prepared.graph, profile, provider, threads)
    embedded = embed(session, windows)
    ids = np.resize(np.concatenate(windows.sentences), (MOST_TOKENS // 128, 128)).astype(np.int64)
    seconds = []
    for _ in range(TIMED_RUNS):
        started_s = time.perf_counter()
        session.embed(ids, np.ones_like(ids))
        seconds.append(time.perf_counter() - started_s)
    return embedded, ids.size / min(seconds)


def _best(trials: list[Trial]) -> Trial:
    good = [trial for trial in trials if not trial.refused]
    if not good:
        reasons = "; ".join(f"{trial.provider} {trial.form.name}: {trial.refused}" for trial in trials)
        raise ModelUnavailable(
            f"The model runs in no form here. {reasons}", hint="Run `pai doctor`, or choose another model."
        )
    return max(good, key=lambda trial: trial.tokens_per_s)


def _key(threads: int, provider: str, precision: str) -> str:
    """Return what a choice depends on."""
    machine = f"{platform.machine()} {processor()}"
    return f"{VERSION} {','.join(available())} {machine} {threads} {provider} {precision} {FORM_VERSION}"


def processor() -> str:
    """Return the processor's name, and on Linux those of its abilities that matter here."""
    wanted = {"avx2", "avx512f", "avx512_vnni", "avx_vnni", "amx_int8", "asimddp", "i8mm", "sve"}
    facts: dict[str, str] = {}
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text("utf-8", "replace").splitlines():
            name, _, value = line.partition(":")
            facts.setdefault(name.strip(), value.strip())
    flags = sorted(wanted & set(facts.get("flags", facts.get("Features", "")).split()))
    return " ".join([facts.get("model name") or platform.processor(), *flags]).strip()


def _remembered(path: Path, key: str) -> list[Trial] | None:
    """Return the trials that a machine like this has made, None where there are none."""
    try:
        entries: list[dict[str, Any]] = json.loads(path.read_text("utf-8"))[key]
        return [Trial(**entry | {"form": Form(**entry["form"])}) for entry in entries]
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _remember(path: Path, key: str, trials: list[Trial]) -> None:
    try:
        known = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        known = {}
    if not isinstance(known, dict):
        known = {}
    known[key] = [asdict(trial) for trial in trials]
    temporary = path.with_suffix(".part")
    temporary.write_text(json.dumps(known, indent=2), "utf-8")
    temporary.replace(path)
