"""A move: every link leads where it led, in the form in which it was written, and nothing else changes."""

from __future__ import annotations

import json

import pytest

from pai_daemon.action.moving import planned_move
from pai_daemon.action.spelling import LinkForm, link_form
from pai_daemon.errors import NotFound, UsageError
from pai_daemon.notes.logseq import Graph
from tests.action.moves import after, vault_of

GRAPH = Graph()


def moved_text(
    files: dict[str, str],
    move: tuple[str, str],
    path: str,
    form: LinkForm = "shortest",
    graph: Graph | None = None,
) -> str:
    """Return what the file that was at path says after a move."""
    data = {name: text.encode() for name, text in files.items()}
    plan = planned_move(vault_of(data, form, graph)[0], *move)
    assert not plan.left
    return after(data, plan)[plan.paths.get(path, path)].decode()


@pytest.mark.parametrize(
    ("form", "written", "becomes"),
    [
        ("shortest", "[[Old]]", "[[New]]"),
        ("shortest", "![[old#Head|alias]] [[Old#^id]]", "![[New#Head|alias]] [[New#^id]]"),
        ("shortest", "[[A/Old]] [[/A/Old]] [[A/Old.md]]", "[[B/C/New]] [[/B/C/New]] [[B/C/New.md]]"),
        (
            "shortest",
            "[t](A/Old.md#Head 'T') ![t](<A/Old.md>)",
            "[t](B/C/New.md#Head 'T') ![t](<B/C/New.md>)",
        ),
        ("shortest", "[t](Old.md) [t](./A/Old.md)", "[t](New.md) [t](./B/C/New.md)"),
        ("relative", "[t](A/Old.md) [[A/Old]] [[./A/Old]]", "[t](B/C/New.md) [[B/C/New]] [[./B/C/New]]"),
        ("absolute", "[[Old]] [t](A/Old.md)", "[[New]] [t](B/C/New.md)"),
        ("shortest", "| a |\n| - |\n| [[Old\\|x]] |", "| a |\n| - |\n| [[New\\|x]] |"),
        (
            "shortest",
            '---\nup: "[[Old|x]]"\nlist:\n  - "[[A/Old]]"\n---\n',
            '---\nup: "[[New|x]]"\nlist:\n  - "[[B/C/New]]"\n---\n',
        ),
        ("shortest", "[r][d]\n\n[d]: A/Old.md", "[r][d]\n\n[d]: B/C/New.md"),
        ("shortest", "`[[Old]]` %% [[Old]] %% \\[[Old]]", "`[[Old]]` %% [[Old]] %% \\[[Old]]"),
        ("shortest", "[[Other]] Old [[Nowhere]] [[Old note]]", "[[Other]] Old [[Nowhere]] [[Old note]]"),
    ],
)
def test_a_link_keeps_the_form_in_which_it_was_written(form: LinkForm, written: str, becomes: str) -> None:
    """Name, path, suffix, alias, heading, block, quotes and table stay; code and other notes are left."""
    files = {"Home.md": written, "A/Old.md": "", "Other.md": ""}
    assert moved_text(files, ("A/Old.md", "B/C/New.md"), "Home.md", form) == becomes


@pytest.mark.parametrize(
    ("form", "becomes"),
    [
        ("shortest", "[[B/Same]]"),
        ("unset", "[[B/Same]]"),
        ("absolute", "[[B/Same]]"),
        ("relative", "[[./B/Same]]"),
    ],
)
def test_a_name_that_becomes_ambiguous_becomes_a_path(form: LinkForm, becomes: str) -> None:
    """Where another note has the name and would be meant by it, the setting says what is written instead."""
    files = {"Home.md": "[[Old]]", "A/Old.md": "", "A/Same.md": "", "B/x.md": ""}
    assert moved_text(files, ("A/Old.md", "B/Same.md"), "Home.md", form) == becomes


def test_a_link_to_a_note_that_stays_becomes_longer_where_the_moved_one_is_nearer() -> None:
    """A note that comes to stand beside the link, or nearer to the root, does not take it over."""
    files = {"X/Home.md": "[[Same]]", "Y/Z/Same.md": "", "Y/Z/Mine.md": "[[Same]]", "Other.md": ""}
    assert moved_text(files, ("Other.md", "A/Same.md"), "X/Home.md") == "[[Y/Z/Same]]"
    assert moved_text(files, ("Other.md", "A/Same.md"), "Y/Z/Mine.md") == "[[Same]]"


def test_the_links_of_the_moved_note_lead_on() -> None:
    """Its relative links count from its new folder, also those to files that are not known; names stay."""
    text = (
        "[a](../Home.md) ![p](./pics/p.png) [z](sub/y.md) [[Home]] [[../Home]] [g](./gone.zip)"
        " [me](Old.md#x) <http://a.b/>"
    )
    files = {"A/Old.md": text, "Home.md": "", "A/pics/p.png": "", "A/sub/y.md": ""}
    assert moved_text(files, ("A/Old.md", "B/C/New.md"), "A/Old.md") == (
        "[a](../../Home.md) ![p](../../A/pics/p.png) [z](../../A/sub/y.md) [[Home]] [[../../Home]]"
        " [g](../../A/gone.zip) [me](New.md#x) <http://a.b/>"
    )


def test_a_link_that_leads_nowhere_means_the_same_place_after_the_move() -> None:
    """A path out of the vault, or to a folder, counts from the new place; the rest stays."""
    text = "[o](../../out.md) [[../A]] [f](img/none.png) [[none]] [[x/none]]"
    found = moved_text({"A/Old.md": text}, ("A/Old.md", "B/C/Old.md"), "A/Old.md", "unset")
    assert found == "[o](../../../out.md) [[../../A]] [f](../../A/img/none.png) [[none]] [[x/none]]"


def test_a_folder_moves_with_what_is_in_it() -> None:
    """Paths into the folder change; links within it that count from each other do not."""
    files = {
        "Home.md": "[[A/One]] ![[A/pic.png]] [[One]]",
        "A/One.md": "[t](./Two.md) [[Two]] [n](./none.md) [h](../Home.md)",
        "A/Two.md": "[[A/One]]",
        "A/pic.png": "",
    }
    data = {path: text.encode() for path, text in files.items()}
    plan = planned_move(vault_of(data)[0], "A", "C/D")
    assert plan.paths == {"A/One.md": "C/D/One.md", "A/Two.md": "C/D/Two.md", "A/pic.png": "C/D/pic.png"}
    assert plan.texts == {
        "Home.md": "[[C/D/One]] ![[C/D/pic.png]] [[One]]",
        "A/One.md": "[t](./Two.md) [[Two]] [n](./none.md) [h](../../Home.md)",
        "A/Two.md": "[[C/D/One]]",
    }
    assert plan.before == {path: files[path] for path in plan.texts}
    assert not plan.left


def test_an_attachment_moves_too() -> None:
    """An image is named with its extension before and after."""
    files = {"Home.md": "![[pic.png|300]] ![x](a/pic.png)", "a/pic.png": ""}
    assert moved_text(files, ("a/pic.png", "b/new pic.png"), "Home.md") == (
        "![[new pic.png|300]] ![x](b/new%20pic.png)"
    )


def test_a_canvas_keeps_all_but_its_files_and_links() -> None:
    """The JSON is as it was written, with the new path and the new link in a card."""
    canvas = (
        '{\n\t"nodes":[\n\t\t{"id":"1","type":"file","file":"A/Old.md","x":1.50},'
        '\n\t\t{"id":"2","type":"text","text":"see [[Old|\\"x\\"]]\\nü"}\n\t],"edges":[]}'
    )
    files = {"Map.canvas": canvas, "A/Old.md": ""}
    found = moved_text(files, ("A/Old.md", "B/New.md"), "Map.canvas")
    assert found == canvas.replace("A/Old.md", "B/New.md").replace("[[Old|", "[[New|")
    assert json.loads(found)["nodes"][1]["text"] == 'see [[New|"x"]]\nü'


@pytest.mark.parametrize(
    ("written", "becomes"),
    [
        (
            "- [[Old]] #Old #[[Old]] {{embed [[Old]]}} [l]([[Old]])",
            "- [[A/New]] #A/New #[[A/New]] {{embed [[A/New]]}} [l]([[A/New]])",
        ),
        ("tags:: x, Old, [[Old]]\n- a", "tags:: x, A/New, [[A/New]]\n- a"),
        ("- [f](../pages/Old.md)", "- [f](../pages/A___New.md)"),
        ("- [[Old/Child]] [[Other]]", "- [[A/New/Child]] [[Other]]"),
        ("- topic:: [[Old]]", "- topic:: [[A/New]]"),
    ],
)
def test_a_page_of_logseq_is_renamed_by_its_name(written: str, becomes: str) -> None:
    """Links, tags, embeds, properties and namespaces follow; a page in its namespace is renamed with it."""
    files = {"pages/Home.md": written, "pages/Old.md": "", "pages/Old___Child.md": "", "pages/Other.md": ""}
    found = moved_text(files, ("pages/Old.md", "pages/A___New.md"), "pages/Home.md", graph=GRAPH)
    assert found == becomes


def test_a_tag_of_a_page_with_a_blank_gets_brackets() -> None:
    """A tag ends at a blank unless brackets hold it."""
    files = {"pages/Home.md": "- #Old, tail", "pages/Old.md": ""}
    found = moved_text(files, ("pages/Old.md", "pages/My New.md"), "pages/Home.md", graph=GRAPH)
    assert found == "- #[[My New]], tail"


def test_a_page_that_says_its_title_keeps_it() -> None:
    """Where `title::` names the page, its file may be called anything: no link changes."""
    files = {"pages/Home.md": "- [[Real]]", "pages/Old.md": "title:: Real\n- x"}
    assert moved_text(files, ("pages/Old.md", "pages/New.md"), "pages/Home.md", graph=GRAPH) == "- [[Real]]"


def test_a_link_that_led_nowhere_is_left_and_told() -> None:
    """A note that gets a name others wait for is found by them; their texts are as they were."""
    data = {"Home.md": b"[[New]] [[Gone]]", "Old.md": b""}
    plan = planned_move(vault_of(data)[0], "Old.md", "New.md")
    assert (plan.texts, plan.claimed) == ({}, (("Home.md", "New"),))


def test_a_link_that_cannot_be_written_is_told() -> None:
    """A name with a hash has no wikilink; the Markdown link beside it follows all the same."""
    data = {"Home.md": b"one\n[[Old]] [t](Old.md)", "Old.md": b""}
    plan = planned_move(vault_of(data)[0], "Old.md", "C#.md")
    assert plan.texts == {"Home.md": "one\n[[Old]] [t](C%23.md)"}
    assert [(left.path, left.line, left.text) for left in plan.left] == [("Home.md", 2, "[[Old]]")]


def test_a_damaged_note_is_left_as_it_is() -> None:
    """Bytes that are no text could not be kept, so the note is told and not written."""
    data = {"Home.md": b"[[Old]] \xff", "Old.md": b""}
    plan = planned_move(vault_of(data)[0], "Old.md", "New.md")
    assert (plan.texts, [left.path for left in plan.left]) == ({}, ["Home.md"])


def test_notes_whose_links_lead_on_are_not_read() -> None:
    """A move into another folder reads only the note itself where it is linked by its name."""
    data = {"Home.md": b"[[Old]]", "Other.md": b"[[Home]]", "Old.md": b""}
    vault, _ = vault_of(data)
    asked: list[str] = []

    def load(path: str) -> bytes:
        asked.append(path)
        return data[path]

    vault = type(vault)(vault.notes, vault.attachments, load, vault.read)
    assert planned_move(vault, "Old.md", "B/Old.md").texts == {}
    assert asked == ["Old.md"]


@pytest.mark.parametrize(
    ("old", "new", "error"),
    [
        ("None.md", "New.md", NotFound),
        ("Old.md", "old.txt", UsageError),
        ("Old.md", "A/one.md", UsageError),
        ("Old.md", "../Old.md", UsageError),
        ("Old.md", "/Old.md", UsageError),
        ("Old.md", "", UsageError),
        ("A", "A/B", UsageError),
        ("A", "b", UsageError),
        ("journals/2026_01_02.md", "journals/2026_01_03.md", UsageError),
        ("pages/Page.md", "Page.md", UsageError),
    ],
)
def test_a_move_that_cannot_be_is_refused(old: str, new: str, error: type[Exception]) -> None:
    """Nothing there, another kind of file, a place that is taken or outside, and a journal's day."""
    names = ("Old.md", "A/One.md", "B/x.md", "journals/2026_01_02.md", "pages/Page.md")
    vault, _ = vault_of(dict.fromkeys(names, b"- x"), graph=GRAPH)
    with pytest.raises(error):
        planned_move(vault, old, new)


def test_a_name_may_change_only_its_case() -> None:
    """The new name is the old one for every link."""
    assert moved_text({"Home.md": "[[old]]", "old.md": ""}, ("old.md", "Old.md"), "Home.md") == "[[old]]"


@pytest.mark.parametrize(
    ("settings", "form"),
    [
        (None, "unset"),
        ("{}", "shortest"),
        ("broken", "shortest"),
        ('{"newLinkFormat": "absolute", "useMarkdownLinks": true}', "absolute"),
        ('{"newLinkFormat": "relative"}', "relative"),
        ('{"newLinkFormat": 1}', "shortest"),
        ("[]", "shortest"),
    ],
)
def test_the_form_of_links_is_the_vaults_own(settings: str | None, form: str) -> None:
    """Obsidian's setting counts, its default without it; a folder without Obsidian has addresses."""
    assert link_form(settings) == form
