"""The embedding models we know: what each is, where its weights come from, how its texts are written.

`models.toml` holds the facts, this module their form. A name is looked up in it and in the person's own
`models.toml`; other names say where a model is: `file:FOLDER`, `ollama:MODEL[@URL]`,
`openai:MODEL@URL`, `tei:URL`. `servers.toml` says how texts are written for models that servers offer.
Importing this module is cheap, so the command line may list models without loading anything.

The fingerprint names the vector space: an index keeps it and is embedded anew when it changes (D6). How
exactly a machine computes, in int8 or half precision, is not part of it (D38).
"""

from __future__ import annotations

import functools
import hashlib
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal, get_args

from pai_daemon.errors import UsageError
from pai_daemon.models.addresses import Address, Location, address_of
from pai_daemon.models.sources import FolderSource, HubSource, PackageSource, ServerSource, Source

# Rises when the same weights and the same text get other embeddings, but for rounding.
GRAPH_VERSION = 3

Pooling = Literal["mean", "first", "last"]
# How a model's files become a graph: the two readers of packages, an encoder of the BERT family from its
# safetensors, an ONNX file as it is, and a table of static embeddings. A server has no files.
Format = Literal["e5s1", "minilm-zip", "bert", "onnx", "static", "server"]


@dataclass(frozen=True, slots=True)
class Scoring:
    """How the cosines of one model are read; those of two models do not compare (D17).

    answer_threshold: about at this cosine of question and best sentence, the sentence with its title and
    headings before it, the notes say something; `context.extract` moves it by shares of the scale, which
    is the way from strangers to a question's own sentence. other_language_margin is added to it where
    the passage is in another language.
    support_threshold: below this cosine of two sentences, the one does not support the other. 95 %
    of XQuAD's translated sentences are above it, and 1 % of the nearest sentences of other articles.
    semantic_weight: of the semantic leg in hybrid search, the rest is the word leg's.
    """

    answer_threshold: float
    scale: float
    other_language_margin: float
    support_threshold: float
    semantic_weight: float = 0.5


@dataclass(frozen=True, slots=True)
class Profile:
    """One embedding model and the rules for using it.

    dimensions: width of an embedding, 0 until its files or its server tell. max_tokens: longest window, its
    marks included. query_prefix, passage_prefix: put before every query and every passage, "" for none.
    pooling: which hidden states become the embedding. sizes: dimensions that an embedding may be cut to
    (Matryoshka); norm_before_cut: it is layer-normed first. languages: ISO 639-1, empty where unknown.
    must_accept: the licence has to be accepted before the files are fetched. size_mb: of the download.
    scoring: None where it was not measured; then it is taken from probes when the model is prepared.
    """

    name: str
    source: Source
    format: Format
    dimensions: int
    max_tokens: int
    licence: str
    short_names: tuple[str, ...] = ()
    pooling: Pooling = "mean"
    query_prefix: str = ""
    passage_prefix: str = ""
    sizes: tuple[int, ...] = ()
    norm_before_cut: bool = False
    languages: frozenset[str] = frozenset()
    languages_note: str = ""
    must_accept: bool = False
    size_mb: int = 0
    scoring: Scoring | None = None

    @property
    def fingerprint(self) -> str:
        """Return 16 hex digits that change whenever the same text would get another embedding."""
        parts = (
            self.name,
            self.source.identity,
            self.query_prefix,
            self.passage_prefix,
            self.pooling,
            str(self.max_tokens),
            str(self.dimensions),
            str(GRAPH_VERSION),
        )
        return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:16]

    @property
    def location(self) -> Literal["embedded"] | Location:
        """Return where the texts are embedded: in this process, or on a server here or elsewhere."""
        return self.source.address.location if isinstance(self.source, ServerSource) else "embedded"

    @property
    def spec(self) -> str:
        """Return what a person writes to get this model again."""
        if isinstance(self.source, FolderSource):
            return f"file:{self.source.folder}"
        return self.source.address.spec if isinstance(self.source, ServerSource) else self.name

    @property
    def package(self) -> PackageSource:
        """Return the package that carries the weights; only for a model that has one."""
        assert isinstance(self.source, PackageSource)
        return self.source

    def covers(self, language: str) -> bool:
        """Return whether the model knows a language, by its ISO 639-1 code; yes where that is unknown."""
        return not self.languages or language in self.languages

    def cut_to(self, dimensions: int) -> Profile:
        """Return the profile of the same model with shorter embeddings. Raises UsageError."""
        if dimensions == self.dimensions:
            return self
        if dimensions not in self.sizes:
            sizes = ", ".join(map(str, self.sizes)) or "none"
            raise UsageError(
                f"The embeddings of {self.name} cannot be cut to {dimensions}.", hint=f"It has: {sizes}."
            )
        return replace(self, name=f"{self.name}@{dimensions}", dimensions=dimensions)


@functools.cache
def known_profiles(own: Path | None = None) -> tuple[Profile, ...]:
    """Return every profile of `models.toml`, and of the person's own file before them.

    Raises UsageError that names file, model and key where an entry makes no sense.
    """
    files = [Path(__file__).with_name("models.toml")]
    if own is not None and own.is_file():
        files.insert(0, own)
    return tuple(each for path in files for each in read_profiles(path))


def read_profiles(path: Path) -> Iterator[Profile]:
    """Yield the profiles of a file. Raises UsageError, see `known_profiles`."""
    try:
        document = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"The list of models {path} cannot be read: {error}") from error
    groups = {name: frozenset(codes.split()) for name, codes in document.get("languages", {}).items()}
    for name, entry in document.get("models", {}).items():
        try:
            yield _profile(name, dict(entry), groups)
        except (TypeError, ValueError, KeyError, AttributeError) as error:
            raise UsageError(f"{path}: the model {name!r}: {error}") from error


def _profile(name: str, entry: dict[str, Any], groups: Mapping[str, frozenset[str]]) -> Profile:
    """Return one entry as a profile. Raises ValueError and its kin."""
    codes = frozenset(
        code for word in str(entry.pop("languages", "")).split() for code in groups.get(word, {word})
    )
    given = {
        "source": _source(entry.pop("package", None), entry.pop("hub", None)),
        "scoring": _of(Scoring, scoring) if (scoring := entry.pop("scoring", None)) else None,
        "short_names": tuple(entry.pop("short_names", ())),
        "sizes": tuple(entry.pop("sizes", ())),
        "languages": codes,
    }
    found: Profile = _of(Profile, {"name": name, **given, **entry})
    for value, allowed in ((found.pooling, get_args(Pooling)), (found.format, get_args(Format))):
        if value not in allowed:
            raise ValueError(f"{value!r} is none of {', '.join(allowed)}")
    if found.dimensions < 1 or found.max_tokens < 8:
        raise ValueError("dimensions and max_tokens must be given")
    if bad := [code for code in codes if len(code) not in (2, 3) or not code.isalpha()]:
        raise ValueError(f"no codes of languages: {', '.join(bad)}")
    return found


def _source(package: Any, hub: Any) -> Source:
    if (package is None) == (hub is None):
        raise ValueError("either `package` or `hub` must say where its files are")
    found: Source = _of(PackageSource, package) if package is not None else _of(HubSource, hub)
    digests = found.files.values() if isinstance(found, HubSource) else [found.sha256]  # type: ignore[union-attr]
    for digest in digests:
        if digest and (len(digest) != 64 or set(digest) - set("0123456789abcdef")):
            raise ValueError(f"{digest!r} is no SHA-256")
    return found


def _of(kind: Any, values: Mapping[str, Any]) -> Any:
    """Return a value object of TOML values, each of the type that the field says."""
    known = {item.name: item for item in fields(kind)}
    if unknown := sorted(set(values) - set(known)):
        raise ValueError(f"unknown: {', '.join(unknown)}")
    if missing := [name for name, item in known.items() if name not in values and item.default is MISSING]:
        raise ValueError(f"missing: {', '.join(missing)}")
    simple = {"str": str, "int": int, "bool": bool, "float": (int, float)}
    for name, value in values.items():
        wanted = simple.get(str(known[name].type))
        if wanted and (not isinstance(value, wanted) or (wanted is int and isinstance(value, bool))):  # type: ignore[arg-type]
            raise ValueError(f"{name} must be of type {known[name].type}, not {value!r}")
    return kind(**values)


def profile(name: str, own: Path | None = None, key: str = "") -> Profile:
    """Return the profile with this name or short name, in any case; `NAME@256` cuts its embeddings.

    own: the person's own list of models. key: for a server that wants one. Raises UsageError that lists
    the names.
    """
    if (address := address_of(name)) is not None:
        return server_profile(address, own, key)
    wanted, _, size = name.strip().casefold().partition("@")
    profiles = known_profiles(own)
    for known in profiles:
        if wanted in {each.casefold() for each in (known.name, *known.short_names)}:
            return known.cut_to(int(size)) if size.isdecimal() else known
    names = ", ".join(known.name for known in profiles)
    raise UsageError(
        f"There is no embedding model called {name!r}.",
        hint=f"`pai models list` shows them: {names}. Or say where it is: file:FOLDER, "
        "ollama:MODEL, openai:MODEL@URL, tei:URL.",
    )


def server_profile(address: Address, own: Path | None = None, key: str = "") -> Profile:
    """Return the profile of a server's model: what only the server can tell is still 0 or unknown.

    Prefixes, languages and scoring are those of the model that the registry or `servers.toml` knows by the
    name, else none: then the server's own rules hold.
    """
    name = ":".join(filter(None, (address.protocol, address.model)))
    plain = Profile(name, ServerSource(address, key), "server", dimensions=0, max_tokens=0, licence="")
    for called in server_names(address.model):
        rules = dict(_server_rules().get(called, {}))
        # Short names are ours: a server may call anything "small".
        wanted = rules.pop("same_as", called).casefold()
        for known in known_profiles(own):
            if known.name.casefold() == wanted:
                return replace(
                    plain,
                    max_tokens=known.max_tokens,
                    query_prefix=known.query_prefix,
                    passage_prefix=known.passage_prefix,
                    languages=known.languages,
                    languages_note=known.languages_note,
                    scoring=known.scoring,
                )
        if rules:
            return replace(plain, languages=frozenset(rules.pop("languages", "").split()), **rules)
    return plain


def server_names(model: str) -> list[str]:
    """Return what a server's model may be called here, the most telling first.

    That is its name without owner, tag and form of file: `intfloat/multilingual-e5-small`, `bge-m3-GGUF`,
    `nomic-embed-text:v1.5`, `text-embedding-bge-m3`.
    """
    name = model.casefold().rpartition("/")[2]
    found = [name.replace(":", "-"), *re.split(r"[:@]", name)[:1]]
    found += [re.sub(r"[-.](gguf|onnx|mlx|f16|f32|bf16|q\d\w*)$", "", each) for each in found]
    return list(dict.fromkeys([*found, *(each.removeprefix("text-embedding-") for each in found)]))


@functools.cache
def _server_rules() -> Mapping[str, Mapping[str, Any]]:
    """Return the rules of `servers.toml` by each of their names."""
    document = tomllib.loads(Path(__file__).with_name("servers.toml").read_text("utf-8"))
    return {
        name: {key: value for key, value in rules.items() if key != "names"}
        for rules in document["models"]
        for name in rules["names"]
    }
