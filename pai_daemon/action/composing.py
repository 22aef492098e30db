"""Makes the text of a run: with a generator, or without one by the way of its shipped routine.

What a generator writes is screened: it keeps no image, and no address but those of its sources, and its marks
become links to what they rest on. A diary that speaks of harming oneself is analysed by neither (see `care`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from datetime import datetime
from pathlib import Path

from pai_daemon.action.digests import care, inbox, news, on_this_day, reflection, review
from pai_daemon.action.digests.inbox import Kin
from pai_daemon.action.digests.wording import cut, language_of, linked, sentences_of
from pai_daemon.action.inputs import BEFORE, REFLECTION
from pai_daemon.action.material import Material, Piece, Written
from pai_daemon.action.reading import seconds_of
from pai_daemon.action.routine import Routine
from pai_daemon.context.answering.prompt import fence_for
from pai_daemon.context.answering.screen import Screen
from pai_daemon.context.answering.templates import usable
from pai_daemon.context.answering.writing import Writing
from pai_daemon.context.privacy import is_beyond
from pai_daemon.context.related import Related
from pai_daemon.context.search import Searcher
from pai_daemon.context.space import EmbeddingModel
from pai_daemon.errors import ModelUnavailable, NotFound, Overloaded
from pai_daemon.models.encoder.weights import Floats
from pai_daemon.models.generation.generator import Generator, Message, estimate_tokens
from pai_daemon.models.generation.generators import Generators, Options, generator_of
from pai_daemon.notes.language import guess_language
from pai_daemon.vault.daily import filled

NEWS, REVIEW, INBOX, ON_THIS_DAY = "morning-news", "weekly-review", "inbox-triage", "on-this-day"
MAX_PIECES, SHORTEST = 60, 200
QUOTED_ALONE = "none"


class VaultComposer:
    """Composes for one vault. own_templates: the folder of the person's prompts."""

    def __init__(
        self,
        searcher: Searcher,
        related: Related,
        generators: Generators,
        options: Options,
        *,
        own_templates: Path | None = None,
    ) -> None:
        self._searcher, self._related = searcher, related
        self._generators, self._options = generators, options
        self._own_templates = own_templates
        self._named: dict[str, Generator | None] = {}

    async def compose(
        self, routine: Routine, material: Material, due: datetime, *, budget_s: float
    ) -> Written:
        """Return the text of a run, an empty one where there is nothing to tell. Raises UsageError."""
        pieces = material.pieces
        if not pieces and routine.inputs:
            return Written("", stages=("nothing new",))
        language = language_of(pieces, guess_language(routine.prompt))
        own = [piece for piece in pieces if piece.group != BEFORE]
        is_diary = routine.shipped == REFLECTION or any(each.kind == "daily" for each in routine.inputs)
        if is_diary and care.speaks_of_harm(piece.text for piece in own):
            return Written(care.pointer(language), stages=("care",))
        if routine.shipped == INBOX:
            return await asyncio.to_thread(self._triage, pieces, language)
        warnings: list[str] = []
        generator = self._generator(routine)
        if generator is not None:
            written = await self._written(routine, own, due, generator, budget_s, warnings)
            if written is not None:
                return written
        text = await asyncio.to_thread(self._composed, routine, pieces, due, language)
        return Written(text, stages=("compose",), warnings=tuple(warnings), generator="extractive")

    def _generator(self, routine: Routine) -> Generator | None:
        """Return what writes for a routine, None for nothing."""
        if not routine.model:
            return self._generators.chosen.generator
        if routine.model == QUOTED_ALONE:
            return None
        if routine.model not in self._named:
            self._named[routine.model] = generator_of(routine.model, self._options)
        return self._named[routine.model]

    async def close(self) -> None:
        """Let go of the generators that routines named."""
        for generator in self._named.values():
            if generator is not None:
                await generator.close()

    # With a generator.

    async def _written(  # noqa: PLR0917 - a run, and what may be told of it
        self,
        routine: Routine,
        pieces: Sequence[Piece],
        due: datetime,
        generator: Generator,
        budget_s: float,
        warnings: list[str],
    ) -> Written | None:
        """Return what a generator makes of the material, None and a warning where it fails."""
        if generator.location == "remote":
            if routine.path in self._searcher.index.private_paths():
                warnings.append(f"The routine's note stays on this machine; {generator.name} was not asked.")
                return None
            public = [piece for piece in pieces if not piece.is_private]
            if kept := len(pieces) - len(public):
                warnings.append(
                    f"{kept} of the texts stay on this machine and were not sent to {generator.name}."
                )
            pieces = public
        if not pieces and routine.inputs:
            return None
        messages, given = await self._messages(routine, pieces, due, generator, warnings)
        deadline_s = asyncio.get_running_loop().time() + max(1.0, budget_s - 2.0)
        writing = Writing(generator, messages, routine.limits.tokens, deadline_s)
        async with aclosing(writing.pieces()) as coming:
            parts = [part async for part in coming if isinstance(part, str)]
        if writing.ending != "whole":
            warnings.append(f"{writing.why} The text was composed without it.")
            return None
        screen = Screen([piece.link for piece in given])
        text = _with_links(screen.whole("".join(parts)).strip(), given)
        if screen.taken_out:
            warnings.append(f"{screen.taken_out} addresses that the material lacks were taken out.")
        usage = writing.usage
        return Written(
            text,
            prompt=messages[-1].content,
            generator=generator.name,
            stages=("generate",),
            warnings=tuple(warnings),
            tokens=usage.completion_tokens if usage else None,
        )

    async def _messages(
        self,
        routine: Routine,
        pieces: Sequence[Piece],
        due: datetime,
        generator: Generator,
        warnings: list[str],
    ) -> tuple[list[Message], Sequence[Piece]]:
        """Return what a generator is told, within its window, and the pieces that it is told of."""
        template = usable("routine", self._own_templates, warnings)
        budget = await generator.window() - routine.limits.tokens
        fence = fence_for([f"{piece.title} {piece.text}" for piece in pieces])
        task = filled(routine.prompt.replace("{{material}}", "the texts above"), due, routine.title)

        def told(some: Sequence[Piece], longest: int) -> list[Message]:
            numbered = "\n\n".join(
                f"[{n}] {_head(piece)}\n{cut(piece.text, longest)}" for n, piece in enumerate(some, start=1)
            )
            user = template.fill(
                "user", material=f"<{fence}>\n{numbered}\n</{fence}>", task=task, fence=fence,
                date=f"{due:%Y-%m-%d}", weekday=filled("{{weekday}}", due, ""),
            )  # fmt: skip
            return [Message("system", template.fill("system", fence=fence)), Message("user", user)]

        given, longest = list(pieces[:MAX_PIECES]), 4000
        while estimate_tokens(messages := told(given, longest)) > budget and (
            longest > SHORTEST or len(given) > 1
        ):
            longest, given = (
                (longest // 2, given) if longest > SHORTEST else (longest, given[: len(given) * 3 // 4])
            )
        if len(given) < len(pieces):
            warnings.append(f"Only {len(given)} of {len(pieces)} texts fit into the generator's context.")
        return messages, given

    # Without one.

    def _composed(self, routine: Routine, pieces: Sequence[Piece], due: datetime, language: str) -> str:
        if routine.shipped == NEWS:
            return news.compose(pieces, self._vectors(pieces), language)
        if routine.shipped == REFLECTION:
            days = [piece for piece in pieces if piece.group != BEFORE]
            before = [piece for piece in pieces if piece.group == BEFORE]
            spans = [seconds_of(each.what) for each in routine.inputs if each.kind == "daily"]
            return reflection.compose(days, before, round(max(spans, default=604_800) / 86_400), language)
        if routine.shipped == REVIEW:
            return review.compose(pieces, due, language)
        if routine.shipped == ON_THIS_DAY:
            return on_this_day.compose(pieces, due.date(), language)
        return _quoted(pieces, language)

    def _vectors(self, pieces: Sequence[Piece]) -> Floats | None:
        """Return the embeddings of entries, None while no model of this machine is ready."""
        with self._searcher.borrow() as space:
            embedder: EmbeddingModel | None = space.embedder
            if embedder is None or is_beyond(embedder):
                return None
            try:
                return embedder.embed_texts(
                    [f"{each.title}. {each.text[:300]}" for each in pieces], urgent=False
                )
            except (ModelUnavailable, Overloaded):
                return None

    def _triage(self, pieces: Sequence[Piece], language: str) -> Written:
        catalog = self._searcher.index.catalog

        def tags(path: str) -> Sequence[str]:
            note = catalog.get(path)
            return note.tags if note is not None else ()

        def kin(path: str) -> Sequence[Kin]:
            try:
                found = self._related.to_note(path, 12)
            except (ModelUnavailable, NotFound):
                return ()
            return [
                Kin(each.path, each.title, each.link, tuple(tags(each.path)), each.linked) for each in found
            ]

        text, actions = inbox.compose(pieces, kin, tags, language)
        return Written(text, stages=("compose",), actions=actions, generator="extractive")


def _head(piece: Piece) -> str:
    moment = f", {piece.when:%Y-%m-%d}" if piece.when is not None else ""
    return f"{piece.title} ({piece.group or piece.source}{moment})"


def _with_links(text: str, pieces: Sequence[Piece]) -> str:
    """Return a text whose marks are links to the pieces that they name."""
    for number, piece in enumerate(pieces, start=1):
        if not piece.link:
            link = ""
        elif piece.link.startswith(("[[", "((")):
            link = f" ({piece.link})"
        else:
            link = f" ([{cut(piece.group or piece.title, 40)}]({piece.link}))"
        text = text.replace(f" [{number}]", link).replace(f"[{number}]", link)
    return text


def _quoted(pieces: Sequence[Piece], language: str) -> str:
    """Return the first sentences of each piece: a routine of the person's own, without a generator."""
    lines = []
    for piece in pieces[:MAX_PIECES]:
        own = piece.link if piece.link.startswith(("[[", "((")) else linked(piece.title, piece.link)
        said = cut(" ".join(sentences_of(piece.text, language)[:2]))
        lines.append(f"- {own}{': ' + said if said else ''}")
    return "\n".join(lines)
