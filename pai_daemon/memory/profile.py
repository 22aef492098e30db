"""Who a person is, in a few lines that every generator is told: TELOS files, or `Profile.md` (D84).

A person who keeps the files of Miessler's TELOS keeps them together, so that a folder is taken by its name,
or by three of theirs in it; a lone `Projects.md` is an ordinary note. Of several folders the one nearest to
the top is taken: what was clipped into a folder of its own never joins a profile that is there. Without one
it is the note `Profile.md` of the memory folder, which `pai memory init` begins.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from pathlib import Path, PurePosixPath

from pai_daemon.context.answering.memory import Background
from pai_daemon.errors import PaiError
from pai_daemon.notes.plain import plain_text
from pai_daemon.notes.reader import read_note
from pai_daemon.vault.scan import read_bytes

PROFILE = "Profile.md"
TELOS_FOLDER = "telos"
# A folder of another name is one of TELOS files where it holds so many of them.
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
    folders: dict[str, dict[int, str]] = defaultdict(dict)
    for path in sorted(paths):
        place = PurePosixPath(path)
        if place.suffix.lower() == ".md" and place.stem.casefold() in _PLACE_OF:
            folders[str(place.parent)].setdefault(_PLACE_OF[place.stem.casefold()], path)
    telos = [
        folder
        for folder, found in folders.items()
        if PurePosixPath(folder).name.casefold() == TELOS_FOLDER or len(found) >= ENOUGH_FILES
    ]
    if telos:
        # One within the memory folder is meant for nothing else.
        nearest = min(
            telos, key=lambda each: (not f"{each}/".startswith(f"{memory_folder}/"), _depth(each), each)
        )
        return [folders[nearest][place] for place in sorted(folders[nearest])]
    own = f"{memory_folder}/{PROFILE}".casefold()
    return [path for path in sorted(paths) if path.casefold() == own][:1]


def _depth(folder: str) -> int:
    return 0 if folder == "." else folder.count("/") + 1


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
