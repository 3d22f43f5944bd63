"""Points to resume a fit from: whole or not there.

One design decision: a point counts only once its file `whole` stands beside it, written after everything else was.
Without it a half-written optimiser state would resume, silently, on another curve.
"""

import json
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from safetensors import SafetensorError

from lema.checkpoints import first_line
from lema.errors import RunError
from lema.files import read_plain, remove
from lema.plugins import file_hash

WHOLE = "whole"


def last_point(folder: Path, call: str) -> Path | None:
    """The latest whole point that `call` left; every other point in the folder is removed."""
    best: Path | None = None
    for point in sorted(folder.glob("checkpoint-*"), key=lambda path: (len(path.name), path.name)):
        if mark_of(point).get("call") == call:
            best = point
    for point in folder.glob("checkpoint-*"):
        if point != best:
            remove(point)
    return best


def mark_of(point: Path) -> dict:
    """What stands beside a whole point; empty where it is missing or damaged, so that the point is not resumed."""
    try:
        mark = json.loads(read_plain(point / WHOLE))
        sound = {*map(type, mark["losses"]), type(mark["seconds"])} <= {int, float}
        return mark if sound and mark["files"] == _hashes_of(point) else {}
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return {}


def _hashes_of(point: Path) -> dict[str, str]:
    """What names each file of a point: from one flipped bit on, a training would go on on another curve."""
    files = filter(Path.is_file, point.iterdir())
    return {file.name: file_hash(file) for file in files if not file.name.startswith(WHOLE)}


def mark(point: Path, call: str, losses: list[float], seconds: float) -> None:
    """Says that the point is whole, whose fit it is, and how far that was; older ones are removed."""
    for file in point.iterdir():
        sync(file)
    part = point / f"{WHOLE}.part"
    whole = {"call": call, "losses": losses, "seconds": seconds, "files": _hashes_of(point)}
    part.write_text(json.dumps(whole), encoding="utf-8")
    sync(part)
    part.rename(point / WHOLE)
    discard(older for older in point.parent.glob("checkpoint-*") if older != point)


def discard(points: Iterable[Path]) -> None:
    """Removes points, their marks first: what a kill leaves half removed is nothing to resume from."""
    for point in list(points):
        (point / WHOLE).unlink(missing_ok=True)
        shutil.rmtree(point)


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Turns what torch, safetensors and the system raise on a full or closed disk into one line."""
    try:
        yield
    except (OSError, RuntimeError, SafetensorError) as error:
        raise RunError(f"{folder}: cannot be written ({first_line(error)}); make room and run again") from error


def sync(file: Path) -> None:
    """Returns once the file is on the disk, so that a power cut cannot leave a mark beside half a point."""
    with file.open("rb") as opened:
        os.fsync(opened.fileno())
