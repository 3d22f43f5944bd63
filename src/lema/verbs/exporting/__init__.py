"""`lema export`: the training sets of a run for other tools: Parquet, JSON lines, a data set, ready configs.

One design decision: one folder holds everything, laid out so that it is itself a Hugging Face data set whose
subsets are the arms; every row carries where it came from, and nothing in it needs lema to be read.
"""

import json
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal, get_args

from lema.config import Config
from lema.errors import ConfigError, RunError
from lema.records import Account
from lema.runs import Stage
from lema.seams import near_miss
from lema.verbs.exporting.card import card
from lema.verbs.exporting.configs import Trained, write_configs
from lema.verbs.exporting.lineage import Lineage
from lema.verbs.running import config_of, stages_of

Form = Literal["prompt_completion", "messages"]
ROWS_AT_ONCE = 5_000


def export_run(folder: Path, out: Path, arms: Sequence[str] = (), form: Form = "prompt_completion") -> str:
    """Writes the run's training sets (all arms, or those named) to the new folder `out`; says what lies where.

    `form` is what the ready configs read. RunError where a set is not made yet or `out` is there already.
    """
    if form not in get_args(Form):
        raise ConfigError(f"export: no form {form!r}{near_miss(form, list(get_args(Form)))}")
    config = config_of(folder)
    stages = stages_of(folder, config)
    wanted = _wanted(config, stages, arms, folder)
    part = out.with_name(f"{out.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    if out.exists():
        raise RunError(f"{out}: already there; give another folder with --out, or move it away")
    try:
        part.mkdir(parents=True)
    except OSError as error:
        raise RunError(f"{out}: cannot be written ({error.strerror}); give another folder with --out") from None
    done = {name: stage for name, stage in stages.items() if stage.status().state == "done"}
    with Lineage(part, config, done) as lineage:
        for arm, stage in wanted.items():
            _write(part / arm, ({**lineage.row(example), "arm": arm} for example in stage))
    accounts = {row.arm: row for row in done["accounts"]} if "accounts" in done else {}
    held = [accounts[arm] for arm in wanted if arm in accounts]
    (part / "README.md").write_text(card(config, done, list(wanted), held), encoding="utf-8")
    trained = Trained.of(config, stages)
    write_configs(part / "configs", [(arm, accounts.get(arm)) for arm in wanted], trained, form)
    part.rename(out)
    return _said(out, wanted, held)


def _wanted(config: Config, stages: dict[str, Stage], arms: Sequence[str], folder: Path) -> dict[str, Stage]:
    if not config.arms:
        raise RunError(f"{folder}: its config has no [arms.X], so there is no training set to export")
    for arm in arms:
        if arm not in config.arms:
            raise ConfigError(f"export: no arm {arm!r}{near_miss(arm, list(config.arms))}")
    wanted = {arm: stages[f"sets/{arm}"] for arm in (arms or config.arms)}
    for arm, stage in wanted.items():
        if stage.status().state != "done":
            raise RunError(f"{folder}: the set of arm {arm} is {stage.status().state}; `lema run` makes it")
    return wanted


def _write(folder: Path, rows: Iterator[dict]) -> None:
    """One arm: train.parquet with everything, and the two forms that trainers read, as JSON lines."""
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise ConfigError("export: Parquet needs pyarrow; pip install 'lema[train]'") from None
    folder.mkdir()
    schema = pyarrow.schema([(name, getattr(pyarrow, kind)()) for name, kind in Lineage.COLUMNS.items()])
    with (parquet.ParquetWriter(folder / "train.parquet", schema) as table,
          (folder / "prompt_completion.jsonl").open("w", encoding="utf-8") as plain,
          (folder / "messages.jsonl").open("w", encoding="utf-8") as chat):
        for several in _batches(rows):
            table.write_table(pyarrow.Table.from_pylist(several, schema=schema))
            for row in several:
                plain.write(_json({"prompt": row["prompt"], "completion": row["completion"]}))
                asked = row["prompt"].removesuffix(row["prefix"]) if row["prefix"] else row["prompt"]
                chat.write(_json({"messages": [
                    {"role": "user", "content": asked},
                    {"role": "assistant", "content": row["prefix"] + row["completion"]}]}))


def _batches(rows: Iterator[dict]) -> Iterator[list[dict]]:
    several: list[dict] = []
    for row in rows:
        several.append(row)
        if len(several) == ROWS_AT_ONCE:
            yield several
            several = []
    if several:
        yield several


def _json(row: dict) -> str:
    return json.dumps(row, ensure_ascii=False) + "\n"


def _said(out: Path, wanted: dict[str, Stage], held: list[Account]) -> str:
    sizes = {account.arm: f"{account.examples:,} examples" for account in held}
    lines = [f"  {arm}/  {sizes.get(arm, '')}".rstrip() for arm in wanted]
    return "\n".join([
        f"{out}: a data set folder with a card (README.md)", *lines,
        f"  configs/  for TRL, LLaMA-Factory and axolotl; run them in {out}:",
        f"    trl sft --config configs/trl-{next(iter(wanted))}.yaml"])
