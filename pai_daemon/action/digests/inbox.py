"""Inbox triage: where each note of the inbox could go, by the notes that it is near to. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pai_daemon.action.action import Action
from pai_daemon.action.digests.wording import listed, said
from pai_daemon.action.material import Piece

NEAR, MOST_NOTES, MOST_TAGS, MOST_LINKS = 6, 30, 3, 2
# Of the notes near it so many must lie in a folder, or carry a tag, before that is proposed.
AGREE = 2


@dataclass(frozen=True, slots=True)
class Kin:
    """A note near another one."""

    path: str
    title: str
    link: str
    tags: tuple[str, ...]
    linked: bool


def compose(
    pieces: Sequence[Piece], kin_of: Callable[[str], Sequence[Kin]], tags_of: Callable[[str], Sequence[str]],
    language: str,
) -> tuple[str, tuple[Action, ...]]:  # fmt: skip
    """Return the list of the inbox as Markdown, and what is proposed."""
    words = said(language, "inbox")
    if not pieces:
        return words["nothing"], ()
    lines, actions = [words["head"].format(n=len(pieces)), ""], []
    for piece in pieces[:MOST_NOTES]:
        inbox = piece.path.rpartition("/")[0]
        kin = [each for each in kin_of(piece.path) if not f"{each.path}/".startswith(f"{inbox}/")][:NEAR]
        told = []
        folder = _agreed([each.path.rpartition("/")[0] for each in kin])
        if folder:
            told.append(words["folder"].format(folder))
            name = piece.path.rpartition("/")[2]
            actions.append(Action("move", piece.path, to=f"{folder}/{name}"))
        known = set(tags_of(piece.path))
        counts = Counter(tag for each in kin for tag in each.tags if tag not in known)
        tags = [tag for tag, count in counts.most_common(MOST_TAGS) if count >= AGREE]
        if tags:
            told.append(words["tags"].format(listed([f"#{tag}" for tag in tags], language)))
            value = "[" + ", ".join(f'"{tag}"' for tag in [*sorted(known), *tags]) + "]"
            actions.append(Action("set_property", piece.path, name="tags", value=value))
        for each in [each for each in kin if not each.linked][:MOST_LINKS]:
            told.append(words["link"].format(each.link))
            actions.append(Action("add_link", piece.path, to=each.link.strip("[]")))
        lines.append(f"- {piece.link}: {'; '.join(told) if told else words['unclear']}")
    # What moves a note comes last: the others are made where it is.
    return "\n".join(lines), tuple(sorted(actions, key=lambda action: action.kind == "move"))


def _agreed(folders: Sequence[str]) -> str:
    """Return the folder that most of the notes lie in, "" where they do not agree."""
    counts = Counter(folder for folder in folders if folder)
    if not counts:
        return ""
    folder, count = counts.most_common(1)[0]
    return folder if count >= AGREE and 2 * count >= len(folders) else ""
