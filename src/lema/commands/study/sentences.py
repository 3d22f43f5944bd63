"""A study in words and figures: the sentences that follow from it, and its table for the terminal.

One design decision: sentences are made from the effects alone, so that neither table nor page can say more than
both intervals bear.
"""

import textwrap
from collections.abc import Iterable, Iterator

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
    replicates = len(result.study.numbers)
    head = [f"{result.study.name}: {result.study.about}" if result.study.about else result.study.name, ""]
    if not result.effects:
        return [*head, "no cell is finished yet"]
    table = [("", "arm", "less", "diff", "over replicates", "over questions", "p (Holm)", "reading")]
    table += [_effect_row(result, each) for each in result.effects]
    arms = [("", "arm", "%", "± repl.", "examples", "written", "read", "sampled", "money")]
    arms += [_arm_row(result, each) for each in result.arms]
    first = result.effects[0].effect
    legend = (f"{first.questions:,} {result.split} questions and {count(first.seeds, 'training seed')} in each of "
              f"{count(replicates, 'replicate')}, which draw questions, students, samples and the teacher anew. "
              "Differences are percent points, paired by question and seed; 95 % intervals; Holm over "
              f"{len(result.effects)} comparisons. Better or worse is said where both intervals and p bear it. "
              "Written and read: tokens of teachers; sampled: of students.")
    closing = [*conclusions(result), spent_in_words(result)]
    return [*head, *columns(table), "", *columns(arms), "", *textwrap.wrap(legend, WIDTH), "",
            *_wrapped(closing)]


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
