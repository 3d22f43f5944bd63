"""The correction that the report shows: one that holds, with what every check makes of it."""

import dataclasses

from lema.checks import CHECK
from lema.config import CorrectConfig, VerifyConfig
from lema.report.gallery import _drawn as drawn
from lema.stages.correct import correct
from lema.stages.report import _gallery, report
from lema.stages.verify import verify
from tests.stages.desk import LEO, WRONG, context, path


def _kept(folder):
    graded = [path(LEO, *WRONG)]
    replies = list(correct(context(folder, correct), CorrectConfig(model="teacher"), [LEO], graded))
    return graded, list(verify(context(folder, verify), VerifyConfig(), [LEO], graded, replies))


def test_the_example_holds_and_every_check_is_shown_with_its_outcome(tmp_path):
    graded, (good,) = _kept(tmp_path)
    late = dataclasses.replace(good, id="", reply="late", step=3, first_number=3, steps=("The answer is 39.",))
    (shown,) = _gallery(context(tmp_path, report), [LEO], graded, [good])
    assert shown.corrected == good.steps and shown.outcome == "kept"
    assert dict(shown.checks) == dict.fromkeys(CHECK, True)
    (shown,) = _gallery(context(tmp_path, report), [LEO], graded, [late])
    assert shown.corrected == late.steps
    assert not dict(shown.checks)["follows"] and dict(shown.checks)["answer"]


def test_of_the_rejected_the_most_frequent_reasons_are_shown_each_once_by_the_one_of_median_length(tmp_path):
    graded, (good,) = _kept(tmp_path)
    rows = [good]
    for reason, lengths in (("a", (1, 50, 99, 51)), ("b", (7, 8, 9)), ("c", (5, 6)), ("d", (4,))):
        rows += [dataclasses.replace(good, id=f"{reason}{length}", tokens=length, verified=False, rejected=reason)
                 for length in lengths]
    shown = _gallery(context(tmp_path, report), [LEO], graded, rows)
    assert [each.outcome for each in shown] == ["kept", "rejected: a", "rejected: b", "rejected: c"]
    assert [row.id for row in drawn(rows)][1:] == ["a50", "b8", "c5"]
