"""Two sorts of parameters, one optimiser that resumes exactly, and rates that follow their schedule."""

import copy

import pytest
import torch
from transformers import AutoModelForCausalLM

from lema.training.optimizers import StackedMuon, adamw, muon, orthogonal, share, sorts
from tests import toys


@pytest.fixture
def model(tmp_path):
    return AutoModelForCausalLM.from_pretrained(toys.model(tmp_path / "model"))


def steps(model, optimizer, count, rates=None):
    torch.manual_seed(0)
    for _ in range(count):
        ids = torch.randint(3, 20, (4, 8))
        model(input_ids=ids, labels=ids).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        if rates:
            rates.step()


def test_blocks_matrices_and_the_rest_are_told_apart(model):
    matrices, rest = sorts(model)
    assert {p.ndim for p in matrices} == {2}
    assert len(matrices) == 2 * 7
    names = {id(p): name for name, p in model.named_parameters()}
    assert {names[id(p)].split(".")[-2] for p in rest} == {
        "embed_tokens", "input_layernorm", "post_attention_layernorm", "norm"}
    assert len(matrices) + len(rest) == len(list(model.parameters()))


@pytest.mark.parametrize("made", [adamw, muon])
def test_a_resumed_optimizer_goes_on_as_if_it_had_never_stopped(model, made):
    optimizer = made(model, 0.01, 0.004, 0.1, (0.9, 0.95))
    steps(model, optimizer, 3)
    kept = copy.deepcopy((model.state_dict(), optimizer.state_dict()))
    steps(model, optimizer, 3)
    alone = {name: weight.clone() for name, weight in model.state_dict().items()}
    model.load_state_dict(kept[0])
    resumed = made(model, 0.01, 0.004, 0.1, (0.9, 0.95))
    resumed.load_state_dict(kept[1])
    steps(model, resumed, 3)
    assert all(torch.equal(alone[name], weight) for name, weight in model.state_dict().items())


@pytest.mark.parametrize("made", [adamw, muon])
def test_a_schedule_reaches_both_sorts_also_after_resuming(model, made):
    optimizer = made(model, 0.01, 0.004, 0.0, (0.9, 0.95))
    optimizer.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    before = {name: weight.clone() for name, weight in model.state_dict().items()}
    torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 0.0)
    steps(model, optimizer, 1)
    assert [group["lr"] for group in optimizer.param_groups] == [0.0, 0.0]
    assert all(torch.equal(before[name], weight) for name, weight in model.state_dict().items())


def test_stacked_muon_moves_the_weights_as_torch_muon_does(model):
    matrices, _ = sorts(model)
    twins = [torch.nn.Parameter(weight.detach().clone()) for weight in matrices]
    ours = StackedMuon(matrices, lr=0.1, weight_decay=0.1)
    torchs = torch.optim.Muon(twins, lr=0.1, weight_decay=0.1)
    torch.manual_seed(0)
    for _ in range(3):
        for weight, twin in zip(matrices, twins, strict=True):
            weight.grad = torch.randn_like(weight)
            twin.grad = weight.grad.clone()
        ours.step()
        torchs.step()
    for weight, twin in zip(matrices, twins, strict=True):
        torch.testing.assert_close(weight, twin, atol=0.005, rtol=0.05)
        assert torch.equal(ours.state[weight]["momentum_buffer"], torchs.state[twin]["momentum_buffer"])


def test_muon_orthogonalises_in_float32_on_a_cpu():
    """In bfloat16, as torch has it, the first move is off by a hundredth, and by another one on each processor."""
    torch.manual_seed(0)
    weight = torch.nn.Parameter(torch.zeros(24, 16))
    weight.grad = torch.randn_like(weight)
    optimizer = StackedMuon([weight], lr=1.0, weight_decay=0.0)
    (group,) = optimizer.param_groups
    exact = orthogonal(weight.grad.double().mT[None], *group["ns_coefficients"], group["ns_steps"], group["eps"])
    optimizer.step()
    torch.testing.assert_close(weight.detach().double(), -(24 / 16) ** 0.5 * exact[0].mT, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("made", [adamw, muon])
def test_both_betas_are_those_of_every_adamw(model, made):
    optimizer = made(model, 0.1, 0.1, 0.0, (0.8, 0.999))
    parts = [part for part in getattr(optimizer, "parts", [optimizer]) if isinstance(part, torch.optim.AdamW)]
    moments = [part.defaults["betas"] for part in parts]
    assert moments == [(0.8, 0.999)]


def test_schedules_rise_hold_and_fall_as_told():
    def at(schedule, warmup=0.0, final=0.0):
        return [round(share(step, 11, schedule, warmup, final), 6) for step in range(11)]

    assert at("constant") == [1.0] * 11
    assert at("constant", warmup=0.2)[:3] == [0.5, 1.0, 1.0]
    assert at("linear", final=0.5) == [round(1 - 0.05 * step, 6) for step in range(11)]
    assert at("cosine", final=0.1)[0] == 1.0
    assert at("cosine", final=0.1)[5] == 0.55
    assert at("cosine", final=0.1)[10] == 0.1
    assert share(0, 1, "cosine", 0.0, 0.0) == 1.0
