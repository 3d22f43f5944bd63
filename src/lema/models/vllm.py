"""vLLM: its engine in this process, or `vllm serve` started and stopped by us, also from another environment.

    [models.student]
    backend = "vllm"
    path = "org/name"
    Request((Message("user", "Leo has 15 pens …"),), Sampling(temperature=0.7, max_tokens=64, seed=1))
    → Completion("He has 15 - 6 = 9 pens.", "stop", prompt_tokens=31, tokens=14)

One design decision: prompts are rendered by the same functions as everywhere else and vLLM is handed tokens (or
the finished text), never messages, so a model is asked in exactly the tokens that it was trained on.
Its floats depend on what else is in flight: a completion is kept by the journal, not promised a second time.
"""

import json
import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any, Literal

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
from lema.checkpoints.rendering import Form, by_template, render
from lema.errors import ModelError
from lema.messages import Arrived, Completion, Message, Request
from lema.models import api
from lema.plugins import execution

CHUNK = 2048
"""Requests handed to the engine together: enough to keep it busy, few enough to journal often."""
PATIENCE = 60.0
"""Seconds without any answer after which a server of ours is given up: it is on this machine, and was up."""
RANKS = (1, 8, 16, 32, 64, 128, 256, 320, 512)
"""The values that vLLM's max_lora_rank may have."""
ADAPTER = "adapter"
"""What an adapter is called by a server of ours; its base is called "base"."""
NEUTRAL = {"top_k": 0, "min_p": 0.0, "repetition_penalty": 1.0}
"""Sent with every request: a checkpoint's generation_config would otherwise change how text is drawn."""


QUIET = {"VLLM_NO_USAGE_STATS": "1", "VLLM_DO_NOT_TRACK": "1", "VLLM_LOGGING_LEVEL": "ERROR"}


class Settings(plugins.Settings):
    """[models.X] with backend = "vllm"."""

    path: str = Field(description="a checkpoint folder, or a hub id such as org/name")
    adapter: str | None = Field(None, description="folder of a PEFT adapter (LoRA) for this checkpoint")
    form: Form = Field("chat", description="completions: past the chat template")
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    options: dict[str, Any] = Field(default_factory=dict, description="engine arguments that change what comes "
                                    "out, by vLLM's own names: { max_model_len = 4096 }")
    resources: dict[str, Any] = execution(default_factory=dict, description="those that do not: "
                                          "{ tensor_parallel_size = 2, gpu_memory_utilization = 0.9 }")
    run: Literal["here", "server"] = execution("here", description="server: start one, ask it over HTTP, stop it")
    python: str = execution(sys.executable, description="the Python of the environment that holds vLLM, for run = "
                                                        "\"server\"")
    start_seconds: float = execution(900.0, gt=0, description="to load the weights")
    concurrency: int = execution(256, ge=1, le=1000, description="in flight, for run = \"server\"")

    def files(self) -> tuple[Path, ...]:
        return files_of(self.path, self.adapter)

    @property
    def arguments(self) -> dict[str, Any]:
        """vLLM's engine arguments, but for the model itself."""
        arguments = {"dtype": self.dtype, "enable_prefix_caching": True, "seed": 0}
        if self.adapter:
            arguments |= {"enable_lora": True, "max_lora_rank": _rank(find_adapter(self.adapter))}
        return arguments | self.options | self.resources


class Model:
    """A checkpoint that vLLM runs; it is loaded, or its server started, with the first completion. A server stops
    with this object, or with this process however it ends."""

    runs_here = uses_cards = True

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def identity(self) -> dict:
        """The checkpoint and its adapter by their contents, and what else decides the text."""
        settings = self.settings
        identity = {"backend": "vllm", "weights": content_hash(self.folder), "dtype": settings.dtype,
                    "form": settings.form, "options": settings.options}
        if settings.adapter:
            identity["adapter"] = adapter_hash(settings.adapter)
        return identity

    @staticmethod
    def no_prefix(settings: Settings) -> str:
        """Why no model of these settings goes on from a prefix; "" where it does."""
        return ""

    def complete(self, requests: Iterable[Request]) -> Iterator[Completion]:
        """As every backend; a prompt that the model has no room for gives an error completion."""
        return self.complete_telling(requests, lambda position, completion: None)

    def complete_telling(self, requests: Iterable[Request], arrived: Arrived) -> Iterator[Completion]:
        """As every ConcurrentModel. ModelError where vLLM is not there or does not start."""
        if self.settings.run == "server":
            return self._there(requests, arrived)
        return self._here(requests, arrived)

    def _there(self, requests: Iterable[Request], arrived: Arrived) -> Iterator[Completion]:
        try:
            yield from self._served.complete_telling(map(self._as_text, requests), arrived)
        except ModelError as error:
            if (words := self._server.last_words()) is None:
                raise
            raise ModelError(f"vllm: its server ended while it was asked ({words}); what came is kept: run the "
                             f"same command again, with less concurrency if it recurs ({error})") from None

    def _here(self, requests: Iterable[Request], arrived: Arrived) -> Iterator[Completion]:
        todo, position = iter(requests), 0
        while chunk := list(islice(todo, CHUNK)):
            prompts = [self._prompt(request)[1] for request in chunk]
            for completion in self._engine.write(prompts, chunk):
                arrived(position, completion)
                position += 1
                yield completion

    def _as_text(self, request: Request) -> Request:
        """The request as the server's plain completions are asked: its prompt rendered, and no more new tokens
        than there is room for, which the server would refuse."""
        prompt, ids = self._prompt(request)
        room = max(1, self._room - len(ids))
        sampling = replace(request.sampling, max_tokens=min(room, request.sampling.max_tokens))
        return Request((Message("user", prompt),), sampling, request.index)

    def _prompt(self, request: Request) -> tuple[str, list[int]]:
        prompt = render(self._tokenizer, request.messages, self.settings.form)
        return prompt.text + request.prefix, prompt.ids(self._tokenizer, request.prefix)

    @cached_property
    def folder(self) -> Path:
        """Where the checkpoint lies; a hub id is downloaded first."""
        return find_checkpoint(self.settings.path)

    @cached_property
    def _room(self) -> int:
        """The longest sequence, prompt and answer, in tokens."""
        return self.settings.options.get("max_model_len") or positions(self.folder)

    @cached_property
    def _tokenizer(self):
        return load_tokenizer(self.folder)

    @cached_property
    def _engine(self):
        os.environ.update(QUIET)  # read when vllm is imported
        from lema.models._vllm_engine import Engine

        return Engine(self.folder, self.settings.adapter, self.settings.arguments, self._room)

    @cached_property
    def _served(self) -> api.Model:
        """The API backend, asking a server that is up now and stops with `self`."""
        settings = self.settings
        extra = {**NEUTRAL, "add_special_tokens": not by_template(self._tokenizer, settings.form)}
        return api.Model(api.Settings(model=ADAPTER if settings.adapter else "base", base_url=self._server.url,
                                      form="completions", extra=extra, concurrency=settings.concurrency,
                                      patience=PATIENCE))

    @cached_property
    def _server(self):
        from lema.models._vllm_server import start

        settings = self.settings
        return start(self, settings.python, _flags(self.folder, settings), settings.start_seconds)


def _flags(folder: Path, settings: Settings) -> list[str]:
    """The server's command line behind its module's name, but for its port."""
    flags = ["--model", str(folder), "--served-model-name", "base"]
    if settings.adapter:
        flags += ["--lora-modules", json.dumps({"name": ADAPTER, "path": str(Path(settings.adapter).absolute())})]
    for name, value in settings.arguments.items():
        flag = "--" + name.replace("_", "-")
        if isinstance(value, bool):
            flags.append(flag if value else flag.replace("--", "--no-", 1))
        else:
            flags += [flag, json.dumps(value) if isinstance(value, dict | list) else str(value)]
    return flags


def _rank(adapter: Path) -> int:
    """The smallest max_lora_rank that holds the adapter."""
    try:
        rank = int(json.loads((adapter / "adapter_config.json").read_text(encoding="utf-8"))["r"])
        return next(allowed for allowed in RANKS if allowed >= rank)
    except (OSError, ValueError, KeyError, TypeError, StopIteration):
        raise ModelError(f"{adapter}: vLLM can only serve LoRA adapters of a rank up to {RANKS[-1]}; merge this "
                         "one into its checkpoint") from None
