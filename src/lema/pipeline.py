"""Learning from mistakes, top to bottom.

One design decision: this is an ordinary function; each line calls one stage and becomes one named folder of the
run. It never looks into rows, so the same lines say what would be done (`lema plan`) and do it (`lema run`). A
stage's settings stand beside its verb, and name the models and prompts that the run looks up for it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain
from operator import attrgetter
from typing import NamedTuple

from lema.config import Config, LeaksConfig, ScoreConfig, TrainOneConfig
from lema.examples import critiques_needed, needs_of
from lema.examples.take import Sort
from lema.runs.run import Run, Stage
from lema.stages.account import account, accounting
from lema.stages.analyse import analyse, analysing
from lema.stages.assemble import assemble, assembling, check_arms, worked_alone
from lema.stages.continue_ import continue_steps, continuing
from lema.stages.correct import correct, correcting
from lema.stages.critique import critique, critiquing
from lema.stages.evolve import evolve, rounds_before, settle
from lema.stages.grade import grade
from lema.stages.grow import grow, growing
from lema.stages.join import imports, join_corrections, join_paths
from lema.stages.leaks import find_leaks
from lema.stages.load import load, load_set, task_settings
from lema.stages.perplexity import judging, perplexity
from lema.stages.report import report, reporting
from lema.stages.sample import sample
from lema.stages.score import compare, score, scoring, scoring_of
from lema.stages.train import finishing, first_of_each, in_waves, train, training
from lema.stages.verify import verify, verifying

Stages = tuple[Stage, ...]


def pipeline(run: Run, config: Config) -> None:
    """The whole method on one question set."""
    if config.sample is None:
        examine(run, config)
        return
    # The paper's data: reasoning paths, corrections of the wrong ones, and evolved questions that go the same way.
    everything = gathered(run, config)
    if not config.arms:
        return

    # Its comparisons, such as CoT alone against CoT with corrections: an arm is what a model is trained on.
    first = everything.rounds[""]
    check_arms(config, imports(run.folder), corrections=first.verified is not None,
               continued=first.continued is not None)
    sets = {arm: training_set(run, config, arm, everything) for arm in config.arms}
    every_set, questions = tuple(sets.values()), everything.of_every_round("questions")
    judged = map(attrgetter("critiques"), everything.rounds.values())
    critiques = tuple(chain.from_iterable(map(dict.values, judged)))
    bills = accounting(config, map(attrgetter("settings"), every_set))
    graded, continued = everything.of_every_round("graded"), everything.of_every_round("continued")
    accounts = run.stage("accounts", account, bills, every_set, tuple(everything.bought.values()), questions,
                         everything.of_every_round("corrections"), critiques, graded, continued)
    if config.train is None:
        return

    # Fine-tuning, every arm with every seed, and the examination of the student before and after it.
    trained = trainings(run, training(config), sets)
    students = (config.train.base, *map(attrgetter("folder.name"), trained))
    examinees = scoring(config, map(attrgetter("settings"), trained))
    examined, scores = examination(run, config, examinees, first.questions, students)
    elsewhere = on_test_sets(run, config, examinees, students)
    comparisons = run.stage("comparisons", compare, examinees, examined, elsewhere.examined)
    verified = (first.verified,) if first.verified else ()
    likely = likelihoods(run, config, first, students)
    made = (first.questions, first.graded, verified, accounts, tuple(trained), examined, likely)
    tables = run.stage("tables", analyse, analysing(config, examinees), scores, elsewhere.scores, comparisons,
                       made)
    run.stage("report", report, reporting(config, examinees, run.folder), questions, graded,
              everything.of_every_round("verified"), every_set, accounts, tuple(trained), examined, scores,
              comparisons, tables, critiques, continued)


@dataclass(frozen=True)
class Round:
    """One pass of the method's front half: its questions, graded paths, and, where any are asked for, corrections,
    one-step corrections with what the students made of them, and critiques (by the sort of paths that they
    judge)."""

    questions: Stage
    graded: Stage
    corrections: Stage | None = None
    verified: Stage | None = None
    critiques: dict[Sort, Stage] = field(default_factory=dict)
    continued: Stage | None = None


@dataclass(frozen=True)
class Gathered:
    """Everything that arms draw on: the rounds by name (the first is ""), and worked solutions by purchase."""

    rounds: dict[str, Round]
    bought: dict[str, Stage]

    def of_every_round(self, part: str) -> tuple:
        """That part of every round, () where one has none; nothing where no round has any."""
        parts = tuple(getattr(each, part) or () for each in self.rounds.values())
        return parts if any(parts) else ()


def gathered(run: Run, config: Config) -> Gathered:
    """Questions, and all that models are asked about them: round by round mistakes, corrections and critiques;
    worked solutions."""
    questions = training_questions(run, config)
    grow_students(run, config, questions)
    first = mistakes_and_corrections(run, config, "", questions, config.sample.models)
    everything = Gathered({"": first}, worked_solutions(run, config, first))
    for name, evolution in config.evolve.items():
        grown = new_questions(run, config, name, everything.rounds)
        students = just_trained(run, config, evolution.students, everything) or config.sample.models
        everything.rounds[name] = mistakes_and_corrections(run, config, name, grown, students)
    return everything


def training_questions(run: Run, config: Config) -> Stage:
    """The task's questions; where the config asks for more than no twins between its own splits, those for
    training are held against every question of an examination."""
    if config.leaks == LeaksConfig() and not config.evaluate.sets:
        return run.stage("questions", load, task_settings(config))
    loaded = run.stage("loaded", load, task_settings(config))
    sets = tuple(test_questions(run, config, name) for name in config.evaluate.sets)
    return run.stage("questions", find_leaks, config.leaks.on(tuple(config.evaluate.sets)), loaded, sets)


def test_questions(run: Run, config: Config, name: str) -> Stage:
    """The questions of a further test set, on which nobody is trained."""
    return run.on(name).stage(f"tests/{name}/questions", load_set, task_settings(config.on(name)))


def grow_students(run: Run, config: Config, questions: Stage) -> None:
    """Students from scratch, where the config asks for any (the paper begins with pretrained models): taught the
    task's lessons, and those with a finish trained on the worked solutions of `questions` after that."""
    students, finished = growing(config), []
    run.side_by_side([run.planned(f"lessons/{name}" if student.finish else f"students/{name}", grow, student)
                      for name, student in students.items()])
    for name, student in students.items():
        if student.finish:
            alone = worked_alone(name, student)
            worked = run.stage(f"sets/finish-{name}", assemble, alone, (), (questions, (), (), ()))
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
    # The paper's inaccurate reasoning paths are the rows graded "wrong"; the others stay, and are counted.
    graded = run.stage(f"{here}graded", grade, None, questions, (*paths, *joined))
    corrections, verified = corrected(run, config, name, questions, graded, corrections_joined)
    critiques = {sort: run.planned(f"{here}critiques/{sort}", critique, terms, questions, graded)
                 for sort, terms in critiquing(config, name).items()}
    run.side_by_side(list(critiques.values()))
    steps, continued = continuing(config, name, models), None
    if steps:
        continued = run.stage(f"{here}continued", continue_steps, steps, questions, graded)
    return Round(questions, graded, corrections, verified, critiques, continued)


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
    here, terms = f"{name}/" if name else "", correcting(config, name)
    if terms is None and not joined:
        return None, None
    if terms is None:
        checks = verifying(config, run.folder, f"{here}verified")
        return None, run.stage(f"{here}verified", verify, checks, questions, graded, (), joined)
    # A further try asks about what failed the checks of the one before and hands on what passed them. The last one
    # holds everything and has the plain name, so that nobody after it need know how many there were.
    tried: Stages = ()
    for attempt in range(1, terms.tries + 1):
        at = here if attempt == terms.tries else f"{here}try-{attempt}/"
        corrections = run.stage(f"{at}corrections", correct, terms, questions, graded, joined, *tried)
        checks = verifying(config, run.folder, f"{at}verified")
        verified = run.stage(f"{at}verified", verify, checks, questions, graded, corrections, joined)
        tried = (verified,)
    return corrections, verified


def worked_solutions(run: Run, config: Config, first: Round) -> dict[str, Stage]:
    """Worked solutions that a teacher writes for random or for failed questions, by purchase: the paper's CoT data
    where no person wrote any. They are paths like any others, and graded likewise."""
    bought: dict[str, Stage] = {}
    for name in config.cot.questions if config.cot else ():
        terms, here = config.cot.asking(name), "bought" if name == "random" else f"bought/{name}"
        as_corrections = terms.tokens == "corrections"  # as many as these did cost
        looks_at = first.graded if name == "failed" or as_corrections else ()
        costs = (as_corrections and (first.corrections or first.continued)) or ()
        paths = run.stage(f"{here}/paths", sample, terms, first.questions, looks_at, costs)
        bought[name] = run.stage(f"{here}/graded", grade, None, first.questions, (paths,))
    return bought


def new_questions(run: Run, config: Config, name: str, rounds: dict[str, Round]) -> Stage:
    """Seeds → drafts → votes → questions with an agreed answer; or the first ones again. Seeds are the questions
    of kept corrections (the paper's correction-centric evolution) or all of training (its general evolution)."""
    evolution, first = config.evolve[name], rounds[""]
    if evolution.questions == "same":
        return first.questions
    seeds = first.verified if evolution.seeds_from == "corrections" else ()
    earlier = map(attrgetter("questions"), map(rounds.__getitem__, rounds_before(config, name)))
    drafts = run.stage(f"{name}/drafts", evolve, evolution, first.questions, seeds, *earlier)
    votes = run.stage(f"{name}/votes", sample, evolution.voting, drafts)
    return run.stage(f"{name}/questions", settle, evolution.settling, drafts, votes)


def just_trained(run: Run, config: Config, arms: Sequence[str], everything: Gathered) -> list[str]:
    """The models whose mistakes a later round corrects: those of its arms, trained on the rounds before it."""
    first = first_of_each(config, arms)
    trainings(run, first, {fit.arm: training_set(run, config, fit.arm, everything) for fit in first})
    return [f"{fit.arm}-{fit.seed}" for fit in first if fit.arm in arms]


def training_set(run: Run, config: Config, arm: str, everything: Gathered) -> Stage:
    """What one arm is trained on, made of the rounds that it takes from and of worked solutions."""
    settings, drawn_on = assembling(config, arm), []
    for name in settings.rounds:
        each, needs = everything.rounds[name], needs_of(settings.take, name)
        critiques = filter(None, map(each.critiques.get, critiques_needed(settings.take, name)))
        # what an arm does not take is no input of it: a rejected correction makes no plain arm stale
        kept = ("corrections" in needs and each.verified) or ()
        continued = ("continued" in needs and each.continued) or ()
        drawn_on.append((each.questions, each.graded, kept, continued, *critiques))
    bought = tuple(map(everything.bought.__getitem__, settings.purchases))
    return run.stage(f"sets/{arm}", assemble, settings, bought, *drawn_on)


def trainings(run: Run, every: Iterable[TrainOneConfig], sets: dict[str, Stage]) -> list[Stage]:
    """The models: each is one arm with one seed."""
    return list(chain.from_iterable(
        run.side_by_side([run.planned(f"models/{terms.arm}-{terms.seed}", train, terms, sets[terms.arm])
                          for terms in wave]) for wave in in_waves(every)))


def examination(run: Run, config: Config, examinees: ScoreConfig, questions: Stage,
                models: Iterable[str]) -> tuple[Stage, Stage]:
    """The graded answers of the base and of what came of it, sampled as mistakes are, by the table [evaluate]; and
    what they score. Of a test set in its own folder."""
    here, answers = f"tests/{run.test_set}/" if run.test_set else "", []
    for name in models:
        place = f"{here}answers/{name.strip('/').replace('/', '--')}"  # a base may be a folder or a hub id
        answers.append(run.planned(place, sample, config.evaluate.on(run.test_set).of(name), questions))
    examined = run.stage(f"{here}examined", grade, None, questions, tuple(run.side_by_side(answers)))
    return examined, run.stage(f"{here}scores", score, examinees, questions, examined)


def likelihoods(run: Run, config: Config, first: Round, models: Iterable[str]) -> Stages:
    """How likely every model finds mistakes and their corrections, where the config asks for it."""
    if not config.report.perplexity or not first.verified:
        return ()
    return tuple(run.side_by_side([
        run.planned(f"perplexity/{name.strip('/').replace('/', '--')}", perplexity, judging(config, name),
                    first.questions, first.graded, first.verified) for name in models]))


class Elsewhere(NamedTuple):
    """What the same models made of the further test sets, in the config's order."""

    examined: Stages
    scores: Stages


def on_test_sets(run: Run, config: Config, examinees: ScoreConfig, models: Iterable[str]) -> Elsewhere:
    """The examination on every [evaluate.sets.X], whose questions nobody was trained on."""
    every = []
    for name in config.evaluate.sets:
        every.append(examination(run.on(name), config, examinees, test_questions(run, config, name), models))
    return Elsewhere(*map(tuple, zip(*every, strict=True))) if every else Elsewhere((), ())


def examine(run: Run, config: Config) -> None:
    """Models that were trained anywhere, on the test sets alone; the first is what the others are held against."""
    examinees = scoring_of(config.evaluate)
    there = on_test_sets(run, config, examinees, config.evaluate.models)
    comparisons = run.stage("comparisons", compare, examinees, (), there.examined)
    run.stage("tables", analyse, analysing(config, examinees), (), there.scores, comparisons)
