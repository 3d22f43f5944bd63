"""Models that answer at once with what they were asked, for tests of what stands around a model."""

from lema.messages import Completion, Message, Request
from lema.records import Sampling


def ask(text: str, index: int = 0, sampling: Sampling = Sampling(), about: tuple = ()) -> Request:
    return Request((Message("user", text),), sampling, index, about)


class Echo:
    """Answers at once with what it was asked, and remembers the requests that it took."""

    def __init__(self, name: str = "echo") -> None:
        self.name, self.asked = name, []

    def identity(self) -> dict:
        return {"model": self.name}

    def complete(self, requests):
        for request in requests:
            self.asked.append(request)
            yield self.answer(request)

    def answer(self, request: Request) -> Completion:
        return Completion(f"{self.name}: {request.messages[-1].content} {request.index}", "stop", 3, 4)


class Failing(Echo):
    def answer(self, request: Request) -> Completion:
        failed = Completion("half", "error: 500", 3, 1)
        return failed if "bad" in request.messages[-1].content else super().answer(request)


class InPairs(Echo):
    """A BatchedModel: neighbours show in the text. Longest first, two by two."""

    def batches(self, requests):
        order = sorted(range(len(requests)), key=lambda i: (-len(requests[i].messages[-1].content), i))
        return [order[i:i + 2] for i in range(0, len(order), 2)]

    def complete(self, requests):
        requests = list(requests)
        for batch in self.batches(requests):
            self.asked.append([requests[i] for i in batch])
        together = "+".join(r.messages[-1].content for r in requests)
        assert len(requests) <= 2, "the journal asks for one batch at a time"
        for request in requests:
            yield Completion(f"{request.messages[-1].content} among {together}")


def texts(completions) -> list[str]:
    return [completion.text for completion in completions]
