"""Damages the files of a finished run at random and does what the errors say to do.

    python tests/faults/damaged_files.py --trials 500 --seed 1

One design decision: whatever was done to whichever file, every command ends in 0 or in one line; and whoever does
what that line says (remove that folder, mend the journal) has the same rows in the end, and pays no reply again
that the journal still holds whole.
"""

import argparse
import hashlib
import json
import os
import random
import re
import shutil
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parents[2]))

from starlette.testclient import TestClient

from lema.commands.view.opened import Opened
from lema.commands.view.site import site_of
from lema.errors import LemaError
from lema.models.api.wire import PROBE
from lema.runs.ratings import add_rating, new_rating
from tests.patience import in_a_moment
from tests.paying import PRICES, Done, answer, lay_out, lema, replies
from tests.personas import Vllm
from tests.server import Server, last_message

FOREIGN = (b"", b"\0" * 5000, b"\xff\xfe\x00", b"{}", b"[]", b"null", b"[" * 100_000, b"PK\3\4" + b"x" * 99,
           b'{"id": 1}\n', b"SQLite format 3\0" + b"\1" * 4096, b"a = 1\n", b"name = 'y'\n", b"9" * 5000,
           b"\n\n\n")
WRONG = (None, True, -1, 10**30, 1.5, float("nan"), "", "x\u2028\ud800", [], [[]], {}, {"a": None}, "../../x")
COMMANDS = (("plan", "x.toml"), ("show", "x"), ("why", "x"), ("journal", "stats", "x"), ("regrade", "x"),
            ("export", "x", "--out", "out"), ("run", "runs/x"))
LOOKING = (("check", "x.toml"), ("show", "x", "--tables"), ("show", "x", "--markdown"), ("plan", "runs/x"),
           ("export", "x", "--out", "bought", "--as", "preference"), ("estimate", "x.toml", "--tokens", "9"),
           ("compare", "a=x:student", "b=runs/x/graded/rows.jsonl"), ("score", "runs/x/graded"))
"""Asked beside the others where the run was viewed and rated too."""
PAGES = ("", "rows?stage=graded", "rows?stage=verified&q=twice", "rate?stage=verified&rater=me", "ratings",
         "ratings.jsonl", "live", "report", "flips", "question/x")
REMEDIES = ((r"remove the folder (\S+)", "folder"), (r"`lema journal mend ([^`]+)`", "mend"),
            (r"lema: (\S+): .*remove it", "folder"))


class Failure(Exception):
    """A command did what none may do; the message says which, and after what."""


class Home(NamedTuple):
    """A folder in which the small run is done, what it must end in, and the server that answers it."""

    folder: Path
    server: Server
    rows: dict[str, str]
    viewed: bool = False


def done_in(folder: Path, server: Server, viewed: bool = False) -> Home:
    """Runs it, with an import beside the sampled paths; `viewed`: and looks at it in the viewer, and rates."""
    folder.mkdir(parents=True, exist_ok=True)
    arms = '[arms.a]\ntake = [{ kind = "correction" }, { kind = "cot", source = "sampled" }]\n'
    lay_out(folder, server.url, more=PRICES + arms, questions=6)
    (folder / "theirs.jsonl").write_text(json.dumps({"question": "What is 3 plus 3?", "path": "Step 1: It is 7.\n"
                                                     "Step 2: The answer is 7."}) + "\n")
    done = [lema(folder, "run", "x.toml"),
            lema(folder, "import", "x", "theirs.jsonl", "--as", "paths", "--column", "question=question",
                 "--column", "path=path"),
            lema(folder, "run", "x.toml", "--yes")]
    assert not any(each.returncode for each in done), done
    if viewed:
        look_at(folder, "nothing was damaged")
        row = json.loads((folder / "runs/x/verified/rows.jsonl").read_text().splitlines()[0])
        add_rating(folder / "runs/x", new_rating(correction=row["id"], question=row["question"], stage="verified",
                                                 corrector=row["model"], rater="me", rating="good"))
    return Home(folder, server, rows_of(folder), viewed)


def rows_of(folder: Path) -> dict[str, str]:
    """Stage to the hash of its rows."""
    run = folder / "runs/x"
    return {str(file.relative_to(run)): hashlib.sha256(file.read_bytes()).hexdigest()
            for file in sorted(run.rglob("rows.jsonl"))}


# ---- damages, each of one file

def cut(file: Path, draw: random.Random) -> None:
    os.truncate(file, draw.randrange(file.stat().st_size + 1))


def flip(file: Path, draw: random.Random) -> None:
    content = bytearray(file.read_bytes())
    for _ in range(draw.choice((1, 1, 8, 200))):
        content[draw.randrange(len(content))] ^= 1 << draw.randrange(8)
    file.write_bytes(content)


def shuffled(file: Path, draw: random.Random) -> None:
    content = file.read_bytes()
    parts = [content[at:at + 512] for at in range(0, len(content), 512)]
    draw.shuffle(parts)
    file.write_bytes(b"".join(parts))


def added(file: Path, draw: random.Random) -> None:
    with file.open("ab") as out:
        out.write(draw.choice(FOREIGN))


def foreign(file: Path, draw: random.Random) -> None:
    file.write_bytes(draw.choice(FOREIGN))


def anothers(file: Path, draw: random.Random) -> None:
    others = [path for path in file.parents[1].rglob("*") if path.is_file() and path != file]
    shutil.copyfile(draw.choice(sorted(others)), file) if others else foreign(file, draw)


def wrong_value(file: Path, draw: random.Random) -> None:
    """One value of a JSON file, or of one of its lines, is of another type, or gone."""
    lines = file.read_text().splitlines() if file.suffix == ".jsonl" else [file.read_text()]
    at = draw.randrange(len(lines))
    value = json.loads(lines[at])
    holder, key = draw.choice(list(_places(value)))
    if draw.random() < 0.3:
        del holder[key]
    else:
        holder[key] = draw.choice(WRONG)
    lines[at] = json.dumps(value)
    file.write_text("\n".join(lines) + "\n")


def _places(value: object):
    keys = value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in list(keys):
        yield value, key
        yield from _places(value[key])


def wrong_cell(file: Path, draw: random.Random) -> None:
    """One cell of the journal holds something of another type."""
    journal = sqlite3.connect(file)
    table = draw.choice(("completions", "failures", "requests", "jobs"))
    column = draw.choice([row[1] for row in journal.execute(f"PRAGMA table_info({table})")])
    cell = draw.choice((None, -5, 1e308, "x", b"\xff\x00", b"", 2**62, "\ud7ff" * 3, "[" * 5000))
    try:
        journal.execute(f"UPDATE {table} SET {column} = ? WHERE rowid IN (SELECT rowid FROM {table} LIMIT ?)",
                        (cell, draw.choice((1, 3, 99))))
        journal.commit()
    except sqlite3.Error:
        pass  # a constraint of the file's own
    journal.close()


def link(file: Path, draw: random.Random) -> None:
    moved = file.with_name("moved-" + file.name)
    file.rename(moved)
    file.symlink_to(draw.choice((moved, file, "/dev/zero", "/nowhere", file.parent)))


def fifo(file: Path, draw: random.Random) -> None:
    file.unlink()
    os.mkfifo(file)


def folder(file: Path, draw: random.Random) -> None:
    file.unlink()
    file.mkdir()
    (file / "x").write_text("x")


def gone(file: Path, draw: random.Random) -> None:
    file.unlink()


ANY = (cut, flip, shuffled, added, foreign, anothers, link, fifo, folder, gone)
OF = {".json": (wrong_value,) * 6, ".jsonl": (wrong_value,) * 3, ".sqlite": (wrong_cell,) * 6}


def damage(run: Path, draw: random.Random) -> str:
    """Damages one file, any of the folder's; which, and how."""
    files = [path for path in sorted(run.rglob("*")) if path.is_file() and not path.is_symlink()]
    names = [file.name for file in files]
    file = draw.choices(files, [1 / names.count(name) + 0.1 for name in names])[0]
    harm: Callable = draw.choice((*ANY, *OF.get(file.suffix, ())))
    if file.stat().st_size == 0 and harm in (flip, wrong_value, wrong_cell):
        harm = added
    harm(file, draw)
    return f"{harm.__name__} {file.relative_to(run)}"


# ---- what may come of it

def one_line(folder: Path, words: tuple[str, ...], what: str) -> Done:
    """What a command says, which ends well or in one line of words."""
    try:
        with in_a_moment(f"lema {' '.join(words)}"):
            done = lema(folder, *words)
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        raise Failure(f"{what}: `lema {' '.join(words)}` ends in {type(error).__name__}: {error}") from error
    lines = [line for line in done.stderr.splitlines() if line.startswith("lema: ")]
    if done.returncode not in (0, 2) or len(lines) != (done.returncode == 2):
        raise Failure(f"{what}: `lema {' '.join(words)}` exits {done.returncode} and says {done.stderr[-500:]!r}")
    return done


def look_at(folder: Path, what: str) -> None:
    """Opens every kind of page of the viewer. Failure where one breaks."""
    try:
        opened = Opened(folder / "runs/x", lambda stage, done, total: None)
    except LemaError as error:
        if "\n" in str(error):
            raise Failure(f"{what}: the viewer says {error}") from None
        return
    with in_a_moment("the pages of the viewer"):
        client = TestClient(site_of(opened, "token", 80), "http://127.0.0.1:80", raise_server_exceptions=False)
        for page in PAGES:
            if (reply := client.get(f"/token/{page}", headers={"host": "127.0.0.1:80"})).status_code >= 500:
                raise Failure(f"{what}: the page {page!r} ends in {reply.status_code}: {reply.text[-300:]}")


def mended(folder: Path, what: str, most: int = 6) -> int:
    """Runs, and does what the error says until there is none; how often something was done."""
    for times in range(most):
        done = one_line(folder, ("run", "x.toml", "--yes"), what)
        if not done.returncode:
            return times
        for pattern, kind in REMEDIES:
            if hint := re.search(pattern, done.stderr):
                place = folder / hint[1].rstrip(";:,")
                if kind == "mend":
                    one_line(folder, ("journal", "mend", hint[1]), what)
                elif place.is_dir() and not place.is_symlink():
                    shutil.rmtree(place)
                else:
                    place.unlink(missing_ok=True)
                break
        else:
            raise Failure(f"{what}: no remedy in {done.stderr!r}")
    raise Failure(f"{what}: the remedies do not end: {done.stderr!r}")


def trial(home: Home, number: int, place: Path) -> str:
    """One damage to a copy of the run; what it was. Failure where a promise is broken."""
    draw = random.Random(number)
    shutil.copytree(home.folder, place)
    before = len(home.server.seen)
    what = f"trial {number}: {damage(place / 'runs/x', draw)}"
    for words in draw.sample(COMMANDS, 3):
        one_line(place, words, what)
    if home.viewed:
        look_at(place, what)
        for words in random.Random(f"looking {number}").sample(LOOKING, 3):
            one_line(place, words, what)
    mended(place, what)
    other_import = "imports" in what or not (place / "runs/x/imports/theirs/import.json").is_file()
    if not other_import and rows_of(place) != home.rows:
        raise Failure(f"{what}: other rows than before")
    asked = (body for body in home.server.seen[before:] if last_message(body) != PROBE)  # `check` says "Hi"
    paid = replies(list(asked))
    if paid and "journal" not in what and not other_import:
        raise Failure(f"{what}: {paid} replies were paid again")
    shutil.rmtree(place)
    return what


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--trials", type=int, default=300)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--going-on", action="store_true", help="after a broken promise too")
    options = parser.parse_args()
    tried: Counter[str] = Counter()
    broken = 0
    with (tempfile.TemporaryDirectory(prefix="lema-damaged-") as name, Server(answer, persona=Vllm()) as server):
        homes = [done_in(Path(name) / f"home-{viewed}", server, viewed) for viewed in (False, True)]
        for number in range(options.seed, options.seed + options.trials):
            try:
                tried[trial(homes[number % 2], number, Path(name) / str(number)).split(": ")[1].split()[0]] += 1
            except Failure as failure:
                print(failure, flush=True)
                if not options.going_on:
                    raise
                broken += 1
    kinds = ", ".join(f"{count} {kind}" for kind, count in tried.most_common())
    print(f"seed {options.seed}: {options.trials:,} damages ({kinds}); {broken} broken promises")
    return bool(broken)


if __name__ == "__main__":
    sys.exit(main())
