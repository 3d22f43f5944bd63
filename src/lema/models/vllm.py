"""vLLM: its engine in this process, or its server started and stopped by us, also from another environment.

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
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from functools import cached_property, partial
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from shutil import which
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

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
    stored_dtype,
)
from lema.checkpoints.rendering import Form, by_template, render
from lema.errors import ModelError
from lema.messages import Arrived, Completion, Message, Request
from lema.models import api
from lema.plugins import execution

if TYPE_CHECKING:
    from lema.models._vllm_server import StartedServer

CHUNK = 2048
"""Requests handed to the engine together: enough to keep it busy, few enough to journal often."""
PATIENCE = 60.0
"""Seconds without any answer after which a server of ours is given up: it is on this machine, and was up."""
RANKS = (1, 8, 16, 32, 64, 128, 256, 320, 512)
"""The values that vLLM's max_lora_rank may have."""
BASE, ADAPTER = "base", "adapter"
"""What a server of ours calls the checkpoint, and its adapter where there is but one."""
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
    def adapters(self) -> dict[str, Path]:
        """Its adapter, by what a server of ours calls it."""
        return {ADAPTER: Path(self.adapter)} if self.adapter else {}

    def arguments(self, adapters: Mapping[str, Path], together: int = 1) -> dict[str, Any]:
        """vLLM's engine arguments, but for the model itself. It knows all the adapters, and works on at most
        `together` of them at a time."""
        arguments = {"dtype": self.dtype, "enable_prefix_caching": True, "seed": 0}
        if adapters:
            ranks = [_rank(find_adapter(str(adapter))) for adapter in adapters.values()]
            arguments |= {"enable_lora": True, "max_lora_rank": max(ranks)}
        if len(adapters) > 1:
            arguments |= {"max_loras": min(together, len(adapters)), "max_cpu_loras": len(adapters)}
        return arguments | self.options | self.resources


class Served(NamedTuple):
    """A model of servers that somebody else starts and stops: their addresses, and what they call it."""

    urls: tuple[str, ...]
    name: str


def examining(table: Mapping[str, Any]) -> dict[str, Any]:
    """The table of this backend for the weights that transformers would be asked by `table`. Those in NF4 need
    vLLM's plugin of bitsandbytes."""
    dtype = table.get("dtype", "auto")
    if dtype in ("auto", "fastest"):  # vLLM's own "auto" makes sixteen bits of a checkpoint in float32
        dtype = stored_dtype(find_checkpoint(table["path"]))
    same = {key: table[key] for key in ("path", "adapter", "form") if key in table}
    quantized = {"options": {"quantization": "bitsandbytes"}} if table.get("quantize") else {}
    return {**same, "dtype": dtype, "run": "server", **quantized}


class Model:
    """A checkpoint that vLLM runs; it is loaded, or its server started, with the first completion. A server stops
    with this object, or with this process however it ends."""

    runs_here = uses_cards = True
    served: Served | None = None
    """Where somebody else's server has it; else a server is started where one is wanted."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def close(self) -> None:
        """Stops the server, or ends the engine, where one was started: the card is free again."""
        for part in map(self.__dict__.pop, ("_server", "_engine"), (None, None)):
            if part is not None:
                part.stop()
        self.__dict__.pop("_served", None)

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
            if self.served or (words := self._server.last_words()) is None:
                raise
            raise ModelError(ended_early(words, error)) from None

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

        settings = self.settings
        return Engine(self.folder, settings.adapter, settings.arguments(settings.adapters), self._room)

    @cached_property
    def _served(self) -> api.Model:
        """The API backend, asking a server that is up now and stops with `self`."""
        settings = self.settings
        extra = {**NEUTRAL, "add_special_tokens": not by_template(self._tokenizer, settings.form)}
        served = self.served or Served((self._server.url,), ADAPTER if settings.adapter else BASE)
        return api.Model(api.Settings(model=served.name, base_url=served.urls, form="completions", extra=extra,
                                      concurrency=settings.concurrency, patience=PATIENCE))

    @cached_property
    def _server(self) -> "StartedServer":
        settings = self.settings
        (server,) = start_servers(self, settings, settings.adapters, 1, [()])
        return server


def not_there(settings: Settings) -> str:
    """What is missing before vLLM can run, and the remedy; "" where nothing is."""
    if settings.python != sys.executable and settings.run == "server":
        if which(settings.python):
            return ""
        return f"{settings.python} is no program; name the Python of the environment that holds vLLM"
    if find_spec("vllm"):
        return ""
    return ('vllm is not installed; pip install vllm, or set run = "server" and python to the Python that has it')


def start_servers(owner: object, settings: Settings, adapters: Mapping[str, Path], together: int,
                  cards: Sequence[tuple[str, ...]]) -> "list[StartedServer]":
    """One server for each group of cards, all of the same base and adapters; they are stopped when `owner` is
    gone. ModelError where one does not start."""
    from lema.models._vllm_server import start

    flags = _flags(find_checkpoint(settings.path), settings, adapters, together)
    starting = partial(start, owner, settings.python, flags, settings.start_seconds)
    with ThreadPoolExecutor(len(cards)) as threads:  # weights take minutes to load
        started = [threads.submit(starting, group) for group in cards]
    failures = list(filter(None, map(Future.exception, started)))
    if failures:
        for each in started:
            if each.exception() is None:
                each.result().stop()
        raise failures[0]
    return list(map(Future.result, started))


def ended_early(words: str, error: ModelError) -> str:
    """What is said of a server that ended under a run, having said `words` last."""
    return (f"vllm: its server ended while it was asked ({words}); what came is kept: run the same command again, "
            f"with less concurrency if it recurs ({error})")


def _flags(folder: Path, settings: Settings, adapters: Mapping[str, Path], together: int) -> list[str]:
    """The server's command line behind its module's name, but for its port."""
    flags = ["--model", str(folder), "--served-model-name", BASE]
    if adapters:
        modules = [{"name": name, "path": str(path.absolute())} for name, path in adapters.items()]
        flags += ["--lora-modules", *map(json.dumps, modules)]
    for name, value in settings.arguments(adapters, together).items():
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
