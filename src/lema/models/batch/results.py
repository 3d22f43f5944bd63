"""What a provider says of a batch, and in one row of its output or error file.

One design decision: a row that the provider could not get to (expired, overloaded) is no answer and is asked
again; a row that the model's endpoint refused is an answer, a failure with its reason.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from lema.messages import Completion
from lema.models import api
from lema.models.api.faults import FILTERED, RETRIED
from lema.models.api.wire import Outgoing, error_in, fields

AGAIN = (*RETRIED, 429)  # and 5xx
UNWANTED = Completion("")  # an answer that nobody reads
ENDED = ("completed", "expired", "failed", "cancelled")


@dataclass(frozen=True, slots=True)
class State:
    """How far a batch is."""

    status: str
    completed: int  # failed ones included
    files: tuple[str, ...]  # output and errors
    errors: str  # what the provider says of a batch that it refused, on one line


def read_row(row: object, sent_as: Callable[[str], Outgoing | None],
             share: float) -> tuple[str, Completion | None]:
    """(custom_id, its completion); None where it has to be asked again, "" where the row cannot be read."""
    answer = fields(row)
    if not isinstance(name := answer.get("custom_id"), str):
        return "", None
    response, sent = answer.get("response"), sent_as(name)
    if not isinstance(response, dict):
        return name, None  # its `error` says batch_expired or the like
    status, body = response.get("status_code", 200), response.get("body")
    if status == 200:
        return name, replace(api.read_reply(body, sent), share=share) if sent else UNWANTED
    if not isinstance(status, int) or status in AGAIN or status >= 500:
        return name, None
    message, code = error_in(body)
    if code in FILTERED:
        return name, Completion("", "content_filter")
    return name, Completion("", f"error: {status} {message}".strip())
