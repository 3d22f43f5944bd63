"""Checks: a good correction passes them all, and each is failed by what it is there for."""

import dataclasses
import json

import pytest

from lema.checks import CHECK, Checked, failed, objection
from lema.checks.form import without_repeated
from lema.config import CHECKS
from lema.records import Correction
from lema.replies import Rewrite, parse_correction, parse_rewrite, split_steps
from lema.tasks.lab.review import EXPLANATIONS

QUESTION = "A florist ties bunches of 8 tulips. She has 100 and sells each full bunch for $6. What does she take?"
MISTAKE = ("She can tie 12 full bunches of 8 tulips.", "For these she takes 12.5 * 6 = $75.", "The answer is 75.")
GOOD = Correction(
    question="q", path="p", model="m", reply="r", step=2, first_number=2,
    explanation="Only the 12 full bunches are sold, but another half is charged.",
    steps=("For these she takes 12 * 6 = $72.", "The answer is 72."))


def _failed(mistake=MISTAKE, gold="72", right=True, again=False, **changes):
    correction = dataclasses.replace(GOOD, **changes)
    return failed(Checked(correction, mistake, QUESTION, gold, right, again))


def test_a_good_correction_passes_every_check():
    assert _failed() == ()


def test_the_checks_of_the_config_are_the_checks_there_are():
    assert tuple(CHECK) == CHECKS


@pytest.mark.parametrize(("check", "changes"), [
    ("complete", {"finish": "length"}),
    ("parsed", {"steps": ()}),
    ("step", {"step": 4, "first_number": 4}),
    ("step", {"step": 0, "first_number": 0}),
    ("quoted", {"quote": "She can tie only ten bunches of roses"}),
    ("kept", {"first_number": 1}),
    ("kept", {"first_number": 3}),
    ("changed", {"steps": ("**For these** she takes 12.5*6=$75.", "The answer is 72.")}),
    ("arithmetic", {"steps": ("For these she takes 12 * 6 = $74.", "The answer is 72.")}),
    ("explanation", {"explanation": "This step is wrong."}),
    ("explanation", {"explanation": "The correct answer should be 72."}),
    ("explanation", {"explanation": "The answer is 72 and not 75."}),
    ("explanation", {"explanation": "Step 1 is wrong, because 12 full bunches of tulips cannot be tied."}),
    ("explanation", {"explanation": "The marbles were drawn without regard to colour or jar."}),
    ("explanation", {"explanation": "Here f(2) should be 12 * 6."}),
    ("explanation", {"explanation": "Good try! Unfortunately there is a mistake in the calculation."}),
    ("explanation", {"explanation": "This is incorrect because the correct answer is 72."}),
    ("explanation", {"explanation": "In step 3, only the 12 full bunches may be counted."}),
    ("explanation", {"explanation": "For these she takes 12.5 * 6 = $75."}),
    ("explanation", {"explanation": "For these, she takes 12 * 6 = $72."}),
    ("explanation", {"explanation": QUESTION}),
    ("explanation", {"explanation": "理解错误，一共有 200 + 90 = 290 个梨。"}),
    ("repeat", {"steps": ("So she takes 12 * 6 = $72.", "so she takes 12*6 = $72", "The answer is 72.")}),
    ("repeat", {"again": True}),
    ("answer", {"right": False}),
])
def test_each_check_is_failed_by_what_it_is_there_for(check, changes):
    assert _failed(**changes)[0] == check


def test_a_named_step_is_too_late_where_an_earlier_one_calculates_wrongly():
    mistake = ("She ties 100 / 8 = 13 bunches.", *MISTAKE[1:])
    assert _failed(mistake) == ("earlier",)
    rounded = ("She ties 100 / 8 = 13 full bunches.", *MISTAKE[1:])  # which may be meant so
    assert _failed(rounded, steps=("For these she takes 13 * 6 = $78.", "The answer is 78.")) == ()


def test_a_named_step_is_too_late_where_earlier_ones_contradict_each_other():
    mistake = ("Sam = Leo * 2 = 15 * 2 = 30.", "Ida = Sam - 9 = 20 - 9 = 11.", "The answer is 12.")
    steps = ("The answer is 11.",)
    assert "earlier" in _failed(mistake, step=3, first_number=3, steps=steps)


def test_a_kept_value_may_not_be_passed_over_for_a_number_from_nowhere():
    mistake = ("She can tie 100 / 4 = 25 full bunches of 8 tulips.", *MISTAKE[1:])
    assert _failed(mistake) == ("kept",)  # 25 kept, and 12 taken
    assert _failed(mistake, steps=("For these she takes 25 * 6 = $150.", "The answer is 150.")) == ()
    assert _failed(mistake, steps=("For these she takes 12 * 6 = $72.",)) == ()  # a later step may take it up


@pytest.mark.parametrize("step", [
    "In 2 weeks of 7 days that is 7 * 6 = 42.", "She takes 100 * 6 = 600.", "Twelve tulips, so 12 * 6 = 72."])
def test_a_number_that_is_said_or_that_words_imply_comes_from_somewhere(step):
    mistake = ("She ties 100 / 4 = 25.", "For these she takes 12.5 * 6 = $75.", "The answer is 75.")
    assert _failed(mistake, steps=(step, "The answer is 72.")) in ((), ("follows",))


def test_what_the_kept_steps_state_may_not_be_contradicted():
    mistake = ("Sam = Leo * 2 = 15 * 2 = 20.", "Ida = Sam - 9 = 20 - 9 = 11.", "The answer is 11.")
    steps = ("Ida = Sam + 9 = 30 + 9 = 39.", "The answer is 39.")
    assert _failed(mistake, steps=steps) == ("kept", "earlier")
    right = ("Sam = Leo * 2 = 15 * 2 = 30.", *mistake[1:])
    assert _failed(right, steps=steps) == ()


def test_an_explanation_may_say_what_is_missing_without_naming_anything():
    assert _failed(explanation="This step does not say what is found and how.") == ()


@pytest.mark.parametrize("explanation", [
    "The wrong quantity is multiplied.", "72 + 3 is 75, not 72.", "Misread the question.", "只卖 12，不是 12.5。",
    "She has 100 and sells each full bunch for $6.",
    "Step 2 is wrong: it charges for half a bunch, and so step 3 is wrong, too.",
    "Only full bunches are sold, so the price must be charged for 12 of them."])
def test_explanations_may_be_short_in_other_letters_or_name_more_than_one_step(explanation):
    assert _failed(explanation=explanation) == ()


def test_no_explanation_of_the_labs_teacher_is_empty():
    parts = {"name": "Leo", "reason": "Leo has 3 more", "right": "Ida", "left": "Sam", "said": "21", "do": "added",
             "done": "divided", "sign": "+", "value": "72"}
    mistake = (*MISTAKE[:2], "Leo, Ida, Sam: 75.")
    for explanation in EXPLANATIONS.values():
        assert "explanation" not in _failed(mistake, explanation=explanation.format(**parts))


def test_a_quotation_may_be_shortened_but_not_invented():
    assert _failed(quote="For these she takes 12.5 * 6") == ()


def test_an_unreadable_reply_fails_whichever_checks_are_asked_for():
    unreadable = dataclasses.replace(GOOD, steps=(), rejected="unreadable: no step named")
    assert failed(Checked(unreadable, MISTAKE, QUESTION, "72", False), ("answer",)) == ("parsed",)


def test_a_path_without_steps_is_asked_what_can_be_asked_of_it():
    mistake = ("An oven dries boots quickly.", "The answer is (D).")
    answer = dataclasses.replace(
        GOOD, step=None, first_number=None, steps=("A doormat lies at the door.", "The answer is (B)."),
        explanation="Nobody leaves boots in an oven; they stand at the door on a doormat.")
    checked = Checked(answer, mistake, "Where would you leave wet boots?", "B", True)
    assert failed(checked) == ()
    same = dataclasses.replace(checked, correction=dataclasses.replace(answer, steps=mistake))
    assert failed(same)[0] == "changed"
    bare = dataclasses.replace(checked, correction=dataclasses.replace(answer, explanation="The answer is (B)."))
    assert failed(bare) == ("explanation",)


def test_earlier_steps_that_are_repeated_word_by_word_are_cut_off():
    steps = (MISTAKE[0], *GOOD.steps)
    assert without_repeated(2, 1, steps, MISTAKE) == (2, GOOD.steps)
    rewritten = ("She ties twelve bunches.", *GOOD.steps)
    assert without_repeated(2, 1, rewritten, MISTAKE) == (1, rewritten)


def test_what_a_corrector_is_told_never_holds_the_answer():
    wrong = dataclasses.replace(GOOD, answer="75")
    sentences = [objection(dataclasses.replace(wrong, rejected=check.reason)) for check in CHECK.values()]
    for sentence in sentences:
        assert sentence.endswith(".") and not any(letter.isdigit() for letter in sentence)
    assert len({*sentences, objection(dataclasses.replace(GOOD, rejected="unheard of"))}) == len(CHECK) + 1


POOR = {"lema-prompt-math-1": ("explanation",), "lema-paper-fig13-poor": ("kept",)}
"""Of the real corrections one explains another problem's step, and one goes on from another step than it names."""


def test_the_checks_tell_the_poor_real_corrections_from_the_good(shared_data):
    lines = (shared_data / "corrector_outputs/lema_real_corrections.jsonl").read_text("utf-8").strip().split("\n")
    found = {}
    for row in map(json.loads, lines):
        read = parse_rewrite if "mistakes" in row["gold"] else parse_correction
        parsed = read(row["corrector_output"])
        fields = {"step": None, "explanation": parsed[0], "steps": tuple(parsed[1].split("\n"))} if isinstance(
            parsed, Rewrite) else {"step": parsed.step, "explanation": parsed.explanation, "steps": parsed.steps,
                                   "first_number": parsed.first_number}
        correction = Correction(question="q", path="p", model="m", reply="r", **fields)
        mistake = split_steps(row["original_solution"] or "") or ("?",) * 4  # three rows come without their path
        gold = row["gold"]["final_answer"]
        found[row["id"]] = failed(Checked(correction, mistake, row["question"] or "", gold, True))
    assert {name: reasons for name, reasons in found.items() if reasons} == POOR
