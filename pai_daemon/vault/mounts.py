"""What kind of file system a folder lies on, and whether changes made elsewhere are reported there (D31)."""

from __future__ import annotations

import os
import re
from pathlib import Path

import psutil

# Another machine, a host or a server may write to these, and the local kernel is not told.
_SHARED = re.compile(
    r"""9p | afs | afpfs | beegfs | ceph | cifs | davfs | drvfs | gfs2 | glusterfs | lustre | macfuse | ncpfs
    | nfs4? | osxfs | prl_fs | smb3 | smbfs | vboxsf | virtiofs | vmhgfs | webdav
    | fuse\.(?: davfs2 | gcsfuse | glusterfs | grpcfuse | rclone | s3fs | sshfs | vmhgfs-fuse )""",
    re.VERBOSE | re.IGNORECASE,
)


def shared_file_system(folder: Path) -> str | None:
    """Return the kind of the file system of folder if others may write to it unseen; None for a local one."""
    real = os.path.realpath(folder)
    nearest = ""
    found: str | None = None
    for partition in psutil.disk_partitions(all=True):
        mount = os.path.normpath(partition.mountpoint)
        below = real == mount or real.startswith(mount.rstrip(os.sep) + os.sep)
        # Of two on one place the later hides the other.
        if below and len(mount) >= len(nearest):
            nearest = mount
            is_shared = bool(_SHARED.fullmatch(partition.fstype)) or "remote" in partition.opts.split(",")
            found = partition.fstype if is_shared else None
    return found


def mounts_below(folder: Path) -> tuple[str, ...]:
    """Return what is mounted within folder, one line a mount; nothing where the system does not say.

    inotify tells of no mount, and watches the folder that a disk hides.
    """
    try:
        listed = Path("/proc/self/mountinfo").read_text("utf-8", "surrogateescape")
    except OSError:
        return ()
    # A blank in a path is written so there.
    below = os.path.realpath(folder).rstrip("/").replace(" ", r"\040") + "/"
    return tuple(line for line in listed.splitlines() if line.split()[4].startswith(below))
