"""`lema score`: files of predictions judged, through the command, as a user would."""

import json
from pathlib import Path

import pytest

from lema.commands.score import FileScore, score_file
from lema.commands.score.predictions import PredictionOptions, open_predictions
from lema.printable import short
from lema.statistics import wilson
from tests.commanding import in_process, lema

SRC = Path(__file__).resolve().parents[2] / "src"
ROWS = [
    {"text": "So 2 + 3 = 5. The answer is 5.", "gold": "5"},
    {"text": "The answer is 3 1/2.", "gold": "15.5"},
    {"text": "I give up.", "gold": "7"},
    {"text": "First we", "gold": "7", "finish": "length"},
    {"text": "The answer is 7 apples.", "gold": 7},
    {"text": "", "gold": "7", "finish": "error: 500"},
]


def write(folder, rows, name="p.jsonl"):
    (folder / name).write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return folder / name


def test_plain_rows_are_scored_with_an_interval_and_every_verdict_counted(tmp_path):
    write(tmp_path, ROWS)
    done = lema(tmp_path, "score", "p.jsonl", "--task", "gsm8k")
    assert done.returncode == 0, done.stderr
    low, high = wilson(2, 6)
    assert done.stdout.splitlines() == [
        "p.jsonl: 6 answers, read as gsm8k",
        f"accuracy 33.3 %, 95 % interval [{100 * low:.1f}, {100 * high:.1f}]",
        "",
        "right                2    33.3%",
        "wrong                1    16.7%",
        "no answer            1    16.7%",
        "truncated            1    16.7%",
        "ungradable           1    16.7%"]


def test_the_disagreements_with_the_official_scorer_are_shown_row_by_row(tmp_path):
    write(tmp_path, ROWS)
    done = in_process(tmp_path, "score", "p.jsonl", "--task", "gsm8k", "--against", "official")
    assert "official: accuracy 50.0 %" in done.stdout
    assert "both agree on right or not right in 5 of 6" in done.stdout
    assert done.stdout.splitlines()[-1] == "  p.jsonl:2  gold 15.5: lema wrong 3 1/2, official right 15.5"


def test_a_worked_solution_as_gold_is_the_answer_behind_its_mark(tmp_path):
    write(tmp_path, [{"text": "The answer is 5.", "answer": "He has 2 + 3 = <<2+3=5>>5 nuts.\n#### 5"},
                     {"text": "The answer is 1200.", "answer": "4 * 300 = 1200\n#### 1,200"},
                     {"text": "The answer is 2.", "answer": "He has 2 + 3 = <<2+3=5>>5 nuts.\n#### 5"}])
    done = in_process(tmp_path, "score", "p.jsonl", "--task", "gsm8k", "--gold", "answer", "--against", "official")
    assert "accuracy 66.7 %" in done.stdout
    assert "official: accuracy 66.7 %" in done.stdout


def test_json_holds_the_same_for_programs(tmp_path):
    write(tmp_path, ROWS)
    found = json.loads(in_process(tmp_path, "score", "p.jsonl", "--task", "number", "--against", "official",
                            "--json").stdout)
    assert (found["answers"], found["questions"], found["accuracy"]) == (6, 6, 2 / 6)
    assert found["verdicts"] == {"right": 2, "wrong": 1, "no_answer": 1, "truncated": 1, "ungradable": 1}
    other = found["against"]
    assert (other["grader"], other["agreed"], other["accuracy"]) == ("official", 5, 0.5)
    (row,) = other["disagreements"]
    assert (row["place"], row["gold"]) == ("p.jsonl:2", "15.5")
    assert (row["ours"]["verdict"], row["theirs"]["answer"]) == ("wrong", "15.5")


def test_math_verify_can_be_the_other_grader(tmp_path):
    rows = [{"text": "It is $\\frac{2}{4}$, so \\boxed{\\frac{1}{2}}", "gold": "0.5"},
            {"text": "We add 3 and 4.", "gold": "4"}, {"text": "Nobody knows.", "gold": "4"}]
    write(tmp_path, rows)
    found = json.loads(in_process(tmp_path, "score", "p.jsonl", "--task", "math", "--against", "math-verify",
                            "--json").stdout)
    verdicts = {"right": 2, "wrong": 0, "no_answer": 1, "truncated": 0, "ungradable": 0}
    assert found["against"]["verdicts"] == verdicts


def test_conventions_can_be_laid_over_those_of_the_task(tmp_path):
    write(tmp_path, [{"text": "The answer is 0.333.", "gold": "1/3"},
                     {"text": "The answer is 10%.", "gold": "0.1"}])
    for more, right in ((("decimals=2", "percent=share"), 2), (("decimals=2", "percent=number"), 1),
                        (("rounded=4", "percent=number"), 0)):
        overrides = [part for one in more for part in ("--set", one)]
        done = in_process(tmp_path, "score", "p.jsonl", "--task", "number", "--json", *overrides)
        found = json.loads(done.stdout)
        assert found["verdicts"]["right"] == right, more
    done = in_process(tmp_path, "score", "p.jsonl", "--task", "number", "--set", "decimls=2")
    assert (done.returncode, done.stderr) == (
        2, "lema: --set.decimls: unknown key; did you mean 'decimals'?\n")


def test_a_task_of_the_user_s_own_judges_by_its_dotted_path(tmp_path):
    (tmp_path / "mine.py").write_text("""
from lema import plugins
from lema.grading import Reading
class Settings(plugins.Settings): pass
class Task:
    name, splits = "shout", ("test",)
    def __init__(self, settings): pass
    def read(self, text): return Reading(text.split()[-1], "last word")
    def same(self, answer, gold): return answer.lower() == gold.lower()
""")
    (tmp_path / "pkg").mkdir()
    (tmp_path / "mine.py").rename(tmp_path / "pkg/mine.py")
    write(tmp_path, [{"text": "It is PARIS", "gold": "Paris"}])
    done = lema(tmp_path, "score", "p.jsonl", "--task", "pkg.mine", PYTHONPATH=f"{tmp_path}:{SRC}")
    assert "accuracy 100.0 %" in done.stdout, done.stderr


def test_named_columns_and_csv_are_read(tmp_path):
    (tmp_path / "p.csv").write_text('reply,target\n"The answer is 1,000.",1000\nThe answer is 2.,3\n', "utf-8")
    done = in_process(tmp_path, "score", "p.csv", "--task", "number", "--text", "reply", "--gold", "target")
    assert "accuracy 50.0 %" in done.stdout


def test_a_row_for_each_verdict_is_written_on_request_and_nothing_overwritten(tmp_path):
    write(tmp_path, ROWS)
    assert in_process(tmp_path, "score", "p.jsonl", "--task", "number", "--out", "v.jsonl").returncode == 0
    rows = [json.loads(line) for line in (tmp_path / "v.jsonl").read_text("utf-8").splitlines()]
    assert [row["verdict"] for row in rows] == ["right", "wrong", "no_answer", "truncated", "right", "ungradable"]
    assert rows[1] | {"how": ""} == {"place": "p.jsonl:2", "question": "", "gold": "15.5",
                                     "verdict": "wrong", "answer": "3 1/2", "how": ""}
    again = in_process(tmp_path, "score", "p.jsonl", "--task", "number", "--out", "v.jsonl")
    assert (again.returncode, again.stderr) == (
        2, "lema: v.jsonl: already there; give another file with --out\n")


def test_samples_are_held_against_the_test_file_they_answer(tmp_path):
    test = [{"prompt": f"Please solve.\nQuestion: {n} + 1?\nAnswer: Let's think.\n",
             "completion": f"It is {n + 1}. The answer is {n + 1}."} for n in range(4)]
    write(tmp_path, test, "test.jsonl")
    write(tmp_path, [{"samples": [f"The answer is {n + 1}.", "The answer is 1."]} for n in range(4)])
    done = in_process(tmp_path, "score", "p.jsonl", "--task", "gsm8k", "--beside", "test.jsonl")
    low, high = wilson(2.5, 4)
    assert done.stdout.splitlines()[:2] == [
        "p.jsonl: 8 answers to 4 questions, read as gsm8k",
        f"accuracy 62.5 %, 95 % interval [{100 * low:.1f}, {100 * high:.1f}]"]


def test_choices_are_right_by_letter_or_text_and_never_by_nearness(tmp_path):
    test = [{"prompt": "Choose.\nQuestion: Where?\nCandidate Answers: a bank, rose garden, mall.\nAnswer:\n",
             "answer": "rose garden", "candidates": ["a bank", "rose garden", "mall"]}]
    write(tmp_path, test, "test.jsonl")
    for said, verdict in (("The answer is rose garden.", "right"), ("The answer is (B).", "right"),
                          ("The answer is (B) rose garden.", "right"), ("The answer is Rose Garden", "right"),
                          ("The answer is (C).", "wrong"), ("The answer is a garden of roses.", "no_answer"),
                          ("The answer is rosegarden.", "no_answer"), ("Roses, I think.", "no_answer")):
        write(tmp_path, [{"samples": [said]}])
        asked = PredictionOptions("csqa", tmp_path / "test.jsonl")
        found = json.loads(score_file(tmp_path / "p.jsonl", asked, as_json=True))
        assert found["verdicts"][verdict] == 1, said


@pytest.fixture
def run(tmp_path):
    (tmp_path / "c.toml").write_text(
        'name = "x"\ntask = { name = "rows", train = "q.jsonl" }\nsample = { models = ["m"], paths = 2 }\n'
        'models = { m = { backend = "recorded", file = "r.jsonl" } }\n')
    write(tmp_path, [{"question": f"{n} + 1?", "answer": str(n + 1)} for n in range(3)], "q.jsonl")
    write(tmp_path, [{"question": f"{n} + 1?", "text": f"The answer is {n * k + 1}."}
                     for n in range(3) for k in (1, 2)], "r.jsonl")
    assert in_process(tmp_path, "run", "c.toml").returncode == 0
    return tmp_path


def test_a_run_s_rows_know_their_questions_and_their_task(run):
    for where in ("runs/x/paths/m", "runs/x/paths/m/rows.jsonl", "runs/x/graded"):
        done = in_process(run, "score", where)
        assert done.returncode == 0, done.stderr
        low, high = wilson(2, 3)
        assert done.stdout.splitlines()[:2] == [
            f"{where}: 6 answers to 3 questions, read as rows",
            f"accuracy 66.7 %, 95 % interval [{100 * low:.1f}, {100 * high:.1f}]"]
    assert "official: accuracy 66.7 %" in in_process(run, "score", "runs/x/graded", "--against", "official").stdout


def test_rows_that_left_their_run_need_to_be_told(run):
    rows = (run / "runs/x/graded/rows.jsonl").read_text("utf-8")
    (run / "away.jsonl").write_text(rows, "utf-8")
    done = in_process(run, "score", "away.jsonl")
    assert "no questions/rows.jsonl in a folder above; name that file with --beside" in done.stderr
    done = in_process(run, "score", "away.jsonl", "--beside", "runs/x/questions/rows.jsonl")
    assert "say with --task how answers are read" in done.stderr
    done = in_process(run, "score", "away.jsonl", "--beside", "runs/x/questions/rows.jsonl", "--task", "number")
    assert "accuracy 66.7 %" in done.stdout
    (run / "away.jsonl").write_text(rows.replace('"question": "', '"question": "x', 1), "utf-8")
    done = in_process(run, "score", "away.jsonl", "--beside", "runs/x/questions/rows.jsonl", "--task", "number")
    assert done.stderr.startswith("lema: away.jsonl:1: question x")
    assert "is not in runs/x/questions/rows.jsonl" in done.stderr


@pytest.mark.parametrize(("rows", "arguments", "says"), [
    ([], ("--task", "number"), "p.jsonl: empty; give a file with at least one row"),
    (["{"], ("--task", "number"), "p.jsonl:1: not JSON"),
    ([{"text": "x", "gold": "1"}], (), "--task: say how answers are read; one of number, "),
    ([{"text": "x", "gold": "1"}], ("--task", "gsm8"), "no task or answer kind 'gsm8'; did you mean 'gsm8k'?"),
    ([{"text": "x", "gold": "1"}], ("--task", "rows"), "--task rows: what its answers are stands in"),
    ([{"tex": "x", "gold": "1"}], ("--task", "number"), "p.jsonl:1: no column 'text'; did you mean 'tex'?"),
    ([{"text": "x"}], ("--task", "number"), "p.jsonl:1: no column 'gold'"),
    ([{"text": "x", "gold": "1"}, {"text": 1, "gold": "1"}], ("--task", "number"), "p.jsonl:2: text is no text"),
    ([{"text": "x", "gold": " "}], ("--task", "number"), "p.jsonl:1: no gold answer; fill in 'gold'"),
    ([{"text": "x", "gold": "1"}], ("--task", "number", "--against", "offical"),
     "--against: no grader 'offical'; did you mean 'official'?"),
    ([{"text": "x", "gold": "1"}], ("--task", "aqua", "--against", "official"), "knows no task 'aqua'"),
    ([{"text": "x", "gold": "1"}], ("--task", "number", "--beside", "q"), "rows hold their own gold answers"),
    ([{"text": "x", "gold": "see the solution"}], ("--task", "gsm8k"),
     'p.jsonl:1: gold is "see the solution", which is no number; name the column of the gold answers with --gold'),
    ([{"samples": ["x"]}], ("--task", "gsm8k"), "name their test file with --beside FILE and its task with"),
    ([{"samples": ["x"]}], ("--task", "gsm8k", "--beside", "no.jsonl"), "no.jsonl: no such file"),
    ([{"samples": ["x"]}], ("--task", "gsm8k", "--beside", "q.jsonl"),
     "p.jsonl: 1 rows, but q.jsonl has 2 questions; every question needs its row"),
    ([{"samples": ["x"]}] * 3, ("--task", "gsm8k", "--beside", "q.jsonl"),
     "p.jsonl:3: q.jsonl has 2 questions, there is none for this row"),
    ([{"samples": []}], ("--task", "gsm8k", "--beside", "q.jsonl"), 'p.jsonl:1: "samples" must be a list'),
    ([{"samples": [3]}], ("--task", "gsm8k", "--beside", "q.jsonl"), 'p.jsonl:1: "samples" must be a list'),
])
def test_bad_input_is_one_clear_line(tmp_path, rows, arguments, says):
    lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
    (tmp_path / "p.jsonl").write_text("\n".join(lines), "utf-8")
    write(tmp_path, [{"question": f"{n}?", "answer": f"#### {n}"} for n in (1, 2)], "q.jsonl")
    done = in_process(tmp_path, "score", "p.jsonl", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert says in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_file_that_is_not_there_is_said_through_the_command(tmp_path):
    done = lema(tmp_path, "score", "none.jsonl", "--task", "number")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("lema: none.jsonl: no such file; give a file of predictions")


def test_hostile_texts_are_escaped_on_the_terminal(tmp_path):
    (tmp_path / "p.jsonl").write_text(
        '{"text": "The answer is so \\u202e and \\ud800 so.", "gold": "so\\u001b[2J \\u202e\\ud800"}\n'
        '{"text": "The answer is yes.", "gold": "yes"}\n', "utf-8")
    for more in ((), ("--json",), ("--out", "v.jsonl")):
        done = in_process(tmp_path, "score", "p.jsonl", "--task", "text", *more)
        assert done.returncode == 0
        assert not {"\x1b", "\u202e", "\ud800"} & set(done.stdout)
    assert short("a\x1b[2J\u202e\ud800\0\nb" + 60 * "c") == "a\\x1b[2J\\u202e\\ud800\\x00\\nb" + 32 * "c" + "…"


def test_a_question_counts_once_and_a_text_without_one_is_its_own():
    tally = FileScore()
    for verdict in ("right", "wrong", "wrong", "wrong"):
        tally.add("q", verdict)
        tally.add("", verdict)
    found = tally.facts()
    assert (found["questions"], found["accuracy"]) == (5, 1.25 / 5)
    assert found["interval"] == [*wilson(1.25, 5)]


def test_published_files_score_themselves(shared_data, tmp_path):
    for name, task in (("lema_gsm8k_test", "gsm8k"), ("lema_csqa_dev", "csqa")):
        test = shared_data / "questions" / f"{name}.jsonl"
        rows = [json.loads(line) for line in test.read_text("utf-8").splitlines()]
        file = write(tmp_path, [{"samples": [row.get("completion") or f"The answer is {row['answer']}."]}
                                for row in rows])
        found = json.loads(score_file(file, PredictionOptions(task, test), against="official", as_json=True))
        assert (found["answers"], found["accuracy"], found["against"]["accuracy"]) == (len(rows), 1.0, 1.0)


def test_every_form_of_file_is_told_by_its_first_row(tmp_path):
    judge, predictions = open_predictions(write(tmp_path, ROWS), PredictionOptions("svamp"))
    assert (judge.name, next(predictions).gold) == ("svamp", "5")
