"""Whether it is believed that many notes are gone."""

from __future__ import annotations

from pai_daemon.context.loss import LossDoubt


def test_sudden_loss_is_believed_at_a_scan_after_the_doubt() -> None:
    """A loss that lasts for ten minutes is real."""
    doubt = LossDoubt(doubt_s=600)
    assert not doubt.believes(100, 80, 1000.0, confirmed=False)
    assert doubt.until_s == 1600.0
    assert not doubt.believes(100, 80, 1599.0, confirmed=False)
    assert doubt.believes(100, 80, 1600.0, confirmed=False)


def test_loss_that_ends_is_forgotten() -> None:
    """When the notes are back, the next loss is doubted anew."""
    doubt = LossDoubt(doubt_s=600)
    doubt.believes(100, 80, 1000.0, confirmed=False)
    assert doubt.believes(100, 0, 1100.0, confirmed=False)
    assert not doubt.believes(100, 80, 1700.0, confirmed=False)


def test_confirmed_loss_is_believed_at_once() -> None:
    """A person's word ends the doubt."""
    assert LossDoubt().believes(100, 100, 0.0, confirmed=True)


def test_trickling_loss_adds_up() -> None:
    """Removals that come in small portions within a minute are one loss."""
    doubt = LossDoubt()
    doubt.removed(30, 0.0)
    assert doubt.doubts(70, 25, 30.0)
    assert not doubt.doubts(70, 25, 61.0)
