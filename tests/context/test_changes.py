"""The plan that brings the index to what the disk says."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pai_daemon.context.changes import Known, diff, is_sudden_loss, suspects
from pai_daemon.vault.scan import FileStat


def _stat(size: int = 1, mtime_ns: int = 1, inode: int = 1) -> FileStat:
    return FileStat(size, mtime_ns, inode)


def _known(**hashes: str) -> dict[str, Known]:
    return {path: Known(_stat(), content_hash) for path, content_hash in hashes.items()}


def test_unchanged_stat_is_not_read() -> None:
    """A file whose size, time and inode are known is not read again."""
    assert suspects({"a": _stat(), "b": _stat()}, _known(a="1")) == ("b",)


def test_any_changed_part_of_the_stat_is_read() -> None:
    """A change of size, time or inode alone makes a file suspect."""
    found = {"a": _stat(size=2), "b": _stat(mtime_ns=2), "c": _stat(inode=2)}
    assert set(suspects(found, _known(a="1", b="1", c="1"))) == {"a", "b", "c"}


def test_touched_file_is_not_read_as_changed() -> None:
    """The same bytes under another stat are touched, not read."""
    plan = diff({"a": "1"}, _known(a="1"), [])
    assert (plan.touched, plan.read) == (("a",), ())


def test_forced_run_reads_known_bytes_again() -> None:
    """With force, a note is read although its bytes are known."""
    assert diff({"a": "1"}, _known(a="1"), [], force=True).read == ("a",)


def test_same_bytes_under_a_new_path_are_a_rename() -> None:
    """A gone note whose bytes reappear is renamed, neither read nor removed."""
    plan = diff({"b": "1"}, _known(a="1"), ["a"])
    assert (plan.renamed, plan.read, plan.removed) == ({"a": "b"}, (), ())


def test_two_copies_of_a_gone_note_are_one_rename_and_one_new_note() -> None:
    """One gone note can be the origin of one new path only."""
    plan = diff({"b": "1", "c": "1"}, _known(a="1"), ["a"])
    assert plan.renamed == {"a": "b"}
    assert plan.read == ("c",)


def test_copy_of_a_note_that_stays_is_a_new_note() -> None:
    """A second file with the bytes of a note that is still there is read."""
    assert diff({"b": "1"}, _known(a="1"), []).read == ("b",)


names = st.sampled_from("abcdefgh")
contents = st.sampled_from("123")


@given(known=st.dictionaries(names, contents), disk=st.dictionaries(names, contents))
def test_plan_carried_out_makes_the_index_equal_to_the_disk(
    known: dict[str, str], disk: dict[str, str]
) -> None:
    """Reading, renaming and removing as planned leaves exactly what the disk holds."""
    plan = diff(disk, _known(**known), set(known) - set(disk))
    after = {path: content for path, content in known.items() if path not in plan.removed}
    for old, new in plan.renamed.items():
        after[new] = after.pop(old)
    after |= {path: disk[path] for path in plan.read}
    assert after == disk


@given(known=st.dictionaries(names, contents), disk=st.dictionaries(names, contents))
def test_plan_names_each_path_once(known: dict[str, str], disk: dict[str, str]) -> None:
    """No path is in two parts of a plan."""
    plan = diff(disk, _known(**known), set(known) - set(disk))
    named = [*plan.read, *plan.renamed, *plan.renamed.values(), *plan.touched, *plan.removed]
    assert len(named) == len(set(named))


def test_loss_of_more_than_half_is_sudden() -> None:
    """More than half of a vault at once is doubted, half is not."""
    assert is_sudden_loss(100, 51)
    assert not is_sudden_loss(100, 50)


def test_loss_of_everything_is_always_sudden() -> None:
    """An empty mount point takes no note out, however small the vault was."""
    assert is_sudden_loss(3, 3)
    assert not is_sudden_loss(0, 0)


def test_loss_of_a_handful_is_never_sudden() -> None:
    """Ten notes may go from a small vault without a question."""
    assert not is_sudden_loss(12, 10)
