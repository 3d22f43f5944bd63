"""math-verify on whole texts, as its users call it: the grader that lema's own verdicts can be held against.

One design decision: it reads and compares with its own defaults, in a process of its own that is killed at the
limit; so its verdicts are its own, but a late one is ungradable here, where math-verify itself says wrong.
"""

import json
import os
from functools import cache

from lema.grading import Grade, MathVerifyProcess

LIMIT_S = 10.0  # wall-clock seconds for reading and comparing one text


def grade(text: str, gold: str, limit_s: float = LIMIT_S) -> Grade:
    """What math-verify makes of a text: right, wrong, no_answer, or past the limit ungradable."""
    return _peer(os.getpid()).grade(text, gold, limit_s)


@cache
def _peer(pid: int) -> "Peer":
    return Peer()


class Peer(MathVerifyProcess):
    """The process that reads whole texts."""

    module = "lema.commands.score.peer_worker"

    def grade(self, text: str, gold: str, limit_s: float) -> Grade:
        """Its verdict and what it read."""
        reply = self.exchange([text, gold, limit_s], limit_s)
        if not reply:
            return Grade("ungradable", None, f"math-verify: not decided within {limit_s:g} s")
        verdict, answer = json.loads(reply)
        return Grade(verdict, answer, "math-verify")
