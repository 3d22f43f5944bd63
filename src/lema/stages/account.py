"""Accounts: what each arm's training set holds, what it shares with the others, and what the teacher wrote for it.

    {"kind": "correction", "source": "corrections", "tokens": 51, "question": "37835c9b8f2262cb", …}, 65 more
    → {"arm": "lema", "examples": 66, "tokens": 3094, "teacher_tokens": 2549, "teacher_replies": 44, …}

One design decision: the bill of an arm is everything that was paid on the way to it, rejected replies, drafts
and votes included, so that arms can be compared at equal cost.
"""

from array import array
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import NamedTuple

import numpy as np

from lema.config import AccountConfig, AssembleConfig, BudgetConfig, Config
from lema.examples import critiques_needed, find_kind
from lema.records import Account, Correction, Critique, Example, Question, ReasoningPath
from lema.runs.context import StageContext
from lema.runs.spending import Allowance, Paid, alternately, writer_of
from lema.training import find_trainer
from lema.training.stream import epochs_of

VERSION = 2


def accounting(config: Config, sets: Iterable[AssembleConfig]) -> AccountConfig:
    """The accounts of all arms, whose training sets were made by these settings."""
    arms, table = tuple(sets), config.train
    return AccountConfig(
        arms=arms, budgets=tuple(config.budget_of(each.arm) for each in arms) if table else (),
        trainer=table.trainer if table else None, options=table.own if table else {},
        rounds=("", *config.evolve), purchases=config.cot.questions if config.cot else ())


def account(context: StageContext, settings: AccountConfig, sets: tuple[Iterable[Example], ...],
            bought: tuple[Iterable[ReasoningPath], ...], questions: tuple[Iterable[Question], ...],
            corrections: tuple[Iterable[Correction], ...],
            critiques: tuple[Iterable[Critique], ...]) -> Iterator[Account]:
    """One account per arm. `questions` and, where any were asked for, `corrections` stand in the order of
    `settings.rounds`, `bought` in that of `settings.purchases`, and `critiques` round by round in that of the
    purchases that the arms need."""
    takes = [take for arm in settings.arms for take in arm.take]
    judged = [(f"critiques {sort}", name) for name in settings.rounds for sort in critiques_needed(takes, name)]
    paid = dict(zip(judged, map(_Costs, critiques), strict=True))
    for name, rows in zip(settings.rounds, questions, strict=True):
        paid["questions", name] = _Costs(rows)
    for name, rows in zip(settings.rounds, corrections, strict=bool(corrections)):
        paid["corrections", name] = _Costs(rows)
    for name, rows in zip(settings.purchases, bought, strict=True):
        paid["bought", name] = _Costs(rows)

    held = [_SetCounts(arm.arm, rows) for arm, rows in zip(settings.arms, sets, strict=True)]
    for arm, ours, budget in zip(settings.arms, held, settings.budgets or [None] * len(held), strict=True):
        bill = array("q", _bill(arm, paid))
        yield Account(
            arm=arm.arm, examples=len(ours.lengths), questions=len(ours.questions),
            prompt_tokens=ours.prompt_tokens, tokens=sum(ours.tokens), teacher_tokens=sum(bill),
            teacher_replies=len(bill) - bill.count(0), kinds=dict(sorted(ours.kinds.items())),
            epochs=_epochs(settings, budget, ours),
            shared={other.arm: ours.shared(other) for other in held if other is not ours})


class _SetCounts:
    """What a training set holds, counted in one pass; ids as 64-bit numbers, 32 bytes an example."""

    def __init__(self, arm: str, examples: Iterable[Example]) -> None:
        self.arm, self.kinds = arm, Counter()
        self.tokens, self.lengths, ids, questions = array("q"), array("q"), array("q"), array("q")
        for example in examples:
            self.kinds[f"{example.kind} {example.source}"] += 1
            self.tokens.append(example.tokens)
            self.lengths.append(example.prompt_tokens + example.tokens)
            ids.append(hash(example.id))
            questions.append(hash(example.question))
        self.ids = np.unique(np.frombuffer(ids, np.int64))
        self.questions = np.unique(np.frombuffer(questions, np.int64))
        self.prompt_tokens = sum(self.lengths) - sum(self.tokens)

    def shared(self, other: "_SetCounts") -> tuple[int, int]:
        """How many examples and questions of this set the other has too."""
        return (len(np.intersect1d(self.ids, other.ids, assume_unique=True)),
                len(np.intersect1d(self.questions, other.questions, assume_unique=True)))


class _Reply(NamedTuple):
    """What is kept of a record that was paid for."""

    tokens: int
    prompt_tokens: int
    model: str


class _Costs:
    """What records of one sort cost, in their order, 18 bytes each; those that cost nothing are left out."""

    def __init__(self, rows: Iterable[Paid]) -> None:
        self._tokens, self._prompts, self._writer, self._names = array("q"), array("q"), array("H"), {}
        for row in rows:
            if row.tokens or row.prompt_tokens:
                self._tokens.append(row.tokens)
                self._prompts.append(row.prompt_tokens)
                self._writer.append(self._names.setdefault(writer_of(row), len(self._names)))

    def __iter__(self) -> Iterator[_Reply]:
        names = list(self._names)
        return map(_Reply, self._tokens, self._prompts, map(names.__getitem__, self._writer))


def _bill(arm: AssembleConfig, paid: dict[tuple[str, str], _Costs]) -> Iterator[int]:
    """The tokens of every teacher's reply that went into an arm. They are drawn on in the order of stages/
    assemble.py, so that a cap ends the bill at the reply at which it ends the set."""
    drawn = [paid["bought", name] for name in arm.purchases]
    for name in arm.rounds:
        needs = set().union(*(find_kind(take, arm.arm).needs for take in arm.take if take.round == name))
        if needs:
            drawn.append(paid["questions", name])
        if "corrections" in needs:
            drawn.append(paid.get(("corrections", name), ()))  # imported ones alone cost nothing here
        drawn.append(alternately([paid[f"critiques {sort}", name] for sort in critiques_needed(arm.take, name)]))
    for reply in Allowance(arm).pays(chain.from_iterable(drawn)):
        yield reply.tokens


def _epochs(settings: AccountConfig, budget: BudgetConfig | None, ours: _SetCounts) -> float | None:
    if budget is None:
        return None
    trainer = find_trainer(settings.trainer, settings.options)
    return round(epochs_of(ours.tokens, ours.lengths, budget, trainer.steps), 3)
