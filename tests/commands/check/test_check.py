"""`lema check`: everything a run needs is looked at before a cent is spent, and all that is wrong said at once."""

import json

import pytest
import tomli_w

from lema.commands.check import check_config
from lema.commands.run import run_config
from lema.errors import ConfigError, ConfigErrors, LemaError
from tests import toys
from tests.commanding import in_process
from tests.personas import OpenAI, Reasoning, Vllm
from tests.server import Server

SOLUTION = "Step 1: 2 + 3 = 5.\nStep 2: The answer is 5."


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return toys.chatty(tmp_path_factory.mktemp("check") / "base", toys.CHATML)


@pytest.fixture
def servers():
    answer = lambda body, choice: SOLUTION  # noqa: E731
    with (Server(answer, persona=Vllm(template=False)) as student,
          Server(answer, persona=Reasoning(("gpt-5-mini",), "secret")) as teacher):
        yield student, teacher


@pytest.fixture
def table(base, servers, tmp_path, monkeypatch):
    """A config as a user's: a base model behind vLLM, a teacher that reasons, a checkpoint to train."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OPENAI_API_KEY", "secret")
    student, teacher = servers
    rows = [{"question": f"Leo has {n} and {n + 1}. How many?", "answer": "5", "solution": SOLUTION}
            for n in range(6)]
    for name, part in (("train", rows[:4]), ("test", rows[4:])):
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in part))
    return {
        "name": "x", "task": {"name": "rows", "train": "train.jsonl", "test": "test.jsonl",
                              "columns": {"solution": "solution"}},
        "models": {"student": {"backend": "api", "model": "m", "base_url": student.url, "form": "completions"},
                   "teacher": {"backend": "api", "model": "gpt-5-mini", "base_url": teacher.url,
                               "api_key_env": "OPENAI_API_KEY", "max_tokens_field": "max_completion_tokens",
                               "omit": ["temperature", "top_p", "stop"]}},
        "sample": {"models": ["student"], "paths": 3, "temperature": 0.8, "max_tokens": 50, "prompt": "solve"},
        "correct": {"model": "teacher", "max_tokens": 4000},
        "arms": {"cot": {"take": "cot"}, "lema": {"take": "lema"}},
        "train": {"base": str(base), "seeds": [1, 2], "preset": "paper", "budget": {"steps": 1}, "save_steps": 0},
        "evaluate": {"max_tokens": 4}}


def checked(table, tmp_path):
    (tmp_path / "c.toml").write_text(tomli_w.dumps(table))
    return check_config(str(tmp_path / "c.toml"), [], tmp_path / "runs")


def problems(table, tmp_path) -> tuple[str, ...]:
    with pytest.raises(LemaError) as caught:
        checked(table, tmp_path)
    return caught.value.lines


def test_what_is_well_is_said_and_nothing_is_written(table, tmp_path, servers):
    said = checked(table, tmp_path)
    for part in ("4 questions in train", "2 questions in test", "paths/student: 12 requests",
                 "corrections: about 6", "4 fits", "packages: those of [train] are there",
                 "packages: those of [qlora] are there",
                 "models.student, as paths/student asks it", "models.teacher, as corrections asks it",
                 "paths/student begins with:", "    | Question: Leo has 0 and 1. How many?", "Incorrect Step:",
                 "memory: a row of 1,024 tokens needs", "reckoned: weights by their type", "disk: 4 fits leave",
                 "clip 0.3", "prices: teacher: ", "nothing stands in the way"):
        assert part in said, part
    assert not (tmp_path / "runs").exists()


def test_endpoints_are_asked_hi_in_the_form_and_with_the_fields_of_the_run(table, tmp_path, servers):
    student, teacher = servers
    checked(table, tmp_path)
    (first,), (second,) = student.seen, teacher.seen
    assert first["prompt"] == "Hi" and first["n"] == 2
    assert (first["temperature"], first["max_tokens"]) == (0.8, 50) and "seed" in first
    assert second["messages"] == [{"role": "user", "content": "Hi"}]
    assert second["max_completion_tokens"] == 4000 and "temperature" not in second


def test_all_problems_are_said_at_once_each_with_its_remedy(table, tmp_path, servers, monkeypatch):
    table["models"]["student"]["form"] = "chat"
    table["models"]["teacher"]["omit"] = []
    table["models"]["lost"] = {"backend": "api", "model": "m", "base_url": "http://127.0.0.1:9/v1"}
    table["sample"]["models"] = ["student", "lost"]
    table["train"]["max_length"] = 8
    table["train"]["overlong"] = "refuse"
    rows = (tmp_path / "test.jsonl").read_text().splitlines()
    (tmp_path / "test.jsonl").write_text(rows[0] + "\n" + '{"question": "What?", "answer": ""}\n')
    table["budget"] = {"money": 5.0}
    lines = problems(table, tmp_path)
    for part in ("chat template", "'temperature'", "127.0.0.1:9", "train.max_length: 4 of 4 questions",
                 "test.jsonl:2: question without an answer",
                 "the price of model 'student' is not known"):
        assert any(part in line for line in lines), (part, *lines)
    assert len(lines) >= 6, lines


def test_a_key_that_is_not_there_is_said_before_anything_is_sampled(table, tmp_path, servers, monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY")
    (tmp_path / "c.toml").write_text(tomli_w.dumps(table))
    with pytest.raises(ConfigError, match="models.teacher: .* there is none; export OPENAI_API_KEY"):
        run_config(str(tmp_path / "c.toml"), [], tmp_path / "runs")
    assert not servers[0].seen and not (tmp_path / "runs").exists()


def test_reasoning_that_eats_every_token_is_found_out(table, tmp_path):
    table["correct"]["max_tokens"] = 1000
    (line,) = problems(table, tmp_path)
    assert "nothing that can be seen within 1,000 tokens" in line and "raise max_tokens" in line


def test_a_fit_that_memory_or_disk_cannot_hold_is_a_problem(table, tmp_path, monkeypatch):
    monkeypatch.setattr("lema.training.memory.free_memory", lambda: 1e4)
    monkeypatch.setattr("shutil.disk_usage", lambda place: type("Disk", (), {"free": 10.0}))
    lines = problems(table, tmp_path)
    assert any(line.startswith("memory: a row of 1,024 tokens needs") and "qlora" in line for line in lines)
    assert any(line.startswith("disk: 4 fits leave") and "make room" in line for line in lines)


def test_packages_that_are_missing_are_named_with_the_line_that_installs_them(table, tmp_path, monkeypatch):
    from importlib.util import find_spec

    absent = lambda name: None if name == "bitsandbytes" else find_spec(name)  # noqa: E731
    monkeypatch.setattr("lema.commands.check.resources.find_spec", absent)
    (line,) = problems(table, tmp_path)
    assert line.startswith("bitsandbytes: not installed; pip install") and "[qlora]" in line


def test_the_command_ends_with_2_and_a_line_for_each_problem(table, tmp_path):
    table["task"]["train"] = "gone.jsonl"
    table["models"]["teacher"]["model"] = "gpt-6"
    (tmp_path / "c.toml").write_text(tomli_w.dumps(table))
    done = in_process(tmp_path, "check", "c.toml")
    assert done.returncode == 2
    assert "gone.jsonl: no such file" in done.stderr and "gpt-6" in done.stderr


def test_several_problems_of_a_config_are_said_when_a_run_starts(table, tmp_path, servers):
    table["train"]["base"] = "student"
    table["models"]["lema-1"] = dict(table["models"]["student"])
    (tmp_path / "c.toml").write_text(tomli_w.dumps(table))
    with pytest.raises(ConfigErrors) as caught:
        run_config(str(tmp_path / "c.toml"), [], tmp_path / "runs")
    assert len(caught.value.lines) == 2
    assert not servers[0].seen


def test_a_model_that_knows_no_field_is_told_which(table, tmp_path):
    with Server(lambda body, choice: SOLUTION, persona=OpenAI(("m",))) as strict:
        table["models"]["student"] |= {"base_url": strict.url, "form": "chat", "extra": {"top_k": 5}}
        (line,) = problems(table, tmp_path)
    assert "top_k" in line and "models.student" in line
