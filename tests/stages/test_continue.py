"""One-step corrections: who goes on from where, what counts as going on, when a question is left alone, and for
how much; and that a run which is broken off anywhere asks for the same again."""

import random
from itertools import islice

import pytest

from lema.chains import NOT_GOING_ON
from lema.config import parse_config
from lema.errors import ConfigError
from lema.messages import Completion
from lema.models import find_model
from lema.records import ReasoningPath, Sampling, to_row
from lema.replies import number_steps, split_steps
from lema.stages.continue_ import NONE_RIGHT, TOO_FEW, continue_steps, continuing, expected
from lema.tasks import find_task
from lema.tasks.lab.mistakes import plant
from lema.tasks.lab.problems import worked_steps
from lema.tasks.lab.wording import parse
from tests.stages.desk import CONFIG, EARLY, LEO, RIGHT, WRONG, context, path

ENDS_WELL = "Step 3: The answer is 39."
ENDS_BADLY = "Step 3: The answer is 38."


class Student:
    """Goes on as `says(prompt, prefix, index)` tells; `taken` are the requests that it wrote for."""

    runs_here = True

    def __init__(self, says, name="student"):
        self.says, self.name, self.taken = says, name, []

    def identity(self):
        return {"student": self.name}

    def complete(self, requests):
        for request in requests:
            self.taken.append(request)
            text = self.says(request.messages[-1].content, request.prefix, request.index)
            yield Completion(text, tokens=len(text.split()), prompt_tokens=5)


class Corrector(Student):
    """The same, for a corrector: told of the prompt alone."""

    def complete(self, requests):
        for request in requests:
            self.taken.append(request)
            text = self.says(request.messages[-1].content)
            yield Completion(text, tokens=len(text.split()), prompt_tokens=50)


def settings(students=("student",), **table):
    correct = {"model": "teacher", "tokens": table.pop("tokens", None)}
    models = {name: {"backend": "transformers", "path": "none"} for name in students}
    config = parse_config({**CONFIG, "models": {"teacher": {"backend": "teacher"}, **models},
                           "sample": {"models": list(students)}, "continue": table,
                           "correct": {key: value for key, value in correct.items() if value}}, "x")
    return continuing(config, "", config.sample.models)


def placed(folder, **models):
    """A context in which these models are asked."""
    folder.mkdir(exist_ok=True)
    here = context(folder, continue_steps, models={"teacher": {"backend": "teacher"}, **{
        name: {"backend": "transformers", "path": "none"} for name in models if name != "teacher"}})
    here._models.update(models)
    return here


def went_on(folder, graded, says, corrector=None, questions=(LEO,), students=("student",), **table):
    """(rows, the first student); the corrector is the lab's teacher unless there is another."""
    models = {name: Student(says, name) for name in students}
    here = placed(folder, **models, teacher=corrector or find_model("teacher", "teacher", {}))
    rows = list(continue_steps(here, settings(students, **table), list(questions), graded))
    return rows, models[students[0]]


def test_the_student_goes_on_from_its_own_right_steps_and_the_corrected_one(tmp_path):
    (row,), student = went_on(tmp_path, [path(LEO, *WRONG)], lambda *_: ENDS_WELL)
    assert {request.prefix for request in student.taken} == {f"{number_steps(RIGHT[:2])}\n"}
    assert [request.index for request in student.taken] == [0, 1, 2, 3]
    assert student.taken[0].messages[0].content.startswith("Question: Leo has 15 plums.")
    assert (row.step, row.text, row.first, row.agree, row.rejected) == (2, RIGHT[1], 2, 4, "")
    assert row.steps == RIGHT and row.kept == row.continuations[0].id
    assert (row.student_tokens, row.student_prompt_tokens) == (4 * 6, 4 * 5)
    assert row.tokens < 20 < row.prompt_tokens


def test_what_goes_on_to_a_wrong_answer_is_the_next_mistake_and_is_corrected_again(tmp_path):
    def says(prompt, prefix, index):
        if prefix.count("Step") == 1:  # behind the first step alone it goes wrong
            return "Step 2: Ida = Sam - 9 = 30 - 9 = 21.\nStep 3: The answer is 21."
        return ENDS_WELL

    rows, _ = went_on(tmp_path, [path(LEO, *EARLY)], says)
    first, second = rows
    assert (first.step, first.attempt, first.rejected) == (1, 1, NONE_RIGHT)
    assert second.mistake == (RIGHT[0], WRONG[1], WRONG[2])
    assert (second.attempt, second.corrects, second.path) == (2, first.continuations[0].id, first.path)
    assert (second.step, second.first, second.steps) == (2, 1, RIGHT)


def test_a_question_is_given_up_after_so_many_tries(tmp_path):
    number = iter(range(1, 100))
    rows, _ = went_on(tmp_path, [path(LEO, *WRONG)], lambda *_: ENDS_BADLY,
                      Corrector(lambda _: f" 2\nCorrected Step: Ida = Sam - {next(number)} of 30."), tries=3)
    assert [row.attempt for row in rows] == [1, 2, 3] and not any(row.kept for row in rows)


def test_paths_that_reach_the_answer_by_different_calculations_are_not_taken_for_agreeing(tmp_path):
    lucky = "Step 3: Ida = 13 * 3 = 39.\nStep 4: The answer is 39."

    def says(prompt, prefix, index):
        return (lucky, ENDS_WELL, ENDS_WELL, ENDS_BADLY)[index]

    (row, *_), _ = went_on(tmp_path, [path(LEO, *WRONG)], says, agree=2, alike="equations", tries=1)
    assert (row.agree, row.kept, row.steps) == (3, row.continuations[1].id, RIGHT)
    (row, *_), _ = went_on(tmp_path / "three", [path(LEO, *WRONG)], says, agree=3, alike="equations", tries=1)
    assert (row.agree, row.kept, row.rejected) == (3, "", TOO_FEW)
    (row, *_), _ = went_on(tmp_path / "answers", [path(LEO, *WRONG)], says, agree=3, tries=1)
    assert row.kept
    assert "alike" not in settings().facts() and settings(alike="equations").facts()["alike"] == "equations"


def test_a_solved_question_is_not_asked_about_again(tmp_path):
    graded = [path(LEO, *WRONG), path(LEO, *EARLY, index=1)]
    rows, _ = went_on(tmp_path, graded, lambda *_: ENDS_WELL if _[1].count("Step") == 2 else
                      f"Step 2: {RIGHT[1]}\n{ENDS_WELL}")
    assert len(rows) == 1 and rows[0].kept
    unsolved, _ = went_on(tmp_path / "again", graded, lambda *_: "Nothing.")
    assert {row.path for row in unsolved} == {each.id for each in graded}


def test_fewer_than_the_wanted_continuations_are_right_by_luck(tmp_path):
    def says(prompt, prefix, index):
        return ENDS_WELL if index == 1 else ENDS_BADLY

    (row, *_), _ = went_on(tmp_path, [path(LEO, *WRONG)], says, tries=1)
    assert (row.agree, row.kept, row.rejected) == (1, "", TOO_FEW)
    (row,), _ = went_on(tmp_path / "one", [path(LEO, *WRONG)], says, agree=1)
    assert row.kept == row.continuations[1].id


def test_of_the_right_ones_the_path_that_most_wrote_is_kept(tmp_path):
    roundabout = f"Step 3: Ida = Ida + 0 = 39 + 0 = 39.\nStep 4: {RIGHT[2]}"
    (row,), _ = went_on(tmp_path, [path(LEO, *WRONG)], lambda p, b, index: roundabout if index == 0 else ENDS_WELL)
    assert row.steps == RIGHT and row.kept == row.continuations[1].id


@pytest.mark.parametrize("text", [
    f"Step 1: {RIGHT[0]}\nStep 2: {RIGHT[1]}\nStep 3: {RIGHT[2]}",  # begins anew
    f"Step 2: {RIGHT[2]}",  # the number of the corrected step once more
    f"Step 4: {RIGHT[2]}",  # leaves one out
    f"Step 3: {RIGHT[0]}\nStep 4: {RIGHT[2]}",  # repeats a step
    f"So it is 39.\nStep 3: {RIGHT[2]}",  # writes on at the corrected step
    "", "\n",
])
def test_what_does_not_go_on_counts_for_nothing_however_it_ends(tmp_path, text):
    (row,), _ = went_on(tmp_path, [path(LEO, *WRONG)], lambda *_: text)
    assert {each.rejected for each in row.continuations} == {NOT_GOING_ON}
    assert (row.agree, row.kept) == (0, "")


def test_a_reply_that_fails_a_check_is_a_row_and_no_student_writes_for_it(tmp_path):
    replies = {"repeats the mistake": f" 2\nCorrected Step: {WRONG[1]}",
               "names a step that is not there": f" 7\nCorrected Step: {RIGHT[1]}",
               "a corrected step calculates wrongly": " 2\nCorrected Step: Ida = Sam + 9 = 30 + 9 = 40.",
               "does not keep the earlier steps": f" 2\nCorrected Step: Step 3: {RIGHT[1]}",
               "unreadable: no corrected step": " 2",
               "unreadable: finds no mistake": "All steps are correct."}
    for number, (reason, reply) in enumerate(replies.items()):
        rows, student = went_on(tmp_path / str(number), [path(LEO, *WRONG)], None,
                                Corrector(lambda _, reply=reply: reply))
        assert [row.rejected for row in rows] == [reason]
        assert not student.taken and not rows[0].continuations


def test_checks_that_the_config_leaves_out_are_not_asked_but_the_step_must_be_there(tmp_path):
    def rejected(reply):
        here = placed(tmp_path / reply[1], student=Student(lambda *_: ENDS_WELL),
                      teacher=Corrector(lambda _: reply))
        terms = settings().model_copy(update={"checks": ()})
        return next(continue_steps(here, terms, [LEO], [path(LEO, *WRONG)])).rejected

    assert rejected(" 2\nCorrected Step: Ida = Sam + 9 = 30 + 9 = 40.") == ""
    assert rejected(" 7\nCorrected Step: Ida = 39.") == "names a step that is not there"


def test_an_answer_is_never_given_to_the_student_who_has_to_find_it_from_the_steps_before(tmp_path):
    late = (*RIGHT[:2], "The answer is 30.")
    (row,), student = went_on(tmp_path, [path(LEO, *late)], lambda *_: ENDS_WELL)
    assert {request.prefix for request in student.taken} == {f"{number_steps(RIGHT[:2])}\n"}
    assert (row.step, row.first, row.agree, row.steps) == (3, 3, 4, RIGHT)
    lucky = Corrector(lambda _: " 3\nCorrected Step: The answer is 39.")  # blames the last step, not the second
    rows, _ = went_on(tmp_path / "lucky", [path(LEO, *WRONG)], lambda *_: "Step 3: The answer is 21.", lucky)
    assert not any(row.kept for row in rows)


def test_a_corrected_step_that_states_another_answer_than_the_gold_one_is_rejected(tmp_path):
    wrong = Corrector(lambda _: " 3\nCorrected Step: The answer is 31.")
    (row,), student = went_on(tmp_path, [path(LEO, *RIGHT[:2], "The answer is 30.")], None, wrong)
    assert row.rejected == "wrong final answer" and not student.taken


def test_an_answer_without_any_step_before_it_is_begun_anew(tmp_path):
    whole = number_steps(RIGHT)
    first = Corrector(lambda _: " 1\nCorrected Step: The answer is 39.")
    (row,), student = went_on(tmp_path, [path(LEO, "The answer is 5.")], lambda *_: whole, first)
    assert student.taken[0].prefix == "" and row.steps == RIGHT


def test_a_reason_is_asked_for_where_it_is_wanted(tmp_path):
    (row,), _ = went_on(tmp_path, [path(LEO, *WRONG)], lambda *_: ENDS_WELL, reason=True)
    assert "9 must be added" in row.explanation


def test_a_student_goes_on_in_lines_without_numbers_where_it_writes_none(tmp_path):
    unnumbered = ReasoningPath(question=LEO.id, model="student", text="\n".join(WRONG), verdict="wrong")
    (row,), student = went_on(tmp_path, [unnumbered], lambda *_: RIGHT[2])
    assert student.taken[0].prefix == f"{RIGHT[0]}\n{RIGHT[1]}\n"
    assert row.steps == RIGHT


def test_every_student_goes_on_from_its_own_mistakes_and_those_of_others_are_left_alone(tmp_path):
    graded = [path(LEO, *WRONG), path(LEO, *EARLY, model="early"), path(LEO, *WRONG, "Nothing.", model="imported")]
    rows, _ = went_on(tmp_path, graded, lambda prompt, prefix, index: f"Step {prefix.count('Step') + 1}: Nothing.",
                      students=("student", "early"))
    assert {(row.student, row.path) for row in rows} == {(each.model, each.id) for each in graded[:2]}


TASK = find_task("lab", {"train": 60, "worked": 0, "levels": [2, 3]})
PROBLEMS = list(islice(TASK.questions("train"), 60))


def _mistakes():
    rng, graded = random.Random(1), []
    for number, asked in enumerate(PROBLEMS):
        wrong = plant(rng, parse(asked.text))
        if wrong:
            graded.append(path(asked, *wrong.steps, index=number))
    return graded


def _now_and_then(prompt, prefix, index):
    """The right way on from the prefix for about half of what it is asked, else a wrong answer."""
    problem = parse(prompt.split("\n")[0].removeprefix("Question: "))
    draw, steps = random.Random(f"{prompt} {prefix} {index}"), split_steps(prefix)
    right = [step for step in worked_steps(problem)[:-1] if step not in steps]
    rest = [*right, worked_steps(problem)[-1]] if draw.random() < 0.5 else [
        f"Sam = Sam + {draw.randint(1, 9)} = 1.", f"The answer is {problem.answer + 1}."]
    return number_steps(rest, len(steps) + 1)


def test_a_budget_that_ends_inside_a_block_keeps_every_reply_and_is_hardly_passed(tmp_path):
    def rows(folder, graded, tokens):
        return went_on(tmp_path / folder, graded, _now_and_then, questions=PROBLEMS, tokens=tokens)[0]

    graded = _mistakes()
    for tokens in (90, 400, 900):
        made = rows(str(tokens), graded, tokens)
        assert tokens <= sum(row.tokens for row in made) < tokens + 20
        assert [row.id for row in made] == [row.id for row in rows(f"{tokens} again", graded[::-1], tokens)]
    everything = rows("all", graded, None)
    assert {row.path for row in everything} == {each.id for each in graded}


def test_in_depth_a_block_is_through_before_the_next_begins_and_in_breadth_all_are_begun_first(tmp_path):
    graded = _mistakes()
    deep, _ = went_on(tmp_path / "deep", graded, _now_and_then, questions=PROBLEMS, tokens=900)
    wide, _ = went_on(tmp_path / "wide", graded, _now_and_then, questions=PROBLEMS, tokens=900, order="breadth")
    assert [row.attempt for row in wide] == sorted(row.attempt for row in wide)
    assert [row.attempt for row in deep] != sorted(row.attempt for row in deep)
    assert len({row.path for row in deep}) < len({row.path for row in wide}) == len(graded)


class Broken(BaseException):
    """As a kill: nothing of ours catches it."""


class Breaking:
    """A model that breaks off when its time has come; `computed` are all that it ever wrote, over all restarts."""

    runs_here, computed, last = True, 0, 10**9

    def __init__(self, model):
        self.model, self.identity = model, model.identity

    def complete(self, requests):
        for completion in self.model.complete(requests):
            Breaking.computed += 1
            if Breaking.computed >= Breaking.last:
                raise Broken
            yield completion


def test_broken_off_anywhere_it_ends_in_the_same_bytes_and_pays_for_nothing_twice(tmp_path):
    graded, terms = _mistakes(), settings(tokens=900)
    corrector = find_model("teacher", "teacher", {"slip": 0.3})

    def run(folder):
        here = placed(folder, student=Breaking(Student(_now_and_then)), teacher=Breaking(corrector))
        try:
            return "".join(map(to_row, continue_steps(here, terms, PROBLEMS, graded)))
        finally:
            here._journal.close()

    whole, alone = run(tmp_path / "whole"), Breaking.computed
    Breaking.computed, draw, breaks = 0, random.Random(4), 0
    while Breaking.computed < alone - 30:
        Breaking.last = Breaking.computed + draw.randrange(5, 60)
        with pytest.raises(Broken):
            run(tmp_path / "broken")
        breaks += 1
    Breaking.last = 10**9
    assert run(tmp_path / "broken") == whole
    assert breaks > 3 and Breaking.computed <= alone + breaks  # one reply was on its way at each


def _plan(**changes):
    config = parse_config({**CONFIG, "models": {"teacher": {"backend": "teacher"}, **changes.pop("models", {})},
                           "correct": {"model": "teacher"}, **changes}, "x")
    return continuing(config, "", config.sample.models)


@pytest.mark.parametrize(("table", "why"), [
    ({"backend": "teacher"}, "the lab's teacher writes whole replies"),
    ({"backend": "recorded", "file": "rollouts.jsonl"}, "recorded rollouts are whole paths"),
    ({"backend": "api", "model": "m"}, 'a chat endpoint begins a reply of its own.*prefill = "vllm"'),
    ({"backend": "batch", "model": "m"}, "a chat endpoint begins"),
])
def test_a_student_that_cannot_go_on_is_refused_in_one_line_before_anything_is_asked(table, why):
    line = rf"models\.s: a student goes on from a corrected step, which this one cannot: .*{why}"
    with pytest.raises(ConfigError, match=line) as refused:
        _plan(models={"s": table}, sample={"models": ["s"]}, **{"continue": {}})
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("table", [
    {"backend": "api", "model": "m", "form": "completions"}, {"backend": "api", "model": "m", "prefill": "vllm"},
    {"backend": "batch", "model": "m", "prefill": "plain"}, {"backend": "transformers", "path": "org/name"},
    {"backend": "vllm", "path": "org/name"}, {"backend": "transformers", "grow": {"tokens": 5}},
])
def test_a_student_that_can_is_taken(table):
    assert _plan(models={"s": table}, sample={"models": ["s"]}, **{"continue": {}}).students == ("s",)


def test_extent_step_needs_no_further_table_and_takes_its_words_from_correct_and_sample():
    model = {"s": {"backend": "transformers", "path": "org/name"}}
    terms = _plan(models=model, sample={"models": ["s"], "temperature": 0.6, "max_tokens": 99, "prompt": "solve"},
                  correct={"model": "teacher", "extent": "step", "tokens": 500, "prompt": "mine.txt"})
    assert (terms.tokens, terms.prompt, terms.solve, terms.going_on) == (
        500, "mine.txt", "solve", Sampling(temperature=0.6, max_tokens=99))
    assert (terms.paths, terms.agree, terms.tries, terms.order) == (4, 2, 4, "depth")
    assert _plan(models=model, sample={"models": ["s"]}) is None


@pytest.mark.parametrize(("changes", "line"), [
    ({"continue": {"agree": 5}}, r"continue: agree = 5 of paths = 4 can never be"),
    ({"continue": {"patsh": 5}}, r"continue\.patsh: unknown key; did you mean 'paths'"),
    ({"continue": {"models": ["other"]}}, r"continue\.models = 'other' is no \[models\.X\]"),
    ({"continue": {"models": ["teacher"]}, "sample": {"models": ["s"]}}, "'teacher' is not among sample.models"),
    ({"continue": {"temperature": 0.0}, "sample": {"models": ["s"]}}, "continue.paths > 1 are all alike"),
    ({"continue": {}, "correct": None}, r"continue\.model: name the corrector"),
    ({"correct": {"model": "teacher", "extent": "step", "tries": 2}}, "samples and tries are of whole"),
    ({"correct": {"model": "teacher", "extent": "step"}, "evolve": {"e": {"model": "teacher", "seeds": 3}}},
     r"evolve\.e\.seeds_from: .* set seeds_from"),
])
def test_settings_that_cannot_be_meant_are_one_line(changes, line):
    with pytest.raises(ConfigError, match=line) as refused:
        _plan(models={"s": {"backend": "transformers", "path": "org/name"}}, **changes)
    assert "\n" not in str(refused.value)


def test_what_is_expected_is_reckoned_for_corrector_and_students(tmp_path):
    work = expected(settings(("student", "early"), tries=3, paths=5))
    assert (work.per_path, work.about, work.followers) == (3, "wrong", {"student": 5, "early": 5})
    assert work.likely == pytest.approx(2 / 3)
