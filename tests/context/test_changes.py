"""The plan that brings the index to what the disk says."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

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


class Disk(RuleBasedStateMachine):
    """A made-up disk and the index that plans keep of it: after a scan both say the same.

    The index is compared with one made anew from the disk. What was written unseen, under the stat that it
    had before, is all that a scan may miss; a hint at it must not.
    """

    def __init__(self) -> None:
        super().__init__()
        self.files: dict[str, tuple[str, FileStat]] = {}
        self.known: dict[str, Known] = {}
        self.rows: dict[str, str] = {}
        self.read = 0
        self.hidden: set[str] = set()
        self.clock = 0
        self.settled = True

    def _tick(self) -> int:
        self.clock += 1
        self.settled = False
        return self.clock

    @rule(path=names, content=contents)
    def write(self, path: str, content: str) -> None:
        """Create a file, or write over one."""
        now = self._tick()
        old = self.files.get(path)
        inode = old[1].inode if old else now
        self.files[path] = (content, FileStat(1, now, inode))

    @rule(path=names, content=contents)
    def write_and_put_the_time_back(self, path: str, content: str) -> None:
        """Change a file within the stat that it has."""
        if path in self.files and self.files[path][0] != content:
            self._tick()
            self.files[path] = (content, self.files[path][1])
            self.hidden.add(path)

    @rule(path=names)
    def touch(self, path: str) -> None:
        """Give a file another time."""
        if path in self.files:
            content, stat = self.files[path]
            self.files[path] = (content, replace(stat, mtime_ns=self._tick()))

    @rule(old=names, new=names)
    def move(self, old: str, new: str) -> None:
        """Rename a file, over another one if there is one."""
        if old in self.files and old != new:
            self._tick()
            self.files[new] = self.files.pop(old)

    @rule(path=names)
    def delete(self, path: str) -> None:
        """Delete a file."""
        if self.files.pop(path, None):
            self._tick()

    @rule(path=names)
    def hint(self, path: str) -> None:
        """Look at one path, as after an event there: it is read whatever its stat is."""
        there = {path} & self.files.keys()
        self._carry_out(there, {path} & self.known.keys() - there)
        self.hidden.discard(path)

    @precondition(lambda self: not self.settled)
    @rule()
    def scan(self) -> None:
        """Look at everything, and read what looks changed."""
        found = {path: stat for path, (_, stat) in self.files.items()}
        self._carry_out(suspects(found, self.known), self.known.keys() - found.keys())
        self.settled = True

    def _carry_out(self, paths: Collection[str], gone: Collection[str]) -> None:
        plan = diff({path: self.files[path][0] for path in paths}, self.known, gone)
        for path in (*plan.removed, *plan.renamed):
            del self.known[path], self.rows[path]
        for path in (*plan.read, *plan.renamed.values(), *plan.touched):
            content, stat = self.files[path]
            self.known[path] = Known(stat, content)
            if path not in plan.touched:
                self.rows[path] = content
        self.read += len(plan.read)

    @invariant()
    def index_is_as_if_made_anew(self) -> None:
        """After a scan each note has the rows that a new index has."""
        if self.settled:
            seen = self.files.keys() - self.hidden
            assert {path: self.rows[path] for path in seen} == {path: self.files[path][0] for path in seen}
            assert self.rows.keys() == self.files.keys()


TestDisk = Disk.TestCase


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
