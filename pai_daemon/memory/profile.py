"""Who a person is, in a few lines that every generator is told: TELOS files, or `Profile.md` (D84).

What is told with every question must be the person's own. So it is taken from where nothing is clipped or
shared to: the memory folder first (`Profile.md`, which `pai memory init` begins, or TELOS files), then a
folder `TELOS` at the top of the vault or in `PAI/USER`, as Miessler's PAI has it, then the top itself, where
three of the files lie there: a lone `Projects.md` is an ordinary note. Only one of these counts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from pathlib import Path, PurePosixPath

from pai_daemon.context.answering.memory import Background
from pai_daemon.errors import PaiError, UsageError
from pai_daemon.notes.plain import plain_text
from pai_daemon.notes.reader import read_note
from pai_daemon.vault.scan import read_bytes

PROFILE = "Profile.md"
TELOS_FOLDERS = ("telos", "pai/user/telos")
# At the top of a vault, so many make it a profile.
ENOUGH_FILES = 3
# What a person is comes before what they have in hand; each with its German names.
_NAMES = (
    "mission auftrag",
    "goals ziele",
    "projects projekte",
    "beliefs überzeugungen glaubenssätze",
    "models modelle",
    "strategies strategien",
    "challenges herausforderungen",
    "learned gelernt gelerntes erkenntnisse",
    "narratives narrative geschichten",
    "ideas ideen",
)
_PLACE_OF = {name: place for place, names in enumerate(_NAMES) for name in names.split()}
_LIMIT_BYTES = 64 * 1024
_SILENT = frozenset({"frontmatter", "comment", "html", "code", "rule", "definition", "footnote", "drawer"})

TEMPLATE = """\
# Profile

%% Every answer that a model writes is given this note, as far as about 300 tokens of it. Write what a friend
would know, in your own words; delete what you do not need. With the property pai: local it never leaves this
machine. What stands in a comment like this one is told to nobody. %%

## Who I am

%% Name, where you live, what you do. %%

## Goals

%% What you work towards this year. %%

## Projects

%% What you have in hand, with links to its notes. %%

## Preferences

%% How you like answers: language, length, units, tools you use. %%

## People

%% Who is who: “Mira is my sister.” %%
"""


def profile_paths(paths: Collection[str], memory_folder: str) -> list[str]:
    """Return which of a vault's notes are its profile, in the order in which they are told."""
    own = f"{memory_folder}/".casefold()
    folders: dict[str, dict[int, str]] = defaultdict(dict)
    for path in sorted(paths):
        name = PurePosixPath(path)
        folder = "" if str(name.parent) == "." else str(name.parent).casefold()
        if path.casefold() == f"{own}{PROFILE}".casefold():
            folders["profile"][-1] = path
        elif name.suffix.lower() == ".md" and name.stem.casefold() in _PLACE_OF:
            # In the memory folder they lie at its top, or in a folder of their own, beside `Profile.md`.
            place = "profile" if f"{folder}/" in (own, f"{own}telos/") else folder
            folders[place].setdefault(_PLACE_OF[name.stem.casefold()], path)
    for place in ("profile", *TELOS_FOLDERS, ""):
        found = folders.get(place, {})
        if found and (place or len(found) >= ENOUGH_FILES):
            return [found[number] for number in sorted(found)]
    return []


def begin(vault: Path, memory_folder: str) -> Path | None:
    """Write the template of a profile and return its path; None where there is one, which stays as it is.

    Raises UsageError where it cannot be written, or would lie outside of the vault.
    """
    path = vault / memory_folder / PROFILE
    root = vault.resolve()
    if not path.parent.resolve().is_relative_to(root) or path.parent.resolve() == root:
        raise UsageError(
            f"The memory folder {memory_folder!r} is no folder within the vault.",
            hint="Choose another with the setting memory_folder.",
        )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # A file that appears meanwhile stays, too.
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(TEMPLATE)
    except OSError as error:
        if path.is_file():
            return None
        raise UsageError(f"{path} cannot be written: {error.strerror}.") from error
    return path


def told(path: str, data: bytes) -> Background:
    """Return what of a note is told: its text without properties, comments, HTML and code."""
    note = read_note(path, data, limit_bytes=_LIMIT_BYTES)
    said = str(note.properties.get("pai")).lower()
    lines: list[str] = []
    headings: list[tuple[int, str]] = []
    levels = {heading.start: heading for heading in note.headings}
    for block in note.top_blocks():
        if block.kind in _SILENT:
            continue
        if block.kind == "heading":
            if (heading := levels.get(block.start)) is not None:
                headings = [each for each in headings if each[0] < heading.level]
                headings.append((heading.level, heading.text))
            continue
        if text := plain_text(note.text[block.start : block.end]).strip():
            # The title says no more than the path does.
            lines += [f"{words}:" for level, words in headings if level > 1 and words]
            headings = [(level, "") for level, _ in headings]
            lines.append(text)
    return Background(path, "\n".join(lines), is_local=said == "local")


class PersonProfile:
    """The profile of one vault, read anew for each question: a person edits it, and it counts at once."""

    def __init__(self, vault: Path, folder: str, paths: Callable[[], Collection[str]]) -> None:
        """Name the vault and its memory folder. paths: gives the notes that are indexed, and no others."""
        self._vault = vault
        self._folder = folder
        self._paths = paths

    def paths(self) -> Sequence[str]:
        """Return which notes it is."""
        return profile_paths(self._paths(), self._folder)

    def notes(self) -> Sequence[Background]:
        """Return what each of its notes tells; one that is empty, gone or cannot be read tells nothing."""
        found = []
        for path in self.paths():
            try:
                data, _ = read_bytes(self._vault, path, _LIMIT_BYTES)
            except (PaiError, OSError):
                continue
            if (note := told(path, data)).text:
                found.append(note)
        return found
