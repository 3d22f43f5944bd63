"""Training sets: one per arm, made of what its table takes.

    {"path": "113b64d5f66f8a9a", "step": 1, "explanation": "This step…", "steps": ["Sam = Mia * 2…", …], …}
    → {"kind": "correction", "prompt": "…Wrong Solution:…", "completion": " Step 1.\\nExplanation:…", …}

One design decision: every kind of example sees one question's case at a time, and a limit takes the first of an
order that content alone decides; so a bigger set contains the smaller one, and a set of any size is made on disk.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from functools import cache
from itertools import chain
from operator import attrgetter

from lema.config import AssembleConfig, Config, GrowConfig, ImportConfig
from lema.errors import ConfigError, DataError
from lema.examples import Case, Kind, Words, cases, find_kind
from lema.examples.take import Take
from lema.plugins import near_miss
from lema.records import Example, ReasoningPath, content_id
from lema.runs.context import StageContext
from lema.runs.prices import price_of
from lema.runs.spending import Allowance, alternately
from lema.scratch import IdTable, ScratchTable, by_field
from lema.training import dropped_above

VERSION = 4

Rows = tuple[Iterable, ...]
"""Questions, graded paths, verified corrections, one-step corrections (an empty tuple where there are none), and
the critiques taken."""

MADE_OF_PATHS = {"paths", "own", "corrections", "critiques right", "critiques wrong"}
"""Needs that graded paths are looked up for."""

REMEDIES = {
    "corrections": 'a [correct] table, of whole corrections (extent = "whole"), or imported ones (lema import)',
    "continued": 'a [continue] table, or extent = "step" in [correct]',
    "own": 'train.base among sample.models; where it is sampled under another name, take source = "sampled" '
           "with models",
    "bought random": 'a [cot] table with questions = ["random"]',
    "bought failed": 'a [cot] table with questions = ["failed"]',
    "critiques right": "a [critique] table, or a [correct] table that stands for it",
    "critiques wrong": "a [critique] table, or a [correct] table that stands for it",
}


def assembling(config: Config, arm: str) -> AssembleConfig:
    """What the arm's training set depends on, and nothing that it does not."""
    takes, budget = config.arms[arm].take, config.budget_of(arm)
    needs = set().union(*(find_kind(take, "take").needs for take in takes))
    purchases, money = config.cot.questions if config.cot else (), budget and budget.money
    return AssembleConfig(
        arm=arm, take=takes, base=config.train.base if config.train else None,
        longest=dropped_above(*config.trainer_of(arm)) if config.train else None,
        rounds=tuple(dict.fromkeys(("", *map(attrgetter("round"), takes)))),
        purchases=tuple(filter(lambda name: f"bought {name}" in needs, purchases)),
        teacher_tokens=budget and budget.teacher_tokens, money=money, prices=_prices(config, arm) if money else {})


def worked_alone(name: str, student: GrowConfig) -> AssembleConfig:
    """The worked solutions, with which a grown student finishes."""
    return AssembleConfig(arm=f"{name} (finish)", take=(Take(kind="cot"),), base=name, rounds=("",),
                          longest=dropped_above(student.trainer, student.finish.options))


def check_arms(config: Config, imported: Iterable[ImportConfig], corrections: bool,
               continued: bool = False) -> None:
    """ConfigError where an arm takes what the run never makes, so that it is told before anything runs.
    `corrections`, `continued`: whether there will be any, whole ones and of one step."""
    models = [*config.models, *chain.from_iterable(map(attrgetter("models"), imported))]
    made = {"worked", "paths", *map("bought {}".format, config.cot.questions if config.cot else ())}
    made |= {"corrections"} if corrections else set()
    made |= {"continued"} if continued else set()
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
    prices = {}
    tables = (config.correct, config.going_on, config.critique, config.cot, *config.evolve.values())
    for model in filter(None, (table.model for table in filter(None, tables))):
        price = price_of(config, model)
        if price is None:
            name = config.models[model].own.get("model", model)
            raise ConfigError(f"arms.{arm}.budget.money: the price of model {model!r} is not known; add a "
                              f"[prices.\"{name}\"] table with input and output, or give teacher_tokens instead")
        prices[model] = (price.input, price.output)
    return prices


def assemble(context: StageContext, settings: AssembleConfig, bought: tuple[Iterable[ReasoningPath], ...],
             *rounds: Rows) -> Iterator[Example]:
    """The arm's examples, each once, with their tokens counted as the base's tokenizer counts them.

    `rounds` are the rows of `settings.rounds` in that order, `bought` the graded paths of `settings.purchases`.
    Where the bill is capped, it draws on what that much bought: purchases first, then round by round questions,
    corrections, one-step corrections and critiques, of right and wrong paths in turn. A row that is too long for
    the student is yielded with `rejected`, and trained on by nobody. DataError where nothing is left.
    """
    lines, count, done = [], _counter(context, settings), 0
    words = Words(lambda question: "\n\n".join(map(attrgetter("content"), context.task.prompt(question))),
                  cache(context.prompt), settings.base)
    with ExitStack() as open_:
        seen = open_.enter_context(IdTable(context.folder))  # two lines may give the same example
        for take in settings.take:
            table = open_.enter_context(ScratchTable(context.folder, Example))
            lines.append((take, find_kind(take, f"arms.{settings.arm}.take"), table))
        for name, case in _cases(context, settings, lines, bought, rounds, open_):
            for take, kind, table in lines:
                if take.round == name:
                    table.fill(_keyed(take, _of_training(settings, case, kind.make(case.of(take.models), words))))
        for take, _, table in lines:
            for example in _limited(take, table, count):
                if seen.add(example.id):
                    done += not example.rejected
                    yield example
                    context.show(done)
    if not done:
        raise DataError(f"arm {settings.arm}: no training example is left; see `lema show` for where they went, "
                        "or sample more paths")


def _cases(context: StageContext, settings: AssembleConfig, lines: list[tuple[Take, Kind, ScratchTable]],
           bought: tuple[Iterable[ReasoningPath], ...], rounds: tuple[Rows, ...],
           open_: ExitStack) -> Iterator[tuple[str, Case]]:
    """(round, case); only the rows that some kind needs are read."""
    # The cap is spent in the order in which rows are read here. Purchases come first because the cases of every
    # round look worked solutions up in them, so they are on disk before the first case is made.
    allowance, solutions = Allowance(settings), {}
    for name, paths in zip(settings.purchases, bought, strict=True):
        solutions[name] = open_.enter_context(
            by_field("question", context.folder, ReasoningPath, allowance.pays(paths)))
    for name, (questions, graded, verified, continued, *critiques) in zip(settings.rounds, rounds, strict=True):
        needs = set().union(*(kind.needs for take, kind, _ in lines if take.round == name))
        if needs:
            for case in cases(context.folder, allowance.pays(questions),
                              graded if needs & MADE_OF_PATHS else (),
                              allowance.pays(verified) if "corrections" in needs else (),
                              allowance.pays(continued) if "continued" in needs else (),
                              allowance.pays(alternately(critiques)), solutions):
                yield name, case


def _of_training(settings: AssembleConfig, case: Case, examples: Iterable[Example]) -> Iterator[Example]:
    """The examples of a case. DataError where its question belongs to an examination."""
    for example in examples:
        if case.question.split != "train":
            raise DataError(f"arm {settings.arm}: {case.question.source or case.question.id} is a "
                            f"{case.question.split} question; nothing about it may be trained on, so sample the "
                            "training questions only")
        yield example


def _keyed(take: Take, examples: Iterable[Example]) -> list[tuple[str, Example]]:
    """The distinct examples of one question under the keys that order all, at most `per_question` of them."""
    # A key is a hash of what the example says: a limit takes the first of that order, which is as good as drawn at
    # random, is the same in every run, and keeps what it has when the limit is raised.
    by_key = {content_id("limit", example.id): example for example in examples}
    return sorted(by_key.items())[:take.per_question]


def _limited(take: Take, table: ScratchTable[Example], count: Callable[[Example], Example]) -> Iterator[Example]:
    """The first examples in the order of their keys, at most `limit` of them and `tokens` trained tokens; those
    that are rejected take nobody's place."""
    taken = spent = 0
    for _, (*_, example) in table.groups():
        counted = count(example)
        if not counted.rejected:
            taken, spent = taken + 1, spent + counted.tokens
        if (take.limit and taken > take.limit) or (take.tokens and spent > take.tokens):
            return
        yield counted


def _counter(context: StageContext, settings: AssembleConfig) -> Callable[[Example], Example]:
    """An example with its tokens, and rejected where they are too many; as it is where no student is named that
    could count."""
    if settings.base is None:
        if any(map(attrgetter("tokens"), settings.take)):
            raise DataError(f"arm {settings.arm}: a limit in tokens needs train.base, whose tokenizer counts them")
        return lambda example: example
    from lema.checkpoints import find_checkpoint, positions
    from lema.training.sft import count_tokens

    folder = find_checkpoint(str(context.checkpoint(settings.base)))
    tokens_of = count_tokens(folder, context.form(settings.base))
    longest = settings.longest and min(settings.longest, positions(folder))

    def counted(example: Example) -> Example:
        prompt_tokens, tokens = tokens_of(example)
        length = prompt_tokens + tokens
        rejected = f"{length:,} tokens, more than {longest:,}" if longest and length > longest else ""
        return replace(example, prompt_tokens=prompt_tokens, tokens=tokens, rejected=rejected)

    return counted
