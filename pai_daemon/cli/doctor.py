"""`pai doctor`: what works on this machine, what does not, and the next step for each."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import click
import psutil
from rich.markup import escape
from rich.table import Table

from pai_daemon import __version__
from pai_daemon.action.folder import RoutineFolder
from pai_daemon.action.outside.guard import hosts_of_routine
from pai_daemon.action.outside.webhooks import HookFile
from pai_daemon.action.routine import Routine
from pai_daemon.cli import doctor_index
from pai_daemon.cli.output import console, show_json
from pai_daemon.client import Client
from pai_daemon.config import Settings, daemon_records, load, read_token
from pai_daemon.errors import PaiError
from pai_daemon.models.addresses import OLLAMA_URL, address_of, location_of
from pai_daemon.models.generation.choosing import LM_STUDIO_URL
from pai_daemon.models.generation.generators import AUTO, Options, generators_of
from pai_daemon.models.names import FOLDER, named
from pai_daemon.models.prepare import files_of
from pai_daemon.models.registry import Profile, profile
from pai_daemon.models.remote.embedder import RemoteEmbedder
from pai_daemon.models.session import PROVIDERS, VERSION, adds_exactly, built_in, why_not
from pai_daemon.models.sources import HubSource, PackageSource, ServerSource
from pai_daemon.models.trial import CHOICE, processor

GIBIBYTE = 1024**3
# The first index of 10,000 notes takes some 100 MB, a prepared model up to 300.
LEAST_FREE_BYTES = GIBIBYTE
HUB = "https://huggingface.co"
RUNTIMES = ("onnxruntime", "onnxruntime-gpu", "onnxruntime-directml", "onnxruntime-silicon")
# What a provider that is not built in needs.
PACKAGES = {"cuda": "onnxruntime-gpu", "directml": "onnxruntime-directml", "coreml": "onnxruntime"}
MARKS = {"ok": "[green]✓[/]", "note": "[dim]·[/]", "warning": "[yellow]![/]", "fault": "[red]✗[/]"}


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at. hint: the next step, "" where none is needed."""

    name: str
    state: Literal["ok", "note", "warning", "fault"]
    found: str
    hint: str = ""


@click.command("doctor")
@click.option("--network", is_flag=True, help="List every address that the settings let pai-daemon contact.")
@click.option("--index", "of_index", is_flag=True, help="Check the index of a vault; nothing is written.")
@click.option("--vault", type=click.Path(path_type=Path), help="Whose index; else that of the only daemon.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(network: bool, of_index: bool, vault: Path | None, as_json: bool) -> None:
    """Look at this machine, the settings and the model, and say what to do where something is wrong.

    Ends with 69 where something does not work. Nothing is contacted but daemons on this machine.
    """
    settings = load()
    if of_index:
        doctor_index.run(settings, vault, as_json=as_json)
        return
    if network:
        _show_addresses(addresses(settings, _routines(settings, vault)), as_json=as_json)
        return
    checks = [
        check
        for look in (_machine, _runtime, _model, _folders, _daemons, _granted)
        for check in look(settings)
    ]
    failed = any(check.state == "fault" for check in checks)
    if as_json:
        show_json({"version": __version__, "ok": not failed, "checks": [asdict(check) for check in checks]})
    else:
        _show(checks)
    if failed:
        sys.exit(69)


def _show(checks: list[Check]) -> None:
    table = Table(show_header=False, box=None, pad_edge=False)
    for check in checks:
        hint = f"\n[dim]{escape(check.hint)}[/]" if check.hint else ""
        table.add_row(MARKS[check.state], f"[bold]{check.name}[/]", escape(check.found) + hint)
    console.print(table)


def _machine(settings: Settings) -> Iterator[Check]:
    yield Check(
        "pai-daemon", "ok", f"{__version__} on Python {platform.python_version()}, {platform.platform()}"
    )
    cores, memory = os.cpu_count() or 1, psutil.virtual_memory()
    state: Literal["ok", "warning"] = "ok" if memory.available > GIBIBYTE else "warning"
    yield Check(
        "machine",
        state,
        f"{processor() or platform.machine()}, {cores} cores, {memory.available / GIBIBYTE:.1f} of "
        f"{memory.total / GIBIBYTE:.1f} GiB of memory free",
        "" if state == "ok" else "The first index takes about 0.6 GiB; close something first.",
    )
    if settings.threads > cores:
        yield Check(
            "threads", "warning", f"{settings.threads}, on {cores} cores", "Set threads to the cores."
        )


def _runtime(settings: Settings) -> Iterator[Check]:
    installed = [name for name in RUNTIMES if _version(name)]
    if len(installed) > 1:
        keep = next((name for name in installed if name != "onnxruntime"), installed[0])
        others = " ".join(name for name in installed if name != keep)
        yield Check(
            "ONNX Runtime",
            "fault",
            f"{' and '.join(installed)} are installed into the same folder, and overwrite each other.",
            f"Keep one: pip uninstall -y {others} {keep} && pip install {keep}",
        )
    else:
        yield Check("ONNX Runtime", "ok", f"{VERSION} ({', '.join(installed) or 'built by hand'})")
    here = built_in()
    for provider in PROVIDERS:
        if provider in here and (reason := why_not(provider)):
            state: Literal["fault", "note"] = "fault" if settings.provider == provider else "note"
            yield Check(provider, state, f"built in, and does not start: {reason}")
        elif provider in here:
            exact = provider != "cpu" or adds_exactly()
            found = "built in" + ("" if exact else "; without fast int8 (no VNNI), so a model takes longer")
            yield Check(provider, "ok", found)
        elif settings.provider == provider:
            yield Check(provider, "fault", "chosen, and not built in", f"Install {PACKAGES[provider]}.")
        elif _could_have(provider):
            hint = f"pip uninstall -y onnxruntime && pip install {PACKAGES[provider]}"
            yield Check(provider, "note", "not built in", f"To use it: {hint}")


def _version(distribution: str) -> str:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _could_have(provider: str) -> bool:
    """Return whether this machine may have hardware for a provider."""
    if provider == "cuda":
        return shutil.which("nvidia-smi") is not None
    return provider == "directml" and sys.platform == "win32"


def _model(settings: Settings) -> Iterator[Check]:
    try:
        chosen = named(settings.model, settings.models_file, settings.cache_dir, settings.model_key)
        yield _weights(chosen, settings)
        if not isinstance(chosen.source, ServerSource):
            yield from _prepared(chosen, settings)
    except PaiError as error:
        yield Check("model", "fault", error.detail, error.hint)
    try:
        options = Options(settings.gguf_dir, settings.generator_key)
        generator = generators_of(settings.generator, options).chosen.generator
        yield Check("generator", "ok", settings.generator + (f" ({generator.location})" if generator else ""))
    except PaiError as error:
        yield Check("generator", "fault", error.detail, error.hint)


def _weights(chosen: Profile, settings: Settings) -> Check:
    """Return where the weights of a model lie. Raises ModelUnavailable where they are missing."""
    source = chosen.source
    if isinstance(source, PackageSource):
        return Check("model", "ok", f"{chosen.name}, from the package {source.distribution}: {source.file()}")
    if isinstance(source, ServerSource):
        where = f"at {source.address.url}"
        if chosen.location == "remote":
            return Check("model", "note", f"{chosen.name} {where}, beyond this machine: it is not asked")
        with RemoteEmbedder(chosen, settings.cache_dir, own=settings.models_file) as server:
            found = server.greet().profile
        return Check("model", "ok", f"{found.name} answers {where}: {found.dimensions} numbers")
    here = next(iter(files_of(chosen, settings.cache_dir).values()))
    return Check("model", "ok", f"{chosen.name}: {here.parent}")


def _prepared(chosen: Profile, settings: Settings) -> Iterator[Check]:
    folders = sorted((settings.cache_dir / "models").glob(f"{chosen.name}-*/*/manifest.json"))
    if not folders:
        yield Check("prepared", "note", "not yet; the next start does it, in some seconds")
        return
    for manifest in folders:
        tried = "" if not (manifest.parents[1] / CHOICE).exists() else "; `pai models bench` shows the trial"
        yield Check("prepared", "ok", f"{manifest.parent.name.rpartition('-')[0]}: {manifest.parent}{tried}")


def _folders(settings: Settings) -> Iterator[Check]:
    for name, folder in (
        ("settings", settings.config_dir),
        ("indexes", settings.data_dir),
        ("models", settings.cache_dir),
    ):
        there = next(each for each in (folder, *folder.parents) if each.exists())
        free = shutil.disk_usage(there).free
        if not os.access(there, os.W_OK):
            yield Check(name, "fault", f"{folder} cannot be written", "Change its owner or permissions.")
        elif free < LEAST_FREE_BYTES:
            yield Check(name, "warning", f"{folder}, {free // 1024**2} MiB free", "Free some space.")
        else:
            yield Check(name, "ok", f"{folder}, {free / GIBIBYTE:.0f} GiB free")


def _daemons(settings: Settings) -> Iterator[Check]:
    token = read_token(settings)
    records = daemon_records(settings)
    if not records or token is None:
        yield Check("daemon", "note", "none is running", "Start one with: pai start VAULT")
        return
    for record in records:
        client = Client(record["url"], token)
        if not client.is_alive():
            yield Check("daemon", "note", f"{record['vault']}: ended without a word; the record is stale")
            continue
        status = client.status()
        problem = status["state"] in ("error", "held") or bool(status["model"].get("warning"))
        said = status["model"].get("warning") or status["message"] or status["state"]
        yield Check("daemon", "warning" if problem else "ok", f"{record['vault']} at {record['url']}: {said}")


def _folders_of_routines(settings: Settings, vault: Path | None = None) -> list[RoutineFolder]:
    """Return the routines of a vault, or of all whose daemons run, as they are now."""
    vaults = [vault] if vault is not None else [Path(each["vault"]) for each in daemon_records(settings)]
    found = [RoutineFolder(each, settings.routines_folder) for each in vaults]
    for folder in found:
        folder.look()
    return found


def _routines(settings: Settings, vault: Path | None = None) -> list[Routine]:
    return [each for folder in _folders_of_routines(settings, vault) for each in folder.routines.values()]


def _granted(settings: Settings) -> Iterator[Check]:
    """Yield what routines may do without asking, and which of them are wrong."""
    for folder in _folders_of_routines(settings):
        for wrong in folder.wrong:
            yield Check("routine", "warning", f"{wrong.path}:{wrong.line} {wrong.message}", wrong.hint)
        for routine in folder.routines.values():
            if routine.grants:
                granted = ", ".join(grant.written for grant in routine.grants)
                yield Check("grants", "note", f"{routine.name} in {folder.vault.name} may {granted}")


def addresses(settings: Settings, routines: Iterable[Routine] = ()) -> list[dict[str, Any]]:
    """Return every address that settings and routines let be contacted, with when and what for (D8)."""
    found: list[dict[str, Any]] = []
    for hook in HookFile(settings).hooks():
        what = f"{', '.join(hook.events)}: which note or routine, and nothing of what stands in it"
        found.append(_address(hook.url, "what it is told of", what, "pai webhook add"))
    for routine in routines:
        for host in hosts_of_routine(routine):
            url = f"http{'' if host.port else 's'}://{host.name}{f':{host.port}' if host.port else ''}"
            what = "what its note names is fetched; nothing of your notes is sent"
            found.append(_address(url, "a run of the routine", what, f"{routine.path}"))
    generator = address_of(settings.generator)
    what = "the question and the passages it finds"
    if settings.generator.strip() == AUTO:
        when, asked = "every minute, and a question", f"which models it has; {what}"
        found += [_address(url, when, asked, AUTO) for url in (OLLAMA_URL, LM_STUDIO_URL)]
    if generator is not None:
        found.append(_address(generator.url, "a question", what, settings.generator))
    if settings.model.startswith(FOLDER):
        return found
    chosen = profile(settings.model, settings.models_file)
    if isinstance(chosen.source, ServerSource):
        when = "indexing, and each question"
        found.append(
            _address(
                chosen.source.address.url, when, "the text of all notes but local-only ones", settings.model
            )
        )
    if isinstance(chosen.source, HubSource):
        what = f"the files of {chosen.source.repo} are fetched"
        found.append(_address(HUB, "pai models pull, never by itself", what, "or the mirror in HF_ENDPOINT"))
    return found


def _address(url: str, when: str, what: str, by: str) -> dict[str, Any]:
    is_local = location_of(url) == "local"
    return {"url": url, "local": is_local, "when": when, "what": what, "named_by": by}


def _show_addresses(found: list[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        show_json({"addresses": found})
        return
    if not found:
        console.print("None. With these settings nothing leaves this machine.")
        return
    for each in found:
        where = "on this machine" if each["local"] else "[yellow]beyond this machine[/]"
        console.print(
            f"[bold]{escape(each['url'])}[/] ({where}), at {escape(each['when'])}: {escape(each['what'])}"
        )
        console.print(f"    [dim]{escape(each['named_by'])}[/]")
