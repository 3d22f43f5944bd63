"""One purchase, every way to use it: rows follow from corrections, and TRL's trainers take them as they are."""

import json
import sys
from pathlib import Path

import pytest

from lema.commands.export import export_run
from lema.commands.export.purchase import export_purchase
from lema.commands.run import run_config
from lema.errors import ConfigError, RunError
from lema.records import Correction, ReasoningPath, read_rows
from lema.replies import number_steps, split_steps
from lema.tasks import find_task
from lema.training.fresh import Shape, build
from tests.processes import ended

CONFIG = """
name = "small"
task = { name = "lab", train = 40, worked = 10, dev = 0, test = 1, levels = [1, 2] }
sample = { models = ["student"] }
correct = { model = "teacher" }
[models]
student = { backend = "teacher", slip = 0.7 }
teacher = { backend = "teacher", slip = 0.1 }
[arms]
cot = {}
step-dpo = {}
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("purchase")
    (folder / "c.toml").write_text(CONFIG)
    return run_config(str(folder / "c.toml"), [], folder / "runs")


def _written(run: Path, out: Path, use: str, form: str | None = None) -> list[dict]:
    assert f"{out}: " in export_purchase(run, out, use, form)
    return [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="module")
def kept(run) -> list[tuple[Correction, tuple[str, ...]]]:
    """The verified corrections, each with the steps of its mistake, read from the rows alone."""
    texts = {path.id: path.text for path in read_rows(ReasoningPath, run / "graded/rows.jsonl")}
    rows = [row for row in read_rows(Correction, run / "verified/rows.jsonl") if row.verified and row.step]
    return [(row, split_steps(texts[row.path])) for row in rows]


def test_pairs_differ_from_the_wrong_step_on_and_share_all_before_it(run, kept, tmp_path):
    rows = _written(run, tmp_path / "p.jsonl", "preference")
    assert len(rows) == len(kept) > 5
    sides = {(number_steps(c.steps, c.step), number_steps(steps[c.step - 1:], c.step)) for c, steps in kept}
    assert {(row["chosen"], row["rejected"]) for row in rows} == sides
    for row in rows:
        first = row["chosen"].split(":")[0]
        before = row["prompt"].rpartition("Solution:\n")[2]
        assert row["rejected"].startswith(f"{first}:")
        assert before.count("Step ") == int(first.removeprefix("Step ")) - 1
    told = _written(run, tmp_path / "m.jsonl", "preference", "messages")
    for plain, row in zip(rows, told, strict=True):
        (asked,), (better,), (worse,) = row["prompt"], row["chosen"], row["rejected"]
        assert asked["content"] + better["content"] == plain["prompt"] + plain["chosen"]
        assert asked["content"] + worse["content"] == plain["prompt"] + plain["rejected"]


def test_steps_are_labelled_up_to_the_first_wrong_one_and_a_corrected_path_is_right(run, kept, tmp_path):
    rows = _written(run, tmp_path / "s.jsonl", "stepwise")
    wrong = [row for row in rows if False in row["labels"]]
    assert (len(wrong), len(rows)) == (len(kept), 2 * len(kept))
    for row in rows:
        assert len(row["labels"]) == len(row["completions"])
        assert all(row["labels"][:-1])
        numbers = [int(text.split(":")[0].removeprefix("Step ")) for text in row["completions"]]
        assert numbers == list(range(1, len(numbers) + 1))
    assert {len(row["labels"]) for row in wrong} <= {row.step for row, _ in kept}


def test_the_context_holds_why_and_the_corrected_steps_and_never_the_prompt(run, kept, tmp_path):
    rows = _written(run, tmp_path / "c.jsonl", "privileged")
    assert len(rows) == len(kept)
    for row, _ in kept:
        assert any(row.explanation.strip() in each["privileged_context"]
                   and number_steps(row.steps, row.step) in each["privileged_context"] for each in rows)


TAKEN = """
import sys
from datasets import load_dataset
folder, file, out, kind = sys.argv[1:]
rows = load_dataset("json", data_files=file, split="train")
how = dict(output_dir=out, max_steps=1, per_device_train_batch_size=2, report_to="none", use_cpu=True, bf16=False)
if kind == "privileged":
    from trl.experimental.sdft import SDFTConfig as Config, SDFTTrainer as Trainer
    how |= dict(max_completion_length=4, num_generations=1)
else:
    from trl import DPOConfig as Config, DPOTrainer as Trainer
Trainer(model=folder, args=Config(**how), train_dataset=rows).train()
print("trained")
"""


@pytest.mark.parametrize("use", ["preference", "privileged"])
def test_trl_takes_the_file_as_it_is(run, use, tmp_path):
    words = find_task("lab", {}).vocabulary()
    build(Shape(width=32, layers=1, heads=1, feed_forward=32), words, tmp_path / "model", seed=0)
    _written(run, tmp_path / "rows.jsonl", use)
    done = ended([sys.executable, "-c", TAKEN, tmp_path / "model", tmp_path / "rows.jsonl", tmp_path / "out", use],
                 check=True, env={"PATH": "/usr/bin:/bin", "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1",
                                  "HF_HOME": str(tmp_path), "TRL_EXPERIMENTAL_SILENCE": "1"})
    assert done.stdout.rstrip().endswith("trained")


def test_an_arm_of_pairs_is_a_set_of_pairs_and_is_not_exported_as_completions(run, tmp_path):
    rows = [json.loads(line) for line in (run / "sets/step-dpo/rows.jsonl").read_text().splitlines()]
    pairs = [row for row in rows if row["kind"] == "preference"]
    assert len(pairs) > 5
    assert all(row["dispreferred"].endswith("\n") and row["completion"] != row["dispreferred"] for row in pairs)
    assert "step-dpo" not in export_run(run, tmp_path / "all")
    with pytest.raises(ConfigError, match="arm 'step-dpo' holds pairs; `--as preference`"):
        export_run(run, tmp_path / "one", ["step-dpo"])


def test_what_cannot_be_written_is_one_line(run, tmp_path):
    with pytest.raises(ConfigError, match="no use 'preferences'; did you mean 'preference'"):
        export_purchase(run, tmp_path / "x", "preferences")
    with pytest.raises(ConfigError, match="prompt_completion or messages, not 'marked'"):
        export_purchase(run, tmp_path / "x", "preference", "marked")
    (tmp_path / "there").touch()
    with pytest.raises(RunError, match="already there"):
        export_purchase(run, tmp_path / "there", "preference")
    with pytest.raises(RunError, match="cannot be written"):
        export_purchase(run, tmp_path / "no/where", "preference")
    (tmp_path / "c.toml").write_text(CONFIG.replace("slip = 0.7", "slip = 0").replace("step-dpo = {}\n", ""))
    right = run_config(str(tmp_path / "c.toml"), [], tmp_path / "runs")
    with pytest.raises(RunError, match="no verified correction of a wrong path, so nothing to make stepwise rows"):
        export_purchase(right, tmp_path / "x", "stepwise")
    assert not (tmp_path / "x").exists()
