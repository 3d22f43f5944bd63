"""Files of a run's folder, which may have come from anywhere: opened plainly, replaced whole, and synced.

One design decision: whatever lema itself put there is a plain file, so a link, a pipe or a device in its place is
refused and never followed or waited for; and what is written anew is there whole or not at all.
"""

import os
import shutil
import stat
from pathlib import Path
from typing import TextIO

from lema.errors import RunError

LARGEST_NOTE = 64 * 2**20  # bytes of a record, a mark or an import's notes


def is_plain(path: Path) -> bool:
    """Whether a plain file is there, and not a link to one."""
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except OSError:
        return False


def read_plain(path: Path) -> bytes:
    """What a small file holds. OSError where it cannot be read, is no plain file, or is not small."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(descriptor, "rb") as file:
        facts = os.fstat(descriptor)
        if not stat.S_ISREG(facts.st_mode) or facts.st_size > LARGEST_NOTE:
            raise OSError(f"{path}: no plain file of that kind")
        return file.read()


def write_whole(path: Path, content: str) -> None:
    """Puts a file in its place, whole or not at all, and on the disk; a link that was there is replaced."""
    part = path.with_name(f"{path.name}.part")
    remove(part)
    with part.open("x", encoding="utf-8") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())
    part.replace(path)
    sync(path.parent)


def open_lock(path: Path) -> TextIO:
    """A lock file, made where there is none. RunError where something else is in its place, else OSError."""
    if os.path.lexists(path) and not is_plain(path):
        raise RunError(f"{path}: a link or no plain file, which is never followed; remove it and run the same "
                       "command again")
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o666)
    return open(descriptor, "r+", encoding="utf-8", errors="replace")


def make_folder(folder: Path) -> None:
    """Makes a folder, and those above it that are missing; their names are on the disk when this returns."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for path in missing:
        sync(path.parent)


def remove(path: Path) -> None:
    """Removes a file, a link (not what it leads to) or a folder; nothing where there is none."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def sync(folder: Path, *, within: bool = False) -> None:
    """Puts a folder's names on the disk; `within`, every file below it first."""
    for path in [*(folder.rglob("*") if within else ()), folder]:
        if is_plain(path) or (path.is_dir() and not path.is_symlink()):
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
