"""What several commands take, as typer reads it."""

from pathlib import Path
from typing import Annotated

import typer

Source = Annotated[str, typer.Argument(metavar="CONFIG", help="a TOML file, a recipe's name, or a run's folder")]
Overrides = Annotated[list[str] | None, typer.Option("--set", metavar="KEY=VALUE",
                                                     help="lay a value over the config, e.g. sample.paths=4")]
Runs = Annotated[Path, typer.Option("--runs", metavar="DIR", help="the folder that holds runs")]
RunName = Annotated[str, typer.Argument(metavar="RUN", help="a run's name, or its folder")]
Json = Annotated[bool, typer.Option("--json", help="for programs")]
Checkpoints = Annotated[list[str], typer.Argument(
    metavar="CHECKPOINT...", help="a folder or hub id, or NAME=FOLDER; others are held against the first")]
TestSets = Annotated[list[str], typer.Option(
    "--on", metavar="SET",
    help="TASK=FILE, NAME:TASK=FILE, or a CONFIG or run whose test sets are taken; repeatable")]
Answers = Annotated[list[str], typer.Argument(
    metavar="SOURCE...", help="NAME=FILE[,FILE...] (a file for each seed: rows, an inspect log, lm-eval samples), "
                              "or RUN:ARM; each is held against the first")]
Against = Annotated[str | None, typer.Option(
    "--against", metavar="GRADER",
    help="a second grader, official or math-verify: show every row they disagree on")]
ConventionsSet = Annotated[list[str] | None, typer.Option(
    "--set", metavar="KEY=VALUE", help="which answers count as the same, e.g. decimals=2")]
Listed = Annotated[str | None, typer.Option(
    "--list", metavar="SORT", help="list rows: wrong (paths), kept or rejected (corrections)")]
Beside = Annotated[Path | None, typer.Option(
    "--beside", metavar="FILE", help="the test file, where predictions hold no gold answers")]
Verdicts = Annotated[Path | None, typer.Option(
    "--out", metavar="FILE", help="write each row's verdict, as JSON lines")]
ExportForm = Annotated[str | None, typer.Option(
    "--form",
    help="what the ready configs read: marked (as the base asks; the default where it can be read), "
         "prompt_completion or messages")]
ExportUse = Annotated[str | None, typer.Option(
    "--as",
    help="its corrections, in one file: preference (DPO), stepwise (process rewards) or privileged "
         "(self-distillation); its examined answers: inspect or lm-eval")]
Corrector = Annotated[str, typer.Argument(
    metavar="MODEL",
    help="a backend (api, teacher, recorded, human, ...), or a model of --config")]
Mistakes = Annotated[list[Path] | None, typer.Option(
    "--mistakes", metavar="FILE",
    help="JSONL: question, steps, first_error_step; repeatable")]
ModelOptions = Annotated[list[str] | None, typer.Option(
    "--option", metavar="KEY=VALUE",
    help="a key of the backend, e.g. model=gpt-5-mini")]
StudyWorkers = Annotated[int | None, typer.Option(
    "--workers", min=1, help="processes side by side; by default one for each card, else for each core")]
ClusterFile = Annotated[Path | None, typer.Option(
    "--cluster", metavar="FILE", help="measured rates of a cluster, as TOML: hours and money of its cards too")]
