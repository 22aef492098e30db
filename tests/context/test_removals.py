"""When notes that are gone from the disk go from the index."""

from __future__ import annotations

from pai_daemon.context.removals import LONGEST_S, QUIET_S, WINDOW_S, Removals


def _paths(start: int, stop: int) -> set[str]:
    return {f"{number}.md" for number in range(start, stop)}


def test_removal_waits_for_quiet_and_no_longer_than_it_must() -> None:
    """Each removal extends the wait, up to the longest."""
    removals = Removals()
    removals.add({"a"}, 0.0)
    assert removals.wait_s(0.0) == QUIET_S
    removals.add({"b"}, 0.5)
    assert removals.wait_s(0.5) == QUIET_S
    removals.add({"c"}, LONGEST_S - 0.25)
    assert removals.wait_s(LONGEST_S - 0.25) == 0.25


def test_small_loss_is_carried_out() -> None:
    """A few notes of many simply go."""
    removals = Removals()
    removals.add({"a", "b"}, 0.0)
    assert removals.decide((), 100, 1.0, confirmed=False) == {"a", "b"}
    assert removals.wait_s(1.0) is None


def test_note_that_is_found_again_does_not_go() -> None:
    """A file that was away during a save stays."""
    removals = Removals()
    removals.add({"a", "b"}, 0.0)
    removals.found({"a"})
    assert removals.decide((), 100, 1.0, confirmed=False) == {"b"}


def test_sudden_loss_is_believed_after_the_doubt() -> None:
    """Most notes gone at once stay for ten minutes, and the reason can be read."""
    removals = Removals(doubt_s=600)
    removals.scanned(_paths(0, 80))
    assert removals.decide((), 100, 1000.0, confirmed=False) == set()
    assert "80 of 100" in (removals.doubt or "")
    assert removals.wait_s(1100.0) == 500.0
    assert removals.decide((), 100, 1600.0, confirmed=False) == _paths(0, 80)
    assert removals.doubt is None


def test_loss_of_everything_waits_for_a_word() -> None:
    """No time makes the loss of all notes plausible; a person's word does."""
    removals = Removals(doubt_s=600)
    removals.scanned(_paths(0, 3))
    assert removals.decide((), 3, 0.0, confirmed=False) == set()
    assert removals.decide((), 3, 10_000.0, confirmed=False) == set()
    assert removals.decide((), 3, 10_001.0, confirmed=True) == _paths(0, 3)


def test_doubt_ends_when_the_notes_are_back() -> None:
    """When the folder returns, what is still missing is judged anew."""
    removals = Removals()
    removals.scanned(_paths(0, 80))
    removals.decide((), 100, 0.0, confirmed=False)
    removals.found(_paths(0, 79))
    assert removals.wait_s(5.0) == 0.0
    assert removals.decide((), 100, 5.0, confirmed=False) == {"79.md"}
    assert removals.doubt is None


def test_loss_in_pieces_is_one_loss() -> None:
    """Removals within a minute add up."""
    removals = Removals()
    removals.add(_paths(0, 30), 0.0)
    assert removals.decide((), 100, 5.0, confirmed=False) == _paths(0, 30)
    removals.add(_paths(30, 60), 10.0)
    assert removals.decide((), 70, 15.0, confirmed=False) == set()
    later = Removals()
    later.add(_paths(0, 30), 0.0)
    later.decide((), 100, 5.0, confirmed=False)
    later.add(_paths(30, 60), 6.0 + WINDOW_S)
    assert later.decide((), 70, 6.0 + WINDOW_S, confirmed=False) == _paths(30, 60)


def test_excluded_notes_go_at_once() -> None:
    """What a rule keeps out leaves the index although it is most of the vault (D14)."""
    removals = Removals()
    removals.scanned(_paths(0, 90))
    assert removals.decide(_paths(0, 89), 100, 0.0, confirmed=False) == _paths(0, 90)
    removals.scanned(_paths(0, 90))
    assert removals.decide(_paths(0, 20), 100, 0.0, confirmed=False) == _paths(0, 20)
    assert removals.gone == _paths(20, 90)
