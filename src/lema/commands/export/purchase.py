"""One purchase, every way to use it: a run's verified corrections as other trainers take them.

    {"prompt": "…\nStep 1: 3 + 8 = 11.\n", "chosen": "Step 2: 11 - 2 = 9.\n…", "rejected": "Step 2: 11 - 2 = 8.…"}
    {"prompt": "…", "completions": ["Step 1: 3 + 8 = 11.", "Step 2: 11 - 2 = 8."], "labels": [true, false]}
    {"prompt": "…", "privileged_context": "Step 2 is wrong: …\nStep 2: 11 - 2 = 9.\n…"}

One design decision: rows are made from the run's corrections and not from an arm's set, so that what was bought
once serves every trainer, whatever the run itself trained; columns bear the trainers' own names.
"""

import json
import os
import tempfile
from collections.abc import Iterator
from operator import attrgetter
from pathlib import Path
from typing import Literal, get_args

from lema.checkpoints.rendering import plain_text
from lema.commands.run_folder import config_of, finished, stages_of
from lema.config import Config
from lema.errors import ConfigError, RunError
from lema.examples import Case, Words, cases
from lema.examples.preference import Kind, Settings
from lema.pipeline import Round, gathered
from lema.plugins import near_miss
from lema.printable import one_line
from lema.replies import number_steps
from lema.runs.run import Run, Stage
from lema.tasks import find_task

Use = Literal["preference", "stepwise", "privileged"]
"""DPO's pairs; stepwise supervision, as of a process reward model; the correction as context of self-distillation
(SDFT, SDPO)."""

FOR = {"preference": "TRL's DPOTrainer (`trl dpo`)",
       "stepwise": "trainers of process reward models (TRL 1.16 has none)",
       "privileged": "TRL's SDFTTrainer and SDPOTrainer"}


def export_purchase(folder: Path, out: Path, use: str, form: str | None = None) -> str:
    """Writes the run's verified corrections, whole and of one step, as JSON lines to the new file `out`.

    `form`: prompt_completion (plain text, the default) or messages. ConfigError for another use or form; RunError
    where the run has no verified correction, or `out` is there already or cannot be written.
    """
    if use not in get_args(Use):
        raise ConfigError(f"export: no use {use!r}{near_miss(use, list(get_args(Use)))}; it is one of "
                          f"{', '.join(get_args(Use))}")
    if form not in (None, "prompt_completion", "messages"):
        raise ConfigError(f"export: --as {use} comes as prompt_completion or messages, not {form!r}")
    if os.path.lexists(out):
        raise RunError(f"{out}: already there; give another file with --out, or move it away")
    config = config_of(folder)
    part, count = Path(f"{out}.part"), 0
    try:
        with part.open("w", encoding="utf-8") as file:
            for row in _rows(folder, config, use, messages=form == "messages"):
                file.write(one_line(json.dumps(row, ensure_ascii=False)) + "\n")
                count += 1
        if count:
            part.rename(out)
    except OSError as error:
        raise RunError(f"{out}: cannot be written ({error.strerror or error}); give another file with --out, or "
                       "make room there") from None
    finally:
        part.unlink(missing_ok=True)
    if not count:
        raise RunError(f"{folder}: no verified correction of a wrong path, so nothing to make {use} rows of; "
                       "`lema show` says where they went")
    return f"{out}: {count:,} rows for {FOR[use]}"


def _rows(folder: Path, config: Config, use: Use, *, messages: bool) -> Iterator[dict]:
    done = finished(stages_of(folder, config))
    task = find_task(config.task.name, config.task.own)
    words = Words(lambda question: plain_text(task.prompt(question)), lambda name: None,
                  config.train.base if config.train else None)
    make = {"preference": _preferences, "stepwise": _stepwise, "privileged": _privileged}[use]
    for each in gathered(Run(folder, lambda planned: None, config), config).rounds.values():
        if each.graded.name in done:
            for case in _cases(each, done):
                for row in make(case, words):
                    yield _conversation(row) if messages else _plain(row)


def _cases(each: Round, done: dict[str, Stage]) -> Iterator[Case]:
    made = {stage.name for stage in (each.verified, each.continued) if stage and stage.name in done}
    verified = each.verified if each.verified and each.verified.name in made else ()
    continued = each.continued if each.continued and each.continued.name in made else ()
    with tempfile.TemporaryDirectory(prefix="lema-export-") as scratch:
        yield from cases(Path(scratch), each.questions, each.graded, verified, continued, (), {})


def _preferences(case: Case, words: Words) -> Iterator[dict]:
    """To the end of both paths: the trainer puts an end token behind each side, and a single step is no end."""
    for source in ("corrections", "continued"):
        for pair in Kind(Settings(source=source, reach="end")).make(case, words):
            yield {"prompt": pair.prompt, "prefix": pair.prefix, "chosen": pair.completion,
                   "rejected": pair.dispreferred}


def _stepwise(case: Case, words: Words) -> Iterator[dict]:
    """Of every corrected mistake the steps up to the wrong one, and of every path that came of it all steps."""
    prompt = words.ask(case.question)
    for kept in case.kept:
        step = kept.correction.step
        yield _labelled(prompt, kept.wrong_steps[:step], step)
        yield _labelled(prompt, kept.whole, None)
    solved = {row.path: row for row in case.continued if row.kept}
    for row in case.continued:
        if row.path in solved and row.step is not None:
            yield _labelled(prompt, row.mistake[:row.step], row.step)
            if row.kept:
                yield _labelled(prompt, row.steps, None)


def _labelled(prompt: str, steps: tuple[str, ...], wrong: int | None) -> dict:
    numbers = range(1, len(steps) + 1)
    texts = [number_steps([step], number) for number, step in zip(numbers, steps, strict=True)]
    return {"prompt": prompt, "completions": texts, "labels": [number != wrong for number in numbers]}


def _privileged(case: Case, words: Words) -> Iterator[dict]:
    prompt = words.ask(case.question)
    for kept in case.kept:
        steps = number_steps(kept.correction.steps, kept.begins)
        says = _says(kept.correction.step, kept.correction.explanation, steps)
        yield {"prompt": prompt, "privileged_context": says}
    for row in filter(attrgetter("kept"), case.continued):
        steps = number_steps(row.steps[row.step - 1:], row.step)
        yield {"prompt": prompt, "privileged_context": _says(row.step, row.explanation, steps)}


def _says(step: int, explanation: str, steps: str) -> str:
    why = f" {explanation.strip()}" if explanation.strip() else ""
    return f"An earlier attempt was wrong at step {step}.{why}\nFrom there on it goes:\n{steps}"


def _plain(row: dict) -> dict:
    prefix = row.pop("prefix", "")
    return {**row, "prompt": row["prompt"] + prefix}


def _conversation(row: dict) -> dict:
    """The prompt as what the user says. What the assistant began with stands in both sides, where it weighs
    nothing: their difference is what is trained on."""
    prefix = row.pop("prefix", "")
    sides = {side: [{"role": "assistant", "content": prefix + row[side]}]
                                  for side in ("chosen", "rejected") if side in row}
    return {**row, "prompt": [{"role": "user", "content": row["prompt"]}], **sides}
