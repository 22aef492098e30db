"""Whether a sentence of an answer is supported by the passages it cites.

Meaning alone does not see a wrong number: "11,200 euros" is near "13,400 euros". So what can be checked is
checked first: the numbers, dates and names of a sentence, and what it puts between quotation marks, must
stand in what it cites. Then its nearest sentence there must be as near as two ways to say one thing, or
nearly all of its words must be there. A turned meaning ("is", "is not") in the same words is not seen
(D53).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from pai_daemon.context.answering.answer import AnswerSentence, Citation
from pai_daemon.context.answering.signals import Signals
from pai_daemon.context.space import EmbeddingModel
from pai_daemon.notes.language import is_stop_word, known_language
from pai_daemon.notes.plain import plain_text, sentences

# A sentence with this share of its words in a passage is supported by it, whatever its cosine.
SAME_WORDS = 0.75
# Of the words that a sentence adds to the question, a passage in the same language has at least this share.
NEW_WORDS = 0.34
# A quotation shorter than this may be a title or a word that is only mentioned.
QUOTED_WORDS = 4
SURE_VOTES = 2.0

Nearness = Callable[[int, Citation], float]
"""Gives how far above the threshold the nearest sentence of a passage is, by the place of a sentence."""

_NUMBER = re.compile(r"\d+(?:[.,'\u202f\u00a0]\d{3})*(?:[.,]\d+)?")
_DATE = re.compile(r"(\d{1,2})\.\s?(\d{1,2})\.\s?(\d{2,4})")
_MONTHS = (
    "january januar|february februar|march märz|april|may mai|june juni|july juli|august"
    "|september|october oktober|november|december dezember"
)
_MONTH_NUMBER = {
    name: str(number) for number, names in enumerate(_MONTHS.split("|"), start=1) for name in names.split()
}
_SAID = (
    "one ein eins|two zwei|three drei|four vier|five fünf|six sechs|seven sieben|eight acht|nine neun"
    "|ten zehn|eleven elf|twelve zwölf"
)
_SAID_NUMBER = {
    name: str(number) for number, names in enumerate(_SAID.split("|"), start=1) for name in names.split()
}
_WORD = re.compile(r"[^\W\d_][\w'’-]*")
_QUOTATION = re.compile(r"[\"“„«»‚‘]([^\"“”„«»‚‘’]{12,})[\"“”«»‘’]")
_STEM = 5


def checked(
    texts: Sequence[str],
    claimed: Sequence[Sequence[int]],
    citations: Sequence[Citation],
    question: str,
    nearness: Nearness | None,
) -> list[AnswerSentence]:
    """Return the sentences of an answer with the citations that support them.

    claimed: for each text the numbers that it cites. A text whose citations do not support it gets the one
    passage that does, where there is one. nearness: None where no model can be asked; words decide then.
    """
    evidence = [(citation, _Evidence(citation, question)) for citation in citations]
    found = []
    for place, (text, numbers) in enumerate(zip(texts, claimed, strict=True)):
        said, new = Signals(text), Signals(text, but=question)
        standing: dict[int, float] = {}
        for citation, passage in evidence:
            above = nearness(place, citation) if nearness is not None else -1.0
            if passage.speaks(text) and new.coverage(passage.text) < NEW_WORDS:
                above = -1.0
            above = max(above, said.coverage(passage.text) - SAME_WORDS)
            if above >= 0:
                standing[citation.n] = above
        cited = [passage for citation, passage in evidence if citation.n in numbers]
        kept = tuple(number for number in numbers if number in standing)
        if not kept or not _holds(text, cited):
            alone = [
                citation.n
                for citation, passage in evidence
                if citation.n in standing and passage.speaks(text) and _holds(text, [passage])
            ]
            kept = (max(alone, key=lambda number: standing[number]),) if alone else ()
        found.append(AnswerSentence(text, kept, bool(kept)))
    return found


def nearness_by(
    embedder: EmbeddingModel, texts: Sequence[str], citations: Sequence[Citation], language: str
) -> Nearness:
    """Return how near a model finds each text to the sentences of each citation. Raises ModelUnavailable."""
    numbers, evidence = [], []
    for citation in citations:
        for sentence in sentences(citation.passage.text, language):
            numbers.append(citation.n)
            evidence.append(sentence.text)
    vectors = embedder.embed_texts([*texts, *evidence], urgent=True)
    cosines = vectors[: len(texts)] @ vectors[len(texts) :].T
    places = {citation.n: [row for row, n in enumerate(numbers) if n == citation.n] for citation in citations}

    def nearness(place: int, citation: Citation) -> float:
        rows = places[citation.n]
        best = float(cosines[place, rows].max()) if rows else -1.0
        return best - embedder.scoring.support_threshold

    return nearness


class _Evidence:
    """What of a passage a sentence is held against; what the question says may be repeated."""

    def __init__(self, citation: Citation, question: str) -> None:
        passage = citation.passage
        self.text = f"{passage.trail}\n{plain_text(passage.text)}"
        self.language = known_language(passage.text, least_votes=SURE_VOTES)
        self.words = _folded(f"{self.text}\n{question}")
        self.numbers = numbers_of(f"{self.text}\n{question}")

    def speaks(self, text: str) -> bool:
        """Return whether a text is in the passage's language, as far as that is known."""
        return self.language is None or known_language(text) in (None, self.language)


def _holds(text: str, evidence: Sequence[_Evidence]) -> bool:
    """Return whether the numbers, names and quotations of a text stand in one or another of the passages."""
    numbers = set().union(*(passage.numbers for passage in evidence))
    if not numbers_of(text, said=False) <= numbers:
        return False
    # In another language a name may be another one.
    if all(passage.speaks(text) for passage in evidence):
        words = " ".join(passage.words for passage in evidence)
        names = names_of(text, known_language(text))
        if not all(f" {name.casefold()[:_STEM]}" in words for name in names):
            return False
    return all(any(quoted in passage.words for passage in evidence) for quoted in quotations_of(text))


def numbers_of(text: str, *, said: bool = True) -> set[str]:
    """Return the numbers of a text, see `numbers_in`."""
    return set(numbers_in(text, said=said))


def numbers_in(text: str, *, said: bool = True) -> list[str]:
    """Return the numbers of a text, written one way: `1.000` and `1,000` are 1000, and August is 8.

    said: also those that are written out, which in a sentence may mean something else (“one of them”).
    """
    found = []
    for written in _NUMBER.findall(_DATE.sub(r"\1 \2 \3", text)):
        digits = re.sub(r"[.,'\u202f\u00a0](?=\d{3}(?:\D|\Z))", "", written).replace(",", ".")
        whole, _, rest = digits.partition(".")
        rest = rest.rstrip("0")
        found.append(f"{int(whole)}.{rest}" if rest else f"{int(whole)}")
    for word in _WORD.findall(text):
        number = _MONTH_NUMBER.get(word.casefold()) if word[0].isupper() else None
        number = number or (_SAID_NUMBER.get(word.casefold()) if said else None)
        if number:
            found.append(number)
    return found


def names_of(text: str, language: str | None) -> list[str]:
    """Return the words of a sentence that name somebody or something.

    Those with a capital letter within the sentence. In German every noun has one, so that only two in a row
    count, and those with a second capital. Months are numbers here, see `numbers_of`.
    """
    found = []
    words = list(_WORD.finditer(text))
    for place, match in enumerate(words):
        word = match[0]
        folded = word.casefold()
        if not word[0].isupper() or len(word) < 2 or is_stop_word(folded) or folded in _MONTH_NUMBER:
            continue
        is_acronym = any(char.isupper() for char in word[1:])
        before = text[words[place - 1].end() : match.start()] if place else "."
        # After a full stop or a colon a sentence may begin.
        within = not set(before) & set('.!?:…\n"“„»«')
        last = words[place - 1][0] if before == " " else ""
        pair = last[:1].isupper() and not is_stop_word(last.casefold())
        if is_acronym or (pair if language == "de" else within):
            found.append(word)
    return found


def quotations_of(text: str) -> list[str]:
    """Return what a sentence says that somebody wrote, folded."""
    found = (_folded(quoted).strip() for quoted in _QUOTATION.findall(text))
    return [quoted for quoted in found if quoted.count(" ") >= QUOTED_WORDS - 1]


def _folded(text: str) -> str:
    return " " + " ".join(re.findall(r"\w+", text.casefold())) + " "
