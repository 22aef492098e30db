"""Reads exports into records: which program an entry is from shows in its form, not in a file's name."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any

from pai_daemon.memory.exporting import END, is_exported, read_exported
from pai_daemon.memory.importing import chatgpt, claude
from pai_daemon.memory.importing.records import Conversation, Record, Skipped, Statement, moment, one_line
from pai_daemon.memory.importing.statements import read_entity, read_markdown, read_statement
from pai_daemon.memory.importing.streams import PROSE, Broken, Member, entries, members, prose
from pai_daemon.notes.frontmatter import read_frontmatter


@dataclass(slots=True)
class Reading:
    """The files of some exports, and how far they were read.

    told: gets how many bytes were read, each time. members: what is read. skipped: what is not.
    """

    paths: tuple[Path, ...]
    told: Callable[[int], None] = lambda _: None
    members: list[Member] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    _projects: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Look at the files. Raises UsageError for one that is not there."""
        for path in self.paths:
            for found in members(path):
                if isinstance(found, Member):
                    self.members.append(found)
                else:
                    self.skipped.append(found)

    @property
    def total_bytes(self) -> int:
        """Return how much there is to read."""
        return sum(member.size_bytes for member in self.members)

    def records(self) -> Iterator[Record]:
        """Yield what the files hold, in order, and what is passed over; never raises for their content."""
        yield from self.skipped
        for member in self.members:
            read = 0
            try:
                for record in self._of(member):
                    read += not isinstance(record, Skipped)
                    yield record
            except Broken as error:
                before = f"; {read:,} before it were read" if read else ""
                yield Skipped(member.name, f"{error}{before}")

    def _of(self, member: Member) -> Iterator[Record]:
        if member.suffix in PROSE:
            yield from _notes_of(member, prose(member))
            self.told(member.size_bytes)
            return
        unknown = 0
        is_ours = has_end = False
        for entry in entries(member, self.told):
            if isinstance(entry, Skipped):
                yield entry
                continue
            known = isinstance(entry, dict) and is_exported(entry)
            is_ours |= known
            has_end |= known and entry["type"] == END
            for record in self._known(entry, member):
                known = True
                yield record
            unknown += not known
        if is_ours and not has_end:
            yield Skipped(member.name, "the rest: the file was cut off")
        if unknown:
            yield Skipped(member.name, "entries of no known form", unknown)

    def _known(self, entry: Any, member: Member) -> Iterator[Record]:
        """Yield what an entry holds; nothing for one of no known form."""
        if isinstance(entry, str) and (text := one_line(entry)):
            yield Statement(text, _name(member), said=member.written)
        if not isinstance(entry, dict):
            return
        if is_exported(entry):
            yield from read_exported(entry, member.name)
        elif chatgpt.is_conversation(entry):
            yield from _conversation(chatgpt.read_conversation(entry), member)
        elif claude.is_conversation(entry):
            yield from _conversation(claude.read_conversation(entry), member)
        elif claude.is_project(entry):
            yield from self._project(entry, member)
        elif claude.is_memory(entry):
            yield from claude.read_memory(entry, self._projects, member.written)
        elif entry.get("type") in ("entity", "relation"):
            yield from read_entity(entry, _name(member))
        elif statement := read_statement(entry, "" if "memory" in entry else _name(member)):
            yield statement

    def _project(self, entry: Mapping[str, Any], member: Member) -> Iterator[Record]:
        self._projects[one_line(entry.get("uuid"))] = one_line(entry.get("name"))
        documents = list(claude.read_project(entry))
        yield from documents
        if not documents:
            yield Skipped(member.name, "projects without instructions and documents", is_loss=False)


def _conversation(read: Conversation, member: Member) -> Iterator[Record]:
    """Yield a conversation and what of it was left out; one without an id or a text is passed over."""
    if read.id and read.messages:
        yield read
    else:
        why = "conversations without any text" if read.id else "conversations without an id"
        yield Skipped(member.name, why, is_loss=not read.id)
    yield from (Skipped(member.name, why, count, is_loss=False) for why, count in read.left_out.items())


def _notes_of(member: Member, text: str) -> Iterator[Record]:
    """Yield the statements of a file of prose; said: by its properties, else when it was written."""
    head = read_frontmatter(text)
    given = next((head.properties[name] for name in ("created", "date") if head.properties.get(name)), None)
    said = moment(str(given)) or member.written
    subject = one_line(PurePosixPath(member.name).stem)
    for statement in read_markdown(text[head.body_start :], _name(member), said=said):
        yield statement if statement.subject else replace(statement, subject=subject)


def _name(member: Member) -> str:
    """Return a file's own name, which is the source of what it says."""
    return one_line(PurePosixPath(member.name.rpartition(": ")[2]).name)
