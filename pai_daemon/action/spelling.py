"""How a link to a note that was moved is written: as the person wrote it, as far as that still leads there.

The name alone, the end of the path, the whole path, or a path from the linking note; where the old way would
lead elsewhere, the vault's own setting decides. Pure; where links lead is for `vault.resolve` to say (D91).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from posixpath import dirname, normpath, relpath
from typing import Literal

from pai_daemon.notes.links import slug
from pai_daemon.notes.note import Link
from pai_daemon.vault.resolve import LinkResolver

LinkForm = Literal["shortest", "relative", "absolute", "unset"]
# In these a Markdown link is an address that other programs follow too.
_ADDRESSES = ("relative", "unset")
_RELATIVE = ("./", "../")


def link_form(app_json: str | None) -> LinkForm:
    """Return how a vault writes links, by the text of its `.obsidian/app.json`: shortest if it does not say.

    None is for a folder without that file, which need not be Obsidian's: its Markdown links are addresses.
    """
    if app_json is None:
        return "unset"
    try:
        settings = json.loads(app_json)
    except (ValueError, RecursionError):
        return "shortest"
    chosen = settings.get("newLinkFormat") if isinstance(settings, dict) else None
    return chosen if chosen in ("relative", "absolute") else "shortest"


@dataclass(frozen=True, slots=True)
class Spelling:
    """Says what the links of one note must say after a move.

    before, after: where links lead. paths: old path to new one of each file that moves. source: the note's
    path before. move: the old path and the new one that were asked for. names: what a page of Logseq is
    called besides its path, by its old path: before and after.
    """

    before: LinkResolver
    after: LinkResolver
    paths: Mapping[str, str]
    form: LinkForm
    source: str
    move: tuple[str, str] = ("", "")
    names: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = field(default_factory=dict)

    @property
    def moved_source(self) -> str:
        """Return the note's path after the move."""
        return self.paths.get(self.source, self.source)

    def leads_on(self, target: str) -> bool:
        """Return whether a target leads to the same note after the move as before, or to none both times."""
        return self._meant(target) == self.after.resolve(target, self.moved_source)

    def target_of(self, link: Link) -> str | None:
        """Return what a link must say after the move: what it says where that will do, None for no way."""
        if not link.target:
            return link.target
        is_url = link.kind == "markdown"
        dest = self._meant(link.target)
        if dest is None:
            return self._rebased(link.target, is_url=is_url)
        is_kept = self.leads_on(link.target) and not self._is_roundabout(link.target)
        if is_kept and not (is_url and self.is_cut_off(link.target)):
            return link.target
        written = self._spellings(link.target, dest, is_url=is_url)
        return next((text for text in written if self.after.resolve(text, self.moved_source) == dest), None)

    def _meant(self, target: str) -> str | None:
        """Return the path after the move of the note that a target led to before, None for none."""
        found = self.before.resolve(target, self.source)
        return None if found is None else self.paths.get(found, found)

    def is_cut_off(self, target: str) -> bool:
        """Return whether a Markdown link was an address for any program and would be none after the move.

        What is a path from the root as well, or a mere name, is an address only where the vault writes such.
        """
        found = self.before.resolve(target, self.source) or ""
        is_address = _joined(self.source, target) == found
        is_other = "/" not in target or target == found
        if not is_address or (is_other and self.form not in _ADDRESSES):
            return False
        return _joined(self.moved_source, target) != self.paths.get(found, found)

    def _is_roundabout(self, target: str) -> bool:
        """Return whether a path from a note that moves was the straight one and would be a detour."""
        place = _joined(self.moved_source, target)
        is_straight = _is_straight(target, self.source)
        return (
            self.moved_source != self.source and is_straight and _straight(place, self.moved_source) != target
        )

    def _rebased(self, target: str, *, is_url: bool) -> str:
        """Return a target that led nowhere so that it means the same place from where its note is now."""
        is_relative = target.startswith(_RELATIVE) or (
            is_url and self.form in _ADDRESSES and target[0] != "/"
        )
        if not is_relative or self.moved_source == self.source:
            return target
        place = _joined(self.source, target)
        old, new = self.move
        if f"{place}/".startswith(f"{old}/"):  # of a folder that moves as a whole
            place = new + place[len(old) :]
        written = _relatives(place, self.moved_source, dotted=target.startswith("./") or not is_url)
        dangling = (text for text in written if self.after.resolve(text, self.moved_source) is None)
        is_kept = _joined(self.moved_source, target) == place and not self._is_roundabout(target)
        return target if is_kept else next(dangling, target)

    def _spellings(self, target: str, dest: str, *, is_url: bool) -> Iterator[str]:
        """Yield the ways to write a link to dest, those that are most like target first."""
        found = self.before.resolve(target, self.source) or ""
        old_names, new_names = self.names.get(found, ((), ()))
        if slug(target) in map(slug, old_names):
            known = set(map(slug, old_names))
            yield from (name for name in new_names if slug(name) not in known)
            yield from new_names[:1]
        whole = dest if _has_suffix(target, dest) else _bare(dest)
        dotted = target.startswith("./") or not is_url
        climbed = "" if _is_straight(target, self.source) else target
        relative = (
            *_climbing(whole, self.moved_source, climbed),
            *_relatives(whole, self.moved_source, dotted=dotted),
        )
        parts = target.strip("/").count("/") + 1
        is_root = "/" in target and slug(_bare(target.strip("/"))) == slug(_bare(found))
        is_address = is_url and _joined(self.source, target) == found
        is_like_address = is_address and (self.form in _ADDRESSES or not (parts == 1 or is_root))
        if target.startswith(_RELATIVE) or is_like_address:
            yield from relative
        elif target.startswith("/"):
            yield f"/{whole}"
        elif is_root:
            yield whole
        else:
            yield "/".join(whole.split("/")[-parts:])
        if self.form in ("shortest", "unset"):
            yield whole.rpartition("/")[2]
        elif self.form == "relative":
            yield from relative
        yield whole
        yield f"/{whole}"
        yield from relative
        yield dest


def _relatives(place: str, source: str, *, dotted: bool) -> Iterator[str]:
    """Yield the path of a place from a note's folder, with `./` where nothing else says that it is one."""
    written = _straight(place, source)
    if dotted and not written.startswith("../"):
        yield f"./{written}"
    yield written
    yield f"./{written}"


def _straight(place: str, source: str) -> str:
    """Return the shortest path to a place, which may be outside of the vault, from a note's folder."""
    if place.startswith("../"):
        return "../" * source.count("/") + place
    way = relpath(f"/{dirname(place)}", f"/{dirname(source)}")
    name = place.rpartition("/")[2]
    return name if way == "." else f"{way}/{name}"


def _is_straight(target: str, source: str) -> bool:
    """Return whether a target goes up from a note's folder no further than it must."""
    return target.startswith("../") and _straight(_joined(source, target), source) == target


def _climbing(place: str, source: str, target: str) -> Iterator[str]:
    """Yield the path of a place with as many `../` as target has: Logseq writes `../assets/` everywhere."""
    climbs = 0
    while target.startswith("../", 3 * climbs):
        climbs += 1
    folders = source.split("/")[:-1]
    base = "".join(f"{folder}/" for folder in folders[: len(folders) - climbs])
    if 0 < climbs <= len(folders) and place.startswith(base):
        yield "../" * climbs + place[len(base) :]


def _joined(source: str, target: str) -> str:
    """Return a target seen from the folder of a note, as a path from the root."""
    return normpath(f"{dirname(source)}/{target}" if dirname(source) else target)


def _has_suffix(target: str, dest: str) -> bool:
    """Return whether a target names the file with its extension."""
    return _bare(dest) == dest or _bare(target) != target


def _bare(path: str) -> str:
    """Return the path without `.md`."""
    return path[:-3] if path[-3:].lower() == ".md" else path
