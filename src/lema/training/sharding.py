"""One fit whose weights, gradients and optimizer's state are shared out over the processes (FSDP2).

    train.parallel = "fsdp", processes = 8 → every card holds an eighth, and one block of the model at a time whole

One design decision: the weights are shared out here by torch's own fully_shard, one block a group, and the trainer
is told that they are; accelerate's way to FSDP becomes DDP on a CPU without a word. Frozen weights in NF4 are
shared out as the bytes that they are; their constants (0.016 bytes a weight) every process keeps.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import distributed, nn
from torch.distributed import checkpoint
from torch.distributed.checkpoint.state_dict import (
    StateDictOptions,
    get_model_state_dict,
    get_state_dict,
    set_state_dict,
)
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard

from lema.training.loop import Loop


class ShardedLoop(Loop):
    """The loop of one of several processes that share out the weights."""

    def __init__(self, *given: object) -> None:
        super().__init__(*given)
        share_out(self.model, self.args.device.type)
        self.is_distributed_loading_by_transformers = True  # so that nobody wraps or moves them again

    def _move_model_to_device(self, model: nn.Module, device: torch.device) -> None:
        """`share_out` puts each share where it belongs; the whole may be too large for the card."""

    @contextmanager
    def _defer_fsdp_gradient_reduction(self) -> Iterator[None]:
        """Gradients are shared out after every pass: kept whole for a step they would fill the card."""
        yield

    def gathered(self) -> dict[str, torch.Tensor]:
        """What was trained, whole, in the first process; nothing in the others."""
        only = StateDictOptions(full_state_dict=True, cpu_offload=True, ignore_frozen_params=self.frozen)
        return get_model_state_dict(self.model, options=only)

    @property
    def frozen(self) -> bool:
        """Whether there are weights that no point needs to hold."""
        return self.settings.method != "full"

    def save_model(self, output_dir: str | None = None, _internal_call: bool = False) -> None:
        """A point's weights and the optimizer's state, each process its own shares."""
        checkpoint.save(self._state(), checkpoint_id=output_dir)

    def _save_optimizer_and_scheduler(self, output_dir: str) -> None:
        if self.args.should_save:
            torch.save(self.lr_scheduler.state_dict(), Path(output_dir) / "scheduler.pt")

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: nn.Module | None = None) -> None:
        """With the optimizer's state, once there is an optimizer."""

    def _load_optimizer_and_scheduler(self, checkpoint_folder: str | None) -> None:
        if checkpoint_folder is None:
            return
        state = self._state()
        checkpoint.load(state, checkpoint_id=checkpoint_folder)
        options = StateDictOptions(ignore_frozen_params=self.frozen, strict=False)
        set_state_dict(self.model, self.optimizer.optimizer, model_state_dict=state["model"],
                       optim_state_dict=state["optimizer"], options=options)
        scheduler = torch.load(Path(checkpoint_folder) / "scheduler.pt", weights_only=True)
        self.lr_scheduler.load_state_dict(scheduler)

    def _state(self) -> dict[str, dict]:
        options = StateDictOptions(ignore_frozen_params=self.frozen)
        weights, optimizer = get_state_dict(self.model, self.optimizer.optimizer, options=options)
        return {"model": weights, "optimizer": optimizer}


def share_out(model: nn.Module, device: str) -> None:
    """Leaves each process its share of every weight: a block of the model is whole only while it computes."""
    mesh = init_device_mesh(device, (distributed.get_world_size(),))
    for module in model.modules():
        state = getattr(getattr(module, "weight", None), "quant_state", None)
        if state is not None:  # a share of a weight in NF4 cannot hold its constants
            module.quant_state = state
    blocks = set(getattr(model, "_no_split_modules", None) or ())
    for module in list(model.modules()):
        if type(module).__qualname__ in blocks:
            fully_shard(module, mesh=mesh)
    fully_shard(model, mesh=mesh)
