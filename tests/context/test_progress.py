"""Estimates of long work."""

from __future__ import annotations

from pai_daemon.context.progress import Progress


def test_estimate_extends_the_average_rate() -> None:
    """A quarter done in ten seconds leaves thirty."""
    assert Progress("embedding", 25, 100, 0.0, 10.0).eta_s == 30.0


def test_estimate_is_unknown_at_first() -> None:
    """Nothing done, or hardly begun, gives no estimate."""
    assert Progress("reading", 0, 100, 0.0, 10.0).eta_s is None
    assert Progress("reading", 50, 100, 0.0, 0.5).eta_s is None


def test_rate_is_tokens_over_elapsed_time() -> None:
    """Tokens a second come from the tokens that were embedded."""
    assert Progress("embedding", 1, 2, 0.0, 2.0, tokens=5000).tokens_per_s == 2500.0


def test_estimate_counts_only_what_was_done_since_the_start() -> None:
    """Work that goes on after a restart is not estimated by what was done before."""
    progress = Progress("switching", 75, 100, 0.0, 10.0, done_before=50)
    assert progress.eta_s == 10.0
    assert Progress("switching", 50, 100, 0.0, 10.0, done_before=50).eta_s is None
