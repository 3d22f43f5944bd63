"""Accounts: what each arm's training set holds, what it shares with the others, and what the teacher wrote for it.

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
    paid = {("questions", name): _Costs(row for row in rows if row.tokens or row.prompt_tokens)
            for name, rows in zip(settings.rounds, questions, strict=True)}
    paid |= {("corrections", name): _Costs(rows)
             for name, rows in zip(settings.rounds, corrections, strict=bool(corrections))}
    paid |= {("bought", name): _Costs(rows) for name, rows in zip(settings.purchases, bought, strict=True)}
    takes = [take for arm in settings.arms for take in arm.take]
    judged = [(f"critiques {sort}", name) for name in settings.rounds for sort in critiques_needed(takes, name)]
    paid |= {purchase: _Costs(rows) for purchase, rows in zip(judged, critiques, strict=True)}
    held = [_Held(arm.arm, rows) for arm, rows in zip(settings.arms, sets, strict=True)]
    budgets = settings.budgets or [None] * len(held)
    for arm, ours, budget in zip(settings.arms, held, budgets, strict=True):
        bill = array("q", _bill(arm, paid))
        yield Account(
            arm=arm.arm, examples=len(ours.lengths), questions=len(ours.questions),
            prompt_tokens=ours.prompt_tokens, tokens=sum(ours.tokens), teacher_tokens=sum(bill),
            teacher_replies=sum(1 for cost in bill if cost),
            kinds=dict(sorted(ours.kinds.items())), epochs=_epochs(settings, budget, ours),
            shared={other.arm: ours.shared(other) for other in held if other is not ours})


class _Held:
    """What a training set holds, counted in one pass; ids as 64-bit numbers, 32 bytes an example."""

    def __init__(self, arm: str, examples: Iterable[Example]) -> None:
        self.arm, self.kinds = arm, Counter()
        self.tokens, self.lengths, ids, questions = (array("q") for _ in range(4))
        for example in examples:
            self.kinds[f"{example.kind} {example.source}"] += 1
            self.tokens.append(example.tokens)
            self.lengths.append(example.prompt_tokens + example.tokens)
            ids.append(hash(example.id))
            questions.append(hash(example.question))
        self.ids, self.questions = (np.unique(np.frombuffer(each, np.int64)) for each in (ids, questions))
        self.prompt_tokens = sum(self.lengths) - sum(self.tokens)

    def shared(self, other: "_Held") -> tuple[int, int]:
        """How many examples and questions of this set the other has too."""
        return tuple(len(np.intersect1d(mine, theirs, assume_unique=True)) for mine, theirs in
                     ((self.ids, other.ids), (self.questions, other.questions)))


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
        return (_Reply(tokens, prompts, names[writer]) for tokens, prompts, writer in zip(
            self._tokens, self._prompts, self._writer, strict=True))


def _bill(arm: AssembleConfig, paid: dict[tuple[str, str], _Costs]) -> Iterator[int]:
    """The tokens of every teacher's reply that went into an arm, in the order in which they are drawn on."""
    needs = {(need, take.round) for take in arm.take for need in find_kind(take, arm.arm).needs}
    drawn = [paid.get(("bought", name), []) for name in arm.purchases]
    for name in arm.rounds:
        if any(round_ == name for _, round_ in needs):
            drawn.append(paid.get(("questions", name), []))
        if ("corrections", name) in needs:
            drawn.append(paid.get(("corrections", name), []))
        drawn.append(alternately([paid[f"critiques {sort}", name] for sort in critiques_needed(arm.take, name)]))
    return (reply.tokens for reply in Allowance(arm).pays(chain.from_iterable(drawn)))


def _epochs(settings: AccountConfig, budget: BudgetConfig | None, ours: _Held) -> float | None:
    if budget is None:
        return None
    trainer = find_trainer(settings.trainer, settings.options)
    return round(epochs_of(ours.tokens, ours.lengths, budget, trainer.steps), 3)
