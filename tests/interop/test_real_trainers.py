"""Real trainers, run on exported configs as they stand. Opt-in, because each needs an environment of its own:

    LEMA_INTEROP_TRL=/path/of/venv/bin/python LEMA_INTEROP_LLAMA_FACTORY=... LEMA_INTEROP_AXOLOTL=... \\
        python -m pytest tests/interop/test_real_trainers.py -s

docs/interop.md says how those were made and what came out.
"""

import json
import os
import shutil
from collections import Counter
from pathlib import Path

import pytest

from lema.checkpoints import load_tokenizer
from lema.checkpoints.rendering import encode
from lema.commands.export import export_run
from lema.commands.run import run_config
from lema.records import Checkpoint, Example, read_rows
from tests.interop.opt_in import REASON
from tests.processes import ended
from tests.toys import reader

TOOLS = {"trl": "LEMA_INTEROP_TRL", "llama-factory": "LEMA_INTEROP_LLAMA_FACTORY",
         "axolotl": "LEMA_INTEROP_AXOLOTL"}
LONGEST = 1500.0
"""Seconds that another trainer may take."""
TURNS = ("{{ '<bos>' }}{% for m in messages %}{{ '[' + m.role + ']' + m.content + '<eos>' }}{% endfor %}"
         "{% if add_generation_prompt %}{{ '[assistant]' }}{% endif %}")
CONFIG = """
name = "x"
task = { name = "lab", train = 40, worked = 10, dev = 0, test = 2, levels = [1, 2] }
sample = { models = ["student"] }
correct = { model = "teacher" }
evaluate = { max_tokens = 4 }
arms = ["lema", "step"]
[models.student]
backend = "teacher"
slip = 0.7
[models.teacher]
backend = "teacher"
[train]
base = "BASE"
seeds = [1]
budget = { epochs = 2 }
method = "METHOD"
lora = { r = 8 }
learning_rate = 0.001
warmup = 0.1
batch_size = 8
accumulate = 2
"""


def _base(folder: Path, kind: str) -> Path:
    from tokenizers.processors import TemplateProcessing
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    tokenizer = PreTrainedTokenizerFast.from_pretrained(reader(folder))
    if kind != "plain":
        tokenizer.add_special_tokens({"bos_token": "<bos>"})
        tokenizer.backend_tokenizer.post_processor = TemplateProcessing(
            single="<bos> $A", pair="<bos> $A $B", special_tokens=[("<bos>", tokenizer.bos_token_id)])
        tokenizer.chat_template = TURNS if kind == "chat" else None
        tokenizer.save_pretrained(folder)
        LlamaForCausalLM(LlamaConfig(
            vocab_size=258, hidden_size=32, num_hidden_layers=1, num_attention_heads=1, num_key_value_heads=1,
            intermediate_size=32, max_position_embeddings=2048, bos_token_id=257, eos_token_id=0,
            pad_token_id=0)).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def exported(tmp_path_factory) -> list[tuple[Path, Path]]:
    """Runs and their exports: with full training of a plain base, with LoRA of one that has a start token, and of
    one with a chat template beside that."""
    if not set(TOOLS.values()) & set(os.environ):
        pytest.skip(REASON)
    made = []
    for kind in ("plain", "start", "chat"):
        folder = tmp_path_factory.mktemp("interop") / kind
        base = _base(folder / "base", kind)
        (folder / "c.toml").write_text(CONFIG.replace("BASE", str(base)).replace(
            "METHOD", "full" if kind == "plain" else "lora"))
        made.append((run_config(str(folder / "c.toml"), [], folder / "runs"), folder / "out"))
        export_run(*made[-1])
    return made


@pytest.mark.parametrize("tool", TOOLS)
def test_ready_configs_train_on_the_tokens_of_lema(exported, tool, tmp_path):
    python = os.environ.get(TOOLS[tool])
    if not python:
        pytest.skip(REASON)
    for run, out in exported:
        for arm in ("lema", "step"):
            theirs, state = _trained(python, tool, arm, out, tmp_path)
            tokenizer = load_tokenizer(out.parent / "base")
            ours = [encode(tokenizer, example) for example in read_rows(Example, run / f"sets/{arm}/rows.jsonl")]
            assert Counter(map(json.dumps, theirs)) == Counter(json.dumps(
                [row.prompt + row.completion, [-100] * len(row.prompt) + row.completion]) for row in ours)
            (made,) = read_rows(Checkpoint, run / f"models/{arm}-1/rows.jsonl")
            assert (state["global_step"], round(state["epoch"] * len(ours))) == (made.steps, made.examples)
            print(f"{tool}, {out.parent.name} base, {arm}: {len(theirs)} of {len(ours)} rows the same in tokens "
                  f"and loss; {made.steps} steps, {made.examples} examples seen, as by lema")


def _trained(python: str, tool: str, arm: str, out: Path, home: Path) -> tuple[list, dict]:
    """The rows that the tool's trainer got, and the state in which it ended."""
    shutil.rmtree(out / "trained", ignore_errors=True)
    told = {"PATH": os.environ["PATH"], "HOME": str(home), "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "2",
            "AXOLOTL_DO_NOT_TRACK": "1", "DO_NOT_TRACK": "1"}
    ended([python, Path(__file__).with_name("trainers.py"), tool, f"configs/{tool}-{arm}.yaml",
           home / "rows.json"], check=True, life=LONGEST, cwd=out, env=told)
    states = [json.loads(file.read_text()) for file in out.glob(f"trained/{tool}-{arm}/**/trainer_state.json")]
    return json.loads((home / "rows.json").read_text()), max(states, key=lambda state: state["global_step"])
