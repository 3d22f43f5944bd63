"""The first sentence says what was found, a tie or a loss as plainly as a win, and what else it cost."""

from dataclasses import replace

import numpy as np
import pytest
from markupsafe import Markup

from lema.report import Arm, PlannedComparison, ReportData
from lema.report.page import render
from lema.report.worth import answer, markdown
from lema.statistics import accuracy, difference


def _answers(share, seed, seeds=5, questions=2000):
    return np.random.default_rng(seed).random((seeds, questions)) < share


BILLS = {"step": (12_000, 110_000, 56_000), "bought": (11_900, 10_000, 0)}


def _data(shares, control=True, bills=BILLS):
    """Arms cot, step and bought, right in these shares of their answers."""
    right = {name: _answers(share, seed) for seed, (name, share) in enumerate(shares.items())}
    arms = []
    for name, answers in right.items():
        written, read, sampled = bills.get(name, (0, 0, 0))
        arms.append(Arm(name=name, accuracy=accuracy(answers), teacher_tokens=written, teacher_prompt_tokens=read,
                        student_tokens=sampled,
                        difference=None if name == "cot" else difference(answers, right["cot"])))
    against = {name: PlannedComparison("step", name, difference(right["step"], right[name]))
               for name in ("cot", "bought")}
    return ReportData(title="x", baseline="cot", arms=tuple(arms), headline=against["cot"],
                      control=against["bought"] if control else None)


FOUND = {
    "helps and is worth it": ({"cot": 0.3, "step": 0.6, "bought": 0.4},
                              ("step helps: +", "For what the teacher wrote, yes: +",
                               "By money that is not shown: more was read by the teacher and sampled of ")),
    "helps and is not": ({"cot": 0.3, "step": 0.4, "bought": 0.6}, ("step helps: +", "But it is not worth it: −")),
    "helps, and the rest is open": ({"cot": 0.3, "step": 0.5, "bought": 0.5},
                                    ("step helps: +", "Whether it is worth it is open: ")),
    "is not shown to help": ({"cot": 0.5, "step": 0.5, "bought": 0.5}, ("step is not shown to help: ", "is open")),
    "harms": ({"cot": 0.6, "step": 0.4, "bought": 0.6}, ("step harms: −", "But it is not worth it: −")),
}


@pytest.mark.parametrize("case", FOUND)
def test_the_first_sentence_says_what_was_found(case):
    shares, words = FOUND[case]
    data = _data(shares)
    assert all(each in answer(data) for each in words), answer(data)
    assert markdown(data).startswith(f"Does it help, and is it worth the money? {words[0].split(':')[0]}")
    assert Markup(answer(data)).striptags() in Markup(render(data).replace("\u00a0", " ")).striptags()


def test_it_is_worth_the_money_only_where_no_bill_is_larger():
    shares, _ = FOUND["helps and is worth it"]
    assert "And it is worth it: +" in answer(_data(shares, bills={**BILLS, "step": (11_900, 10_000, 0)}))
    assert "sampled of students." in answer(_data(shares, bills={**BILLS, "step": (11_900, 10_000, 1)}))


def test_the_three_bills_of_both_stand_in_it():
    sentence = answer(_data(FOUND["helps and is worth it"][0]))
    assert ("for 12.0k tokens written by the teacher against 11.9k, 110.0k read against 10.0k, 56.0k sampled of "
            "students against 0") in sentence


def test_without_a_control_nothing_is_said_of_its_worth():
    assert "would have bought otherwise was not tried" in answer(_data(FOUND["harms"][0], control=False))


def test_markdown_has_a_row_for_every_arm_and_every_planned_sentence():
    data = _data(FOUND["helps and is not"][0])
    data = replace(data, arms=(*data.arms[:2], replace(data.arms[2], name="bought|more")))
    lines = markdown(data).splitlines()
    rows = [line for line in lines if line.startswith("|")]
    assert len(rows) == 2 + 3 and len({line.replace("\\|", "").count("|") for line in rows}) == 1
    assert sum(line.startswith("- step against ") for line in lines) == 2
