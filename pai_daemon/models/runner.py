"""Runs batches and keeps running: what does not fit is halved, what fails makes way for what works.

Numbers that are none, or an execution provider that fails, end the use of a prepared form: from then on
the model runs on the CPU in single precision, and says why.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

import numpy as np

from pai_daemon.errors import ModelUnavailable, PaiError
from pai_daemon.models.batches import pad
from pai_daemon.models.encoder.weights import Floats
from pai_daemon.models.prepare import PreparedModel
from pai_daemon.models.session import Provider, Session
from pai_daemon.models.tokens import Ids

_MEMORY = ("memory", "alloc", "OOM")
_log = logging.getLogger(__name__)


class Runner:
    """A model's session, replaced when it fails. Only one thread uses it.

    fallback: makes the files of the model in single precision; None where there is nothing to fall back to.
    warning: what went wrong so far, for a person; "" while nothing did.
    """

    def __init__(
        self,
        prepared: PreparedModel,
        provider: Provider,
        threads: int,
        fallback: Callable[[], PreparedModel] | None = None,
    ) -> None:
        """Load the session. Raises ModelUnavailable."""
        self._threads = threads
        self._fallback = fallback
        self.prepared = prepared
        self.warning = ""
        self.session = Session(prepared.graph, prepared.profile, provider, threads)

    def embed(self, windows: Sequence[Ids]) -> Floats:
        """Return the embeddings of windows: (windows, dimensions) float32 of length 1.

        Raises ModelUnavailable when the model gives no numbers even on the CPU in single precision.
        """
        try:
            embeddings = self.session.embed(*pad(windows))
        except Exception as error:  # whatever a driver raises
            if self.session.provider == "cpu":
                raise
            if len(windows) > 1 and any(word in str(error) for word in _MEMORY):
                half = len(windows) // 2
                return np.concatenate([self.embed(windows[:half]), self.embed(windows[half:])])
            self._fall_back(f"{self.session.provider} failed: {error}")
            return self.embed(windows)
        if np.isfinite(embeddings).all():
            return embeddings
        self._fall_back(f"in {self.prepared.form.name} it gave something that is no number")
        return self.embed(windows)

    def _fall_back(self, why: str) -> None:
        """Go on with the CPU in single precision. Raises ModelUnavailable where that is what failed."""
        name = self.prepared.profile.name
        if self._fallback is None:
            raise ModelUnavailable(
                f"The model {name} cannot be used: {why}.", hint="Run `pai doctor`, or choose another model."
            )
        self.warning = f"{name} runs on the CPU in single precision, since {why}."
        _log.warning("%s", self.warning)
        fallback, self._fallback = self._fallback, None
        try:
            self.prepared = fallback()
        except PaiError as error:
            raise ModelUnavailable(f"{self.warning} But: {error.detail}", hint=error.hint) from error
        self.session = Session(self.prepared.graph, self.prepared.profile, "cpu", self._threads)
