"""The funnels of a run as an entrance: each count and each loss leads to the rows behind it.

One design decision: the figures are those of the report's own functions, and a link is made of the words that the
index has of a row; tests/commands/view counts that both agree, link by link.
"""

from dataclasses import asdict, dataclass
from pathlib import Path

from lema.commands.view.index import CORRECTED, TRAINED_ON
from lema.commands.view.query import Query
from lema.config import Config
from lema.pipeline import Round, gathered
from lema.records import Example
from lema.report import Funnel
from lema.report.funnels import (
    BY_NO_ARM,
    NOT_ASKED,
    OTHER_VERDICTS,
    SAME_AGAIN,
    critique_funnels,
    funnel,
    one_step_funnel,
    parents,
    seeds_of,
)
from lema.runs.run import Run, Stage

VERDICTS = {words: verdict for verdict, words in OTHER_VERDICTS.items()}


@dataclass(frozen=True)
class LinkedCount:
    """A figure of a funnel; `address` is the query of the page with its rows, empty where there are none."""

    name: str
    count: int
    address: str
    losses: tuple["LinkedCount", ...] = ()


def linked_funnels(folder: Path, config: Config, done: dict[str, Stage]) -> list[dict]:
    """Every funnel of what is done, JSON-ready: {"name", "stages": [{"name", "count", "address", "losses"}]}."""
    used = parents(stage for stage in done.values() if stage.kind is Example)
    linked = []
    for name, each in gathered(Run(folder, lambda planned: None, config), config).rounds.items():
        if each.graded.name in done:
            linked += _of_round(name or "The questions of the task", each, done, used, seeds_of(config, name))
    return linked


def _of_round(title: str, each: Round, done: dict[str, Stage], used, seeds: int) -> list[dict]:
    verified = each.verified if each.verified and each.verified.name in done else None
    counted = funnel(title, each.questions, each.graded, verified or (), used, seeds)
    linked = [_linked(counted, _first_half(each, verified))]
    if each.continued and each.continued.name in done:
        for counted in one_step_funnel(title, each.graded, each.continued, used):
            linked.append(_linked(counted, _one_step(each)))
    for sort, stage in each.critiques.items():
        if stage.name in done:
            for counted in critique_funnels(title, each.graded, stage, used):
                linked.append(_linked(counted, _judged(sort, each, stage)))
    return linked


Links = dict[str, tuple[str, dict[str, str] | None]]
"""Which rows a stage of a funnel stands for: its name → (stage of the run, filters). Without filters no page shows
just these rows, though it shows those that were lost on the way."""


def _first_half(each: Round, verified: Stage | None) -> Links:
    graded, checked = each.graded.name, verified.name if verified else ""
    links = {"questions": (each.questions.name, {"label": "train", "verdict": "usable"}),
             "paths sampled": (graded, {}), "wrong": (graded, {"verdict": "wrong"}),
             "corrected": (graded, {"fate": CORRECTED})}
    if checked:
        links |= {"replies": (checked, {}), "verified": (checked, {"verdict": "kept"}),
                  "trained on": (checked, {"fate": TRAINED_ON})}
    return links


def _one_step(each: Round) -> Links:
    continued = each.continued.name
    return {"wrong": (each.graded.name, {"verdict": "wrong"}), "steps written anew": (continued, {}),
            "gone on from": (continued, None),
            "solved: enough continuations agree": (continued, {"verdict": "kept"}),
            "trained on": (continued, {"fate": TRAINED_ON})}


def _judged(sort: str, each: Round, stage: Stage) -> Links:
    return {"paths": (each.graded.name, {"verdict": sort}), "critiques": (stage.name, {}),
            "can be read": (stage.name, None), "trained on": (stage.name, {"fate": TRAINED_ON})}


def _linked(counted: Funnel, links: Links) -> dict:
    stages = []
    for stage in counted.stages:
        place, filters = links.get(stage.name.split(",")[0], ("", None))
        losses = []
        for loss in stage.losses:
            losses.append(LinkedCount(loss.reason, loss.count, _behind(loss.reason, place)))
        stages.append(LinkedCount(stage.name, stage.count, _address(place, filters), tuple(losses)))
    return {"name": counted.name, "stages": list(map(asdict, stages))}


def _behind(reason: str, place: str) -> str:
    """The address of the rows that were lost for a reason on the way to a stage."""
    if not place or reason.startswith("not written") or reason.startswith("not begun"):
        return ""
    if reason in VERDICTS:
        return _address(place, {"verdict": VERDICTS[reason]})
    if reason in (SAME_AGAIN, NOT_ASKED, BY_NO_ARM):
        return _address(place, {"fate": reason})
    return _address(place, {"reason": reason})


def _address(place: str, filters: dict[str, str] | None) -> str:
    return Query(place, filters).address() if place and filters is not None else ""
