"""Which file system a folder is on, and whether other machines may write it too."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import psutil

# SQLite's write-ahead log needs memory that all of its processes share, which no network file system gives.
NETWORK_FILE_SYSTEMS: Final = frozenset(
    {
        *("nfs", "nfs4", "cifs", "smb3", "smbfs", "ncpfs", "afs", "afpfs", "9p", "virtiofs", "davfs"),
        *("lustre", "gpfs", "beegfs", "ceph", "glusterfs", "orangefs", "pvfs2", "ocfs2", "gfs2", "panfs"),
        *("fuse.ceph", "fuse.glusterfs", "fuse.sshfs", "fuse.rclone", "fuse.s3fs", "fuse.mount-s3"),
        *("fuse.juicefs", "fuse.mfs", "fuse.seaweedfs", "fuse.davfs2", "wekafs", "osxfuse"),
    }
)


def file_system_of(folder: Path) -> str:
    """Return the type of the file system that a folder is on, or will be, such as `ext4`; "" if not known."""
    place = existing_part(folder).resolve()
    types = {Path(each.mountpoint): each.fstype for each in psutil.disk_partitions(all=True)}
    return next((types[each] for each in (place, *place.parents) if each in types), "")


def existing_part(folder: Path) -> Path:
    """Return a folder, or the nearest one above it that exists."""
    return next(each for each in (folder, *folder.parents) if each.exists())
