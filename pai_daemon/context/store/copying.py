"""Copies an index as it is at one instant, while its daemon goes on. The caller keeps commits away.

LanceDB never changes a file that it has written, so files are linked where the disk allows it. Of a table its
versions are taken first: whatever a version names was written before it. And the text goes before the
embeddings, which are written first: each chunk of the copy that had its embedding has it there.
"""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path

from pai_daemon.context.store.lance import border

VERSIONS = "_versions"


def copy_tables(source: Path, target: Path) -> None:
    """Link or copy all tables in one folder into a new one. Raises DiskFull, IndexUnavailable."""
    with border():
        target.mkdir(parents=True)
        tables = sorted(path for path in source.iterdir() if path.is_dir())
        for table in sorted(tables, key=lambda path: path.name != "chunks.lance"):
            parts = sorted(table.iterdir(), key=lambda path: path.name != VERSIONS)
            for part in parts:
                _copy_into(part, target / table.name / part.name)
            if not table.exists():  # of a model that was given up meanwhile
                shutil.rmtree(target / table.name, ignore_errors=True)


def _copy_into(source: Path, target: Path) -> None:
    """Link or copy a file, or a folder with all that is in it; what is gone by now is passed over."""
    if source.is_dir():
        target.mkdir(parents=True, exist_ok=True)
        with suppress(FileNotFoundError):
            for path in source.iterdir():
                _copy_into(path, target / path.name)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    with suppress(FileNotFoundError):  # half a file that is given its name, or of a table that was dropped
        try:
            os.link(source, target)
        except FileNotFoundError:
            raise
        except OSError:  # another disk, or one without links
            shutil.copy2(source, target)
