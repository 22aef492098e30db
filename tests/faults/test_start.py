"""A start that cannot succeed says why in a few words, with the exit code of its error."""

from __future__ import annotations

import json
import os
import shutil
import socket
import sys
import tempfile
from pathlib import Path

import pytest

from pai_daemon.config import load
from pai_daemon.context.store.store import Store
from pai_daemon.errors import UsageError, VaultUnavailable
from pai_daemon.models.generation.generators import Options, generator_of
from pai_daemon.vault.folder import check_vault
from pai_daemon.vault.holding import hold
from tests.conftest import StartDaemon
from tests.daemon_process import DaemonProcess, Folders
from tests.faults.conftest import Ended, Pai

NOBODY = 65534


def assert_refused(ended: Ended, exit_code: object, *words: str) -> None:
    """Check the exit code, and that nothing was said but a short message that holds these words."""
    assert ended.exit_code == exit_code, ended
    assert ended.stdout == ""
    assert ended.stderr.startswith("Error: ")
    assert "Traceback" not in ended.stderr
    assert len(ended.stderr.splitlines()) <= 3, ended.stderr
    for word in words:
        assert word in ended.stderr, ended.stderr


def test_start_missing_vault_is_refused(pai: Pai, tmp_path: Path) -> None:
    """A vault that does not exist ends with 66 and its path."""
    assert_refused(pai("start", str(tmp_path / "gone")), 66, str(tmp_path / "gone"))


def test_start_file_instead_of_vault_is_refused(pai: Pai, vault: Path) -> None:
    """A note in place of its folder ends with 66 and says that it is a file."""
    note = vault / "Note.md"
    note.write_text("text", "utf-8")
    assert_refused(pai("start", str(note)), 66, str(note), "is a file")


def test_start_unreadable_vault_is_refused(vault: Path) -> None:
    """A folder that this user may not list is refused; run as another user, since root may all."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o000)
    try:
        assert _refusal_for_another_user(folder) == "may not be read"
    finally:
        shutil.rmtree(folder)


def _refusal_for_another_user(folder: Path) -> str:
    """Return what `check_vault` says to a user who is not root, in a child process."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            if os.geteuid() == 0:
                os.setuid(NOBODY)
            check_vault(folder)
        except VaultUnavailable as error:
            os.write(writer, error.detail.encode())
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        said = pipe.read()
    os.waitpid(child, 0)
    return "may not be read" if "may not be read" in said else said


def test_start_answers_health_before_the_store_is_imported(start_daemon: StartDaemon, tmp_path: Path) -> None:
    """The import of LanceDB takes a second or more; however long it takes, the port is open meanwhile."""
    go = tmp_path / "go"
    (tmp_path / "lancedb.py").write_text(SLOW_IMPORT.format(go=str(go)), "utf-8")
    daemon = start_daemon(PYTHONPATH=os.pathsep.join((str(tmp_path), *sys.path)))
    assert daemon.client.is_alive()
    assert daemon.status()["state"] == "starting"
    go.touch()
    assert daemon.ready()["chunks"] == 0


# In place of LanceDB: waits until it may be imported, and then hands over to it.
SLOW_IMPORT = """
import sys, time, pathlib
while not pathlib.Path({go!r}).exists():
    time.sleep(0.02)
sys.path.remove(str(pathlib.Path(__file__).parent))
del sys.modules["lancedb"]
import lancedb
"""


@pytest.mark.parametrize("arguments", ["search x", "ask x", "status", "index", "links x"])
def test_command_that_asks_the_daemon_imports_no_heavy_library(folders: Folders, arguments: str) -> None:
    """What only talks to a daemon starts at once: it loads neither store nor model nor an HTTP server."""
    folders.home.mkdir(parents=True)
    ended = folders.pai(*arguments.split(), environ={"PYTHONPROFILEIMPORTTIME": "1"})
    assert ended.returncode == 69, ended
    imported = {line.rpartition("|")[2].strip().partition(".")[0] for line in ended.stderr.splitlines()}
    assert "click" in imported
    assert not imported & {"lancedb", "pyarrow", "pandas", "onnxruntime", "numpy", "aiohttp"}


def test_start_empty_vault_serves_and_says_so(start_daemon: StartDaemon) -> None:
    """A new vault without a note is served; status and log say that there is nothing yet."""
    daemon = start_daemon()
    status = daemon.ready()
    assert (status["notes"], status["chunks"]) == (0, 0)
    assert daemon.client.search("anything")["results"] == []
    assert daemon.client.ask("Is anything here?")["found"] is False


def test_start_port_of_another_program_is_refused(pai: Pai, vault: Path) -> None:
    """A port that some program listens on ends with 69 and the port."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert_refused(pai("start", str(vault), "--port", port), 69, port, "another program", "--port")


def test_start_port_of_another_daemon_names_its_vault(
    start_daemon: StartDaemon, pai: Pai, tmp_path: Path
) -> None:
    """A port that another of our daemons holds ends with 69 and that daemon's vault."""
    first = start_daemon()
    second = tmp_path / "second"
    second.mkdir()
    ended = pai("start", str(second), "--port", str(first.port))
    assert_refused(ended, 69, str(first.port), str(first.vault))
    assert first.client.is_alive()


def test_start_port_of_a_dead_daemon_does_not_blame_it(
    start_daemon: StartDaemon, pai: Pai, tmp_path: Path
) -> None:
    """A killed daemon leaves its record behind; who has the port now is another program."""
    first = start_daemon()
    port = first.port
    first.kill()
    second = tmp_path / "second"
    second.mkdir()
    with socket.create_server(("127.0.0.1", port)):
        ended = pai("start", str(second), "--port", str(port))
    assert_refused(ended, 69, str(port), "another program")


def test_start_second_daemon_of_a_vault_says_who_holds_it(
    start_daemon: StartDaemon, folders: Folders, tmp_path: Path, pai: Pai
) -> None:
    """A second start ends with 75, process id and address, also through a link; the first lives on."""
    first = start_daemon()
    link = tmp_path / "link"
    link.symlink_to(first.vault)
    for path in (first.vault, link):
        assert_refused(pai("start", str(path)), 75, str(first.pid), first.client.url)
    assert first.client.is_alive()
    assert json.loads(folders.settings.record_path(first.vault).read_text("utf-8"))["pid"] == first.pid


def test_start_after_a_kill_needs_no_cleaning_up(start_daemon: StartDaemon) -> None:
    """What a killed daemon leaves behind, its lock and record, does not keep the next from starting."""
    first = start_daemon()
    first.kill()
    assert start_daemon().client.is_alive()


def test_start_unknown_model_lists_the_models(pai: Pai, vault: Path) -> None:
    """A model that we do not know ends with 64 and the names of those we do."""
    ended = pai("start", str(vault), "--model", "gpt-9")
    assert_refused(ended, 64, "gpt-9", "multilingual-e5-small", "all-MiniLM-L6-v2")


@pytest.mark.parametrize(
    "generator",
    [
        "ollama",
        "ollama:",
        "magic:x",
        "openai:x",
        "ollama:x@http://",
        "ollama:x@http://127.0.0.1:99999",
        "ollama:x@ftp://127.0.0.1",
        "ollama:x@file:///etc/passwd",
        "ollama:http://127.0.0.1",
        "extractive:x",
    ],
)
def test_malformed_generator_lists_the_forms(generator: str) -> None:
    """A generator that is not of a known form is refused, with the forms."""
    with pytest.raises(UsageError) as refused:
        generator_of(generator, Options(Path("nowhere")))
    assert generator in refused.value.detail
    assert "ollama:MODEL" in refused.value.hint


def test_start_malformed_generator_is_refused(pai: Pai, vault: Path) -> None:
    """The command ends with 64 and the forms of a generator."""
    assert_refused(pai("start", str(vault), "--generator", "magic:x"), 64, "magic:x", "ollama:MODEL")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"port = [", ("cannot be read",)),
        (b"\xff\xfe", ("cannot be read",)),
        (b"prot = 1", ("unknown setting", "prot", "port")),
        (b'port = "many"', ("port", "many")),
        (b"exclude = [1]", ("exclude",)),
        (b"port = 99999", ("port", "99999")),
        (b"port = -1", ("port", "-1")),
        (b"port = true", ("port",)),
        (b"threads = 0", ("threads",)),
        (b"note_limit_bytes = -1", ("note_limit_bytes",)),
        (b"rescan_s = 0", ("rescan_s",)),
        (b"rescan_s = nan", ("rescan_s",)),
    ],
)
def test_broken_settings_say_what_is_wrong(tmp_path: Path, content: bytes, words: tuple[str, ...]) -> None:
    """A settings file that is not TOML, or a setting that makes no sense, is refused by its name."""
    (tmp_path / "config.toml").write_bytes(content)
    with pytest.raises(UsageError) as refused:
        load(environ={"PAI_CONFIG_DIR": str(tmp_path)})
    for word in words:
        assert word in refused.value.detail + refused.value.hint


@pytest.mark.parametrize(
    ("name", "value"),
    [("PORT", "99999"), ("PORT", "-1"), ("THREADS", "0"), ("RESCAN_S", "0"), ("NOTE_LIMIT_BYTES", "-5")],
)
def test_environment_that_makes_no_sense_is_refused(tmp_path: Path, name: str, value: str) -> None:
    """A number out of its range in the environment is refused before anything is started."""
    with pytest.raises(UsageError, match=value):
        load(environ={"PAI_CONFIG_DIR": str(tmp_path), f"PAI_{name}": value})


@pytest.mark.parametrize("content", [b"port = [", b"prot = 1"])
def test_start_broken_settings_file_is_refused(
    pai: Pai, folders: Folders, vault: Path, content: bytes
) -> None:
    """The command ends with 64 and the path of the settings file."""
    folders.settings.config_dir.mkdir(parents=True)
    (folders.settings.config_dir / "config.toml").write_bytes(content)
    assert_refused(pai("start", str(vault)), 64, "config.toml")


@pytest.mark.parametrize("name", ["token", "daemons"])
def test_start_damaged_configuration_folder_says_so(
    folders: Folders, vault: Path, name: str, pai: Pai
) -> None:
    """A configuration folder that cannot be used is named in a short message, not in a traceback."""
    folders.settings.config_dir.mkdir(parents=True)
    broken = folders.settings.config_dir / name
    if name == "token":
        broken.mkdir()
    else:
        broken.write_text("a file", "utf-8")
    ended = pai("start", str(vault))
    assert ended.exit_code != 0
    assert_refused(ended, ended.exit_code, str(folders.settings.config_dir))


def test_start_damaged_token_says_so(folders: Folders, vault: Path, pai: Pai) -> None:
    """A token file of arbitrary bytes is named in a short message, not in a traceback."""
    folders.settings.config_dir.mkdir(parents=True)
    (folders.settings.config_dir / "token").write_bytes(b"\xff\xfe\x00")
    ended = pai("start", str(vault))
    assert ended.exit_code != 0
    assert_refused(ended, ended.exit_code, "token")


@pytest.mark.parametrize("record", ["[]", "{}", '{"url": 5}', "5", "{", '"x"'])
def test_damaged_record_of_a_daemon_is_passed_over(folders: Folders, record: str, pai: Pai) -> None:
    """A record that is not one of ours counts as no daemon: exit code 69 and how to start one."""
    (folders.settings.config_dir / "daemons").mkdir(parents=True)
    (folders.settings.config_dir / "daemons" / "x.json").write_text(record, "utf-8")
    (folders.settings.config_dir / "token").write_text("x", "utf-8")
    assert_refused(pai("status"), 69, "pai start")


def test_start_unwritable_data_folder_says_so(folders: Folders, vault: Path, pai: Pai) -> None:
    """A data folder that cannot be made ends with 74 and its path."""
    folders.home.mkdir(exist_ok=True)
    folders.settings.data_dir.write_text("a file", "utf-8")
    assert_refused(pai("start", str(vault)), 74, str(folders.settings.data_dir))


@pytest.mark.parametrize("name", ["😀" * 60, "é" * 120, "100% a#b?c", 'It\'s "quoted"', "we:ird\\name", " "])
def test_index_of_a_vault_of_any_name_opens(folders: Folders, tmp_path: Path, name: str) -> None:
    """A vault's name may be as long as a name can be and hold any character."""
    vault = tmp_path / name
    vault.mkdir()
    lock = hold(vault, folders.settings)
    store = Store(folders.settings.index_dir(vault))
    assert store.chunks.notes() == []
    lock.release()


def test_stop_by_signal_is_clean(start_daemon: StartDaemon) -> None:
    """SIGTERM ends the daemon with 0, and takes its record away."""
    daemon = start_daemon()
    daemon.ready()
    assert daemon.terminate() == 0
    assert not daemon.folders.settings.record_path(daemon.vault).exists()
    assert "Traceback" not in daemon.log


def test_stop_while_it_starts_is_clean(folders: Folders, vault: Path) -> None:
    """SIGTERM at any moment of the start ends the daemon with 0 and no traceback."""
    daemon = DaemonProcess(vault, folders)
    with daemon.start():
        assert daemon.terminate() == 0
    assert "Traceback" not in daemon.log


@pytest.mark.parametrize("arguments", [["start"], ["start", ".", "--nonsense"], ["nonsense"], ["search"]])
def test_command_that_is_no_command_ends_with_64(pai: Pai, arguments: list[str]) -> None:
    """An argument that is missing or unknown is a matter of usage: exit code 64, no traceback."""
    ended = pai(*arguments)
    assert ended.exit_code == 64
    assert "Traceback" not in ended.stderr
