"""A move of anything in any vault: each link leads where it led, and the way back gives the bytes back."""

from __future__ import annotations

from posixpath import dirname, relpath

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pai_daemon.action.moving import Moved, planned_move
from pai_daemon.action.spelling import LinkForm
from pai_daemon.errors import UsageError
from pai_daemon.notes.logseq import Graph
from pai_daemon.notes.note import Note
from tests.action.moves import after, led, resolver_of, vault_of

FOLDERS = ("", "A/", "A/B/", "C/", "C/A/", "Ünï code/")
NAMES = ("One", "two", "Three 3", "Ä (x)", "it's", "a.b")
PATHS = st.builds("{}{}.md".format, st.sampled_from(FOLDERS), st.sampled_from(NAMES))
ANY_PATHS = PATHS | st.builds("{}pic.png".format, st.sampled_from(FOLDERS))
FORMS: tuple[LinkForm, ...] = ("shortest", "relative", "absolute", "unset")
BETWEEN = st.sampled_from(("text ", "\n\n- item ", "\n\n> quote ", "\n\n# Head ", " `[[One]]` ", "\r\n\r\n"))


def spellings(path: str, source: str) -> list[str]:
    """Return ways to write a target, whether they lead to the path or not."""
    seen = relpath(f"/{path}", f"/{dirname(source)}")
    ways = [path, path.rpartition("/")[2], "/".join(path.split("/")[-2:]), f"/{path}", seen, f"./{seen}"]
    return [*ways, *(way.removesuffix(".md") for way in ways), path.lower()]


def encoded(target: str) -> str:
    """Return a target as Obsidian writes it in a Markdown link."""
    return target.replace(" ", "%20").replace("(", "%28").replace(")", "%29")


@st.composite
def vaults(draw: st.DrawFn) -> dict[str, bytes]:
    """Return a vault of a few notes with links of all forms, some of which lead nowhere."""
    paths = draw(st.lists(ANY_PATHS, min_size=2, max_size=7, unique_by=str.lower))
    files = dict.fromkeys(paths, b"")
    for path in paths:
        parts: list[str] = []
        for _ in range(draw(st.integers(0, 4))):
            target = draw(st.sampled_from(spellings(draw(st.sampled_from(paths) | ANY_PATHS), path)))
            fragment = draw(st.sampled_from(("", "#Head", "#^id")))
            parts += (
                draw(BETWEEN),
                draw(
                    st.sampled_from(
                        (
                            f"[[{target}{fragment}]]",
                            f"![[{target}{fragment}|alias]]",
                            f"[label]({encoded(target)}{fragment})",
                            f"![label](<{target}>)",
                        )
                    )
                ),
            )
        if path.endswith(".md"):
            files[path] = "".join(parts).encode()
    return files


@st.composite
def moves(draw: st.DrawFn, files: dict[str, bytes]) -> tuple[str, str]:
    """Return a file or folder of a vault and a path for it."""
    folders = sorted({dirname(path) for path in files} - {""})
    old = draw(st.sampled_from([*files, *folders]))
    if old not in files:
        return old, draw(st.sampled_from(("D", "A/D", "D/E/F", "C", "A/B")))
    new = draw(
        st.builds("{}{}".format, st.sampled_from((*FOLDERS, "D/E/")), st.sampled_from((*NAMES, "Néw")))
    )
    return old, f"{new}.{old.rpartition('.')[2]}"


def led_to(files: dict[str, bytes], notes: dict[str, Note]) -> dict[str, list[tuple[str, str | None]]]:
    """Return for each note its links' targets, and where they lead."""
    resolver = resolver_of(files, notes)
    return {
        path: [(link.target, resolver.resolve(link.target, path)) for link in led(note)]
        for path, note in notes.items()
    }


def check(files: dict[str, bytes], plan: Moved, graph: Graph | None = None) -> None:
    """Assert that each link leads where it led, and that what led nowhere still does."""
    was = led_to(files, vault_of(files, graph=graph)[1])
    now = led_to(after(files, plan), vault_of(after(files, plan), graph=graph)[1])
    left = {found.path for found in plan.left}
    for path, links in was.items():
        moved = now[plan.paths.get(path, path)]
        assert len(moved) == len(links)
        for (target, before), (written, found) in zip(links, moved, strict=True):
            if before is not None:
                assert found == plan.paths.get(before, before) or path in left, (path, target, written)
            elif found is not None:
                assert (path, target) in plan.claimed, (path, target, written)
    assert all(plan.texts[path] != text for path, text in plan.before.items())


@given(st.data(), vaults(), st.sampled_from(FORMS))
@settings(deadline=None, max_examples=300)
def test_each_link_leads_where_it_led(data: st.DataObject, files: dict[str, bytes], form: LinkForm) -> None:
    """Whatever moves, whatever is ambiguous: to the same note, or nowhere as before, and nothing is left."""
    old, new = data.draw(moves(files))
    try:
        plan = planned_move(vault_of(files, form)[0], old, new)
    except UsageError:
        assume(False)
    assert not plan.left
    check(files, plan)


@given(st.data(), vaults(), st.sampled_from(FORMS))
@settings(deadline=None, max_examples=300)
def test_a_note_changes_only_in_the_targets_of_its_links(
    data: st.DataObject, files: dict[str, bytes], form: LinkForm
) -> None:
    """Labels, headings, embeds, and all text between links are what they were."""
    old, new = data.draw(moves(files))
    try:
        plan = planned_move(vault_of(files, form)[0], old, new)
    except UsageError:
        assume(False)
    notes, moved = vault_of(files)[1], vault_of(after(files, plan))[1]
    for path, note in notes.items():
        found = moved[plan.paths.get(path, path)]
        assert [(x.fragment, x.alias, x.embed, x.kind) for x in found.links] == [
            (x.fragment, x.alias, x.embed, x.kind) for x in note.links
        ]
        assert between(found) == between(note)


def between(note: Note) -> list[str]:
    """Return what stands between the links of a note."""
    ends = [0, *(link.end for link in note.links)]
    starts = [*(link.start for link in note.links), len(note.text)]
    return [note.text[end:start] for end, start in zip(ends, starts, strict=True)]


@st.composite
def plain_vaults(draw: st.DrawFn) -> dict[str, bytes]:
    """Return a vault whose notes have names of their own, lie in folders, and are linked by name or path."""
    names = draw(st.lists(st.sampled_from(NAMES), min_size=2, max_size=5, unique=True))
    paths = [f"{draw(st.sampled_from(FOLDERS[1:]))}{name}.md" for name in names]
    files: dict[str, bytes] = {}
    for source in paths:
        links = []
        for path in draw(st.lists(st.sampled_from(paths), max_size=4)):
            target = draw(st.sampled_from((path.removesuffix(".md"), path.rpartition("/")[2][:-3])))
            markdown = f"[x]({encoded(path)})" if "(" not in path else "none"
            links.append(draw(st.sampled_from((f"[[{target}]]", f"![[{target}#h|a]]", markdown))))
        files[source] = " and ".join(links).encode()
    return files


@given(st.data(), plain_vaults())
@settings(deadline=None, max_examples=300)
def test_the_way_back_gives_the_bytes_back(data: st.DataObject, files: dict[str, bytes]) -> None:
    """Where no name is ambiguous, a move and its reverse leave every note as it was, byte for byte."""
    old = data.draw(st.sampled_from(sorted(files)))
    new = (
        f"{data.draw(st.sampled_from(('A/', 'C/', 'D/E/')))}{data.draw(st.sampled_from(('New', 'Ne w')))}.md"
    )
    there = after(files, planned_move(vault_of(files)[0], old, new))
    back = after(there, planned_move(vault_of(there)[0], new, old))
    assert back == files


@given(st.data())
@settings(deadline=None, max_examples=200)
def test_each_link_of_a_graph_leads_where_it_led(data: st.DataObject) -> None:
    """Pages of Logseq too, with namespaces, tags, embeds and lists of names."""
    names = ("One", "two", "One___two", "One___two___3", "My page", "x")
    pages = data.draw(st.lists(st.sampled_from(names), min_size=2, unique=True))
    files: dict[str, bytes] = {}
    for page in pages:
        said = []
        for name in data.draw(st.lists(st.sampled_from((*pages, "None")), max_size=4)):
            called = name.replace("___", "/")
            tag = f"#[[{called}]]" if " " in called else f"#{called}"
            forms = (
                f"[[{called}]]",
                tag,
                f"{{{{embed [[{called}]]}}}}",
                f"[l]([[{called}]])",
                f"[f](../pages/{encoded(name)}.md)",
            )
            said.append(f"- a {data.draw(st.sampled_from(forms))} b")
        head = data.draw(
            st.sampled_from(
                ("", f"tags:: {pages[0].replace('___', '/')}, [[{pages[1].replace('___', '/')}]]\n")
            )
        )
        files[f"pages/{page}.md"] = (head + "\n".join(said)).encode()
    old = data.draw(st.sampled_from(sorted(files)))
    new = data.draw(st.sampled_from(("New", "New___a", "b c", "One___n")))
    graph = Graph()
    plan = planned_move(vault_of(files, graph=graph)[0], old, f"pages/{new}.md")
    assert not plan.left
    check(files, plan, graph)
