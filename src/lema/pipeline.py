"""Learning from mistakes, top to bottom.

One design decision: this is an ordinary function; each line calls one stage and becomes one named folder of the
run. It never looks into rows, so the same lines say what would be done (`lema plan`) and do it (`lema run`). A
stage's settings stand beside its verb, and name the models and prompts that the run looks up for it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from lema.config import Config, TrainOneConfig
from lema.examples import critiques_needed
from lema.examples.take import Sort
from lema.runs.run import Run, Stage
from lema.stages.account import account, accounting
from lema.stages.assemble import assemble, assembling, check_arms, worked_alone
from lema.stages.correct import correct, correcting
from lema.stages.critique import critique, critiquing
from lema.stages.evolve import evolve, rounds_before, settle
from lema.stages.grade import grade
from lema.stages.grow import grow, growing
from lema.stages.join import imports, join_corrections, join_paths
from lema.stages.load import load, task_settings
from lema.stages.report import report, reporting
from lema.stages.sample import sample
from lema.stages.score import compare, score, scoring
from lema.stages.train import finishing, first_of_each, train, training
from lema.stages.verify import verify

Stages = tuple[Stage, ...]


@dataclass(frozen=True)
class Round:
    """One pass of the method's front half: its questions, graded paths, and corrections and critiques (by the sort
    of paths that they judge) where any are asked for."""

    questions: Stage
    graded: Stage
    corrections: Stage | None = None
    verified: Stage | None = None
    critiques: dict[Sort, Stage] = field(default_factory=dict)


@dataclass(frozen=True)
class Gathered:
    """Everything that arms draw on: the rounds by name (the first is ""), and worked solutions by purchase."""

    rounds: dict[str, Round]
    bought: dict[str, Stage]

    def of_every_round(self, part: str) -> Stages:
        """The stage that is that part of a round, of every round that has one."""
        stages = (getattr(each, part) for each in self.rounds.values())
        return tuple(stage for stage in stages if stage is not None)


def pipeline(run: Run, config: Config) -> None:
    """The whole method on one question set."""
    everything = gathered(run, config)
    if not config.arms:
        return

    first = everything.rounds[""]
    check_arms(config, imports(run.folder), corrections=first.verified is not None)
    sets = {arm: training_set(run, config, arm, everything) for arm in config.arms}
    every_set = tuple(sets.values())
    critiques = tuple(stage for each in everything.rounds.values() for stage in each.critiques.values())
    accounts = run.stage("accounts", account, accounting(config, (stage.settings for stage in every_set)), every_set,
                         tuple(everything.bought.values()), everything.of_every_round("questions"),
                         everything.of_every_round("corrections"), critiques)
    if config.train is None:
        return

    trained = tuple(run.side_by_side([planned_training(run, one, sets[one.arm]) for one in training(config)]))
    examinees = [config.train.base, *(stage.folder.name for stage in trained)]
    answers = tuple(run.side_by_side([
        run.planned(f"answers/{name.strip('/').replace('/', '--')}", sample, config.evaluate.of(name),
                    first.questions)
        for name in examinees]))
    examined = run.stage("examined", grade, None, first.questions, answers)
    examination = scoring(config, (stage.settings for stage in trained))
    scores = run.stage("scores", score, examination, first.questions, examined)
    comparisons = run.stage("comparisons", compare, scores.settings, examined)
    run.stage("report", report, reporting(config, scores.settings), everything.of_every_round("questions"),
              everything.of_every_round("graded"), everything.of_every_round("verified"), every_set, accounts,
              trained, examined, scores, comparisons, critiques)


def gathered(run: Run, config: Config) -> Gathered:
    """Questions, and all that is asked of models about them before anything is trained for good: round by round
    mistakes, corrections and critiques; worked solutions."""
    questions = run.stage("questions", load, task_settings(config))
    grow_students(run, config, questions)
    first = mistakes_and_corrections(run, config, "", questions, config.sample.models)
    everything = Gathered({"": first}, worked_solutions(run, config, first))
    for name, evolution in config.evolve.items():
        grown = new_questions(run, config, name, everything.rounds)
        students = just_trained(run, config, evolution.students, everything)
        everything.rounds[name] = mistakes_and_corrections(run, config, name, grown,
                                                           students or config.sample.models)
    return everything


def grow_students(run: Run, config: Config, questions: Stage) -> None:
    """Students from scratch, where the config asks for any: taught the task's lessons, and those with a finish
    trained on the worked solutions of `questions` after that."""
    students = growing(config)
    run.side_by_side([run.planned(f"lessons/{name}" if student.finish else f"students/{name}", grow, student)
                      for name, student in students.items()])
    finished = []
    for name, student in students.items():
        if student.finish:
            worked = run.stage(f"sets/finish-{name}", assemble, worked_alone(name), (), (questions, (), ()))
            finished.append(run.planned(f"students/{name}", train, finishing(name, student), worked))
    run.side_by_side(finished)


def mistakes_and_corrections(run: Run, config: Config, name: str, questions: Stage,
                             models: Iterable[str]) -> Round:
    """Questions → paths → graded → corrections → verified, and the critiques that arms take; the same for the
    first questions and evolved ones. `models` are those that are sampled."""
    here = f"{name}/" if name else ""
    paths = run.side_by_side([run.planned(f"{here}paths/{model}", sample, config.sample.of(model), questions)
                              for model in models])
    joined, corrections_joined = imported(run, questions) if not name else ((), ())
    graded = run.stage(f"{here}graded", grade, None, questions, (*paths, *joined))
    corrections, verified = corrected(run, config, name, questions, graded, corrections_joined)
    critiques = {sort: run.planned(f"{here}critiques/{sort}", critique, terms, questions, graded)
                 for sort, terms in critiquing(config, name).items()}
    run.side_by_side(list(critiques.values()))
    return Round(questions, graded, corrections, verified, critiques)


def imported(run: Run, questions: Stage) -> tuple[Stages, Stages]:
    """The paths, and the corrections, that `lema import` put into the run's folder."""
    paths, corrections = [], []
    for each in imports(run.folder):
        paths.append(run.stage(f"imported/{each.name}/paths", join_paths, each, questions))
        if each.what == "corrections":
            corrections.append(run.stage(f"imported/{each.name}/corrections", join_corrections, each))
    return tuple(paths), tuple(corrections)


def corrected(run: Run, config: Config, name: str, questions: Stage, graded: Stage,
              joined: Stages) -> tuple[Stage | None, Stage | None]:
    """The corrections of a round and those of them, and of the imported ones (`joined`), that passed the checks;
    None for what the config does not ask for."""
    here = f"{name}/" if name else ""
    terms = correcting(config, name)
    if terms is None:
        return None, run.stage(f"{here}verified", verify, config.verify, questions, graded, (),
                               joined) if joined else None
    before: Stages = ()
    for attempt in range(1, terms.tries + 1):
        at = here if attempt == terms.tries else f"{here}try-{attempt}/"
        corrections = run.stage(f"{at}corrections", correct, terms, questions, graded, joined, *before)
        verified = run.stage(f"{at}verified", verify, config.verify, questions, graded, corrections, joined)
        before = (verified,)
    return corrections, verified


def worked_solutions(run: Run, config: Config, first: Round) -> dict[str, Stage]:
    """Worked solutions that a teacher writes for random or for failed questions: paths like any others, graded
    likewise; by purchase."""
    bought: dict[str, Stage] = {}
    for name in config.cot.questions if config.cot else ():
        terms, here = config.cot.asking(name), "bought" if name == "random" else f"bought/{name}"
        looks_at = (first.graded,) if name == "failed" or terms.tokens == "corrections" else ()
        costs = (first.corrections,) if terms.tokens == "corrections" and first.corrections else ()
        paths = run.stage(f"{here}/paths", sample, terms, first.questions, *looks_at, *costs)
        bought[name] = run.stage(f"{here}/graded", grade, None, first.questions, (paths,))
    return bought


def new_questions(run: Run, config: Config, name: str, rounds: dict[str, Round]) -> Stage:
    """Seeds → drafts → votes → questions with an agreed answer."""
    evolution, first = config.evolve[name], rounds[""]
    seeds = first.verified if evolution.seeds_from == "corrections" else ()
    earlier = (rounds[before].questions for before in rounds_before(config, name))
    drafts = run.stage(f"{name}/drafts", evolve, evolution, first.questions, seeds, *earlier)
    votes = run.stage(f"{name}/votes", sample, evolution.voting, drafts)
    return run.stage(f"{name}/questions", settle, evolution.settling, drafts, votes)


def just_trained(run: Run, config: Config, arms: tuple[str, ...], everything: Gathered) -> list[str]:
    """The models whose mistakes a later round corrects: those of its arms, trained on what the rounds before
    gave."""
    trained = run.side_by_side([planned_training(run, one, training_set(run, config, one.arm, everything))
                                for one in first_of_each(config, arms)])
    return [stage.folder.name for stage in trained]


def training_set(run: Run, config: Config, arm: str, everything: Gathered) -> Stage:
    """What one arm is trained on: of every round that it takes from the questions, the graded paths, the verified
    corrections and those critiques that it takes."""
    settings = assembling(config, arm)
    drawn_on = []
    for name in settings.rounds:
        each = everything.rounds[name]
        sorts = critiques_needed(settings.take, name)
        critiques = (each.critiques[sort] for sort in sorts if sort in each.critiques)
        drawn_on.append((each.questions, each.graded, each.verified or (), *critiques))
    bought = tuple(everything.bought[name] for name in settings.purchases)
    return run.stage(f"sets/{arm}", assemble, settings, bought, *drawn_on)


def planned_training(run: Run, one: TrainOneConfig, examples: Stage) -> Stage:
    """One arm's model with one seed."""
    return run.planned(f"models/{one.arm}-{one.seed}", train, one, examples)
