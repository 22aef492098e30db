"""What the words of a query find: phrases, exclusions, beginnings of words, typing errors."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from pai_daemon.context.catalog import IndexedNote
from pai_daemon.context.filters import EVERYTHING, Filter
from pai_daemon.context.search import Searcher
from pai_daemon.context.store.rows import StoredChunk
from pai_daemon.context.store.store import Store
from pai_daemon.context.store.vocabulary import MAX_COMPLETIONS, Vocabulary
from pai_daemon.context.store.words import MAX_OPERATORS, Asked, plain, read
from pai_daemon.vault.scan import FileStat
