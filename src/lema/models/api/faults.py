"""What can go wrong with a try, in classes: which pass, which are the row's own, which end the run.

One design decision: the class is decided here, once, from the status and the body alone; what follows from it
(waiting, asking again, recording, taking an address out) is decided by whoever asked.
"""

import math
import re
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Literal

from lema.models.api.wire import PROBE, error_in

RETRIED = {408, 409, 425}  # and 5xx
USED_UP = {"insufficient_quota", "billing_hard_limit_reached"}
FILTERED = {"content_filter", "content_policy_violation"}
_BASE_MODEL = re.compile(r"chat[_ ]template|not a chat model", re.I)
_CHAT_MODEL = re.compile(r"is a chat model|use v1/chat/completions", re.I)
_UNSUPPORTED = re.compile(r"unsupported|not support|unrecogni[sz]ed|unknown|unexpected|not (?:allowed|permitted)|"
                          r"no longer|deprecated|does not accept|extra (?:inputs|fields)", re.I)
_FIELD = re.compile(r"\b(?:temperature|top_p|stop|seed|max_tokens|max_completion_tokens)\b")
_TOO_FEW = re.compile(r"could not finish|tokens?\b.{0,80}\b(?:greater|larger|more than|at least|minimum|"
                      r"too (?:low|small|few)|was reached)\b", re.I)


class Passing(Exception):
    """A fault that may pass: the request is worth another try.

    `kind`: busy (429, 529, and a 503 that says when to come back), broken (the endpoint's fault, or the way's),
    unreached (there was no connection at all). `wait`: seconds that the endpoint asked for. `reply`: one that
    answers nothing and was perhaps charged; of one that cannot be read the number of its bytes.
    """

    def __init__(self, reason: str, kind: Literal["busy", "broken", "unreached"] = "broken",
                 wait: float | None = None, reply: object = None) -> None:
        super().__init__(reason)
        self.kind, self.wait, self.reply = kind, wait, reply


class Refused(Exception):
    """The request was read and refused: asking again would be refused again. `status` is HTTP's."""

    def __init__(self, reason: str, status: int) -> None:
        super().__init__(reason)
        self.status = status


class Filtered(Exception):
    """The prompt was stopped by the endpoint's content filter: an outcome, not a fault."""


class UsedUp(Refused):
    """The account has no money or quota left."""


def fault_of(status: int, headers: Mapping[str, str], answer: object) -> Exception:
    """The class of an answer that holds no completion. `answer`: its JSON, keys masked; None where it is none."""
    message, code = error_in(answer)
    reason = f"{status} {message}".strip()
    if code in FILTERED:
        return Filtered(reason)
    if status == 402 or code in USED_UP:
        return UsedUp(reason, status)
    wait = asked_pause(headers)
    if status in (429, 529) or (status == 503 and wait is not None):
        return Passing(reason, "busy", wait)
    if status in RETRIED or status >= 500:
        return Passing(reason, "broken", wait)
    return Refused(reason, status)


def asked_pause(headers: Mapping[str, str]) -> float | None:
    """Seconds that an answer asks to be left alone for; None where it does not say, or not so as to be read."""
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        try:
            seconds = float(headers.get(name, "")) * unit
        except ValueError:
            continue
        return None if math.isnan(seconds) else max(seconds, 0.0)
    try:
        return max(parsedate_to_datetime(headers.get("retry-after", "")).timestamp() - time.time(), 0.0)
    except (ValueError, TypeError, OverflowError):
        return None


def is_for_more_tokens(refused: Refused) -> bool:
    """Whether a probe is refused because it asks for few tokens: then it was read, and what it asked is known."""
    return bool(_TOO_FEW.search(str(refused)))


def remedy(refused: Refused, variable: str) -> str:
    """What to do about an endpoint that refuses everything. `variable`: the config's api_key_env."""
    if isinstance(refused, UsedUp):
        return f"the account is used up ({refused}); add to it and run again"
    if refused.status in (401, 403):
        return (f"the key was refused ({refused.status}); check the environment variable that api_key_env names "
                f"({variable})")
    if instead := setting_for(str(refused)):
        return f"every request is refused ({refused}); set {instead} in its [models] table"
    if refused.status == 404:
        return f"not found (404); check model and base_url in its [models] table ({refused})"
    if refused.status < 400:
        return f"moved elsewhere ({refused}); give the final address as base_url in its [models] table"
    return (f"every request is refused, even one that only says {PROBE!r} ({refused}); check model, extra, omit, "
            "json_schema and max_tokens_field in its [models] table")


def setting_for(reason: str) -> str:
    """The setting that an endpoint's refusal asks for; empty where it is not one that is known."""
    if _BASE_MODEL.search(reason):
        return 'form = "completions"'
    if _CHAT_MODEL.search(reason):
        return 'form = "chat"'
    if not _UNSUPPORTED.search(reason):
        return ""
    field = _FIELD.search(reason)
    name = field[0] if field else ""
    if name == "max_tokens":
        return 'max_tokens_field = "max_completion_tokens"'
    if name == "max_completion_tokens":
        return 'max_tokens_field = "max_tokens"'
    beside = " (a model that reasons refuses top_p and stop too)" if name == "temperature" else ""
    return f'omit = ["{name}"]{beside}' if name else ""
