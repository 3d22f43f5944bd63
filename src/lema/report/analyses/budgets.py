"""Equal budgets from all sides: examples, steps, tokens, epochs, three bills of each arm; where they differ."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from lema.config import AnalyseConfig
from lema.records import Account, Checkpoint
from lema.report.sets import read_for
from lema.report.tables import Table

APART = 1.2  # arms whose steps differ by more are no longer trained alike
OFTEN = 8  # from so many epochs on an arm sees few examples many times


def budget_tables(settings: AnalyseConfig, accounts: Sequence[Account],
                  trained: Sequence[Iterable[Checkpoint]]) -> Iterator[Table]:
    """A line per arm, the mean over its seeds; below it what is not equal."""
    by_name = {checkpoint.name: checkpoint for checkpoint in chain.from_iterable(trained)}
    rows, steps, epochs = [], {}, {}
    for account in accounts:
        made = [by_name[model] for model, arm, _ in settings.examined if arm == account.arm]
        if made:
            steps[account.arm] = _mean(made, "steps")
            epochs[account.arm] = _mean(made, "examples") / account.examples
            rows.append((account.arm, account.examples, round(steps[account.arm]), round(_mean(made, "tokens")),
                         epochs[account.arm],
                         account.teacher_tokens, read_for(account), account.student_tokens))
    if rows:
        yield Table(
            name="Budgets", about=(
                "What each arm was trained on, the mean over seeds: tokens are those with loss. What it cost: "
                "tokens that teachers wrote, that they read, and that students wrote."),
            columns=(("arm", "text"), ("examples", "count"), ("steps", "count"), ("tokens", "tokens"),
                     ("epochs", "number"), ("teacher", "tokens"), ("its prompts", "tokens"),
                     ("students", "tokens")),
            rows=tuple(rows), remarks=tuple(warnings(steps, epochs, {row[0]: row[1] for row in rows})))


def _mean(made: Sequence[Checkpoint], what: str) -> float:
    return sum(getattr(each, what) for each in made) / len(made)


def warnings(steps: dict[str, float], epochs: dict[str, float], examples: dict[str, int]) -> Iterator[str]:
    """What one comparison of these arms does not hold equal."""
    if steps and max(steps.values()) > APART * min(steps.values()):
        least, most = min(steps, key=steps.get), max(steps, key=steps.get)
        yield (f"The arms differ in steps: {least} was trained for {steps[least]:,.0f}, {most} for "
               f"{steps[most]:,.0f}.")
    for arm, times in epochs.items():
        if times >= OFTEN:
            yield (f"{arm} sees each of its {examples[arm]:,} examples {times:.0f} times: what it lacks may be "
                   "examples.")
