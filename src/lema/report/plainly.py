"""The first sentence of a report: whether it helped, in plain words that the comparison's outcome decides.

One design decision: the words follow from the same verdict as every reading on the page, so the answer can never
say more than its interval.
"""

from lema.report import Family, PlannedComparison, ReportData
from lema.statistics import bracket, points


def plain_answer(data: ReportData, family: Family) -> str:
    """One or two sentences; empty where no comparison was planned."""
    if data.headline is None:
        return ""
    arm = data.headline.arm
    return " ".join(filter(None, [f"Did {arm} help?", _answer(data.headline, family), _otherwise(data, family)]))


def _answer(headline: PlannedComparison, family: Family) -> str:
    claim = family.claim(headline.arm, headline.baseline)
    size, other = points(headline.difference.mean), headline.baseline
    if claim == "no difference shown":
        unseen = 100 * family.detectable(headline.arm, headline.baseline)
        return (f"Not shown: {size} points against {other}, with a 95 % interval of "
                f"{bracket(headline.difference.interval)}; a difference below {unseen:.1f} points may well "
                "go unseen by this run.")
    word = "Yes" if claim.startswith("better") else "No, it harmed"
    alone = " This is one training each: the chance between trainings is not measured." * claim.endswith("seed")
    return f"{word}: {size} points against {other}.{alone}"


def _otherwise(data: ReportData, family: Family) -> str:
    """What the same teacher tokens gave when they were spent otherwise."""
    control = data.control
    if control is None:
        return ""
    claim, size = family.claim(control.arm, control.baseline), abs(100 * control.difference.mean)
    if claim == "no difference shown":
        return f"Against {control.baseline}, the same teacher tokens spent otherwise, no difference is shown."
    more = "less" if claim.startswith("better") else "more"
    return f"The same teacher tokens spent otherwise ({control.baseline}) gave {size:.1f} points {more}."
