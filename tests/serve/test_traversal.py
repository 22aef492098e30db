"""No request reaches a file that is not an indexed note of the vault (D14)."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

import pytest

from tests.daemon_process import DaemonProcess, eventually
from tests.serve.test_door import assert_problem

SECRET = "the combination is 4711"


@pytest.fixture(autouse=True)
def secret(served: DaemonProcess) -> Iterator[None]:
    """Put a file beside the vault, and one in it that no rule lets in."""
    outside, hidden = served.vault.parent / "outside.md", served.vault / ".obsidian" / "secret.md"
    hidden.parent.mkdir(exist_ok=True)
    outside.write_text(SECRET, "utf-8")
    hidden.write_text(SECRET, "utf-8")
    yield
    outside.unlink()


@pytest.mark.parametrize(
    "path",
    [
        "../outside.md",
        "../../etc/passwd",
        "%2e%2e/outside.md",
        "..%2foutside.md",
        "..%2f..%2fetc%2fpasswd",
        "%2e%2e%2foutside.md",
        "%252e%252e%252foutside.md",
        "..%5coutside.md",
        "..%c0%afoutside.md",
        "Projects/../../outside.md",
        "Projects/..%2f..%2foutside.md",
        "Projects/../Garden.md",
        "/etc/passwd",
        "%2fetc%2fpasswd",
        ".obsidian/secret.md",
        "Projects/../.obsidian/secret.md",
        "%00",
        "Garden.md%00.txt",
        "%ff",
        "a" * 3000,
        "Projects",
        "Nowhere.md",
    ],
)
def test_note_that_is_not_indexed_is_not_found(served: DaemonProcess, path: str) -> None:
    """Every way out of the vault, and every path that is no indexed note, is a 404."""
    for target in (f"/api/notes/{path}", f"/api/links?path={path}", f"/api/related?path={path}"):
        reply = served.request("GET", target)
        assert SECRET not in reply.body.decode()
        assert_problem(reply, 404, "not_found")


@pytest.mark.parametrize("path", ["../outside.md", "/etc/passwd", ".obsidian/secret.md", "\x00", "a" * 3000])
def test_explanation_of_a_path_outside_says_nothing_of_it(served: DaemonProcess, path: str) -> None:
    """Why a path is not indexed is said from its name alone, so it tells nothing of other files."""
    reply = served.request("GET", f"/api/index?explain={quote(path)}")
    assert reply.status == 200, reply.body
    assert reply.json["indexed"] is False
    assert reply.json["reason"]


def test_index_run_of_paths_outside_indexes_nothing(served: DaemonProcess) -> None:
    """Odd spellings of paths, and paths outside, neither bring notes in nor double them."""
    before = served.ready()
    paths = ["..", "../outside.md", "Projects/..", "./Garden.md", "Projects//Boat.md", ".", "/etc", "\x00"]
    paths += ["\ud800", ".obsidian", "Garden.md/x", f"../{served.vault.name}", "Projects/../Garden.md"]
    assert served.request("POST", "/api/index", body={"paths": paths}).status == 202
    marker = served.vault / "Marker.md"
    marker.write_text("walrus", "utf-8")
    served.finds("walrus")
    marker.unlink()
    served.loses("walrus")
    told = ("notes", "chunks", "problems")
    # A search sees a commit a moment before the status does.
    eventually(
        lambda: [served.status()[name] for name in told] == [before[name] for name in told],
        "no note more or less than before",
    )


def test_note_with_any_name_is_read_back(served: DaemonProcess) -> None:
    """Names with quotes, percent signs and folders are found under their encoded path."""
    for path in ("50% off.md", 'It\'s "quoted".md', "Projects/Boat.md"):
        assert served.request("GET", f"/api/notes/{quote(path)}").json["path"] == path
        assert served.request("GET", f"/api/notes/{quote(path, safe='')}").json["path"] == path
