"""An index of the sample vault, made with a real model and a real LanceDB, and small vaults to edit."""

from __future__ import annotations

import hashlib
import shutil
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pai_daemon.context.index import Index
from pai_daemon.context.indexer import Indexer
from pai_daemon.context.linking.graph import LinkGraph
from pai_daemon.context.linking.kept import Kept
from pai_daemon.context.linking.linker import Linker
from pai_daemon.context.reading import Reader
from pai_daemon.context.related import Related
from pai_daemon.context.search import Searcher
from pai_daemon.context.space import EmbeddingModel, ModelName
from pai_daemon.context.vectors import Floats
from pai_daemon.errors import ModelUnavailable
from pai_daemon.models.embedder import Embedder
from pai_daemon.models.prepare import prepare
from pai_daemon.models.registry import Scoring, profile
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

    def __init__(
        self,
        vault: Path,
        folder: Path,
        embedder: EmbeddingModel | None,
        *,
        chosen: EmbeddingModel | None = None,
        rescan_s: float = 3600,
    ) -> None:
        wanted = chosen or embedder
        self.vault = vault
        self.index = Index(folder, ModelName.of(wanted.profile if wanted else profile("small")))
        kept = Kept(folder.with_name(f"{folder.name}-links.json"))
        self.reader = Reader(2**21, self.index.catalog.block_text, vault_name=vault.name)
        self.indexer = Indexer(
            vault,
            self.index,
            self.reader,
            rescan_s=rescan_s,
            on_rename=kept.rename,
        )
        self.watcher = Watcher(vault, IgnoreRules.of(vault), self.indexer.hint, quiet_s=0.05, longest_s=0.5)
        self.searcher = Searcher(vault, self.index)
        self.graph = LinkGraph(self.index.catalog)
        self.linker = Linker(vault, self.index, self.searcher, self.reader, kept, graph=self.graph)
        self.related = Related(vault, self.index, self.searcher, self.graph)
        if embedder is not None:
            self.indexer.use(embedder)
        if chosen is not None:
            self.indexer.choose(chosen)
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


class Hashed:
    """Stands for a model, and counts: a text's vector is drawn by its hash and the model's name.

    The same text is near itself, and to another model's vectors nothing is. Once it has embedded as many
    passages as `waits_after` says, it waits until it is let go.
    """

    execution_provider, form, warning, texts_split = "hash", "fp32", "", 0

    def __init__(self, name: str, dimensions: int = 32) -> None:
        self.profile = replace(profile("small"), name=name, dimensions=dimensions)
        self.scoring = Scoring(0.5, 0.4, 0, 0.6)
        self.tokens_done = 0
        self.texts: Counter[str] = Counter()
        self.waits_after: int | None = None
        self.is_closed = False
        self._go = threading.Event()

    def let_go(self) -> None:
        """Go on, and wait no more."""
        self.waits_after = None
        self._go.set()

    def embed_query(self, text: str) -> Floats:
        """Return the vector of a text."""
        if self.is_closed:
            raise ModelUnavailable(f"{self.profile.name} is closed.")
        seed = int.from_bytes(hashlib.sha256(f"{self.profile.name} {text}".encode()).digest()[:8], "little")
        vector = np.random.default_rng(seed).standard_normal(self.profile.dimensions, np.float32)
        length: np.float32 = np.linalg.norm(vector)
        return vector / length

    def embed_texts(self, texts: Sequence[str], *, urgent: bool) -> Floats:
        """Return the vectors of texts, and count them."""
        if self.waits_after is not None and self.texts.total() >= self.waits_after:
            self._go.clear()
            assert self._go.wait(20)
        self.texts.update(texts)
        return np.stack([self.embed_query(text) for text in texts])

    def close(self) -> None:
        """Answer no more."""
        self.is_closed = True


class Behind:
    """A real model behind which a test may count or wait; to be closed does not close it."""

    def __init__(self, embedder: EmbeddingModel) -> None:
        self.embedder = embedder
        self.profile = embedder.profile
        self.scoring = embedder.scoring
        self.execution_provider = embedder.execution_provider
        self.form = embedder.form
        self.warning = ""
        self.texts_split = 0
        self.is_closed = False

    @property
    def tokens_done(self) -> int:
        """Return how many tokens it has embedded."""
        return self.embedder.tokens_done

    def embed_query(self, text: str) -> Floats:
        """Embed a question."""
        return self.embedder.embed_query(text)

    def embed_texts(self, texts: Sequence[str], *, urgent: bool) -> Floats:
        """Embed passages."""
        return self.embedder.embed_texts(texts, urgent=urgent)

    def close(self) -> None:
        """Say that it was closed."""
        self.is_closed = True


class Leaving(Behind):
    """A model whose server goes away, and comes back."""

    is_away = False

    def embed_query(self, text: str) -> Floats:
        """Embed a question, while the server is there."""
        self._reach()
        return super().embed_query(text)

    def embed_texts(self, texts: Sequence[str], *, urgent: bool) -> Floats:
        """Embed passages, while the server is there."""
        self._reach()
        return super().embed_texts(texts, urgent=urgent)

    def _reach(self) -> None:
        if self.is_away:
            raise ModelUnavailable("The server does not answer.", hint="Start it.")


@pytest.fixture
def leaving(embedder: Embedder) -> Leaving:
    """Return the small model as if it were a server's."""
    return Leaving(embedder)


@pytest.fixture
def left(tmp_path: Path, leaving: Leaving) -> Iterator[Live]:
    """Yield the sample vault, indexed by a server's model that is away now."""
    shutil.copytree(SAMPLE_VAULT, tmp_path / "sample")
    with Live(tmp_path / "sample", tmp_path / "sample-index", leaving) as live:
        live.settled()
        leaving.is_away = True
        yield live


GoLive = Callable[..., Live]


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

        def start(vault: Path, folder: str = "index", *, model: bool = True, rescan_s: float = 3600) -> Live:
            live = Live(vault, tmp_path / folder, embedder if model else None, rescan_s=rescan_s)
            return stack.enter_context(live)

        yield start
