"""Loads the model that a profile names: into this process as it is fastest here, or from a server."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np

from pai_daemon.config import Settings
from pai_daemon.models.embedder import Embedder
from pai_daemon.models.encoder.graph import Form
from pai_daemon.models.prepare import Progress, model_folder, prepare
from pai_daemon.models.probes import probes
from pai_daemon.models.registry import Profile, Scoring
from pai_daemon.models.remote.embedder import RemoteEmbedder
from pai_daemon.models.scoring import measured
from pai_daemon.models.sources import ServerSource
from pai_daemon.models.trial import choose

SCORING = "scoring.json"
# Embedding yields to what the person works with (D7).
NICENESS = 5


def load_model(profile: Profile, settings: Settings, progress: Progress) -> Embedder | RemoteEmbedder:
    """Return a model, made ready and loaded; whoever gets it closes it.

    progress: as of `prepare`. Raises ModelUnavailable, DiskFull.
    """
    if isinstance(profile.source, ServerSource):
        server = RemoteEmbedder(profile, settings.cache_dir, own=settings.models_file)
        try:
            return server.greet()
        except BaseException:
            server.close()
            raise
    choice = choose(
        profile,
        settings.cache_dir,
        provider=settings.provider,
        precision=settings.precision,
        threads=settings.threads,
        progress=progress,
    )
    embedder = Embedder(
        choice.prepared,
        provider=choice.provider,
        threads=settings.threads,
        niceness=NICENESS,
        unload_after_s=settings.unload_after_s,
        fallback=lambda: prepare(profile, settings.cache_dir, Form("fp32")),
    )
    if profile.scoring is None:
        progress("scoring", 0.0)
        embedder.scoring = _scoring_of(embedder, model_folder(profile, settings.cache_dir) / SCORING)
    return embedder


def _scoring_of(embedder: Embedder, path: Path) -> Scoring:
    """Return how a model's cosines are read that nobody has measured: from the probes, once."""
    try:
        return Scoring(**json.loads(path.read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        pass
    found = measured(
        lambda texts: np.stack([embedder.embed_query(text) for text in texts]),
        embedder.embed_texts,
        probes(embedder.profile.languages),
    )
    temporary = path.with_suffix(".part")
    temporary.write_text(json.dumps(asdict(found)), "utf-8")
    temporary.replace(path)
    return found
