"""What the arms of a run cannot do without: whether the run makes it, and the critiques that are bought for them.

One design decision: what a kind needs is asked of the kind, so that critiques are paid for only where a line of
some arm takes them, and an arm that takes what is never made is told so before anything runs.
"""

from pathlib import Path

from lema.config import Config, CritiqueConfig, CritiqueOneConfig
from lema.errors import ConfigError
from lema.examples import critiques_needed, find_kind
from lema.examples.take import Sort
from lema.plugins import near_miss
from lema.wiring import imports

REMEDIES = {"corrections": "a [correct] table, or imported corrections (lema import)",
            "own": "train.base among sample.models; where it is sampled under another name, take source = "
                   "\"sampled\" with models",
            "bought random": "a [cot] table with questions = [\"random\"]",
            "bought failed": "a [cot] table with questions = [\"failed\"]",
            "critiques right": "a [critique] table, or a [correct] table that stands for it",
            "critiques wrong": "a [critique] table, or a [correct] table that stands for it"}


def check_arms(config: Config, folder: Path, corrections: bool) -> None:
    """ConfigError where an arm takes what the run never makes. `corrections`: whether there will be any."""
    known = (*config.models, *(name for each in imports(folder) for name in each.models))
    critic = critic_of(config) is not None
    made = {"worked": True, "paths": True, "corrections": corrections,
            "own": config.train is not None and config.train.base in config.sample.models,
            "critiques right": critic, "critiques wrong": critic,
            **{f"bought {name}": True for name in (config.cot.questions if config.cot else ())}}
    for arm, table in config.arms.items():
        for take in table.take:
            for model in take.models:
                if model not in known:
                    raise ConfigError(f"arms.{arm}.take.models = {model!r} is no [models.X] and nothing imported"
                                      f"{near_miss(model, list(known))}")
            for need in sorted(find_kind(take, f"arms.{arm}.take").needs):
                if not made.get(need):
                    source = f" with source {take.own['source']!r}" if "source" in take.own else ""
                    raise ConfigError(f"arms.{arm}.take: kind {take.kind!r}{source} needs "
                                      f"{REMEDIES.get(need, need)}")


def critic_of(config: Config) -> CritiqueConfig | None:
    """Who writes critiques: the [critique] table, else the corrector as its own table says."""
    if config.critique is not None or config.correct is None:
        return config.critique
    asking = config.correct.model_dump(include=set(CritiqueConfig.model_fields) - {"prompt"})
    return CritiqueConfig(**asking)


def critiquing(config: Config, round_name: str) -> dict[Sort, CritiqueOneConfig]:
    """The purchases of critiques that the arms need from a round, by the sort of paths that are judged."""
    critic = critic_of(config)
    if critic is None:
        return {}
    if round_name and config.evolve[round_name].students:
        critic = critic.model_copy(update={"models": ()})  # models trained in the run, which no table can name
    takes = [take for table in config.arms.values() for take in table.take]
    asking = critic.model_dump()
    return {sort: CritiqueOneConfig(of=sort, **asking) for sort in critiques_needed(takes, round_name)}
