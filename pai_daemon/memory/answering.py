"""Memory as answers see it: facts that hold, each cited by its own line and block (D84)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import date

from pai_daemon.context.answering.memory import RECALLED, Background, Remembered
from pai_daemon.context.answering.signals import Signals
from pai_daemon.context.passage import Passage
from pai_daemon.memory.fact import fact_in
from pai_daemon.memory.importing.pages import FOLDER
from pai_daemon.memory.profile import PersonProfile

_HEADING = re.compile(r" {0,3}#{1,6}[ \t]")
Recall = Callable[[str, int], Sequence[Remembered]]


def no_recall(_question: str, _limit: int) -> Sequence[Remembered]:
    """Recall nothing: what a search finds of memory's notes is all."""
    return ()


def holds(line: str, today: date) -> bool:
    """Return whether a line is no fact, or one that holds: not superseded, and not past its last day."""
    fact = fact_in(line)
    return fact is None or fact.holds(today)


class MemoryOfAnswers:
    """What one vault's memory gives to answers."""

    def __init__(
        self,
        folder: str,
        profile: PersonProfile,
        place: Callable[[str, str], tuple[str, str]],
        *,
        recall: Recall = no_recall,
        today: Callable[[], date] = date.today,
    ) -> None:
        """Name the memory folder. place: link and address of a block, by path and id. today: local day."""
        self._folder = folder
        self._profile = profile
        self._place = place
        self._recall = recall
        self._today = today

    def places(self) -> tuple[str, ...]:
        """Return the memory folder; a profile that is kept elsewhere is of ordinary notes."""
        return (f"{self._folder}/",)

    def unquoted(self) -> tuple[str, ...]:
        """Return the folder of kept conversations."""
        return (f"{self._folder}/{FOLDER}/",)

    def profile(self) -> Sequence[Background]:
        """Return who the person is."""
        return self._profile.notes()

    def recalled(self, question: str, limit: int) -> Sequence[Remembered]:
        """Return facts that bear on a question, as recall finds them."""
        return self._recall(question, limit)

    def told(self, passage: Passage) -> str:
        """Return a passage's text, of each fact in it the words alone."""
        if not passage.path.startswith(f"{self._folder}/"):
            return passage.text
        lines = passage.text.split("\n")
        facts = [fact_in(line) for line in lines]
        if len(lines) == 1 and facts[0] is not None:
            return facts[0].text
        return "\n".join(
            line if fact is None else f"- {fact.text}" for line, fact in zip(lines, facts, strict=True)
        )

    def current(self, question: str, passages: Sequence[Passage]) -> Sequence[Passage]:
        """Return passages without facts that no longer hold; the facts nearest to the question come apart.

        By its words: such a fact comes before the passage that it stands in.
        """
        signals, today = Signals(question), self._today()
        found: list[Passage] = []
        apart = 0
        for passage in passages:
            if not passage.path.startswith(f"{self._folder}/"):
                found.append(passage)
                continue
            lines = passage.text.split("\n")
            kept = [(number, line) for number, line in enumerate(lines) if holds(line, today)]
            near = sorted(self._near(passage, kept, signals), key=lambda found: -found[0])
            taken = near[: max(0, RECALLED - apart)]
            found += [fact for _, _, fact in taken]
            apart += len(taken)
            gone = {number for _, number, _ in taken}
            # A title above facts announces nothing, and would be quoted with all of them.
            left = [line for number, line in kept if number not in gone and not _HEADING.match(line)]
            if not taken and len(kept) == len(lines) and not any(map(_is_marked, lines)):
                found.append(passage)
            elif text := "\n".join(left).strip("\n"):
                # Marks in the text are counted from its beginning, and would be wrong now.
                found.append(replace(passage, text=text, highlights=()))
        return found

    def _near(
        self, passage: Passage, lines: Sequence[tuple[int, str]], signals: Signals
    ) -> Iterator[tuple[float, int, Passage]]:
        """Yield the facts of a passage that have a word of the question: how much of it, line and fact."""
        is_as_written = passage.text.count("\n") == passage.end_line - passage.start_line
        for number, line in lines:
            fact = fact_in(line)
            if fact is None or not fact.has_id or not is_as_written:
                continue
            if (coverage := signals.coverage(f"{passage.trail}\n{fact.text}")) > 0:
                link, uri = self._place(passage.path, fact.id)
                start = passage.start_char + sum(len(each) + 1 for each in passage.text.split("\n")[:number])
                yield (
                    coverage,
                    number,
                    replace(
                        passage,
                        text=line.strip(),
                        start_line=passage.start_line + number,
                        end_line=passage.start_line + number,
                        start_char=start,
                        end_char=start + len(line),
                        block_id=fact.id,
                        highlights=(),
                        link=link,
                        uri=uri,
                    ),
                )


def _is_marked(line: str) -> bool:
    """Return whether a line is a fact that can be cited by its block."""
    fact = fact_in(line)
    return fact is not None and fact.has_id
