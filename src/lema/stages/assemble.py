"""Training sets: one per arm, made of what its table takes.

One design decision: every kind of example sees one question's case at a time, and a limit takes the first of an
order that content alone decides; so a bigger set contains the smaller one, and a set of any size is made on disk.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from functools import cache

from lema.config import AssembleConfig
from lema.errors import DataError
from lema.examples import Case, Kind, Words, cases, find_kind
from lema.examples.take import Take
from lema.records import Example, Question, ReasoningPath, content_id
from lema.runs.context import StageContext
from lema.runs.spending import Allowance, alternately
from lema.scratch import IdTable, ScratchTable

VERSION = 2

Rows = tuple[Iterable, ...]
"""Questions, graded paths, verified corrections, critiques; what is not there, or not taken, is left out at the
end, and is an empty tuple before that."""

MADE_OF_PATHS = {"paths", "own", "corrections", "critiques right", "critiques wrong"}
"""Needs that graded paths are looked up for."""


def assemble(context: StageContext, settings: AssembleConfig, bought: tuple[Iterable[ReasoningPath], ...],
             *rounds: Rows) -> Iterator[Example]:
    """The arm's examples, each once, with their tokens counted as the base's tokenizer counts them.

    `rounds` are the rows of `settings.rounds` in that order, `bought` the graded paths of `settings.purchases`.
    Where the arm's bill is capped, it draws on what that much bought: purchases first, then round by
    round the questions, the corrections and the critiques, of right and wrong paths in turn. DataError where
    nothing is left.
    """
    kinds = [find_kind(take, f"arms.{settings.arm}.take") for take in settings.take]
    count = _counter(context, settings)
    words = Words(lambda question: _asked(context, question), cache(context.prompt), settings.base)
    with ExitStack() as open_:
        made = [open_.enter_context(ScratchTable(context.folder, Example)) for _ in kinds]
        for name, case in _cases(context, settings, kinds, bought, rounds, open_):
            for take, kind, shelf in zip(settings.take, kinds, made, strict=True):
                if take.round == name:
                    shelf.fill(_chosen(take, kind.make(case.of(take.models), words)))
        seen, done = open_.enter_context(IdTable(context.folder)), 0
        for take, shelf in zip(settings.take, made, strict=True):
            for example in _limited(take, shelf, count):
                if seen.add(example.id):
                    done += 1
                    yield example
                    context.show(done)
    if not done:
        raise DataError(f"arm {settings.arm}: no training example is left; see `lema show` for where they went, "
                        "or sample more paths")


def _cases(context: StageContext, settings: AssembleConfig, kinds: list[Kind], bought: tuple[Iterable[ReasoningPath], ...],
           rounds: tuple[Rows, ...], open_: ExitStack) -> Iterator[tuple[str, Case]]:
    """(round, case); only the rows that some kind needs are read."""
    allowance = Allowance(settings)
    shelves = {name: open_.enter_context(ScratchTable(context.folder, ReasoningPath)).fill(
        (path.question, path) for path in allowance.pays(paths))
        for name, paths in zip(settings.purchases, bought, strict=True)}
    for name, rows in zip(settings.rounds, rounds, strict=True):
        needs = {need for take, kind in zip(settings.take, kinds, strict=True) if take.round == name
                 for need in kind.needs}
        questions, graded, verified, *critiques = (*rows, (), ())[:max(3, len(rows))]
        if needs:
            here = cases(context.folder, allowance.pays(questions),
                         graded if needs & MADE_OF_PATHS else (),
                         allowance.pays(verified) if "corrections" in needs else (),
                         allowance.pays(alternately(critiques)), shelves)
            yield from ((name, case) for case in here)


def _chosen(take: Take, examples: Iterator[Example]) -> Iterator[tuple[str, Example]]:
    """The distinct examples of one question under the key that orders all, at most `per_question` of them."""
    keyed = ((content_id("limit", example.id), example) for example in {e.id: e for e in examples}.values())
    return iter(sorted(keyed, key=lambda pair: pair[0])[:take.per_question])


def _limited(take: Take, shelf: ScratchTable[Example], count: Callable[[Example], tuple[int, int]]) -> Iterator[Example]:
    """The first examples in the order of their keys, at most `limit` of them and `tokens` trained tokens."""
    taken = spent = 0
    for _, (*_, example) in shelf.groups():
        prompt_tokens, tokens = count(example)
        taken, spent = taken + 1, spent + tokens
        if (take.limit and taken > take.limit) or (take.tokens and spent > take.tokens):
            return
        yield replace(example, prompt_tokens=prompt_tokens, tokens=tokens)


def _asked(context: StageContext, question: Question) -> str:
    return "\n\n".join(message.content for message in context.task.prompt(question))


def _counter(context: StageContext, settings: AssembleConfig) -> Callable[[Example], tuple[int, int]]:
    """Counts (prompt tokens, trained tokens); zeros where no student is named that could count."""
    if settings.base is None:
        if any(take.tokens for take in settings.take):
            raise DataError(f"arm {settings.arm}: a limit in tokens needs train.base, whose tokenizer counts them")
        return lambda example: (0, 0)
    from lema.training.sft import count_tokens

    return count_tokens(context.checkpoint(settings.base))
