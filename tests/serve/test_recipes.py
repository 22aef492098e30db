"""The README's recipes for launchers and scripts run as they stand there; what they call is played."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote

import pytest

from tests.daemon_process import PAI, DaemonProcess

README = (Path(__file__).parents[2] / "README.md").read_text("utf-8")
BLOCK = README[README.index("**Launchers and scripts**") :].split("```sh\n", 1)[1].split("```", 1)[0]
RECIPES = dict(re.findall(r"^# (\w+).*\n((?:(?!#).*\n)+)", BLOCK, re.MULTILINE))
QUESTION = "when is the hull varnished"
# Each writes down what it is given; rofi also answers: the question, then the first line.
PLAYED: Mapping[str, str] = {
    "rofi": f'case "$*" in *Notes*) echo {shlex.quote(QUESTION)} ;; *) cat >>"$SEEN"; echo 0 ;; esac',
    "xdg-open": 'printf "%s" "$1" >>"$SEEN"',
    "open": 'printf "%s" "$1" >>"$SEEN"',
    "wl-copy": 'cat >>"$SEEN"',
    "mail": 'echo "$@" >>"$SEEN"; cat >>"$SEEN"',
}

pytestmark = pytest.mark.skipif(shutil.which("jq") is None, reason="jq is not installed")


def run(name: str, served: DaemonProcess, folder: Path, *arguments: str, script: str = "") -> tuple[str, str]:
    """Return what a recipe printed, and what it gave to the programs that it calls."""
    programs, seen = folder / "bin", folder / "seen"
    programs.mkdir()
    for program, body in PLAYED.items() | {("pai", f'exec {shlex.join(PAI)} "$@"')}:
        (programs / program).write_text(f"#!/bin/bash\n{body}\n", "utf-8")
        (programs / program).chmod(0o755)
    seen.touch()
    environ = served.folders.environ() | {
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": os.pathsep.join(sys.path),
        "SEEN": str(seen),
        "LOGNAME": "ada",
    }
    command = ["bash", "-euo", "pipefail", "-c", script or RECIPES[name], name, *arguments]
    done = subprocess.run(
        command, env=environ, cwd=served.vault, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout, seen.read_text("utf-8")


def test_every_recipe_is_tried_here() -> None:
    """A recipe that is added to the README wants a test."""
    assert set(RECIPES) == {"rofi", "Raycast", "Alfred", "copies", "git", "cron"}


def test_rofi_opens_the_passage_that_was_chosen(served: DaemonProcess, tmp_path: Path) -> None:
    """It shows titles, and opens the address of the one that was taken."""
    _, seen = run("rofi", served, tmp_path)
    assert "Boat" in seen
    assert "obsidian://open?vault=vault&file=Projects/Boat#Hull" in unquote(seen)


def test_raycast_opens_what_fits_best(served: DaemonProcess, tmp_path: Path) -> None:
    """The first passage opens in Obsidian."""
    _, seen = run("Raycast", served, tmp_path, QUESTION)
    assert unquote(seen) == "obsidian://open?vault=vault&file=Projects/Boat#Hull"


def test_alfred_gets_items_with_addresses(served: DaemonProcess, tmp_path: Path) -> None:
    """It prints what a script filter prints: items with title, subtitle and what is opened."""
    said, _ = run("Alfred", served, tmp_path, QUESTION)
    first = json.loads(said)["items"][0]
    assert (first["title"], first["subtitle"]) == ("Boat", "Boat > Hull")
    assert first["arg"].startswith("obsidian://open?")


def test_reference_is_copied(served: DaemonProcess, tmp_path: Path) -> None:
    """The clipboard holds a wikilink to the heading, and no line end."""
    _, seen = run("copies", served, tmp_path, QUESTION)
    assert seen == "[[Boat#Hull]]"


def test_hook_of_git_looks_at_the_vault(served: DaemonProcess, tmp_path: Path) -> None:
    """After a pull the vault is looked at."""
    subprocess.run(["git", "init", "-q", served.vault], check=True)
    try:
        said, _ = run("git", served, tmp_path)
    finally:
        shutil.rmtree(served.vault / ".git")
    assert said


def test_line_of_cron_mails_what_is_overdue(served: DaemonProcess, tmp_path: Path) -> None:
    """Its five fields are a time, and its command mails the tasks."""
    note = served.write("Late.md", "- [ ] Pay the mooring 📅 2020-01-01")
    try:
        fields = RECIPES["cron"].split(None, 5)
        assert fields[:5] == ["0", "7", "*", "*", "1-5"]
        command = fields[5].replace("~/pai-daemon/.venv/bin/pai", "pai")
        served.finds("mooring")
        _, seen = run("cron", served, tmp_path, script=command)
    finally:
        note.unlink()
        served.loses("mooring")
    assert "-s Overdue ada" in seen
    assert "Pay the mooring" in seen
    (tmp_path / "later").mkdir()
    _, seen = run("cron", served, tmp_path / "later", script=command)
    assert seen == "-s Overdue ada\n", "a mail without text is not sent"
