"""The notes that mention names: all there are, found by words and links and not by what is near (D65).

A name is a note's, and then whatever else the note is called counts too, as do links to it; or it is words,
which must stand so in the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from pai_daemon.context.catalog import IndexedNote
from pai_daemon.context.filters import EVERYTHING, Filter
from pai_daemon.context.highlights import Terms, fold_letters
from pai_daemon.context.passage import Passage
from pai_daemon.context.questions.mentions import MentionQuestion, Name
from pai_daemon.context.search import Searcher
from pai_daemon.context.store.rows import StoredChunk, chunk_id
from pai_daemon.notes.language import guess_language, is_stop_word
from pai_daemon.notes.links import slug
from pai_daemon.notes.plain import sentences

MAX_FORMS = 8
MIN_FORM_CHARACTERS = 2
# Of each note so many chunks are looked at for the sentences that are quoted, and so much of one is.
MAX_CHUNKS = 12
MAX_QUOTE_CHARACTERS = 300
# Of what was written in a time so many sentences of each note are quoted.
MOST = 3
_ARTICLE = re.compile(
    r"(?:the|a|an|my|our|der|die|das|den|dem|mein|meine|meinen|unser|unsere) ", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Mentioning:
    """A note that mentions names. passages: the sentences that do, as few as show each of the names."""

    path: str
    title: str
    passages: tuple[Passage, ...]


@dataclass(frozen=True, slots=True)
class Mentions:
    """The notes that mention names, the first of them told. counts: how many there are for each name."""

    notes: tuple[Mentioning, ...]
    total: int
    names: tuple[str, ...]
    counts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Sought:
    """A name as it is looked for. forms: how it may be written. paths: of the notes that are called so."""

    name: Name
    forms: tuple[str, ...]
    paths: frozenset[str]

    def pattern(self) -> re.Pattern[str]:
        """Return what finds the name in a folded text."""
        written = (r"\W+".join(map(re.escape, _words(form))) for form in self.forms)
        return re.compile(rf"(?<!\w)(?:{'|'.join(filter(None, written))})(?!\w)")


def find_mentions(
    searcher: Searcher, question: MentionQuestion, chosen: Filter = EVERYTHING, *, limit: int
) -> Mentions | None:
    """Return the notes that a question asks for, None where it may ask for a topic that no note is called.

    Those come first in which one sentence says it all, then those that are newer; of what was written in a
    time the newest.
    """
    links = searcher.index.catalog.links
    names = question.names
    if len(names) > 1 and links.named(question.whole):
        names = (Name(question.whole),)
    sought = [_sought(searcher, name) for name in names]
    is_known = len(names) > 1 and all(each.paths or each.name.is_exact for each in sought)
    if question.kind == "about" and not is_known:
        return None
    ids = [_ids(searcher, each, chosen) for each in sought]
    linking = [_linking(searcher, each, chosen) for each in sought]
    by_name = [
        ({item.rpartition("#")[0] for item in found} | linked) - (each.paths if len(sought) == 1 else set())
        for each, found, linked in zip(sought, ids, linking, strict=True)
    ]
    if not by_name:
        paths = searcher.paths(chosen)
    else:
        paths = set.union(*by_name) if question.is_any else set.intersection(*by_name)
    told = [
        _mentioning(searcher, note, sought, set().union(*ids), MOST if question.kind == "written" else 0)
        for path in _newest_first(searcher, paths)[: 2 * limit]
        if (note := searcher.index.catalog.get(path)) is not None
    ]
    if question.kind != "written":
        told.sort(key=lambda found: len(found.passages))
    return Mentions(
        tuple(told[:limit]), len(paths), tuple(name.text for name in names), tuple(map(len, by_name))
    )


def _newest_first(searcher: Searcher, paths: Iterable[str]) -> list[str]:
    def age(path: str) -> tuple[str, int]:
        note = searcher.index.catalog.get(path)
        return (note.day, note.stat.mtime_ns) if note is not None else ("", 0)

    return sorted(sorted(paths), key=age, reverse=True)


def _sought(searcher: Searcher, name: Name) -> _Sought:
    catalog = searcher.index.catalog
    bare = name.text if name.is_exact else _ARTICLE.sub("", name.text, count=1)
    called = {path for form in (name.text, bare, f"the {bare}") for path in catalog.links.named(form)}
    called |= {path for form in (name.text, bare) if (path := catalog.links.resolve(form, ""))}
    notes = [note for path in sorted(called)[:MAX_FORMS] if (note := catalog.get(path)) is not None]
    forms = [bare, *(form for note in notes for form in (note.title, *note.aliases))]
    if not name.is_exact and not bare.endswith("s"):
        forms.insert(1, f"{bare}s")
    telling = [form for form in forms if len(form) >= MIN_FORM_CHARACTERS and not is_stop_word(slug(form))]
    kept = {slug(form): form for form in reversed(telling or [bare]) if _words(form)}
    return _Sought(name, tuple(reversed(kept.values()))[:MAX_FORMS], frozenset(note.path for note in notes))


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", fold_letters(text))


def _ids(searcher: Searcher, sought: _Sought, chosen: Filter) -> set[str]:
    """Return the chunks that hold a name, or stand below a heading or in a note that does."""
    chunks, everything = searcher.index.store.chunks, max(1, searcher.index.catalog.chunk_count())
    phrases = (form.replace('"', " ") for form in sought.forms)
    return {item for phrase in phrases for item, _ in chunks.search(f'"{phrase}"', everything, chosen)}


def _linking(searcher: Searcher, sought: _Sought, chosen: Filter) -> set[str]:
    """Return the notes that link to a note of that name, however the link reads."""
    if not sought.paths:
        return set()
    catalog = searcher.index.catalog
    called = {slug(form) for form in sought.forms}
    called |= {slug(path.rpartition("/")[2].rpartition(".")[0]) for path in sought.paths}
    passing = searcher.paths(chosen) if chosen else None
    return {
        note.path
        for note in catalog.notes()
        if (passing is None or note.path in passing)
        and any(_tail(target) in called for target in note.targets)
        and catalog.linked(note.path) & sought.paths
    }


def _tail(target: str) -> str:
    return slug(target.rpartition("/")[2].removesuffix(".md"))


def _mentioning(
    searcher: Searcher, note: IndexedNote, sought: Sequence[_Sought], hits: set[str], most: int
) -> Mentioning:
    """Return a note with the sentences that mention the names: each time the one with most that are left.

    most: with further ones up to so many, where all that was written is asked for.
    """
    every = [chunk_id(note.path, ordinal) for ordinal in range(len(note.vector_keys))]
    wanted = [item for item in every if item in hits][:MAX_CHUNKS]
    wanted += [item for item in every if item not in hits][: MAX_CHUNKS - len(wanted)]
    chunks = searcher.index.store.chunks.get(wanted)
    found = [chunks[item] for item in wanted if item in chunks]
    patterns = [each.pattern() for each in sought]

    def said_in(part: StoredChunk) -> frozenset[int]:
        """Return the numbers of the names that a part of the note says."""
        both = zip(patterns, sought, strict=True)
        return frozenset(number for number, (pattern, name) in enumerate(both) if _says(part, pattern, name))

    # Only of what says a name are the sentences told apart: that takes longer than all the rest.
    telling = [part for part in found if not sought or said_in(part)]
    quotes = [(quote, said_in(quote)) for part in telling or found[:1] for quote in _quotes(part)]
    left = set(range(len(sought)))
    chosen: list[StoredChunk] = []
    while left and quotes:
        # The name of a picture is a mention, though the poorest.
        quote, said = max(quotes, key=lambda pair: (len(pair[1] & left), not pair[0].text.startswith("![[")))
        if not said & left:
            break
        left -= said
        chosen.append(quote)
    further = (quote for quote, said in quotes if said or not (sought or quote.text == note.title))
    chosen += islice((quote for quote in further if quote not in chosen), max(0, most - len(chosen)))
    if not chosen and quotes:  # its title says it, or a property
        chosen.append(quotes[0][0])
    terms = Terms(frozenset(word for each in sought for word in _words(each.forms[0])))
    chosen.sort(key=lambda quote: quote.start_char)
    passages = tuple(searcher.excerpt(quote, terms) for quote in chosen)
    return Mentioning(note.path, note.title, passages)


def _says(quote: StoredChunk, pattern: re.Pattern[str], sought: _Sought) -> bool:
    """Return whether a sentence has a name, or a link to a note that is called so."""
    folded = fold_letters(quote.text)
    return pattern.search(folded) is not None or any(
        f"[[{fold_letters(path.rpartition('/')[2].rpartition('.')[0])}" in folded for path in sought.paths
    )


def _quotes(chunk: StoredChunk) -> Iterator[StoredChunk]:
    """Yield the sentences of a chunk as chunks of their own."""
    for sentence in sentences(chunk.text, guess_language(chunk.text)):
        end = sentence.end
        if end - sentence.start > MAX_QUOTE_CHARACTERS:
            cut = sentence.start + MAX_QUOTE_CHARACTERS
            end = max(chunk.text.rfind(" ", sentence.start, cut), 0) or cut
        line = chunk.start_line + chunk.text.count("\n", 0, sentence.start)
        yield replace(
            chunk,
            text=chunk.text[sentence.start : end],
            start_line=line,
            end_line=line + chunk.text.count("\n", sentence.start, end),
            start_char=chunk.start_char + sentence.start,
            end_char=chunk.start_char + end,
        )
