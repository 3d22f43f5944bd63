"""The first sentence of a report: does it help, and is it worth the money? And the whole comparison as Markdown.

One design decision: the answer is made of the claims that the table bears and of the bills behind them, so that a
tie or a loss is said as plainly as a win, and no answer forgets what else it cost.
"""

from collections.abc import Iterator

from lema.figures import NOTHING, deviation, percent, tokens
from lema.report import Arm, Family, ReportData, family
from lema.statistics import bracket, points

QUESTION = "Does it help, and is it worth the money?"
HEAD = ("arm", "examples", "trained tokens", "teacher wrote", "teacher read", "students sampled",
        "right, % ± over seeds")


def answer(data: ReportData) -> str:
    """The answer by what was found; empty where nothing was planned."""
    if data.headline is None:
        return ""
    return f"{QUESTION} {_helps(data, family(data))} {_is_worth(data, family(data))}"


def _helps(data: ReportData, every: Family) -> str:
    arm, other, size = data.headline.arm, data.headline.baseline, points(data.headline.difference.mean)
    claim = every.claim(arm, other)
    if claim == "no difference shown":
        return f"{arm} is not shown to help: {size} points against {other}."
    with_seed = ", with this seed" if claim.endswith("seed") else ""
    return f"{arm} {'helps' if claim.startswith('better') else 'harms'}: {size} points against {other}{with_seed}."


def _is_worth(data: ReportData, every: Family) -> str:
    if data.control is None:
        return "What the same teacher tokens would have bought otherwise was not tried."
    arm, other = data.control.arm, data.control.baseline
    size, claim = points(data.control.difference.mean), every.claim(arm, other)
    cost, dearer = _bills(data, arm, other), " and ".join(_dearer(data, arm, other))
    if claim.startswith("better") and dearer:
        return (f"For what the teacher wrote, yes: {size} points against {other}, {cost}. By money that is not "
                f"shown: more was {dearer}.")
    if claim.startswith("better"):
        return f"And it is worth it: {size} points against {other}, {cost}."
    if claim.startswith("worse"):
        return f"But it is not worth it: {size} points against {other}, {cost}."
    least = percent(every.detectable(arm, other))
    return (f"Whether it is worth it is open: {size} points against {other}, where this design shows differences "
            f"from {least} points on; {cost}.")


def _dearer(data: ReportData, arm: str, other: str) -> Iterator[str]:
    """The bills, other than that of written tokens, under which an arm costs more."""
    arms = {each.name: each for each in data.arms}
    if not {arm, other} <= arms.keys():
        return
    if arms[arm].teacher_prompt_tokens > arms[other].teacher_prompt_tokens:
        yield "read by the teacher"
    if arms[arm].student_tokens > arms[other].student_tokens:
        yield "sampled of students"


def _bills(data: ReportData, arm: str, other: str) -> str:
    """What one cost beside the other, under the three bills."""
    arms = {each.name: each for each in data.arms}
    if not {arm, other} <= arms.keys():
        return "at a cost that is not shown"
    ours, theirs = arms[arm], arms[other]
    return (f"for {tokens(ours.teacher_tokens)} tokens written by the teacher against "
            f"{tokens(theirs.teacher_tokens)}, {tokens(ours.teacher_prompt_tokens)} read against "
            f"{tokens(theirs.teacher_prompt_tokens)}, {tokens(ours.student_tokens)} sampled of students against "
            f"{tokens(theirs.student_tokens)}")


def markdown(data: ReportData) -> str:
    """The comparison as Markdown: the answer, a table with the three bills, and every planned sentence."""
    if not data.arms:
        return "No arm has been examined yet.\n"
    every = family(data)
    head = [*HEAD, f"against {data.baseline}", "95 % interval", "reading"]
    lines = [f"| {' | '.join(head)} |", f"|---{'|---:' * (len(head) - 2)}|---|"]
    for arm in data.arms:
        lines.append(f"| {' | '.join(_cells(arm, data, every))} |")
    planned = filter(None, (data.headline, data.control, *data.pairs))
    sentences = [f"- {every.sentence(each.arm, each.baseline)}" for each in planned]
    first = data.arms[0].accuracy
    design = (f"{first.questions:,} test questions, {data.seeds} seed{'s' * (data.seeds > 1)}; differences are "
              "percent points, paired, questions and seeds both drawn at random, corrected (Holm) for "
              f"{every.total} comparisons.")
    return "\n".join([*_paragraph(answer(data)), *lines, "", design, "", *sentences]).rstrip() + "\n"


def _paragraph(text: str) -> Iterator[str]:
    if text:
        yield from (text, "")


def _cells(arm: Arm, data: ReportData, every: Family) -> Iterator[str]:
    yield arm.name.replace("|", "\\|")
    yield f"{arm.examples:,}"
    yield from map(tokens, (arm.trained_tokens, arm.teacher_tokens, arm.teacher_prompt_tokens, arm.student_tokens))
    yield f"{percent(arm.accuracy.mean)} ±{deviation(arm.accuracy.deviation)}"
    if arm.difference is None:
        yield from ("baseline" if arm.name == data.baseline else NOTHING, "", "")
        return
    yield points(arm.difference.mean)
    yield bracket(arm.difference.interval)
    yield every.claim(arm.name, data.baseline)
