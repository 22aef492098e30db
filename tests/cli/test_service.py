"""`pai service`: what is written is what systemd and launchd read, and nothing is left of what is removed."""

from __future__ import annotations

import json
import plistlib
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from pai_daemon.cli.service import command
from pai_daemon.cli.service_files import MARK, Service, by_hand, launchd, own_command, systemd
from pai_daemon.errors import NotFound, PaiError, UsageError

ODD = 'Notes "a" $HOME 100% \\back ünï'


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a home without any settings, where systemd and launchd write down their calls."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / ".config"))
    for name in ("CONFIG", "DATA", "CACHE"):
        monkeypatch.setenv(f"PAI_{name}_DIR", str(tmp_path / name.lower()))
    bins = tmp_path / "bin"
    bins.mkdir()
    for name in ("systemctl", "launchctl"):
        program = bins / name
        program.write_text(f'#!/bin/sh\necho "{name} $*" >> {tmp_path}/calls\n. {tmp_path}/then\n')
        program.chmod(0o755)
    (tmp_path / "then").write_text("exit 0\n")
    monkeypatch.setenv("PATH", f"{bins}:/usr/bin:/bin")
    return tmp_path


@pytest.fixture
def vault(tmp_path: Path) -> Path:
    """Return a vault with a name that every quoting has to bear."""
    folder = tmp_path / ODD
    folder.mkdir()
    (folder / "Note.md").write_text("# Note\n")
    return folder


def on(platform: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the command believe that it is on a platform."""
    monkeypatch.setattr(sys, "platform", platform)


def run(*arguments: str) -> str:
    """Run `pai service` and return what it says. Raises its errors."""
    return CliRunner().invoke(command, arguments, catch_exceptions=False, standalone_mode=False).output


def failure(*arguments: str) -> BaseException | None:
    """Run `pai service` and return what it raises."""
    return CliRunner().invoke(command, arguments, standalone_mode=False).exception


def calls(home: Path) -> list[str]:
    """Return what systemd or launchd was called with."""
    path = home / "calls"
    return path.read_text().splitlines() if path.exists() else []


def files(home: Path) -> set[Path]:
    """Return every file below the home that no test has written."""
    ours = {"calls", "then", "systemctl", "launchctl", "Note.md"}
    return {path for path in home.rglob("*") if path.is_file() and path.name not in ours}


def read_word(word: str) -> str:
    """Return what systemd makes of a quoted word, by systemd.syntax(7)."""
    assert (word[0], word[-1]) == ('"', '"')
    return word[1:-1].replace('\\"', '"').replace("\\\\", "\\").replace("%%", "%").replace("$$", "$")


def a_service(vault: Path) -> Service:
    """Return a service with odd words."""
    said = ("/opt/my env/bin/pai", "start", str(vault), "--port=8377", "--exclude=a\nb")
    return Service("0123456789abcdef", vault, said, {"PAI_DATA_DIR": "/da ta/100%"}, Path("/da ta/x.log"))


def test_unit_says_what_is_run_word_for_word(vault: Path) -> None:
    """Blanks, quotes, dollars, per cent and backslashes of a name reach the daemon as they are."""
    lines = systemd(a_service(vault), Path("/units")).text.splitlines()
    line = next(line for line in lines if line.startswith("ExecStart="))
    words = ['"' + part for part in line.removeprefix('ExecStart="').split(' "')]
    assert [read_word(word) for word in words] == [
        "/opt/my env/bin/pai",
        "start",
        str(vault),
        "--port=8377",
        r"--exclude=a\x0ab",
    ]
    assert 'Environment="PAI_DATA_DIR=/da ta/100%%"' in lines
    assert "StandardOutput=append:/da ta/x.log" in lines


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze")
def test_systemd_finds_nothing_wrong_with_the_unit(tmp_path: Path, vault: Path) -> None:
    """Also with a name that is odd; a line that systemd does not know would be named."""
    service = a_service(vault)
    true = shutil.which("true") or "/bin/true"
    host = systemd(
        Service(service.key, vault, (true, *service.command[1:]), service.environ, tmp_path / "x.log"),
        tmp_path,
    )

    def told(text: str) -> str:
        host.path.write_text(text)
        ended = subprocess.run(
            ["systemd-analyze", "--user", "verify", "--man=no", str(host.path)],
            capture_output=True,
            text=True,
            check=False,
            env={"XDG_RUNTIME_DIR": str(tmp_path), "HOME": str(tmp_path), "PATH": "/usr/bin:/bin"},
        )
        lines = [line for line in ended.stderr.splitlines() if host.name in line]
        # Before version 254 it always waits as long, and says so.
        return "\n".join(
            line for line in lines if "'RestartSteps'" not in line and "'RestartMaxD" not in line
        )

    assert "NoSuchLine" in told(host.text.replace("[Service]", "[Service]\nNoSuchLine=1"))
    assert told(host.text) == ""


def test_agent_is_a_property_list_that_says_what_is_run(vault: Path) -> None:
    """It starts at login, and again when it fails, not when it was stopped."""
    host = launchd(a_service(vault), Path("/agents"), 501)
    told = plistlib.loads(host.text.encode())
    assert told["ProgramArguments"] == list(a_service(vault).command)
    assert (told["RunAtLoad"], told["KeepAlive"]) == (True, {"SuccessfulExit": False})
    assert told["EnvironmentVariables"] == {"PAI_DATA_DIR": "/da ta/100%"}
    assert host.path.name == f"{told['Label']}.plist"
    assert MARK in host.text


def test_install_and_remove_with_systemd_leave_nothing(
    home: Path, vault: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The unit is enabled and started; removing stops it and takes unit, record and log away."""
    on("linux", monkeypatch)
    monkeypatch.setenv("PAI_PRECISION", "fp32")
    monkeypatch.setenv("PAI_MODEL_KEY", "s3cret")
    before = files(home)
    run("install", str(vault), "--generator", "extractive", "--exclude", "Journal/")
    unit = next((home / ".config" / "systemd" / "user").iterdir())
    text = unit.read_text()
    assert '"--generator=extractive"' in text
    assert '"--exclude=Journal/"' in text
    assert 'Environment="PAI_PRECISION=fp32"' in text
    assert f'Environment="PAI_DATA_DIR={home}/data"' in text
    assert "s3cret" not in "".join(path.read_text() for path in files(home))
    began = [
        f"systemctl --user {verb}"
        for verb in ("daemon-reload", f"enable {unit.name}", f"restart {unit.name}")
    ]
    assert calls(home) == began
    shown = json.loads(run("status", "--json"))
    assert [(each["vault"], each["state"]) for each in shown] == [(str(vault), "runs")]
    Path(shown[0]["log"]).write_text("said\n")
    run("remove", str(vault))
    assert f"systemctl --user disable --now {unit.name}" in calls(home)
    assert files(home) == before
    assert json.loads(run("status", "--json")) == []


def test_install_and_remove_with_launchd_leave_nothing(
    home: Path, vault: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The agent is bootstrapped into the person's own domain, and booted out."""
    on("darwin", monkeypatch)
    before = files(home)
    run("install", str(vault))
    agent = next((home / "Library" / "LaunchAgents").iterdir())
    label = plistlib.loads(agent.read_bytes())["Label"]
    verb, domain, path = shlex.split(calls(home)[-1].replace(str(agent), "AGENT"))[1:]
    assert (verb, path) == ("bootstrap", "AGENT")
    run("remove", "--all")
    assert f"launchctl bootout {domain}/{label}" in calls(home)
    assert files(home) == before


def test_dry_run_writes_and_runs_nothing(home: Path, vault: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It prints the file and the commands."""
    on("linux", monkeypatch)
    before = files(home)
    said = run("install", "--dry-run", str(vault))
    assert "ExecStart=" in said
    assert "systemctl --user enable" in said
    assert (calls(home), files(home)) == ([], before)


def test_service_that_cannot_be_started_leaves_nothing(
    home: Path, vault: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What systemd says is told, and so it is where there is none."""
    on("linux", monkeypatch)
    before = files(home)
    (home / "then").write_text("echo 'Failed to connect to bus' >&2; exit 1\n")
    error = failure("install", str(vault))
    assert isinstance(error, PaiError)
    assert "Failed to connect to bus" in error.detail
    assert files(home) == before
    (home / "bin" / "systemctl").unlink()
    monkeypatch.setenv("PATH", str(home / "bin"))
    error = failure("install", str(vault))
    assert isinstance(error, PaiError)
    assert "not on this machine" in error.detail
    assert files(home) == before


def test_unit_of_another_is_not_touched(home: Path, vault: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither by installing nor by removing."""
    on("linux", monkeypatch)
    run("install", str(vault))
    unit = next((home / ".config" / "systemd" / "user").iterdir())
    other = unit.with_name("other.service")
    other.write_text("[Service]\n")
    run("remove", "--all")
    assert other.read_text() == "[Service]\n"
    unit.write_text("[Service]\n# by hand\n")
    error = failure("install", str(vault))
    assert isinstance(error, UsageError)
    assert unit.read_text() == "[Service]\n# by hand\n"
    assert isinstance(failure("remove", str(vault)), NotFound)


def test_each_vault_gets_a_port_of_its_own(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Installed together or one after the other; the same vault again keeps its own."""
    on("linux", monkeypatch)
    for name in "abc":
        (tmp_path / name).mkdir()
        (tmp_path / name / "Note.md").write_text("x")
    for vaults in ("ab", "c", "a"):
        run("install", *(str(tmp_path / name) for name in vaults))
    ports = [
        next(word for word in path.read_text().split('"') if word.startswith("--port="))
        for path in (home / ".config" / "systemd" / "user").iterdir()
    ]
    assert sorted(ports) == ["--port=8377", "--port=8378", "--port=8379"]


def test_windows_is_told_how(home: Path, vault: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A task of the person's own, as a command to run."""
    on("win32", monkeypatch)
    error = failure("install", str(vault))
    assert isinstance(error, UsageError)
    assert "schtasks /Create" in error.hint
    assert by_hand(("C:\\Program Files\\pai.exe", "start"), "k").endswith(
        '/TN "pai-daemon-k" /TR "\\"C:\\Program Files\\pai.exe\\" start"'
    )


def test_command_is_that_of_this_installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the place where it lies, links not followed, so that what is installed there later is started."""
    env = tmp_path / "env" / "bin"
    env.mkdir(parents=True)
    (env / "python").symlink_to(sys.executable)
    monkeypatch.setattr(sys, "executable", str(env / "python"))
    assert own_command()[0] == str(env / "python")
    (env / "pai").write_text("")
    assert own_command() == (str(env / "pai"),)
