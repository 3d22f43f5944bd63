"""The card of an exported data set: what is in it, who wrote it, under which terms, and what was left out and why.

One design decision: the card is made of the run's config and rows alone; what nobody stated (a licence, the terms
of a model) is said to be unstated, never guessed.
"""

import html
import json
import re
from collections import defaultdict
from collections.abc import Iterable

from lema.commands.export.lineage import Lineage
from lema.commands.export.rows import Written
from lema.commands.show import losses_of
from lema.config import Config
from lema.printable import printable
from lema.records import Account
from lema.report import Funnel
from lema.report.sets import table
from lema.stages.critique import critic_of, critiquing

SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"),
         (10_000_000, "1M<n<10M"))
"""The Hub's words for sizes below so many rows."""

COLUMNS = """\
| column | what it holds |
|---|---|
| `prompt`, `completion` | what is shown, and what is learnt: loss on the completion and its end token only |
| `prefix` | the end of `prompt` where it is the model's own answer so far (step form), else empty |
| `kind`, `source`, `arm`, `id` | the kind of example, where it came from, the arm, and a hash of its text |
| `prompt_tokens`, `tokens`, `teacher_tokens` | by the student's tokenizer, and what the teacher wrote for it |
| `question`, `answer`, `question_id`, `question_source` | the question with its gold answer, and where it stood |
| `parent`, `writer`, `writer_prompt` | the path, correction or critique behind it, who wrote that, the prompt |
| `mistake`, `mistake_model`, `mistake_step` | for corrections: the wrong path, whose it is, its first wrong step |
| `judged`, `judged_model` | for critiques: the path, whose it is |
| `judged_verdict`, `concluded` | for critiques: what the grader says of the path, and what the critique says |
| `task`, `run` | the question set and the run |
"""


def card(config: Config, funnels: Iterable[Funnel], tables: dict[str, Written], accounts: list[Account]) -> str:
    """README.md of the folder: front matter that names each arm as a subset with its size, then the text."""
    arms = list(tables)
    return "\n".join([*_front_matter(config, tables), "", f"# {config.name}", "", *_about(config, arms), "",
                      "## Sizes", "", "    " + "\n    ".join(table(accounts) if accounts else ["not counted"]), "",
                      "## Columns", "", COLUMNS, *_sources(config), "", *_checks(config), "",
                      *_funnels(funnels), ""])


def in_markdown(text: str) -> str:
    """Words of a config or a row as plain words of the card: on one line, and neither marks nor HTML."""
    plain = html.escape(printable(" ".join(text.split())), quote=False)
    return re.sub(r"([\\`*_\[\]{}|~!#])", r"\\\1", plain)


def _front_matter(config: Config, tables: dict[str, Written]) -> list[str]:
    """What the Hub reads: terms (nobody stated them), subsets with their files, columns and sizes."""
    most = sum(table.rows for table in tables.values())
    size = next((words for limit, words in SIZES if most < limit), "n>10M")
    features = [f"  - {{name: {column}, dtype: {kind}}}" for column, kind in Lineage.COLUMNS.items()]
    lines = ["---", f"pretty_name: {json.dumps(config.name)}", "license: unknown", "task_categories:",
             "- text-generation", "size_categories:", f"- {json.dumps(size)}", "tags:", "- lema",
             "- learning-from-mistakes", "configs:"]
    for number, arm in enumerate(tables):
        first = ["  default: true"] if number == 0 else []
        lines += [f"- config_name: {json.dumps(arm)}", *first, "  data_files:", "  - split: train",
                  f"    path: {json.dumps(f'{arm}/train.parquet')}"]
    lines += ["dataset_info:"]
    for arm, table_ in tables.items():
        lines += [f"- config_name: {json.dumps(arm)}", "  features:", *features,
                  "  splits:", f"  - {{name: train, num_bytes: {table_.bytes}, num_examples: {table_.rows}}}",
                  f"  download_size: {table_.file_bytes}", f"  dataset_size: {table_.bytes}"]
    return [*lines, "---"]


def _about(config: Config, arms: list[str]) -> list[str]:
    lines = [f"Training sets made by lema from the task `{config.task.name}`, one subset for each arm:", ""]
    for arm in arms:
        lines.append(f"- `{arm}`: {in_markdown(config.arms[arm].about or 'see the run')}")
    return [*lines, "", f"`datasets.load_dataset(\"path/of/this/folder\", {json.dumps(arms[0])})` reads one. "
            "Beside each Parquet file lie the same rows as JSON lines: `prompt_completion.jsonl` in plain text, "
            "`messages.jsonl` as conversations, `chat.jsonl` as conversations cut into prompt and completion (in "
            "conversations a `prefix` is part of the assistant's text and gets loss)."]


def _sources(config: Config) -> list[str]:
    lines = ["## Who wrote it", "",
             "Questions and worked solutions are the task's own; their licence is that of their source. Other "
             "text was written by the models below. A provider's terms may restrict what a model trained on that "
             "may be used for: read them before sharing or training.", "",
             "| model | what it is | what it did | terms |", "|---|---|---|---|"]
    roles = _roles(config)
    for name, model in config.models.items():
        what = model.own.get("model") or model.own.get("path") or model.own.get("file") or ""
        if model.grow:
            what = "grown by this run"
        cells = (name, in_markdown(f"{model.backend} {what}"), ", ".join(roles.get(name, ["not used"])),
                 in_markdown(model.terms or "not stated"))
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def _roles(config: Config) -> dict[str, list[str]]:
    """What each model did, by its name."""
    roles: dict[str, list[str]] = defaultdict(list)
    for name in config.sample.models:
        roles[name].append("sampled paths")
    if config.correct:
        roles[config.correct.model].append("corrections")
    if any(critiquing(config, name) for name in ("", *config.evolve)):
        roles[critic_of(config).model].append("critiques")
    if config.cot:
        roles[config.cot.model].append("worked solutions")
    for name, evolution in config.evolve.items():
        if evolution.model:
            roles[evolution.model].append(f"questions of {name}")
    return roles


def _checks(config: Config) -> list[str]:
    if config.correct is None:
        return []
    checks = ", ".join(map("`{}`".format, config.verify.checks))
    return ["## Checks", "", f"A correction was kept when it passed these checks: {checks}."]


def _funnels(funnels: Iterable[Funnel]) -> list[str]:
    lines = ["## From questions to training examples", ""]
    for each in funnels:
        lines += [f"{each.name}:", ""]
        for stage in each.stages:
            losses = in_markdown(losses_of(stage))
            lines.append(f"- {stage.count:,} {stage.name}" + (f" (lost before: {losses})" if losses else ""))
        lines.append("")
    return lines
