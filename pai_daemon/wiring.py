"""Puts the parts of one vault together: with `daemon`, the only place that constructs them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from pai_daemon.action.actions import Actions, Record
from pai_daemon.action.audit import AuditLog
from pai_daemon.action.composing import VaultComposer
from pai_daemon.action.folder import RoutineFolder
from pai_daemon.action.inputs import VaultGatherer
from pai_daemon.action.outside.feeds import Feeds
from pai_daemon.action.outside.guard import Outside
from pai_daemon.action.outside.incoming import Incoming
from pai_daemon.action.outside.webhooks import Deliveries, HookFile, Webhooks
from pai_daemon.action.relocation import Relocation
from pai_daemon.action.runner import Runner
from pai_daemon.action.runs import Run
from pai_daemon.action.scheduler import Scheduler
from pai_daemon.config import Settings
from pai_daemon.context.answering.answers import Answerer
from pai_daemon.context.changes import NoteChange
from pai_daemon.context.comparing.comparer import Comparer
from pai_daemon.context.index import Index
from pai_daemon.context.indexer import Indexer
from pai_daemon.context.linking.graph import LinkGraph
from pai_daemon.context.linking.kept import Kept
from pai_daemon.context.linking.linker import Linker
from pai_daemon.context.linking.report import Reporter
from pai_daemon.context.reading import Reader
from pai_daemon.context.related import Related
from pai_daemon.context.search import Searcher
from pai_daemon.context.summaries.summarizer import Summarizer
from pai_daemon.memory.answering import MemoryOfAnswers
from pai_daemon.memory.journal import Journal
from pai_daemon.memory.keeping import FactKeeper, Recollecting
from pai_daemon.memory.memory import Memory
from pai_daemon.memory.offering import Offers
from pai_daemon.memory.profile import PersonProfile
from pai_daemon.memory.recall import Recall
from pai_daemon.memory.rules import Rules
from pai_daemon.memory.thread_keeping import ThreadKeeper
from pai_daemon.models.generation.generators import Generators, Options
from pai_daemon.serve.state import Parts, Served
from pai_daemon.vault.daily import DailyNotes
from pai_daemon.vault.ignore import IgnoreRules
from pai_daemon.vault.shelf import Shelf
from pai_daemon.vault.watch import Watcher


@dataclass(frozen=True, slots=True)
class Wiring:
    """What the parts of a vault are made from."""

    vault: Path
    settings: Settings
    index: Index
    generators: Generators
    served: Served

    def parts(self, publish: Callable[[], None]) -> Parts:
        """Return the parts, wired. publish: is called when anything of the index is another."""
        vault, chosen, index = self.vault, self.settings, self.index
        rules = partial(IgnoreRules.of, vault, chosen.exclude, chosen.include)
        reader = Reader(chosen.note_limit_bytes, index.catalog.block_text, vault_name=vault.name)
        kept = Kept(chosen.links_path(vault))
        indexer = Indexer(
            vault,
            index,
            reader,
            rules=rules,
            rescan_s=chosen.rescan_s,
            on_change=publish,
            on_rename=kept.rename,
        )
        indexer.leave_out()
        searcher = Searcher(vault, index)
        graph = LinkGraph(index.catalog)
        related = Related(vault, index, searcher, graph)
        linker = Linker(vault, index, searcher, reader, kept, graph=graph)
        writing: Any = {"budget_s": chosen.answer_budget_s, "own_templates": chosen.prompts_dir}
        recollecting = self._recollecting(indexer)
        memory = recollecting.memory
        threads = ThreadKeeper(memory.shelf, chosen.keep_conversations, chosen.keep_conversations_for)
        data, outside = chosen.actions_dir(vault), Outside()
        webhooks = Webhooks(HookFile(chosen), Deliveries(data / "webhooks"), outside)
        actions = self._actions(reader, memory.shelf.folder, webhooks)
        feeds = Feeds(outside, data / "feeds.json")
        gatherer = VaultGatherer(searcher, linker, feeds, outside, folder=chosen.routines_folder)
        composer = self._composer(searcher, related)
        runner = Runner(vault, gatherer, composer, actions, stays=self._stays)
        scheduler = self._scheduler(runner, webhooks)
        index.on_notes = self._heard(scheduler, actions, webhooks, indexer)
        return Parts(
            index=index,
            reader=reader,
            indexer=indexer,
            watcher=Watcher(vault, rules(), indexer.hint),
            searcher=searcher,
            related=related,
            linker=linker,
            reporter=Reporter(vault, index, reader, kept),
            answerer=Answerer(
                searcher, self.generators, memory=self._told_of(recollecting, searcher), **writing
            ),
            summarizer=Summarizer(searcher, self.generators, **writing),
            comparer=Comparer(searcher, self.generators, **writing),
            recollecting=recollecting,
            keeper=FactKeeper(memory),
            threads=threads,
            offers=Offers(memory, threads, chosen.proposals_path(vault)),
            actions=actions,
            scheduler=scheduler,
            composer=composer,
            webhooks=webhooks,
            incoming=Incoming(data),
        )

    # Memory.

    def _recollecting(self, indexer: Indexer) -> Recollecting:
        """Return what is remembered; what is forgotten for good leaves the index with its note."""
        folder = self.settings.index_dir(self.vault)

        def purge() -> None:
            self.index.store.want_purge()
            indexer.request()

        shelf = Shelf.of(self.vault, self.settings)
        shelf.tidy()
        whole = Shelf(self.vault, "", shelf.undo)

        def may_leave(path: str) -> bool:
            return Rules.of(whole, self.settings).may_leave(path)

        memory = Memory(shelf, Journal(folder), on_purge=purge, may_leave=may_leave)
        recollecting = Recollecting(memory, Recall(folder), self.index)
        memory.on_change = recollecting.take_in
        return recollecting

    def _told_of(self, recollecting: Recollecting, searcher: Searcher) -> MemoryOfAnswers:
        """Return memory as answers see it."""
        folder, catalog, place = recollecting.folder, searcher.index.catalog, searcher.places.of_block
        profile = PersonProfile(self.vault, folder, lambda: [note.path for note in catalog.notes()])
        recall = partial(recollecting.passages, place=place)
        return MemoryOfAnswers(folder, profile, place, recall=recall)

    # Action.

    def _actions(self, reader: Reader, memory_folder: str, webhooks: Webhooks) -> Actions:
        """Return what changes notes; neither routines nor what is remembered is opened by a grant."""
        vault, settings = self.vault, self.settings
        data = settings.actions_dir(vault)
        events = self.served.events

        def begun(path: str) -> str:
            daily, now = DailyNotes.of(vault), datetime.now().astimezone()
            return daily.beginning(vault, now) if path == daily.path(now.date()) else ""

        def tell(record: Record) -> None:
            told = {"id": record.id, "state": record.state, "path": record.action.path}
            events.publish("action", told)
            if record.state not in ("proposed", "applied"):
                return
            if not self._stays(record.action.path.lstrip("/")):
                events.call(webhooks.tell, f"action.{record.state}", told | {"kind": record.action.kind})

        shelf = Shelf(vault, "", data / "undo")
        return Actions(
            shelf,
            AuditLog(data / "audit.jsonl"),
            sealed=(settings.routines_folder, memory_folder),
            is_outline=lambda path: reader.graph is not None and reader.graph.covers(path),
            beginning=begun,
            moved=Relocation(shelf, self.index.catalog, reader),
            on_change=tell,
        )

    def _stays(self, path: str) -> bool:
        """Return whether a note at a path stays on this machine, be it there or not."""
        return path in self.index.private_paths() or self.index.privacy.hides(path)

    def _composer(self, searcher: Searcher, related: Related) -> VaultComposer:
        settings = self.settings
        options = Options(settings.gguf_dir, settings.generator_key, settings.generator_idle_s)
        own = settings.prompts_dir
        return VaultComposer(searcher, related, self.generators, options, own_templates=own)

    def _scheduler(self, runner: Runner, webhooks: Webhooks) -> Scheduler:
        settings, events = self.settings, self.served.events

        def tell(run: Run) -> None:
            told = {"id": run.id, "routine": run.routine, "state": run.state}
            events.publish("routine", told | {"why": run.why})
            if run.state in ("done", "failed"):
                webhooks.tell(f"routine.{'succeeded' if run.state == 'done' else 'failed'}", told)

        folder = RoutineFolder(self.vault, settings.routines_folder)
        return Scheduler(folder, runner, settings.actions_dir(self.vault), publish=tell)

    def _heard(
        self, scheduler: Scheduler, actions: Actions, webhooks: Webhooks, indexer: Indexer
    ) -> Callable[[Mapping[str, NoteChange]], None]:
        """Return what hears of notes that changed, in any thread, and tells of them in the loop's own."""
        catalog, privacy, events = self.index.catalog, self.index.privacy, self.served.events
        # What is indexed for the first time is no news.
        is_new = not len(catalog)
        hidden = self.index.private_paths()

        def tell(changes: Mapping[str, NoteChange]) -> None:
            nonlocal is_new
            is_new = is_new and indexer.status().state in ("starting", "indexing")
            for path, change in changes.items():
                note = catalog.get(path)
                if note is not None and privacy.rule(note, catalog) is not None:
                    hidden.add(path)
                if is_new:
                    continue
                if path not in hidden:
                    named = {"title": note.title, "tags": list(note.tags)} if note is not None else {}
                    events.call(webhooks.tell, f"note.{change}", {"path": path, **named})
                if note is not None and actions.wrote(path) == note.content_hash:
                    continue  # what a routine wrote causes none
                tags = frozenset(tag.casefold() for tag in note.tags) if note is not None else frozenset()
                events.call(scheduler.note_changed, path, change, tags)

        return tell
