"""Brings the index to what the disk says: scan, decide, read, commit, embed. One thread.

The scan is the truth and the watcher a hint (D1). Where much changed, text is committed before it
is embedded, so that text search answers within seconds of a first start; a save is embedded first
and committed whole (D5). Embeddings are made newest note first and yield to hints.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Literal, Protocol

from pai_daemon.context.agenda import Agenda
from pai_daemon.context.coverage import Covered
from pai_daemon.context.index import Index
from pai_daemon.context.intake import WHOLE_NOTES, Intake, windows
from pai_daemon.context.languages import VaultLanguages
from pai_daemon.context.progress import Progress
from pai_daemon.context.reading import Reader
from pai_daemon.context.removals import Removals
from pai_daemon.context.space import EmbeddingModel
from pai_daemon.context.store.lance import release_memory
from pai_daemon.context.store.store import KEEP_S
from pai_daemon.context.switch import Switch
from pai_daemon.errors import ModelUnavailable, PaiError
from pai_daemon.vault.folder import layout_of
from pai_daemon.vault.ignore import IgnoreRules
from pai_daemon.vault.scan import FileStat, scan, scan_paths

log = logging.getLogger(__name__)

PURGE_S = KEEP_S + 1.0
RETRY_S = 5.0

PAUSED = (
    "Indexing is paused. Saves are still taken in, nothing else is embedded. To go on: pai index --resume"
)

State = Literal["starting", "indexing", "ready", "paused", "held", "error"]


class Watches(Protocol):
    """What the indexer needs of a watcher."""

    rules: IgnoreRules

    def start(self) -> None:
        """Begin to hand on hints."""
        ...

    def stop(self) -> None:
        """Hand on no more hints."""
        ...


@dataclass(frozen=True, slots=True)
class IndexerStatus:
    """What the indexer is doing. message: why it is not `ready`; code: the same, for programs."""

    state: State
    message: str | None
    progress: Progress | None
    code: str | None = None


class Indexer:
    """The thread that keeps one index in step with one vault.

    languages: what the vault is written in, known once all its text is indexed. covered: what of it is
    indexed, and why not the rest.
    """

    def __init__(
        self,
        vault: Path,
        index: Index,
        reader: Reader,
        *,
        rules: Callable[[], IgnoreRules] | None = None,
        rescan_s: float,
        on_change: Callable[[], None] = lambda: None,
        on_rename: Callable[[Mapping[str, str]], None] = lambda _: None,
    ) -> None:
        self._vault = vault
        self._index = index
        self._read_rules = rules or partial(IgnoreRules.of, vault)
        self._rescan_s = rescan_s
        self._reader = reader
        self._on_change = on_change
        self._rules = self._read_rules()
        self._agenda = Agenda()
        self._watcher: Watches | None = None
        self._thread: threading.Thread | None = None
        self._next_scan_s = 0.0
        self._worked_s = 0.0
        self._outdated_wait = False
        self._purge_due_s = 0.0
        self._removals = Removals()
        self._switch = Switch(index)
        self._intake = Intake(vault, index, reader, on_rename)
        self.covered = Covered(vault, index, reader, self._intake, self._rules)
        self.languages = VaultLanguages()
        self._state: State = "starting"
        self._message: str | None = None
        self._code: str | None = None
        self._progress: Progress | None = None
        index.store.on_doubt = self._agenda.wake

    def leave_out(self) -> None:
        """Take out what the rules leave out by now; before the start, so that it is in no answer (D14)."""
        excluded = [
            note.path for note in self._index.catalog.notes() if self._rules.explain(note.path) is not None
        ]
        if excluded:
            self._index.commit([], excluded, for_good=True)

    # What other threads call.

    def start(self, watcher: Watches) -> None:
        """Start the thread. The watcher is started before the first scan, so nothing falls between."""
        self._watcher = watcher
        self._thread = threading.Thread(target=self._run, name="indexer", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Finish the commit under way and stop."""
        self._agenda.stop()
        if self._thread is not None:
            self._thread.join(timeout=30)
        if self._watcher is not None:
            self._watcher.stop()

    def use(self, embedder: EmbeddingModel) -> bool:
        """Begin to embed and to answer with this model, if it is the one whose embeddings there are.

        Returns whether it is; until a model is used, only text is indexed and searched.
        """
        is_used = self._index.use(embedder)
        self._agenda.wake()
        return is_used

    def choose(self, embedder: EmbeddingModel) -> None:
        """Let this model be the one that answers: at once, or when it has embedded what there is (D39).

        The model is closed when another one is chosen and no query uses it any more.
        """
        self._agenda.choose(embedder)

    def hint(self, paths: Collection[str] | None) -> None:
        """Look at these vault-relative paths soon; None looks at the whole vault."""
        self._agenda.add(paths)

    def prefer(self, path: str) -> None:
        """Embed the note at this vault-relative path before others: a person looks at it."""
        self._agenda.prefer(path)

    def request(self, *, force: bool = False, confirm_removals: bool = False) -> None:
        """Scan the whole vault now. force: read every note again. confirm_removals: believe a loss."""
        self._agenda.request(force=force, confirm_loss=confirm_removals)

    def pause(self, paused: bool) -> None:
        """Embed no more of what waits, until told to go on; a save is still taken in (D76)."""
        self._agenda.pause(paused)

    def status(self) -> IndexerStatus:
        """Return what the indexer is doing, now."""
        progress = self._progress
        if progress is not None:
            progress = replace(progress, now_s=time.monotonic())
        if self._removals.doubt is not None and self._state != "error":
            return IndexerStatus("held", self._removals.doubt, progress, "notes_vanished")
        return IndexerStatus(self._state, self._message, progress, self._code)

    def pending_count(self) -> int:
        """Return how many distinct texts wait for their embedding."""
        return len(self._switch)

    @property
    def notes_read(self) -> int:
        """Return how many files were read since the start."""
        return self._intake.notes_read

    # The thread.

    def _run(self) -> None:
        if self._watcher is not None:
            self._watcher.start()
        while not self._agenda.stopping:
            try:
                self._step()
            except ModelUnavailable as error:
                self._fail(error, rescan=False)
            except PaiError as error:
                self._fail(error)
            except Exception as error:
                # Whatever it is, the loop lives: the next scan redoes what was lost (D4).
                log.exception("indexing failed")
                self._fail(PaiError(f"Indexing failed: {error!r}"))

    def _step(self) -> None:
        """Do what is due, then embed a little of what waits, or tidy up, or rest."""
        if self._index.store.needs_mending:
            self._enter("indexing", "The index was damaged and is being repaired.")
            self._index.store.mend()
        busy = self._may_embed()
        due = self._agenda.take()
        scans = due.everything or self._can_read_outdated() or time.monotonic() >= self._next_scan_s
        if scans:
            self._next_scan_s = time.monotonic() + self._rescan_s
            self._scan_all(due.force)
        elif due.paths:
            self._look_at(due.paths)
        self._remove_gone()
        self._read_again()
        self._purge()
        if scans or due.paths or busy:
            self._worked_s = time.monotonic()
        for embedder in due.chosen:
            self._switch.choose(embedder)
        if due.preferred:
            self._switch.prefer(due.preferred)
        if self._may_embed():
            self._switch.embed_window(lambda: self._agenda.paused or self._agenda.is_due(), self._report)
        elif self._index.store.is_untidy():
            self._index.tidy()
        else:
            self._rest()

    def _purge(self) -> None:
        """Let what left the index for good leave the disk: at once, but for searches that still read it."""
        step = self._index.store.purge_step
        if step == "rewrite":
            self._index.rewrite()
            self._purge_due_s = time.monotonic() + PURGE_S
        elif step == "sweep" and time.monotonic() >= self._purge_due_s:
            self._purge_due_s = time.monotonic() + PURGE_S  # where the disk has no room for it
            self._index.store.sweep()

    def _rest(self) -> None:
        """Look at the languages of a new vault, say that all is done, and wait for work or for upkeep."""
        if self.languages.is_due(len(self._index.catalog)):
            self.languages.count(self._index)
        if self._agenda.paused:
            self._enter("paused", PAUSED)
        elif self._state != "ready":
            self._index.learn_words()
            waits = "The embedding model is loading." if self._switch else None
            self._enter("indexing" if waits else "ready", waits)
            release_memory()  # of the scan and of what was read
        now_s = time.monotonic()
        waits_s = [self._next_scan_s - now_s, self._removals.wait_s(now_s)]
        if self._index.store.purge_step is not None:
            waits_s.append(self._purge_due_s - now_s)
        rest_s = self._index.store.upkeep_rest_s()
        if rest_s is not None:
            waits_s.append(self._worked_s + rest_s - now_s)
        worked = self._agenda.wait(self._has_work, min(s for s in waits_s if s is not None))
        if rest_s is not None and not worked and time.monotonic() >= self._worked_s + rest_s:
            self._index.tidy()
            self._worked_s = time.monotonic()

    def _has_work(self) -> bool:
        is_due = self._agenda.is_due() or self._index.store.needs_mending
        is_news = self._agenda.paused != (self._state == "paused")
        return is_due or is_news or self._may_embed() or self._can_read_outdated()

    def _may_embed(self) -> bool:
        return not self._agenda.paused and self._switch.has_work()

    def _can_read_outdated(self) -> bool:
        """Return whether there is a model now for the notes that waited for one to be read anew."""
        return self._outdated_wait and self._index.space.embedder is not None

    def _fail(self, error: PaiError, *, rescan: bool = True) -> None:
        """Say what is wrong and wait a little.

        rescan: look at everything again then. Without a model nothing was lost, and words are still taken in.
        """
        self._index.store.doubt(error)
        if rescan:
            self._next_scan_s = 0.0
        self._enter("error", f"{error.detail} {error.hint}".strip(), error.code)
        self._agenda.wait(self._agenda.is_scan_due if rescan else self._agenda.is_due, RETRY_S)

    def _enter(self, state: State, message: str | None = None, code: str | None = None) -> None:
        changed = (state, message) != (self._state, self._message)
        self._state, self._message, self._code, self._progress = state, message, code, None
        if changed:
            self._on_change()

    def _report(self, progress: Progress) -> None:
        self._state, self._message, self._code, self._progress = "indexing", None, None, progress
        self._on_change()

    # Scan and decide.

    def _scan_all(self, force: bool) -> None:
        self._rules = self.covered.rules = self._read_rules()
        if self._watcher is not None:
            self._watcher.rules = self._rules
        self._reader.graph = layout_of(self._vault).graph
        found = scan(self._vault, self._rules)
        self._index.catalog.set_attachments(found.attachments)
        form, notes = self._reader.form, self._index.catalog.notes()
        outdated = {note.path for note in notes if note.read_as != form(note.path)}
        # Until there is a model that embeds what they become, what they were answers.
        self._outdated_wait = bool(outdated and len(self._index.live.matrix) and self._lacks_model())
        if self._outdated_wait:
            outdated = set()
        missed = found.missed(note.path for note in notes)
        files = self._intake.scanned(found, outdated, force=force)
        gone = self._apply(files, missed, outdated, force=force, between=self._look_at_saves)
        self._removals.scanned(gone)
        self._agenda.loss_confirmed = self._agenda.loss_confirmed and bool(gone)

    def _look_at(self, hints: Collection[str], outdated: Collection[str] = ()) -> None:
        hints = {*hints, *self._index.catalog.twins(hints)}
        found = scan_paths(self._vault, hints, self._rules)
        self._index.catalog.set_attachments(found.attachments, hints)
        here = self._index.catalog.at(hints)
        self._removals.found(found.files)
        gone = found.missed(here) | self._removals.gone
        left = self._apply(self._intake.looked_at(found, hints), gone, outdated)
        self._removals.found(gone - left)
        self._removals.add(left, time.monotonic())

    def _look_at_saves(self) -> None:
        """Take in what was saved meanwhile: a save does not wait for the end of a long run."""
        if saved := self._agenda.take_paths():
            self._look_at(saved)

    def _remove_gone(self) -> None:
        """Take out what has been gone for long enough, if that is believed."""
        now_s = time.monotonic()
        wait_s = self._removals.wait_s(now_s)
        if wait_s is None or wait_s > 0:
            return
        # A note that is saved by a rename is absent for a moment: look once more before it goes.
        seen = scan_paths(self._vault, self._removals.gone, self._rules)
        self._removals.found(self._removals.gone - seen.missed(self._removals.gone))
        excluded = {path for path in self._removals.gone if self._rules.explain(path) is not None}
        confirmed, self._agenda.loss_confirmed = self._agenda.loss_confirmed, False
        leaving = self._removals.decide(excluded, len(self._index.catalog), now_s, confirmed=confirmed)
        if leaving:
            self._index.commit([], leaving, for_good=bool(excluded))
        self._on_change()

    def _read_again(self) -> None:
        """Read the notes anew whose chunks show a block that has changed in another note."""
        if outdated := self._index.catalog.outdated():
            self._look_at(outdated, outdated)

    def _apply(
        self,
        files: Mapping[str, FileStat],
        gone: set[str],
        outdated: Collection[str],
        *,
        force: bool = False,
        between: Callable[[], None] = lambda: None,
    ) -> set[str]:
        """Read and commit these notes; return what is still gone once renames are told apart.

        outdated: notes to read as changed whatever their bytes are; each answers as it was until it is
        embedded anew. between: called between two commits.
        """
        # Newest last: embeddings are made from the end of the queue.
        names = sorted(files, key=lambda path: files[path].mtime_ns)
        started_s = time.monotonic()
        at_once, done = len(names) <= WHOLE_NOTES, 0
        for window, whole in windows(names, () if self._lacks_model() else outdated):
            if self._agenda.stopping:
                break
            if done:
                between()
            stats = {path: files[path] for path in window}
            try:
                plan = self._intake.commit(stats, gone, outdated, force=force, at_once=at_once, whole=whole)
            except ModelUnavailable as error:
                log.warning("notes stay as they were read before, until the next scan: %s", error.detail)
                break
            gone = set(plan.removed)
            done += len(window)
            if plan:
                self._on_change()
            if not at_once:
                self._report(Progress("reading", done, len(names), started_s, time.monotonic()))
            if self._index.store.is_untidy(in_run=True):
                self._index.tidy()
        return gone

    def _lacks_model(self) -> bool:
        return self._index.space.embedder is None
