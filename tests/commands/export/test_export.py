"""Exports: what other tools read is the training set, row by row, with its lineage and nothing lost."""

import json
import sys
from pathlib import Path

import pytest

from lema.commands.export import export_run
from lema.commands.run import run_config
from lema.errors import ConfigError, RunError
from lema.records import Correction, Example, Question, ReasoningPath, read_rows
from lema.tasks import find_task
from lema.training.fresh import Shape, build
from tests.processes import ended

CONFIG = """
name = "small"
task = { name = "lab", train = 40, worked = 10, dev = 0, test = 1, levels = [1, 2] }
sample = { models = ["student"] }
correct = { model = "teacher" }
arms = ["cot", "lema", "step", "cft"]
[models.student]
backend = "teacher"
slip = 0.7
terms = "free to train on"
[models.teacher]
backend = "teacher"
slip = 0.1
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("export")
    (folder / "c.toml").write_text(CONFIG)
    return run_config(str(folder / "c.toml"), [], folder / "runs")


@pytest.fixture(scope="module")
def out(run) -> Path:
    export_run(run, run.parent / "out")
    return run.parent / "out"


def _set(run: Path, arm: str) -> list[Example]:
    return list(read_rows(Example, run / f"sets/{arm}/rows.jsonl"))


def _lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("arm", ["cot", "lema", "step", "cft"])
def test_datasets_reads_every_row_back(run, out, arm, tmp_path):
    from datasets import load_dataset

    rows = load_dataset(str(out), arm, split="train", cache_dir=str(tmp_path))
    examples = _set(run, arm)
    assert rows["id"] == [example.id for example in examples]
    assert rows["prompt"] == [example.prompt + example.prefix for example in examples]
    assert rows["completion"] == [example.completion for example in examples]


def test_json_lines_hold_the_same_text_in_both_forms(run, out):
    for arm in ("lema", "step"):
        examples = _set(run, arm)
        plain, chat = (_lines(out / arm / f"{form}.jsonl") for form in ("prompt_completion", "messages"))
        assert [(row["prompt"], row["completion"]) for row in plain] == [
            (example.prompt + example.prefix, example.completion) for example in examples]
        assert [[message["content"] for message in row["messages"]] for row in chat] == [
            [example.prompt, example.prefix + example.completion] for example in examples]
        assert {tuple(message["role"] for message in row["messages"]) for row in chat} == {("user", "assistant")}
    assert any(example.prefix for example in _set(run, "step"))


def test_every_row_leads_back_to_who_wrote_it(run, out):
    from pyarrow import parquet

    corrections = {row.id: row for row in read_rows(Correction, run / "verified/rows.jsonl")}
    paths = {row.id: row for row in read_rows(ReasoningPath, run / "graded/rows.jsonl")}
    questions = {row.id: row for row in read_rows(Question, run / "questions/rows.jsonl")}
    rows = parquet.read_table(out / "lema" / "train.parquet").to_pylist()
    assert {row["kind"] for row in rows} == {"cot", "correction"}
    for row in rows:
        question = questions[row["question_id"]]
        assert (row["question"], row["answer"], row["arm"]) == (question.text, question.answer, "lema")
        if row["kind"] == "correction":
            correction = corrections[row["parent"]]
            assert (row["writer"], row["writer_prompt"]) == ("teacher", correction.prompt)
            assert (row["mistake"], row["mistake_step"]) == (correction.path, correction.step)
            assert row["mistake_model"] == paths[correction.path].model == "student"


def test_the_card_names_sizes_sources_terms_checks_and_the_funnel(run, out):
    card = (out / "README.md").read_text(encoding="utf-8")
    examples = len(_set(run, "lema"))
    for part in ('- config_name: "lema"', "| student | teacher",
                 "free to train on", "not stated", "`answer`", " wrong (lost before: ", "paths sampled"):
        assert part in card
    assert f" {examples} " in next(line for line in card.splitlines() if line.startswith("    lema "))


@pytest.mark.parametrize("tool", ["trl", "llama-factory", "axolotl"])
def test_ready_configs_are_yaml_and_name_files_that_are_there(out, tool):
    import yaml

    for arm in ("lema", "step"):
        config = yaml.safe_load((out / f"configs/{tool}-{arm}.yaml").read_text(encoding="utf-8"))
        if tool == "llama-factory":
            known = json.loads((out / "configs/dataset_info.json").read_text())[config["dataset"]]
            assert (out / config["dataset_dir"] / known["file_name"]).is_file()
        else:
            (rows,) = config["datasets"]
            assert (out / rows.get("data_files", rows["path"])).is_file()
        assert 2048 in config.values()


def test_the_card_tells_the_hub_each_subset_with_its_columns_and_size(run, out, tmp_path):
    from datasets import load_dataset_builder
    from huggingface_hub import DatasetCard

    told = DatasetCard.load(out / "README.md").data
    assert (told.license, told.size_categories) == ("unknown", ["n<1K"])
    for arm in ("cot", "lema", "step", "cft"):
        info = load_dataset_builder(str(out), arm, cache_dir=str(tmp_path)).info
        assert info.splits["train"].num_examples == len(_set(run, arm))
        assert info.download_size == (out / arm / "train.parquet").stat().st_size
        assert "mistake_step" in info.features


@pytest.mark.parametrize("form", ["prompt_completion", "messages", "chat"])
def test_datasets_reads_the_json_lines(run, out, form, tmp_path):
    from datasets import load_dataset

    rows = load_dataset("json", data_files=str(out / f"step/{form}.jsonl"), cache_dir=str(tmp_path))["train"]
    first = _set(run, "step")[0]
    told = json.dumps(rows[0], ensure_ascii=False)
    assert rows.num_rows == len(_set(run, "step"))
    assert json.dumps(first.completion, ensure_ascii=False)[1:-1] in told and first.question not in told


def test_trl_trains_on_an_export_as_it_stands(out, tmp_path):
    model = build(Shape(width=32, layers=1, heads=1, feed_forward=32), find_task("lab", {}).vocabulary(),
                  tmp_path / "model", seed=0)
    text = (out / "configs/trl-step.yaml").read_text().replace("put-your-model-here", str(model))
    text = text.replace("trained/trl-step", str(tmp_path / "trained"))
    (tmp_path / "trl.yaml").write_text(f"{text}max_steps: 2\n")
    code = "from trl.scripts.sft import main, make_parser; import sys; " \
           "main(*make_parser().parse_args_and_config(['--config', sys.argv[1]]))"
    ended([sys.executable, "-c", code, tmp_path / "trl.yaml"], check=True, cwd=out, env={
        "PATH": "/usr/bin:/bin", "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1", "HF_HOME": str(tmp_path)})
    assert (tmp_path / "trained/adapter_model.safetensors").is_file()


def test_what_cannot_be_exported_is_one_line(run, out):
    with pytest.raises(RunError, match="already there"):
        export_run(run, out)
    with pytest.raises(ConfigError, match="no arm 'lemma'; did you mean 'lema'"):
        export_run(run, run / "x", ["lemma"])
    with pytest.raises(ConfigError, match="no form 'chat'"):
        export_run(run, run / "x", form="chat")
    with pytest.raises(ConfigError, match="--form marked needs the tokenizer of train.base"):
        export_run(run, run / "x", form="marked")
    with pytest.raises(RunError, match="no run here"):
        export_run(run.parent / "nobody", run / "x")
    with pytest.raises(RunError, match="already there"):
        export_run(run, Path("."))
    with pytest.raises(RunError, match="cannot be written"):
        export_run(run, run / "config.toml/x")
    assert not list(run.parent.glob("*.part"))
    (run / "sets/cft/record.json").rename(run / "sets/cft/record.away")
    with pytest.raises(RunError, match="the set of arm cft is missing; `lema run .*` makes it"):
        export_run(run, run / "x", ["cft"])
    (run / "sets/cft/record.away").rename(run / "sets/cft/record.json")
