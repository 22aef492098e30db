"""Which notes are a person's profile, and what of them is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from pai_daemon.errors import UsageError
from pai_daemon.memory.profile import TEMPLATE, PersonProfile, begin, profile_paths, told

TELOS = [
    *("MISSION", "GOALS", "PROJECTS", "BELIEFS", "MODELS"),
    *("STRATEGIES", "NARRATIVES", "LEARNED", "CHALLENGES", "IDEAS"),
]
GERMAN = [
    *("Mission", "Ziele", "Projekte", "Überzeugungen", "Modelle"),
    *("Strategien", "Geschichten", "Gelernt", "Herausforderungen", "Ideen"),
]


@pytest.mark.parametrize("names", [TELOS, GERMAN], ids=["english", "german"])
@pytest.mark.parametrize("folder", ["", "TELOS/", "PAI/USER/Telos/", "Memory/", "Memory/TELOS/"])
def test_telos_files_are_found_where_a_person_keeps_them(folder: str, names: list[str]) -> None:
    """All ten are found where they are the person's own, the mission first and the ideas last."""
    found = profile_paths([f"{folder}{name}.md" for name in names] + ["Boat.md"], "Memory")
    assert len(found) == 10
    assert (found[0], found[-1]) == (f"{folder}{names[0]}.md", f"{folder}{names[-1]}.md")


@pytest.mark.parametrize(
    "paths",
    [
        ["Projects.md", "Ideas.md", "Boat.md"],
        ["Work/Projects.md", "Home/Goals.md", "Garden/Ideas.md"],
        ["TELOS/Boat.md", "Goals.txt"],
        [f"Clippings/{name}.md" for name in TELOS],
        [f"Clippings/TELOS/{name}.md" for name in TELOS],
    ],
)
def test_lone_notes_of_such_names_are_no_profile(paths: list[str]) -> None:
    """A `Projects.md` here and an `Ideas.md` there are ordinary notes, and so is what was clipped."""
    assert profile_paths(paths, "Memory") == []


def test_folder_named_telos_needs_one_file_alone() -> None:
    """Who calls a folder TELOS means it."""
    assert profile_paths(["TELOS/Goals.md", "Goals.md"], "Memory") == ["TELOS/Goals.md"]


def test_memory_folder_wins_and_nothing_joins_it() -> None:
    """What lies elsewhere, at the top as well, adds nothing to a profile that is there."""
    others = [f"{folder}{name}.md" for name in TELOS for folder in ("", "TELOS/", "Clippings/")]
    assert profile_paths([*others, "Memory/Profile.md"], "Memory") == ["Memory/Profile.md"]
    assert profile_paths([*others, "Memory/TELOS/GOALS.md", "Memory/Profile.md"], "Memory") == [
        "Memory/Profile.md",
        "Memory/TELOS/GOALS.md",
    ]


def test_profile_note_is_told_where_there_are_no_telos_files() -> None:
    """`Profile.md` counts in the memory folder and nowhere else."""
    assert profile_paths(["Clippings/Profile.md", "Memory/Profile.md"], "Memory") == ["Memory/Profile.md"]
    assert profile_paths(["Clippings/Profile.md"], "Memory") == []


def test_template_that_nobody_filled_in_tells_nothing() -> None:
    """A profile as it is begun has headings and comments alone, and adds nothing to a prompt."""
    assert told("Profile.md", TEMPLATE.encode()).text == ""


def test_profile_tells_its_text_and_no_hidden_one() -> None:
    """Properties, comments, HTML and code are not told; headings are, where something stands below."""
    text = (
        "---\nsecret: yes\n---\n# Profile\n\n%% hidden one %%\n\n<!-- hidden two -->\n\n## Who I am\n\n"
        "I am **Ada**, see [[Mira|my sister]].\n\n## Goals\n\n## Tools\n\n- Helix\n- Kiel\n\n"
        "```js\nhidden3\n```\n"
    )
    assert (
        told("Profile.md", text.encode()).text == "Who I am:\nI am Ada, see my sister.\nTools:\nHelix\nKiel"
    )


def test_profile_that_stays_here_says_so_before_it_is_indexed() -> None:
    """The property counts as it stands in the file, not as the index knew it."""
    assert told("Profile.md", b"---\npai: local\n---\nI am Ada.\n").is_local
    assert not told("Profile.md", b"I am Ada.\n").is_local


def test_profile_is_read_anew_and_survives_a_missing_note(tmp_path: Path) -> None:
    """What a person writes counts for the next question, and a note that is gone tells nothing."""
    (tmp_path / "Memory").mkdir()
    note = tmp_path / "Memory" / "Profile.md"
    note.write_text("I am Ada.\n", "utf-8")
    profile = PersonProfile(tmp_path, "Memory", lambda: ["Memory/Profile.md"])
    assert [each.text for each in profile.notes()] == ["I am Ada."]
    note.write_text("I am Mira.\n", "utf-8")
    assert [each.text for each in profile.notes()] == ["I am Mira."]
    note.unlink()
    assert profile.notes() == []


def test_profile_is_begun_once_and_never_overwritten(tmp_path: Path) -> None:
    """The template comes where nothing is; what a person wrote, if only a byte, stays."""
    path = begin(tmp_path, "Memory")
    assert path is not None
    assert path.read_text("utf-8") == TEMPLATE
    path.write_bytes(b"x")
    assert begin(tmp_path, "Memory") is None
    assert path.read_bytes() == b"x"


def test_profile_is_begun_within_the_vault_alone(tmp_path: Path) -> None:
    """A folder that leads out of the vault, by its name or as a link, gets nothing."""
    vault, outside = tmp_path / "vault", tmp_path / "outside"
    vault.mkdir()
    outside.mkdir()
    (vault / "Linked").symlink_to(outside)
    (vault / "File").write_text("", "utf-8")
    for folder in ("../outside", "Linked", ".", str(outside), "File"):
        with pytest.raises(UsageError):
            begin(vault, folder)
    assert not list(outside.iterdir())
