"""The README's recipe for Open WebUI, gone through with the real program in headless Chromium.

Open WebUI is installed once, with the peers (4.7 GB), and runs offline on loopback with a folder of its own.
The daemon serves the sample vault; a stand-in for Ollama writes its answers, so that they come in pieces, and
records what it is asked: what Open WebUI asks for itself must come to it without a passage of the notes.
PAI_E2E_SHOTS: where screenshots go.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil

from pai_daemon.config import load
from pai_daemon.serve.openai.conversation import ASIDE
from tests.bench.data import SAMPLE_VAULT
from tests.bench.memory import MIB, peak_bytes
from tests.bench.peer_install import PeerMissing, installed, peers_folder
from tests.bench.report import ROOT, Row
from tests.contract.embedding_fakes import running
from tests.contract.fakes import Behaviour, ollama_app
from tests.daemon_process import DaemonProcess, Folders, eventually

README = (ROOT / "README.md").read_text("utf-8")
START_S, BROWSER_S, LIMIT_S = 300.0, 300.0, 600.0
# The model must be there, and a question answered, while the person still looks.
MOST_LISTED_S, MOST_FIRST_S = 10.0, 3.0
QUESTION, FOLLOW_UP = "When is the engine of the boat serviced?", "And how much oil does it take?"
SOURCE, PASSAGE = "Narrowboat > Engine", "three-cylinder Beta Marine 38"
WORDS = (
    *("It is ", "serviced ", "every 250 ", "running hours ", "or once ", "a year [1]. "),
    *("The next ", "service is ", "due in ", "October 2026 [1]. "),
    *("The last ", "engine service ", "cost ", "330 euros [3]."),
)
PACE_S = 0.2
# What Open WebUI asks for itself after the first answer, by the key of the JSON that it wants.
ASIDES = ("title", "tags", "follow_ups")


@dataclass(frozen=True, slots=True)
class Recipe:
    """What the README says to click, from the person's own menu on, and to fill in."""

    steps: tuple[str, ...]
    url: str
    model: str
    header: str


def recipe() -> Recipe:
    """Return the recipe as it stands in the README."""
    (said,) = re.findall(r"^\*\*Open WebUI\*\*.*?(?=\n\n)", README, re.MULTILINE | re.DOTALL)
    text = " ".join(said.split())
    steps = re.findall(r"\*([^*]+ → [^*]+)\*", text)[0].split(" → ")
    url, header = (re.findall(form, text)[0] for form in (r"`(http[^`]+)`", r"`(\{[^`]+\})`"))
    return Recipe(tuple(steps), url, re.findall(r"model `(\w+)`", text)[0], header)


def run(scratch: Path, *, quick: bool, model: str) -> list[Row]:
    """Return what a person meets who follows the recipe. Raises RuntimeError where it does not lead there.

    quick: Open WebUI takes longer than that to start, so nothing is done.
    """
    if quick:
        return [Row("Open WebUI takes a minute to start", None, "", "a run without --quick goes through it")]
    try:
        program = installed("open-webui", peers_folder(), install=True) / "bin" / "open-webui"
    except PeerMissing as error:
        return [Row("Open WebUI", None, "", str(error))]
    vault = scratch / "My Vault"
    shutil.copytree(SAMPLE_VAULT, vault)
    how = Behaviour(words=WORDS, pace_s=PACE_S)
    folders = Folders(scratch / "home", load().cache_dir)
    with running(ollama_app(how)) as writer:
        arguments = ("--generator", f"ollama:llama3.2@{writer}")
        with DaemonProcess(vault, folders, arguments=arguments, environ={"PAI_MODEL": model}) as daemon:
            daemon.ready(LIMIT_S)
            token = folders.pai("token", "create", "chat", "--scope", "ask,search").stdout.split()[0]
            with _open_webui(program, scratch / "open-webui") as (origin, process, start_s):
                found = _gone_through(origin, daemon.port, token)
                asked = eventually(lambda: _asked(how), "what Open WebUI asks for itself", 30.0)
                peaks = [(peak_bytes(psutil.Process(pid)) or 0) / MIB for pid in (process.pid, daemon.pid)]
    return _rows(found, asked, start_s, peaks)


@contextmanager
def _open_webui(program: Path, home: Path) -> Iterator[tuple[str, subprocess.Popen[bytes], float]]:
    """Run Open WebUI, and yield its address, its process, and the seconds until it served."""
    home.mkdir()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    log = home / "log.txt"
    started_s = time.perf_counter()
    with log.open("wb") as output:
        process = subprocess.Popen(
            [str(program), "serve", "--host", "127.0.0.1", "--port", str(port)],
            cwd=home,
            env=_environ(home),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        eventually(lambda: _serves(process, port, log), "Open WebUI serves", START_S)
        yield f"http://127.0.0.1:{port}", process, time.perf_counter() - started_s
    finally:
        # Asked to stop, it was still there a minute later.
        process.send_signal(signal.SIGKILL)
        process.wait()


def _environ(home: Path) -> Mapping[str, str]:
    """Return settings by which it keeps to its folder, and asks nothing of any other address."""
    return {
        "PATH": os.environ.get("PATH", ""),
        "HOME": str(home),
        "DATA_DIR": str(home / "data"),
        "WEBUI_SECRET_KEY": "of a bench",
        "OFFLINE_MODE": "True",
        "ENABLE_OLLAMA_API": "False",
        # In place of OpenAI's own, which is set from the start; nothing listens there.
        "OPENAI_API_BASE_URL": "http://127.0.0.1:9/v1",
        # It would load a model of its own to embed with.
        "RAG_EMBEDDING_ENGINE": "openai",
        "BYPASS_EMBEDDING_AND_RETRIEVAL": "True",
        "ANONYMIZED_TELEMETRY": "False",
        "DO_NOT_TRACK": "true",
    }


def _serves(process: subprocess.Popen[bytes], port: int, log: Path) -> bool:
    if process.poll() is not None:
        raise RuntimeError(f"Open WebUI ended:\n{log.read_text('utf-8', 'replace')[-2000:]}")
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def _gone_through(origin: str, port: int, token: str) -> dict[str, Any]:
    """Follow the recipe in the browser and return what was seen."""
    node = shutil.which("node")
    if node is None:
        raise RuntimeError("Node.js is needed: scripts/test says where to get it")
    followed = recipe()
    told = {
        "origin": origin,
        "recipe": asdict(followed) | {"url": re.sub(r":\d+/", f":{port}/", followed.url)},
        "token": token,
        "question": QUESTION,
        "followUp": FOLLOW_UP,
        "source": SOURCE,
        "passage": PASSAGE,
        "shots": os.environ.get("PAI_E2E_SHOTS", ""),
    }
    done = subprocess.run(
        [node, str(Path(__file__).with_suffix(".mjs"))],
        env=os.environ | {"PAI_BENCH_TOLD": json.dumps(told)},
        capture_output=True,
        text=True,
        check=False,
        timeout=BROWSER_S,
    )
    if done.returncode != 0:
        raise RuntimeError(done.stderr)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def _asked(how: Behaviour) -> list[str] | None:
    """Return what the generator was asked, None before Open WebUI has asked all that it wants for itself."""
    asked = [json.dumps(body["messages"]) for path, body in how.requests if path == "/api/chat"]
    is_whole = all(sum(ASIDE in each and f'\\"{key}\\":' in each for each in asked) >= 2 for key in ASIDES)
    return asked if is_whole else None


def _rows(found: dict[str, Any], asked: list[str], start_s: float, peaks: list[float]) -> list[Row]:
    plain, cards, later = found["plain"], found["cards"], found["followUp"]
    asides = [each for each in asked if ASIDE in each]
    bare = sum(PASSAGE not in aside for aside in asides)
    questions = [each for each in asked if ASIDE not in each]
    from_notes = sum(PASSAGE in each for each in questions)
    with_both = sum(QUESTION in each and FOLLOW_UP in each for each in questions)
    with_text = sum(PASSAGE in text for text in found["card_texts"])
    return [
        Row("Open WebUI from its start until it serves", start_s, "s"),
        _most("the connection saved until the model is chosen", found["listed_s"], MOST_LISTED_S),
        _most("asked until the first text is shown", plain["first_s"], MOST_FIRST_S),
        _least("times that the text was seen to grow", plain["grew"], 3),
        Row("asked until a source is shown", plain["sources_s"], "s", "until the end", plain["whole_s"]),
        _least("sources that the chat keeps", len(set(found["stored"])), 2),
        _least("a second question in it: times that its text grew", later["grew"], 3),
        Row(
            "the same, asked until a source is shown",
            later["sources_s"],
            "s",
            "until the end",
            later["whole_s"],
        ),
        _least("the same, put to the generator with the first", with_both, 1),
        Row(
            "with the header, until a source is shown",
            cards["sources_s"],
            "s",
            "until the end",
            cards["whole_s"],
        ),
        _least("the same, kept sources with the passage", with_text, 1),
        _least("answers written from the passage", from_notes, 3),
        Row(
            "titles, tags and follow-ups, asked for without the notes",
            bare,
            "",
            "asked for",
            len(asides),
            target="all",
            holds=bare == len(asides),
        ),
        Row(
            "requests of the page to other machines",
            len(found["foreign"]),
            "",
            target="0",
            holds=not found["foreign"],
        ),
        Row("peak memory of Open WebUI", peaks[0], "MiB"),
        Row("peak memory of the daemon", peaks[1], "MiB"),
    ]


def _most(what: str, value: float, most: float) -> Row:
    return Row(what, value, "s", target=f"≤ {most:g}", holds=value <= most)


def _least(what: str, value: int, least: int) -> Row:
    return Row(what, value, "", target=f"≥ {least}", holds=value >= least)
