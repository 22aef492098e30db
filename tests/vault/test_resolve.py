"""Links: where they lead, as in Obsidian, and how a link to a note is written."""

from __future__ import annotations

import posixpath
import tomllib
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pai_daemon.notes.links import slug
from pai_daemon.vault.resolve import LinkResolver

PATHS = (
    "Home.md",
    "A/Note.md",
    "A/B/Note.md",
    "C/Note.md",
    "C/Only.md",
    "\u00dcbung.md",
    "v1.2.md",
    "A/C# x.md",
)
NAMES = st.sampled_from(["a.md", "A.md", "f/a.md", "f/g/a.md", "g/a.md", "f/b.md", "b.md", "g/F/a.md"])


@pytest.fixture
def resolver() -> LinkResolver:
    """Return a resolver that knows a few notes."""
    return LinkResolver({path: ("Nickname",) if path == "C/Only.md" else () for path in PATHS})


@pytest.mark.parametrize(
    ("target", "source", "path"),
    [
        ("A/B/Note", "Home.md", "A/B/Note.md"),
        ("A/B/Note.md", "Home.md", "A/B/Note.md"),
        ("only", "Home.md", "C/Only.md"),
        ("ONLY.md", "Home.md", "C/Only.md"),
        ("Note", "C/Only.md", "C/Note.md"),
        ("Note", "A/B/x.md", "A/B/Note.md"),
        ("Note", "Home.md", "A/Note.md"),
        ("B/Note", "Home.md", "A/B/Note.md"),
        ("b/note", "Home.md", "A/B/Note.md"),
        ("/Home", "A/Note.md", "Home.md"),
        ("../C/Only.md", "A/Note.md", "C/Only.md"),
        ("./B/Note", "A/Note.md", "A/B/Note.md"),
        ("../../Home", "A/Note.md", None),
        (unicodedata.normalize("NFD", "\u00fcbung"), "Home.md", "\u00dcbung.md"),
        ("v1.2", "Home.md", "v1.2.md"),
        ("", "Home.md", "Home.md"),
        ("Nickname", "Home.md", None),
        ("Not", "Home.md", None),
        ("X/Note", "Home.md", None),
    ],
)
def test_resolve_leads_where_obsidian_leads(
    resolver: LinkResolver, target: str, source: str, path: str | None
) -> None:
    """Exact path, then name in any case; of several the source's folder, then the nearest to the root."""
    assert resolver.resolve(target, source) == path


def test_named_finds_notes_by_alias_too(resolver: LinkResolver) -> None:
    """An alias is no target, but it names the note that a broken link may have meant."""
    assert resolver.named("nickname") == ("C/Only.md",)
    assert resolver.named("note") == ("A/B/Note.md", "A/Note.md", "C/Note.md")


def test_add_and_remove_change_what_resolves(resolver: LinkResolver) -> None:
    """A note removed is no longer led to; one added again has only its new aliases."""
    resolver.remove("C/Only.md")
    assert resolver.resolve("Only", "Home.md") is None
    assert resolver.named("Nickname") == ()
    resolver.add("C/Only.md", ["New"])
    resolver.add("C/Only.md", ["Newer"])
    assert (resolver.named("New"), resolver.named("newer")) == ((), ("C/Only.md",))
    assert len(resolver) == len(PATHS)


def test_shortest_link_is_the_name_if_it_is_unique(resolver: LinkResolver) -> None:
    """A unique name is enough; else the path without its suffix is needed."""
    assert resolver.shortest_link("C/Only.md") == "Only"
    assert resolver.shortest_link("A/B/Note.md") == "A/B/Note"


def test_link_markup_writes_what_leads_back(resolver: LinkResolver) -> None:
    """A wikilink where the name allows it, else a Markdown link."""
    assert resolver.link_markup("C/Only.md") == "[[Only]]"
    assert resolver.link_markup("C/Only.md", "this one") == "[[Only|this one]]"
    assert resolver.link_markup("A/C# x.md") == "[C# x](A/C%23%20x.md)"
    assert resolver.link_markup("C/Only.md", "a|b") == "[a|b](C/Only.md)"


FILES = st.sampled_from(
    ["a.md", "A.md", "f/a.md", "f/a.png", "a.png", "a.png.md", "g/a.png.md", "f/g/A.md", "a.md.md"]
)
TARGETS = st.sampled_from(
    ["a", "A", "a.md", "a.png", "f/a", "g/a.png", "g/a", "./a", "../a.png", "a.md.md", "/f/A.PNG"]
)


def looked_up(files: set[str], target: str, source: str) -> str | None:
    """Return where a link leads by looking at every file, and each rule in turn."""
    folder = source.rpartition("/")[0]
    relative = target.startswith(("./", "../"))
    beside = posixpath.normpath(f"{folder}/{target}" if folder else target).removeprefix("/")

    def nearness(path: str) -> tuple[bool, int, int, str]:
        return path.rpartition("/")[0] != folder, path.count("/"), len(path), path

    def at(written: str, *, below: bool) -> str | None:
        for name in (written, f"{written}.md"):
            ends = [path for path in files if slug("/" + path).endswith(slug("/" + name))]
            root = [path for path in ends if slug(path) == slug(name)]
            for chosen in ([name] if name in root else [], root, ends if below else []):
                if chosen:
                    return min(chosen, key=nearness)
        return None

    if relative:
        return at(beside, below=False)
    return at(target.strip("/"), below=True) or at(beside, below=False)


@given(st.lists(FILES), TARGETS, FILES)
@settings(deadline=None)
def test_resolve_equals_a_search_of_all_files(changes: list[str], target: str, source: str) -> None:
    """After files came and went, a link leads where a search of every file says."""
    resolver = LinkResolver()
    files: set[str] = set()
    for path in changes:
        if path in files:
            files.remove(path)
            resolver.remove(path)
        else:
            files.add(path)
            resolver.add(path)
    assert resolver.resolve(target, source) == looked_up(files, target, source)


TABLE = tomllib.loads((Path(__file__).parent / "resolution.toml").read_text("utf-8"))["vault"]


@pytest.mark.parametrize(
    ("files", "row"), [(vault["files"], row) for vault in TABLE for row in vault["rows"]], ids=str
)
def test_resolve_agrees_with_the_table(files: list[str], row: list[str]) -> None:
    """Each row of the table holds; the table says what it rests on."""
    source, target, path = row
    assert LinkResolver(dict.fromkeys(files, ())).resolve(target, source) == (path or None)


@given(st.sets(NAMES), NAMES)
@settings(deadline=None)
def test_shortest_link_leads_back_from_anywhere(paths: set[str], source: str) -> None:
    """Whatever notes there are, the shortest link to each leads to it from every other."""
    resolver = LinkResolver(dict.fromkeys(paths, ()))
    for path in paths:
        assert resolver.resolve(resolver.shortest_link(path), source) == path


def test_note_with_two_names_that_end_alike_can_be_removed() -> None:
    """Names in two namespaces share their last part; removing the note takes it away once."""
    resolver = LinkResolver()
    resolver.add("a.md", names=("x/b", "y/b"))
    assert resolver.resolve("b", "other.md") == "a.md"
    resolver.remove("a.md")
    assert resolver.resolve("b", "other.md") is None
    assert resolver.resolve("x/b", "other.md") is None
