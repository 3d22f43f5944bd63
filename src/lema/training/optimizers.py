"""How weights are moved: AdamW or Muon, two learning rates, and a schedule.

One design decision: parameters fall into two sorts, the matrices inside the blocks and the rest (embeddings, head,
norms, biases), because small models need a far higher rate for the rest and because Muon is meant for matrices
only. Both optimisers of the pair live in one `torch.optim.Optimizer`, so that saving and resuming know one.
"""

import math
from collections.abc import Callable, Iterable, Iterator

import torch
from torch import nn

Betas = tuple[float, float]
"""AdamW's memory of gradients, and of their squares."""
STACK = 2**22
"""The most numbers that are orthogonalised together."""


def sorts(model: nn.Module) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
    """The trainable parameters as (matrices inside the blocks, the rest)."""
    head = model.get_output_embeddings()
    words = set() if head is None else set(map(id, head.parameters()))
    for module in model.modules():
        if isinstance(module, nn.Embedding):
            words.update(map(id, module.parameters()))
    matrices, rest = [], []
    for parameter in model.parameters():
        if parameter.requires_grad:
            inside = parameter.ndim == 2 and id(parameter) not in words
            (matrices if inside else rest).append(parameter)
    return matrices, rest


def adamw(model: nn.Module, rate: float, rest_rate: float, decay: float,
          betas: Betas) -> torch.optim.Optimizer:
    """AdamW for everything; weight decay on the matrices only."""
    return torch.optim.AdamW(_groups(model, rate, rest_rate, decay), betas=betas, fused=True)


def paged_adamw(model: nn.Module, rate: float, rest_rate: float, decay: float,
                betas: Betas) -> torch.optim.Optimizer:
    """AdamW whose state is in float32 and may leave a card that is full for the machine's memory; where nothing
    lies on a card, or cards share the state out, AdamW."""
    if not all(parameter.is_cuda and type(parameter.data) is torch.Tensor for parameter in model.parameters()):
        return adamw(model, rate, rest_rate, decay, betas)
    from bitsandbytes.optim import PagedAdamW32bit

    return PagedAdamW32bit(_groups(model, rate, rest_rate, decay), betas=betas)


def _groups(model: nn.Module, rate: float, rest_rate: float, decay: float) -> list[dict]:
    matrices, rest = sorts(model)
    groups = ({"params": matrices, "lr": rate, "weight_decay": decay},
              {"params": rest, "lr": rest_rate, "weight_decay": 0.0})
    return [group for group in groups if group["params"]]


def muon(model: nn.Module, rate: float, rest_rate: float, decay: float,
         betas: Betas) -> torch.optim.Optimizer:
    """Muon for the matrices inside the blocks, AdamW for the rest."""
    matrices, rest = sorts(model)
    parts: list[torch.optim.Optimizer] = []
    if matrices:
        parts.append(StackedMuon(matrices, lr=rate, weight_decay=decay))
    if rest:
        parts.append(torch.optim.AdamW(rest, lr=rest_rate, betas=betas, weight_decay=0.0, fused=True))
    return Together(parts)


OPTIMIZERS = {"adamw": adamw, "paged_adamw": paged_adamw, "muon": muon}


class StackedMuon(torch.optim.Muon):
    """torch's Muon, with small matrices of one shape orthogonalised in one stack: of a small model's step the
    many tiny products of Muon are else a sixth. Groups and state are torch's own. It orthogonalises in bfloat16;
    on a CPU that is done in float32 here, because bfloat16 gives another result on each processor."""

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for stack in _stacks([weight for weight in group["params"] if weight.grad is not None]):
                self._move(stack, group)
        return loss

    def _move(self, stack: list[nn.Parameter], group: dict) -> None:
        updates = []
        for weight in stack:
            state = self.state[weight]
            if not state:
                state["momentum_buffer"] = torch.zeros_like(weight.grad)
            state["momentum_buffer"].lerp_(weight.grad, 1 - group["momentum"])
            updates.append(weight.grad.lerp(state["momentum_buffer"], group["momentum"]))
        tall = stack[0].shape[0] > stack[0].shape[1]
        moves = torch.stack(updates)
        if moves.device.type != "cpu":
            moves = moves.bfloat16()
        moves = orthogonal(moves.mT if tall else moves, *group["ns_coefficients"], group["ns_steps"], group["eps"])
        rate = group["lr"] * max(1.0, stack[0].shape[0] / stack[0].shape[1]) ** 0.5
        for weight, move in zip(stack, moves.mT if tall else moves, strict=True):
            weight.mul_(1 - group["lr"] * group["weight_decay"]).add_(move.to(weight.dtype), alpha=-rate)


def orthogonal(matrices: torch.Tensor, a: float, b: float, c: float, steps: int, eps: float) -> torch.Tensor:
    """Newton-Schulz: (n, rows, columns) with rows <= columns -> nearly orthogonal matrices of that shape."""
    matrices = matrices / matrices.norm(dim=(1, 2), keepdim=True).clamp(min=eps)
    for _ in range(steps):
        gram = matrices @ matrices.mT
        matrices = torch.baddbmm(matrices, torch.baddbmm(gram, gram, gram, beta=b, alpha=c), matrices, beta=a)
    return matrices


def _stacks(weights: list[nn.Parameter]) -> Iterator[list[nn.Parameter]]:
    """Weights of one shape together, as many as a stack of bounded size holds; a big matrix comes alone."""
    shapes: dict[torch.Size, list[nn.Parameter]] = {}
    for weight in weights:
        shapes.setdefault(weight.shape, []).append(weight)
    for shape, alike in shapes.items():
        size = max(1, STACK // shape.numel())
        yield from (alike[start:start + size] for start in range(0, len(alike), size))


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
