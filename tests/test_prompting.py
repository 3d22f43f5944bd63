"""Prompts: found by name or path, rendered strictly, told apart by their text."""

import operator
import re
from fractions import Fraction

import pytest

from lema.errors import ConfigError
from lema.grading import equations_in
from lema.prompting import FOLDER, Prompt, correction_values, critique_values, find_prompt, turns
from lema.records import Question
from lema.replies import Parsed, Rewrite, parse_correction, parse_rewrite, split_steps
from lema.replies.judgements import parse_critique

GENERAL = sorted(path.stem for path in FOLDER.glob("*.txt"))


def test_a_task_s_own_prompt_goes_before_the_general_one():
    assert find_prompt("train_correction", "lab") != find_prompt("train_correction", "gsm8k")
    assert find_prompt("solve", "no_such_task") == find_prompt("solve", "gsm8k")


def test_a_prompt_is_rendered_with_its_variables_and_nothing_is_escaped():
    prompt = Prompt("mine", "Solve {{ question }}")
    assert prompt.render(question="{{ 7*7 }} <b> & 3 < 4") == "Solve {{ 7*7 }} <b> & 3 < 4\n"


def test_an_edited_prompt_has_another_id():
    assert Prompt("mine", "Solve {{ question }}").id != Prompt("mine", "Solve: {{ question }}").id
    assert Prompt("mine", "Solve {{ question }}").id.startswith("mine-")


def test_an_unknown_variable_is_named():
    with pytest.raises(ConfigError, match=r"mine: 'quesiton' is undefined; it may use question"):
        Prompt("mine", "Solve {{ quesiton }}").render(question="x")


def test_a_prompt_cannot_reach_into_python():
    with pytest.raises(ConfigError, match="mine: "):
        Prompt("mine", "{{ question.__class__.__mro__ }}").render(question="x")


@pytest.mark.parametrize("end", ["", "\n", " \r\n\n"])
def test_a_prompt_ends_right_after_the_cue_and_else_with_one_line_end(tmp_path, end):
    file = tmp_path / "mine.txt"
    file.write_bytes(f"{{{{ question }}}}\r\nIncorrect Step:{end}".encode())
    assert find_prompt(str(file), "gsm8k").render(question="Q?", steps="") == "Q?\nIncorrect Step:"
    file.write_bytes(f"{{{{ question }}}}\r\nAnswer:{end}".encode())
    assert find_prompt(str(file), "gsm8k").render(question="Q?") == "Q?\nAnswer:\n"


def test_a_file_without_variables_is_sent_as_it_is_with_the_question_behind_it(tmp_path):
    file = tmp_path / "fixed.txt"
    file.write_bytes(b"Find it.\r\n\r\nQuestion: 1 {#} {{1}}?\r\n{\r\n}\r\n")
    rendered = find_prompt(str(file), "gsm8k").render(question="Q {{ x }}?", steps="Step 1: A.")
    assert rendered == ("Find it.\n\nQuestion: 1 {#} {{1}}?\n{\n}\n\n"
                        "Question: Q {{ x }}?\nOriginal Solution:\n{\nStep 1: A.\n}\nIncorrect Step:")


@pytest.mark.parametrize("task", ["gsm8k", "math", "csqa"])
def test_a_published_prompt_file_loads_as_it_is(shared_data, task):
    file = shared_data / f"official/prompt_correction_{task}.txt"
    published = file.read_bytes().decode().replace("\r\n", "\n").rstrip()
    prompt = find_prompt(str(file), task)
    where = Question(text="Where?\n(A) here\n(B) there", answer="A", choices=("here", "there"))
    question = where if task == "csqa" else Question(text="How many?", answer="2")
    rendered = prompt.render(**correction_values(question, "Step 1: Two.", prompt.cue))
    asked = {"csqa": "Question: Where?\nCandidate Answers: here, there.\nOriginal Answer:\n{\nStep 1: Two.\n}\n"
                     "Mistakes:"}
    assert rendered == f"{published}\n\n" + asked.get(
        task, "Question: How many?\nOriginal Solution:\n{\nStep 1: Two.\n}\nIncorrect Step:")
    assert len(turns(rendered, prompt.cue)) == 9


@pytest.mark.parametrize(("content", "message"), [
    (b"Solve {{ question }", "mine, line 1: .*mend the"), (b" \n", "empty; write"),
    (b"\xff\xfe\xfa", "not UTF-8 text"), (None, "cannot be read .No such file"),
])
def test_a_file_that_is_no_prompt_says_so(tmp_path, content, message):
    file = tmp_path / "mine.txt"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConfigError, match=message):
        find_prompt(str(file), "gsm8k")


@pytest.mark.parametrize(("content", "use", "message"), [
    ("Solve {question}", "solve", "stands in single braces; write {{ question }}"),
    ("Mend {{ question }}", "correct", "nowhere holds {{ steps }}"),
    ("Mend {{ steps }}", "correct", "nowhere holds {{ question or stem }}"),
    ("Mend {{ question }} {{ step }}", "correct", "'step' is undefined; did you mean 'steps'"),
    ("Grow {{ qestion }}", "evolve", "did you mean 'question'"),
    ("Again: {{ question }}", "again", "it may use problem, answer, cue"),
])
def test_a_prompt_that_would_leave_out_what_it_is_about_is_refused_before_anything_is_asked(
        tmp_path, content, use, message):
    file = tmp_path / "mine.txt"
    file.write_text(content)
    with pytest.raises(ConfigError) as refused:
        find_prompt(str(file), "gsm8k").fitting(use)
    assert message in str(refused.value)


def test_a_second_try_may_be_asked_for_in_plain_words(tmp_path):
    file = tmp_path / "again.txt"
    file.write_text("Look once more.\n")
    again = find_prompt(str(file), "gsm8k").fitting("again")
    assert again.render(problem="p", answer="", cue="c") == "Look once more.\n"


def test_an_unknown_name_gets_its_near_miss():
    with pytest.raises(ConfigError, match="no 'corect'; did you mean 'correct'"):
        find_prompt("corect", "gsm8k")


@pytest.mark.parametrize("name", GENERAL)
def test_every_shipped_prompt_renders(name):
    rendered = find_prompt(name, "gsm8k").render(question="How many?", steps="Step 1: Two.", problem="How many?",
                                                 answer="", cue="Mistakes:")
    assert "How many?" in rendered and "{{" not in rendered


def test_the_correction_prompt_shows_four_corrections_and_ends_in_the_cue():
    prompt = find_prompt("correct", "gsm8k").render(question="How many?", steps="Step 1: Two.")
    examples = [parse_correction(part) for part in prompt.split("Incorrect Step:")[1:-1]]
    assert prompt.endswith("{\nStep 1: Two.\n}\nIncorrect Step:")
    assert len(examples) == 4 and all(isinstance(example, Parsed) for example in examples)
    assert {example.step for example in examples} >= {1, 4}
    assert all(example.has_dots == (example.step > 1) for example in examples)
    assert all(example.first_number == example.step for example in examples)


@pytest.mark.parametrize("task", ["gsm8k", "math", "lab", "csqa"])
def test_every_kind_of_question_has_four_worked_corrections_in_both_forms(task):
    prompt = find_prompt("correct", task)
    asked = Question(text="Where?\n(A) here\n(B) there", answer="A", choices=("here", "there"))
    values = correction_values(asked, "Step 1: Here it is 3.\nStep 2: The answer is (B).", prompt.cue)
    rendered = prompt.render(**values)
    conversation = turns(rendered, prompt.cue)
    replies, questions = conversation[1::2], conversation[::2]
    assert len(replies) == 4 and len(questions) == 5
    assert all(part.endswith(prompt.cue) for part in questions) and "Where?" in questions[-1]
    assert rendered.replace("\n", "").replace(" ", "") == "".join(conversation).replace("\n", "").replace(" ", "")
    kind, read = (Rewrite, parse_rewrite) if task == "csqa" else (Parsed, parse_correction)
    assert all(isinstance(read(reply), kind) for reply in replies)
    steps = [step for reply in replies if task != "csqa" for step in read(reply).steps]
    assert all(equation.true is not False for step in steps for equation in equations_in(step))
    assert len({questions[place].split("Question:")[1] for place in range(4)}) == 4


@pytest.mark.parametrize("task", ["gsm8k", "math", "lab", "csqa"])
def test_every_kind_of_question_has_four_worked_critiques_two_of_them_of_right_paths(task):
    prompt = find_prompt("critique", task)
    asked = Question(text="Where?\n(A) here\n(B) there", answer="A", choices=("here", "there"))
    rendered = prompt.render(**critique_values(asked, "Here it is 3.\nThe answer is (B)."))
    conversation = turns(rendered, prompt.cue)
    replies, questions = conversation[1::2], conversation[::2]
    assert len(replies) == 4 and all(part.endswith("}\nCritique:") for part in questions)
    numbered = "Step 1: Here it is 3.\nStep 2: The answer is (B)."
    assert ("Here it is 3.\nThe answer is (B)." if task == "csqa" else numbered) in questions[-1]
    read = [parse_critique(reply) for reply in replies]
    assert [one.judgement.right for one in read].count(True) == 2
    assert all(one.judgement.right or one.judgement.step or task == "csqa" for one in read)
    for shown, one in zip(questions, read, strict=False):
        said = split_steps(shown.rpartition("{")[2].partition("}")[0]) if task == "gsm8k" else ()
        false = [at for at, step in enumerate(said, 1) if any(e.true is False for e in equations_in(step))]
        assert false in ([], [one.judgement.step]), shown
        assert all(equation.true is not False for equation in equations_in(one.text)), one.text


def test_a_published_critique_prompt_gets_its_question_in_the_layout_of_critiques(tmp_path):
    file = tmp_path / "mine.txt"
    file.write_text("Judge.\n\nQuestion: 1 + 1?\nSolution:\n{\n2\n}\nCritique: Yes.\nConclusion: right\n")
    prompt = find_prompt(str(file), "gsm8k")
    rendered = prompt.render(**critique_values(Question(text="Q?", answer="2"), "Two."))
    assert rendered.endswith("right\n\nQuestion: Q?\nSolution:\n{\nStep 1: Two.\n}\nCritique:")


def test_another_task_s_prompt_is_found_by_its_folder(tmp_path):
    assert find_prompt("csqa/correct", "rows").cue == "Mistakes:"
    with pytest.raises(ConfigError, match="cannot be read"):
        find_prompt("csqa/nothing", "rows")


def test_the_training_instruction_is_worded_differently_and_has_no_examples():
    told = find_prompt("train_correction", "gsm8k").text
    assert told.count("Question:") == 1
    assert told.splitlines()[0] not in find_prompt("correct", "gsm8k").text


SIGNS = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv}
EQUATION = re.compile(r"(\$?[\d./]+(?: [-+*/] \$?[\d./]+)+) = \$?([\d./]*\d)")


def _value(side):
    tokens = [token if token in SIGNS else Fraction(token.strip("$")) for token in side.split(" ")]
    for signs in ("*/", "+-"):
        position = 1
        while position < len(tokens):
            if tokens[position] in tuple(signs):
                left, sign, right = tokens[position - 1:position + 2]
                tokens[position - 1:position + 2] = [SIGNS[sign](left, right)]
            else:
                position += 2
    return tokens[0]


@pytest.mark.parametrize("name", ["solve", "choose"])
def test_the_worked_examples_calculate_rightly(name):
    equations = EQUATION.findall(find_prompt(name, "gsm8k").text)
    assert len(equations) >= 2
    for left, right in equations:
        assert _value(left) == Fraction(right), left


def test_the_corrections_shown_calculate_rightly_and_only_slips_do_not():
    parts = find_prompt("correct", "gsm8k").text.split("Correct Solution:")[1:]
    corrected = [part.split("Question:")[0] for part in parts]
    equations = [equation for part in corrected for equation in EQUATION.findall(part)]
    assert len(equations) >= 5
    for left, right in equations:
        assert _value(left) == Fraction(right), left


@pytest.mark.parametrize("name", ["solve", "choose", "evolve"])
def test_a_few_shot_prompt_has_four_examples_of_its_own(name):
    for task in ("gsm8k", "math", "csqa"):
        assert len(re.findall(r"^Question: (?!\{\{)", find_prompt(name, task).text, re.M)) == 4
    text = find_prompt(name, "gsm8k").text
    if name != "evolve":
        for example in text.split("Solution:\n")[1:-1]:
            assert split_steps(example.split("\n\n")[0])[-1].startswith("The answer is ")
