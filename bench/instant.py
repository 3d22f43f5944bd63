"""A model that answers at once, for bench/scale.py: what is measured is everything around a model.

One design decision: it is a backend like any user's own, named by its dotted path, so that nothing of the engine
knows that it is a bench's.
"""

from collections.abc import Iterable, Iterator

from lema import plugins
from lema.messages import Completion, Request

TEXT = "Step 1: There are 3 + 4 = 7 apples.\nStep 2: Half of them is 7 / 2 = 3.5.\nStep 3: The answer is 3.5."


class Settings(plugins.Settings):
    """[models.X] with backend = "bench.instant"."""


class Model:
    runs_here = True

    def __init__(self, settings: Settings) -> None: ...

    def identity(self) -> dict:
        return {"backend": "instant"}

    def complete(self, requests: Iterable[Request]) -> Iterator[Completion]:
        for _ in requests:
            yield Completion(TEXT, "stop", 90, 41)
