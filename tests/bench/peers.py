"""Our embedder against fastembed, sentence-transformers and transformers.js: same weights, same texts.

Every tool runs in a process of its own with two threads, and batches in its own way; where another size of
batch is faster, that is a row as well. Our runs and the peer's alternate, and the medians are compared.
Tokens are counted once, by our tokenizer, without padding. No text is longer than the model's window, so
nobody leaves a part out. The cosine of a peer's embeddings with ours shows that it is the same work.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pai_daemon.config import load
from pai_daemon.models.prepare import prepare
from pai_daemon.models.registry import profile
from pai_daemon.models.tokens import WindowTokenizer
from tests.bench.data import SAMPLE_VAULT, unpack
from tests.bench.peer_install import PYTHON_PEERS, PeerMissing, installed, peers_folder
from tests.bench.peer_models import WRITERS, Floats, write_peer_model
from tests.bench.report import ROOT, Row

HERE = Path(__file__).parent
VAULTS = ("vault-tasks-docs-en", "vault-zettelkasten-en", "vault-universus-de")
TEXTS, QUICK_TEXTS = 400, 40
ROUNDS, QUICK_ROUNDS = 5, 1
# Pieces of notes have this many characters: about 150 tokens in the mean.
CHARACTERS = (20, 1_200)
# Sizes of a batch are tried on this many texts; a size must be this much faster than the peer's own.
TRIED_TEXTS = 100
FASTER = 0.95
# Instructions that multiply int8; without them the gain is smaller.
INT8_FLAGS = ("avx512_vnni", "avx_vnni", "asimddp")
SAME = 0.98


@dataclass(frozen=True, slots=True)
class Peer:
    """A tool: its default size of batch, others to try, and which weights it runs on."""

    name: str
    own_batch: int
    batches: tuple[int, ...]
    weights: str = "fp32"


PEERS = (
    Peer("fastembed", 256, (1, 8, 32)),
    Peer("sentence-transformers", 32, (1, 8, 128)),
    Peer("transformers.js", 1, (8, 32)),
    Peer("transformers.js", 1, (8, 32), "q8"),
)


@dataclass(frozen=True, slots=True)
class Work:
    """What everybody embeds. tokens: of all texts with their marks and prefix."""

    model: str
    texts: Path
    source: str
    prefix: str
    count: int
    tokens: int


class Worker:
    """A tool's process."""

    def __init__(self, command: Sequence[str], work: Work, model: str, output: Path) -> None:
        """Start it and wait until the model is loaded. Raises PeerMissing when it does not load."""
        self.output = output
        ours = {"PYTHONPATH": str(ROOT)} if sys.executable in command else {}
        limits = {"OMP_NUM_THREADS": "2", "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "true"}
        environ = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | limits | ours
        self._errors = tempfile.TemporaryFile("w+")
        self._process = subprocess.Popen(
            [*command, model, str(work.texts), work.prefix, str(output)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            env=environ,
        )
        self.version: str = self._answer()["version"]

    def seconds(self, batch: int | None = None, count: int | None = None) -> float:
        """Return how long one run took; over all texts it also writes the output."""
        assert self._process.stdin is not None
        print(json.dumps({"batch": batch, "count": count}), file=self._process.stdin, flush=True)
        return float(self._answer()["seconds"])

    def embeddings(self) -> Floats:
        """Return the embeddings of the last run over all texts, scaled to length 1."""
        rows: Floats = np.fromfile(self.output, np.float32).reshape(-1, 384)
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.communicate()
        self._errors.close()

    def _answer(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if line:
            return json.loads(line)
        self._process.wait()
        self._errors.seek(0)
        said = (self._errors.read().strip() or "it ended").splitlines()[-1][:200]
        self.close()
        raise PeerMissing(f"does not run: {said}")


def rows(scratch: Path, *, quick: bool, model: str) -> list[Row]:
    """Return our speed against each peer's, and the cosine of its embeddings with ours.

    scratch: for 1.1 GB of files. quick: peers that are not installed stay so. A peer that cannot be
    installed or does not run gives a row that says why.
    """
    name = profile(model).name
    if name not in WRITERS:
        return [Row(f"{name}: against other tools", None, "", "no plain weights of it are at hand")]
    folder = scratch / "peers" / name
    folder.mkdir(parents=True)
    write_peer_model(name, folder)
    work = _work(name, scratch, QUICK_TEXTS if quick else TEXTS)
    found = []
    with _worker([sys.executable, "-P", str(HERE / "peer.py"), "pai-daemon"], work, name) as ours:
        ours.seconds()
        for peer in PEERS:
            try:
                command = _command(peer, install=not quick)
                with _worker(command, work, str(folder)) as theirs:
                    found += _compare(ours, theirs, peer, work, quick=quick)
            except PeerMissing as missing:
                what = f"{name}: tokens/s against {peer.name}, {peer.weights}"
                found.append(Row(what, None, "tokens/s", f"{peer.name} {missing}"))
    return found


def _work(name: str, scratch: Path, count: int) -> Work:
    """Write the texts: pieces of real notes that fit into the model's window, in no order of length."""
    known = profile(name)
    tokenizer = WindowTokenizer(prepare(known, load().cache_dir).tokenizer, known.max_tokens)
    vaults = [vault for each in VAULTS if (vault := unpack(each, scratch / "peers"))]
    notes = [sorted(vault.rglob("*.md")) for vault in vaults or [SAMPLE_VAULT]]
    choose = random.Random(6)
    texts: list[str] = []
    tokens = 0
    while len(texts) < count:
        note = choose.choice(choose.choice(notes))
        text = note.read_text("utf-8", "replace").strip()[: choose.randrange(*CHARACTERS)]
        windows = next(tokenizer.windows([text], known.passage_prefix))
        if text and len(windows) == 1:
            texts.append(text)
            tokens += len(windows[0])
    path = scratch / "peers" / "texts.json"
    path.write_text(json.dumps(texts), "utf-8")
    source = ", ".join(vault.name for vault in vaults) or SAMPLE_VAULT.name
    return Work(name, path, source, known.passage_prefix, count, tokens)


@contextmanager
def _worker(command: Sequence[str], work: Work, model: str) -> Iterator[Worker]:
    """Give a loaded tool and end it afterwards."""
    worker = Worker(command, work, model, work.texts.with_name(f"{len(command)}-{command[-1]}.f32"))
    try:
        yield worker
    finally:
        worker.close()


def _command(peer: Peer, *, install: bool) -> list[str]:
    """Return what starts a peer, its model and texts left out. Raises PeerMissing."""
    folder = installed(peer.name, peers_folder(), install=install)
    if peer.name in PYTHON_PEERS:
        return [str(folder / "bin" / "python"), "-P", str(HERE / "peer.py"), peer.name]
    node = shutil.which("node")
    if node is None:
        raise PeerMissing("does not run: there is no node")
    return [node, str(HERE / "peer.mjs"), str(folder), peer.weights]


def _compare(ours: Worker, theirs: Worker, peer: Peer, work: Work, *, quick: bool) -> list[Row]:
    """Return rows for a peer's own size of batch and for a faster one."""
    theirs.seconds(count=TRIED_TEXTS)
    sizes: list[int | None] = [None]
    if not quick:
        own_s = theirs.seconds(count=TRIED_TEXTS)
        tried = {size: theirs.seconds(size, TRIED_TEXTS) for size in peer.batches}
        best = min(tried, key=lambda size: tried[size])
        sizes += [best] if tried[best] < FASTER * own_s else []
    flag = _int8_flag()
    least = 1.5 if flag else 1.0
    found = []
    for size in sizes:
        pairs = [(ours.seconds(), theirs.seconds(size)) for _ in range(QUICK_ROUNDS if quick else ROUNDS)]
        our_rate, their_rate = (work.tokens / statistics.median(each) for each in zip(*pairs, strict=True))
        batch = f"batches of {size or peer.own_batch}" + (", its own size" if size is None else ", its best")
        found.append(
            Row(
                f"{work.model}: tokens/s, {work.count} texts of {work.source}{f', {flag}' if flag else ''}",
                our_rate,
                "tokens/s",
                f"{peer.name} {theirs.version}, {peer.weights}, {batch}",
                their_rate,
                f">= {least} of it",
                our_rate >= least * their_rate,
            )
        )
    cosine = float((ours.embeddings() * theirs.embeddings()).sum(axis=1).mean())
    what = f"{work.model}: cosine of our embeddings and those of {peer.name}, {peer.weights}, mean"
    if peer.weights == "fp32":
        return [*found, Row(what, cosine, "", target=f">= {SAME}", holds=cosine >= SAME)]
    return [*found, Row(what, cosine, "")]


def _int8_flag() -> str:
    """Return the CPU's instruction that multiplies int8, "" where none is known."""
    try:
        words = set(Path("/proc/cpuinfo").read_text("ascii", "replace").split())
    except OSError:
        return ""
    return next((flag for flag in INT8_FLAGS if flag in words), "")
