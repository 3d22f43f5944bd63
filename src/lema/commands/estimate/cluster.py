"""`lema estimate --cluster FILE`: how long a run's stages take on a cluster, and what its cards cost.

    [cluster]
    nodes = 8
    cards = 8                       # of a node
    dollars = 2.0                   # of a card's hour
    replies_per_s = 900             # what one driver settles: python bench/scale.py nodes
    [models.student]
    cards = 4                       # that one engine lies on
    prompt_tokens_per_s = 20_000    # of one engine
    tokens_per_s = 2_000
    measured = "vllm bench serve, our nodes, 3 May"
    [fits]
    cards = 8                       # of one fit
    tokens_per_s = 1_500            # prompts and completions, all cards of it together
    measured = "lema run on one node, 3 May"

One design decision: every rate is the user's own and says where it was measured; what has none is left out
and never guessed, because a plan is believed where its figures come from somewhere.
"""

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from pydantic import Field

from lema.errors import ConfigError
from lema.plugins import Settings, settings_of
from lema.runs.run import Stage
from lema.stages.train import train

if TYPE_CHECKING:
    from lema.commands.estimate import Figure

HOUR = 3600.0


class SizeConfig(Settings):
    """[cluster]"""

    nodes: int = Field(gt=0)
    cards: int = Field(gt=0, description="of a node")
    dollars: float = Field(ge=0, description="of a card's hour")
    replies_per_s: float | None = Field(default=None, gt=0, description="that one driver settles")


class RateConfig(Settings):
    """[models.X]: what one engine of a model was seen to do."""

    cards: int = Field(gt=0, description="that one engine lies on")
    prompt_tokens_per_s: float = Field(gt=0)
    tokens_per_s: float = Field(gt=0)
    measured: str = Field(min_length=8, description="where and how")


class FitRateConfig(Settings):
    """[fits]: what one fit was seen to do."""

    cards: int = Field(gt=0)
    tokens_per_s: float = Field(gt=0, description="prompts and completions")
    measured: str = Field(min_length=8, description="where and how")


class ClusterConfig(Settings):
    """The whole file."""

    cluster: SizeConfig
    models: dict[str, RateConfig] = Field(default_factory=dict)
    fits: FitRateConfig | None = None


class PlannedHours(NamedTuple):
    """A stage's time on the cluster; `replies_per_s` is what its engines together ask of the driver."""

    stage: str
    hours: float
    card_hours: float
    replies_per_s: float = 0.0


def read_cluster(path: Path) -> ClusterConfig:
    """ConfigError where the file cannot be read or says something else."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"--cluster {path}: cannot be read ({error}); give a TOML file of measured rates "
                          "(docs/scale.md)") from None
    cluster = settings_of(ClusterConfig, table, str(path))
    for name, rate in cluster.models.items():
        if rate.cards > cluster.cluster.cards:
            raise ConfigError(f"{path}: models.{name}.cards: an engine lies within one node, which has "
                              f"{cluster.cluster.cards} cards")
    return cluster


def planned(cluster: ClusterConfig, figures: "list[Figure]", stages: dict[str, Stage]) -> Iterator[PlannedHours]:
    """Each stage whose rate is known: asking ones with all engines that fit, fits as many at once as fit."""
    size = cluster.cluster
    for figure in figures:
        rate = cluster.models.get(figure.model)
        if rate is not None:
            engines = size.nodes * (size.cards // rate.cards)
            each = (figure.prompt_tokens / rate.prompt_tokens_per_s + figure.tokens / rate.tokens_per_s) / HOUR
            hours = each / engines
            per_s = figure.replies / (HOUR * hours) if hours else 0.0
            yield PlannedHours(f"{figure.stage} ({figure.model})", hours, each * rate.cards, per_s)
    yield from _fits(cluster, [stage for stage in stages.values() if stage.verb is train])


def _fits(cluster: ClusterConfig, fits: list[Stage]) -> Iterator[PlannedHours]:
    """Fits whose budget is in trained tokens; the others' length is not known before their sets are."""
    size, rate = cluster.cluster, cluster.fits
    budgets = [fit.settings.budget.tokens for fit in fits if fit.settings.budget.tokens]
    if rate is None or not budgets:
        return
    at_once = max(1, size.nodes * size.cards // rate.cards)
    each = sum(budgets) / rate.tokens_per_s / HOUR
    waves = -(-len(budgets) // at_once)
    yield PlannedHours(f"{len(budgets)} fits", waves * each / len(budgets), each * rate.cards)


def cluster_in_words(cluster: ClusterConfig, figures: "list[Figure]", stages: dict[str, Stage]) -> str:
    """The plan for a terminal: hours and money by stage, what was left out, and what gives way first."""
    size, lines, rows = cluster.cluster, [], list(planned(cluster, figures, stages))
    lines.append(f"{size.nodes} nodes of {size.cards} cards at ${size.dollars:g} a card's hour")
    lines.append(f"{'stage':40} {'hours':>9} {'card hours':>12} {'cost':>12} {'replies/s':>10}")
    for row in rows:
        cost = f"${row.card_hours * size.dollars:,.2f}"
        lines.append(f"{row.stage:40} {row.hours:>9,.2f} {row.card_hours:>12,.1f} {cost:>12} "
                     f"{row.replies_per_s:>10,.0f}")
    hours, cards = sum(row.hours for row in rows), sum(row.card_hours for row in rows)
    lines.append(f"{'in all, one stage after the other':40} {hours:>9,.2f} {cards:>12,.1f} "
                 f"{f'${cards * size.dollars:,.2f}':>12}")
    without = {figure.model for figure in figures} - set(cluster.models)
    if without:
        lines.append(f"without a rate, and not in this table: {', '.join(sorted(without))}")
    if cluster.fits is None and any(stage.verb is train for stage in stages.values()):
        lines.append("without a rate, and not in this table: the fits; add [fits]")
    lines += _first_to_give_way(size, rows)
    measured = {name: rate.measured for name, rate in cluster.models.items()}
    measured |= {"fits": cluster.fits.measured} if cluster.fits else {}
    return "\n".join([*lines, *(f"{name}: {where}" for name, where in measured.items())])


def _first_to_give_way(size: SizeConfig, rows: list[PlannedHours]) -> Iterator[str]:
    """Which stage comes nearest to what one driver settles, and at how many nodes it gets there."""
    busiest = max(rows, key=lambda row: row.replies_per_s, default=None)
    if busiest is None or not busiest.replies_per_s or size.replies_per_s is None:
        return
    share = busiest.replies_per_s / size.replies_per_s
    nodes = size.nodes / share
    yield (f"first to give way: the driver, which settles {size.replies_per_s:,.0f} replies/s; {busiest.stage} "
           f"asks {busiest.replies_per_s:,.0f}/s of it ({share:.0%}), and all of it at {nodes:,.0f} nodes")
