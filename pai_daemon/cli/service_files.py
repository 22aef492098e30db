"""What has a daemon started at each login: a user unit of systemd, an agent of launchd. Pure text and names.

Both start it again when it fails, ever more slowly or calmly, and neither when it was asked to stop. What
systemd and launchd are told is said here as well; `service` runs it.
"""

from __future__ import annotations

import plistlib
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

# Stands in each of our files: what lacks it is another's.
MARK = "Written by `pai service install`"
# Where there is no `pai` beside Python.
IN_PYTHON = "from pai_daemon.cli.main import main; main()"
Command = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Service:
    """One vault's daemon. key: of the vault. command: absolute. environ: beside what a login gives."""

    key: str
    vault: Path
    command: Command
    environ: Mapping[str, str]
    log: Path


@dataclass(frozen=True, slots=True)
class Host:
    """What starts services on a kind of machine: where its file lies, and the commands that it takes.

    folder: of the files. begin, end, look: commands; those of `ready` may fail, as nothing was there before.
    """

    folder: Path
    name: str
    text: str
    ready: tuple[Command, ...]
    begin: tuple[Command, ...]
    end: tuple[Command, ...]
    cleared: tuple[Command, ...]
    look: Command

    @property
    def path(self) -> Path:
        """Return the file of the service."""
        return self.folder / self.name


def own_command() -> Command:
    """Return the `pai` of this installation: the same place holds the next version of it.

    Links are not followed, so that an environment that is made anew in its place is found.
    """
    python = Path(sys.executable)
    beside = python.with_name("pai.exe" if sys.platform == "win32" else "pai")
    return (str(beside),) if beside.exists() else (str(python), "-c", IN_PYTHON)


def systemd(service: Service, folder: Path) -> Host:
    """Return a user unit: after a failure in 5 s, then ever later up to 5 min (before systemd 254: 5 s)."""
    name = f"pai-daemon-{service.key}.service"
    user = ("systemctl", "--user")
    lines = [
        f"# {MARK}; `pai service remove` takes it away.",
        "[Unit]",
        f"Description=PAI daemon for {_specified(_line(str(service.vault)))}",
        "StartLimitIntervalSec=0",
        "",
        "[Service]",
        f"ExecStart={' '.join(_word(part).replace('$', '$$') for part in service.command)}",
        *(f"Environment={_word(f'{name}={value}')}" for name, value in sorted(service.environ.items())),
        "Restart=on-failure",
        "RestartSec=5",
        "RestartSteps=6",
        "RestartMaxDelaySec=300",
        # Wrong settings do not become right by themselves.
        "RestartPreventExitStatus=64",
        f"StandardOutput=append:{_specified(_line(str(service.log)))}",
        f"StandardError=append:{_specified(_line(str(service.log)))}",
        "",
        "[Install]",
        "WantedBy=default.target",
        "",
    ]
    return Host(
        folder=folder,
        name=name,
        text="\n".join(lines),
        ready=(),
        begin=((*user, "daemon-reload"), (*user, "enable", name), (*user, "restart", name)),
        end=((*user, "disable", "--now", name),),
        cleared=((*user, "daemon-reload"), (*user, "reset-failed", name)),
        look=(*user, "is-active", name),
    )


def launchd(service: Service, folder: Path, user_id: int) -> Host:
    """Return an agent; launchd starts a failed one again, at most every 30 s."""
    label = f"local.pai-daemon.{service.key}"
    domain = f"gui/{user_id}"
    document = {
        "Label": label,
        "ProgramArguments": list(service.command),
        "EnvironmentVariables": dict(service.environ),
        "RunAtLoad": True,
        "KeepAlive": {"SuccessfulExit": False},
        "ThrottleInterval": 30,
        "StandardOutPath": str(service.log),
        "StandardErrorPath": str(service.log),
    }
    head, _, rest = plistlib.dumps(document, sort_keys=False).decode().partition("\n")
    path = folder / f"{label}.plist"
    return Host(
        folder=folder,
        name=path.name,
        text=f"{head}\n<!-- {MARK} -->\n{rest}",
        ready=(("launchctl", "bootout", f"{domain}/{label}"),),
        begin=(("launchctl", "bootstrap", domain, str(path)),),
        end=(("launchctl", "bootout", f"{domain}/{label}"),),
        cleared=(),
        look=("launchctl", "print", f"{domain}/{label}"),
    )


def by_hand(command: Sequence[str], key: str) -> str:
    """Return what makes Windows start a command at login, for a person to run."""
    quoted = " ".join(f'\\"{part}\\"' if re.search(r"[\s\\]", part) else part for part in command)
    return f'schtasks /Create /F /SC ONLOGON /TN "pai-daemon-{key}" /TR "{quoted}"'


def _line(text: str) -> str:
    """Return text in one line: a name may hold anything but the end of a C string."""
    return re.sub(r"[\x00-\x1f\x7f]", "?", text)


def _specified(text: str) -> str:
    """Return text in which systemd finds no specifier."""
    return text.replace("%", "%%")


def _word(text: str) -> str:
    """Return a word as systemd reads it: quoted, in one line."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    escaped = re.sub(r"[\x01-\x1f\x7f]", lambda found: f"\\x{ord(found[0]):02x}", escaped)
    return f'"{_specified(escaped)}"'
