"""An answer while it is being written: what was found, what is written so far, what must be said of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pai_daemon.context.answering.answer import EXTRACTIVE, AnswerSentence, Citation
from pai_daemon.context.answering.memory import WithFacts
from pai_daemon.context.answering.prompt import distinct
from pai_daemon.context.answering.screen import Screen
from pai_daemon.context.passage import Passage, SearchResult
from pai_daemon.context.space import EmbeddingModel
from pai_daemon.models.generation.generator import Usage
from pai_daemon.notes.language import guess_language

NOT_FOUND = {
    "en": "Your notes do not say.",
    "de": "Das steht nicht in deinen Notizen.",
    "es": "Tus notas no lo dicen.",
    "fr": "Vos notes ne le disent pas.",
    "it": "Le tue note non lo dicono.",
    "nl": "Dat staat niet in je notities.",
    "pt": "Suas notas não dizem isso.",
}
# While notes are still being read, nothing can be said of all of them.
NOT_FOUND_YET = {
    "en": "Nothing found so far; your notes are still being read.",
    "de": "Bisher nichts gefunden; deine Notizen werden noch gelesen.",
    "es": "Nada por ahora; tus notas aún se están leyendo.",
    "fr": "Rien pour l'instant ; vos notes sont encore en cours de lecture.",
    "it": "Ancora niente; le tue note sono ancora in lettura.",
    "nl": "Nog niets gevonden; je notities worden nog gelezen.",
    "pt": "Nada por enquanto; suas notas ainda estão sendo lidas.",
}


NEAREST = 3


class Draft:
    """An answer being written. question: made to stand alone, and without what narrows it.

    embedder: by which its passages were found, None where by words alone. citations: as they are numbered,
    and best: the best one first, the same but in a conversation. facts: what is remembered. written: what a
    generator wrote of the text, and is_written: whether that is whole. selected: how many characters of the
    selection it was given.
    """

    def __init__(
        self,
        question: str,
        found: SearchResult,
        embedder: EmbeddingModel | None,
        steady: Callable[[Sequence[Passage]], Sequence[Passage]] = tuple,
    ) -> None:
        self.question = question
        self.selected = 0
        self.embedder = embedder
        passages = distinct(found.results)
        self.citations = tuple(
            Citation(number, each) for number, each in enumerate(steady(passages), start=1)
        )
        self.best = sorted(self.citations, key=lambda each: passages.index(each.passage))
        self.facts = found.facts if isinstance(found, WithFacts) else ()
        self.revision = found.revision
        self.stages = list(found.stages)
        self.warnings: list[str] = []
        self.language = guess_language(question)
        self.text = ""
        self.written = ""
        self.is_written = False
        self.template = ""
        self.usage: Usage | None = None
        self.found = True
        self.sentences: list[AnswerSentence] = []
        self.generator = EXTRACTIVE
        self.is_partial = "semantic" not in found.stages or found.pending_chunks > 0
        if "semantic" not in found.stages:
            self.warnings.append(
                "The embedding model is not loaded (pai status says why); only words were matched."
            )
        elif found.pending_chunks:
            self.warnings.append(f"{found.pending_chunks:,} passages are not embedded yet.")

    def screen(self) -> Screen:
        """Return what lets through only what its passages allow."""
        return Screen(citation.passage.text for citation in self.citations)

    def tell_taken_out(self, screen: Screen) -> None:
        """Warn where something was taken out of the answer."""
        if screen.taken_out:
            self.warnings.append(
                "Images, or addresses that stand in none of the passages, were taken out of the answer."
            )

    def tell_unread(self, selection: str) -> None:
        """Warn where a generator was not given all of a selection: no room, or it stays on this machine."""
        if "generate" in self.stages and (unread := len(selection) - self.selected):
            self.warnings.append(f"The last {unread} characters of the text you sent were not read.")

    def nearest(self) -> tuple[Citation, ...]:
        """Return the best passages, each of another note: where to look when the notes do not say."""
        by_note: dict[str, Citation] = {}
        for citation in self.citations:
            by_note.setdefault(citation.passage.path, citation)
        return tuple(by_note.values())[:NEAREST]

    def refusal(self) -> str:
        """Return the answer where the notes do not say, in the language of the question."""
        self.found = False
        said = NOT_FOUND_YET if self.is_partial else NOT_FOUND
        return said.get(self.language, said["en"])
