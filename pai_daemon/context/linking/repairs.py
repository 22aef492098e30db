"""What a link that leads nowhere may have meant: a note that was renamed, or one written nearly so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher

from pai_daemon.context.catalog import Catalog
from pai_daemon.context.linking.kept import Kept
from pai_daemon.notes.links import slug
from pai_daemon.vault.resolve import LinkResolver

MAX_REPAIRS = 3
# The share of trigrams that both have, to be looked at more closely; and the likeness to be offered.
MIN_COMMON, MIN_ALIKE = 0.3, 0.72
LOOKED_AT = 12


@dataclass(frozen=True, slots=True)
class Repair:
    """A note that a broken link may have meant. link: what to write instead. alike: 0 to 1."""

    path: str
    title: str
    link: str
    why: str
    alike: float


class Repairs:
    """Finds repairs for the broken links of one vault, as it is now."""

    def __init__(self, catalog: Catalog, kept: Kept) -> None:
        self._catalog = catalog
        self._former = {old: new for old, new in kept.former().items() if catalog.get(new) is not None}
        self._old_names = LinkResolver(dict.fromkeys(self._former, ()))
        names: dict[str, list[str]] = {}
        for note in catalog.notes():
            stem = note.path.rpartition("/")[2].rpartition(".")[0]
            for name in {slug(name) for name in (note.title, stem, *note.aliases, *note.names)}:
                names.setdefault(name, []).append(note.path)
        self._names = names
        self._near = Trigrams(names)

    def of(self, target: str, source: str, label: str = "") -> list[Repair]:
        """Return what a link may have meant, best first. target: as written, without fragment."""
        found: dict[str, tuple[float, str]] = {}
        old = self._old_names.resolve(target, source)
        if old is not None:
            found[self._former[old]] = (1.0, "it was called so before")
        wanted = slug(target.rpartition("/")[2].removesuffix(".md"))
        for name, alike in self._near.nearest(wanted):
            for path in self._names[name]:
                if path != source and alike > found.get(path, (0.0, ""))[0]:
                    found[path] = (alike, "is called so" if alike == 1 else "is called nearly so")
        ranked = sorted(found.items(), key=lambda each: (-each[1][0], each[0]))
        return [self._repair(path, label or target, *why) for path, why in ranked[:MAX_REPAIRS]]

    def _repair(self, path: str, label: str, alike: float, why: str) -> Repair:
        note = self._catalog.get(path)
        link = self._catalog.links.link_markup(path, label)
        return Repair(path, note.title if note is not None else path, link, why, round(alike, 3))


class Trigrams:
    """Names by their runs of three letters, to find those that are written nearly alike."""

    def __init__(self, names: Iterable[str]) -> None:
        self._names = list(names)
        self._by_run: dict[str, list[int]] = {}
        for number, name in enumerate(self._names):
            for run in _runs(name):
                self._by_run.setdefault(run, []).append(number)

    def nearest(self, name: str) -> list[tuple[str, float]]:
        """Return names with how alike they are to this one, 1 for the same, best first."""
        runs = _runs(name)
        common: Counter[int] = Counter()
        for run in runs:
            common.update(self._by_run.get(run, ()))
        found = []
        for number, count in common.most_common(LOOKED_AT):
            other = self._names[number]
            if 2 * count / (len(runs) + len(_runs(other))) >= MIN_COMMON:
                alike = SequenceMatcher(None, name, other, autojunk=False).ratio()
                if alike >= MIN_ALIKE:
                    found.append((other, alike))
        return sorted(found, key=lambda each: -each[1])


def _runs(name: str) -> Mapping[str, None]:
    padded = f"\0{name}\0"
    return dict.fromkeys(padded[at : at + 3] for at in range(max(1, len(padded) - 2)))
