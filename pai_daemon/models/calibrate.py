"""Learns of a model what nobody has measured, from the probes: texts of our own in many languages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pai_daemon.models.batches import MOST_TOKENS, pad, plan
from pai_daemon.models.encoder import ranges
from pai_daemon.models.encoder.weights import Floats
from pai_daemon.models.probes import Probe, probes
from pai_daemon.models.registry import Profile
from pai_daemon.models.session import Session
from pai_daemon.models.tokens import Ids, WindowTokenizer


@dataclass(frozen=True, slots=True)
class ProbeWindows:
    """The probes as token ids: each sentence below its title, what else its note says, its question."""

    sentences: list[Ids]
    others: list[Ids]
    questions: list[Ids]

    @property
    def every(self) -> list[Ids]:
        """Return all windows: sentences, others, questions."""
        return [*self.sentences, *self.others, *self.questions]


@dataclass(frozen=True, slots=True)
class Embedded:
    """Embeddings of the probes, each (probes, dimensions) float32."""

    sentences: Floats
    others: Floats
    questions: Floats

    def mrr(self) -> float:
        """Return the mean reciprocal rank of each question's own sentence among all sentences."""
        scores = self.questions @ self.sentences.T
        ranks = 1 + (scores > np.diag(scores)[:, None]).sum(axis=1)
        return float((1 / ranks).mean())

    def cosines(self, other: Embedded) -> Floats:
        """Return the cosine of each text to another embedding of it: (3 · probes,) float32."""
        mine, theirs = (
            np.concatenate([each.sentences, each.others, each.questions]) for each in (self, other)
        )
        cosines: Floats = (mine * theirs).sum(axis=1)
        return cosines


def probe_texts() -> list[str]:
    """Return every text of the probes, in every language."""
    return [
        text
        for probe in probes()
        for text in (probe.title, probe.sentence, probe.question, probe.paraphrase, probe.other)
    ]


def probe_windows(profile: Profile, tokenizer: WindowTokenizer) -> ProbeWindows:
    """Return the probes that fit the model's languages, the first window of each text."""
    known: list[Probe] = probes(profile.languages)

    def windows(texts: Sequence[str], prefix: str) -> list[Ids]:
        return [of_text[0] for of_text in tokenizer.windows(texts, prefix)]

    return ProbeWindows(
        windows([f"{probe.title}\n{probe.sentence}" for probe in known], profile.passage_prefix),
        windows([probe.other for probe in known], profile.passage_prefix),
        windows([probe.question for probe in known], profile.query_prefix),
    )


def embed(session: Session, windows: ProbeWindows) -> Embedded:
    """Return the embeddings of the probes by a session. Raises what ONNX Runtime raises."""
    every = windows.every
    embeddings: Floats | None = None
    for rows in _batches(every):
        found = session.embed(*pad([every[row] for row in rows]))
        if embeddings is None:
            embeddings = np.empty((len(every), found.shape[1]), np.float32)
        embeddings[rows] = found
    assert embeddings is not None
    return Embedded(*np.split(embeddings, 3))


def observe(graph: Path, profile: Profile, windows: Sequence[Ids]) -> list[ranges.Range]:
    """Return the ranges of a graph that takes them from each batch, over these windows.

    The graph gets outputs that show them, so it should be a copy that nobody else uses.
    """
    names = ranges.show(graph)
    session = Session(graph, profile)
    return ranges.narrow(
        session.values(names, *pad([windows[row] for row in rows])) for rows in _batches(windows)
    )


def _batches(windows: Sequence[Ids]) -> list[list[int]]:
    return plan([len(window) for window in windows], MOST_TOKENS)
