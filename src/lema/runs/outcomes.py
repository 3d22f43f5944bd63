"""What came of the requests to a model: where nothing came of any, the run ends with the reasons, counted.

    corrections: 70 of 70 replies of model 'm' failed: 68 × 400 too long; 2 × 500

One design decision: a failed row sinks nothing as long as others are answered, so this looks at all of a stage
together; what nobody answers is said where it happens, not stages later where something is missing.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator

from lema.errors import ModelError
from lema.messages import Completion
from lema.models.api.faults import setting_for

MANY = 8  # replies that say something even of a model that did answer before
IN_VAIN = 64  # replies that were paid for and hold nothing, after which no more are bought
SHOWN = 3  # reasons


class Outcomes:
    """The replies of one model to one stage. What one that is `served` ended without any text counts as nothing; a
    model that is computed here may have learned no better."""

    def __init__(self, *, served: bool) -> None:
        self.served = served
        self.replies = self.empty = self.paid = 0
        self._reasons: Counter[str] = Counter()
        self._examples: dict[str, str] = {}

    def add(self, completion: Completion) -> None:
        self.replies += 1
        self.paid += completion.tokens
        if reason := self._failure(completion):
            self.empty += 1
            kind = re.sub(r"\d+", "#", reason)  # what differs in a figure alone is the same reason
            self._reasons[kind] += 1
            self._examples.setdefault(kind, reason)

    def of(self, completions: Iterable[Completion]) -> Iterator[Completion]:
        """The same completions, each counted."""
        for completion in completions:
            self.add(completion)
            yield completion

    @property
    def in_vain(self) -> bool:
        """Whether so much was paid for nothing that the rest would be too."""
        return self.empty == self.replies >= IN_VAIN and self.paid > 0

    def _failure(self, completion: Completion) -> str:
        """Why a completion is of no use; empty where it is of some."""
        if completion.failed:
            return completion.finish.removeprefix("error: ")
        if completion.text.strip() or completion.finish == "stop" or not self.served:
            return ""
        return f"{completion.finish}, without any text"

    def require_any(self, stage: str, model: str, answered: Callable[[], bool]) -> None:
        """ModelError where there were replies and none holds anything. A few are taken as what they are where the
        model has ever `answered`."""
        if self.replies and self.empty == self.replies and (self.replies >= MANY or not answered()):
            raise ModelError(self.in_words(stage, model))

    def in_words(self, stage: str, model: str) -> str:
        """All of them in one line, with what to do."""
        shown = [f"{count:,} × {self._examples[kind]}" for kind, count in self._reasons.most_common(SHOWN)]
        more = [f"{len(self._reasons) - SHOWN:,} other reasons"] if len(self._reasons) > SHOWN else []
        reason = self._examples[self._reasons.most_common(1)[0][0]]
        return (f"{stage}: {self.empty:,} of {self.replies:,} replies of model {model!r} failed: "
                f"{'; '.join(shown + more)}; {_remedy(reason)}; what the run holds is kept")


def _remedy(reason: str) -> str:
    if instead := setting_for(reason):
        return f"set {instead} in its [models] table and run again"
    if reason.startswith("length"):
        return "raise max_tokens in this stage's table (hidden reasoning counts against it) and run again"
    return "mend what they say and run the same command again"
