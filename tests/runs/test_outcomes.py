"""A stage whose every request fails ends the run there, with the reasons counted; and nothing is lost by it."""

import json

import pytest

from lema.errors import ModelError
from lema.messages import Completion
from lema.report.sets import alike
from lema.runs.outcomes import MANY, Outcomes
from tests.paying import PRICES, QUESTIONS, answer, lay_out, lema
from tests.personas import Reasoning, Vllm
from tests.server import Server, last_message, refusal

ARMS = PRICES + """
[arms.cot]
take = [{ kind = "cot", source = "sampled" }]
[arms.lema]
take = [{ kind = "cot", source = "sampled" }, { kind = "correction" }]
"""


def refused_every(number: int, body: dict):
    """Of the corrector every row, in words of its own; a probe is answered."""
    if body["model"] == "large" and last_message(body) != "Hi":
        return refusal(400, f"context of {number} tokens is too long") if number % 4 else refusal(422, "no")
    return None


def test_a_stage_whose_every_request_fails_ends_the_run_with_the_reasons_counted(tmp_path):
    with Server(answer, refused_every, persona=Vllm()) as server:
        lay_out(tmp_path, server.url, more=ARMS)
        done = lema(tmp_path, "run", "x.toml")
        line = done.stderr.splitlines()[-1]
        assert done.returncode == 2
        assert f"corrections: {QUESTIONS} of {QUESTIONS} replies of model 'corrector' failed: " in line
        assert "× 400 context of" in line and "× 422 no" in line and "mend what they say" in line
        assert "no training example" not in done.stderr
        assert "to do    corrections" in lema(tmp_path, "plan", "x.toml").stdout
        server.fault, before = lambda number, body: None, len(server.seen)
        assert lema(tmp_path, "run", "x.toml").returncode == 0
        assert {body["model"] for body in server.seen[before:]} == {"large"}, "what had come is not asked again"


def test_replies_that_hidden_reasoning_leaves_empty_are_no_answers_and_few_are_bought(tmp_path):
    table = {"max_tokens_field": '"max_completion_tokens"', "omit": '["temperature", "top_p"]', "concurrency": "4"}
    options = [part for name, value in table.items() for part in ("--set", f"models.corrector.{name}={value}")]
    with (Server(answer, persona=Vllm()) as student,
          Server(answer, persona=Reasoning(unseen=5000)) as corrector):
        lay_out(tmp_path, student.url, more=ARMS, questions=200)
        done = lema(tmp_path, "run", "x.toml", "--set", f'models.corrector.base_url="{corrector.url}"', *options)
        assert done.returncode == 2
        assert "64 of 64 replies of model 'corrector' failed: 64 × length, without any text" in done.stderr
        assert "raise max_tokens in this stage's table (hidden reasoning counts against it)" in done.stderr
        assert 64 <= len(corrector.seen) < 150
        more = ["--set", "correct.max_tokens=6000", "--yes"]
        assert lema(tmp_path, "run", "x.toml", "--set", f'models.corrector.base_url="{corrector.url}"', *options,
                    *more).returncode == 0


def test_rows_that_fail_beside_others_that_do_not_are_rows_and_are_counted(tmp_path):
    def fault(number, body):
        return refusal(400, "too long") if "What is 3 " in last_message(body) else None

    with Server(answer, fault, persona=Vllm()) as server:
        lay_out(tmp_path, server.url)
        done = lema(tmp_path, "run", "x.toml")
    assert done.returncode == 0
    assert f"2 of {2 * QUESTIONS} replies hold nothing" in done.stderr


def test_a_few_failures_end_nothing_where_the_model_has_ever_answered():
    outcomes = Outcomes(served=True)
    for number in range(MANY):
        outcomes.require_any("try-2/corrections", "m", lambda: True)
        outcomes.add(Completion("", f"error: 400 row {number} is too long"))
    with pytest.raises(ModelError, match=rf"{MANY} × 400 row 0 is too long; mend what they say"):
        outcomes.require_any("try-2/corrections", "m", lambda: True)
    first = Outcomes(served=True)
    first.add(Completion("", "error: 400 chat template"))
    with pytest.raises(ModelError, match=r'1 of 1 .* 1 × 400 chat template; set form = "completions"'):
        first.require_any("corrections", "m", lambda: False)
    outcomes.add(Completion("some text", "length"))
    outcomes.require_any("corrections", "m", lambda: False)


def test_what_a_model_that_is_computed_here_leaves_empty_is_its_answer():
    here = Outcomes(served=False)
    for _ in range(200):
        here.add(Completion("", "length", tokens=9))
    here.require_any("answers/lema-1", "m", lambda: False)
    assert not here.in_vain and here.empty == 0


def test_a_judged_corrector_whose_every_reply_fails_is_said_so(tmp_path):
    mistake = {"question": "What is 1 plus 1?", "steps": ["One and one is 3.", "The answer is 3."],
               "first_error_step": 0, "gold_answer": "2"}
    (tmp_path / "mine.jsonl").write_text("".join(json.dumps(mistake | {"id": str(n)}) + "\n" for n in range(3)))
    too_long = refusal(400, "too long")
    with Server(fault=lambda number, body: None if last_message(body) == "Hi" else too_long,
                persona=Vllm()) as server:
        done = lema(tmp_path, "judge-corrector", "api", "--option", "model=m", "--option",
                    f'base_url="{server.url}"', "--mistakes", "mine.jsonl")
    assert done.returncode == 2
    assert "judge-corrector: 3 of 3 replies of model 'api' failed: 3 × 400 too long" in done.stderr


def test_arms_that_hold_the_same_examples_are_said_to(tmp_path):
    assert alike({"cot": (9, {"lema": (9, 4), "step": (3, 2)}), "lema": (9, {"cot": (9, 4), "step": (3, 2)}),
                  "step": (5, {"cot": (3, 2), "lema": (3, 2)}), "none": (0, {})}) == [
        "the same examples, all of them: cot, lema"]
    assert alike({"small": (3, {"large": (3, 3)}), "large": (9, {"small": (3, 3)})}) == []
    with Server(answer, persona=Vllm()) as server:
        lay_out(tmp_path, server.url, more=ARMS + '[arms.again]\ntake = [{ kind = "cot", source = "sampled" }]\n')
        assert lema(tmp_path, "run", "x.toml").returncode == 0
        assert "the same examples, all of them: again, cot" in lema(tmp_path, "show", "x").stdout
