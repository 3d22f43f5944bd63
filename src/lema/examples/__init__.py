"""Kinds of training examples: what a question, its paths and its corrections become when an arm takes them.

One design decision: a kind is one file with a `Settings` (its own keys in a line of `take`) and a `Kind` that sees
one question with everything known about it at a time; so a rival method is a short file, a user's own kind is a
dotted path, and a training set of any size is built in little memory.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import NamedTuple, Protocol, get_args

from lema.chains import StepCorrection
from lema.errors import ConfigError
from lema.examples.take import Sort, Take
from lema.plugins import find, near_miss, settings_of
from lema.prompting import Prompt
from lema.records import Correction, Critique, Example, Question, ReasoningPath
from lema.replies import rejoin, split_steps
from lema.scratch import ScratchTable


class Corrected(NamedTuple):
    """A correction that could be read, and the wrong path that it is about."""

    correction: Correction
    mistake: ReasoningPath

    @property
    def wrong_steps(self) -> tuple[str, ...]:
        """The steps of the wrong path."""
        return split_steps(self.mistake.text)

    @property
    def begins(self) -> int:
        """The number of the path's step from which on the corrected steps stand: the named one, or an earlier one
        where the corrector went back further (the `kept` check lets none of these through)."""
        step = self.correction.step or 1
        return min(step, self.correction.first_number or step, len(self.wrong_steps) + 1)

    @property
    def whole(self) -> tuple[str, ...]:
        """The corrected path from its first step on; an answer without steps is written anew as a whole."""
        if self.correction.step is None:
            return self.correction.steps
        return rejoin(self.wrong_steps, self.begins, self.correction.steps)


class Criticised(NamedTuple):
    """A critique that could be read, and the path that it judges."""

    critique: Critique
    path: ReasoningPath


@dataclass(frozen=True, slots=True)
class Case:
    """What one round knows about one question."""

    question: Question
    paths: tuple[ReasoningPath, ...] = ()  # graded, of every sampled model
    corrections: tuple[Corrected, ...] = ()  # the refused ones too
    bought: dict[str, tuple[ReasoningPath, ...]] = field(default_factory=dict)  # purchase -> graded paths
    critiques: tuple[Criticised, ...] = ()
    continued: tuple[StepCorrection, ...] = ()  # chain by chain, the failed ones too

    @property
    def kept(self) -> tuple[Corrected, ...]:
        """The verified corrections of paths in steps."""
        return tuple(kept for kept in self.corrections if kept.correction.verified and kept.correction.step)

    @property
    def rewritten(self) -> tuple[Corrected, ...]:
        """The verified corrections of paths without steps."""
        return tuple(kept for kept in self.corrections if kept.correction.verified and not kept.correction.step)

    def of(self, models: tuple[str, ...]) -> "Case":
        """The same with the paths and mistakes of these models only (all, where none is named)."""
        if not models:
            return self
        return replace(self, paths=tuple(path for path in self.paths if path.model in models),
                       corrections=tuple(row for row in self.corrections if row.mistake.model in models),
                       critiques=tuple(row for row in self.critiques if row.path.model in models),
                       continued=tuple(row for row in self.continued if row.student in models))


def cases(folder: Path, questions: Iterable[Question], graded: Iterable[ReasoningPath],
          verified: Iterable[Correction], continued: Iterable[StepCorrection], critiques: Iterable[Critique],
          bought: dict[str, ScratchTable]) -> Iterator[Case]:
    """One case per question, in the order of their ids; rows of unknown questions are left out.

    Rows come as their stages wrote them, model by model and reply by reply; so they are put aside on disk under
    their question's id and read back question by question. Paths are put before what is about them.
    """
    with ScratchTable(folder, Question, ReasoningPath, Correction, StepCorrection, Critique) as table:
        for question in questions:
            table.put(question.id, question)
        table.fill((row.question, row) for row in chain(graded, verified, continued, critiques))
        for _, records in table.groups():
            if isinstance(records[0], Question):
                yield _case(records, bought)


def _case(records: list, bought: dict[str, ScratchTable]) -> Case:
    question, *rows = records
    paths, corrections, critiques, continued = [], [], [], []
    path_of: dict[str, ReasoningPath] = {}
    for row in rows:
        if isinstance(row, ReasoningPath):
            paths.append(row)
            path_of[row.id] = row
        elif isinstance(row, Correction) and row.steps:
            corrections.append(Corrected(row, path_of[row.path]))
        elif isinstance(row, StepCorrection):
            continued.append(row)
        elif isinstance(row, Critique) and not row.rejected:
            critiques.append(Criticised(row, path_of[row.path]))
    purchases = {name: tuple(table.under(question.id)) for name, table in bought.items()}
    return Case(question, tuple(paths), tuple(corrections), purchases, tuple(critiques), tuple(continued))


class Words(NamedTuple):
    """How a kind puts things: the task's question, the prompts by name, and whose paths are the student's own."""

    ask: Callable[[Question], str]
    prompt: Callable[[str], Prompt]
    base: str | None


class Kind(Protocol):
    """What a module's `Kind(settings)` must do; tests/contracts/test_examples.py asks it of every one.

    `needs` names what it cannot do without: "worked", "paths", "own" (paths of the base), "corrections",
    "continued", "critiques right", "critiques wrong", or "bought <purchase>". What it needs is also what its arm
    is billed for. `prompts` names the prompt files that it renders.
    """

    needs: frozenset[str]
    prompts: tuple[str, ...]

    def make(self, case: Case, words: Words) -> Iterator[Example]:
        """The examples of one question; repeats are left out by who asks."""


def find_kind(take: Take, where: str) -> Kind:
    """The kind that a line of `take` names, built from the line's own keys. ConfigError names `where` and the
    key."""
    module = find("examples", take.kind, "Kind")
    for key in take.own:
        if key not in module.Settings.model_fields:
            keys = [*module.Settings.model_fields, *Take.model_fields]
            raise ConfigError(f"{where}.{key}: unknown key{near_miss(key, keys)}")
    return module.Kind(settings_of(module.Settings, take.own, where))


def needs_of(takes: Iterable[Take], round_: str) -> set[str]:
    """What these lines cannot do without of a round."""
    needs: set[str] = set()
    for take in takes:
        if take.round == round_:
            needs.update(find_kind(take, "take").needs)
    return needs


def is_bought(arms: Iterable[Iterable[Take]], need: str, round_: str) -> bool:
    """Whether corrections of a round are to be asked for. The first questions' always are: evolution grows from
    them. A later round's are where some arm takes them, or where there is no arm and the run is made for them."""
    takes = list(chain.from_iterable(arms))
    return not round_ or not takes or need in needs_of(takes, round_)


def critiques_needed(takes: Iterable[Take], round_: str) -> tuple[Sort, ...]:
    """The sorts of paths whose critiques some of these lines take from a round, right ones first."""
    needs = needs_of(takes, round_)
    return tuple(sort for sort in get_args(Sort) if f"critiques {sort}" in needs)
