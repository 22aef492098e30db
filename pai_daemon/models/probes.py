"""Short texts of our own in many languages, by which a model is measured on a person's machine.

`probes.json` holds them: what a personal note says, a question about it in other words, and what else
stands beside it. No two of them tell the same fact, so a question belongs to its own sentence only.
"""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from pathlib import Path

# With fewer, the share of questions that find their sentence is noise.
LEAST_PROBES = 12
_FILE = Path(__file__).with_name("probes.json")


@dataclass(frozen=True, slots=True)
class Probe:
    """A sentence of a note and a question that it answers.

    language: ISO 639-1. title: of the note. sentence: what it says, a whole note or a line of one.
    question: answered by the sentence, in few of its words. paraphrase: the sentence once more, in other
    words. other: what else the note says, which does not answer the question; up to 90 words.
    """

    language: str
    title: str
    sentence: str
    question: str
    paraphrase: str
    other: str


def probes(languages: frozenset[str] = frozenset()) -> list[Probe]:
    """Return the probes in the languages that a model covers, every probe where they are not known.

    languages: ISO 639-1, empty where unknown. Where fewer than LEAST_PROBES are in them, the English
    ones are returned: every model has seen some English.
    """
    known = _all_probes()
    covered = [each for each in known if not languages or each.language in languages]
    if len(covered) < LEAST_PROBES:
        return [each for each in known if each.language == "en"]
    return covered


@functools.cache
def _all_probes() -> tuple[Probe, ...]:
    return tuple(Probe(**entry) for entry in json.loads(_FILE.read_text("utf-8")))
