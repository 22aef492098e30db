"""What is remembered of a server's model: so that its index opens while it is away, and another is noticed.

A server's name for a model says little of its weights. What it tells of them, its model's digest, goes into
the fingerprint. Where it tells nothing, its embedding of one known text is compared with the one that is
remembered: a stranger gets a number of its own, and with it an index of its own (D6).
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from pai_daemon.config import write_private
from pai_daemon.models.addresses import Address
from pai_daemon.models.encoder.weights import Floats
from pai_daemon.models.registry import Profile, Scoring, server_profile
from pai_daemon.models.sources import ServerSource

# In few words what notes are made of; it is the same for every server.
SAMPLE = "On Thursday Ida put the blue notebook, the map and 12 candles into the second drawer."
# The same weights in half or in eighth precision are nearer than this, other weights are not.
SAME = 0.97


@dataclass(frozen=True, slots=True)
class Acquaintance:
    """A server's model as it was when it last answered.

    told: what the server says of it, name and digest. sample: its embedding of SAMPLE, of length 1.
    space: how many other models answered to the same name before. scoring: None until it is measured.
    """

    model: str
    told: str
    sample: tuple[float, ...]
    space: int = 0
    scoring: Scoring | None = None

    @property
    def digest(self) -> str:
        """Return what tells this model from others of its name."""
        return f"{self.told} {self.space or ''}".strip()

    def is_like(self, sample: Floats) -> bool:
        """Return whether a model that embeds SAMPLE so, (dimensions,) float32 of length 1, is this one."""
        mine = np.array(self.sample, np.float32)
        return mine.shape == sample.shape and float(mine @ sample) >= SAME

    def described(self, profile: Profile, own: Path | None) -> Profile:
        """Return the profile of a server with what only the server could tell. own: the person's list."""
        source = profile.source
        assert isinstance(source, ServerSource)
        if not source.address.model:
            address = replace(source.address, model=self.model)
            profile = server_profile(address, own, source.key)
            # What is asked stays the server that was named.
            source = ServerSource(address, source.key)
        return replace(
            profile,
            source=replace(source, digest=self.digest),
            dimensions=len(self.sample),
            scoring=profile.scoring or self.scoring,
        )


def met(before: Acquaintance | None, model: str, told: str, sample: Floats) -> Acquaintance:
    """Return the acquaintance with the model that answers today: the one from before, or another.

    sample: its embedding of SAMPLE, (dimensions,) float32 of length 1.
    """
    plain = tuple(round(float(number), 6) for number in sample)
    if before is None or (before.model, before.told) != (model, told):
        return Acquaintance(model, told, plain)
    # The sample stays the first one: many small changes are a large one.
    return before if before.is_like(sample) else Acquaintance(model, told, plain, before.space + 1)


def recall(cache_dir: Path, address: Address) -> Acquaintance | None:
    """Return what is remembered of a server's model; None where it is nothing, or cannot be read."""
    try:
        kept = json.loads(_file(cache_dir, address).read_text("utf-8"))
        scoring = Scoring(**kept.pop("scoring")) if kept.get("scoring") else None
        sample = tuple(float(number) for number in kept.pop("sample"))
        found = Acquaintance(**{**kept, "sample": sample, "scoring": scoring})
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None
    return found if found.sample else None


def remember(cache_dir: Path, address: Address, known: Acquaintance) -> None:
    """Keep what is known of a server's model. Raises UsageError where it cannot be written."""
    write_private(_file(cache_dir, address), json.dumps(asdict(known)))


def recalled(profile: Profile, cache_dir: Path, own: Path | None = None) -> Profile:
    """Return the profile as its server last described it; unchanged where it has none or that never did."""
    if not isinstance(profile.source, ServerSource):
        return profile
    known = recall(cache_dir, profile.source.address)
    return profile if known is None else known.described(profile, own)


def _file(cache_dir: Path, address: Address) -> Path:
    """Return where the acquaintance with a server's model is kept."""
    named = "\x1f".join((address.protocol, address.model, address.url))
    return cache_dir / "servers" / f"{hashlib.sha256(named.encode()).hexdigest()[:16]}.json"
