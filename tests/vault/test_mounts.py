"""Which file systems report every change, and which others may write to unseen."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from pai_daemon.vault.mounts import shared_file_system


@pytest.fixture
def mounted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Return a folder with a local disk, a share in it, and a local disk in the share."""
    (tmp_path / "share" / "local").mkdir(parents=True)
    (tmp_path / "shared").mkdir()
    (tmp_path / "drive").mkdir()
    table = {
        ".": ("ext4", "rw"),
        "share": ("nfs4", "rw"),
        "share/local": ("ext4", "rw"),
        "drive": ("ntfs", "rw,remote"),
    }
    partitions = [
        SimpleNamespace(mountpoint=str(tmp_path / place), fstype=kind, opts=options)
        for place, (kind, options) in table.items()
    ]
    monkeypatch.setattr("psutil.disk_partitions", lambda **_: partitions)
    return tmp_path


@pytest.mark.parametrize(
    ("folder", "kind"),
    [(".", None), ("share", "nfs4"), ("share/local", None), ("shared", None), ("drive", "ntfs")],
)
def test_shared_file_system_is_that_of_the_nearest_mount(
    mounted: Path, folder: str, kind: str | None
) -> None:
    """The mount a folder lies on decides, not one around it nor one with a similar name."""
    assert shared_file_system(mounted / folder) == kind


def test_shared_file_system_follows_links(mounted: Path) -> None:
    """A link into a share is on the share."""
    (mounted / "link").symlink_to(mounted / "share")
    assert shared_file_system(mounted / "link") == "nfs4"
