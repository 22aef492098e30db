"""A bench's figures: rows with the raw limit or a peer beside each, as a table or as JSON."""

from __future__ import annotations

import json
import platform
import subprocess
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil
from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Row:
    """One figure. reference: what it is held against, measured in the same run. target: as text."""

    what: str
    value: float | None
    unit: str
    reference: str = ""
    reference_value: float | None = None
    target: str = ""
    holds: bool | None = None

    @property
    def ratio(self) -> float | None:
        """Return value over reference, None where there is none."""
        if self.value is None or not self.reference_value:
            return None
        return self.value / self.reference_value


def document(name: str, rows: Sequence[Row]) -> dict[str, Any]:
    """Return the JSON document of a bench."""
    return {
        "name": name,
        "commit": _commit(),
        "machine": f"{platform.machine()}, {psutil.cpu_count()} cores, {platform.python_version()}",
        "rows": [asdict(row) | {"ratio": row.ratio} for row in rows],
    }


def show(name: str, rows: Sequence[Row], *, as_json: bool) -> None:
    """Print the figures; as JSON, nothing else goes to standard output."""
    if as_json:
        print(json.dumps(document(name, rows), indent=2))
        return
    table = Table("what", "value", "unit", "reference", "ref. value", "ratio", "target", "holds", title=name)
    for row in rows:
        table.add_row(
            row.what,
            _figure(row.value),
            row.unit,
            row.reference,
            _figure(row.reference_value),
            _figure(row.ratio),
            row.target,
            "" if row.holds is None else ("yes" if row.holds else "NO"),
        )
    Console(width=180, highlight=False).print(table)


def _figure(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def _commit() -> str:
    done = subprocess.run(
        ["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    )
    return done.stdout.strip() or "unknown"
