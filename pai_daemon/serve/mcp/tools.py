"""The tools that an MCP client is offered: their names, what they take and give, and what a model is told.

They are few, in a fixed order, and their names short: clients put their own before them, and one that is
too long hides all.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from pai_daemon.context.answering.answer import DEFAULT_PASSAGES, Question
from pai_daemon.context.passage import Passage
from pai_daemon.context.related import RelatedNote
from pai_daemon.context.search import checked_query
from pai_daemon.errors import NotFound, Overloaded, UsageError
from pai_daemon.serve.mcp.desk import Desk, Tools, Where
from pai_daemon.serve.wire import Limit, Operators, Words
from pai_daemon.vault.scan import read_bytes

offered = Tools()
# What a model reads at once; more costs it more than it tells it.
MAX_READ_CHARACTERS = 20_000
# Notes that may not be seen are taken out of so many near ones.
MAX_NEAR = 500
NotePath = Annotated[
    str, Meta(description="Path of a note, as search_notes gives it.", examples=["Boat/Engine.md"])
]


class Found(msgspec.Struct, frozen=True):
    """A passage of a note. link: a wikilink to it. lines are 1-based and inclusive."""

    path: str
    title: str
    headings: tuple[str, ...]
    text: str
    start_line: int
    end_line: int
    link: str
    uri: str
    score: float
    stale: Annotated[bool, Meta(description="The note has changed since it was indexed.")]


class Passages(msgspec.Struct, frozen=True):
    """Passages, best first. pending: parts of notes that are not embedded yet, and found by words alone.

    understood: the operators that were read in the query; notices: what looked like one and is words.
    """

    results: list[Found]
    revision: int
    pending: int
    understood: tuple[str, ...]
    notices: tuple[str, ...]


class SearchNotes(Where, frozen=True, kw_only=True):
    """What is looked for."""

    query: Operators
    limit: Limit = 8


@offered.tool("search_notes", "Search notes", takes=SearchNotes, gives=Passages, scope="search")
async def search_notes(desk: Desk, asked: SearchNotes) -> Passages:
    """Find passages of the person's notes by meaning and by words, best first.

    Use it before you answer anything about the person's life, work or knowledge. A question in words of its
    own works better than keywords. Narrow it by folder, tag, property or time. Cite a passage by its link.
    """
    searcher, chosen = desk.parts.searcher, asked.chosen(desk)
    key = ("mcp", desk.parts.index.revision, desk.hidden, msgspec.json.encode(asked))
    result = await desk.served.turns.take(
        key, lambda: searcher.search(asked.query, limit=asked.limit, chosen=chosen)
    )
    found = [_found(passage) for passage in result.results]
    return Passages(found, result.revision, result.pending_chunks, result.understood, result.notices)


def _found(passage: Passage) -> Found:
    return Found(
        path=passage.path,
        title=passage.title,
        headings=passage.heading_path,
        text=passage.text,
        start_line=passage.start_line,
        end_line=passage.end_line,
        link=passage.link,
        uri=passage.uri,
        score=passage.score,
        stale=passage.stale,
    )


class ReadNote(msgspec.Struct, frozen=True, kw_only=True):
    """Which note, and from which line on."""

    path: NotePath
    start_line: Annotated[int, Meta(ge=1, description="The first line to read, from 1.")] = 1
    max_lines: Annotated[int, Meta(ge=1, le=2000, description="How many lines at most.")] = 400


class NoteText(msgspec.Struct, frozen=True, kw_only=True):
    """Lines of a note as they stand in the file. next_line: where it goes on, null at its end."""

    path: str
    title: str
    text: str
    start_line: int
    end_line: int
    next_line: int | None
    total_lines: int
    tags: tuple[str, ...]
    links_to: list[str]
    linked_from: list[str]
    content_hash: str


@offered.tool("read_note", "Read a note", takes=ReadNote, gives=NoteText, scope="search")
async def read_note(desk: Desk, asked: ReadNote) -> NoteText:
    """Read a note, or a part of a long one, as it stands on disk now, with the notes it links to and from."""
    path = desk.path(asked.path)
    return await asyncio.to_thread(_text, desk, path, asked.start_line, asked.max_lines)


def _text(desk: Desk, path: str, first: int, most: int) -> NoteText:
    parts = desk.parts
    try:
        data, content_hash = read_bytes(desk.served.vault, path, parts.reader.limit_of(path))
    except OSError as error:
        raise NotFound(f"{path} is not on disk any more.") from error
    note = parts.reader.read(path, data)
    lines = note.text.splitlines()
    if first > max(1, len(lines)):
        raise UsageError(f"{path} has {len(lines)} lines.", hint="Give a start_line within it.")
    taken: list[str] = []
    size = 0
    for line in lines[first - 1 : first - 1 + most]:
        size += len(line) + 1
        if taken and size > MAX_READ_CHARACTERS:
            break
        taken.append(line[:MAX_READ_CHARACTERS])
    last = first + len(taken) - 1
    catalog = parts.index.catalog
    return NoteText(
        path=path,
        title=note.title,
        text="\n".join(taken),
        start_line=first,
        end_line=max(last, first),
        next_line=last + 1 if last < len(lines) else None,
        total_lines=len(lines),
        tags=note.tags,
        links_to=sorted(catalog.linked(path) - desk.hidden),
        linked_from=[each for each in catalog.backlinks(path) if each not in desk.hidden],
        content_hash=content_hash,
    )


class AskVault(Where, frozen=True, kw_only=True):
    """What is asked."""

    question: Words
    limit: Annotated[Limit, Meta(description="From how many passages at most.")] = DEFAULT_PASSAGES


class Evidence(msgspec.Struct, frozen=True):
    """A passage that an answer rests on, by the number of its marker."""

    n: int
    path: str
    title: str
    text: str
    start_line: int
    end_line: int
    link: str
    uri: str


class Answered(msgspec.Struct, frozen=True, kw_only=True):
    """An answer. found: the notes say; where they do not, `nearest` has what comes nearest to it."""

    answer: str
    found: bool
    citations: list[Evidence]
    nearest: list[Evidence]
    written_by: str
    warnings: tuple[str, ...]
    revision: int


@offered.tool("ask_vault", "Ask the vault", takes=AskVault, gives=Answered, scope="ask")
async def ask_vault(desk: Desk, asked: AskVault) -> Answered:
    """Get a checked answer from the notes, each sentence with its citation, or that the notes do not say.

    It also looks up open tasks ("what is overdue?"), notes that mention names, and what was written in a
    time ("what did I write last week?"). For material to reason about yourself, use search_notes.
    """
    served = desk.served
    question = Question(
        text=checked_query(asked.question),
        limit=asked.limit,
        chosen=asked.chosen(desk),
    )
    if served.answering.locked():
        raise Overloaded("Too many questions are being answered.", hint="Ask again in a few seconds.")
    async with served.answering:
        answer = await desk.parts.answerer.ask(question)
    return Answered(
        answer=answer.answer,
        found=answer.found,
        citations=[_evidence(each.n, each.passage) for each in answer.citations],
        nearest=[_evidence(each.n, each.passage) for each in answer.nearest],
        written_by=answer.generator.name,
        warnings=answer.warnings,
        revision=answer.revision,
    )


def _evidence(number: int, passage: Passage) -> Evidence:
    return Evidence(
        n=number,
        path=passage.path,
        title=passage.title,
        text=passage.text,
        start_line=passage.start_line,
        end_line=passage.end_line,
        link=passage.link,
        uri=passage.uri,
    )


class RelatedTo(msgspec.Struct, frozen=True, kw_only=True):
    """A note, or a piece of text: one of both."""

    path: NotePath = ""
    text: Annotated[str, Meta(description="A piece of text, instead of a note.")] = ""
    limit: Limit = 8


class Kindred(msgspec.Struct, frozen=True):
    """A note that is near, and why. linked: they are linked already. passage: the part that is nearest."""

    path: str
    title: str
    why: str
    linked: bool
    link: str
    passage: str


class KindredNotes(msgspec.Struct, frozen=True):
    """Notes, nearest first."""

    results: list[Kindred]


@offered.tool("related_notes", "Related notes", takes=RelatedTo, gives=KindredNotes, scope="search")
async def related_notes(desk: Desk, asked: RelatedTo) -> KindredNotes:
    """Find notes that are near in meaning to a note, or to a piece of text, and why each one is."""
    if bool(asked.path) == bool(asked.text.strip()):
        raise UsageError("Give either path or text.")
    related, wanted = desk.parts.related, _enough(desk, asked.limit)
    if asked.path:
        near = await asyncio.to_thread(related.to_note, desk.path(asked.path), wanted)
    else:
        near = await asyncio.to_thread(related.to_text, asked.text, wanted)
    return KindredNotes(_kindred(desk, near, asked.limit))


def _enough(desk: Desk, limit: int) -> int:
    return min(MAX_NEAR, limit + len(desk.hidden))


def _kindred(desk: Desk, near: list[RelatedNote], limit: int) -> list[Kindred]:
    seen = [each for each in near if each.path not in desk.hidden][:limit]
    return [
        Kindred(each.path, each.title, each.why, each.linked, each.link, each.passage.text) for each in seen
    ]


class SuggestLinks(msgspec.Struct, frozen=True, kw_only=True):
    """Which note."""

    path: NotePath
    limit: Limit = 8


class Mentioned(msgspec.Struct, frozen=True):
    """A place that names another note without a link. link: what could stand there instead of `text`."""

    text: str
    line: int
    target: str
    link: str
    confidence: float
    why: str


class Linkable(msgspec.Struct, frozen=True):
    """A note that a link could lead to. confidence: how probable it is that the person would link it."""

    path: str
    title: str
    link: str
    confidence: float
    why: str


class SuggestedLinks(msgspec.Struct, frozen=True):
    """Links that a note could have: for words that are there, in their order, and to others, best first."""

    path: str
    mentions: list[Mentioned]
    others: list[Linkable]


@offered.tool("suggest_links", "Suggest links", takes=SuggestLinks, gives=SuggestedLinks, scope="search")
async def suggest_links(desk: Desk, asked: SuggestLinks) -> SuggestedLinks:
    """Suggest links for a note: words that name other notes, and notes that are near but not linked."""
    path = desk.path(asked.path)
    found = await asyncio.to_thread(desk.parts.linker.links_of, path, _enough(desk, asked.limit))
    named = [each for each in found.mentions if each.target not in desk.hidden]
    others = [each for each in found.suggestions if each.path not in desk.hidden]
    return SuggestedLinks(
        path,
        [
            Mentioned(each.text, each.line, each.target, each.link, each.confidence, each.why)
            for each in named[: asked.limit]
        ],
        [
            Linkable(each.path, each.title, each.link, each.confidence, each.why)
            for each in others[: asked.limit]
        ],
    )


class RecentNotes(Where, frozen=True, kw_only=True):
    """Which notes: the latest of all, or of a folder, a tag, a property, a time."""

    limit: Limit = 20


class Recent(msgspec.Struct, frozen=True):
    """A note and when it was last written, ISO 8601, UTC; day: that it is about, as a journal's."""

    path: str
    title: str
    changed: str
    day: str | None
    tags: tuple[str, ...]


class RecentList(msgspec.Struct, frozen=True):
    """Notes, those written last first. total: how many there are."""

    results: list[Recent]
    total: int


@offered.tool("recent_notes", "Recent notes", takes=RecentNotes, gives=RecentList, scope="search")
async def recent_notes(desk: Desk, asked: RecentNotes) -> RecentList:
    """List the notes that were written last, of all or of a folder, a tag, or since a time."""
    chosen = replace(asked.chosen(desk), by_change=True)
    paths = await asyncio.to_thread(desk.parts.searcher.paths, chosen)
    catalog = desk.parts.index.catalog
    notes = [note for path in paths if (note := catalog.get(path)) is not None]
    notes.sort(key=lambda note: (-note.stat.mtime_ns, note.path))
    return RecentList(
        [
            Recent(
                note.path,
                note.title,
                datetime.fromtimestamp(note.stat.mtime_ns // 10**9, UTC).isoformat(),
                note.day or None,
                note.tags,
            )
            for note in notes[: asked.limit]
        ],
        len(notes),
    )
