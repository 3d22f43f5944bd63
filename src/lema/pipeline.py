"""Learning from mistakes, top to bottom.

One design decision: this is an ordinary function; each line calls one stage and becomes one named folder of the
run. It never looks into rows, so the same lines say what would be done (`lema plan`) and do it (`lema run`).
"""

from lema.config import Config
from lema.runs import Run, Stage
from lema.stages.account import account
from lema.stages.assemble import assemble
from lema.stages.correct import correct
from lema.stages.evolve import evolve, settle
from lema.stages.grade import grade
from lema.stages.join import join_corrections, join_paths
from lema.stages.load import load
from lema.stages.report import report
from lema.stages.sample import sample
from lema.stages.score import compare, score
from lema.stages.train import train
from lema.stages.verify import verify
from lema.tables import EvolveConfig
from lema.wiring import (
    Round,
    accounting,
    asked,
    asked_of,
    assembling,
    base_of,
    check_arms,
    imports,
    prompt,
    reporting,
    scoring,
    students,
    task_settings,
    training,
    worded,
)

Models = dict[str, Stage | dict]


def pipeline(run: Run, config: Config) -> None:
    """The whole method on one question set."""
    questions = run.stage("questions", load, task_settings(config))
    models = students(run, config, questions)

    rounds = {"": mistakes_and_corrections(run, config, models, "", questions)}
    for name, evolution in config.evolve.items():
        grown = new_questions(run, config, models, name, evolution, rounds[""])
        rounds[name] = mistakes_and_corrections(run, config, models, name, grown)
    bought = worked_solutions(run, config, models, rounds[""])
    if not config.arms:
        return

    check_arms(config, run.folder, rounds[""].verified is not None)
    wanted = {arm: assembling(config, arm, table) for arm, table in config.arms.items()}
    sets = [run.stage(f"sets/{arm}", assemble, one, tuple(bought[name] for name in one.purchases),
                      *(rounds[name].stages for name in one.rounds),
                      models=base_of(config, models) if config.train else {},
                      prompts=worded(config, config.arms[arm]))
            for arm, one in wanted.items()]
    accounts = run.stage("accounts", account, accounting(config), tuple(sets), tuple(bought.values()),
                         tuple(each.questions for each in rounds.values()),
                         tuple(each.corrections for each in rounds.values() if each.corrections))
    if config.train is None:
        return

    by_arm = dict(zip(config.arms, sets, strict=True))
    trained = run.side_by_side([
        run.planned(f"models/{one.arm}-{one.seed}", train, one, by_arm[one.arm], models=base_of(config, models))
        for one in training(config)])
    examinees = base_of(config, models) | {stage.folder.name: stage for stage in trained}
    answers = run.side_by_side([
        run.planned(f"answers/{name.strip('/').replace('/', '--')}", sample, config.evaluate.of(name), questions,
                    models={name: model}, prompts=asked_of(config, name, config.evaluate.prompt))
        for name, model in examinees.items()])
    examined = run.stage("examined", grade, None, questions, tuple(answers))
    scores = run.stage("scores", score, scoring(config), questions, examined)
    comparisons = run.stage("comparisons", compare, scoring(config), examined)
    every = tuple(rounds.values())
    run.stage("report", report, reporting(config), tuple(each.questions for each in every),
              tuple(each.graded for each in every), tuple(each.verified for each in every if each.verified),
              tuple(sets), accounts, tuple(trained), examined, scores, comparisons)


def mistakes_and_corrections(run: Run, config: Config, models: Models, name: str, questions: Stage) -> Round:
    """Questions → paths → graded → corrections → verified; the same for the first questions and evolved ones."""
    here = f"{name}/" if name else ""
    paths = run.side_by_side([
        run.planned(f"{here}paths/{model}", sample, config.sample.of(model), questions,
                    models={model: models[model]}, prompts=asked_of(config, model, config.sample.prompt))
        for model in config.sample.models])
    joined, known = imported(run, questions) if not name else ((), ())
    graded = run.stage(f"{here}graded", grade, None, questions, (*paths, *joined))
    if config.correct is None and not known:
        return Round(questions, graded, None, None)
    budget = {"tokens": config.evolve[name].correction_tokens} if name else {}
    corrections = run.stage(f"{here}corrections", correct, config.correct.model_copy(update=budget), questions,
                            graded, *((known,) if known else ()),
                            models={config.correct.model: models[config.correct.model]},
                            prompts=prompt(config, "correct", config.correct.prompt)) if config.correct else None
    verified = run.stage(f"{here}verified", verify, config.verify, questions, graded, corrections or (),
                         *((known,) if known else ()))
    return Round(questions, graded, corrections, verified)


def imported(run: Run, questions: Stage) -> tuple[tuple[Stage, ...], tuple[Stage, ...]]:
    """The paths, and the corrections, that `lema import` put into the run's folder."""
    found = imports(run.folder)
    return (tuple(run.stage(f"imported/{each.name}/paths", join_paths, each, questions) for each in found),
            tuple(run.stage(f"imported/{each.name}/corrections", join_corrections, each) for each in found
                  if each.what == "corrections"))


def new_questions(run: Run, config: Config, models: Models, name: str, evolution: EvolveConfig,
                  first: Round) -> Stage:
    """Seeds → drafts → votes → questions with an agreed answer."""
    model = {evolution.model: models[evolution.model]}
    seeds = (first.verified,) if evolution.seeds_from == "corrections" else ()
    drafts = run.stage(f"{name}/drafts", evolve, evolution, first.questions, *seeds, models=model,
                       prompts=prompt(config, "evolve", evolution.prompt))
    votes = run.stage(f"{name}/votes", sample, evolution.voting, drafts, models=model, prompts=asked(config))
    return run.stage(f"{name}/questions", settle, evolution, drafts, votes)


def worked_solutions(run: Run, config: Config, models: Models, first: Round) -> dict[str, Stage]:
    """Worked solutions that a teacher writes for random or for failed questions: paths like any others, graded
    likewise; by purchase."""
    if config.cot is None:
        return {}
    bought = {}
    for name in config.cot.questions:
        asking, here = config.cot.asking(name), "bought" if name == "random" else f"bought/{name}"
        looks_at = (first.graded,) if name == "failed" or asking.tokens == "corrections" else ()
        costs = (first.corrections,) if asking.tokens == "corrections" and first.corrections else ()
        paths = run.stage(f"{here}/paths", sample, asking, first.questions, *looks_at, *costs,
                          models={config.cot.model: models[config.cot.model]}, prompts=asked(config))
        bought[name] = run.stage(f"{here}/graded", grade, None, first.questions, (paths,))
    return bought
