"""The rules: which notes belong, and a reason for every other path."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pai_daemon.errors import UsageError
from pai_daemon.vault.ignore import IgnoreRules


def write_settings(root: Path, text: str) -> None:
    """Write Obsidian's settings into a vault."""
    (root / ".obsidian").mkdir(exist_ok=True)
    (root / ".obsidian" / "app.json").write_text(text, encoding="utf-8")


@pytest.mark.parametrize(
    "path", ["Note.md", "A/B/Note.md", "X.MD", "logseq/Note.md", "back/bak/x.md", "\u00dcber.md"]
)
def test_explain_note_is_none(path: str) -> None:
    """A Markdown file outside the known exceptions is indexed."""
    assert IgnoreRules().explain(path) is None


@pytest.mark.parametrize(
    "path",
    [
        *(".obsidian/x.md", ".trash/x.md", "A/.hidden.md", "A/node_modules/b/x.md", "logseq/bak/x.md"),
        *(
            "logseq/.recycle/x.md",
            "x.sync-conflict-20240101-120000-AAAAAAA.md",
            "~$x.md",
            "x.md.tmp",
            "x.md.icloud",
        ),
        *("x.png", "x", "", "/etc/x.md", "../x.md", "A/../../x.md", "A//x.md", "A/", "."),
    ],
)
def test_explain_other_path_gives_a_reason(path: str) -> None:
    """Hidden, foreign, left-over and outside paths are out, each with a reason."""
    assert IgnoreRules().explain(path)


def test_explain_pattern_names_the_pattern() -> None:
    """A pattern as in .gitignore takes out files and folders, and is named as the reason."""
    rules = IgnoreRules(("# comment", "Private/", "*.draft.md", "/Top.md", "!kept.draft.md"))
    assert rules.explain("A/Private/x.md") == "excluded by the pattern Private/"
    assert rules.explain("x.draft.md") == "excluded by the pattern *.draft.md"
    assert rules.explain("Top.md") is not None
    assert rules.explain("A/Top.md") is None
    assert rules.explain("kept.draft.md") is None


def test_explain_excluded_folder_takes_everything_with_it() -> None:
    """No later pattern brings a note back from an excluded folder, so a walk may prune it."""
    rules = IgnoreRules(("Private/", "!Private/open.md"))
    assert rules.explain_folder("Private") is not None
    assert rules.explain("Private/open.md") is not None


def test_rules_unreadable_pattern_is_a_usage_error() -> None:
    """A pattern that cannot be read stops, because ignoring it would index what should be out."""
    with pytest.raises(UsageError, match="'!'"):
        IgnoreRules(("!",))


def test_of_reads_obsidians_excluded_files(tmp_path: Path) -> None:
    """Beginnings of paths and regular expressions of Obsidian's settings are honoured."""
    write_settings(
        tmp_path, json.dumps({"userIgnoreFilters": ["Templates/", "/^Diary/\\d{4}/", "/(?<n>x)\\1y/", 5]})
    )
    rules = IgnoreRules.of(tmp_path, ["*.draft.md"])
    assert rules.explain("templates/T.md") == "excluded in Obsidian's settings: Templates/"
    assert rules.explain_folder("Templates") is not None
    assert rules.explain("Templates.md") is None
    assert rules.explain("Diary/2024-01.md") is not None
    assert rules.explain("Diary/x.md") is None
    assert rules.explain("A/xxy.md") is not None
    assert rules.explain("x.draft.md") is not None
    assert rules.problems == ()


def test_of_filter_that_is_no_expression_is_a_problem(tmp_path: Path) -> None:
    """A filter that cannot be used is told, and the others hold."""
    write_settings(tmp_path, json.dumps({"userIgnoreFilters": ["/(/", "B/"]}))
    rules = IgnoreRules.of(tmp_path)
    assert len(rules.problems) == 1
    assert rules.explain("B/x.md") is not None


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "[" * 100_000, '{"userIgnoreFilters": "A/"}', '{"userIgnoreFilters": null}']
)
def test_of_broken_settings_are_no_filters(tmp_path: Path, text: str) -> None:
    """Missing or broken settings are no filters, never an error."""
    assert IgnoreRules.of(tmp_path) == IgnoreRules()
    write_settings(tmp_path, text)
    assert IgnoreRules.of(tmp_path) == IgnoreRules()


@pytest.mark.parametrize(
    ("path", "is_in"),
    [
        ("Projects/Boat.md", True),
        ("Projects/Old/Shed.md", True),
        ("Journal/2026/05.md", True),
        ("Garden.md", False),
        ("Elsewhere/Projects.md", False),
        ("Projects/Private/Secret.md", False),
        ("Projects/Boat.tmp", False),
    ],
)
def test_only_what_is_included_is_indexed(path: str, is_in: bool) -> None:
    """A note must match one of the patterns, and no rule that leaves it out."""
    rules = IgnoreRules(("Private/",), include=("/Projects/", "Journal/**/*.md"))
    assert (rules.explain(path) is None) == is_in
    assert rules.explain("Garden.md") == "not among what is included (/Projects/, Journal/**/*.md)"
    assert rules.lets_in("Pictures/boat.png"), "a link may still lead to a picture"
