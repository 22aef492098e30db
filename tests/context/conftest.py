"""An index of the sample vault, made with a real model and a real LanceDB, and small vaults to edit."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest

from pai_daemon.context.index import Index
from pai_daemon.context.indexer import Indexer
from pai_daemon.context.reading import Reader
from pai_daemon.context.search import Searcher
from pai_daemon.context.vectors import Floats
from pai_daemon.errors import ModelUnavailable
from pai_daemon.models.embedder import Embedder
from pai_daemon.models.prepare import prepare
from pai_daemon.models.registry import profile
from pai_daemon.vault.ignore import IgnoreRules
from pai_daemon.vault.watch import Watcher
from tests.daemon_process import eventually

SAMPLE_VAULT = Path(__file__).resolve().parents[2] / "scripts" / "sample-vault"


@pytest.fixture(scope="session")
def embedder(model_cache: Path) -> Iterator[Embedder]:
    """Yield the small model, loaded."""
    with Embedder(prepare(profile("small"), model_cache), threads=2) as loaded:
        yield loaded


class Live:
    """A vault, its index and its indexer, running in this process."""

    def __init__(self, vault: Path, folder: Path, embedder: Embedder | None, **options: float) -> None:
        dimensions = profile("small").dimensions
        self.vault = vault
        self.index = Index(folder, profile("small").fingerprint, dimensions)
        self.reader = Reader(2**21, self.index.catalog.block_text, vault_name=vault.name)
        self.indexer = Indexer(
            vault,
            self.index,
            self.reader,
            rescan_s=options.get("rescan_s", 3600),
        )
        self.watcher = Watcher(vault, IgnoreRules.of(vault), self.indexer.hint, quiet_s=0.05, longest_s=0.5)
        self.searcher = Searcher(vault, self.index, lambda: embedder)
        if embedder is not None:
            self.indexer.use(embedder)
        self.indexer.start(self.watcher)

    def settled(self, state: str = "ready") -> None:
        """Wait until the indexer has nothing left to do."""
        eventually(lambda: self.indexer.status().state == state, f"the state {state}")

    def paths(self) -> set[str]:
        """Return the indexed paths."""
        return {note.path for note in self.index.catalog.notes()}

    def __enter__(self) -> Live:
        return self

    def __exit__(self, *_: object) -> None:
        self.indexer.stop()


GoLive = Callable[..., Live]


class Leaving:
    """An embedder whose server goes away, and comes back."""

    def __init__(self, embedder: Embedder) -> None:
        self.embedder = embedder
        self.scoring = embedder.scoring
        self.is_away = False

    @property
    def tokens_done(self) -> int:
        """Return what the embedder returns."""
        return self.embedder.tokens_done

    def embed_query(self, text: str) -> Floats:
        """Do what the embedder does, while it is there."""
        return self._reached().embed_query(text)

    def embed_texts(self, texts: Sequence[str], *, urgent: bool = False) -> Floats:
        """Do what the embedder does, while it is there."""
        return self._reached().embed_texts(texts, urgent=urgent)

    def _reached(self) -> Embedder:
        if self.is_away:
            raise ModelUnavailable("The server does not answer.", hint="Start it.")
        return self.embedder


@pytest.fixture
def leaving(embedder: Embedder) -> Leaving:
    """Return the small model as if it were a server's."""
    return Leaving(embedder)


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory, embedder: Embedder) -> Iterator[Live]:
    """Yield the sample vault, indexed."""
    folder = tmp_path_factory.mktemp("sample")
    shutil.copytree(SAMPLE_VAULT, folder / "vault")
    with Live(folder / "vault", folder / "index", embedder) as live:
        live.settled()
        yield live


@pytest.fixture
def go_live(tmp_path: Path, embedder: Embedder) -> Iterator[GoLive]:
    """Yield a function that indexes a vault; every one is stopped after the test."""
    with ExitStack() as stack:

        def start(vault: Path, folder: str = "index", *, model: bool = True, **options: float) -> Live:
            live = Live(vault, tmp_path / folder, embedder if model else None, **options)
            return stack.enter_context(live)

        yield start
