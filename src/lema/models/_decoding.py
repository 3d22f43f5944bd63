"""Decoding one batch with any causal language model of transformers: left-padded, cached, row by row independent.

One design decision: randomness belongs to the row. Each path draws one uniform number per token from a stream of
its own and takes the token at which its cumulated probabilities pass it, so what a row draws depends neither on
its neighbours nor on how many of them are still unfinished.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from lema.errors import ModelError, installing
from lema.records import Sampling

try:
    import torch
    from transformers import DynamicCache, PreTrainedModel, PreTrainedTokenizerBase
    from transformers.cache_utils import DynamicLayer
except ModuleNotFoundError as missing:
    raise ModelError(f"the transformers backend needs {missing.name}: {installing('train')}") from None

SHRINK = 0.75
"""Finished rows are dropped from the batch once at most this share of its rows is still being written."""
STEP = 64
"""Tokens by which the cache grows."""


@dataclass
class DecodingRow:
    """One path being written."""

    prompt: list[int]
    sampling: Sampling
    limit: int  # most new tokens: max_tokens, or what the model has positions for
    seed: bytes
    written: list[int] = field(default_factory=list)
    finish: str = ""  # empty while it is being written
    text: str = ""

    def __post_init__(self) -> None:
        stream = np.random.Generator(np.random.Philox(key=int.from_bytes(self.seed, "little")))
        self.draws = stream.random(self.limit) if self.sampling.temperature > 0 else np.zeros(self.limit)


def stream_seed(seed: int, index: int, prompt: str) -> bytes:
    """16 bytes that name a path's random stream: the sampling seed, the path index and the prompt's text."""
    return hashlib.sha256(json.dumps([seed, index, prompt]).encode()).digest()[:16]


def decode(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, rows: Sequence[DecodingRow],
           stops: set[int]) -> None:
    """Writes every row to its end: `written`, `text` and `finish` ("stop" or "length") are filled in.

    `stops` are the end tokens. ModelError where the batch does not fit the device.
    """
    try:
        _decode(model, tokenizer, rows, stops)
    except torch.OutOfMemoryError:
        raise ModelError(f"a batch of {len(rows)} rows does not fit the device; lower batch_size or set "
                         "batch_tokens") from None


@torch.inference_mode()
def _decode(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, rows: Sequence[DecodingRow],
            stops: set[int]) -> None:
    device = model.device
    ids, mask = _padded([row.prompt for row in rows], tokenizer.pad_token_id, device)
    cache = _cache(model)
    places = mask.cumsum(-1).sub_(1).clamp_(min=0)
    padded = bool((mask == 0).any())
    alive = list(rows)
    while True:
        logits = model(input_ids=ids, attention_mask=mask if padded else None, position_ids=places,
                       past_key_values=cache, use_cache=True, logits_to_keep=1).logits[:, -1]
        chosen = _choose(logits, alive)
        for row, token in zip(alive, chosen.tolist(), strict=True):
            if not row.finish:
                _write(row, token, tokenizer, stops)
        going = [number for number, row in enumerate(alive) if not row.finish]
        if not going:
            return
        places = places[:, -1:] + 1
        if len(going) <= SHRINK * len(alive):
            keep = torch.tensor(going, device=device)
            alive = [alive[number] for number in going]
            chosen, places, mask = chosen[keep], places[keep], mask[keep]
            cache.batch_select_indices(keep)
        ids = chosen[:, None]
        mask = torch.cat([mask, mask.new_ones(len(alive), 1)], dim=1)


def _padded(prompts: list[list[int]], pad: int, device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    """Token ids and attention mask, (rows, longest prompt), padded on the left."""
    longest = max(map(len, prompts))
    ids = torch.full((len(prompts), longest), pad, dtype=torch.long)
    mask = torch.zeros((len(prompts), longest), dtype=torch.long)
    for number, prompt in enumerate(prompts):
        ids[number, longest - len(prompt):] = torch.tensor(prompt)
        mask[number, longest - len(prompt):] = 1
    return ids.to(device), mask.to(device)


def _choose(logits: torch.Tensor, rows: Sequence[DecodingRow]) -> torch.Tensor:
    """The next token of every row: (rows, vocabulary) -> (rows,)."""
    chosen = logits.argmax(-1)
    drawn = [number for number, row in enumerate(rows) if row.sampling.temperature > 0 and not row.finish]
    if not drawn:
        return chosen
    some = torch.tensor(drawn, device=logits.device)

    def column(values: list[float]) -> torch.Tensor:
        return torch.tensor(values, dtype=torch.float64, device=logits.device)[:, None]

    heat = column([rows[number].sampling.temperature for number in drawn])
    top = column([rows[number].sampling.top_p for number in drawn])
    draws = column([rows[number].draws[len(rows[number].written)] for number in drawn])
    shares = torch.softmax(logits[some].double() / heat, dim=-1)
    if bool((top < 1).any()):
        shares, order = shares.sort(dim=-1, descending=True, stable=True)
        before = shares.cumsum(-1) - shares
        shares = torch.where(before < top, shares, 0.0)  # the fewest tokens whose shares reach top_p
        chosen[some] = order.gather(1, _inverse(shares, draws)).squeeze(1)
    else:
        chosen[some] = _inverse(shares, draws).squeeze(1)
    return chosen


def _inverse(shares: torch.Tensor, draws: torch.Tensor) -> torch.Tensor:
    """Where the cumulated shares of each row pass its draw: (rows, n), (rows, 1) -> (rows, 1)."""
    cumulated = shares.cumsum(-1)
    passed = torch.searchsorted(cumulated, draws * cumulated[:, -1:], right=True)
    return passed.clamp_(max=shares.shape[-1] - 1)


def _write(row: DecodingRow, token: int, tokenizer: PreTrainedTokenizerBase, stops: set[int]) -> None:
    row.written.append(token)
    if token in stops:
        row.finish = "stop"
        row.text = tokenizer.decode(row.written[:-1], skip_special_tokens=True)
        return
    if row.sampling.stop and _ends(row, tokenizer):
        row.finish = "stop"
        return
    if len(row.written) == row.limit:
        row.finish = "length"
        row.text = tokenizer.decode(row.written, skip_special_tokens=True)


def _ends(row: DecodingRow, tokenizer: PreTrainedTokenizerBase) -> bool:
    """Whether a stop string stands at the end of what is written; then `text` is what stands before it."""
    reach = 4 * max(map(len, row.sampling.stop)) + 4  # a character is at most four tokens
    recent = tokenizer.decode(row.written[-reach:], skip_special_tokens=True)
    if not any(stop in recent for stop in row.sampling.stop):
        return False
    whole = tokenizer.decode(row.written, skip_special_tokens=True)
    places = [whole.find(stop) for stop in row.sampling.stop if stop in whole]
    if not places:
        return False
    row.text = whole[:min(places)]
    return True


def _cache(model: PreTrainedModel) -> DynamicCache:
    """The model's own kind of cache, its plain layers replaced by ones that grow without copying every token."""
    cache = DynamicCache(config=model.config)
    cache.layers = [Growing() if type(layer) is DynamicLayer else layer for layer in cache.layers]
    return cache


class Growing(DynamicLayer):
    """A layer's keys and values, (rows, heads, tokens, width), as views of buffers with room for more."""

    def update(self, key_states: torch.Tensor, value_states: torch.Tensor, *args: object, **kwargs: object
               ) -> tuple[torch.Tensor, torch.Tensor]:
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
            self.rooms: list[torch.Tensor] = []
        past = self.keys.shape[-2] if self.rooms else 0
        now = past + key_states.shape[-2]
        if not self.rooms or self.rooms[0].shape[-2] < now:
            self.rooms = [self._roomier(old, new, past, now) for old, new in (
                (self.keys, key_states), (self.values, value_states))]
        for room, new in zip(self.rooms, (key_states, value_states), strict=True):
            room[:, :, past:now] = new
        self.keys, self.values = (room[:, :, :now] for room in self.rooms)
        return self.keys, self.values

    def _roomier(self, old: torch.Tensor, new: torch.Tensor, past: int, now: int) -> torch.Tensor:
        room = new.new_empty(*new.shape[:2], now + max(STEP, now // 2), new.shape[-1])
        if past:
            room[:, :, :past] = old
        return room

    def batch_select_indices(self, indices: torch.Tensor) -> None:
        now = self.keys.shape[-2]
        self.rooms = [room[indices] for room in self.rooms]
        self.keys, self.values = (room[:, :, :now] for room in self.rooms)
