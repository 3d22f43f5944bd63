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
    assembling,
    base_of,
    buys,
    prompt,
    reporting,
    scoring,
    students,
    task_settings,
    training,
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
    bought = worked_solutions(run, config, models, questions)
    if not config.arms:
        return

    sets = [run.stage(f"sets/{arm}", assemble, assembling(config, arm, table), bought if buys(table) else (),
                      *(rounds[name].stages for name in assembling(config, arm, table).rounds),
                      models=base_of(config, models) if config.train else {},
                      prompts=prompt(config, "train_correction") | asked(config))
            for arm, table in config.arms.items()]
    accounts = run.stage("accounts", account, accounting(config), tuple(sets), bought,
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
        run.planned(f"answers/{name}", sample, config.evaluate.of(name), questions, models={name: model},
                    prompts=asked(config, config.evaluate.prompt))
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
                    models={model: models[model]}, prompts=asked(config, config.sample.prompt))
        for model in config.sample.models])
    graded = run.stage(f"{here}graded", grade, None, questions, tuple(paths))
    if config.correct is None:
        return Round(questions, graded, None, None)
    budget = {"tokens": config.evolve[name].correction_tokens} if name else {}
    corrections = run.stage(f"{here}corrections", correct, config.correct.model_copy(update=budget), questions,
                            graded, models={config.correct.model: models[config.correct.model]},
                            prompts=prompt(config, "correct", config.correct.prompt))
    verified = run.stage(f"{here}verified", verify, config.verify, questions, graded, corrections)
    return Round(questions, graded, corrections, verified)


def new_questions(run: Run, config: Config, models: Models, name: str, evolution: EvolveConfig,
                  first: Round) -> Stage:
    """Seeds → drafts → votes → questions with an agreed answer."""
    model = {evolution.model: models[evolution.model]}
    seeds = (first.verified,) if evolution.seeds_from == "corrections" else ()
    drafts = run.stage(f"{name}/drafts", evolve, evolution, first.questions, *seeds, models=model,
                       prompts=prompt(config, "evolve", evolution.prompt))
    votes = run.stage(f"{name}/votes", sample, evolution.voting, drafts, models=model, prompts=asked(config))
    return run.stage(f"{name}/questions", settle, evolution, drafts, votes)


def worked_solutions(run: Run, config: Config, models: Models, questions: Stage) -> tuple[Stage, ...]:
    """Worked solutions that a teacher writes for random questions: paths like any others, graded likewise."""
    if config.cot is None:
        return ()
    bought = run.stage("bought/paths", sample, config.cot.asking, questions,
                       models={config.cot.model: models[config.cot.model]}, prompts=asked(config))
    return (run.stage("bought/graded", grade, None, questions, (bought,)),)
