"""Links and tags of real vaults: ours against obsidiantools and against the counter of the bench data.

Each difference has a reason in a table, with whose it is, and is counted; one without a reason fails. The
vaults are those of the bench data where they are, else the sample vault; the test's name says which it read.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from pai_daemon.notes.logseq import Graph
from pai_daemon.notes.note import Note
from pai_daemon.notes.reader import read_note
from tests.bench.data import BENCH_DATA, SAMPLE_VAULT, unpack
from tests.notes.opinions import Names, counter, notes_of, obsidiantools, ours

# Each how-manieth note is read: obsidiantools takes 23 ms for one, and the first vault has 13,053.
REAL = {
    "vault-zettelkasten-en": 100,
    "vault-tasks-docs-en": 2,
    "vault-universus-de": 1,
    "graph-logseq-docs-en": 1,
}
VAULTS = [name for name in REAL if (BENCH_DATA / f"{name}.tar.zst").exists()] or ["sample-vault"]


@dataclass(frozen=True, slots=True)
class Difference:
    """A name that one side found more often in a note.

    kind: link, embed or tag. side: ours or theirs. others: what only the other side found in this note.
    """

    note: Note
    kind: str
    side: str
    name: str
    others: tuple[str, ...]

    def stands(self, before: str) -> bool:
        """Return whether the name stands in the note right after what the pattern matches."""
        pattern = before + re.escape(self.name)
        return re.search(pattern, self.note.text, re.IGNORECASE | re.MULTILINE) is not None


@dataclass(frozen=True, slots=True)
class Reason:
    """Why names of a kind differ on a side; side: who has more.

    whose: who is wrong, neither where the two look for different things. What was ours is fixed.
    """

    kind: str
    side: str
    whose: str
    why: str
    fits: Callable[[Difference], bool]

    def explains(self, difference: Difference) -> bool:
        """Return whether this is the reason."""
        return (self.kind, self.side) == (difference.kind, difference.side) and self.fits(difference)


def _is_property(found: Difference) -> bool:
    text = found.note.text
    head = text[: found.note.body_start] or text.partition("\n- ")[0]
    return found.name in head.casefold()


def _is_in_longer(found: Difference) -> bool:
    return any(other.startswith(found.name) for other in found.others)


def _holds_shorter(found: Difference) -> bool:
    return any(found.name.startswith(other.casefold()) for other in (*found.others, *found.note.tags))


def _letters(name: str) -> str:
    return "".join(char for char in name if char.isalnum())


def _is_changed(found: Difference) -> bool:
    return any(_letters(other) == _letters(found.name) for other in found.others)


def _has_label(found: Difference) -> bool:
    return any(link.alias and found.name == f"{link.target} {link.alias}" for link in found.note.links)


def _has_backtick(found: Difference) -> bool:
    return any("`" in other for other in found.others)


def _is_hidden(found: Difference) -> bool:
    """Return whether an outline has the name in code, in a query or in another macro."""
    note = found.note
    places = [match.start() for match in re.finditer(r"\[\[" + re.escape(found.name), note.text)]
    spans = [(mark.start, mark.end) for mark in note.marks if mark.kind in ("code", "macro")]
    spans += [
        (block.start, block.end) for block in note.blocks if block.kind in ("code", "comment", "drawer")
    ]
    return note.kind == "outline" and any(start <= place < end for place in places for start, end in spans)


_DEEP_BULLET = r"^(?:\t| {2,})[^\n]*\[\["

OBSIDIANTOOLS = (
    Reason("tag", "ours", "neither", "it reads the text and not the properties", _is_property),
    Reason("tag", "ours", "theirs", "a tag goes on to the next blank", _is_in_longer),
    Reason(
        "tag",
        "ours",
        "neither",
        "Logseq: a tag may be of digits, or in brackets",
        lambda d: d.stands(r"#(?:\[\[)?"),
    ),
    Reason(
        "tag", "theirs", "theirs", "a fragment of an address is no tag", lambda d: d.stands(r"https?://\S*#")
    ),
    Reason("tag", "theirs", "theirs", "a fragment of a link is no tag", lambda d: ">" in d.name),
    Reason("tag", "theirs", "theirs", "a tag goes on to the next blank", _holds_shorter),
    Reason("tag", "theirs", "theirs", "no blank stands before the hash", lambda d: d.stands(r"\S#")),
    Reason("link", "ours", "theirs", "rendering changes the name", _is_changed),
    Reason("link", "ours", "theirs", "rendering loses the bar before a label", _is_in_longer),
    Reason(
        "link", "ours", "theirs", "a bullet deep in an outline is no code", lambda d: d.stands(_DEEP_BULLET)
    ),
    Reason(
        "link", "ours", "neither", "Logseq: a reference may have a label", lambda d: d.stands(r"\]\(\[\[")
    ),
    Reason("link", "ours", "theirs", "a backtick left open hides what follows", _has_backtick),
    Reason("link", "theirs", "theirs", "rendering changes the name", _is_changed),
    Reason("link", "theirs", "theirs", "rendering loses the bar before a label", _has_label),
    Reason("link", "theirs", "theirs", "rendering runs two links into one", lambda d: "[[" in d.name),
    Reason("link", "theirs", "neither", "code and queries of an outline have no links", _is_hidden),
    Reason(
        "link", "theirs", "neither", "a Templater command is no prose", lambda d: d.stands(r"<%[^%]*\[\[")
    ),
)
COUNTER = (
    Reason(
        "link", "ours", "neither", "it leaves out tags and macros", lambda d: d.stands(r"(?:#|\{\{.*)\[\[")
    ),
    Reason("link", "theirs", "neither", "code and queries of an outline have no links", _is_hidden),
    Reason(
        "link", "theirs", "neither", "a Templater command is no prose", lambda d: d.stands(r"<%[^%]*\[\[")
    ),
)


def _differences(note: Note, kind: str, mine: Names, theirs: Names) -> Iterator[Difference]:
    """Yield what one side has more of."""
    for side, more, less in (
        ("ours", mine - theirs, theirs - mine),
        ("theirs", theirs - mine, mine - theirs),
    ):
        for name in more.elements():
            yield Difference(note, kind, side, name, tuple(less))


def _explain(
    differences: Iterator[Difference], reasons: tuple[Reason, ...]
) -> tuple[Counter[str], list[str]]:
    """Return how often each reason holds, and a line for each difference without one."""
    counts: Counter[str] = Counter()
    unexplained = []
    for found in differences:
        reason = next((reason for reason in reasons if reason.explains(found)), None)
        if reason is None:
            unexplained.append(f"{found.note.path}: {found.kind} {found.name!r}, only {found.side}")
        else:
            counts[f"{reason.whose}: {reason.why}"] += 1
    return counts, unexplained


@pytest.fixture(scope="module", params=VAULTS)
def vault(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[Path, Note]:
    """Return the notes of a vault that are compared, each with its path on disk."""
    name: str = request.param
    folder = unpack(name, tmp_path_factory.mktemp("vault")) or SAMPLE_VAULT
    graph = Graph() if name.startswith("graph-") else None
    return {
        path: read_note(path.relative_to(folder).as_posix(), path.read_bytes(), graph=graph)
        for path in notes_of(folder, REAL.get(name, 1))
    }


@pytest.mark.filterwarnings("ignore")
def test_links_and_tags_differ_from_obsidiantools_only_with_a_reason(
    vault: dict[Path, Note], record_property: Callable[[str, object], None]
) -> None:
    """Each link, embed and tag that one side finds and the other does not has a reason in the table."""
    theirs_of = obsidiantools()
    if theirs_of is None:
        pytest.skip("obsidiantools is not installed")
    differences: list[Difference] = []
    for path, note in vault.items():
        mine, theirs = ours(note), theirs_of(path)
        differences += _differences(note, "link", mine.links, theirs.links)
        differences += _differences(note, "embed", mine.embeds, theirs.embeds)
        differences += _differences(note, "tag", mine.tags, theirs.tags)
    counts, unexplained = _explain(iter(differences), OBSIDIANTOOLS)
    record_property("reasons", dict(counts))
    assert not unexplained, "\n".join(unexplained)


def test_links_differ_from_the_counter_only_with_a_reason(
    vault: dict[Path, Note], record_property: Callable[[str, object], None]
) -> None:
    """Each link that one side finds and the other does not has a reason in the table."""
    theirs_of = counter(BENCH_DATA)
    if theirs_of is None:
        pytest.skip("the bench data is not here")
    differences = [
        found
        for note in vault.values()
        for found in _differences(note, "link", ours(note).links, theirs_of(note.text))
    ]
    counts, unexplained = _explain(iter(differences), COUNTER)
    record_property("reasons", dict(counts))
    assert not unexplained, "\n".join(unexplained)
