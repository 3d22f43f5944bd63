"""The desk: what waits is written together, a failure is told to those whom it concerns, the desk goes on."""

import threading

import pytest

from lema.commands.serve.batching import Desk
from lema.errors import ModelError
from lema.messages import Completion
from tests.answering import Echo, ask
from tests.patience import PATIENCE, until

pytestmark = pytest.mark.living


class Slow(Echo):
    """Waits until it is let go, and remembers how many it was asked together."""

    def __init__(self):
        super().__init__()
        self.let_go, self.together = threading.Event(), []

    def batches(self, requests):
        return [list(range(start, min(start + 3, len(requests)))) for start in range(0, len(requests), 3)]

    def complete(self, requests):
        requests = list(requests)
        self.together.append(len(requests))
        assert self.let_go.wait(PATIENCE)
        if any("broken" in request.messages[0].content for request in requests):
            raise ModelError("out of memory")
        return [Completion(request.messages[0].content) for request in requests]


def busy(desk: Desk, model: Slow) -> list:
    """The replies to a first request, on which the model is at work from now on; the others will wait together."""
    first = desk.ask(model, [ask("first")])
    until(lambda: model.together, "the model is asked")
    return first


def test_what_comes_while_the_model_is_busy_is_written_together_in_the_backends_batches():
    model, desk = Slow(), Desk()
    first = busy(desk, model)
    rest = [reply for number in range(7) for reply in desk.ask(model, [ask(f"{number}")])]
    model.let_go.set()
    assert [reply.result(PATIENCE).text for reply in [*first, *rest]] == ["first", *"0123456"]
    assert model.together == [1, 3, 3, 1]


def test_a_batch_that_fails_is_told_so_and_the_others_are_answered():
    model, desk = Slow(), Desk()
    busy(desk, model)
    replies = desk.ask(model, [ask(text) for text in ("a", "b", "c", "broken", "d", "e", "f")])
    model.let_go.set()
    assert [reply.result(PATIENCE).text for reply in (*replies[:3], replies[6])] == ["a", "b", "c", "f"]
    for reply in replies[3:6]:
        with pytest.raises(ModelError, match="out of memory"):
            reply.result(PATIENCE)
    assert desk.ask(model, [ask("later")])[0].result(PATIENCE).text == "later"


def test_a_request_that_was_given_up_is_not_written():
    model, desk = Slow(), Desk()
    first = busy(desk, model)
    gone, kept = desk.ask(model, [ask("gone"), ask("kept")])
    gone.cancel()
    model.let_go.set()
    assert kept.result(PATIENCE).text == "kept" and first[0].result(PATIENCE).text == "first"
    assert model.together == [1, 1]
