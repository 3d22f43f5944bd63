"""The tokens of a training set, kept beside the run for all fits that see the same rows.

    runs/x/tokens/3f0c…/ids.npy, prompts.npy, completions.npy, whole

One design decision: the first fit that needs them writes them, others that begin meanwhile wait for it, and a file
that is no more what was written is written anew, since a damaged set would be trained on in silence.
"""

import fcntl
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from lema.checkpoints import tokenizer_files
from lema.checkpoints.rendering import Form, Tokens
from lema.files import write_whole
from lema.plugins import file_hash
from lema.records import Example, content_id

WHOLE = "whole"
PARTS = ("ids.npy", "prompts.npy", "completions.npy")


def shared(folder: Path, examples: Sequence[Example], base: Path, form: Form,
           encoded: Callable[[], list[Tokens]]) -> list[Tokens]:
    """The tokens of every example, in their order: those in `folder` where it has them, else what `encoded` gives,
    which is put there. Examples that come again are held once."""
    unique = {example.id: None for example in examples}
    tokenizer = [(file.name, file_hash(file)) for file in tokenizer_files(base)]
    place = folder / content_id(sorted(unique), tokenizer, form)
    place.mkdir(parents=True, exist_ok=True)
    with (place / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # let go when the file is closed, however that comes
        if _mark(place) != _hashes(place):
            _keep(place, dict(zip((example.id for example in examples), encoded(), strict=True)))
    names = sorted(unique)
    by_id = dict(zip(names, _read(place), strict=True))
    return [by_id[example.id] for example in examples]


def _keep(place: Path, rows: dict[str, Tokens]) -> None:
    ordered = [rows[name] for name in sorted(rows)]
    (place / WHOLE).unlink(missing_ok=True)
    ids = [np.fromiter([*row.prompt, *row.completion], np.int32, row.length) for row in ordered]
    np.save(place / "ids.npy", np.concatenate(ids))
    np.save(place / "prompts.npy", np.array([len(row.prompt) for row in ordered]))
    np.save(place / "completions.npy", np.array([len(row.completion) for row in ordered]))
    write_whole(place / WHOLE, json.dumps(_hashes(place)))


def _read(place: Path) -> list[Tokens]:
    """The rows as views of one array, whose pages all processes on this machine share."""
    ids, prompts, completions = (np.load(place / name, mmap_mode="r") for name in PARTS)
    rows, start = [], 0
    for prompt, completion in zip(prompts.tolist(), completions.tolist(), strict=True):
        middle, end = start + prompt, start + prompt + completion
        rows.append(Tokens(ids[start:middle], ids[middle:end]))
        start = end
    return rows


def _mark(place: Path) -> dict | None:
    try:
        return json.loads((place / WHOLE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def _hashes(place: Path) -> dict[str, str]:
    return {name: file_hash(place / name) for name in PARTS}
