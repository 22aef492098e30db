"""The language of notes is told, or nothing is said: a wrong language is worse than none."""

from __future__ import annotations

import json
import math
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pai_daemon.models import probes
from pai_daemon.notes.languages import language_name, language_shares

PROBES = json.loads(Path(probes.__file__).with_suffix(".json").read_text("utf-8"))
ENGLISH = "The roof was painted by the two of us, and it took all of the day to get it done before it rained."
GERMAN = "Das Dach haben wir zu zweit gestrichen, und es war nicht an einem Tag zu schaffen, weil es regnete."
CODE = """```python
def read(path: Path) -> str:
    # the text of the file that is at the path, and none where there is none
    return path.read_text() if path.is_file() else ""
```"""
# Languages that are not among the probes, in sentences of our own.
SENTENCES = {
    "bg": "Ключът е под саксията до вратата и не може да се вземе без да се премести пейката.",
    "ca": "La clau és sota el test que hi ha al costat de la porta, però no la pot agafar ningú més.",
    "cs": "Klíč je pod květináčem vedle dveří a nelze ho vzít, aniž by se nejdříve posunula lavička.",
    "da": "Nøglen ligger under urtepotten ved siden af døren, og man kan ikke få den uden at flytte bænken.",
    "fa": "کلید زیر گلدان کنار در است و برای برداشتن آن باید نیمکت را جابجا کرد که سنگین است.",
    "fi": "Avain on ruukun alla oven vieressä, mutta se ei ole helppo ottaa, kun penkki on siinä edessä.",
    "he": "המפתח נמצא מתחת לעציץ ליד הדלת.",
    "hr": "Ključ je ispod posude pored vrata, ali se ne može uzeti bez da se klupa prije toga pomakne.",
    "hu": "A kulcs az ajtó melletti cserép alatt van, de nem lehet elvenni, ha a pad ott van előtte.",
    "id": "Kunci ada di bawah pot yang ada di samping pintu dan tidak bisa diambil jika bangku itu berat.",
    "no": "Nøkkelen ligger under potten ved siden av døren, og man kan ikke få den uten å flytte benken.",
    "ro": "Cheia este sub ghiveciul de lângă ușă și nu se poate lua fără să fie mutată banca.",
    "sk": "Kľúč je pod kvetináčom vedľa dverí a nie je možné ho vziať bez toho, aby sa posunula lavica.",
    "sl": "Ključ je pod loncem ob vratih in ga ni mogoče vzeti, ne da bi se klop prej premaknila.",
    "th": "กุญแจอยู่ใต้กระถางต้นไม้ข้างประตู",
    "uk": "Ключ лежить під горщиком біля дверей, і його не можна взяти, якщо не відсунути лавку.",
}


def _texts(language: str) -> list[str]:
    """Return what the notes of the probes say in a language, all in one text."""
    entries = [each for each in PROBES if each["language"] == language]
    return ["\n".join(each[part] for each in entries for part in ("sentence", "paraphrase", "other"))]


@pytest.mark.parametrize("language", sorted({each["language"] for each in PROBES}))
def test_language_of_notes_is_told(language: str) -> None:
    """Some notes of each language of the probes are in that language and no other."""
    assert language_shares(_texts(language)) == {language: 1.0}


@pytest.mark.parametrize("language", sorted(SENTENCES))
def test_language_of_a_sentence_is_told(language: str) -> None:
    """One sentence is enough where it has its share of short words, or an alphabet of its own."""
    assert language_shares([SENTENCES[language]]) == {language: 1.0}


def test_shares_are_by_the_writing() -> None:
    """A language's share is that of its letters, and the greatest comes first."""
    shares = language_shares([GERMAN, f"{ENGLISH} {ENGLISH} {ENGLISH}"])
    assert list(shares) == ["en", "de"]
    assert shares["en"] == pytest.approx(3 / 4, abs=0.02)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1984 :: 42 / 7 !?",
        CODE,
        "https://example.org/the-and-of-to/in/a/is?that=it&for=was [map](the/and/of/to/in.md)",
        "Anna Kowalska, Łódź, Jan de Vries, Den Haag, São Paulo, Zürich",
        "$a_i = v_i + s_k \\cdot z$ and $u = o + i$",
        "i = a + v; s = k * z; o = u",
    ],
)
def test_text_that_is_no_prose_is_in_no_language(text: str) -> None:
    """Code, addresses, names and formulas tell no language."""
    assert language_shares([text]) == {}


def test_prose_beside_code_is_told_by_the_prose() -> None:
    """English comments and keywords of a program do not outvote the German text around it."""
    assert language_shares([f"{CODE}\n{GERMAN}\n{CODE}"]) == {"de": 1.0}


def test_text_that_speaks_for_two_languages_is_in_neither() -> None:
    """What could be Danish as well as Norwegian counts for none of them."""
    assert language_shares(["Det har de ikke, og det skal de ikke ha på bordet til vinter."]) == {}


def test_writing_that_is_mostly_unknown_gives_no_shares() -> None:
    """A few sentences of a known language do not speak for a vault in one that is not known here."""
    esperanto = "Ŝlosilo kuŝas sub florpoto apud pordo, sed iu movu antaŭe tiun pezan benkon al muro."
    assert language_shares([esperanto, ENGLISH, GERMAN]) != {}
    assert language_shares([esperanto] * 4 + [ENGLISH, GERMAN]) == {}


def test_decomposed_letters_are_read_as_whole_ones() -> None:
    """A file from a Mac, whose accents are letters of their own, is in the same language."""
    text = _texts("vi")[0]
    assert language_shares([unicodedata.normalize("NFD", text)]) == {"vi": 1.0}


@pytest.mark.parametrize("words", ["Obsidian", "Markdown plugin", "API"])
def test_latin_names_in_eastern_text_do_not_count_for_more_than_it(words: str) -> None:
    """A Chinese note about software is Chinese, although its names have more letters."""
    assert language_shares([f"{words} {words}:空调滤网每个月清洗一次。"]) == {"zh": 1.0}


@given(st.lists(st.text(max_size=200), max_size=5))
def test_shares_of_any_texts_are_a_whole_or_nothing(texts: list[str]) -> None:
    """Any texts have shares that sum up to 1, or none."""
    shares = language_shares(texts)
    assert not shares or math.isclose(sum(shares.values()), 1.0)
    assert all(0 < share <= 1 for share in shares.values())


def test_every_language_has_a_name() -> None:
    """What is told can be said in words; an unknown code is said as it is."""
    for language in {*SENTENCES, *(each["language"] for each in PROBES)}:
        assert language_name(language) != language
    assert language_name("tlh") == "tlh"
