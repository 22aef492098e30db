"""The documents tell the truth: decisions are cited, commands and files exist, the version is one."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import click

from pai_daemon import __version__
from pai_daemon.cli.main import COMMANDS, pai
from pai_daemon.config import load
from pai_daemon.serve.openapi import described
from tests.generate import stale

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text("utf-8")
DECISIONS = (ROOT / "pai_daemon" / "DECISIONS.md").read_text("utf-8")
CITED = re.compile(r"\bD(\d{1,2})\b")


def _numbers() -> list[int]:
    return [int(number) for number in re.findall(r"^## D(\d+) ", DECISIONS, re.MULTILINE)]


def test_every_cited_decision_exists() -> None:
    """A `D4` in a module has an entry."""
    for module in (ROOT / "pai_daemon").rglob("*.py"):
        cited = {int(number) for number in CITED.findall(module.read_text("utf-8"))}
        assert cited <= set(_numbers()), module


def test_decisions_are_in_order_and_short() -> None:
    """Entries are numbered upwards, dated, and at most twelve lines long."""
    assert _numbers() == sorted(set(_numbers()))
    for entry in re.split(r"^## ", DECISIONS, flags=re.MULTILINE)[1:]:
        assert entry.count("\n") <= 13, entry[:40]
        assert re.search(r"^20\d\d-\d\d-\d\d\.", entry, re.MULTILINE), entry[:40]


def test_tests_named_in_decisions_exist() -> None:
    """A decision's test can be found."""
    sources = "\n".join(path.read_text("utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    for name in re.findall(r"`(test_\w+)`", DECISIONS):
        assert f"def {name}(" in sources, name
    for place in re.findall(r"`(tests/[\w./-]+)`", DECISIONS):
        assert (ROOT / place).exists(), place


def test_version_is_the_same_everywhere() -> None:
    """Package, module, plugin and changelog name one version."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    manifest = json.loads((ROOT / "obsidian-plugin" / "manifest.json").read_text("utf-8"))
    assert project["version"] == manifest["version"] == __version__
    assert f"## {__version__}" in (ROOT / "CHANGELOG.md").read_text("utf-8")


def test_settings_of_the_readme_can_be_copied_as_they_stand(tmp_path: Path) -> None:
    """Its block is TOML, of settings that there are, most of them with the value that they have anyway."""
    block = README.split("## Settings", 1)[1].split("```toml\n", 1)[1].split("```", 1)[0]
    (tmp_path / "config.toml").write_text(block, "utf-8")
    plain, given = (load(environ={"PAI_CONFIG_DIR": str(each)}) for each in (tmp_path / "none", tmp_path))
    differing = {name for name in tomllib.loads(block) if getattr(plain, name) != getattr(given, name)}
    assert differing == {"local_only", "exclude"}


def test_every_command_is_in_the_readme_and_has_help() -> None:
    """The README names each command, and each command's help begins with a sentence."""
    context = click.Context(pai)
    for name in COMMANDS:
        command = pai.get_command(context, name)
        assert command is not None
        assert command.help
        assert f"pai {name}" in README, name


def test_tables_and_types_follow_from_the_routes() -> None:
    """The README's tables, the plugin's and the client's types are what `scripts/contract` writes."""
    assert not stale(), "run scripts/contract"


def test_every_route_is_in_the_readme() -> None:
    """The README's table lists the routes that are served, and no other."""
    listed = re.findall(r"^\| `((?:GET|POST|DELETE) /[^`]*)`", README, re.MULTILINE)
    assert listed == [f"{route.method} {route.canonical}" for route in described()]


def test_files_named_in_the_readme_exist() -> None:
    """Links and paths of the README lead somewhere."""
    for target in re.findall(r"\]\((?!https?:|#)([^)]+)\)", README):
        assert (ROOT / target).exists(), target
    for target in re.findall(r"`((?:pai_daemon|scripts|tests|obsidian-plugin)/[\w./-]*)`", README):
        assert (ROOT / target).exists(), target
