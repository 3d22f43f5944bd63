"""The terminal: what reaches it is text, and what it says to do next goes on with this run."""

import json
import os
import pty
import re
import shlex
import signal
import sys
import time
from pathlib import Path

import pytest

from lema.errors import installing
from lema.printable import UNSEEN, Guarded, coloured, one_line, printable
from lema.records import Question, from_row, to_row
from tests.commanding import lema
from tests.patience import PATIENCE
from tests.processes import LEMA, ended, running

HOSTILE = "\x1b]0;owned\x07\x1b[8m\x9b31m\u202egnp.\u2066\u2028\x85end"
CONFIG = """
name = "x"
task = { name = "rows", train = "q.jsonl" }
sample = { models = ["m"] }
[models.m]
backend = "recorded"
file = "r.jsonl"
[arms.a]
about = ABOUT
take = [{ kind = "cot", source = "sampled" }]
"""


def _run_of_hostile_text(folder: Path) -> Path:
    question = f"1 + 1? {HOSTILE}"
    (folder / "q.jsonl").write_text(json.dumps({"question": question, "answer": "2"}) + "\n")
    path = {"question": question, "text": f"{HOSTILE}\nThe answer is 2."}
    (folder / "r.jsonl").write_text(json.dumps(path) + "\n")
    (folder / "c.toml").write_text(CONFIG.replace("ABOUT", json.dumps(f"<img src=x> [a](b) `c` {HOSTILE}")))
    done = lema(folder, "run", "c.toml")
    assert done.returncode == 0, done.stderr
    return folder / "runs/x"


def _unseen(text: str) -> list[str]:
    return UNSEEN.findall(text)


def test_controls_and_marks_of_direction_are_escaped_and_text_is_not():
    assert printable("5 × 3 = 15\n\t“naïve” 日本 👩‍👩‍👧\r\n") == "5 × 3 = 15\n\t“naïve” 日本 👩‍👩‍👧\r\n"
    assert printable("a\x1b[2Jb\rc\x9b\u202e\ud800") == "a\\u001b[2Jb\\u000dc\\u009b\\u202e\\ud800"
    assert not _unseen(printable("".join(map(chr, range(0x3000))) + "\U000e0041"))


def test_escaped_json_is_the_same_value():
    value = {"text": HOSTILE + "\\\u202e\U000e0041"}
    assert json.loads(printable(json.dumps(value, ensure_ascii=False))) == value


def test_a_question_with_hostile_text_draws_nothing_on_the_terminal(tmp_path):
    run = _run_of_hostile_text(tmp_path)
    identifier = json.loads((run / "questions/rows.jsonl").read_text())["id"]
    for words in (("show", "x", identifier), ("show", "x"), ("plan", "c.toml"), ("journal", "stats", "x"),
                  ("why", "x"), ("regrade", "x"), ("score", "r.jsonl", "--beside", "q.jsonl", "--task", "number")):
        done = lema(tmp_path, *words)
        assert not _unseen(done.stdout + done.stderr), words
    life = lema(tmp_path, "show", "x", identifier, "--json").stdout
    assert not _unseen(life)
    assert HOSTILE in json.loads(life)["questions"][0]["text"]


@pytest.mark.parametrize("words", [
    ("show", f"run{HOSTILE}"), ("plan", f"{HOSTILE}.toml"), (f"{HOSTILE}",), ("plan", "tiny", f"--{HOSTILE}"),
    ("score", "bad.csv", "--task", "number"), ("plan", "tiny", "--set", f"{HOSTILE}=1"),
    ("list", "--json"), ("run", "asks.toml")])
def test_names_of_files_columns_and_arguments_draw_nothing_on_the_terminal(tmp_path, words):
    (tmp_path / "bad.csv").write_text(f"{HOSTILE.split(chr(0x2028))[0]},b\n1,2\n", encoding="utf-8")
    (tmp_path / "asks.toml").write_text(CONFIG.replace("ABOUT", '"x"').replace("q.jsonl", "bad.csv"))
    done = lema(tmp_path, *words)
    assert not _unseen(done.stdout + done.stderr)
    assert "Traceback" not in done.stderr


def test_a_traceback_draws_nothing_on_the_terminal():
    code = f"from lema.printable import guard; guard(); raise ValueError({HOSTILE!r})"
    assert not _unseen(ended([sys.executable, "-c", code]).stderr)


def _on_a_terminal(code: str, **environment: str) -> list[str]:
    """The lines that Python code shows on a terminal."""
    ours, theirs = pty.openpty()
    with running([sys.executable, "-c", code], stdin=theirs, stdout=theirs, stderr=theirs,
                 env=os.environ | {"TERM": "xterm-256color"} | environment):
        os.close(theirs)
        seen = b""
        with pytest.raises(OSError):  # the end of the terminal
            while True:
                seen += os.read(ours, 65536)
    os.close(ours)
    return seen.decode().splitlines()


def test_rich_draws_its_own_and_escapes_what_others_print(tmp_path):
    code = ("import sys, time\nfrom lema.printable import guard\nfrom lema.runs.progress import display\n"
            "from lema.runs.news import News\nguard()\n"
            "with display() as show:\n"
            f"    show(News('s{HOSTILE}[bold]', 'started', note={HOSTILE!r}))\n"
            f"    print({HOSTILE!r}, file=sys.stderr); time.sleep(0.3)\n"
            f"    show(News('s{HOSTILE}[bold]', 'finished'))\n").replace(HOSTILE, "\\x1b]0;owned\\x07\\u202e")
    text = "\n".join(_on_a_terminal(code))
    assert "Traceback" not in text
    assert "\x1b[" in text, "bars are drawn"
    assert "[bold]" in text
    assert not re.search("\x1b\\]|\x07|\u202e", text)


def test_a_guarded_stream_is_otherwise_the_stream(capsys):
    stream = Guarded(sys.stdout)
    assert stream.write("a\x1b") == 2
    stream.writelines(["b\n"])
    assert capsys.readouterr().out == "a\\u001bb\n"
    assert stream.encoding == sys.stdout.encoding
    assert Guarded(stream).rich_proxied_file is sys.stdout


def test_every_reader_of_lines_takes_a_row_for_one_line():
    question = Question(text="a\u2028b\u2029c\x85d", answer="1")
    row = to_row(question)
    assert row.splitlines() == [row]
    assert from_row(Question, row, "x:1") == question
    assert one_line('{"a": "é"}') == '{"a": "é"}'


def test_files_that_lema_writes_hold_one_row_a_line(tmp_path):
    run = _run_of_hostile_text(tmp_path)
    lema(tmp_path, "export", "x", "--out", "out")
    (tmp_path / "own.jsonl").write_text(json.dumps({"question": HOSTILE, "path": "Step 1: x"}) + "\n" + json.dumps(
        {"question": f"1 + 1? {HOSTILE}", "path": "Step 1: The answer is 3."}) + "\n")
    done = lema(tmp_path, "import", "x", "own.jsonl", "--as", "paths", "--column", "question=question", "--column",
                "path=path")
    assert done.returncode == 0, done.stderr
    files = [*run.rglob("*.jsonl"), *(tmp_path / "out").rglob("*.jsonl")]
    assert {"rows.jsonl", "prompt_completion.jsonl", "left_out.jsonl"} <= {file.name for file in files}
    for file in files:
        assert len(file.read_text().splitlines()) == file.read_bytes().count(b"\n"), file


def test_what_a_config_says_of_an_arm_is_plain_words_in_the_card(tmp_path):
    _run_of_hostile_text(tmp_path)
    assert lema(tmp_path, "export", "x", "--out", "out").returncode == 0
    card = (tmp_path / "out/README.md").read_text()
    assert "&lt;img src=x&gt; \\[a\\](b) \\`c\\`" in card
    assert not _unseen(card)


def test_version_help_and_module_answer(tmp_path):
    assert lema(tmp_path, "--version").stdout.startswith("lema 0.")
    assert "--set" in lema(tmp_path, "run", "-h").stdout
    assert ended([sys.executable, "-m", "lema", "--version"], check=True).stdout.startswith("lema 0.")
    nothing = lema(tmp_path)
    assert (nothing.returncode, nothing.stdout.count("Usage:"), nothing.stderr) == (2, 1, "")


@pytest.mark.parametrize(("words", "says"), [
    (("run",), "Missing argument 'CONFIG'"), (("plan", "tiny", "--foo"), "No such option: --foo"),
    (("runn",), "No such command 'runn'"), (("estimate", "tiny", "--questions", "x"), "--questions")])
def test_arguments_that_cannot_be_read_are_one_line(tmp_path, words, says):
    done = lema(tmp_path, *words)
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert says in done.stderr
    assert "--help` says how" in done.stderr


def test_every_command_has_json_but_those_that_stay_open():
    import typer

    from lema.cli import app

    def without(group, above="") -> list[str]:
        names = []
        for name, command in group.commands.items():
            if hasattr(command, "commands"):
                names += without(command, f"{name} ")
            elif not any("--json" in each.opts for each in command.params):
                names.append(above + name)
        return names

    assert without(typer.main.get_command(app)) == ["view", "serve"]


def test_what_commands_do_is_json_for_programs(tmp_path):
    _run_of_hostile_text(tmp_path)
    for words, key in (("run c.toml", "stages"), ("plan c.toml", "stages"), ("check c.toml", "notes"),
                       ("export x --out out", "out"), ("init rows --out new.toml", "out"),
                       ("journal vacuum x", "lines")):
        done = lema(tmp_path, *words.split(), "--json")
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)[key], words


def test_readings_have_colours_on_a_terminal_alone(tmp_path):
    assert coloured("better: a\x1b[31m, no difference shown") == (
        "\x1b[32mbetter\x1b[0m: a\\u001b[31m, \x1b[33mno difference shown\x1b[0m")
    assert coloured("a-better betterment") == "a-better betterment", "words of others keep theirs"
    code = ("from lema.printable import guard, say\nguard()\nsay('worse, by \\x1b[5m')\nsay('[\"worse\"]')")
    for plain in ("", "1"):
        lines = _on_a_terminal(code, NO_COLOR=plain)
        worse = "worse" if plain else "\x1b[31mworse\x1b[0m"
        assert lines == [f"{worse}, by \\u001b[5m", '["worse"]']


def test_a_finished_run_says_so_in_one_line(tmp_path):
    _run_of_hostile_text(tmp_path)
    assert lema(tmp_path, "run", "c.toml").stderr == "  5 stages: done before\n"


def test_a_row_is_shown_by_the_first_letters_of_its_id(tmp_path):
    run = _run_of_hostile_text(tmp_path)
    identifier = json.loads((run / "questions/rows.jsonl").read_text())["id"]
    assert lema(tmp_path, "show", "x", identifier[:6]).stdout == lema(tmp_path, "show", "x", identifier).stdout
    assert "no row has the id 'zz'" in lema(tmp_path, "show", "x", "zz").stderr


def test_ids_that_begin_alike_are_said_to_be_several(tmp_path):
    _run_of_hostile_text(tmp_path)
    done = lema(tmp_path, "show", "x", "")
    assert done.returncode == 0  # no id: the run's own words
    letters = [lema(tmp_path, "show", "x", letter) for letter in "0123456789abcdef"]
    assert any("ids begin with" in each.stderr for each in letters)


def test_ctrl_c_says_in_one_line_what_is_kept_and_what_goes_on(tmp_path):
    words = [*LEMA, "run", "tiny", "--runs", "my runs"]
    with running(words, cwd=tmp_path, stdout=-1, stderr=-1, text=True) as process:
        deadline = time.monotonic() + PATIENCE
        while not (tmp_path / "my runs/tiny/questions").is_dir() and time.monotonic() < deadline:
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert "Traceback" not in errors
    last = errors.splitlines()[-1]
    assert last.startswith("lema: stopped; ")
    assert "are kept in my runs/tiny: `lema run 'my runs/tiny'` goes on" in last


def test_what_is_missing_is_installed_from_where_lema_runs(tmp_path, monkeypatch):
    root = Path(__file__).resolve().parents[1]
    monkeypatch.chdir(root)
    assert installing("train") == "pip install -e '.[train]'"
    monkeypatch.chdir(tmp_path)
    assert shlex.split(installing("serve")) == ["pip", "install", "-e", f"{root}[serve]"]
    monkeypatch.setattr("lema.errors.__file__", str(tmp_path / "site-packages/lema/errors.py"))
    assert installing("train") == "pip install 'lema[train]'"


def test_nobody_else_spells_how_an_extra_is_installed():
    source = Path(__file__).resolve().parents[1] / "src/lema"
    for file in [*source.rglob("*.py"), *source.rglob("*.toml")]:
        assert file.name == "errors.py" or "'lema[" not in file.read_text(), file
