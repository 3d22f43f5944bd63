"""Accounts: what each arm's training set holds, and what the teacher wrote for it.

One design decision: the bill of an arm is everything that was paid on the way to it, rejected replies, drafts
and votes included, so that arms can be compared at equal cost.
"""

from collections import Counter
from collections.abc import Iterable, Iterator

from lema.records import Account, Correction, Example, Question, ReasoningPath
from lema.tables import AccountConfig, AssembleConfig
from lema.tools import Tools

VERSION = 1


def account(tools: Tools, settings: AccountConfig, sets: tuple[Iterable[Example], ...],
            bought: tuple[Iterable[ReasoningPath], ...], questions: tuple[Iterable[Question], ...],
            corrections: tuple[Iterable[Correction], ...]) -> Iterator[Account]:
    """One account per arm. `questions` and, where any were asked for, `corrections` stand in the order of
    `settings.rounds`."""
    paid_questions = {name: [q.tokens for q in rows if q.tokens]
                      for name, rows in zip(settings.rounds, questions, strict=True)}
    paid_corrections = {name: [c.tokens for c in rows]
                        for name, rows in zip(settings.rounds, corrections, strict=bool(corrections))}
    paid_paths = [path.tokens for rows in bought for path in rows]
    for arm, examples in zip(settings.arms, sets, strict=True):
        paid = _bill(arm, paid_questions, paid_corrections, paid_paths)
        yield _account(arm.arm, list(examples), paid)


def _bill(arm: AssembleConfig, questions: dict[str, list[int]], corrections: dict[str, list[int]],
          paths: list[int]) -> list[int]:
    """The tokens of every teacher's reply that went into an arm."""
    paid = []
    for name in {take.round for take in arm.take}:
        paid += questions[name]
    for name in {take.round for take in arm.take if take.kind != "cot"}:
        paid += corrections[name]
    if any(take.kind == "cot" and take.source == "teacher" for take in arm.take):
        paid += paths
    return paid


def _account(arm: str, examples: list[Example], paid: list[int]) -> Account:
    return Account(
        arm=arm, examples=len(examples), questions=len({e.question for e in examples}),
        prompt_tokens=sum(e.prompt_tokens for e in examples), tokens=sum(e.tokens for e in examples),
        teacher_tokens=sum(paid), teacher_replies=len(paid),
        kinds=dict(sorted(Counter(f"{e.kind} {e.source}" for e in examples).items())))
