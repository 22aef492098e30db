"""A kill at any instant leaves an index that opens, and a restart that ends complete (D5)."""

from __future__ import annotations

import hashlib
import random
import threading
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from pai_daemon.context.store.rows import chunk_id
from pai_daemon.context.store.store import Store
from pai_daemon.context.store.upkeep import TIDY_COMMITS
from pai_daemon.errors import DaemonUnreachable, NotFound, VaultUnavailable
from pai_daemon.models.registry import profile
from tests.conftest import StartDaemon
from tests.daemon_process import DaemonProcess, Folders, eventually

KILLS = 20
FOLDER_NOTES = 24
WORDS = ("river", "stone", "lantern", "harvest", "winter", "copper", "orchard", "bridge", "signal", "meadow")


def write_note(path: Path, chance: random.Random) -> None:
    """Write a note of several chunks; no other has the same text."""
    sections = [
        f"## Part {part}\n\n" + " ".join(chance.choices(WORDS, k=40)) + f" {chance.getrandbits(64):x}."
        for part in range(2)
    ]
    path.write_text(f"# {path.stem}\n\n" + "\n\n".join(sections), "utf-8")


def write_folder(vault: Path, name: str, chance: random.Random) -> list[Path]:
    """Write a new folder of notes and return them; they are too many to be embedded before a commit."""
    (vault / name).mkdir()
    notes = [vault / name / f"Note {number} of {name}.md" for number in range(FOLDER_NOTES)]
    for note in notes:
        write_note(note, chance)
    return notes


@dataclass(frozen=True, slots=True)
class Stored:
    """What an index holds on disk; no daemon may hold it. vectors: how often a key's embedding is stored."""

    revision: int
    hashes: dict[str, str]
    chunks: dict[str, dict[str, Any]]
    vectors: Counter[str]

    @property
    def missing(self) -> set[str]:
        """Return the keys of the texts that are not embedded."""
        return {chunk["vector_key"] for chunk in self.chunks.values()} - set(self.vectors)


def contents(folders: Folders, vault: Path) -> Stored:
    """Return what an index holds: each chunk that the notes name is there, and no other."""
    store = Store(folders.settings.index_dir(vault))
    notes = store.chunks.notes()
    ids = [chunk_id(note.path, ordinal) for note in notes for ordinal in range(len(note.vector_keys))]
    assert len(ids) == len(set(ids))
    chunks = {key: asdict(chunk) for key, chunk in store.chunks.get(ids).items()}
    assert set(chunks) == set(ids)
    hashes = {note.path: note.content_hash for note in notes}
    stored = store.vectors(profile("small").fingerprint).batches()
    return Stored(store.revision, hashes, chunks, Counter(key for batch, _ in stored for key in batch))


@dataclass(slots=True)
class Said:
    """What a daemon said before it was killed: its last status, and the bytes of the notes it has indexed."""

    revision: int = 0
    notes: int = 0
    hashes: dict[str, str] = field(default_factory=dict)


def indexed_hash(daemon: DaemonProcess, path: str) -> str | None:
    """Return the content hash of a note, None as long as the index does not hold what is on disk."""
    with suppress(NotFound, VaultUnavailable):
        note = daemon.note(path)
        return str(note["content_hash"]) if note["indexed"] else None
    return None


def save(daemon: DaemonProcess, notes: Sequence[Path], said: Said) -> int:
    """Have saved notes indexed, keep what the daemon says of them, and return how much it has committed."""
    paths = [note.relative_to(daemon.vault).as_posix() for note in notes]
    daemon.until(lambda now: now["state"] != "starting", "the index is open")
    daemon.client.index(paths=paths)
    for path in paths:
        said.hashes[path] = eventually(partial(indexed_hash, daemon, path), f"{path} is indexed")
    status = daemon.status()
    said.revision, said.notes = status["revision"], status["notes"]
    return int(status["work"]["commits"])


def live_until_killed(
    daemon: DaemonProcess, chance: random.Random, activity: str, folder: str, said: Said
) -> None:
    """Let notes arrive and change until the daemon is killed, at a random instant.

    activity: "index" brings a folder of notes first, "edit" changes notes one by one, "upkeep" does so
    until upkeep is about to begin, and only then is the instant drawn.
    """
    killer = threading.Timer(chance.uniform(0.0, 0.2 if activity == "upkeep" else 0.6), daemon.kill)
    if activity != "upkeep":
        killer.start()
    try:
        with suppress(DaemonUnreachable):
            if activity == "index":
                save(daemon, write_folder(daemon.vault, folder, chance), said)
            while True:
                note = chance.choice(sorted(daemon.vault.rglob("*.md")))
                said.hashes.pop(note.relative_to(daemon.vault).as_posix(), None)
                write_note(note, chance)
                commits = save(daemon, [note], said)
                if commits >= TIDY_COMMITS - 2 and not killer.ident:
                    killer.start()
    finally:
        killer.cancel()
        if killer.ident:
            killer.join()


def test_kill_at_random_instants_loses_nothing_and_ends_as_if_there_had_been_none(
    start_daemon: StartDaemon, vault: Path, folders: Folders, tmp_path: Path
) -> None:
    """Killed while it indexes, edits and tidies, it opens, keeps what it said and embeds nothing twice."""
    seed = time.time_ns()
    chance = random.Random(seed)
    write_folder(vault, "First", chance)
    said, before = Said(), Counter[str]()
    for kill in range(KILLS):
        activity = ("index", "edit", "index", "edit", "upkeep")[kill % 5]
        moment = f"seed {seed}, kill {kill} during {activity}"
        daemon = start_daemon()
        live_until_killed(daemon, chance, activity, f"Folder {kill}", said)
        assert "Traceback" not in daemon.log, (moment, daemon.log)
        stored = contents(folders, vault)
        assert len(stored.hashes) >= said.notes, moment
        assert stored.revision >= said.revision, moment
        assert said.hashes.items() <= stored.hashes.items(), moment
        again = [key for key, count in before.items() if stored.vectors[key] > count]
        assert not again, f"{moment}: embedded although it was stored before the start"
        before = stored.vectors

    notes = sorted(vault.rglob("*.md"))
    changed = [
        note
        for note in notes
        if hashlib.sha256(note.read_bytes()).hexdigest()
        != stored.hashes.get(note.relative_to(vault).as_posix())
    ]
    last = start_daemon()
    status = last.ready(60)
    assert status["notes"] == len(notes), seed
    assert status["work"]["notes_read"] == len(changed), seed
    assert last.terminate() == 0
    found = contents(folders, vault)
    assert status["work"]["chunks_embedded"] == len(set(found.vectors) - set(stored.vectors)), seed

    quiet = Folders(tmp_path / "quiet", folders.cache)
    undisturbed = start_daemon(kept_in=quiet)
    undisturbed.ready(60)
    undisturbed.terminate()
    expected = contents(quiet, vault)
    assert found.chunks == expected.chunks, seed
    assert not found.missing, seed


def test_kill_of_a_finished_daemon_costs_nothing_at_the_next_start(
    start_daemon: StartDaemon, vault: Path
) -> None:
    """A restart of a finished index embeds nothing and reads no note."""
    write_folder(vault, "First", random.Random(7))
    first = start_daemon()
    before = first.ready()
    first.kill()
    status = start_daemon().ready()
    assert status["chunks"] == before["chunks"]
    assert (status["work"]["notes_read"], status["work"]["chunks_embedded"]) == (0, 0)


def test_restart_reads_no_odd_note_again(start_daemon: StartDaemon, vault: Path) -> None:
    """Notes without text, without UTF-8 or only with properties are remembered like any other."""
    (vault / "Empty.md").touch()
    (vault / "Blank.md").write_text("\n \n", "utf-8")
    (vault / "Binary.md").write_bytes(bytes(range(256)) * 8)
    (vault / "Head.md").write_text("---\ntags: [a]\n---\n", "utf-8")
    daemon = start_daemon()
    assert daemon.ready()["notes"] == 4
    (vault / "Head.md").rename(vault / "Renamed.md")
    daemon.until(
        lambda now: (
            "Renamed.md" in str(daemon.client.get("/api/index", {"explain": "Renamed.md"}))
            and daemon.client.get("/api/index", {"explain": "Renamed.md"})["indexed"]
        ),
        "the rename is seen",
    )
    assert daemon.terminate() == 0
    status = start_daemon().ready()
    assert status["work"] == {"notes_read": 0, "chunks_embedded": 0, "commits": 0}


def test_edits_while_the_daemon_was_down_are_caught_up(start_daemon: StartDaemon, vault: Path) -> None:
    """A start reads what changed and nothing else."""
    for name in ("Kept", "Edited", "Moved", "Removed"):
        (vault / f"{name}.md").write_text(f"the {name} starling", "utf-8")
    daemon = start_daemon()
    daemon.ready()
    daemon.kill()
    (vault / "Edited.md").write_text("the edited wren", "utf-8")
    (vault / "Moved.md").rename(vault / "Arrived.md")
    (vault / "Removed.md").unlink()
    again = start_daemon()
    status = again.ready()
    assert (status["notes"], status["work"]["chunks_embedded"]) == (3, 1)
    again.finds("the edited wren", "Edited.md")
    again.finds("the Moved starling", "Arrived.md")
    again.loses("the Removed starling")
    assert status["work"]["notes_read"] == 2
