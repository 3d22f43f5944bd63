"""How likely a model finds texts that are given to it: the sum of the log probabilities of their tokens.

One design decision: rows are encoded as training encodes them, end token included, so that a likelihood is that of
exactly what a fit would put its loss on.
"""

from collections.abc import Iterator, Sequence

import torch
from transformers import PreTrainedModel

from lema.checkpoints.rendering import Tokens

AT_ONCE = 16  # rows of one forward pass


def log_likelihoods(model: PreTrainedModel, rows: Sequence[Tokens], pad: int) -> Iterator[float]:
    """Of each row's completion after its prompt, in nats, in order."""
    for start in range(0, len(rows), AT_ONCE):
        yield from _of_batch(model, rows[start:start + AT_ONCE], pad)


@torch.inference_mode()
def _of_batch(model: PreTrainedModel, rows: Sequence[Tokens], pad: int) -> list[float]:
    longest = max(row.length for row in rows)
    ids = torch.full((len(rows), longest), pad)
    mask = torch.zeros((len(rows), longest), dtype=torch.long)
    weights = torch.zeros((len(rows), longest))
    for place, row in enumerate(rows):
        ids[place, :row.length] = torch.tensor([*row.prompt, *row.completion])
        mask[place, :row.length] = 1
        weights[place, len(row.prompt):row.length] = 1
    ids, mask, weights = ids.to(model.device), mask.to(model.device), weights.to(model.device)
    logits = model(input_ids=ids, attention_mask=mask).logits[:, :-1].float()
    chosen = torch.log_softmax(logits, -1).gather(-1, ids[:, 1:, None]).squeeze(-1)
    return (chosen * weights[:, 1:]).sum(1).tolist()
