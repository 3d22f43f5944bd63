"""Accounts: what each arm's training set holds, what it shares with the others, and what the teacher wrote for it.

    {"kind": "correction", "source": "corrections", "tokens": 51, "question": "37835c9b8f2262cb", …}, 65 more
    → {"arm": "lema", "examples": 66, "tokens": 3094, "teacher_tokens": 2549, "teacher_replies": 44, …}

One design decision: the bill of an arm is everything that was paid on the way to it, rejected replies, drafts
and votes included, so that arms can be compared at equal cost.
"""

from array import array
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import partial
from itertools import chain, starmap
from operator import attrgetter

import numpy as np

from lema.chains import StepCorrection
from lema.config import AccountConfig, AssembleConfig, Config
from lema.examples import critiques_needed, find_kind
from lema.records import Account, Correction, Critique, Example, Question, ReasoningPath
from lema.runs.context import StageContext
from lema.runs.spending import Allowance, Paid, alternately, writer_of
from lema.training import find_trainer
from lema.training.stream import epochs_of

VERSION = 5

OF_PATHS = {"paths", "own", "corrections", "continued", "critiques right", "critiques wrong", "bought failed"}
"""Needs for which students were sampled."""


def accounting(config: Config, sets: Iterable[AssembleConfig]) -> AccountConfig:
    """The accounts of all arms, whose training sets were made by these settings."""
    whole = config.correct.models if config.correct else ()
    one_step = config.going_on.models if config.going_on else ()
    drawn_on = {"arms": tuple(sets), "rounds": ("", *config.evolve),
                "purchases": config.cot.questions if config.cot else (),
                "mistaken": {"corrections": whole, "continued": one_step or whole}}
    if config.train is None:
        return AccountConfig(**drawn_on)
    return AccountConfig(**drawn_on, budgets=tuple(map(config.budget_of, config.arms)),
                         trainers=tuple(map(config.trainer_of, config.arms)))


def account(context: StageContext, settings: AccountConfig, sets: tuple[Iterable[Example], ...],
            bought: tuple[Iterable[ReasoningPath], ...], questions: tuple[Iterable[Question], ...],
            corrections: tuple[Iterable[Correction], ...],
            critiques: tuple[Iterable[Critique], ...], graded: tuple[Iterable[ReasoningPath], ...] = (),
            continued: tuple[Iterable[StepCorrection], ...] = ()) -> Iterator[Account]:
    """One account per arm. `questions`, `graded` paths and, where any were asked for, `corrections` and one-step
    corrections (`continued`) stand in the order of `settings.rounds`, `bought` in that of `settings.purchases`,
    and `critiques` round by round in that of the purchases that the arms need."""
    takes = list(chain.from_iterable(map(attrgetter("take"), settings.arms)))
    judged = [(f"critiques {sort}", name) for name in settings.rounds for sort in critiques_needed(takes, name)]
    paid: dict[tuple[str, str], Iterable[Paid]] = dict(zip(judged, critiques, strict=True))
    nothing = ((),) * len(questions)
    for name, *rows in zip(settings.rounds, questions, corrections or nothing, continued or nothing, strict=True):
        paid["questions", name], paid["corrections", name], paid["continued", name] = rows
    sampled = dict(zip(settings.rounds, (_tokens_by_model(rows) for rows in graded or nothing), strict=True))
    for name, rows in zip(settings.purchases, bought, strict=True):
        paid["bought", name] = rows

    held = list(map(_SetCounts, settings.arms, sets))
    trainers = list(starmap(find_trainer, settings.trainers)) or [None] * len(held)
    budgets = settings.budgets or trainers
    for arm, ours, budget, trainer in zip(settings.arms, held, budgets, trainers, strict=True):
        tokens = replies = 0
        teachers: dict[str, tuple[int, int]] = {}
        repeated: Counter[str] = Counter()
        students = sum(_of_students(arm, sampled, settings.mistaken))
        for reply in Allowance(arm).pays(_drawn_on(arm, paid)):
            tokens += reply.tokens
            if reply.tokens or reply.prompt_tokens:
                read, written = teachers.get(writer_of(reply), (0, 0))
                teachers[writer_of(reply)] = (read + reply.prompt_tokens, written + reply.tokens)
                repeated[writer_of(reply)] += reply.repeated_tokens
            replies += reply.tokens > 0
            students += getattr(reply, "student_tokens", 0)
        yield Account(
            arm=arm.arm, examples=len(ours.lengths), questions=len(ours.questions),
            prompt_tokens=sum(ours.lengths) - sum(ours.tokens), tokens=sum(ours.tokens), teacher_tokens=tokens,
            teacher_replies=replies, teachers=teachers, repeated=dict(repeated), student_tokens=students,
            kinds=dict(sorted(ours.kinds.items())), overlong=ours.overlong,
            epochs=budget and round(epochs_of(ours.tokens, ours.lengths, budget, trainer.steps), 3),
            shared={other.arm: ours.shared(other) for other in held if other is not ours})


class _SetCounts:
    """What a training set holds, counted in one pass; ids as 64-bit numbers, 32 bytes an example."""

    def __init__(self, arm: AssembleConfig, examples: Iterable[Example]) -> None:
        self.arm, self.kinds, self.overlong = arm.arm, Counter(), 0
        self.tokens, self.lengths, ids, questions = array("q"), array("q"), array("q"), array("q")
        for example in examples:
            if example.rejected:
                self.overlong += 1
                continue
            self.kinds[f"{example.kind} {example.source}"] += 1
            self.tokens.append(example.tokens)
            self.lengths.append(example.prompt_tokens + example.tokens)
            ids.append(hash(example.id))
            questions.append(hash(example.question))
        self.ids = np.unique(np.frombuffer(ids, np.int64))
        self.questions = np.unique(np.frombuffer(questions, np.int64))

    def shared(self, other: "_SetCounts") -> tuple[int, int]:
        """How many examples and questions of this set the other has too."""
        return (len(np.intersect1d(self.ids, other.ids, assume_unique=True)),
                len(np.intersect1d(self.questions, other.questions, assume_unique=True)))


def _tokens_by_model(paths: Iterable[ReasoningPath]) -> Counter[str]:
    """What each model wrote of these paths."""
    tokens: Counter[str] = Counter()
    for path in paths:
        tokens[path.model] += path.tokens
    return tokens


def _of_students(arm: AssembleConfig, sampled: dict[str, Counter[str]], mistaken: dict[str, tuple[str, ...]]
                 ) -> Iterator[int]:
    """The tokens of the paths that an arm's lines look at, each round and model once: those that are trained on,
    corrected or judged, and those that say who failed. Of corrections those of the models whose mistakes they
    mend; a round of models trained in the run knows none by these names, and has all of its own corrected."""
    counted: set[tuple[str, str]] = set()
    for take in arm.take:
        needs = find_kind(take, arm.arm).needs
        if needs & OF_PATHS:
            own = "own" in needs and arm.base is not None
            (only, *further) = needs & OF_PATHS
            named = () if further else tuple(filter(sampled[take.round].__contains__, mistaken.get(only, ())))
            models = (arm.base,) if own else take.models or named or tuple(sampled[take.round])
            counted.update((take.round, model) for model in models)
    return (sampled[name][model] for name, model in counted)


def _drawn_on(arm: AssembleConfig, paid: dict[tuple[str, str], Iterable[Paid]]) -> Iterator[Paid]:
    """What went into an arm, in the order in which stages/assemble.py draws on it: so a cap ends the bill at the
    reply at which it ends the set."""
    for name in arm.purchases:
        yield from paid["bought", name]
    for name in arm.rounds:
        needs = set().union(*(find_kind(take, arm.arm).needs for take in arm.take if take.round == name))
        if needs:
            yield from paid["questions", name]
        if "corrections" in needs:
            yield from paid["corrections", name]
        if "continued" in needs:
            yield from paid["continued", name]
        costly = partial(filter, lambda reply: reply.tokens or reply.prompt_tokens)
        judged = (paid[f"critiques {sort}", name] for sort in critiques_needed(arm.take, name))
        yield from alternately(list(map(costly, judged)))
