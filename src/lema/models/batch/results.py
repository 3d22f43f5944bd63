"""What one row of a batch's output or error file says.

One design decision: a row that the provider could not get to (expired, overloaded) is no answer and is asked
again; a row that the model's endpoint refused is an answer, a failure with its reason.
"""

import json
from collections.abc import Callable
from dataclasses import replace

from lema.messages import Completion
from lema.models import api
from lema.models.api.faults import FILTERED, RETRIED
from lema.models.api.wire import fields, one_line

AGAIN = (*RETRIED, 429)  # and 5xx


def read_row(row: bytes, limit_of: Callable[[str], int], share: float) -> tuple[str, Completion | None]:
    """(custom_id, its completion); None where it has to be asked again, "" where the row cannot be read."""
    try:
        answer = json.loads(row)
    except ValueError:
        return "", None
    if not isinstance(answer, dict) or not isinstance(name := answer.get("custom_id"), str):
        return "", None
    response = answer.get("response")
    if not isinstance(response, dict):
        return name, None  # its `error` says batch_expired or the like
    status, body = response.get("status_code", 200), response.get("body")
    if status == 200:
        return name, replace(api.read_reply(body, limit_of(name)), share=share)
    if not isinstance(status, int) or status in AGAIN or status >= 500:
        return name, None
    error = fields(fields(body).get("error"))
    if error.get("code") in FILTERED:
        return name, Completion("", "content_filter")
    return name, Completion("", f"error: {status} {one_line(error.get('message', ''))}".strip())
