"""The command line: one function per command of `lema`, `lema --help` lists them.

One design decision: a command imports what it needs when it runs, so that `lema --help` answers at once and
loads no model library. A LemaError is one line on standard error and exit code 2; anything else is a bug.
"""

import sys
from pathlib import Path
from typing import Annotated

import typer

from lema import __version__
from lema.commands import arguments
from lema.commands.arguments import Answers, Checkpoints, Json, Overrides, RunName, Runs, Source, TestSets
from lema.commands.journal.app import journal
from lema.commands.output import output
from lema.errors import LemaError, misused
from lema.printable import guard, say

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False,
                  context_settings={"help_option_names": ["-h", "--help"]})
app.add_typer(journal, name="journal")

def _say_version(wanted: bool) -> None:
    if wanted:
        print(f"lema {__version__}")
        raise typer.Exit


@app.callback()
def lema(version: Annotated[bool, typer.Option("--version", callback=_say_version, is_eager=True,
                                               help="say which lema this is")] = False) -> None:
    """Learning from mistakes, end to end: sample, correct, train, and compare honestly."""


@app.command()
def run(source: Source, overrides: Overrides = None, runs: Runs = Path("runs"),
        online_tail: Annotated[int | None, typer.Option(
            min=0, help="ask the last so many requests of the batch backend online")] = None,
        yes: Annotated[bool, typer.Option("--yes", help="what was paid for may become stale")] = False,
        json: Json = False) -> None:
    """Do what CONFIG says; what was done before is remembered, so the same command also resumes."""
    from lema.commands.run import run_config
    from lema.commands.show import closing_words

    say(closing_words(run_config(source, overrides or [], runs, online_tail, yes=yes), as_json=json))


@app.command()
def check(source: Source, overrides: Overrides = None, runs: Runs = Path("runs"), json: Json = False) -> None:
    """Look at everything that a run needs, before a cent is spent: files, endpoints, memory, prices, prompts."""
    from lema.commands.check import check_config

    print(check_config(source, overrides or [], runs, as_json=json))


@app.command()
def study(source: Annotated[Path, typer.Argument(metavar="STUDY", help="a TOML file, or a shipped study's name")],
          runs: Runs = Path("runs"),
          workers: arguments.StudyWorkers = None,
          plan: Annotated[bool, typer.Option("--plan", help="say how long it will take, and do nothing")] = False,
          yes: Annotated[bool, typer.Option("--yes", help="start it however long it takes")] = False,
          json: Json = False) -> None:
    """Compare arms over a grid of settings, everything drawn anew in each replicate; ends in one page."""
    from lema.commands.study import run_study

    say(output(run_study(source, runs, workers, plan=plan, yes=yes), json, study=source))


@app.command()
def plan(source: Source, overrides: Overrides = None, runs: Runs = Path("runs"), json: Json = False) -> None:
    """Say which stages are done, stale (and why) or to do; run nothing."""
    from lema.commands.plan import plan_config

    say(plan_config(source, overrides or [], runs, as_json=json))


@app.command()
def estimate(source: Source, overrides: Overrides = None, runs: Runs = Path("runs"), questions: Annotated[
        int, typer.Option("--questions", min=2, help="questions (and seeds) of the pilot")] = 10,
        prompt_tokens: Annotated[float | None, typer.Option(help="given average instead of a pilot")] = None,
        tokens: Annotated[float | None, typer.Option(help="given average of a reply")] = None,
        wrong: Annotated[float, typer.Option(min=0, max=1, help="given share of wrong paths")] = 0.5,
        cluster: arguments.ClusterFile = None, json: Json = False) -> None:
    """Say what a run will ask and cost, from a small pilot (not paid again by the run) or given averages."""
    from lema.commands.estimate import estimate_in_words

    given = None if prompt_tokens is None and tokens is None else (prompt_tokens or 0, tokens or 0, wrong)
    print(estimate_in_words(source, overrides or [], runs, questions, given, cluster, as_json=json))


@app.command()
def show(run: RunName, identifier: Annotated[str | None, typer.Argument(
        metavar="[ID]", help="any row's id: show its question's whole life")] = None,
        tables: Annotated[bool, typer.Option("--tables", help="every table beside the comparison")] = False,
        runs: Runs = Path("runs"), what: arguments.Listed = None,
        limit: Annotated[int, typer.Option(min=1, help="rows of the list")] = 20, json: Json = False,
        markdown: Annotated[bool, typer.Option(
            "--markdown", help="the comparison alone, as a README has it")] = False) -> None:
    """Show a run's funnel, arms and scores, and how far it is; with an id, one question's whole life."""
    from lema.commands.listed import shown
    from lema.commands.run_folder import folder_of

    say(shown(folder_of(run, runs), identifier, what, limit, tables=tables, markdown=markdown, as_json=json))


@app.command()
def view(run: RunName, runs: Runs = Path("runs"),
         port: Annotated[int, typer.Option(min=0, max=65535, help="0: any free one")] = 0,
         browser: Annotated[bool, typer.Option("--browser/--no-browser", help="open it in the browser")] = True
         ) -> None:
    """Look at a run in the browser, also while it is going: every row, question by question; rate corrections."""
    from lema.commands.run_folder import folder_of
    from lema.commands.view import view_run

    view_run(folder_of(run, runs), port, browser=browser)


@app.command()
def export(run: RunName, out: Annotated[Path, typer.Option("--out", metavar="DIR", help="the folder to write")],
           arms: Annotated[list[str] | None, typer.Option("--arm", help="this arm only; may be repeated")] = None,
           form: arguments.ExportForm = None,
           use: arguments.ExportUse = None,
           runs: Runs = Path("runs"), json: Json = False) -> None:
    """Write a run's training sets, corrections or answers for other tools."""
    from lema.commands.export import export_as
    from lema.commands.run_folder import folder_of

    print(output(export_as(folder_of(run, runs), out, arms or (), form, use), json, out=out))


@app.command("import")
def import_(run: Annotated[str, typer.Argument(metavar="RUN", help="a run's name or folder, or a CONFIG")],
            file: Annotated[Path, typer.Argument(help="JSONL, CSV or TSV")],
            what: Annotated[str, typer.Option("--as", help="corrections or paths")],
            name: Annotated[str | None, typer.Option("--name", help="what it is called in the run")] = None,
            columns: Annotated[list[str] | None, typer.Option(
                "--column", metavar="FIELD=COLUMN", help="question, path, correction, model or corrector, e.g. "
                                                         "question=problem")] = None,
            runs: Runs = Path("runs"), json: Json = False) -> None:
    """Join a file of corrections or paths to a run: rows of another run, prompt/completion, or named columns."""
    from lema.commands.import_ import import_file

    print(output(import_file(run, file, what, name or file.stem, columns or (), runs), json, file=file))


@app.command()
def score(predictions: Annotated[Path, typer.Argument(
              metavar="PREDICTIONS", help="rows of a run, rows with text and gold answer, or the LeMa samples")],
          task: Annotated[str | None, typer.Option(
              "--task", help="how answers are read: a task, or number, expression, choice, text")] = None,
          beside: arguments.Beside = None,
          text: Annotated[str, typer.Option("--text", help="the column of the texts")] = "text",
          gold: Annotated[str, typer.Option("--gold", help="the column of gold answers")] = "gold",
          against: arguments.Against = None,
          out: arguments.Verdicts = None,
          conventions: arguments.ConventionsSet = None,
          json: Json = False) -> None:
    """Score a file of predictions: accuracy with its interval, and what is not right told apart."""
    from lema.commands.score import score_file
    from lema.commands.score.predictions import PredictionOptions
    from lema.config import lay_over

    table: dict = {}
    for override in conventions or []:
        lay_over(table, override)
    options = PredictionOptions(task, beside, text, gold, table)
    print(score_file(predictions, options, against=against, out=out, as_json=json))


@app.command()
def examine(models: Checkpoints, on: TestSets,
            name: Annotated[str | None, typer.Option("--name", help="what the run is called")] = None,
            overrides: Overrides = None, runs: Runs = Path("runs"), json: Json = False) -> None:
    """Examine checkpoints that were trained anywhere on one or more test sets."""
    from lema.commands.examine import examine_models
    from lema.commands.show import summary_of

    say(summary_of(examine_models(models, on, name, overrides or [], runs), as_json=json))


@app.command()
def compare(sources: Answers,
            task: Annotated[str | None, typer.Option(
                "--task", help="judge all texts anew, as number, expression, choice, text or a task")] = None,
            runs: Runs = Path("runs"), json: Json = False) -> None:
    """Compare answers of runs and other tools, question by question."""
    from lema.commands.compare import compare_sources

    say(compare_sources(sources, runs, task, as_json=json))


@app.command()
def regrade(run: RunName, runs: Runs = Path("runs"), write: Annotated[bool, typer.Option(
        "--write", help="take the new verdicts up: what was made of the old ones becomes stale")] = False,
            json: Json = False) -> None:
    """Judge a run's stored paths anew and show what changed; asks no model, and writes nothing unless told to."""
    from lema.commands.regrade import regrade_run
    from lema.commands.run_folder import folder_of

    for line in regrade_run(folder_of(run, runs), write=write, as_json=json):
        print(line)


@app.command()
def why(run: RunName, stage: Annotated[str | None, typer.Argument(
        metavar="[STAGE]", help="a stage that asks models, e.g. corrections; else all that are not done")] = None,
        config: Annotated[str | None, typer.Option("--config", help="the config that is to be run; else the one "
                                                                     "that was")] = None,
        overrides: Overrides = None, runs: Runs = Path("runs"), json: Json = False) -> None:
    """Say which calls of a stage are not in the journal, and which field made them miss."""
    from lema.commands.run_folder import folder_of, laid_over
    from lema.commands.why import as_json, explain, in_words

    folder = folder_of(run, runs)
    explanations = explain(folder, laid_over(folder, config, overrides or []), stage)
    print(as_json(explanations) if json else in_words(explanations))


@app.command("list")
def list_(json: Json = False) -> None:
    """List the tasks, model backends, trainers and recipes that lema ships."""
    from lema.commands.list import shipped_list

    print(shipped_list(as_json=json))


@app.command()
def init(task: Annotated[str, typer.Argument(help="a shipped task, see `lema list`")] = "rows",
         recipe: Annotated[str | None, typer.Option(
             "--recipe", help="a shipped recipe to fill in, instead of the starter for a task")] = None,
         out: Annotated[Path, typer.Option("--out", help="the file to write")] = Path("lema.toml"),
         json: Json = False) -> None:
    """Write a commented config for a task, or a recipe to fill in, and say the next command."""
    from lema.commands.init import write_config, write_recipe

    print(output(write_recipe(recipe, out) if recipe else write_config(task, out), json, out=out))


@app.command("judge-corrector")
def judge_corrector(
        model: arguments.Corrector,
        mistakes: arguments.Mistakes = None,
        lab: Annotated[int, typer.Option("--lab", metavar="N", help="instead: N problems of the lab")] = 0,
        config: Annotated[str | None, typer.Option("--config", metavar="CONFIG", help="knows MODEL")] = None,
        options: arguments.ModelOptions = None,
        prompt: Annotated[str | None, typer.Option("--prompt", help="a prompt's name, or your own file")] = None,
        form: Annotated[str, typer.Option("--form", help="completion | chat")] = "completion",
        max_tokens: Annotated[int, typer.Option("--max-tokens")] = 1024,
        limit: Annotated[int | None, typer.Option("--limit", metavar="N", help="the first N paths only")] = None,
        seed: Annotated[int, typer.Option("--seed")] = 1,
        out: Annotated[Path | None, typer.Option("--out", metavar="DIR", help="judged/MODEL")] = None,
        json: Json = False) -> None:
    """Measure a model as a corrector on mistakes whose first wrong step is known, and each check on its
    corrections."""
    from lema.commands.judge_corrector import judge_corrector as measure

    print(measure(model, config=config, options=options or [], files=mistakes or [], lab=lab, seed=seed,
                 limit=limit, prompt=prompt, form=form, max_tokens=max_tokens, out=out, for_programs=json))


@app.command()
def serve(what: Annotated[list[str], typer.Argument(
        metavar="[NAME=]WHAT...", help="a checkpoint folder, a hub id, or a backend such as teacher")],
        overrides: Annotated[list[str] | None, typer.Option(
            "--set", metavar="NAME.KEY=VALUE", help="a setting of a served model, e.g. teacher.slip=0.1")] = None,
        host: Annotated[str | None, typer.Option(help="serve all who ask there; else this machine")] = None,
        port: Annotated[int, typer.Option(help="0: any free one")] = 8000) -> None:
    """Serve checkpoints, or the lab's teacher, behind a small OpenAI-compatible server."""
    from lema.commands.serve import serve as serve_them

    serve_them(what, overrides or [], host, port)


def main() -> None:
    """The `lema` command."""
    guard()
    try:
        code = app(standalone_mode=False, prog_name="lema")
    except LemaError as error:
        for line in error.lines:
            print(f"lema: {line}", file=sys.stderr)
        sys.exit(error.exit_code)
    except Exception as error:
        sys.exit(misused(error))
    if code == 130:  # typer's, for Ctrl-C
        print("lema: stopped; what was finished is kept, and the same command goes on", file=sys.stderr)
    sys.exit(code if isinstance(code, int) else 0)
