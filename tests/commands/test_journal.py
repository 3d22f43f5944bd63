"""`lema journal`: what is paid stays paid, whatever is thrown away, merged or mended."""

import json
import re
import shutil
import sqlite3

import pytest

from tests.paying import PRICES, answer, lay_out, lema, replies
from tests.personas import Vllm
from tests.server import Server

TABLE_LEAF = 13  # the first byte of such a page


@pytest.fixture
def home(tmp_path):
    """A folder in which the small run is done, and the server that answered it."""
    with Server(answer, persona=Vllm()) as server:
        lay_out(tmp_path, server.url)
        done = lema(tmp_path, "run", "x.toml")
        assert done.returncode == 0, done.stderr
        yield tmp_path, server


def journal(folder, name: str = "x"):
    return folder / "runs" / name / "journal.sqlite"


def rows(path, table: str = "completions") -> int:
    with sqlite3.connect(path) as file:
        found = file.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
    file.close()
    return found


def test_stats_count_and_price_what_the_journal_holds(home):
    folder, server = home
    found = json.loads(lema(folder, "journal", "stats", "x", "--json").stdout)
    assert found["completions"] == rows(journal(folder)) == replies(server.seen)
    with sqlite3.connect(journal(folder)) as file:
        prompts, tokens = file.execute("SELECT sum(prompt_tokens), sum(tokens) FROM completions "
                                       "WHERE model = 'large'").fetchone()
    file.close()
    assert found["models"]["large"]["dollars"] == pytest.approx((10 * prompts + 20 * tokens) / 1e6)
    assert "price unknown" not in lema(folder, "journal", "stats", "x").stdout


def test_an_unknown_price_is_shown_as_unknown(tmp_path):
    with Server(answer, persona=Vllm()) as server:
        lay_out(tmp_path, server.url, more="")
        done = lema(tmp_path, "run", "x.toml")
    assert "tokens of unknown price" in done.stderr
    assert lema(tmp_path, "journal", "stats", "x").stdout.count("price unknown") == 2


def test_vacuum_throws_away_what_nothing_can_come_back_for_and_keeps_every_completion(home):
    folder, _ = home
    with sqlite3.connect(journal(folder)) as file:
        for tokens in (0, 9):
            file.execute("INSERT INTO failures SELECT key, model, request, path, '', 'error: 500', 0, ?, created, "
                         "1, 0 FROM completions LIMIT 1", (tokens,))
        file.execute("INSERT INTO requests VALUES (x'00', '{}')")
    file.close()
    before = rows(journal(folder))
    assert "2 rows thrown away" in lema(folder, "journal", "vacuum", "x").stdout
    assert rows(journal(folder)) == before
    assert rows(journal(folder), "failures") == 1, "the one that cost something is on the bill"


def test_a_merged_journal_pays_for_the_other_run(home):
    folder, server = home
    lay_out(folder, server.url, more=PRICES + "[verify]\nchecks = ['answer']\n")
    asked = len(server.seen)
    plan = lema(folder, "run", "x.toml", "--set", "name=y", "--set", "sample.limit=1")
    assert plan.returncode == 0 and len(server.seen) > asked
    done = lema(folder, "journal", "merge", "y", "x")
    assert re.search(r"(\d+) completions added", done.stdout)[1] != "0"
    asked = len(server.seen)
    assert lema(folder, "run", "x.toml", "--set", "name=y", "--yes").returncode == 0
    assert len(server.seen) == asked
    assert "0 completions added" in lema(folder, "journal", "merge", "y", str(journal(folder))).stdout
    assert "the same journal" in lema(folder, "journal", "merge", "y", "y").stderr


def test_a_damaged_journal_is_mended_by_the_command_that_the_error_names(tmp_path):
    with Server(answer, persona=Vllm()) as server:
        lay_out(tmp_path, server.url, questions=120)
        assert lema(tmp_path, "run", "x.toml").returncode == 0
        path, asked, held = journal(tmp_path), replies(server.seen), rows(journal(tmp_path))
        damaged = bytearray(path.read_bytes())
        leaves = [start for start in range(0, len(damaged), 4096)
                  if b"was not found" in damaged[start:start + 4096] and damaged[start] == TABLE_LEAF]
        for start in leaves[::4]:
            damaged[start:start + 4096] = b"\xa5" * 4096
        path.write_bytes(damaged)
        for stage in ("corrections", "verified"):
            shutil.rmtree(tmp_path / "runs" / "x" / stage)
        said = lema(tmp_path, "run", "x.toml").stderr
        assert re.search(r"damaged .*`lema journal mend runs/x`", said.splitlines()[-1]), said
        done = lema(tmp_path, "journal", "mend", "runs/x")
        assert done.returncode == 0, done.stderr
        saved = int(re.search(r"([\d,]+) completions saved", done.stdout)[1].replace(",", ""))
        assert 0.7 * held < saved < held
        assert (tmp_path / "runs/x/journal.damaged-1.sqlite").read_bytes() == bytes(damaged)
        assert lema(tmp_path, "run", "x.toml").returncode == 0
        assert 0 < replies(server.seen) - asked <= held - saved


def test_a_file_that_is_no_journal_at_all_is_set_aside(tmp_path):
    with Server(answer, persona=Vllm()) as server:
        lay_out(tmp_path, server.url)
        (tmp_path / "runs" / "x").mkdir(parents=True)
        journal(tmp_path).write_bytes(b"this was a journal once" * 500)
        shutil.copy(tmp_path / "x.toml", tmp_path / "runs/x/config.toml")
        assert "lema journal mend" in lema(tmp_path, "run", "x.toml").stderr
        assert "0 completions saved" in lema(tmp_path, "journal", "mend", "x").stdout
        assert lema(tmp_path, "run", "x.toml").returncode == 0
    assert "no run here" in lema(tmp_path, "journal", "stats", "nowhere").stderr


def test_a_healthy_journal_is_left_alone_by_mend(home):
    folder, _ = home
    before = journal(folder).read_bytes()
    done = lema(folder, "journal", "mend", "x")
    assert done.returncode == 0 and "healthy" in done.stdout and "nothing to mend" in done.stdout
    assert "kept as" not in done.stdout and not list(journal(folder).parent.glob("journal.*-[0-9]*"))
    assert journal(folder).read_bytes() == before


@pytest.mark.parametrize("pages", [1, 3])
def test_mend_saves_what_is_left_of_a_journal_that_was_cut_short(tmp_path, pages):
    with Server(answer, persona=Vllm()) as server:
        lay_out(tmp_path, server.url, questions=120)
        assert lema(tmp_path, "run", "x.toml").returncode == 0
        path, held = journal(tmp_path), rows(journal(tmp_path))
        cut = path.read_bytes()[:-4096 * pages]
        path.write_bytes(cut)
        done = lema(tmp_path, "journal", "mend", "x")
        saved = int(re.search(r"([\d,]+) completions saved", done.stdout)[1].replace(",", ""))
        assert held * 0.5 < saved <= held, f"{saved} of {held}"
        assert rows(path) == saved
        assert (tmp_path / "runs/x/journal.damaged-1.sqlite").read_bytes() == cut
        asked = replies(server.seen)
        for stage in ("paths", "corrections"):
            shutil.rmtree(tmp_path / "runs/x" / stage)
        assert lema(tmp_path, "run", "x.toml").returncode == 0
        assert replies(server.seen) - asked == held - saved


STEPS = ("lema.commands.journal.mend._kept_aside", "lema.commands.journal.mend._pad",
         "lema.commands.journal.mend.opened", "lema.commands.journal.mend._synced", "pathlib.Path.replace",
         "pathlib.Path.unlink", "shutil.copyfile")


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("times", [0, 1, 2])
def test_mend_that_is_killed_at_any_step_leaves_all_that_can_be_read(home, monkeypatch, step, times):
    folder, _ = home
    held = rows(journal(folder))
    whole = journal(folder).read_bytes()
    journal(folder).write_bytes(whole[:-4096])
    module, name = step.rsplit(".", 1)
    owner = __import__("pathlib").Path if module == "pathlib.Path" else __import__(module, fromlist=["x"])
    real, left = getattr(owner, name), [times]

    def killed(*arguments, **options):
        left[0] -= 1
        if left[0] < 0:
            raise Killed
        return real(*arguments, **options)

    with monkeypatch.context() as patched:
        patched.setattr(owner, name, killed)
        try:
            lema(folder, "journal", "mend", "x")
        except Killed:
            assert journal(folder).is_file()
    lema(folder, "journal", "mend", "x")
    assert rows(journal(folder)) > 0.5 * held


class Killed(BaseException):
    """As a kill: nothing of ours catches it."""


def test_a_foreign_database_is_refused_by_merge_and_left_as_it_is(home, tmp_path):
    folder, _ = home
    foreign = tmp_path / "theirs.sqlite"
    with sqlite3.connect(foreign) as file:
        file.execute("CREATE TABLE songs (title TEXT)")
    file.close()
    before = foreign.read_bytes()
    done = lema(folder, "journal", "merge", "x", str(foreign))
    assert done.returncode == 2 and "no journal" in done.stderr
    assert foreign.read_bytes() == before and not list(tmp_path.glob("theirs.sqlite-*"))


def test_merge_takes_a_whole_completion_for_a_damaged_one_and_never_a_damaged_one(home):
    folder, _ = home
    shutil.copytree(folder / "runs/x", folder / "runs/y")
    flip(journal(folder), "Twice 3")
    flip(journal(folder, "y"), "Twice 5")
    held = rows(journal(folder))
    assert "1 completions added" in lema(folder, "journal", "merge", "x", "y").stdout
    assert rows(journal(folder)) == held
    assert "healthy" in lema(folder, "journal", "mend", "x").stdout


def flip(path, text: str) -> None:
    """One bit of one completion, as a disk may flip it."""
    with sqlite3.connect(path) as file:
        (stored,) = file.execute("SELECT text FROM completions WHERE instr(text, ?)", (text.encode(),)).fetchone()
    file.close()
    damaged = bytearray(path.read_bytes())
    damaged[damaged.index(stored) + len(stored) // 2] ^= 1
    path.write_bytes(damaged)
