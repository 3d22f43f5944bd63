"""What a run could only fail at is said by `lema plan` and when it starts, before a teacher is paid."""

import json
import re
import shutil
from pathlib import Path

import pytest
import tomli_w

from lema.checkpoints import load_tokenizer
from lema.commands.estimate.pilot import by_pilot
from lema.commands.plan import plan_config
from lema.commands.run import run_config
from lema.config import Config, parse_config
from lema.errors import ConfigError, LemaError, ModelError, RunError
from lema.messages import Message
from lema.models import find_model
from lema.records import Account, Checkpoint, Example, ReasoningPath, read_rows
from lema.tasks import rows as rows_task
from tests import toys
from tests.personas import Vllm
from tests.server import Server

SOLUTION = "Step 1: 2 + 3 = 5.\nStep 2: The answer is 5."


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return toys.chatty(tmp_path_factory.mktemp("beforehand") / "base", toys.CHATML)


@pytest.fixture(scope="module")
def server():
    with Server(lambda body, choice: SOLUTION, persona=Vllm()) as server:
        yield server


@pytest.fixture
def table(base, server, tmp_path, monkeypatch):
    """A config whose teacher is paid for solutions before anything is trained, in the folder of the test."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    server.seen.clear()
    questions = [{"question": f"Leo has {n} and {n + 1}. How many?", "answer": "5", "solution": SOLUTION}
                 for n in range(6)]
    for name, part in (("train", questions[:4]), ("test", questions[4:])):
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in part))
    return {
        "name": "x", "task": {"name": "rows", "train": "train.jsonl", "test": "test.jsonl",
                              "columns": {"solution": "solution"}},
        "models": {"teacher": {"backend": "api", "model": "large", "base_url": server.url}},
        "sample": {"models": ["teacher"], "max_tokens": 50}, "cot": {"model": "teacher", "pool": "all"},
        "arms": {"cot": {"take": [{"kind": "cot"}, {"kind": "cot", "source": "teacher"}]}},
        "train": {"base": str(base), "seeds": [1], "budget": {"epochs": 1}, "method": "full", "batch_size": 2},
        "evaluate": {"max_tokens": 4}}


def lema(verb, table, tmp_path):
    (tmp_path / "c.toml").write_text(tomli_w.dumps(table))
    return {"plan": plan_config, "run": run_config}[verb](str(tmp_path / "c.toml"), [], tmp_path / "runs")


def refused(table, tmp_path, kind: type[LemaError], says: str, server) -> None:
    """Plan and run say it in one line, beside what else is wrong, and nobody was asked anything."""
    for verb in ("plan", "run"):
        with pytest.raises(LemaError, match=says) as caught:
            lema(verb, table, tmp_path)
        assert any(re.search(says, line) for line in caught.value.lines)
        assert len(caught.value.lines) > 1 or isinstance(caught.value, kind)
    assert not server.seen and not (tmp_path / "runs").exists()


def test_a_base_behind_an_endpoint_is_refused_before_anything_is_paid(table, tmp_path, server):
    table["train"]["base"] = "teacher"
    refused(table, tmp_path, ConfigError, r"train.base = 'teacher': .* backend 'api' and has no weights", server)


def test_a_base_whose_adapter_training_would_leave_out_is_refused(table, base, tmp_path, server):
    table["models"]["student"] = {"backend": "transformers", "path": str(base), "adapter": "lora"}
    table["train"]["base"] = "student"
    refused(table, tmp_path, ConfigError, "training would leave out its adapter lora", server)


@pytest.mark.parametrize(("damage", "says"), [
    (lambda folder: shutil.rmtree(folder), "train.base: .*/copy: no such folder"),
    (lambda folder: (folder / "tokenizer.json").unlink() or (folder / "tokenizer_config.json").unlink(),
     "train.base: .*/copy: not a checkpoint, it has no tokenizer files"),
])
def test_a_base_that_is_not_there_is_refused_before_anything_is_paid(damage, says, table, base, tmp_path, server):
    shutil.copytree(base, tmp_path / "copy")
    (tmp_path / "copy" / "chat_template.jinja").unlink()
    damage(tmp_path / "copy")
    table["train"]["base"] = str(tmp_path / "copy")
    refused(table, tmp_path, ModelError, says, server)


def test_any_model_whose_weights_are_missing_is_refused_before_anything_is_paid(table, base, tmp_path, server):
    table["models"]["other"] = {"backend": "transformers", "path": "./gone"}
    table["sample"]["models"] = ["teacher", "other"]
    refused(table, tmp_path, ModelError, "models.other.path: gone: no such folder", server)
    table["models"]["other"] = {"backend": "vllm", "path": str(base), "adapter": "./lora"}
    refused(table, tmp_path, ModelError, "models.other.path: ./lora: not a PEFT adapter", server)


def test_a_base_of_the_hub_is_looked_up_before_anything_is_paid(table, tmp_path, server, monkeypatch):
    def nothing(hub_id, **how):
        raise OSError("no such repository" if not how["local_files_only"] else "not cached")

    monkeypatch.setattr("huggingface_hub.snapshot_download", nothing)
    table["train"]["base"] = "students/base"  # a mistyped folder looks like a hub id
    plan = lema("plan", table, tmp_path)
    assert "train.base: no folder students/base here; it is looked up on the hub when the run starts" in plan
    assert "train.max_length: not checked against the questions, the tokenizer of students/base is not on" in plan
    with pytest.raises(ModelError, match="train.base: students/base: no folder here, and not to be had from"):
        lema("run", table, tmp_path)
    assert not server.seen


def test_an_estimate_says_it_too(table, tmp_path, server):
    table["train"]["base"] = "./gone"
    config: Config = parse_config(table, "c.toml")
    with pytest.raises(ModelError, match="train.base: gone: no such folder"):
        by_pilot(config, table, tmp_path / "runs", 2)
    assert not server.seen


def test_a_table_that_would_ask_a_trained_model_otherwise_than_its_base_is_refused(table, base, tmp_path, server):
    table["models"]["cot-1"] = {"backend": "transformers", "path": str(base), "form": "completions"}
    refused(table, tmp_path, ConfigError, "models.cot-1: what arm 'cot' is trained to with seed 1 has", server)


def test_a_trainer_that_knows_the_chat_template_alone_takes_no_base_that_is_asked_past_it(table, base, tmp_path,
                                                                                         server):
    table["models"]["student"] = {"backend": "transformers", "path": str(base), "form": "completions"}
    table["train"] = {"base": "student", "trainer": "tests.commands.chat_trainer"}
    refused(table, tmp_path, ConfigError, r"fit takes no form\), and models.student.form = ", server)


def test_a_task_that_asks_in_two_messages_is_refused_where_a_template_parts_them(table, base, tmp_path, server,
                                                                                monkeypatch):
    monkeypatch.setattr(rows_task.Task, "prompt", lambda self, question: [
        Message("system", "Add."), Message("user", question.text)])
    refused(table, tmp_path, ConfigError, "it asks in the messages system, user, which a chat template", server)
    table["models"]["student"] = {"backend": "transformers", "path": str(base), "form": "completions"}
    table["train"]["base"] = "student"
    assert "to do    models/cot-1" in lema("plan", table, tmp_path)


def test_worked_rows_that_are_too_long_are_said_before_the_teacher_is_paid(table, tmp_path, server):
    plan = lema("plan", table, tmp_path)
    assert "train.max_length: the longest question with its worked solution has " in plan
    table["train"]["max_length"] = 20
    refused(table, tmp_path, ConfigError, r"4 of 4 questions with their worked solutions are longer than 20 "
            r"tokens \(the longest \d+: train.jsonl:\d\); raise it, or set train.overlong = \"drop\"", server)
    table["train"]["overlong"] = "drop"
    assert "are longer than 20 tokens" in lema("plan", table, tmp_path)


def test_an_arm_with_a_limit_of_its_own_is_measured_by_that(table, tmp_path, server):
    table["arms"]["short"] = {"take": ["cot"], "train": {"max_length": 20}}
    refused(table, tmp_path, ConfigError, r"^arms.short.train.max_length: 4 of 4 questions .* longer than 20 "
            r"tokens .* set arms.short.train.overlong = \"drop\"", server)
    table["arms"]["short"]["train"]["overlong"] = "drop"
    plan = lema("plan", table, tmp_path)
    assert "arms.short.train.max_length: 4 of 4 " in plan and "\ntrain.max_length: the longest " in f"\n{plan}"


def test_a_student_that_is_still_to_be_grown_is_said_to_be_unseen(tmp_path):
    assert "not checked against the questions, student is still to be grown" in plan_config("tiny", [], tmp_path)


def test_rows_that_are_too_long_are_left_out_counted_and_listed(table, tmp_path, server):
    rows = [json.loads(line) for line in (tmp_path / "train.jsonl").read_text().splitlines()]
    rows[0]["solution"] = "Step 1: 2 + 3 = 5.\n" * 40 + "Step 41: The answer is 5."
    (tmp_path / "train.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    table["train"] |= {"max_length": 200, "overlong": "drop"}
    plan = lema("plan", table, tmp_path)
    assert "1 of 4 questions with their worked solutions are longer than 200 tokens" in plan
    run = lema("run", table, tmp_path)
    (account,) = read_rows(Account, run / "accounts" / "rows.jsonl")
    written = list(read_rows(Example, run / "sets" / "cot" / "rows.jsonl"))
    (dropped,) = [example for example in written if example.rejected]
    assert dropped.completion.endswith("Step 41: The answer is 5.")
    assert " tokens, more than 200" in dropped.rejected
    assert (account.examples, account.overlong) == (len(written) - 1, 1)
    (trained,) = read_rows(Checkpoint, run / "models" / "cot-1" / "rows.jsonl")
    assert trained.examples == account.examples
    assert "longer than train.max_length and left out: 1 of cot" in (run / "report" / "report.html").read_text()


@pytest.mark.parametrize("name", ["WORLD_SIZE", "OMPI_COMM_WORLD_SIZE"])
def test_several_processes_started_together_are_refused_in_one_line(name, table, tmp_path, server, monkeypatch):
    monkeypatch.setenv(name, "2")
    with pytest.raises(RunError, match=rf"2 processes were started together \({name}\)") as caught:
        lema("run", table, tmp_path)
    assert "\n" not in str(caught.value) and not server.seen and not (tmp_path / "runs").exists()
    monkeypatch.setenv(name, "1")
    assert lema("run", table, tmp_path).is_dir()


@pytest.mark.parametrize("form", ["chat", "completions"])
def test_a_run_examines_its_models_in_the_tokens_that_they_were_trained_on(form, table, base, tmp_path):
    table["models"]["student"] = {"backend": "transformers", "path": str(base), "form": form}
    table["train"]["base"] = "student"
    table["evaluate"]["split"] = "train"
    run = lema("run", table, tmp_path)
    trained = {row.question: row.prompt_tokens for row in read_rows(Example, run / "sets" / "cot" / "rows.jsonl")}
    for name in ("student", "cot-1"):
        answers = read_rows(ReasoningPath, run / "answers" / name / "rows.jsonl")
        assert {row.question: row.prompt_tokens for row in answers} == trained
    served = load_tokenizer(run / "models" / "cot-1" / "model")
    assert bool(served.chat_template) == (form == "chat")


def test_a_model_trained_with_an_adapter_is_asked_beside_its_base_where_rounding_would_change_it(
        table, base, tmp_path, monkeypatch):
    opened = []

    def find(name, backend, keys):
        opened.append((name, keys.get("adapter_as"), Path(keys["path"]).name if "path" in keys else ""))
        return find_model(name, backend, keys)

    monkeypatch.setattr("lema.runs.context.find_model", find)
    table["models"]["student"] = {"backend": "transformers", "path": str(base), "dtype": "bfloat16"}
    table["train"] |= {"base": "student", "method": "lora", "dtype": "bfloat16"}
    lema("run", table, tmp_path)
    assert ("cot-1", "loaded", "base") in opened
    opened.clear()
    table["models"]["student"]["dtype"] = "float32"
    table["train"]["save"] = "merged"
    lema("run", table | {"name": "y"}, tmp_path)
    assert ("cot-1", None, "model") in opened
