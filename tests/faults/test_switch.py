"""A change of model under a real daemon: meaning goes on answering, and no kill costs an embedding (D39)."""

from __future__ import annotations

import json
import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from pai_daemon.context.store.store import Store
from pai_daemon.context.vectors import Floats
from pai_daemon.models.prepare import prepare
from pai_daemon.models.registry import profile
from tests.conftest import StartDaemon
from tests.daemon_process import DaemonProcess, Folders, eventually

NOTES = 300
SMALL, E5 = profile("small"), profile("e5")
SUBJECTS = ("heron", "barge", "lantern", "orchard", "sourdough", "compass", "chimney", "violin")
PLACES = ("in the harbour", "behind the mill", "on the old bridge", "at the market", "under the roof")
QUESTIONS = ("a bird near the water", "bread that rises overnight", "an instrument with strings")


@pytest.fixture(scope="module", autouse=True)
def both_prepared(prepared_cache: Path) -> None:
    """Prepare the second model; with the first one it is in the cache for all tests."""
    prepare(E5, prepared_cache)


@pytest.fixture
def notes(vault: Path) -> Path:
    """Return a vault of 300 notes of three chunks, no two alike."""
    chance = random.Random(11)
    for number in range(NOTES):
        sections = [
            f"# Day {day}\n\nThe {chance.choice(SUBJECTS)} {number} was seen {chance.choice(PLACES)}.\n"
            for day in range(3)
        ]
        (vault / f"Note {number}.md").write_text("\n".join(sections), "utf-8")
    return vault


def by_meaning(daemon: DaemonProcess) -> list[Any]:
    """Return what is found by meaning, with cosines, for each question."""
    found = [daemon.client.search(question, mode="semantic", limit=5) for question in QUESTIONS]
    return [[(hit["path"], hit["scores"]["semantic"]) for hit in each["results"]] for each in found]


def embeddings(folders: Folders, vault: Path, model: str) -> tuple[dict[str, Floats], Counter[str]]:
    """Return the embeddings that an index holds of a model, and how often each is stored."""
    table = Store(folders.settings.index_dir(vault)).vectors(profile(model).fingerprint)
    batches = list(table.batches())
    counts = Counter(key for keys, _ in batches for key in keys)
    return {key: row for keys, rows in batches for key, row in zip(keys, rows, strict=True)}, counts


def is_switching(status: dict[str, Any], done: int = 0) -> bool:
    """Return whether the next model embeds, and has embedded more than so much."""
    now, following = status["progress"], status["model"]["next"]
    return bool(following and following["done"] > done and now and now["phase"] == "switching")


def test_killed_while_it_switches_it_goes_on_and_ends_as_if_made_anew(
    start_daemon: StartDaemon, notes: Path, folders: Folders, tmp_path: Path
) -> None:
    """Until the end the old model answers as before a kill, and no text is embedded twice."""
    first = start_daemon()
    before = first.ready()
    expected = by_meaning(first)
    assert first.terminate() == 0
    stored: set[str] = set()
    for _ in range(2):
        daemon = start_daemon(PAI_MODEL="e5")
        done = len(stored)
        status = daemon.until(lambda now: is_switching(now, done), "a part of the switch", 30)  # noqa: B023
        assert by_meaning(daemon) == expected
        daemon.kill()
        assert (status["model"]["name"], status["model"]["next"]["name"]) == (SMALL.name, E5.name)
        assert status["model"]["next"]["total"] == status["progress"]["total"] == before["chunks"]
        assert status["pending_chunks"] == 0
        assert f"Switching to {E5.name}: " in daemon.log
        assert "Traceback" not in daemon.log
        vectors, counts = embeddings(folders, notes, "e5")
        assert set(counts.values()) == {1}
        assert stored < set(vectors)
        stored = set(vectors)
        assert len(stored) < before["chunks"]
    last = start_daemon(PAI_MODEL="e5")
    assert last.status()["model"]["name"] == SMALL.name
    status = last.until(lambda now: now["model"]["name"] == E5.name, "the switch", 40)
    assert status["model"]["next"] is None
    status = last.ready()
    assert status["work"]["chunks_embedded"] == before["chunks"] - len(stored)
    found = by_meaning(last)
    assert found != expected
    assert last.terminate() == 0
    tables = {path.name for path in (folders.settings.index_dir(notes) / "tables").iterdir()}
    assert tables == {"chunks.lance", f"vectors-{E5.fingerprint}.lance"}
    vectors, counts = embeddings(folders, notes, "e5")
    assert set(counts.values()) == {1}

    quiet = Folders(tmp_path / "quiet", folders.cache)
    anew = start_daemon(kept_in=quiet, PAI_MODEL="e5")
    anew.ready(60)
    assert by_meaning(anew) == [
        [(path, pytest.approx(score, abs=1e-4)) for path, score in each] for each in found
    ]
    anew.terminate()
    made_anew, _ = embeddings(quiet, notes, "e5")
    assert set(vectors) == set(made_anew)
    assert min(float(vectors[key] @ made_anew[key]) for key in vectors) > 1 - 1e-4


def test_model_chosen_on_the_command_line_takes_over_in_a_running_daemon(
    start_daemon: StartDaemon, notes: Path, folders: Folders
) -> None:
    """`pai models use` writes the setting and tells the daemon; a save meanwhile is found at once."""
    daemon = start_daemon()
    daemon.ready()
    expected = by_meaning(daemon)
    ended = folders.pai("models", "use", "e5", environ={"PAI_MODEL": ""})
    assert ended.returncode == 0, ended.stderr
    assert (folders.settings.config_dir / "config.toml").read_text("utf-8") == 'model = "e5"\n'
    daemon.until(is_switching, "a part of the switch", 30)
    assert by_meaning(daemon) == expected
    (notes / "Saved.md").write_text("A cellist tunes her instrument before the concert.\n", "utf-8")

    def is_near() -> bool:
        hits = daemon.client.search("a musician prepares", mode="semantic", limit=3)["results"]
        return "Saved.md" in [hit["path"] for hit in hits]

    eventually(is_near, "the save is found by meaning")
    assert daemon.status()["model"]["name"] == SMALL.name
    daemon.until(lambda now: now["model"]["name"] == E5.name, "the switch", 40)
    assert is_near()
    status = daemon.ready()
    assert status["work"]["notes_read"] == NOTES + 1
    assert daemon.terminate() == 0
    again = start_daemon(PAI_MODEL="").ready()
    assert (again["model"]["name"], again["work"]["chunks_embedded"]) == (E5.name, 0)


def test_model_that_is_not_here_is_refused_at_once(start_daemon: StartDaemon, vault: Path) -> None:
    """A model of the hub that was not pulled is no choice; the answer names the command that gets it."""
    (vault / "Note.md").write_text("The kingfisher waits above the water.\n", "utf-8")
    daemon = start_daemon()
    daemon.ready()
    reply = daemon.request("POST", "/api/model", body={"model": "bge-small"})
    assert (reply.status, reply.json["hint"]) == (503, "Run: pai models pull bge-small-en-v1.5")
    assert daemon.status()["model"]["next"] is None


def test_model_that_cannot_be_loaded_leaves_the_one_that_answers(
    start_daemon: StartDaemon, vault: Path, tmp_path: Path
) -> None:
    """The status says why the chosen model does not come; words and meaning are found as before."""
    (vault / "Note.md").write_text("The kingfisher waits above the water.\n", "utf-8")
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "tokenizer.json").write_text("{}", "utf-8")
    (broken / "config.json").write_text('{"hidden_size": 384}', "utf-8")
    (broken / "model.onnx").write_bytes(b"no graph")
    daemon = start_daemon()
    daemon.ready()
    reply = daemon.request("POST", "/api/model", body={"model": f"file:{broken}"})
    assert (reply.status, reply.json["accepted"]) == (202, True)
    status = daemon.until(lambda now: now["message"], "the reason")
    assert status["state"] == "ready"
    assert f"{SMALL.name} still answers" in status["message"]
    assert status["model"]["name"] == SMALL.name
    assert status["model"]["next"]["name"] == "broken"
    found = daemon.client.search("a bird", mode="semantic")
    assert [hit["path"] for hit in found["results"]] == ["Note.md"]
    assert daemon.request("POST", "/api/model", body={"model": "small"}).status == 202
    status = daemon.until(lambda now: not now["message"], "the message to go")
    assert status["model"]["next"] is None


def test_model_chosen_while_the_daemon_starts_takes_over(start_daemon: StartDaemon, vault: Path) -> None:
    """A choice that comes before the index is open counts as soon as it is, and the index opens."""
    for number in range(3):
        (vault / f"Note {number}.md").write_text(f"The kingfisher{number} waits above the water.\n", "utf-8")
    daemon = start_daemon()
    assert daemon.request("POST", "/api/model", body={"model": "e5"}).status == 202
    daemon.until(lambda now: now["model"]["execution_provider"] and now["notes"] == 3, "an open index", 20)
    daemon.until(lambda now: now["model"]["name"] == E5.name, "the switch", 20)
    assert daemon.ready()["message"] is None
    assert all(by_meaning(daemon))


def test_old_model_that_is_not_known_any_more_leaves_words_until_the_new_one_is_there(
    start_daemon: StartDaemon, vault: Path, folders: Folders
) -> None:
    """An index of a model that no list names is searched by words, then by the chosen model."""
    for number in range(3):
        (vault / f"Note {number}.md").write_text(f"The kingfisher{number} waits above the water.\n", "utf-8")
    first = start_daemon()
    first.ready()
    assert first.terminate() == 0
    folder = folders.settings.index_dir(vault)
    record = json.loads((folder / "model.json").read_text("utf-8"))
    assert record["live"]["fingerprint"] == SMALL.fingerprint
    record["live"] |= dict.fromkeys(("name", "spec"), "one that is gone")
    record["live"]["fingerprint"] = "0123456789abcdef"
    (folder / "model.json").write_text(json.dumps(record), "utf-8")
    tables = folder / "tables"
    (tables / f"vectors-{SMALL.fingerprint}.lance").rename(tables / "vectors-0123456789abcdef.lance")
    again = start_daemon()
    status = again.until(lambda now: now["model"]["name"] == SMALL.name, "the switch")
    status = again.ready()
    assert (status["message"], status["work"]["chunks_embedded"]) == (None, 3)
    assert all(by_meaning(again))
    assert [path.name for path in tables.glob("vectors-*")] == [f"vectors-{SMALL.fingerprint}.lance"]
