"""`pai service`: let a daemon start at each login, and again when it fails. Needs no root (D72)."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from rich.markup import escape

from pai_daemon.cli.output import console, show_json
from pai_daemon.cli.service_files import (
    MARK,
    Command,
    Host,
    Service,
    by_hand,
    launchd,
    own_command,
    systemd,
)
from pai_daemon.config import (
    DEFAULT_PORT,
    Settings,
    load,
    login_folder,
    private_folder,
    vault_key,
    write_private,
)
from pai_daemon.errors import NotFound, PaiError, UsageError
from pai_daemon.vault.folder import check_vault

SECRETS = frozenset({"PAI_MODEL_KEY", "PAI_GENERATOR_KEY"})
FLAGS = ("model", "generator", "threads")
LISTS = ("include", "exclude")
COMMAND_S = 30.0

as_json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
dry_option = click.option("--dry-run", is_flag=True, help="Only show what would be written and run.")


@click.group("service")
def command() -> None:
    """Start the daemon of a vault at each login, and again when it fails."""


@command.command("install")
@click.argument("vaults", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="VAULT...")
@click.option(
    "--port", type=click.IntRange(1, 65535), help="Of the first vault; the others get the next ones."
)
@click.option("--model", help="As in `pai start`.")
@click.option("--generator", help="As in `pai start`.")
@click.option("--include", multiple=True, metavar="PATTERN", help="As in `pai start`.")
@click.option("--exclude", multiple=True, metavar="PATTERN", help="As in `pai start`.")
@click.option("--threads", type=click.IntRange(1, 64), help="As in `pai start`.")
@dry_option
@as_json_option
def install(vaults: tuple[Path, ...], dry_run: bool, as_json: bool, port: int | None, **flags: Any) -> None:
    """Start the daemon of each VAULT now and at each login, with these options and the settings of now.

    Settings in PAI_ variables are kept with it, but no keys: those belong into the settings file.
    """
    given = {name: value or None for name, value in flags.items()}
    settings = load(given)
    done = []
    for vault in vaults:
        service = _service(vault, settings, port or _free_port(settings, vault), given)
        host = _host(service)
        if not dry_run:
            _install(service, host, settings)
        done.append({"vault": str(service.vault), "file": str(host.path), "log": str(service.log)})
        if as_json:
            done[-1] |= {"text": host.text} if dry_run else {}
        elif dry_run:
            click.echo(f"# {host.path}\n{host.text}\n# Then is run:")
            for each in (*host.ready, *host.begin):
                click.echo(" ".join(each))
        else:
            said = f"{escape(str(service.vault))} is served from now on, and after each login."
            console.print(f"{said} Its log: {escape(str(service.log))}", soft_wrap=True)
        port = None if port is None else port + 1
    for name in sorted(SECRETS & set(settings.sources.values())):
        click.echo(f"{name} is not kept with the service: put it into the settings file.", err=True)
    if as_json:
        show_json(done)


@command.command("remove")
@click.argument("vaults", nargs=-1, type=click.Path(path_type=Path), metavar="[VAULT...]")
@click.option("--all", "every", is_flag=True, help="Of all vaults.")
@dry_option
def remove(vaults: tuple[Path, ...], every: bool, dry_run: bool) -> None:
    """Stop the service of each VAULT and take away all that was written for it, its log too."""
    settings = load()
    known = {service.key: service for service in _installed(settings)}
    keys = list(known) if every else [vault_key(vault) for vault in vaults]
    if not keys:
        raise UsageError("Say of which vault, or --all.", hint="`pai service status` shows them.")
    for key in keys:
        if key not in known:
            raise NotFound("No service was installed for this vault.", hint="See: pai service status")
        host = _host(known[key])
        if dry_run:
            click.echo("\n".join(" ".join(each) for each in (*host.end, *host.cleared)))
            click.echo("\n".join(f"rm {path}" for path in _files(known[key], host, settings)))
            continue
        _remove(known[key], host, settings)
        console.print(f"{escape(str(known[key].vault))} is no longer served at login.", soft_wrap=True)


@command.command("status")
@as_json_option
def status(as_json: bool) -> None:
    """Show what is installed, and whether it runs."""
    settings = load()
    found = []
    for service in _installed(settings):
        host = _host(service)
        lasts = host.path.exists() and _run(host.look).returncode == 0
        state = "runs" if lasts else "does not run" if host.path.exists() else "its file is gone"
        found.append({"vault": str(service.vault), "state": state, "log": str(service.log)})
    if as_json:
        show_json(found)
        return
    for each in found:
        console.print(f"{escape(each['vault'])}: {each['state']}; log: {escape(each['log'])}", soft_wrap=True)
    if not found:
        console.print("None is installed: pai service install VAULT")


def _service(vault: Path, settings: Settings, port: int, flags: dict[str, Any]) -> Service:
    """Return the service of a vault. Raises VaultUnavailable."""
    vault = check_vault(vault)
    given = [f"--{name}={flags[name]}" for name in FLAGS if flags.get(name)]
    given += [f"--{name}={pattern}" for name in LISTS for pattern in flags.get(name) or ()]
    from_environment = {
        source: _written(value)
        for name, source in settings.sources.items()
        if source.startswith("PAI_") and source not in SECRETS | {"PAI_PORT"}
        for value in (getattr(settings, name),)
    }
    key = vault_key(vault)
    command = (*own_command(), "start", str(vault), f"--port={port}", *given)
    return Service(key, vault, command, from_environment, settings.data_dir / "logs" / f"{key}.log")


def _written(value: Any) -> str:
    """Return the value of a setting as a variable has it; a login is in another folder."""
    if isinstance(value, tuple):
        return ",".join(value)
    return str(value.absolute() if isinstance(value, Path) else value)


def _host(service: Service) -> Host:
    """Return what starts services on this machine. Raises UsageError where we know of nothing."""
    platform: str = sys.platform  # a plain string: a checker would look at one system alone
    if platform == "linux":
        return systemd(service, login_folder())
    if platform == "darwin":
        return launchd(service, login_folder(), os.getuid())
    raise UsageError(
        "On this system a task of your own starts the daemon at login.",
        hint=f"Run: {by_hand(service.command, service.key)}",
    )


def _free_port(settings: Settings, vault: Path) -> int:
    """Return the port of the settings, or the next that no other service has."""
    others = [service for service in _installed(settings) if service.key != vault_key(vault)]
    taken = {part for service in others for part in service.command}
    port = settings.port or DEFAULT_PORT
    while f"--port={port}" in taken:
        port += 1
    return port


def _record(key: str, settings: Settings) -> Path:
    return settings.data_dir / "services" / f"{key}.json"


def _files(service: Service, host: Host, settings: Settings) -> tuple[Path, ...]:
    return (host.path, service.log, _record(service.key, settings))


def _installed(settings: Settings) -> list[Service]:
    """Return the services that were installed, by their records."""
    found = []
    for path in sorted((settings.data_dir / "services").glob("*.json")):
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            told = json.loads(path.read_text("utf-8"))
            vault, log = Path(told.pop("vault")), Path(told.pop("log"))
            found.append(Service(vault=vault, log=log, **told | {"command": tuple(told["command"])}))
    return found


def _install(service: Service, host: Host, settings: Settings) -> None:
    """Write the files and start the service; a failure leaves nothing. Raises PaiError."""
    if host.path.exists() and MARK not in host.path.read_text("utf-8", "replace"):
        raise UsageError(f"{host.path} is not ours.", hint="Move it away, or remove it.")
    record = json.dumps(asdict(service) | {"vault": str(service.vault), "log": str(service.log)})
    try:
        private_folder(service.log.parent)
        host.folder.mkdir(parents=True, exist_ok=True)
        # First, so that what is left after a kill can be removed.
        write_private(_record(service.key, settings), record)
        write_private(host.path, host.text)
        for each in host.ready:
            _run(each)
        for each in host.begin:
            _must(each)
    except OSError as error:
        _remove(service, host, settings)
        raise PaiError(
            f"The service cannot be written: {error}.", hint="Check the folder's permissions."
        ) from error
    except PaiError:
        _remove(service, host, settings)
        raise


def _remove(service: Service, host: Host, settings: Settings) -> None:
    """Stop a service and take away what was written for it; what is gone already does not matter."""
    if host.path.exists():
        for each in host.end:
            _run(each)
    for path in _files(service, host, settings):
        path.unlink(missing_ok=True)
        if path.parent != host.folder:
            with contextlib.suppress(OSError):  # others lie there
                path.parent.rmdir()
    for each in host.cleared:
        _run(each)


def _run(given: Command) -> subprocess.CompletedProcess[str]:
    """Run a command of systemd or launchd. What cannot be run has failed."""
    try:
        return subprocess.run(  # noqa: S603 (words of ours, and no shell)
            given, capture_output=True, text=True, timeout=COMMAND_S, check=False
        )
    except FileNotFoundError:
        return subprocess.CompletedProcess(given, 127, "", f"{given[0]} is not on this machine.")
    except (OSError, subprocess.TimeoutExpired) as error:
        return subprocess.CompletedProcess(given, 126, "", str(error))


def _must(given: Command) -> None:
    """Run a command. Raises PaiError with what it says."""
    ended = _run(given)
    if ended.returncode:
        said = (ended.stderr or ended.stdout).strip() or f"it ended with {ended.returncode}"
        raise PaiError(
            f"`{' '.join(given)}` failed: {said}",
            hint="Nothing is left of it. Without systemd, let your own start-up run `pai start VAULT`.",
        )
