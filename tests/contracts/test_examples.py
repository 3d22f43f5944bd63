"""The contract of a kind of example: every shipped kind, and every ready arm, keeps it."""

import re
import textwrap
from pathlib import Path

import pytest

from lema.config import ArmConfig
from lema.config.ready_arms import expanded, ready_arm, ready_arms
from lema.errors import ConfigError
from lema.examples import Case, Corrected, Criticised, find_kind
from lema.examples.take import Take
from lema.plugins import shipped
from lema.prompting import find_prompt
from lema.records import Correction, Critique, Question, ReasoningPath
from lema.replies import number_steps
from lema.tasks.lab.words import tokens
from tests.documented import documented
from tests.examples.case import (
    APPROVED,
    BLAMED,
    BOUGHT,
    CASE,
    KEPT,
    LEO,
    MISSED,
    REFUSED,
    RIGHT_PATH,
    TASK,
    WORDS,
    WRONG_PATH,
    made,
)

NEEDS = {"worked", "paths", "own", "corrections", "critiques right", "critiques wrong", "bought random",
         "bought failed", "continued"}
PARENTS = {record.id for record in (
    APPROVED, BLAMED, MISSED, BOUGHT, KEPT, REFUSED, RIGHT_PATH, WRONG_PATH)}


def _takes(arm: str) -> tuple[Take, ...]:
    return ArmConfig.model_validate(expanded([arm])[arm]).take


@pytest.mark.parametrize("kind", shipped("examples"))
def test_a_kind_says_what_it_needs_and_makes_examples_that_lead_back(kind):
    take = Take(kind=kind, **({"source": "own"} if kind == "cot" else {}))
    found = find_kind(take, "take")
    examples = made(kind=kind, **take.own)
    assert found.needs <= NEEDS
    assert examples
    for example in examples:
        assert example.kind == kind
        assert example.question == LEO.id
        assert example.parent in PARENTS
        assert example.prompt.strip() and example.completion.strip()
    assert [e.id for e in made(kind=kind, **take.own)] == [e.id for e in examples]


@pytest.mark.parametrize("kind", shipped("examples"))
def test_a_kind_makes_nothing_of_a_question_that_nobody_answered(kind):
    assert made(Case(LEO), kind=kind) == []


@pytest.mark.parametrize("kind", shipped("examples"))
@pytest.mark.parametrize("task", ["lab", "gsm8k"])
def test_the_prompts_of_a_kind_are_there_and_hold_the_question_or_bridge_to_its_solution(kind, task):
    for name in find_kind(Take(kind=kind), "take").prompts:
        prompt = find_prompt(name, task)
        bridge = kind == "forward" and "{explanation}" in prompt.text
        assert bridge or LEO.text in prompt.render(question=LEO.text, steps="Step 1: x.", path="x")


@pytest.mark.parametrize("arm", ready_arms())
def test_a_ready_arm_is_a_few_lines_and_says_what_it_is_about(arm):
    table = ready_arm(arm)
    assert {"about", "take"} <= set(table) <= {"about", "take", "train"}
    assert table["about"]


@pytest.mark.parametrize("arm", ready_arms())
def test_a_student_of_the_lab_knows_every_word_of_every_ready_arm(arm):
    known = set(TASK.vocabulary())
    for take in _takes(arm):
        for example in find_kind(take, arm).make(CASE, WORDS):
            assert set(tokens(example.prompt + example.prefix + example.completion)) <= known


def test_a_kind_of_the_users_own_is_one_file(tmp_path, monkeypatch):
    (tmp_path / "mykinds.py").write_text("")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "loud.py").write_text(
        "from lema import plugins\nfrom lema.records import Example\n\n"
        "class Settings(plugins.Settings):\n    times: int = 1\n\n"
        "class Kind:\n    prompts = ()\n    needs = frozenset({'paths'})\n\n"
        "    def __init__(self, settings):\n        self.settings = settings\n\n"
        "    def make(self, case, words):\n        for path in case.paths:\n"
        "            yield Example(kind='loud', source='x', question=case.question.id, parent=path.id,\n"
        "                          prompt=words.ask(case.question), completion='!' * self.settings.times)\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert [one.completion for one in made(kind="mine.loud", times=3)] == ["!!!", "!!!"]
    with pytest.raises(ConfigError, match=r"take.tims: unknown key; did you mean 'times'"):
        made(kind="mine.loud", tims=3)


@pytest.mark.parametrize("arm", ready_arms())
def test_every_ready_arm_has_its_section_in_the_docs(arm):
    page = (Path(__file__).parents[2] / "docs" / "arms.md").read_text(encoding="utf-8")
    headings = [line.removeprefix("## ") for line in page.splitlines() if line.startswith("## ")]
    assert any(arm in re.split(r", | and ", heading) for heading in headings)


def test_the_kind_that_the_docs_show_is_one(tmp_path, monkeypatch):
    page = (Path(__file__).parents[2] / "docs" / "arms.md").read_text(encoding="utf-8")
    code = textwrap.dedent(page.split("    # mypkg/answers.py", 1)[1].split("\n", 1)[1].split("\n## ", 1)[0])
    (tmp_path / "shown").mkdir()
    (tmp_path / "shown" / "answers.py").write_text(code)
    monkeypatch.syspath_prepend(str(tmp_path))
    assert [one.completion for one in made(kind="shown.answers", most=1)] == [LEO.answer]


@pytest.mark.parametrize("kind", shipped("examples"))
def test_the_row_that_opens_a_kind_is_what_comes_out(kind):
    row, expected = documented(f"lema.examples.{kind}")
    question = Question(text=row["question"], answer="11", solution=row.get("solution"))
    path = ReasoningPath(question=question.id, model="m", text=number_steps(row.get("wrong", ())), verdict="wrong")
    about = {"question": question.id, "path": path.id, "model": "m", "reply": "", "step": row.get("step")}
    correction = Correction(**about, explanation=row.get("explanation", ""), steps=tuple(row.get("steps", ())),
                            verified="steps" in row)
    critique = Critique(**about, verdict="wrong", text=row.get("critique", ""))
    case = Case(question, (path,), (Corrected(correction, path),), {}, (Criticised(critique, path),))
    bridge = {"bridge": "No, this step does not hold. {explanation}"} if kind == "forward" else {}
    take = Take(kind=kind, **bridge)
    (example,) = find_kind(take, "take").make(case, WORDS)
    assert example.prompt.endswith(expected.pop("prompt").removeprefix("... "))
    assert {field: getattr(example, field) for field in expected} == expected
