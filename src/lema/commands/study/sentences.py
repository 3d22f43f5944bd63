"""A study in words and figures: the sentences that follow from it, and its table for the terminal.

One design decision: sentences are made from the effects alone, so that neither table nor page can say more than
both intervals bear.
"""

import textwrap
from collections.abc import Iterable, Iterator
from operator import attrgetter

from lema.commands.study.money import MoneyEffect
from lema.commands.study.results import ArmResult, Curve, EffectResult, StudyResult
from lema.figures import deviation, duration, money, p_value, percent, tokens
from lema.statistics import bracket, count, points

WIDTH = 100


def place_in_words(result: StudyResult, point: tuple[str, ...]) -> str:
    """"budget 1500, slip 0.1"; nothing where there are no axes."""
    return ", ".join(f"{axis} {label}" for axis, label in zip(result.axes, point, strict=True))


def conclusions(result: StudyResult) -> list[str]:
    """The plain sentences, one for each pair, the headline first."""
    sentences = []
    for arm, other in dict.fromkeys((each.arm, each.other) for each in result.effects):
        sentences.append(_conclusion(result, arm, other))
    return sentences


def _conclusion(result: StudyResult, arm: str, other: str) -> str:
    effects = [each for each in result.effects if (each.arm, each.other) == (arm, other)]
    if len(effects) == 1:
        return f"{arm} against {other}: {effects[0].effect.in_words(effects[0].p_holm)}."
    parts = []
    for finding in ("better", "worse", "no difference shown", "one replicate"):
        those = [each for each in effects if each.effect.finding(each.p_holm) == finding]
        if those:
            where = [f"{place_in_words(result, each.point)} ({points(each.effect.mean)})" for each in those]
            parts.append(f"{finding} at {'; '.join(where)}")
    met = [f"Along {curve.axis} the difference changes its sign {crossing.in_words()}"
           for curve in result.curves if (curve.arm, curve.other) == (arm, other) for crossing in curve.crossings]
    return f"{arm} against {other}: {'. '.join([*parts, *met])}."


def spent_in_words(result: StudyResult) -> str:
    return (f"{result.done:,} of {result.cells:,} cells are done; all that they are made of took "
            f"{duration(result.cpu_seconds)} of processors.")


def lines(result: StudyResult) -> list[str]:
    """The table."""
    head = [f"{result.study.name}: {result.study.about}" if result.study.about else result.study.name, ""]
    if not result.effects:
        return [*head, "no cell is finished yet"]
    counts = sorted(set(map(len, map(attrgetter("effect.replicates"), result.effects))))
    replicates, uneven = counts[-1], len(counts) > 1
    table = [("", "arm", "less", "diff", "over replicates", "over questions", "p (Holm)", "reading")]
    table += [_effect_row(result, each) for each in result.effects]
    arms = [("", "arm", "%", "± repl.", "examples", "written", "read", "sampled", "money")]
    arms += [_arm_row(result, each) for each in result.arms]
    first = result.effects[0].effect
    legend = (f"{first.questions:,} {result.split} questions and {count(first.seeds, 'training seed')} in each of "
              f"{'up to ' * uneven}{count(replicates, 'replicate')}, which draw questions, students, samples and "
              "the teacher anew. Differences are percent points, paired by question and seed; 95 % intervals; "
              f"Holm over {len(result.effects)} comparisons. Better or worse is said where both intervals and p "
              "bear it. Written and read: tokens of teachers; sampled: of students.")
    closing = [*conclusions(result), spent_in_words(result)]
    return [*head, *columns(table), "", *columns(arms), "", *textwrap.wrap(legend, WIDTH), "", *_worth(result),
            *_wrapped(closing)]


def _worth(result: StudyResult) -> Iterator[str]:
    """The table for equal money, where there is one."""
    if not result.worth:
        return
    rows = [("at equal money", "arm", "less", "money each", "diff", "over replicates", "over questions",
             "p (Holm)", "reading")]
    for each in result.worth:
        over, effect = each.effect.over_replicates, each.effect
        rows.append((price_in_words(each), each.arm, each.other, money_in_words(each), points(effect.mean),
                     bracket(over) if over else "one replicate", bracket(effect.over_questions),
                     p_value(each.p_holm), effect.finding(each.p_holm)))
    yield from [*columns(rows), "", *textwrap.wrap(money_legend(result), WIDTH), ""]


def price_in_words(each: MoneyEffect) -> str:
    """"openai/gpt-4.1-mini, cached"."""
    return f"{each.price}{', cached' if each.cached else ''}"


def money_in_words(each: MoneyEffect) -> str:
    """What both cost; and what the other did, where it was never bought for so much."""
    less = f", {each.other} {money(each.spent)}" if each.spent < 0.99 * each.dollars else ""
    return money(each.dollars) + less


def money_legend(result: StudyResult) -> str:
    return ("All teachers' tokens by the list's prices of these models, prompts included; cached: what a prompt "
            "has in common with the one before it by the price of a cache. What the other arm reaches for that "
            "money is read off between its own budgets; where it was never bought for so much it stands as its "
            "dearest. "
            f"Holm over {len(result.worth)} comparisons.")


def _wrapped(sentences: Iterable[str]) -> Iterator[str]:
    for sentence in sentences:
        yield from textwrap.wrap(sentence, WIDTH, subsequent_indent="  ")


def _effect_row(result: StudyResult, each: EffectResult) -> tuple[str, ...]:
    over = each.effect.over_replicates
    return (place_in_words(result, each.point), each.arm, each.other, points(each.effect.mean),
            bracket(over) if over else "one replicate", bracket(each.effect.over_questions), p_value(each.p_holm),
            each.effect.finding(each.p_holm))


def _arm_row(result: StudyResult, each: ArmResult) -> tuple[str, ...]:
    paid = "unknown" if each.dollars is None else money(each.dollars) if each.dollars else "–"
    return (place_in_words(result, each.point), each.arm, percent(each.accuracy), deviation(each.deviation),
            f"{each.examples:,.0f}", tokens(round(each.written)), tokens(round(each.read)),
            tokens(round(each.sampled)), paid)


def columns(rows: list[tuple[str, ...]]) -> list[str]:
    """Rows as text, words to the left and figures to the right; an empty column is left out."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    written = []
    for row in rows:
        cells = [cell.ljust(width) if place < 3 else cell.rjust(width)
                 for place, (cell, width) in enumerate(zip(row, widths, strict=True)) if width]
        written.append("  ".join(cells).rstrip())
    return [written[0], "-" * max(map(len, written)), *written[1:]]


def curve_title(curve: Curve) -> str:
    return f"{curve.arm} less {curve.other}, by {curve.axis}"
