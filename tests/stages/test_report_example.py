"""The correction that the report shows: one that holds, with what every check makes of it."""

import dataclasses

from lema.checks import CHECK
from lema.config import CorrectConfig, VerifyConfig
from lema.stages.correct import correct
from lema.stages.report import _shown, report
from lema.stages.verify import verify
from tests.stages.desk import LEO, WRONG, context, path


def _kept(folder):
    graded = [path(LEO, *WRONG)]
    replies = list(correct(context(folder, correct), CorrectConfig(model="teacher"), [LEO], graded))
    return graded, list(verify(context(folder, verify), VerifyConfig(), [LEO], graded, replies))


def test_the_example_holds_and_every_check_is_shown_with_its_outcome(tmp_path):
    graded, (good,) = _kept(tmp_path)
    late = dataclasses.replace(good, id="", reply="late", step=3, first_number=3, steps=("The answer is 39.",))
    shown = _shown(context(tmp_path, report), [LEO], graded, [late, good])
    assert shown.corrected == good.steps
    assert dict(shown.checks) == dict.fromkeys(CHECK, True)
    shown = _shown(context(tmp_path, report), [LEO], graded, [late])
    assert shown.corrected == late.steps
    assert not dict(shown.checks)["follows"] and dict(shown.checks)["answer"]
