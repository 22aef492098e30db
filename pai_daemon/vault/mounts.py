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
