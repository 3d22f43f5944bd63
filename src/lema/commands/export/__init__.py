"""`lema export`: the training sets of a run for other tools: Parquet, JSON lines, a data set, ready configs.

One design decision: one folder holds everything, laid out so that it is itself a Hugging Face data set whose
subsets are the arms; every row carries where it came from, and nothing in it needs lema to be read.
"""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

from lema.commands.export.base import NO_MODEL, Base
from lema.commands.export.card import card
from lema.commands.export.configs import Form, Trained, write_configs
from lema.commands.export.lineage import Lineage
from lema.commands.export.rows import write_arm
from lema.commands.run_folder import config_of, finished, going_on, stages_of
from lema.commands.show import funnels, rows_of
from lema.config import Config
from lema.errors import ConfigError, RunError
from lema.examples import find_kind
from lema.plugins import near_miss
from lema.records import Account, write_rows
from lema.runs.bills import ancestors
from lema.runs.ratings import every_rating
from lema.runs.run import Stage
from lema.stages.account import account
from lema.stages.assemble import assemble


def export_as(folder: Path, out: Path, arms: Sequence[str], form: Form | None, use: str | None) -> str:
    """What the arguments of `lema export` ask for."""
    from lema.commands.export.logs import FORMS, export_answers
    from lema.commands.export.purchase import export_purchase

    if use in FORMS:
        return export_answers(folder, out, use)
    return export_purchase(folder, out, use, form) if use else export_run(folder, out, arms, form)


def export_run(folder: Path, out: Path, arms: Sequence[str] = (), form: Form | None = None) -> str:
    """Writes the run's training sets (all arms, or those named) to the new folder `out`; says what lies where.

    `form` is what the ready configs read; by default rows marked for the base where it can be read, else plain
    prompt and completion. RunError where a set is not made yet, or `out` is there already or cannot be written.
    """
    if form is not None and form not in get_args(Form):
        raise ConfigError(f"export: no form {form!r}{near_miss(form, list(get_args(Form)))}")
    config = config_of(folder)
    stages = stages_of(folder, config)
    wanted = _wanted(config, stages, arms, folder)
    if os.path.lexists(out):
        raise RunError(f"{out}: already there; give another folder with --out, or move it away")
    base = Base.of(config, stages)
    if form == "marked" and base.tokenizer is None:
        raise ConfigError(f"export: --form marked needs the tokenizer of train.base, and {base.path} cannot be "
                          "read here; drop --form, or give a folder")
    trained = Trained.of(config, base, form or ("marked" if base.tokenizer else "prompt_completion"))
    part = Path(f"{os.path.abspath(out)}.part")
    try:
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        accounts = _fill(part, folder, config, stages, wanted, trained)
        part.rename(out)
    except OSError as error:
        shutil.rmtree(part, ignore_errors=True)
        raise RunError(f"{out}: cannot be written ({error.strerror or error}); give another folder with "
                       "--out, or make room there") from None
    return _in_words(out, accounts, trained)


def _fill(part: Path, folder: Path, config: Config, stages: dict[str, Stage], wanted: dict[str, Stage],
          trained: Trained) -> dict[str, Account | None]:
    """Writes everything into the folder; the exported arms with their accounts, where the run has them."""
    done = finished(stages)
    tables = {}
    (part / "configs").mkdir()
    before = {stage.name for arm in wanted.values() for stage in ancestors(arm)}
    with Lineage(part, config, [done[name] for name in done if name in before]) as lineage:
        for arm, stage in wanted.items():
            tables[arm] = write_arm(part / arm, lineage.rows(arm, stage), trained.base,
                                    part / "configs" / f"{arm}-marked.jsonl")
    accounts: dict[str, Account | None] = dict.fromkeys(wanted)
    for row in rows_of(account, done):
        if row.arm in wanted:
            accounts[row.arm] = row
    text = card(config, funnels(folder, config, done), tables, list(filter(None, accounts.values())))
    (part / "README.md").write_text(text, encoding="utf-8")
    write_configs(part / "configs", accounts, trained)
    if ratings := list(every_rating(folder)):
        write_rows(part / "ratings.jsonl", ratings)
    return accounts


def _wanted(config: Config, stages: dict[str, Stage], arms: Sequence[str], folder: Path) -> dict[str, Stage]:
    if not config.arms:
        raise RunError(f"{folder}: its config has no [arms.X], so there is no training set to export")
    for arm in arms:
        if arm not in config.arms:
            raise ConfigError(f"export: no arm {arm!r}{near_miss(arm, list(config.arms))}")
    pairs = [arm for arm in config.arms if _holds_pairs(config, arm)]
    for arm in filter(pairs.__contains__, arms):
        raise ConfigError(f"export: arm {arm!r} holds pairs; `--as preference` writes the run's as DPO takes them")
    wanted: dict[str, Stage] = dict.fromkeys(arms or (arm for arm in config.arms if arm not in pairs))
    for stage in stages.values():
        if stage.verb is assemble and stage.settings.arm in wanted:
            wanted[stage.settings.arm] = stage
    for arm, stage in wanted.items():
        if stage.status().state != "done":
            raise RunError(f"{folder}: the set of arm {arm} is {stage.status().state}; `{going_on(folder)}` "
                           "makes it")
        for source in ancestors(stage):
            state = source.status().state
            if state != "done":
                raise RunError(source.damage() or f"{folder}: {source.name}, of which the set of arm {arm} is "
                               f"made, is {state}; `{going_on(folder)}` makes it")
    return wanted


def _holds_pairs(config: Config, arm: str) -> bool:
    """Whether an arm takes what has two sides, which no row of prompt and completion can say."""
    return any(getattr(find_kind(take, f"arms.{arm}.take"), "pairs", False) for take in config.arms[arm].take)


def _in_words(out: Path, accounts: dict[str, Account | None], trained: Trained) -> str:
    lines = [f"{out}: a data set folder with a card (README.md)"]
    for arm, counted in accounts.items():
        lines.append(f"  {arm}/" + (f"  {counted.examples:,} examples" if counted else ""))
    form, first = trained.form.replace("_", "/"), next(iter(accounts))
    todo = f"; put your model in the place of {NO_MODEL}" if trained.base.path == NO_MODEL else ""
    return "\n".join([
        *lines,
        f"  configs/  for TRL, LLaMA-Factory and axolotl, {form} form{todo}; run them in {out}:",
        f"    trl sft --config configs/trl-{first}.yaml",
        f"    llamafactory-cli train configs/llama-factory-{first}.yaml",
        f"    axolotl train configs/axolotl-{first}.yaml"])
