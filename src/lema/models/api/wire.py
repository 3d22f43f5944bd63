"""What is written to an endpoint and what is read from it: bodies and replies, as plain functions.

One design decision: a reply is read field by field, because servers leave out what the documents promise; what
cannot be used becomes a failure with its reason, and a count of tokens that cannot be true is reckoned anew
(lema.journal.usage). Requests that differ by consecutive path indices go out as one with `n` choices; the i-th
choice is the path with the i-th index, its row bears its share of the reply's tokens, and the first one the
prompt's, so that the rows together bear what was paid.
"""

import json
from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate
from typing import Any, NamedTuple

from lema.errors import ModelError
from lema.journal.usage import CEILING, OVERHEAD, Most, believed, size
from lema.messages import Completion, Request, wire_seed
from lema.models.api.settings import LIMITS, Settings

FINISHES = {"stop": "stop", "eos": "stop", "eos_token": "stop", "end_turn": "stop", "stop_sequence": "stop",
            "length": "length", "max_tokens": "length", "content_filter": "content_filter"}
REPLY_BYTES, TOKEN_BYTES, MOST_BYTES = 1 << 20, 4096, 64 << 20
PROBE = "Hi"
NO_PREFILL = ("a chat endpoint begins a reply of its own; if this one goes on from a last message of the "
              'assistant, set prefill = "vllm" or "plain" in its table, or form = "completions" where it has that')
"""Why a chat endpoint is sent no prefix."""
PROBE_TOKENS = 16  # fewer are refused by some endpoints
PROBED = "error: a probe, which asked only whether the endpoint answers"


class Outgoing(NamedTuple):
    """A request as it goes out: for `n` paths from its index on, with the most that it can cost."""

    request: Request
    n: int
    body: bytes
    most: Most
    ends: tuple[str, ...] = ()  # stop strings that the endpoint is not told: the text is cut here

    @property
    def limit(self) -> float:
        """The most tokens of one path."""
        return float("inf") if self.most.tokens is None else self.most.tokens // self.n


def outgoing(settings: Settings, request: Request, n: int = 1) -> Outgoing:
    sent = _outgoing(request, n, body_of(settings, request, n))
    return sent._replace(ends=request.sampling.stop) if "stop" in settings.omit else sent


def probe_of(settings: Settings, request: Request) -> Outgoing:
    """The same request about nothing, for a few tokens: who refuses this one refuses the settings, not a row."""
    messages = tuple(type(message)(message.role, PROBE) for message in request.messages)
    probe = Request(messages, request.sampling, request.index)
    body = body_of(settings, probe)
    for name in LIMITS:
        if isinstance(body.get(name), int):
            body[name] = min(body[name], PROBE_TOKENS) if body[name] > 0 else PROBE_TOKENS
    return _outgoing(probe, 1, body)


def _outgoing(request: Request, n: int, body: dict) -> Outgoing:
    raw = json.dumps(body).encode()
    limits = [body[name] for name in LIMITS if name in body]
    tokens = None
    if limits and all(type(limit) is int and limit > 0 for limit in limits):
        of_one = best if type(best := body.get("best_of")) is int else 1  # written, for one that is given
        tokens = max(limits) * max(n, of_one)
    return Outgoing(request, n, raw, Most(len(raw) + OVERHEAD * len(body.get("messages", (PROBE,))), tokens))


def body_of(settings: Settings, request: Request, n: int = 1) -> dict:
    """The JSON body that asks for `n` paths from the request's index on; drawn text gets a seed of its own for
    each path (lema.messages.wire_seed)."""
    sampling = request.sampling
    prompt = _chat(settings, request) if settings.form == "chat" else {
        "prompt": "\n\n".join(m.content for m in request.messages) + request.prefix}
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


def _chat(settings: Settings, request: Request) -> dict:
    """The messages; a prefix is a last one of the assistant's, which the endpoint is to go on from."""
    messages = [{"role": message.role, "content": message.content} for message in request.messages]
    if not request.prefix:
        return {"messages": messages}
    if settings.prefill is None:
        raise ModelError(f"{settings.model}: {NO_PREFILL}")
    messages.append({"role": "assistant", "content": request.prefix})
    how = {"continue_final_message": True, "add_generation_prompt": False} if settings.prefill == "vllm" else {}
    return {"messages": messages, **how}


def _format(schema: dict[str, Any]) -> dict:
    if not schema:
        return {"type": "json_object"}
    return {"type": "json_schema", "json_schema": {"name": "reply", "schema": schema, "strict": True}}


def read_reply(reply: object, sent: Outgoing) -> Completion:
    """The first completion in a reply's JSON, or the failure that stands for it."""
    why = no_choices(reply)
    return (read_choices(reply, sent) or [charge_of(reply, sent, why) or Completion("", why)])[0]


def read_choices(reply: object, sent: Outgoing) -> list[Completion]:
    """The completions in a reply's JSON, at most as many as were asked for, fewer where the server gave fewer."""
    texts = _texts_of(reply)
    prompt_tokens, tokens, reckoned = _usage_of(reply, sent, texts)
    del texts[sent.n:]
    shares = [tokens] if len(texts) == 1 else split(tokens, [len(text or "") for text, _ in texts])
    completions = [_completion(_cut(text, sent.ends), reason, sent.limit, 0 if place else prompt_tokens, share)
                   for place, ((text, reason), share) in enumerate(zip(texts, shares, strict=True))]
    return [replace(completion, reckoned=True) for completion in completions] if reckoned else completions


def _texts_of(reply: object) -> list[tuple[str | None, object]]:
    """(text, finish reason) of each choice, by their index."""
    choices = fields(reply).get("choices")
    given = [choice for choice in choices if isinstance(choice, dict)] if isinstance(choices, list) else []
    given.sort(key=lambda choice: index if isinstance(index := choice.get("index"), int) else 0)
    return [_text_of(choice) for choice in given]


def _usage_of(reply: object, sent: Outgoing, texts: Sequence[tuple[str | None, object]]) -> tuple[int, int, bool]:
    """(prompt tokens, tokens written, whether either was reckoned from the text, because the server gave no count
    or one that cannot be true)."""
    usage, lengths = fields(fields(reply).get("usage")), sent.request.bytes_sent
    read = sum(lengths)
    prompt_tokens, sure = believed(usage.get("prompt_tokens", usage.get("input_tokens")), read,
                                   read + OVERHEAD * len(lengths), sent.most.prompt_tokens)
    written = whole = 0
    for text, reason in texts:
        bytes_of_it = size(text or "")
        cut = isinstance(reason, str) and FINISHES.get(reason) == "length"
        written += max(bytes_of_it, 1) if cut else bytes_of_it
        # a reply that was cut has all the tokens that it may have, whether or not they can be seen
        whole += sent.limit if cut and sent.most.tokens else min(bytes_of_it, sent.limit)
    tokens, sure_too = believed(usage.get("completion_tokens", usage.get("output_tokens")), written, int(whole),
                                sent.most.tokens)
    return prompt_tokens, tokens, not (sure and sure_too)


def charge_of(reply: object, sent: Outgoing, why: str) -> Completion | None:
    """What a reply cost that is the answer to nothing (of one that could not be read, its bytes): a failure, so
    that the journal keeps it and nobody gets it. None where nothing says that it was charged."""
    if isinstance(reply, int):
        prompt_tokens, _, _ = _usage_of(None, sent, ())
        written = max(0, min(reply, sent.limit * sent.n, CEILING))  # a body may itself be some number
        return Completion("", why, prompt_tokens, int(written), reckoned=True)
    if not fields(reply).keys() & {"usage", "choices"}:
        return None
    prompt_tokens, tokens, reckoned = _usage_of(reply, sent, _texts_of(reply))
    return Completion("", why, prompt_tokens, tokens, reckoned=reckoned)


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


def no_choices(reply: object) -> str:
    """Why a reply without any choice is a failure."""
    error = fields(reply).get("error")
    reason = f" ({one_line(error.get('message', error) if isinstance(error, dict) else error)})" if error else ""
    return f"error: no choices in the reply{reason}"


def longest(tokens: int | None) -> int:
    """Bytes that a reply of so many tokens may have, with all that an endpoint may say of each of them."""
    return MOST_BYTES if tokens is None else min(REPLY_BYTES + tokens * TOKEN_BYTES, MOST_BYTES)


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


def _cut(text: str | None, ends: Sequence[str]) -> str | None:
    places = [place for end in ends if (place := (text or "").find(end)) >= 0]
    return text[:min(places)] if places else text


def _completion(text: str | None, reason: object, limit: float, prompt_tokens: int, tokens: int) -> Completion:
    if reason is None:
        reason = "length" if tokens >= limit else "stop"
    finish = FINISHES.get(reason) if isinstance(reason, str) else None
    if finish is None:
        finish = f"error: finish reason {one_line(reason)}"
    elif text is None and finish == "stop":
        finish = "error: no text in the reply"
    return Completion(text or "", finish, prompt_tokens, tokens)


def error_in(answer: object) -> tuple[str, str]:
    """(message, code) of an error answer's JSON, in whichever of the known shapes; empty where there is none."""
    error = answer.get("error", answer) if isinstance(answer, dict) else answer
    if not isinstance(error, dict):
        return "" if error is None else one_line(error), ""
    return one_line(error.get("message") or error.get("detail") or ""), one_line(error.get("code") or "")


def one_line(text: object) -> str:
    try:
        return " ".join(str(text).split())[:200]
    except RecursionError:  # a message that is JSON, nested without end
        return "…"
