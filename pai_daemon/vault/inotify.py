"""Watches the folders of a vault with inotify(7): the emitter of watchdog's observer on Linux.

It says where something happened and no more: a hint needs no more, so no moves are paired, and all that is
remembered is which watch is which folder. watchdog's own emitter (7.1) loses folders after one of them was
moved out of the vault, passes over folders that the system does not let it watch, and over events that the
kernel had no room for. It also watches what is left out, such as the thousands of files of a `.git`.
"""

from __future__ import annotations

import ctypes
import errno
import os
import select
import struct
from collections.abc import Callable, Iterator
from typing import Any

from watchdog.events import (
    DirAttribEvent,
    DirCreatedEvent,
    DirDeletedEvent,
    FileAttribEvent,
    FileClosedEvent,
    FileCreatedEvent,
    FileDeletedEvent,
    FileModifiedEvent,
    FileSystemEvent,
)
from watchdog.observers.api import EventEmitter, EventQueue, ObservedWatch

# From <sys/inotify.h>.
_MODIFY, _ATTRIB, _CLOSE_WRITE = 0x2, 0x4, 0x8
_MOVED_FROM, _MOVED_TO, _CREATE, _DELETE = 0x40, 0x80, 0x100, 0x200
_DELETE_SELF, _MOVE_SELF, _UNMOUNT, _OVERFLOW, _IGNORED = 0x400, 0x800, 0x2000, 0x4000, 0x8000
_ONLY_FOLDERS, _NO_LINKS, _IS_FOLDER = 0x1000000, 0x2000000, 0x40000000
_CHANGES = _MODIFY | _ATTRIB | _CLOSE_WRITE | _MOVED_FROM | _MOVED_TO | _CREATE | _DELETE
_MASK = _CHANGES | _DELETE_SELF | _MOVE_SELF | _ONLY_FOLDERS | _NO_LINKS
_HEAD = struct.Struct("iIII")
_READ_BYTES = 64 * 1024

_FILE_EVENTS = (
    (_CREATE | _MOVED_TO, FileCreatedEvent),
    (_DELETE | _MOVED_FROM, FileDeletedEvent),
    (_MODIFY, FileModifiedEvent),
    (_CLOSE_WRITE, FileClosedEvent),
    (_ATTRIB, FileAttribEvent),
)


class LostEvents(FileSystemEvent):
    """Something happened below src_path that the system could not tell; anything may have changed."""

    event_type = "lost"


class FolderEmitter(EventEmitter):
    """Tells of changes in the folders of one tree.

    is_out: whether a folder, by its path from the root, is not to be watched. unwatched: how many folders the
    system did not let be watched for its limits. Raises OSError from `start` where not even the root can be.
    """

    def __init__(
        self,
        event_queue: EventQueue,
        watch: ObservedWatch,
        *,
        timeout: float = 1.0,
        event_filter: list[type[FileSystemEvent]] | None = None,
        is_out: Callable[[str], bool] = lambda _: False,
    ) -> None:
        super().__init__(event_queue, watch, timeout=timeout, event_filter=event_filter)
        self.unwatched = 0
        self._is_out = is_out
        self._root = os.fsencode(watch.path)
        self._folders: dict[int, bytes] = {}
        self._libc: Any = None
        self._inotify = self._stop_read = self._stop_write = -1

    def on_thread_start(self) -> None:
        """Watch the whole tree, before the thread runs."""
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._inotify = self._libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if self._inotify < 0:
            raise OSError(ctypes.get_errno(), "the inotify instance limit is reached")
        try:
            self._add(self._root)
        except OSError:
            os.close(self._inotify)
            raise
        self._watch_tree(self._root)
        self._stop_read, self._stop_write = os.pipe()

    def on_thread_stop(self) -> None:
        """Let the thread end; it closes what it reads from."""
        if self._stop_write >= 0:
            os.close(self._stop_write)
            self._stop_write = -1

    def run(self) -> None:
        """Read events until stopped, or until the root is gone."""
        try:
            poll = select.poll()
            poll.register(self._inotify, select.POLLIN)
            poll.register(self._stop_read, select.POLLHUP)
            while self.should_keep_running():
                ready = poll.poll()
                if any(descriptor == self._stop_read for descriptor, _ in ready):
                    return
                for watch, mask, name in self._read():
                    if not self._take(watch, mask, name):
                        return
        finally:
            os.close(self._inotify)
            os.close(self._stop_read)

    def _read(self) -> Iterator[tuple[int, int, bytes]]:
        """Yield the watch, the mask and the name of the events that wait."""
        data = os.read(self._inotify, _READ_BYTES)
        place = 0
        while place < len(data):
            watch, mask, _, length = _HEAD.unpack_from(data, place)
            place += _HEAD.size
            yield watch, mask, data[place : place + length].rstrip(b"\0")
            place += length

    def _take(self, watch: int, mask: int, name: bytes) -> bool:
        """Tell of one event and keep the watches in step; return whether there is still a root."""
        if mask & _OVERFLOW:
            self._watch_tree(self._root)
            self._tell(LostEvents, self._root)
            return True
        folder = self._folders.get(watch)
        if folder is None:
            return True  # of a watch that was given up
        if mask & (_IGNORED | _UNMOUNT | _DELETE_SELF | _MOVE_SELF):
            if mask & (_IGNORED | _UNMOUNT):
                del self._folders[watch]
            return folder != self._root
        if name and mask & _IS_FOLDER:
            self._take_folder(folder + b"/" + name, mask)
        elif name:
            for bits, event in _FILE_EVENTS:
                if mask & bits:
                    self._tell(event, folder + b"/" + name)
        return True

    def _take_folder(self, path: bytes, mask: int) -> None:
        """Tell of a change of a folder. It is watched before it is told of: then nothing falls between."""
        if mask & (_DELETE | _MOVED_FROM):
            self._forget(path)
            self._tell(DirDeletedEvent, path)
            return
        self._watch_tree(path)
        self._tell(DirAttribEvent if mask & _ATTRIB else DirCreatedEvent, path)

    def _tell(self, event: type[FileSystemEvent], path: bytes) -> None:
        self.queue_event(event(os.fsdecode(path)))

    def _watch_tree(self, top: bytes) -> None:
        """Watch a folder and those below it. Where the path leads elsewhere by now, its own event follows."""
        refused = 0
        pending = [top]
        while pending:
            folder = pending.pop()
            if folder != self._root and self._is_out(os.fsdecode(folder[len(self._root) + 1 :])):
                continue
            try:
                self._add(folder)
            except OSError as error:
                refused += error.errno == errno.ENOSPC
                continue  # gone, closed, or no folder
            try:
                with os.scandir(folder) as entries:
                    pending += [entry.path for entry in entries if entry.is_dir(follow_symlinks=False)]
            except OSError:
                continue
        self.unwatched += refused
        if refused:
            self._tell(LostEvents, top)

    def _add(self, folder: bytes) -> None:
        """Watch a folder. One that is watched already keeps its watch, under the name it has now."""
        watch = self._libc.inotify_add_watch(self._inotify, folder, _MASK)
        if watch < 0:
            number = ctypes.get_errno()
            limit = "the inotify watch limit is reached"
            raise OSError(number, limit if number == errno.ENOSPC else os.strerror(number))
        self._folders[watch] = folder

    def _forget(self, top: bytes) -> None:
        """Watch a folder that went no more, nor those below it; where it came to it is watched anew."""
        below = top + b"/"
        for watch, folder in list(self._folders.items()):
            if folder == top or folder.startswith(below):
                del self._folders[watch]
                self._libc.inotify_rm_watch(self._inotify, watch)
