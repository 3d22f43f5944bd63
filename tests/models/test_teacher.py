"""The lab's teacher: it knows only what it is sent, and slips exactly as often as it is told to."""

import random
import re
from functools import partial
from itertools import islice

import pytest

from lema.messages import Message, Request
from lema.models import find_model
from lema.prompting import find_prompt
from lema.records import Sampling
from lema.replies import number_steps, parse_correction, parse_step, rejoin, split_steps
from lema.replies.judgements import parse_critique
from lema.runs.spending import in_common
from lema.tasks import find_task
from lema.tasks.lab.mistakes import plant
from lema.tasks.lab.problems import LARGEST, worked_steps
from lema.tasks.lab.review import review
from lema.tasks.lab.wording import parse
from lema.tasks.lab.words import tokens

TASK = find_task("lab", {"levels": [1, 2, 3, 4, 5], "share": 0.5})
PROBLEMS = [(question.text, parse(question.text)) for question in TASK.questions("train", 300)]


def reply(model, prompt: str, index: int = 0, **sampling) -> str:
    request = Request((Message("user", prompt),), Sampling(**sampling), index)
    return next(model.complete([request])).text


def correcting(text: str, steps: tuple[str, ...], task: str = "lab") -> str:
    return find_prompt("correct", task).render(question=text, steps=number_steps(steps))


def judging(text: str, steps: tuple[str, ...], task: str = "lab") -> str:
    values = {"question": text, "steps": number_steps(steps), "path": number_steps(steps)}
    return find_prompt("critique", task).render(**values)


def solving(text: str) -> str:
    return find_prompt("zero_shot", "lab").render(question=text)


def wrong_paths() -> list:
    rng = random.Random(1)
    planted = ((text, problem, plant(rng, problem)) for text, problem in PROBLEMS)
    return [(text, problem, wrong) for text, problem, wrong in planted if wrong]


@pytest.fixture(scope="module")
def sure():
    return find_model("teacher", "teacher", {})


@pytest.fixture(scope="module")
def fallible():
    return find_model("teacher", "teacher", {"slip": 0.3})


def test_without_slips_every_question_is_solved(sure):
    for text, problem in PROBLEMS:
        assert split_steps(reply(sure, solving(text))) == worked_steps(problem)


def test_without_slips_every_planted_mistake_is_named_at_its_step_and_corrected(sure):
    for text, problem, wrong in wrong_paths():
        parsed = parse_correction(reply(sure, correcting(text, wrong.steps)))
        assert (parsed.step, parsed.first_number) == (wrong.step, wrong.step)
        assert parsed.has_dots == (wrong.step > 1)
        assert rejoin(wrong.steps, parsed.step, parsed.steps) == worked_steps(problem)


def test_a_general_prompt_with_foreign_examples_is_understood_as_well(sure):
    text, problem, wrong = wrong_paths()[1]
    assert parse_correction(reply(sure, correcting(text, wrong.steps, "gsm8k"))).step == wrong.step
    solved = reply(sure, find_prompt("solve", "gsm8k").render(question=text))
    assert split_steps(solved) == worked_steps(problem)


def test_a_right_path_is_called_right_in_words_that_are_no_correction(sure):
    text, problem = PROBLEMS[0]
    answer = reply(sure, correcting(text, worked_steps(problem)))
    assert answer == "All steps are correct."
    assert parse_correction(answer).reason


@pytest.mark.parametrize("task", ["lab", "gsm8k", "csqa"])
def test_without_slips_right_paths_are_approved_and_wrong_ones_blamed_at_their_step(sure, task):
    for text, problem, wrong in wrong_paths()[:200 if task == "lab" else 5]:
        approved = parse_critique(reply(sure, judging(text, worked_steps(problem), task)))
        blamed = parse_critique(reply(sure, judging(text, wrong.steps, task)))
        assert approved.judgement.right and not blamed.judgement.right
        assert blamed.judgement.step == wrong.step
        notes = [line.split(":")[0] for line in blamed.text.split("\n")]
        assert notes == [*(f"Step {number}" for number in range(1, wrong.step + 1)), "Incorrect Step"]
        assert f"The correct answer is {problem.answer}." in blamed.text
        assert set(tokens(approved.text + blamed.text)) <= set(TASK.vocabulary())


def test_critiques_slip_at_the_stated_rate_on_right_paths_and_in_both_ways_on_wrong_ones(fallible):
    cases = wrong_paths()
    accused = missed = elsewhere = 0
    for text, problem, wrong in cases:
        accused += not parse_critique(reply(fallible, judging(text, worked_steps(problem)))).judgement.right
        said = parse_critique(reply(fallible, judging(text, wrong.steps))).judgement
        missed += said.right
        elsewhere += not said.right and said.step != wrong.step
    assert 0.22 < accused / len(cases) < 0.38
    assert 0.22 < (missed + elsewhere) / len(cases) < 0.38
    assert min(missed, elsewhere) > 0.08 * len(cases)


def test_a_question_that_is_not_the_labs_gets_no_solution(sure):
    answer = reply(sure, solving("Which is heavier, a stone or a feather?"))
    assert TASK.read(answer).answer is None


def test_only_the_messages_count_and_not_what_the_request_is_about(fallible):
    text, _ = PROBLEMS[0]
    message = (Message("user", solving(text)),)
    bare, told = fallible.complete([Request(message), Request(message, about=("anything",))])
    assert bare == told


def test_solutions_slip_at_the_stated_rate_and_then_end_wrong(fallible):
    wrong = [text for text, problem in PROBLEMS
             if TASK.read(reply(fallible, solving(text))).answer != str(problem.answer)]
    assert 0.22 < len(wrong) / len(PROBLEMS) < 0.38


def test_corrections_slip_at_the_stated_rate_in_both_ways(fallible):
    cases = wrong_paths()
    misnamed = wrong_end = 0
    for text, problem, wrong in cases:
        parsed = parse_correction(reply(fallible, correcting(text, wrong.steps)))
        right_end = parsed.steps[-1] == worked_steps(problem)[-1]
        misnamed += parsed.step != wrong.step
        wrong_end += parsed.step == wrong.step and not right_end
    assert 0.22 < (misnamed + wrong_end) / len(cases) < 0.38
    assert min(misnamed, wrong_end) > 0.08 * len(cases)


def test_a_slip_is_the_same_each_time_and_another_path_may_slip_elsewhere(fallible):
    text, _ = PROBLEMS[0]
    replies = [reply(fallible, solving(text), index) for index in range(30)]
    assert replies == [reply(fallible, solving(text), index) for index in range(30)]
    assert len(set(replies)) > 1
    other = find_model("teacher", "teacher", {"slip": 0.3, "seed": 1})
    assert replies != [reply(other, solving(text), index) for index in range(30)]
    assert replies != [reply(fallible, solving(text), index, seed=1) for index in range(30)]


def test_new_questions_are_the_labs_own_differ_and_keep_the_kinds_of_rules(sure):
    for text, problem in PROBLEMS[:40]:
        written = [reply(sure, find_prompt("evolve", "lab").render(question=text), index) for index in range(5)]
        assert len(set(written)) == 5
        for new in map(parse, written):
            assert new.key() != problem.key()
            assert abs(new.level - problem.level) <= 1
            assert {r.rule for r in new.relations} <= {r.rule for r in problem.relations}
            assert all(1 <= value <= LARGEST for value in new.values().values())


def test_no_new_question_is_one_that_an_examination_may_hold(sure):
    prompts = [find_prompt("evolve", "lab").render(question=text) for text, _ in PROBLEMS]
    assert {parse(reply(sure, prompt)).home() for prompt in prompts} == {"train"}


def test_tokens_are_counted_and_a_reply_that_is_too_long_is_cut(sure):
    text, _ = PROBLEMS[3]
    whole, cut = sure.complete([Request((Message("user", solving(text)),), Sampling(max_tokens=limit))
                                for limit in (400, 12)])
    assert whole.finish == "stop" and whole.tokens == len(tokens(whole.text))
    assert whole.prompt_tokens == len(tokens(solving(text)))
    assert (cut.finish, cut.tokens) == ("length", 12) and whole.text.startswith(cut.text)


def test_the_four_worked_examples_of_the_correction_prompt_are_right(sure):
    prompt = find_prompt("correct", "lab").text
    shown = re.findall(r"Question: ([^\n]+)\nWrong Solution:\n\{\n([^{}]+)\n\}\nIncorrect Step:( Step[^}]+\n\})",
                       prompt)
    assert len(shown) == 4
    for text, path, correction in shown:
        assert reply(sure, correcting(text, split_steps(path))) == correction
        assert review(parse(text), split_steps(path)).step == parse_correction(correction).step


def test_the_four_worked_critiques_of_the_prompt_are_the_teachers_own(sure):
    shown = re.findall(r"Question: ([^\n]+)\nSolution:\n\{\n([^{}]+)\n\}\nCritique: ((?:[^\n]+\n)+)",
                       find_prompt("critique", "lab").text)
    assert len(shown) == 4
    for text, path, critique in shown:
        assert reply(sure, judging(text, split_steps(path))) == critique.strip()
    assert [parse_critique(critique).judgement.right for *_, critique in shown].count(True) == 2


def test_the_new_question_in_the_evolution_prompt_is_the_labs_own():
    questions = re.findall(r"Question: (.+)", find_prompt("evolve", "lab").text)
    assert all(parse(text) for text in islice(questions, 2))


def one_step(text: str, steps: tuple[str, ...], *, reason: bool = False, task: str = "lab") -> str:
    return find_prompt("correct_step", task).render(question=text, steps=number_steps(steps), reason=reason)


@pytest.mark.parametrize("task", ["lab", "gsm8k", "csqa"])
def test_asked_for_one_step_it_writes_the_number_and_that_step_in_few_words(sure, task):
    lengths = []
    for text, problem, wrong in wrong_paths()[:200 if task == "lab" else 5]:
        short = reply(sure, one_step(text, wrong.steps, task=task))
        parsed = parse_step(short, reason=False)
        assert (parsed.step, parsed.steps) == (wrong.step, worked_steps(problem)[wrong.step - 1:wrong.step])
        with_reason = reply(sure, one_step(text, wrong.steps, reason=True, task=task))
        assert parse_step(with_reason, reason=True).explanation
        lengths.append(len(tokens(short)))
    assert max(lengths) < 20


def test_a_short_prompt_without_worked_examples_gets_the_same_corrections_for_half_of_the_prompt(sure):
    for name in ("correct_step", "correct"):
        read = partial(parse_step, reason=False) if name == "correct_step" else parse_correction
        for text, _, wrong in wrong_paths()[:50]:
            values = {"question": text, "steps": number_steps(wrong.steps)}
            values |= {"reason": False} if name == "correct_step" else {}
            long, short = (find_prompt(each, "lab").fitting(name).render(**values)
                           for each in (name, f"{name}_short"))
            assert read(reply(sure, short)) == read(reply(sure, long))
            assert len(tokens(short)) < 0.55 * len(tokens(long))
    with_reason = find_prompt("correct_step_short", "lab").render(**values, reason=True)
    assert parse_step(reply(sure, with_reason), reason=True).explanation


@pytest.mark.parametrize("name", ["correct_step", "correct_step_short", "correct", "correct_short"])
def test_what_is_the_same_in_every_request_stands_first(name):
    (text, _, wrong), (other, _, also) = wrong_paths()[:2]
    for task in ("lab", "gsm8k", "math", "csqa"):
        prompt = find_prompt(name, task)
        values = {"reason": False, "stem": "", "choices": ""}
        first, second = (prompt.render(question=question, steps=number_steps(path.steps), **values)
                         for question, path in ((text, wrong), (other, also)))
        assert prompt.text.count("{{ question }}") + prompt.text.count("{{ stem }}") == 1
        share = in_common(first, second) / len(first)
        assert share > (0.5 if name.endswith("short") else 0.85)


def test_one_step_corrections_slip_at_the_stated_rate_in_both_ways(fallible):
    cases = wrong_paths()
    misnamed = wrong_step = 0
    for text, problem, wrong in cases:
        parsed = parse_step(reply(fallible, one_step(text, wrong.steps)), reason=False)
        misnamed += parsed.step != wrong.step
        wrong_step += parsed.step == wrong.step and parsed.steps[0] != worked_steps(problem)[wrong.step - 1]
    assert 0.22 < (misnamed + wrong_step) / len(cases) < 0.38
    assert min(misnamed, wrong_step) > 0.08 * len(cases)


def test_slips_per_step_spare_a_longer_reply_less_often():
    share = 0.1
    model = find_model("teacher", "teacher", {"slip_per_step": share})
    steps = right = expected = corrected = spared = kept = 0
    for text, problem, wrong in wrong_paths():
        worked = worked_steps(problem)
        right += split_steps(reply(model, solving(text))) == worked
        expected += (1 - share) ** len(worked)
        corrected += parse_correction(reply(model, correcting(text, wrong.steps))).steps == worked[wrong.step - 1:]
        spared += (1 - share) ** (len(worked) - wrong.step + 1)
        (step,) = parse_step(reply(model, one_step(text, wrong.steps)), reason=False).steps
        kept += step == worked[wrong.step - 1]
        steps += 1
    assert abs(right - expected) < 0.08 * steps
    assert abs(corrected - spared) < 0.08 * steps
    assert abs(kept - (1 - share) * steps) < 0.06 * steps
    assert right < corrected < kept


def test_without_slips_per_step_nothing_is_asked_again_that_was_asked_before_there_were_any():
    assert "slip_per_step" not in find_model("teacher", "teacher", {"slip": 0.1}).identity()
    assert "slip_per_step" not in find_model("teacher", "teacher", {"slip": 0.1}).settings.facts()
    assert find_model("teacher", "teacher", {"slip_per_step": 0.1}).identity()["slip_per_step"] == 0.1
