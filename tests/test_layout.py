"""The house keeps its order: rooms, owners and sizes, read from the source."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "pai_daemon"
ROOMS = (
    "errors",
    "config",
    "notes",
    "vault",
    "models",
    "context",
    "memory",
    "action",
    "plugin",
    "serve",
    "wiring",
    "daemon",
    "client",
    "langchain",
    "cli",
)
# Each heavy library has one room, and where it can, one file.
OWNERS = {
    "watchdog": ("vault/watch.py", "vault/inotify.py"),
    "onnxruntime": ("models/session.py", "models/encoder/onnx_file.py"),
    "cronsim": ("action/schedule.py",),
    "feedparser": ("action/outside/feeds.py",),
    "lancedb": ("context/store/lance.py",),
    "xllamacpp": ("models/generation/llama_worker.py",),
    "huggingface_hub": ("models/hub/",),
    "aiohttp.web": ("serve/",),
    "mcp": ("serve/mcp/protocol.py",),
    "mcp_types": ("serve/mcp/protocol.py",),
    "click": ("cli/",),
    "rich": ("cli/",),
    "platformdirs": ("config.py",),
    "langchain_core": ("langchain.py",),
}
ALLOWED_TOP = {
    "pyproject.toml",
    "pai_daemon",
    "obsidian-plugin",
    "tests",
    "scripts",
    "README.md",
    "LICENSE",
    "CHANGELOG.md",
}
BANNED_NAMES = ("utils", "helpers", "common", "manager")
MAX_LINES = 400
MAX_FUNCTION_LINES = 60

MODULES = sorted(PACKAGE.rglob("*.py"))


def _tree(module: Path) -> ast.Module:
    return ast.parse(module.read_text("utf-8"))


def _room(module: Path) -> str:
    return module.relative_to(PACKAGE).parts[0].removesuffix(".py")


def _imports(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Yield every imported name, dotted, with its line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, "imports are absolute"
            yield from ((f"{node.module}.{alias.name}", node.lineno) for alias in node.names)


def test_every_module_is_in_a_known_room() -> None:
    """There is no file outside the rooms of the design."""
    assert {_room(module) for module in MODULES} - {"__init__"} <= set(ROOMS)


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_module_imports_only_from_its_left(module: Path) -> None:
    """A room imports from rooms on its left and from itself."""
    place = ROOMS.index(_room(module)) if _room(module) in ROOMS else len(ROOMS)
    for name, line in _imports(_tree(module)):
        parts = name.split(".")
        if parts[0] == "pai_daemon" and len(parts) > 1 and parts[1] in ROOMS:
            assert ROOMS.index(parts[1]) <= place, f"{module.name}:{line} imports {name}"


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_heavy_library_stays_in_its_room(module: Path) -> None:
    """Each heavy library is imported by its owner only."""
    place = module.relative_to(PACKAGE).as_posix()
    for name, line in _imports(_tree(module)):
        for library, owners in OWNERS.items():
            if name == library or name.startswith(library + "."):
                assert place.startswith(owners), f"{place}:{line} imports {name}"


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_module_reads_the_environment_only_in_config(module: Path) -> None:
    """Only config looks at environment variables."""
    if _room(module) == "config":
        return
    for node in ast.walk(_tree(module)):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "os":
            assert node.attr not in ("environ", "getenv"), f"{module.name}:{node.lineno}"


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_own_import_inside_a_function(module: Path) -> None:
    """Our own modules are imported at the top, so that the order can be seen."""
    for node in ast.walk(_tree(module)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            for name, line in _imports(node):
                assert not name.startswith("pai_daemon"), f"{module.name}:{line}"


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_sizes_stay_readable(module: Path) -> None:
    """A module has at most 400 lines, a function at most 60."""
    text = module.read_text("utf-8")
    # What is generated is as long as what it is made from.
    assert text.count("\n") <= MAX_LINES or "not to be edited" in text.partition("\n")[0]
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert (node.end_lineno or 0) - node.lineno < MAX_FUNCTION_LINES, f"{module.name}: {node.name}"


def test_package_init_imports_nothing() -> None:
    """Importing a package costs nothing."""
    for module in PACKAGE.rglob("__init__.py"):
        assert not list(_imports(_tree(module))), module


def test_no_pattern_repeats_a_group_possessively() -> None:
    """Python before 3.11.5 goes wrong where such a group is matched in part; an atomic one is right."""
    classes = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]", re.DOTALL)
    for module in MODULES:
        for node in ast.walk(_tree(module)):
            said = node.value if isinstance(node, ast.Constant) else ""
            text = said.decode("latin-1") if isinstance(said, bytes) else str(said)
            found = re.search(r"\)(?:[*+?]|\{[\d,]+\})\+", classes.sub("x", text))
            assert found is None, f"{module.name}: {text}"


def test_no_banned_name() -> None:
    """No module is called utils, helpers, common or manager."""
    assert not [module for module in MODULES if module.stem in BANNED_NAMES]


def test_only_the_daemon_constructs_the_parts() -> None:
    """Index, Indexer, Searcher, Answerer, Watcher and the like are made in daemon.py and wiring.py."""
    parts = {"Index", "Indexer", "Searcher", "Related", "Linker", "Reporter", "Answerer", "Watcher"}
    parts |= {"Summarizer", "Comparer", "Actions", "Scheduler"}
    for module in MODULES:
        if _room(module) in ("daemon", "wiring"):
            continue
        for node in ast.walk(_tree(module)):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id not in parts, f"{module.name}:{node.lineno} constructs {node.func.id}"


def test_top_level_holds_only_what_was_agreed() -> None:
    """Nothing but the agreed files and dot files lies at the top."""
    found = {path.name for path in ROOT.iterdir() if not path.name.startswith(".")}
    assert found - {"build", "dist"} <= ALLOWED_TOP
