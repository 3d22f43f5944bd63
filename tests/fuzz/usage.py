"""Whatever bytes a server answers with, what it says that it cost is whole, not negative and no more than was set
aside: python tests/fuzz/usage.py --seconds 60
"""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from lema.journal.usage import CEILING, believed, sound
from lema.messages import Completion, Message, Request
from lema.models.api.faults import Filtered, Passing, Refused, fault_of
from lema.models.api.settings import Settings
from lema.models.api.transport import _spoken, decoded
from lema.models.api.wire import charge_of, no_choices, outgoing, read_choices, read_reply
from lema.models.batch.results import read_row
from lema.plugins.keys import Mask
from lema.records import Sampling
from tests.fuzz.mutating import Target, main


def _reply(**usage: object) -> bytes:
    return json.dumps({"id": "1", "object": "chat.completion", "usage": usage, "choices": [
        {"index": 1, "finish_reason": "length", "message": {"content": "one two three"}},
        {"index": 0, "finish_reason": "stop", "message": {"content": "four", "refusal": None}}]}).encode()


SEEDS = (
    _reply(prompt_tokens=9, completion_tokens=4), _reply(input_tokens=-9, output_tokens=2**70), b"[]", b"",
    b'{"choices": [], "usage": {"prompt_tokens": 9}}', b'{"error": {"message": "no", "code": 429}}',
    b'{"choices": [{"text": "plain", "finish_reason": "content_filter"}], "usage": null}',
    b'{"custom_id": "a", "response": {"status_code": 200, "body": ' + _reply(prompt_tokens=1) + b"}}",
    b'{"custom_id": "a", "response": {"status_code": 400, "body": {"error": {"code": "content_filter"}}}}')
PIECES = (b'"usage": ', b'"prompt_tokens": ', b'"completion_tokens": ', b'"choices": [', b'"message": ',
          b'"content": null', b'"finish_reason": "length"', b'"index": 1e300', b'"code": 500', b"10e400", b"-0.0")
REQUEST = Request((Message("user", "What is 3 plus 3?"),), Sampling(temperature=1.0, max_tokens=12), 0)
SENT = [outgoing(Settings(model="m", **more), REQUEST, n) for n in (1, 3)
        for more in ({}, {"omit": ["max_tokens"]}, {"extra": {"best_of": 5}})]
MASK = Mask("sk-12345678")


def check(data: bytes) -> None:
    """Reads a body as the api and the batch backend do. AssertionError for a broken promise."""
    try:
        reply = _spoken(decoded(data, MASK))
    except (Passing, Refused, Filtered):
        return
    for status in (400, 429, 500):
        assert isinstance(fault_of(status, {}, reply), Passing | Refused | Filtered)
    assert no_choices(reply).startswith("error: ") and len(no_choices(reply)) < 500
    for sent in SENT:
        several = read_choices(reply, sent)
        assert len(several) <= sent.n
        charge = charge_of(reply, sent, "error: x")
        rows = [*several, read_reply(reply, sent), *filter(None, [charge])]
        for row in rows:
            _is_sound(row)
        if sent.most.tokens is not None:
            for total in (several, [charge] if charge else []):
                assert sum(row.tokens for row in total) <= sent.most.tokens
                assert sum(row.prompt_tokens for row in total) <= sent.most.prompt_tokens
        name, row = read_row(reply, lambda name, sent=sent: sent if name == "a" else None, 0.5)
        assert isinstance(name, str)
        if row is not None:
            _is_sound(row)
    value = reply if not isinstance(reply, dict) else reply.get("usage")
    assert 0 <= believed(value, 3, 3, 12)[0] <= 12
    _is_sound(sound(Completion("x", "stop", value, value), REQUEST))


def _is_sound(row: Completion) -> None:
    assert all(type(figure) is int and 0 <= figure <= CEILING for figure in (row.prompt_tokens, row.tokens)), row
    assert isinstance(row.text, str) and isinstance(row.finish, str) and "\n" not in row.finish, row
    assert len(row.finish) < 500, row


TARGET = Target("usage", SEEDS, check, PIECES)

if __name__ == "__main__":
    main(TARGET)
