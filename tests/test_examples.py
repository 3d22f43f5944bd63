"""The folders of examples/ do what their README says: its commands run, against a local server where a model is
asked, and end in the lines that it shows."""

import json
import re
import shlex
import shutil
from pathlib import Path

import pytest

from tests.commanding import in_process
from tests.personas import Vllm
from tests.server import Server, last_message

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
MODELS = ("llama3.2:1b", "qwen2.5:7b", "Qwen/Qwen2.5-0.5B-Instruct", "Qwen/Qwen2.5-7B-Instruct")
CORRECTORS = MODELS[1::2]


def answer(body: dict, choice: int) -> str:
    """The student takes "twice" for "two more" every second time; the corrector is right."""
    text = last_message(body).rsplit("Ida has ", 1)[-1]
    if not re.match(r"\d+ ", text):
        return "Hello."
    number = int(text.split()[0])
    right = f"Step 1: Sam has {number} * 2 = {2 * number}.\nStep 2: The answer is {2 * number}."
    if body["model"] in CORRECTORS:
        reason = f"Twice as many as {number} is times 2, not 2 more."
        return f" Step 1.\nExplanation: {reason}\nCorrect Solution:\n{{\n{right}\n}}"
    if (body.get("seed", 0) + choice) % 2:
        return right
    return f"Step 1: Sam has {number} + 2 = {number + 2}.\nStep 2: The answer is {number + 2}."


def blocks(readme: str) -> list[str]:
    """The indented blocks, in order."""
    return [re.sub(r"(?m)^    ", "", block) for block in re.findall(r"(?m)(?:^    .*\n)+", readme)]


def shape(line: str) -> str:
    """A line without its figures, which depend on the models."""
    return re.sub(r"[\d,.]+", "#", " ".join(line.split()))


@pytest.mark.parametrize("name", sorted(path.name for path in EXAMPLES.iterdir()))
def test_an_example_runs_as_its_readme_says(tmp_path, name):
    folder = tmp_path / name
    shutil.copytree(EXAMPLES / name, folder)
    if name == "gsm8k-vllm":  # whose questions are to be fetched
        rows = (EXAMPLES / "rollouts-only/questions.jsonl").read_text().splitlines()
        official = [{**json.loads(row), "answer": f"Twice.\n#### {json.loads(row)['answer']}"} for row in rows]
        (folder / "train.jsonl").write_text("\n".join(map(json.dumps, official)) + "\n")
    *commands, expected = (block for block in blocks((folder / "README.md").read_text()) if "ollama" not in block
                           or "lema" in block.split()[0])
    output = ""
    with Server(answer, persona=Vllm(MODELS)) as server:
        for place in filter(Path.is_file, folder.iterdir()):
            place.write_text(re.sub(r"http://localhost:\d+/v1", server.url, place.read_text()))
        for command in "".join(commands).splitlines():
            words = shlex.split(re.sub(r"http://localhost:\d+/v1", server.url, command))
            assert words.pop(0) == "lema"
            done = in_process(folder, *words)
            assert done.returncode == 0, (command, done.stderr)
            output += done.stdout
    shown = {shape(line) for line in output.splitlines()}
    assert {shape(line) for line in expected.splitlines()} <= shown, output
    assert (folder / "config.toml").is_file() == (name != "judge-a-corrector")


def test_exact_figures_of_an_example_that_asks_nobody(tmp_path):
    folder = tmp_path / "rollouts-only"
    shutil.copytree(EXAMPLES / "rollouts-only", folder)
    shown = in_process(folder, "run", "config.toml").stdout
    assert blocks((folder / "README.md").read_text())[1] in shown
