"""Installs the tools we are measured against, and those that are driven, each into an environment of its own.

They lie in a folder of the user's cache, `bench-peers`, or in that of `PAI_BENCH_PEERS`: about 4 GB on Linux,
of which PyTorch and the CUDA libraries that it cannot be imported without are 3.4, 4.7 more for Open WebUI,
and 1.8 for n8n.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Sequence
from pathlib import Path

from pai_daemon.config import load

INSTALLED = "installed.txt"
LIMIT_S = 1800.0
UV = "uv==0.13.9"
PYTHON_PEERS = {
    "fastembed": ("fastembed==0.9.1",),
    "sentence-transformers": ("sentence-transformers==6.2.0", "torch==2.14.1"),
    "open-webui": ("open-webui==0.12.4",),
}
NODE_PEERS = {"transformers.js": ("@huggingface/transformers@4.3.1",), "n8n": ("n8n@1.123.81",)}
# n8n takes xlsx from a site of its makers instead of npm, and of what is compiled needs this alone.
NODE_OVERRIDES = {"xlsx": "0.18.5"}
NODE_BUILDS = {"n8n": ("sqlite3",)}
# What PyTorch wants of a GPU and the CPU never loads: 1 GB of packages, and as much within two others.
UNUSED_PACKAGES = ("triton", "nvidia-cusolver", "cuda-bindings")
UNUSED_FILES = ("nvidia/cudnn/lib/libcudnn_*", "nvidia/cu*/lib/libnvrtc.alt.*")


class PeerMissing(Exception):
    """A peer is not here, and why."""


def peers_folder() -> Path:
    """Return where the peers are installed."""
    return Path(os.environ.get("PAI_BENCH_PEERS") or load().cache_dir / "bench-peers")


def installed(name: str, home: Path, *, install: bool) -> Path:
    """Return the folder of a peer's environment, after installing it if wanted.

    Raises PeerMissing when it is not there or cannot be installed.
    """
    wanted = PYTHON_PEERS.get(name) or NODE_PEERS[name]
    folder = home / name
    if _is_complete(folder, wanted):
        return folder
    if not install:
        raise PeerMissing("not installed; a run without --quick does it")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (_install_python if name in PYTHON_PEERS else _install_node)(wanted, folder, home)
    (folder / INSTALLED).write_text("\n".join(wanted), "utf-8")
    return folder


def _is_complete(folder: Path, wanted: Sequence[str]) -> bool:
    try:
        return (folder / INSTALLED).read_text("utf-8").split("\n") == list(wanted)
    except FileNotFoundError:
        return False


def _install_python(wanted: Sequence[str], folder: Path, home: Path) -> None:
    """Install with uv, the only installer that can leave out a package that another one asks for."""
    uv = _uv(home)
    left_out = home / "left-out.txt"
    left_out.write_text("\n".join(UNUSED_PACKAGES), "utf-8")
    _run([str(uv), "venv", "--clear", "--python", sys.executable, str(folder)])
    into = ["--python", str(folder / "bin" / "python"), "--excludes", str(left_out), "--no-cache"]
    _run([str(uv), "pip", "install", *into, *wanted])
    for pattern in UNUSED_FILES:
        for unused in folder.glob(f"lib/python*/site-packages/{pattern}"):
            unused.unlink()


def _uv(home: Path) -> Path:
    """Return the installer, in an environment of its own."""
    folder = home / "uv"
    program = folder / "bin" / "uv"
    if not program.exists():
        venv.create(folder, clear=True, with_pip=True)
        _run([str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "--no-cache-dir", UV])
    return program


def _install_node(wanted: Sequence[str], folder: Path, _home: Path) -> None:
    """Install with npm, without the scripts of packages: one downloads CUDA, others do not compile."""
    npm = shutil.which("npm")
    if npm is None:
        raise PeerMissing("cannot be installed: there is no npm")
    wishes = {"private": True, "overrides": NODE_OVERRIDES}
    (folder / "package.json").write_text(json.dumps(wishes), "utf-8")
    _run([npm, "install", "--prefix", str(folder), "--ignore-scripts", "--no-audit", "--no-fund", *wanted])
    for package in NODE_BUILDS.get(folder.name, ()):
        _run([npm, "rebuild", "--prefix", str(folder), package])


def _run(command: Sequence[str]) -> None:
    """Run an installer. Raises PeerMissing with the last line of what it said."""
    try:
        subprocess.run(command, capture_output=True, text=True, check=True, timeout=LIMIT_S)
    except subprocess.CalledProcessError as error:
        said = (error.stderr.strip() or error.stdout.strip() or str(error)).splitlines()[-1]
        raise PeerMissing(f"cannot be installed: {said[:200]}") from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise PeerMissing(f"cannot be installed: {error}") from error
