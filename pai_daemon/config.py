"""Settings: flags over environment over file over defaults, as one frozen object.

Owns where things lie on this machine and what a person chose. The only module that reads the
environment. The token lives in the configuration folder, never in a vault, which is synced (D9).
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import secrets
import stat
import sys
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import platformdirs

from pai_daemon.errors import UsageError

APP = "pai-daemon"
DEFAULT_PORT = 8377
MEMORY_FOLDER = "Memory"
# What a folder is named after its vault: a name may have at most 255 bytes, and its key comes too.
NAME_BYTES = 60
CHOICES = {
    "mcp_local_only": ("withheld", "shown"),
    "plain_http": ("refused", "accepted"),
    "provider": ("auto", "cpu", "cuda", "coreml", "directml"),
    "precision": ("auto", "int8", "fp16", "fp32"),
}
# The least and the most that a number may be.
RANGES = {
    "port": (0, 65_535),
    "threads": (1, 64),
    "unload_after_s": (0, 365 * 24 * 3600),
    "generator_idle_s": (0, 365 * 24 * 3600),
    "answer_budget_s": (1, 3600),
    "rescan_s": (10, 365 * 24 * 3600),
    "note_limit_bytes": (1024, 1024**3),
    "keep_conversations_for": (0, 36_500),
}
DAEMON_URL = re.compile(r"http://127\.0\.0\.1:[0-9]{1,5}")


def _folder(kind: str) -> Path:
    if kind == "config":
        return platformdirs.user_config_path(APP, appauthor=False, roaming=True)
    if kind == "data":
        return platformdirs.user_data_path(APP, appauthor=False)
    return platformdirs.user_cache_path(APP, appauthor=False)


def login_folder() -> Path:
    """Return where systemd, or launchd, looks for what a person's login starts."""
    if sys.platform == "darwin":
        return Path.home() / "Library" / "LaunchAgents"
    return platformdirs.user_config_path() / "systemd" / "user"


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything a person may choose, with a default for each.

    port: TCP port on the loopback addresses; 0 takes any free one. host: a further address of this machine
    that is listened on, for which either tls_cert and tls_key name PEM files, or plain_http is `accepted`;
    allowed_hosts: names by which that address may be asked. model: a profile's name, `ollama:MODEL[@URL]`,
    `openai:MODEL@URL` or `tei:URL`; model_key: for its server. generator: what writes answers,
    `extractive`, `auto`, `gguf:FILE`, `ollama:MODEL[@URL]` or `openai:MODEL@URL`; generator_key: for its
    server; generator_idle_s: of idleness, after which its memory is given back, 0 never. answer_budget_s:
    until the notes are quoted instead. local_only: patterns and #tags of notes that are never sent to a
    generator beyond this machine; mcp_local_only: `shown` hands them to MCP clients all the same.
    memory_folder: of the vault, where what is remembered lies; routines_folder: where routines do.
    keep_conversations: with which clients they become notes, by name (`cli`, `plugin`, `v1`, `api`, a
    token's), or `all`; keep_conversations_for: days, 0 for good. provider: ONNX Runtime's execution
    provider, `cpu`, `cuda`, `coreml` or `directml`.
    precision: `int8`, `fp16` or `fp32`; both `auto` take what is fastest here. unload_after_s: of idleness,
    after which the model's memory is given back, 0 never. threads: of the embedding session. exclude:
    gitignore-style patterns of notes that are not indexed. include: such patterns of the only ones that
    are, () for all.
    allowed_origins: web origins besides the Obsidian app that may call the API.
    rescan_s: seconds between two full scans. note_limit_bytes: how much of one note is indexed.
    sources: where each that is no default was set, by name.
    """

    config_dir: Path = field(default_factory=lambda: _folder("config"))
    data_dir: Path = field(default_factory=lambda: _folder("data"))
    cache_dir: Path = field(default_factory=lambda: _folder("cache"))
    port: int = DEFAULT_PORT
    host: str = ""
    tls_cert: str = ""
    tls_key: str = ""
    plain_http: str = "refused"
    allowed_hosts: tuple[str, ...] = ()
    model: str = "multilingual-e5-small"
    model_key: str = field(default="", repr=False)
    generator: str = "extractive"
    generator_key: str = field(default="", repr=False)
    generator_idle_s: float = 300.0
    answer_budget_s: float = 120.0
    local_only: tuple[str, ...] = ()
    memory_folder: str = MEMORY_FOLDER
    routines_folder: str = "Routines"
    keep_conversations: tuple[str, ...] = ()
    keep_conversations_for: int = 0
    mcp_local_only: str = "withheld"
    provider: str = "auto"
    precision: str = "auto"
    unload_after_s: float = 0.0
    threads: int = field(default_factory=lambda: max(1, min(4, os.cpu_count() or 1)))
    exclude: tuple[str, ...] = ()
    include: tuple[str, ...] = ()
    allowed_origins: tuple[str, ...] = ()
    rescan_s: float = 3600.0
    note_limit_bytes: int = 2 * 1024 * 1024
    sources: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False)

    def told(self) -> list[dict[str, Any]]:
        """Return name, value and source of each setting; of a secret only whether there is one."""
        return [
            {
                "name": item.name,
                "value": _shown(item.name, getattr(self, item.name)),
                "source": self.sources.get(item.name, "default"),
            }
            for item in SETTINGS
        ]

    def index_dir(self, vault: Path) -> Path:
        """Return the folder of a vault's index; it lies outside the vault (D19)."""
        name = vault.resolve().name.encode("utf-8", "replace")[:NAME_BYTES].decode("utf-8", "ignore")
        return self.data_dir / "vaults" / f"{name or 'vault'}-{vault_key(vault)}"

    def links_path(self, vault: Path) -> Path:
        """Return where it is kept which links of a vault were refused, and what its notes were called."""
        return self.data_dir / "links" / f"{vault_key(vault)}.json"

    def actions_dir(self, vault: Path) -> Path:
        """Return where it is kept what routines and actions did in a vault, and what they may undo."""
        return self.data_dir / "actions" / vault_key(vault)

    def proposals_path(self, vault: Path) -> Path:
        """Return where it is kept which proposals of memory a person has decided on."""
        return self.data_dir / "proposals" / f"{vault_key(vault)}.json"

    @property
    def models_file(self) -> Path:
        """Return the person's own list of models, which need not be there."""
        return self.config_dir / "models.toml"

    @property
    def prompts_dir(self) -> Path:
        """Return the folder of the person's own prompts, which need not be there."""
        return self.config_dir / "prompts"

    @property
    def gguf_dir(self) -> Path:
        """Return the folder of GGUF files that may be named without it, and that `auto` looks at."""
        return self.cache_dir / "gguf"

    def record_path(self, vault: Path) -> Path:
        """Return where the daemon of a vault says how it is reached."""
        return self.config_dir / "daemons" / f"{vault_key(vault)}.json"


SETTINGS = tuple(item for item in fields(Settings) if item.name != "sources")


def _shown(name: str, value: Any) -> Any:
    if name.endswith("_key") and name != "tls_key":  # that is the path of a file
        return "set" if value else ""
    if isinstance(value, tuple):
        return ", ".join(value)
    return str(value) if isinstance(value, Path) else value


def load(flags: Mapping[str, Any] | None = None, environ: Mapping[str, str] | None = None) -> Settings:
    """Return the settings in force.

    flags: by field name, None where not given. Raises UsageError for an unknown key, a value of
    the wrong kind or out of range, or a settings file that is not TOML.
    """
    environ = os.environ if environ is None else environ
    given = {name: value for name, value in (flags or {}).items() if value is not None}
    from_environment = {
        item.name: environ[f"PAI_{item.name.upper()}"]
        for item in SETTINGS
        if environ.get(f"PAI_{item.name.upper()}")
    }
    early = from_environment | given
    config_dir = Path(early["config_dir"]) if "config_dir" in early else _folder("config")
    in_file = _read_file(config_dir / "config.toml")
    values = in_file | from_environment | given
    sources = (
        dict.fromkeys(in_file, "config.toml")
        | {name: f"PAI_{name.upper()}" for name in from_environment}
        | dict.fromkeys(given, "command line")
    )
    return Settings(**{name: _typed(name, value) for name, value in values.items()}, sources=sources)


def _read_file(path: Path) -> dict[str, Any]:
    try:
        values = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"The settings file {path} cannot be read: {error}") from error
    known = {item.name for item in SETTINGS}
    if unknown := sorted(set(values) - known):
        raise UsageError(
            f"The settings file {path} has an unknown setting: {', '.join(unknown)}.",
            hint=f"Known settings: {', '.join(sorted(known))}.",
        )
    return values


def remember(settings: Settings, name: str, value: str) -> None:
    """Write a setting into the person's settings file; every other line stays as it is.

    Raises UsageError where that file is not one of ours, cannot be written, or has the setting in a form
    that cannot be changed without touching something else.
    """
    path = settings.config_dir / "config.toml"
    known = _read_file(path)
    if known.get(name) == value:
        return
    before, mode = "", 0o600
    if path.exists():
        path = path.resolve()  # settings that are kept elsewhere stay there
        before, mode = path.read_bytes().decode("utf-8"), stat.S_IMODE(path.stat().st_mode)
    for text in _with_setting(before, name, json.dumps(value, ensure_ascii=False)):
        with contextlib.suppress(tomllib.TOMLDecodeError):
            if tomllib.loads(text) == known | {name: value}:
                write_private(path, text, mode=mode)
                return
    raise UsageError(
        f"The setting {name} in {path} cannot be changed from here.", hint=f"Write {name} = {value!r} there."
    )


def _with_setting(text: str, name: str, value: str) -> Iterator[str]:
    """Yield a settings file with a value in place of each one that the setting seems to have, and at its end.

    Not each is right: what looks like a setting may stand within a text of several lines.
    """
    seems = re.compile(rf"""^(\s*["']?{name}["']?\s*=\s*)("(?:[^"\\\n]|\\.)*"|'[^'\n]*')""", re.MULTILINE)
    for match in seems.finditer(text):
        yield text[: match.start(2)] + value + text[match.end(2) :]
    line_end = "\r\n" if "\r\n" in text else "\n"
    lead = line_end if text and not text.endswith("\n") else ""
    yield f"{text}{lead}{name} = {value}{line_end}"


def _typed(name: str, value: Any) -> Any:
    """Return `value` in the type of the setting, or raise UsageError."""
    kind = str(Settings.__annotations__[name])
    try:
        if kind == "Path":
            return Path(value).expanduser()
        if kind.startswith("tuple"):
            parts = value.split(",") if isinstance(value, str) else value
            return tuple(part.strip() for part in parts if part.strip())
        if kind == "str":
            return _chosen(name, str(value))
        # By way of a string, so that true is no 1 and 1.7 is no whole number.
        number = (int if kind == "int" else float)(str(value))
    except (TypeError, ValueError, AttributeError) as error:
        raise UsageError(f"The setting {name} is not a valid {kind}: {value!r}.") from error
    least, most = RANGES[name]
    if not least <= number <= most:
        raise UsageError(f"The setting {name} must be between {least} and {most}, not {value!r}.")
    return number


def _chosen(name: str, value: str) -> str:
    """Return one of the words that a setting may have, in lower case; of another setting, any."""
    if name not in CHOICES:
        return value
    if value.lower() not in CHOICES[name]:
        raise UsageError(f"The setting {name} is {value!r}.", hint=f"Choose {', '.join(CHOICES[name])}.")
    return value.lower()


def forbid_telemetry() -> None:
    """Tell libraries that report to their makers not to; before they are imported (D8).

    ONNX Runtime 1.32 sends machine facts and paths to Microsoft by default, also on Linux and macOS, and an
    event may be on its way before its own switch can be called. huggingface_hub 2.4 names the program's
    surroundings to the hub, and fetches a list by which it recognises them.
    """
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"


def vault_key(vault: Path) -> str:
    """Return the identity of a vault on this machine: 16 hex digits of the SHA-256 of its real path.

    The plugin computes the same from the folder that Obsidian has open.
    """
    return hashlib.sha256(str(vault.resolve()).encode("utf-8", "surrogateescape")).hexdigest()[:16]


def private_folder(path: Path) -> None:
    """Make a folder that only its owner may enter (mode 0700), its parents too; leave one that is there."""
    if not path.is_dir():
        private_folder(path.parent)
        path.mkdir(mode=0o700, exist_ok=True)


def write_private(path: Path, text: str, *, mode: int = 0o600) -> None:
    """Write a file that only its owner may read, or with another mode, atomically. Raises UsageError.

    Line ends are written as they are.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        private_folder(path.parent)
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
            file.write(text)
        temporary.chmod(mode)
        temporary.replace(path)
    except OSError as error:
        raise UsageError(
            f"The file {path} cannot be written: {error.strerror}.", hint="Check the folder that it is in."
        ) from error


def read_token(settings: Settings) -> str | None:
    """Return the token that every request must carry, or None where no daemon ever ran.

    Raises UsageError for a file that holds none: it cannot be read, is empty or no printable ASCII.
    """
    path = settings.config_dir / "token"
    try:
        token = path.read_text("ascii").strip()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError):
        token = ""
    if not token or not token.isprintable():
        raise UsageError(f"{path} holds no token.", hint="Delete it; the next start makes a new one.")
    return token


def ensure_token(settings: Settings) -> str:
    """Return the token, made at the first call: 256 random bits, kept with mode 0600 (D9)."""
    token = read_token(settings)
    if token is None:
        token = secrets.token_urlsafe(32)
        write_private(settings.config_dir / "token", token + "\n")
    return token


def daemon_records(settings: Settings) -> list[dict[str, Any]]:
    """Return what the daemons of this person say of themselves: url, pid, vault, version.

    A file that is no such record is passed over.
    """
    records = []
    for path in sorted((settings.config_dir / "daemons").glob("*.json")):
        try:
            record = json.loads(path.read_text("utf-8"))
        except (OSError, ValueError, RecursionError):
            continue
        if _is_record(record):
            records.append(record)
    return records


def _is_record(record: Any) -> bool:
    """Return whether a record names a vault and an address on this machine: the token goes there."""
    if not isinstance(record, dict) or not isinstance(record.get("vault"), str):
        return False
    return DAEMON_URL.fullmatch(str(record.get("url"))) is not None
