"""How a run stands as a whole: how long it will still take, what was paid of its budget, what it waits for.

    12 of 128 stages, about 6 min left; 3,204 replies, $0.40 of $20.00; corrections: waits for teacher

One design decision: time left is reckoned from stages of this run that did the same and are finished, and says so
where there are none yet; money is what the journal holds, so that earlier starts of the run count.
"""

import time
from collections import defaultdict
from collections.abc import Mapping
from statistics import fmean

from lema.config import Config
from lema.figures import duration, money
from lema.journal import spent_in
from lema.runs.prices import Usage, served_prices
from lema.runs.run import Stage
from lema.runs.workload import workload

QUIET = 20.0  # seconds without news after which a stage says what it waits for
PAID_SECONDS = 10.0  # between two looks into the journal, which take a moment where it is long


class Standing:
    """Knows the stages of a run by their names; told of each that is finished."""

    def __init__(self, stages: Mapping[str, Stage], config: Config) -> None:
        self._stages, self._config = stages, config
        self._left = {name for name, stage in stages.items() if stage.status().state != "done"}
        self._seconds: dict[object, list[float]] = defaultdict(list)
        self._paid, self._looked = "", -PAID_SECONDS
        for name in stages.keys() - self._left:
            self._learn(name)

    def finished(self, name: str) -> None:
        """Told of a stage of the run, by its name."""
        if name in self._left:
            self._left.discard(name)
            self._learn(name)

    def _learn(self, name: str) -> None:
        stage = self._stages[name]
        seconds = (stage.record() or {}).get("seconds")
        if isinstance(seconds, int | float):
            self._seconds[stage.verb].append(seconds)

    def in_words(self, at_work: Mapping[str, Mapping], now: float | None = None) -> str:
        """One line; `at_work` are the stages at work as the file of progress has them, with `news`, the time of
        their last news."""
        now = time.time() if now is None else now
        done = len(self._stages) - len(self._left)
        parts = [f"{done:,} of {len(self._stages):,} stages{self.left(at_work, now)}", self._money()]
        return "; ".join(filter(None, [*parts, *self._waiting(at_work, now)]))

    def left(self, at_work: Mapping[str, Mapping], now: float) -> str:
        """", about 6 min left"; nothing where no stage of any sort to come was ever finished."""
        seconds, unsure, learnt = 0.0, False, False
        for name in self._left:
            times = self._seconds.get(self._stages[name].verb)
            news = at_work.get(name)
            since = now - news["since"] if news else 0.0
            if news and news["total"] and news["done"]:
                seconds += since * (news["total"] - news["done"]) / news["done"]
            elif times:
                seconds += max(0.0, fmean(times) - since)
            else:
                unsure = True
                continue
            learnt = True
        seconds /= min(self._config.machine.workers, max(1, len(self._left)))
        return f", {'more than' if unsure else 'about'} {duration(seconds)} left" if learnt else ""

    def _money(self) -> str:
        """Replies of served models and what they cost, of how much."""
        if time.monotonic() - self._looked >= PAID_SECONDS:
            self._looked, self._paid = time.monotonic(), paid_in_words(self._stages, self._config)
        return self._paid

    def _waiting(self, at_work: Mapping[str, Mapping], now: float) -> list[str]:
        lines = []
        for name, news in at_work.items():
            quiet = now - news.get("news", now)
            if quiet >= QUIET and name in self._stages:
                lines.append(f"{name}: {_awaited(self._stages[name])}, nothing new for {duration(quiet)}")
        return lines


def paid_in_words(stages: Mapping[str, Stage], config: Config) -> str:
    """"3,204 replies, $0.40 of $20.00"; nothing where no served model was ever asked."""
    folder = next(iter(stages.values())).run if stages else None
    prices, replies, tokens, dollars, unknown = served_prices(config), 0, 0.0, 0.0, False
    for model, count, read, wrote, paid_read, paid_wrote in spent_in(folder / "journal.sqlite") if folder else ():
        cost = Usage(count, 0, 0, read, wrote, paid_read, paid_wrote).cost(prices(model))
        replies, tokens = replies + count, tokens + paid_read + paid_wrote
        dollars, unknown = dollars + (cost or 0.0), unknown or cost is None
    if not replies:
        return ""
    spent = "a price that is not known" if unknown and not dollars else money(dollars)
    budget = config.budget
    if budget is not None and budget.money is not None:
        spent = f"{money(dollars)} of {money(budget.money)}"
    elif budget is not None:
        spent = f"{tokens:,.0f} of {budget.tokens:,} tokens"
    return f"{replies:,} replies, {spent}"


def _awaited(stage: Stage) -> str:
    """What a stage that says nothing is waiting for."""
    if workload(stage) and stage.models:
        return f"waits for {', '.join(stage.models)}"
    return f"is at work ({stage.verb.__doc__ or ''}".split(".")[0].splitlines()[0].strip().rstrip(",;:") + ")"
