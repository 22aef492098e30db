"""Whether answers hold the fact, cite where it stands, and are refused where the notes do not say.

Sets: XQuAD in English and German as notes, one an article, in which every second paragraph is left out:
the questions about it are those that the notes cannot answer, however near they come. And eight articles of
SQuAD 2.0, whose unanswerable questions were written against the very paragraph, to sound like the others.
Weights are fitted on the questions of every second article, the tuning half; the test half is the rest.
A citation is right where it is the paragraph with the answer. The extractive answer is measured, and a
generator where the settings name one: `PAI_GENERATOR=gguf:FILE scripts/bench answers`.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from pai_daemon.config import load
from pai_daemon.context.answering.answer import Answer, Citation, Sources
from pai_daemon.context.answering.answer import Question as Asked
from pai_daemon.context.answering.answers import Answerer
from pai_daemon.context.answering.extract import CANDIDATES
from pai_daemon.context.answering.quotes import quotes
from pai_daemon.context.answering.signals import Signals
from pai_daemon.context.answering.support import checked, nearness_by
from pai_daemon.context.passage import SearchResult
from pai_daemon.context.search import Searcher
from pai_daemon.context.space import Space
from pai_daemon.models.embedder import Embedder
from pai_daemon.models.generation.generator import Generator
from pai_daemon.models.generation.generators import Chosen, Generators, Options, generator_of
from pai_daemon.notes.language import guess_language
from tests.bench.bench import indexed, load_model
from tests.bench.data import note_name, unpack
from tests.bench.report import Row

# Of each half, answerable and not.
MOST, QUICK = 150, 25
# A generator takes seconds an answer.
MOST_GENERATED, QUICK_GENERATED = 25, 4
SETS = {
    "xquad.en": "XQuAD en",
    "xquad.de": "XQuAD de",
    "squad-v2-dev-part-a": "SQuAD 2.0, written to deceive",
}


@dataclass(frozen=True, slots=True)
class Case:
    """A question; answers: any of which is right, none where the notes do not say. start: where it stands."""

    text: str
    path: str
    is_tuning: bool
    answers: tuple[str, ...]
    start: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a case; times beyond the search, in seconds."""

    case: Case
    answer: Answer
    sources_s: float
    whole_s: float


class Timed(Searcher):
    """A searcher that says how long its last search took."""

    took_s = 0.0

    def search_in(self, space: Space, query: str, **options: Any) -> SearchResult:
        """Search, and take the time."""
        started_s = time.perf_counter()
        result = super().search_in(space, query, **options)
        self.took_s = time.perf_counter() - started_s
        return result


def run(scratch: Path, *, quick: bool, model: str) -> list[Row]:
    """Return the figures of each set, tuning and test half apart."""
    source = unpack("qa", scratch)
    if source is None:
        return [Row("the question sets are not here", None, "see PAI_BENCH_DATA")]
    embedder = load_model(model)
    settings = load()
    options = Options(settings.gguf_dir, settings.generator_key)
    rows: list[Row] = []
    for name, label in SETS.items():
        vault = scratch / name / "vault"
        cases = write_vault(json.loads((source / f"{name}.json").read_text("utf-8")), vault)
        with indexed(vault, scratch / name / "index", embedder) as ready:
            searcher = Timed(vault, ready.index)
            for half in ("test", "tuning"):
                of_half = [case for case in cases if case.is_tuning == (half == "tuning")]
                chosen = balanced(of_half, QUICK if quick else MOST)
                rows += _rows(f"{label}, {half}", vault, outcomes(searcher, None, chosen))
                rows += _support_rows(f"{label}, {half}", searcher, embedder, chosen)
            rows.append(_embedding_row(label, searcher, embedder, chosen))
            # One for each set: a generator belongs to one event loop.
            if (generator := generator_of(settings.generator, options)) is not None:
                most = QUICK_GENERATED if quick else MOST_GENERATED
                few = balanced([case for case in cases if not case.is_tuning], most)
                found = outcomes(searcher, generator, few)
                rows += _rows(f"{label}, {generator.name}", vault, found)
                rows += _cost_rows(f"{label}, {generator.name}", found)
    return rows


def write_vault(document: dict[str, Any], vault: Path) -> list[Case]:
    """Write a SQuAD file as notes and return its cases; see above for what is left out."""
    vault.mkdir(parents=True)
    cases: list[Case] = []
    has_impossible = "is_impossible" in document["data"][0]["paragraphs"][0]["qas"][0]
    for number, article in enumerate(document["data"]):
        path = f"{note_name(article['title'], number)}.md"
        text = ""
        for place, paragraph in enumerate(article["paragraphs"]):
            is_left_out = not has_impossible and place % 2 == 1
            for asked in paragraph["qas"]:
                given = [] if is_left_out or asked.get("is_impossible") else asked["answers"]
                start = len(text) + int(given[0]["answer_start"]) if given else -1
                texts = tuple(dict.fromkeys(answer["text"] for answer in given))
                cases.append(Case(asked["question"], path, number % 2 == 0, texts, start))
            if not is_left_out:
                text += paragraph["context"].replace("\n", " ") + "\n\n"
        (vault / path).write_text(text, "utf-8", newline="")
    return cases


def balanced(cases: Sequence[Case], most: int) -> list[Case]:
    """Return as many answerable as unanswerable cases, at most so many of each, spread evenly."""
    kinds = [[case for case in cases if bool(case.answers) is kind] for kind in (True, False)]
    count = min(most, *map(len, kinds))
    return [kind[step * len(kind) // count] for kind in kinds for step in range(count)]


def outcomes(searcher: Timed, generator: Generator | None, cases: Sequence[Case]) -> list[Outcome]:
    """Ask every question."""
    answerer = Answerer(searcher, Generators(Chosen(generator)))

    async def ask(case: Case) -> Outcome:
        started_s = time.perf_counter()
        sources_s = 0.0
        async with aclosing(answerer.stream(Asked(case.text))) as events:
            async for event in events:
                elapsed_s = time.perf_counter() - started_s - searcher.took_s
                if isinstance(event, Sources):
                    sources_s = elapsed_s
                if isinstance(event, Answer):
                    return Outcome(case, event, sources_s, elapsed_s)
        raise AssertionError("an answer's stream ends with the answer")

    async def ask_all() -> list[Outcome]:
        try:
            return [await ask(case) for case in cases]
        finally:
            if generator is not None:
                await generator.close()

    return asyncio.run(ask_all())


def _rows(label: str, vault: Path, found: Sequence[Outcome]) -> Iterator[Row]:
    able = [outcome for outcome in found if outcome.case.answers]
    unable = [outcome for outcome in found if not outcome.case.answers]
    citations = [(outcome, citation) for outcome in able for citation in outcome.answer.citations]
    cited = [(outcome, citation) for outcome in found for citation in outcome.answer.citations]
    sentences = [sentence for outcome in found for sentence in outcome.answer.sentences]
    shares = {
        "an answer holds the fact": ([_holds(outcome) for outcome in able], ""),
        "citation precision": ([_is_gold(*pair) for pair in citations], ">= 0.95"),
        "citation recall": ([any(_is_gold(o, c) for c in o.answer.citations) for o in able], ""),
        "correct refusals": ([not outcome.answer.found for outcome in unable], ">= 0.8"),
        "false refusals": ([not outcome.answer.found for outcome in able], "<= 0.15"),
        "citations of an existing note and span": ([exists(vault, pair[1]) for pair in cited], ">= 1"),
        "sentences with support": ([sentence.supported for sentence in sentences], ""),
    }
    for what, (held, target) in shares.items():
        share = round(sum(held) / len(held), 3) if held else None
        yield Row(f"{label}: {what}", share, f"of {len(held)}", target=target, holds=_met(share, target))
    is_quoted = all("generate" not in outcome.answer.stages for outcome in found)
    for what, seconds, target in (
        ("beyond search, p50", [outcome.whole_s for outcome in able], "<= 40" if is_quoted else ""),
        ("sources beyond search, p50", [outcome.sources_s for outcome in found], "<= 10"),
    ):
        milliseconds = round(median(seconds) * 1000, 1)
        yield Row(f"{label}: {what}", milliseconds, "ms", target=target, holds=_met(milliseconds, target))


def _cost_rows(label: str, found: Sequence[Outcome]) -> Iterator[Row]:
    """Return what a generator's answers cost, and how many it did not bring to an end."""
    usages = [outcome.answer.usage for outcome in found if outcome.answer.usage is not None]
    broken = sum(bool({"failed", "late", "endless"} & {*outcome.answer.stages}) for outcome in found)
    yield Row(f"{label}: not brought to an end", broken, f"of {len(found)}")
    for what, counts in (
        ("tokens of the prompt, p50", [usage.prompt_tokens for usage in usages]),
        ("of these known from before, p50", [usage.cached_tokens for usage in usages]),
        ("tokens written, p50", [usage.completion_tokens for usage in usages]),
    ):
        known = [each for each in counts if each is not None]
        yield Row(f"{label}: {what}", median(known) if known else None, "tokens")


def _support_rows(label: str, searcher: Timed, embedder: Embedder, cases: Sequence[Case]) -> Iterator[Row]:
    """Return how often a right statement counts as supported, and how often a wrong one does not.

    A statement is a question with its answer; a wrong one has the answer to another question of its kind.
    """
    able = [case for case in cases if case.answers]
    right: list[bool] = []
    wrong: list[bool] = []
    for case in able:
        found = searcher.search(case.text, limit=8).results
        numbered = [Citation(number, passage) for number, passage in enumerate(found, start=1)]
        gold = [citation.n for citation in numbered if _has(citation, case)]
        kind = Signals(case.text).kind
        others = (
            other.answers[0] for other in able if other.path != case.path and Signals(other.text).kind == kind
        )
        other = next((answer for answer in others if answer not in found[0].text), None)
        for answer, held in ((case.answers[0], right), (other, wrong)):
            if gold and answer is not None:
                statement = f"{case.text.rstrip('?')}, {answer}."
                near = nearness_by(embedder, [statement], numbered, guess_language(case.text))
                held.append(checked([statement], [gold], numbered, case.text, near)[0].supported)
    for what, shown in (("right statements supported", right), ("wrong statements supported", wrong)):
        yield Row(f"{label}: {what}", round(sum(shown) / len(shown), 3), f"of {len(shown)}")


def _embedding_row(label: str, searcher: Timed, embedder: Embedder, cases: Sequence[Case]) -> Row:
    """Return what it costs to embed a question and as many sentences as are embedded for an answer."""
    seconds = []
    for case in cases[:40]:
        found = searcher.search(case.text, limit=CANDIDATES).results
        numbered = [Citation(number, passage) for number, passage in enumerate(found, start=1)]
        texts = [quote.in_context for quote in quotes(case.text, numbered, "en")][:CANDIDATES]
        started_s = time.perf_counter()
        embedder.embed_query(case.text)
        embedder.embed_texts(texts, urgent=True)
        seconds.append(time.perf_counter() - started_s)
    milliseconds = round(median(seconds) * 1000, 1)
    return Row(f"{label}: the model alone, p50", milliseconds, "ms")


def _holds(outcome: Outcome) -> bool:
    return any(answer in outcome.answer.answer for answer in outcome.case.answers)


def _is_gold(outcome: Outcome, citation: Citation) -> bool:
    return _has(citation, outcome.case)


def _has(citation: Citation, case: Case) -> bool:
    """Return whether the answer of a case stands in a citation's passage."""
    passage = citation.passage
    return passage.path == case.path and passage.start_char <= case.start < passage.end_char


def exists(vault: Path, citation: Citation) -> bool:
    """Return whether a citation's note is there and its text stands at its span and on its lines."""
    passage = citation.passage
    file = vault / passage.path
    if not file.is_file():
        return False
    text = file.read_bytes().decode("utf-8-sig")
    lines = (text.count("\n", 0, place) + 1 for place in (passage.start_char, passage.end_char))
    is_there = text[passage.start_char : passage.end_char].strip() == passage.text.strip()
    return is_there and (passage.start_line, passage.end_line) == tuple(lines)


def _met(value: float | None, target: str) -> bool | None:
    if value is None or not target:
        return None
    sign, _, bound = target.partition(" ")
    return value >= float(bound) if sign == ">=" else value <= float(bound)
