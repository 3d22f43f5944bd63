"""A run whose student and teacher are asked over HTTP is the run in process: the same replies and scores."""

import pytest

from tests.commands.serve.over_http import compared

SHORT = ["task.train=40", "task.worked=20", "task.test=40", "task.levels=[1]", "evolve={}", "report={}",
         "train.seeds=[1]", "train.budget={tokens=1500}", "machine.workers=1", "sample.models=['student']",
         "continue={tokens=600, temperature=0.8}", "models.student.grow.tokens=120000",
         "models.early.grow.tokens=2000",
         "arms={cot={take=[{kind='cot'}]}, step={take=[{kind='cot'}, {kind='step'}, {kind='step', "
         "source='continued'}, {kind='critique', of=['wrong']}]}}"]


@pytest.mark.living
def test_students_and_teacher_behind_lema_serve_give_the_scores_of_the_run_in_process(tmp_path):
    found = compared("tiny", tmp_path, SHORT)
    assert set(found) == {"paths/student", "bought/paths", "corrections", "continued", "critiques/wrong", "scores"}
    assert all(same == of > 0 for same, of in found.values()), found
