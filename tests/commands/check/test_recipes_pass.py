"""Every recipe for a real model passes `lema check` in front of endpoints as strict as those that it names, once
its files, addresses and weights are filled in."""

import json

import pytest

from lema.commands.check import check_config
from lema.commands.plan import plan_config
from tests import toys
from tests.personas import OpenAI, Reasoning, Vllm
from tests.server import Server

RECIPES = {"gsm8k": "meta-llama/Llama-2-7b-hf", "gsm8k-small": "Qwen/Qwen2.5-0.5B",
           "gsm8k-70b": "meta-llama/Llama-2-70b-hf", "math": "meta-llama/Llama-2-7b-hf",
           "csqa": "meta-llama/Llama-2-7b-hf", "own-format": "WizardLMTeam/WizardMath-7B-V1.1"}


def rows_of(recipe: str, count: int) -> list[dict]:
    if recipe == "csqa":
        return [{"question": {"stem": f"What writes {n} words?", "choices": [
            {"label": label, "text": text} for label, text in zip("ABCDE", ("pen", "cup", "hat", "sea", "sun"),
                                                                  strict=True)]}, "answerKey": "A"}
                for n in range(count)]
    if recipe == "math":
        return [{"problem": f"Find $3 + {n}$.", "level": "Level 1", "type": "Algebra",
                 "solution": f"It is $\\boxed{{{3 + n}}}$."} for n in range(count)]
    return [{"question": f"Leo has 3 pens and finds {n}. How many has he?",
             "answer": f"He has 3 + {n} = {3 + n}.\n#### {3 + n}"} for n in range(count)]


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return toys.reader(tmp_path_factory.mktemp("recipes") / "base")


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_recipe_passes_the_check_in_front_of_strict_endpoints(recipe, base, tmp_path, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "secret")
    rows = rows_of(recipe, 12)
    for name, part in (("train", rows[:9]), ("test", rows[9:])):
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in part))
    served, task = RECIPES[recipe], recipe if recipe in ("math", "csqa") else "gsm8k"
    prompt = ', prompt="instruction"' if recipe == "own-format" else ""

    def answer(body, choice):
        return "Step 1: The answer is 7."

    with (Server(answer, persona=Vllm((served,), template=False, room=4096)) as student,
          Server(answer, persona=OpenAI(("gpt-4.1-nano",), "secret")) as other,
          Server(answer, persona=Reasoning(("gpt-5-mini",), "secret")) as corrector):
        filled = {
            "task": f'{{name="{task}", train="{tmp_path}/train.jsonl", test="{tmp_path}/test.jsonl", '
                    f'dev=3{prompt}}}',
            "models.student.base_url": f'"{student.url}"', "models.other.base_url": f'"{other.url}"',
            "models.other.api_key_env": "OPENAI_API_KEY", "models.corrector.api_key_env": "OPENAI_API_KEY",
            "models.corrector.base_url": f'"{corrector.url}"', "models.base.path": f'"{base}"',
            "prices": f"{{'{served}'={{input=0, output=0}}, 'gpt-4.1-nano'={{input=0.1, output=0.4}}}}",
            "prices.gpt-5-mini": "{input=0.25, output=2}"}
        overrides = [f"{key}={value}" for key, value in filled.items()]
        said = check_config(recipe, overrides, tmp_path / "runs")
        assert student.seen and other.seen and corrector.seen
    assert "nothing stands in the way" in said and "9 questions in train" not in said
    assert "to do" in plan_config(recipe, overrides, tmp_path / "runs")
    if recipe == "own-format":
        assert "### Response:" in said
