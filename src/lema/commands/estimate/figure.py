"""What a stage is estimated to write and cost, and what both ways of estimating ask of a stage.

One design decision: how many requests a stage makes is asked of the stage's own module (lema.runs.workload); here
stands only how stages hang together.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from math import inf

from lema.config import Config
from lema.records import Question
from lema.runs.bills import ancestors
from lema.runs.prices import HERE, Price, price_of
from lema.runs.run import Stage
from lema.runs.workload import module_of
from lema.stages.evolve import evolve

UNPRICED = (None, None, None)
"""Dollars, and their ends, of what has no known price."""


@dataclass(frozen=True)
class Figure:
    """What one model will write for one stage: mean and 95 % interval. `dollars` None: price unknown."""

    stage: str
    model: str
    replies: float
    prompt_tokens: float
    tokens: float
    low: float  # tokens, prompts included
    high: float
    dollars: float | None
    dollars_low: float | None
    dollars_high: float | None
    here: bool


def line_of(stage: Stage) -> list[Stage]:
    """Everything that the stage is made of, and the stage itself."""
    return [*ancestors(stage), stage]


def drafts_of(stage: Stage) -> Stage | None:
    """The drafts of the evolved round that the stage belongs to; None in the first round."""
    return next((each for each in reversed(line_of(stage)) if each.verb is evolve), None)


def units_of(stage: Stage, questions: Iterable[Question]) -> int:
    return module_of(stage).units(stage.settings, questions)


def price_in_run(stage: Stage, model: str, config: Config) -> Price | None:
    """What a model's tokens cost; a model that this run makes is computed here."""
    return HERE if isinstance(stage.models[model], Stage) else price_of(config, model)


def is_here(price: Price | None) -> bool:
    return price is not None and price.here


def cap_of(stage: Stage) -> float:
    """The budget of a stage in tokens; where it is what corrections will cost, there is none to reckon with."""
    tokens = getattr(stage.settings, "tokens", None)
    return tokens if isinstance(tokens, int) else inf
