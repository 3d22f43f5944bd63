"""What of a folder is on the disk for certain, at every moment of a process: what a power cut could leave behind.

One design decision: a file is worth what it was when it was last synced, a folder the names that it had then, and
nothing more is promised to anybody; so between two syncs any mixture of that and of what is there now may be found
after a power cut. Python's syncs are seen at os.fsync, SQLite's at its file interface.
"""

import ctypes
import hashlib
import json
import os
import stat
import sys
import threading
from collections.abc import Callable
from pathlib import Path

CHANGES = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.link", "os.symlink", "os.truncate", "open"}
"""Audit events of what changes names or files; a moment just before each is kept."""
LOGS = 0x80000 | 0x800  # SQLite's flags for a log or a journal; it syncs the folder of a new one with it
CREATED = 0x4


class Recorder:
    """Writes `moments.jsonl` and the contents of files, by their hash, into `out`. Every file that was ever in
    `root` stays open, so that no number of a file is used again and no lock of SQLite's is let go."""

    def __init__(self, root: Path, out: Path) -> None:
        self.root, self.out, self.promised = str(root), out, {"completions": 0, "stages": []}
        self._lock, self._busy = threading.RLock(), threading.local()
        self._open: dict[int, int] = {}
        self._seen: dict[int, tuple] = {}
        self._durable: dict[str, object] = {}
        self._moments = (out / "moments.jsonl").open("w")
        for where, _, files in os.walk(root):
            for path in (where, *(os.path.join(where, name) for name in files)):
                self._durable[self._number(path)] = self._now(path)

    def moment(self, what: str) -> None:
        """Keeps what is there now, and what of it is certain."""
        with self._lock:
            if getattr(self._busy, "writing", False):
                return
            self._busy.writing = True
            try:
                now = {}
                for where, _, files in os.walk(self.root):
                    for path in (where, *(os.path.join(where, name) for name in files)):
                        try:
                            now[self._number(path)] = self._now(path)
                        except OSError:  # renamed or removed meanwhile by another thread
                            continue
                moment = {"what": what, "now": now, "durable": self._durable, "promised": self.promised}
                self._moments.write(json.dumps(moment) + "\n")
                self._moments.flush()
            finally:
                self._busy.writing = False

    def synced(self, path: str) -> None:
        """A file's content, or a folder's names, are on the disk as they are now."""
        if path.startswith(self.root):
            with self._lock:
                self._durable[self._number(path)] = self._now(path)
                self.moment(f"sync {path}")

    def _number(self, path: str) -> str:
        return str(os.lstat(path).st_ino)

    def _now(self, path: str) -> object:
        """The names of a folder with their numbers, or the hash of a file, whose content is kept."""
        facts = os.lstat(path)
        if stat.S_ISDIR(facts.st_mode):
            return {name: self._number(os.path.join(path, name)) for name in os.listdir(path)}
        mark = (facts.st_size, facts.st_mtime_ns)
        descriptor = self._open.get(facts.st_ino)
        if descriptor is None:
            descriptor = self._open[facts.st_ino] = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        if self._seen.get(facts.st_ino, (None,))[0] != mark or path.endswith((".sqlite", "-wal", "-shm")):
            content = os.pread(descriptor, facts.st_size, 0)
            name = hashlib.sha256(content).hexdigest()[:20]
            if not (self.out / name).exists():
                (self.out / name).write_bytes(content)
            self._seen[facts.st_ino] = (mark, name)
        return self._seen[facts.st_ino][1]


def record(root: Path, out: Path) -> Recorder:
    """From here on, everything that this process does below `root` is recorded."""
    recorder = Recorder(root, out)
    real_sync = os.fsync

    def fsync(descriptor: int) -> None:
        real_sync(descriptor)
        recorder.synced(os.readlink(f"/proc/self/fd/{descriptor}"))

    def heard(event: str, arguments: tuple) -> None:
        if event in CHANGES and not getattr(recorder._busy, "writing", False):
            if event == "open" and not (arguments[2] or 0) & (os.O_WRONLY | os.O_RDWR):
                return
            names = arguments[:2] if event == "os.rename" else arguments[:1]
            paths = [os.path.abspath(name) for name in names if isinstance(name, str)]
            if any(path.startswith(recorder.root) for path in paths):
                recorder.moment(f"{event} {paths[0]}")

    os.fsync = fsync
    sys.addaudithook(heard)
    _watch_sqlite(recorder.synced)
    _watch_promises(recorder)
    return recorder


def _watch_promises(recorder: Recorder) -> None:
    """What the journal says is kept, and which stages a run says are done."""
    from lema.journal import Journal
    from lema.runs.run import Stage

    commit, finish = Journal._commit, Stage.finish

    def counted(self: Journal, group: list) -> None:
        commit(self, group)
        with recorder._lock:
            recorder.promised["completions"] += sum(not ticket.result().failed for *_, ticket in group)
            recorder.moment("completions kept")

    def finished(self: Stage, counts: dict) -> None:
        finish(self, counts)
        with recorder._lock:
            recorder.promised["stages"].append(self.name)
            recorder.moment(f"{self.name} finished")

    Journal._commit, Stage.finish = counted, finished


class _Methods(ctypes.Structure):
    """sqlite3_io_methods; the fifth function is xSync."""

    _fields_ = (("version", ctypes.c_int), ("functions", ctypes.c_void_p * 18))


class _Vfs(ctypes.Structure):
    """sqlite3_vfs; the first two functions are xOpen and xDelete."""

    _fields_ = (("version", ctypes.c_int), ("file_size", ctypes.c_int), ("longest", ctypes.c_int),
                ("next", ctypes.c_void_p), ("name", ctypes.c_char_p), ("data", ctypes.c_void_p),
                ("functions", ctypes.c_void_p * 16))


_OPEN = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_char_p, ctypes.POINTER(ctypes.c_void_p),
                         ctypes.c_int, ctypes.POINTER(ctypes.c_int))
_DELETE = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int)
_SYNC = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int)
SYNC = 4
_kept: list = []  # what SQLite points to must not be collected


def library() -> ctypes.CDLL | None:
    """The SQLite that Python uses; None where it is built in and cannot be reached."""
    import _sqlite3

    loaded = ctypes.CDLL(getattr(_sqlite3, "__file__", None))
    return loaded if hasattr(loaded, "sqlite3_vfs_register") else None


def _watch_sqlite(synced: Callable[[str], None]) -> None:
    """Makes SQLite tell of its syncs: files are opened as ever, and their xSync is ours."""
    sqlite = library()
    assert sqlite is not None, "Python's SQLite cannot be reached from outside"
    sqlite.sqlite3_vfs_find.restype = ctypes.c_void_p
    real = _Vfs.from_address(sqlite.sqlite3_vfs_find(None))
    ours = _Vfs.from_buffer_copy(real)
    real_open, real_delete = _OPEN(real.functions[0]), _DELETE(real.functions[1])
    paths: dict[int, str] = {}
    new_logs: set[int] = set()
    methods: dict[int, _Methods] = {}
    at = ctypes.addressof

    def opened(vfs: int, name: bytes | None, file: object, flags: int, given: object) -> int:
        path = os.fsdecode(name) if name else ""
        new = bool(path) and not os.path.exists(path)
        code = real_open(at(real), name, file, flags, given)
        place = ctypes.addressof(file.contents)
        if code == 0 and path and file[0]:
            paths[place] = path
            (new_logs.add if new and flags & LOGS and flags & CREATED else new_logs.discard)(place)
            file[0] = at(telling(file[0]))
        return code

    def telling(address: int) -> _Methods:
        if address not in methods:
            real_methods = _Methods.from_address(address)
            made, real_sync = _Methods.from_buffer_copy(real_methods), _SYNC(real_methods.functions[SYNC])

            def sync(file: int, flags: int) -> int:
                code = real_sync(file, flags)
                if code == 0:
                    if file in new_logs:
                        new_logs.discard(file)
                        synced(os.path.dirname(paths[file]))
                    synced(paths[file])
                return code

            callback = _SYNC(sync)
            _kept.extend((callback, made))
            made.functions[SYNC] = ctypes.cast(callback, ctypes.c_void_p).value
            methods[address] = made
        return methods[address]

    def deleted(vfs: int, name: bytes, folder_too: int) -> int:
        code = real_delete(at(real), name, folder_too)
        if code == 0 and folder_too:
            synced(os.path.dirname(os.fsdecode(name)))
        return code

    callbacks = _OPEN(opened), _DELETE(deleted)
    ours.name = b"recorded"
    ours.next = None
    for place, callback in enumerate(callbacks):
        ours.functions[place] = ctypes.cast(callback, ctypes.c_void_p).value
    _kept.extend((ours, *callbacks))
    assert sqlite.sqlite3_vfs_register(ctypes.byref(ours), 1) == 0
