"""Learning from mistakes, top to bottom.

One design decision: this is an ordinary function; each line calls one stage and becomes one named folder of the
run. It never looks into rows, so the same lines say what would be done (`lema plan`) and do it (`lema run`).
"""

from typing import NamedTuple

from lema.config import Config, EvolveConfig
from lema.examples import critiques_needed
from lema.needs import check_arms, critiquing
from lema.runs.run import Run, Stage
from lema.stages.account import account
from lema.stages.assemble import assemble
from lema.stages.correct import correct
from lema.stages.critique import critique
from lema.stages.evolve import evolve, settle
from lema.stages.grade import grade
from lema.stages.join import join_corrections, join_paths
from lema.stages.load import load
from lema.stages.report import report
from lema.stages.sample import sample
from lema.stages.score import compare, score
from lema.stages.train import train
from lema.stages.verify import verify
from lema.wiring import (
    Round,
    accounting,
    asked,
    asked_of,
    assembling,
    base_of,
    correcting,
    correction_prompts,
    first_of_each,
    imports,
    prompt,
    reporting,
    rounds_before,
    scoring,
    students,
    task_settings,
    training,
    worded,
)

Models = dict[str, Stage | dict]


class Gathered(NamedTuple):
    """Everything that arms draw on."""

    questions: Stage
    models: Models
    rounds: dict[str, Round]
    bought: dict[str, Stage]


def pipeline(run: Run, config: Config) -> None:
    """The whole method on one question set."""
    questions, models, rounds, bought = gathered(run, config)
    if not config.arms:
        return

    check_arms(config, run.folder, rounds[""].verified is not None)
    sets = [training_set(run, config, models, arm, rounds, bought) for arm in config.arms]
    every = tuple(rounds.values())
    judged = tuple(stage for each in every for stage in each.critiques.values())
    accounts = run.stage("accounts", account, accounting(config), tuple(sets), tuple(bought.values()),
                         tuple(each.questions for each in every),
                         tuple(each.corrections for each in every if each.corrections), *with_any(judged))
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
    run.stage("report", report, reporting(config), tuple(each.questions for each in every),
              tuple(each.graded for each in every), tuple(each.verified for each in every if each.verified),
              tuple(sets), accounts, tuple(trained), examined, scores, comparisons, *with_any(judged))


def with_any(stages: tuple[Stage, ...]) -> tuple[tuple[Stage, ...], ...]:
    """These stages as one input where there are any, else none."""
    return (stages,) if stages else ()


def gathered(run: Run, config: Config) -> Gathered:
    """Questions, and all that is asked of models about them before anything is trained for good: round by round
    mistakes, corrections and critiques; worked solutions."""
    questions = run.stage("questions", load, task_settings(config))
    models = students(run, config, questions)
    rounds = {"": mistakes_and_corrections(run, config, models, "", questions)}
    bought = worked_solutions(run, config, models, rounds[""])
    for name, evolution in config.evolve.items():
        grown = new_questions(run, config, models, name, evolution, rounds)
        taught = just_trained(run, config, models, evolution, rounds, bought)
        rounds[name] = mistakes_and_corrections(run, config, models, name, grown, taught)
    return Gathered(questions, models, rounds, bought)


def training_set(run: Run, config: Config, models: Models, arm: str, rounds: dict[str, Round],
                 bought: dict[str, Stage]) -> Stage:
    """What one arm is trained on."""
    wanted = assembling(config, arm, config.arms[arm])
    return run.stage(f"sets/{arm}", assemble, wanted, tuple(bought[name] for name in wanted.purchases),
                     *(rounds[name].drawn_on(critiques_needed(wanted.take, name)) for name in wanted.rounds),
                     models=base_of(config, models) if config.train else {},
                     prompts=worded(config, config.arms[arm]))


def just_trained(run: Run, config: Config, models: Models, evolution: EvolveConfig, rounds: dict[str, Round],
                 bought: dict[str, Stage]) -> Models:
    """The models whose mistakes a later round corrects: those of its arms, trained on what the rounds before
    gave."""
    return {stage.folder.name: stage for stage in run.side_by_side([
        run.planned(f"models/{one.arm}-{one.seed}", train, one,
                    training_set(run, config, models, one.arm, rounds, bought), models=base_of(config, models))
        for one in first_of_each(config, evolution.students)])}


def mistakes_and_corrections(run: Run, config: Config, models: Models, name: str, questions: Stage,
                             taught: Models | None = None) -> Round:
    """Questions → paths → graded → corrections → verified, and the critiques that arms take; the same for the
    first questions and evolved ones. `taught` are the models that are sampled in a later round."""
    here = f"{name}/" if name else ""
    paths = run.side_by_side([
        run.planned(f"{here}paths/{model}", sample, config.sample.of(model), questions,
                    models={model: given}, prompts=asked_of(config, model, config.sample.prompt))
        for model, given in (taught or {model: models[model] for model in config.sample.models}).items()])
    joined, known = imported(run, questions) if not name else ((), ())
    graded = run.stage(f"{here}graded", grade, None, questions, (*paths, *joined))
    corrections, verified = corrected(run, config, models, name, questions, graded, known)
    judged = {sort: run.planned(f"{here}critiques/{sort}", critique, asking, questions, graded,
                                models={asking.model: models[asking.model]},
                                prompts=prompt(config, "critique", asking.prompt))
              for sort, asking in critiquing(config, name).items()}
    run.side_by_side(list(judged.values()))
    return Round(questions, graded, corrections, verified, judged)


def corrected(run: Run, config: Config, models: Models, name: str, questions: Stage, graded: Stage,
              known: tuple[Stage, ...]) -> tuple[Stage | None, Stage | None]:
    """The corrections of a round and those of them, and of the imported ones (`known`), that passed the checks;
    None for what the config does not ask for."""
    here = f"{name}/" if name else ""
    asking = correcting(config, name)
    if asking is None:
        return None, run.stage(f"{here}verified", verify, config.verify, questions, graded, (),
                               known) if known else None
    tried: tuple[Stage, ...] = ()
    for attempt in range(1, asking.tries + 1):
        at = here if attempt == asking.tries else f"{here}try-{attempt}/"
        corrections = run.stage(f"{at}corrections", correct, asking, questions, graded, known, *tried,
                                models={asking.model: models[asking.model]}, prompts=correction_prompts(config))
        verified = run.stage(f"{at}verified", verify, config.verify, questions, graded, corrections, known)
        tried = (verified,)
    return corrections, verified


def imported(run: Run, questions: Stage) -> tuple[tuple[Stage, ...], tuple[Stage, ...]]:
    """The paths, and the corrections, that `lema import` put into the run's folder."""
    found = imports(run.folder)
    return (tuple(run.stage(f"imported/{each.name}/paths", join_paths, each, questions) for each in found),
            tuple(run.stage(f"imported/{each.name}/corrections", join_corrections, each) for each in found
                  if each.what == "corrections"))


def new_questions(run: Run, config: Config, models: Models, name: str, evolution: EvolveConfig,
                  rounds: dict[str, Round]) -> Stage:
    """Seeds → drafts → votes → questions with an agreed answer."""
    model, first = {evolution.model: models[evolution.model]}, rounds[""]
    seeds = first.verified if evolution.seeds_from == "corrections" else ()
    earlier = (rounds[before].questions for before in rounds_before(config, evolution))
    drafts = run.stage(f"{name}/drafts", evolve, evolution, first.questions, seeds, *earlier, models=model,
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
