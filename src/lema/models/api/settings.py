"""The [models.X] table of the api backend: what is asked, where it is asked, and how hard.

One design decision: a field that changes what comes out is a fact of the model and part of every journal key;
where and how fast (addresses, keys' names, limits, patience) is execution and may change between runs at no cost.
"""

import json
import re
from functools import cached_property
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from lema import plugins
from lema.errors import ConfigError
from lema.plugins import execution
from lema.plugins.keys import key_field, key_in, looks_like_a_key

LIMITS = ("max_tokens", "max_completion_tokens", "max_output_tokens", "max_new_tokens", "n_predict", "num_predict")
"""What endpoints call the most tokens that a reply may have."""
OURS = ("model", "messages", "prompt", "n", "stream", "response_format")
Parameter = Literal["temperature", "top_p", "max_tokens", "seed", "stop"]


class Settings(plugins.Settings):
    """[models.X] with backend = "api". The key itself stands in the environment only."""

    model: str = Field(min_length=1, description="its name as the endpoint knows it")
    form: Literal["chat", "completions"] = Field("chat", description="completions: one plain prompt")
    omit: tuple[Parameter, ...] = Field((), description="fields of the body that this endpoint refuses")
    json_schema: Path | dict[str, Any] | None = Field(
        None, description="a JSON schema that replies must follow, as a table or a file; {}: any JSON object")
    extra: dict[str, Any] = Field(default_factory=dict, description="more fields of the request's body")
    base_url: tuple[str, ...] = execution(("https://api.openai.com/v1",), min_length=1, description="the "
                                          "endpoint's address, or several that serve the same model")
    api_key_env: str = execution("OPENAI_API_KEY", description="the environment variable that holds the key")
    max_tokens_field: Literal["max_tokens", "max_completion_tokens"] = execution(
        "max_tokens", description="what the endpoint calls it")
    prefill: Literal["vllm", "plain"] | None = execution(
        None, description="chat: how the endpoint goes on from what the assistant has answered already; plain: "
                          "from a last message of the assistant; vllm: the same, with vLLM's two fields")
    n: int = execution(8, ge=1, le=128, description="at most so many paths of one prompt in one request, which "
                                                    "pays its prompt once")
    concurrency: int = execution(64, ge=1, le=4096, description="the most requests in flight at each address; it "
                                                                "tunes itself below that")
    requests_per_minute: int | None = execution(None, ge=1, description="never more, at each address")
    tokens_per_minute: int | None = execution(None, ge=1, description="never more, prompts and replies together, "
                                                                      "at each address")
    timeout: float = execution(600.0, gt=0, description="seconds for one try")
    retries: int = execution(8, ge=0, description="how often one request is tried again before it is a failed row")
    patience: float = execution(600.0, ge=0, description="seconds without any answer after which the run ends "
                                "with an error; 3 at most where an address never could be reached")

    @field_validator("base_url", mode="before")
    @classmethod
    def _one_or_several(cls, given: object) -> object:
        return (given,) if isinstance(given, str) else given

    @field_validator("base_url")
    @classmethod
    def _plain_addresses(cls, urls: tuple[str, ...]) -> tuple[str, ...]:
        for url in urls:
            parts = urlsplit(url)
            if parts.scheme not in ("http", "https") or not parts.hostname:
                raise ValueError("must be an address like http://localhost:8000/v1")
            if parts.username or parts.password or "?" in url or "#" in url:
                raise ValueError("must hold no user, password, query or #, which may be a key; name the key's "
                                 "variable in api_key_env")
        return tuple(dict.fromkeys(url.rstrip("/") for url in urls))

    @field_validator("api_key_env")
    @classmethod
    def _a_name(cls, name: str) -> str:
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name) or looks_like_a_key(name, here=True):
            raise ValueError("must be the name of an environment variable, not a key")
        return name

    @field_validator("extra")
    @classmethod
    def _neither_ours_nor_secret(cls, extra: dict[str, Any]) -> dict[str, Any]:
        for name in OURS:
            if name in extra:
                raise ValueError(f"{name} is set by lema itself; it cannot stand here")
        if "best_of" in extra and not _is_limit(extra["best_of"]):
            raise ValueError("best_of must be a whole number above 0: so many replies are paid for")
        if name := key_field(extra):
            raise ValueError(f"{name} looks like a key, or would hold one; keys stand in the environment only "
                             "(api_key_env), and headers are set by lema itself")
        if problem := key_in(extra, here=True):
            raise ValueError(problem)
        return extra

    @model_validator(mode="after")
    def _holds_no_key(self) -> "Settings":
        if problem := key_in(self.model_dump(mode="json"), (self.api_key_env,)):
            raise ValueError(problem)
        return self

    @property
    def unbounded(self) -> bool:
        """Whether nothing that is sent says how long a reply may be, or something that is no limit."""
        limits = [self.extra[name] for name in LIMITS if name in self.extra]
        return not all(map(_is_limit, limits)) or ("max_tokens" in self.omit and not limits)

    def files(self) -> tuple[Path, ...]:
        return (self.json_schema,) if isinstance(self.json_schema, Path) else ()

    @cached_property
    def reply_schema(self) -> dict[str, Any] | None:
        """The schema itself. ConfigError where its file cannot be read."""
        if not isinstance(self.json_schema, Path):
            return self.json_schema
        try:
            schema = json.loads(self.json_schema.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise ConfigError(f"{self.json_schema}: no JSON schema can be read from it ({error}); mend it, or "
                              "json_schema in its [models] table") from None
        if not isinstance(schema, dict):
            raise ConfigError(f"{self.json_schema}: holds no JSON schema (an object)")
        return schema


def _is_limit(value: object) -> bool:
    return type(value) is int and value > 0


def is_local(url: str) -> bool:
    """Whether an address is on this machine."""
    host = urlsplit(url).hostname or ""
    return host in ("localhost", "::1") or host.startswith("127.")
