"""What is written to an endpoint and what is read from it: bodies and replies, as plain functions.

One design decision: a reply is read field by field, because servers leave out what the documents promise; what
cannot be used becomes a failure with its reason. Requests that differ by consecutive path indices go out as one
with `n` choices; the i-th choice is the path with the i-th index, its row bears its share of the reply's tokens,
and the first one the prompt's, so that the rows together bear what was paid.
"""

import json
from collections.abc import Sequence
from itertools import accumulate
from typing import Any

from lema.messages import Completion, Request, wire_seed
from lema.models.api.settings import Settings

FINISHES = {"stop": "stop", "eos": "stop", "eos_token": "stop", "end_turn": "stop", "stop_sequence": "stop",
            "length": "length", "max_tokens": "length", "content_filter": "content_filter"}
PROBE = "Hi"


def body_of(settings: Settings, request: Request, n: int = 1) -> dict:
    """The JSON body that asks for `n` paths from the request's index on; drawn text gets a seed of its own for
    each path (lema.messages.wire_seed)."""
    sampling = request.sampling
    if settings.form == "chat":
        prompt: dict = {"messages": [{"role": m.role, "content": m.content} for m in request.messages]}
    else:
        prompt = {"prompt": "\n\n".join(m.content for m in request.messages)}
    drawn = {"temperature": sampling.temperature, "top_p": sampling.top_p, "max_tokens": sampling.max_tokens}
    if sampling.stop:
        drawn["stop"] = list(sampling.stop)
    if sampling.temperature > 0:
        drawn["seed"] = wire_seed(request)
    for name in settings.omit:
        drawn.pop(name, None)
    if "max_tokens" in drawn:
        drawn[settings.max_tokens_field] = drawn.pop("max_tokens")
    if n > 1:
        drawn["n"] = n
    if settings.reply_schema is not None:
        drawn["response_format"] = _format(settings.reply_schema)
    return {"model": settings.model, **prompt, **drawn, **settings.extra}


def _format(schema: dict[str, Any]) -> dict:
    if not schema:
        return {"type": "json_object"}
    return {"type": "json_schema", "json_schema": {"name": "reply", "schema": schema, "strict": True}}


def trivial(request: Request) -> Request:
    """The same request about nothing: whoever refuses this one refuses the settings, not a row."""
    messages = tuple(type(message)(message.role, PROBE) for message in request.messages)
    return Request(messages, request.sampling, request.index)


def read_reply(reply: object, limit: int) -> Completion:
    """The first completion in a reply's JSON, or the failure that stands for it. `limit`: tokens asked for."""
    return (read_choices(reply, limit, 1) or [no_choices(reply)])[0]


def read_choices(reply: object, limit: int, wanted: int) -> list[Completion]:
    """The completions in a reply's JSON, at most `wanted`, fewer where the server gave fewer."""
    spoken = fields(reply)
    prompt_tokens, tokens = usage_of(spoken)
    choices = spoken.get("choices")
    given = [choice for choice in choices if isinstance(choice, dict)] if isinstance(choices, list) else []
    given.sort(key=lambda choice: index if isinstance(index := choice.get("index"), int) else 0)
    texts = [_text_of(choice) for choice in given[:wanted]]
    shares = [tokens] if len(texts) == 1 else split(tokens, [len(text or "") for text, _ in texts])
    return [_completion(text, reason, limit, 0 if place else prompt_tokens, share)
            for place, ((text, reason), share) in enumerate(zip(texts, shares, strict=True))]


def usage_of(reply: dict) -> tuple[int, int]:
    """(prompt tokens, tokens written) as the server counts them; 0 where it does not."""
    usage = fields(reply.get("usage"))
    prompt_tokens, tokens = usage.get("prompt_tokens"), usage.get("completion_tokens")
    return (prompt_tokens if isinstance(prompt_tokens, int) else 0), (tokens if isinstance(tokens, int) else 0)


def split(total: int, weights: Sequence[int]) -> list[int]:
    """`total` in whole parts, as near to the weights' proportion as may be, that sum up to it."""
    whole, done, parts = sum(weights) or 1, 0, []
    for reached in accumulate(weights):
        until = round(total * reached / whole)
        parts.append(until - done)
        done = until
    if parts:
        parts[-1] += total - done
    return parts


def no_choices(reply: object) -> Completion:
    """The failure that stands for a reply without any choice."""
    spoken = fields(reply)
    error = spoken.get("error")
    reason = f" ({one_line(error.get('message', error) if isinstance(error, dict) else error)})" if error else ""
    return Completion("", f"error: no choices in the reply{reason}", *usage_of(spoken))


def fields(value: object) -> dict:
    """`value` where it is a JSON object, as the documents promise; else one without any field."""
    return value if isinstance(value, dict) else {}


def _text_of(choice: dict) -> tuple[str | None, object]:
    """(text, finish reason) of one choice."""
    message = fields(choice.get("message"))
    text, reason = message.get("content", choice.get("text")), choice.get("finish_reason")
    if text is None and isinstance(message.get("refusal"), str):
        return message["refusal"], "content_filter"
    return (text if isinstance(text, str) else None), reason


def _completion(text: str | None, reason: object, limit: int, prompt_tokens: int, tokens: int) -> Completion:
    if reason is None:
        reason = "length" if tokens >= limit else "stop"
    finish = FINISHES.get(reason) if isinstance(reason, str) else None
    if finish is None:
        finish = f"error: finish reason {one_line(reason)}"
    elif text is None and finish == "stop":
        finish = "error: no text in the reply"
    return Completion(text or "", finish, prompt_tokens, tokens)


def error_in(raw: bytes) -> tuple[str, str]:
    """(message, code) of an error answer's body, in whichever of the known shapes; empty where there is none."""
    try:
        answer = json.loads(raw)
    except ValueError:
        return "", ""
    error = answer.get("error", answer) if isinstance(answer, dict) else answer
    if not isinstance(error, dict):
        return one_line(error), ""
    return one_line(error.get("message") or error.get("detail") or ""), str(error.get("code") or "")


def one_line(text: object) -> str:
    return " ".join(str(text).split())[:200]
