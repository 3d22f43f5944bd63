"""Trains with another trainer's own command on a ready config, and writes down the rows that its trainer got.

Run by the python of that trainer's environment, in the exported folder: trainers.py TOOL CONFIG OUT. Writes OUT:
[input_ids, labels] of every row. Nothing of lema is imported here.
"""

import json
import os
import subprocess
import sys
from pathlib import Path


def trl(config: str, out: Path) -> None:
    import trl.scripts.sft as script
    from trl import SFTTrainer

    class Watched(SFTTrainer):
        def train(self, *args: object, **kwargs: object) -> object:
            _write(out, self.train_dataset)
            return super().train(*args, **kwargs)

    sys.modules["trl"].SFTTrainer = Watched
    script.main(*script.make_parser().parse_args_and_config(["--config", config]))


def llama_factory(config: str, out: Path) -> None:
    import llamafactory.train.sft.workflow as workflow
    from llamafactory.train.tuner import run_exp

    class Watched(workflow.CustomSeq2SeqTrainer):
        def train(self, *args: object, **kwargs: object) -> object:
            _write(out, self.train_dataset)
            return super().train(*args, **kwargs)

    workflow.CustomSeq2SeqTrainer = Watched
    sys.argv = ["llamafactory-cli", config]
    run_exp()


def axolotl(config: str, out: Path) -> None:
    from datasets import load_from_disk

    folder = Path(sys.executable).parent
    search = f"{folder}:{os.environ['PATH']}"  # it starts accelerate by name
    subprocess.run([folder / "axolotl", "train", config], env={**os.environ, "PATH": search}, check=True)
    (prepared,) = Path("trained/axolotl-prepared").glob("*/")
    _write(out, load_from_disk(str(prepared)))


def _write(out: Path, rows: object) -> None:
    out.write_text(json.dumps([[list(row["input_ids"]), list(row["labels"])] for row in rows]))


if __name__ == "__main__":
    {"trl": trl, "llama-factory": llama_factory, "axolotl": axolotl}[sys.argv[1]](sys.argv[2], Path(sys.argv[3]))
