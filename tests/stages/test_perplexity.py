"""How likely a model finds mistakes and their corrections: against the loss that transformers computes."""

import math

import pytest
import torch

from lema.checkpoints.rendering import encode
from lema.config import AnalyseConfig, PerplexityConfig
from lema.errors import ConfigError
from lema.models.transformers import Model, Settings
from lema.records import Correction, Example
from lema.replies import number_steps
from lema.report.analyses.likelihoods import perplexity_table
from lema.stages.perplexity import perplexity
from lema.statistics.scores import Likelihood
from tests.stages.desk import LEO, WRONG, context, path
from tests.toys import chatty


def test_log_likelihoods_are_the_loss_of_transformers_whatever_stands_beside_them(tmp_path):
    model = Model(Settings(path=str(chatty(tmp_path / "toy"))))
    texts = ["The sum is 3.", "Step 1: Leo.\nStep 2: 15.", "15"]
    rows = [encode(model.tokenizer, Example(kind="cot", source="own", question="q", prompt="Leo has 15 pens.\n",
                                            completion=text)) for text in texts * 7]
    found = list(model.log_likelihoods(rows))
    weights = model._model
    for row, nats in zip(rows, found, strict=True):
        ids = torch.tensor([[*row.prompt, *row.completion]])
        labels = ids.clone()
        labels[0, :len(row.prompt)] = -100
        with torch.inference_mode():
            loss = weights(input_ids=ids, labels=labels).loss
        assert nats == pytest.approx(-loss.item() * len(row.completion), rel=1e-4)


def _kept(wrong, **more) -> Correction:
    return Correction(**{"question": LEO.id, "path": wrong.id, "model": "t", "reply": "r", "step": 2,
                         "steps": ("Ida = Sam + 9 = 30 + 9 = 39.", "The answer is 39."), "verified": True} | more)


def test_wrong_and_corrected_paths_stand_after_the_same_question(tmp_path):
    folder = chatty(tmp_path / "toy")
    there = context(tmp_path, perplexity, models={"toy": {"backend": "transformers", "path": str(folder)}},
                    sample={"models": ["toy"]})
    wrong = path(LEO, *WRONG)
    rejected, other = _kept(wrong, verified=False, reply="x"), _kept(wrong, reply="y", step=None)
    rows = list(perplexity(there, PerplexityConfig(model="toy", corrections=5), [LEO], [wrong],
                           [rejected, other, _kept(wrong)]))
    assert [(row.sort, row.paths, row.left_out) for row in rows] == [("wrong", 1, 0), ("corrected", 1, 0)]
    model = there.model("toy")
    prompt = there.task.prompt(LEO)[0].content
    for row, steps in zip(rows, (WRONG, (WRONG[0], *_kept(wrong).steps)), strict=True):
        tokens = encode(model.tokenizer, Example(kind="cot", source="own", question="q", prompt=prompt,
                                                 completion=number_steps(steps)))
        assert row.tokens == len(tokens.completion)
        assert row.log_likelihood == pytest.approx(next(model.log_likelihoods([tokens])), rel=1e-5)


def test_a_served_model_is_refused_in_one_line(tmp_path):
    with pytest.raises(ConfigError, match=r"report\.perplexity: teacher is asked over a server"):
        settings = PerplexityConfig(model="teacher", corrections=1)
        list(perplexity(context(tmp_path, perplexity), settings, [], [], []))


def test_the_table_takes_the_seeds_of_an_arm_together():
    settings = AnalyseConfig(examined=(("a-1", "a", 1), ("a-2", "a", 2)), base="base")
    stages = [[Likelihood(model=model, sort=sort, paths=3, tokens=10, log_likelihood=nats)
               for sort, nats in (("wrong", wrong), ("corrected", corrected))]
              for model, wrong, corrected in (("base", -20.0, -10.0), ("a-1", -10.0, -4.0), ("a-2", -14.0, -8.0))]
    (table,) = perplexity_table(settings, stages)
    assert [row[0] for row in table.rows] == ["(before)", "a"]
    assert table.rows[0][1:] == pytest.approx((math.exp(2), math.exp(1), math.exp(-1)))
    assert table.rows[1][1:] == pytest.approx((math.exp(1.2), math.exp(0.6), math.exp(-0.6)))
    assert list(perplexity_table(settings, ())) == []
