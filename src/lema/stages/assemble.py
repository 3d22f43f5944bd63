"""Training sets: one per arm, made of what its table takes.

One design decision: every kind of example sees one question's case at a time, and a limit takes the first of an
order that content alone decides; so a bigger set contains the smaller one, and a set of any size is made on disk.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from functools import cache

from lema.config import AssembleConfig, Config, ImportConfig
from lema.errors import ConfigError, DataError
from lema.examples import Case, Kind, Words, cases, find_kind
from lema.examples.take import Take
from lema.plugins import near_miss
from lema.records import Example, Question, ReasoningPath, content_id
from lema.runs.context import StageContext
from lema.runs.prices import price_of
from lema.runs.spending import Allowance, alternately
from lema.scratch import IdTable, ScratchTable

VERSION = 2

Rows = tuple[Iterable, ...]
"""Questions, graded paths, verified corrections (an empty tuple where there are none), and the critiques taken."""

MADE_OF_PATHS = {"paths", "own", "corrections", "critiques right", "critiques wrong"}
"""Needs that graded paths are looked up for."""

REMEDIES = {"corrections": "a [correct] table, or imported corrections (lema import)",
            "own": "train.base among sample.models; where it is sampled under another name, take source = "
                   "\"sampled\" with models",
            "bought random": "a [cot] table with questions = [\"random\"]",
            "bought failed": "a [cot] table with questions = [\"failed\"]",
            "critiques right": "a [critique] table, or a [correct] table that stands for it",
            "critiques wrong": "a [critique] table, or a [correct] table that stands for it"}


def assembling(config: Config, arm: str) -> AssembleConfig:
    """What the arm's training set depends on, and nothing that it does not."""
    table, budget = config.arms[arm], config.budget_of(arm)
    needs = {need for take in table.take for need in find_kind(take, "take").needs}
    money = budget.money if budget else None
    return AssembleConfig(
        arm=arm, take=table.take, base=config.train.base if config.train else None,
        rounds=tuple(dict.fromkeys(("", *(take.round for take in table.take)))),
        purchases=tuple(name for name in (config.cot.questions if config.cot else ()) if f"bought {name}" in needs),
        teacher_tokens=budget.teacher_tokens if budget else None, money=money,
        prices=_prices(config, arm) if money else {})


def worked_alone(student: str) -> AssembleConfig:
    """The worked solutions, with which a grown student finishes."""
    return AssembleConfig(arm=f"{student} (finish)", take=(Take(kind="cot"),), base=student, rounds=("",))


def check_arms(config: Config, imported: Iterable[ImportConfig], corrections: bool) -> None:
    """ConfigError where an arm takes what the run never makes, so that it is told before anything runs.
    `corrections`: whether there will be any."""
    models = [*config.models, *(model for each in imported for model in each.models)]
    made = {"worked", "paths", *(f"bought {name}" for name in (config.cot.questions if config.cot else ()))}
    if corrections:
        made.add("corrections")
    if config.train is not None and config.train.base in config.sample.models:
        made.add("own")
    if config.critique is not None or config.correct is not None:
        made |= {"critiques right", "critiques wrong"}
    for arm, table in config.arms.items():
        for take in table.take:
            _check_take(arm, take, models, made)


def _check_take(arm: str, take: Take, models: list[str], made: set[str]) -> None:
    for model in take.models:
        if model not in models:
            raise ConfigError(f"arms.{arm}.take.models = {model!r} is no [models.X] and nothing imported"
                              f"{near_miss(model, models)}")
    for need in sorted(find_kind(take, f"arms.{arm}.take").needs - made):
        source = f" with source {take.own['source']!r}" if "source" in take.own else ""
        raise ConfigError(f"arms.{arm}.take: kind {take.kind!r}{source} needs {REMEDIES.get(need, need)}")


def _prices(config: Config, arm: str) -> dict[str, tuple[float, float]]:
    """What each teacher's tokens cost. ConfigError where that is not known."""
    teachers = [table.model for table in (config.correct, config.critique, config.cot, *config.evolve.values())
                if table]
    prices = {}
    for name in dict.fromkeys(teachers):
        price = price_of(config, name)
        if price is None:
            raise ConfigError(f"arms.{arm}.budget.money: the price of model {name!r} is not known; add a "
                              f"[prices.\"{config.models[name].own.get('model', name)}\"] table with input and "
                              "output, or give teacher_tokens instead")
        prices[name] = (price.input, price.output)
    return prices


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
        questions, graded, verified, *critiques = rows
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
