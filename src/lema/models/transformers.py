"""Any causal language model of Hugging Face transformers: a folder or a hub id, with or without an adapter.

    [models.student]
    backend = "transformers"
    path = "students/base"
    Request((Message("user", "Leo has 15 pens …"),), Sampling(temperature=0.7, max_tokens=64, seed=1))
    → Completion("He has 15 - 6 = 9 pens.", "stop", prompt_tokens=31, tokens=14)

One design decision: batches are formed from the whole list of requests, by prompt length, and are the same
whatever of it is already known, so a batch that is done again after a kill has the same neighbours and gives the
same floats. What needs torch is in _decoding.py and _weights.py and loaded with the first completion.
"""

import copy
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from lema import plugins
from lema.checkpoints import (
    adapter_hash,
    content_hash,
    files_of,
    find_adapter,
    find_checkpoint,
    load_tokenizer,
    positions,
)
from lema.checkpoints.rendering import Form, Tokens, render
from lema.messages import Completion, Request
from lema.plugins import execution

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


class Settings(plugins.Settings):
    """[models.X] with backend = "transformers"."""

    path: str = Field(description="a checkpoint folder, or a hub id such as org/name")
    adapter: str | None = Field(None, description="folder of a PEFT adapter (LoRA) for this checkpoint")
    adapter_as: Literal["auto", "merged", "loaded"] = Field(
        "auto", description="into the weights, or beside them; auto: into float32 weights, beside coarser ones, "
                            "which would round the update away")
    form: Form = Field("chat", description="completions: past the chat template")
    dtype: Literal["auto", "fastest", "float32", "bfloat16", "float16"] = Field(
        "auto", description="auto: the checkpoint's; fastest: bfloat16 where the hardware multiplies it")
    quantize: Literal["nf4"] | None = Field(None, description="weights in four bits, as qlora trains beside them")
    attn: str | None = Field(None, description="attention implementation; by default what transformers chooses")
    batch_size: int = execution(64, gt=0, description="rows written side by side")
    batch_tokens: int | None = execution(None, gt=0,
                                         description="bound on rows times (longest prompt + max_tokens)")
    device: str = execution("auto", description="auto: a GPU where there is one")

    def files(self) -> tuple[Path, ...]:
        return files_of(self.path, self.adapter)

    def facts(self) -> dict:
        """What is not set is left out: a stage must not become stale by a setting that nobody uses."""
        facts = super().facts()
        if self.quantize is None:
            del facts["quantize"]
        return facts


@dataclass(frozen=True, slots=True)
class EncodedRequest:
    """A request with its prompt rendered and encoded."""

    position: int
    request: Request
    prompt: str
    ids: list[int]


class Model:
    """A checkpoint that writes; its weights are loaded with the first completion."""

    runs_here = uses_cards = True

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def identity(self) -> dict:
        """The checkpoint by its contents, and what else decides the floats."""
        identity = {"backend": "transformers", "weights": self._contents, "dtype": self._dtype,
                    "attn": self.settings.attn}
        if self.settings.adapter:
            identity["adapter"] = [adapter_hash(self.settings.adapter), self.settings.adapter_as]
        if self.settings.quantize:
            identity["quantize"] = self.settings.quantize
        if self.settings.form == "completions":
            identity["form"] = "completions"
        return identity

    @staticmethod
    def no_prefix(settings: Settings) -> str:
        """Why no model of these settings goes on from a prefix; "" where it does."""
        return ""

    def load(self) -> "Model":
        """Loads the weights now, not with the first completion; ModelError where that fails."""
        self._model  # noqa: B018 - a cached property
        return self

    def plain(self) -> "Model":
        """The same weights, loaded once, asked past their chat template."""
        twin = copy.copy(self)  # what was loaded and cached goes along
        twin.settings = self.settings.model_copy(update={"form": "completions"})
        return twin

    def batches(self, requests: Sequence[Request]) -> list[list[int]]:
        """Positions in `requests`, longest prompts first, cut where batch_size or batch_tokens is reached."""
        longest_first = sorted(self._encoded(requests), key=lambda encoded: -len(encoded.ids))
        return [[encoded.position for encoded in group] for group in self._groups(longest_first)]

    def complete(self, requests: Iterable[Request]) -> Iterator[Completion]:
        """One completion per request, in order; consecutive requests are written side by side, as many as
        batch_size and batch_tokens allow. A prompt that the model has no room for gives an error completion."""
        for group in self._groups(self._encoded(requests)):
            yield from self._written(group)

    def log_likelihoods(self, rows: Sequence[Tokens]) -> Iterator[float]:
        """Of each row's completion after its prompt, in nats."""
        from lema.models._likelihood import log_likelihoods

        yield from log_likelihoods(self._model, rows, self.tokenizer.eos_token_id)

    def _encoded(self, requests: Iterable[Request]) -> Iterator[EncodedRequest]:
        for position, request in enumerate(requests):
            prompt = render(self.tokenizer, request.messages, self.settings.form)
            yield EncodedRequest(position, request, prompt.text + request.prefix,
                                 prompt.ids(self.tokenizer, request.prefix))

    def _groups(self, requests: Iterable[EncodedRequest]) -> Iterator[list[EncodedRequest]]:
        """Consecutive requests, as many together as one batch may hold."""
        group: list[EncodedRequest] = []
        longest = wanted = 0
        for encoded in requests:
            ids, most = encoded.ids, encoded.request.sampling.max_tokens
            longest, wanted = max(longest, len(ids)), max(wanted, most)
            slots = (len(group) + 1) * (longest + wanted)
            limit = self.settings.batch_tokens
            if group and (len(group) == self.settings.batch_size or (limit is not None and slots > limit)):
                yield group
                group, longest, wanted = [], len(ids), most
            group.append(encoded)
        if group:
            yield group

    def _written(self, group: Sequence[EncodedRequest]) -> Iterator[Completion]:
        from lema.models._decoding import DecodingRow, decode, stream_seed

        rows = []
        for encoded in group:
            sampling = encoded.request.sampling
            room = self._positions - len(encoded.ids) if encoded.ids else 0
            seed = stream_seed(sampling.seed, encoded.request.index, encoded.prompt)
            rows.append(DecodingRow(encoded.ids, sampling, max(0, min(room, sampling.max_tokens)), seed))
        writable = [row for row in rows if row.limit]
        if writable:
            decode(self._model, self.tokenizer, writable, self._stops)
        for row in rows:
            finish = row.finish
            if not row.limit:
                finish = (f"error: a prompt of {len(row.prompt)} tokens; the model has room for 1 to "
                          f"{self._positions - 1}")
            yield Completion(row.text, finish, len(row.prompt), len(row.written))

    @cached_property
    def folder(self) -> Path:
        """Where the checkpoint lies; a hub id is downloaded first."""
        return find_checkpoint(self.settings.path)

    @cached_property
    def tokenizer(self) -> "PreTrainedTokenizerBase":
        return load_tokenizer(self.folder)

    @cached_property
    def _contents(self) -> str:
        return content_hash(self.folder)

    @cached_property
    def _positions(self) -> int:
        return positions(self.folder)

    @cached_property
    def _stops(self) -> set[int]:
        """The end tokens: the tokenizer's and those that the checkpoint's generation config names."""
        named = self._model.generation_config.eos_token_id
        more = named if isinstance(named, list) else [named]
        return {self.tokenizer.eos_token_id, *(token for token in more if isinstance(token, int))}

    @cached_property
    def _dtype(self) -> str:
        """The dtype by its name; "fastest" is decided by the hardware and named in the journal's key."""
        if self.settings.dtype != "fastest":
            return self.settings.dtype
        from lema.models._weights import fastest

        return fastest(self.folder, self.settings.device)

    @cached_property
    def _model(self) -> "PreTrainedModel":
        from lema.models._weights import load_model, with_adapter

        adapter, how = self.settings.adapter, self.settings.adapter_as
        model = load_model(self.folder, self._dtype, self.settings.attn, self.settings.device,
                           self.settings.quantize is not None)
        return with_adapter(model, find_adapter(adapter), how) if adapter else model
