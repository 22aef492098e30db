"""The scan: what is on disk, with no exception for one bad file and no silence for a missing vault."""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path

import pytest

from pai_daemon.errors import VaultUnavailable
from pai_daemon.vault.ignore import IgnoreRules
from pai_daemon.vault.scan import read_bytes, scan, scan_paths

RULES = IgnoreRules(("Private/",))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a small vault."""
    vault = tmp_path / "vault"
    for path in ("A.md", "F/B.md", "F/G/C.md", "Private/P.md", ".trash/T.md", "F/pic.png"):
        (vault / path).parent.mkdir(parents=True, exist_ok=True)
        (vault / path).write_text(path, encoding="utf-8")
    return vault


def test_scan_finds_the_notes_that_belong(root: Path) -> None:
    """Every note that the rules let in is found with its size, and nothing else."""
    found = scan(root, RULES)
    assert set(found.files) == {"A.md", "F/B.md", "F/G/C.md"}
    assert found.files["F/B.md"].size == len("F/B.md")
    assert found.problems == {}


@pytest.mark.parametrize("name", ["missing", "vault/A.md"])
def test_scan_missing_vault_raises(root: Path, name: str) -> None:
    """A vault that is missing or no folder raises, with a next step; it is not an empty vault."""
    with pytest.raises(VaultUnavailable) as caught:
        scan(root.parent / name, RULES)
    assert caught.value.hint
    with pytest.raises(VaultUnavailable):
        scan_paths(root.parent / name, ["A.md"], RULES)


def test_scan_unreadable_vault_raises(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A vault that may not be listed raises, with a next step."""

    def refuse(path: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pai_daemon.vault.scan.os.scandir", refuse)
    with pytest.raises(VaultUnavailable, match="Permission denied") as caught:
        scan(root, RULES)
    assert caught.value.hint


def test_scan_unreadable_folder_is_a_problem(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that cannot be listed is named, and the others are scanned."""
    listed = os.scandir

    def refuse(path: Path) -> object:
        if str(path).endswith("G"):
            raise PermissionError(13, "Permission denied")
        return listed(path)

    monkeypatch.setattr("pai_daemon.vault.scan.os.scandir", refuse)
    found = scan(root, RULES)
    assert set(found.files) == {"A.md", "F/B.md"}
    assert "Permission denied" in found.problems["F/G"]


def test_scan_links_stay_within_the_vault(root: Path) -> None:
    """A linked note within the vault is a note; links out of it, to folders and to what is out are named."""
    outside = root.parent / "outside.md"
    outside.write_text("secret", encoding="utf-8")
    (root / "in.md").symlink_to(root / "A.md")
    (root / "out.md").symlink_to(outside)
    (root / "private.md").symlink_to(root / "Private" / "P.md")
    (root / "nothing.md").symlink_to(root / "gone.md")
    (root / "loop.md").symlink_to(root / "loop.md")
    (root / "folder").symlink_to(root.parent, target_is_directory=True)
    found = scan(root, RULES)
    assert "in.md" in found.files
    assert set(found.problems) == {"out.md", "private.md", "nothing.md", "loop.md", "folder"}
    hinted = scan_paths(root, ["folder/outside.md", "out.md", "folder"], RULES)
    assert hinted.files == {}
    assert "out.md" in hinted.problems
    with pytest.raises(PermissionError):
        read_bytes(root, "out.md", 100)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
def test_scan_name_without_utf8_is_a_problem(root: Path) -> None:
    """A file name that is no UTF-8 is named in a readable form and stops nothing."""
    with open(os.fsencode(root) + b"/caf\xe9.md", "wb") as file:  # noqa: PTH123 - a Path cannot hold these bytes
        file.write(b"x")
    found = scan(root, RULES)
    assert "A.md" in found.files
    assert found.problems == {"caf\\xe9.md": "the name is not valid UTF-8"}
    assert scan_paths(root, [os.fsdecode(b"caf\xe9.md")], RULES).files == {}


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_scan_pipe_is_no_note(root: Path) -> None:
    """A pipe with the name of a note is a problem; reading it would wait for ever."""
    os.mkfifo(root / "pipe.md")
    found = scan(root, RULES)
    assert found.problems == {"pipe.md": "not a regular file"}


def test_scan_paths_tells_what_is_there_now(root: Path) -> None:
    """Notes are found, folders become their notes, and what is gone or out is in no part of the result."""
    hints = ["A.md", "gone.md", "F", "Private", "Private/P.md", "gone", "A.md/x.md", "../x.md"]
    found = scan_paths(root, hints, RULES)
    assert set(found.files) == {"A.md", "F/B.md", "F/G/C.md"}
    assert found.problems == {}
    assert found.files["A.md"] == scan(root, RULES).files["A.md"]


def test_read_bytes_hashes_the_whole_file(root: Path) -> None:
    """The hash covers the whole file, the data only what may be read, and one byte more."""
    data = bytes(range(256)) * 9_000
    (root / "big.md").write_bytes(data)
    kept, digest = read_bytes(root, "big.md", 1000)
    assert kept == data[:1001]
    assert digest == hashlib.sha256(data).hexdigest()
    assert read_bytes(root, "big.md", len(data))[0] == data
    with pytest.raises(FileNotFoundError):
        read_bytes(root, "gone.md", 10)


def test_scan_paths_knows_attachments_that_came_and_those_that_went(root: Path) -> None:
    """A hinted file that is no note is known by name, unless its folder is left out."""
    for name in ("F/pic.png", "Private/pic.png", ".hidden.png"):
        (root / name).write_bytes(b"x")
    found = scan_paths(root, ["F/pic.png", "Private/pic.png", ".hidden.png", "F/gone.png"], RULES)
    assert (found.attachments, found.files, found.problems) == ({"F/pic.png"}, {}, {})


def test_scan_of_an_unchanged_vault_opens_no_file(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A scan lists each folder once, looks at each note once, and reads none."""
    listed: list[str] = []
    looked: list[str] = []
    scandir, lstat = os.scandir, Path.lstat

    def count_scandir(path: Path) -> object:
        listed.append(str(path))
        return scandir(path)

    def count_lstat(path: Path) -> os.stat_result:
        looked.append(str(path))
        return lstat(path)

    def no_open(path: object, *_: object) -> None:
        raise AssertionError(f"{path} was opened")

    monkeypatch.setattr(os, "scandir", count_scandir)
    monkeypatch.setattr(Path, "lstat", count_lstat)
    monkeypatch.setattr("builtins.open", no_open)
    monkeypatch.setattr(Path, "open", no_open)
    notes = set(scan(root, RULES).files)
    folders = {path.rpartition("/")[0] for path in notes}
    # The vault's own folder is listed once more, to tell an empty vault from one that cannot be read.
    assert sorted(listed) == sorted([str(root), *(str(root / folder) for folder in folders | {""})])
    assert sorted(looked) == sorted(str(root / note) for note in notes)
