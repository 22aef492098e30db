"""Daily notes lie where Obsidian or Logseq would put them."""

from __future__ import annotations

import json
from datetime import date, datetime
from pathlib import Path

import pytest

from pai_daemon.vault.daily import CORE, PERIODIC, DailyNotes, filled, moment_text

DAY = date(2026, 3, 9)
NOW = datetime(2026, 3, 9, 7, 5)


def put(vault: Path, name: str, text: str) -> None:
    """Write a file of the vault."""
    (vault / name).parent.mkdir(parents=True, exist_ok=True)
    (vault / name).write_text(text, "utf-8")


def test_vault_without_settings_has_them_at_its_top(tmp_path: Path) -> None:
    """Obsidian's default is the day of ISO 8601, in no folder."""
    assert DailyNotes.of(tmp_path).path(DAY) == "2026-03-09.md"


def test_core_plugin_says_folder_form_and_template(tmp_path: Path) -> None:
    """The folder may come out of the form, too, and the template's placeholders are filled in."""
    put(
        tmp_path,
        CORE,
        json.dumps({"folder": "Journal", "format": "YYYY/MM-MMMM/YYYY-MM-DD", "template": "T/Day"}),
    )
    put(tmp_path, "T/Day.md", "# {{title}}\n{{date:dddd, Do MMM}} {{time}} {{other}}\n")
    daily = DailyNotes.of(tmp_path)
    assert daily.path(DAY) == "Journal/2026/03-March/2026-03-09.md"
    assert daily.beginning(tmp_path, NOW) == "# 2026-03-09\nMonday, 9th Mar 07:05 {{other}}\n"


def test_periodic_notes_go_before_the_core_plugin_where_they_are_used(tmp_path: Path) -> None:
    """Who uses that plugin has turned the other off."""
    put(tmp_path, CORE, json.dumps({"folder": "Old"}))
    put(tmp_path, PERIODIC, json.dumps({"daily": {"enabled": True, "folder": "New", "format": ""}}))
    assert DailyNotes.of(tmp_path).path(DAY) == "New/2026-03-09.md"
    put(tmp_path, PERIODIC, json.dumps({"daily": {"enabled": False, "folder": "New"}}))
    assert DailyNotes.of(tmp_path).path(DAY) == "Old/2026-03-09.md"


def test_graph_has_journals(tmp_path: Path) -> None:
    """Logseq's folder and form of file names are those of its configuration."""
    put(tmp_path, "logseq/config.edn", '{:journal/file-name-format "yyyy-MM-dd"}')
    assert DailyNotes.of(tmp_path).path(DAY) == "journals/2026-03-09.md"


@pytest.mark.parametrize("settings", ["", "[]", '{"folder": 7, "format": null}', "{" * 10_000])
def test_settings_that_make_no_sense_are_as_if_there_were_none(tmp_path: Path, settings: str) -> None:
    """A damaged file of another program is no error of ours."""
    put(tmp_path, CORE, settings)
    assert DailyNotes.of(tmp_path).path(DAY) == "2026-03-09.md"


def test_template_outside_of_the_vault_is_not_read(tmp_path: Path) -> None:
    """A setting cannot take a text into the vault from elsewhere."""
    put(tmp_path, "secret.md", "secret")
    put(tmp_path, f"vault/{CORE}", json.dumps({"template": "../secret"}))
    assert DailyNotes.of(tmp_path / "vault").beginning(tmp_path / "vault", NOW) == ""


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("dddd ddd D DD Do", "Monday Mon 9 09 9th"),
        ("GGGG-[W]WW", "2026-W11"),
        ("[Day] DDDD [of] YYYY, Q", "Day 068 of 2026, 1"),
        ("h:mm a", "7:05 am"),
        ("YY M MMM MMMM", "26 3 Mar March"),
    ],
)
def test_forms_are_those_of_moment(form: str, text: str) -> None:
    """Letters in square brackets are text."""
    assert moment_text(NOW, form) == text


def test_placeholders_are_filled_in_and_others_left() -> None:
    """`{{prompt}}` and the like belong to other programs."""
    assert filled("{{date}} {{weekday}} {{prompt}}", NOW, "T") == "2026-03-09 Monday {{prompt}}"
