"""Who the test server is: endpoints as strict as the real ones are by their documents.

One design decision: a persona is a value that says what it refuses of a request and what it makes of an answer;
it is asked before anything is answered, so that no test passes whose requests a real endpoint would refuse. A
token is a word here. What is refused, and in which words, is in the documents of the OpenAI API (chat completions,
the guide to reasoning models) and of vLLM's server (its sampling parameters, its engine's limits).
"""

import re
from dataclasses import dataclass
from typing import NamedTuple, Protocol

CHAT, PLAIN = "/chat/completions", "/completions"
MODELS = ("m", "small", "large", "other", "served")  # by which the tests call them


class Refusal(NamedTuple):
    """An error answer."""

    status: int
    message: str
    param: str | None = None
    code: str | None = None


class Written(NamedTuple):
    """What a model wrote of an answer: what is seen of it, why it ended, and its tokens, unseen ones included."""

    text: str
    finish: str
    tokens: int


class Persona(Protocol):
    def refuses(self, path: str, body: dict, key: str) -> Refusal | None:
        """Why a request to /v1`path` is not answered; `key` is what stood behind Bearer."""

    def writes(self, path: str, body: dict, answer: str) -> Written:
        """What comes of an answer under the request's limits."""

    def error(self, refusal: Refusal) -> dict:
        """The body of an error answer."""


@dataclass(frozen=True)
class Vllm:
    """`vllm serve`: fields that its documents do not name are ignored; a model without a chat template takes no
    messages; what does not fit into the context is refused, and so is drawing several greedily."""

    models: tuple[str, ...] = MODELS  # --served-model-name, and the names of --lora-modules
    template: bool = True
    room: int = 100_000  # --max-model-len

    def refuses(self, path: str, body: dict, key: str) -> Refusal | None:
        if body.get("model") not in self.models:
            return Refusal(404, f"The model `{body.get('model')}` does not exist.", "model")
        if path == CHAT and not self.template:
            return Refusal(400, "As of transformers v4.44, default chat template is no longer allowed, so you "
                                "must provide a chat template if the tokenizer does not define one.")
        if problem := _unusable(path, body) or _undrawable(body):
            return problem
        if body.get("temperature", 1.0) == 0 and (body.get("n") or 1) > 1:
            return Refusal(400, f"n must be 1 when using greedy sampling, got {body['n']}.")
        read, wanted = prompt_tokens(body), self._limit(path, body)
        if read + wanted > self.room:
            return Refusal(400, f"This model's maximum context length is {self.room} tokens. However, you "
                                f"requested {wanted} output tokens and your prompt contains {read} input tokens.")
        return None

    def _limit(self, path: str, body: dict) -> int:
        for name in ("max_completion_tokens", "max_tokens") if path == CHAT else ("max_tokens",):
            if body.get(name) is not None:
                return body[name]
        return self.room - prompt_tokens(body) if path == CHAT else 16

    def writes(self, path: str, body: dict, answer: str) -> Written:
        return cut(answer, self._limit(path, body), body.get("stop") or ())

    def error(self, refusal: Refusal) -> dict:
        kind = "NotFoundError" if refusal.status == 404 else "BadRequestError"
        return {"error": {"message": refusal.message, "type": kind, "param": refusal.param,
                          "code": refusal.status}}


@dataclass(frozen=True)
class OpenAI:
    """OpenAI's chat models, whose address is not that of plain completions, and the older `plain` ones, for which
    it is the other way round; no field is ignored."""

    models: tuple[str, ...] = MODELS
    plain: tuple[str, ...] = ("davinci-002",)
    key: str | None = None  # the one that it takes; None: whichever
    choices: int = 128
    room: int = 16_384  # the most completion tokens

    def refuses(self, path: str, body: dict, key: str) -> Refusal | None:
        if self.key is not None and key != self.key:
            return Refusal(401, f"Incorrect API key provided: {key}.", None, "invalid_api_key")
        if body.get("model") not in (*self.models, *self.plain):
            return Refusal(404, f"The model `{body.get('model')}` does not exist or you do not have access to it.",
                           None, "model_not_found")
        if path == CHAT and body["model"] in self.plain:
            return Refusal(404, "This is not a chat model and thus not supported in the v1/chat/completions "
                                "endpoint. Did you mean to use v1/completions?", "model")
        if path == PLAIN and body["model"] not in self.plain:
            return Refusal(404, "This is a chat model and not supported in the v1/completions endpoint. Did you "
                                "mean to use v1/chat/completions?", "model")
        for name in body:
            if name not in (FIELDS if path == CHAT else PLAIN_FIELDS):
                return Refusal(400, f"Unrecognized request argument supplied: {name}")
        if problem := _unusable(path, body) or self._unsupported(body) or _undrawable(body):
            return problem
        if (body.get("n") or 1) > self.choices:
            return Refusal(400, f"Unsupported value: 'n' does not support {body['n']} with this model.", "n",
                           "unsupported_value")
        limit = self._limit(body)
        if limit > self.room:
            return Refusal(400, f"max_tokens is too large: {limit}. This model supports at most {self.room} "
                                f"completion tokens, whereas you provided {limit}.", "max_tokens", "invalid_value")
        return None

    def _unsupported(self, body: dict) -> Refusal | None:
        stop = body.get("stop") or ()
        if not isinstance(stop, str) and len(stop) > 4:
            return Refusal(400, "Invalid 'stop': array too long. Expected an array with maximum length 4.", "stop",
                           "array_above_max_length")
        return None

    def _limit(self, body: dict) -> int:
        given = [body[name] for name in ("max_tokens", "max_completion_tokens") if body.get(name) is not None]
        return given[0] if given else self.room

    def writes(self, path: str, body: dict, answer: str) -> Written:
        return cut(answer, self._limit(body), body.get("stop") or ())

    def error(self, refusal: Refusal) -> dict:
        return {"error": {"message": refusal.message, "type": "invalid_request_error", "param": refusal.param,
                          "code": refusal.code}}


@dataclass(frozen=True)
class Reasoning(OpenAI):
    """OpenAI's reasoning models (gpt-5, gpt-5-mini, o3 …): what draws text is theirs alone, and tokens that nobody
    sees count against max_completion_tokens."""

    room: int = 128_000
    unseen: int = 1_500  # tokens that it thinks before it answers

    def _unsupported(self, body: dict) -> Refusal | None:
        if "max_tokens" in body:
            return _unsupported("max_tokens", " Use 'max_completion_tokens' instead.")
        if body.get("temperature", 1) != 1:
            return Refusal(400, f"Unsupported value: 'temperature' does not support {body['temperature']} with "
                                "this model. Only the default (1) value is supported.", "temperature",
                           "unsupported_value")
        refused = (name for name in body if name in NOT_OF_REASONING)
        return next((_unsupported(name) for name in refused), None)

    def writes(self, path: str, body: dict, answer: str) -> Written:
        limit = self._limit(body)
        if limit <= self.unseen:
            return Written("", "length", limit)
        written = cut(answer, limit - self.unseen, ())
        return written._replace(tokens=written.tokens + self.unseen)


FIELDS = frozenset((
    "model", "messages", "audio", "frequency_penalty", "function_call", "functions", "logit_bias", "logprobs",
    "max_completion_tokens", "max_tokens", "metadata", "modalities", "n", "parallel_tool_calls", "prediction",
    "presence_penalty", "prompt_cache_key", "reasoning_effort", "response_format", "safety_identifier",
    "seed", "service_tier", "stop", "store", "stream", "stream_options", "temperature", "tool_choice",
    "tools", "top_logprobs", "top_p", "user", "verbosity", "web_search_options"))
"""What a request for a chat completion may hold."""
PLAIN_FIELDS = frozenset((
    "model", "prompt", "best_of", "echo", "frequency_penalty", "logit_bias", "logprobs", "max_tokens", "n",
    "presence_penalty", "seed", "stop", "stream", "stream_options", "suffix", "temperature", "top_p", "user"))
"""What one for a plain completion may hold."""
NOT_OF_REASONING = ("top_p", "presence_penalty", "frequency_penalty", "logprobs", "top_logprobs", "logit_bias",
                    "stop")


def prompt_tokens(body: dict) -> int:
    """The words that were asked with, all messages together."""
    texts = [body["prompt"]] if "prompt" in body else [message["content"] for message in body["messages"]]
    return sum(len(text.split()) for text in texts)


def cut(answer: str, limit: int, stops: str | tuple[str, ...] | list[str]) -> Written:
    """So much of an answer as comes before a stop string, and of that the first words."""
    ends = [answer.find(stop) for stop in ([stops] if isinstance(stops, str) else stops)]
    seen = answer[:min((end for end in ends if end >= 0), default=len(answer))]
    words = re.findall(r"\S+\s*", seen)
    if len(words) <= limit:
        return Written(seen, "stop", len(words))
    return Written("".join(words[:limit]).rstrip(), "length", limit)


def _unsupported(name: str, instead: str = "") -> Refusal:
    return Refusal(400, f"Unsupported parameter: '{name}' is not supported with this model.{instead}", name,
                   "unsupported_parameter")


def _unusable(path: str, body: dict) -> Refusal | None:
    """A prompt of the wrong form for its address."""
    if path == CHAT:
        messages = body.get("messages")
        sound = isinstance(messages, list) and messages and all(
            isinstance(each, dict) and each.get("role") in ("system", "user", "assistant")
            and isinstance(each.get("content"), str) for each in messages)
        return None if sound else Refusal(400, "messages: a list of role and content is required", "messages")
    return None if isinstance(body.get("prompt"), str) else Refusal(400, "prompt: a text is required", "prompt")


def _undrawable(body: dict) -> Refusal | None:
    """A sampling parameter beyond its range."""
    ranges = {"temperature": (0, 2), "top_p": (1e-9, 1), "n": (1, 1024), "max_tokens": (1, 1 << 31),
              "max_completion_tokens": (1, 1 << 31), "seed": (-(1 << 63), (1 << 63) - 1)}
    for name, (low, high) in ranges.items():
        value = body.get(name)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)
                                  or not low <= value <= high):
            return Refusal(400, f"{name} must be in [{low}, {high}], got {value}.", name)
    return None
