"""What can go wrong with a try, in classes: which pass, which are the row's own, which end the run.

One design decision: the class is decided here, once, from the status and the body alone; what follows from it
(waiting, asking again, recording, taking an address out) is decided by whoever asked.
"""

import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Literal

from lema.models.api.wire import PROBE, error_in

RETRIED = {408, 409, 425}  # and 5xx
USED_UP = {"insufficient_quota", "billing_hard_limit_reached"}
FILTERED = {"content_filter", "content_policy_violation"}


class Passing(Exception):
    """A fault that may pass: the request is worth another try.

    `kind`: busy (429, 529, and a 503 that says when to come back), broken (the endpoint's fault, or the way's),
    unreached (there was no connection at all). `wait`: seconds that the endpoint asked for.
    """

    def __init__(self, reason: str, kind: Literal["busy", "broken", "unreached"] = "broken",
                 wait: float | None = None) -> None:
        super().__init__(reason)
        self.kind, self.wait = kind, wait


class Refused(Exception):
    """The request was read and refused: asking again would be refused again. `status` is HTTP's."""

    def __init__(self, reason: str, status: int) -> None:
        super().__init__(reason)
        self.status = status


class Filtered(Exception):
    """The prompt was stopped by the endpoint's content filter: an outcome, not a fault."""


class UsedUp(Refused):
    """The account has no money or quota left."""


def fault_of(status: int, headers: Mapping[str, str], raw: bytes) -> Exception:
    """The class of an answer that holds no completion. `raw`: its body, keys masked."""
    message, code = error_in(raw)
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
    for name, seconds in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        value = headers.get(name, "")
        try:
            return max(float(value) * seconds, 0.0)
        except ValueError:
            continue
    try:
        return max(parsedate_to_datetime(headers.get("retry-after", "")).timestamp() - time.time(), 0.0)
    except ValueError:
        return None


def remedy(refused: Refused, variable: str) -> str:
    """What to do about an endpoint that refuses everything. `variable`: the config's api_key_env."""
    if isinstance(refused, UsedUp):
        return f"the account is used up ({refused}); add to it and run again"
    if refused.status in (401, 403):
        return (f"the key was refused ({refused.status}); check the environment variable that api_key_env names "
                f"({variable})")
    if refused.status == 404:
        return f"not found (404); check model and base_url in its [models] table ({refused})"
    if refused.status < 400:
        return f"moved elsewhere ({refused}); give the final address as base_url in its [models] table"
    return (f"every request is refused, even one that only says {PROBE!r} ({refused}); check model, extra, omit, "
            "json_schema and max_tokens_field in its [models] table")
