"""`lema why`: the field that made a call miss is named, with both values."""

import json
import shutil

import pytest

from lema.commands.why import explain, in_words
from lema.config import load_config
from tests.paying import PRICES, QUESTIONS, answer, lay_out, lema
from tests.personas import Vllm
from tests.server import Server, last_message, refusal


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    folder = tmp_path_factory.mktemp("why")
    with Server(answer, persona=Vllm()) as server:
        lay_out(folder, server.url)
        done = lema(folder, "run", "x.toml")
        assert done.returncode == 0, done.stderr
    return folder


def reasons(home, monkeypatch, stage: str, *overrides: str):
    monkeypatch.chdir(home)
    (found,) = explain(home / "runs/x", load_config("x.toml", list(overrides)), stage)
    return found


def test_a_done_stage_misses_nothing(home, monkeypatch):
    found = reasons(home, monkeypatch, "corrections")
    assert (found.state, found.missing, found.reasons) == ("done", 0, ())
    assert found.calls == QUESTIONS


@pytest.mark.parametrize(("stage", "override", "field", "old", "new"), [
    ("corrections", "correct.max_tokens=99", "sampling.max_tokens", "60", "99"),
    ("corrections", "models.corrector.model=larger", "model.model", '"large"', '"larger"'),
    ("corrections", "models.corrector.extra={top_k=3}", "model.extra.top_k", "null", "3"),
    ("paths/student", "sample.temperature=0.5", "sampling.temperature", "0.8", "0.5"),
    ("paths/student", "sample.seed=3", "sampling.seed", "0", "3"),
])
def test_a_changed_setting_is_named_with_both_values(home, monkeypatch, stage, override, field, old, new):
    found = reasons(home, monkeypatch, stage, override)
    assert found.missing == found.calls > 0
    (reason,) = found.reasons
    assert reason.calls == found.calls
    assert (field, old, new) in reason.fields and len(reason.fields) == 1


def test_an_edited_prompt_is_shown_where_it_differs(home, monkeypatch):
    text = "Find the wrong step and mend it.\nQuestion: {{ question }}\nWrong Solution: {{ steps }}\nThink hard.\n"
    (home / "mine.txt").write_text(text)
    monkeypatch.chdir(home)
    with Server(answer, persona=Vllm()) as server:
        lay_out(home, server.url, more=PRICES)
        assert lema(home, "run", "x.toml", "--set", "correct.prompt=mine.txt", "--set", "name=z").returncode == 0
    (home / "mine.txt").write_text(text.replace("Think hard", "Think twice"))
    (found,) = explain(home / "runs/z", load_config("x.toml", ["correct.prompt=mine.txt"]), "corrections")
    ((name, old, new),) = found.reasons[0].fields
    assert name == "messages.0.content"
    assert "Think hard" in old and "Think twice" in new and len(old) < 150


def test_more_paths_of_the_same_prompts_are_told_apart(home, monkeypatch):
    found = reasons(home, monkeypatch, "paths/student", "sample.paths=3")
    assert (found.calls, found.missing) == (3 * QUESTIONS, QUESTIONS)
    assert [reason.text for reason in found.reasons] == [
        "the prompt was asked before, but not so often: the path index is new"]


def test_the_command_says_it_in_words_and_for_programs(home):
    done = lema(home, "why", "x", "corrections", "--set", "correct.max_tokens=99")
    assert "12 calls, 0 in the journal, 12 to be asked" in done.stdout
    assert "sampling.max_tokens\n        journalled 60\n        asked      99" in done.stdout
    found = json.loads(lema(home, "why", "x", "--json").stdout)
    assert found == []
    assert "no stage that asks models" in lema(home, "why", "x", "corections").stderr
    assert "did you mean 'corrections'" in lema(home, "why", "x", "corections").stderr
    assert in_words([]).startswith("every stage")


def test_failures_are_said_and_a_missing_input_is_named_with_what_to_do(tmp_path):
    def fault(number, body):
        return refusal(400, "too long") if "What is 3 " in last_message(body) else None

    with Server(answer, fault, persona=Vllm()) as server:
        lay_out(tmp_path, server.url)
        done = lema(tmp_path, "run", "x.toml", "--set", "models.corrector.base_url=http://127.0.0.1:9/v1",
                    "--set", "models.corrector.retries=0")
        assert done.returncode == 2
    found = lema(tmp_path, "why", "x", "paths/student").stdout
    assert "2: failed when it was asked before" in found
    shutil.rmtree(tmp_path / "runs/x/graded")
    done = lema(tmp_path, "why", "x", "corrections")
    assert done.returncode == 2 and "before graded is finished; run that first" in done.stderr
