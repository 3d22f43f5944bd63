"""What stands on the wire: bodies of the OpenAI API read into requests, completions written into replies.

One design decision: a body that asks for what is not served (streams, log probabilities, tools) is refused with a
word for it, never answered as if it had not asked; unknown fields are let through, because clients send many.
"""

import random
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from lema.messages import Completion, Message, Request, seed_and_index, wire_seed
from lema.records import Sampling

MAX_TOKENS = 1024  # new tokens where a request does not say


class NotServed(Exception):
    """A request that cannot be served, with the status of its reply."""

    def __init__(self, message: str, status: int = 400, code: str = "invalid_request") -> None:
        super().__init__(message)
        self.status, self.code = status, code


class Body(BaseModel):
    """What chat and plain completions have in common."""

    model_config = ConfigDict(extra="ignore")

    model: str = ""
    n: int = Field(1, ge=1, le=1024)
    seed: int | None = None
    temperature: float = Field(1.0, ge=0)
    top_p: float = Field(1.0, gt=0, le=1)
    max_tokens: int = Field(MAX_TOKENS, gt=0)
    stop: tuple[str, ...] = ()
    stream: Literal[False, None] = False
    logprobs: Literal[False, None, 0] = None

    @model_validator(mode="before")
    @classmethod
    def _only_what_is_served(cls, body: Any) -> Any:
        if not isinstance(body, dict):
            raise ValueError("the body must be a JSON object")
        for missing in ("tools", "functions", "response_format", "best_of", "echo"):
            if body.get(missing) and body[missing] not in (1, {"type": "text"}):
                raise ValueError(f"{missing} is not served here")
        body = {key: value for key, value in body.items() if value is not None}
        if "max_completion_tokens" in body:
            body["max_tokens"] = body["max_completion_tokens"]
        return body

    @field_validator("stop", mode="before")
    @classmethod
    def _one_or_many(cls, stop: Any) -> Any:
        return (stop,) if isinstance(stop, str) else stop

    @field_validator("stop")
    @classmethod
    def _not_empty(cls, stop: tuple[str, ...]) -> tuple[str, ...]:
        if "" in stop:
            raise ValueError("an empty stop string would end every text at once")
        return stop

    def prompts(self) -> list[tuple[Message, ...]]:
        """The conversations that are asked, one or several."""
        raise NotImplementedError

    @property
    def prefix(self) -> str:
        """What the answers begin with, where the client has begun them."""
        return ""

    def requests(self) -> list[Request]:
        """One request per choice. Choices of one prompt are consecutive paths of the seed, or of a random one."""
        return list(chain.from_iterable(map(self._choices, self.prompts())))

    def _choices(self, messages: tuple[Message, ...]) -> Iterator[Request]:
        drawn = Sampling(temperature=self.temperature, top_p=self.top_p, max_tokens=self.max_tokens,
                         stop=self.stop)
        first = self.seed
        if first is None:
            asked_as = Request(messages, prefix=self.prefix)
            first = random.getrandbits(30) if self.temperature > 0 else wire_seed(asked_as)
        for choice in range(self.n):
            seed, index = seed_and_index(first + choice, messages, self.prefix)
            yield Request(messages, replace(drawn, seed=seed), index, prefix=self.prefix)


class ChatMessage(BaseModel):
    """One message; its content may come in text parts."""

    role: Literal["system", "developer", "user", "assistant"]
    content: str | list[dict]

    def read(self) -> Message:
        text = self.content if isinstance(self.content, str) else "".join(map(_part, self.content))
        return Message("system" if self.role == "developer" else self.role, text)


class Chat(Body):
    """The body of /v1/chat/completions."""

    messages: list[ChatMessage] = Field(min_length=1)
    continue_final_message: bool = False  # as vLLM has it: the last message is the beginning of the answer

    @model_validator(mode="after")
    def _begun_by_the_assistant(self) -> "Chat":
        if self.continue_final_message and (len(self.messages) < 2 or self.messages[-1].role != "assistant"):
            raise ValueError("continue_final_message needs a last message of the assistant behind another one")
        return self

    @property
    def prefix(self) -> str:
        return self.messages[-1].read().content if self.continue_final_message else ""

    def prompts(self) -> list[tuple[Message, ...]]:
        asked_with = self.messages[:-1] if self.continue_final_message else self.messages
        return [tuple(message.read() for message in asked_with)]


class Plain(Body):
    """The body of /v1/completions: text, or several texts; tokens by number are not served."""

    prompt: str | list[str]

    def prompts(self) -> list[tuple[Message, ...]]:
        texts = [self.prompt] if isinstance(self.prompt, str) else self.prompt
        return [(Message("user", text),) for text in texts]


def read_body(kind: type[Body], body: bytes) -> Body:
    """The body as it was meant; NotServed names the first field that cannot be used."""
    try:
        return kind.model_validate_json(body)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"]))
        if first["loc"][:1] in (("stream",), ("logprobs",)):
            raise NotServed(f"{field} is not served here") from None
        message = first["msg"].removeprefix("Value error, ")
        raise NotServed(f"{field}: {message}" if field else message) from None


def write_reply(body: Body, name: str, completions: list[Completion]) -> dict:
    """The JSON of a reply; NotServed where a prompt could not be answered at all."""
    chat, choices, tokens = isinstance(body, Chat), [], 0
    for index, completion in enumerate(completions):
        if completion.failed:
            raise NotServed(completion.finish.removeprefix("error: "), code="context_length_exceeded")
        choice = {"index": index, "finish_reason": completion.finish, "logprobs": None}
        if chat:
            choice["message"] = {"role": "assistant", "content": completion.text}
        else:
            choice["text"] = completion.text
        choices.append(choice)
        tokens += completion.tokens
    prompt_tokens = sum(completion.prompt_tokens for completion in completions[::body.n])
    return {
        "id": f"lema-{random.getrandbits(64):016x}", "object": "chat.completion" if chat else "text_completion",
        "created": int(time.time()), "model": name, "choices": choices,
        "usage": {"prompt_tokens": prompt_tokens, "completion_tokens": tokens,
                  "total_tokens": prompt_tokens + tokens}}


def _part(part: dict) -> str:
    if part.get("type") != "text" or not isinstance(part.get("text"), str):
        raise NotServed("messages: only text can be read here")
    return part["text"]
