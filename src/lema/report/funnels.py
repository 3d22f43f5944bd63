"""The funnel of a round, counted from rows: questions → paths → wrong → corrected → verified → trained on, and
beside it paths → critiques → trained on.

One design decision: nothing is counted while a run works; every figure here comes from the rows that stayed,
so that whoever recounts them finds the same.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import get_args

from lema.records import Correction, Critique, Example, Question, ReasoningPath
from lema.report import Funnel, Loss, Stage
from lema.steps import split_steps
from lema.tables import Sort


def funnel(name: str, questions: Iterable[Question], graded: Iterable[ReasoningPath],
           verified: Iterable[Correction], examples: Iterable[Example]) -> Funnel:
    """One round's funnel. `examples` are those of all arms: a kept correction in none of them was left out."""
    questions = [question for question in questions if question.split == "train"]
    verdicts, wrong = Counter(), []
    for path in graded:
        verdicts[path.verdict] += 1
        if path.verdict == "wrong":
            wrong.append((path.id, path.question, split_steps(path.text)))
    verified = list(verified)
    corrected = {correction.path for correction in verified}
    asked = {(question, steps) for path, question, steps in wrong if path in corrected}
    others = [(question, steps) for path, question, steps in wrong if path not in corrected]
    fresh = len(set(others) - asked)
    kept = [correction.id for correction in verified if correction.verified]
    used = {example.parent for example in examples}
    refused = Counter(correction.rejected for correction in verified if not correction.verified)
    return Funnel(name, (
        _questions(questions),
        Stage("paths sampled", verdicts.total()),
        Stage("wrong", len(wrong), _losses(Counter({_WORDS[v]: n for v, n in verdicts.items() if v != "wrong"}))),
        Stage("corrected", len(wrong) - len(others), _losses(Counter({
            "the same mistake again": len(others) - fresh, "not asked for (budget, or another model's)": fresh}))),
        *((Stage("replies", len(verified)),) if len(verified) > len(wrong) - len(others) else ()),
        Stage("verified", len(kept), _losses(refused)),
        Stage("trained on", sum(one in used for one in kept),
              _losses(Counter({"taken by no arm": sum(one not in used for one in kept)}))),
    ))


_WORDS = {"right": "right", "no_answer": "no answer", "truncated": "cut off", "ungradable": "could not be graded"}


def _questions(questions: list[Question]) -> Stage:
    refused = Counter(question.rejected for question in questions if question.rejected)
    return Stage("questions", len(questions) - refused.total(), _losses(refused))


def _losses(counted: Counter) -> tuple[Loss, ...]:
    return tuple(Loss(reason, count) for reason, count in sorted(counted.items(), key=lambda i: (-i[1], i[0]))
                 if count)


def critique_funnels(name: str, graded: Iterable[ReasoningPath], critiques: Iterable[Critique],
                     examples: Iterable[Example]) -> Iterator[Funnel]:
    """What became of the critiques of a round's paths, one funnel for each sort of path that was judged. Critiques
    of other rounds' paths are passed over."""
    judged = list(critiques)
    if not judged:
        return
    paths = {path.id: (path.verdict, path.question, split_steps(path.text)) for path in graded}
    used = {example.parent for example in examples}
    for sort in get_args(Sort):
        of_sort = [row for row in judged if row.verdict == sort and row.path in paths]
        if of_sort:
            alike = [path for path in paths.values() if path[0] == sort]
            yield _critiques(f"{name}: critiques of {sort} paths", alike, of_sort, used)


def _critiques(name: str, paths: list[tuple], critiques: list[Critique], used: set[str]) -> Funnel:
    read = [row for row in critiques if not row.rejected]
    agreeing = sum(row.said == row.verdict for row in read)
    repeats = len(paths) - len(set(paths))
    return Funnel(name, (
        Stage("paths", len(paths)),
        Stage("critiques", len(critiques), _losses(Counter({
            "the same path again": repeats,
            "not asked for (limit, budget, or another model's)": len(paths) - repeats - len(critiques)}))),
        Stage(f"can be read, {agreeing:,} of them agreeing with the grader", len(read),
              _losses(Counter(row.rejected for row in critiques if row.rejected))),
        Stage("trained on", sum(row.id in used for row in read),
              _losses(Counter({"taken by no arm": sum(row.id not in used for row in read)}))),
    ))
