"""The lab: what it writes it reads back, its splits share nothing, and a planted mistake is found at its step."""

import random
import re
from collections.abc import Iterator
from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lema.errors import ConfigError
from lema.prompting import find_prompt
from lema.replies import number_steps, parse_correction, render_correction, split_steps
from lema.tasks import find_task
from lema.tasks.lab.drawing import draw, draw_rules
from lema.tasks.lab.mistakes import LARGEST_WRITTEN, MISTAKES, plant
from lema.tasks.lab.problems import LARGEST, RULES, SOURCE, TARGET, Given, Problem, Relation, worked_steps
from lema.tasks.lab.review import EXPLANATIONS, REASONS, review
from lema.tasks.lab.wording import WORDINGS, parse, write
from lema.tasks.lab.words import SCENES, tokens

BEACH = SCENES[0]


def problems(seed: int, count: int, share: float = 0.5) -> Iterator[Problem]:
    rng = random.Random(seed)
    found = (draw(rng, draw_rules(rng, 1 + number % 6, share)) for number in range(10 * count))
    return islice((problem for problem in found if problem), count)


def reckon(line: str) -> bool:
    """Whether the numbers of a worked step come out, reckoned by Python."""
    left, sign, right, value = re.search(r"(\d+) ([-+*/]) (\d+) = (\d+)\.$", line).groups()
    return {"+": int(left) + int(right), "-": int(left) - int(right), "*": int(left) * int(right),
            "/": int(left) / int(right)}[sign] == int(value)


def chain(*rules: str, numbers: tuple[int, ...], start: int = 12) -> Problem:
    names = ("Leo", "Sam", "Ida", "Mia")
    relations = (Relation(names[i + 1], rule, (names[i],), RULES[rule].fixed or numbers[i])
                 for i, rule in enumerate(rules))
    return Problem(BEACH, (Given("Leo", start), *relations))


def test_every_text_that_the_lab_writes_is_read_back_to_the_same_problem():
    for problem in problems(1, 2000):
        assert parse(write(problem)) == problem


def test_every_wording_is_read_back_to_its_own_rule():
    for rule, wordings in WORDINGS.items():
        for place in range(len(wordings)):
            of = ("Leo", "Sam") if RULES[rule].people == 2 else ("Leo",)
            number = 0 if len(of) == 2 else RULES[rule].fixed or 5
            facts = (Given("Leo", 12), Given("Sam", 9), Relation("Ida", rule, of, number, place))
            assert parse(write(Problem(BEACH, facts))) == Problem(BEACH, facts)


def test_a_story_reads_like_one():
    problem = chain("twice", "more", numbers=(0, 9), start=15)
    assert write(problem) == ("On the beach Leo finds 15 shells. Sam finds twice as many shells as Leo. "
                              "Ida finds 9 more shells than Sam. How many shells does Ida find?")
    assert worked_steps(problem) == ("Sam = Leo * 2 = 15 * 2 = 30.", "Ida = Sam + 9 = 30 + 9 = 39.",
                                     "The answer is 39.")


@pytest.mark.parametrize(("old", "new"), [
    ("12 shells", "12 stones"), ("Ida find?", "Sam find?"), ("Sam finds 5", "Zoe finds 5"),
    ("than Leo", "than Ida"), ("5 more", "many more"), ("Sam finds 5", "Leo finds 5"),
    ("On the beach ", "At sea "), ("more", "fewer, or"), ("How many", "What"), (". ", ".  "),
    ("12 shells.", "12 shells, as he said."),
])
def test_a_text_that_the_lab_does_not_write_is_not_read(old, new):
    text = write(chain("more", "twice", numbers=(5, 0)))
    assert parse(text) is not None
    assert parse(text.replace(old, new, 1)) is None


WORDS = write(chain("half", "inverse", numbers=(0, 2))).split()


@given(st.text(max_size=200) | st.lists(st.sampled_from(WORDS)).map(" ".join))
@settings(max_examples=100, deadline=None)
def test_any_text_is_read_without_an_error(text):
    assert parse(text) is None or write(parse(text)) == text


def test_a_story_whose_numbers_do_not_come_out_is_not_read():
    assert parse(write(chain("half", numbers=(0,), start=12))) is not None
    assert parse(write(chain("half", numbers=(0,), start=13))) is None
    assert parse(write(chain("fewer", numbers=(12,), start=12))) is None


def test_every_worked_step_is_right_and_its_numbers_stay_small():
    for problem in problems(2, 600):
        steps = worked_steps(problem)
        assert len(steps) == problem.level + 1
        assert all(reckon(step) for step in steps[:-1])
        assert steps[-2].endswith(f"= {problem.answer}.") and steps[-1] == f"The answer is {problem.answer}."
        assert all(1 <= value <= LARGEST for value in problem.values().values())


def test_the_inverse_reading_takes_away_what_the_story_calls_more():
    problem = parse("Leo has 12 coins. Leo has 5 more coins than Ida. How many coins does Ida have?")
    assert problem.answer == 7
    assert problem.relations[0].rule == "inverse"


def test_a_renamed_problem_is_the_same_problem():
    text = "Leo has 12 coins. Sam has half as many coins as Leo. How many coins does Sam have?"
    renamed = "At the fair Ida wins 12 cards. Dan wins half of what Ida wins. How many cards does Dan win?"
    other = text.replace("12", "14")
    assert parse(text).key() == parse(renamed).key() != parse(other).key()
    assert parse(text).home() == parse(renamed).home()


def test_no_split_shares_a_problem_even_under_other_names_and_no_lesson_is_examined():
    task = find_task("lab", {"levels": [1, 2, 3], "train": 500, "dev": 150, "test": 250, "share": 0.3})
    keys = {split: {parse(question.text).key() for question in task.questions(split)} for split in task.splits}
    assert [len(keys[split]) for split in ("train", "dev", "test")] == [500, 150, 250]
    taught = {parse(text).key() for lesson in task.lessons(1, 60_000)
              for text in re.findall(r"Question: (.+)", lesson.prompt)}
    assert len(taught) > 300
    assert not keys["train"] & keys["test"] and not keys["train"] & keys["dev"] and not keys["dev"] & keys["test"]
    assert not taught & (keys["dev"] | keys["test"])


def test_only_the_first_questions_carry_a_worked_solution_and_levels_come_in_equal_parts():
    task = find_task("lab", {"train": 90, "worked": 30, "levels": [2, 3, 5]})
    questions = list(task.questions("train"))
    assert [question.solution is not None for question in questions] == [True] * 30 + [False] * 60
    assert [question.level for question in questions] == [2, 3, 5] * 30
    assert all(question.source == "lab:1" for question in questions)
    assert not [question for question in task.questions("test", 30) if question.solution]


def test_another_seed_asks_other_questions():
    texts = [{question.text for question in find_task("lab", {"seed": seed}).questions("test", 50)}
             for seed in (1, 2)]
    assert not texts[0] & texts[1]


def test_a_share_of_zero_asks_source_rules_only_and_of_one_target_rules_only():
    for share, family in ((0.0, SOURCE), (1.0, TARGET)):
        task = find_task("lab", {"share": share})
        used = {fact.rule for question in task.questions("train", 100) for fact in parse(question.text).relations}
        assert used == set(family)


def test_more_questions_than_the_lab_has_are_refused():
    task = find_task("lab", {"levels": [1], "share": 0.0, "test": 5000})
    with pytest.raises(ConfigError, match="different test problems of these levels"):
        list(task.questions("test"))


@pytest.mark.parametrize("table", [
    {"worked": 2000}, {"levels": [0]}, {"levels": [9]}, {"levels": []}, {"lesson_levels": [9]}, {"share": 2}])
def test_settings_that_cannot_be_are_refused(table):
    with pytest.raises(ConfigError):
        find_task("lab", table)


def test_the_last_answer_sentence_is_the_answer():
    task = find_task("lab", {})
    assert task.read("Step 1: The answer is 4.\nStep 2: The answer is 12.").answer == "12"
    assert task.read("Step 1: Sam = 4.").answer is None
    assert task.same("07", "7") and not task.same("7", "8") and not task.same("seven", "7")


def test_a_right_path_has_no_wrong_step():
    for problem in problems(3, 600):
        assert review(problem, worked_steps(problem)) is None


def test_a_planted_mistake_is_found_at_exactly_its_step_and_corrected_to_the_right_answer():
    rng = random.Random(4)
    seen = set()
    for problem in problems(5, 800):
        wrong = plant(rng, problem)
        if wrong is None:
            continue
        found = review(problem, wrong.steps)
        assert found.step == wrong.step, (write(problem), wrong)
        assert (*wrong.steps[:found.step - 1], *found.steps) == worked_steps(problem)
        assert max(int(number) for step in wrong.steps for number in re.findall(r"\d+", step)) <= LARGEST_WRITTEN
        seen.add(wrong.mistake)
    assert seen == set(MISTAKES)


EXAMPLE = chain("twice", "fewer", numbers=(0, 9))  # Leo 12, Sam 24, Ida 15
STEP_1, STEP_2, ANSWER = worked_steps(EXAMPLE)


@pytest.mark.parametrize(("path", "step", "explanation"), [
    (["Sam = Leo + 2 = 12 + 2 = 14.", STEP_2, ANSWER], 1,
     "Sam finds twice as many as Leo, so Leo must be multiplied by 2, not added."),
    ([STEP_1, "Ida = Sam + 9 = 24 + 9 = 33.", "The answer is 33."], 2,
     "Ida finds 9 fewer than Sam, so 9 must be taken away, not added."),
    ([STEP_1, "Ida = Leo - 9 = 12 - 9 = 3.", "The answer is 3."], 2,
     "Ida finds 9 fewer than Sam, so Sam is needed, not Leo."),
    ([STEP_1, "Ida = Sam - 7 = 24 - 7 = 17.", "The answer is 17."], 2,
     "Ida finds 9 fewer than Sam, so 9 is needed, not 7."),
    ([STEP_1, "Ida = Sam - 9 = 12 - 9 = 3.", "The answer is 3."], 2, "Sam is 24, not 12."),
    ([STEP_1, "Ida = Sam - 9 = 24 - 8 = 16.", "The answer is 16."], 2, "The number is 9, not 8."),
    ([STEP_1, "Ida = Sam - 9 = 24 + 9 = 33.", "The answer is 33."], 2,
     "The numbers must be taken away, not added."),
    (["Sam = Leo * 2 = 12 * 2 = 26.", STEP_2, ANSWER], 1, "12 * 2 is 24, not 26."),
    (["Ida = Sam - 9 = 12 - 9 = 3.", "The answer is 3."], 1,
     "Ida finds 9 fewer than Sam, so Sam must be found before Ida."),
    ([STEP_1, STEP_1, STEP_2, ANSWER], 2, "The number of Sam is known before this step."),
    ([STEP_1, "Mia = Sam - 9 = 24 - 9 = 15.", ANSWER], 2, "The story does not tell of Mia."),
    ([STEP_1, "The answer is 24."], 2, "The question asks for Ida, so Ida must be found before the answer."),
    ([STEP_1, STEP_2, "The answer is 24."], 3, "The question asks for Ida, and Ida is 15, not 24."),
    ([STEP_1, "Sam gave 9 away.", ANSWER], 2, "This step does not say what is found and how."),
    ([STEP_1, STEP_2, ANSWER, "The answer is 24."], 4, "Nothing may follow the answer."),
    ([STEP_1, STEP_2], 3, "The answer is not stated."),
    ([], 1, "The answer is not stated."),
    (["", STEP_2], 1, "This step does not say what is found and how."),
])
def test_the_first_wrong_step_is_named_with_what_is_wrong_in_it(path, step, explanation):
    found = review(EXAMPLE, path)
    assert (found.step, found.explanation) == (step, explanation)
    assert (*path[:step - 1], *found.steps)[-1] == ANSWER


def test_another_order_of_what_is_added_is_no_mistake():
    assert review(EXAMPLE, ["Sam = 2 * Leo = 2 * 12 = 24.", STEP_2, ANSWER]) is None
    assert review(EXAMPLE, [STEP_1, "Ida = 9 - Sam = 9 - 24 = 15.", ANSWER]).step == 2


@given(st.lists(st.text(alphabet="SamIdLeoThnswri =+-*/0129. ", max_size=40), max_size=5))
@settings(max_examples=100, deadline=None)
def test_any_path_is_reviewed_without_an_error(path):
    found = review(EXAMPLE, path)
    assert found is None or 1 <= found.step <= len(path) + 1


def test_lessons_hold_stories_corrections_and_sums_until_the_tokens_are_spent():
    lessons = list(find_task("lab", {}).lessons(7, 30_000))
    spent = sum(lesson.prompt_tokens + lesson.tokens for lesson in lessons)
    assert 30_000 <= spent < 30_400
    for kind, share in (("cot", 0.4), ("correction", 0.15), ("drill", 0.15)):
        of_kind = sum(lesson.prompt_tokens + lesson.tokens for lesson in lessons if lesson.kind == kind)
        assert of_kind > share * spent
    assert lessons == list(find_task("lab", {}).lessons(7, 30_000))
    assert lessons != list(find_task("lab", {}).lessons(8, 30_000))


def test_long_chains_are_drawn_solved_and_taught_and_lessons_of_the_usual_length_stay_what_they_were():
    task = find_task("lab", {"levels": [7, 8], "train": 6, "worked": 6, "lesson_levels": [8]})
    for question in task.questions("train"):
        steps = split_steps(question.solution)
        assert len(steps) == question.level + 1 and task.fault(question, steps) == ""
    taught = [lesson for lesson in task.lessons(1, 4_000) if lesson.kind == "cot"]
    assert {lesson.completion.count("Step ") for lesson in taught} == {9}
    usual = find_task("lab", {"lesson_levels": [1, 2, 3, 4]})
    assert usual.settings.facts() == find_task("lab", {}).settings.facts()
    assert task.settings.facts()["lesson_levels"] == [8]


def test_a_lesson_share_of_zero_teaches_source_rules_only():
    for lesson in find_task("lab", {"lesson_share": 0}).lessons(9, 30_000):
        for text in re.findall(r"Question: (.+)", lesson.prompt):
            assert {relation.rule for relation in parse(text).relations} <= set(SOURCE)


def test_a_lesson_correction_is_in_the_form_that_the_parser_reads():
    corrections = [lesson for lesson in find_task("lab", {}).lessons(1, 30_000) if lesson.kind == "correction"]
    for lesson in corrections:
        assert lesson.prompt.endswith("Incorrect Step:")
        parsed = parse_correction(lesson.completion)
        assert parsed.first_number == parsed.step and parsed.has_dots == (parsed.step > 1)
        assert render_correction(parsed.step, parsed.explanation, parsed.steps) == lesson.completion


def test_every_word_that_a_student_meets_is_in_its_vocabulary():
    task = find_task("lab", {"levels": [1, 2, 3, 4, 5, 6, 7, 8], "share": 0.5})
    known = set(task.vocabulary())
    assert len(known) < 400
    rng = random.Random(1)
    train_correction = find_prompt("train_correction", "lab")
    texts = [lesson.prompt + lesson.completion for lesson in task.lessons(3, 40_000)]
    for question in task.questions("train", 300):
        problem = parse(question.text)
        wrong = plant(rng, problem)
        texts.append(task.prompt(question)[0].content + number_steps(worked_steps(problem)))
        if wrong:
            found = review(problem, wrong.steps)
            texts.append(train_correction.render(question=question.text, steps=number_steps(wrong.steps))
                         + render_correction(found.step, found.explanation, found.steps))
    parts = {"name": "Ida", "right": "Leo", "said": 12, "left": 9, "sign": "+", "value": 21, "do": "taken away",
             "done": "divided"}
    for reason in REASONS.values():
        told = reason.format(new="Ida", verb="finds", n=9, old="Leo", other="Sam")
        texts += [f"Explanation: {text.format(reason=told, **parts)}" for text in EXPLANATIONS.values()]
    for text in texts:
        assert "".join(tokens(text)) == text
        assert set(tokens(text)) <= known, set(tokens(text)) - known


def test_a_worked_solution_is_cut_into_the_steps_it_was_made_of():
    for problem in problems(6, 50):
        assert split_steps(number_steps(worked_steps(problem))) == worked_steps(problem)
