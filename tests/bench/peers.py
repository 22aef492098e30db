"""Our embedder against fastembed, sentence-transformers and transformers.js: same weights, same texts.

Every tool runs in a process of its own with two threads, and batches in its own way; where another size of
batch is faster, that is a row as well. Our runs and the peer's alternate, and the medians are compared.
Tokens are counted once, by our tokenizer, without padding. No text is longer than the model's window, so
nobody leaves a part out. The cosine of a peer's embeddings with ours shows that it is the same work; that of
`q8`, weights of 8 bits as we have them, is only told, and we are to be faster rather than faster by half.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import time
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
OURS = (sys.executable, "-P", str(HERE / "peer.py"), "pai-daemon")
VAULTS = ("vault-tasks-docs-en", "vault-universus-de", "vault-zettelkasten-en")
TEXTS, QUICK_TEXTS = 400, 40
# At most this many rounds begin, and none after so long: a slow peer needs fewer to be told from us.
ROUNDS, QUICK_ROUNDS, ENOUGH_S = 9, 3, 45.0
# Pieces of notes have this many characters: about 150 tokens in the mean.
CHARACTERS = (20, 1_200)
# Sizes of a batch are tried on this many texts; a size must be this much faster than the peer's own.
TRIED_TEXTS = 100
FASTER = 0.95
# Instructions that multiply int8; without them the gain is smaller.
INT8_FLAGS = ("avx512_vnni", "avx_vnni", "asimddp")
GAIN, INT8_GAIN = 1.0, 1.5
SAME = 0.98
WIDTH = 384
LIMITS = {"OMP_NUM_THREADS": "2", "HF_HUB_OFFLINE": "1"}


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
# The fastest of them on the same weights, and quick to load.
QUICK_PEERS = PEERS[2:3]


@dataclass(frozen=True, slots=True)
class Work:
    """What everybody embeds: a JSON list for us, and one with the prefix, which we put there ourselves.

    tokens: of all texts, with their marks and prefix.
    """

    model: str
    texts: Path
    prefixed: Path
    source: str
    count: int
    tokens: int


class Worker:
    """A tool's process. version: of the tool."""

    def __init__(self, command: Sequence[str], model: str, texts: Path, output: Path) -> None:
        """Start it and wait until the model is loaded. Raises PeerMissing when it does not load."""
        self._output = output
        self._log = output.with_suffix(".log")
        # Ours is found in this checkout; another tool's environment must find nothing of ours.
        environ = os.environ | {"PYTHONPATH": str(ROOT) if command[0] == sys.executable else ""} | LIMITS
        with self._log.open("w", encoding="utf-8") as log:
            self._process = subprocess.Popen(
                [*command, model, str(texts), str(output)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                encoding="utf-8",
                env=environ,
            )
        self.version: str = self._answer()["version"]

    def seconds(self, batch: int | None = None, count: int | None = None) -> float:
        """Return how long one run took; over all texts it also writes the output. Raises PeerMissing."""
        assert self._process.stdin is not None
        print(json.dumps({"batch": batch, "count": count}), file=self._process.stdin, flush=True)
        return float(self._answer()["seconds"])

    def embeddings(self) -> Floats:
        """Return the embeddings of the last run over all texts, scaled to length 1."""
        embeddings: Floats = np.fromfile(self._output, np.float32).reshape(-1, WIDTH)
        embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True)
        return embeddings

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.communicate()

    def _answer(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if line:
            return json.loads(line)
        self.close()
        said = self._log.read_text("utf-8", "replace").strip() or "it ended"
        raise PeerMissing(f"does not run: {said.splitlines()[-1][:200]}")


def rows(scratch: Path, *, quick: bool, model: str) -> list[Row]:
    """Return our speed against each peer's, and the cosine of its embeddings with ours.

    scratch: for 1.1 GB of files. quick: against the fastest peer only, where it is installed already. A peer
    that cannot be installed or does not run gives a row that says why.
    """
    name = profile(model).name
    if name not in WRITERS:
        return [Row(f"{name}: against other tools", None, "", "no plain weights of it are at hand")]
    scratch = scratch / "peers"
    folder = scratch / name
    folder.mkdir(parents=True)
    write_peer_model(name, folder, quantised=not quick)
    work = written_work(name, scratch, quick=quick)
    mean = work.tokens / work.count
    found = [Row(f"{name}: {work.count} pieces of {work.source}", mean, "tokens a text")]
    with opened_worker(OURS, name, work.texts, "ours") as ours:
        ours.seconds()
        for peer in QUICK_PEERS if quick else PEERS:
            label = f"{peer.name}-{peer.weights}"
            try:
                command = _command(peer, install=not quick)
                with opened_worker(command, str(folder), work.prefixed, label) as theirs:
                    found += compare(ours, theirs, peer, work, quick=quick)
            except PeerMissing as missing:
                what = f"{name}: tokens/s against {peer.name}, {peer.weights}"
                found.append(Row(what, None, "tokens/s", f"{peer.name} {missing}"))
    return found


def written_work(name: str, scratch: Path, *, quick: bool) -> Work:
    """Write the texts: pieces of real notes that fit into the model's window, in no order of length."""
    known = profile(name)
    tokenizer = WindowTokenizer(prepare(known, load().cache_dir).tokenizer, known.max_tokens)
    count = QUICK_TEXTS if quick else TEXTS
    vaults = [vault for each in (VAULTS[:2] if quick else VAULTS) if (vault := unpack(each, scratch))]
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
    plain, prefixed = scratch / "texts.json", scratch / "prefixed.json"
    plain.write_text(json.dumps(texts), "utf-8")
    prefixed.write_text(json.dumps([known.passage_prefix + text for text in texts]), "utf-8")
    source = ", ".join(vault.name for vault in vaults) or SAMPLE_VAULT.name
    return Work(name, plain, prefixed, source, count, tokens)


@contextmanager
def opened_worker(command: Sequence[str], model: str, texts: Path, name: str) -> Iterator[Worker]:
    """Give a loaded tool and end it afterwards. name: of the files that it writes."""
    worker = Worker(command, model, texts, texts.with_name(f"{name}.f32"))
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


def compare(ours: Worker, theirs: Worker, peer: Peer, work: Work, *, quick: bool) -> Iterator[Row]:
    """Yield rows for a peer's own size of batch and for a faster one, and the cosine with ours."""
    theirs.seconds(count=TRIED_TEXTS)
    sizes = [None] if quick else [None, *_faster_size(theirs, peer)]
    flag = _int8_flag()
    least = INT8_GAIN if flag and peer.weights == "fp32" else GAIN
    for size in sizes:
        our_s, their_s = _alternate(ours, theirs, size, quick=quick)
        batch = f"batches of {size or peer.own_batch}" + (", its own size" if size is None else ", its best")
        our_rate, their_rate = work.tokens / our_s, work.tokens / their_s
        yield Row(
            f"{work.model}: tokens/s" + (f" with {flag}" if flag else ""),
            our_rate,
            "tokens/s",
            f"{peer.name} {theirs.version}, {peer.weights}, {batch}",
            their_rate,
            f">= {least} of it",
            our_rate >= least * their_rate,
        )
    cosine = float((ours.embeddings() * theirs.embeddings()).sum(axis=1).mean())
    what = f"{work.model}: cosine of {peer.name}'s embeddings, {peer.weights}, with ours, mean"
    same = peer.weights == "fp32"
    yield Row(what, cosine, "", target=f">= {SAME}" if same else "", holds=cosine >= SAME if same else None)


def _faster_size(theirs: Worker, peer: Peer) -> list[int]:
    """Return the size of batch that is clearly faster than the peer's own, if there is one."""
    tried = {
        size: min(theirs.seconds(size, TRIED_TEXTS), theirs.seconds(size, TRIED_TEXTS))
        for size in (peer.own_batch, *peer.batches)
    }
    best = min(tried, key=lambda size: tried[size])
    return [best] if tried[best] < FASTER * tried[peer.own_batch] else []


def _alternate(ours: Worker, theirs: Worker, size: int | None, *, quick: bool) -> tuple[float, float]:
    """Return the median seconds of our runs and of the peer's, which took turns."""
    pairs: list[tuple[float, float]] = []
    ends_s = time.perf_counter() + ENOUGH_S
    while not pairs or (len(pairs) < (QUICK_ROUNDS if quick else ROUNDS) and time.perf_counter() < ends_s):
        pairs.append((ours.seconds(), theirs.seconds(size)))
    our_s, their_s = zip(*pairs, strict=True)
    return statistics.median(our_s), statistics.median(their_s)


def _int8_flag() -> str:
    """Return the CPU's instruction that multiplies int8, "" where none is known."""
    try:
        words = set(Path("/proc/cpuinfo").read_text("ascii", "replace").split())
    except OSError:
        return ""
    return next((flag for flag in INT8_FLAGS if flag in words), "")
