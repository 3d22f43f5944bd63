"""What all fuzz targets share: how an input is changed at random, how long it goes on, and where a crash is kept.

One design decision: an input is bytes, whatever the target makes of them, so that the same check is driven by
chance (in the tests and by hand) and, with --atheris, by coverage; an input that broke a promise is written into
cases/, where the tests try it again from then on.
"""

import argparse
import hashlib
import json
import os
import random
import resource
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

CASES = Path(__file__).with_name("cases")
LONGEST = 20_000  # bytes
LIMIT_S = 20.0
"""Longest that one check may take on a busy machine."""
NOISE = (b"", b"\0", b"\xff", b"\xed\xa0\x80", b"\r\n", b"\n", b'"', b"'", b"{", b"}", b"[", b"]", b"[" * 3000,
         b"-", b"1e999", b"9" * 400, b"NaN", b"null", b"true", b"\\u0000", b"\\ud800", "\u2028".encode(),
         "\u202e".encode(), b"../..", b"a" * 3000, b"=", b",", b":", b" " * 2000, b"\x1b[2J", b"%",
         b"0" * 300, b"_", b"#")
VALUES = (None, True, False, -1, 0, 2**63, 10**40, 1.5, float("inf"), float("nan"), "", "x", "\ud800", "1",
          [], [None], [[[]]], {}, {"": 1}, "9" * 5000, "../../x", {"a": {"b": []}})


class Target(NamedTuple):
    """What is fuzzed: inputs to begin with, what must hold of any, pieces that it is made of, and what of the
    house is looked at for coverage."""

    name: str
    seeds: Sequence[bytes]
    check: Callable[[bytes], object]
    pieces: Sequence[bytes] = ()
    modules: Sequence[str] = ("lema",)


_homes: list[tempfile.TemporaryDirectory] = []


def home() -> Path:
    """A folder for a target's files, in memory where there is such a disk: a check syncs many of them."""
    disk = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    _homes.append(tempfile.TemporaryDirectory(prefix="lema-fuzz-", dir=disk))
    return Path(_homes[-1].name)


def mutated(data: bytes, target: Target, draw: random.Random) -> bytes:
    """An input that differs from another one in a few places."""
    if draw.random() < 0.4:
        data = _with_other_value(data, draw)
    for _ in range(draw.choice((0, 1, 1, 2, 4, 8))):
        at = draw.randrange(len(data) + 1)
        until = min(len(data), at + draw.choice((0, 0, 1, 4, 30, 400)))
        piece = draw.choice(draw.choice((NOISE, target.pieces or NOISE, target.seeds)))
        if draw.random() < 0.3 and data:
            start = draw.randrange(len(data))
            piece = data[start:start + draw.randrange(200)]
        data = data[:at] + piece * draw.choice((1, 1, 1, 1, 3, 50)) + data[until:]
    return data[:LONGEST]


def _with_other_value(data: bytes, draw: random.Random) -> bytes:
    """The same JSON with one value changed, where it is JSON."""
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return data
    places = list(_places(value))
    if places:
        holder, key = draw.choice(places)
        holder[key] = draw.choice(VALUES)
        if draw.random() < 0.2:
            del holder[key]
    return json.dumps(value, ensure_ascii=draw.random() < 0.8).encode("utf-8", "surrogatepass")


def _places(value: object):
    keys = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in keys:
        yield value, key
        yield from _places(value[key])


def cases_of(target: Target) -> list[Path]:
    """The inputs that once broke a promise."""
    return sorted((CASES / target.name).glob("*"))


def by_chance(target: Target, seconds: float, seed: int, most: int | None = None) -> tuple[int, float]:
    """(inputs, seconds of the slowest) of as many checks as fit. What a check raises is raised, and its input kept
    among the cases."""
    draw, count, longest, pool = random.Random(seed), 0, 0.0, list(target.seeds)
    end = time.monotonic() + seconds
    while time.monotonic() < end and (most is None or count < most):
        data = mutated(draw.choice(pool), target, draw)
        if draw.random() < 0.02:  # what was changed before is changed further
            pool[draw.randrange(len(pool))] = data
            pool = pool if len(pool) > 3 * len(target.seeds) else [*pool, draw.choice(target.seeds)]
        try:
            longest = max(longest, _tried(target, data))
        except BaseException as error:
            error.tried = count
            raise
        count += 1
    return count, longest


def _tried(target: Target, data: bytes) -> float:
    begun = time.process_time()
    try:
        target.check(data)
        took = time.process_time() - begun
        assert took < LIMIT_S, f"{took:.0f} s of computing"
    except BaseException as error:
        if not isinstance(error, KeyboardInterrupt):
            place = CASES / target.name / hashlib.sha256(data).hexdigest()[:12]
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(data)
            error.add_note(f"the input is kept as {place}")
        raise
    return took


def _by_coverage(target: Target, options: list[str]) -> None:
    try:
        import atheris
    except ImportError:
        sys.exit("atheris is not installed; pip install atheris")
    corpus = Path(options[0]) if options and not options[0].startswith("-") else None
    for place, seed in enumerate(target.seeds if corpus else ()):
        corpus.mkdir(exist_ok=True, parents=True)
        (corpus / f"seed-{place}").write_bytes(seed)
    atheris.instrument_all()
    atheris.Setup([sys.argv[0], *options], lambda data: _tried(target, data))
    atheris.Fuzz()


def main(target: Target) -> None:
    """The command line of a target: --seconds, --seed, --going-on; or --atheris and its own options, such as a
    folder for the corpus and -max_total_time=1800."""
    parser = argparse.ArgumentParser(description=f"Fuzzes {target.name}.")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--going-on", action="store_true", help="after a crash, until the time is over")
    parser.add_argument("--atheris", action="store_true")
    options, rest = parser.parse_known_args()
    if options.atheris:
        _by_coverage(target, rest)
        return
    end, total, longest, crashes, seed = time.monotonic() + options.seconds, 0, 0.0, 0, options.seed
    while (left := end - time.monotonic()) > 0:
        try:
            count, slowest = by_chance(target, left, seed)
            total, longest = total + count, max(longest, slowest)
        except Exception as error:
            crashes, total = crashes + 1, total + error.tried
            print("".join(traceback.format_exc().splitlines(True)[-9:]), flush=True)
            if not options.going_on:
                break
        seed += 1
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{target.name}, seed {options.seed}: {total:,} inputs in {options.seconds:.0f} s, the slowest "
          f"{longest:.2f} s, {crashes} crashes; peak memory {peak:.0f} MB")
    sys.exit(bool(crashes))
