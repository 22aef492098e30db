"""The state of all links: broken ones with repairs, notes without links, and near copies."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from pai_daemon.context.linking.duplicates import Duplicates
from pai_daemon.context.linking.kept import Kept
from pai_daemon.context.linking.report import LinkReport, Reading, Reporter
from tests.context.conftest import GoLive, Live
from tests.daemon_process import eventually

PROSE = (
    "The boat is moored at the lower basin from October, and the engine is serviced before that. "
    "Tom looks after the batteries, and the stove is swept in the last week of the year. "
)


@pytest.fixture
def vault(tmp_path: Path) -> Path:
    """Return a small vault with a link of each kind."""
    root = tmp_path / "vault"
    (root / "Deep").mkdir(parents=True)
    notes = {
        "Hub.md": "[[Mooring]], [[Moorings]], ![[picture.png]], [web](https://x.org), [[Deep/Engin]], #tag\n",
        "Mooring.md": "Text. [up](Hub.md) [gone](Nowhere%20at%20all.md)\n",
        "Deep/Engine.md": "Text. [[#Heading]]\n",
        "Alone.md": PROSE,
        "Copy.md": f"---\ntitle: Another\n---\n{PROSE}Spring.\n",
        "Short.md": "Text.\n",
    }
    for path, text in notes.items():
        (root / path).write_text(text, "utf-8")
    return root


def report_of(live: Live) -> LinkReport:
    """Return the report, and hold what is told on the way."""
    *steps, report = Reporter(live.vault, live.index, live.reader, live.linker.kept).report()
    assert isinstance(report, LinkReport)
    assert steps
    assert all(isinstance(step, Reading) for step in steps)
    assert all(a.done <= b.done for a, b in pairwise(step for step in steps if isinstance(step, Reading)))
    return report


def test_report_names_what_is_broken_alone_or_double(go_live: GoLive, vault: Path) -> None:
    """Each broken link with its line and the nearest name; notes without links; and two that say the same."""
    live = go_live(vault, model=False)
    live.settled("indexing")
    report = report_of(live)
    assert [(link.path, link.line, link.target) for link in report.broken] == [
        ("Hub.md", 1, "Moorings"),
        ("Hub.md", 1, "picture.png"),
        ("Hub.md", 1, "Deep/Engin"),
        ("Mooring.md", 1, "Nowhere at all.md"),
    ]
    first = {link.target: link.repairs[0].path for link in report.broken if link.repairs}
    assert first == {"Moorings": "Mooring.md", "Deep/Engin": "Deep/Engine.md"}
    assert report.broken[0].repairs[0].link == "[[Mooring|Moorings]]"
    assert [note.path for note in report.orphans] == ["Alone.md", "Copy.md", "Deep/Engine.md", "Short.md"]
    assert [(pair.first, pair.second) for pair in report.duplicates] == [("Alone.md", "Copy.md")]
    assert report.notes == 6
    assert report.unread == ()


def test_link_to_a_renamed_note_is_repaired_by_its_history(go_live: GoLive, vault: Path) -> None:
    """The old name leads to what the note is called now, over two steps, though no name is alike."""
    (vault / "Hub.md").write_text("[[Mooring|the berth]] [[Nothing]]\n")
    live = go_live(vault, model=False)
    live.settled("indexing")
    (vault / "Mooring.md").rename(vault / "Winter berth.md")
    eventually(lambda: "Winter berth.md" in live.paths(), "the first rename")
    (vault / "Winter berth.md").rename(vault / "Deep" / "Basin.md")
    eventually(lambda: "Deep/Basin.md" in live.paths(), "the second rename")
    (broken,) = [link for link in report_of(live).broken if link.target == "Mooring"]
    assert broken.repairs[0].path == "Deep/Basin.md"
    assert broken.repairs[0].link == "[[Basin|the berth]]"
    assert broken.repairs[0].why == "it was called so before"


def test_former_name_that_is_in_use_again_is_no_repair(tmp_path: Path) -> None:
    """A note that takes a former name is what the name means."""
    kept = Kept(tmp_path / "links.json")
    kept.rename({"A.md": "B.md"})
    kept.rename({"C.md": "A.md"})
    assert kept.former() == {"C.md": "A.md"}


def test_renames_in_a_circle_end(tmp_path: Path) -> None:
    """Two notes that change their names again and again lead to one that is there."""
    kept = Kept(tmp_path / "links.json")
    for _ in range(3):
        kept.rename({"A.md": "B.md", "B.md": "A.md"})
    assert kept.now("A.md") in ("A.md", "B.md")


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"refused": 3}', '{"refused": [["a"]]}', "\0"])
def test_damaged_file_is_put_aside(tmp_path: Path, damage: str) -> None:
    """What cannot be read is kept beside, and the next refusal is written."""
    file = tmp_path / "links.json"
    file.write_text(damage)
    kept = Kept(file)
    assert kept.refused() == []
    kept.refuse([("a.md", "b.md")])
    assert Kept(file).refused() == [("a.md", "b.md")]
    assert file.with_suffix(".damaged").read_text() == damage


def test_near_copies_are_found_among_many() -> None:
    """Of a thousand different notes and one with a few words changed, that pair alone is told."""
    alike = Duplicates()
    for number in range(1000):
        words = (f"w{number * 7919 + place * 104729 % 9973}" for place in range(60))
        alike.add(f"{number}.md", " ".join(words))
    alike.add("copy.md", " ".join(f"w{5 * 7919 + place * 104729 % 9973}" for place in range(58)))
    ((first, second, likeness),) = alike.pairs()
    assert {first, second} == {"5.md", "copy.md"}
    assert 0.9 < likeness < 1
