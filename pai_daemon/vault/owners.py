"""Which notes a key leads to. Most keys lead to one, and there may be hundreds of thousands."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic, TypeVar

Key = TypeVar("Key")


class Owners(Generic[Key]):
    """The paths of the notes that own each key, in the order in which they came.

    A single owner is held plainly, and only several as a dict: one of its own would take 230 bytes a key.
    """

    def __init__(self) -> None:
        self._owners: dict[Key, str | dict[str, None]] = {}

    def __len__(self) -> int:
        """Return how many keys have an owner."""
        return len(self._owners)

    def __iter__(self) -> Iterator[Key]:
        """Return the keys that have an owner."""
        return iter(self._owners)

    def __contains__(self, key: Key) -> bool:
        """Return whether a key has an owner."""
        return key in self._owners

    def of(self, key: Key) -> tuple[str, ...]:
        """Return the owners of a key, none where it is not known."""
        owners = self._owners.get(key, ())
        return (owners,) if isinstance(owners, str) else tuple(owners)

    def add(self, key: Key, path: str) -> None:
        """Let a note own a key, if it does not yet."""
        owners = self._owners.setdefault(key, path)
        if isinstance(owners, dict):
            owners[path] = None
        elif owners != path:
            self._owners[key] = {owners: None, path: None}

    def remove(self, key: Key, path: str) -> None:
        """Take an owner from a key, and the key away with its last owner. Raises KeyError for no owner."""
        owners = self._owners[key]
        if isinstance(owners, dict):
            del owners[path]
            if len(owners) == 1:
                self._owners[key] = next(iter(owners))
        elif owners == path:
            del self._owners[key]
        else:
            raise KeyError(path)
