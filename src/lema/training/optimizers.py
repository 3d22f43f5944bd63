"""How weights are moved: AdamW or Muon, two learning rates, and a schedule.

One design decision: parameters fall into two sorts, the matrices inside the blocks and the rest (embeddings, head,
norms, biases), because small models need a far higher rate for the rest and because Muon is meant for matrices
only. Both optimisers of the pair live in one `torch.optim.Optimizer`, so that saving and resuming know one.
"""

import math
from collections.abc import Callable, Iterable

import torch
from torch import nn

MOMENTS = (0.9, 0.95)
"""AdamW's averages. 0.95 forgets sooner than the customary 0.999: these runs are short."""


def sorts(model: nn.Module) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
    """The trainable parameters as (matrices inside the blocks, the rest)."""
    words = {id(weight) for module in model.modules() if isinstance(module, nn.Embedding)
             for weight in module.parameters()}
    head = model.get_output_embeddings()
    if head is not None:
        words |= {id(weight) for weight in head.parameters()}
    matrices, rest = [], []
    for parameter in model.parameters():
        if parameter.requires_grad:
            inside = parameter.ndim == 2 and id(parameter) not in words
            (matrices if inside else rest).append(parameter)
    return matrices, rest


def adamw(model: nn.Module, rate: float, rest_rate: float, decay: float) -> torch.optim.Optimizer:
    """AdamW for everything; weight decay on the matrices only."""
    matrices, rest = sorts(model)
    groups = [{"params": matrices, "lr": rate, "weight_decay": decay},
              {"params": rest, "lr": rest_rate, "weight_decay": 0.0}]
    return torch.optim.AdamW([group for group in groups if group["params"]], betas=MOMENTS, fused=True)


def muon(model: nn.Module, rate: float, rest_rate: float, decay: float) -> torch.optim.Optimizer:
    """Muon for the matrices inside the blocks, AdamW for the rest."""
    matrices, rest = sorts(model)
    parts: list[torch.optim.Optimizer] = []
    if matrices:
        parts.append(torch.optim.Muon(matrices, lr=rate, weight_decay=decay))
    if rest:
        parts.append(torch.optim.AdamW(rest, lr=rest_rate, betas=MOMENTS, weight_decay=0.0, fused=True))
    return Together(parts)


class Together(torch.optim.Optimizer):
    """Several optimisers that step, save and resume as one; schedulers see the groups of all of them."""

    def __init__(self, parts: Iterable[torch.optim.Optimizer]) -> None:
        self.parts = list(parts)
        super().__init__([group for part in self.parts for group in part.param_groups], {})
        self._join()

    def _join(self) -> None:
        """The groups are the parts' own dicts, so that a changed rate reaches the part."""
        self.param_groups = [group for part in self.parts for group in part.param_groups]

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for part in self.parts:
            part.step()
        return loss

    def state_dict(self) -> dict:
        return {"parts": [part.state_dict() for part in self.parts]}

    def load_state_dict(self, state_dict: dict) -> None:
        for part, state in zip(self.parts, state_dict["parts"], strict=True):
            part.load_state_dict(state)
        self._join()


def share(step: int, steps: int, schedule: str, warmup: float, final: float) -> float:
    """Which share of its full learning rate step `step` of `steps` takes (0-based).

    It rises in a line over the first `warmup` of the steps, then stays ("constant") or falls to `final` in a
    line ("linear") or half a cosine ("cosine").
    """
    rising = round(warmup * steps)
    if step < rising:
        return (step + 1) / rising
    if schedule == "constant":
        return 1.0
    passed = (step - rising) / max(1, steps - 1 - rising)
    fallen = passed if schedule == "linear" else (1 - math.cos(math.pi * min(passed, 1.0))) / 2
    return 1.0 - (1.0 - final) * min(fallen, 1.0)
