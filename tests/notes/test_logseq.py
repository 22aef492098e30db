"""Logseq graphs: their config, the names of their pages, and dates."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pai_daemon.notes.logseq import LIMIT_CHARS, Graph, format_day, logseq_uri, parse_day

FIXTURES = Path(__file__).parent / "fixtures" / "graph"
DAY = datetime.date(2024, 1, 5)


def test_config_of_a_real_graph_is_read() -> None:
    """A config with comments, nested maps and functions gives its settings without a problem."""
    graph = Graph.parse((FIXTURES / "logseq" / "config.edn").read_text("utf-8"))
    assert graph == Graph(hidden=("archive",))


def test_config_names_folders_and_formats() -> None:
    """Folders, the preferred format and the forms of dates come from the config."""
    graph = Graph.parse(
        '{:pages-directory "/seiten/" :journals-directory "tage" :preferred-format :org'
        ' :journal/file-name-format "yyyy-MM-dd" :journal/page-title-format "EEEE, dd.MM.yyyy"}'
    )
    assert graph == Graph(
        pages="seiten",
        journals="tage",
        preferred_format="org",
        journal_file_format="yyyy-MM-dd",
        journal_title_format="EEEE, dd.MM.yyyy",
        triple_lowbar=False,
    )


def test_byte_order_mark_before_the_config_is_no_part_of_it() -> None:
    """A config that an editor of Windows has saved is read all the same."""
    assert Graph.parse('\ufeff{:pages-directory "seiten"}').pages == "seiten"


@pytest.mark.parametrize(
    ("setting", "triple_lowbar"),
    [
        (":file/name-format :triple-lowbar", True),
        (":file/name-format :legacy", False),
        ("", False),
    ],
)
def test_config_says_how_files_are_named(setting: str, triple_lowbar: bool) -> None:
    """A config without the setting is from before triple lowbars."""
    assert Graph.parse(f"{{{setting}}}").triple_lowbar is triple_lowbar


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ("{:a 1", "config.edn could not be read: EOF Reached; defaults are used"),
        ("[1 2]", "config.edn holds no map; defaults are used"),
        ("", "config.edn holds no map; defaults are used"),
        ("{:hidden #my/tag 1}", "config.edn could not be read"),
        (" " * (LIMIT_CHARS + 1), f"config.edn is too large: {LIMIT_CHARS + 1} characters"),
        ("[" * 100_000, "config.edn could not be read"),
    ],
)
def test_unreadable_config_gives_defaults_and_a_problem(config: str, reason: str) -> None:
    """A config that cannot be read is a problem, and the graph is Logseq's default one."""
    graph = Graph.parse(config)
    assert graph == Graph(problems=graph.problems)
    assert graph.problems[0].reason.startswith(reason)


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ("{:pages-directory 3}", ":pages-directory is no text; the default is used"),
        ('{:hidden "archive"}', ":hidden is no list; nothing is hidden by it"),
        (
            f'{{:journal/file-name-format "{"d" * 40}"}}',
            ":journal/file-name-format is too long; the default is used",
        ),
    ],
)
def test_wrong_setting_gives_its_default_and_a_problem(config: str, reason: str) -> None:
    """A setting of the wrong kind is a problem, and its default holds."""
    graph = Graph.parse(config)
    assert [problem.reason for problem in graph.problems] == [reason]
    assert (graph.pages, graph.hidden, graph.journal_file_format) == ("pages", (), "yyyy_MM_dd")


@given(st.text() | st.text("{}[]()#:;\"\\ \n1a^_'@~`,", max_size=60))
def test_any_config_gives_a_graph(config: str) -> None:
    """Any text gives a graph whose names of pages are text."""
    assert isinstance(Graph.parse(config).page_name("pages/a.md"), str)


@pytest.mark.parametrize(
    ("path", "covered"),
    [
        ("pages/a.md", True),
        ("journals/2024_01_05.md", True),
        ("pages/sub/a.markdown", True),
        ("pages/a.ORG", True),
        ("pages/a.png", False),
        ("README.md", False),
        ("logseq/pages/a.md", False),
        ("pagesx/a.md", False),
    ],
)
def test_graph_covers_its_pages_and_journals(path: str, covered: bool) -> None:
    """Text in the two folders is of the graph, all else is not."""
    assert Graph().covers(path) is covered


@pytest.mark.parametrize(
    ("path", "hidden"),
    [("archive/a.md", True), ("archived.md", True), ("pages/archive/a.md", False), ("test.md", True)],
)
def test_hidden_is_a_prefix_of_the_path(path: str, hidden: bool) -> None:
    """`:hidden` is compared with the beginning of the path, with or without a leading slash."""
    assert Graph.parse('{:hidden ["/archive" "test.md"]}').is_hidden(path) is hidden


def test_nothing_is_hidden_without_the_setting() -> None:
    """A graph that hides nothing hides no path."""
    assert not Graph().is_hidden("archive/a.md")


@pytest.mark.parametrize(
    ("path", "ignored"),
    [
        ("logseq/bak/pages/a/2024.md", True),
        ("logseq/.recycle/pages_a.md", True),
        ("logseq/version-files/local/a.md", True),
        ("logseq/config.edn", True),
        ("pages/logseq/a.md", False),
        ("logseq.md", False),
    ],
)
def test_the_folder_of_the_app_is_ignored(path: str, ignored: bool) -> None:
    """Backups, the recycle bin and old versions are no notes: they would be found twice."""
    assert Graph().ignored(path) is ignored


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("pages/Reading list.md", "Reading list"),
        ("pages/Books___Dune.md", "Books/Dune"),
        ("pages/Books___A%2FB%3F.md", "Books/A/B?"),
        ("pages/___a______b___.md", "a/b"),
        ("pages/a.b.md", "a.b"),
        ("pages/100%.md", "100%"),
        ("pages/%FF.md", "%FF"),
        ("pages/K%C3%A4se.org", "Käse"),
        ("pages/contents.md", "Contents"),
        ("pages/sub/contents.md", "contents"),
        ("pages/sub/a.md", "a"),
        ("a.png", "a.png"),
    ],
)
def test_page_is_named_by_its_file(path: str, name: str) -> None:
    """`___` is a slash, signs are percent-encoded, and empty parts are dropped."""
    assert Graph().page_name(path) == name


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("pages/Books.Dune.md", "Books/Dune"),
        ("pages/Books%2FDune.md", "Books/Dune"),
        ("pages/a___b.md", "a___b"),
        ("pages/%FF.md", "%FF"),
        ("pages/contents.org", "Contents"),
    ],
)
def test_page_of_an_old_graph_is_named_by_its_file(path: str, name: str) -> None:
    """In the old way a full stop is a slash."""
    assert Graph(triple_lowbar=False).page_name(path) == name


@pytest.mark.parametrize(
    ("form", "written"),
    [
        ("MMM do, yyyy", "Jan 5th, 2024"),
        ("yyyy_MM_dd", "2024_01_05"),
        ("yyyyMMdd", "20240105"),
        ("MMMM do, yyyy", "January 5th, 2024"),
        ("EEEE, dd.MM.yyyy", "Friday, 05.01.2024"),
        ("EEE, MM/dd/yyyy", "Fri, 01/05/2024"),
        ("E, yyyy/MM/dd", "Fri, 2024/01/05"),
        ("yyyy-MM-dd EEEE", "2024-01-05 Friday"),
        ("do MMM yyyy", "5th Jan 2024"),
        ("d.M.yy", "5.1.24"),
        ("yyyy年MM月dd日", "2024年01月05日"),
    ],
)
def test_day_is_written_and_read_in_each_form(form: str, written: str) -> None:
    """The forms that Logseq offers, and some more, are written as it does and read back."""
    assert format_day(DAY, form) == written
    assert parse_day(written, form) == DAY


@pytest.mark.parametrize(
    ("day", "written"),
    [
        (1, "1st"),
        (2, "2nd"),
        (3, "3rd"),
        (4, "4th"),
        (11, "11th"),
        (12, "12th"),
        (13, "13th"),
        (21, "21st"),
        (22, "22nd"),
        (23, "23rd"),
        (30, "30th"),
        (31, "31st"),
    ],
)
def test_ordinals_are_english(day: int, written: str) -> None:
    """The day of a month is written as an English ordinal."""
    assert format_day(datetime.date(2024, 1, day), "do") == written


@given(st.dates(datetime.date(1000, 1, 1)), st.sampled_from(["MMM do, yyyy", "EEEE, dd.MM.yyyy", "yyyyMMdd"]))
def test_any_day_is_read_back(day: datetime.date, form: str) -> None:
    """What is written for a day is read as that day."""
    assert parse_day(format_day(day, form), form) == day


@pytest.mark.parametrize("text", ["2024_13_05", "2024_02_30", "2024_1_5", "x2024_01_05", "2024_01_05x", ""])
def test_text_that_is_no_day_is_none(text: str) -> None:
    """Days that are not in the calendar, and text around a day, are no day."""
    assert parse_day(text, "yyyy_MM_dd") is None


def test_form_without_a_year_names_no_day() -> None:
    """A form that leaves out a part of the date cannot be read."""
    assert parse_day("January 5th", "MMMM do") is None


def test_weekday_is_no_month() -> None:
    """A weekday where the month should stand makes no date."""
    assert parse_day("Friday 5th, 2024", "MMM do, yyyy") is None


@pytest.mark.parametrize(
    "path",
    [
        "journals/2024_01_05.md",
        "journals/2024-01-05.md",
        "journals/Jan 5th, 2024.md",
        "journals/jan 5th, 2024.md",
        "journals/05.01.2024.md",
        "pages/2024-01-05.md",
    ],
)
def test_journal_is_known_by_its_file(path: str) -> None:
    """The day is read in the graph's form and in those that Logseq always knows."""
    assert Graph(journal_file_format="dd.MM.yyyy").journal_day(path) == DAY


def test_page_is_no_journal() -> None:
    """A page whose name is no day has none."""
    assert Graph().journal_day("journals/2024.md") is None


def test_journal_is_called_by_its_title_and_the_usual_names() -> None:
    """A link may call a journal in the graph's form, in Logseq's own, and in two of ISO's kind."""
    names = Graph(journal_title_format="dd.MM.yyyy").journal_names(DAY)
    assert names == ("05.01.2024", "Jan 5th, 2024", "2024-01-05", "2024_01_05")


@pytest.mark.parametrize(
    ("page", "block", "uri"),
    [
        ("", "", "logseq://graph/My%20graph"),
        ("Bücher/Dune & Co", "", "logseq://graph/My%20graph?page=B%C3%BCcher%2FDune%20%26%20Co"),
        ("a", "65a1", "logseq://graph/My%20graph?block-id=65a1"),
    ],
)
def test_uri_leads_to_a_page_or_a_block(page: str, block: str, uri: str) -> None:
    """The address is percent-encoded, and a block comes before a page."""
    assert logseq_uri("My graph", page=page, block=block) == uri
